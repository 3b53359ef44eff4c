/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A single segment of a connection, with its headers.
 *
 * A queued segment keeps its mbuf until it is acknowledged.  An inline segment is sent by writing
 * the headers into its own headroom and giving the port a second reference; its payload is always
 * the last tx.len bytes of the packet, so nothing needs to be undone afterwards.  While the port
 * still holds that reference, a retransmission is a copy.  Other segments (chains, shared buffers)
 * get their headers in an mbuf of their own, in front of references to the payload.
 */
#include "tcp/tcp_segment.h"

#include <netinet/in.h>
#include <string.h>

#include "base/seq.h"
#include "tcp/accecn.h"
#include "tcp/account.h"
#include "tcp/auth.h"
#include "tcp/fastopen.h"
#include "tcp/pmtu.h"
#include "tcp/rcvbuf.h"
#include "tcp/sndbuf.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_emit.h"
#include "tcp/tcp_output.h"
#include "tcp/urgent.h"
#include "tcp/window.h"

/* ---- with data ------------------------------------------------------------------------------- */

static void make_path(struct tcp *tcp, struct tcb *t, struct ip_path *path)
{
	*path = (struct ip_path){
	    .neigh = t->neigh, .laddr = t->flow.laddr, .mtu = t->path_mtu, .netif = t->netif};
	const struct tcp_queues *q = tcp_queues_if(tcp, t);
	uint16_t was;

	if (q != NULL && q->pmtu.probe > path->mtu)
		path->mtu = q->pmtu.probe;
	if (neigh_is_valid(tcp->ip->neigh, t->neigh))
		return;
	was = path->mtu;
	if (tcp_path_find(tcp, &t->flow, path) != 0)
		return;
	t->neigh = path->neigh;
	t->netif = path->netif;
	if (path->mtu >= t->path_mtu)
		return;
	/* another path, and a narrower one: segments cut from now on fit; this one is sent as it is
	 * (if it is too large, routers say so, RFC 1191) */
	t->path_mtu = path->mtu;
	tcb_update_mss(tcp, t);
	path->mtu = was;
}

static void put_auth(struct tcp *tcp, const struct tcb *t, struct tcp_seg *s)
{
	struct auth_by by;

	if (auth_by_tcb(tcp, t, &by) != NULL)
		auth_put(&by, s);
}

static void fill_options(struct tcp *tcp, struct tcb *t, struct tcp_seg *s)
{
	struct tcp_queues *q;

	if (unlikely(t->auth))
		put_auth(tcp, t, s);
	if (t->opt & TCB_OPT_TS) {
		s->has |= TCP_HAS_TS;
		s->tsval = tcp_tsval(tcp, t->ts_offset);
		s->tsecr = t->ts_recent;
	}
	q = tcp_queues_if(tcp, t);
	if (q != NULL && q->ooo != NULL && (t->opt & TCB_OPT_SACK))
		rcvbuf_sack(q, s);
	if (q != NULL && unlikely(q->snd_urgent))
		urgent_fill(t, q, s);
	if (unlikely(dsack_is_due(tcp, t)))
		dsack_fill(tcp, s);
}

/* MUST-16: how many bytes of options the segment size allows besides the payload */
static unsigned options_room(const struct tcb *t, uint32_t payload)
{
	const uint32_t fixed = pc_addr_is_ip4(&t->flow.raddr) ? 20 + TCP_HDR_LEN : 40 + TCP_HDR_LEN;
	const uint32_t room = RTE_MIN(t->path_mtu - fixed, (uint32_t)t->peer_mss);

	if (payload == 0)
		return TCP_OPTIONS_MAX;
	return payload < room ? RTE_MIN(room - payload, (uint32_t)TCP_OPTIONS_MAX) : 0;
}

/* Drops SACK blocks that do not fit. Returns whether any is left. */
static bool fit_sack(struct tcp_seg *s, unsigned room)
{
	while (s->nb_sack > 0 && tcp_hdr_len(s) > TCP_HDR_LEN + room)
		s->nb_sack--;
	if (s->nb_sack > 0)
		return true;
	s->has &= (uint8_t)~TCP_HAS_SACK;
	return false;
}

