/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recovery.
 *
 * States: OPEN; RECOVERY, entered when acknowledgements show a loss, left when everything that was
 * sent before is acknowledged; LOSS, entered by a time-out, left likewise.  Lost segments are
 * marked (scoreboard.h); tcp_loss_resend retransmits them when the flush reaches the connection.
 */
#include "tcp/tcp_loss.h"

#include "base/seq.h"
#include "tcp/account.h"
#include "tcp/cc.h"
#include "tcp/dupack.h"
#include "tcp/frto.h"
#include "tcp/pmtu.h"
#include "tcp/scoreboard.h"
#include "tcp/sndbuf.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_timer.h"

static bool uses_rack(const struct tcp *tcp, const struct tcb *t)
{
	return (t->opt & TCB_OPT_SACK) && tcp->ctx->cfg.tcp_rack;
}

/* ---- what acknowledgements say -------------------------------------------------------------- */

/* RFC 2883 section 4: the first block lies below SND.UNA, or within the second. Not so a malformed
 * block (RFC 2018 section 3), one never sent, or one more than a window below (some paths rewrite
 * the numbers of headers only). */
static bool is_dsack(const struct tcb *t, const struct tcp_seg *seg)
{
	if (seg->nb_sack == 0 || seq_geq(seg->sack[0].start, seg->sack[0].end) ||
	    seq_gt(seg->sack[0].end, t->snd_nxt))
		return false;
	if (seq_lt(seg->sack[0].start, seg->ack))
		return seq_leq(seg->sack[0].end, seg->ack) &&
		       seg->ack - seg->sack[0].start <= t->snd_max_wnd;
	return seg->nb_sack > 1 && seq_geq(seg->sack[0].start, seg->sack[1].start) &&
	       seq_leq(seg->sack[0].end, seg->sack[1].end);
}

/* A receiver that coalesces segments, as Linux and tcp_merge.h do, reports them in one block. */
static uint32_t dsack_segs(const struct tcb *t, const struct tcp_seg *seg)
{
	return (seg->sack[0].end - seg->sack[0].start + t->mss - 1) / t->mss;
}

uint32_t tcp_loss_sacks(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        const struct tcp_seg *seg)
{
	struct sack_block b[TCP_SACK_BLOCKS];
	const uint32_t dsack = is_dsack(t, seg) ? dsack_segs(t, seg) : 0;
	unsigned n = 0;

	for (int i = dsack > 0 ? 1 : 0; i < seg->nb_sack; i++) {
		uint32_t start = seg->sack[i].start, end = seg->sack[i].end;

		if (seq_geq(start, end) || seq_lt(start, t->snd_una) || seq_gt(end, t->snd_nxt))
			continue;
		b[n++] = (struct sack_block){start, end};
	}
	if (n > 0) {
		account_of(tcp, t)->delivered -= q->sacked_segs;
		ctx_add(tcp->ctx, PC_TCP_SACK_LOOKS, scoreboard_sack(q, b, n, tcp->ctx->now_us));
		account_of(tcp, t)->delivered += q->sacked_segs;
	}
	if (dsack > 0) {
		account_of(tcp, t)->dsacks += dsack;
		rack_dsack(&q->rack, t->snd_una, t->snd_nxt);
		q->keep = true;
	}
	return dsack;
}

/* ---- the states ------------------------------------------------------------------------------ */

/* RFC 4015: the state to restore if the loss was spurious. If retransmissions of an earlier
 * recovery are in flight, an answer to them is not one to an original. The same goes for a probe:
 * that it was needless says nothing about what is lost. */
static void remember_path(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q)
{
	const bool probed = q->tlp_out && q->tlp_again && seq_lt(t->snd_una, q->tlp_end);

	q->undo_cwnd = t->cwnd;
	q->undo_ssthresh = t->ssthresh;
	q->undo_cc = true;
	if (q->resent_bytes == 0 && !probed)
		q->undo_tsval = tcp_tsval(tcp, t->ts_offset);
	q->undo_segs = (q->resent_bytes + t->mss - 1) / t->mss + (q->tlp_out && q->tlp_again);
}

/* RFC 5681 section 3.2 step 2: data that limited transmit, or an earlier recovery, has sent beyond
 * cwnd does not count as flight */
static uint32_t in_use(const struct tcb *t, uint32_t flight)
{
	return RTE_MIN(flight, t->cwnd);
}

/* Acknowledgements showed a loss; used: bytes of cwnd in use. RFC 3168 section 6.1.2: losses and
 * marks of one window are one reduction; but where marks reduce less, a loss still reduces fully
 * (RFC 8257 section 3.5). Returns whether it has reduced. */
