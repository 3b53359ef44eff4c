/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input for a segment whose connection is known, and header prediction.
 *
 * Overview: nearly always nothing is lost, marked, early, urgent or paced on a connection, and the
 * segment that arrives is the next in order.  The steps of RFC 9293 section 3.10.7.4 for that case
 * are here in one piece; in any other, everything has to be looked at (tcp_input.c).
 *
 * An acknowledgement is plain if it covers all data in flight, so that nothing is left for RACK,
 * the scoreboard and the loss timer; congestion control is called if cwnd was the limit, or is
 * larger than at the beginning.  One that covers some whole segments, as in a stream, has a path of
 * its own (part_input), which takes 450 instructions less than the slow path.
 *
 * An echo of 64 bytes took 2952 instructions without this file and 2215 with it, a pure
 * acknowledgement 1454 and 1043.  The end of a handshake and a FIN are plain, too, and so is the last
 * acknowledgement of a connection (last_input): 326 instructions less.
 */
#include "tcp/tcp_plain.h"

#include "base/seq.h"
#include "ip/ip_fast.h"
#include "tcp/account.h"
#include "tcp/auth.h"
#include "tcp/cc.h"
#include "tcp/gtsm.h"
#include "tcp/pmtu.h"
#include "tcp/rcvbuf.h"
#include "tcp/rtt.h"
#include "tcp/stash.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_emit.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_turn.h"
#include "tcp/window.h"

/* ---- lookup ---------------------------------------------------------------------------------- */

/* the connection that a segment of the burst most likely belongs to, or NULL */
static inline const struct tcb *likely_tcb(const struct tcp *tcp, const struct tcp_rx *rx)
{
	return flow_ref_kind(rx->ref) == FLOW_TCB ? tcp_tcb(tcp, flow_ref_index(rx->ref)) : NULL;
}

/* with fewer TCBs everything is in a nearby cache anyway; and the bytes of queues that input
 * touches */
#define FEW_TCBS      256
#define HOT_OF_QUEUES 128

/*
 * Each loop touches what the one before has prefetched, so that a burst waits for memory four
 * times, not four times per segment: for the bucket, the TCB, the queues and account, and the
 * oldest segment in flight, which is most likely the one acknowledged.
 *
 * The loops are short, because a prefetch is not complete before its address is translated: among
 * the many instructions of tcp_rx_parse, the processor sees that of one bucket at a time.
 */
void tcp_rx_prefetch(struct tcp *tcp, struct tcp_pending *seg, unsigned n)
{
	const struct tcp_queues *q;
	const struct tcb *t;

	for (unsigned i = 0; i < n; i++)
		rte_prefetch0(tcp_table_home(&tcp->table, seg[i].rx.hash));
	for (unsigned i = 0; i < n; i++) {
		const char *at;

		seg[i].rx.ref = tcp_table_candidate(&tcp->table, seg[i].rx.hash);
		if (seg[i].rx.ref == 0)
			continue;
		at = (const char *)tcp_table_flow(&tcp->table, seg[i].rx.ref);
		rte_prefetch0(at);
		rte_prefetch0(at + 64);
		rte_prefetch0(at + 128);
	}
	if (tcp->tcbs_used < FEW_TCBS)
		return;
	for (unsigned i = 0; i < n; i++) {
		t = likely_tcb(tcp, &seg[i].rx);
		if (t == NULL)
			continue;
		rte_prefetch0(account_of(tcp, t));
		if (t->queues == 0 || tcb_is_stashed(t))
			continue;
		for (size_t line = 0; line < HOT_OF_QUEUES; line += 64)
			rte_prefetch0((const char *)&tcp->queues[t->queues] + line);
	}
	for (unsigned i = 0; i < n; i++) {
		t = likely_tcb(tcp, &seg[i].rx);
		q = t != NULL ? tcp_queues_if(tcp, t) : NULL;
		if (q == NULL || q->snd.head == NULL)
			continue;
		rte_prefetch0(q->snd.head);
		rte_prefetch0(pkt_of(q->snd.head));
	}
}

static flow_ref resolve(const struct tcp *tcp, const struct tcp_rx *rx)
{
	if (likely(rx->ref != 0 &&
	           tcp_flow_equal(tcp_table_flow(&tcp->table, rx->ref), &rx->flow) &&
	           (flow_ref_kind(rx->ref) != FLOW_TCB ||
	            (tcp_tcb(tcp, flow_ref_index(rx->ref))->flags & TCB_IN_TABLE))))
		return rx->ref;
	return tcp_table_find(&tcp->table, rx->hash, &rx->flow);
}

