/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_BBR_H
#define TCP_BBR_H

/*
 * BBR, version 3 (draft-ietf-ccwg-bbr-06): the state of a connection, and the steps by which an
 * acknowledgement changes it.
 *
 *   cc_bbr.c     the events, the pacing rate and cwnd (sections 5.2, 5.6)
 *   bbr_model.c  the model of the path (section 5.5)
 *   bbr_state.c  the state machine (section 5.3)
 *
 * The names are the draft's.  Volumes are in bytes, bandwidths in bytes/s, times in us modulo 2^32;
 * infinity is the largest number of the type.
 */

#include "tcp/cc.h"
#include "tcp/rate.h"

#define BBR_INFINITY UINT32_MAX
#define BBR_BW_INF   UINT64_MAX

/* sections 2.5 to 2.16; shares in per cent */
#define BBR_LOSS_THRESH        2
#define BBR_BETA               70
#define BBR_HEADROOM           15
#define BBR_MIN_PIPE_SEGMENTS  4
#define BBR_PACING_MARGIN      1
#define BBR_FULL_LOSS_COUNT    6
#define BBR_FULL_BW_ROUNDS     3
#define BBR_DRAIN_ROUNDS       3
#define BBR_EXTRA_ACKED_ROUNDS 10
#define BBR_MIN_RTT_FILTER_US  10000000u
#define BBR_PROBE_RTT_EVERY_US 5000000u
#define BBR_PROBE_RTT_US       200000u
#define BBR_PROBE_WAIT_US      2000000u /* plus up to a second */
#define BBR_RENO_ROUNDS        63
#define BBR_PROBE_ROUNDS_MAX   30

enum bbr_state {
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN, /* ProbeBW_DOWN and so on */
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP,
	BBR_PROBE_RTT,
	BBR_NONE, /* undo_state only */
};

struct bbr {
	struct rate rate;
	/* how fast */
	uint64_t pacing_rate;
	uint64_t max_bw[2]; /* BBR.max_bw_filter: this ProbeBW cycle, and the previous one */
	uint64_t bw, bw_latest, bw_shortterm, full_bw;
	/* how much */
	uint32_t inflight_latest, inflight_shortterm, inflight_longterm;
	uint32_t prior_cwnd, initial_cwnd;
	uint32_t
	    extra_acked[2]; /* BBR.extra_acked_filter: this half of the window, the one before */
	uint32_t extra_acked_start_us, extra_acked_delivered;
	/* rounds, by C.delivered */
	uint32_t next_round_delivered, loss_round_delivered, limited_round_delivered;
	uint32_t round_count, drain_start_round, extra_acked_round;
	/* round trips */
	uint32_t min_rtt_us; /* 0: infinity */
	uint32_t min_rtt_stamp_us;
	uint32_t probe_rtt_min_us; /* BBR.probe_rtt_min_delay; 0: infinity */
	uint32_t probe_rtt_stamp_us, probe_rtt_done_us;
	/* ProbeBW */
	uint32_t cycle_stamp_us, bw_probe_wait_us;
	uint32_t rounds_since_probe_up;
	uint32_t bw_probe_up_acked, probe_up_acked_per_inc;
	/* what to restore if a loss was spurious */
	uint64_t undo_bw_shortterm;
	uint32_t undo_inflight_shortterm, undo_inflight_longterm;
	uint32_t random; /* state of a small generator; never 0 */
	uint8_t state, undo_state;
	uint8_t full_bw_count, bw_probe_up_rounds, loss_events;
	bool round_start, loss_round_start, is_loss_in_round;
	bool full_bw_now, full_bw_reached;
	bool is_bw_probe_sample, prev_probe_too_high, prev_probe_precautionary;
	bool is_probe_stopping; /* BBR.ack_phase: only this phase decides anything */
	bool probe_rtt_expired, probe_rtt_timed, probe_rtt_round_done, idle_restart;
	bool is_cwnd_limited;
};

/** Shared by the steps of one acknowledgement. */
struct bbr_turn {
	struct tcb *t;
	struct tcp_queues *q;
	struct bbr *b;
	struct rate_sample rs;
	uint32_t now_us;
	uint32_t inflight; /* C.inflight, as the acknowledgement leaves it */
};

/* ---- bbr_model.c ----------------------------------------------------------------------------- */

