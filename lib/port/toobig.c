/* SPDX-License-Identifier: BSD-2-Clause */
#include "toobig.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include "frame.h"

/* Overview: a layer without addresses of its own acts as a router, so the answer's source is the
 * address that the packet was sent to, as if that host had sent it. */

#define ICMP4_UNREACHABLE 3
#define ICMP4_FRAG_NEEDED 4
#define ICMP6_TOO_BIG     2
#define ICMP_HEADER       8
#define ANSWER_TTL        64
#define QUOTE4            548 /* RFC 1812 4.3.2.3: as much as fits in 576 bytes in all */
#define QUOTE6            1232

struct icmp_too_big {
	uint8_t type, code;
	uint16_t cksum_be;
	uint32_t mtu_be; /* RFC 1191: 16 unused bits, then the MTU in 16 bits */
} __attribute__((packed, aligned(2)));

/* Returns the offset of the IP header of a packet of this type, of which at least header bytes are
 * there; 0: it is none. */
static uint32_t packet_at(const struct rte_mbuf *m, uint16_t type, size_t header)
{
	uint16_t is;
	const uint32_t at = frame_payload(m, &is);

	return at != 0 && is == type && rte_pktmbuf_data_len(m) >= at + header ? at : 0;
}

bool toobig_packet(const struct rte_mbuf *m, uint16_t mtu)
{
	uint16_t type;
	const uint32_t at = frame_payload(m, &type);

	return at != 0 && (type == RTE_ETHER_TYPE_IPV4 || type == RTE_ETHER_TYPE_IPV6) &&
	       rte_pktmbuf_pkt_len(m) > at + mtu;
}

/* Says whether to answer an IPv4 packet: not an ICMP error (RFC 1122 3.2.2), which types 3 to 5, 11
 * and 12 are. The byte after the header exists, since the packet is too large. */
static bool wants_answer4(const struct rte_ipv4_hdr *ip)
{
	uint16_t frag = rte_be_to_cpu_16(ip->fragment_offset);
	uint8_t type = *(const uint8_t *)(ip + 1);

	if (ip->next_proto_id == IPPROTO_ICMP &&
	    ((type >= 3 && type <= 5) || type == 11 || type == 12))
		return false;
	return ip->version_ihl == RTE_IPV4_VHL_DEF && (frag & RTE_IPV4_HDR_DF_FLAG) != 0 &&
	       (frag & RTE_IPV4_HDR_OFFSET_MASK) == 0;
}

/* Allocates an answer to a packet at m's offset at: with the Ethernet header and tags, the addresses
 * swapped, and quote bytes of the packet at its end. */
static struct rte_mbuf *answer_begin(const struct rte_mbuf *m, uint32_t at,
                                     struct rte_mempool *pool, uint16_t header, uint16_t *quote)
{
	struct rte_mbuf *a = rte_pktmbuf_alloc(pool);
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	struct rte_ether_hdr *out;

	if (a == NULL)
		return NULL;
	*quote = (uint16_t)RTE_MIN((uint32_t)*quote, rte_pktmbuf_pkt_len(m) - at);
	out = (void *)rte_pktmbuf_append(a, (uint16_t)(at + header + ICMP_HEADER + *quote));
	if (out == NULL) {
		rte_pktmbuf_free(a);
		return NULL;
	}
	memcpy(out, eth, at);
	out->dst_addr = eth->src_addr;
	out->src_addr = eth->dst_addr;
	return a;
}

static void put_quote(uint8_t *to, const struct rte_mbuf *m, uint32_t at, uint16_t len)
{
	const void *from = rte_pktmbuf_read(m, at, len, to);

	if (from != NULL && from != to)
		memcpy(to, from, len);
}

static struct rte_mbuf *answer4(const struct rte_mbuf *m, uint32_t at, uint16_t mtu,
                                struct rte_mempool *pool)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, at);
	uint16_t quote = QUOTE4;
	struct rte_ipv4_hdr *out;
	struct icmp_too_big *icmp;
	struct rte_mbuf *a;

	if (!wants_answer4(ip))
		return NULL;
	a = answer_begin(m, at, pool, sizeof(*out), &quote);
	if (a == NULL)
		return NULL;
	out = rte_pktmbuf_mtod_offset(a, struct rte_ipv4_hdr *, at);
	icmp = (void *)(out + 1);
	*out = (struct rte_ipv4_hdr){
	    .version_ihl = RTE_IPV4_VHL_DEF,
	    .total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*out) + ICMP_HEADER + quote)),
	    .time_to_live = ANSWER_TTL,
	    .next_proto_id = IPPROTO_ICMP,
	    .src_addr = ip->dst_addr,
	    .dst_addr = ip->src_addr,
	};
	out->hdr_checksum = rte_ipv4_cksum(out);
	*icmp = (struct icmp_too_big){
	    .type = ICMP4_UNREACHABLE, .code = ICMP4_FRAG_NEEDED, .mtu_be = rte_cpu_to_be_32(mtu)};
	put_quote((uint8_t *)(icmp + 1), m, at, quote);
	icmp->cksum_be = (uint16_t)~rte_raw_cksum(icmp, ICMP_HEADER + (size_t)quote);
	return a;
}

static struct rte_mbuf *answer6(const struct rte_mbuf *m, uint32_t at, uint16_t mtu,
                                struct rte_mempool *pool)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, at);
	uint16_t quote = QUOTE6;
	struct rte_ipv6_hdr *out;
	struct icmp_too_big *icmp;
	struct rte_mbuf *a;
	uint32_t sum;

	/* RFC 4443 2.4 (e.1): an error message has a type below 128 */
	if (ip->proto == IPPROTO_ICMPV6 && *(const uint8_t *)(ip + 1) < 128)
		return NULL;
	a = answer_begin(m, at, pool, sizeof(*out), &quote);
	if (a == NULL)
		return NULL;
	out = rte_pktmbuf_mtod_offset(a, struct rte_ipv6_hdr *, at);
	icmp = (void *)(out + 1);
	*out = (struct rte_ipv6_hdr){
	    .vtc_flow = rte_cpu_to_be_32(6u << 28),
	    .payload_len = rte_cpu_to_be_16((uint16_t)(ICMP_HEADER + quote)),
	    .proto = IPPROTO_ICMPV6,
	    .hop_limits = ANSWER_TTL,
	};
	memcpy(&out->src_addr, &ip->dst_addr, sizeof(out->src_addr));
	memcpy(&out->dst_addr, &ip->src_addr, sizeof(out->dst_addr));
	*icmp = (struct icmp_too_big){.type = ICMP6_TOO_BIG, .mtu_be = rte_cpu_to_be_32(mtu)};
	put_quote((uint8_t *)(icmp + 1), m, at, quote);
	sum = rte_raw_cksum(icmp, ICMP_HEADER + (size_t)quote) +
	      (uint32_t)rte_ipv6_phdr_cksum(out, 0);
	icmp->cksum_be = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
	return a;
}

struct rte_mbuf *toobig_answer(const struct rte_mbuf *m, uint16_t mtu, struct rte_mempool *pool)
{
	uint32_t at = packet_at(m, RTE_ETHER_TYPE_IPV4, sizeof(struct rte_ipv4_hdr) + 1);

	if (at != 0)
		return answer4(m, at, mtu, pool);
	at = packet_at(m, RTE_ETHER_TYPE_IPV6, sizeof(struct rte_ipv6_hdr) + 1);
	return at != 0 ? answer6(m, at, mtu, pool) : NULL;
}
