/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#define MIB               (UINT64_C(1) << 20)
#define MEMORY_CACHE      512
#define MEMORY_FRAME_ROOM (2048 + RTE_PKTMBUF_HEADROOM)
/* Ethernet header with two VLAN tags, and FCS for devices that do not strip it; net_af_packet wants
 * room for whole frames of its ring, without the 32 bytes that begin them */
#define MEMORY_L2_BYTES (84 + 15 - 32)
/* the size that a small machine is assumed to have before EAL is up */
#define MEMORY_SMALL (256 * MIB)
/* what "auto" settings need at least, with the fewest mbufs */
#define MEMORY_LEAST (4 * MIB)

static uint64_t read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	uint64_t v = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%" SCNu64, &v) != 1)
		v = 0;
	fclose(f);
	return v;
}

uint64_t memory_free_huge(int node)
{
	char dir[128] = "/sys/kernel/mm/hugepages", path[512];
	struct dirent *e;
	uint64_t bytes = 0;
	DIR *d;

	if (node >= 0)
		snprintf(dir, sizeof(dir), "/sys/devices/system/node/node%d/hugepages", node);
	d = opendir(dir);
	if (d == NULL)
		return node >= 0 ? memory_free_huge(-1) : 0;
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "hugepages-", 10) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/free_hugepages", dir, e->d_name);
		bytes += read_number(path) * strtoull(e->d_name + 10, NULL, 10) * 1024;
	}
	closedir(d);
	return bytes;
}

uint64_t memory_available(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	uint64_t kb = 0;
	char line[128];

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "MemAvailable: %" SCNu64, &kb) == 1)
			break;
	fclose(f);
	return kb * 1024;
}

uint16_t memory_frame_room(const struct settings *s)
{
	uint64_t room = s->run.port_mtu + MEMORY_L2_BYTES + RTE_PKTMBUF_HEADROOM;

	return (uint16_t)RTE_MAX(RTE_ALIGN_CEIL(room, RTE_CACHE_LINE_SIZE),
	                         (uint64_t)MEMORY_FRAME_ROOM);
}

uint64_t memory_pool_bytes(const struct settings *s, uint64_t n)
{
	uint32_t object = (uint32_t)(sizeof(struct rte_mbuf) + memory_frame_room(s));
	uint64_t caches = RTE_MAX_LCORE * sizeof(struct rte_mempool_cache);

	return n * rte_mempool_calc_obj_size(object, 0, NULL) + caches +
	       rte_align64pow2(n + 1) * sizeof(void *);
}

static uint64_t wanted(const struct settings *s, const struct pc_stack_config *config)
{
	struct pc_stack_footprint fp;

	pc_stack_get_footprint(config, &fp);
	return fp.total + memory_pool_bytes(s, config->stack_mbufs);
}

static uint64_t wanted_of(const struct settings *s, uint64_t bytes)
{
	struct pc_stack_config config = s->stack;

	pc_stack_config_fit(&config, bytes);
	return wanted(s, &config);
}

uint64_t memory_wanted(const struct settings *s)
{
	return wanted_of(s, MEMORY_SMALL);
}

uint64_t memory_least(const struct settings *s)
{
	return wanted_of(s, MEMORY_LEAST);
}

static uint64_t heap_free(int node)
{
	struct rte_malloc_socket_stats stats;

	if (rte_malloc_get_socket_stats(node, &stats) != 0)
		return 0;
	return stats.heap_freesz_bytes;
}

static unsigned count_lcores(int node)
{
	unsigned n = 0;

	for (unsigned l = 0; l < RTE_MAX_LCORE; l++)
		if (rte_lcore_is_enabled(l) && (node < 0 || (int)rte_lcore_to_socket_id(l) == node))
			n++;
	return n;
}

/* The share of one lcore. A tenth is left for drivers and fragmentation. */
static uint64_t share(const struct eal *eal, int node)
{
	uint64_t bytes = 0;

	if (eal->no_huge) {
		for (unsigned i = 0; i < rte_socket_count(); i++)
			bytes += heap_free(rte_socket_id_by_idx(i));
		return bytes / 10 * 9 / count_lcores(-1);
	}
	bytes = heap_free(node);
	if (!eal->fixed_size)
		bytes += memory_free_huge(node);
	return bytes / 10 * 9 / count_lcores(node);
}

static int check_mbufs(struct settings *s, const struct pc_stack_config *config, unsigned nb_ports)
{
	uint64_t queues = nb_ports * (s->run.port_rxd + s->run.port_txd);

	if (config->stack_mbufs >= queues + MEMORY_CACHE)
		return 0;
	return settings_fail(s,
	                     "stack.mbufs: %" PRIu64 " is too small: %u port%s with %" PRIu64
	                     " and %" PRIu64 " descriptors need at least %" PRIu64
	                     "; raise it, or lower port.rxd and port.txd",
	                     config->stack_mbufs, nb_ports, nb_ports == 1 ? "" : "s",
	                     s->run.port_rxd, s->run.port_txd, queues + MEMORY_CACHE);
}

