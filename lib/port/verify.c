/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <percore/port.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "frame.h"

static bool says_good_l4(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

static bool says_good_ip(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}

/* Returns the offset of the IP header, after any tags, and its type; 0: the frame is too short. */
static uint16_t find_ip(const struct rte_mbuf *m, uint16_t *type)
{
	const uint32_t at = frame_payload(m, type);

	return at + sizeof(struct rte_ipv4_hdr) <= m->data_len ? (uint16_t)at : 0;
}

/* Says whether a packet of len bytes at an offset, with this protocol at l4, has a checksum of TCP
 * or UDP. */
static bool has_l4(const struct rte_mbuf *m, uint32_t at, uint32_t len, uint8_t proto, uint32_t l4)
{
	if (at + len > m->pkt_len || l4 + sizeof(struct rte_udp_hdr) > m->data_len)
		return false;
	if (proto == IPPROTO_UDP) {
		const struct rte_udp_hdr *udp =
		    rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, l4);

		/* bytes after the datagram (RFC 9868) are in no checksum: devices treat them
		 * differently, and a sender could cause a correct offload to be withdrawn */
		return udp->dgram_cksum != 0 && rte_be_to_cpu_16(udp->dgram_len) == at + len - l4;
	}
	return proto == IPPROTO_TCP;
}

/** An upper layer with a checksum. */
struct upper {
	uint32_t at, len; /* bytes from the header on, without padding */
	uint16_t pseudo;  /* the sum of the pseudo-header */
	uint8_t proto;
};

static bool is_fragment(const struct rte_ipv4_hdr *ip)
{
	const rte_be16_t mask = rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);

	return (ip->fragment_offset & mask) != 0;
}

static bool find_upper4(const struct rte_mbuf *m, uint16_t at, struct upper *u)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, at);
	const uint32_t len = rte_be_to_cpu_16(ip->total_length);

	u->at = at + (uint32_t)sizeof(*ip);
	if (ip->version_ihl != RTE_IPV4_VHL_DEF || len < sizeof(*ip) || is_fragment(ip) ||
	    !has_l4(m, at, len, ip->next_proto_id, u->at))
		return false;
	u->len = len - (uint32_t)sizeof(*ip);
	u->pseudo = rte_ipv4_phdr_cksum(ip, 0);
	u->proto = ip->next_proto_id;
	return true;
}

static bool find_upper6(const struct rte_mbuf *m, uint16_t at, struct upper *u)
{
	const struct rte_ipv6_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, at);

	u->at = at + (uint32_t)sizeof(*ip);
	u->len = rte_be_to_cpu_16(ip->payload_len);
	if (!has_l4(m, at, (uint32_t)sizeof(*ip) + u->len, ip->proto, u->at))
		return false;
	u->pseudo = rte_ipv6_phdr_cksum(ip, 0);
	u->proto = ip->proto;
	return true;
}

/* Finds the upper layer with a checksum in the packet at an offset. Returns false if there is
 * none. */
static bool find_upper(const struct rte_mbuf *m, uint16_t type, uint16_t at, struct upper *u)
{
	return type == RTE_ETHER_TYPE_IPV4   ? find_upper4(m, at, u)
	       : type == RTE_ETHER_TYPE_IPV6 ? find_upper6(m, at, u)
	                                     : false;
}

static bool is_wrong(const struct rte_mbuf *m, const struct upper *u)
{
	uint16_t sum;

	return frame_sum_of(m, u->at, u->len, &sum) &&
	       __rte_raw_cksum_reduce((uint32_t)sum + u->pseudo) != UINT16_MAX;
}

static bool is_wrong_ip4(const struct rte_mbuf *m, uint16_t at)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, at);

	return ip->version_ihl == RTE_IPV4_VHL_DEF &&
	       rte_be_to_cpu_16(ip->total_length) >= sizeof(*ip) && rte_ipv4_cksum(ip) != 0;
}

uint32_t verify_frame(const struct rte_mbuf *m)
{
	uint16_t type = 0, at;
	uint32_t wrong = 0;
	struct upper u;

	if (!says_good_ip(m) && !says_good_l4(m))
		return 0;
	at = find_ip(m, &type);
	if (at == 0)
		return 0;
	if (says_good_ip(m) && type == RTE_ETHER_TYPE_IPV4 && is_wrong_ip4(m, at))
		wrong |= PC_PORT_RX_IP4_CKSUM;
	if (says_good_l4(m) && find_upper(m, type, at, &u) && is_wrong(m, &u))
		wrong |= PC_PORT_RX_L4_CKSUM;
	return wrong;
}

void verify_complete(struct rte_mbuf *m)
{
	uint16_t type = 0, at, sum;
	struct upper u;
	uint32_t field;

	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_NONE)
		return;
	at = find_ip(m, &type);
	if (at == 0 || !find_upper(m, type, at, &u))
		return;
	field = u.at + (uint32_t)(u.proto == IPPROTO_UDP ? offsetof(struct rte_udp_hdr, dgram_cksum)
	                                                 : offsetof(struct rte_tcp_hdr, cksum));
	if (field + sizeof(sum) > m->data_len)
		return;
	memset(rte_pktmbuf_mtod_offset(m, void *, field), 0, sizeof(sum));
	if (!frame_sum_of(m, u.at, u.len, &sum))
		return;
	sum = (uint16_t)~__rte_raw_cksum_reduce((uint32_t)sum + u.pseudo);
	if (u.proto == IPPROTO_UDP && sum == 0) /* RFC 768 */
		sum = UINT16_MAX;
	memcpy(rte_pktmbuf_mtod_offset(m, void *, field), &sum, sizeof(sum));
}
