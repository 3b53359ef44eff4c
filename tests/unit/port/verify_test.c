/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device says of received frames, and what is so. */
#include "port/verify.h"

#include <netinet/in.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "common.h"

#define GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define L4   101 /* bytes of transport header and payload: an odd number */

static struct rte_mempool *pool;

/* A frame with right checksums, behind tags, with padding; its transport header is at *l4. */
static struct rte_mbuf *frame(bool ip4, uint8_t proto, unsigned tags, uint8_t **l4)
{
	const uint16_t eth = (uint16_t)(14 + 4 * tags), hdr = ip4 ? 20 : 40;
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(eth + hdr + L4 + 9)),
	        *ip = p + eth;
	uint16_t sum;

	for (unsigned i = 0; i < m->pkt_len; i++)
		p[i] = (uint8_t)(i * 5);
	for (unsigned i = 0; i < tags; i++)
		memcpy(p + 12 + 4 * i, "\x81\0\0\7", 4);
	memset(ip, 0, hdr);
	*l4 = ip + hdr;
	if (proto == IPPROTO_UDP)
		memcpy(*l4 + 4, (uint8_t[2]){0, L4}, 2);
	memset(*l4 + (proto == IPPROTO_TCP ? 16 : 6), 0, 2);
	if (ip4) {
		struct rte_ipv4_hdr *h = (struct rte_ipv4_hdr *)ip;

		memcpy(ip - 2, "\x08\0", 2);
		*h = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
		                           .total_length = rte_cpu_to_be_16(20 + L4),
		                           .next_proto_id = proto,
		                           .src_addr = 17,
		                           .dst_addr = 18};
		h->hdr_checksum = rte_ipv4_cksum(h);
		sum = rte_ipv4_udptcp_cksum(h, *l4);
	} else {
		struct rte_ipv6_hdr *h = (struct rte_ipv6_hdr *)ip;

		memcpy(ip - 2, "\x86\xdd", 2);
		*h = (struct rte_ipv6_hdr){.vtc_flow = rte_cpu_to_be_32(6u << 28),
		                           .payload_len = rte_cpu_to_be_16(L4),
		                           .proto = proto};
		memcpy(&h->src_addr, "\xfd\1", 2);
		memcpy(&h->dst_addr, "\xfd\2", 2);
		sum = rte_ipv6_udptcp_cksum(h, *l4);
	}
	memcpy(*l4 + (proto == IPPROTO_TCP ? 16 : 6), &sum, 2);
	m->ol_flags |= GOOD;
	return m;
}

static uint32_t judge(struct rte_mbuf *m)
{
	const uint32_t wrong = verify_frame(m);

	rte_pktmbuf_free(m);
	return wrong;
}

static void good_and_bad(void)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (unsigned ip4 = 0; ip4 < 2; ip4++)
		for (unsigned k = 0; k < 2; k++)
			for (unsigned tags = 0; tags < 3; tags++) {
				struct rte_mbuf *m;
				uint8_t *l4;

				CU_ASSERT_EQUAL(judge(frame(ip4, protos[k], tags, &l4)), 0);
				m = frame(ip4, protos[k], tags, &l4);
				l4[L4 - 1] ^= 1;
				CU_ASSERT_EQUAL(judge(m), PC_PORT_RX_L4_CKSUM);
				m = frame(ip4, protos[k], tags, &l4);
				l4[L4] ^= 1; /* padding */
				CU_ASSERT_EQUAL(judge(m), 0);
				m = frame(ip4, protos[k], tags, &l4);
				l4[50] ^= 1; /* of which nothing is said, or that it is bad */
				m->ol_flags &= ~(uint64_t)RTE_MBUF_F_RX_L4_CKSUM_MASK;
				m->ol_flags |= tags == 1 ? RTE_MBUF_F_RX_L4_CKSUM_BAD : 0;
				CU_ASSERT_EQUAL(judge(m), 0);
			}
}

