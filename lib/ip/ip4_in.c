/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 input: the checks of RFC 1122 section 3.2.1, in the order of the header.
 *
 * There is no forwarding, so the time to live is ignored: a packet that has reached its destination
 * is delivered (RFC 1122 section 3.2.1.7).
 */

#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "ip/icmp.h"
#include "ip/input.h"
#include "ip/ip4_plain.h"
#include "ip/route.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"

/* bytes of the transport header that are made contiguous */
#define L4_CONTIGUOUS4 60

/* the all-hosts group, of which every host is a member (RFC 1112 section 4) */
#define ALL_HOSTS 0xe0000001

#define PORT_BOOTPC 68 /* of DHCP clients */

static int drop_of4(int parse_error)
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

/* Says whether a host without an address can have sent a packet: one that broadcasts to obtain an
 * address (RFC 1122 section 3.2.1.3), or a switch that queries groups (RFC 4541 section 2.1.1). */
static bool may_be_nobodys(const struct ip_pkt *p)
{
	return pc_addr_is_broadcast(&p->dst) ||
	       (p->proto == IPPROTO_IGMP && pc_addr_is_multicast(&p->dst));
}

/* Says whether another host can have the packet's source address (RFC 1122 section 3.2.1.3). */
static bool source_is_good4(const struct ip *ip, uint8_t netif, const struct ip_pkt *p)
{
	const struct pc_addr *src = &p->src;
	const uint8_t net = src->b[12];

	if (unlikely(netif == NETIF_LO))
		return netifs_has(&ip->ifs, src);
	if (unlikely(net == 0))
		return src->w[3] == 0 && may_be_nobodys(p);
	return net != 127 && (net & 0xf0) != 0xe0 && !netifs_has(&ip->ifs, src) &&
	       !netifs_is_broadcast(&ip->ifs, netif, src);
}

/* The offset of the option with an impossible length. */
static uint8_t find_bad_option(const uint8_t *p, uint8_t hdr_len)
{
	uint8_t off = IP4_HDR_LEN, opt;

	while (ip4_opt_next(p, hdr_len, &off, &opt) > 0)
		;
	return off;
}

/* RFC 1122 section 3.2.2.5: an error in the header is reported to the sender; section 3.2.2: but
 * not for fragments other than the first. */
static void tell_bad_option(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                            const struct ip4_hdr *h)
{
	const uint8_t *hdr = rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l3_off);

	if (h->frag_off == 0 && icmp_may_tell(ip, m, p))
		icmp4_error(ip, m, p, ICMP4_PARAMETER, 0,
		            (uint32_t)find_bad_option(hdr, h->hdr_len) << 24);
}

/* Examines the options. Returns VERDICT_DONE or a drop. */
static int check_options(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                         const struct ip4_hdr *h)
{
	const uint8_t *hdr = rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l3_off);
	const int options = ip4_options(hdr, h->hdr_len);
	const int bad =
	    IP4_HAS_SOURCE_ROUTE | (ip->ctx->cfg.ip_options == 0 ? IP4_HAS_UNWANTED : 0);

	if (options < 0)
		tell_bad_option(ip, m, p, h);
	return options >= 0 && (options & bad) == 0 ? VERDICT_DONE : PC_DROP_IP4_OPTION;
}

int ip_find_looped(const struct ip *ip, struct ip_pkt *p)
{
	const bool ip4 = pc_addr_is_ip4(&p->dst);
	const uint16_t src = netifs_find(&ip->ifs, &p->src);

	if (p->laddr != LADDR_NONE && netifs_is_usable(&ip->ifs, p->laddr))
		return VERDICT_DONE;
	/* a copy of a multicast or broadcast packet: treated as received by the interface
	 * that sends it */
	if (src == LADDR_NONE)
		return ip4 ? PC_DROP_IP4_NOT_OURS : PC_DROP_IP6_NOT_OURS;
	p->group = true;
	p->laddr = LADDR_NONE;
	p->netif = ip->ifs.addr[src].netif;
	if (netifs_is_member(&ip->ifs, p->netif, &p->dst) ||
	    netifs_is_broadcast(&ip->ifs, p->netif, &p->dst))
		return VERDICT_DONE;
	return ip4 ? PC_DROP_IP4_NOT_OURS : PC_DROP_IP6_NOT_OURS;
}

