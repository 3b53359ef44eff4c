/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CLOCK_H
#define RUN_CLOCK_H

/*
 * The clock of all stacks of a process: nanoseconds that start at the time of day and then follow
 * the TSC, so that time never runs backwards, and capture files have real times.  Reading it takes
 * one multiplication.
 *
 * The rate of the TSC: EAL asks the CPU, or measures for a tenth of a second and rounds to 10 MHz,
 * which is off by up to 0.2 %.  Comparing the TSC with the system's clock while EAL starts gives
 * the rate to within a few parts per million.
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

/** Both clocks at one moment. */
struct clock_mark {
	uint64_t tsc;
	uint64_t ns; /* of CLOCK_MONOTONIC */
};

/** clock_mark reads both clocks, as close together as a few tries allow: the machine may stall. */
struct clock_mark clock_mark(void);

/** clock_hz returns the TSC's ticks per second, measured between two marks; or nominal_hz if the
 * marks are less than 5 ms apart, or the result is off by more than a hundredth. */
uint64_t clock_hz(const struct clock_mark *from, const struct clock_mark *to, uint64_t nominal_hz);

/** clock_init starts the clock; hz are the ticks per second of the TSC. */
static inline void clock_init(struct clock *c, uint64_t hz)
{
	c->tsc0 = rte_rdtsc();
	c->ns0 = clock_time_of_day();
	c->mult = (uint64_t)(((unsigned __int128)1000000000 << CLOCK_SHIFT) / hz);
}

/** clock_start starts it with the rate measured since a mark. */
void clock_start(struct clock *c, const struct clock_mark *since);

/** clock_at returns the time at a TSC reading, which must not be before the start. */
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
