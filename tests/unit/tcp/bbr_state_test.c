/* SPDX-License-Identifier: BSD-2-Clause */
/* BBR's state machine (draft-ietf-ccwg-bbr-06 5.3, 5.5.10, 5.5.11): what is no reason to change, and from when on what counts. */

#include "../../support/eal.h"
#include "../unit.h"
#include "bbr_fixture.h"

#define STATE(s) CU_ASSERT_EQUAL(the_bbr.state, s)

static void lose(unsigned times)
{
	while (times-- > 0)
		bbr_lost(&r, SMSS);
}

/* a round trip within which so much has been lost */
static void losing_round(uint32_t lost)
{
	sample(BW, false);
	r.rs.lost = lost;
	steps();
}

/* what was sent at START, with so much under way then, is a probe's; so much is lost since */
static void lose_of_probe(uint32_t inflight, uint32_t bytes)
{
	rate_sent(&the_bbr.rate, START, inflight, true);
	q.lost_us = q.rack.sent_us = START;
	the_bbr.is_bw_probe_sample = true;
	the_bbr.rate.lost += bytes;
	bbr_lost(&r, bytes);
}

/* ---- the full pipe ---- */

/* "another round w/o much growth": rounds, not acknowledgements */
static void test_plateau_of_rounds(void)
{
	begin();
	round_trip(BW, false);
	for (unsigned i = 0; i < 10; i++)
		ack_within(BW);
	round_trip(BW, false);
	round_trip(BW, false);
	CU_ASSERT(!the_bbr.full_bw_reached);
	round_trip(BW, false);
	CU_ASSERT(the_bbr.full_bw_reached);
}

/* a round whose sample cannot be relied on (4.1) says nothing about growth */
static void test_plateau_of_samples(void)
{
	begin();
	round_trip(BW, false);
	for (unsigned i = 0; i < 10; i++)
		round_trip(0, false);
	CU_ASSERT(!the_bbr.full_bw_reached);
}

/* "bw is still growing, so reset": the three are to follow each other */
static void test_plateau_begins_anew(void)
{
	begin();
	for (unsigned i = 0; i < 3; i++)
		round_trip(BW, false);
	for (unsigned i = 0; i < 3; i++)
		round_trip(2 * BW, false);
	CU_ASSERT(!the_bbr.full_bw_reached);
	round_trip(2 * BW, false);
	CU_ASSERT(the_bbr.full_bw_reached);
}

/* each probe looks for a plateau of its own */
static void test_each_probe_looks(void)
{
	begin_in(BBR_REFILL);
	for (unsigned i = 0; i < 2; i++) {
		round_trip(BW, false);
		STATE(BBR_UP);
		round_trip(BW, false);
		round_trip(BW, false);
		STATE(BBR_UP);
		round_trip(BW, false);
		STATE(BBR_DOWN);
		r.now_us += 3000001;
		round_trip(BW, false);
		STATE(BBR_REFILL);
	}
}

/* ---- losses in Startup ---- */

static void begin_recovering(void)
{
	begin();
	r.inflight = 2 * BDP;
	q.recovery = TCP_R_RECOVERY;
}

static void test_startup_goes_on(void)
{
	begin_recovering();
	q.recovery = TCP_R_OPEN;
	lose(6);
	losing_round(6 * SMSS);
	STATE(BBR_STARTUP); /* no recovery */
	begin_recovering();
	lose(6);
	losing_round(2 * SMSS);
	STATE(BBR_STARTUP); /* no more than 2 % */
	begin_recovering();
	for (unsigned i = 0; i < 2; i++) {
		lose(5);
		losing_round(5 * SMSS);
	}
	STATE(BBR_STARTUP); /* six, but not in one round */
	begin_recovering();
	lose(6);
	sample(BW, false);
	r.rs.lost = 6 * SMSS;
	r.rs.prior--;
	steps();
	STATE(BBR_STARTUP); /* no full round yet */
}

static void test_startup_ends(void)
{
	begin_recovering();
	lose(3);
	ack_within(BW);
	lose(3);
	losing_round(6 * SMSS);
	STATE(BBR_DRAIN); /* three and three in one round */
	begin_recovering();
	lose(256);
	losing_round(256 * SMSS);
	STATE(BBR_DRAIN); /* as many as an octet does not count */
}