/* The key to lower for the largest effect. "auto" values follow from max_connections. */
static const char *heaviest_key(const struct settings *s, const struct pc_stack_config *config)
{
	struct pc_stack_footprint fp;
	uint64_t mbufs = memory_pool_bytes(s, config->stack_mbufs), most;

	pc_stack_get_footprint(config, &fp);
	most = fp.connections + fp.flow_table + fp.events;
	if (s->stack.stack_mbufs != 0 && mbufs > most && mbufs > fp.half_open)
		return "stack.mbufs";
	if (s->stack.tcp_time_wait != 0 && fp.time_wait > most)
		return "tcp.time_wait";
	return fp.half_open > most ? "tcp.syn_cache" : "stack.max_connections";
}

static int fail_fit(struct settings *s, const struct eal *eal, unsigned lcore, uint64_t have,
                    const struct pc_stack_config *config)
{
	return settings_fail(
	    s,
	    "lcore %u needs %" PRIu64 " MB for %" PRIu64 " connections and %" PRIu64
	    " mbufs, but has only %" PRIu64 " MB: lower %s, or provide more memory (%s)",
	    lcore, wanted(s, config) / MIB + 1, config->stack_max_connections, config->stack_mbufs,
	    have / MIB, heaviest_key(s, config),
	    eal->no_huge ? "EAL option -m MB" : "scripts/hugepages, or EAL option -m MB");
}

int memory_fit(struct settings *s, const struct eal *eal, unsigned lcore, unsigned nb_ports,
               struct pc_stack_config *config)
{
	int node = eal->no_huge ? -1 : (int)rte_lcore_to_socket_id(lcore);
	uint64_t have = share(eal, node);
	struct pc_stack_config first;

	/* shrink what is "auto" until everything fits, mbufs included */
	for (uint64_t bytes = have; bytes >= MEMORY_LEAST; bytes = bytes / 4 * 3) {
		*config = s->stack;
		config->socket_id = node;
		pc_stack_config_fit(config, bytes);
		if (wanted(s, config) <= have)
			return check_mbufs(s, config, nb_ports);
		if (bytes == have)
			first = *config;
	}
	if (have < MEMORY_LEAST)
		return settings_fail(
		    s, "lcore %u has only %" PRIu64 " MB of memory: provide more (%s)", lcore,
		    have / MIB, eal->no_huge ? "EAL option -m MB" : "scripts/hugepages");
	return fail_fit(s, eal, lcore, have, &first);
}

/*
 * Chooses how the pool stores mbufs that no cache holds. DPDK's default is a ring, which returns
 * the mbuf that has been free for longest, and so cycles through the whole pool, more than the
 * caches and the TLB can hold. Here a pool has one lcore, for which the mbuf freed last is best: a
 * stack. With 100,000 connections it gives 12 to 17 % more echoes over net_memif
 * (docs/performance.md). A choice of the user or the platform is kept.
 */
static int set_ops(struct rte_mempool *pool)
{
	const char *best = rte_mbuf_best_mempool_ops();

	if (rte_mbuf_user_mempool_ops() == NULL && rte_mbuf_platform_mempool_ops() == NULL &&
	    rte_mempool_set_ops_byname(pool, "stack", NULL) == 0)
		return 0;
	return rte_mempool_set_ops_byname(pool, best, NULL);
}

/*
 * Like rte_pktmbuf_pool_create, with flags. In ordinary memory, physical pages are not contiguous,
 * so by default a mempool would put one mbuf into each page and waste two fifths; but no device
 * uses physical addresses there.
 */
static struct rte_mempool *make_pool(const char *name, unsigned n, uint16_t room, int node,
                                     unsigned flags)
{
	struct rte_pktmbuf_pool_private priv = {.mbuf_data_room_size = room};
	unsigned cache = n >= 8 * MEMORY_CACHE ? MEMORY_CACHE : n / 8;
	struct rte_mempool *pool = rte_mempool_create_empty(
	    name, n, (unsigned)sizeof(struct rte_mbuf) + room, cache, sizeof(priv), node, flags);

	if (pool == NULL)
		return NULL;
	if (set_ops(pool) != 0)
		goto free_pool;
	rte_pktmbuf_pool_init(pool, &priv);
	if (rte_mempool_populate_default(pool) < 0)
		goto free_pool;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
free_pool:
	rte_mempool_free(pool);
	return NULL;
}

struct rte_mempool *memory_make_pool(struct settings *s, const struct eal *eal, unsigned lcore,
                                     const struct pc_stack_config *config)
{
	unsigned n = (unsigned)config->stack_mbufs;
	struct rte_mempool *pool;
	char name[32];

	snprintf(name, sizeof(name), "mbufs_%u", lcore);
	pool = make_pool(name, n, memory_frame_room(s), config->socket_id,
	                 eal->no_huge ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0);
	if (pool == NULL)
		settings_fail(s,
		              "not enough memory for %u mbufs (%" PRIu64
		              " MB) on lcore %u: lower stack.mbufs, or provide more memory",
		              n, memory_pool_bytes(s, n) / MIB + 1, lcore);
	return pool;
}