/* ---- header prediction ----------------------------------------------------------------------- */

static inline bool timestamp_is_plain(const struct tcb *t, const struct tcp_seg *seg)
{
	return (seg->has & TCP_HAS_TS) && seq_geq(seg->tsval, t->ts_recent);
}

/* the next in order, with nothing special about it */
static inline bool segment_is_plain(const struct tcp *tcp, const struct tcb *t,
                                    const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;

	return t->state == TCP_S_ESTABLISHED && (seg->flags & ~(TCP_PSH | TCP_FIN)) == TCP_ACK &&
	       seg->seq == t->rcv_nxt && seg->nb_sack == 0 &&
	       (!(t->opt & TCB_OPT_TS) || timestamp_is_plain(t, seg)) &&
	       (!(t->opt & (TCB_OPT_ECN | TCB_OPT_ACCECN)) ||
	        ((rx->tos & ECN_MASK) != ECN_CE && !(t->flags & TCB_ECE))) &&
	       seg->len <= t->rcv_adv - t->rcv_nxt && t->snd_wnd != 0 && tcp->dsack.tcb == 0;
}

/* there is no loss, nor a probe for one, that an acknowledgement of everything could concern */
static inline bool flight_is_plain(const struct tcb *t, const struct tcp_queues *q)
{
	return q->trouble == 0 &&
	       (q->sacked_bytes | q->lost_bytes | q->dup_bytes | q->undo_cwnd | q->pmtu.forgiven |
	        q->pmtu.probe | t->retries) == 0 &&
	       q->snd.head != q->snd_next && pkt_of(q->snd.head)->tx.sends == 1 && cc_of(t)->plain;
}

bool tcp_plain_is_acked(const struct tcp *tcp, const struct tcp_rx *rx, uint32_t *snd_nxt)
{
	const flow_ref ref = tcp_table_find(&tcp->table, rx->hash, &rx->flow);
	const struct tcp_queues *q;
	const struct tcb *t;

	if (flow_ref_kind(ref) != FLOW_TCB)
		return false;
	t = tcp_tcb(tcp, flow_ref_index(ref));
	q = tcp_queues_if(tcp, t);
	*snd_nxt = t->snd_nxt;
	return t->checked == 0 && t->state == TCP_S_ESTABLISHED && q != NULL &&
	       q->snd.head != NULL && flight_is_plain(t, q) && seq_gt(rx->seg.ack, t->snd_una);
}

/* Removes the acknowledged segments, down to snd_next, from the queue. Returns the RTT sample, or 0
 * if some may have been retransmitted, as after a recovery that was undone. */
static inline uint32_t pop_sent(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                                struct tcp_account *a)
{
	uint32_t sent_us = 0, segs = 0, us;
	bool once = true; /* the first was */

	do {
		struct rte_mbuf *m = q->snd.head;
		const struct pkt *note = pkt_of(m);

		t->snd_bytes -= note->tx.len;
		if (likely(note->tx.sends == 1))
			sent_us = note->tx.sent_us;
		else
			once = false;
		q->snd.head = note->next;
		ctx_free(tcp->ctx, m);
		segs++;
	} while (q->snd.head != q->snd_next);
	a->delivered += segs;
	if (q->snd.head == NULL)
		q->snd.tail = NULL;
	us = RTE_MAX(tcp->ctx->now_us - sent_us, 1u);
	if (likely(once))
		return us;
	if (q->rack.min_rtt_us == 0 || us < q->rack.min_rtt_us)
		q->rack.min_rtt_us = us;
	return 0;
}

/* the part of plain_ack for a cwnd that was the limit, or is larger than at the beginning */
static __rte_noinline void grow_by_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                                       const struct tcp_rx *rx, uint32_t acked, uint32_t most,
                                       uint32_t rtt_us)
{
	const struct tcp_seg *seg = &rx->seg;
	struct loss_ack a = {.acked = acked,
	                     .delivered = acked,
	                     .flight = acked,
	                     .used = RTE_MAX(acked, q->flight_out),
	                     .most = most,
	                     .rtt_us = rtt_us,
	                     .merged = tcp_merged_acks(rx)};

	tcp_loss_stop(tcp, t);
	t->snd_una = seg->ack;
	tcp_loss_ack(tcp, t, q, &a, seg);
	tcp_snd_grow(tcp, t);
}