/* max(BBR.bdp, BBR.inflight_latest) */
static void test_startup_safe_volume(void)
{
	static const uint32_t delivered[] = {BDP / 2, BDP * 3 / 2}, safe[] = {BDP, BDP * 3 / 2};

	for (unsigned i = 0; i < 2; i++) {
		begin_recovering();
		the_bbr.bw = BW;
		lose(6);
		sample(BW, false);
		r.rs.delivered = delivered[i];
		r.rs.lost = 6 * SMSS;
		steps();
		STATE(BBR_DRAIN);
		CU_ASSERT_EQUAL(the_bbr.inflight_longterm, safe[i]);
	}
}

/* "exits Startup based on packet loss if any packet loss is detected during fast recovery" */
static void test_startup_without_sack(void)
{
	begin_recovering();
	t.opt = 0;
	round_trip(BW, false);
	STATE(BBR_STARTUP);
	lose(1);
	ack_within(BW);
	STATE(BBR_DRAIN);
}

/* it is Startup that losses and marks end: that a probe of the round trip interrupted it is another matter */
static void test_startup_interrupted(void)
{
	begin_recovering();
	the_bbr.state = BBR_PROBE_RTT;
	lose(6);
	losing_round(6 * SMSS);
	bbr_marked(&r);
	CU_ASSERT(!the_bbr.full_bw_reached);
}

/* 5.3.2: three round trips from the one with which Drain began */
static void test_drain_begins_late(void)
{
	begin();
	r.inflight = 2 * BDP;
	for (unsigned i = 0; i < 10; i++)
		round_trip(BW, true);
	for (unsigned i = 0; i < 4; i++)
		round_trip(BW, false);
	for (unsigned i = 0; i < 4; i++) {
		STATE(BBR_DRAIN);
		round_trip(BW, false);
	}
	STATE(BBR_DOWN);
}

/* ---- the cycle ---- */

/* the pipe is full, and a probe has seen it */
static void end_probe(void)
{
	the_bbr.state = BBR_UP;
	the_bbr.full_bw_now = true;
	ack_within(BW);
	STATE(BBR_DOWN);
}

/* 5.3.3.8, PickProbeWait(): both waits differ from time to time */
static void test_waits(void)
{
	uint32_t shortest = UINT32_MAX, longest = 0, late = 0;

	begin_in(BBR_UP);
	for (unsigned i = 0; i < 64; i++) {
		end_probe();
		shortest = RTE_MIN(shortest, the_bbr.bw_probe_wait_us);
		longest = RTE_MAX(longest, the_bbr.bw_probe_wait_us);
		CU_ASSERT(the_bbr.rounds_since_probe_up <= 1);
		late += the_bbr.rounds_since_probe_up;
	}
	CU_ASSERT(shortest >= 2000000 && shortest < 2250000);
	CU_ASSERT(longest > 2750000 && longest <= 3000000);
	CU_ASSERT(late > 16 && late < 48);
}

/* ... and begin with DOWN, which they end as well as CRUISE */
static void test_wait_begins(void)
{
	begin_in(BBR_UP);
	r.inflight = 2 * BDP; /* which keeps it from CRUISE */
	r.now_us += 10000000;
	end_probe();
	r.now_us += the_bbr.bw_probe_wait_us;
	ack_within(BW);
	STATE(BBR_DOWN);
	r.now_us++;
	ack_within(BW);
	STATE(BBR_REFILL);
}

/* ResetCongestionSignals(): what was lost to a probe does not lower what is kept after it */
static void test_down_forgets_losses(void)
{
	begin_in(BBR_UP);
	r.inflight = 2 * BDP;
	lose_of_probe(150 * SMSS, 10 * SMSS);
	STATE(BBR_DOWN);
	round_trip(BW / 2, false);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BBR_BW_INF);
	CU_ASSERT_EQUAL(the_bbr.inflight_shortterm, BBR_INFINITY);
}

/* ... nor is what was delivered then a floor under it */
static void test_down_forgets_deliveries(void)
{
	begin_in(BBR_UP);
	r.inflight = 2 * BDP;
	the_bbr.bw_latest = 2 * BW;
	the_bbr.inflight_latest = 3 * BDP;
	lose_of_probe(150 * SMSS, 10 * SMSS);
	lose(1);
	round_trip(BW / 2, false);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BW * 7 / 10);
	CU_ASSERT_EQUAL(the_bbr.inflight_shortterm, 2 * BDP * 7 / 10);
}

