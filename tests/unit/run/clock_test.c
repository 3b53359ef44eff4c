/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/clock.h"

#include "common.h"

static void a_second_is_a_second_at_any_frequency(void)
{
	static const uint64_t hz[] = {1000000, 1000000000, 2299998000, 5000000000};
	struct clock c;

	for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
		clock_init(&c, hz[i]);
		c.tsc0 = 12345;
		c.ns0 = 1000;
		CU_ASSERT_EQUAL(clock_at(&c, 12345), 1000);
		CU_ASSERT(llabs((int64_t)clock_at(&c, 12345 + hz[i]) - 1000001000) <= 1);
		/* ten years: no overflow, and an error below a microsecond a day */
		CU_ASSERT(llabs((int64_t)clock_at(&c, 12345 + hz[i] * 315360000) -
		                (int64_t)(315360000 * UINT64_C(1000000000) + 1000)) < 3650000);
	}
}

static void it_begins_at_the_time_of_day(void)
{
	uint64_t before = clock_time_of_day(), now;
	struct clock c;

	clock_init(&c, 1000000000);
	now = clock_at(&c, c.tsc0);
	CU_ASSERT(now >= before && now - before < UINT64_C(1000000000));
	CU_ASSERT(clock_now(&c) >= now);
}

int main(void)
{
	const CU_TestInfo tests[] = {
	    {"a second is a second at any frequency", a_second_is_a_second_at_any_frequency},
	    {"it begins at the time of day", it_begins_at_the_time_of_day},
	    CU_TEST_INFO_NULL,
	};

	return run_suite("run/clock", tests);
}
