/* SPDX-License-Identifier: BSD-2-Clause */
#include "bbr_fixture.h"

struct tcb t;
struct tcp_queues q;
struct rng rng;
struct bbr_turn r;
struct bbr the_bbr;

void begin(void)
{
	rng_seed(&rng, 1);
	t = (struct tcb){.mss = SMSS,
	                 .cwnd = 10 * SMSS,
	                 .ssthresh = UINT32_MAX,
	                 .srtt_us = RTT,
	                 .opt = TCB_OPT_SACK,
	                 .cc = CC_BBR};
	q = (struct tcp_queues){0};
	the_bbr = (struct bbr){.inflight_longterm = BBR_INFINITY,
	                       .inflight_shortterm = BBR_INFINITY,
	                       .bw_shortterm = BBR_BW_INF,
	                       .initial_cwnd = 10 * SMSS,
	                       .undo_state = BBR_NONE,
	                       .random = 1,
	                       .min_rtt_us = RTT,
	                       .probe_rtt_min_us = RTT,
	                       .min_rtt_stamp_us = START,
	                       .probe_rtt_stamp_us = START};
	r = (struct bbr_turn){.t = &t, .q = &q, .b = &the_bbr, .now_us = START};
	q.cc_state[0] = (uintptr_t)&the_bbr;
}

void begin_in(enum bbr_state state)
{
	begin();
	the_bbr.full_bw_reached = true;
	the_bbr.state = (uint8_t)state;
	the_bbr.max_bw[0] = the_bbr.bw = BW;
	the_bbr.cycle_stamp_us = START;
	the_bbr.bw_probe_wait_us = 2500000;
	t.cwnd = 2 * BDP;
	r.inflight = BDP;
}

void sample(uint64_t bps, bool limited)
{
	the_bbr.rate.delivered += BDP;
	r.rs = (struct rate_sample){.valid = true,
	                            .bps = bps,
	                            .limited = limited,
	                            .newly_acked = SMSS,
	                            .delivered = BDP,
	                            .prior = the_bbr.rate.delivered - BDP,
	                            .rtt_us = RTT,
	                            .interval_us = RTT,
	                            .tx_in_flight = BDP};
}

void steps(void)
{
	bbr_update_latest(&r);
	bbr_update_state(&r);
	bbr_advance_latest(&r);
}

void round_trip(uint64_t bps, bool limited)
{
	sample(bps, limited);
	steps();
}

void ack_of(uint32_t prior, uint64_t bps)
{
	sample(bps, false);
	the_bbr.rate.delivered -= BDP - SMSS;
	r.rs.prior = prior;
	steps();
}

void ack_within(uint64_t bps)
{
	ack_of(the_bbr.next_round_delivered - 1, bps);
}

void rtt(uint32_t now_us, uint32_t rtt_us)
{
	r.now_us = now_us;
	r.rs = (struct rate_sample){.valid = true, .rtt_us = rtt_us, .delivered = SMSS};
	bbr_update_min_rtt(&r);
}