/* a round of REFILL begins with it: only what was sent in it ends it */
static void test_refill_takes_a_round(void)
{
	uint32_t sent;

	begin_in(BBR_CRUISE);
	round_trip(BW, false);
	sent = the_bbr.rate.delivered;
	r.now_us += 2500001;
	ack_within(BW);
	STATE(BBR_REFILL);
	ack_of(sent, BW);
	STATE(BBR_REFILL);
	ack_of(sent + SMSS, BW);
	STATE(BBR_UP);
}

/* so does one of DOWN, before precaution may end it */
static void test_down_takes_a_round(void)
{
	uint32_t sent;

	begin_in(BBR_UP);
	the_bbr.prev_probe_too_high = true;
	round_trip(2 * BW, false);
	the_bbr.inflight_longterm = BDP;
	sent = the_bbr.rate.delivered;
	ack_within(2 * BW);
	STATE(BBR_DOWN);
	r.inflight = 2 * BDP;
	ack_of(sent, 2 * BW);
	STATE(BBR_DOWN);
	ack_of(sent + SMSS, 2 * BW);
	STATE(BBR_REFILL);
}

/* 5.3.3.6: it accelerates neither without precaution, nor when that came too late */
static void test_no_acceleration(void)
{
	begin_in(BBR_UP);
	r.inflight = 2 * BDP;
	end_probe();
	round_trip(BW, false);
	STATE(BBR_DOWN);
	begin_in(BBR_DOWN);
	r.inflight = 2 * BDP;
	the_bbr.is_probe_stopping = the_bbr.prev_probe_precautionary = true;
	lose_of_probe(150 * SMSS, 10 * SMSS);
	round_trip(BW, false);
	STATE(BBR_DOWN);
}

/* 5.3.3.6: precaution is for after an excess, and at the volume that had been one */
static void test_no_precaution(void)
{
	begin_in(BBR_UP);
	the_bbr.inflight_longterm = BDP;
	round_trip(2 * BW, false);
	STATE(BBR_UP);
	begin_in(BBR_UP);
	the_bbr.prev_probe_too_high = true;
	the_bbr.inflight_longterm = BDP + 1;
	round_trip(2 * BW, false);
	STATE(BBR_UP);
}

/* a round trip of which the volume does not count */
static void flat_round(void)
{
	sample(BW, false);
	r.rs.newly_acked = 0;
	steps();
}

/* 5.3.3.7: a flow that inflight_longterm limits cannot see how much bandwidth there is */
static void test_limited_sees_no_plateau(void)
{
	begin_in(BBR_UP);
	the_bbr.is_cwnd_limited = true;
	the_bbr.inflight_longterm = t.cwnd;
	the_bbr.probe_up_acked_per_inc = t.cwnd;
	for (unsigned i = 0; i < 10; i++) {
		flat_round();
		STATE(BBR_UP);
	}
	the_bbr.is_cwnd_limited = false; /* what was measured last is the base from now on */
	round_trip(BW, false);
	round_trip(BW, false);
	STATE(BBR_UP);
	round_trip(BW, false);
	STATE(BBR_DOWN);
	begin_in(BBR_UP); /* cwnd is a limit, but inflight_longterm is not */
	the_bbr.is_cwnd_limited = true;
	the_bbr.inflight_longterm = t.cwnd + 1;
	for (unsigned i = 0; i < 3; i++)
		round_trip(BW, false);
	STATE(BBR_UP);
	round_trip(BW, false);
	STATE(BBR_DOWN);
}

/* 5.3.3.1: both conditions of CRUISE, at their limits; the estimated BDP is that of max_bw */
static void test_cruise_limits(void)
{
	begin_in(BBR_DOWN);
	the_bbr.inflight_longterm = 100 * SMSS;
	r.inflight = 85 * SMSS + 1;
	ack_within(BW);
	STATE(BBR_DOWN);
	r.inflight--;
	ack_within(BW);
	STATE(BBR_CRUISE);
	begin_in(BBR_DOWN);
	the_bbr.bw = the_bbr.bw_shortterm = BW / 2;
	r.inflight = BDP + 1;
	ack_within(BW);
	STATE(BBR_DOWN);
	r.inflight--;
	ack_within(BW);
	STATE(BBR_CRUISE);
}

/* 5.5.6: the filter of max_bw goes on after a probe, unless that saw the application alone, and not for a probe that
 * has just begun or one of the round trip */
