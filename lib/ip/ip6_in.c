/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv6 input (RFC 8200): the fixed header, the destination, and the extension headers before the
 * upper layer.
 *
 * Above IP the mapped form ::ffff:a.b.c.d means IPv4, so a packet with such an address in its
 * header is dropped: otherwise it could pass for an IPv4 packet of its sender's choice.
 */

#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "ip/icmp.h"
#include "ip/input.h"
#include "ip/route.h"
#include "neigh/nd.h"
#include "wire/eth.h"
#include "wire/icmp6.h"
#include "wire/ip6.h"

/* bytes of the transport header that are made contiguous */
#define L4_CONTIGUOUS6 60

#define HEADERS_MAX (ETH_HDR_LEN + IP6_HDR_LEN + IP6_EXT_BYTES_MAX)

static int drop_of6(int parse_error)
{
	switch (parse_error) {
	case WIRE_VERSION:
		return PC_DROP_IP6_VERSION;
	case WIRE_LENGTH:
		return PC_DROP_IP6_LENGTH;
	default:
		return PC_DROP_IP6_SHORT;
	}
}

/* Says whether another host can have the source address src; :: is for hosts that are
 * obtaining an address. */
static bool source_is_good6(const struct ip *ip, uint8_t netif, const struct pc_addr *src)
{
	if (unlikely(netif == NETIF_LO))
		return !pc_addr_is_ip4(src) && netifs_has(&ip->ifs, src);
	return !pc_addr_is_ip4(src) && !pc_addr_is_multicast(src) && !pc_addr_is_loopback(src) &&
	       !netifs_has(&ip->ifs, src);
}

/* Finds the address of ours that a packet is for. Returns VERDICT_DONE or a drop. */
static int find_destination6(const struct ip *ip, uint8_t netif, const uint8_t *eth,
                             struct ip_pkt *p)
{
	const struct pc_addr all = ip6_all_nodes();

	p->group = pc_addr_is_multicast(&p->dst);
	p->laddr = LADDR_NONE;
	if (unlikely(netif == NETIF_LO)) {
		p->laddr = netifs_find(&ip->ifs, &p->dst);
		return ip_find_looped(ip, p);
	}
	if (unlikely(p->group)) {
		/* RFC 4291 section 2.7: interface-local groups, and the reserved scope, are never
		 * valid on a link */
		if (ip6_group_scope(&p->dst) > IP6_SCOPE_HOST &&
		    netifs_speaks_ip6(&ip->ifs, netif) &&
		    (pc_addr_equal(&p->dst, &all) || netifs_is_member(&ip->ifs, netif, &p->dst)))
			return VERDICT_DONE;
		return PC_DROP_IP6_NOT_OURS;
	}
	if (likely(!pc_addr_is_ip4(&p->dst)))
		p->laddr = netifs_find(&ip->ifs, &p->dst);
	/* strong host model: an address is reached only through its own interface, once it is
	 * ready */
	if (p->laddr == LADDR_NONE || ip->ifs.addr[p->laddr].netif != netif ||
	    !netifs_is_usable(&ip->ifs, p->laddr))
		return PC_DROP_IP6_NOT_OURS;
	return unlikely(eth_is_group(eth)) ? PC_DROP_IP6_LINK_GROUP : VERDICT_DONE;
}

static int next_of(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return NEXT_TCP;
	case IPPROTO_UDP:
		return NEXT_UDP;
	case IPPROTO_ICMPV6:
		return NEXT_ICMP6;
	default:
		return PC_DROP_IP6_PROTOCOL;
	}
}

/* Reports a problem with an extension header to the sender, if that is allowed. */
static int tell_problem(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                        const struct ip6_ext *e)
{
	if (icmp_may_tell(ip, m, p))
		icmp6_error(ip, m, p, ICMP6_PARAMETER, e->code, e->pointer);
	return e->code == ICMP6_PARAM_OPTION ? PC_DROP_IP6_OPTION : PC_DROP_IP6_EXTENSION;
}

