/* SPDX-License-Identifier: BSD-2-Clause */
/* Distributions of message lengths. */
#include "sizes.h"

#include <CUnit/Basic.h>

#include "unit/unit.h"

static struct sizes s;
static char why[160];

/* Goes through messages as a connection does. Returns the share of those in [low,high]. */
static double share(uint32_t low, uint32_t high)
{
	uint32_t seq = 0xfff00000u, n = 200000, hits = 0;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t size = sizes_at(&s, seq);

		CU_ASSERT(size >= s.min && size <= s.max);
		hits += size >= low && size <= high;
		seq += size;
	}
	return (double)hits / n;
}

static void test_uniform(void)
{
	CU_ASSERT_EQUAL_FATAL(sizes_parse(&s, "1-1000", why, sizeof(why)), 0);
	CU_ASSERT_EQUAL(s.min, 1);
	CU_ASSERT_EQUAL(s.max, 1000);
	CU_ASSERT_DOUBLE_EQUAL(s.mean, 500.5, 1);
	for (uint32_t low = 1; low < 1000; low += 100)
		CU_ASSERT_DOUBLE_EQUAL(share(low, low + 99), 0.1, 0.01);
}

static void test_weights(void)
{
	CU_ASSERT_EQUAL_FATAL(sizes_parse(&s, "64:70,200-300:25,16384:5", why, sizeof(why)), 0);
	CU_ASSERT_DOUBLE_EQUAL(share(64, 64), 0.70, 0.01);
	CU_ASSERT_DOUBLE_EQUAL(share(200, 300), 0.25, 0.01);
	CU_ASSERT_DOUBLE_EQUAL(share(16384, 16384), 0.05, 0.005);
	CU_ASSERT_DOUBLE_EQUAL(s.mean, 0.7 * 64 + 0.25 * 250 + 0.05 * 16384, 5);
	/* the same again for another run, and others with another seed */
	CU_ASSERT_EQUAL(sizes_at(&s, 12345), sizes_at(&s, 12345));
	CU_ASSERT_EQUAL_FATAL(sizes_parse(&s, "7", why, sizeof(why)), 0);
	CU_ASSERT(s.min == 7 && s.max == 7);
}

static void test_nonsense(void)
{
	static const char *const bad[] = {
	    "",         "x",     "0",    "5-",    "-5",
	    "9-5",      "64:",   "64:0", "64,,5", "64:1,",
	    "16777217", "1-2-3", "64 ",  "64:x",  "1:9999999",
	    "+5",       "5:-1",  "0x10", "64;65", "99999999999999999999",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		CU_ASSERT_EQUAL(sizes_parse(&s, bad[i], why, sizeof(why)), -1);
		CU_ASSERT(why[0] != '\0');
	}
}

static const struct unit_case cases[] = {
    {"a range", test_uniform},
    {"weights", test_weights},
    {"nonsense", test_nonsense},
};

UNIT_MAIN("sizes", cases)
