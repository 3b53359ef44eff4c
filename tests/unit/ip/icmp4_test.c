/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP: echo, errors about what we sent, errors about what we got. */

#include <errno.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../unit.h"
#include "net.h"

static struct net net;

static void start(void)
{
	net_init(&net);
	net_open(&net);
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
}

static const uint8_t zeros[4];

static void make_echo(struct frame *f, uint32_t dst_be, uint16_t len)
{
	const struct frame_ends e = net_ends(NET_PEER, dst_be);
	const uint8_t rest[4] = {0x12, 0x34, 0, 7};
	uint8_t payload[1472];

	for (unsigned i = 0; i < len; i++)
		payload[i] = (uint8_t)(i * 13);
	frame_icmp(f, &e, 8, 0, rest, payload, len);
}

/* RFC 1122 section 3.2.2.6: every size comes back as it was. */
static void test_echo(void)
{
	struct frame_info info;
	struct frame f, r;

	start();
	for (uint16_t len = 0; len <= 1472; len++) {
		make_echo(&f, NET_US, len);
		f.b[15] = 0x10; /* the type of service comes back too */
		frame_fix_ip4(&f);
		CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
		CU_ASSERT_FATAL(net_next(&net, 0, &r));
		CU_ASSERT_PTR_NULL_FATAL(frame_read(&r, &info));
		CU_ASSERT(info.proto == 1 && info.icmp_type == 0 && info.icmp_code == 0);
		CU_ASSERT(info.ends.src_be == NET_US && info.ends.dst_be == NET_PEER);
		CU_ASSERT(info.ttl == 64 && info.tos == 0x10 && info.payload_len == len);
		CU_ASSERT(memcmp(r.b + 38, f.b + 38, 4u + len) == 0);
		net.port[0].nb_sent = net.port[0].nb_seen = 0;
	}
	CU_ASSERT_EQUAL(net_count(&net, PC_ICMP_ECHO), 1473);
	net_close(&net);
}

static void test_echo_chains(void)
{
	const uint32_t offloads = PC_PORT_TX_IP4_CKSUM;
	struct frame_info info;
	struct frame f, r;

	start();
	net.port[0].port.info.offloads = offloads;
	for (uint16_t first = 14; first < 400; first = (uint16_t)(first + 3)) {
		make_echo(&f, NET_US, 777);
		CU_ASSERT_EQUAL(
		    net_input_mbuf(&net, 0, net_mbuf(&net, f.b, f.len, first, 101), NULL, NULL),
		    VERDICT_DONE);
		CU_ASSERT_FATAL(net_next(&net, 0, &r));
		CU_ASSERT_PTR_NULL(frame_read(&r, &info));
		CU_ASSERT(info.payload_len == 777 && memcmp(r.b + 42, f.b + 42, 777) == 0);
	}
	net_close(&net);
}

static void test_echo_refused(void)
{
	struct frame f;

	start();
	make_echo(&f, IP4(10, 0, 0, 255), 56);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ICMP_BROADCAST);
	make_echo(&f, IP4(224, 0, 0, 1), 56);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ICMP_BROADCAST);
	net.ctx.cfg.icmp_echo = 0;
	make_echo(&f, NET_US, 56);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ICMP_ECHO_OFF);
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

/* An unknown asker is resolved first; one that cannot be reached gets nothing. */
static void test_echo_unresolved(void)
{
	const struct frame_ends e = net_ends(NET_FAR, NET_US);
	struct frame f;

	start();
	frame_icmp(&f, &e, 8, 0, zeros, NULL, 0);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	CU_ASSERT(net_next(&net, 0, &f) && f.b[13] == 6);
	CU_ASSERT(memcmp(f.b + 38, &(uint32_t){NET_GATEWAY}, 4) == 0);
	net_forget_routes(&net);
	neigh_outdate(net.ip.neigh);
	frame_icmp(&f, &e, 8, 0, zeros, NULL, 0);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), VERDICT_DONE);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_NO_ROUTE), 1);
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

