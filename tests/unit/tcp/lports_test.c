/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports that connections have: how they are counted, and who may bind to them all the same. */

#include <errno.h>

#include "../unit.h"
#include "fixture.h"

#define RA   TCB_REUSEADDR
#define RP   TCB_REUSEPORT
#define ADDR 0 /* index of NET_US, which conn() has */

static const struct lport *counted(void)
{
	return &tcp->lports.of[LPORT];
}

/* Closes a connection, ours first: TIME-WAIT. */
static void into_time_wait(struct tcb *t)
{
	tcp_close(tcp, t);
	turn();
	input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS, .ack = ISS + 1, .wnd = 65535));
	CU_ASSERT_EQUAL(t->state, TCP_S_FREE);
	forget();
}

static void test_counts(void)
{
	struct tcb *t[2];

	start();
	CU_ASSERT(lports_is_free(&tcp->lports, LPORT));
	t[0] = conn(0);
	t[1] = conn(0);
	CU_ASSERT_FALSE(lports_is_free(&tcp->lports, LPORT));
	CU_ASSERT(counted()->all == 2 && counted()->firm == 2);
	tcp_set_reuse(tcp, t[0], true);
	tcp_set_reuse(tcp, t[0], true);
	CU_ASSERT(counted()->all == 2 && counted()->firm == 1);
	CU_ASSERT(clean());
	into_time_wait(t[0]); /* as it was */
	CU_ASSERT(counted()->all == 2 && counted()->firm == 1);
	into_time_wait(t[1]);
	CU_ASSERT(counted()->all == 2 && counted()->firm == 1);
	CU_ASSERT(clean());
	pass(60100);
	CU_ASSERT(counted()->all == 0 && counted()->firm == 0);
	t[0] = conn(0);
	tcp_set_reuse(tcp, t[0], true);
	tcp_set_reuse(tcp, t[0], false);
	CU_ASSERT(counted()->all == 1 && counted()->firm == 1);
	tcb_abort(tcp, t[0], 0);
	forget();
	CU_ASSERT(counted()->all == 0 && counted()->firm == 0);
	tcp_set_reuse(tcp, t[0], true); /* over, and counted no more */
	CU_ASSERT(counted()->all == 0 && counted()->firm == 0);
	tcp_close(tcp, t[0]);
	finish();
}

/* One that has had SO_REUSEADDR before it connected. */
static void test_counts_reuse(void)
{
	const struct pc_endpoint here = {.addr = pc_addr_ip4(NET_US), .port = LPORT};
	const struct pc_endpoint there = {.addr = pc_addr_ip4(NET_PEER), .port = 9};
	struct tcb *t;

	start();
	t = tcp_socket(tcp);
	tcp_set_reuse(tcp, t, true);
	CU_ASSERT_EQUAL(tcp_bind(tcp, t, &here), 0);
	CU_ASSERT_EQUAL(counted()->all, 0);
	CU_ASSERT_EQUAL(tcp_connect(tcp, t, &there), 0);
	CU_ASSERT(counted()->all == 1 && counted()->firm == 0);
	tcp_close(tcp, t);
	CU_ASSERT(counted()->all == 0 && counted()->firm == 0);
	forget();
	finish();
}

static const struct {
	uint32_t theirs, ours;
	bool conflict;
} rows[] = {
    {0, 0, true},   {RA, 0, true},        {0, RA, true},        {RA, RA, false},
    {RP, 0, true},  {0, RP, true},        {RP, RP, false},      {RA, RP, true},
    {RP, RA, true}, {RA | RP, RA, false}, {RP, RA | RP, false},
};

