/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loss recovery.
 *
 * Each segment under way is plain, SACKED, LOST, or LOST and RESENT; the queue counts the bytes of
 * each, and pipe = flight - sacked - lost + resent (RFC 6675 section 4).  A peer without SACK
 * takes the same path: every duplicate ACK stands for one segment that has left the network
 * (dup_bytes), so limited transmit (RFC 3042) and the inflation of RFC 6582 come by themselves.
 */
#include "tcp/tcp_loss.h"

#include "base/seq.h"
#include "tcp/cc.h"
#include "tcp/sndbuf.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_timer.h"

#define DUP_THRESH 3

static void mark_lost(struct tcp_queues *q, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);

	if (note->tx.flags & (SEG_LOST | SEG_SACKED))
		return;
	note->tx.flags |= SEG_LOST;
	q->lost_bytes += note->tx.len;
}

static void unmark(struct tcp_queues *q, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);

	if (note->tx.flags & SEG_LOST)
		q->lost_bytes -= note->tx.len;
	if (note->tx.flags & SEG_RESENT)
		q->resent_bytes -= note->tx.len;
	note->tx.flags &= (uint8_t) ~(SEG_LOST | SEG_RESENT);
}

void tcp_loss_forget(struct tcp_queues *q, const struct rte_mbuf *m, uint32_t bytes)
{
	uint8_t flags = pkt_of_const(m)->tx.flags;

	if (flags & SEG_SACKED) {
		q->sacked_bytes -= bytes;
		if (bytes == pkt_of_const(m)->tx.len)
			q->sacked_segs--;
	}
	if (flags & SEG_LOST)
		q->lost_bytes -= bytes;
	if (flags & SEG_RESENT)
		q->resent_bytes -= bytes;
}

static bool sack_block(struct tcp_queues *q, uint32_t start, uint32_t end)
{
	bool news = false;

	for (struct rte_mbuf *m = q->snd.head; m != q->snd_next && m != NULL; m = pkt_of(m)->next) {
		struct pkt *note = pkt_of(m);

		if (seq_geq(note->tx.seq, end))
			break;
		if (seq_lt(note->tx.seq, start) || seq_gt(note->tx.seq + note->tx.len, end) ||
		    (note->tx.flags & SEG_SACKED))
			continue;
		unmark(q, m);
		note->tx.flags |= SEG_SACKED;
		q->sacked_bytes += note->tx.len;
		q->sacked_segs++;
		news = true;
	}
	return news;
}

bool tcp_sack_update(struct tcb *t, struct tcp_queues *q, const struct tcp_seg *seg)
{
	bool news = false;

	for (int i = 0; i < seg->nb_sack; i++) {
		uint32_t start = seg->sack[i].start, end = seg->sack[i].end;

		/* RFC 2883: what is below SND.UNA tells of duplicates, not of holes */
		if (seq_geq(start, end) || seq_lt(start, t->snd_una) || seq_gt(end, t->snd_nxt))
			continue;
		news |= sack_block(q, start, end);
	}
	return news;
}

/* RFC 6675 IsLost: DupThresh segments beyond it have been SACKed */
static void find_lost(struct tcp_queues *q)
{
	uint32_t beyond = q->sacked_segs;

	for (struct rte_mbuf *m = q->snd.head; m != q->snd_next && m != NULL; m = pkt_of(m)->next) {
		if (beyond < DUP_THRESH)
			break;
		if (pkt_of(m)->tx.flags & SEG_SACKED)
			beyond--;
		else
			mark_lost(q, m);
	}
}

static void enter_recovery(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	q->recovery = TCP_R_RECOVERY;
	q->recover = t->snd_nxt;
	cc_of(t)->on_loss(t, q, flight);
	mark_lost(q, q->snd.head);
	ctx_count(tcp->ctx, PC_TCP_FAST_RETRANSMITS);
}

static void leave_recovery(struct tcb *t, struct tcp_queues *q)
{
	uint32_t pipe = t->snd_nxt - t->snd_una;

	/* RFC 6582 step 3: no burst afterwards */
	if (q->recovery == TCP_R_RECOVERY)
		t->cwnd = RTE_MIN(t->ssthresh, RTE_MAX(pipe, (uint32_t)t->mss) + t->mss);
	q->recovery = TCP_R_OPEN;
	q->dupacks = 0;
	q->dup_bytes = 0;
}

/* without SACK: one of what was acknowledged filled the hole, the rest ate duplicate ACKs */
static void eat_duplicates(const struct tcb *t, struct tcp_queues *q, uint32_t acked)
{
	uint32_t eaten = acked > t->mss ? acked - t->mss : 0;

	q->dup_bytes = q->dup_bytes > eaten ? q->dup_bytes - eaten : 0;
}

