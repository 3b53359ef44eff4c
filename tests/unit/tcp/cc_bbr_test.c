/* SPDX-License-Identifier: BSD-2-Clause */
/* BBR (draft-ietf-ccwg-bbr-06), clause by clause. */

#include <string.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "bbr_fixture.h"

static struct cc_slots slots;

static struct bbr *of(const struct tcp_queues *queues)
{
	return (struct bbr *)(uintptr_t)queues->cc_state[0];
}

/* ---- beginning ---- */

static void test_init(void)
{
	const struct cc_turn turn = {.now_us = START, .rng = &rng, .slots = &slots};

	begin();
	q.cc_state[0] = 0;
	CU_ASSERT_EQUAL_FATAL(cc_slots_init(&slots, 1, -1), 0);
	cc_of(&t)->on_start(&t, &q, &turn);
	CU_ASSERT_PTR_NOT_NULL_FATAL(of(&q));
	CU_ASSERT_EQUAL(of(&q)->state, BBR_STARTUP);
	/* 5.6.2: 2.77 * InitialCwnd / SRTT */
	CU_ASSERT_EQUAL(cc_of(&t)->pacing_rate(&t, &q), 277000);
	CU_ASSERT(q.keep);
	CU_ASSERT_EQUAL(slots.used, 1);
	cc_use(&t, &q, CC_RENO);
	CU_ASSERT_EQUAL(slots.used, 0);
	cc_slots_fini(&slots);
}

static void test_no_slot(void)
{
	const struct cc_turn turn = {.now_us = START, .rng = &rng, .slots = &slots};

	begin();
	q.cc_state[0] = 0;
	CU_ASSERT_EQUAL_FATAL(cc_slots_init(&slots, 0, -1), 0);
	cc_of(&t)->on_start(&t, &q, &turn);
	CU_ASSERT_PTR_EQUAL(cc_of(&t), &cc_cubic);
}

/* ---- Startup and Drain ---- */

static void test_full_bw(void)
{
	begin();
	round_trip(BW, false);
	round_trip(BW * 5 / 4, false); /* a quarter more: still growing */
	round_trip(BW * 5 / 4, false);
	round_trip(BW * 3 / 2, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_STARTUP);
	CU_ASSERT(!the_bbr.full_bw_reached);
	r.inflight = 2 * BDP;
	round_trip(BW * 3 / 2, false);
	CU_ASSERT(the_bbr.full_bw_reached);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DRAIN);
}

static void test_full_bw_limited(void)
{
	begin();
	for (unsigned i = 0; i < 10; i++)
		round_trip(BW, true);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_STARTUP);
}

/* A round trip at whose end so many segments are known to be lost. */
static void lose_in_round(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		bbr_lost(&r, SMSS);
	sample(BW, false);
	r.rs.lost = n * SMSS;
	r.rs.prior = the_bbr.rate.delivered;
	bbr_update_latest(&r);
	bbr_update_state(&r);
}

static void test_startup_loss(void)
{
	begin();
	r.inflight = 2 * BDP;
	q.recovery = TCP_R_RECOVERY;
	lose_in_round(5);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_STARTUP); /* five are too few */
	bbr_advance_latest(&r);
	lose_in_round(6);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DRAIN);
	CU_ASSERT_EQUAL(the_bbr.undo_state, BBR_STARTUP);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BDP);
}

static void test_drain(void)
{
	begin_in(BBR_DRAIN);
	r.inflight = BDP + SMSS;
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DRAIN);
	r.inflight = BDP;
	sample(BW, false);
	bbr_update_state(&r);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_CRUISE); /* by way of DOWN: it has drained */
	begin_in(BBR_DRAIN);
	r.inflight = 2 * BDP;
	for (unsigned i = 0; i < 3; i++)
		round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DRAIN);
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DOWN);
}

/* ---- ProbeBW ---- */

static void test_cruise(void)
{
	begin_in(BBR_DOWN);
	the_bbr.inflight_longterm = 110 * SMSS;
	r.inflight = 94 * SMSS; /* more than 0.85 of it */
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DOWN);
	r.inflight = 93 * SMSS;
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_CRUISE);
}

static void test_probe_time(void)
{
	begin_in(BBR_CRUISE);
	r.now_us = START + 2500000;
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_CRUISE);
	r.now_us++;
	the_bbr.bw_shortterm = BW / 2;
	the_bbr.inflight_shortterm = BDP / 2;
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_REFILL);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BBR_BW_INF);
	CU_ASSERT_EQUAL(the_bbr.inflight_shortterm, BBR_INFINITY);
}

