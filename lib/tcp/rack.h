/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RACK_H
#define TCP_RACK_H

/*
 * RACK (RFC 8985 section 6): a segment is lost if one that was sent later has been delivered, and
 * the reordering window has passed since then.  Times are in us modulo 2^32.
 */

#include <stdbool.h>
#include <stdint.h>

struct pkt;
struct tcb;
struct tcp_queues;

/** RACK's memory of a connection; zeroed: nothing delivered yet. */
struct rack {
	uint32_t min_rtt_us; /* smallest round trip of late */
	uint32_t min_ms;     /* when that was measured */
	uint8_t mult;        /* RACK.reo_wnd_mult, from 1 on */
	uint8_t persist;     /* recoveries until it falls back to 1 */
	uint8_t late;   /* of the acknowledgement at hand: most segments that one was late by */
	bool valid : 1; /* something was delivered */
	bool reordering : 1; /* RACK.reordering_seen */
	bool in_round : 1;   /* round_end counts */
	bool in_parts : 1;   /* of what is under way a part has been acknowledged (tcp_loss_most) */
	bool has_echo : 1;   /* echo_us counts */
	/* an acknowledgement of all that is under way ends here */
	uint32_t sent_us;   /* RACK.xmit_ts: of the segment sent last among those delivered */
	uint32_t end;       /* RACK.end_seq: its end */
	uint32_t rtt_us;    /* RACK.rtt: its round trip */
	uint32_t fack;      /* RACK.fack: highest end delivered */
	uint32_t fack_was;  /* ... before the acknowledgement at hand */
	uint32_t round_end; /* SND.NXT at the last DSACK: one widening per round trip */
	uint32_t
	    echo_us; /* of the acknowledgement at hand: what was sent since has not caused it */
};

/** rack_begin begins an acknowledgement: what one reports together says nothing about the order in which
 * it came. snd_una is SND.UNA before it. */
static inline void rack_begin(struct rack *r, uint32_t snd_una)
{
	r->fack_was = r->valid ? r->fack : snd_una;
	r->late = 0;
	r->has_echo = false;
}

/** rack_echo tells that the acknowledgement echoes our timestamp of this ms (step 2, condition 1). */
static inline void rack_echo(struct rack *r, uint32_t ms)
{
	r->echo_us = (ms + 1) * 1000;
	r->has_echo = true;
}

/** rack_deliver takes note of a segment that is now delivered (steps 1 to 3). */
void rack_deliver(struct rack *r, const struct pkt *note, uint32_t now_us);

#define RACK_MIN_RTT_MS 300000

/** rack_min_rtt takes a round trip into the running minimum of about five minutes. */
static inline void rack_min_rtt(struct rack *r, uint32_t rtt_us, uint32_t now_ms)
{
	if (r->min_rtt_us == 0 || rtt_us <= r->min_rtt_us || now_ms - r->min_ms > RACK_MIN_RTT_MS) {
		r->min_rtt_us = rtt_us > 0 ? rtt_us : 1;
		r->min_ms = now_ms;
	}
}

/** rack_dsack widens the reordering window: a retransmission was needless (step 4). */
void rack_dsack(struct rack *r, uint32_t snd_una, uint32_t snd_nxt);

/** rack_recovered narrows it again after so many recoveries without a DSACK. */
void rack_recovered(struct rack *r);

/** rack_detect marks what is lost (step 5). Returns in how many us it wants to look again; 0: not. Adds to *looks how many
 * segments it has looked at. */
uint32_t rack_detect(struct tcp_queues *q, const struct tcb *t, uint32_t now_us, uint64_t *looks);

#endif
