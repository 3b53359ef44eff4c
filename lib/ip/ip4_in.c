/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4, on the way in: the checks of RFC 1122 section 3.2.1, in the order of the header.
 *
 * There is no forwarding, so the time to live is not looked at: a packet that has reached its
 * destination is delivered (RFC 1122 section 3.2.1.7).
 */

#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "ip/ip.h"
#include "wire/eth.h"
#include "wire/ip4.h"

/* bytes of the transport header that are made contiguous */
#define L4_CONTIGUOUS 60

/* the all-hosts group, of which every host is a member (RFC 1112 section 4) */
#define ALL_HOSTS 0xe0000001

static int drop_of(int parse_error)
{
	switch (parse_error) {
	case WIRE_VERSION:
		return PC_DROP_IP4_VERSION;
	case WIRE_HEADER:
		return PC_DROP_IP4_HEADER_LEN;
	case WIRE_LENGTH:
		return PC_DROP_IP4_TOTAL_LEN;
	default:
		return PC_DROP_IP4_SHORT;
	}
}

/* NONE means: the sum in the packet is not right, but the packet is (a local sender left it out). */
static bool header_is_good(uint32_t offloads, uint64_t ol_flags, const uint8_t *p, uint8_t hdr_len)
{
	const uint64_t said = ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if ((offloads & PC_PORT_RX_IP4_CKSUM) != 0 && said != RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
		return said != RTE_MBUF_F_RX_IP_CKSUM_BAD;
	return ip4_cksum_ok(p, hdr_len);
}

static bool l4_is_good(uint32_t offloads, uint64_t ol_flags)
{
	const uint64_t said = ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	return (offloads & PC_PORT_RX_L4_CKSUM) != 0 &&
	       (said == RTE_MBUF_F_RX_L4_CKSUM_GOOD || said == RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

/* Says whether a packet of another host can come from src (RFC 1122 section 3.2.1.3). 0.0.0.0 is the
 * source of a host that asks everybody for its address, and of nobody else. */
static bool source_is_good(const struct ip *ip, uint8_t netif, const struct pc_addr *src,
                           const struct pc_addr *dst)
{
	const uint8_t net = src->b[12];

	if (unlikely(net == 0))
		return src->w[3] == 0 && pc_addr_is_broadcast(dst);
	return net != 127 && (net & 0xf0) != 0xe0 && netifs_find(&ip->ifs, src) == LADDR_NONE &&
	       !netifs_is_broadcast(&ip->ifs, netif, src);
}

static bool options_are_good(const uint8_t *p, uint8_t hdr_len)
{
	const int options = ip4_options(p, hdr_len);

	return options >= 0 && (options & IP4_HAS_SOURCE_ROUTE) == 0;
}

/* Finds out which of us a packet is for. Returns VERDICT_DONE or a drop. */
static int find_destination(const struct ip *ip, uint8_t netif, const uint8_t *eth,
                            struct ip_pkt *p)
{
	p->group = false;
	p->laddr = netifs_find(&ip->ifs, &p->dst);
	if (likely(p->laddr != LADDR_NONE)) {
		/* strong host: an address is reached by its own interface only */
		if (unlikely(ip->ifs.addr[p->laddr].netif != netif))
			return PC_DROP_IP4_NOT_OURS;
		return unlikely(eth_is_group(eth)) ? PC_DROP_IP4_LINK_GROUP : VERDICT_DONE;
	}
	p->group = true;
	if (netifs_is_broadcast(&ip->ifs, netif, &p->dst) ||
	    p->dst.w[3] == __builtin_bswap32(ALL_HOSTS) ||
	    (pc_addr_is_multicast(&p->dst) && netifs_is_member(&ip->ifs, netif, &p->dst)))
		return VERDICT_DONE;
	return PC_DROP_IP4_NOT_OURS;
}

static int next_of(uint8_t proto)
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

/* Cuts off the padding, and makes the transport header contiguous. */
static bool shape_frame(struct rte_mbuf *m, const struct ip_pkt *p)
{
	mbuf_trim(m, p->l4_off + p->l4_len);
	return mbuf_pullup(m, (uint16_t)(p->l4_off + RTE_MIN(p->l4_len, (uint32_t)L4_CONTIGUOUS)));
}

/* Says whether src and dst are as nearly always: a host that is none of us, and the address of ours whose
 * index becomes *laddr. */
static inline bool hosts_are_plain(const struct ip *ip, uint8_t netif, uint32_t src_be,
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
	       pc_addr_is_ip4(&ifs->addr[found].addr);
}

/*
 * The packet that nearly every one is: whole, without options, in one piece, from another host to us.  In
 * doubt this says no, and ip4_input looks at it again and names what is wrong.  It takes half the
 * instructions of the thorough way.
 */
static inline bool input_plain(const struct ip *ip, struct rte_mbuf *m, uint8_t netif,
                               uint32_t offloads, struct ip_pkt *p)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *), *hdr = eth + ETH_HDR_LEN;
	uint32_t total_len, src_be, dst_be;

	if (m->nb_segs != 1 || m->data_len < ETH_HDR_LEN + IP4_HDR_LEN)
		return false;
	total_len = wire_get16(hdr + 2);
	src_be = wire_get32_be(hdr + 12);
	dst_be = wire_get32_be(hdr + 16);
	if (hdr[0] != 0x45 || (wire_get16(hdr + 6) & (IP4_FRAG_MF | IP4_FRAG_MASK)) != 0 ||
	    total_len < IP4_HDR_LEN || total_len + ETH_HDR_LEN > m->data_len || eth_is_group(eth) ||
	    !header_is_good(offloads, m->ol_flags, hdr, IP4_HDR_LEN) ||
	    !hosts_are_plain(ip, netif, src_be, dst_be, &p->laddr))
		return false;
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
	p->l4_good = l4_is_good(offloads, m->ol_flags);
	return true;
}

int ip4_input(const struct ip *ip, struct rte_mbuf *m, uint8_t netif, struct ip_pkt *p)
{
	const uint32_t offloads = ip_port(ip, netif)->info.offloads;
	const uint8_t *eth, *hdr;
	struct ip4_hdr h;
	int n;

	if (likely(input_plain(ip, m, netif, offloads, p)))
		return next_of(p->proto);
	if (!mbuf_pullup(m, (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)ETH_HDR_LEN + IP4_HDR_MAX)))
		return PC_DROP_IP4_SHORT;
	eth = rte_pktmbuf_mtod(m, const uint8_t *);
	hdr = eth + ETH_HDR_LEN;
	n = ip4_parse(hdr, m->pkt_len - ETH_HDR_LEN, &h);
	if (unlikely(n < 0))
		return drop_of(n);
	if (unlikely(!header_is_good(offloads, m->ol_flags, hdr, h.hdr_len)))
		return PC_DROP_IP4_CHECKSUM;
	p->src = pc_addr_ip4(h.src_be);
	p->dst = pc_addr_ip4(h.dst_be);
	p->l3_off = ETH_HDR_LEN;
	p->l4_off = (uint16_t)(ETH_HDR_LEN + h.hdr_len);
	p->l4_len = (uint32_t)h.total_len - h.hdr_len;
	p->netif = netif;
	p->proto = h.proto;
	p->ttl = h.ttl;
	p->tos = h.tos;
	p->l4_good = l4_is_good(offloads, m->ol_flags);
	if (unlikely(!source_is_good(ip, netif, &p->src, &p->dst)))
		return PC_DROP_IP4_SOURCE;
	if (unlikely(h.hdr_len != IP4_HDR_LEN && !options_are_good(hdr, h.hdr_len)))
		return PC_DROP_IP4_OPTION;
	n = find_destination(ip, netif, eth, p);
	if (unlikely(n != VERDICT_DONE))
		return n;
	if (unlikely(ip4_is_fragment(&h)))
		return PC_DROP_IP4_FRAGMENT;
	if (unlikely(!shape_frame(m, p)))
		return PC_DROP_IP4_SHORT;
	return next_of(h.proto);
}