static void test_filter_goes_on(void)
{
	begin_in(BBR_UP);
	end_probe();
	round_trip(BW / 2, true);
	CU_ASSERT_EQUAL(the_bbr.max_bw[1], 0);
	begin_in(BBR_UP);
	end_probe();
	round_trip(BW / 2, false);
	CU_ASSERT_EQUAL(the_bbr.max_bw[1], BW);
	begin_in(BBR_UP);
	lose_of_probe(150 * SMSS, 10 * SMSS);
	bbr_spurious(&r);
	STATE(BBR_REFILL);
	round_trip(BW / 2, false);
	CU_ASSERT_EQUAL(the_bbr.max_bw[1], 0);
	begin_in(BBR_PROBE_RTT);
	the_bbr.is_probe_stopping = the_bbr.prev_probe_precautionary = true;
	round_trip(BW / 2, false);
	CU_ASSERT_EQUAL(the_bbr.max_bw[1], 0);
	STATE(BBR_PROBE_RTT);
}

/* ---- inflight_longterm ---- */

/* 5.3.3.9: one segment for the first cwnd, 2, 4 and 8 for those that follow */
static void test_slope_exactly(void)
{
	begin_in(BBR_REFILL);
	the_bbr.bw_probe_up_rounds = 7; /* of an earlier probe */
	the_bbr.bw_probe_up_acked = BDP / 2;
	r.now_us = START + 2500001;
	the_bbr.state = BBR_CRUISE;
	round_trip(BW, false);
	STATE(BBR_REFILL);
	t.cwnd = the_bbr.inflight_longterm = BDP;
	the_bbr.is_cwnd_limited = true;
	round_trip(BW, false);
	STATE(BBR_UP);
	for (unsigned i = 0; i < 4; i++) {
		const uint32_t before = the_bbr.inflight_longterm;

		t.cwnd = before;
		ack_within(BW); /* this has its share, but does not make it steeper */
		sample(BW, false);
		r.rs.newly_acked = t.cwnd - SMSS;
		steps();
		CU_ASSERT_EQUAL(the_bbr.inflight_longterm - before, SMSS << i);
	}
}

/* ... up to one per segment acknowledged, for as long as it takes */
static void test_slope_ends(void)
{
	begin_in(BBR_REFILL);
	the_bbr.is_cwnd_limited = true;
	t.cwnd = the_bbr.inflight_longterm = 40 * BDP;
	for (unsigned i = 0; i < 40; i++)
		flat_round();
	STATE(BBR_UP);
	CU_ASSERT_EQUAL(the_bbr.probe_up_acked_per_inc, SMSS);
}

/* "not fully using BBR.inflight_longterm, so don't grow it"; nor in any state but UP */
static void test_no_growth(void)
{
	static const struct {
		enum bbr_state state;
		bool limited;
		uint32_t cwnd;
	} c[] = {{BBR_UP, false, BDP}, {BBR_UP, true, BDP - 1}, {BBR_CRUISE, true, BDP}};

	for (unsigned i = 0; i < 3; i++) {
		begin_in(c[i].state);
		the_bbr.is_cwnd_limited = c[i].limited;
		the_bbr.inflight_longterm = BDP;
		t.cwnd = c[i].cwnd;
		the_bbr.probe_up_acked_per_inc = SMSS;
		round_trip(2 * BW, false);
		CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BDP);
	}
}

/* what was under way without excessive loss is safe (AdaptLongTermModel) */
static void test_safe_volume(void)
{
	begin_in(BBR_CRUISE);
	the_bbr.inflight_longterm = BDP;
	sample(BW, false);
	r.rs.tx_in_flight = 120 * SMSS;
	r.rs.lost = 3 * SMSS;
	steps();
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BDP);
	r.rs.lost = 2 * SMSS;
	steps();
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, 120 * SMSS);
}

/* InflightAtLoss(): within a burst of which much is lost, where the share of losses went beyond 2 % */
static void test_inflight_at_loss(void)
{
	begin_in(BBR_UP);
	lose_of_probe(100 * SMSS, 10 * SMSS);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, 90 * SMSS + 1836); /* 2 % of 90, / 0.98 */
	begin_in(BBR_UP); /* what was lost before it was sent is not counted */
	the_bbr.rate.lost = 10 * SMSS;
	lose_of_probe(150 * SMSS, 2 * SMSS);
	STATE(BBR_UP);
	the_bbr.rate.lost += 2 * SMSS;
	bbr_lost(&r, 2 * SMSS);
	STATE(BBR_DOWN);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, 148 * SMSS + 979); /* 2 % of 148, less 2 */
	begin_in(BBR_UP); /* more lost than was under way when it was sent */
	lose_of_probe(3 * SMSS, 5 * SMSS);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BDP * 7 / 10);
}