static bool reduce(struct tcb *t, struct tcp_queues *q, uint32_t used)
{
	const bool now = cc_of(t)->needs_ecn || !tcp_ecn_has_reduced(t, q);

	if (now)
		cc_of(t)->on_loss(t, q, in_use(t, used));
	tcp_ecn_reduced(t, q);
	return now;
}

/* sacked: bytes of flight SACKed before, so not delivered in this recovery (RFC 9937) */
static void enter_recovery(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t flight,
                           uint32_t sacked)
{
	uint32_t used = RTE_MAX(flight, q->flight_out);

	remember_path(tcp, t, q);
	q->recovery = TCP_R_RECOVERY;
	q->recover = t->snd_nxt;
	q->keep = true; /* what RACK has learnt about the path */
	q->tlp_out = false;
	if (!(t->opt & TCB_OPT_SACK))
		q->ack_step = 0;
	prr_begin(&q->prr, flight - RTE_MIN(flight, sacked));
	tcp_loss_set_timer(tcp, t, q, TCP_LT_RTO, tcp_rto_ticks(tcp, t));
	q->undo_cc = reduce(t, q, used);
	ctx_count(tcp->ctx, PC_TCP_FAST_RETRANSMITS);
}

static void leave_recovery(struct tcb *t, struct tcp_queues *q)
{
	uint32_t flight = t->snd_nxt - t->snd_una;

	if (cc_of(t)->on_recovered != NULL) {
		cc_of(t)->on_recovered(t, q);
	} else if (q->recovery == TCP_R_RECOVERY) {
		t->cwnd = t->ssthresh != UINT32_MAX ? t->ssthresh : t->cwnd; /* BBR sets none */
		/* RFC 6582 step 3: without SACK, avoid a burst afterwards */
		if (!(t->opt & TCB_OPT_SACK))
			t->cwnd = RTE_MIN(t->cwnd, RTE_MAX(flight, (uint32_t)t->mss) + t->mss);
	}
	rack_recovered(&q->rack);
	q->recovery = TCP_R_OPEN;
	q->dupacks = 0;
	q->dup_bytes = 0;
	if (t->opt & TCB_OPT_SACK)
		q->recover = t->snd_nxt; /* until then DSACKs may still undo it (forget_passed) */
	else
		q->undo_cwnd = 0;
}

/* Does a DSACK report what was retransmitted in a recovery, or in the one that has just ended? */
static bool is_of_recovery(const struct tcp_queues *q, const struct loss_ack *a,
                           const struct tcp_seg *seg)
{
	return a->dsack > 0 && (q->recovery != TCP_R_OPEN || seq_leq(seg->sack[0].end, q->recover));
}

/* Did the answer come from an original, so that nothing was lost (RFC 3522), or was each
 * retransmission reported as a duplicate (RFC 3708)? A tsecr of 0 means no echo. */
static bool was_needless(const struct tcb *t, const struct tcp_queues *q, const struct loss_ack *a,
                         const struct tcp_seg *seg)
{
	if (q->undo_cwnd == 0)
		return false;
	if ((t->opt & TCB_OPT_TS) && (seg->has & TCP_HAS_TS) && a->acked > 0 && q->undo_segs > 0 &&
	    q->recovery != TCP_R_OPEN && seg->tsecr != 0 && seq_lt(seg->tsecr, q->undo_tsval))
		return true;
	return is_of_recovery(q, a, seg) && q->undo_segs == 0 && q->lost_bytes == 0;
}

static void undo(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	t->cwnd = RTE_MAX(t->cwnd, q->undo_cwnd);
	t->ssthresh = q->undo_ssthresh;
	/* what seemed lost was late; as it was repeated, step 3 of RACK does not see that */
	if (q->recovery != TCP_R_LOSS)
		q->rack.reordering = true;
	q->recovery = TCP_R_OPEN;
	q->undo_cwnd = 0;
	q->dupacks = 0;
	q->dup_bytes = 0;
	scoreboard_all_plain(q);
	if (q->undo_cc && cc_of(t)->on_undo != NULL)
		cc_of(t)->on_undo(t, q);
	ctx_count(tcp->ctx, PC_TCP_UNDONE);
}

/* ---- acknowledgements ------------------------------------------------------------------------ */

