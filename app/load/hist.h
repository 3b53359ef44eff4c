/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_HIST_H
#define LOAD_HIST_H

/*
 * A histogram of latencies, as in HdrHistogram: each power of two of nanoseconds is divided into
 * HIST_STEPS equal steps, so that a value is known to one part in HIST_STEPS over the whole range,
 * in a fixed size, and adding one takes a few instructions.
 */

#include <stdint.h>

#define HIST_BITS  7
#define HIST_STEPS (1u << HIST_BITS)
#define HIST_SIZE  ((65u - HIST_BITS) * HIST_STEPS)

struct hist {
	uint64_t n, sum, max;
	uint64_t counts[HIST_SIZE];
};

/** hist_index returns the step that contains a value. */
static inline uint32_t hist_index(uint64_t ns)
{
	uint32_t log2 = 63 - (uint32_t)__builtin_clzll(ns | HIST_STEPS);
	uint32_t shift = log2 - HIST_BITS;

	return shift * HIST_STEPS + (uint32_t)(ns >> shift);
}

/** hist_value returns the smallest value of a step. */
static inline uint64_t hist_value(uint32_t index)
{
	uint32_t shift = index < 2 * HIST_STEPS ? 0 : index / HIST_STEPS - 1;

	return (uint64_t)(index - shift * HIST_STEPS) << shift;
}

/** hist_add adds a value. */
static inline void hist_add(struct hist *h, uint64_t ns)
{
	h->counts[hist_index(ns)]++;
	h->n++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
}

/** hist_quantile returns the value that a share q, in [0,1], of all values does not exceed. */
uint64_t hist_quantile(const struct hist *h, double q);

/** hist_mean returns the mean; 0 if there is no value. */
double hist_mean(const struct hist *h);

#endif
