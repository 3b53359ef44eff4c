/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_PRESSURE_H
#define TCP_PRESSURE_H

/* What TCP gives back when mbufs run out. */

#include <stdbool.h>
#include <stdint.h>

struct tcb;
struct tcp;

/**
 * pressure_relieve is called in each turn: while mbufs are scarce it looks at some of the connections that
 * hold any. First it takes away what came out of order, which a receiver may forget though it was
 * acknowledged selectively (RFC 2018 section 8). If that was not enough, those go whose peers have kept
 * their windows closed for tcp.stalled_ms, and when connections are refused for it those whose peers have acknowledged nothing
 * for so long.
 */
void pressure_relieve(struct tcp *tcp);

/** pressure_next tells the tick in which it has to be called again. Returns false when nothing is short. */
bool pressure_next(const struct tcp *tcp, uint32_t *tick);

/**
 * pressure_admits says whether n mbufs of data at RCV.NXT are taken while mbufs are low, and counts them then. Whoever has something to
 * read already waits. Those who keep up have what is left, but for what is kept for acknowledgements. Of that the others, whose
 * peers do not read what they have asked for, or do not acknowledge, have a part: two ends that both need the other's
 * acknowledgements to have mbufs again would else refuse each other's data until one gives up.
 */
bool pressure_admits(struct tcp *tcp, const struct tcb *t, uint32_t n);

#endif
