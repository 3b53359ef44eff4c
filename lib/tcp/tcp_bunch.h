/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_BUNCH_H
#define TCP_TCP_BUNCH_H

/*
 * Large segments, for a port that cuts them (TSO).
 *
 * New full segments that may be sent now go out as one packet: a header, and references to their
 * payloads.  Each is counted, marked, timed and retransmitted on its own, because the port cuts at
 * their boundaries.
 */

#include "tcp/tcp.h"

/** New segments of one connection to be sent as one packet. Zeroed: none, and none can be added. */
struct bunch {
	struct rte_mbuf *head; /* NULL: nothing is waiting */
	uint32_t seq;
	uint16_t segs; /* in it */
	uint16_t max;  /* most mbufs in the packet; 0: no bunches here */
	uint8_t flags;
};

/** bunch_init makes an empty bunch; max is 0 unless the connection can use TSO on its port. */
void bunch_init(const struct tcp *tcp, const struct tcb *t, struct bunch *b);

/** bunch_takes says whether a segment that is to be sent now can begin or continue a bunch. */
bool bunch_takes(const struct tcb *t, const struct bunch *b, const struct rte_mbuf *m);

/** bunch_add adds a segment, which then counts as sent. Returns false when mbufs ran out. */
bool bunch_add(struct tcp *tcp, struct tcb *t, struct bunch *b, struct rte_mbuf *m, bool fin);

/** bunch_send sends what is waiting. */
void bunch_send(struct tcp *tcp, struct tcb *t, struct bunch *b);

#endif
