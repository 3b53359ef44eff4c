/* SPDX-License-Identifier: BSD-2-Clause */
/* The beginning and end of a connection's turn for congestion control and pacing. */

#include "tcp/tcp_turn.h"

#include "base/seq.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_timer.h"

#define IDLE_LOOK 64

/* RFC 5681 4.1: after more than a time-out without sending, the path may no longer bear cwnd;
 * t_loss is one time-out after all was acknowledged (tcp_loss_stop). Congestion control with a
 * model of the path uses that instead, unless its slot was taken away. */
static void restart_if_idle(const struct tcp *tcp, struct tcb *t, const struct tcp_queues *q)
{
	uint32_t restart;

	if ((t->timers & TCB_T_LOSS) || seq_leq(tcp->ctx->tick, t->t_loss) ||
	    (cc_of(t)->on_model != NULL && q->cc_state[0] != 0))
		return;
	restart = tcb_restart_window(tcp, t);
	if (t->cwnd <= restart)
		return;
	tcb_remember_cwnd(t);
	t->cwnd = restart;
}

/* all slots are taken: one of the longest idle connections loses its own */
static void make_room(struct tcp *tcp)
{
	uint32_t i = tcp->idle_oldest;

	for (unsigned n = 0; i != 0 && n < IDLE_LOOK; n++, i = tcp->queues[i].newer) {
		struct tcp_queues *q = &tcp->queues[i];
		const struct cc_ops *cc = cc_of(tcp_tcb(tcp, q->owner));

		if (cc->release == NULL || q->cc_state[0] == 0)
			continue;
		cc->release(q);
		return;
	}
}

void tcp_turn_start(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	restart_if_idle(tcp, t, q);
	if (cc_of(t)->release != NULL && q->cc_state[0] == 0 && tcp->slots.free == NULL)
		make_room(tcp);
	if (cc_of(t)->on_start != NULL)
		cc_of(t)->on_start(t, q,
		                   &(struct cc_turn){.now_us = tcp->ctx->now_us,
		                                     .rng = &tcp->ctx->rng,
		                                     .slots = &tcp->slots});
}

/* with tcp.pacing every connection is paced, as on Linux: at twice cwnd per round trip in slow
 * start, later at 1.2 times, so that cwnd remains the limit */
static uint64_t window_rate(const struct tcp *tcp, const struct tcb *t)
{
	if (!tcp->ctx->cfg.tcp_pacing || t->srtt_us == 0)
		return 0;
	return (uint64_t)t->cwnd * (t->cwnd < t->ssthresh / 2 ? 2000000 : 1200000) / t->srtt_us;
}

void tcp_turn_pace(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint64_t cap = tcp_tuning(tcp, t)->max_pacing_rate;
	uint64_t rate =
	    cc_of(t)->pacing_rate != NULL ? cc_of(t)->pacing_rate(t, q) : window_rate(tcp, t);

	if (cap != 0 && (rate == 0 || rate >= cap))
		rate = RTE_MAX(cap - 1, UINT64_C(1)); /* 0 would stop the connection for good */
	pace_set(&q->pace, rate, t->mss);
	pace_begin(&q->pace, tcp->ctx->now_ns, q->pace_waits);
}

static void end_pace(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t sent)
{
	const struct ctx *ctx = tcp->ctx;
	uint32_t at;

	pace_end(&q->pace, sent);
	q->pace_waits = q->pace.left == 0 && (q->snd_next != NULL || tcp_has_lost(q));
	if (!q->pace_waits)
		return;
	at = (uint32_t)((q->pace.next_ns - ctx->epoch_ns + (1u << TICK_SHIFT) - 1) >> TICK_SHIFT);
	tcp_timer_set(tcp, t, TCB_T_PACE, RTE_MAX(at - ctx->tick, 1u));
}

void tcp_turn_note(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t sent)
{
	uint32_t pipe;
	bool more;

	end_pace(tcp, t, q, sent);
	if (cc_of(t)->on_output == NULL)
		return;
	pipe = tcp_pipe(t, q);
	more = q->snd_next != NULL || tcp_has_lost(q);
	cc_of(t)->on_output(t, q,
	                    &(struct cc_turn){.now_us = tcp->ctx->now_us,
	                                      .rng = &tcp->ctx->rng,
	                                      .slots = &tcp->slots,
	                                      .sent = sent,
	                                      .inflight = pipe,
	                                      .cwnd_limited = more && pipe + t->mss > t->cwnd,
	                                      .drained = !more && pipe < t->cwnd});
}
