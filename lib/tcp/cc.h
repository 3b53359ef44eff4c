/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_CC_H
#define TCP_CC_H

/*
 * Congestion control: a const struct of functions that set cwnd and ssthresh, in bytes.  What is
 * lost and what is sent is decided elsewhere.
 */

#include <stdint.h>

#include "tcp/tcb.h"

struct cc_ops {
	const char *name;
	/** New data was acknowledged outside recovery; flight: bytes under way before that. */
	void (*on_ack)(struct tcb *t, struct tcp_queues *q, uint32_t acked, uint32_t flight);
	/** Loss was detected by acknowledgements. */
	void (*on_loss)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** The first time-out of a segment. */
	void (*on_timeout)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
};

extern const struct cc_ops cc_newreno;

/** cc_of returns a connection's algorithm. */
static inline const struct cc_ops *cc_of(const struct tcb *t)
{
	(void)t;
	return &cc_newreno;
}

#endif
