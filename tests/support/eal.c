/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_build_config.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memory.h>
#include <rte_mempool.h>

/*
 * Overview: EAL can be started once per process, so a flag says that it was.  Nothing is written
 * outside the process (--no-shconf; --in-memory does not go with --no-huge), so any number of test
 * programs run side by side.  EAL puts the main thread of each of them on the first CPU; afterwards
 * it may run on any again.
 *
 * EAL loads every installed driver, some two hundred, which takes half of the CPU time of a start.
 * No option prevents that, but EAL checks first whether their folder exists: our stat() says that
 * it does not, and the mempool drivers are named instead.
 *
 * Without hugepages EAL's memory is a file, if there are files in memory, of which each page costs a
 * page fault.  Our memfd_create() says that there are none; then it is ordinary memory, for which
 * the kernel has large pages.
 */

#define DRIVER(name) "-d", RTE_EAL_PMD_PATH "/librte_" name ".so"

static bool without_drivers, without_memfd;

/* EAL calls this instead of the C library's: for the folder, then for each named driver. */
int stat(const char *path, struct stat *to)
{
	if (without_drivers && strcmp(path, RTE_EAL_PMD_PATH) == 0) {
		without_drivers = false;
		errno = ENOENT;
		return -1;
	}
	return fstatat(AT_FDCWD, path, to, 0);
}

int memfd_create(const char *name, unsigned flags)
{
	if (without_memfd) {
		errno = ENOSYS;
		return -1;
	}
	return (int)syscall(SYS_memfd_create, name, flags);
}

static int advise(const struct rte_memseg_list *list, void *arg)
{
	(void)arg;
	return madvise(list->base_va, list->len, MADV_HUGEPAGE);
}

/* the last of them name drivers */
static char *argv[] = {
    "test", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",       "--log-level=4",
    "-m",   "512",       "-l",       "0",           DRIVER("mempool_ring"), DRIVER("mempool_stack"),
    NULL};

enum { ALL_ARGS = RTE_DIM(argv) - 1, PLAIN_ARGS = ALL_ARGS - 4 };

static void start(int argc)
{
	static bool started;
	cpu_set_t cpus;

	if (started)
		return;
	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	without_memfd = true;
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr, "EAL does not start: %s\n", rte_strerror(rte_errno));
		exit(1);
	}
	without_memfd = false;
	(void)rte_memseg_list_walk(advise, NULL);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	started = true;
}

void eal_start_with_drivers(void)
{
	start(PLAIN_ARGS);
}

void eal_start(void)
{
	/* another build of DPDK may have the drivers in another folder */
	if (access(RTE_EAL_PMD_PATH "/librte_mempool_stack.so", F_OK) != 0) {
		eal_start_with_drivers();
		return;
	}
	without_drivers = true;
	start(ALL_ARGS);
}

/* Like rte_pktmbuf_pool_create, which would put one mbuf into each page (lib/run/memory.c). */
static struct rte_mempool *make_pool(const char *name, uint32_t n)
{
	struct rte_pktmbuf_pool_private priv = {.mbuf_data_room_size = RTE_MBUF_DEFAULT_BUF_SIZE};
	const unsigned element = (unsigned)sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE;
	struct rte_mempool *pool = rte_mempool_create_empty(
	    name, n, element, 64, sizeof(priv), SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (pool == NULL)
		return NULL;
	rte_pktmbuf_pool_init(pool, &priv);
	if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) != 0 ||
	    rte_mempool_populate_default(pool) < 0) {
		rte_mempool_free(pool);
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

struct rte_mempool *eal_pool(const char *name, uint32_t n)
{
	struct rte_mempool *pool = make_pool(name, n);

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
