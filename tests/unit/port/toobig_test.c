/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>

#include "common.h"

#include <rte_icmp.h>

#include "port/toobig.h"

#define MTU 1000

static struct rte_mempool *pool;

/* An IPv4 packet of that many bytes in all, UDP, from 192.0.2.1 to 192.0.2.2. */
static struct rte_mbuf *packet4(uint16_t len, uint16_t frag, uint8_t proto)
{
	struct rte_mbuf *m = make_frame(pool, 1, (uint16_t)(RTE_ETHER_HDR_LEN + len));
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (void *)(eth + 1);

	memset(eth->src_addr.addr_bytes, 0x11, 6);
	memset(eth->dst_addr.addr_bytes, 0x22, 6);
	*ip = (struct rte_ipv4_hdr){
	    .version_ihl = RTE_IPV4_VHL_DEF,
	    .total_length = rte_cpu_to_be_16(len),
	    .fragment_offset = rte_cpu_to_be_16(frag),
	    .time_to_live = 9,
	    .next_proto_id = proto,
	    .src_addr = inet_addr("192.0.2.1"),
	    .dst_addr = inet_addr("192.0.2.2"),
	};
	return m;
}

static struct rte_mbuf *packet6(uint16_t len, uint8_t proto)
{
	struct rte_mbuf *m = make_frame(pool, 1, (uint16_t)(RTE_ETHER_HDR_LEN + len));
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_ipv6_hdr *ip = (void *)(eth + 1);

	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
	*ip = (struct rte_ipv6_hdr){.vtc_flow = rte_cpu_to_be_32(6u << 28),
	                            .payload_len = rte_cpu_to_be_16((uint16_t)(len - 40)),
	                            .proto = proto};
	memset(&ip->src_addr, 0xa1, 16);
	memset(&ip->dst_addr, 0xb2, 16);
	return m;
}

static void only_large_packets_are_too_big(void)
{
	struct rte_mbuf *m = packet4(MTU, 0, IPPROTO_UDP), *n = packet4(MTU + 1, 0, IPPROTO_UDP);
	struct rte_mbuf *arp = make_frame(pool, 1, 1200);

	rte_pktmbuf_mtod(arp, uint8_t *)[13] = 6;
	CU_ASSERT_FALSE(toobig_packet(m, MTU));
	CU_ASSERT_TRUE(toobig_packet(n, MTU));
	CU_ASSERT_FALSE(toobig_packet(arp, MTU));
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(n);
	rte_pktmbuf_free(arp);
}

/* RFC 1191 4: code 4, "a next-hop MTU field"; RFC 792: the header and at least 8 bytes are quoted. */
static void ipv4_with_df_is_answered(void)
{
	struct rte_mbuf *m = packet4(1400, RTE_IPV4_HDR_DF_FLAG, IPPROTO_TCP);
	struct rte_mbuf *a = toobig_answer(m, MTU, pool);
	const struct rte_ether_hdr *eth;
	const struct rte_ipv4_hdr *ip;
	const uint8_t *icmp;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	eth = rte_pktmbuf_mtod(a, const struct rte_ether_hdr *);
	ip = (const void *)(eth + 1);
	icmp = (const uint8_t *)(ip + 1);
	CU_ASSERT_EQUAL(eth->dst_addr.addr_bytes[0], 0x11);
	CU_ASSERT_EQUAL(eth->src_addr.addr_bytes[0], 0x22);
	CU_ASSERT_EQUAL(ip->next_proto_id, IPPROTO_ICMP);
	CU_ASSERT_EQUAL(ip->src_addr, inet_addr("192.0.2.2"));
	CU_ASSERT_EQUAL(ip->dst_addr, inet_addr("192.0.2.1"));
	CU_ASSERT_EQUAL(rte_be_to_cpu_16(ip->total_length), 576);
	CU_ASSERT_EQUAL(rte_pktmbuf_data_len(a), RTE_ETHER_HDR_LEN + 576);
	CU_ASSERT_EQUAL(rte_raw_cksum(ip, 20), 0xffff);
	CU_ASSERT_EQUAL(rte_raw_cksum(icmp, 556), 0xffff);
	CU_ASSERT_EQUAL(icmp[0], 3);
	CU_ASSERT_EQUAL(icmp[1], 4);
	CU_ASSERT_EQUAL(icmp[6] << 8 | icmp[7], MTU);
	CU_ASSERT_EQUAL(memcmp(icmp + 8, rte_pktmbuf_mtod(m, uint8_t *) + 14, 548), 0);
	rte_pktmbuf_free(a);
	rte_pktmbuf_free(m);
}

/* RFC 4443 3.2: type 2, code 0, the MTU in 32 bits; the checksum covers the pseudo header. */
static void ipv6_is_answered(void)
{
	struct rte_mbuf *m = packet6(1400, IPPROTO_TCP);
	struct rte_mbuf *a = toobig_answer(m, 1280, pool);
	const struct rte_ipv6_hdr *ip;
	const uint8_t *icmp;
	uint32_t len, sum;

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	ip = rte_pktmbuf_mtod_offset(a, const struct rte_ipv6_hdr *, RTE_ETHER_HDR_LEN);
	icmp = (const uint8_t *)(ip + 1);
	len = rte_be_to_cpu_16(ip->payload_len);
	CU_ASSERT_EQUAL(len, 8 + 1232);
	CU_ASSERT_EQUAL(rte_pktmbuf_data_len(a), RTE_ETHER_HDR_LEN + 40 + len);
	CU_ASSERT_EQUAL(*(const uint8_t *)&ip->src_addr, 0xb2);
	CU_ASSERT_EQUAL(((const uint8_t *)&ip->dst_addr)[15], 0xa1);
	CU_ASSERT_EQUAL(icmp[0], 2);
	CU_ASSERT_EQUAL(icmp[6] << 8 | icmp[7], 1280);
	sum = rte_raw_cksum(icmp, len) + (uint32_t)rte_ipv6_phdr_cksum(ip, 0);
	CU_ASSERT_EQUAL((sum & 0xffff) + (sum >> 16), 0xffff);
	rte_pktmbuf_free(a);
	rte_pktmbuf_free(m);
}

