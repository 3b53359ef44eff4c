/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 input: every verdict by name, every length, every way to cut a frame into mbufs. */

#include <string.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "net.h"

#define L3 14

static struct net net;

static void start(void)
{
	net_init(&net);
	net_open(&net);
}

/* A UDP datagram of len bytes from the peer to us. */
static void make(struct frame *f, uint32_t src_be, uint32_t dst_be, uint16_t len)
{
	const struct frame_ends e = net_ends(src_be, dst_be);
	uint8_t payload[1472];

	for (unsigned i = 0; i < len; i++)
		payload[i] = (uint8_t)i;
	frame_udp(f, &e, 1000, 2000, payload, len);
}

static int input(const struct frame *f)
{
	return net_input(&net, 0, f, NULL, NULL);
}

static int input_addrs(uint32_t src_be, uint32_t dst_be)
{
	struct frame f;

	make(&f, src_be, dst_be, 8);
	return input(&f);
}

/* Puts options of a multiple of 4 bytes behind the header. */
static void add_options(struct frame *f, const uint8_t *options, uint8_t n)
{
	const uint16_t total = (uint16_t)((f->b[L3 + 2] << 8 | f->b[L3 + 3]) + n);

	memmove(f->b + L3 + 20 + n, f->b + L3 + 20, f->len - (L3 + 20u));
	memcpy(f->b + L3 + 20, options, n);
	f->len = (uint16_t)(f->len + n);
	f->b[L3] = (uint8_t)(0x45 + n / 4);
	f->b[L3 + 2] = (uint8_t)(total >> 8);
	f->b[L3 + 3] = (uint8_t)total;
	frame_fix_ip4(f);
}

static void test_good(void)
{
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;

	start();
	make(&f, NET_PEER, NET_US, 100);
	f.b[L3 + 1] = 0xb8;
	f.b[L3 + 8] = 1; /* RFC 1122 section 3.2.1.7: the last hop, but it is here */
	frame_fix_ip4(&f);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, &p, &m), NEXT_UDP);
	CU_ASSERT_EQUAL(pc_addr_get_ip4(&p.src), NET_PEER);
	CU_ASSERT_EQUAL(pc_addr_get_ip4(&p.dst), NET_US);
	CU_ASSERT(p.l3_off == 14 && p.l4_off == 34 && p.l4_len == 108);
	CU_ASSERT(p.laddr == 0 && p.netif == 0 && p.proto == 17 && p.ttl == 1 && p.tos == 0xb8);
	CU_ASSERT(!p.group && !p.l4_good);
	CU_ASSERT_EQUAL(m->pkt_len, 142);
	rte_pktmbuf_free(m);
	net_close(&net);
}

static void test_protocols(void)
{
	struct frame f;

	start();
	for (unsigned proto = 0; proto < 256; proto++) {
		make(&f, NET_PEER, NET_US, 100);
		f.b[L3 + 9] = (uint8_t)proto;
		frame_fix_ip4(&f);
		if (proto == 6)
			CU_ASSERT_EQUAL(input(&f), NEXT_TCP);
		if (proto == 17)
			CU_ASSERT_EQUAL(input(&f), NEXT_UDP);
		if (proto != 1 && proto != 2 && proto != 6 && proto != 17)
			CU_ASSERT_EQUAL(input(&f), PC_DROP_IP4_PROTOCOL);
	}
	net_close(&net);
}

