/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR's state machine (draft-ietf-ccwg-bbr-06 section 5.3).
 *
 *   Startup -> Drain -> ProbeBW (DOWN, CRUISE, REFILL, UP, and again); from any of them for a
 *   while to ProbeRTT, and from there to ProbeBW, or to Startup if the pipe was never full.
 */

#include <rte_common.h>

#include "tcp/bbr.h"

/* ---- the full pipe (5.3.1.2) ------------------------------------------------------------------ */

void bbr_reset_full_bw(struct bbr *b, uint64_t full_bw)
{
	b->full_bw = full_bw;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

static void check_full_bw(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (b->full_bw_now || !b->round_start || r->rs.limited || r->rs.bps == 0)
		return;
	if (r->rs.bps >= b->full_bw + b->full_bw / 4) {
		bbr_reset_full_bw(b, r->rs.bps);
		return;
	}
	b->full_bw_count++;
	b->full_bw_now = b->full_bw_count >= BBR_FULL_BW_ROUNDS;
	if (b->full_bw_now)
		b->full_bw_reached = true;
}

/* ---- Startup and Drain (5.3.1, 5.3.2) --------------------------------------------------------- */

/* losses, or a mark, show that the pipe is full (5.3.1.3) */
static void leave_startup(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	b->undo_state = BBR_STARTUP;
	b->full_bw_reached = true;
	b->inflight_longterm = RTE_MAX(bbr_volume(b, b->bw, 100), b->inflight_latest);
}

/* CheckStartupHighLoss() */
static void check_high_loss(struct bbr_turn *r)
{
	struct bbr *b = r->b;
	bool recovering = r->q->recovery == TCP_R_RECOVERY;

	if (b->state == BBR_STARTUP && !b->full_bw_reached && recovering) {
		if (!(r->t->opt & TCB_OPT_SACK)) {
			if (b->is_loss_in_round)
				leave_startup(r);
		} else if (b->loss_round_start && b->loss_events >= BBR_FULL_LOSS_COUNT &&
		           bbr_is_too_high(r->t, r->rs.lost, r->rs.tx_in_flight)) {
			leave_startup(r);
		}
	}
	if (b->loss_round_start)
		b->loss_events = 0;
}

static void check_startup_done(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	check_high_loss(r);
	if (b->state != BBR_STARTUP || !b->full_bw_reached)
		return;
	b->state = BBR_DRAIN;
	b->drain_start_round = b->round_count;
}

/* ---- entering the states of ProbeBW (5.3.3.9) ------------------------------------------------- */

/* xorshift: flows must not probe in step with each other */
static uint32_t random_below(struct bbr *b, uint32_t limit)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 17;
	b->random ^= b->random << 5;
	return b->random % limit;
}

static void start_down(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	b->is_loss_in_round = false; /* ResetCongestionSignals() */
	b->bw_latest = 0;
	b->inflight_latest = 0;
	b->rounds_since_probe_up = random_below(b, 2); /* PickProbeWait() */
	b->bw_probe_wait_us = BBR_PROBE_WAIT_US + random_below(b, 1000001);
	b->cycle_stamp_us = r->now_us;
	b->is_probe_stopping = true;
	bbr_start_round(b);
	b->state = BBR_DOWN;
}

static void start_refill(struct bbr *b)
{
	bbr_reset_shortterm(b);
	b->bw_probe_up_rounds = 0;
	b->bw_probe_up_acked = 0;
	b->prev_probe_precautionary = false;
	b->is_probe_stopping = false;
	bbr_start_round(b);
	b->state = BBR_REFILL;
}

/* RaiseInflightLongtermSlope() */
static void raise_slope(struct bbr_turn *r)
{
	struct bbr *b = r->b;
	uint32_t per = r->t->cwnd >> b->bw_probe_up_rounds;

	if (b->bw_probe_up_rounds < BBR_PROBE_ROUNDS_MAX)
		b->bw_probe_up_rounds++;
	b->probe_up_acked_per_inc = RTE_MAX(per, (uint32_t)r->t->mss);
}

/* at the beginning of a round */
static void start_up(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	bbr_reset_full_bw(b, r->rs.bps);
	b->state = BBR_UP;
	raise_slope(r);
}

static void check_drain_done(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (b->state == BBR_DRAIN && (r->inflight <= bbr_inflight(r, b->bw) ||
	                              b->round_count - b->drain_start_round > BBR_DRAIN_ROUNDS))
		start_down(r);
}

/* ---- results of probing (5.3.3.9, 5.5.10.2) ------------------------------------------------- */