/* HandleInflightTooHigh(): an application that sends little says nothing about the path; and REFILL goes on */
static void test_too_high_elsewhere(void)
{
	begin_in(BBR_UP);
	rate_limit(&the_bbr.rate, 0);
	lose_of_probe(100 * SMSS, 10 * SMSS);
	STATE(BBR_DOWN);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BBR_INFINITY);
	begin_in(BBR_UP); /* nor does a mark */
	rate_limit(&the_bbr.rate, 0);
	rate_sent(&the_bbr.rate, START, 120 * SMSS, true);
	q.rack.sent_us = START;
	the_bbr.is_bw_probe_sample = true;
	bbr_marked(&r);
	STATE(BBR_DOWN);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BBR_INFINITY);
	begin_in(BBR_REFILL);
	lose_of_probe(100 * SMSS, 10 * SMSS);
	STATE(BBR_REFILL);
	CU_ASSERT(the_bbr.inflight_longterm < BDP);
}

/* "not a packet sent while probing bandwidth", or one of which nothing was noted */
static void test_not_of_a_probe(void)
{
	begin_in(BBR_CRUISE);
	rate_sent(&the_bbr.rate, START, 100 * SMSS, true);
	q.lost_us = q.rack.sent_us = START;
	the_bbr.rate.lost = 10 * SMSS;
	bbr_lost(&r, 10 * SMSS);
	bbr_marked(&r);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BBR_INFINITY);
	CU_ASSERT(!the_bbr.prev_probe_too_high);
	begin_in(BBR_UP);
	the_bbr.is_bw_probe_sample = true;
	bbr_lost(&r, 10 * SMSS);
	bbr_marked(&r);
	STATE(BBR_UP);
}

/* the samples of a probe end a round after it, or after ProbeRTT has interrupted it */
static void test_samples_of_a_probe(void)
{
	begin_in(BBR_UP);
	the_bbr.is_bw_probe_sample = true;
	end_probe();
	ack_within(BW);
	CU_ASSERT(the_bbr.is_bw_probe_sample);
	round_trip(BW, false);
	CU_ASSERT(!the_bbr.is_bw_probe_sample);
	begin_in(BBR_UP);
	the_bbr.is_bw_probe_sample = true;
	the_bbr.rate.delivered = BDP;
	rtt(START + 5000001, RTT);
	bbr_check_probe_rtt(&r);
	STATE(BBR_PROBE_RTT);
	ack_of(BDP - 1, BW);
	CU_ASSERT(the_bbr.is_bw_probe_sample);
	ack_of(BDP, BW);
	CU_ASSERT(!the_bbr.is_bw_probe_sample);
}

/* ---- ProbeRTT ---- */

/* an acknowledgement at a time, of what was sent when C.delivered was prior */
static void ack_at(uint32_t now_us, uint32_t prior)
{
	r.now_us = now_us;
	ack_of(prior, BW);
	bbr_update_min_rtt(&r);
	bbr_check_probe_rtt(&r);
}

/* 200 ms and a round trip, both since C.inflight is low; each time anew */
static void test_probe_rtt_lasts(void)
{
	uint32_t now = START, low;

	begin_in(BBR_CRUISE);
	the_bbr.bw_probe_wait_us = UINT32_MAX;
	for (unsigned i = 0; i < 2; i++) {
		now += 5000001;
		r.inflight = BDP / 2 + 1;
		ack_at(now, the_bbr.next_round_delivered - 1);
		STATE(BBR_PROBE_RTT);
		CU_ASSERT(!the_bbr.probe_rtt_timed);
		r.inflight = BDP / 2;
		/* within a round, or with the begin of one, which is not that round trip */
		ack_at(now, the_bbr.rate.delivered - (i == 0 ? 1 : 0));
		CU_ASSERT(the_bbr.probe_rtt_timed);
		low = the_bbr.rate.delivered;
		now += 200001;
		ack_at(now, low - 1);
		STATE(BBR_PROBE_RTT);
		ack_at(now, low);
		STATE(BBR_CRUISE);
		the_bbr.bw_probe_wait_us = UINT32_MAX;
		the_bbr.rounds_since_probe_up = 0;
	}
}