static void test_broken(void)
{
	struct frame f;

	start();
	for (uint16_t len = 0; len < 8; len++) {
		make_echo(&f, NET_US, 0);
		f.b[17] = (uint8_t)(20 + len);
		frame_fix_ip4(&f);
		CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ICMP_SHORT);
	}
	for (unsigned i = 34; i < 34 + 64; i++) {
		make_echo(&f, NET_US, 56);
		f.b[i] ^= 0x20;
		CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ICMP_CHECKSUM);
	}
	net_close(&net);
}

static int input_type(uint8_t type, uint8_t code)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	const uint8_t payload[48] = {0};
	struct frame f;

	frame_icmp(&f, &e, type, code, zeros, payload, sizeof(payload));
	return net_input(&net, 0, &f, NULL, NULL);
}

static void test_types(void)
{
	start();
	CU_ASSERT_EQUAL(input_type(0, 0), PC_DROP_ICMP_ECHO_REPLY);
	CU_ASSERT_EQUAL(input_type(4, 0), PC_DROP_ICMP_TYPE); /* RFC 6633: source quench */
	CU_ASSERT_EQUAL(input_type(5, 1), PC_DROP_ICMP_TYPE); /* redirects are not for servers */
	CU_ASSERT_EQUAL(input_type(13, 0), PC_DROP_ICMP_TYPE);
	CU_ASSERT_EQUAL(input_type(255, 0), PC_DROP_ICMP_TYPE);
	CU_ASSERT_EQUAL(input_type(3, 16), PC_DROP_ICMP_TYPE);
	CU_ASSERT_EQUAL(input_type(3, 3), PC_DROP_ICMP_NO_MATCH); /* quotes nothing that is IPv4 */
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

/* ---- errors about what we sent --------------------------------------------------------------- */

/* Gives in an error about a segment of proto from src:1111 to far:2222, of which len bytes are
 * quoted. change, if not 0, is an offset in the quote whose byte becomes value. */
static int input_error(uint8_t type, uint8_t code, uint8_t proto, uint32_t src_be, uint16_t len,
                       unsigned change, uint8_t value)
{
	const struct frame_ends quoted = {.src_be = src_be, .dst_be = NET_FAR};
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	const struct tcp_seg seg = {.sport = 1111, .dport = 2222, .seq = 0x11223344, .hdr_len = 20};
	const uint8_t rest[4] = {0, 0, 0x02, 0x40};
	struct frame q, f;

	if (proto == 6)
		frame_tcp(&q, &quoted, &seg, NULL, NULL, 0);
	else
		frame_udp(&q, &quoted, 1111, 2222, "0123456789", 10);
	if (change != 0)
		q.b[14 + change] = value;
	memset(&net_error, 0xee, sizeof(net_error));
	frame_icmp(&f, &e, type, code, rest, q.b + 14, len);
	return net_input(&net, 0, &f, NULL, NULL);
}

static void test_error_meaning(void)
{
	static const struct {
		uint8_t type, code;
		int error;
		bool hard;
	} expected[] = {
	    {3, 0, ENETUNREACH, false},   {3, 1, EHOSTUNREACH, false},
	    {3, 2, ENOPROTOOPT, true},    {3, 3, ECONNREFUSED, true},
	    {3, 4, EMSGSIZE, false},      {3, 5, EOPNOTSUPP, false},
	    {3, 6, ENETUNREACH, true},    {3, 7, EHOSTDOWN, true},
	    {3, 8, ENONET, true},         {3, 9, ENETUNREACH, true},
	    {3, 10, EHOSTUNREACH, true},  {3, 11, ENETUNREACH, false},
	    {3, 12, EHOSTUNREACH, false}, {3, 13, EHOSTUNREACH, true},
	    {3, 14, EHOSTUNREACH, true},  {3, 15, EHOSTUNREACH, true},
	    {11, 0, EHOSTUNREACH, false}, {11, 1, EHOSTUNREACH, false},
	    {12, 0, EPROTO, true},
	};

	start();
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const uint8_t type = expected[i].type, code = expected[i].code;

		CU_ASSERT_EQUAL(input_error(type, code, 6, NET_US, 28, 0, 0), NEXT_ERROR);
		CU_ASSERT_EQUAL(net_error.error, expected[i].error);
		CU_ASSERT_EQUAL(net_error.hard, expected[i].hard);
		CU_ASSERT(net_error.type == type && net_error.code == code);
		CU_ASSERT_EQUAL(net_error.mtu, type == 3 && code == 4 ? 0x240 : 0);
	}
	net_close(&net);
}

