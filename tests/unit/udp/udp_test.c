/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP sockets: open, bind, connect, close. */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"

static int bind_to(uint32_t addr_be, uint16_t port, bool reuse, bool reuseport)
{
	const struct pc_endpoint local = endpoint(addr_be, port);
	const int index = udp_open(udp);
	int rc;

	CU_ASSERT_FATAL(index >= 0);
	udp_sock(udp, (uint32_t)index)->reuse = reuse;
	udp_sock(udp, (uint32_t)index)->reuseport = reuseport;
	rc = udp_bind(udp, (uint32_t)index, &local);
	if (rc != 0)
		udp_close(udp, (uint32_t)index);
	return rc;
}

static int connect_to(uint32_t index, uint32_t addr_be, uint16_t port)
{
	const struct pc_endpoint remote = endpoint(addr_be, port);

	return udp_connect(udp, index, &remote, LADDR_NONE);
}

static void test_open(void)
{
	struct udp_sock *s;
	int a, b;

	start();
	a = udp_open(udp);
	b = udp_open(udp);
	CU_ASSERT(a >= 0 && b >= 0 && a != b);
	CU_ASSERT_EQUAL(udp_count(udp), 2);
	s = udp_sock(udp, (uint32_t)a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	CU_ASSERT(!s->bound && s->local.port == 0 && s->remote.port == 0 && s->rcv_max == 212992);
	CU_ASSERT_PTR_NULL(udp_sock(udp, 63));
	CU_ASSERT_PTR_NULL(udp_sock(udp, 64));
	CU_ASSERT_PTR_NULL(udp_sock(udp, UINT32_MAX));
	udp_close(udp, (uint32_t)a);
	CU_ASSERT_PTR_NULL(udp_sock(udp, (uint32_t)a));
	CU_ASSERT_PTR_EQUAL(udp_sock_slot(udp, (uint32_t)a), s);
	CU_ASSERT_PTR_NULL(udp_sock_slot(udp, 64));
	for (unsigned i = 1; i < 64; i++)
		CU_ASSERT(udp_open(udp) >= 0);
	CU_ASSERT_EQUAL(udp_open(udp), -ENFILE);
	CU_ASSERT_EQUAL(udp_count(udp), 64);
	finish();
	net_init(&net);
	net.ctx.cfg.stack_max_udp_sockets = 0;
	start_with();
	CU_ASSERT_EQUAL(udp_open(udp), -ENFILE);
	CU_ASSERT_PTR_NULL(udp_sock(udp, 0));
	CU_ASSERT_EQUAL(receive(NET_PEER, 1, NET_US, 2, 3), PC_DROP_UDP_NO_SOCKET);
	finish();
}

/* Whoever names a socket anew while its old descriptor waits in a ring is not queued twice. */
static void test_reopen_queued(void)
{
	uint32_t a, fd;

	start();
	a = bound(0, 53);
	watch(a);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1, NET_US, 53, 3), VERDICT_DONE);
	udp_close(udp, a);
	CU_ASSERT_EQUAL((uint32_t)udp_open(udp), a);
	CU_ASSERT(udp_sock(udp, a)->poll.flags == POLLABLE_QUEUED &&
	          udp_sock(udp, a)->poll.set == 0);
	CU_ASSERT(event_pop(&ev, 0, &fd) && !event_pop(&ev, 0, &fd));
	finish();
}

