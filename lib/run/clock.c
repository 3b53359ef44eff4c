/* SPDX-License-Identifier: BSD-2-Clause */

/* Measures the rate of the TSC; see clock.h. */

#include "clock.h"

#define TRIES    8
#define LEAST_NS 5000000

struct clock_mark clock_mark(void)
{
	struct clock_mark best = {0};
	uint64_t best_gap = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		struct timespec ts;
		const uint64_t before = rte_rdtsc();
		uint64_t gap;

		(void)clock_gettime(CLOCK_MONOTONIC, &ts);
		gap = rte_rdtsc() - before;
		if (gap >= best_gap)
			continue;
		best_gap = gap;
		best.tsc = before + gap / 2;
		best.ns = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	}
	return best;
}

uint64_t clock_hz(const struct clock_mark *from, const struct clock_mark *to, uint64_t nominal_hz)
{
	const uint64_t ns = to->ns - from->ns, ticks = to->tsc - from->tsc;
	uint64_t hz;

	if (to->ns < from->ns + LEAST_NS || to->tsc < from->tsc)
		return nominal_hz;
	hz = (uint64_t)((unsigned __int128)ticks * 1000000000 / ns);
	return hz > nominal_hz - nominal_hz / 100 && hz < nominal_hz + nominal_hz / 100
	           ? hz
	           : nominal_hz;
}

void clock_start(struct clock *c, const struct clock_mark *since)
{
	const struct clock_mark now = clock_mark();

	clock_init(c, clock_hz(since, &now, rte_get_tsc_hz()));
}
