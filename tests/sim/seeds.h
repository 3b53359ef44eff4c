/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

/* The main function of a program that runs something for many seeds. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mempool.h>

#include "eal.h"

/** seeds_main runs the seeds from 1 to last, with a pool of so many mbufs; arguments select one
 * seed, or the range from the first to the second. Returns the exit status. */
static inline int seeds_main(int argc, char **argv, uint64_t last, unsigned mbufs,
                             bool (*run)(uint64_t seed, struct rte_mempool *pool))
{
	uint64_t first = 1;
	unsigned failed = 0;
	struct rte_mempool *pool;

	eal_start();
	pool = eal_pool("seeds", mbufs);
	if (argc > 1)
		first = last = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		last = strtoull(argv[2], NULL, 10);
	for (uint64_t seed = first; seed <= last; seed++)
		failed += !run(seed, pool);
	printf("%llu seeds, %u failed\n", (unsigned long long)(last - first + 1), failed);
	return failed != 0;
}

#endif