/** bbr_max_bw returns BBR.max_bw. */
static inline uint64_t bbr_max_bw(const struct bbr *b)
{
	return b->max_bw[0] > b->max_bw[1] ? b->max_bw[0] : b->max_bw[1];
}

/** bbr_volume returns BDPMultiple(gain) for a bandwidth, gain in per cent. */
uint32_t bbr_volume(const struct bbr *b, uint64_t bw, uint32_t gain);

/** bbr_inflight returns Inflight(bw, 1.0): bbr_volume, or more if offloads need it. */
uint32_t bbr_inflight(const struct bbr_turn *r, uint64_t bw);

/** bbr_max_inflight returns BBR.max_inflight. */
uint32_t bbr_max_inflight(const struct bbr_turn *r, uint32_t cwnd_gain);

/** bbr_inflight_with_headroom returns InflightWithHeadroom(). */
uint32_t bbr_inflight_with_headroom(const struct bbr_turn *r);

/** bbr_target_inflight returns TargetInflight(). */
uint32_t bbr_target_inflight(const struct bbr_turn *r);

/** bbr_min_pipe returns BBR.MinPipeCwnd. */
static inline uint32_t bbr_min_pipe(const struct tcb *t)
{
	return BBR_MIN_PIPE_SEGMENTS * (uint32_t)t->mss;
}

/** bbr_update_latest is UpdateLatestDeliverySignals(), UpdateCongestionSignals() and
 * UpdateACKAggregation(). */
void bbr_update_latest(struct bbr_turn *r);

/** bbr_update_min_rtt is UpdateMinRTT(). */
void bbr_update_min_rtt(struct bbr_turn *r);

/** bbr_advance_latest is AdvanceLatestDeliverySignals() and BoundBWForModel(). */
void bbr_advance_latest(struct bbr_turn *r);

/** bbr_reset_shortterm is ResetShortTermModel(). */
void bbr_reset_shortterm(struct bbr *b);

/** bbr_start_round is StartRound(). */
static inline void bbr_start_round(struct bbr *b)
{
	b->next_round_delivered = b->rate.delivered;
}

/** bbr_is_too_high is IsInflightTooHigh(). */
bool bbr_is_too_high(const struct tcb *t, uint32_t lost, uint32_t tx_in_flight);

/** bbr_note_loss is NoteLoss(), with SaveStateUponLoss() if it is the first of a round. */
void bbr_note_loss(struct bbr *b, const struct tcb *t, const struct tcp_queues *q);

/** bbr_save is SaveStateUponLoss(); recovering: a recovery was already in progress. */
void bbr_save(struct bbr *b, const struct tcb *t, bool recovering);

/* ---- bbr_state.c ----------------------------------------------------------------------------- */

/** bbr_is_probing_bw is IsProbingBW(), which includes Startup. */
static inline bool bbr_is_probing_bw(const struct bbr *b)
{
	return b->state == BBR_STARTUP || b->state == BBR_REFILL || b->state == BBR_UP;
}

/** bbr_is_in_probe_bw is IsInAProbeBWState(). */
static inline bool bbr_is_in_probe_bw(const struct bbr *b)
{
	return b->state >= BBR_DOWN && b->state <= BBR_UP;
}

/** bbr_reset_full_bw is ResetFullBW(). */
void bbr_reset_full_bw(struct bbr *b, uint64_t full_bw);

/** bbr_lost is HandleLostPacket() for bytes that an acknowledgement has shown to be lost. */
void bbr_lost(struct bbr_turn *r, uint32_t bytes);

/** bbr_marked does the same for an ECN mark, which is treated as a loss. */
void bbr_marked(struct bbr_turn *r);

/** bbr_update_state is UpdateModelAndState() from CheckFullBWReached() to UpdateProbeBWCyclePhase(). */
void bbr_update_state(struct bbr_turn *r);

/** bbr_check_probe_rtt is CheckProbeRTT(). */
void bbr_check_probe_rtt(struct bbr_turn *r);

/** bbr_check_probe_rtt_done is CheckProbeRTTDone(). */
void bbr_check_probe_rtt_done(struct bbr_turn *r);

/** bbr_spurious is HandleSpuriousLossDetection(). */
void bbr_spurious(struct bbr_turn *r);

#endif
