/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and ending a stack: what it takes, that it takes all or nothing, and that it says so. */

#include <errno.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "fixture.h"

/* an element of rte_malloc has a header and is padded; there are some twenty */
#define ALLOCATOR_BYTES (64 * 1024)

static void check_footprint(const struct pc_stack_config *cfg)
{
	const uint64_t before = box_allocated();
	struct pc_stack_footprint fp;
	struct pc_stack *st;
	uint64_t taken;

	pc_stack_get_footprint(cfg, &fp);
	CU_ASSERT_EQUAL(fp.total, fp.connections + fp.flow_table + fp.half_open + fp.time_wait +
	                              fp.events + fp.other);
	CU_ASSERT_EQUAL(box_allocated(), before);
	st = pc_stack_create(cfg, pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(st);
	taken = box_allocated() - before;
	if (taken < fp.total || taken > fp.total + ALLOCATOR_BYTES)
		fprintf(stderr, "footprint %lu, taken %lu\n", fp.total, taken);
	CU_ASSERT(taken >= fp.total && taken <= fp.total + ALLOCATOR_BYTES);
	pc_stack_destroy(st);
	CU_ASSERT_EQUAL(box_allocated(), before);
}

static void test_footprint(void)
{
	struct box b;

	box_init(&b);
	check_footprint(&b.cfg);
	b.cfg.stack_max_connections = 100000;
	check_footprint(&b.cfg);
	b.cfg.stack_max_udp_sockets = 2000;
	check_footprint(&b.cfg);
	b.cfg.stack_max_epolls = 8;
	check_footprint(&b.cfg);
	b.cfg.tcp_syn_cache = 50000;
	b.cfg.tcp_time_wait = 70000;
	check_footprint(&b.cfg);
	b.cfg.arp_entries = 5000;
	b.cfg.stack_max_listeners = 4096;
	check_footprint(&b.cfg);
	b.cfg.tcp_ecn = 3;
	check_footprint(&b.cfg);
}

/* "auto" settings are computed the same way for the footprint and for the stack */
static void test_auto(void)
{
	struct pc_stack_config cfg;
	struct pc_stack_footprint fp;
	struct pc_stack *st;

	pc_stack_config_init(&cfg);
	check_footprint(&cfg);
	pc_stack_get_footprint(&cfg, &fp);
	st = pc_stack_create(&cfg, pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(st);
	CU_ASSERT(pc_stack_get_config(st)->stack_max_connections > 0);
	CU_ASSERT(pc_stack_get_config(st)->tcp_time_wait > 0);
	CU_ASSERT(fp.per_idle_connection >= sizeof(struct tcb) && fp.per_idle_connection <= 512);
	pc_stack_destroy(st);
}

static void test_no_memory(void)
{
	const uint64_t before = box_allocated();
	const struct rte_mempool *p = pool;
	struct box b;

	/* each of these is too much for the heap of a test, at another step of the creation */
	for (int i = 0; i < 4; i++) {
		box_init(&b);
		if (i == 0)
			b.cfg.stack_max_connections = 100000000;
		else if (i == 1)
			b.cfg.tcp_syn_cache = 16000000;
		else if (i == 2)
			b.cfg.tcp_time_wait = 100000000;
		else
			b.cfg.stack_max_udp_sockets = 65536, b.cfg.stack_max_connections = 20000000;
		errno = 0;
		b.st = pc_stack_create(&b.cfg, pool);
		CU_ASSERT_PTR_NULL(b.st);
		CU_ASSERT_EQUAL(errno, ENOMEM);
		CU_ASSERT_EQUAL(box_allocated(), before);
		CU_ASSERT_EQUAL(eal_in_use(p), b.in_use);
		pc_stack_destroy(b.st);
	}
}

/* whatever is left of the heap, creation gives back all or makes a stack that can be ended: each
 * allocation is the one that fails for some size */
static void test_each_allocation_fails(void)
{
	const uint64_t before = box_allocated();
	unsigned made = 0, failed = 0;
	struct box b;

	box_init(&b);
	b.cfg.stack_max_connections = 20000;
	for (size_t leave = 0; leave < (12u << 20); leave += 288 * 1024) {
		void *hole = leave > 0 ? rte_malloc("hole", leave, 0) : NULL;
		void *taken[64];
		unsigned n = 0;

		for (size_t size = 256u << 20; size >= 4096 && n < 64;) {
			taken[n] = rte_malloc("rest", size, 0);
			if (taken[n] != NULL)
				n++;
			else
				size /= 2;
		}
		rte_free(hole);
		b.st = pc_stack_create(&b.cfg, pool);
		if (b.st != NULL) {
			made++;
			pc_stack_destroy(b.st);
		} else {
			failed++;
			CU_ASSERT_EQUAL(errno, ENOMEM);
		}
		while (n > 0)
			rte_free(taken[--n]);
		CU_ASSERT_EQUAL_FATAL(box_allocated(), before);
	}
	CU_ASSERT(failed > 5);
	CU_ASSERT(made > 0);
}

static void test_bad_arguments(void)
{
	struct rte_mempool *small = rte_pktmbuf_pool_create("small", 7, 0, 0, 512, -1);
	struct box b;

	box_init(&b);
	CU_ASSERT_PTR_NULL(pc_stack_create(&b.cfg, NULL));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NULL(pc_stack_create(&b.cfg, small));
	CU_ASSERT_EQUAL(errno, EINVAL);
	b.cfg.stack_max_epolls = 65;
	CU_ASSERT_PTR_NULL(pc_stack_create(&b.cfg, pool));
	CU_ASSERT_EQUAL(errno, EINVAL);
	rte_mempool_free(small);
	pc_stack_destroy(NULL);
}

static void test_add(void)
{
	struct pc_prefix us = {.addr = pc_addr_ip4(US), .len = 120}, six = {.len = 64};
	const struct pc_prefix all = {.addr = pc_addr_ip4(0), .len = 96};
	const struct pc_addr gateway = pc_addr_ip4(PEER), elsewhere = pc_addr_ip4(0x01020304);
	struct box b;

	six.addr.b[0] = 0x20;
	six.addr.b[15] = 1;
	box_init(&b);
	box_open(&b);
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 0, &us), -1);
	CU_ASSERT_EQUAL(errno, EEXIST);
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 1, &us), -1);
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 0, &six), 0);
	CU_ASSERT_EQUAL(pc_stack_add_addr(b.st, 0, &six), -1);
	CU_ASSERT_EQUAL(errno, EEXIST);
	CU_ASSERT_EQUAL(pc_stack_add_route(b.st, &all, &elsewhere), -1);
	CU_ASSERT_EQUAL(errno, ENETUNREACH);
	CU_ASSERT_EQUAL(pc_stack_add_route(b.st, &all, &gateway), 0);
	CU_ASSERT_EQUAL(pc_stack_add_route(b.st, &all, &gateway), -1);
	CU_ASSERT_EQUAL(errno, EEXIST);
	for (int i = 1; i < PC_MAX_PORTS; i++)
		CU_ASSERT_EQUAL(pc_stack_add_port(b.st, probe_port(b.probe)), i);
	CU_ASSERT_EQUAL(pc_stack_add_port(b.st, probe_port(b.probe)), -1);
	CU_ASSERT_EQUAL(errno, ENOSPC);
	box_close(&b);
}

