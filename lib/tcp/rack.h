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

/** RACK's state of a connection; all zero: nothing delivered yet. */
struct rack {
	uint32_t min_rtt_us; /* smallest recent round trip */
	uint32_t min_ms;     /* when that was measured */
	uint8_t mult;        /* RACK.reo_wnd_mult - 1 */
	uint8_t persist;     /* recoveries until mult is reset */
	uint8_t late;        /* of the current ACK: the most segments by which one was late */
	bool valid : 1;      /* something was delivered */
	bool reordering : 1; /* RACK.reordering_seen */
	bool in_round : 1;   /* round_end is valid */
	bool in_parts : 1;   /* part of the data in flight was acknowledged (tcp_loss_most) */
	bool has_echo : 1;   /* echo_us is valid */
	/* an acknowledgement of all data in flight uses nothing below */
	uint32_t sent_us;   /* RACK.xmit_ts: of the delivered segment sent last */
	uint32_t end;       /* RACK.end_seq: its end */
	uint32_t rtt_us;    /* RACK.rtt: its round trip */
	uint32_t fack;      /* RACK.fack: highest end delivered */
	uint32_t fack_was;  /* ... before the current acknowledgement */
	uint32_t round_end; /* SND.NXT at the last DSACK: one widening per round trip */
	uint32_t
	    echo_us; /* of the acknowledgement at hand: what was sent since has not caused it */
};

/** rack_begin begins an acknowledgement: segments that it reports together say nothing about the
 * order of their arrival. snd_una is SND.UNA before it. */
static inline void rack_begin(struct rack *r, uint32_t snd_una)
{
	r->fack_was = r->valid ? r->fack : snd_una;
	r->late = 0;
	r->has_echo = false;
}

/** rack_echo notes that the acknowledgement echoes our timestamp of this ms (step 2, condition
 * 1). */
static inline void rack_echo(struct rack *r, uint32_t ms)
{
	r->echo_us = (ms + 1) * 1000;
	r->has_echo = true;
}

/** rack_echo_is_old says whether what is echoed was sent before the last retransmission of a
 * segment. */
bool rack_echo_is_old(const struct rack *r, const struct pkt *note);

/** rack_deliver notes that a segment was delivered (steps 1 to 3). */
void rack_deliver(struct rack *r, const struct pkt *note, uint32_t now_us);

#define RACK_MIN_RTT_MS 300000

/** rack_min_rtt adds a round trip to the running minimum over about five minutes. */
static inline void rack_min_rtt(struct rack *r, uint32_t rtt_us, uint32_t now_ms)
{
	if (r->min_rtt_us == 0 || rtt_us <= r->min_rtt_us || now_ms - r->min_ms > RACK_MIN_RTT_MS) {
		r->min_rtt_us = rtt_us > 0 ? rtt_us : 1;
		r->min_ms = now_ms;
	}
}

/** rack_dsack widens the reordering window: a retransmission was spurious (step 4). */
void rack_dsack(struct rack *r, uint32_t snd_una, uint32_t snd_nxt);

/** rack_recovered resets it after 16 recoveries without a DSACK. */
void rack_recovered(struct rack *r);

/** rack_detect marks lost segments (step 5). Returns the us after which to call it again; 0: no
 * need. Adds the number of segments looked at to *looks. */
uint32_t rack_detect(struct tcp_queues *q, const struct tcb *t, uint32_t now_us, uint64_t *looks);

#endif
