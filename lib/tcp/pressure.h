/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_PRESSURE_H
#define TCP_PRESSURE_H

/* What TCP gives back when mbufs run out. */

struct tcp;

/**
 * pressure_relieve is called in each turn: while mbufs are scarce it looks at some of the connections that
 * hold any. First it takes away what came out of order, which a receiver may forget though it was
 * acknowledged selectively (RFC 2018 section 8). If that was not enough, those go whose peers have kept
 * their windows closed for tcp.stalled_ms, and when connections are refused for it those whose peers have acknowledged nothing
 * for so long.
 */
void pressure_relieve(struct tcp *tcp);

#endif
