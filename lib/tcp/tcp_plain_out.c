/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast path for output: new segments of a connection in its usual state.
 *
 * Overview: may_send says whether the connection is in that state, segment_fits whether a segment
 * may be sent now and as it is; for such segments, up to the first that is not, what tcp_output
 * does is done here in one piece.  Nothing changes until the first one is certain; the rest is left
 * to tcp_output.  Of full segments only the first one's headers are written; those that follow in
 * the same turn get a copy (send_alike): 140 instructions less for each.  A FIN is sent here only
 * if nothing else is (send_lone_fin).
 */
#include "tcp/tcp_plain.h"

#include "base/seq.h"
#include "tcp/account.h"
#include "tcp/cc.h"
#include "tcp/nagle.h"
#include "tcp/pmtu.h"
#include "tcp/sndbuf.h"
#include "tcp/stash.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_emit.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_turn.h"
#include "tcp/window.h"

/* nothing about the connection keeps it from sending at once */
static inline bool may_send_plain(const struct tcp *tcp, const struct tcb *t,
                                  const struct tcp_queues *q)
{
	const uint32_t special = TCB_CORK | TCB_MORE | TCB_WR_SHUT | TCB_FIN_SENT | TCB_CWR |
	                         TCB_ECE | TCB_PUSH | TCB_STARVED;

	/* a separate load: a combined one with opt would have to wait for earlier stores */
	const uint32_t flags = *(const volatile uint32_t *)&t->flags;

	return t->state == TCP_S_ESTABLISHED && !(flags & special) &&
	       (t->rare == 0 ||
	        (!t->auth && !t->narrow && tcp_tuning(tcp, t)->max_pacing_rate == 0)) &&
	       !(t->opt & TCB_OPT_ECN) && cc_of(t)->plain && !tcp->ctx->cfg.tcp_pacing &&
	       tcp->dsack.tcb == 0 && q->ooo == NULL && q->trouble == 0 && q->pmtu.high == 0 &&
	       t->retries == 0;
}

/* as far as is known, all data in flight is still in the network */
static inline bool flight_is_plain_at(const struct tcp_queues *q, uint32_t flight)
{
	return flight == 0 || (q->sacked_bytes | q->lost_bytes | q->dup_bytes) == 0;
}

/* a segment may be sent with flight bytes in flight: it is full, or the last and need not wait; and
 * its own mbuf can carry it */
static inline bool segment_fits(const struct tcp *tcp, const struct tcb *t,
                                const struct tcp_queues *q, const struct rte_mbuf *m,
                                uint32_t flight)
{
	const struct pkt *note = pkt_of_const(m);
	const uint32_t len = note->tx.len, after = flight + len;

	if (len != t->mss &&
	    (len > t->mss || note->next != NULL || (flight != 0 && !nagle_lets(tcp, t, q))))
		return false;
	return after <= t->snd_wnd && (flight == 0 || after <= t->cwnd) &&
	       (note->tx.flags & SEG_INLINE) && m->pkt_len == len && rte_mbuf_refcnt_read(m) == 1;
}

/* the port cuts large segments (TSO) */
static inline bool port_cuts(const struct tcp *tcp, const struct tcb *t)
{
	return tcp->ctx->cfg.tcp_tso && tcp_port_has(tcp, t, PC_PORT_TX_TSO);
}

/* m is sent for the first time, and stays in the queue */
static inline void mark_sent(const struct tcp *tcp, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);

	note->tx.sent_us = tcp->ctx->now_us;
	note->tx.sends = 1;
	rte_mbuf_refcnt_set(m, 2);
}

/* sends m, which stays in the queue or is the port's alone */
static __rte_always_inline void send_segment(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                                             const struct neigh *n, struct rte_mbuf *m,
                                             const uint8_t flags, const bool stays)
{
	struct pkt *note = pkt_of(m);
	const uint32_t len = note->tx.len;

	m->ol_flags = 0;
	if (stays)
		mark_sent(tcp, m);
	tcp_emit_note(t, len);
	tcp_emit_plain(tcp, t, n, m, t->snd_nxt, flags, tcp_window(tcp, t), 0, note);
	t->snd_nxt += len;
	nagle_note(t, q, len);
}

static inline uint8_t flags_of(const struct rte_mbuf *m)
{
	const struct pkt *note = pkt_of_const(m);

	return note->next == NULL || (note->tx.flags & SEG_PUSH) ? TCP_ACK | TCP_PSH : TCP_ACK;
}

/* ---- runs of full segments ------------------------------------------------------------------- */

/*
 * The headers of a full segment, for those that follow it at once: they differ in the sequence
 * number, PSH and the checksum.
 */
struct headers {
	uint8_t bytes[96]; /* they end where the payload begins; before them is something else */
	uint16_t len, l4_len;
	uint16_t sum_be; /* of what all have in common, unless the port computes sums */
	uint8_t needs;   /* the flags that a segment must have */
	uint64_t ol_flags, tx_offload;
};

