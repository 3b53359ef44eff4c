/* SPDX-License-Identifier: BSD-2-Clause */

/* One line per frame, for any bytes. */

#include "wire/print.h"

#include <netinet/in.h>

#include "../unit.h"
#include "base/dice.h"
#include "exact.h"
#include "wire/arp.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip4.h"
#include "wire/nd.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define MACS "02:00:00:00:00:01 > 02:00:00:00:00:02"

static const struct eth_hdr eth = {
    .dst = {2, 0, 0, 0, 0, 2}, .src = {2, 0, 0, 0, 0, 1}, .type = ETH_TYPE_IP4};

static uint32_t ip4_be(uint32_t ip4)
{
	return __builtin_bswap32(ip4);
}

/* Puts Ethernet and IPv4 in front of l4_len bytes at p + 34, and fills in the transport checksum at
 * cksum_off of it. Returns the frame's length. */
static size_t finish(uint8_t *p, uint8_t proto, uint32_t l4_len, size_t cksum_off)
{
	const struct ip4_hdr ip = {.total_len = (uint16_t)(20 + l4_len),
	                           .ttl = 64,
	                           .proto = proto,
	                           .df = true,
	                           .src_be = ip4_be(0x0a000001),
	                           .dst_be = ip4_be(0x0a000002)};
	const struct pc_addr src = pc_addr_ip4(ip.src_be), dst = pc_addr_ip4(ip.dst_be);
	uint64_t sum = proto == IPPROTO_ICMP ? 0 : cksum_pseudo(&src, &dst, proto, l4_len);

	eth_write(p, &eth);
	ip4_write(p + 14, &ip);
	ip4_set_cksum(p + 14);
	if (cksum_off > 0)
		wire_put16_be(p + 34 + cksum_off,
		              cksum_finish_udp_be(cksum_add(sum, p + 34, l4_len)));
	return 34 + l4_len;
}

static void expect(const uint8_t *p, size_t len, const char *text)
{
	char buf[300];

	CU_ASSERT_STRING_EQUAL(wire_print(p, len, buf, sizeof(buf)), text);
	if (strcmp(buf, text) != 0)
		printf("\nis:     %s\nshould: %s\n", buf, text);
}

static void test_tcp(void)
{
	struct tcp_seg s = {.sport = 1000,
	                    .dport = 80,
	                    .seq = 1,
	                    .wnd = 64240,
	                    .flags = TCP_SYN,
	                    .mss = 1460,
	                    .wscale = 7,
	                    .tsval = 5,
	                    .has = TCP_HAS_MSS | TCP_HAS_SACKOK | TCP_HAS_TS | TCP_HAS_WSCALE};
	uint8_t p[100] = {0};
	size_t len;

	len = finish(p, IPPROTO_TCP, tcp_write(p + 34, &s), TCP_CKSUM_OFF);
	expect(p, len,
	       MACS " IP 10.0.0.1.1000 > 10.0.0.2.80 [S] seq 1 win 64240"
	            " mss 1460 sackOK TS 5/0 wscale 7 len 0");
	s.flags = TCP_ACK | TCP_PSH | TCP_FIN;
	s.ack = 9;
	s.has = TCP_HAS_SACK;
	s.nb_sack = 2;
	s.sack[0].start = 20;
	s.sack[0].end = 30;
	s.sack[1].start = 40;
	s.sack[1].end = 50;
	memset(p, 0, sizeof(p));
	len = finish(p, IPPROTO_TCP, tcp_write(p + 34, &s) + 5u, TCP_CKSUM_OFF);
	expect(p, len,
	       MACS " IP 10.0.0.1.1000 > 10.0.0.2.80 [FP.] seq 1:6 ack 9 win 64240"
	            " sack {20:30} {40:50} len 5");
	p[len - 1] ^= 1;
	expect(p, len,
	       MACS " IP 10.0.0.1.1000 > 10.0.0.2.80 [FP.] seq 1:6 ack 9 win 64240"
	            " sack {20:30} {40:50} len 5 (bad tcp checksum)");
}

