/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP input: validation, demultiplexing, the receive queue, errors. */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "fixture.h"
#include "udp/member.h"

/* A frame through ip4_input and udp_input; first > 0: in mbufs of that many and rest bytes. */
static int input_frame(const struct frame *f, uint16_t first, uint16_t rest, bool l4_good)
{
	struct rte_mbuf *m = net_mbuf(&net, f->b, f->len, first, rest);
	struct ip_pkt p;
	int verdict = net_input_mbuf(&net, 0, m, &p, &m);

	if (verdict == NEXT_UDP) {
		p.l4_good |= l4_good;
		verdict = udp_input(udp, m, &p);
	}
	if (verdict != VERDICT_DONE)
		rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(udp_validate(udp), 0);
	return verdict;
}

static void make(struct frame *f, uint16_t len)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	uint8_t payload[1472];

	for (unsigned i = 0; i < len; i++)
		payload[i] = (uint8_t)(i + len);
	frame_udp(f, &e, 1000, 53, payload, len);
}

static void test_sizes(void)
{
	uint32_t a;

	start();
	a = bound(0, 53);
	for (uint16_t len = 0; len <= 1472; len++) {
		CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, len), VERDICT_DONE);
		CU_ASSERT(got(a, NET_PEER, 1000, len) && empty(a));
	}
	CU_ASSERT_EQUAL(net_count(&net, PC_UDP_RX), 1473);
	finish();
}

/* The length field: smaller than the packet cuts, larger or below 8 is wrong. */
static void test_length(void)
{
	struct rte_mbuf *m;
	struct frame f;
	uint32_t a;

	start();
	a = bound(0, 53);
	for (uint16_t len = 0; len < 200; len++) {
		make(&f, 100);
		f.b[38] = (uint8_t)(len >> 8);
		f.b[39] = (uint8_t)len;
		f.b[40] = f.b[41] = 0; /* no checksum */
		if (len < 8 || len > 108) {
			CU_ASSERT_EQUAL(input_frame(&f, 0, 0, false), PC_DROP_UDP_SHORT);
			continue;
		}
		CU_ASSERT_EQUAL(input_frame(&f, (uint16_t)(14 + len), 7, false), VERDICT_DONE);
		m = udp_recv(udp, a, NULL, false);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		CU_ASSERT_EQUAL(m->pkt_len, len - 8u);
		rte_mbuf_sanity_check(m, 1);
		rte_pktmbuf_free(m);
	}
	for (uint16_t len = 0; len < 8; len++) {
		make(&f, 0);
		f.b[17] = (uint8_t)(20 + len);
		frame_fix_ip4(&f);
		CU_ASSERT_EQUAL(input_frame(&f, 0, 0, false), PC_DROP_UDP_SHORT);
	}
	finish();
}

static void test_checksum(void)
{
	struct frame f;
	uint32_t a;

	start();
	a = bound(0, 53);
	for (unsigned i = 34; i < 34 + 108; i++) {
		if (i == 38 || i == 39) /* the length is judged first */
			continue;
		make(&f, 100);
		f.b[i] ^= 1;
		CU_ASSERT_EQUAL(input_frame(&f, 0, 0, false), PC_DROP_UDP_CHECKSUM);
	}
	make(&f, 100);
	f.b[50] ^= 1;
	CU_ASSERT_EQUAL(input_frame(&f, 0, 0, true), VERDICT_DONE); /* the port knows better */
	f.b[40] = f.b[41] = 0; /* RFC 768: the sender made none */
	CU_ASSERT_EQUAL(input_frame(&f, 0, 0, false), VERDICT_DONE);
	for (uint16_t first = 14; first < 150; first++) {
		make(&f, 100);
		CU_ASSERT_EQUAL(input_frame(&f, first, 13, false), VERDICT_DONE);
		f.b[141] ^= 4;
		CU_ASSERT_EQUAL(input_frame(&f, first, 13, false), PC_DROP_UDP_CHECKSUM);
	}
	(void)a;
	finish();
}