/* puts the headers in front of m's payload, whose sum note may have, and sends it with these ECN
 * bits; takes ownership of m */
static void emit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, struct tcp_seg *s, uint8_t ecn,
                 const struct pkt *note)
{
	struct ip_send is = {.src = *ip_laddr(tcp->ip, t->flow.laddr),
	                     .dst = t->flow.raddr,
	                     .proto = IPPROTO_TCP,
	                     .ttl = t->ttl,
	                     .tos = (uint8_t)(t->tos | ecn),
	                     .summed = note != NULL && (note->tx.flags & SEG_SUMMED)};
	struct ip_path path;
	uint16_t hdr;

	if (is.summed)
		is.payload_sum = (uint16_t)note->tx.cookie;
	s->sport = t->flow.lport;
	s->dport = t->flow.rport;
	hdr = tcp_hdr_len(s);
	tcp_write((uint8_t *)rte_pktmbuf_prepend(m, hdr), s);
	/* a path may be narrower than is believed: routers may fragment, but not probes (RFC 4821
	 * section 2) */
	is.df = !t->narrow || m->pkt_len + ip_hdr_len(&is.dst) > t->path_mtu;
	if (unlikely(s->has & TCP_HAS_AUTH))
		auth_sign(auth_by_tcb(tcp, t, &(struct auth_by){0}), &is.src, &is.dst, m);
	make_path(tcp, t, &path);
	ip_l4_checksum(tcp->ip, &path, &is, m, hdr, TCP_CKSUM_OFF);
	ctx_count(tcp->ctx, PC_TCP_TX);
	ip_output(tcp->ip, &path, &is, m);
}

/* any segment of a synchronised connection, through struct tcp_seg */
static void emit_full(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t seq,
                      uint8_t flags, uint16_t wnd, uint8_t ecn, const struct pkt *note)
{
	const unsigned room = options_room(t, m->pkt_len);
	struct tcp_seg s;
	bool told = true;

	s.has = 0;
	s.nb_sack = 0;
	s.cookie_len = 0; /* with what is in the same byte */
	s.accecn = TCP_ACCECN_NONE;
	s.seq = seq;
	s.ack = t->rcv_nxt;
	s.flags = flags;
	s.urg = 0;
	s.wnd = wnd;
	if (t->opt & TCB_OPT_ACCECN)
		accecn_fill(tcp, t, &s, m->pkt_len);
	fill_options(tcp, t, &s);
	if (t->opt & TCB_OPT_ACCECN)
		told = accecn_option(tcp, t, &s, m->pkt_len, room);
	/* blocks and counters without room beside data follow in an acknowledgement of their own */
	if (s.nb_sack == 0 || m->pkt_len == 0 || fit_sack(&s, room)) {
		t->flags &= ~(uint32_t)TCB_ACK_NOW;
		dsack_forget(tcp, t);
	}
	if (unlikely(!told))
		tcp_ack_now(tcp, t);
	emit(tcp, t, m, &s, ecn, note);
}

void tcp_emit_plain6(struct tcp *tcp, struct tcb *t, const struct neigh *n, struct rte_mbuf *m,
                     uint32_t seq, uint8_t flags, uint16_t wnd, uint8_t ecn, const struct pkt *note)
{
	if (t->opt & TCB_OPT_TS)
		tcp_emit_as(tcp, t, n, m, seq, flags, wnd, ecn, note, false, true);
	else
		tcp_emit_as(tcp, t, n, m, seq, flags, wnd, ecn, note, false, false);
}

/* fit for the fast path: no SACK blocks, nothing to cut, no larger than the path */
static inline bool is_plain(const struct tcp *tcp, const struct tcb *t, const struct rte_mbuf *m)
{
	const struct tcp_queues *q = tcp_queues_if(tcp, t);

	return (q == NULL || (q->ooo == NULL && !q->snd_urgent)) && !dsack_is_due(tcp, t) &&
	       !t->auth && !t->narrow && !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) &&
	       m->pkt_len + ip_hdr_len(&t->flow.raddr) + tcp_plain_len(t->opt & TCB_OPT_TS) <=
	           t->path_mtu;
}