static struct cc_ack for_cc(const struct tcp *tcp, const struct loss_ack *a)
{
	return (struct cc_ack){.acked = a->acked,
	                       .delivered = a->delivered,
	                       .flight = a->most,
	                       .rtt_us = a->rtt_us,
	                       .now_us = tcp->ctx->now_us,
	                       .merged = a->merged,
	                       .hystart = tcp->ctx->cfg.tcp_hystart,
	                       .ece = a->ece};
}

/* RFC 2861 section 3.2: whether the path bears a window that the application has not used for a
 * time-out is no longer known; ssthresh preserves what it was */
static void validate_cwnd(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	uint32_t restart, used;

	if (cc_is_limited(t, flight)) {
		q->cwnd_used = 0;
		return;
	}
	restart = tcb_restart_window(tcp, t);
	if (t->cwnd <= restart)
		return;
	if (q->cwnd_used == 0)
		q->cwnd_tick = tcp->ctx->tick;
	q->keep = true;
	q->cwnd_used = RTE_MAX(q->cwnd_used, flight);
	if (tcp->ctx->tick - q->cwnd_tick < tcp_rto_ticks(tcp, t))
		return;
	used = RTE_MAX(q->cwnd_used, restart);
	q->cwnd_used = 0;
	if (used >= t->cwnd)
		return;
	tcb_remember_cwnd(t);
	t->cwnd = (t->cwnd + used) / 2;
}

static void grow_cwnd(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                      const struct loss_ack *a)
{
	struct cc_ack ack = for_cc(tcp, a);

	if (cc_of(t)->on_ack == NULL)
		return;
	if (q->recovery == TCP_R_OPEN)
		validate_cwnd(tcp, t, q, a->most);
	/* RFC 3168 section 6.1.2: not on ECE, nor before the peer has seen CWR */
	if (!a->ece && (q->recovery == TCP_R_LOSS || !tcp_ecn_has_reduced(t, q)))
		cc_of(t)->on_ack(t, q, &ack);
}

/* one reduction per window, whatever the reason */
static void on_marks(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, const struct loss_ack *a)
{
	if (q->recovery != TCP_R_OPEN || tcp_ecn_has_reduced(t, q))
		return;
	q->undo_cwnd = 0; /* of a recovery before */
	cc_of(t)->on_ecn(t, q, in_use(t, a->used));
	tcp_ecn_reduced(t, q);
	ctx_count(tcp->ctx, PC_TCP_ECN_REDUCTIONS);
}

/* Recovery is over. What its last acknowledgement delivers counts for the window that follows: with
 * few acknowledgements that is much of it. */
static void end_recovery(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                         const struct loss_ack *a)
{
	bool fast = q->recovery == TCP_R_RECOVERY;
	struct loss_ack rest = *a;

	leave_recovery(t, q);
	rest.acked = a->delivered;
	if (fast && (t->opt & TCB_OPT_SACK))
		grow_cwnd(tcp, t, q, &rest);
	if (!(t->opt & TCB_OPT_SACK) && tcp_has_sent(q))
		dupack_recovered(t, q);
}

/* Old sequence numbers would seem to lie ahead of SND.UNA again after half a wrap. */
static void forget_passed(const struct tcb *t, struct tcp_queues *q)
{
	if (seq_gt(t->snd_una, q->recover)) {
		q->recover = t->snd_una - 1;
		q->undo_cwnd = 0;
	}
	if (q->rack.in_round && seq_geq(t->snd_una, q->rack.round_end))
		q->rack.in_round = false;
}

static void on_progress(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        const struct loss_ack *a)
{
	if (!(t->opt & TCB_OPT_SACK))
		q->ack_step = a->acked;
	if (q->recovery == TCP_R_OPEN) {
		q->dupacks = 0;
		q->dup_bytes = 0;
		forget_passed(t, q);
		grow_cwnd(tcp, t, q, a);
		return;
	}
	if (q->recovery == TCP_R_LOSS)
		grow_cwnd(tcp, t, q, a);
	if (seq_geq(t->snd_una, q->recover)) {
		end_recovery(tcp, t, q, a);
	} else if (q->recovery == TCP_R_RECOVERY && !(t->opt & TCB_OPT_SACK)) {
		/* RFC 6582 step 4: a partial acknowledgement shows the next hole */
		if (tcp_has_sent(q))
			scoreboard_lost(q, q->snd.head);
	}
}

/* RFC 8985 section 7.4.2: the answer to a probe. The original may have been lost, or not:
 * until more than the probe's end is acknowledged, a duplicate may still show that it was not. */
