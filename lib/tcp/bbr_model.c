/* SPDX-License-Identifier: BSD-2-Clause */
/* BBR's model of the path (draft-ietf-ccwg-bbr-06 section 5.5). */

#include <rte_common.h>

#include "base/seq.h"
#include "tcp/bbr.h"

static uint32_t share(uint32_t volume, uint32_t percent)
{
	return (uint32_t)((uint64_t)volume * percent / 100);
}

/* ---- volumes (5.6.4.2) ----------------------------------------------------------------------- */

uint32_t bbr_volume(const struct bbr *b, uint64_t bw, uint32_t gain)
{
	uint64_t bytes;

	if (b->min_rtt_us == 0)
		return b->initial_cwnd;
	/* bytes/ms times us stays below 2^64 at any speed */
	bytes = bw < (UINT64_C(1) << 32) ? bw * b->min_rtt_us / 1000000
	                                 : bw / 1000 * b->min_rtt_us / 1000;
	return (uint32_t)RTE_MIN(bytes * gain / 100, (uint64_t)BBR_INFINITY - 1);
}

/* QuantizationBudget(): the offload budget is three quanta (5.5.8.1) */
static uint32_t with_budget(const struct bbr_turn *r, uint32_t volume)
{
	volume = RTE_MAX(volume, 3 * RTE_MIN(r->q->pace.quantum, BBR_INFINITY / 4));
	volume = RTE_MAX(volume, bbr_min_pipe(r->t));
	return r->b->state == BBR_UP ? volume + 2u * r->t->mss : volume;
}

uint32_t bbr_inflight(const struct bbr_turn *r, uint64_t bw)
{
	return with_budget(r, bbr_volume(r->b, bw, 100));
}

uint32_t bbr_max_inflight(const struct bbr_turn *r, uint32_t cwnd_gain)
{
	const struct bbr *b = r->b;

	return with_budget(r, bbr_volume(b, b->bw, cwnd_gain) +
	                          RTE_MAX(b->extra_acked[0], b->extra_acked[1]));
}

uint32_t bbr_inflight_with_headroom(const struct bbr_turn *r)
{
	uint32_t longterm = r->b->inflight_longterm, headroom;

	if (longterm == BBR_INFINITY)
		return BBR_INFINITY;
	headroom = RTE_MAX((uint32_t)r->t->mss, share(longterm, BBR_HEADROOM));
	return RTE_MAX(longterm > headroom ? longterm - headroom : 0, bbr_min_pipe(r->t));
}

uint32_t bbr_target_inflight(const struct bbr_turn *r)
{
	return RTE_MIN(bbr_volume(r->b, r->b->bw, 100), r->t->cwnd);
}

/* ---- rounds and bandwidth (5.5.1 to 5.5.6) ---------------------------------------------------- */

static void update_round(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	b->round_start = r->rs.valid && seq_geq(r->rs.prior, b->next_round_delivered);
	if (!b->round_start)
		return;
	bbr_start_round(b);
	b->round_count++;
	b->rounds_since_probe_up++;
}

static void update_max_bw(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	update_round(r);
	if (r->rs.bps > 0 && (r->rs.bps >= bbr_max_bw(b) || !r->rs.limited))
		b->max_bw[0] = RTE_MAX(b->max_bw[0], r->rs.bps);
}

/* ---- loss and the short term (5.5.10) --------------------------------------------------------- */

void bbr_reset_shortterm(struct bbr *b)
{
	b->bw_shortterm = BBR_BW_INF;
	b->inflight_shortterm = BBR_INFINITY;
}

/* AdaptLowerBoundsFromCongestion() */
static void adapt_lower_bounds(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (bbr_is_probing_bw(b) || !b->is_loss_in_round)
		return;
	if (b->bw_shortterm == BBR_BW_INF)
		b->bw_shortterm = bbr_max_bw(b);
	if (b->inflight_shortterm == BBR_INFINITY)
		b->inflight_shortterm = r->t->cwnd;
	b->bw_shortterm = RTE_MAX(b->bw_latest, b->bw_shortterm * BBR_BETA / 100);
	b->inflight_shortterm = RTE_MAX(b->inflight_latest, share(b->inflight_shortterm, BBR_BETA));
}

bool bbr_is_too_high(const struct tcb *t, uint32_t lost, uint32_t tx_in_flight)
{
	if (!(t->opt & TCB_OPT_SACK))
		return lost > 0;
	return lost > share(tx_in_flight, BBR_LOSS_THRESH);
}