/* a segment of a synchronised connection: everything but SYN */
static void emit_sync(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t seq,
                      uint8_t flags, bool fresh, const struct pkt *note)
{
	const struct neigh *n = neigh_ready(tcp->ip->neigh, t->neigh);
	const bool bare = m->pkt_len == 0 && !(flags & (TCP_FIN | TCP_RST));
	const uint8_t ecn = tcp_ecn_tos(tcp, t, fresh, bare);
	const uint16_t wnd = tcp_window(tcp, t);

	flags |= TCP_ACK;
	if (unlikely(t->flags & TCB_ECE)) {
		if (t->opt & TCB_OPT_ACCECN)
			n = NULL; /* the fast path has no AE flag */
		else if (!(flags & TCP_RST))
			flags |= TCP_ECE;
	}
	tcp_emit_note(t, m->pkt_len);
	account_of(tcp, t)->segs_out++;
	if (likely(n != NULL && is_plain(tcp, t, m)))
		tcp_emit_plain(tcp, t, n, m, seq, flags, wnd, ecn, note);
	else
		emit_full(tcp, t, m, seq, flags, wnd, ecn, note);
}

/* a sendable packet with the payload of a queued segment, or NULL */
static struct rte_mbuf *mbuf_for(struct tcp *tcp, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);
	uint32_t off = m->pkt_len - note->tx.len;
	struct rte_mbuf *f;

	if (!(note->tx.flags & SEG_INLINE))
		return sndbuf_wrap(tcp->ctx, m, off, note->tx.len);
	if (likely(rte_mbuf_refcnt_read(m) == 1)) {
		if (off != 0)
			rte_pktmbuf_adj(m, (uint16_t)off);
		m->ol_flags = 0;
		rte_mbuf_refcnt_set(m, 2);
		return m;
	}
	f = ctx_mbuf(tcp->ctx);
	if (f != NULL)
		memcpy(rte_pktmbuf_append(f, note->tx.len), rte_pktmbuf_mtod_offset(m, char *, off),
		       note->tx.len);
	return f;
}

uint8_t tcp_mark_sent(struct tcp *tcp, struct tcb *t, struct pkt *note, bool fin, bool fresh)
{
	uint8_t flags = 0;

	assert(!(note->tx.flags & SEG_SACKED)); /* then there is no sent_us */
	if (note->tx.flags & SEG_PUSH || note->next == NULL)
		flags |= TCP_PSH;
	if (fin)
		flags |= TCP_FIN;
	if (fresh && (t->flags & TCB_CWR)) {
		flags |= TCP_CWR;
		t->flags &= ~(uint32_t)TCB_CWR;
	}
	note->tx.sent_us = tcp->ctx->now_us;
	account_text(account_of(tcp, t), note->tx.len);
	if (note->tx.sends > 0)
		account_again(account_of(tcp, t), note->tx.len);
	if (note->tx.sends < UINT8_MAX)
		note->tx.sends++;
	return flags;
}

void tcp_emit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t seq, uint8_t flags)
{
	emit_sync(tcp, t, m, seq, flags, true, NULL);
}

bool tcp_transmit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, bool fin, bool fresh)
{
	struct pkt *note = pkt_of(m);
	struct rte_mbuf *f = mbuf_for(tcp, m);
	uint8_t flags;

	if (f == NULL)
		return false;
	flags = tcp_mark_sent(tcp, t, note, fin, fresh);
	emit_sync(tcp, t, f, note->tx.seq, flags, fresh, note);
	return true;
}

/* There is no mbuf to split the oldest segment, which is too large for the path: its front is sent
 * without being queued, and the next part when that is acknowledged (scoreboard_cut). */