static void test_reno_time(void)
{
	unsigned rounds = 0;

	begin_in(BBR_CRUISE); /* a BDP of 100: 63 rounds */
	for (; the_bbr.state == BBR_CRUISE && rounds < 100; rounds++)
		round_trip(BW, false);
	CU_ASSERT_EQUAL(rounds, 63);
	begin_in(BBR_CRUISE);
	t.cwnd = 20 * SMSS; /* less under way: as many rounds as segments */
	for (rounds = 0; the_bbr.state == BBR_CRUISE && rounds < 100; rounds++)
		round_trip(BW, false);
	CU_ASSERT_EQUAL(rounds, 20);
}

static void test_up(void)
{
	begin_in(BBR_REFILL);
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_UP);
	CU_ASSERT(the_bbr.is_bw_probe_sample);
	CU_ASSERT_EQUAL(the_bbr.probe_up_acked_per_inc, t.cwnd);
	for (unsigned i = 0; i < 2; i++)
		round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_UP);
	round_trip(BW, false); /* three rounds without growth */
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DOWN);
	CU_ASSERT(the_bbr.bw_probe_wait_us >= 2000000 && the_bbr.bw_probe_wait_us <= 3000000);
}

/* 5.3.3.5: one segment in the first round, then 2, 4, 8 */
static void test_slope(void)
{
	begin_in(BBR_UP);
	the_bbr.inflight_longterm = t.cwnd = BDP;
	the_bbr.is_cwnd_limited = true;
	the_bbr.bw_probe_up_rounds = 1;
	the_bbr.probe_up_acked_per_inc = BDP;
	for (unsigned round = 0; round < 4; round++) {
		uint32_t before = the_bbr.inflight_longterm;

		sample(BW * 2 << round, false);
		r.rs.newly_acked = BDP;
		r.rs.tx_in_flight = 0;
		t.cwnd = the_bbr.inflight_longterm;
		bbr_update_latest(&r);
		bbr_update_state(&r);
		CU_ASSERT(round == 0 ||
		          the_bbr.inflight_longterm - before >= (1u << round) * SMSS / 2);
	}
	CU_ASSERT(the_bbr.inflight_longterm >= BDP + 7 * SMSS);
}

/* A probe of the bandwidth has so many segments in flight, and loses some. */
static void probe_and_lose(uint32_t in_flight, uint32_t lost)
{
	begin_in(BBR_UP);
	rate_sent(&the_bbr.rate, START, in_flight * SMSS, true);
	q.lost_us = START;
	the_bbr.is_bw_probe_sample = true;
	the_bbr.rate.lost = lost * SMSS;
	bbr_lost(&r, lost * SMSS);
}

/* 5.5.10.2: more than 2 % of what was in flight is lost */
static void test_too_high(void)
{
	probe_and_lose(150, 3);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_UP);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BBR_INFINITY);
	the_bbr.rate.lost = 4 * SMSS;
	bbr_lost(&r, SMSS);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DOWN);
	CU_ASSERT(the_bbr.prev_probe_too_high);
	CU_ASSERT(!the_bbr.is_bw_probe_sample);
	CU_ASSERT_EQUAL(the_bbr.undo_state, BBR_UP);
	/* what was in flight before the segment with which it was too much */
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, 149 * SMSS);
}

/* Beta: not below 0.7 of the target, whatever was in flight */
static void test_too_high_floor(void)
{
	probe_and_lose(10, 5);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BDP * 7 / 10);
}

/* 5.3.3.6 */
static void test_precautionary(void)
{
	begin_in(BBR_UP);
	the_bbr.prev_probe_too_high = true;
	the_bbr.inflight_longterm = BDP;
	r.inflight = BDP;
	sample(2 * BW, false);
	r.rs.tx_in_flight = BDP;
	bbr_update_latest(&r);
	bbr_update_state(&r);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DOWN);
	CU_ASSERT(the_bbr.prev_probe_precautionary);
	CU_ASSERT(!the_bbr.prev_probe_too_high);
	round_trip(2 * BW, false); /* a round trip without excess: at once again, and all the way */
	CU_ASSERT_EQUAL(the_bbr.state, BBR_REFILL);
	CU_ASSERT(!the_bbr.prev_probe_precautionary);
}

