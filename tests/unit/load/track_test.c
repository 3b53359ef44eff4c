/* SPDX-License-Identifier: BSD-2-Clause */
#include "track.h"

#include "unit/unit.h"

static struct track t;

static void test_in_order(void)
{
	t.begun = false;
	for (uint64_t n = 1000; n < 300000; n++)
		CU_ASSERT_EQUAL(track_add(&t, n), TRACK_NEW);
	CU_ASSERT_EQUAL(t.lost, 0);
}

static void test_loss(void)
{
	uint64_t lost = 0;

	track_begin(&t, 0);
	for (uint64_t n = 0; n < 500000; n++) {
		if (n % 7 == 3 || n % 1000 < 5)
			lost++;
		else
			CU_ASSERT_EQUAL(track_add(&t, n), TRACK_NEW);
	}
	track_skip(&t, 500000);
	CU_ASSERT_EQUAL(t.lost, lost);
}

static void test_late(void)
{
	track_begin(&t, 0);
	CU_ASSERT_EQUAL(track_add(&t, 0), TRACK_NEW);
	CU_ASSERT_EQUAL(track_add(&t, 3), TRACK_NEW);
	CU_ASSERT_EQUAL(t.lost, 2);
	CU_ASSERT_EQUAL(track_add(&t, 1), TRACK_LATE);
	CU_ASSERT_EQUAL(t.lost, 1);
	CU_ASSERT_EQUAL(track_add(&t, 1), TRACK_DUPLICATE);
	CU_ASSERT_EQUAL(track_add(&t, 3), TRACK_DUPLICATE);
	CU_ASSERT_EQUAL(t.lost, 1);
}

static void test_far(void)
{
	track_begin(&t, 0);
	CU_ASSERT_EQUAL(track_add(&t, UINT64_C(1) << 40), TRACK_NEW);
	CU_ASSERT_EQUAL(t.lost, UINT64_C(1) << 40);
	/* too long ago to know */
	CU_ASSERT_EQUAL(track_add(&t, 5), TRACK_DUPLICATE);
	CU_ASSERT_EQUAL(track_add(&t, (UINT64_C(1) << 40) - TRACK_SPAN + 1), TRACK_LATE);
}

static const struct unit_case cases[] = {
    {"in order, from any number", test_in_order},
    {"what is missing is counted", test_loss},
    {"late ones and duplicates", test_late},
    {"a gap longer than is remembered", test_far},
};

UNIT_MAIN("load/track", cases)