static void on_probe_answer(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                            const struct loss_ack *a)
{
	if (!q->tlp_out || seq_lt(t->snd_una, q->tlp_end))
		return;
	if (q->tlp_again && a->dsack == 0 && !a->repeated && t->snd_una == q->tlp_end) {
		q->keep = true;
		return;
	}
	q->tlp_out = false;
	if (!q->tlp_again || a->dsack > 0 || a->repeated || q->recovery != TCP_R_OPEN)
		return;
	q->undo_cwnd = 0; /* of a recovery before */
	(void)reduce(t, q, a->used);
	ctx_count(tcp->ctx, PC_TCP_TLP_RECOVERIES);
}

/* the counter of segments examined in search of losses */
static uint64_t *looks_of(struct tcp *tcp)
{
	return &tcp->ctx->counters.value[PC_TCP_SACK_LOOKS];
}

/* returns in how many us to look again; 0: not at all, or the timer is set for that already */
static uint32_t find_lost(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                          const struct loss_ack *a)
{
	uint32_t wait;

	if (uses_rack(tcp, t))
		return rack_detect(q, t, tcp->ctx->now_us, looks_of(tcp));
	if (t->opt & TCB_OPT_SACK)
		scoreboard_lost_by_count(q);
	wait = !(t->opt & TCB_OPT_SACK) && a->duplicate ? dupack_find(tcp, t, q) : 0;
	return q->loss_timer != TCP_LT_REORDER || !(t->timers & TCB_T_LOSS) ? wait : 0;
}

/* the lost segments were too large for the path, which is no congestion (RFC 4821 section 7.5) */
static bool is_forgiven(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	return (q->pmtu.probe != 0 || q->pmtu.forgiven != 0) && pmtu_ack(tcp, t, q);
}

/* bytes delivered by the acknowledgement (RFC 9937 section 6): without SACK a duplicate delivers a
 * segment, which does not count again when SND.UNA moves; nor does what had arrived before a
 * time-out */
static uint32_t delivered_by(const struct tcb *t, struct tcp_queues *q, const struct loss_ack *a)
{
	if (t->opt & TCB_OPT_SACK)
		return a->delivered;
	if (a->acked > 0)
		return dupack_part(t, q, a->acked - RTE_MIN(a->waited, a->acked));
	return a->duplicate && q->recovery != TCP_R_LOSS ? t->mss : 0;
}

/* bytes that had left the network before the acknowledgement that begins a recovery */
static uint32_t delivered_before(const struct tcb *t, const struct tcp_queues *q,
                                 const struct loss_ack *a)
{
	if (t->opt & TCB_OPT_SACK)
		return a->sacked;
	return q->dup_bytes > t->mss ? q->dup_bytes - t->mss : 0;
}

/* the data in flight has changed: what is lost now, and how much may be sent meanwhile */
static void look_for_losses(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                            const struct loss_ack *a, uint32_t delivered, uint32_t lost)
{
	uint32_t wait = 0;

	if (a->duplicate && !(t->opt & TCB_OPT_SACK))
		dupack_count(tcp, t, q);
	/* RACK looks when something is delivered, and when its own timer fires */
	if (a->delivered > 0 || (a->duplicate && !uses_rack(tcp, t)))
		wait = find_lost(tcp, t, q, a);
	if (q->recovery == TCP_R_OPEN && q->lost_bytes > 0 && !is_forgiven(tcp, t, q))
		enter_recovery(tcp, t, q, a->flight, delivered_before(t, q, a));
	/* after enter_recovery, which sets a time-out: more may turn out to be lost */
	if (wait > 0)
		tcp_loss_set_timer(tcp, t, q, TCP_LT_REORDER, ticks_from_us(wait));
	if (q->recovery == TCP_R_RECOVERY && cc_of(t)->on_model == NULL)
		t->cwnd = prr_cwnd(&q->prr, delivered, tcp_pipe(t, q), t->ssthresh, t->mss,
		                   a->acked > 0 && q->lost_total == lost);
}

