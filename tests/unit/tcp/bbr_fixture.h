/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_TCP_BBR_FIXTURE_H
#define UNIT_TCP_BBR_FIXTURE_H

/*
 * BBR's memory of one connection without a stack, and acknowledgements that it learns from.
 *
 * Each of these delivers what sample() says; time and C.inflight (r.now_us, r.inflight) are the test's.
 */

#include "base/rng.h"
#include "tcp/bbr.h"
#include "tcp/cc_slots.h"

#define SMSS  1000u
#define BW    1000000u /* bytes/s; with RTT the BDP is 100 segments */
#define RTT   100000u
#define BDP   100000u
#define START 1000000u

extern struct tcb t;
extern struct tcp_queues q;
extern struct rng rng;
extern struct bbr_turn r;
extern struct bbr the_bbr;

/** begin makes a connection that knows nothing but a round trip, in Startup. */
void begin(void);

/** begin_in makes one whose pipe has been full, in one of the states of ProbeBW. */
void begin_in(enum bbr_state state);

/** sample fills in that of the last packet of a round trip, which has delivered a BDP: it begins a round. */
void sample(uint64_t bps, bool limited);

/** steps has the model and the state machine learn from the sample. */
void steps(void);

/** round_trip is both. */
void round_trip(uint64_t bps, bool limited);

/** ack_of is an acknowledgement of a segment that was sent when C.delivered was prior. */
void ack_of(uint32_t prior, uint64_t bps);

/** ack_within is one of a segment that was sent before the present round began. */
void ack_within(uint64_t bps);

/** rtt is a sample of the round trip time alone, at now_us. */
void rtt(uint32_t now_us, uint32_t rtt_us);

#endif
