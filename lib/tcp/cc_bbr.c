/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR, version 3 (draft-ietf-ccwg-bbr-06): events, pacing rate, cwnd.
 *
 * Overview: a model of the path, fed by each acknowledgement, says how fast to send (the pacing
 * rate) and how much may be in flight (cwnd); neither PRR nor ssthresh is used.
 *
 * Ownership: the state of a connection is in a slot of cc_slots, taken when it first sends and
 * given back with its queues; q->cc_state holds the pointer.  A connection that finds no free slot
 * uses CUBIC.
 *
 * ECN: the draft asks that a mark be treated as congestion (section 3.7): it counts as a loss, once
 * per window as in RFC 3168, ends Startup, and ends a probe for bandwidth.
 */

#include <assert.h>

#include <rte_common.h>

#include "base/rng.h"
#include "tcp/bbr.h"
#include "tcp/cc_slots.h"

/* section 5.6.1: the gains of each state in per cent */
static const struct {
	uint16_t pacing, cwnd;
} gains[] = {[BBR_STARTUP] = {277, 200}, [BBR_DRAIN] = {50, 200},   [BBR_DOWN] = {90, 200},
             [BBR_CRUISE] = {100, 200},  [BBR_REFILL] = {100, 200}, [BBR_UP] = {125, 225},
             [BBR_PROBE_RTT] = {100, 50}};

static struct bbr *bbr_of(const struct tcp_queues *q)
{
	return (struct bbr *)(uintptr_t)q->cc_state[0];
}

static void set_state(struct tcp_queues *q, struct bbr *b)
{
	q->cc_state[0] = (uintptr_t)b;
}

/* ---- initialisation (5.2.1) ------------------------------------------------------------------ */

static void init(struct bbr *b, const struct tcb *t, const struct cc_turn *c)
{
	uint64_t srtt_us = t->srtt_us != 0 ? t->srtt_us : 1000;

	*b = (struct bbr){.min_rtt_us = t->srtt_us,
	                  .min_rtt_stamp_us = c->now_us,
	                  .probe_rtt_stamp_us = c->now_us,
	                  .extra_acked_start_us = c->now_us,
	                  .inflight_longterm = BBR_INFINITY,
	                  .initial_cwnd = t->cwnd,
	                  .undo_state = BBR_NONE,
	                  .random = (uint32_t)rng_next(c->rng) | 1u};
	bbr_reset_shortterm(b);
	/* InitPacingRate() */
	b->pacing_rate = t->cwnd * UINT64_C(1000000) / srtt_us * gains[BBR_STARTUP].pacing / 100;
}

static void bbr_release(struct tcp_queues *q)
{
	cc_slots_give(bbr_of(q));
	set_state(q, NULL);
}

/* ---- control parameters (5.6) ------------------------------------------------------------------- */

/* SetPacingRateWithGain(), but at least MinPipeCwnd per round trip: after an outage the samples
 * show a rate of almost nothing, at which the remaining data would take for ever. */
static void set_pacing_rate(const struct tcb *t, struct bbr *b, uint32_t gain)
{
	uint64_t rate = b->bw * gain / 100 * (100 - BBR_PACING_MARGIN) / 100;
	uint64_t least = bbr_min_pipe(t) * 1000000ull / RTE_MAX(t->srtt_us, 1u);

	if (b->full_bw_reached || rate > b->pacing_rate)
		b->pacing_rate = RTE_MAX(rate, t->srtt_us != 0 ? least : 1u);
}

/* BoundCwndForModel() */
static uint32_t model_cap(const struct bbr_turn *r)
{
	const struct bbr *b = r->b;
	uint32_t cap = BBR_INFINITY;

	if (b->state == BBR_PROBE_RTT || b->state == BBR_CRUISE)
		cap = bbr_inflight_with_headroom(r);
	else if (bbr_is_in_probe_bw(b))
		cap = b->inflight_longterm;
	cap = RTE_MIN(cap, b->inflight_shortterm);
	return RTE_MAX(cap, bbr_min_pipe(r->t));
}

/* SetCwnd() */
static void set_cwnd(struct bbr_turn *r)
{
	const struct bbr *b = r->b;
	uint32_t max = bbr_max_inflight(r, gains[b->state].cwnd);
	uint64_t cwnd = (uint64_t)r->t->cwnd + r->rs.newly_acked;

	if (b->full_bw_reached)
		cwnd = RTE_MIN(cwnd, max);
	else if (r->t->cwnd >= max && b->rate.delivered >= b->initial_cwnd)
		cwnd = r->t->cwnd;
	cwnd = RTE_MAX(cwnd, bbr_min_pipe(r->t));
	if (b->state == BBR_PROBE_RTT)
		cwnd = RTE_MIN(cwnd, RTE_MAX(bbr_volume(b, b->bw, gains[BBR_PROBE_RTT].cwnd),
		                             bbr_min_pipe(r->t)));
	r->t->cwnd = (uint32_t)RTE_MIN(cwnd, model_cap(r));
}

