/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges of sequence numbers, beside a map of bytes. */
#include "ranges.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

#define BYTES 2000u
#define BASE  (UINT32_C(0) - 700) /* the sequence space wraps among them */

static struct ranges r;
static uint8_t map[BYTES];

static uint32_t random_below(uint32_t n)
{
	static uint64_t state = 7;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((state >> 32) * n >> 32);
}

static bool is_there(uint32_t at)
{
	for (uint32_t k = 0; k < r.n; k++)
		if (BASE + at - r.all[k].from < r.all[k].to - r.all[k].from)
			return true;
	return false;
}

static void check_map(void)
{
	uint32_t wrong = 0;

	CU_ASSERT(ranges_validate(&r));
	for (uint32_t at = 0; at < BYTES; at++)
		wrong += is_there(at) != map[at];
	CU_ASSERT_EQUAL(wrong, 0);
}

static void test_map(void)
{
	for (unsigned round = 0; round < 200; round++) {
		uint32_t passed = 0;

		memset(&r, 0, sizeof(r));
		memset(map, 0, sizeof(map));
		for (unsigned step = 0; step < 60; step++) {
			uint32_t from = passed + 1 + random_below(BYTES - passed - 51);
			uint32_t to = from + 1 + random_below(50);
			struct range *whole, part;
			bool common = memchr(map + from, 1, to - from) != NULL;

			CU_ASSERT_EQUAL(ranges_common(&r, BASE + from, BASE + to, &part), common);
			for (uint32_t at = part.from - BASE; common && at < part.to - BASE; at++)
				CU_ASSERT(at >= from && at < to && map[at] == 1);
			whole = ranges_add(&r, BASE + from, BASE + to);
			CU_ASSERT_FATAL(whole != NULL);
			CU_ASSERT(whole->from - BASE <= from && whole->to - BASE >= to);
			memset(map + from, 1, to - from);
			if (step % 10 == 9 && passed < BYTES / 2) {
				passed += random_below(100);
				memset(map, 0, passed + 1);
				while (passed < BYTES - 60 && is_there(passed))
					map[passed++] = 0;
				CU_ASSERT_EQUAL(ranges_pass(&r, BASE + passed), BASE + passed);
			}
			check_map();
		}
	}
}

/* what is passed goes on to the end of what begins there or before */
static void test_pass(void)
{
	memset(&r, 0, sizeof(r));
	ranges_add(&r, 10, 20);
	ranges_add(&r, 30, 40);
	ranges_add(&r, 50, 60);
	CU_ASSERT_EQUAL(ranges_pass(&r, 5), 5);
	CU_ASSERT_EQUAL(ranges_pass(&r, 10), 20);
	CU_ASSERT_EQUAL(r.n, 2);
	CU_ASSERT_EQUAL(ranges_pass(&r, 55), 60);
	CU_ASSERT_EQUAL(r.n, 0);
}

/* marks: a part of a gap has the mark of the whole, what has grown that of its first part */
static void test_marks(void)
{
	struct range newest[3];

	memset(&r, 0, sizeof(r));
	ranges_add(&r, 100, 110)->mark = 7;
	CU_ASSERT_EQUAL(ranges_add(&r, 50, 60)->mark, 7);
	CU_ASSERT_EQUAL(ranges_add(&r, 200, 210)->mark, 0);
	r.all[2].mark = 9;
	CU_ASSERT_EQUAL(ranges_add(&r, 110, 200)->mark, 7);
	CU_ASSERT_EQUAL(r.n, 2);
	ranges_add(&r, 300, 310)->mark = 5;
	ranges_add(&r, 400, 410)->mark = 8;
	r.all[0].mark = 6;
	CU_ASSERT_EQUAL(ranges_newest(&r, newest, 3), 3);
	CU_ASSERT(newest[0].from == 400 && newest[1].from == 100 && newest[2].from == 50);
	CU_ASSERT_EQUAL(ranges_newest(&r, newest, 1), 1);
	CU_ASSERT_EQUAL(newest[0].from, 400);
	CU_ASSERT_EQUAL(ranges_newest(&r, newest, 0), 0);
}

static void test_full(void)
{
	memset(&r, 0, sizeof(r));
	for (uint32_t k = 0; k < RANGES_MAX; k++)
		CU_ASSERT(ranges_add(&r, 10 * k, 10 * k + 5) != NULL);
	CU_ASSERT(ranges_add(&r, 10 * RANGES_MAX, 10 * RANGES_MAX + 5) == NULL);
	CU_ASSERT(ranges_add(&r, 5, 10) != NULL);
	CU_ASSERT(ranges_add(&r, 10 * RANGES_MAX, 10 * RANGES_MAX + 5) != NULL);
	CU_ASSERT(ranges_validate(&r));
}

static void test_pool(void)
{
	struct ranges_pool *p = ranges_pool_create();
	uint16_t all[RANGES_SETS], none = 0;

	CU_ASSERT_FATAL(p != NULL);
	for (uint32_t k = 0; k < RANGES_SETS; k++) {
		all[k] = ranges_take(p);
		CU_ASSERT(all[k] != 0);
	}
	CU_ASSERT_EQUAL(ranges_take(p), 0);
	ranges_give(p, &none);
	CU_ASSERT_EQUAL(ranges_take(p), 0);
	ranges_give(p, &all[3]);
	CU_ASSERT_EQUAL(all[3], 0);
	CU_ASSERT(ranges_take(p) != 0);
	free(p);
}

static const struct unit_case cases[] = {
    {"beside a map", test_map}, {"passing", test_pass}, {"marks", test_marks},
    {"full", test_full},        {"a pool", test_pool},
};

UNIT_MAIN("load/ranges", cases)
