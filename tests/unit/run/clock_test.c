/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/clock.h"

#include "../../support/eal.h"
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

static void its_rate_is_what_has_passed_on_both_clocks(void)
{
	const struct clock_mark from = {1000, 500};
	struct clock_mark to = {1000 + 244537, 500 + 100000};
	const uint64_t eal = 2450000000;

	/* a tenth of a millisecond tells nothing */
	CU_ASSERT_EQUAL(clock_hz(&from, &to, eal), eal);
	to = (struct clock_mark){1000 + 244537000, 500 + 100000000};
	CU_ASSERT_EQUAL(clock_hz(&from, &to, eal), 2445370000);
	/* so much is not off by itself: one of the two was set, or stood still */
	to.tsc = 1000 + 254537000;
	CU_ASSERT_EQUAL(clock_hz(&from, &to, eal), eal);
	to.tsc = 999;
	CU_ASSERT_EQUAL(clock_hz(&from, &to, eal), eal);
	to = (struct clock_mark){1000 + 244537000, 499};
	CU_ASSERT_EQUAL(clock_hz(&from, &to, eal), eal);
}

static void it_keeps_the_pace_of_the_systems(void)
{
	const struct timespec nap = {.tv_nsec = 20000000};
	struct clock_mark begin = clock_mark(), from, to;
	struct clock c;
	uint64_t ns;

	nanosleep(&nap, NULL);
	clock_start(&c, &begin);
	from = clock_mark();
	nanosleep(&nap, NULL);
	to = clock_mark();
	ns = clock_at(&c, to.tsc) - clock_at(&c, from.tsc);
	/* EAL's 10 MHz are up to 2000 parts in a million, a mark is good for tens */
	CU_ASSERT(llabs((int64_t)(ns - (to.ns - from.ns))) < (int64_t)(to.ns - from.ns) / 1000);
}

static const struct unit_case cases[] = {
    {"a second is a second at any frequency", a_second_is_a_second_at_any_frequency},
    {"it begins at the time of day", it_begins_at_the_time_of_day},
    {"its rate is what has passed on both clocks", its_rate_is_what_has_passed_on_both_clocks},
    {"it keeps the pace of the system's", it_keeps_the_pace_of_the_systems},
};

int main(void)
{
	eal_start();
	return unit_run("run/clock", cases, sizeof(cases) / sizeof(cases[0]));
}