static void test_usage(void)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct pc_stack_usage u;
	struct box b;
	int fd, udp;

	box_init(&b);
	box_open(&b);
	box_turn(&b, 1);
	fd = pc_socket(b.st, AF_INET, SOCK_STREAM, 0);
	udp = pc_socket(b.st, AF_INET, SOCK_DGRAM, 0);
	pc_stack_get_usage(b.st, &u);
	CU_ASSERT_EQUAL(u.connections, 1);
	CU_ASSERT_EQUAL(u.connections_max, 32);
	CU_ASSERT_EQUAL(u.udp_sockets, 1);
	CU_ASSERT_EQUAL(u.udp_sockets_max, 4);
	CU_ASSERT_EQUAL(u.half_open_max, 16);
	CU_ASSERT_EQUAL(u.time_wait_max, 16);
	CU_ASSERT_EQUAL(u.neighbours_max, 16);
	CU_ASSERT_EQUAL(pc_bind(b.st, fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	CU_ASSERT_EQUAL(pc_listen(b.st, fd, 5), 0);
	pc_stack_get_usage(b.st, &u);
	CU_ASSERT_EQUAL(u.connections, 0);
	CU_ASSERT_EQUAL(u.listeners, 1);
	CU_ASSERT_EQUAL(u.listeners_max, 4);
	pc_close(b.st, fd);
	pc_close(b.st, udp);
	pc_stack_get_usage(b.st, &u);
	CU_ASSERT_EQUAL(u.connections + u.listeners + u.udp_sockets, 0);
	box_close(&b);
}

static const struct unit_case cases[] = {
    {"the footprint is what is taken", test_footprint},
    {"the footprint of automatic settings", test_auto},
    {"no memory: nothing is kept", test_no_memory},
    {"each allocation may be the one that fails", test_each_allocation_fails},
    {"bad arguments", test_bad_arguments},
    {"ports, addresses, routes", test_add},
    {"usage", test_usage},
};

int main(void)
{
	return box_program("stack", cases, sizeof(cases) / sizeof(cases[0]));
}