/* ---- the model ---- */

static void test_max_bw(void)
{
	begin_in(BBR_CRUISE);
	round_trip(2 * BW, true); /* more than known counts even so */
	CU_ASSERT_EQUAL(bbr_max_bw(&the_bbr), 2 * BW);
	round_trip(BW, true);
	CU_ASSERT_EQUAL(bbr_max_bw(&the_bbr), 2 * BW);
	for (unsigned i = 0; i < 2; i++) { /* two cycles later it is forgotten */
		CU_ASSERT_EQUAL(bbr_max_bw(&the_bbr), 2 * BW);
		the_bbr.is_probe_stopping = true;
		round_trip(BW, false);
		round_trip(BW, false);
	}
	CU_ASSERT_EQUAL(bbr_max_bw(&the_bbr), BW);
}

/* 5.5.10.3 */
static void test_shortterm(void)
{
	begin_in(BBR_CRUISE);
	bbr_lost(&r, SMSS);
	sample(BW / 2, false);
	r.rs.delivered = BDP / 2;
	r.rs.prior = the_bbr.rate.delivered;
	bbr_update_latest(&r);
	bbr_advance_latest(&r);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BW * 7 / 10);
	CU_ASSERT_EQUAL(the_bbr.inflight_shortterm, 2 * BDP * 7 / 10);
	CU_ASSERT_EQUAL(the_bbr.bw, BW * 7 / 10);
	bbr_lost(&r, SMSS);
	sample(BW * 6 / 10, false);
	r.rs.prior = the_bbr.rate.delivered;
	bbr_update_latest(&r);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BW * 6 / 10); /* what is delivered is a floor */
}

static void test_shortterm_not_probing(void)
{
	begin_in(BBR_REFILL);
	bbr_lost(&r, SMSS);
	sample(BW / 2, false);
	r.rs.prior = the_bbr.rate.delivered;
	bbr_update_latest(&r);
	CU_ASSERT_EQUAL(the_bbr.bw_shortterm, BBR_BW_INF);
}

static void test_min_rtt(void)
{
	begin();
	rtt(START + 1000, RTT - 1);
	CU_ASSERT_EQUAL(the_bbr.min_rtt_us, RTT - 1);
	rtt(START + 5000000, RTT + 5);
	CU_ASSERT(!the_bbr.probe_rtt_expired);
	CU_ASSERT_EQUAL(the_bbr.min_rtt_us, RTT - 1);
	rtt(START + 5001001, RTT + 5); /* ProbeRTTInterval of 5 s */
	CU_ASSERT(the_bbr.probe_rtt_expired);
	CU_ASSERT_EQUAL(the_bbr.probe_rtt_min_us, RTT + 5);
	CU_ASSERT_EQUAL(the_bbr.min_rtt_us, RTT - 1);
	rtt(START + 10001001, RTT + 9); /* MinRTTFilterLen of 10 s */
	CU_ASSERT_EQUAL(the_bbr.min_rtt_us, RTT + 5);
}

static void test_probe_rtt(void)
{
	begin_in(BBR_CRUISE);
	r.inflight = BDP;
	rtt(START + 5000001, RTT);
	bbr_check_probe_rtt(&r);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_PROBE_RTT);
	CU_ASSERT(!the_bbr.probe_rtt_timed);
	CU_ASSERT(the_bbr.rate.limited); /* these samples are no measure of the path */
	r.inflight = BDP / 2;
	rtt(START + 5100000, RTT);
	bbr_check_probe_rtt(&r);
	CU_ASSERT(the_bbr.probe_rtt_timed);
	the_bbr.round_start = true;
	rtt(START + 5300000, RTT);
	bbr_check_probe_rtt(&r);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_PROBE_RTT); /* ProbeRTTDuration of 200 ms */
	t.cwnd = BDP / 2;
	rtt(START + 5300001, RTT);
	bbr_check_probe_rtt(&r);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_CRUISE);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP);
}

static void test_probe_rtt_after_idle(void)
{
	begin_in(BBR_CRUISE);
	the_bbr.idle_restart = true; /* idleness has drained the queue */
	rtt(START + 6000000, RTT);
	bbr_check_probe_rtt(&r);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_CRUISE);
	CU_ASSERT(!the_bbr.idle_restart);
}