/* HandleInflightTooHigh() */
static void too_high(struct bbr_turn *r, uint32_t tx_in_flight, bool limited)
{
	struct bbr *b = r->b;

	b->prev_probe_too_high = true;
	b->is_bw_probe_sample = false;
	if (!limited)
		b->inflight_longterm = RTE_MAX(
		    tx_in_flight, (uint32_t)((uint64_t)bbr_target_inflight(r) * BBR_BETA / 100));
	if (b->state == BBR_UP) {
		b->undo_state = BBR_UP;
		start_down(r);
	}
}

/* InflightAtLoss(): the volume at which the losses crossed the threshold */
static uint32_t inflight_at_loss(uint32_t tx_in_flight, uint32_t lost, uint32_t size)
{
	uint64_t before = tx_in_flight > size ? tx_in_flight - size : 0;
	uint64_t lost_before = lost > size ? lost - size : 0;
	uint64_t allowed = before * BBR_LOSS_THRESH / 100;
	uint64_t prefix =
	    allowed > lost_before ? (allowed - lost_before) * 100 / (100 - BBR_LOSS_THRESH) : 0;

	return (uint32_t)RTE_MIN(before + prefix, (uint64_t)BBR_INFINITY - 1);
}

void bbr_lost(struct bbr_turn *r, uint32_t bytes)
{
	struct bbr *b = r->b;
	const struct rate_mark *m;

	bbr_note_loss(b, r->t, r->q);
	if (b->loss_events < UINT8_MAX)
		b->loss_events++;
	if (!b->is_bw_probe_sample)
		return;
	m = rate_find(&b->rate, r->q->lost_us);
	if (m != NULL && bbr_is_too_high(r->t, b->rate.lost - m->lost, m->inflight))
		too_high(r, inflight_at_loss(m->inflight, b->rate.lost - m->lost, bytes),
		         m->limited);
}

void bbr_marked(struct bbr_turn *r)
{
	struct bbr *b = r->b;
	const struct rate_mark *m = rate_find(&b->rate, r->q->rack.sent_us);

	bbr_note_loss(b, r->t, r->q);
	if (b->state == BBR_STARTUP && !b->full_bw_reached)
		leave_startup(r);
	else if (b->is_bw_probe_sample && m != NULL)
		too_high(r, m->inflight, m->limited);
}

/* ProbeInflightLongtermUpward() */
static void probe_upward(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (!b->is_cwnd_limited || r->t->cwnd < b->inflight_longterm)
		return;
	b->bw_probe_up_acked += r->rs.newly_acked;
	if (b->bw_probe_up_acked >= b->probe_up_acked_per_inc) {
		uint32_t delta = b->bw_probe_up_acked / b->probe_up_acked_per_inc;
		uint64_t longterm = b->inflight_longterm + (uint64_t)delta * r->t->mss;

		b->bw_probe_up_acked -= delta * b->probe_up_acked_per_inc;
		b->inflight_longterm = (uint32_t)RTE_MIN(longterm, (uint64_t)BBR_INFINITY - 1);
	}
	if (b->round_start)
		raise_slope(r);
}

/* AdaptLongTermModel(): returns whether it has changed the state */
static bool adapt_long_term(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (b->is_probe_stopping && b->round_start) {
		b->is_bw_probe_sample = false;
		b->is_probe_stopping = false;
		if (bbr_is_in_probe_bw(b) && !r->rs.limited) { /* AdvanceMaxBwFilter() */
			b->max_bw[1] = b->max_bw[0];
			b->max_bw[0] = 0;
		}
		if (bbr_is_in_probe_bw(b) && b->prev_probe_precautionary &&
		    !b->prev_probe_too_high) {
			start_refill(b);
			return true;
		}
	}
	if (!r->rs.valid || bbr_is_too_high(r->t, r->rs.lost, r->rs.tx_in_flight) ||
	    b->inflight_longterm == BBR_INFINITY)
		return false;
	b->inflight_longterm = RTE_MAX(b->inflight_longterm, r->rs.tx_in_flight);
	if (b->state == BBR_UP)
		probe_upward(r);
	return false;
}

/* ---- the cycle (5.3.3.8, 5.3.3.9) -------------------------------------------------------------- */

static bool is_time_to_probe(const struct bbr_turn *r)
{
	const struct bbr *b = r->b;
	uint32_t rounds;

	if (r->now_us - b->cycle_stamp_us > b->bw_probe_wait_us)
		return true;
	rounds = bbr_target_inflight(r) / r->t->mss; /* IsRenoCoexistenceProbeTime() */
	return b->rounds_since_probe_up >= RTE_MIN(rounds, (uint32_t)BBR_RENO_ROUNDS);
}

static bool is_time_to_cruise(const struct bbr_turn *r)
{
	return r->inflight <= bbr_inflight_with_headroom(r) &&
	       r->inflight <= bbr_inflight(r, bbr_max_bw(r->b));
}

