/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SUPPORT_EAL_H
#define SUPPORT_EAL_H

/* EAL and mbuf pools for tests: no hugepages, no devices, no root. */

#include <stdint.h>

#include <rte_version.h>

struct rte_mempool;

/** EAL_BOND_MEMBER is the argument of net_bonding that names a member. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
#define EAL_BOND_MEMBER "member="
#else
#define EAL_BOND_MEMBER "slave="
#endif

/** eal_start initialises EAL for a test program, quietly and without device drivers; it may be
 * called again. Exits on failure. */
void eal_start(void);

/** eal_start_with_drivers does so for programs that create devices; call it before eal_start. */
void eal_start_with_drivers(void);

/** eal_pool makes an mbuf pool of n mbufs with room for an Ethernet frame. Exits on failure. */
struct rte_mempool *eal_pool(const char *name, uint32_t n);

/** eal_in_use returns how many mbufs of a pool are in use; those in lcore caches do not count. */
uint32_t eal_in_use(const struct rte_mempool *pool);

/**
 * eal_freed_twice returns how many mbufs are in a pool twice: if one is freed twice and another
 * leaks, the count still looks right.
 */
uint32_t eal_freed_twice(struct rte_mempool *pool);

#endif