static void test_tcp_print(void)
{
	const struct tcp_seg s = {.sport = 1, .dport = 2, .seq = 3, .wnd = 4, .urg = 5, .flags = 0};
	const struct tcp_seg counting = {.sport = 1,
	                                 .dport = 2,
	                                 .ack = 3,
	                                 .flags = TCP_ACK,
	                                 .accecn = TCP_ACCECN_E1B_CEB,
	                                 .counter = {6, 7, 8}};
	char buf[100];

	CU_ASSERT_STRING_EQUAL(tcp_print(&s, buf, sizeof(buf)),
	                       "1 > 2 [none] seq 3 win 4 urg 5 len 0");
	CU_ASSERT_STRING_EQUAL(tcp_print(&counting, buf, sizeof(buf)),
	                       "1 > 2 [.] seq 0 ack 3 win 0 accecn1 ceb 7 e1b 8 len 0");
	CU_ASSERT_STRING_EQUAL(tcp_print(&s, buf, 6), "1 > 2");
	CU_ASSERT_STRING_EQUAL(tcp_print(&s, buf, 1), "");
}

static void test_udp_and_icmp(void)
{
	const struct udp_hdr u = {.sport = 53, .dport = 1024, .len = 11};
	struct icmp4_hdr i = {.type = ICMP4_ECHO};
	uint8_t p[120] = {0};
	size_t len;

	udp_write(p + 34, &u);
	len = finish(p, IPPROTO_UDP, 11, UDP_CKSUM_OFF);
	expect(p, len, MACS " IP 10.0.0.1.53 > 10.0.0.2.1024 udp len 3");
	wire_put16_be(p + 34 + UDP_CKSUM_OFF, 0);
	expect(p, len, MACS " IP 10.0.0.1.53 > 10.0.0.2.1024 udp len 3 (no udp checksum)");
	memset(p, 0, sizeof(p));
	i.id = 7;
	i.seq = 8;
	icmp4_write(p + 34, &i);
	len = finish(p, IPPROTO_ICMP, 16, ICMP4_CKSUM_OFF);
	expect(p, len, MACS " IP 10.0.0.1 > 10.0.0.2 icmp echo request id 7 seq 8 len 8");
	/* an error that quotes a datagram */
	udp_write(p + 34, &u);
	len = finish(p, IPPROTO_UDP, 11, UDP_CKSUM_OFF);
	memmove(p + 42, p + 14, 28);
	i.type = ICMP4_UNREACHABLE;
	i.code = ICMP4_UNREACH_FRAG;
	i.rest = 1400;
	icmp4_write(p + 34, &i);
	len = finish(p, IPPROTO_ICMP, 36, ICMP4_CKSUM_OFF);
	expect(p, len,
	       MACS " IP 10.0.0.1 > 10.0.0.2 icmp fragmentation needed mtu 1400"
	            " {10.0.0.1.53 > 10.0.0.2.1024 proto 17}");
	p[14 + 10] ^= 1;
	p[14 + 8] = 1;
	p[34 + 20] ^= 1;
	len -= 10;
	expect(p, len, MACS " IP: bad length");
}

static void test_arp_and_others(void)
{
	struct eth_hdr h = eth;
	struct arp_pkt a = {.op = ARP_REQUEST,
	                    .sha = {2, 0, 0, 0, 0, 1},
	                    .spa_be = ip4_be(0x0a000001),
	                    .tpa_be = ip4_be(0x0a000002)};
	uint8_t p[60] = {0};

	h.type = ETH_TYPE_ARP;
	eth_write(p, &h);
	arp_write(p + 14, &a);
	expect(p, 60,
	       MACS " ARP who-has 10.0.0.2 (00:00:00:00:00:00)"
	            " from 10.0.0.1 (02:00:00:00:00:01)");
	p[14] = 9;
	expect(p, 60, MACS " ARP: bad form");
	expect(p, 20, MACS " ARP: bad short");
	wire_put16(p + 12, ETH_TYPE_IP6);
	expect(p, 60, MACS " IP6: bad version");
	wire_put16(p + 12, 0x88b5);
	expect(p, 60, MACS " type 0x88b5 len 46");
	wire_put16(p + 12, ETH_TYPE_VLAN);
	wire_put16(p + 14, 0xe005);
	wire_put16(p + 16, 0x88cc);
	expect(p, 60, MACS " vlan 5 type 0x88cc len 42");
	expect(p, 13, "ethernet: bad short, 13 bytes");
	expect(p, 0, "ethernet: bad short, 0 bytes");
}

