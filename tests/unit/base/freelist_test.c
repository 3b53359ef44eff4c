/* SPDX-License-Identifier: BSD-2-Clause */

/* Which of an array's elements are taken, and that none is touched before. */

#include "base/dice.h"
#include "base/freelist.h"

#include "../unit.h"

#define N 100

static uint32_t link_of[N + 1];
static struct freelist list;

static void start(uint32_t n)
{
	list = (struct freelist){.n = n};
	for (uint32_t i = 0; i <= N; i++)
		link_of[i] = UINT32_MAX; /* whatever: who was never freed has no link */
}

static uint32_t take(void)
{
	const uint32_t i = freelist_next(&list);

	CU_ASSERT_EQUAL(freelist_is_empty(&list), i == 0);
	if (i != 0)
		freelist_take(&list, link_of[i]);
	return i;
}

static void give(uint32_t i)
{
	link_of[i] = freelist_give(&list, i);
}

static void test_in_order(void)
{
	start(N);
	for (uint32_t i = 1; i <= N; i++) {
		CU_ASSERT_EQUAL(list.touched, i - 1);
		CU_ASSERT_EQUAL(take(), i);
	}
	CU_ASSERT_EQUAL(take(), 0);
	CU_ASSERT_EQUAL(take(), 0);
}

static void test_last_freed_first(void)
{
	start(N);
	for (uint32_t i = 1; i <= 5; i++)
		CU_ASSERT_EQUAL(take(), i);
	give(2);
	give(4);
	give(3);
	CU_ASSERT_EQUAL(take(), 3);
	CU_ASSERT_EQUAL(take(), 4);
	give(4);
	CU_ASSERT_EQUAL(take(), 4);
	CU_ASSERT_EQUAL(take(), 2);
	CU_ASSERT_EQUAL(list.touched, 5);
	CU_ASSERT_EQUAL(take(), 6);
}

static void test_none(void)
{
	start(0);
	CU_ASSERT_EQUAL(take(), 0);
	start(1);
	CU_ASSERT_EQUAL(take(), 1);
	CU_ASSERT_EQUAL(take(), 0);
	give(1);
	CU_ASSERT_EQUAL(take(), 1);
	CU_ASSERT_EQUAL(take(), 0);
}

/* each is out once at most, all can be out, and no more are touched than were ever out at a time */
static void test_at_random(void)
{
	bool out[N + 1] = {false};
	uint32_t n = 0, most = 0;
	struct dice dice;

	start(N);
	dice_seed(&dice, 1);
	for (unsigned k = 0; k < 100000; k++) {
		/* in turns more are taken, and more given back */
		const bool takes = dice_below(&dice, 10) < (k / 1000 % 2 ? 3u : 7u);
		uint32_t i;

		if (takes) {
			i = take();
			CU_ASSERT_EQUAL(i == 0, n == N);
			if (i == 0)
				continue;
			CU_ASSERT_FALSE(out[i]);
			out[i] = true;
			n++;
		} else if (n > 0) {
			for (i = 1 + (uint32_t)dice_below(&dice, N); !out[i];)
				i = i % N + 1;
			give(i);
			out[i] = false;
			n--;
		}
		most = n > most ? n : most;
		CU_ASSERT_EQUAL(list.touched, most);
	}
	CU_ASSERT_EQUAL(most, N);
}

static const struct unit_case cases[] = {
    {"those that were never taken come in order", test_in_order},
    {"before them the last that was freed", test_last_freed_first},
    {"none, and one", test_none},
    {"at random", test_at_random},
};

UNIT_MAIN("freelist", cases)
