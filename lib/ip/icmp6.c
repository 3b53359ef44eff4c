/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMPv6 (RFC 4443): echo, errors about packets we sent, errors about packets we received; and the
 * entry point for neighbour discovery and multicast listener discovery, whose messages are ICMPv6
 * too.
 */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "ip/icmp.h"
#include "ip/ra.h"
#include "neigh/group.h"
#include "neigh/nd.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/icmp6.h"

/* RFC 4443 section 2.4 c: as much of the packet as fits into the smallest MTU */
#define QUOTE6_MAX (IP6_MTU_MIN - IP6_HDR_LEN - ICMP6_HDR_LEN)

/* bytes of a quote that are examined: its headers and the first of its upper layer */
#define QUOTE_READ (IP6_HDR_LEN + IP6_EXT_BYTES_MAX + 8)

/* The path back to the sender of a packet, from the address that it was sent to or, if that was a
 * group, from an address of the same interface. */
static int find_way_back(struct ip *ip, const struct ip_pkt *p, struct ip_path *path,
                         struct ip_send *s)
{
	uint16_t laddr = p->laddr;
	int rc;

	if (laddr == LADDR_NONE)
		laddr = ip_source(ip, p->netif, &p->src);
	rc = laddr == LADDR_NONE ? -EADDRNOTAVAIL : ip_path_find(ip, &p->src, laddr, path);
	if (rc != 0) {
		ctx_count(ip->ctx, PC_TX_NO_ROUTE);
		return rc;
	}
	*s = (struct ip_send){
	    .src = *ip_laddr(ip, path->laddr), .dst = p->src, .proto = IPPROTO_ICMPV6};
	return 0;
}

/* ---- echo (sections 4.1 and 4.2) ------------------------------------------------------------- */

/*
 * Echo replies belong to no socket that could say what was sent. So it is noted who was sent large
 * ones: an error about any other is forged, as one about a segment that is not in flight.
 */
static bool has_large_echo(const struct ip *ip, const struct pc_addr *dst)
{
	for (unsigned i = 0; i < LARGE_ECHOES; i++)
		if (pc_addr_equal(&ip->large_echo[i], dst))
			return true;
	return false;
}

static void note_large_echo(struct ip *ip, const struct pc_addr *dst)
{
	if (has_large_echo(ip, dst))
		return;
	ip->large_echo[ip->next_echo] = *dst;
	ip->next_echo = (uint8_t)((ip->next_echo + 1) % LARGE_ECHOES);
}

/* Answers in the request's own mbuf. Swapping the addresses leaves the checksum unchanged, unless
 * the request was sent to a group. */
static int send_echo_reply6(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct ip_path path;
	struct ip_send s;
	uint8_t *h;

	if (find_way_back(ip, p, &path, &s) != 0) {
		rte_pktmbuf_free(m);
		return VERDICT_DONE;
	}
	if (p->l4_len > IP6_MTU_MIN - IP6_HDR_LEN)
		note_large_echo(ip, &p->src);
	s.tos = p->tos;
	mbuf_clear_offload(m);
	h = (uint8_t *)rte_pktmbuf_adj(m, p->l4_off);
	h[0] = ICMP6_ECHO_REPLY;
	wire_put16_be(h + ICMP6_CKSUM_OFF, 0);
	ip_l4_checksum(ip, &path, &s, m, ICMP6_HDR_LEN, ICMP6_CKSUM_OFF);
	ctx_count(ip->ctx, PC_ICMP_ECHO);
	ip_output(ip, &path, &s, m);
	return VERDICT_DONE;
}

static int echo_input6(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p)
{
	if (ip->ctx->cfg.icmp_echo == 0)
		return PC_DROP_ICMP_ECHO_OFF;
	if (!ctx_may_answer(ip->ctx))
		return PC_DROP_BUSY;
	if (pc_addr_is_any(&p->src))
		return PC_DROP_IP6_SOURCE;
	return send_echo_reply6(ip, m, p);
}

/* ---- errors about packets we sent ------------------------------------------------------------ */

/* What a code of "destination unreachable" means to a socket, as on Linux. */
static const struct {
	int error;
	bool hard;
} unreachable6[] = {
    [ICMP6_UNREACH_ROUTE] = {ENETUNREACH, false},  [ICMP6_UNREACH_PROHIB] = {EACCES, true},
    [ICMP6_UNREACH_SCOPE] = {EHOSTUNREACH, false}, [ICMP6_UNREACH_ADDR] = {EHOSTUNREACH, false},
    [ICMP6_UNREACH_PORT] = {ECONNREFUSED, true},   [ICMP6_UNREACH_POLICY] = {EACCES, true},
    [ICMP6_UNREACH_REJECT] = {EACCES, true},
};

/* Translates an error, including those of unknown types and codes (section 2.4 a). Returns false
 * for one without a meaning. */