static_assert(sizeof(((struct headers *)NULL)->bytes) <= SNDBUF_HEADROOM, "it can be copied");

/* keeps the headers in front of text, the payload of the full segment that was sent last; returns
 * whether they are there still: the port may have been given the frame, and have changed it */
static inline bool keep_headers(const struct tcp *tcp, const struct tcb *t, const struct txq *txq,
                                const struct rte_mbuf *m, const uint8_t *text, struct headers *h)
{
	uint8_t *l4;

	if (txq->n == 0 || txq->pkts[txq->n - 1] != m)
		return false;
	h->l4_len = tcp_plain_len(t->opt & TCB_OPT_TS);
	h->len = (uint16_t)(rte_pktmbuf_data_len(m) - t->mss);
	h->ol_flags = m->ol_flags;
	h->tx_offload = m->tx_offload;
	h->needs = SEG_INLINE;
	h->sum_be = 0;
	memcpy(h->bytes, text - sizeof(h->bytes), sizeof(h->bytes));
	l4 = h->bytes + sizeof(h->bytes) - h->l4_len;
	l4[13] = TCP_ACK;
	if (txq->port->info.offloads & PC_PORT_TX_TCP_CKSUM)
		return true;
	h->needs |= SEG_SUMMED;
	wire_put32_be(l4 + 4, 0);
	wire_put16_be(l4 + TCP_CKSUM_OFF, 0);
	h->sum_be = cksum_fold_be(
	    cksum_add_short(cksum_pseudo(ip_laddr(tcp->ip, t->flow.laddr), &t->flow.raddr,
	                                 IPPROTO_TCP, (uint32_t)h->l4_len + t->mss),
	                    l4, h->l4_len));
	return true;
}

/* puts the headers in front of the payload of m */
static inline void put_headers(struct rte_mbuf *m, const struct headers *h, uint32_t seq,
                               uint8_t flags)
{
	const uint8_t *end = h->bytes + sizeof(h->bytes);
	uint8_t *text = rte_pktmbuf_mtod(m, uint8_t *), *l4 = text - h->l4_len;
	const uint32_t seq_be = __builtin_bswap32(seq);

	if (likely(h->len <= 64))
		memcpy(text - 64, end - 64, 64);
	else
		memcpy(text - sizeof(h->bytes), h->bytes, sizeof(h->bytes));
	wire_put32_be(l4 + 4, seq_be);
	l4[13] = flags;
	if (h->needs & SEG_SUMMED) /* without TCP_ACK, which is in h->sum_be */
		wire_put16_be(l4 + TCP_CKSUM_OFF,
		              cksum_finish_be((uint64_t)h->sum_be + seq_be +
		                              ((flags & (uint32_t)TCP_PSH) << 8) +
		                              (uint16_t)pkt_of(m)->tx.cookie));
	m->ol_flags = h->ol_flags;
	m->tx_offload = h->tx_offload;
	m->data_off = (uint16_t)(m->data_off - h->len);
	m->data_len = (uint16_t)(m->data_len + h->len);
	m->pkt_len += h->len;
}

/* sends full segments from *next on that may be sent with these headers; returns how many */
static inline uint32_t send_alike(struct tcp *tcp, struct tcb *t, struct txq *txq,
                                  struct rte_mbuf **next, const struct headers *h)
{
	const uint32_t limit = RTE_MIN(t->snd_wnd, t->cwnd), mss = t->mss, began = t->snd_nxt;
	uint32_t flight = began - t->snd_una, segs = 0;
	struct rte_mbuf *m = *next;

	for (; m != NULL && flight + mss <= limit && !txq_is_busy(txq); flight += mss, segs++) {
		struct pkt *note = pkt_of(m);

		if (note->tx.len != mss || (note->tx.flags & h->needs) != h->needs ||
		    m->pkt_len != mss || rte_mbuf_refcnt_read(m) != 1)
			break;
		put_headers(m, h, t->snd_una + flight, flags_of(m));
		mark_sent(tcp, m);
		txq_put(txq, tcp->ctx, m);
		m = note->next;
	}
	*next = m;
	t->snd_nxt += segs * mss;
	t->quick = (uint32_t)t->quick >> RTE_MIN(segs, 7u) & 0x7fu;
	ctx_add(tcp->ctx, PC_TCP_TX, segs);
	return segs;
}