/* the next comes 5 s after its end, and the next probe for bandwidth 2 s after that at the earliest (5.3.4.4) */
static void test_probe_rtt_ends(void)
{
	const uint32_t end = START + 4300001;

	begin_in(BBR_PROBE_RTT);
	the_bbr.probe_rtt_timed = the_bbr.probe_rtt_round_done = true;
	the_bbr.probe_rtt_done_us = end - 1;
	the_bbr.bw_shortterm = BW / 2;
	the_bbr.inflight_shortterm = BDP / 2;
	r.now_us = end;
	bbr_check_probe_rtt(&r);
	STATE(BBR_CRUISE);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BBR_BW_INF);
	CU_ASSERT_EQUAL(the_bbr.inflight_shortterm, BBR_INFINITY);
	ack_at(end + 2000000, the_bbr.next_round_delivered - 1);
	STATE(BBR_CRUISE);
	rtt(end + 5000000, RTT + 1);
	CU_ASSERT(!the_bbr.probe_rtt_expired);
	rtt(end + 5000001, RTT + 1);
	CU_ASSERT(the_bbr.probe_rtt_expired);
}

/* "... or Startup otherwise" */
static void test_probe_rtt_in_startup(void)
{
	begin();
	the_bbr.state = BBR_PROBE_RTT;
	the_bbr.probe_rtt_timed = the_bbr.probe_rtt_round_done = true;
	the_bbr.probe_rtt_done_us = START - 1;
	bbr_check_probe_rtt(&r);
	STATE(BBR_STARTUP);
}

/* ProbeRTTCwnd(): MinPipeCwnd is low enough */
static void test_probe_rtt_of_a_small_pipe(void)
{
	begin_in(BBR_PROBE_RTT);
	the_bbr.bw = BW / 50;
	r.inflight = 4 * SMSS + 1;
	bbr_check_probe_rtt(&r);
	CU_ASSERT(!the_bbr.probe_rtt_timed);
	r.inflight--;
	bbr_check_probe_rtt(&r);
	CU_ASSERT(the_bbr.probe_rtt_timed);
}

/* it is entered once, also while nothing is measured that would end the need of it */
static void test_probe_rtt_without_samples(void)
{
	const uint32_t now = START + 5000001;

	begin_in(BBR_CRUISE);
	r.inflight = BDP / 2;
	for (unsigned i = 0; i < 2; i++) {
		r.now_us = now + i * 100000;
		r.rs = (struct rate_sample){.newly_acked = SMSS};
		bbr_update_min_rtt(&r);
		bbr_check_probe_rtt(&r);
		STATE(BBR_PROBE_RTT);
	}
	the_bbr.round_start = true;
	rtt(now + 200001, RTT);
	bbr_check_probe_rtt(&r);
	STATE(BBR_CRUISE);
}

/* 5.4.1: idleness ends it, if C.inflight had become low before, and for long enough */
static void test_probe_rtt_idle(void)
{
	const struct cc_turn turn = {.now_us = START, .rng = &rng};

	for (unsigned i = 0; i < 3; i++) {
		begin_in(BBR_PROBE_RTT);
		the_bbr.probe_rtt_timed = i > 0;
		the_bbr.probe_rtt_done_us = i == 1 ? START : START - 1;
		cc_of(&t)->on_start(&t, &q, &turn);
		STATE(i == 2 ? BBR_CRUISE : BBR_PROBE_RTT);
	}
}

/* ... also for more than half of the clock's cycle of 71 minutes */
static void test_probe_rtt_idle_for_long(void)
{
	const struct cc_turn turn = {.now_us = START + 2400000000u, .rng = &rng};

	begin_in(BBR_PROBE_RTT);
	the_bbr.probe_rtt_timed = true;
	the_bbr.probe_rtt_done_us = START;
	t.cwnd = BDP / 2;
	the_bbr.prior_cwnd = 2 * BDP;
	cc_of(&t)->on_start(&t, &q, &turn);
	STATE(BBR_CRUISE);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP);
}

/* 5.3.4.3: a restart is over with what is delivered after it */
static void test_idle_restart_lasts(void)
{
	begin_in(BBR_CRUISE);
	the_bbr.idle_restart = true;
	r.rs = (struct rate_sample){.newly_acked = SMSS};
	bbr_check_probe_rtt(&r);
	CU_ASSERT(the_bbr.idle_restart);
}

