/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_FAILPOOL_H
#define SUPPORT_FAILPOOL_H

/*
 * An mbuf pool whose allocations fail when a test says so.
 *
 * Every allocation is counted, whoever makes it, as the pool has no caches.  A test runs a scenario once
 * to learn how many it makes, and then once for each n with the n-th failing: so every place that takes an
 * mbuf is seen without one, without a word of this in the stack.
 */

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;

/** failpool_make makes a pool of n mbufs with room for an Ethernet frame. Exits on failure. */
struct rte_mempool *failpool_make(const char *name, uint32_t n);

/**
 * failpool_set begins to count anew: allocations first to first + n - 1, the first being number 1, fail.
 * n = 0: none does.
 */
void failpool_set(struct rte_mempool *pool, uint64_t first, uint64_t n);

/** failpool_is_failing says whether an allocation would fail now. */
bool failpool_is_failing(const struct rte_mempool *pool);

/** failpool_heal lets no more allocations fail; counting goes on. */
void failpool_heal(struct rte_mempool *pool);

/** failpool_taken returns the allocations since failpool_set, failed ones included. */
uint64_t failpool_taken(const struct rte_mempool *pool);

#endif
