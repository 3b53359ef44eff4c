/* SPDX-License-Identifier: BSD-2-Clause */
#include "wt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <CUnit/Basic.h>

#include "cases.h"
#include "eal.h"
#include "frame6.h"

/*
 * Life cycle: the pools are created once; each case gets a struct wt with default settings and
 * creates its stack with the first word, and both are destroyed after it. Then every mbuf must be
 * back in its pool.
 */

static struct {
	struct cases cases;
	struct rte_mempool *pool, *probe_pool;
	uint32_t offloads;
	uint16_t rx_split;
	bool trace, stash;
} suite;

void wt_fail(struct wt *w, const char *file, int line, const char *format, ...)
{
	static char text[1000];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "\n%s:%d: %s\n", file, line, text);
	CU_assertImplementation(CU_FALSE, (unsigned)line, text, file, "", CU_FALSE);
	longjmp(w->fail, 1);
}

static void prepare(struct wt *w)
{
	memset(w, 0, sizeof(*w));
	pc_stack_config_init(&w->cfg);
	w->cfg.stack_seed = 1;
	w->cfg.stack_max_connections = 64;
	w->cfg.stack_max_listeners = 8;
	w->cfg.stack_max_udp_sockets = 8;
	w->cfg.tcp_syn_cache = 64;
	w->cfg.tcp_time_wait = 64;
	w->cfg.arp_entries = 64;
	if (suite.stash)
		w->cfg.tcp_stash_from = 0;
	w->cfg.tcp_quick_acks = 0; /* most cases are about later segments */
	w->peer = (struct peer){.mss = WT_MSS, .wnd = 65535};
	w->now = w->mark = 5000000000000;
	w->pool = suite.pool;
	w->probe_pool = suite.probe_pool;
	w->offloads = suite.offloads;
	w->rx_split = suite.rx_split;
	w->trace = suite.trace;
	w->in_use = eal_in_use(w->pool);
	w->probe_in_use = eal_in_use(w->probe_pool);
	w->next_pport = 40000;
	wt_flow(w);
}

/* The same over IPv6: a neighbour solicitation from the peer. */
static void greet6(struct wt *w)
{
	const struct frame_ends e4 = wt_ends(w);
	struct ends6 e = {.src_mac = PEER_MAC,
	                  .dst_mac = PROBE_MAC,
	                  .src = addr6_of4(e4.src_be),
	                  .dst = addr6_of4(e4.dst_be)};
	struct frame f;

	frame6_solicit(&f, &e);
	wt_inject_frame(w, &f);
}

/* The peer resolves our MAC address before it sends anything, so the stack learns the peer's. */
static void greet(struct wt *w)
{
	struct frame_ends e = wt_ends(w);
	struct frame f;

	if (wt_ip6) {
		wt_settle(w); /* announces the stack's own address first */
		greet6(w);
		return;
	}
	memset(e.dst_mac, 0xff, 6);
	frame_arp(&f, &e, 1, NULL);
	wt_inject_frame(w, &f);
}

void wt_start(struct wt *w)
{
	struct pc_prefix addr;
	struct probe_config pc = {.offloads = w->offloads,
	                          .mtu = w->mtu,
	                          .rx_split = w->rx_split,
	                          .ip6 = wt_ip6,
	                          .pool = w->probe_pool};

	if (w->st != NULL)
		return;
	if (wt_ip6) {
		pc.mtu = (uint16_t)((w->mtu != 0 ? w->mtu : 1500) + 20);
		w->cfg.ip6_dad = 0;
	}
	w->st = pc_stack_create(&w->cfg, w->pool);
	if (w->st == NULL)
		wt_fail(w, WT_HERE, "pc_stack_create: %s", strerror(errno));
	w->probe = probe_open(&pc);
	EQ(pc_stack_add_port(w->st, probe_port(w->probe)), 0);
	OK(pc_prefix_parse(WT_LOCAL "/24", &addr));
	if (wt_ip6)
		addr.addr = addr6_of4(pc_addr_get_ip4(&addr.addr));
	OK(pc_stack_add_addr(w->st, 0, &addr));
	if (!w->cold)
		greet(w);
}

