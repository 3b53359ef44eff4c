/* SPDX-License-Identifier: BSD-2-Clause */
#include "hist.h"

#include <stdbool.h>
#include <stdlib.h>

#include "unit/unit.h"

static void test_steps(void)
{
	uint32_t last = 0, i;

	for (uint64_t ns = 0; ns < UINT64_C(1) << 40; ns += 1 + ns / 50) {
		i = hist_index(ns);
		CU_ASSERT(i >= last && i < HIST_SIZE);
		last = i;
		CU_ASSERT(hist_value(i) <= ns && ns < hist_value(i + 1));
		/* one part in HIST_STEPS */
		CU_ASSERT(ns - hist_value(i) <= ns / HIST_STEPS);
	}
	CU_ASSERT(hist_index(UINT64_MAX) == HIST_SIZE - 1);
}

static void test_small_values_are_exact(void)
{
	for (uint32_t ns = 0; ns < 2 * HIST_STEPS; ns++)
		CU_ASSERT_EQUAL(hist_value(hist_index(ns)), ns);
}

static bool near(uint64_t got, uint64_t want)
{
	return got >= want && got - want <= want / HIST_STEPS + 1;
}

static void test_quantiles(void)
{
	struct hist *h = calloc(1, sizeof(*h));

	CU_ASSERT_EQUAL(hist_quantile(h, 0.5), 0);
	CU_ASSERT_EQUAL(hist_mean(h), 0);
	for (uint64_t ns = 1; ns <= 100000; ns++)
		hist_add(h, ns);
	CU_ASSERT(near(hist_quantile(h, 0.5), 50000));
	CU_ASSERT(near(hist_quantile(h, 0.99), 99000));
	CU_ASSERT_EQUAL(hist_quantile(h, 1), 100000);
	CU_ASSERT_EQUAL(h->max, 100000);
	CU_ASSERT_DOUBLE_EQUAL(hist_mean(h), 50000.5, 0.01);
	free(h);
}

static void test_one_value(void)
{
	struct hist *h = calloc(1, sizeof(*h));

	hist_add(h, 123456);
	CU_ASSERT_EQUAL(hist_quantile(h, 0), 123456);
	CU_ASSERT_EQUAL(hist_quantile(h, 0.5), 123456);
	CU_ASSERT_EQUAL(hist_quantile(h, 0.9999), 123456);
	free(h);
}

static const struct unit_case cases[] = {
    {"steps cover all values", test_steps},
    {"small values are exact", test_small_values_are_exact},
    {"quantiles and the mean", test_quantiles},
    {"one value", test_one_value},
};

UNIT_MAIN("load/hist", cases)