static bool judge6(const struct icmp6_hdr *h, struct icmp_error *e)
{
	*e = (struct icmp_error){.type = h->type, .code = h->code, .error = EPROTO};
	switch (h->type) {
	case ICMP6_UNREACHABLE:
		e->hard = true;
		if (h->code >= sizeof(unreachable6) / sizeof(unreachable6[0]))
			return true;
		e->error = unreachable6[h->code].error;
		e->hard = unreachable6[h->code].hard;
		e->no_route = h->code == ICMP6_UNREACH_ROUTE;
		return true;
	case ICMP6_TOO_BIG: /* RFC 8201 section 4: never below the smallest MTU of the Internet */
		e->error = EMSGSIZE;
		e->mtu = RTE_MIN(h->rest, (uint32_t)UINT16_MAX);
		return h->rest >= IP6_MTU_MIN;
	case ICMP6_TIME_EXCEEDED:
		e->error = EHOSTUNREACH;
		return true;
	case ICMP6_PARAMETER:
		e->hard = true;
		return true;
	default:
		return true;
	}
}

/* Says whether an error is about an echo reply of ours that was too large for its path. */
static bool is_echo_too_big(const struct ip *ip, const struct icmp6_hdr *h,
                            const struct icmp6_quote *q)
{
	return h->type == ICMP6_TOO_BIG && q->proto == IPPROTO_ICMPV6 &&
	       q->sport >> 8 == ICMP6_ECHO_REPLY && has_large_echo(ip, &q->ip.dst);
}

/* Finds the packet of ours that an error is about. The error must quote a source address of ours
 * and must have been sent to it, as an honest router does. */
static int error_input6(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                        const struct icmp6_hdr *h, struct icmp_error *e)
{
	const uint32_t off = p->l4_off + (uint32_t)ICMP6_HDR_LEN;
	const uint32_t len = RTE_MIN(p->l4_len - ICMP6_HDR_LEN, (uint32_t)QUOTE_READ);
	uint8_t copy[QUOTE_READ];
	struct icmp6_quote q;
	int n;

	if (p->group)
		return PC_DROP_ICMP_BROADCAST;
	if (!judge6(h, e))
		return PC_DROP_ICMP_TYPE;
	if (len == 0)
		return PC_DROP_ICMP_SHORT;
	n = icmp6_parse_quote(rte_pktmbuf_read(m, off, len, copy), len, &q);
	if (n < 0)
		return n == WIRE_SHORT ? PC_DROP_ICMP_SHORT : PC_DROP_ICMP_NO_MATCH;
	if (!pc_addr_equal(&q.ip.src, &p->dst))
		return PC_DROP_ICMP_NO_MATCH;
	if (is_echo_too_big(ip, h, &q)) {
		ip_pmtu_learn(ip, &q.ip.dst, e->mtu);
		return PC_DROP_ICMP_DONE;
	}
	if (q.proto != IPPROTO_TCP && q.proto != IPPROTO_UDP && ip->nb_raw == 0)
		return PC_DROP_ICMP_NO_MATCH;
	e->local = p->dst;
	e->remote = q.ip.dst;
	e->local_port = q.sport;
	e->remote_port = q.dport;
	e->laddr = p->laddr;
	e->proto = q.proto;
	e->seq = q.seq;
	e->ttl = p->ttl;
	e->tos = p->tos;
	e->offender = p->src;
	e->quote_off = (uint16_t)(off + (uint32_t)n + 8);
	e->quote_len = p->l4_off + p->l4_len - e->quote_off;
	return NEXT_ERROR;
}

/* ---- messages of the link -------------------------------------------------------------------- */

static int na_message(struct ip *ip, const struct nd_in *in)
{
	const int verdict = nd_input(ip->neigh, in);

	if (verdict == PC_DROP_ND_DONE && (in->msg->flags & ND_NA_ROUTER) == 0 &&
	    nd_agrees(ip->neigh, in))
		ra_no_router(ip, in->netif, &in->msg->target);
	return verdict;
}

/* The checks of RFC 4861 sections 6.1, 7.1 and 8.1 that are common to all five messages, and that
 * of RFC 6980 against fragments. */
static int nd_message(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p)
{
	const uint8_t *eth;
	struct nd_msg msg;
	struct nd_in in = {.msg = &msg, .src = p->src, .dst = p->dst, .netif = p->netif};

	if (p->ttl != ND_HOPS || p->fragmented || p->netif == NETIF_LO || m->pkt_len > UINT16_MAX ||
	    !mbuf_pullup(m, (uint16_t)m->pkt_len))
		return PC_DROP_ND_MALFORMED;
	eth = rte_pktmbuf_mtod(m, const uint8_t *);
	if (nd_parse(eth + p->l4_off, p->l4_len, &msg) < 0 || msg.code != 0)
		return PC_DROP_ND_MALFORMED;
	in.src_mac = eth + ETH_ADDR_LEN;
	switch (msg.type) {
	case ND_NS:
		return nd_input(ip->neigh, &in);
	case ND_NA:
		return na_message(ip, &in);
	case ND_RA:
		return ra_input(ip, &in);
	case ND_REDIRECT:
		return ra_redirect(ip, &in);
	default: /* router solicitations are for routers */
		return PC_DROP_ND_ROUTER;
	}
}

