/* SPDX-License-Identifier: BSD-2-Clause */
/* The loss timer (RFC 6298 section 5) and tail loss probes (RFC 8985 section 7). */

#include "tcp/tcp_loss.h"

#include "base/seq.h"
#include "tcp/scoreboard.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"

#define RENEGED_MIN_US 10000u /* as on Linux */

void tcp_loss_set_timer(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        enum tcp_loss_timer what, uint32_t ticks)
{
	if (q != NULL)
		q->loss_timer = (uint8_t)what;
	tcp_timer_set(tcp, t, TCB_T_LOSS, ticks);
}

/* RFC 8985 section 7.2: if the time-out would come first, the probe is sent then instead */
static uint32_t probe_ticks(const struct tcp *tcp, const struct tcb *t, uint32_t rto)
{
	return RTE_MIN(ticks_from_us(tcp_probe_us(tcp, t)), rto);
}

/* the time left of the oldest segment's time-out */
static uint32_t rto_left(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const uint32_t rto = tcp_rto_ticks(tcp, t);
	const uint64_t age_us = tcp->ctx->now_us - pkt_of(q->snd.head)->tx.sent_us;
	const uint32_t age = (uint32_t)(age_us * 1000 >> TICK_SHIFT);

	return rto > age ? rto - age : 1;
}

static bool may_probe(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	return q != NULL && tcp_probes_tail(tcp, t) && !q->tlp_out && q->recovery == TCP_R_OPEN &&
	       q->sacked_segs == 0 && t->retries == 0 && tcp_has_sent(q) &&
	       t->state != TCP_S_SYN_RECEIVED; /* Fast Open: its SYN-ACK comes first */
}

/* The oldest segment has been SACKed, but was not acknowledged with those before it: the peer has
 * discarded it (RFC 2018 section 8). As on Linux, half a round trip is left for an acknowledgement
 * that says otherwise. */
static uint32_t reneged_ticks(const struct tcb *t, const struct tcp_queues *q, uint32_t rto)
{
	if (q == NULL || q->sacked_segs == 0 || !(pkt_of(q->snd.head)->tx.flags & SEG_SACKED))
		return rto;
	return RTE_MIN(rto, ticks_from_us(RTE_MAX(t->srtt_us / 2, RENEGED_MIN_US)));
}

void tcp_loss_arm(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	const uint32_t rto = tcp_rto_ticks(tcp, t);

	if (may_probe(tcp, t, q))
		tcp_loss_set_timer(tcp, t, q, TCP_LT_PROBE, probe_ticks(tcp, t, rto));
	else
		tcp_loss_set_timer(tcp, t, q, TCP_LT_RTO, reneged_ticks(t, q, rto));
}

void tcp_loss_stop(struct tcp *tcp, struct tcb *t)
{
	t->timers &= (uint8_t)~TCB_T_LOSS;
	t->t_loss = tcp->ctx->tick + tcp_rto_ticks(tcp, t);
	if (!(t->opt & TCB_OPT_TS))
		t->ts_recent_at = tcp->ctx->era;
}

void tcp_loss_sent(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint32_t probe;

	if (!(t->timers & TCB_T_LOSS)) { /* RFC 6298 (5.1) */
		tcp_loss_arm(tcp, t, q);
		return;
	}
	if (!may_probe(tcp, t, q) || q->loss_timer == TCP_LT_REORDER)
		return;
	/* RFC 8985 section 7.2: two round trips after new data, but not after the time-out */
	probe = probe_ticks(tcp, t, rto_left(tcp, t, q));
	if (q->loss_timer == TCP_LT_PROBE || seq_leq(tcp->ctx->tick + probe, t->t_loss))
		tcp_loss_set_timer(tcp, t, q, TCP_LT_PROBE, probe);
}

/* retransmits the last segment that is not SACKed: others may have been SACKed since the timer was
 * set, which says nothing about what was retransmitted after them */
static bool resend_last(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	struct rte_mbuf *last = NULL;

	for (struct rte_mbuf *m = scoreboard_open(q, q->snd.head); m != NULL;
	     m = scoreboard_next(q, m))
		last = m;
	if (last == NULL || tcp_resend(tcp, t, q, NULL, last) == NULL)
		return false;
	if (q->resent_bytes == 0)
		q->undo_tsval = tcp_tsval(tcp, t->ts_offset);
	q->undo_segs++;
	return true;
}

void tcp_loss_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	bool fresh = tcp_send_probe(tcp, t, q);

	if (fresh || resend_last(tcp, t, q)) {
		ctx_count(tcp->ctx, PC_TCP_TLP_PROBES);
		q->tlp_out = true;
		q->tlp_again = !fresh;
		q->tlp_end = t->snd_nxt;
	}
	tcp_loss_set_timer(tcp, t, q, TCP_LT_RTO, tcp_rto_ticks(tcp, t));
}