static __rte_always_inline void plain_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                                          struct tcp_account *account, const struct tcp_rx *rx,
                                          uint32_t acked)
{
	const struct tcp_seg *seg = &rx->seg;
	uint32_t rtt_us = pop_sent(tcp, t, q, account), used = RTE_MAX(acked, q->flight_out);
	uint32_t most = unlikely(q->rack.in_parts) ? tcp_loss_most(t, q, used) : used;

	q->rack.in_parts = false;
	q->rack.valid = false; /* all that follows is sent after what was delivered */
	if (likely(rtt_us > 0)) {
		rack_min_rtt(&q->rack, rtt_us, tcp->ctx->now_ms);
		rtt_sample(tcp, t, rtt_us);
	} else {
		rtt_us = tcp_ack_sample_echo(tcp, t, seg);
	}
	account_all_acked(tcp, t, account, acked, rtt_us);
	ip_confirm(tcp->ip, t->neigh);
	t->timers &= (uint8_t)~TCB_T_LOSS; /* RFC 6298 (5.2) */
	if (unlikely(cc_is_limited(t, most) || t->cwnd > tcb_restart_window(tcp, t)))
		grow_by_ack(tcp, t, q, rx, acked, most, rtt_us);
	t->snd_una = seg->ack;
	q->flight_out = 0;
}

static inline void plain_text(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                              struct rte_mbuf *m, const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;

	m = mbuf_trim_front(m, (uint32_t)p->l4_off + seg->hdr_len);
	if (likely(rx->segs == 1))
		rcvbuf_push(t, q, m);
	else
		rcvbuf_push_run(t, q, m);
	ctx_add(tcp->ctx, PC_TCP_RX_BYTES, seg->len);
	tcp_owe_ack(tcp, t, q, rx, seg->len);
	tcb_notify(tcp, t, EPOLLIN | EPOLLRDNORM);
}

/* returns the queues if data can be taken, else NULL */
static inline struct tcp_queues *take_queues(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q;

	if (unlikely(!(t->flags & (TCB_OPEN | TCB_PENDING)) || tcp->ctx->mbufs_low) ||
	    (t->rcv_bytes > 0 && unlikely(ctx_is_short(tcp->ctx))))
		return NULL;
	q = tcb_attach_queues(tcp, t);
	return q != NULL && q->ooo == NULL && !q->fin_early ? q : NULL;
}

/* Can the rest of the segment be taken? Data needs queues: *q. A FIN needs an open window, and
 * nothing received out of order. With neither, a segment that acknowledges nothing must not concern
 * a loss, or a probe for one. */
static inline bool rest_is_plain(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg,
                                 uint32_t acked, struct tcp_queues **q)
{
	if (seg->len > 0)
		return (*q = take_queues(tcp, t)) != NULL;
	if (seg->flags & TCP_FIN) /* a closed window takes none */
		return t->rcv_adv != t->rcv_nxt &&
		       (*q == NULL || ((*q)->ooo == NULL && !(*q)->fin_early));
	return acked != 0 || (t->snd_nxt == t->snd_una && (*q == NULL || !(*q)->tlp_out));
}

/* counts a segment for the connection, with all its data */
static inline struct tcp_account *input_count(struct tcp *tcp, const struct tcb *t,
                                              const struct tcp_rx *rx)
{
	struct tcp_account *a = tcp_input_count(tcp, t, rx);

	a->bytes_received += rx->seg.len;
	return a;
}

/* processes a plain segment's header except for the acknowledgement */
static inline void input_header(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg,
                                uint32_t acked)
{
	t->rcv_tick = tcp->ctx->tick;
	if ((t->opt & TCB_OPT_TS) && seq_leq(seg->seq, t->last_ack_sent)) { /* RFC 7323 4.3 (2) */
		t->ts_recent = seg->tsval;
		t->ts_recent_at = tcp->ctx->era;
	}
	t->probes = 0;
	tcp_take_window(t, seg, acked != 0);
}

/* ---- partial acknowledgements --------------------------------------------------------------- */

/* ack is where a segment in flight ends that, like those before it, was sent once */
static inline bool ends_segment(const struct tcp_queues *q, uint32_t ack)
{
	for (const struct rte_mbuf *m = q->snd.head; m != q->snd_next; m = pkt_of_const(m)->next) {
		const struct pkt *note = pkt_of_const(m);
		const int32_t beyond = seq_diff(note->tx.seq + note->tx.len, ack);

		if (note->tx.sends != 1 || beyond > 0)
			return false;
		if (beyond == 0)
			return true;
	}
	return false;
}

