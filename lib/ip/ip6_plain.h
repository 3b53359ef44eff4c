/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_IP6_PLAIN_H
#define IP_IP6_PLAIN_H

/*
 * The usual TCP segment over IPv6: without extension headers, in one mbuf, in an untagged frame
 * from another host to our own MAC address and to an address of this interface.
 *
 * As in ip4_plain.h, in case of doubt this says no; eth_input and ip6_input then examine the frame
 * again and find what is wrong.
 */

#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "ip/ip.h"
#include "wire/eth.h"
#include "wire/ip6.h"

#define IP6_NOT_PLAIN (-1)

/* Says whether src and dst are of the usual kind: src a host other than us, dst an address of ours,
 * whose index is stored in *laddr. Unspecified, loopback and mapped addresses begin with zeros. */
static inline bool ip6_hosts_are_plain(const struct ip *ip, uint8_t netif,
                                       const struct pc_addr *src, const struct pc_addr *dst,
                                       uint16_t *laddr)
{
	const struct netifs *ifs = &ip->ifs;
	uint16_t found = LADDR_NONE;

	if (src->q[0] == 0 || dst->q[0] == 0 || src->b[0] == 0xff)
		return false;
	for (uint16_t i = 0; i < ifs->nb_addrs; i++) {
		if (src->w[3] == ifs->last_be[i])
			return false;
		if (dst->w[3] == ifs->last_be[i] && pc_addr_equal(dst, &ifs->addr[i].addr))
			found = i;
	}
	*laddr = found;
	return found != LADDR_NONE && ifs->addr[found].netif == netif &&
	       netifs_is_usable(ifs, found);
}

/* Says whether a frame begins like an untagged one from another host to us, with an IPv6 header. */
static inline bool ip6_frame_is_plain(const uint8_t *eth, const uint8_t mac[ETH_ADDR_LEN])
{
	return eth_equal(eth, mac) && !eth_is_group(eth + ETH_ADDR_LEN) &&
	       wire_get16(eth + 2 * ETH_ADDR_LEN) == ETH_TYPE_IP6 && eth[ETH_HDR_LEN] >> 4 == 6;
}

/** ip6_plain_input does the work of eth_input and ip6_input for such a frame. Verdict: NEXT_TCP;
 * IP6_NOT_PLAIN: nothing has changed. */
static inline int ip6_plain_input(const struct ip *ip, struct rte_mbuf *m, uint8_t netif,
                                  struct ip_pkt *p)
{
	const struct pc_port *port = ip_port(ip, netif);
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *), *hdr = eth + ETH_HDR_LEN;
	const uint32_t offloads = port->info.offloads;
	uint32_t len;

	if (m->nb_segs != 1 || m->data_len < ETH_HDR_LEN + IP6_HDR_LEN ||
	    !ip6_frame_is_plain(eth, port->info.mac) || hdr[IP6_NEXT_OFF] != IPPROTO_TCP)
		return IP6_NOT_PLAIN;
	len = wire_get16(hdr + 4);
	memcpy(&p->src, hdr + 8, sizeof(p->src));
	memcpy(&p->dst, hdr + 24, sizeof(p->dst));
	if (len + IP6_HDR_LEN + ETH_HDR_LEN > m->data_len ||
	    !ip6_hosts_are_plain(ip, netif, &p->src, &p->dst, &p->laddr) ||
	    unlikely(ip->ctx->cfg.ip_rp_filter != 0))
		return IP6_NOT_PLAIN;
	m->pkt_len = len + IP6_HDR_LEN + ETH_HDR_LEN;
	m->data_len = (uint16_t)m->pkt_len;
	p->l3_off = ETH_HDR_LEN;
	p->l4_off = ETH_HDR_LEN + IP6_HDR_LEN;
	p->l4_len = len;
	p->proto_at = IP6_NEXT_OFF;
	p->netif = netif;
	p->proto = IPPROTO_TCP;
	p->ttl = hdr[7];
	p->tos = (uint8_t)(wire_get16(hdr) >> 4);
	p->group = false;
	p->fragmented = false;
	p->l4_good = ip_l4_is_good(offloads, m->ol_flags);
	return NEXT_TCP;
}

#endif
