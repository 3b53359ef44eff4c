/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP (RFC 792, RFC 1122 section 3.2.2): echo, errors about packets we sent, errors about packets
 * we received.
 */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "base/mbuf.h"
#include "ip/icmp.h"
#include "wire/cksum.h"
#include "wire/icmp4.h"

/* RFC 1812 section 4.3.2.3: as much of the packet as fits, the whole message at most 576 bytes */
#define QUOTE4_MAX (576 - IP4_HDR_LEN - ICMP4_HDR_LEN)

/* RFC 1812 section 4.3.2.5: errors have precedence 6, internetwork control */
#define ERROR_TOS 0xc0

/* ---- echo ------------------------------------------------------------------------------------ */

/* The checksum of an answer whose type alone differs from that of the request, as its first two bytes
 * show (RFC 1624). Arithmetic cannot tell the two forms of zero apart, and an answer of nothing but
 * zeros needs 0xffff. */
static uint16_t reply_cksum(struct rte_mbuf *m, uint8_t *h, uint16_t old_be)
{
	const uint16_t cksum_be =
	    cksum_update16_be(wire_get16_be(h + ICMP4_CKSUM_OFF), old_be, wire_get16_be(h));

	if (likely(cksum_be != 0))
		return cksum_be;
	wire_put16_be(h + ICMP4_CKSUM_OFF, 0);
	return cksum_finish_be(cksum_add_mbuf(0, m, 0, m->pkt_len));
}

/* Answers in the request's own mbuf: only the type changes, and with it the checksum. */
static int send_echo_reply4(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p)
{
	const struct ip_send s = {
	    .src = p->dst, .dst = p->src, .proto = IPPROTO_ICMP, .tos = p->tos};
	struct ip_path path;
	uint16_t old_be;
	uint8_t *h;

	if (ip_path_find(ip, &p->src, p->laddr, &path) != 0) {
		rte_pktmbuf_free(m);
		ctx_count(ip->ctx, PC_TX_NO_ROUTE);
		return VERDICT_DONE;
	}
	mbuf_clear_offload(m);
	h = (uint8_t *)rte_pktmbuf_adj(m, p->l4_off);
	old_be = wire_get16_be(h);
	h[0] = ICMP4_ECHO_REPLY;
	wire_put16_be(h + ICMP4_CKSUM_OFF, reply_cksum(m, h, old_be));
	ctx_count(ip->ctx, PC_ICMP_ECHO);
	ip_output(ip, &path, &s, m);
	return VERDICT_DONE;
}

static int echo_input4(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p)
{
	if (p->group) /* RFC 1122 section 3.2.2.6: optional; smurf attacks argue against it */
		return PC_DROP_ICMP_BROADCAST;
	if (ip->ctx->cfg.icmp_echo == 0)
		return PC_DROP_ICMP_ECHO_OFF;
	if (!ctx_may_answer(ip->ctx))
		return PC_DROP_BUSY;
	return send_echo_reply4(ip, m, p);
}

/* ---- errors about packets we sent ------------------------------------------------------------ */

/* What a code of "destination unreachable" means to a socket, as on Linux. */
static const struct {
	int error;
	bool hard;
} unreachable4[] = {
    [ICMP4_UNREACH_NET] = {ENETUNREACH, false},
    [ICMP4_UNREACH_HOST] = {EHOSTUNREACH, false},
    [ICMP4_UNREACH_PROTO] = {ENOPROTOOPT, true},
    [ICMP4_UNREACH_PORT] = {ECONNREFUSED, true},
    [ICMP4_UNREACH_FRAG] = {EMSGSIZE, false},
    [ICMP4_UNREACH_SRCFAIL] = {EOPNOTSUPP, false},
    [ICMP4_UNREACH_NET_UNKNOWN] = {ENETUNREACH, true},
    [ICMP4_UNREACH_HOST_UNKNOWN] = {EHOSTDOWN, true},
    [ICMP4_UNREACH_ISOLATED] = {ENONET, true},
    [ICMP4_UNREACH_NET_PROHIB] = {ENETUNREACH, true},
    [ICMP4_UNREACH_HOST_PROHIB] = {EHOSTUNREACH, true},
    [ICMP4_UNREACH_NET_TOS] = {ENETUNREACH, false},
    [ICMP4_UNREACH_HOST_TOS] = {EHOSTUNREACH, false},
    [ICMP4_UNREACH_PROHIB] = {EHOSTUNREACH, true},
    [14] = {EHOSTUNREACH, true}, /* host precedence violation */
    [15] = {EHOSTUNREACH, true}, /* precedence cutoff in effect */
};

/* Translates an error. Returns false for a code without a meaning. */
static bool judge4(const struct icmp4_hdr *h, struct icmp_error *e)
{
	e->type = h->type;
	e->code = h->code;
	e->mtu = 0;
	e->no_route = false;
	if (h->type == ICMP4_TIME_EXCEEDED || h->type == ICMP4_PARAMETER) {
		e->error = h->type == ICMP4_PARAMETER ? EPROTO : EHOSTUNREACH;
		e->hard = h->type == ICMP4_PARAMETER;
		return true;
	}
	if (h->code >= sizeof(unreachable4) / sizeof(unreachable4[0]))
		return false;
	e->error = unreachable4[h->code].error;
	e->hard = unreachable4[h->code].hard;
	e->no_route = h->code == ICMP4_UNREACH_NET || h->code == ICMP4_UNREACH_HOST;
	if (h->code == ICMP4_UNREACH_FRAG)
		e->mtu = h->mtu;
	return true;
}

/*
 * Finds the packet of ours that an error is about. The error must quote a source address of ours
 * and must have been sent to it, as an honest router does; the ports are there only in a first
 * fragment.
 */