/* ---- control ---- */

static void ack(uint32_t bytes)
{
	const struct cc_ack a = {
	    .acked = bytes, .delivered = bytes, .now_us = r.now_us, .inflight = r.inflight};

	cc_of(&t)->on_model(&t, &q, &a);
}

static void test_cwnd(void)
{
	begin_in(BBR_CRUISE);
	t.cwnd = BDP;
	ack(SMSS);
	CU_ASSERT_EQUAL(t.cwnd, BDP + SMSS);
	t.cwnd = 3 * BDP; /* max_inflight: 2 BDP and extra_acked */
	ack(SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP + 2 * SMSS);
	the_bbr.inflight_longterm = BDP;
	ack(SMSS);
	CU_ASSERT_EQUAL(t.cwnd, BDP * 85 / 100); /* headroom in CRUISE */
	the_bbr.state = BBR_DOWN;
	r.inflight = 2 * BDP;
	t.cwnd = 2 * BDP;
	ack(SMSS);
	CU_ASSERT_EQUAL(t.cwnd, BDP);
	the_bbr.inflight_shortterm = 0;
	ack(SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 4 * SMSS); /* MinPipeCwnd */
}

static void test_pacing(void)
{
	begin_in(BBR_CRUISE);
	ack(SMSS);
	CU_ASSERT_EQUAL(cc_of(&t)->pacing_rate(&t, &q), BW * 99 / 100);
	the_bbr.state = BBR_DOWN;
	r.inflight = 2 * BDP;
	ack(SMSS);
	CU_ASSERT_EQUAL(cc_of(&t)->pacing_rate(&t, &q), BW * 9 / 10 * 99 / 100);
	CU_ASSERT_EQUAL(q.pace.rate, BW * 9 / 10 * 99 / 100);
	begin(); /* in Startup it only grows */
	the_bbr.pacing_rate = 2 * BW;
	the_bbr.max_bw[0] = BW / 10;
	ack(SMSS);
	CU_ASSERT_EQUAL(cc_of(&t)->pacing_rate(&t, &q), 2 * BW);
}

static void test_idle(void)
{
	const struct cc_turn turn = {.now_us = START, .rng = &rng, .slots = &slots};

	begin_in(BBR_UP);
	cc_of(&t)->on_start(&t, &q, &turn);
	CU_ASSERT(the_bbr.idle_restart && the_bbr.rate.limited);
	CU_ASSERT_EQUAL(cc_of(&t)->pacing_rate(&t, &q), BW * 99 / 100);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP);
}

static void test_timeout(void)
{
	begin_in(BBR_CRUISE);
	cc_of(&t)->on_timeout(&t, &q, BDP);
	CU_ASSERT_EQUAL(t.cwnd, SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, UINT32_MAX);
	cc_of(&t)->on_recovered(&t, &q);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP);
	cc_of(&t)->on_timeout(&t, NULL, BDP);
	CU_ASSERT_EQUAL(t.cwnd, SMSS);
}

static void test_fast_recovery(void)
{
	begin_in(BBR_CRUISE);
	q.recovery = TCP_R_RECOVERY;
	cc_of(&t)->on_loss(&t, &q, BDP);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP); /* it is the model that answers */
	t.cwnd = BDP;
	cc_of(&t)->on_recovered(&t, &q);
	CU_ASSERT_EQUAL(t.cwnd, 2 * BDP);
}

static void test_spurious(void)
{
	probe_and_lose(150, 10);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DOWN);
	cc_of(&t)->on_undo(&t, &q);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_REFILL);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, BBR_INFINITY);
	CU_ASSERT(!the_bbr.is_loss_in_round);
	CU_ASSERT_EQUAL(the_bbr.undo_state, BBR_NONE);
}

/* 3.7: marks MUST be treated as congestion */
static void test_ecn(void)
{
	begin();
	r.inflight = 2 * BDP;
	cc_of(&t)->on_ecn(&t, &q, BDP);
	CU_ASSERT(the_bbr.full_bw_reached);
	CU_ASSERT(the_bbr.is_loss_in_round);
	round_trip(BW, false);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DRAIN);
	begin_in(BBR_UP);
	rate_sent(&the_bbr.rate, START, 120 * SMSS, true);
	q.rack.sent_us = START;
	the_bbr.is_bw_probe_sample = true;
	cc_of(&t)->on_ecn(&t, &q, BDP);
	CU_ASSERT_EQUAL(the_bbr.state, BBR_DOWN);
	CU_ASSERT_EQUAL(the_bbr.inflight_longterm, 120 * SMSS);
}

