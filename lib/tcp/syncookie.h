/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_SYNCOOKIE_H
#define TCP_SYNCOOKIE_H

/*
 * SYN cookies: a half-open connection that the peer stores for us (RFC 4987 section 3.6).
 *
 * The ISS is that of RFC 6528, M + F(flow, secret), but the clock M only has the high eight bits:
 * they count units of 2^36 ns, about 69 seconds.  The low 24 bits are
 *
 *     23                                      3 2     0
 *    +-----------------------------------------+-------+
 *    | MAC of flow, peer's ISN, time, the rest |  MSS  |
 *    +-----------------------------------------+-------+
 *
 * so that an attacker who sees neither F nor the MAC has to guess 32 bits, of which 16 values are
 * valid at any time.  A cookie is valid in the unit in which it was made and in the next: for 69 to
 * 137 seconds.
 *
 * With timestamps, the other options are kept in the low six bits of our TSval, which the peer
 * returns:
 *
 *       5     4   3       0
 *    +-----+------+--------+
 *    |  0  | SACK | wscale |   wscale 15: not offered
 *    +-----+------+--------+
 *
 * The MAC covers them too.  They make the TSval smaller, by at most 64 ms, so that later ones are
 * never smaller.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "tcp/tcb.h"

/** What a cookie keeps of the peer's offer. */
struct syncookie {
	uint16_t peer_mss; /* rounded down to one of eight */
	uint8_t snd_wscale;
	uint8_t opt; /* TCB_OPT_*; without TCB_OPT_TS there are no others */
};

/** syncookie_unit returns the coarse time of a cookie made now. */
static inline uint32_t syncookie_unit(uint64_t now_ns)
{
	return (uint32_t)(now_ns >> 36);
}

/**
 * syncookie_make returns the ISS that keeps *c; irs is the peer's ISN, f the value of F(flow, secret)
 * of RFC 6528. It sets c to what a later syncookie_read returns.
 */
uint32_t syncookie_make(const struct pc_sip_key *key, uint64_t now_ns, const struct tcp_flow *flow,
                        uint32_t irs, uint32_t f, struct syncookie *c);

/** syncookie_tsval puts the options of c into our current TSval. */
uint32_t syncookie_tsval(uint32_t tsval, const struct syncookie *c);

/**
 * syncookie_read says whether iss is a cookie of ours for this flow and peer's ISN that is not too
 * old, and reads it into *c. has_ts: the segment has timestamps, and tsecr is what it returns of ours.
 */
bool syncookie_read(const struct pc_sip_key *key, uint64_t now_ns, const struct tcp_flow *flow,
                    uint32_t irs, uint32_t f, uint32_t iss, bool has_ts, uint32_t tsecr,
                    struct syncookie *c);

/**
 * syncookie_is_in_time says whether an ISS may be that of a cookie which is not too old, whatever
 * the peer's ISN was. A guess by someone who does not know F passes once in 128 times.
 */
bool syncookie_is_in_time(uint64_t now_ns, uint32_t f, uint32_t iss);

#endif
