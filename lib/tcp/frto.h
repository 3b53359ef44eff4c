/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_FRTO_H
#define TCP_FRTO_H

/*
 * F-RTO (RFC 5682): was a time-out spurious?
 *
 * It is for connections without timestamps, which tell sooner (RFC 3522).  After a time-out only
 * the oldest segment is retransmitted.  What its acknowledgement leaves open is answered by new
 * data instead of retransmissions: if the next acknowledgement covers data that was sent only once,
 * nothing had been lost.
 */

#include "tcp/tcb.h"

struct loss_ack;

/** Steps of RFC 5682 sections 2.1 and 3.1. */
enum frto_step {
	FRTO_OFF,
	FRTO_FIRST,  /* 2: the acknowledgement of what was sent again is awaited */
	FRTO_SECOND, /* 3: up to two new segments go, then the next acknowledgement decides */
};

/** frto_begin begins with step 1: a time-out has marked everything as lost, SND.NXT being q->recover. */
void frto_begin(const struct tcb *t, struct tcp_queues *q);

/** frto_ack takes an acknowledgement. Returns whether it shows that the time-out was needless. */
bool frto_ack(const struct tcb *t, struct tcp_queues *q, const struct loss_ack *a);

/** frto_holds says whether only new data may be sent now. */
static inline bool frto_holds(const struct tcp_queues *q)
{
	return q->frto == FRTO_SECOND;
}

/** frto_sent ends it if there was nothing new to send, or it could not go. Returns whether it has. */
bool frto_sent(const struct tcb *t, struct tcp_queues *q);

#endif