static void test_error_match(void)
{
	start();
	CU_ASSERT_EQUAL(input_error(3, 3, 6, NET_US, 28, 0, 0), NEXT_ERROR);
	CU_ASSERT(pc_addr_get_ip4(&net_error.local) == NET_US && net_error.local_port == 1111);
	CU_ASSERT(pc_addr_get_ip4(&net_error.remote) == NET_FAR && net_error.remote_port == 2222);
	CU_ASSERT(net_error.seq == 0x11223344 && net_error.proto == 6 && net_error.laddr == 0);
	CU_ASSERT_EQUAL(input_error(3, 3, 17, NET_US, 38, 0, 0), NEXT_ERROR);
	CU_ASSERT(net_error.proto == 17 && net_error.local_port == 1111);
	for (uint16_t len = 0; len < 28; len++)
		CU_ASSERT_EQUAL(input_error(3, 3, 6, NET_US, len, 0, 0), PC_DROP_ICMP_SHORT);
	/* not of ours, nor of the address that the error was sent to */
	CU_ASSERT_EQUAL(input_error(3, 3, 6, NET_PEER, 28, 0, 0), PC_DROP_ICMP_NO_MATCH);
	CU_ASSERT_EQUAL(input_error(3, 3, 6, NET_US_TOO, 28, 0, 0), PC_DROP_ICMP_NO_MATCH);
	/* a later fragment has no ports; nobody here sends protocol 47 */
	CU_ASSERT_EQUAL(input_error(3, 3, 6, NET_US, 28, 7, 9), PC_DROP_ICMP_NO_MATCH);
	CU_ASSERT_EQUAL(input_error(3, 3, 6, NET_US, 28, 9, 47), PC_DROP_ICMP_NO_MATCH);
	CU_ASSERT(net_idle(&net));
	net_close(&net);
}

/* An error that was sent to everybody says nothing about a packet of ours. */
static void test_error_broadcast(void)
{
	const struct frame_ends quoted = {.src_be = NET_US, .dst_be = NET_FAR};
	const struct frame_ends e = net_ends(NET_PEER, IP4(10, 0, 0, 255));
	struct frame q, f;

	start();
	frame_udp(&q, &quoted, 1111, 2222, "0123456789", 10);
	frame_icmp(&f, &e, 3, 3, zeros, q.b + 14, 28);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, NULL, NULL), PC_DROP_ICMP_BROADCAST);
	net_close(&net);
}

/* A quoted header with 40 bytes of options, in mbufs of every cut. */
static void test_error_long_quote(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	uint8_t quote[68] = {0x4f, 0, 5, 0, 0, 0, 0, 0, 64, 17};
	const uint32_t src = NET_US, dst = NET_FAR;
	struct frame f;

	memcpy(quote + 12, &src, 4);
	memcpy(quote + 16, &dst, 4);
	memset(quote + 20, 1, 40);
	memcpy(quote + 60, (const uint8_t[8]){4, 87, 8, 174, 0, 8, 0, 0}, 8);
	start();
	for (uint16_t first = 14; first < 110; first++) {
		struct rte_mbuf *m;

		frame_icmp(&f, &e, 3, 3, zeros, quote, sizeof(quote));
		m = net_mbuf(&net, f.b, f.len, first, 5);
		CU_ASSERT_EQUAL(net_input_mbuf(&net, 0, m, NULL, NULL), NEXT_ERROR);
		CU_ASSERT(net_error.local_port == 1111 && net_error.remote_port == 2222);
	}
	net_close(&net);
}

/* ---- errors about what we got ---------------------------------------------------------------- */

static void unreachable(const struct frame *f)
{
	struct rte_mbuf *m;
	struct ip_pkt p;

	CU_ASSERT_EQUAL(net_input(&net, 0, f, &p, &m), NEXT_UDP);
	icmp_port_unreachable(&net.ip, m, &p);
	rte_pktmbuf_free(m);
}