/* The most special socket gets the datagram. */
static void test_demux(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 1000);
	uint32_t any, here, connected;

	start();
	any = (uint32_t)udp_open(udp);
	udp_sock(udp, any)->reuse = true;
	CU_ASSERT_EQUAL(udp_bind(udp, any, &(struct pc_endpoint){.port = 53}), 0);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 10), VERDICT_DONE);
	CU_ASSERT(got(any, NET_PEER, 1000, 10));
	here = (uint32_t)udp_open(udp);
	udp_sock(udp, here)->reuse = true;
	CU_ASSERT_EQUAL(udp_bind(udp, here, &(struct pc_endpoint){pc_addr_ip4(NET_US), 53}), 0);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 11), VERDICT_DONE);
	CU_ASSERT(got(here, NET_PEER, 1000, 11) && empty(any));
	connected = (uint32_t)udp_open(udp);
	udp_sock(udp, connected)->reuse = true;
	CU_ASSERT_EQUAL(udp_bind(udp, connected, &(struct pc_endpoint){.port = 53}), 0);
	CU_ASSERT_EQUAL(udp_connect(udp, connected, &peer, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 12), VERDICT_DONE);
	CU_ASSERT(got(connected, NET_PEER, 1000, 12) && empty(here) && empty(any));
	/* another port, another host: not from its peer */
	CU_ASSERT_EQUAL(receive(NET_PEER, 1001, NET_US, 53, 13), VERDICT_DONE);
	CU_ASSERT(got(here, NET_PEER, 1001, 13) && empty(connected));
	CU_ASSERT_EQUAL(receive(NET_FAR, 1000, NET_US, 53, 14), VERDICT_DONE);
	CU_ASSERT(got(here, NET_FAR, 1000, 14) && empty(connected));
	udp_close(udp, here);
	udp_close(udp, any);
	CU_ASSERT_EQUAL(receive(NET_FAR, 1000, NET_US, 53, 14), PC_DROP_UDP_NO_SOCKET);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 54, 14), PC_DROP_UDP_NO_SOCKET);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 0, 14), PC_DROP_UDP_NO_SOCKET);
	finish();
}

/* Who is connected hears his peer alone: whatever shares a bucket with that, and what goes to all. */
static void test_peer_only(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 1000);
	uint32_t s, heard = 0;

	start();
	s = bound(0, 53);
	CU_ASSERT_EQUAL(udp_connect(udp, s, &peer, LADDR_NONE), 0);
	for (unsigned i = 0; i < 2000; i++) {
		const uint32_t host = IP4(198, 51, i / 250, 1 + i % 250);

		heard += receive(host, 1000, NET_US, 53, 5) != PC_DROP_UDP_NO_SOCKET;
		heard +=
		    receive(NET_PEER, (uint16_t)(1001 + i), NET_US, 53, 5) != PC_DROP_UDP_NO_SOCKET;
	}
	CU_ASSERT_EQUAL(heard, 0);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, IP4(10, 0, 0, 255), 53, 5), PC_DROP_UDP_NO_SOCKET);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 5), VERDICT_DONE);
	CU_ASSERT(got(s, NET_PEER, 1000, 5) && empty(s));
	finish();
}

/* What comes by another interface than a socket is bound to is none of its business. */
static void test_bound_interface(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 1000);
	uint32_t s;

	start();
	s = bound(0, 53);
	udp_sock(udp, s)->netif = 1 + 1;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 5), PC_DROP_UDP_NO_SOCKET);
	udp_sock(udp, s)->netif = 0 + 1;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 5), VERDICT_DONE);
	CU_ASSERT(got(s, NET_PEER, 1000, 5));
	CU_ASSERT_EQUAL(udp_connect(udp, s, &peer, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 5), VERDICT_DONE);
	CU_ASSERT(got(s, NET_PEER, 1000, 5));
	udp_sock(udp, s)->netif = 1 + 1;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 5), PC_DROP_UDP_NO_SOCKET);
	finish();
}

/* An address of the other interface's is not heard by a socket bound to this one's. */
static void test_demux_address(void)
{
	uint32_t too, here;

	start();
	too = bound(NET_US_TOO, 53);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 10), PC_DROP_UDP_NO_SOCKET);
	here = bound(NET_US, 53);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 10), VERDICT_DONE);
	CU_ASSERT(empty(too) && got(here, NET_PEER, 1000, 10));
	finish();
}

/* Of sockets with SO_REUSEADDR the newest, of those with SO_REUSEPORT always the same for a sender. */
static void test_sharing(void)
{
	uint32_t index[4], hits[4] = {0};

	start();
	for (unsigned i = 0; i < 2; i++) {
		index[i] = (uint32_t)udp_open(udp);
		udp_sock(udp, index[i])->reuse = true;
		CU_ASSERT_EQUAL(udp_bind(udp, index[i], &(struct pc_endpoint){.port = 53}), 0);
	}
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 10), VERDICT_DONE);
	CU_ASSERT(got(index[1], NET_PEER, 1000, 10) && empty(index[0]));
	for (unsigned i = 0; i < 4; i++) {
		index[i] = (uint32_t)udp_open(udp);
		udp_sock(udp, index[i])->reuseport = true;
		CU_ASSERT_EQUAL(udp_bind(udp, index[i], &(struct pc_endpoint){.port = 54}), 0);
	}
	for (uint16_t port = 1000; port < 1400; port++)
		for (unsigned again = 0; again < 2; again++) {
			CU_ASSERT_EQUAL(receive(NET_PEER, port, NET_US, 54, 10), VERDICT_DONE);
			for (unsigned i = 0; i < 4; i++)
				hits[i] += got(index[i], NET_PEER, port, 10) ? i * 1000 + 1 : 0;
		}
	/* each sender's two went to one socket, and each socket has about a quarter */
	for (unsigned i = 0; i < 4; i++) {
		const uint32_t n = hits[i] / (i * 1000 + 1);

		CU_ASSERT(n % 2 == 0 && n > 120 && n < 280);
	}
	finish();
}