/* SaveCwnd(): a recovery had made it smaller before */
static void test_probe_rtt_in_recovery(void)
{
	begin_in(BBR_CRUISE);
	q.recovery = TCP_R_RECOVERY;
	the_bbr.prior_cwnd = 2 * BDP;
	t.cwnd = BDP;
	rtt(START + 5000001, RTT);
	bbr_check_probe_rtt(&r);
	STATE(BBR_PROBE_RTT);
	CU_ASSERT_EQUAL(the_bbr.prior_cwnd, 2 * BDP);
}

/* ---- a loss that was none ---- */

/* what the loss had lowered, or more, is there again */
static void test_spurious_restores(void)
{
	begin_in(BBR_CRUISE);
	lose(1);
	t.cwnd = BDP;
	round_trip(BW / 2, false);
	CU_ASSERT(the_bbr.bw_shortterm < BW);
	lose(1);
	the_bbr.undo_bw_shortterm = 2 * BW;
	the_bbr.undo_inflight_shortterm = 3 * BDP;
	the_bbr.prior_cwnd = 2 * BDP;
	the_bbr.inflight_longterm = 4 * BDP;
	the_bbr.undo_inflight_longterm = BDP;
	cc_of(&t)->on_undo(&t, &q);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, 2 * BW);
	CU_ASSERT_EQUAL(the_bbr.inflight_shortterm, 3 * BDP);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, 4 * BDP);
	CU_ASSERT(!the_bbr.is_loss_in_round);
	STATE(BBR_CRUISE);
}

/* ... but not less: it may have grown since */
static void test_spurious_lowers_nothing(void)
{
	begin_in(BBR_UP);
	the_bbr.undo_bw_shortterm = BW / 2;
	the_bbr.undo_inflight_shortterm = BDP / 2;
	the_bbr.prior_cwnd = BDP;
	the_bbr.undo_state = BBR_UP; /* that probe is over, and this is another */
	the_bbr.full_bw = BW;
	the_bbr.full_bw_count = 2;
	cc_of(&t)->on_undo(&t, &q);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BBR_BW_INF);
	CU_ASSERT_EQUAL(the_bbr.inflight_shortterm, BBR_INFINITY);
	for (unsigned i = 0; i < 3; i++) { /* the plateau is looked for anew */
		STATE(BBR_UP);
		round_trip(BW, false);
	}
	STATE(BBR_UP);
	round_trip(BW, false);
	STATE(BBR_DOWN);
}

/* "If flow was probing bandwidth, return to that state" */
static void test_spurious_in_startup(void)
{
	begin_recovering();
	lose(6);
	losing_round(6 * SMSS);
	STATE(BBR_DRAIN);
	cc_of(&t)->on_undo(&t, &q);
	STATE(BBR_STARTUP);
	CU_ASSERT(!the_bbr.full_bw_reached);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BBR_INFINITY);
}

/* ... once ProbeRTT is over */
static void test_spurious_in_probe_rtt(void)
{
	begin_in(BBR_PROBE_RTT);
	the_bbr.undo_state = BBR_UP;
	cc_of(&t)->on_undo(&t, &q);
	STATE(BBR_PROBE_RTT);
	the_bbr.undo_state = BBR_STARTUP;
	cc_of(&t)->on_undo(&t, &q);
	STATE(BBR_PROBE_RTT);
	CU_ASSERT(!the_bbr.full_bw_reached);
}

