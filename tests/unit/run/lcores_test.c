/* SPDX-License-Identifier: BSD-2-Clause */
/* Two stacks on the two queues of a device, as two lcores have them: what comes in fragments, on the queue of its
 * addresses, reaches the socket where its ports belong; and answers come to who has asked. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include <percore/control.h>
#include <percore/percore.h>

#include "../../support/eal.h"
#include "base/toeplitz.h"
#include "common.h"
#include "run/steer.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

#define QUEUES 2
#define VLAN   7
#define PORT   7777 /* the peer's */

static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};
static struct rte_mempool *pool;
static struct steer *steer;
static struct pc_port *wire[QUEUES], *top[QUEUES];
static struct pc_stack *stack[QUEUES];
static uint64_t now = 1000000000;

/* Addresses of ours and of the peer's, of one family. */
static struct {
	struct pc_addr us, peer;
} ends;

static struct pc_addr addr(const char *text)
{
	struct pc_addr a = {0};

	CU_ASSERT_EQUAL_FATAL(pc_addr_parse(text, &a), 0);
	return a;
}

static void add_stack(unsigned i, struct pc_port *port)
{
	struct pc_prefix p = {.addr = ends.us, .len = pc_addr_is_ip4(&ends.us) ? 120 : 64};
	struct pc_stack_config c;

	pc_stack_config_init(&c);
	c.stack_max_connections = 64;
	c.stack_seed = 9 + i;
	c.ip6_dad = 0;
	stack[i] = pc_stack_create(&c, pool);
	CU_ASSERT_PTR_NOT_NULL_FATAL(stack[i]);
	CU_ASSERT_EQUAL_FATAL(pc_stack_add_port(stack[i], port), 0);
	CU_ASSERT_EQUAL_FATAL(pc_stack_add_addr(stack[i], 0, &p), 0);
	CU_ASSERT_EQUAL_FATAL(pc_stack_set_neigh(stack[i], 0, &ends.peer, peer_mac), 0);
}