/* RFC 1812 section 4.3.2.3: as much is quoted as fits into 576 bytes. */
static void test_unreachable(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	static const uint16_t sizes[] = {0, 1, 100, 519, 520, 521, 1472};
	uint8_t payload[1472] = {0};
	struct frame_info info;
	struct frame f, r;

	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 3);
	start();
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const uint32_t quoted = 28u + sizes[i] < 548 ? 28u + sizes[i] : 548;

		frame_udp(&f, &e, 1000, 2000, payload, sizes[i]);
		unreachable(&f);
		CU_ASSERT_FATAL(net_next(&net, 0, &r));
		CU_ASSERT_PTR_NULL_FATAL(frame_read(&r, &info));
		CU_ASSERT(info.proto == 1 && info.icmp_type == 3 && info.icmp_code == 3);
		CU_ASSERT(info.ends.src_be == NET_US && info.ends.dst_be == NET_PEER);
		CU_ASSERT_EQUAL(info.tos, 0xc0);
		CU_ASSERT_EQUAL(info.payload_len, quoted);
		CU_ASSERT(memcmp(info.payload, f.b + 14, quoted) == 0);
	}
	CU_ASSERT_EQUAL(net_count(&net, PC_ICMP_ERRORS_TX), 7);
	net_close(&net);
}

static void test_protocol_unreachable(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	struct frame_info info;
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;

	start();
	frame_udp(&f, &e, 1000, 2000, "x", 1);
	f.b[23] = 132;
	frame_fix_ip4(&f);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, &p, &m), PC_DROP_IP4_PROTOCOL);
	icmp_protocol_unreachable(&net.ip, m, &p);
	rte_pktmbuf_free(m);
	CU_ASSERT(net_next(&net, 0, &f) && frame_read(&f, &info) == NULL);
	CU_ASSERT(info.icmp_type == 3 && info.icmp_code == 2);
	net_close(&net);
}

/* Gives in an error about a datagram of ours, and keeps it. */
static int error_packet(uint8_t type, struct rte_mbuf **m, struct ip_pkt *p)
{
	const struct frame_ends quoted = {.src_be = NET_US, .dst_be = NET_FAR};
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	struct frame q, f;

	frame_udp(&q, &quoted, 1111, 2222, "x", 1);
	frame_icmp(&f, &e, type, 0, zeros, q.b + 14, 28);
	return net_input(&net, 0, &f, p, m);
}

/* RFC 1122 section 3.2.2: not about an error, or what was sent to a group, or by nobody. */
static void test_unreachable_never(void)
{
	struct frame_ends e = net_ends(NET_PEER, IP4(10, 0, 0, 255));
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;

	start();
	frame_udp(&f, &e, 1000, 2000, "x", 1);
	unreachable(&f);
	e.dst_be = IP4(224, 0, 0, 1);
	frame_udp(&f, &e, 1000, 2000, "x", 1);
	unreachable(&f);
	for (uint8_t type = 3; type <= 12; type = (uint8_t)(type == 3 ? 11 : type + 1)) {
		CU_ASSERT_EQUAL(error_packet(type, &m, &p), NEXT_ERROR);
		icmp_prohibited(&net.ip, m, &p);
		rte_pktmbuf_free(m);
	}
	e.src_be = 0;
	e.dst_be = IP4(255, 255, 255, 255);
	frame_udp(&f, &e, 1000, 2000, "x", 1);
	unreachable(&f);
	net.ctx.cfg.icmp_error_rate = 0;
	e = net_ends(NET_PEER, NET_US);
	frame_udp(&f, &e, 1000, 2000, "x", 1);
	unreachable(&f);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(net_count(&net, PC_ICMP_ERRORS_TX), 0);
	net_close(&net);
}