/* RFC 2131 section 4.1: a server may send its answer to the address that it offers, although we ask
 * for broadcasts. */
static bool is_offer(const struct ip *ip, uint8_t netif, const struct rte_mbuf *m,
                     const struct ip_pkt *p)
{
	const uint8_t *ports;
	uint8_t copy[4];

	if ((ip->leasing >> netif & 1) == 0 || p->proto != IPPROTO_UDP || p->l4_len < sizeof(copy))
		return false;
	ports = rte_pktmbuf_read(m, p->l4_off, sizeof(copy), copy);
	return ports != NULL && wire_get16(ports + 2) == PORT_BOOTPC;
}

/* Finds the address of ours that a packet is for. Returns VERDICT_DONE or a drop. */
static int find_destination4(const struct ip *ip, uint8_t netif, const struct rte_mbuf *m,
                             struct ip_pkt *p)
{
	const uint8_t *eth = rte_pktmbuf_mtod(m, const uint8_t *);

	p->group = false;
	p->laddr = netifs_find(&ip->ifs, &p->dst);
	if (unlikely(netif == NETIF_LO))
		return ip_find_looped(ip, p);
	if (likely(p->laddr != LADDR_NONE)) {
		/* strong host model: an address is reached only through its own interface */
		if (unlikely(ip->ifs.addr[p->laddr].netif != netif ||
		             !netifs_is_usable(&ip->ifs, p->laddr)))
			return PC_DROP_IP4_NOT_OURS;
		return unlikely(eth_is_group(eth)) ? PC_DROP_IP4_LINK_GROUP : VERDICT_DONE;
	}
	p->group = true;
	if (netifs_is_broadcast(&ip->ifs, netif, &p->dst) ||
	    p->dst.w[3] == __builtin_bswap32(ALL_HOSTS) ||
	    (pc_addr_is_multicast(&p->dst) && netifs_is_member(&ip->ifs, netif, &p->dst)) ||
	    is_offer(ip, netif, m, p))
		return VERDICT_DONE;
	return PC_DROP_IP4_NOT_OURS;
}

int ip4_upper(struct rte_mbuf *m, const struct ip_pkt *p)
{
	if (unlikely(!mbuf_pullup(
	        m, (uint16_t)(p->l4_off + RTE_MIN(p->l4_len, (uint32_t)L4_CONTIGUOUS4)))))
		return PC_DROP_IP4_SHORT;
	return ip4_next_of(p->proto);
}

int ip4_input(struct ip *ip, struct rte_mbuf *m, uint8_t netif, struct ip_pkt *p)
{
	const uint32_t offloads = ip_port(ip, netif)->info.offloads;
	const uint8_t *eth, *hdr;
	struct ip4_hdr h;
	int n;

	if (!mbuf_pullup(m, (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)ETH_HDR_LEN + IP4_HDR_MAX)))
		return PC_DROP_IP4_SHORT;
	eth = rte_pktmbuf_mtod(m, const uint8_t *);
	hdr = eth + ETH_HDR_LEN;
	n = ip4_parse(hdr, m->pkt_len - ETH_HDR_LEN, &h);
	if (unlikely(n < 0))
		return drop_of4(n);
	if (unlikely(!ip4_header_is_good(offloads, m->ol_flags, hdr, h.hdr_len)))
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
	p->l4_good = ip_l4_is_good(offloads, m->ol_flags);
	if (unlikely(!source_is_good4(ip, netif, p)))
		return PC_DROP_IP4_SOURCE;
	if (unlikely(ip->ctx->cfg.ip_rp_filter != 0) && !route_leads_back(ip, &p->src, netif))
		return PC_DROP_IP_REVERSE_PATH;
	n = find_destination4(ip, netif, m, p);
	if (unlikely(n != VERDICT_DONE))
		return n;
	mbuf_trim(m, p->l4_off + p->l4_len); /* the padding */
	if (unlikely(h.hdr_len != IP4_HDR_LEN)) {
		n = check_options(ip, m, p, &h);
		if (n != VERDICT_DONE)
			return n;
	}
	return unlikely(ip4_is_fragment(&h)) ? NEXT_FRAGMENT : ip4_upper(m, p);
}
