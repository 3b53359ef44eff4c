/* SPDX-License-Identifier: BSD-2-Clause */

/* Sequence arithmetic around both wraps (RFC 9293 section 3.4, MUST-1). */

#include "base/seq.h"

#include "../unit.h"

static void test_order(void)
{
	static const uint32_t bases[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	static const uint32_t steps[] = {1, 2, 1000, 0x7ffffffe, 0x7fffffff};

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		const uint32_t a = bases[i];

		CU_ASSERT(!seq_lt(a, a) && seq_leq(a, a) && !seq_gt(a, a) && seq_geq(a, a));
		for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
			const uint32_t b = a + steps[j];

			CU_ASSERT(seq_lt(a, b) && seq_leq(a, b) && seq_gt(b, a) && seq_geq(b, a));
			CU_ASSERT(!seq_lt(b, a) && !seq_leq(b, a));
			CU_ASSERT_EQUAL(seq_max(a, b), b);
			CU_ASSERT_EQUAL(seq_max(b, a), b);
			CU_ASSERT_EQUAL(seq_min(a, b), a);
			CU_ASSERT_EQUAL(seq_min(b, a), a);
			CU_ASSERT_EQUAL(seq_diff(b, a), (int32_t)steps[j]);
			CU_ASSERT_EQUAL(seq_diff(a, b), -(int32_t)steps[j]);
		}
	}
}

static void test_within(void)
{
	CU_ASSERT(seq_within(5, 5, 1));
	CU_ASSERT(!seq_within(6, 5, 1));
	CU_ASSERT(!seq_within(4, 5, 1));
	CU_ASSERT(!seq_within(5, 5, 0));
	CU_ASSERT(seq_within(2, 0xfffffffe, 5));
	CU_ASSERT(!seq_within(3, 0xfffffffe, 5));
	CU_ASSERT(seq_within(0xfffffffe, 0xfffffffe, 5));
	/* a window of 65535 is no negative number */
	CU_ASSERT(seq_within(100 + 65534, 100, 65535));
}

static const struct unit_case cases[] = {
    {"order", test_order},
    {"within", test_within},
};

UNIT_MAIN("base/seq", cases)