/* ---- events (5.2) -------------------------------------------------------------------------------- */

/* HandleRestartFromIdle(), or OnInit() before the first byte */
static void bbr_on_start(struct tcb *t, struct tcp_queues *q, const struct cc_turn *c)
{
	struct bbr *b = bbr_of(q);
	struct bbr_turn r = {.t = t, .q = q, .b = b, .now_us = c->now_us};

	if (b == NULL) {
		b = cc_slots_take(c->slots);
		if (b == NULL) {
			cc_use(t, q, CC_CUBIC);
			return;
		}
		set_state(q, b);
		init(b, t, c);
		q->keep = true;
		return;
	}
	rate_limit(&b->rate, 0); /* there was nothing to send, else it would be in flight */
	b->idle_restart = true;
	b->extra_acked_start_us = c->now_us;
	if (bbr_is_in_probe_bw(b))
		set_pacing_rate(t, b, 100);
	else if (b->state == BBR_PROBE_RTT)
		bbr_check_probe_rtt_done(&r);
}

static void on_output(struct tcb *t, struct tcp_queues *q, const struct cc_turn *c)
{
	struct bbr *b = bbr_of(q);

	if (b == NULL) { /* the connection used another algorithm until now */
		bbr_on_start(t, q, c);
		b = cc_of(t) == &cc_bbr ? bbr_of(q) : NULL;
		if (b == NULL)
			return;
	}
	if (c->sent > 0)
		rate_sent(&b->rate, c->now_us, c->inflight, c->inflight <= c->sent);
	/* that cwnd was the limit is remembered for a round trip */
	if (c->cwnd_limited) {
		b->is_cwnd_limited = true;
		b->limited_round_delivered = b->rate.delivered + c->inflight;
	}
	if (c->drained)
		rate_limit(&b->rate, c->inflight);
}

static void on_model(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a)
{
	struct bbr *b = bbr_of(q);
	struct bbr_turn r = {.t = t, .q = q, .b = b, .now_us = a->now_us, .inflight = a->inflight};
	uint32_t lost;

	if (b == NULL)
		return;
	lost = q->lost_total - b->rate.lost;
	b->rate.lost = q->lost_total;
	rate_ack(&b->rate, &q->rack, a->delivered, a->now_us, t->srtt_us, &r.rs);
	if (lost > 0)
		bbr_lost(&r, lost);
	if (a->delivered == 0)
		return;
	bbr_update_latest(&r);
	bbr_update_state(&r);
	bbr_update_min_rtt(&r);
	bbr_check_probe_rtt(&r);
	bbr_advance_latest(&r);
	set_pacing_rate(t, b, gains[b->state].pacing);
	pace_set(&q->pace, b->pacing_rate, t->mss);
	set_cwnd(&r);
	if ((int32_t)(b->rate.delivered - b->limited_round_delivered) > 0)
		b->is_cwnd_limited = false;
}

/* OnEnterFastRecovery(); a tail loss that a probe has repaired is also a loss */
static void bbr_on_loss(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	struct bbr *b = bbr_of(q);

	(void)flight;
	if (b == NULL)
		return;
	bbr_save(b, t, false);
	if (q->recovery == TCP_R_OPEN)
		bbr_note_loss(b, t, q);
}

static void bbr_on_ecn(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	struct bbr_turn r = {.t = t, .q = q, .b = bbr_of(q), .inflight = flight};

	if (r.b == NULL)
		return;
	r.now_us = r.b->rate.delivered_us;
	bbr_marked(&r);
}

/* OnEnterRTO() */
static void bbr_on_timeout(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	struct bbr *b = q != NULL ? bbr_of(q) : NULL;

	(void)flight;
	if (b != NULL)
		bbr_save(b, t, q->recovery != TCP_R_OPEN);
	t->cwnd = t->mss;
}

static void on_recovered(struct tcb *t, struct tcp_queues *q)
{
	struct bbr *b = bbr_of(q);

	if (b != NULL)
		t->cwnd = RTE_MAX(t->cwnd, b->prior_cwnd); /* RestoreCwnd() */
}

static void bbr_on_undo(struct tcb *t, struct tcp_queues *q)
{
	struct bbr_turn r = {.t = t, .q = q, .b = bbr_of(q)};

	if (r.b == NULL)
		return;
	r.now_us = r.b->rate.delivered_us;
	bbr_spurious(&r);
}

static uint64_t pacing_rate(const struct tcb *t, const struct tcp_queues *q)
{
	const struct bbr *b = bbr_of(q);

	(void)t;
	return b != NULL ? b->pacing_rate : 0;
}

const struct cc_ops cc_bbr = {.name = "bbr",
                              .on_model = on_model,
                              .on_loss = bbr_on_loss,
                              .on_ecn = bbr_on_ecn,
                              .on_timeout = bbr_on_timeout,
                              .on_undo = bbr_on_undo,
                              .on_recovered = on_recovered,
                              .on_start = bbr_on_start,
                              .on_output = on_output,
                              .pacing_rate = pacing_rate,
                              .release = bbr_release};