static void save_cwnd(struct bbr *b, const struct tcb *t, bool recovering)
{
	if (!recovering && b->state != BBR_PROBE_RTT)
		b->prior_cwnd = t->cwnd;
	else
		b->prior_cwnd = RTE_MAX(b->prior_cwnd, t->cwnd);
}

void bbr_save(struct bbr *b, const struct tcb *t, bool recovering)
{
	save_cwnd(b, t, recovering);
	b->undo_state = BBR_NONE;
	b->undo_bw_shortterm = b->bw_shortterm;
	b->undo_inflight_shortterm = b->inflight_shortterm;
	b->undo_inflight_longterm = b->inflight_longterm;
}

void bbr_note_loss(struct bbr *b, const struct tcb *t, const struct tcp_queues *q)
{
	if (!b->is_loss_in_round) {
		b->loss_round_delivered = b->rate.delivered;
		bbr_save(b, t, q->recovery != TCP_R_OPEN);
	}
	b->is_loss_in_round = true;
}

/* ---- aggregation (5.5.9) ---------------------------------------------------------------------- */

/* the window of ten rounds is kept as two halves; the older half is forgotten as a whole */
static void advance_extra_acked(struct bbr *b)
{
	uint32_t rounds = b->full_bw_reached ? BBR_EXTRA_ACKED_ROUNDS / 2 : 1;

	if (b->round_count - b->extra_acked_round < rounds)
		return;
	b->extra_acked_round = b->round_count;
	b->extra_acked[1] = b->full_bw_reached ? b->extra_acked[0] : 0;
	b->extra_acked[0] = 0;
}

static void update_aggregation(struct bbr_turn *r)
{
	struct bbr *b = r->b;
	uint64_t expected = b->bw * (r->now_us - b->extra_acked_start_us) / 1000000;
	uint64_t extra;

	if (b->extra_acked_delivered <= expected) {
		b->extra_acked_delivered = 0;
		b->extra_acked_start_us = r->now_us;
		expected = 0;
	}
	b->extra_acked_delivered += r->rs.newly_acked;
	extra = b->extra_acked_delivered > expected ? b->extra_acked_delivered - expected : 0;
	advance_extra_acked(b);
	b->extra_acked[0] =
	    RTE_MAX(b->extra_acked[0], (uint32_t)RTE_MIN(extra, (uint64_t)r->t->cwnd));
}

/* ---- the steps of an acknowledgement ----------------------------------------------------------- */

void bbr_update_latest(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	b->loss_round_start = false;
	if (r->rs.valid) {
		b->bw_latest = RTE_MAX(b->bw_latest, r->rs.bps);
		b->inflight_latest = RTE_MAX(b->inflight_latest, r->rs.delivered);
		if (seq_geq(r->rs.prior, b->loss_round_delivered)) {
			b->loss_round_delivered = b->rate.delivered;
			b->loss_round_start = true;
		}
	}
	update_max_bw(r);
	if (b->loss_round_start)
		adapt_lower_bounds(r);
	update_aggregation(r);
}

void bbr_advance_latest(struct bbr_turn *r)
{
	struct bbr *b = r->b;

	if (b->loss_round_start) {
		b->is_loss_in_round = false;
		b->bw_latest = r->rs.bps;
		b->inflight_latest = r->rs.delivered;
	}
	b->bw = RTE_MIN(bbr_max_bw(b), b->bw_shortterm);
}

/* section 5.3.4.3 */
void bbr_update_min_rtt(struct bbr_turn *r)
{
	struct bbr *b = r->b;
	uint32_t rtt = r->rs.valid ? RTE_MAX(r->rs.rtt_us, 1u) : 0;

	b->probe_rtt_expired = r->now_us - b->probe_rtt_stamp_us > BBR_PROBE_RTT_EVERY_US;
	if (rtt != 0 &&
	    (b->probe_rtt_min_us == 0 || rtt < b->probe_rtt_min_us || b->probe_rtt_expired)) {
		b->probe_rtt_min_us = rtt;
		b->probe_rtt_stamp_us = r->now_us;
	}
	if (b->probe_rtt_min_us == 0)
		return;
	if (b->min_rtt_us == 0 || b->probe_rtt_min_us < b->min_rtt_us ||
	    r->now_us - b->min_rtt_stamp_us > BBR_MIN_RTT_FILTER_US) {
		b->min_rtt_us = b->probe_rtt_min_us;
		b->min_rtt_stamp_us = b->probe_rtt_stamp_us;
	}
}
