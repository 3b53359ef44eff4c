/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragment input: checks on each fragment, and what happens to a complete datagram.
 *
 * A first fragment must contain enough to show what the packet is, or the filters it passed could
 * not have known what they let through: the whole header chain (RFC 7112), 20 bytes of TCP
 * (RFC 1858, RFC 3128).
 */

#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "ip/frag.h"
#include "ip/icmp.h"
#include "ip/input.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"

#define TCP_MIN 20
#define L4_MIN  8 /* of UDP and ICMP */

static uint8_t *ip_hdr(struct rte_mbuf *m, const struct ip_pkt *p)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *, p->l3_off);
}

/* Only the last fragment may have a length that is not a multiple of 8. */
static bool has_multiple(const struct frag *f)
{
	return !f->more || f->len % 8 == 0;
}

/* ---- IPv4 ------------------------------------------------------------------------------------ */

static int read4(struct rte_mbuf *m, const struct ip_pkt *p, struct frag *f)
{
	const uint8_t *h = ip_hdr(m, p);
	const uint16_t field = wire_get16(h + 6);

	*f = (struct frag){.id = wire_get16(h + 4),
	                   .off = (field & IP4_FRAG_MASK) * 8u,
	                   .len = p->l4_len,
	                   .data_off = p->l4_off,
	                   .more = (field & IP4_FRAG_MF) != 0};
	if (f->len == 0 || !has_multiple(f) ||
	    p->l4_off - p->l3_off + f->off + f->len > IP4_TOTAL_MAX)
		return PC_DROP_FRAG_FORM;
	if (p->proto == IPPROTO_TCP && (f->off == 0 ? f->len < TCP_MIN : f->off < TCP_MIN))
		return PC_DROP_FRAG_TINY;
	return VERDICT_DONE;
}