static bool is_time_to_go_down(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (b->prev_probe_too_high && r->inflight >= b->inflight_longterm) {
		b->prev_probe_precautionary = true;
		return true;
	}
	if (!b->is_cwnd_limited || r->t->cwnd < b->inflight_longterm)
		return b->full_bw_now;
	bbr_reset_full_bw(b, r->rs.bps); /* it is the limit that is measured, not the path */
	return false;
}

/* UpdateProbeBWCyclePhase() */
static void update_cycle(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (!b->full_bw_reached || adapt_long_term(r))
		return;
	switch (b->state) {
	case BBR_DOWN:
	case BBR_CRUISE:
		if (is_time_to_probe(r))
			start_refill(b);
		else if (b->state == BBR_DOWN && is_time_to_cruise(r))
			b->state = BBR_CRUISE;
		break;
	case BBR_REFILL:
		if (b->round_start) {
			b->is_bw_probe_sample = true;
			start_up(r);
		}
		break;
	case BBR_UP:
		if (is_time_to_go_down(r)) {
			b->prev_probe_too_high = false;
			start_down(r);
		}
		break;
	default:
		break;
	}
}

void bbr_update_state(struct bbr_turn *r)
{
	check_full_bw(r);
	check_startup_done(r);
	check_drain_done(r);
	update_cycle(r);
}

/* ---- ProbeRTT (5.3.4) -------------------------------------------------------------------------- */

static void exit_probe_rtt(struct bbr_turn *r)
{
	bbr_reset_shortterm(r->b);
	if (!r->b->full_bw_reached) {
		r->b->state = BBR_STARTUP;
		return;
	}
	start_down(r);
	r->b->state = BBR_CRUISE;
}

void bbr_check_probe_rtt_done(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	/* unsigned, as it may have been idle for longer than half the clock's cycle */
	if (!b->probe_rtt_timed ||
	    r->now_us - (b->probe_rtt_done_us - BBR_PROBE_RTT_US) <= BBR_PROBE_RTT_US)
		return;
	b->probe_rtt_stamp_us = r->now_us;
	r->t->cwnd = RTE_MAX(r->t->cwnd, b->prior_cwnd); /* RestoreCwnd() */
	exit_probe_rtt(r);
}

/* HandleProbeRTT() */
static void handle_probe_rtt(struct bbr_turn *r)
{
	struct bbr *b = r->b;
	uint32_t cwnd = RTE_MAX(bbr_volume(b, b->bw, 50), bbr_min_pipe(r->t));

	rate_limit(&b->rate, r->inflight); /* ProbeRTT's low rates say nothing about the path */
	if (!b->probe_rtt_timed) {
		if (r->inflight > cwnd)
			return;
		b->probe_rtt_timed = true;
		b->probe_rtt_done_us = r->now_us + BBR_PROBE_RTT_US;
		b->probe_rtt_round_done = false;
		bbr_start_round(b);
		return;
	}
	if (b->round_start)
		b->probe_rtt_round_done = true;
	if (b->probe_rtt_round_done)
		bbr_check_probe_rtt_done(r);
}

void bbr_check_probe_rtt(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (b->state != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
		b->prior_cwnd =
		    r->q->recovery == TCP_R_OPEN ? r->t->cwnd : RTE_MAX(b->prior_cwnd, r->t->cwnd);
		b->state = BBR_PROBE_RTT;
		b->probe_rtt_timed = false;
		b->is_probe_stopping = true;
		bbr_start_round(b);
	}
	if (b->state == BBR_PROBE_RTT)
		handle_probe_rtt(r);
	if (r->rs.delivered > 0)
		b->idle_restart = false;
}

/* ---- a spurious loss (5.5.11) --------------------------------------------------------------- */

void bbr_spurious(struct bbr_turn *r)
{
	struct bbr *b = r->b;
	uint8_t was = b->undo_state;

	r->t->cwnd = RTE_MAX(r->t->cwnd, b->prior_cwnd);
	b->is_loss_in_round = false;
	bbr_reset_full_bw(b, 0);
	b->bw_shortterm = RTE_MAX(b->bw_shortterm, b->undo_bw_shortterm);
	b->inflight_shortterm = RTE_MAX(b->inflight_shortterm, b->undo_inflight_shortterm);
	b->inflight_longterm = RTE_MAX(b->inflight_longterm, b->undo_inflight_longterm);
	b->undo_state = BBR_NONE;
	if (was == BBR_STARTUP && b->state != BBR_STARTUP) {
		b->full_bw_reached = false;
		if (b->state != BBR_PROBE_RTT)
			b->state = BBR_STARTUP;
	} else if (was == BBR_UP && b->state != BBR_UP && b->state != BBR_PROBE_RTT) {
		start_refill(b);
	}
}