/* removes the acknowledged segments from the queue, where others follow; returns the RTT sample */
static inline uint32_t pop_part(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                                struct tcp_account *a, uint32_t ack)
{
	uint32_t sent_us;

	do {
		struct rte_mbuf *m = q->snd.head;
		const struct pkt *note = pkt_of(m);

		t->snd_bytes -= note->tx.len;
		sent_us = note->tx.sent_us;
		q->snd.head = note->next;
		a->delivered++;
		if (pkt_of(q->snd.head)->tx.seq == ack) /* the last, sent after the others */
			rack_deliver(&q->rack, note, tcp->ctx->now_us);
		ctx_free(tcp->ctx, m);
	} while (pkt_of(q->snd.head)->tx.seq != ack);
	return RTE_MAX(tcp->ctx->now_us - sent_us, 1u);
}

/* the part of tcp_ack that such an acknowledgement needs */
static void input_part(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                       const struct tcp_rx *rx, uint32_t acked)
{
	const uint32_t flight = t->snd_nxt - t->snd_una, ack = rx->seg.ack;
	struct loss_ack a = {.acked = acked,
	                     .delivered = acked,
	                     .flight = flight,
	                     .used = RTE_MAX(flight, q->flight_out),
	                     .merged = tcp_merged_acks(rx)};

	a.most = tcp_loss_most(t, q, a.used);
	q->rack.in_parts = true;
	rack_begin(&q->rack, t->snd_una);
	a.rtt_us = pop_part(tcp, t, q, account_of(tcp, t), ack);
	rack_min_rtt(&q->rack, a.rtt_us, tcp->ctx->now_ms);
	rtt_sample(tcp, t, a.rtt_us);
	t->snd_una = ack;
	t->flags &= ~(uint32_t)TCB_MORE;
	ip_confirm(tcp->ip, t->neigh);
	q->loss_timer = tcp_arm_plain(tcp, t); /* RFC 6298 (5.3) */
	tcp_ack_space(tcp, t);
	account_acked(tcp, t, acked);
	if (unlikely(q->rack.late > 0))
		account_late(tcp, t, q->rack.late);
	tcp_loss_plain_ack(tcp, t, q, &a);
	tcp_snd_grow(tcp, t);
}

/* A segment that acknowledges whole segments, but not all in flight, as in a stream; its data is
 * taken, too, as from a peer that sends requests before all answers have arrived. Whatever else is
 * not plain is left to the slow path. */
static __rte_noinline int part_input(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m,
                                     const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;
	struct tcp_queues *q = tcp_queues(tcp, t);
	const uint32_t acked = seg->ack - t->snd_una;

	if ((seg->flags & TCP_FIN) || acked >= t->snd_nxt - t->snd_una || q == NULL ||
	    !flight_is_plain(t, q) || !ends_segment(q, seg->ack) ||
	    (seg->len > 0 && take_queues(tcp, t) == NULL))
		return TCP_NOT_PLAIN;
	(void)input_count(tcp, t, rx);
	input_header(tcp, t, seg, acked);
	input_part(tcp, t, q, rx, acked);
	if (seg->len > 0)
		plain_text(tcp, t, q, m, p, rx);
	tcp_work(tcp, t);
	return seg->len > 0 ? VERDICT_DONE : PC_DROP_TCP_ACK_DONE;
}

/* ---- all is acknowledged, or nothing ----------------------------------------------------------- */

static __rte_always_inline int plain_input(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m,
                                           const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;
	struct tcp_queues *q = tcp_queues(tcp, t);
	const uint32_t acked = seg->ack - t->snd_una;
	const bool has_text = seg->len > 0;
	struct tcp_account *a;

	if (!segment_is_plain(tcp, t, rx))
		return TCP_NOT_PLAIN;
	if (acked != 0) {
		if (unlikely(acked != t->snd_nxt - t->snd_una))
			return part_input(tcp, t, m, p, rx);
		if (q == NULL || (t->flags & (TCB_NOSPACE | TCB_MORE)) || !flight_is_plain(t, q))
			return TCP_NOT_PLAIN;
	}
	if (!rest_is_plain(tcp, t, seg, acked, &q))
		return TCP_NOT_PLAIN;
	a = input_count(tcp, t, rx);
	input_header(tcp, t, seg, acked);
	if (acked != 0)
		plain_ack(tcp, t, q, a, rx, acked);
	if (has_text)
		plain_text(tcp, t, q, m, p, rx);
	else if (q != NULL && q->snd.head != NULL)
		tcp_work(tcp, t);
	else
		tcb_detach_queues(tcp, t);
	if (unlikely(seg->flags & TCP_FIN))
		tcp_input_fin(tcp, t);
	return has_text ? VERDICT_DONE : PC_DROP_TCP_ACK_DONE;
}

/* ---- stashed connections --------------------------------------------------------------------- */

