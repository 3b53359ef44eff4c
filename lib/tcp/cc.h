/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_CC_H
#define TCP_CC_H

/*
 * Congestion control: a const struct of functions that set cwnd and ssthresh, in bytes.  What is
 * lost and what is sent is decided elsewhere.  An algorithm's own state is q->cc_state; it sets
 * q->keep when that is worth keeping while the connection is idle.
 */

#include <stdint.h>

#include "tcp/tcb.h"

/** What an acknowledgement means to the congestion control. */
struct cc_ack {
	uint32_t acked;  /* bytes newly acknowledged */
	uint32_t flight; /* bytes under way before that */
	uint32_t rtt_us; /* round trip that it measured; 0: none */
	uint32_t now_us; /* modulo 2^32 */
};

struct cc_ops {
	const char *name;
	/** New data was acknowledged outside fast recovery. */
	void (*on_ack)(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a);
	/** Loss was detected by acknowledgements: sets ssthresh, and cwnd to it. */
	void (*on_loss)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** The first time-out of a segment: sets ssthresh, and cwnd to one segment. */
	void (*on_timeout)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** The loss was none; cwnd and ssthresh have been restored. May be NULL. */
	void (*on_undo)(struct tcb *t, struct tcp_queues *q);
};

extern const struct cc_ops cc_newreno;

/** cc_of returns a connection's algorithm. */
static inline const struct cc_ops *cc_of(const struct tcb *t)
{
	(void)t;
	return &cc_newreno;
}

/** cc_is_limited says whether cwnd, and not the application, is what limits the connection (RFC 7661):
 * in slow start half of it must be in use, later nearly all. */
static inline bool cc_is_limited(const struct tcb *t, uint32_t flight)
{
	if (t->cwnd < t->ssthresh)
		return t->cwnd < 2 * flight;
	return flight + t->mss > t->cwnd || flight >= t->cwnd / 2;
}

#endif