/* sends the first segment, which fits, and those after it that do; returns how many */
static __rte_noinline uint32_t send_run(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                                        const struct neigh *n)
{
	struct txq *txq = &tcp->ip->ifs.netif[n->netif].txq;
	struct rte_mbuf *m = q->snd_next;
	struct headers h;
	uint32_t segs = 0;

	while (m != NULL && segment_fits(tcp, t, q, m, t->snd_nxt - t->snd_una) &&
	       likely(!txq_is_busy(txq))) {
		const uint8_t *text = rte_pktmbuf_mtod(m, uint8_t *);
		struct rte_mbuf *next = pkt_of(m)->next;
		const bool is_full = pkt_of(m)->tx.len == t->mss;

		send_segment(tcp, t, q, n, m, flags_of(m), true);
		segs++;
		if (next != NULL && is_full && keep_headers(tcp, t, txq, m, text, &h))
			segs += send_alike(tcp, t, txq, &next, &h);
		m = next;
	}
	q->snd_next = m;
	return segs;
}

/* counts the data sent since SND.NXT was before */
static inline struct tcp_account *count_sent(struct tcp *tcp, const struct tcb *t, uint32_t before,
                                             uint32_t segs)
{
	struct tcp_account *a = account_of(tcp, t);
	const uint32_t bytes = t->snd_nxt - before;

	a->segs_out += segs;
	a->data_segs_out += segs;
	a->bytes_sent += bytes;
	ctx_add(tcp->ctx, PC_TCP_TX_BYTES, bytes);
	return a;
}

/* records what was sent, and arms the loss timer */
static inline void note_sent(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t before,
                             uint32_t segs)
{
	const struct tcp_account *a = count_sent(tcp, t, before, segs);

	q->flight_out = t->snd_nxt - t->snd_una;
	if (segs > 1 || before != t->snd_una) { /* it may be acknowledged in parts */
		tcp_turn_use(t, q);
		account_turn(tcp, t, ACCOUNT_BUSY);
	} else if (unlikely(a->chrono != ACCOUNT_IDLE)) {
		account_turn(tcp, t, ACCOUNT_BUSY);
	}
	if (likely(before == t->snd_una))
		q->loss_timer = tcp_arm_plain(tcp, t);
	else
		tcp_loss_sent(tcp, t, q);
}

/* sends the only data, one small segment, and stashes the connection */
static __rte_noinline void send_lone(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                                     const struct neigh *n, struct rte_mbuf *m)
{
	const uint32_t before = t->snd_nxt, slot = stash_copy(&tcp->stash, m);

	send_segment(tcp, t, q, n, m, TCP_ACK | TCP_PSH, false);
	stash_close(tcp, t, q, slot);
	ctx_count(tcp->ctx, PC_TCP_STASHED);
	if (unlikely(count_sent(tcp, t, before, 1)->chrono != ACCOUNT_IDLE))
		account_turn(tcp, t, ACCOUNT_BUSY);
	(void)tcp_arm_plain(tcp, t);
}

/* sends the FIN of a connection on which nothing else is left to send, or in flight */
static __rte_noinline bool send_lone_fin(struct tcp *tcp, struct tcb *t)
{
	const uint32_t special = TCB_FIN_SENT | TCB_NOSPACE | TCB_STARVED;

	if ((t->state != TCP_S_LAST_ACK && t->state != TCP_S_FIN_WAIT_1) || (t->flags & special) ||
	    t->queues != 0 || tcp->dsack.tcb != 0 || !tcp_output_fin(tcp, t))
		return false;
	t->flags &= ~(uint32_t)TCB_PUSH;
	tcp_arm_in(tcp, t, t->rto_us);
	return !(t->flags & TCB_ACK_NOW); /* as the FIN has no room for all there is to report */
}

bool tcp_plain_output(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues_if(tcp, t);
	struct rte_mbuf *m = q != NULL ? q->snd_next : NULL;
	const uint32_t before = t->snd_nxt, flight = before - t->snd_una;
	const struct neigh *n;
	uint32_t segs = 1;

	if (m == NULL)
		return (t->flags & TCB_WR_SHUT) && send_lone_fin(tcp, t);
	if (!may_send_plain(tcp, t, q) || !flight_is_plain_at(q, flight) ||
	    !segment_fits(tcp, t, q, m, flight) || (pkt_of(m)->next != NULL && port_cuts(tcp, t)))
		return false;
	n = neigh_ready(tcp->ip->neigh, t->neigh);
	if (unlikely(n == NULL))
		return false;
	if (flight == 0 && unlikely(t->cwnd >= t->ssthresh || seq_gt(tcp->ctx->tick, t->t_loss)))
		tcp_turn_start(tcp, t, q);
	if (likely(pkt_of(m)->next == NULL)) {
		if (flight == 0 && stash_takes(tcp, t, q, m)) {
			send_lone(tcp, t, q, n, m);
			return true;
		}
		send_segment(tcp, t, q, n, m, TCP_ACK | TCP_PSH, true);
		q->snd_next = NULL;
	} else {
		segs = send_run(tcp, t, q, n);
	}
	note_sent(tcp, t, q, before, segs);
	return q->snd_next == NULL && !(t->flags & TCB_NOSPACE);
}
