/* SPDX-License-Identifier: BSD-2-Clause */
/* What an acknowledgement does to the send side. */

#include "tcp/tcp_ack.h"

#include "base/seq.h"
#include "tcp/rtt.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_timer.h"

/* Karn (RFC 6298 section 3): only what was sent once gives a sample, unless timestamps tell */
static void sample_rtt(struct tcp *tcp, struct tcb *t, const struct pkt *newest,
                       const struct tcp_seg *seg)
{
	if (newest != NULL && newest->tx.sends == 1) {
		rtt_sample(&tcp->ctx->cfg, t, tcp->ctx->now_us - newest->tx.sent_us);
	} else if (newest != NULL && (t->opt & TCB_OPT_TS) && (seg->has & TCP_HAS_TS) &&
	           seg->tsecr != 0) {
		uint32_t ms = tcp_tsval(tcp, t->ts_offset) - seg->tsecr;

		if (ms < 120000)
			rtt_sample(&tcp->ctx->cfg, t, ms * 1000);
	}
}

/* takes what ack covers out of the queue */
static void pop_acked(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                      const struct tcp_seg *seg)
{
	struct pkt newest;
	bool has_newest = false;

	while (q->snd.head != NULL) {
		struct rte_mbuf *m = q->snd.head;
		struct pkt *note = pkt_of(m);
		uint32_t part;

		if (seq_gt(note->tx.seq + note->tx.len, seg->ack)) {
			if (seq_geq(note->tx.seq, seg->ack))
				break;
			part = seg->ack - note->tx.seq;
			tcp_loss_forget(q, m, part);
			note->tx.seq += part;
			note->tx.len = (uint16_t)(note->tx.len - part);
			t->snd_bytes -= part;
			break;
		}
		newest = *note;
		has_newest = true;
		tcp_loss_forget(q, m, note->tx.len);
		t->snd_bytes -= note->tx.len;
		pktq_pop(&q->snd);
		rte_pktmbuf_free(m);
	}
	sample_rtt(tcp, t, has_newest ? &newest : NULL, seg);
}

/* RFC 9293: SND.WND from segments newer than the last that set it; SND.WL2 =< SEG.ACK holds, as no
 * older acknowledgement comes here. Returns whether the window changed. */
static bool update_window(struct tcb *t, struct tcp_queues *q, const struct tcp_seg *seg)
{
	uint32_t wnd = (uint32_t)seg->wnd << t->snd_wscale, old = t->snd_wnd;

	if (seq_gt(t->snd_wl1, seg->seq))
		return false;
	t->snd_wnd = wnd;
	t->snd_wl1 = seg->seq;
	if (wnd > t->snd_max_wnd)
		t->snd_max_wnd = wnd;
	if (old == 0 && wnd > 0 && q != NULL && q->snd.head != NULL) {
		t->retries = 0;
		t->timers &= (uint8_t)~TCB_T_LOSS;
		tcp_loss_reopen(t, q);
	}
	return wnd != old;
}

/* the send buffer has room again: tell, if somebody was refused (as Linux: a third must be free) */
static void notify_space(struct tcp *tcp, struct tcb *t)
{
	if ((t->flags & TCB_NOSPACE) && t->snd_bytes <= t->snd_max - t->snd_max / 3) {
		t->flags &= ~(uint32_t)TCB_NOSPACE;
		tcb_notify(tcp, t, EPOLLOUT | EPOLLWRNORM);
	}
}

static void on_new_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                       const struct tcp_seg *seg)
{
	if (q != NULL)
		pop_acked(tcp, t, q, seg);
	t->snd_una = seg->ack;
	t->retries = 0;
	if (t->snd_una == t->snd_nxt) /* RFC 6298 (5.2) */
		t->timers &= (uint8_t)~TCB_T_LOSS;
	else /* (5.3) */
		tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
	notify_space(tcp, t);
}

int tcp_ack(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	struct tcp_queues *q = tcp_queues(tcp, t);
	struct loss_ack a = {.flight = t->snd_nxt - t->snd_una};
	bool moved;

	if (seq_gt(seg->ack, t->snd_nxt) || seq_lt(seg->ack, t->snd_una - t->snd_max_wnd)) {
		tcp_challenge(tcp, t); /* RFC 5961 section 5.2 */
		return PC_DROP_TCP_ACK_RANGE;
	}
	if (seq_lt(seg->ack, t->snd_una))
		return VERDICT_DONE;
	if (q != NULL && seg->nb_sack > 0 && (t->opt & TCB_OPT_SACK))
		a.sacked = tcp_sack_update(t, q, seg);
	a.acked = seg->ack - t->snd_una;
	if (a.acked > 0)
		on_new_ack(tcp, t, q, seg);
	t->probes = 0; /* MUST-37: a peer that answers probes may keep the window closed */
	moved = update_window(t, q, seg);
	/* RFC 5681 section 2: a duplicate has no data, no new window, and something is under way */
	a.duplicate = a.acked == 0 && seg->len == 0 && !moved && t->snd_wnd > 0 && a.flight > 0 &&
	              !(seg->flags & (TCP_SYN | TCP_FIN));
	if (q != NULL) {
		if (a.acked > 0 || a.duplicate || a.sacked)
			tcp_loss_ack(tcp, t, q, &a);
		if (q->snd.head != NULL)
			tcp_work(tcp, t);
		else
			tcb_detach_queues(tcp, t);
	}
	return VERDICT_DONE;
}
