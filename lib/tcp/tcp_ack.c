/* SPDX-License-Identifier: BSD-2-Clause */
/* The effect of an acknowledgement on the send side. */

#include "tcp/tcp_ack.h"

#include "base/seq.h"
#include "ip/ip_fast.h"
#include "tcp/accecn.h"
#include "tcp/account.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"

/** What an acknowledgement removed from the send queue, for the RTT. */
struct acked {
	bool any;         /* at least one whole segment */
	bool clear;       /* each was sent once, and none had been reported by SACK before */
	bool echo_is_old; /* a duplicate is reported, and its original echoed */
	uint32_t sent_us; /* when the newest was sent */
};

uint32_t tcp_ack_sample_echo(const struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	uint32_t ms, us;

	if (!(t->opt & TCB_OPT_TS) || !(seg->has & TCP_HAS_TS) || seg->tsecr == 0)
		return 0;
	ms = tcp_tsval(tcp, t->ts_offset) - seg->tsecr;
	if (ms >= 120000)
		return 0;
	us = RTE_MAX(ms * 1000, 1u);
	rtt_sample(tcp, t, us);
	return us;
}

void tcp_ack_sample_syn(const struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	const uint32_t ms = tcp_tsval(tcp, t->ts_offset) - seg->tsecr;

	if (ms < tcp->ctx->cfg.tcp_rto_initial_ms)
		(void)tcp_ack_sample_echo(tcp, t, seg);
}

/* Karn's algorithm (RFC 6298 section 3): only a segment sent once gives a sample, unless there are
 * timestamps. One that waited beyond a hole measures the repair, not the path. If a retransmission
 * arrived as a duplicate and is answered with an echo of the original, the original's answer was
 * lost, and the echo measures the time-out. Returns us, 0: no sample. */
static uint32_t sample_rtt(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                           const struct acked *a, const struct tcp_seg *seg)
{
	uint32_t us;

	if (!a->any)
		return 0;
	if (!a->clear)
		return a->echo_is_old ? 0 : tcp_ack_sample_echo(tcp, t, seg);
	us = RTE_MAX(tcp->ctx->now_us - a->sent_us, 1u);
	rack_min_rtt(&q->rack, us, tcp->ctx->now_ms);
	rtt_sample(tcp, t, us);
	return us;
}

static void deliver(struct tcp *tcp, const struct tcb *t, struct tcp_queues *q,
                    const struct pkt *note)
{
	rack_deliver(&q->rack, note, tcp->ctx->now_us);
	account_of(tcp, t)->delivered++;
}

/* removes from the queue what is acknowledged; returns the RTT sample */
static uint32_t pop_acked(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                          const struct tcp_seg *seg, bool dsack)
{
	struct acked a = {.clear = true};

	while (q->snd.head != NULL) {
		struct rte_mbuf *m = q->snd.head;
		struct pkt *note = pkt_of(m);
		uint32_t part;

		if (seq_gt(note->tx.seq + note->tx.len, seg->ack)) {
			if (seq_geq(note->tx.seq, seg->ack))
				break;
			part = seg->ack - note->tx.seq;
			if (unlikely(note->tx.len > t->mss))
				scoreboard_cut(q, m);
			scoreboard_forget(q, m, part);
			note->tx.seq += part;
			note->tx.len = (uint16_t)(note->tx.len - part);
			note->tx.flags &= (uint8_t)~SEG_SUMMED;
			t->snd_bytes -= part;
			break;
		}
		a.any = true;
		a.clear = a.clear && note->tx.sends == 1 && !(note->tx.flags & SEG_SACKED);
		a.sent_us = note->tx.sent_us; /* meaningless if SACKed, but then clear is false */
		if (!(note->tx.flags & SEG_SACKED)) {
			a.echo_is_old =
			    a.echo_is_old || (dsack && rack_echo_is_old(&q->rack, note));
			deliver(tcp, t, q, note);
		}
		scoreboard_forget(q, m, note->tx.len);
		t->snd_bytes -= note->tx.len;
		pktq_pop(&q->snd);
		ctx_free(tcp->ctx, m);
	}
	return sample_rtt(tcp, t, q, &a, seg);
}

