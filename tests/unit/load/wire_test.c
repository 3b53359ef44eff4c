/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire.h"

#include <string.h>

#include "unit/unit.h"

static void test_sum(void)
{
	uint8_t bytes[100];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (uint32_t len = 0; len <= sizeof(bytes); len++)
		CU_ASSERT_EQUAL(stream_fold(wire_sum(bytes, len)), rte_raw_cksum(bytes, len));
}

static void test_l4(void)
{
	struct {
		struct rte_ipv4_hdr ip;
		struct rte_tcp_hdr tcp;
		uint8_t data[33];
	} __attribute__((packed, aligned(2))) f;

	memset(&f, 0x5a, sizeof(f));
	f.ip.version_ihl = RTE_IPV4_VHL_DEF;
	f.ip.next_proto_id = IPPROTO_TCP;
	f.ip.total_length = rte_cpu_to_be_16(sizeof(f));
	f.tcp.cksum = 0;
	CU_ASSERT_EQUAL(wire_l4_sum(&f.ip, &f.tcp, sizeof(f) - 20),
	                rte_ipv4_udptcp_cksum(&f.ip, &f.tcp));
	f.tcp.cksum = wire_l4_sum(&f.ip, &f.tcp, sizeof(f) - 20);
	CU_ASSERT(wire_l4_ok(&f.ip, &f.tcp, sizeof(f) - 20));
	f.data[32] ^= 1;
	CU_ASSERT(!wire_l4_ok(&f.ip, &f.tcp, sizeof(f) - 20));
	f.ip.hdr_checksum = 0;
	f.ip.hdr_checksum = rte_ipv4_cksum(&f.ip);
	CU_ASSERT(wire_ip_ok(&f.ip));
	f.ip.time_to_live--;
	CU_ASSERT(!wire_ip_ok(&f.ip));
}

static void test_l4_ip6(void)
{
	struct {
		struct rte_ipv6_hdr ip;
		struct rte_tcp_hdr tcp;
		uint8_t data[33];
	} __attribute__((packed, aligned(2))) f;

	memset(&f, 0xa5, sizeof(f));
	f.ip.proto = IPPROTO_TCP;
	f.ip.payload_len = rte_cpu_to_be_16(sizeof(f) - sizeof(f.ip));
	f.tcp.cksum = 0;
	CU_ASSERT_EQUAL(wire_l4_sum6(&f.ip, &f.tcp, sizeof(f) - sizeof(f.ip)),
	                rte_ipv6_udptcp_cksum(&f.ip, &f.tcp));
	f.tcp.cksum = wire_l4_sum6(&f.ip, &f.tcp, sizeof(f) - sizeof(f.ip));
	CU_ASSERT(wire_l4_ok6(&f.ip, &f.tcp, sizeof(f) - sizeof(f.ip)));
	((uint8_t *)&f.ip.dst_addr)[15] ^= 1;
	CU_ASSERT(!wire_l4_ok6(&f.ip, &f.tcp, sizeof(f) - sizeof(f.ip)));
}

static void test_parse(void)
{
	struct {
		struct rte_tcp_hdr tcp;
		uint8_t rest[20];
	} f = {.tcp = {.sent_seq = RTE_BE32(1),
	               .recv_ack = RTE_BE32(2),
	               .data_off = 8 << 4,
	               .rx_win = RTE_BE16(3)}};
	struct segment s;

	CU_ASSERT(wire_parse(&s, &f.tcp, sizeof(f)));
	CU_ASSERT(s.seq == 1 && s.ack == 2 && s.wnd == 3 && s.options == 12 && s.len == 8);
	CU_ASSERT(s.data == f.rest + 12);
	CU_ASSERT(!wire_parse(&s, &f.tcp, 31));
	f.tcp.data_off = 4 << 4;
	CU_ASSERT(!wire_parse(&s, &f.tcp, sizeof(f)));
}

static const struct unit_case cases[] = {
    {"sums are those of DPDK", test_sum},
    {"checksums of headers and segments", test_l4},
    {"checksums over IPv6", test_l4_ip6},
    {"segments are read, malformed ones not", test_parse},
};

UNIT_MAIN("load/wire", cases)