static void on_progress(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        const struct loss_ack *a)
{
	if (q->recovery == TCP_R_OPEN) {
		q->dupacks = 0;
		q->dup_bytes = 0;
		cc_of(t)->on_ack(t, q, a->acked, a->flight);
		return;
	}
	if (seq_geq(t->snd_una, q->recover)) {
		if (q->recovery == TCP_R_LOSS)
			cc_of(t)->on_ack(t, q, a->acked, a->flight);
		leave_recovery(t, q);
		return;
	}
	if (q->recovery == TCP_R_LOSS) {
		cc_of(t)->on_ack(t, q, a->acked, a->flight);
		return;
	}
	/* RFC 6582 step 4: a partial acknowledgement shows the next hole */
	eat_duplicates(t, q, a->acked);
	if (!(t->opt & TCB_OPT_SACK) && q->snd.head != NULL && q->snd.head != q->snd_next)
		mark_lost(q, q->snd.head);
	tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
}

void tcp_loss_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, const struct loss_ack *a)
{
	if (a->acked > 0)
		on_progress(tcp, t, q, a);
	if (q->snd.head == NULL || q->snd.head == q->snd_next)
		return;
	if (a->duplicate && !(t->opt & TCB_OPT_SACK)) {
		if (q->dupacks < UINT8_MAX)
			q->dupacks++;
		if (q->recovery != TCP_R_LOSS && q->dup_bytes + t->mss <= t->snd_nxt - t->snd_una)
			q->dup_bytes += t->mss;
	}
	if (a->sacked)
		find_lost(q);
	if (q->recovery != TCP_R_OPEN)
		return;
	/* RFC 6582 section 4.1: not again for what an earlier recovery has covered */
	if ((a->sacked && q->lost_bytes > 0) ||
	    (q->dupacks >= DUP_THRESH && seq_gt(t->snd_una, q->recover)))
		enter_recovery(tcp, t, q, a->flight);
}

void tcp_loss_timeout(struct tcb *t, struct tcp_queues *q)
{
	uint32_t flight = t->snd_nxt - t->snd_una;
	bool reneged;

	if (q == NULL) {
		if (t->retries == 0)
			cc_of(t)->on_timeout(t, q, flight);
		return;
	}
	/* RFC 6298 (5.4), RFC 5681 equation (4): FlightSize of the first time-out counts */
	if (t->retries == 0)
		cc_of(t)->on_timeout(t, q, flight);
	else
		t->cwnd = t->mss;
	/* RFC 2018 section 8: the oldest was SACKed and yet is missing, so no SACK is to be trusted */
	reneged = q->snd.head != NULL && (pkt_of(q->snd.head)->tx.flags & SEG_SACKED);
	q->lost_bytes = 0;
	q->resent_bytes = 0;
	q->dup_bytes = 0;
	q->dupacks = 0;
	if (reneged) {
		q->sacked_bytes = 0;
		q->sacked_segs = 0;
	}
	for (struct rte_mbuf *m = q->snd.head; m != q->snd_next && m != NULL; m = pkt_of(m)->next) {
		pkt_of(m)->tx.flags &=
		    (uint8_t) ~(SEG_LOST | SEG_RESENT | (reneged ? SEG_SACKED : 0));
		mark_lost(q, m);
	}
	q->recovery = TCP_R_LOSS;
	q->recover = t->snd_nxt;
}

void tcp_loss_reopen(struct tcb *t, struct tcp_queues *q)
{
	struct rte_mbuf *m = q->snd.head;

	if (m == q->snd_next)
		return;
	unmark(q, m);
	/* nothing but the probe is under way: it has not been taken, so it was never sent */
	if (pkt_of(m)->next == q->snd_next && !(pkt_of(m)->tx.flags & SEG_SACKED) &&
	    sndbuf_unsplit(&q->snd)) {
		t->snd_nxt = t->snd_una;
		q->snd_next = q->snd.head;
		return;
	}
	mark_lost(q, m);
}

bool tcp_loss_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	struct rte_mbuf *m = q->snd.head;

	for (; m != q->snd_next && m != NULL; m = pkt_of(m)->next) {
		struct pkt *note = pkt_of(m);
		uint32_t pipe = tcp_pipe(t, q);

		if ((note->tx.flags & (SEG_LOST | SEG_RESENT)) != SEG_LOST)
			continue;
		/* the oldest goes at once (RFC 5681 3.2, RFC 6675 section 5 (4.3)), others as cwnd says */
		if (m != q->snd.head && pipe != 0 && pipe + note->tx.len > t->cwnd)
			break;
		/* 9293 SHLD-16: beyond a shrunken window only what probes it */
		if (m != q->snd.head &&
		    seq_gt(note->tx.seq + note->tx.len, t->snd_una + t->snd_wnd))
			break;
		m = tcp_resend(tcp, t, q, m);
		if (m == NULL)
			return false;
		pkt_of(m)->tx.flags |= SEG_RESENT;
		q->resent_bytes += pkt_of(m)->tx.len;
	}
	return true;
}
