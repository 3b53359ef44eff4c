/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CLOCK_H
#define RUN_CLOCK_H

/*
 * The clock of all stacks of a process: nanoseconds that begin at the time of day and then follow
 * the TSC, so that they never run backwards, and capture files carry real times.  A reading is one
 * multiplication.
 */

#include <stdint.h>
#include <time.h>

#include <rte_cycles.h>

#define CLOCK_SHIFT 40

struct clock {
	uint64_t tsc0, ns0;
	uint64_t mult; /* nanoseconds per 2^CLOCK_SHIFT ticks */
};

/** clock_time_of_day returns nanoseconds since 1970. */
static inline uint64_t clock_time_of_day(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/** clock_init starts the clock; hz are the ticks per second of the TSC. */
static inline void clock_init(struct clock *c, uint64_t hz)
{
	c->tsc0 = rte_rdtsc();
	c->ns0 = clock_time_of_day();
	c->mult = (uint64_t)(((unsigned __int128)1000000000 << CLOCK_SHIFT) / hz);
}

/** clock_at returns the time at a reading of the TSC that is not before the start. */
static inline uint64_t clock_at(const struct clock *c, uint64_t tsc)
{
	/* 128 bits: 64 would overflow after a few seconds */
	return c->ns0 + (uint64_t)(((unsigned __int128)(tsc - c->tsc0) * c->mult) >> CLOCK_SHIFT);
}

/** clock_now returns the time. */
static inline uint64_t clock_now(const struct clock *c)
{
	return clock_at(c, rte_rdtsc());
}

#endif
