/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments without a TCB: SYN-ACKs of half-open connections, acknowledgements in TIME-WAIT, resets;
 * and the limit on challenge ACKs. */
#include "tcp/tcp_output.h"

#include <netinet/in.h>

#include "ip/ip_fast.h"
#include "tcp/auth.h"
#include "tcp/tcp_conn.h"

/* who sends to whom, and how */
struct reply {
	const struct pc_addr *src, *dst;
	uint8_t ttl, tos;
};

static void send_any(struct tcp *tcp, const struct ip_path *path, struct reply r,
                     struct rte_mbuf *m, const struct tcp_seg *s, const struct auth_by *by)
{
	const struct ip_send is = {.src = *r.src,
	                           .dst = *r.dst,
	                           .proto = IPPROTO_TCP,
	                           .ttl = r.ttl,
	                           .tos = r.tos,
	                           .df = true};
	const uint16_t hdr = tcp_hdr_len(s);

	tcp_write((uint8_t *)rte_pktmbuf_prepend(m, hdr), s);
	if (by != NULL)
		auth_sign(by, &is.src, &is.dst, m);
	ip_l4_checksum(tcp->ip, path, &is, m, hdr, TCP_CKSUM_OFF);
	ip_output(tcp->ip, path, &is, m);
}

/* to a resolved next hop */
static inline void send_fast(struct tcp *tcp, const struct neigh *n, struct reply r,
                             struct rte_mbuf *m, const struct tcp_seg *s)
{
	const bool ip4 = pc_addr_is_ip4(r.dst);
	uint8_t *l4 = ip_fast_begin(m, ip4 ? IP_FAST_HDR_LEN : IP_FAST_HDR_LEN6);
	uint16_t hdr;
	uint64_t sum;

	if (likely(tcp_is_usual(s))) {
		sum = tcp_write_usual(l4, s, &hdr);
	} else {
		hdr = tcp_write(l4, s);
		sum = cksum_add_short(0, l4, hdr);
	}
	ip_fast_end(m, l4, hdr);
	if (likely(ip4))
		ip_fast_output(tcp->ip, n, m, l4, hdr, sum, true,
		               (struct ip_fast_hdr){.src_be = r.src->w[3],
		                                    .dst_be = r.dst->w[3],
		                                    .id_and_flags = IP4_FRAG_DF,
		                                    .proto = IPPROTO_TCP,
		                                    .ttl = r.ttl,
		                                    .tos = r.tos});
	else
		ip_fast_output6(tcp->ip, n, m, l4, hdr, sum, true, r.src, r.dst, r.ttl, r.tos);
}

bool tcp_reply(struct tcp *tcp, const struct tcp_flow *flow, const struct pc_addr *local,
               struct tcp_seg *s, uint8_t ttl, uint8_t tos, const struct auth_by *by)
{
	const struct reply r = {.src = local, .dst = &flow->raddr, .ttl = ttl, .tos = tos};
	const struct neigh *n;
	const struct ip_path *path = ip_path_ready(tcp->ip, &flow->raddr, flow->laddr, &n);
	struct ip_path found;
	struct rte_mbuf *m;

	if (unlikely(path == NULL)) {
		if (tcp_path_find(tcp, flow, &found) != 0) {
			ctx_count(tcp->ctx, PC_TX_NO_ROUTE);
			return false;
		}
		path = &found;
		n = neigh_ready(tcp->ip->neigh, path->neigh);
	}
	m = ctx_mbuf(tcp->ctx);
	if (m == NULL)
		return false;
	s->sport = flow->lport;
	s->dport = flow->rport;
	if (s->flags & TCP_SYN) {
		const uint16_t mss = tcp_link_mss(tcp, path->netif, &flow->raddr);

		s->mss =
		    s->mss != 0 && s->mss < mss ? s->mss : mss; /* TCP_MAXSEG of the listener */
	}
	ctx_count(tcp->ctx, PC_TCP_TX);
	if (unlikely(by != NULL))
		auth_put(by, s);
	if (likely(n != NULL && !path->broadcast && !path->multicast && by == NULL))
		send_fast(tcp, n, r, m, s);
	else
		send_any(tcp, path, r, m, s, by);
	return true;
}

void tcp_reply_rst(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct tcp_seg *in = &rx->seg;
	struct tcp_seg s = {.flags = TCP_RST};

	if (in->flags & TCP_RST)
		return;
	if (!ctx_may_answer(tcp->ctx)) {
		ctx_count(tcp->ctx, PC_TCP_RESET_LIMITED);
		return;
	}
	if (in->flags & TCP_ACK) {
		s.seq = in->ack;
	} else {
		s.flags |= TCP_ACK;
		s.ack = in->seq + in->len + !!(in->flags & TCP_SYN) + !!(in->flags & TCP_FIN);
	}
	ctx_count(tcp->ctx, PC_TCP_RESET_TX);
	tcp_reply(tcp, &rx->flow, &p->dst, &s, tcp->ip->bare_ttl, 0, auth_by_input(tcp, rx));
}

void tcp_reply_abort(struct tcp *tcp, const struct tcp_flow *flow, uint32_t seq, uint32_t ack,
                     const struct auth_by *by)
{
	struct tcp_seg s = {.seq = seq, .ack = ack, .flags = TCP_RST | TCP_ACK};

	if (!ctx_may_answer(tcp->ctx)) {
		ctx_count(tcp->ctx, PC_TCP_RESET_LIMITED);
		return;
	}
	ctx_count(tcp->ctx, PC_TCP_RESET_TX);
	tcp_reply(tcp, flow, ip_laddr(tcp->ip, flow->laddr), &s, tcp->ip->bare_ttl, 0, by);
}

bool tcp_challenge_allowed(struct tcp *tcp)
{
	uint32_t second = ctx_seconds(tcp->ctx);

	if (second != tcp->challenge_tick) {
		uint32_t limit = (uint32_t)tcp->ctx->cfg.tcp_challenge_acks;

		/* a limit that an attacker cannot count (CVE-2016-5696) */
		tcp->challenge_tick = second;
		tcp->challenge_tokens = limit / 2 + 1 + rng_below(&tcp->ctx->rng, limit / 2 + 1);
	}
	if (tcp->challenge_tokens == 0) {
		ctx_count(tcp->ctx, PC_TCP_CHALLENGE_LIMITED);
		return false;
	}
	tcp->challenge_tokens--;
	ctx_count(tcp->ctx, PC_TCP_CHALLENGE_ACKS);
	return true;
}
