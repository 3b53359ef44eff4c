/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_PRESSURE_H
#define TCP_PRESSURE_H

/* What TCP frees when mbufs run out. */

#include <stdbool.h>
#include <stdint.h>

struct tcb;
struct tcp;

/**
 * pressure_relieve is called in each turn: while mbufs are scarce it looks at some of the
 * connections that hold any. It first frees out-of-order data, which a receiver may discard even
 * though it was SACKed (RFC 2018 section 8). If that is not enough, it resets connections whose
 * peers have kept their windows closed for tcp.stalled_ms and, if connections are being refused,
 * those whose peers have acknowledged nothing for that long.
 */
void pressure_relieve(struct tcp *tcp);

/** pressure_next sets *tick to when pressure_relieve must be called again. Returns false if it need
 * not be. */
bool pressure_next(const struct tcp *tcp, uint32_t *tick);

/**
 * pressure_is_full says whether a connection gets no more data because mbufs are short and its
 * application has left more than a buffer's share unread, though it may have been promised more
 * while there were enough.
 */
bool pressure_is_full(const struct tcp *tcp, const struct tcb *t);

/**
 * pressure_admits says whether n mbufs of data from RCV.NXT to end are accepted while mbufs are
 * low, and if so counts them. A connection with unread data has to wait. Connections that keep up
 * may take what is left, except what is kept to send with and for acknowledgements (ctx_may_keep).
 * A few others, whose peers do not read what they have asked for, or do not acknowledge, may take a
 * part of that: otherwise two ends that each need the other's acknowledgements to free mbufs would
 * refuse each other's data until one gives up.
 */
bool pressure_admits(struct tcp *tcp, const struct tcb *t, uint32_t n, uint32_t end);

#endif