/* Walks to the upper layer. Returns VERDICT_DONE or a drop. */
static int walk(struct ip *ip, struct rte_mbuf *m, struct ip_pkt *p)
{
	const struct ip6_hdr h = {.next = p->proto};
	struct ip6_ext e;
	enum ip6_end end;

	if (!mbuf_pullup(m, (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)HEADERS_MAX)))
		return PC_DROP_IP6_SHORT;
	end = ip6_walk(rte_pktmbuf_mtod_offset(m, const uint8_t *, ETH_HDR_LEN),
	               m->pkt_len - ETH_HDR_LEN, &h, &e);
	p->proto = e.proto;
	p->proto_at = e.proto_at;
	p->fragmented |= e.has_fragment;
	p->alert |= e.has_alert;
	p->l4_off = (uint16_t)(ETH_HDR_LEN + e.off);
	p->l4_len = m->pkt_len - p->l4_off;
	p->l4_good = false; /* not every port can parse past these headers */
	switch (end) {
	case IP6_UPPER:
		return VERDICT_DONE;
	case IP6_FRAGMENT:
		return NEXT_FRAGMENT;
	case IP6_NOTHING:
		return PC_DROP_IP6_NOTHING;
	case IP6_LIMIT:
		return PC_DROP_IP6_LIMIT;
	case IP6_DISCARD:
		return PC_DROP_IP6_OPTION;
	case IP6_PROBLEM_SINGLE:
		return p->group ? PC_DROP_IP6_OPTION : tell_problem(ip, m, p, &e);
	case IP6_PROBLEM:
		return tell_problem(ip, m, p, &e);
	default:
		return PC_DROP_IP6_EXTENSION;
	}
}

int ip6_upper(struct ip *ip, struct rte_mbuf *m, struct ip_pkt *p)
{
	int n;

	if (unlikely(ip6_is_extension(p->proto))) {
		n = walk(ip, m, p);
		if (n != VERDICT_DONE)
			return n;
	}
	if (unlikely(pc_addr_is_any(&p->src) && p->proto != IPPROTO_ICMPV6))
		return PC_DROP_IP6_SOURCE;
	if (unlikely(!mbuf_pullup(
	        m, (uint16_t)(p->l4_off + RTE_MIN(p->l4_len, (uint32_t)L4_CONTIGUOUS6)))))
		return PC_DROP_IP6_SHORT;
	return next_of(p->proto);
}

/* Says whether a packet from an address of ours, which is being probed for, is the advertisement of the
 * host that has it: that comes from the address itself (RFC 4861 section 7.2.4, RFC 4862 section
 * 5.4.4). eth: the frame. */
static bool is_claim6(const struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                      const uint8_t *eth)
{
	const uint16_t laddr = netifs_find(&ip->ifs, &p->src);
	const uint8_t *type;
	uint8_t copy;

	if (laddr == LADDR_NONE || ip->ifs.addr[laddr].netif != p->netif ||
	    !dad_asks(&ip->ifs.addr[laddr]) || p->proto != IPPROTO_ICMPV6 || p->ttl != ND_HOPS ||
	    netifs_owns_mac(&ip->ifs, eth + ETH_ADDR_LEN)) /* a loop returns our own */
		return false;
	type = rte_pktmbuf_read(m, p->l4_off, 1, &copy);
	return type != NULL && *type == ND_NA;
}

int ip6_input(struct ip *ip, struct rte_mbuf *m, uint8_t netif, struct ip_pkt *p)
{
	const uint8_t *eth;
	struct ip6_hdr h;
	int n;

	if (!mbuf_pullup(m, (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)ETH_HDR_LEN + IP6_HDR_LEN)))
		return PC_DROP_IP6_SHORT;
	eth = rte_pktmbuf_mtod(m, const uint8_t *);
	n = ip6_parse(eth + ETH_HDR_LEN, m->pkt_len - ETH_HDR_LEN, &h);
	if (unlikely(n < 0))
		return drop_of6(n);
	*p = (struct ip_pkt){.src = h.src,
	                     .dst = h.dst,
	                     .l3_off = ETH_HDR_LEN,
	                     .l4_off = ETH_HDR_LEN + IP6_HDR_LEN,
	                     .l4_len = h.payload_len,
	                     .netif = netif,
	                     .proto = h.next,
	                     .proto_at = IP6_NEXT_OFF,
	                     .ttl = h.hops,
	                     .tos = h.tclass};
	if (unlikely(!source_is_good6(ip, netif, &p->src)) && !is_claim6(ip, m, p, eth))
		return PC_DROP_IP6_SOURCE;
	if (unlikely(ip->ctx->cfg.ip_rp_filter != 0) && !route_leads_back(ip, &p->src, netif))
		return PC_DROP_IP_REVERSE_PATH;
	n = find_destination6(ip, netif, eth, p);
	if (unlikely(n != VERDICT_DONE))
		return n;
	p->l4_good = ip_l4_is_good(ip_port(ip, netif)->info.offloads, m->ol_flags);
	mbuf_trim(m, p->l4_off + p->l4_len);
	return ip6_upper(ip, m, p);
}