/* One that fits better than a group of SO_REUSEPORT is none of them. */
static void test_better_than_group(void)
{
	uint32_t here, any[3];

	start();
	here = (uint32_t)udp_open(udp);
	udp_sock(udp, here)->reuseport = true;
	CU_ASSERT_EQUAL(udp_bind(udp, here, &(struct pc_endpoint){pc_addr_ip4(NET_US), 53}), 0);
	for (unsigned i = 0; i < 3; i++) {
		any[i] = (uint32_t)udp_open(udp);
		udp_sock(udp, any[i])->reuseport = true;
		CU_ASSERT_EQUAL(udp_bind(udp, any[i], &(struct pc_endpoint){.port = 53}), 0);
	}
	for (uint16_t port = 1000; port < 1050; port++) {
		CU_ASSERT_EQUAL(receive(NET_PEER, port, NET_US, 53, 10), VERDICT_DONE);
		CU_ASSERT(got(here, NET_PEER, port, 10));
	}
	finish();
}

/* Everybody who listens gets a broadcast, each his own bytes. */
static void test_group(void)
{
	const uint32_t all = IP4(10, 0, 0, 255);
	uint32_t any[2], here, group;

	start();
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 53, 10), PC_DROP_UDP_NO_SOCKET);
	here = bound(NET_US, 53);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 53, 10), PC_DROP_UDP_NO_SOCKET);
	group = bound(all, 53);
	for (unsigned i = 0; i < 2; i++) {
		any[i] = (uint32_t)udp_open(udp);
		udp_sock(udp, any[i])->reuse = true;
		udp_sock(udp, any[0])->reuse = true;
		udp_sock(udp, here)->reuse = true;
		udp_sock(udp, group)->reuse = true;
		CU_ASSERT_EQUAL(udp_bind(udp, any[i], &(struct pc_endpoint){.port = 53}), 0);
	}
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 53, 99), VERDICT_DONE);
	CU_ASSERT(got(group, NET_PEER, 1000, 99) && got(any[0], NET_PEER, 1000, 99) &&
	          got(any[1], NET_PEER, 1000, 99) && empty(here));
	/* one of them full does not concern the others */
	for (unsigned i = 0; i < 3; i++) {
		udp_sock(udp, any[i % 2])->rcv_max = 1;
		CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 53, 98), VERDICT_DONE);
		CU_ASSERT(got(group, NET_PEER, 1000, 98));
	}
	CU_ASSERT(got(any[0], NET_PEER, 1000, 98) && empty(any[0]));
	CU_ASSERT(got(any[1], NET_PEER, 1000, 98));
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, IP4(224, 0, 0, 1), 53, 97), VERDICT_DONE);
	CU_ASSERT(empty(group));
	finish();
}

/* Those who are connected to the sender are no exception. */
static void test_group_of_connected(void)
{
	const uint32_t group = IP4(239, 1, 1, 1);
	const struct pc_endpoint peer = endpoint(NET_PEER, 1000), name = endpoint(group, 53);
	uint32_t s[2];

	start();
	for (unsigned i = 0; i < 2; i++) {
		s[i] = (uint32_t)udp_open(udp);
		udp_sock(udp, s[i])->reuse = true;
		CU_ASSERT_EQUAL(udp_bind(udp, s[i], &name), 0);
		CU_ASSERT_EQUAL(udp_connect(udp, s[i], &peer, LADDR_NONE), 0);
		CU_ASSERT_EQUAL(udp_join(udp, udp_sock(udp, s[i]), 0, &name.addr), 0);
	}
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, group, 53, 9), VERDICT_DONE);
	CU_ASSERT(got(s[0], NET_PEER, 1000, 9) && got(s[1], NET_PEER, 1000, 9));
	/* IP_BLOCK_SOURCE */
	CU_ASSERT_EQUAL(udp_add_source(udp, udp_sock(udp, s[1]), 0, &name.addr, &peer.addr, false),
	                0);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, group, 53, 9), VERDICT_DONE);
	CU_ASSERT(got(s[0], NET_PEER, 1000, 9) && empty(s[1]));
	for (unsigned i = 0; i < 2; i++)
		udp_close(udp, s[i]);
	finish();
}

