/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_MEMORY_H
#define RUN_MEMORY_H

/* How much memory there is, how much is needed, and who gets how much. */

#include "eal.h"
#include "settings.h"

struct rte_mempool;

/** memory_free_huge returns the bytes of free hugepages of a NUMA node; -1: of the machine. */
uint64_t memory_free_huge(int node);

/** memory_available returns the bytes of ordinary memory that can be had (MemAvailable). */
uint64_t memory_available(void);

/** memory_frame_room returns the bytes of an mbuf's data room for the MTU of the settings. */
uint16_t memory_frame_room(const struct settings *s);

/** memory_pool_bytes returns what a pool of n mbufs takes. */
uint64_t memory_pool_bytes(const struct settings *s, uint64_t n);

/** memory_wanted returns what the settings want for one lcore, "auto" taken for a small machine. */
uint64_t memory_wanted(const struct settings *s);

/** memory_least returns the same with everything that is "auto" as small as can be. */
uint64_t memory_least(const struct settings *s);

/**
 * memory_fit settles the settings of one lcore's stack: "auto" keys by the memory that there is for
 * it. Returns 0, or -1 with a line in s->why when the limits do not fit.
 */
int memory_fit(struct settings *s, const struct eal *eal, unsigned lcore, unsigned nb_ports,
               struct pc_stack_config *config);

/** memory_make_pool makes the mbuf pool of an lcore. Returns NULL with a line in s->why. */
struct rte_mempool *memory_make_pool(struct settings *s, const struct eal *eal, unsigned lcore,
                                     const struct pc_stack_config *config);

#endif