/* RFC 3810 section 6.2: sent by a router on this link, not forwarded, with a router alert */
static int mld_message(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct mld_query q;

	if (p->ttl != 1 || !p->alert || !pc_addr_is_link_local(&p->src) ||
	    mld_parse_query(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), p->l4_len, &q) <
	        0)
		return PC_DROP_ND_MALFORMED;
	mld_query(ip->neigh, p->netif, &q);
	return PC_DROP_ND_DONE;
}

int icmp6_input(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p, struct icmp_error *error)
{
	struct icmp6_hdr h;

	if (icmp6_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), p->l4_len, &h) < 0)
		return PC_DROP_ICMP_SHORT;
	if (!icmp_is_intact(m, p))
		return PC_DROP_ICMP_CHECKSUM;
	switch (h.type) {
	case ICMP6_ECHO:
		return echo_input6(ip, m, p);
	case ICMP6_ECHO_REPLY:
		return PC_DROP_ICMP_ECHO_REPLY;
	case MLD_QUERY:
		return mld_message(ip, m, p);
	case ND_RS:
	case ND_RA:
	case ND_NS:
	case ND_NA:
	case ND_REDIRECT:
		return nd_message(ip, m, p);
	default:
		return icmp6_is_error(h.type) ? error_input6(ip, m, p, &h, error)
		                              : PC_DROP_ICMP_TYPE;
	}
}

/* ---- errors about packets we received -------------------------------------------------------- */

/* Skips extension headers, one of which may be the faulty one. Returns the upper layer's protocol
 * and its offset in *off. */
static uint8_t skip_headers(const struct rte_mbuf *m, uint8_t proto, uint32_t *off)
{
	for (unsigned n = 0; ip6_is_extension(proto) && n < IP6_EXT_HEADERS_MAX; n++) {
		uint8_t copy[2];
		const uint8_t *h = rte_pktmbuf_read(m, *off, sizeof(copy), copy);

		if (h == NULL || proto == IP6_EXT_NONE)
			return IP6_EXT_NONE;
		*off += proto == IP6_EXT_FRAG ? IP6_FRAG_LEN : 8u + h[1] * 8u;
		proto = h[0];
	}
	return proto;
}

/* Says whether a packet is an ICMPv6 error or a redirect, as far as its headers could be read. */
static bool is_unanswerable(const struct rte_mbuf *m, const struct ip_pkt *p)
{
	uint32_t off = p->l4_off;
	const uint8_t *type;
	uint8_t copy;

	if (skip_headers(m, p->proto, &off) != IPPROTO_ICMPV6)
		return false;
	type = rte_pktmbuf_read(m, off, 1, &copy);
	return type == NULL || icmp6_is_error(*type) || *type == ND_REDIRECT;
}

/* RFC 4443 section 2.4 e: no error about an error, a redirect, a packet to a group (except for
 * options that ask for it), or a source that is not a single node */
static bool may_answer6(const struct rte_mbuf *m, const struct ip_pkt *p, uint8_t type,
                        uint8_t code)
{
	const bool option = type == ICMP6_PARAMETER && code == ICMP6_PARAM_OPTION;

	return (!p->group || option) && !pc_addr_is_any(&p->src) && !is_unanswerable(m, p);
}

static struct rte_mbuf *make_error6(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                                    const struct icmp6_hdr *h)
{
	const uint32_t quote = RTE_MIN(m->pkt_len - p->l3_off, (uint32_t)QUOTE6_MAX);
	struct rte_mbuf *n = ctx_mbuf(ip->ctx);
	const void *from;
	uint8_t *to;

	if (n == NULL)
		return NULL;
	to = (uint8_t *)rte_pktmbuf_append(n, (uint16_t)(ICMP6_HDR_LEN + quote));
	icmp6_write(to, h);
	from = rte_pktmbuf_read(m, p->l3_off, quote, to + ICMP6_HDR_LEN);
	if (from != to + ICMP6_HDR_LEN)
		memcpy(to + ICMP6_HDR_LEN, from, quote);
	return n;
}

void icmp6_error(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p, uint8_t type,
                 uint8_t code, uint32_t rest)
{
	const struct icmp6_hdr h = {.type = type, .code = code, .rest = rest};
	struct rte_mbuf *n;
	struct ip_path path;
	struct ip_send s;

	if (!may_answer6(m, p, type, code) || !icmp_take_token(ip) ||
	    find_way_back(ip, p, &path, &s) != 0)
		return;
	n = make_error6(ip, m, p, &h);
	if (n == NULL)
		return;
	s.ttl = ip->bare_ttl;
	ip_l4_checksum(ip, &path, &s, n, ICMP6_HDR_LEN, ICMP6_CKSUM_OFF);
	ctx_count(ip->ctx, PC_ICMP_ERRORS_TX);
	ip_output(ip, &path, &s, n);
}