/* The last that a broadcast comes to may refuse it, or there may be no mbuf for a copy. */
static void test_group_refused(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 1000);
	const uint32_t all = IP4(10, 0, 0, 255);
	const struct frame_ends e = net_ends(NET_PEER, all);
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;
	uint32_t a, b, room;

	start();
	b = (uint32_t)udp_open(udp);
	udp_sock(udp, b)->reuse = true;
	CU_ASSERT_EQUAL(udp_bind(udp, b, &(struct pc_endpoint){.port = 53}), 0);
	a = (uint32_t)udp_open(udp);
	udp_sock(udp, a)->reuse = true;
	CU_ASSERT_EQUAL(udp_bind(udp, a, &(struct pc_endpoint){.port = 53}), 0);
	room = udp_sock(udp, a)->rcv_max;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 53, 9), VERDICT_DONE);
	udp_sock(udp, b)->rcv_max = 0;
	CU_ASSERT(got(a, NET_PEER, 1000, 9));
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 53, 9), VERDICT_DONE);
	udp_sock(udp, a)->rcv_max = 0;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 53, 9), PC_DROP_UDP_RCVBUF);
	CU_ASSERT(got(a, NET_PEER, 1000, 9) && empty(a));
	CU_ASSERT(got(b, NET_PEER, 1000, 9) && empty(b));
	udp_sock(udp, a)->rcv_max = udp_sock(udp, b)->rcv_max = room;
	frame_udp(&f, &e, 1000, 53, "", 0);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, &p, &m), NEXT_UDP);
	net_exhaust(&net);
	CU_ASSERT_EQUAL(udp_input(udp, m, &p), VERDICT_DONE);
	net_relent();
	CU_ASSERT(got(b, NET_PEER, 1000, 0) && empty(a));
	CU_ASSERT_EQUAL(net_count(&net, PC_RX_COPY_NO_MBUF), 1);
	/* a socket bound to the group hears its peer there */
	a = bound(all, 54);
	CU_ASSERT_EQUAL(udp_connect(udp, a, &peer, LADDR_NONE), 0);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, all, 54, 9), VERDICT_DONE);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1001, all, 54, 9), PC_DROP_UDP_NO_SOCKET);
	CU_ASSERT(got(a, NET_PEER, 1000, 9) && empty(a));
	finish();
}

/* What waits is bounded, for empty datagrams too; the first always fits. */
static void test_rcvbuf(void)
{
	unsigned n = 0;
	uint32_t a;

	start();
	a = bound(0, 53);
	udp_sock(udp, a)->rcv_max = 10 * UDP_OVERHEAD;
	while (receive(NET_PEER, 1000, NET_US, 53, 0) == VERDICT_DONE)
		n++;
	CU_ASSERT_EQUAL(n, 10);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 0), PC_DROP_UDP_RCVBUF);
	CU_ASSERT(got(a, NET_PEER, 1000, 0));
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1), PC_DROP_UDP_RCVBUF);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 0), VERDICT_DONE);
	while (n-- > 0)
		CU_ASSERT(got(a, NET_PEER, 1000, 0));
	CU_ASSERT(empty(a));
	udp_sock(udp, a)->rcv_max = 0;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1000), VERDICT_DONE);
	CU_ASSERT(got(a, NET_PEER, 1000, 1000) && empty(a));
	/* when mbufs run out, nobody may hoard */
	udp_sock(udp, a)->rcv_max = 1000000;
	net.ctx.mbufs_low = true;
	net.ctx.mbufs_last = mbufs_kept(net.ctx.pool->size) / 2;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1), VERDICT_DONE);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1), PC_DROP_UDP_RCVBUF);
	/* nor take what is kept to send with */
	CU_ASSERT(got(a, NET_PEER, 1000, 1));
	net.ctx.mbufs_last = mbufs_kept(net.ctx.pool->size) / 4 + 1;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1), VERDICT_DONE);
	CU_ASSERT(got(a, NET_PEER, 1000, 1));
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1), PC_DROP_UDP_RCVBUF);
	CU_ASSERT_EQUAL(net.ctx.mbufs_last, mbufs_kept(net.ctx.pool->size) / 4);
	finish();
}