/* An MTU is one of packets: tags do not count; and the error goes back to where the packet came from. */
static void tags_are_no_part_of_the_packet(void)
{
	static const uint8_t tags[8] = {0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x60, 0x0a};

	for (uint32_t n = 4; n <= 8; n += 4)
		for (unsigned family = 4; family <= 6; family += 2)
			for (uint16_t more = 0; more < 2; more++) {
				struct rte_mbuf *m =
				    family == 4 ? packet4((uint16_t)(MTU + more),
				                          RTE_IPV4_HDR_DF_FLAG, IPPROTO_UDP)
				                : packet6((uint16_t)(MTU + more), IPPROTO_UDP);
				struct rte_mbuf *a, *plain = toobig_answer(m, MTU, pool);
				const uint8_t *p;

				CU_ASSERT_PTR_NOT_NULL_FATAL(rte_pktmbuf_prepend(m, (uint16_t)n));
				memmove(rte_pktmbuf_mtod(m, uint8_t *),
				        rte_pktmbuf_mtod(m, uint8_t *) + n, 12);
				memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, 12), tags + 8 - n, n);
				CU_ASSERT_EQUAL(toobig_packet(m, MTU), more == 1);
				a = toobig_answer(m, MTU, pool);
				CU_ASSERT_PTR_NOT_NULL_FATAL(a);
				CU_ASSERT_EQUAL_FATAL(a->pkt_len, plain->pkt_len + n);
				p = rte_pktmbuf_mtod(a, const uint8_t *);
				CU_ASSERT_EQUAL(memcmp(p + 12, tags + 8 - n, n), 0);
				CU_ASSERT_EQUAL(
				    memcmp(p, rte_pktmbuf_mtod(plain, const uint8_t *), 12), 0);
				CU_ASSERT_EQUAL(
				    memcmp(p + 12 + n,
				           rte_pktmbuf_mtod(plain, const uint8_t *) + 12,
				           plain->pkt_len - 12),
				    0);
				rte_pktmbuf_free(m);
				rte_pktmbuf_free(a);
				rte_pktmbuf_free(plain);
			}
}

static bool answers(struct rte_mbuf *m)
{
	struct rte_mbuf *a = toobig_answer(m, MTU, pool);

	rte_pktmbuf_free(m);
	rte_pktmbuf_free(a);
	return a != NULL;
}

/* RFC 1122 3.2.2: no error about an ICMP error, or about a fragment other than the first. */
static void what_asks_for_no_answer_gets_none(void)
{
	struct rte_mbuf *arp = make_frame(pool, 1, 1200);

	struct rte_mbuf *echo = packet4(1400, RTE_IPV4_HDR_DF_FLAG, IPPROTO_ICMP);
	struct rte_mbuf *error = packet4(1400, RTE_IPV4_HDR_DF_FLAG, IPPROTO_ICMP);
	struct rte_mbuf *echo6 = packet6(1400, IPPROTO_ICMPV6),
	                *error6 = packet6(1400, IPPROTO_ICMPV6);

	rte_pktmbuf_mtod(echo, uint8_t *)[34] = 8;
	rte_pktmbuf_mtod(error, uint8_t *)[34] = 3;
	rte_pktmbuf_mtod(echo6, uint8_t *)[54] = 128;
	rte_pktmbuf_mtod(error6, uint8_t *)[54] = 1;
	CU_ASSERT_TRUE(answers(echo));
	CU_ASSERT_FALSE(answers(error));
	CU_ASSERT_TRUE(answers(echo6));
	CU_ASSERT_FALSE(answers(error6));
	rte_pktmbuf_mtod(arp, uint8_t *)[13] = 6;
	CU_ASSERT_FALSE(answers(packet4(1400, 0, IPPROTO_UDP)));
	CU_ASSERT_FALSE(answers(packet4(1400, RTE_IPV4_HDR_DF_FLAG | 100, IPPROTO_UDP)));
	CU_ASSERT_FALSE(answers(arp));
	CU_ASSERT_FALSE(answers(make_frame(pool, 1, 20)));
	CU_ASSERT_TRUE(answers(packet4(1400, RTE_IPV4_HDR_DF_FLAG, IPPROTO_UDP)));
	CU_ASSERT_EQUAL(eal_in_use(pool), 0);
}

static const struct unit_case cases[] = {
    {"only large packets are too big", only_large_packets_are_too_big},
    {"IPv4 with DF is answered", ipv4_with_df_is_answered},
    {"IPv6 is answered", ipv6_is_answered},
    {"tags are no part of the packet", tags_are_no_part_of_the_packet},
    {"what asks for no answer gets none", what_asks_for_no_answer_gets_none},
};

int main(void)
{
	eal_start();
	pool = eal_pool("toobig", 255);
	return unit_run("port/toobig", cases, sizeof(cases) / sizeof(cases[0]));
}