void tcp_loss_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, const struct loss_ack *a,
                  const struct tcp_seg *seg)
{
	const bool open = q->recovery == TCP_R_OPEN;
	const uint32_t delivered = delivered_by(t, q, a);
	uint32_t lost = q->lost_total;

	if (is_of_recovery(q, a, seg))
		q->undo_segs -= RTE_MIN(q->undo_segs, a->dsack);
	if (was_needless(t, q, a, seg)) {
		undo(tcp, t, q);
	} else if (unlikely(q->frto != FRTO_OFF) && frto_ack(t, q, a)) {
		undo(tcp, t, q);
		/* retransmissions say nothing about what was sent before */
		q->rack.valid = false;
	}
	on_probe_answer(tcp, t, q, a);
	if (a->acked > 0 && cc_of(t)->on_any_ack != NULL) {
		struct cc_ack ack = for_cc(tcp, a);

		cc_of(t)->on_any_ack(t, q, &ack);
	}
	if (a->ece)
		on_marks(tcp, t, q, a);
	if (a->acked > 0)
		on_progress(tcp, t, q, a);
	if (!open && q->recovery == TCP_R_OPEN && a->acked > 0 && tcp_has_sent(q))
		tcp_loss_arm(tcp, t, q); /* RFC 8985 section 7.2: again with a probe first */
	if (unlikely(q->pmtu.probe != 0))
		pmtu_ack(tcp, t, q);
	if (tcp_has_sent(q))
		look_for_losses(tcp, t, q, a, delivered, lost);
	if (cc_of(t)->on_model != NULL) {
		struct cc_ack ack = for_cc(tcp, a);

		ack.delivered = delivered;
		ack.inflight = tcp_pipe(t, q);
		cc_of(t)->on_model(t, q, &ack);
	}
}

void tcp_loss_plain_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        const struct loss_ack *a)
{
	if (!(t->opt & TCB_OPT_SACK))
		q->ack_step = a->acked;
	forget_passed(t, q);
	grow_cwnd(tcp, t, q, a);
	if (t->opt & TCB_OPT_SACK)
		look_for_losses(tcp, t, q, a, a->delivered, q->lost_total);
}

/* ---- time ------------------------------------------------------------------------------------ */

void tcp_loss_timeout(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	/* in recovery PRR controls cwnd, and ssthresh is what it was reduced to */
	uint32_t cwnd =
	    q == NULL || q->recovery == TCP_R_OPEN ? t->cwnd : RTE_MAX(t->cwnd, t->ssthresh);
	uint32_t flight = t->snd_nxt - t->snd_una;
	uint32_t bounded = RTE_MIN(q != NULL ? RTE_MAX(flight, q->flight_out) : flight, cwnd);
	bool first = q != NULL && t->retries == 0 && q->recovery == TCP_R_OPEN;

	if (first)
		remember_path(tcp, t, q);
	/* RFC 6298 (5.4), RFC 5681 equation (4): FlightSize of the first time-out counts */
	if (t->retries == 0)
		cc_of(t)->on_timeout(t, q, bounded);
	else
		t->cwnd = t->mss;
	if (q == NULL)
		return;
	tcp_ecn_reduced(t, q);
	q->keep = true;
	q->dup_bytes = 0;
	q->dupacks = 0;
	q->tlp_out = false;
	q->pace.next_ns = 0; /* RFC 6298 (5.4): it has waited long enough */
	q->pace_waits = false;
	scoreboard_all_lost(q, tcp->ctx->now_us);
	q->recovery = TCP_R_LOSS;
	q->recover = t->snd_nxt;
	q->frto = FRTO_OFF;
	if (first && tcp->ctx->cfg.tcp_frto)
		frto_begin(t, q);
}

void tcp_loss_reopen(struct tcb *t, struct tcp_queues *q)
{
	struct rte_mbuf *m = q->snd.head;

	if (m == q->snd_next)
		return;
	scoreboard_plain(q, m);
	/* only the probe is in flight; it was refused, so it counts as never sent */
	if (pkt_of(m)->next == q->snd_next && !(pkt_of(m)->tx.flags & SEG_SACKED) &&
	    sndbuf_unsplit(&q->snd)) {
		t->snd_nxt = t->snd_una;
		q->snd_next = q->snd.head;
		return;
	}
	scoreboard_lost(q, m);
}

void tcp_loss_look(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint32_t wait = 0;

	if (uses_rack(tcp, t))
		wait = rack_detect(q, t, tcp->ctx->now_us, looks_of(tcp));
	else
		dupack_lost(t, q);
	if (q->recovery == TCP_R_OPEN && q->lost_bytes > 0 && !is_forgiven(tcp, t, q))
		enter_recovery(tcp, t, q, t->snd_nxt - t->snd_una, q->sacked_bytes);
	if (q->recovery == TCP_R_RECOVERY && cc_of(t)->on_model == NULL)
		t->cwnd = prr_cwnd(&q->prr, 0, tcp_pipe(t, q), t->ssthresh, t->mss, false);
	if (wait > 0)
		tcp_loss_set_timer(tcp, t, q, TCP_LT_REORDER, ticks_from_us(wait));
	else
		tcp_loss_set_timer(tcp, t, q, TCP_LT_RTO, tcp_rto_ticks(tcp, t));
	tcp_work(tcp, t);
}
