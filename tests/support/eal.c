/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

/*
 * Overview: EAL can be started once per process, so a flag says that it was.  Nothing is written
 * outside the process (--no-shconf; --in-memory does not go with --no-huge), so any number of test
 * programs run side by side.
 */

void eal_start(void)
{
	static bool started;
	static char *argv[] = {"test", "--no-huge",      "--no-pci", "--no-shconf", "-m",
	                       "512",  "--no-telemetry", "-l",       "0",           "--log-level=4",
	                       NULL};

	if (started)
		return;
	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0) {
		fprintf(stderr, "EAL does not start: %s\n", rte_strerror(rte_errno));
		exit(1);
	}
	started = true;
}

struct rte_mempool *eal_pool(const char *name, uint32_t n)
{
	struct rte_mempool *pool =
	    rte_pktmbuf_pool_create(name, n, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);

	if (pool == NULL) {
		fprintf(stderr, "no mbuf pool %s of %u: %s\n", name, n, rte_strerror(rte_errno));
		exit(1);
	}
	return pool;
}

uint32_t eal_in_use(const struct rte_mempool *pool)
{
	return rte_mempool_in_use_count(pool);
}

static int by_address(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return (x > y) - (x < y);
}

uint32_t eal_freed_twice(struct rte_mempool *pool)
{
	void **all = calloc(pool->size + 1, sizeof(*all));
	uint32_t n = 0, twice = 0;

	if (all == NULL)
		exit(1);
	while (n <= pool->size && rte_mempool_get(pool, &all[n]) == 0)
		n++;
	qsort(all, n, sizeof(*all), by_address);
	for (uint32_t i = 1; i < n; i++)
		twice += all[i] == all[i - 1];
	for (uint32_t i = 0; i < n; i++)
		rte_mempool_put(pool, all[i]);
	free(all);
	return twice;
}