static void look(uint32_t ours, bool conflict)
{
	const uint32_t ip6 = TCB_IP6, only = TCB_IP6 | TCB_V6ONLY;

	CU_ASSERT_EQUAL(lports_conflict(tcp, ADDR, LPORT, ours), conflict);
	CU_ASSERT_EQUAL(lports_conflict(tcp, LADDR_NONE, LPORT, ours), conflict);
	CU_ASSERT_EQUAL(lports_conflict(tcp, LADDR_NONE, LPORT, ours | ip6), conflict);
	CU_ASSERT_FALSE(lports_conflict(tcp, LADDR_NONE, LPORT, ours | only));
	CU_ASSERT_FALSE(lports_conflict(tcp, ADDR + 1, LPORT, ours));
	CU_ASSERT_FALSE(lports_conflict(tcp, ADDR, LPORT + 1, ours));
}

static void test_conflicts(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tcb *t;

		start();
		t = conn(0);
		tcp_set_reuse(tcp, t, rows[i].theirs & RA);
		t->flags |= rows[i].theirs & RP;
		look(rows[i].ours, rows[i].conflict);
		into_time_wait(t);
		look(rows[i].ours, rows[i].conflict);
		finish();
	}
}

/* One that stands against it, after several that do not. */
static void test_last_counts(void)
{
	struct tcb *t;

	start();
	for (int i = 0; i < 3; i++)
		tcp_set_reuse(tcp, conn(0), true);
	CU_ASSERT_FALSE(lports_conflict(tcp, ADDR, LPORT, RA));
	t = conn(0);
	CU_ASSERT(lports_conflict(tcp, ADDR, LPORT, RA));
	into_time_wait(t);
	CU_ASSERT(lports_conflict(tcp, ADDR, LPORT, RA));
	pass(60100);
	CU_ASSERT_FALSE(lports_conflict(tcp, ADDR, LPORT, RA));
	finish();
}

/* Which ports bind() to port 0 must not give. */
static void test_taken(void)
{
	uint64_t taken[LPORTS_WORDS];
	struct tcb *t;

	start();
	t = conn(0);
	tcp_set_reuse(tcp, t, true);
	for (int waits = 0; waits < 2; waits++) {
		lports_taken(tcp, ADDR, 0, taken);
		for (unsigned i = 0; i < LPORTS_WORDS; i++)
			CU_ASSERT_EQUAL(taken[i], i == LPORT / 64 ? UINT64_C(1) << LPORT % 64 : 0);
		lports_taken(tcp, LADDR_NONE, 0, taken);
		CU_ASSERT_NOT_EQUAL(taken[LPORT / 64], 0);
		lports_taken(tcp, ADDR + 1, 0, taken);
		CU_ASSERT_EQUAL(taken[LPORT / 64], 0);
		lports_taken(tcp, LADDR_NONE, TCB_IP6 | TCB_V6ONLY, taken);
		CU_ASSERT_EQUAL(taken[LPORT / 64], 0);
		if (waits == 0)
			into_time_wait(t);
	}
	finish();
}

/* bind() to port 0, where connections have the only port of the range: on another address it can be had. */
static void test_given(void)
{
	const struct pc_endpoint us = {.addr = pc_addr_ip4(NET_US)};
	const struct pc_endpoint too = {.addr = pc_addr_ip4(NET_US_TOO)};
	struct tcb *t;

	prepare();
	net.ctx.cfg.tcp_port_first = LPORT;
	net.ctx.cfg.tcp_port_last = LPORT;
	start_with();
	into_time_wait(conn(0));
	t = tcp_socket(tcp);
	tcp_set_reuse(tcp, t, true);
	CU_ASSERT_EQUAL(tcp_bind(tcp, t, &us), -EADDRINUSE);
	CU_ASSERT_EQUAL(tcp_bind(tcp, t, &too), 0);
	CU_ASSERT_EQUAL(t->flow.lport, LPORT);
	CU_ASSERT_EQUAL(tcp_bind(tcp, tcp_socket(tcp), &too), -EADDRINUSE);
	finish();
}

static const struct unit_case cases[] = {
    {"connections are counted", test_counts},
    {"those with SO_REUSEADDR, too", test_counts_reuse},
    {"who may have a port of theirs", test_conflicts},
    {"one of several that stands against it", test_last_counts},
    {"ports that are not given", test_taken},
    {"a port on another address", test_given},
};

TCP_UNIT_MAIN("lports")