static int finish4(struct rte_mbuf *m, struct ip_pkt *p)
{
	const uint16_t hdr_len = (uint16_t)(p->l4_off - p->l3_off);
	uint8_t *h = ip_hdr(m, p);

	p->l4_len = m->pkt_len - p->l4_off;
	p->l4_good = false;
	if (hdr_len + p->l4_len > IP4_TOTAL_MAX) /* because of the first fragment's options */
		return PC_DROP_FRAG_FORM;
	h[1] = p->tos;
	h[8] = p->ttl;
	wire_put16(h + 2, (uint16_t)(hdr_len + p->l4_len));
	wire_put16_be(h + 6, 0);
	wire_put16_be(h + IP4_CKSUM_OFF, 0);
	wire_put16_be(h + IP4_CKSUM_OFF, cksum_finish_be(cksum_add(0, h, hdr_len)));
	return ip4_upper(m, p);
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

/* Says whether all headers after the fragment header are there. */
static bool chain_is_whole(struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct ip6_ext e = {.proto = p->proto, .off = (uint16_t)(p->l4_off - p->l3_off)};
	const enum ip6_end end = ip6_walk_on(ip_hdr(m, p), m->pkt_len - p->l3_off, &e);

	if (end == IP6_SHORT)
		return false;
	return end != IP6_UPPER || m->pkt_len - p->l3_off - e.off >=
	                               (uint32_t)(e.proto == IPPROTO_TCP ? TCP_MIN : L4_MIN);
}

static int tell(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p, uint8_t code,
                uint32_t pointer, int verdict)
{
	if (icmp_may_tell(ip, m, p))
		icmp6_error(ip, m, p, ICMP6_PARAMETER, code, pointer);
	return verdict;
}

/* The fragment header comes directly before p->l4_off. */
static int read6(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p, struct frag *f)
{
	const uint16_t at = (uint16_t)(p->l4_off - p->l3_off - IP6_FRAG_LEN);
	const uint8_t *h = ip_hdr(m, p) + at;
	const uint16_t field = wire_get16(h + 2);

	*f = (struct frag){.id = wire_get32(h + 4),
	                   .off = field & 0xfff8,
	                   .len = p->l4_len,
	                   .data_off = p->l4_off,
	                   .more = (field & 1) != 0};
	if (f->len == 0) /* no error of section 4.5, but of no use */
		return PC_DROP_FRAG_FORM;
	if (!has_multiple(f)) /* section 4.5; 4: the Payload Length field */
		return tell(ip, m, p, ICMP6_PARAM_FIELD, 4, PC_DROP_FRAG_FORM);
	if (at - IP6_HDR_LEN + f->off + f->len > IP6_PAYLOAD_MAX)
		return tell(ip, m, p, ICMP6_PARAM_FIELD, at + 2u, PC_DROP_FRAG_FORM);
	if (f->off == 0 &&
	    h[0] == IP6_EXT_HOP) /* RFC 8200 section 4.1: only directly after the fixed header */
		return tell(ip, m, p, ICMP6_PARAM_NEXT, at, PC_DROP_IP6_EXTENSION);
	if (f->off == 0 && !chain_is_whole(m, p)) /* RFC 7112 section 5 */
		return tell(ip, m, p, ICMP6_PARAM_CHAIN, 0, PC_DROP_FRAG_TINY);
	return VERDICT_DONE;
}

/* Removes the fragment header, and examines what follows it. */
static int finish6(struct ip *ip, struct rte_mbuf *m, struct ip_pkt *p)
{
	const uint32_t len = m->pkt_len - p->l3_off - IP6_HDR_LEN - IP6_FRAG_LEN;
	uint8_t *h = ip_hdr(m, p);
	struct ip6_hdr hdr;
	struct ip6_ext e;

	if (len > IP6_PAYLOAD_MAX) /* because of the headers that only the first fragment has */
		return PC_DROP_FRAG_FORM;
	ip6_parse_quoted(h, m->pkt_len - p->l3_off, &hdr);
	ip6_walk(h, m->pkt_len - p->l3_off, &hdr, &e);
	h[e.frag_by] = h[e.frag_at];
	wire_put16(h + 4, (uint16_t)len);
	h[1] = (uint8_t)((h[1] & 0x0f) | p->tos << 4);
	h[7] = p->ttl;
	memmove(h - p->l3_off + IP6_FRAG_LEN, h - p->l3_off, (size_t)p->l3_off + e.frag_at);
	rte_pktmbuf_adj(m, IP6_FRAG_LEN);
	p->fragmented = true;
	p->l4_good = false;
	p->l4_off = (uint16_t)(p->l3_off + IP6_HDR_LEN);
	p->l4_len = m->pkt_len - p->l4_off;
	p->proto = ip_hdr(m, p)[IP6_NEXT_OFF];
	p->proto_at = IP6_NEXT_OFF;
	return ip6_upper(ip, m, p);
}

/* ---- both ------------------------------------------------------------------------------------ */

int ip_reassemble(struct ip *ip, struct rte_mbuf **m, struct ip_pkt *p)
{
	const bool ip4 = pc_addr_is_ip4(&p->dst);
	struct rte_mbuf *whole = NULL;
	struct frag f;
	int verdict;

	ctx_count(ip->ctx, PC_IP_FRAGMENTS_RX);
	verdict = ip4 ? read4(*m, p, &f) : read6(ip, *m, p, &f);
	if (verdict == VERDICT_DONE)
		verdict = frags_add(ip->frags, *m, p, &f, &whole, p);
	if (verdict != VERDICT_DONE || whole == NULL)
		return verdict;
	*m = whole;
	verdict = ip4 ? finish4(whole, p) : finish6(ip, whole, p);
	return verdict == NEXT_FRAGMENT ? PC_DROP_FRAG_FORM : verdict;
}

static void tell_time_out(struct ip *ip, const struct rte_mbuf *first, const struct ip_pkt *p)
{
	if (!icmp_may_tell(ip, first, p))
		return;
	if (pc_addr_is_ip4(&p->dst))
		icmp4_error(ip, first, p, ICMP4_TIME_EXCEEDED, ICMP4_TIME_REASSEMBLY, 0);
	else
		icmp6_error(ip, first, p, ICMP6_TIME_EXCEEDED, ICMP6_TIME_REASSEMBLY, 0);
}

/* RFC 1122 section 3.3.2, RFC 8200 section 4.5: reported only if the first fragment has arrived */
void ip_frag_poll(struct ip *ip)
{
	struct rte_mbuf *first;
	struct ip_pkt p;

	while (frags_expire(ip->frags, &first, &p)) {
		if (first == NULL)
			continue;
		tell_time_out(ip, first, &p);
		rte_pktmbuf_free(first);
		ctx_count(ip->ctx, PC_DROP_FRAG_TIMEOUT);
	}
}