static void test_ip6(void)
{
	struct eth_hdr h = {
	    .src = {2, 0, 0, 0, 0, 1}, .dst = {2, 0, 0, 0, 0, 2}, .type = ETH_TYPE_IP6};
	struct ip6_hdr ip = {.next = IPPROTO_ICMPV6,
	                     .hops = 255,
	                     .payload_len = 24,
	                     .src.b = {0xfe, 0x80, [15] = 1},
	                     .dst.b = {0xfe, 0x80, [15] = 2}};
	struct nd_msg m = {.type = ND_NS, .target.b = {0xfe, 0x80, [15] = 2}};
	uint8_t p[14 + 40 + 8 + 24] = {0};

	eth_write(p, &h);
	ip6_write(p + 14, &ip);
	nd_write(p + 54, &m);
	icmp6_set_cksum(p + 54, 24, &ip.src, &ip.dst);
	expect(p, 78, MACS " IP6 fe80::1 > fe80::2 icmp6 type 135 code 0 target fe80::2 len 16");
	p[56] ^= 1;
	expect(p, 78,
	       MACS " IP6 fe80::1 > fe80::2 icmp6 type 135 code 0 target fe80::2 len 16"
	            " (bad icmp6 checksum)");
	ip.next = IP6_EXT_FRAG;
	ip.hops = 1;
	ip6_write(p + 14, &ip);
	memcpy(p + 54, (uint8_t[8]){17, 0, 0, 9, 0, 0, 0, 7}, 8);
	expect(p, 78, MACS " IP6 fe80::1 > fe80::2 proto 17 frag id 7 offset 8+ len 16 hlim 1");
	ip.next = IP6_EXT_DST;
	ip6_write(p + 14, &ip);
	p[55] = 200;
	expect(p, 78, MACS " IP6 fe80::1 > fe80::2 (bad extension headers) len 24 hlim 1");
}

/* The text is cut to any size, and ends within it. */
static void test_every_size(void)
{
	struct tcp_seg s = {.sport = 1000, .dport = 80, .flags = TCP_SYN, .has = TCP_HAS_MSS};
	uint8_t p[100] = {0};
	const size_t len = finish(p, IPPROTO_TCP, tcp_write(p + 34, &s), TCP_CKSUM_OFF);
	char whole[300];

	wire_print(p, len, whole, sizeof(whole));
	CU_ASSERT_PTR_NULL(wire_print(p, len, NULL, 0));
	for (size_t size = 1; size <= strlen(whole) + 2; size++) {
		char *buf = malloc(size);

		wire_print(p, len, buf, size);
		CU_ASSERT(strlen(buf) == (size - 1 < strlen(whole) ? size - 1 : strlen(whole)));
		CU_ASSERT_EQUAL(strncmp(buf, whole, strlen(buf)), 0);
		free(buf);
	}
}

/* Any bytes of any length, most of them beginning like a good frame. */
static void test_random_bytes(void)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 99};
	struct dice dice;
	char buf[400];

	dice_seed(&dice, 1);
	for (unsigned i = 0; i < 50000; i++) {
		const size_t len = dice_below(&dice, 140);
		uint8_t bytes[140], *p;

		for (unsigned j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)(dice_next(&dice) & (i % 3 == 0 ? 0xf : 0xff));
		if (i % 8 != 0)
			wire_put16(bytes + 12, i % 8 == 1 ? ETH_TYPE_ARP : ETH_TYPE_IP4);
		if (i % 8 > 1)
			bytes[14] = (uint8_t)(0x40 | (i % 16 == 2 ? bytes[14] & 0xf : 5));
		if (i % 8 > 2)
			wire_put16(bytes + 16, (uint16_t)(len > 20 ? len - 14 : 20));
		bytes[23] = protos[i / 8 % 4];
		if (i % 8 > 3)
			wire_put16(bytes + 20, 0);
		p = exact_copy(bytes, len);
		wire_print(p, len, buf, sizeof(buf));
		CU_ASSERT(strlen(buf) > 0 && strchr(buf, '\n') == NULL);
		free(p);
	}
}

static const struct unit_case cases[] = {
    {"TCP", test_tcp},
    {"a segment alone", test_tcp_print},
    {"UDP and ICMP", test_udp_and_icmp},
    {"ARP and others", test_arp_and_others},
    {"IPv6", test_ip6},
    {"every size of the buffer", test_every_size},
    {"random bytes", test_random_bytes},
};

UNIT_MAIN("wire/print", cases)
