/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_FAILPOOL_H
#define SUPPORT_FAILPOOL_H

/*
 * An mbuf pool whose allocations fail when a test says so.
 *
 * The pool has no caches, so every allocation is counted.  A test runs a scenario once to learn how
 * many allocations it makes, and then once for each n with the n-th failing: so every place that
 * allocates an mbuf is tested without one, with no test code in the stack.
 */

#include <stdbool.h>
#include <stdint.h>

struct rte_mempool;

/** failpool_make makes a pool of n mbufs with room for an Ethernet frame. Exits on failure. */
struct rte_mempool *failpool_make(const char *name, uint32_t n);

/**
 * failpool_set restarts the count at 1: allocations first to first + n - 1 will fail. n = 0: none
 * will.
 */
void failpool_set(struct rte_mempool *pool, uint64_t first, uint64_t n);

/** failpool_is_failing says whether an allocation would fail now. */
bool failpool_is_failing(const struct rte_mempool *pool);

/** failpool_heal ends the failures; counting goes on. */
void failpool_heal(struct rte_mempool *pool);

/** failpool_taken returns the allocations since failpool_set, failed ones included. */
uint64_t failpool_taken(const struct rte_mempool *pool);

#endif