/* The device may have put them into several mbufs, of whatever sizes. */
static void chains(void)
{
	for (unsigned ip4 = 0; ip4 < 2; ip4++)
		for (uint16_t rest = 1; rest < L4 - 20; rest++) {
			struct rte_mbuf *m, *tail = rte_pktmbuf_alloc(pool);
			char *to = rte_pktmbuf_append(tail, (uint16_t)(rest + 9));
			uint8_t *l4;

			m = frame(ip4, IPPROTO_TCP, 0, &l4);
			memcpy(to, l4 + L4 - rest, rest + 9u);
			rte_pktmbuf_trim(m, (uint16_t)(rest + 9));
			rte_pktmbuf_chain(m, tail);
			CU_ASSERT_EQUAL(verify_frame(m), 0);
			to[rest - 1] ^= 1;
			CU_ASSERT_EQUAL(judge(m), PC_PORT_RX_L4_CKSUM);
		}
}

static void headers_of_ip4(void)
{
	struct rte_mbuf *m;
	uint8_t *l4;

	m = frame(true, IPPROTO_TCP, 0, &l4);
	l4[-10] ^= 1; /* the header's own checksum */
	CU_ASSERT_EQUAL(judge(m), PC_PORT_RX_IP4_CKSUM);
	m = frame(true, IPPROTO_TCP, 0, &l4);
	l4[-10] ^= 1;
	m->ol_flags &= ~(uint64_t)RTE_MBUF_F_RX_IP_CKSUM_MASK;
	CU_ASSERT_EQUAL(judge(m), 0);
}

/* What has no checksum here, or is not all there. */
static void others(void)
{
	struct rte_mbuf *m;
	uint8_t *l4;

	m = frame(true, IPPROTO_UDP, 0, &l4);
	l4[6] = l4[7] = 0; /* RFC 768: none */
	CU_ASSERT_EQUAL(judge(m), 0);
	for (unsigned ip4 = 0; ip4 < 2; ip4++) {
		m = frame(ip4, IPPROTO_UDP, 0, &l4);
		l4[5] =
		    L4 -
		    10; /* RFC 768: the datagram ends before the packet, and its checksum is of another length */
		CU_ASSERT_EQUAL(judge(m), 0);
	}
	CU_ASSERT_EQUAL(judge(frame(true, IPPROTO_ICMP, 0, &l4)), 0);
	CU_ASSERT_EQUAL(judge(frame(false, IPPROTO_FRAGMENT, 0, &l4)), 0);
	m = frame(true, IPPROTO_TCP, 0, &l4);
	l4[50] ^= 1;
	l4[-14] = 0x20; /* more fragments follow */
	m->ol_flags &= ~(uint64_t)RTE_MBUF_F_RX_IP_CKSUM_MASK;
	CU_ASSERT_EQUAL(judge(m), 0);
	m = frame(true, IPPROTO_TCP, 0, &l4);
	l4[-20] = 0x46; /* options */
	CU_ASSERT_EQUAL(judge(m), 0);
	for (unsigned ip4 = 0; ip4 < 2; ip4++)
		for (uint16_t cut = 10; cut < 120; cut++) {
			m = frame(ip4, IPPROTO_TCP, 0, &l4);
			rte_pktmbuf_trim(m, cut);
			CU_ASSERT_EQUAL(judge(m), 0);
		}
	m = frame(true, IPPROTO_TCP, 0, &l4);
	l4[-7] = 0x11; /* ARP or the like */
	rte_pktmbuf_mtod(m, uint8_t *)[13] = 6;
	CU_ASSERT_EQUAL(judge(m), 0);
}

/* What a device says has no checksum yet gets one: that which it would have had. */
static void completed(void)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (unsigned i = 0; i < 12; i++) {
		const uint8_t proto = protos[i & 1];
		const unsigned field = proto == IPPROTO_TCP ? 16 : 6;
		uint8_t *l4, right[2];
		struct rte_mbuf *m = frame(i & 2, proto, i / 4, &l4);

		memcpy(right, l4 + field, 2);
		memcpy(l4 + field, "\x12\x34", 2);
		verify_complete(m); /* this one has one, says the device */
		CU_ASSERT_EQUAL(memcmp(l4 + field, "\x12\x34", 2), 0);
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
		verify_complete(m);
		CU_ASSERT_EQUAL(memcmp(l4 + field, right, 2), 0);
		rte_pktmbuf_free(m);
	}
}

static const struct unit_case cases[] = {
    {"good and bad ones", good_and_bad},      {"in several mbufs", chains},
    {"headers of IPv4", headers_of_ip4},      {"others", others},
    {"frames without a checksum", completed},
};

int main(void)
{
	eal_start();
	pool = eal_pool("verify", 255);
	return unit_run("port/verify", cases, sizeof(cases) / sizeof(cases[0]));
}
