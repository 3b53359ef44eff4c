/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

struct rte_mempool *pool, *probe_pool;

void box_init(struct box *b)
{
	memset(b, 0, sizeof(*b));
	pc_stack_config_init(&b->cfg);
	b->cfg.stack_max_connections = 32;
	b->cfg.stack_max_listeners = 4;
	b->cfg.stack_max_udp_sockets = 4;
	b->cfg.stack_mbufs = NB_POOL;
	b->cfg.stack_seed = 1;
	b->cfg.tcp_syn_cache = 16;
	b->cfg.tcp_time_wait = 16;
	b->cfg.arp_entries = 16;
	b->now = UINT64_C(1000000000000);
	b->in_use = eal_in_use(pool);
}

void box_open(struct box *b)
{
	const struct probe_config probe = {.pool = probe_pool};

	box_open_on(b, &probe);
}

void box_open_on(struct box *b, const struct probe_config *probe)
{
	b->probe = probe_open(probe);
	b->st = stack_on(&b->cfg, pool, probe_port(b->probe), "192.0.2.1/24");
}

void box_close(struct box *b)
{
	CU_ASSERT_EQUAL(pc_stack_validate(b->st, stderr), 0);
	CU_ASSERT_PTR_NULL(probe_wrong(b->probe));
	pc_stack_destroy(b->st);
	pc_port_close(probe_port(b->probe));
	CU_ASSERT_EQUAL(eal_in_use(pool), b->in_use);
	CU_ASSERT_EQUAL(eal_in_use(probe_pool), 0);
}

void box_turn(struct box *b, uint64_t ms)
{
	b->now += ms * MS;
	pc_stack_poll(b->st, b->now);
	pc_stack_flush(b->st, b->now);
}

int box_serve(const struct box *b, int type, uint16_t port)
{
	const struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = pc_socket(b->st, AF_INET, type, 0);

	CU_ASSERT_EQUAL(pc_bind(b->st, fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	if (type == SOCK_STREAM)
		CU_ASSERT_EQUAL(pc_listen(b->st, fd, 100), 0);
	return fd;
}

struct frame_ends box_ends(void)
{
	return (struct frame_ends){
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src_be = PEER, .dst_be = US};
}

uint64_t box_count(const struct box *b, enum pc_counter c)
{
	return pc_stack_counters(b->st)->value[c];
}

uint64_t box_drops(const struct box *b)
{
	uint64_t sum = 0;

	for (int c = 0; c < PC_TX_NO_MBUF; c++)
		sum += pc_stack_counters(b->st)->value[c];
	return sum;
}

uint64_t box_allocated(void)
{
	struct rte_malloc_socket_stats stats;

	CU_ASSERT_EQUAL_FATAL(rte_malloc_get_socket_stats(0, &stats), 0);
	return stats.heap_allocsz_bytes;
}

int box_program(const char *name, const struct unit_case *cases, size_t n)
{
	eal_start();
	pool = eal_pool("stack", NB_POOL);
	probe_pool = eal_pool("probe", NB_POOL);
	/* the first stack of a process reserves a field of all mbufs, for good */
	if (pkt_register() != 0)
		return EXIT_FAILURE;
	return unit_run(name, cases, n);
}