void wt_start6(struct wt *w, const struct ends6 *e)
{
	const struct pc_prefix us = {.addr = e->dst, .len = 64};
	struct frame f;

	w->cfg.ip6_dad = 0;
	wt_start(w);
	OK(pc_stack_add_addr(w->st, 0, &us));
	wt_pass(w, 2000);
	frame6_solicit(&f, e);
	wt_inject_frame(w, &f);
	wt_drop(w);
}

/* Ends a case: checks that nothing unexpected was sent and that everything was freed. */
static void finish(struct wt *w, bool passed)
{
	if (w->st != NULL && passed) {
		w->settled = 0; /* validate once more */
		wt_settle(w);
		wt_nothing(w, "the end of the case", 0, 0);
	}
	pc_stack_destroy(w->st);
	w->st = NULL;
	if (w->probe != NULL)
		pc_port_close(probe_port(w->probe));
	w->probe = NULL;
	if (eal_freed_twice(w->pool) + eal_freed_twice(w->probe_pool) != 0)
		wt_fail(w, WT_HERE, "mbufs were freed twice");
	if (eal_in_use(w->pool) != w->in_use || eal_in_use(w->probe_pool) != w->probe_in_use)
		wt_fail(w, WT_HERE, "mbufs leaked: %u of the stack's pool, %u of the port's",
		        eal_in_use(w->pool) - w->in_use,
		        eal_in_use(w->probe_pool) - w->probe_in_use);
}

static void run_case(void)
{
	const struct wt_case *c = cases_current(&suite.cases);
	static struct wt w;
	volatile bool passed = false;

	prepare(&w);
	if (suite.trace)
		fprintf(stderr, "\n== %s\n", c->name);
	if (setjmp(w.fail) == 0) {
		c->run(&w);
		passed = true;
	}
	if (setjmp(w.fail) == 0)
		finish(&w, passed);
	else if (w.st != NULL && setjmp(w.fail) == 0)
		finish(&w, false);
}

static void usage(const char *program)
{
	fprintf(
	    stderr,
	    "usage: %s [--case TEXT] [--trace] [--offloads] [--tso] [--chains] [--ip6] [--stash]\n",
	    program);
	exit(2);
}

/* Cases about IPv4 itself have no counterpart over IPv6. */
static bool is_left_out(const char *name)
{
	return wt_ip6 && strstr(name, "IPv4") != NULL;
}

int wt_main(int argc, char **argv, const struct wt_program *program)
{
	suite.cases = (struct cases){.first = program->cases,
	                             .size = sizeof(*program->cases),
	                             .n = program->n,
	                             .only = "",
	                             .is_left_out = is_left_out,
	                             .run = run_case};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--case") == 0 && i + 1 < argc)
			suite.cases.only = argv[++i];
		else if (strcmp(argv[i], "--trace") == 0)
			suite.trace = suite.cases.verbose = true;
		else if (strcmp(argv[i], "--offloads") == 0)
			suite.offloads = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM |
			                 PC_PORT_TX_UDP_CKSUM | PC_PORT_TX_MULTI_SEGS;
		else if (strcmp(argv[i], "--tso") == 0)
			suite.offloads = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM |
			                 PC_PORT_TX_MULTI_SEGS | PC_PORT_TX_TSO;
		else if (strcmp(argv[i], "--chains") == 0)
			suite.rx_split = 14 + 20 + 20;
		else if (strcmp(argv[i], "--ip6") == 0)
			wt_ip6 = true;
		else if (strcmp(argv[i], "--stash") == 0)
			suite.stash = true;
		else
			usage(argv[0]);
	}
	eal_start();
	suite.pool = eal_pool("stack", program->mbufs != 0 ? program->mbufs : 2047);
	/* a frame in a chain takes several mbufs; otherwise few, for the tests of pressure */
	suite.probe_pool = eal_pool("probe", suite.rx_split != 0 ? 8191 : 2047);
	return cases_run(program->name, &suite.cases);
}