static void begin(bool ip4, bool vlan)
{
	const struct pc_wire_config config = {.pool = pool};

	ends.us = addr(ip4 ? "10.0.0.1" : "fd00::1");
	ends.peer = addr(ip4 ? "10.0.0.2" : "fd00::2");
	steer = steer_create(0, QUEUES, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(steer);
	for (uint16_t i = 0; i < QUEUES; i++) {
		struct pc_port *e[2];
		struct pc_port_rss *rss;

		CU_ASSERT_EQUAL_FATAL(pc_port_wire(&config, e), 0);
		e[0]->info.queue = i;
		rss = &e[0]->info.rss;
		*rss = (struct pc_port_rss){
		    .nb_queues = QUEUES, .reta_size = 128, .key_len = 40, .ports = true};
		for (unsigned k = 0; k < 40; k++)
			rss->key[k] = k % 2 == 0 ? 0x6d : 0x5a;
		for (uint16_t k = 0; k < 128; k++)
			rss->reta[k] = k % QUEUES;
		wire[i] = e[1];
		top[i] = steer_port(steer, i, e[0], pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(top[i]);
		if (vlan)
			top[i] = pc_trunk_port(pc_trunk_create(top[i]), VLAN, 0);
		add_stack(i, top[i]);
	}
}

static void turn(void)
{
	for (unsigned n = 0; n < 3; n++)
		for (unsigned i = 0; i < QUEUES; i++) {
			now += 1000;
			(void)pc_stack_poll(stack[i], now);
			pc_stack_flush(stack[i], now);
		}
}

/* Takes what has been sent by a queue. Returns how many frames that were. */
static unsigned sent(unsigned i)
{
	struct rte_mbuf *m[32];
	const unsigned n = wire[i]->ops->rx_burst(wire[i], m, 32, now);

	rte_pktmbuf_free_bulk(m, n);
	return n;
}

static void end(void)
{
	turn();
	for (unsigned i = 0; i < QUEUES; i++) {
		(void)sent(i);
		CU_ASSERT_EQUAL(pc_stack_validate(stack[i], NULL), 0);
		pc_stack_destroy(stack[i]);
		pc_port_close(top[i]);
		pc_port_close(wire[i]);
	}
	steer_free(steer);
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static uint64_t count(unsigned i, enum pc_counter c)
{
	return pc_stack_counters(stack[i])->value[c];
}

static uint16_t queue_of(uint16_t sport, uint16_t dport)
{
	const struct pc_endpoint src = {ends.peer, sport}, dst = {ends.us, dport};

	return toeplitz_queue(&top[0]->info.rss, &src, &dst);
}

/* A fragment of a packet of the peer's whose payload, n bytes at l4, begins with a transport header. */
static struct rte_mbuf *fragment(bool vlan, uint8_t proto, const uint8_t *l4, uint16_t n,
                                 uint16_t off, uint16_t len)
{
	const bool ip4 = pc_addr_is_ip4(&ends.us);
	const uint16_t hdr = ip4 ? IP4_HDR_LEN : IP6_HDR_LEN + IP6_FRAG_LEN, at = vlan ? 18 : 14;
	const bool more = off + len < n;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(at + hdr + len)), *h = p + at;

	memset(p, 0, (size_t)at + hdr);
	memcpy(p, top[0]->info.mac, 6);
	memcpy(p + 6, peer_mac, 6);
	if (vlan) {
		wire_put16(p + 12, ETH_TYPE_VLAN);
		wire_put16(p + 14, VLAN);
	}
	wire_put16(h - 2, ip4 ? ETH_TYPE_IP4 : ETH_TYPE_IP6);
	if (ip4) {
		h[0] = 0x45;
		wire_put16(h + 2, (uint16_t)(hdr + len));
		wire_put16(h + 4, 4711);
		wire_put16(h + 6, (uint16_t)(off / 8 | (more ? IP4_FRAG_MF : 0)));
		h[8] = 64;
		h[9] = proto;
		wire_put32_be(h + 12, ends.peer.w[3]);
		wire_put32_be(h + 16, ends.us.w[3]);
		wire_put16_be(h + 10, cksum_finish_be(cksum_add(0, h, hdr)));
	} else {
		h[0] = 0x60;
		wire_put16(h + 4, (uint16_t)(IP6_FRAG_LEN + len));
		h[6] = IPPROTO_FRAGMENT;
		h[7] = 64;
		memcpy(h + 8, &ends.peer, 16);
		memcpy(h + 24, &ends.us, 16);
		h[40] = proto;
		wire_put16(h + 42, (uint16_t)(off | more));
		wire_put32(h + 44, 4711);
	}
	memcpy(h + hdr, l4 + off, len);
	return m;
}

/* Has a packet arrive in two fragments at a queue. The device says that the first one's checksum is good, as it may. */
static void arrive(unsigned queue, bool vlan, uint8_t proto, uint8_t *l4, uint16_t n)
{
	const uint16_t half = (uint16_t)(n / 16 * 8), cksum_at = proto == IPPROTO_UDP ? 6 : 16;
	uint64_t sum = cksum_pseudo(&ends.peer, &ends.us, proto, n);

	wire_put16_be(l4 + cksum_at, 0);
	wire_put16_be(l4 + cksum_at, cksum_finish_udp_be(cksum_add(sum, l4, n)));
	for (unsigned i = 0; i < 2; i++) {
		struct rte_mbuf *m = i == 0
		                         ? fragment(vlan, proto, l4, n, 0, half)
		                         : fragment(vlan, proto, l4, n, half, (uint16_t)(n - half));

		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_RSS_HASH;
		CU_ASSERT_EQUAL(wire[queue]->ops->tx_burst(wire[queue], &m, 1, now), 1);
	}
	turn();
}

static int make_socket(unsigned i, struct sockaddr_in6 *name)
{
	struct sockaddr_in6 peer = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	socklen_t len = sizeof(*name);
	const int fd = pc_socket(stack[i], AF_INET6, SOCK_DGRAM, 0);

	memcpy(&peer.sin6_addr, &ends.peer, 16);
	CU_ASSERT_EQUAL_FATAL(
	    pc_connect(stack[i], fd, (const struct sockaddr *)&peer, sizeof(peer)), 0);
	CU_ASSERT_EQUAL(pc_getsockname(stack[i], fd, (struct sockaddr *)name, &len), 0);
	return fd;
}

/* A connected socket gets a datagram that came in fragments to the other lcore, and what is whole besides. */
static void datagrams(bool ip4, bool vlan)
{
	uint8_t l4[1400], got[1500];

	begin(ip4, vlan);
	turn();
	for (unsigned i = 0; i < QUEUES; i++) {
		struct sockaddr_in6 name;
		const int fd = make_socket(i, &name);
		const uint64_t passed = count(!i, PC_IP_FRAGMENTS_PASSED);

		for (unsigned k = 0; k < sizeof(l4); k++)
			l4[k] = (uint8_t)(k * 7 + i);
		wire_put16(l4, PORT);
		wire_put16(l4 + 2, ntohs(name.sin6_port));
		wire_put16(l4 + 4, sizeof(l4));
		for (unsigned at = 0; at < QUEUES; at++) {
			arrive(at, vlan, IPPROTO_UDP, l4, sizeof(l4));
			CU_ASSERT_EQUAL(pc_recv(stack[i], fd, got, sizeof(got), 0), sizeof(l4) - 8);
			CU_ASSERT_EQUAL(memcmp(got, l4 + 8, sizeof(l4) - 8), 0);
			CU_ASSERT_EQUAL(pc_recv(stack[i], fd, got, sizeof(got), 0), -1);
		}
		CU_ASSERT_EQUAL(count(!i, PC_IP_FRAGMENTS_PASSED), passed + 1);
		/* the checksum is looked at where it arrives, whatever the device has said of a fragment */
		l4[100] ^= 1;
		arrive(!i, vlan, IPPROTO_UDP, l4, sizeof(l4));
		l4[100] ^= 1;
		CU_ASSERT_EQUAL(pc_recv(stack[i], fd, got, sizeof(got), 0), sizeof(l4) - 8);
		CU_ASSERT_EQUAL(pc_close(stack[i], fd), 0);
	}
	end();
}

static void datagrams_in_fragments(void)
{
	datagrams(true, false);
	datagrams(false, false);
}

static void datagrams_in_fragments_on_a_vlan(void)
{
	datagrams(true, true);
	datagrams(false, true);
}

/* A SYN with data in two fragments is answered by the lcore of its ports, which the connection will be on. */
static void segments(bool ip4)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	unsigned seen[QUEUES] = {0};
	uint8_t l4[200] = {[2] = 0, [3] = 80, [12] = 5 << 4, [13] = 2, [14] = 0xff};

	begin(ip4, false);
	for (unsigned i = 0; i < QUEUES; i++) {
		const int fd = pc_socket(stack[i], AF_INET6, SOCK_STREAM, 0);

		CU_ASSERT_EQUAL(pc_bind(stack[i], fd, (const struct sockaddr *)&any, sizeof(any)),
		                0);
		CU_ASSERT_EQUAL(pc_listen(stack[i], fd, 16), 0);
	}
	turn();
	for (uint16_t sport = 5000; sport < 5016; sport++) {
		const unsigned queue = queue_of(sport, 80);

		(void)sent(0);
		(void)sent(1);
		wire_put16(l4, sport);
		arrive(sport % QUEUES, false, IPPROTO_TCP, l4, sizeof(l4));
		CU_ASSERT_EQUAL(sent(queue), 1);
		CU_ASSERT_EQUAL(sent(!queue), 0);
		seen[queue]++;
	}
	CU_ASSERT(seen[0] > 0 && seen[1] > 0);
	end();
}

static void segments_in_fragments(void)
{
	segments(true);
	segments(false);
}

/* A socket without a name gets a port such that answers come to its own lcore: by connect, and by sendto. */
static void answers(bool ip4)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)}, name;

	begin(ip4, false);
	memcpy(&to.sin6_addr, &ends.peer, 16);
	for (unsigned n = 0; n < 20; n++)
		for (unsigned i = 0; i < QUEUES; i++) {
			socklen_t len = sizeof(name);
			int fd = make_socket(i, &name);

			CU_ASSERT_EQUAL(queue_of(PORT, ntohs(name.sin6_port)), i);
			CU_ASSERT_EQUAL(pc_close(stack[i], fd), 0);
			fd = pc_socket(stack[i], AF_INET6, SOCK_DGRAM, 0);
			CU_ASSERT_EQUAL(pc_sendto(stack[i], fd, "x", 1, 0,
			                          (const struct sockaddr *)&to, sizeof(to)),
			                1);
			CU_ASSERT_EQUAL(
			    pc_getsockname(stack[i], fd, (struct sockaddr *)&name, &len), 0);
			CU_ASSERT_EQUAL(queue_of(PORT, ntohs(name.sin6_port)), i);
			CU_ASSERT_EQUAL(pc_close(stack[i], fd), 0);
		}
	end();
}

static void ports_by_queue(void)
{
	answers(true);
	answers(false);
}

static const struct unit_case cases[] = {
    {"datagrams in fragments", datagrams_in_fragments},
    {"datagrams in fragments, on a VLAN", datagrams_in_fragments_on_a_vlan},
    {"segments in fragments", segments_in_fragments},
    {"ports to which answers come", ports_by_queue},
};

int main(void)
{
	eal_start();
	pool = eal_pool("lcores", 4095);
	return unit_run("lcores", cases, sizeof(cases) / sizeof(cases[0]));
}
