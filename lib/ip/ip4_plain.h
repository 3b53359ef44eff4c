/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_IP4_PLAIN_H
#define IP_IP4_PLAIN_H

/*
 * The usual IPv4 packet: not a fragment, without options, in one mbuf, in an untagged frame from
 * another host to our own MAC address.
 *
 * It is recognised together with its Ethernet header, in 110 instructions instead of 310.  In case
 * of doubt this says no; eth_input and ip4_input then examine the frame again and find what is
 * wrong.
 */

#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "ip/ip.h"
#include "wire/eth.h"
#include "wire/ip4.h"

/* Shared by the fast and the slow path. */

/* NONE means that the packet is good although its checksum is not (a local sender left it out). */
static inline bool ip4_header_is_good(uint32_t offloads, uint64_t ol_flags, const uint8_t *p,
                                      uint8_t hdr_len)
{
	const uint64_t said = ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if ((offloads & PC_PORT_RX_IP4_CKSUM) != 0 && said != RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
		return said != RTE_MBUF_F_RX_IP_CKSUM_BAD;
	return ip4_cksum_ok(p, hdr_len);
}

static inline int ip4_next_of(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return NEXT_TCP;
	case IPPROTO_UDP:
		return NEXT_UDP;
	case IPPROTO_ICMP:
		return NEXT_ICMP4;
	case IPPROTO_IGMP:
		return NEXT_IGMP;
	default:
		return PC_DROP_IP4_PROTOCOL;
	}
}

/* The fast path. */

#define IP4_NOT_PLAIN (-1)

/* Says whether src and dst are of the usual kind: src a host other than us, dst an address of ours,
 * whose index is stored in *laddr. */
static inline bool ip4_hosts_are_plain(const struct ip *ip, uint8_t netif, uint32_t src_be,
                                       uint32_t dst_be, uint16_t *laddr)
{
	const struct netifs *ifs = &ip->ifs;
	const uint8_t net = (uint8_t)src_be;
	uint16_t found = LADDR_NONE;

	if (net == 0 || net == 127 || net >= 224)
		return false;
	for (uint16_t i = 0; i < ifs->nb_addrs; i++) {
		if (src_be == ifs->last_be[i] || src_be == ifs->broadcast_be[i])
			return false;
		if (dst_be == ifs->last_be[i])
			found = i;
	}
	*laddr = found;
	return found != LADDR_NONE && ifs->addr[found].netif == netif &&
	       netifs_is_usable(ifs, found) && pc_addr_is_ip4(&ifs->addr[found].addr);
}

/* Says whether a frame begins like an untagged one from another host to us, with an IPv4
 * header without options. */
static inline bool ip4_frame_is_plain(const uint8_t *eth, const uint8_t mac[ETH_ADDR_LEN])
{
	const uint64_t ends = wire_get32_be(mac) | (uint64_t)wire_get16_be(mac + 4) << 32;
	uint64_t first;
	uint32_t type;

	memcpy(&first, eth, sizeof(first)); /* both addresses: the source must not be a group */
	memcpy(&type, eth + 2 * ETH_ADDR_LEN, sizeof(type));
	return (first & (UINT64_MAX >> 16 | 1ull << 48)) == ends &&
	       (type & 0xffffff) == (uint32_t)(0x08 | 0x00 << 8 | 0x45 << 16);
}

/**
 * ip4_plain_input does the work of eth_input and ip4_input for such a frame. Verdict: NEXT_TCP,
 * NEXT_UDP, NEXT_ICMP4, NEXT_IGMP or a drop; IP4_NOT_PLAIN: nothing has changed.
 */
static inline int ip4_plain_input(const struct ip *ip, struct rte_mbuf *m, uint8_t netif,
                                  struct ip_pkt *p)
{
	const struct pc_port *port = ip_port(ip, netif);
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *), *hdr = eth + ETH_HDR_LEN;
	const uint32_t offloads = port->info.offloads;
	uint32_t total_len, src_be, dst_be;

	if (m->nb_segs != 1 || m->data_len < ETH_HDR_LEN + IP4_HDR_LEN ||
	    !ip4_frame_is_plain(eth, port->info.mac))
		return IP4_NOT_PLAIN;
	total_len = wire_get16(hdr + 2);
	src_be = wire_get32_be(hdr + 12);
	dst_be = wire_get32_be(hdr + 16);
	if ((wire_get16(hdr + 6) & (IP4_FRAG_MF | IP4_FRAG_MASK)) != 0 || total_len < IP4_HDR_LEN ||
	    total_len + ETH_HDR_LEN > m->data_len ||
	    !ip4_header_is_good(offloads, m->ol_flags, hdr, IP4_HDR_LEN) ||
	    !ip4_hosts_are_plain(ip, netif, src_be, dst_be, &p->laddr) ||
	    unlikely(ip->ctx->cfg.ip_rp_filter != 0))
		return IP4_NOT_PLAIN;
	m->pkt_len = total_len + ETH_HDR_LEN;
	m->data_len = (uint16_t)m->pkt_len;
	p->src = pc_addr_ip4(src_be);
	p->dst = pc_addr_ip4(dst_be);
	p->l3_off = ETH_HDR_LEN;
	p->l4_off = ETH_HDR_LEN + IP4_HDR_LEN;
	p->l4_len = total_len - IP4_HDR_LEN;
	p->netif = netif;
	p->proto = hdr[9];
	p->ttl = hdr[8];
	p->tos = hdr[1];
	p->group = false;
	p->l4_good = ip_l4_is_good(offloads, m->ol_flags);
	return likely(p->proto == IPPROTO_TCP) ? NEXT_TCP : ip4_next_of(p->proto);
}

#endif