/* Returns whether the window changed; not called for old acknowledgements. The window of a SYN is
 * not scaled (RFC 7323 section 2.2), and was taken with the SYN. */
static bool update_window(struct tcb *t, struct tcp_queues *q, const struct tcp_seg *seg,
                          bool acks_more)
{
	uint32_t old = t->snd_wnd;

	if ((seg->flags & TCP_SYN) || !tcp_take_window(t, seg, acks_more))
		return false;
	if (old == 0 && t->snd_wnd > 0 && q != NULL && q->snd.head != NULL) {
		t->retries = 0;
		t->timers &= (uint8_t)~TCB_T_LOSS;
		tcp_loss_reopen(t, q);
	}
	return t->snd_wnd != old;
}

void tcp_ack_space(struct tcp *tcp, struct tcb *t)
{
	if (!(t->flags & TCB_NOSPACE) || tcp_tell_space(tcp, t))
		return;
	if (t->snd_bytes == 0) {
		t->flags |= TCB_STARVED; /* waits for mbufs: no further ACK will wake it */
		tcp_work(tcp, t);
	}
}

static uint32_t take_acked(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                           const struct tcp_seg *seg, bool dsack)
{
	uint32_t rtt_us = q != NULL ? pop_acked(tcp, t, q, seg, dsack) : 0;

	/* the other half of Karn's algorithm: without a sample the back-off stays (RFC 6298 section
	 * 5), unless it was of window probes, which say nothing about the path */
	if (q != NULL && rtt_us == 0 && t->snd_wnd > 0)
		t->rto_us = (uint32_t)rtt_backed_off(tcp, t, q);
	t->snd_una = seg->ack;
	t->flags &= ~(uint32_t)TCB_MORE;
	ip_confirm(tcp->ip, t->neigh);
	t->retries = 0;
	if (t->snd_una == t->snd_nxt) /* RFC 6298 (5.2) */
		tcp_loss_stop(tcp, t);
	else if (!tcp_loss_is_impatient(t, q)) /* (5.3) */
		tcp_loss_arm(tcp, t, q);
	tcp_ack_space(tcp, t);
	return rtt_us;
}

/* SND.UNA moves; q may be NULL */
static void on_new_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                       const struct tcp_seg *seg, struct loss_ack *a)
{
	/* the first partial acknowledgement of data that was sent in one go */
	if (q != NULL && a->acked < a->flight && !q->rack.in_parts && q->most != a->most) {
		q->most = a->most;
		q->most_end = t->snd_nxt;
	}
	if (q != NULL)
		a->waited = q->lost_bytes - q->resent_bytes;
	a->rtt_us = take_acked(tcp, t, q, seg, a->dsack > 0);
	account_acked(tcp, t, a->acked);
	if (q != NULL) {
		a->waited -= q->lost_bytes - q->resent_bytes;
		q->rack.in_parts = t->snd_una != t->snd_nxt;
	}
	if (a->acked == 1 && (t->flags & TCB_FIN_SENT) && t->snd_una == t->snd_nxt)
		account_of(tcp, t)->delivered++; /* the FIN, in a segment of its own */
}

/* Is the acknowledgement newer than all before it? It is by what it delivers, or by its timestamp
 * (RFC 9768 section 3.2.2.2: an overtaken one does not count). An old one may have new SACK blocks
 * all the same. */
static bool is_newer(const struct tcb *t, const struct tcp_seg *seg, const struct loss_ack *a)
{
	return (a->delivered > 0 && seq_geq(seg->ack, t->snd_una)) ||
	       ((t->opt & TCB_OPT_TS) && (seg->has & TCP_HAS_TS) &&
	        seq_gt(seg->tsval, t->ts_recent));
}

