/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_MEND_H
#define LOAD_MEND_H

/*
 * The sender of streams to a server that sends SACK: it retransmits only what the server is
 * missing.
 *
 * A gap counts as lost if more than two segments after it have arrived (RFC 6675), and as lost
 * again if more than two that were sent after its retransmission have.  If nothing arrives any
 * more, a timer of two round trips decides (RFC 8985 section 7).  There is no congestion control:
 * the server's window and the port are the only limits.
 */

#include "tcp.h"

struct sender {
	uint64_t heard_at; /* when the server last acknowledged anything new, ns */
	uint64_t timed_at; /* when the timed segment was sent, ns */
	uint32_t timed;    /* its sequence number, if timing */
	uint32_t rtt_ns;   /* smoothed round trip; 0: not known yet */
	uint16_t ranges;   /* what the server has received after una */
	uint8_t tries;     /* consecutive alarms */
	bool timing;
};

/** mend_start makes the senders if this load needs them. Returns 0, or -1 with a line in why. */
int mend_start(struct load *l, char *why, size_t why_len);

/** mend_forget resets the sender of connection i. */
void mend_forget(struct load *l, uint32_t i);

/** mend_sent records that new bytes from seq on have been sent. */
void mend_sent(struct load *l, uint32_t i, uint32_t seq);

/** mend_heard processes an acknowledgement, after una has been set. */
void mend_heard(struct load *l, struct client *c, uint32_t i, const struct segment *s, bool news);

/** mend_timer retransmits what is missing if nothing has been acknowledged for too long. */
void mend_timer(struct load *l, struct client *c, uint32_t i);

#endif
