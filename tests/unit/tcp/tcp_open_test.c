/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets before they are connections: names, backlogs, port choice, shared settings. */

#include <errno.h>

#include "../unit.h"
#include "base/toeplitz.h"
#include "fixture.h"
#include "tcp/tcp_inspect.h"

static struct pc_endpoint at(uint32_t be, uint16_t port)
{
	struct pc_endpoint e = {.addr = pc_addr_ip4(be), .port = port};

	return e;
}

static int bind_to(struct tcb *t, uint32_t be, uint16_t port)
{
	const struct pc_endpoint e = at(be, port);

	return tcp_bind(tcp, t, &e);
}

static int connect_to(struct tcb *t, uint32_t be, uint16_t port)
{
	const struct pc_endpoint e = at(be, port);

	return tcp_connect(tcp, t, &e);
}

static void test_bind(void)
{
	struct tcb *t, *u;

	start();
	t = tcp_socket(tcp);
	u = tcp_socket(tcp);
	CU_ASSERT_EQUAL(bind_to(t, NET_PEER, 80), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(bind_to(t, NET_US, 80), 0);
	CU_ASSERT_EQUAL(bind_to(t, NET_US, 81), -EINVAL);
	CU_ASSERT_EQUAL(bind_to(u, 0, 80), -EADDRINUSE);
	CU_ASSERT_EQUAL(bind_to(u, NET_US_TOO, 80), 0);
	CU_ASSERT_EQUAL(t->flow.lport, 80);
	tcp_close(tcp, t);
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(bind_to(t, NET_US, 80), 0); /* the name is free again */
	finish();
}

/* sockets that are bound first are as many as others */
static void test_many_binds(void)
{
	const unsigned n = 6000;

	prepare();
	net.ctx.cfg.stack_max_connections = n;
	start_with();
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(bind_to(tcp_socket(tcp), NET_US, 0), 0);
	finish();
}

/* port 0: any free one of the range, and none when all are taken */
static void test_ephemeral_bind(void)
{
	struct tcb *t[9];
	bool seen[8] = {false};

	prepare();
	net.ctx.cfg.tcp_port_first = 40000;
	net.ctx.cfg.tcp_port_last = 40007;
	start_with();
	for (int i = 0; i < 9; i++) {
		t[i] = tcp_socket(tcp);
		CU_ASSERT_EQUAL(bind_to(t[i], 0, 0), i < 8 ? 0 : -EADDRINUSE);
		if (i < 8) {
			CU_ASSERT_FATAL(t[i]->flow.lport >= 40000 && t[i]->flow.lport <= 40007);
			CU_ASSERT_FALSE(seen[t[i]->flow.lport - 40000]);
			seen[t[i]->flow.lport - 40000] = true;
		}
	}
	finish();
}

static void test_listen(void)
{
	struct tcb *t, *u;

	start();
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(tcp_listen(tcp, t, 5), 0); /* unbound: an ephemeral port */
	CU_ASSERT(t->flow.lport >= 32768);
	CU_ASSERT_EQUAL(tcp->bind.binding[t->binding].backlog, 5);
	CU_ASSERT_EQUAL(tcp_listen(tcp, t, 0), 0);
	CU_ASSERT_EQUAL(tcp->bind.binding[t->binding].backlog, 0);
	CU_ASSERT_EQUAL(tcp_listen(tcp, t, -1), 0);
	CU_ASSERT_EQUAL(tcp->bind.binding[t->binding].backlog, 65535);
	CU_ASSERT_EQUAL(tcp_listen(tcp, t, 7), 0);
	CU_ASSERT_EQUAL(tcp_listen(tcp, t, 1 << 30), 0);
	CU_ASSERT_EQUAL(tcp->bind.binding[t->binding].backlog, 65535);
	CU_ASSERT_EQUAL(tcp->bind.listeners, 1);
	u = conn(0);
	CU_ASSERT_EQUAL(tcp_listen(tcp, u, 1), -EINVAL);
	for (int i = 1; i < 8; i++)
		CU_ASSERT_EQUAL(tcp_listen(tcp, tcp_socket(tcp), 1), 0);
	CU_ASSERT_EQUAL(tcp_listen(tcp, tcp_socket(tcp), 1), -ENOBUFS); /* max_listeners */
	finish();
}

/* SO_REUSEADDR lets two have the name, but one listen */
static void test_listen_shared(void)
{
	struct tcb *t, *u;

	start();
	t = tcp_socket(tcp);
	u = tcp_socket(tcp);
	t->flags |= TCB_REUSEADDR;
	u->flags |= TCB_REUSEADDR;
	CU_ASSERT_EQUAL(bind_to(t, 0, 80), 0);
	CU_ASSERT_EQUAL(bind_to(u, 0, 80), 0);
	CU_ASSERT_EQUAL(tcp_listen(tcp, t, 1), 0);
	CU_ASSERT_EQUAL(tcp_listen(tcp, u, 1), -EADDRINUSE);
	CU_ASSERT_EQUAL(tcp->bind.listeners, 1);
	tcp_close(tcp, t);
	CU_ASSERT_EQUAL(tcp_listen(tcp, u, 1), 0);
	finish();
}

static void test_connect(void)
{
	struct tcb *t;

	start();
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(connect_to(t, NET_PEER, 0), -ECONNREFUSED);
	CU_ASSERT_EQUAL(connect_to(t, IP4(224, 0, 0, 1), 80), -ENETUNREACH);
	CU_ASSERT_EQUAL(connect_to(t, IP4(10, 0, 0, 255), 80), -ENETUNREACH);
	CU_ASSERT_EQUAL(t->state, TCP_S_CLOSED);
	CU_ASSERT(clean());
	CU_ASSERT_EQUAL(connect_to(t, NET_PEER, 80), 0);
	CU_ASSERT(next_segment());
	CU_ASSERT_EQUAL(got.seg.flags, TCP_SYN);
	CU_ASSERT_EQUAL(got.seg.has, TCP_HAS_MSS | TCP_HAS_TS | TCP_HAS_SACKOK | TCP_HAS_WSCALE);
	CU_ASSERT_EQUAL(got.seg.mss, 1460);
	CU_ASSERT_EQUAL(got.seg.wscale, 7); /* 6 MiB in 16 bits: 2^7 */
	CU_ASSERT_EQUAL(got.seg.seq, t->snd_una);
	finish();
}

/* RFC 6528: numbers of one flow move with the clock, those of another are elsewhere */
static void test_isn(void)
{
	uint32_t iss[2];

	start();
	for (int i = 0; i < 2; i++) {
		struct tcb *t = tcp_socket(tcp);

		CU_ASSERT_EQUAL(bind_to(t, NET_US, 5555), 0);
		CU_ASSERT_EQUAL(connect_to(t, NET_PEER, 80), 0);
		iss[i] = t->snd_una;
		tcp_close(tcp, t);
		pass(1000);
	}
	CU_ASSERT(iss[1] - iss[0] >= 1000000000 >> 12);
	CU_ASSERT(iss[1] - iss[0] <= (1000000000 >> 12) + 1);
	finish();
}

/* a port of four queues, of which this stack has the third: the answers must come to it */
static void test_queue(void)
{
	struct pc_port_info *info = &net.port[0].port.info;
	uint8_t spread[64] = {0};

	prepare();
	info->queue = 2;
	info->rss =
	    (struct pc_port_rss){.nb_queues = 4, .reta_size = 128, .key_len = 40, .ports = true};
	for (unsigned i = 0; i < 40; i++)
		info->rss.key[i] = (uint8_t)(i * 37 + 11);
	for (unsigned i = 0; i < 128; i++)
		info->rss.reta[i] = (uint16_t)(i % 4);
	start_with();
	for (unsigned i = 0; i < 50; i++) {
		struct tcb *t = tcp_socket(tcp);
		struct pc_endpoint here, there = at(NET_PEER, (uint16_t)(80 + i % 3));

		CU_ASSERT_EQUAL_FATAL(tcp_connect(tcp, t, &there), 0);
		here = tcp_local(tcp, t);
		CU_ASSERT_EQUAL(toeplitz_queue(&info->rss, &there, &here), 2);
		CU_ASSERT(here.port >= 32768 && here.port <= 60999);
		spread[here.port % 64]++;
	}
	for (unsigned i = 0, used = 0; i < 64; i++) {
		used += spread[i] != 0;
		CU_ASSERT(i < 63 || used > 10); /* and they are random */
	}
	finish();
}

/* every port to this peer taken: EADDRNOTAVAIL, though others are still to be had */
static void test_no_port(void)
{
	prepare();
	net.ctx.cfg.tcp_port_first = 40000;
	net.ctx.cfg.tcp_port_last = 40003;
	start_with();
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(connect_to(tcp_socket(tcp), NET_PEER, 80), 0);
	CU_ASSERT_EQUAL(connect_to(tcp_socket(tcp), NET_PEER, 80), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(connect_to(tcp_socket(tcp), NET_PEER, 81), 0);
	CU_ASSERT_EQUAL(connect_to(tcp_socket(tcp), NET_GATEWAY, 80), 0);
	finish();
}

/* an address without a port is the socket's until it is closed or has another */
static void test_bound_without_port(void)
{
	struct tcp_tuning want;
	bool used[PC_MAX_ADDRS] = {false};
	struct tcb *t;

	start();
	t = tcp_socket(tcp);
	want = *tcp_tuning(tcp, t);
	want.kept.truths |= KEPT_NO_PORT;
	CU_ASSERT_EQUAL(tcp_tune(tcp, t, &want), 0);
	tcp_mark_laddrs(tcp, used);
	CU_ASSERT(!used[0] && !used[1]);
	CU_ASSERT_EQUAL(bind_to(t, NET_US, 0), 0);
	CU_ASSERT_EQUAL(bind_to(t, NET_US_TOO, 0), 0);
	tcp_mark_laddrs(tcp, used);
	CU_ASSERT(!used[0] && used[1]);
	tcp_close(tcp, t);
	used[1] = false;
	tcp_mark_laddrs(tcp, used);
	CU_ASSERT(!used[0] && !used[1]);
	/* what connect() has chosen is not */
	t = tcp_socket(tcp);
	CU_ASSERT_EQUAL(tcp_tune(tcp, t, &want), 0);
	CU_ASSERT_EQUAL(connect_to(t, NET_PEER, 80), 0);
	CU_ASSERT_EQUAL(t->flow.laddr, 0);
	tcp_disconnect(tcp, t);
	CU_ASSERT_EQUAL(t->flow.laddr, LADDR_NONE);
	finish();
}

/* a socket with a name of its own takes its place in the table, or is told that it is taken */
static void test_bound_connect(void)
{
	struct tcb *t, *u;

	start();
	t = tcp_socket(tcp);
	u = tcp_socket(tcp);
	t->flags |= TCB_REUSEADDR;
	u->flags |= TCB_REUSEADDR;
	CU_ASSERT_EQUAL(bind_to(t, NET_US, 5555), 0);
	CU_ASSERT_EQUAL(bind_to(u, NET_US, 5555), 0);
	CU_ASSERT_EQUAL(connect_to(t, NET_PEER, 80), 0);
	CU_ASSERT_EQUAL(connect_to(u, NET_PEER, 80), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(connect_to(u, NET_PEER, 81), 0);
	finish();
}

/* one set of settings for all sockets with the same values */
static void test_tune(void)
{
	struct tcp_tuning want;
	struct tcb *t[3];

	start();
	for (int i = 0; i < 3; i++)
		t[i] = tcp_socket(tcp);
	want = *tcp_tuning(tcp, t[0]);
	CU_ASSERT_EQUAL(want.keepidle_ms, 7200000);
	want.maxseg = 500;
	CU_ASSERT_EQUAL(tcp_tune(tcp, t[0], &want), 0);
	CU_ASSERT_EQUAL(tcp_tune(tcp, t[1], &want), 0);
	CU_ASSERT_EQUAL(t[0]->tuning, t[1]->tuning);
	CU_ASSERT_EQUAL(tcp->tuning[t[0]->tuning].refs, 2);
	CU_ASSERT_EQUAL(tcp_tune(tcp, t[1], &want), 0); /* no change */
	CU_ASSERT_EQUAL(tcp->tuning[t[0]->tuning].refs, 2);
	want.maxseg = 0;
	CU_ASSERT_EQUAL(tcp_tune(tcp, t[0], &want), 0); /* back to the default */
	CU_ASSERT_EQUAL(t[0]->tuning, 0);
	CU_ASSERT_EQUAL(tcp->tuning[t[1]->tuning].refs, 1);
	tcp_close(tcp, t[1]);
	for (int i = 1; i < TCP_TUNINGS; i++)
		CU_ASSERT_EQUAL(tcp->tuning[i].refs, 0);
	for (uint32_t i = 1; i < TCP_TUNINGS; i++)
		tcp->tuning[i] = (struct tcp_tuning){.refs = 1, .maxseg = 1000 + i};
	want.maxseg = 999;
	CU_ASSERT_EQUAL(tcp_tune(tcp, t[2], &want), -ENOBUFS);
	CU_ASSERT_EQUAL(t[2]->tuning, 0);
	finish();
}

static void test_limit(void)
{
	start();
	for (int i = 0; i < 64; i++)
		CU_ASSERT_PTR_NOT_NULL(tcp_socket(tcp));
	CU_ASSERT_PTR_NULL(tcp_socket(tcp));
	tcp_close(tcp, tcp_tcb(tcp, 5));
	CU_ASSERT_PTR_EQUAL(tcp_socket(tcp), tcp_tcb(tcp, 5));
	finish();
}

static const struct unit_case cases[] = {
    {"max_connections", test_limit},
    {"bind", test_bind},
    {"bind to port 0", test_ephemeral_bind},
    {"bind: as many as connections", test_many_binds},
    {"listen", test_listen},
    {"listen of sockets that share a name", test_listen_shared},
    {"connect", test_connect},
    {"connect of a bound socket", test_bound_connect},
    {"RFC 6528", test_isn},
    {"ports whose answers come to this queue", test_queue},
    {"no port left", test_no_port},
    {"an address without a port", test_bound_without_port},
    {"shared settings", test_tune},
};

TCP_UNIT_MAIN("tcp_open")