/* does it report marks? delivered: segments delivered before it */
static bool input_echo(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg,
                       const struct loss_ack *a, uint32_t delivered)
{
	struct tcp_account *account = account_of(tcp, t);
	const uint32_t segs = account->delivered - delivered;
	uint32_t marks = 0;

	if (tcp_ecn_is_echo(t, seg))
		marks = segs;
	else if (t->opt & TCB_OPT_ACCECN)
		marks = accecn_marks(tcp, t, seg, a, segs, is_newer(t, seg, a));
	account->delivered_ce += marks;
	return marks > 0 || tcp_ecn_is_echo(t, seg);
}

int tcp_ack(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint32_t merged)
{
	struct tcp_queues *q = tcp_queues(tcp, t);
	struct loss_ack a = {.flight = t->snd_nxt - t->snd_una, .merged = merged};
	const uint32_t delivered = account_of(tcp, t)->delivered, was = t->snd_wnd;
	bool old = seq_lt(seg->ack, t->snd_una), moved = false, still;

	if (seq_gt(seg->ack, t->snd_nxt) || seq_lt(seg->ack, t->snd_una - t->snd_max_wnd)) {
		tcp_challenge(tcp, t); /* RFC 5961 section 5.2 */
		return PC_DROP_TCP_ACK_RANGE;
	}
	/* of an overtaken acknowledgement only the SACK blocks count: no other may report these */
	if (unlikely(old) && (seg->nb_sack == 0 || q == NULL))
		return VERDICT_DONE;
	/* a DSACK may arrive when all is acknowledged */
	if (unlikely(seg->nb_sack > 0 && q == NULL))
		q = tcb_attach_queues(tcp, t);
	if (q != NULL) {
		/* what was acknowledged earlier in this turn cannot have been replaced yet */
		a.used = RTE_MAX(a.flight, q->flight_out);
		a.most = tcp_loss_most(t, q, a.used);
		a.sacked = q->sacked_bytes;
		rack_begin(&q->rack, t->snd_una);
		if ((t->opt & TCB_OPT_TS) && (seg->has & TCP_HAS_TS) && seg->tsecr != 0)
			rack_echo(&q->rack, seg->tsecr - t->ts_offset);
	}
	if (q != NULL && seg->nb_sack > 0 && (t->opt & TCB_OPT_SACK))
		a.dsack = tcp_loss_sacks(tcp, t, q, seg);
	a.acked = old ? 0 : seg->ack - t->snd_una;
	if (a.acked > 0)
		on_new_ack(tcp, t, q, seg, &a);
	a.delivered = a.acked + (q != NULL ? q->sacked_bytes - a.sacked : 0);
	t->probes = 0; /* MUST-37: a peer that answers probes may keep the window closed */
	if (likely(!old))
		moved = update_window(t, q, seg, a.acked > 0);
	if (unlikely(was == 0 && t->snd_wnd > 0)) /* the FIN that probed it was refused */
		tcp_timer_reopen(tcp, t);
	/* RFC 5681 section 2: a duplicate has no data and no new window, and data is in flight */
	still =
	    a.acked == 0 && !old && seg->len == 0 && !moved && !(seg->flags & (TCP_SYN | TCP_FIN));
	a.duplicate = still && t->snd_wnd > 0 && a.flight > 0;
	a.repeated = still && seg->nb_sack == 0;
	if (q != NULL) {
		if (unlikely(t->opt & (TCB_OPT_ECN | TCB_OPT_ACCECN)))
			a.ece = input_echo(tcp, t, seg, &a, delivered);
		if (unlikely(q->rack.late > 0))
			account_late(tcp, t, q->rack.late);
		if (a.delivered > 0 || a.duplicate || a.dsack > 0 || a.ece ||
		    (a.repeated && q->tlp_out))
			tcp_loss_ack(tcp, t, q, &a, seg);
		tcp_snd_grow(tcp, t);
		if (t->snd_una == t->snd_nxt) {
			q->flight_out = 0;
			/* all that follows is sent later, and the clock wraps */
			q->rack.valid = false;
		}
		if (q->snd.head != NULL)
			tcp_work(tcp, t);
	}
	return VERDICT_DONE;
}