static const struct unit_case cases[] = {
    {"draft-ietf-ccwg-bbr 5.3.1.2: a plateau is of rounds", test_plateau_of_rounds},
    {"draft-ietf-ccwg-bbr 5.3.1.2: ... of samples that say something", test_plateau_of_samples},
    {"draft-ietf-ccwg-bbr 5.3.1.2: ... after the last growth", test_plateau_begins_anew},
    {"draft-ietf-ccwg-bbr 5.3.1.2: ... of each probe", test_each_probe_looks},
    {"draft-ietf-ccwg-bbr 5.3.1.3: losses that do not end Startup", test_startup_goes_on},
    {"draft-ietf-ccwg-bbr 5.3.1.3: losses that do", test_startup_ends},
    {"draft-ietf-ccwg-bbr 5.3.1.3: the volume that they leave", test_startup_safe_volume},
    {"draft-ietf-ccwg-bbr 5.3.1.3: without SACK any loss does", test_startup_without_sack},
    {"draft-ietf-ccwg-bbr 5.3.1.3: losses in ProbeRTT do not", test_startup_interrupted},
    {"draft-ietf-ccwg-bbr 5.3.2: three round trips of Drain", test_drain_begins_late},
    {"draft-ietf-ccwg-bbr 5.3.3.8: waits at random", test_waits},
    {"draft-ietf-ccwg-bbr 5.3.3.8: since when, and in which states", test_wait_begins},
    {"draft-ietf-ccwg-bbr 5.3.3.9: DOWN forgets losses", test_down_forgets_losses},
    {"draft-ietf-ccwg-bbr 5.3.3.9: DOWN forgets deliveries", test_down_forgets_deliveries},
    {"draft-ietf-ccwg-bbr 5.3.3.3: a round trip of REFILL", test_refill_takes_a_round},
    {"draft-ietf-ccwg-bbr 5.3.3.6: a round trip before acceleration", test_down_takes_a_round},
    {"draft-ietf-ccwg-bbr 5.3.3.6: no acceleration", test_no_acceleration},
    {"draft-ietf-ccwg-bbr 5.3.3.6: no precaution", test_no_precaution},
    {"draft-ietf-ccwg-bbr 5.3.3.7: limited by inflight_longterm", test_limited_sees_no_plateau},
    {"draft-ietf-ccwg-bbr 5.3.3.1: headroom, and the BDP", test_cruise_limits},
    {"draft-ietf-ccwg-bbr 5.5.6: when the filter of max_bw goes on", test_filter_goes_on},
    {"draft-ietf-ccwg-bbr 5.3.3.9: 1, 2, 4, 8 segments", test_slope_exactly},
    {"draft-ietf-ccwg-bbr 5.3.3.9: ... up to all", test_slope_ends},
    {"draft-ietf-ccwg-bbr 5.3.3.9: what does not raise inflight_longterm", test_no_growth},
    {"draft-ietf-ccwg-bbr 5.3.3.9: a volume that was safe", test_safe_volume},
    {"draft-ietf-ccwg-bbr 5.5.10.2: InflightAtLoss", test_inflight_at_loss},
    {"draft-ietf-ccwg-bbr 5.5.10.2: application-limited, and in REFILL", test_too_high_elsewhere},
    {"draft-ietf-ccwg-bbr 5.5.10.2: not sent by a probe", test_not_of_a_probe},
    {"draft-ietf-ccwg-bbr 5.5.10.2: until when it is a probe's", test_samples_of_a_probe},
    {"draft-ietf-ccwg-bbr 5.3.4.1: how long ProbeRTT lasts", test_probe_rtt_lasts},
    {"draft-ietf-ccwg-bbr 5.3.4.4: what follows it", test_probe_rtt_ends},
    {"draft-ietf-ccwg-bbr 5.3.4.4: ... in Startup", test_probe_rtt_in_startup},
    {"draft-ietf-ccwg-bbr 5.3.4.3: ProbeRTT of a small pipe", test_probe_rtt_of_a_small_pipe},
    {"draft-ietf-ccwg-bbr 5.3.4.3: ProbeRTT without samples", test_probe_rtt_without_samples},
    {"draft-ietf-ccwg-bbr 5.4.1: idle in ProbeRTT", test_probe_rtt_idle},
    {"draft-ietf-ccwg-bbr 5.4.1: ... for long", test_probe_rtt_idle_for_long},
    {"draft-ietf-ccwg-bbr 5.3.4.3: until a delivery after idleness", test_idle_restart_lasts},
    {"draft-ietf-ccwg-bbr 5.3.4.3: ProbeRTT in a recovery", test_probe_rtt_in_recovery},
    {"draft-ietf-ccwg-bbr 5.5.11.2: what is restored", test_spurious_restores},
    {"draft-ietf-ccwg-bbr 5.5.11.2: ... unless there is more", test_spurious_lowers_nothing},
    {"draft-ietf-ccwg-bbr 5.5.11.2: back to Startup", test_spurious_in_startup},
    {"draft-ietf-ccwg-bbr 5.5.11.2: ... but not out of ProbeRTT", test_spurious_in_probe_rtt},
};

int main(void)
{
	eal_start();
	return unit_run("bbr_state", cases, sizeof(cases) / sizeof(cases[0]));
}