/* Without an mbuf or a route there is no error, and no harm. */
static void test_unreachable_fails(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US), far = net_ends(NET_FAR, NET_US);
	struct rte_mbuf *m;
	struct ip_pkt p;
	struct frame f;

	start();
	frame_udp(&f, &e, 1000, 2000, "x", 1);
	CU_ASSERT_EQUAL(net_input(&net, 0, &f, &p, &m), NEXT_UDP);
	net_exhaust(&net);
	icmp_port_unreachable(&net.ip, m, &p);
	net_relent();
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_NO_MBUF), 1);
	net_forget_routes(&net);
	frame_udp(&f, &far, 1000, 2000, "x", 1);
	unreachable(&f);
	CU_ASSERT_EQUAL(net_count(&net, PC_TX_NO_ROUTE), 1);
	CU_ASSERT(net_idle(&net));
	CU_ASSERT_EQUAL(net_count(&net, PC_ICMP_ERRORS_TX), 0);
	net_close(&net);
}

/* A flood is answered at icmp.error_rate, whatever its own rate. */
static void test_rate(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	uint64_t before;
	struct frame f;

	for (uint64_t rate = 1; rate <= 1000; rate *= 10) {
		net_init(&net);
		net.ctx.cfg.icmp_error_rate = rate;
		net_open(&net);
		net_resolve(&net, 0, NET_PEER, net_peer_mac);
		frame_udp(&f, &e, 1000, 2000, "x", 1);
		for (unsigned i = 0; i < 1500; i++)
			unreachable(&f);
		CU_ASSERT_EQUAL(net_count(&net, PC_ICMP_ERRORS_TX), rate);
		CU_ASSERT_EQUAL(net_count(&net, PC_ICMP_ERRORS_LIMITED), 1500 - rate);
		before = net_count(&net, PC_ICMP_ERRORS_TX);
		for (unsigned i = 0; i < 500; i++) {
			net_advance(&net, 10);
			for (unsigned j = 0; j < 20; j++)
				unreachable(&f);
			while (net_next(&net, 0, &(struct frame){0}))
				;
			net.port[0].nb_sent = net.port[0].nb_seen = 0;
		}
		before = net_count(&net, PC_ICMP_ERRORS_TX) - before;
		CU_ASSERT(before <= 5 * rate);
		CU_ASSERT(before >= (rate < 64 ? 5 * rate - 1 : 4 * rate));
		net_close(&net);
	}
}

/* CVE-2020-25705: who could count how many errors others are sent would know which ports are in use */
static void test_rate_varies(void)
{
	const struct frame_ends e = net_ends(NET_PEER, NET_US);
	uint64_t n[8], others = 0;
	struct frame f;

	net_init(&net);
	net.ctx.cfg.icmp_error_rate = 100;
	net_open(&net);
	net_resolve(&net, 0, NET_PEER, net_peer_mac);
	frame_udp(&f, &e, 1000, 2000, "x", 1);
	for (unsigned i = 0; i < 8; i++) {
		const uint64_t before = net_count(&net, PC_ICMP_ERRORS_TX);

		net_advance(&net, 3000); /* no more than a second's worth is saved up */
		for (unsigned j = 0; j < 300; j++)
			unreachable(&f);
		n[i] = net_count(&net, PC_ICMP_ERRORS_TX) - before;
		CU_ASSERT(n[i] >= 98 && n[i] <= 100);
		others += n[i] != n[0];
		while (net_next(&net, 0, &(struct frame){0}))
			;
		net.port[0].nb_sent = net.port[0].nb_seen = 0;
	}
	CU_ASSERT(others > 0);
	net_close(&net);
}

static const struct unit_case cases[] = {
    {"echo of every size", test_echo},
    {"echo of chains", test_echo_chains},
    {"echo refused", test_echo_refused},
    {"echo to the unresolved", test_echo_unresolved},
    {"broken messages", test_broken},
    {"types", test_types},
    {"what errors mean", test_error_meaning},
    {"what errors are about", test_error_match},
    {"an error to everybody", test_error_broadcast},
    {"a quote with options", test_error_long_quote},
    {"port unreachable", test_unreachable},
    {"protocol unreachable", test_protocol_unreachable},
    {"what is never answered by an error", test_unreachable_never},
    {"no mbuf, no route", test_unreachable_fails},
    {"the rate of errors", test_rate},
    {"... by another number each time", test_rate_varies},
};

int main(void)
{
	return net_program("ip/icmp4", cases, sizeof(cases) / sizeof(cases[0]));
}
