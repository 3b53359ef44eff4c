/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_MEMORY_H
#define RUN_MEMORY_H

/* How much memory is available, how much is needed, and how it is shared among lcores. */

#include "eal.h"
#include "settings.h"

struct rte_mempool;

/** memory_free_huge returns the bytes of free hugepages of a NUMA node; -1: of all nodes. */
uint64_t memory_free_huge(int node);

/** memory_available returns the bytes of ordinary memory available (MemAvailable). */
uint64_t memory_available(void);

/** memory_frame_room returns the mbuf data room, in bytes, for the MTU of the settings. */
uint16_t memory_frame_room(const struct settings *s);

/** memory_pool_bytes returns the size of a pool of n mbufs. */
uint64_t memory_pool_bytes(const struct settings *s, uint64_t n);

/** memory_wanted returns what the settings need for one lcore, with "auto" as on a small
 * machine. */
uint64_t memory_wanted(const struct settings *s);

/** memory_least returns the same with everything "auto" as small as possible. */
uint64_t memory_least(const struct settings *s);

/**
 * memory_fit determines the settings of one lcore's stack: "auto" keys follow from its share of
 * memory. Returns 0, or -1 with a line in s->why if the limits do not fit.
 */
int memory_fit(struct settings *s, const struct eal *eal, unsigned lcore, unsigned nb_ports,
               struct pc_stack_config *config);

/** memory_make_pool makes the mbuf pool of an lcore. Returns NULL with a line in s->why. */
struct rte_mempool *memory_make_pool(struct settings *s, const struct eal *eal, unsigned lcore,
                                     const struct pc_stack_config *config);

#endif