static void test_bind(void)
{
	const struct pc_endpoint here = endpoint(NET_US, 53);
	uint32_t a;

	start();
	a = bound(NET_US, 53);
	CU_ASSERT_EQUAL(udp_sock(udp, a)->laddr, 0);
	CU_ASSERT_EQUAL(udp_bind(udp, a, &here), -EINVAL);
	CU_ASSERT_EQUAL(bind_to(NET_PEER, 53, false, false), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(bind_to(IP4(127, 0, 0, 2), 53, false, false), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(bind_to(NET_US_TOO, 53, false, false), 0);
	CU_ASSERT_EQUAL(bind_to(IP4(10, 0, 0, 255), 53, false, false), 0);
	CU_ASSERT_EQUAL(bind_to(IP4(224, 0, 0, 1), 53, false, false), 0);
	CU_ASSERT_EQUAL(bind_to(NET_US, 54, false, false), 0);
	udp_close(udp, a);
	CU_ASSERT_EQUAL(bind_to(NET_US, 53, false, false), 0);
	finish();
}

/* The table of Linux: who may have a name that another one has. */
static void test_conflicts(void)
{
	static const struct {
		uint32_t first, second;
		bool reuse[2], reuseport[2];
		int rc;
	} table[] = {
	    {NET_US, NET_US, {0, 0}, {0, 0}, -EADDRINUSE},
	    {NET_US, 0, {0, 0}, {0, 0}, -EADDRINUSE},
	    {0, NET_US, {0, 0}, {0, 0}, -EADDRINUSE},
	    {0, 0, {0, 0}, {0, 0}, -EADDRINUSE},
	    {NET_US, NET_US_TOO, {0, 0}, {0, 0}, 0},
	    {NET_US, NET_US, {1, 0}, {0, 0}, -EADDRINUSE},
	    {NET_US, NET_US, {0, 1}, {0, 0}, -EADDRINUSE},
	    {NET_US, NET_US, {1, 1}, {0, 0}, 0},
	    {NET_US, NET_US, {0, 0}, {1, 0}, -EADDRINUSE},
	    {NET_US, NET_US, {0, 0}, {1, 1}, 0},
	    {NET_US, NET_US, {1, 0}, {0, 1}, -EADDRINUSE},
	    {0, NET_US, {1, 1}, {0, 0}, 0},
	    {0, 0, {0, 0}, {1, 1}, 0},
	};

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		start();
		CU_ASSERT_EQUAL(
		    bind_to(table[i].first, 53, table[i].reuse[0], table[i].reuseport[0]), 0);
		CU_ASSERT_EQUAL(
		    bind_to(table[i].second, 53, table[i].reuse[1], table[i].reuseport[1]),
		    table[i].rc);
		finish();
	}
}

/* RFC 6056: ephemeral ports are random, within the range, and one's own. */
static void test_ephemeral(void)
{
	unsigned in_order = 0;
	uint16_t port, last = 0;

	net_init(&net);
	net.ctx.cfg.tcp_port_first = 40000;
	net.ctx.cfg.tcp_port_last = 40031;
	start_with();
	for (unsigned i = 0; i < 32; i++) {
		port = udp_sock(udp, bound(0, 0))->local.port;
		CU_ASSERT(port >= 40000 && port <= 40031);
		in_order += port == last + 1;
		last = port;
	}
	CU_ASSERT(in_order < 20);
	CU_ASSERT_EQUAL(bind_to(0, 0, false, false), -EADDRINUSE);
	CU_ASSERT_EQUAL(bind_to(0, 0, true, true), -EADDRINUSE);
	CU_ASSERT_EQUAL(connect_to((uint32_t)udp_open(udp), NET_PEER, 53), -EADDRNOTAVAIL);
	finish();
}

static void test_connect(void)
{
	struct udp_sock *s;
	uint32_t a;

	start();
	a = (uint32_t)udp_open(udp);
	s = udp_sock(udp, a);
	CU_ASSERT_EQUAL(connect_to(a, NET_PEER, 53), 0);
	CU_ASSERT(s->bound && s->local.port >= 32768 && s->laddr == 0);
	CU_ASSERT(pc_addr_get_ip4(&s->local.addr) == NET_US);
	CU_ASSERT(s->remote.port == 53 && pc_addr_get_ip4(&s->remote.addr) == NET_PEER);
	CU_ASSERT_EQUAL(udp_validate(udp), 0);
	/* again: the address may change with the interface, as bind did not ask for one */
	CU_ASSERT_EQUAL(connect_to(a, IP4(192, 168, 1, 9), 54), 0);
	CU_ASSERT(s->laddr == 1 && pc_addr_get_ip4(&s->local.addr) == NET_US_TOO);
	CU_ASSERT_EQUAL(udp_validate(udp), 0);
	CU_ASSERT_EQUAL(connect_to(a, IP4(127, 0, 0, 2), 54), -ENETUNREACH);
	CU_ASSERT(s->remote.port == 54 && s->laddr == 1);
	CU_ASSERT_EQUAL(udp_connect(udp, a, NULL, LADDR_NONE), 0);
	CU_ASSERT(!s->bound && s->local.port == 0 && s->remote.port == 0 && s->laddr == LADDR_NONE);
	CU_ASSERT(pc_addr_is_any(&s->local.addr));
	CU_ASSERT_EQUAL(udp_connect(udp, a, NULL, LADDR_NONE), 0);
	finish();
}

/* What bind has fixed stays. */
static void test_connect_bound(void)
{
	const struct pc_endpoint here = endpoint(NET_US, 53);
	struct udp_sock *s;
	uint32_t a, b;

	start();
	a = bound(NET_US, 53);
	s = udp_sock(udp, a);
	/* by way of its own interface's gateway: the address is fixed, and so is the interface */
	CU_ASSERT_EQUAL(connect_to(a, IP4(192, 168, 1, 9), 54), 0);
	CU_ASSERT(s->laddr == 0 && s->path.netif == 0);
	CU_ASSERT_EQUAL(connect_to(a, NET_PEER, 54), 0);
	CU_ASSERT_EQUAL(connect_to(bound(NET_US_TOO, 53), NET_PEER, 54), -EADDRNOTAVAIL);
	CU_ASSERT_EQUAL(udp_bind(udp, a, &here), -EINVAL);
	CU_ASSERT_EQUAL(udp_connect(udp, a, NULL, LADDR_NONE), 0);
	CU_ASSERT(s->bound && s->local.port == 53 && s->laddr == 0);
	b = bound(0, 55);
	s = udp_sock(udp, b);
	CU_ASSERT_EQUAL(connect_to(b, NET_PEER, 54), 0);
	CU_ASSERT_EQUAL(s->laddr, 0);
	CU_ASSERT_EQUAL(udp_connect(udp, b, NULL, LADDR_NONE), 0);
	CU_ASSERT(s->local.port == 55 && pc_addr_is_any(&s->local.addr));
	CU_ASSERT_EQUAL(receive(NET_PEER, 9, NET_US, 55, 4), VERDICT_DONE);
	finish();
}

/* Port 0 tells the address that would be used, and connects to nobody. */
static void test_connect_port_zero(void)
{
	struct udp_sock *s;
	uint32_t a;

	start();
	a = (uint32_t)udp_open(udp);
	s = udp_sock(udp, a);
	CU_ASSERT_EQUAL(connect_to(a, NET_FAR, 0), 0);
	CU_ASSERT(pc_addr_get_ip4(&s->local.addr) == NET_US && s->remote.port == 0);
	finish();
}

static void test_connect_broadcast(void)
{
	uint32_t a;

	start();
	a = (uint32_t)udp_open(udp);
	CU_ASSERT_EQUAL(connect_to(a, IP4(10, 0, 0, 255), 53), -EACCES);
	CU_ASSERT(!udp_sock(udp, a)->bound);
	udp_sock(udp, a)->broadcast = true;
	CU_ASSERT_EQUAL(connect_to(a, IP4(10, 0, 0, 255), 53), 0);
	finish();
}

static void test_close(void)
{
	uint32_t a;

	start();
	for (unsigned i = 0; i < 100; i++) {
		a = bound(0, 53);
		CU_ASSERT_EQUAL(receive(NET_PEER, 1, NET_US, 53, 10), VERDICT_DONE);
		CU_ASSERT_EQUAL(receive(NET_PEER, 1, NET_US, 53, 10), VERDICT_DONE);
		if (i % 2 != 0)
			CU_ASSERT_EQUAL(connect_to(a, NET_PEER, 1), 0);
		udp_close(udp, a);
		CU_ASSERT_EQUAL(udp_count(udp), 0);
		CU_ASSERT_EQUAL(receive(NET_PEER, 1, NET_US, 53, 10), PC_DROP_UDP_NO_SOCKET);
	}
	finish();
}

/* Random calls; the tables hold at every step. */
static void test_random(void)
{
	static const uint32_t addrs[] = {0, NET_US, NET_US_TOO, IP4(10, 0, 0, 255)};
	static const uint32_t peers[] = {NET_PEER, NET_FAR, IP4(192, 168, 1, 9), IP4(127, 0, 0, 1)};

	start();
	for (unsigned i = 0; i < 200000; i++) {
		const uint32_t index = rng_below(&net.ctx.rng, 64);
		const uint16_t port = (uint16_t)rng_below(&net.ctx.rng, 6);
		const uint32_t what = rng_below(&net.ctx.rng, 16);
		struct udp_sock *s = udp_sock(udp, index);
		const struct pc_endpoint local = endpoint(addrs[rng_below(&net.ctx.rng, 4)], port);

		if (what == 0)
			udp_open(udp);
		if (s == NULL)
			continue;
		s->reuse = what % 2;
		s->reuseport = what % 3 == 0;
		if (what < 4)
			udp_bind(udp, index, &local);
		else if (what < 8)
			connect_to(index, peers[what % 4], port);
		else if (what < 9)
			udp_connect(udp, index, NULL, LADDR_NONE);
		else if (what < 10)
			udp_close(udp, index);
		else
			receive(peers[what % 2], port, what < 14 ? NET_US : IP4(10, 0, 0, 255),
			        (uint16_t)(1 + what % 5), (uint16_t)what);
		if (what == 15 && !empty(index))
			rte_pktmbuf_free(udp_recv(udp, index, NULL, false));
		CU_ASSERT_EQUAL_FATAL(udp_validate(udp), 0);
	}
	finish();
}

static void test_no_memory(void)
{
	struct udp *none;

	start();
	net.ctx.cfg.stack_max_udp_sockets = 10000000;
	none = udp_create(&net.ctx, &net.ip, &ev, UDP_FIRST_FD);
	CU_ASSERT_PTR_NULL(none);
	finish();
}

static void test_footprint(void)
{
	struct pc_stack_config cfg;
	uint64_t small;

	pc_stack_config_init(&cfg);
	cfg.stack_max_udp_sockets = 0;
	small = udp_footprint(&cfg);
	cfg.stack_max_udp_sockets = 1000;
	CU_ASSERT(udp_footprint(&cfg) >= small + 1000 * sizeof(struct udp_sock));
}

static const struct unit_case cases[] = {
    {"open", test_open},
    {"open a descriptor that is still queued", test_reopen_queued},
    {"bind", test_bind},
    {"who may share a name", test_conflicts},
    {"ephemeral ports", test_ephemeral},
    {"connect", test_connect},
    {"connect a bound socket", test_connect_bound},
    {"connect to port 0", test_connect_port_zero},
    {"connect to a broadcast address", test_connect_broadcast},
    {"close", test_close},
    {"random calls", test_random},
    {"no memory", test_no_memory},
    {"footprint", test_footprint},
};

int main(void)
{
	return net_program("udp/udp", cases, sizeof(cases) / sizeof(cases[0]));
}