static void test_shutdown(void)
{
	uint32_t a;

	start();
	a = bound(0, 53);
	udp_sock(udp, a)->rd_shut = true;
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1), VERDICT_DONE); /* as on Linux */
	CU_ASSERT(got(a, NET_PEER, 1000, 1));
	CU_ASSERT_EQUAL(udp_mask(udp_sock(udp, a)), EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	udp_sock(udp, a)->wr_shut = true;
	CU_ASSERT_EQUAL(udp_mask(udp_sock(udp, a)), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
	finish();
}

static void test_events(void)
{
	uint32_t a;

	start();
	a = bound(0, 53);
	watch(a);
	CU_ASSERT_EQUAL(udp_mask(udp_sock(udp, a)), EPOLLOUT);
	CU_ASSERT(!told(a));
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 1), VERDICT_DONE);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 2), VERDICT_DONE);
	CU_ASSERT(told(a) && !told(a));
	CU_ASSERT_EQUAL(udp_mask(udp_sock(udp, a)), EPOLLIN | EPOLLOUT);
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 3), VERDICT_DONE);
	CU_ASSERT(told(a));
	for (uint32_t len = 1; len <= 3; len++)
		CU_ASSERT(got(a, NET_PEER, 1000, len));
	CU_ASSERT_EQUAL(udp_mask(udp_sock(udp, a)), EPOLLOUT);
	finish();
}

static void test_peek(void)
{
	struct pc_endpoint from;
	struct rte_mbuf *m;
	uint32_t a;

	start();
	a = bound(0, 53);
	CU_ASSERT_PTR_NULL(udp_recv(udp, a, &from, false));
	CU_ASSERT_EQUAL(receive(NET_PEER, 1000, NET_US, 53, 7), VERDICT_DONE);
	m = udp_recv(udp, a, &from, true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT(m->pkt_len == 7 && from.port == 1000 && pc_addr_get_ip4(&from.addr) == NET_PEER);
	CU_ASSERT_PTR_EQUAL(udp_recv(udp, a, NULL, true), m);
	CU_ASSERT(got(a, NET_PEER, 1000, 7) && empty(a));
	finish();
}

static struct icmp_error error_about(uint32_t index, int error, bool hard)
{
	const struct udp_sock *s = udp_sock(udp, index);

	return (struct icmp_error){.local = s->local.addr,
	                           .remote = s->remote.addr,
	                           .local_port = s->local.port,
	                           .remote_port = s->remote.port,
	                           .proto = 17,
	                           .error = error,
	                           .hard = hard};
}

/* Errors are told to the socket that is connected to where they come from, as on Linux. */
static void test_error(void)
{
	const struct pc_endpoint peer = endpoint(NET_PEER, 1000);
	struct icmp_error e;
	uint32_t a;

	start();
	a = bound(0, 53);
	watch(a);
	CU_ASSERT_EQUAL(udp_connect(udp, a, &peer, LADDR_NONE), 0);
	e = error_about(a, EHOSTUNREACH, false);
	udp_error(udp, &e, NULL);
	CU_ASSERT(udp_sock(udp, a)->error == 0 && !told(a));
	e = error_about(a, ECONNREFUSED, true);
	e.remote_port++;
	udp_error(udp, &e, NULL);
	CU_ASSERT(udp_sock(udp, a)->error == 0);
	e = error_about(a, ECONNREFUSED, true);
	udp_error(udp, &e, NULL);
	CU_ASSERT(udp_sock(udp, a)->error == ECONNREFUSED && told(a));
	CU_ASSERT_EQUAL(udp_mask(udp_sock(udp, a)), EPOLLOUT | EPOLLERR);
	udp_sock(udp, a)->error = 0;
	udp_connect(udp, a, NULL, LADDR_NONE);
	udp_error(udp, &e, NULL);
	CU_ASSERT(udp_sock(udp, a)->error == 0 && !told(a));
	finish();
}

static const struct unit_case cases[] = {
    {"every size", test_sizes},
    {"the length field", test_length},
    {"checksums", test_checksum},
    {"the most special socket", test_demux},
    {"bound addresses", test_demux_address},
    {"a peer and nobody else", test_peer_only},
    {"bound interfaces", test_bound_interface},
    {"better than a group", test_better_than_group},
    {"shared names", test_sharing},
    {"broadcast and multicast", test_group},
    {"a group of connected sockets", test_group_of_connected},
    {"a group of which one refuses", test_group_refused},
    {"the receive buffer", test_rcvbuf},
    {"shut down", test_shutdown},
    {"events", test_events},
    {"peek", test_peek},
    {"errors", test_error},
};

int main(void)
{
	return net_program("udp/udp_in", cases, sizeof(cases) / sizeof(cases[0]));
}
