/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_MEND_H
#define LOAD_MEND_H

/*
 * The sender of streams to a server that sends SACK: it retransmits what is missing there, and only
 * that.
 *
 * A gap is lost if more than two segments after it have arrived (RFC 6675), and lost again if more
 * than two that were sent after its retransmission have.  If nothing arrives any more, a timer of
 * two round trips decides (RFC 8985 section 7).  There is no congestion control: the server's
 * window and the port are the only limits.
 */

#include "tcp.h"

struct sender {
	uint64_t heard_at; /* when the server last said that something had come, ns */
	uint64_t timed_at; /* when the segment that is timed was sent, ns */
	uint32_t timed;    /* its sequence number, if timing */
	uint32_t rtt_ns;   /* smoothed round trip; 0: not known yet */
	uint16_t ranges;   /* what the server has behind una */
	uint8_t tries;     /* alarms in a row */
	bool timing;
};

/** mend_start makes the senders if this load needs them. Returns 0, or -1 with a line in why. */
int mend_start(struct load *l, char *why, size_t why_len);

/** mend_forget drops what is known about connection i. */
void mend_forget(struct load *l, uint32_t i);

/** mend_sent notes that new bytes from seq on have been sent. */
void mend_sent(struct load *l, uint32_t i, uint32_t seq);

/** mend_heard works on an acknowledgement, after una has been set. */
void mend_heard(struct load *l, struct client *c, uint32_t i, const struct segment *s, bool news);

/** mend_timer sends what is missing again if nothing has been heard for long. */
void mend_timer(struct load *l, struct client *c, uint32_t i);

#endif