static struct rte_mbuf *resend_front(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);
	struct rte_mbuf *f = sndbuf_wrap(tcp->ctx, m, m->pkt_len - note->tx.len, t->mss);

	if (f == NULL)
		return NULL;
	(void)tcp_mark_sent(tcp, t, note, false, false);
	emit_sync(tcp, t, f, note->tx.seq, 0, false, NULL);
	ctx_count(tcp->ctx, PC_TCP_RETRANSMITS);
	return m;
}

struct rte_mbuf *tcp_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                            struct rte_mbuf *before, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);
	bool fin = (t->flags & TCB_FIN_SENT) && tcp_is_last(t, m);

	if (note->tx.len > t->mss) { /* the path has become narrower */
		struct rte_mbuf *front = sndbuf_split(tcp->ctx, &q->snd, before, m, t->mss);

		if (front == NULL)
			return m == q->snd.head ? resend_front(tcp, t, m) : NULL;
		m = front;
		pmtu_no_probe(q);
		fin = false;
	}
	if (!tcp_transmit(tcp, t, m, fin, false))
		return NULL;
	if (pkt_of(m)->tx.sends == 1) /* a window probe with new data */
		return m;
	ctx_count(tcp->ctx, PC_TCP_RETRANSMITS);
	if (t->opt & TCB_OPT_ACCECN)
		accecn_resent(tcp, t);
	return m;
}

/* ---- without data ---------------------------------------------------------------------------- */

/* is_plain for a segment without data that needs no ECN bits either */
static inline bool is_bare(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_queues *q = tcp_queues_if(tcp, t);

	return (q == NULL || (q->ooo == NULL && !q->snd_urgent)) && !dsack_is_due(tcp, t) &&
	       !t->auth && !t->narrow && !(t->opt & (TCB_OPT_ECN | TCB_OPT_ACCECN));
}

static bool send_empty(struct tcp *tcp, struct tcb *t, uint32_t seq, uint8_t flags)
{
	const struct neigh *n = neigh_ready(tcp->ip->neigh, t->neigh);
	struct rte_mbuf *m = ctx_mbuf(tcp->ctx);

	if (m == NULL)
		return false;
	if (unlikely(n == NULL || !is_bare(tcp, t))) {
		emit_sync(tcp, t, m, seq, flags, false, NULL);
		return true;
	}
	tcp_emit_note(t, 0);
	account_of(tcp, t)->segs_out++;
	tcp_emit_plain(tcp, t, n, m, seq, flags | TCP_ACK, tcp_window(tcp, t), 0, NULL);
	return true;
}

/* What probes a closed window, and has been refused, is beyond that: the peer would ignore an
 * acknowledgement with the number after it, and its own data would not get through. */
bool tcp_send_ack(struct tcp *tcp, struct tcb *t)
{
	const bool closed = unlikely(t->snd_wnd == 0) && t->state != TCP_S_SYN_RECEIVED;

	return send_empty(tcp, t, closed ? t->snd_una : t->snd_nxt, 0);
}

bool tcp_send_fin(struct tcp *tcp, struct tcb *t)
{
	return send_empty(tcp, t, t->snd_nxt - 1, TCP_FIN);
}

bool tcp_send_keepalive(struct tcp *tcp, struct tcb *t)
{
	return send_empty(tcp, t, t->snd_una - 1, 0);
}

/* A peer with full buffers drops what it has no room for and closes its window. An RST after the
 * data that we sent lies beyond that window, so the peer would ignore it (RFC 5961 section 3.2) and
 * never hear from us again. */
void tcp_send_rst(struct tcp *tcp, struct tcb *t)
{
	const uint32_t edge = t->snd_una + t->snd_wnd;

	ctx_count(tcp->ctx, PC_TCP_RESET_TX);
	send_empty(tcp, t, seq_gt(t->snd_nxt, edge) ? edge : t->snd_nxt, TCP_RST);
}

/* Fast Open: the option and, after a SYN, the data queued for it */
static void add_cookie(struct tcp *tcp, struct tcb *t, const struct fastopen_cookie *cookie,
                       struct rte_mbuf *m, struct tcp_seg *s)
{
	const struct tcp_queues *q = tcp_queues(tcp, t);
	struct rte_mbuf *data = q != NULL && !(s->flags & TCP_ACK) ? q->snd.head : NULL;