/* RFC 1122 section 3.2.1: what is wrong is dropped by the first thing that is. */
static void test_header(void)
{
	struct frame f;

	start();
	for (unsigned version = 0; version < 16; version++) {
		make(&f, NET_PEER, NET_US, 100);
		f.b[L3] = (uint8_t)(version << 4 | 5);
		frame_fix_ip4(&f);
		CU_ASSERT_EQUAL(input(&f), version == 4 ? NEXT_UDP : PC_DROP_IP4_VERSION);
	}
	for (unsigned words = 0; words < 5; words++) {
		make(&f, NET_PEER, NET_US, 100);
		f.b[L3] = (uint8_t)(0x40 | words);
		CU_ASSERT_EQUAL(input(&f), PC_DROP_IP4_HEADER_LEN);
	}
	make(&f, NET_PEER, NET_US, 0);
	f.b[L3] = 0x4f; /* 60 bytes of header, 46 of padded packet */
	CU_ASSERT_EQUAL(input(&f), PC_DROP_IP4_HEADER_LEN);
	for (unsigned bit = 0; bit < 16; bit++) {
		make(&f, NET_PEER, NET_US, 100);
		f.b[L3 + 10 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		CU_ASSERT_EQUAL(input(&f), PC_DROP_IP4_CHECKSUM);
	}
	net_close(&net);
}

static void test_total_len(void)
{
	struct frame f;

	start();
	for (unsigned total = 0; total < 300; total++) {
		make(&f, NET_PEER, NET_US, 100);
		f.b[L3 + 2] = (uint8_t)(total >> 8);
		f.b[L3 + 3] = (uint8_t)total;
		frame_fix_ip4(&f);
		CU_ASSERT_EQUAL(input(&f),
		                total < 20 || total > 128 ? PC_DROP_IP4_TOTAL_LEN : NEXT_UDP);
	}
	net_close(&net);
}

/* A frame cut at every length. */
static void test_truncated(void)
{
	struct frame f;

	start();
	for (uint16_t len = 14; len < 142; len++) {
		make(&f, NET_PEER, NET_US, 100);
		f.len = len;
		CU_ASSERT_EQUAL(input(&f), len < 34 ? PC_DROP_IP4_SHORT : PC_DROP_IP4_TOTAL_LEN);
	}
	net_close(&net);
}

static void test_source(void)
{
	start();
	CU_ASSERT_EQUAL(input_addrs(IP4(224, 0, 0, 1), NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(IP4(239, 1, 1, 1), NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(IP4(255, 255, 255, 255), NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(IP4(10, 0, 0, 255), NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(IP4(127, 0, 0, 1), NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(NET_US, NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(NET_US_TOO, NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(IP4(127, 1, 2, 3), NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(IP4(0, 0, 0, 1), NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(IP4(0, 0, 0, 1), IP4(255, 255, 255, 255)), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(0, NET_US), PC_DROP_IP4_SOURCE);
	CU_ASSERT_EQUAL(input_addrs(0, IP4(10, 0, 0, 255)), PC_DROP_IP4_SOURCE);
	/* who has no address yet asks everybody (RFC 1122 section 3.2.1.3 a) */
	CU_ASSERT_EQUAL(input_addrs(0, IP4(255, 255, 255, 255)), NEXT_UDP);
	CU_ASSERT_EQUAL(input_addrs(NET_FAR, NET_US), NEXT_UDP);
	CU_ASSERT_EQUAL(input_addrs(IP4(192, 168, 1, 255), NET_US), NEXT_UDP);
	net_close(&net);
}

static void test_destination(void)
{
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;

	start();
	CU_ASSERT_EQUAL(input_addrs(NET_PEER, IP4(10, 0, 0, 3)), PC_DROP_IP4_NOT_OURS);
	CU_ASSERT_EQUAL(input_addrs(NET_PEER, IP4(127, 0, 0, 1)), PC_DROP_IP4_NOT_OURS);
	CU_ASSERT_EQUAL(input_addrs(NET_PEER, 0), PC_DROP_IP4_NOT_OURS);
	CU_ASSERT_EQUAL(input_addrs(NET_PEER, IP4(192, 168, 1, 255)), PC_DROP_IP4_NOT_OURS);
	/* RFC 1122 section 3.3.4.2, strong host: the other interface's address */
	CU_ASSERT_EQUAL(input_addrs(NET_PEER, NET_US_TOO), PC_DROP_IP4_NOT_OURS);
	/* groups we are no member of, and the one that everybody is */
	CU_ASSERT_EQUAL(input_addrs(NET_PEER, IP4(224, 0, 0, 251)), PC_DROP_IP4_NOT_OURS);
	make(&f, NET_PEER, IP4(224, 0, 0, 1), 8);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, &p, &m), NEXT_UDP);
	CU_ASSERT(p.group && p.laddr == LADDR_NONE);
	rte_pktmbuf_free(m);
	make(&f, NET_PEER, IP4(10, 0, 0, 255), 8);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, &p, &m), NEXT_UDP);
	CU_ASSERT(p.group && p.laddr == LADDR_NONE);
	rte_pktmbuf_free(m);
	/* RFC 1122 section 3.3.6: to us alone, but in a frame to everybody */
	make(&f, NET_PEER, NET_US, 8);
	memset(f.b, 0xff, 6);
	CU_ASSERT_EQUAL(input(&f), PC_DROP_IP4_LINK_GROUP);
	net_close(&net);
}

static void test_fragments(void)
{
	struct frame f;

	start();
	for (unsigned bit = 0; bit < 16; bit++) {
		make(&f, NET_PEER, NET_US, 100);
		f.b[L3 + 6] = (uint8_t)((1u << bit) >> 8);
		f.b[L3 + 7] = (uint8_t)(1u << bit);
		frame_fix_ip4(&f);
		CU_ASSERT_EQUAL(input(&f), bit >= 14 ? NEXT_UDP : NEXT_FRAGMENT);
	}
	net_close(&net);
}

static void test_options(void)
{
	static const struct {
		uint8_t o[12];
		uint8_t n;
		bool good;
	} options[] = {
	    {{1, 1, 1, 0}, 4, true},
	    {{7, 7, 4, 0, 0, 0, 0, 0}, 8, false},    /* record route */
	    {{148, 4, 0, 0}, 4, true},               /* router alert */
	    {{68, 8, 5, 0, 0, 0, 0, 0}, 8, false},   /* time stamp */
	    {{130, 4, 0, 0}, 4, true},               /* security */
	    {{200, 2, 1, 1}, 4, true},               /* nobody knows */
	    {{0, 131, 131, 131}, 4, true},           /* after the end nothing counts */
	    {{131, 7, 4, 10, 0, 0, 9, 0}, 8, false}, /* loose source route */
	    {{1, 137, 7, 4, 10, 0, 0, 9}, 8, false}, /* strict source route */
	    {{7, 0, 0, 0}, 4, false},                /* no length: an endless loop */
	    {{7, 1, 0, 0}, 4, false},
	    {{7, 5, 0, 0}, 4, false}, /* past the header */
	    {{1, 1, 1, 7}, 4, false}, /* cut after its type */
	};
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;

	start();
	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		make(&f, NET_PEER, NET_US, 100);
		add_options(&f, options[i].o, options[i].n);
		CU_ASSERT_EQUAL(net_input(&net, 0, &f, &p, &m),
		                options[i].good ? NEXT_UDP : PC_DROP_IP4_OPTION);
		CU_ASSERT(!options[i].good || (p.l4_off == 34 + options[i].n && p.l4_len == 108));
		rte_pktmbuf_free(m);
	}
	net_close(&net);
}

/* What the port says of checksums counts only if it says that it means it. */
static int input_flags(uint32_t offloads, uint64_t flags, bool good, bool *l4_good)
{
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;
	int verdict;

	make(&f, NET_PEER, NET_US, 100);
	if (!good)
		f.b[L3 + 10] ^= 0x10;
	net.port[0].port.info.offloads = offloads;
	m = net_mbuf(&net, f.b, f.len, 0, 0);
	m->ol_flags |= flags;
	verdict = net_input_mbuf(&net, 0, m, &p, &m);
	*l4_good = p.l4_good;
	rte_pktmbuf_free(m);
	return verdict;
}

static void test_offloads(void)
{
	const uint32_t both = PC_PORT_RX_IP4_CKSUM | PC_PORT_RX_L4_CKSUM;
	bool l4;

	start();
	CU_ASSERT_EQUAL(input_flags(both, RTE_MBUF_F_RX_IP_CKSUM_GOOD, false, &l4), NEXT_UDP);
	CU_ASSERT_EQUAL(input_flags(both, RTE_MBUF_F_RX_IP_CKSUM_NONE, false, &l4), NEXT_UDP);
	CU_ASSERT_EQUAL(input_flags(both, RTE_MBUF_F_RX_IP_CKSUM_BAD, true, &l4),
	                PC_DROP_IP4_CHECKSUM);
	CU_ASSERT_EQUAL(input_flags(both, 0, false, &l4), PC_DROP_IP4_CHECKSUM);
	CU_ASSERT_EQUAL(input_flags(both, 0, true, &l4), NEXT_UDP);
	CU_ASSERT_EQUAL(input_flags(0, RTE_MBUF_F_RX_IP_CKSUM_GOOD, false, &l4),
	                PC_DROP_IP4_CHECKSUM);
	CU_ASSERT_EQUAL(input_flags(0, RTE_MBUF_F_RX_IP_CKSUM_BAD, true, &l4), NEXT_UDP);
	input_flags(both, RTE_MBUF_F_RX_L4_CKSUM_GOOD, true, &l4);
	CU_ASSERT(l4);
	input_flags(both, RTE_MBUF_F_RX_L4_CKSUM_NONE, true, &l4);
	CU_ASSERT(l4);
	input_flags(both, RTE_MBUF_F_RX_L4_CKSUM_BAD, true, &l4);
	CU_ASSERT(!l4);
	input_flags(both, 0, true, &l4);
	CU_ASSERT(!l4);
	input_flags(PC_PORT_RX_IP4_CKSUM, RTE_MBUF_F_RX_L4_CKSUM_GOOD, true, &l4);
	CU_ASSERT(!l4);
	net_close(&net);
}

/* Ethernet pads short frames; the padding is cut off wherever the mbufs end. */
static void test_padding(void)
{
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;

	start();
	for (uint16_t pad = 0; pad < 60; pad++)
		for (uint16_t first = 14; first < 110; first++) {
			make(&f, NET_PEER, NET_US, 20);
			f.len = (uint16_t)(62 + pad);
			m = net_mbuf(&net, f.b, f.len, first, 9);
			CU_ASSERT_EQUAL(net_input_mbuf(&net, 0, m, &p, &m), NEXT_UDP);
			CU_ASSERT_EQUAL(m->pkt_len, 62);
			rte_mbuf_sanity_check(m, 1);
			CU_ASSERT(m->data_len >= 62 && m->nb_segs == 1);
			CU_ASSERT(memcmp(rte_pktmbuf_mtod(m, uint8_t *), f.b, 62) == 0);
			rte_pktmbuf_free(m);
		}
	net_close(&net);
}

/* However a packet is cut into mbufs, 60 bytes of transport header come in one piece. */
static void test_chains(void)
{
	static const uint8_t nops[40] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	                                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	                                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;
	uint8_t copy[FRAME_MAX];

	start();
	for (uint8_t n = 0; n <= 40; n = (uint8_t)(n + 20))
		for (uint16_t first = 14; first < 200; first++) {
			make(&f, NET_PEER, NET_US, 300);
			add_options(&f, nops, n);
			m = net_mbuf(&net, f.b, f.len, first, 11);
			CU_ASSERT_EQUAL(net_input_mbuf(&net, 0, m, &p, &m), NEXT_UDP);
			CU_ASSERT(m->data_len >= p.l4_off + 60 && p.l4_off == 34 + n);
			CU_ASSERT_EQUAL(m->pkt_len, f.len);
			rte_mbuf_sanity_check(m, 1);
			CU_ASSERT(memcmp(rte_pktmbuf_read(m, 0, f.len, copy), f.b, f.len) == 0);
			rte_pktmbuf_free(m);
		}
	net_close(&net);
}

/* A first mbuf without room behind its data makes room in front. */
static void test_pullup_moves(void)
{
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;
	uint16_t room;

	start();
	make(&f, NET_PEER, NET_US, 300);
	m = net_mbuf(&net, f.b, f.len, 30, 100);
	room = (uint16_t)(m->buf_len - 30);
	memmove((uint8_t *)m->buf_addr + room, rte_pktmbuf_mtod(m, void *), 30);
	m->data_off = room;
	CU_ASSERT_EQUAL(net_input_mbuf(&net, 0, m, &p, &m), NEXT_UDP);
	CU_ASSERT(m->data_len >= 94);
	CU_ASSERT(memcmp(rte_pktmbuf_mtod(m, uint8_t *), f.b, 94) == 0);
	rte_pktmbuf_free(m);
	net_close(&net);
}

/* Mbufs too small for a transport header in one piece; no device makes such. */
static void test_tiny_mbufs(void)
{
	struct rte_mbuf *m;
	struct frame f;

	start();
	for (uint16_t room = 14; room < 94; room++) {
		const uint16_t first = room < 40 ? room : 40;
		uint16_t whole;

		make(&f, NET_PEER, NET_US, 300);
		m = net_mbuf(&net, f.b, f.len, first, 100);
		whole = m->buf_len;
		memmove(m->buf_addr, rte_pktmbuf_mtod(m, void *), first);
		m->data_off = 0;
		m->buf_len = room;
		CU_ASSERT_EQUAL(net_input_mbuf(&net, 0, m, NULL, &m), PC_DROP_IP4_SHORT);
		m->buf_len = whole;
		rte_pktmbuf_free(m);
	}
	net_close(&net);
}

/* Random bytes behind a good beginning: never a crash, always a verdict. */
static void test_random(void)
{
	struct rte_mbuf *m;
	struct frame f;
	int verdict;

	start();
	for (unsigned i = 0; i < 300000; i++) {
		const uint32_t flips = 1 + rng_below(&net.ctx.rng, 6);
		uint16_t first;

		make(&f, NET_PEER, NET_US, (uint16_t)rng_below(&net.ctx.rng, 200));
		f.b[L3 + 9] = (uint8_t)(rng_next(&net.ctx.rng) % 2 ? 17 : 1);
		for (uint32_t j = 0; j < flips; j++)
			f.b[14 + rng_below(&net.ctx.rng, 40)] = (uint8_t)rng_next(&net.ctx.rng);
		if (i % 4 != 0 && (f.b[L3] & 0xf) * 4 + 14 <= f.len)
			frame_fix_ip4(&f);
		if (i % 8 == 0)
			f.len = (uint16_t)rng_below(&net.ctx.rng, f.len + 1u);
		first = (uint16_t)rng_below(&net.ctx.rng, 100);
		if (i % 2 == 0) {
			verdict = input(&f);
		} else {
			m = net_mbuf(&net, f.b, f.len, first, 40);
			verdict = net_input_mbuf(&net, 0, m, NULL, NULL);
		}
		CU_ASSERT(verdict_is_drop(verdict) || verdict == VERDICT_DONE ||
		          verdict >= NEXT_ICMP4);
		while (net_next(&net, 0, &f))
			;
		net.port[0].nb_sent = net.port[0].nb_seen = 0;
	}
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"a good packet", test_good},
    {"protocols", test_protocols},
    {"version, header length, checksum", test_header},
    {"total length", test_total_len},
    {"truncated at every length", test_truncated},
    {"source addresses", test_source},
    {"destination addresses", test_destination},
    {"fragments", test_fragments},
    {"options", test_options},
    {"what the port says of checksums", test_offloads},
    {"padding", test_padding},
    {"chains", test_chains},
    {"no room behind the data", test_pullup_moves},
    {"tiny mbufs", test_tiny_mbufs},
    {"random packets", test_random},
};

int main(void)
{
	return net_program("ip/ip4_in", cases, sizeof(cases) / sizeof(cases[0]));
}
