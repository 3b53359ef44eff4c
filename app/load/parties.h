/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_PARTIES_H
#define LOAD_PARTIES_H

/*
 * The roles of connections, by number: the first nb_slow read slowly (slow.h); of the others,
 * nb_busy send requests, spread evenly, and the rest are open and idle.
 */

#include "load.h"

/** is_slow says whether a connection reads slowly. */
static inline bool is_slow(const struct load *l, uint32_t i)
{
	return unlikely(i < l->nb_slow);
}

/** busy_nth returns the k-th connection that sends requests, k < nb_busy. */
static inline uint32_t busy_nth(const struct load *l, uint32_t k)
{
	uint32_t others = (uint32_t)l->config->conns - l->nb_slow;

	if (likely(others == l->nb_busy))
		return k + l->nb_slow;
	return l->nb_slow + (uint32_t)((uint64_t)k * others / l->nb_busy);
}

/** is_busy says whether a connection sends requests. */
static inline bool is_busy(const struct load *l, uint32_t i)
{
	uint32_t others = (uint32_t)l->config->conns - l->nb_slow, k;

	if (i < l->nb_slow || others == l->nb_busy)
		return i >= l->nb_slow;
	k = (uint32_t)(((uint64_t)(i - l->nb_slow) * l->nb_busy + others - 1) / others);
	return k < l->nb_busy && busy_nth(l, k) == i;
}

#endif