	/* without a cookie the option would request one, which is of no use if data is sent at
	 * once */
	if (cookie->len > 0 || data == NULL) {
		s->has |= TCP_HAS_FASTOPEN;
		s->cookie_len = cookie->len & 31u;
		memcpy(s->cookie, cookie->bytes, cookie->len);
	}
	if (data != NULL)
		memcpy(rte_pktmbuf_append(m, pkt_of(data)->tx.len),
		       rte_pktmbuf_mtod_offset(data, char *, data->pkt_len - pkt_of(data)->tx.len),
		       pkt_of(data)->tx.len);
}

bool tcp_send_syn(struct tcp *tcp, struct tcb *t, const struct fastopen_cookie *cookie)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;
	uint32_t maxseg = tcp_tuning(tcp, t)->maxseg;
	struct tcp_seg s = {.seq = t->snd_una - !!(t->opt & TCB_OPT_SYN_DATA), .has = TCP_HAS_MSS};
	struct rte_mbuf *m = ctx_mbuf(tcp->ctx);
	bool answer = t->state == TCP_S_SYN_RECEIVED;
	uint8_t ecn;

	if (m == NULL)
		return false;
	s.mss = tcp_link_mss(tcp, t->netif, &t->flow.raddr);
	if (maxseg != 0 && maxseg < s.mss)
		s.mss = (uint16_t)maxseg;
	s.flags = answer ? TCP_SYN | TCP_ACK : TCP_SYN;
	s.ack = answer ? t->rcv_nxt : 0;
	if (!answer && t->rttvar_us == 0) { /* the first one sent */
		t->rttvar_us = tcp->ctx->now_us != 0 ? tcp->ctx->now_us : UINT32_MAX;
		t->ts_recent = tcp_tsval(tcp, t->ts_offset);
	}
	ecn = tcp_ecn_fill(tcp, t, &s);
	if (unlikely(t->auth))
		put_auth(tcp, t, &s);
	if (answer ? t->opt & TCB_OPT_TS : auth_lets_ask_for_ts(tcp, t)) {
		s.has |= TCP_HAS_TS;
		s.tsval = tcp_tsval(tcp, t->ts_offset);
		s.tsecr = answer ? t->ts_recent : 0;
	}
	if (answer ? t->opt & TCB_OPT_SACK : cfg->tcp_sack)
		s.has |= TCP_HAS_SACKOK;
	if (answer ? t->opt & TCB_OPT_WSCALE : cfg->tcp_window_scaling) {
		s.has |= TCP_HAS_WSCALE;
		s.wscale = t->rcv_wscale;
	}
	s.wnd = (uint16_t)RTE_MIN(tcp_rcv_limit(tcp, t),
	                          (uint32_t)UINT16_MAX); /* never scaled in a SYN */
	if (answer) {
		t->rcv_adv = seq_max(t->rcv_adv, t->rcv_nxt + s.wnd);
		t->last_ack_sent = t->rcv_nxt;
	}
	if (cookie != NULL)
		add_cookie(tcp, t, cookie, m, &s);
	if (answer && (t->opt & TCB_OPT_ACCECN))
		accecn_syn_option(tcp, t, &s);
	account_of(tcp, t)->segs_out++;
	if (t->retries > 0)
		account_again(account_of(tcp, t), 0);
	emit(tcp, t, m, &s, ecn, NULL);
	return true;
}

void tcp_challenge(struct tcp *tcp, struct tcb *t)
{
	if (tcp_challenge_allowed(tcp))
		tcp_send_ack(tcp, t);
}

void tcp_ack_dropped(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	/* a keep-alive acknowledges no more than was sent */
	const bool asks = seg->seq == t->rcv_nxt - 1 && seq_leq(seg->ack, t->snd_nxt);

	if (seg->len == 0 && !(seg->flags & TCP_FIN) && !asks)
		tcp_challenge(tcp, t);
	else
		tcp_ack_now(tcp, t);
}
