/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_FRTO_H
#define TCP_FRTO_H

/*
 * F-RTO (RFC 5682): was a time-out spurious?
 *
 * It is for connections without timestamps, which would show this sooner (RFC 3522).  After a
 * time-out only the oldest segment is retransmitted.  If its acknowledgement does not decide, new
 * data is sent instead of retransmissions: if the next acknowledgement covers data that was sent
 * only once, nothing had been lost.
 */

#include "tcp/tcb.h"

struct loss_ack;

/** Steps of RFC 5682 sections 2.1 and 3.1. */
enum frto_step {
	FRTO_OFF,
	FRTO_FIRST,  /* 2: awaiting the acknowledgement of the retransmission */
	FRTO_SECOND, /* 3: up to two new segments are sent; the next ACK decides */
};

/** frto_begin performs step 1: a time-out has marked everything as lost, and q->recover is
 * SND.NXT. */
void frto_begin(const struct tcb *t, struct tcp_queues *q);

/** frto_ack handles an acknowledgement. Returns whether it shows that the time-out was spurious. */
bool frto_ack(const struct tcb *t, struct tcp_queues *q, const struct loss_ack *a);

/** frto_holds says whether only new data may be sent now. */
static inline bool frto_holds(const struct tcp_queues *q)
{
	return q->frto == FRTO_SECOND;
}

/** frto_sent ends F-RTO if no new data was or could be sent. Returns whether it did. */
bool frto_sent(const struct tcb *t, struct tcp_queues *q);

#endif