/* like input_ack, with less to do */
static inline void stashed_ack(struct tcp *tcp, struct tcb *t, struct tcp_account *a,
                               const struct tcp_seg *seg)
{
	const uint32_t rtt_us = RTE_MAX(tcp->ctx->now_us - t->sent_us, 1u);

	a->delivered++;
	a->min_rtt_us = rtt_us;
	rtt_sample(tcp, t, rtt_us);
	account_all_acked(tcp, t, a, seg->ack - t->snd_una, rtt_us);
	ip_confirm(tcp->ip, t->neigh);
	t->timers &= (uint8_t)~TCB_T_LOSS;
	t->snd_una = seg->ack;
	if (unlikely(t->flags & TCB_NOSPACE))
		tcp_ack_space(tcp, t);
}

/* plain_input for a stashed connection: only the acknowledgement of its segment is plain */
static __rte_noinline int stashed_input(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m,
                                        const struct ip_pkt *p, const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;
	const uint32_t acked = seg->ack - t->snd_una;
	struct tcp_queues *q = NULL;

	if (!segment_is_plain(tcp, t, rx) || acked != t->snd_nxt - t->snd_una || !cc_of(t)->plain ||
	    (t->flags & TCB_MORE))
		return TCP_NOT_PLAIN;
	stash_drop(tcp, t);
	if (!rest_is_plain(tcp, t, seg, acked, &q)) { /* its ACK needs no mbuf */
		stashed_ack(tcp, t, account_of(tcp, t), seg);
		return TCP_NOT_PLAIN;
	}
	input_header(tcp, t, seg, acked);
	stashed_ack(tcp, t, input_count(tcp, t, rx), seg);
	if (q != NULL) { /* taken before SND.UNA moved */
		q->recover = t->snd_una - 1;
		q->small_end = t->snd_una;
		plain_text(tcp, t, q, m, p, rx);
	}
	if (unlikely(seg->flags & TCP_FIN))
		tcp_input_fin(tcp, t);
	return seg->len > 0 ? VERDICT_DONE : PC_DROP_TCP_ACK_DONE;
}

/* ---- the last acknowledgement --------------------------------------------------------------- */

/* The peer acknowledges our FIN, after its own and after the application's close(): whatever else the
 * segment could change is about to be freed. */
static __rte_noinline int last_input(struct tcp *tcp, struct tcb *t, const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;

	if (t->state != TCP_S_LAST_ACK || (t->flags & (TCB_FIN_SENT | TCB_OPEN)) != TCB_FIN_SENT ||
	    t->queues != 0 || seg->flags != TCP_ACK || seg->len > 0 || seg->seq != t->rcv_nxt ||
	    seg->ack != t->snd_nxt || tcp->dsack.tcb != 0 ||
	    ((t->opt & TCB_OPT_TS) && !timestamp_is_plain(t, seg)))
		return TCP_NOT_PLAIN;
	ip_confirm(tcp->ip, t->neigh);
	ctx_count(tcp->ctx, PC_TCP_CLOSED);
	tcb_leave(tcp, t, rx->hash);
	tcb_done(tcp, t, 0);
	return PC_DROP_TCP_ACK_DONE;
}

int tcp_plain_input(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, const struct ip_pkt *p,
                    const struct tcp_rx *rx)
{
	return likely(t->checked == 0) ? plain_input(tcp, t, m, p, rx) : TCP_NOT_PLAIN;
}

int tcp_input(struct tcp *tcp, struct rte_mbuf *m, const struct ip_pkt *p, struct tcp_rx *rx)
{
	const flow_ref ref = resolve(tcp, rx);
	struct tcb *t;
	int verdict;

	if (likely(flow_ref_kind(ref) == FLOW_TCB)) {
		t = tcp_tcb(tcp, flow_ref_index(ref));
		if (unlikely(t->checked != 0 || (rx->seg.has & TCP_HAS_AUTH))) {
			verdict = TCP_NOT_PLAIN;
		} else if (tcb_is_stashed(t)) {
			verdict = stashed_input(tcp, t, m, p, rx);
		} else {
			verdict = plain_input(tcp, t, m, p, rx);
			if (unlikely(verdict == TCP_NOT_PLAIN))
				verdict = last_input(tcp, t, rx);
		}
		if (likely(verdict != TCP_NOT_PLAIN))
			return verdict;
	}
	verdict = gtsm_input(tcp, ref, p, rx);
	if (likely(verdict == VERDICT_DONE))
		verdict = auth_input(tcp, ref, m, p, rx);
	return unlikely(verdict != VERDICT_DONE) ? verdict : tcp_input_any(tcp, ref, m, p, rx);
}