/* 5.5.9: what comes beyond what the bandwidth explains */
static void test_aggregation(void)
{
	begin_in(BBR_CRUISE);
	the_bbr.extra_acked_start_us = START;
	r.now_us = START + 10000; /* explains ten segments */
	the_bbr.extra_acked_delivered = 10 * SMSS + 1;
	sample(BW, false);
	r.rs.newly_acked = 20 * SMSS;
	bbr_update_latest(&r);
	CU_ASSERT_EQUAL(the_bbr.extra_acked[0], 20 * SMSS + 1);
	CU_ASSERT_EQUAL(bbr_max_inflight(&r, 200), 2 * BDP + 20 * SMSS + 1);
	for (unsigned i = 0; i < 10; i++) {
		r.now_us += RTT;
		round_trip(BW, false);
	}
	CU_ASSERT(the_bbr.extra_acked[0] <= SMSS && the_bbr.extra_acked[1] <= SMSS);
}

static const struct unit_case cases[] = {
    {"draft-ietf-ccwg-bbr 5.2.1, 5.6.2: OnInit, InitPacingRate", test_init},
    {"without a slot it is CUBIC", test_no_slot},
    {"draft-ietf-ccwg-bbr 5.3.1.2: a plateau ends Startup", test_full_bw},
    {"draft-ietf-ccwg-bbr 5.3.1.2: application-limited rounds do not count", test_full_bw_limited},
    {"draft-ietf-ccwg-bbr 5.3.1.3: high loss ends Startup", test_startup_loss},
    {"draft-ietf-ccwg-bbr 5.3.2: Drain", test_drain},
    {"draft-ietf-ccwg-bbr 5.3.3.1: from DOWN to CRUISE", test_cruise},
    {"draft-ietf-ccwg-bbr 5.3.3.8: 2 to 3 s between probes", test_probe_time},
    {"draft-ietf-ccwg-bbr 5.3.3.8: or 62 to 63 rounds", test_reno_time},
    {"draft-ietf-ccwg-bbr 5.3.3.3, 5.3.3.7: REFILL, UP, DOWN", test_up},
    {"draft-ietf-ccwg-bbr 5.3.3.5: inflight_longterm grows faster and faster", test_slope},
    {"draft-ietf-ccwg-bbr 5.5.10.2: a loss rate of 2 % is too high", test_too_high},
    {"draft-ietf-ccwg-bbr 5.5.10.2: Beta", test_too_high_floor},
    {"draft-ietf-ccwg-bbr 5.3.3.6: precautionary probing", test_precautionary},
    {"draft-ietf-ccwg-bbr 5.5.5: max_bw", test_max_bw},
    {"draft-ietf-ccwg-bbr 5.5.10.3: the short term follows losses", test_shortterm},
    {"draft-ietf-ccwg-bbr 5.5.10.3: but not while probing", test_shortterm_not_probing},
    {"draft-ietf-ccwg-bbr 5.3.4.3: min_rtt", test_min_rtt},
    {"draft-ietf-ccwg-bbr 5.3.4: ProbeRTT", test_probe_rtt},
    {"draft-ietf-ccwg-bbr 5.3.4.2: no ProbeRTT after idleness", test_probe_rtt_after_idle},
    {"draft-ietf-ccwg-bbr 5.6.4.6, 5.6.4.7: cwnd", test_cwnd},
    {"draft-ietf-ccwg-bbr 5.6.2: the pacing rate", test_pacing},
    {"draft-ietf-ccwg-bbr 5.4.1: restart from idle", test_idle},
    {"draft-ietf-ccwg-bbr 5.6.4.4: time-out", test_timeout},
    {"draft-ietf-ccwg-bbr 5.6.4.4: fast recovery", test_fast_recovery},
    {"draft-ietf-ccwg-bbr 5.5.11: a loss that was none", test_spurious},
    {"draft-ietf-ccwg-bbr 3.7: marks are congestion", test_ecn},
    {"draft-ietf-ccwg-bbr 5.5.9: extra_acked", test_aggregation},
};

int main(void)
{
	eal_start();
	return unit_run("cc_bbr", cases, sizeof(cases) / sizeof(cases[0]));
}