static int error_input4(const struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                        const struct icmp4_hdr *h, struct icmp_error *e)
{
	const uint32_t off = p->l4_off + (uint32_t)ICMP4_HDR_LEN;
	const uint32_t len = RTE_MIN(p->l4_len - ICMP4_HDR_LEN, (uint32_t)IP4_HDR_MAX + 8);
	uint8_t copy[IP4_HDR_MAX + 8];
	struct icmp4_quote q;
	int n;

	if (p->group)
		return PC_DROP_ICMP_BROADCAST;
	if (!judge4(h, e))
		return PC_DROP_ICMP_TYPE;
	n = icmp4_parse_quote(rte_pktmbuf_read(m, off, len, copy), len, &q);
	if (n < 0)
		return n == WIRE_SHORT ? PC_DROP_ICMP_SHORT : PC_DROP_ICMP_NO_MATCH;
	if (q.ip.src_be != pc_addr_get_ip4(&p->dst) || q.ip.frag_off != 0 ||
	    (q.ip.proto != IPPROTO_TCP && q.ip.proto != IPPROTO_UDP && ip->nb_raw == 0))
		return PC_DROP_ICMP_NO_MATCH;
	e->local = p->dst;
	e->remote = pc_addr_ip4(q.ip.dst_be);
	e->local_port = q.sport;
	e->remote_port = q.dport;
	e->laddr = p->laddr;
	e->proto = q.ip.proto;
	e->seq = q.seq;
	e->ttl = p->ttl;
	e->tos = p->tos;
	e->offender = p->src;
	e->quote_off = (uint16_t)(off + (uint32_t)n + 8);
	e->quote_len = p->l4_off + p->l4_len - e->quote_off;
	return NEXT_ERROR;
}

int icmp4_input(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p, struct icmp_error *error)
{
	struct icmp4_hdr h;

	if (icmp4_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), p->l4_len, &h) < 0)
		return PC_DROP_ICMP_SHORT;
	if (!icmp_is_intact(m, p))
		return PC_DROP_ICMP_CHECKSUM;
	switch (h.type) {
	case ICMP4_ECHO:
		return echo_input4(ip, m, p);
	case ICMP4_ECHO_REPLY:
		return PC_DROP_ICMP_ECHO_REPLY;
	case ICMP4_UNREACHABLE:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETER:
		return error_input4(ip, m, p, &h, error);
	default: /* source quench (RFC 6633), redirects and obsolete types */
		return PC_DROP_ICMP_TYPE;
	}
}

/* ---- errors about packets we received -------------------------------------------------------- */

/* Says whether a packet is an ICMP error, as far as its headers could be read, or of a type unknown
 * to us, which may be one and is discarded silently (RFC 1122 section 3.2.2). */
static bool is_unanswerable4(const struct rte_mbuf *m, const struct ip_pkt *p)
{
	const uint8_t *type;
	uint8_t copy;

	if (p->proto != IPPROTO_ICMP)
		return false;
	type = rte_pktmbuf_read(m, p->l4_off, 1, &copy);
	return type == NULL || !icmp4_is_query(*type);
}

/* RFC 1122 section 3.2.2: no error about an error, a packet to a group, or a source that is not a
 * single host. Packets that get here are not fragments other than the first, and were not sent to a
 * link-layer group either. */
static bool may_answer4(const struct rte_mbuf *m, const struct ip_pkt *p)
{
	return !p->group && p->laddr != LADDR_NONE && !is_unanswerable4(m, p) &&
	       !pc_addr_is_any(&p->src) && !pc_addr_is_multicast(&p->src) &&
	       !pc_addr_is_broadcast(&p->src);
}

static struct rte_mbuf *make_error4(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p,
                                    const struct icmp4_hdr *h)
{
	const uint32_t quote = RTE_MIN(m->pkt_len - p->l3_off, (uint32_t)QUOTE4_MAX);
	struct rte_mbuf *n = ctx_mbuf(ip->ctx);
	const void *from;
	uint8_t *to;

	if (n == NULL)
		return NULL;
	to = (uint8_t *)rte_pktmbuf_append(n, (uint16_t)(ICMP4_HDR_LEN + quote));
	icmp4_write(to, h);
	from = rte_pktmbuf_read(m, p->l3_off, quote, to + ICMP4_HDR_LEN);
	if (from != to + ICMP4_HDR_LEN)
		memcpy(to + ICMP4_HDR_LEN, from, quote);
	wire_put16_be(to + ICMP4_CKSUM_OFF,
	              cksum_finish_be(cksum_add(0, to, ICMP4_HDR_LEN + quote)));
	return n;
}

void icmp4_error(struct ip *ip, const struct rte_mbuf *m, const struct ip_pkt *p, uint8_t type,
                 uint8_t code, uint32_t rest)
{
	const struct icmp4_hdr h = {.type = type, .code = code, .rest = rest};
	const struct ip_send s = {.src = p->dst,
	                          .dst = p->src,
	                          .proto = IPPROTO_ICMP,
	                          .ttl = ip->bare_ttl,
	                          .tos = ERROR_TOS};
	struct rte_mbuf *n;
	struct ip_path path;

	if (!may_answer4(m, p) || !icmp_take_token(ip))
		return;
	if (ip_path_find(ip, &p->src, p->laddr, &path) != 0) {
		ctx_count(ip->ctx, PC_TX_NO_ROUTE);
		return;
	}
	n = make_error4(ip, m, p, &h);
	if (n == NULL)
		return;
	ctx_count(ip->ctx, PC_ICMP_ERRORS_TX);
	ip_output(ip, &path, &s, n);
}
