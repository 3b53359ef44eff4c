/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RATE_H
#define TCP_RATE_H

/*
 * The delivery rate of a connection (draft-ietf-ccwg-bbr section 4.1).
 *
 * The draft stores in each packet how much had been delivered when it was sent.  Here this is
 * stored for points in time: at most RATE_MARKS marks, an eighth of a round trip apart, and a
 * packet belongs to the last mark before it was sent.  Each sample is as exact as the draft's, over
 * an interval that is longer by up to an eighth.  Which of the delivered packets was sent last is
 * known from RACK.
 *
 * Bytes are counted modulo 2^32, times are in us modulo 2^32.
 */

#include <stdbool.h>
#include <stdint.h>

struct rack;

#define RATE_MARKS 16

/** The draft's P.*, for the packets sent since a mark. */
struct rate_mark {
	uint32_t at_us;        /* packets sent from then on belong to it */
	uint32_t delivered;    /* P.delivered */
	uint32_t delivered_us; /* P.delivered_time */
	uint32_t first_us;     /* P.first_send_time */
	uint32_t lost;         /* P.lost */
	uint32_t inflight;     /* P.tx_in_flight, of the packet with the most */
	bool limited;          /* P.is_app_limited */
};

/** The sampler of a connection; all zero: nothing was sent yet. */
struct rate {
	struct rate_mark mark[RATE_MARKS]; /* a ring */
	uint32_t delivered;                /* C.delivered */
	uint32_t delivered_us;             /* C.delivered_time */
	uint32_t first_us;                 /* C.first_send_time */
	uint32_t lost;                     /* C.lost */
	uint32_t limited_end;              /* C.app_limited, if limited */
	uint32_t newest_us, newest_end;    /* RACK's newest at the last sample */
	uint8_t n, newest;                 /* marks in the ring, and the index of the last */
	bool limited;                      /* C.app_limited is not 0 */
	bool full;                         /* marks were overwritten */
};

/** A rate sample: RS. */
struct rate_sample {
	uint64_t bps;          /* RS.delivery_rate, bytes/s; 0: none that is reliable */
	uint32_t newly_acked;  /* RS.newly_acked */
	uint32_t delivered;    /* RS.delivered */
	uint32_t prior;        /* RS.prior_delivered */
	uint32_t interval_us;  /* RS.interval */
	uint32_t rtt_us;       /* RS.rtt */
	uint32_t tx_in_flight; /* RS.tx_in_flight */
	uint32_t lost;         /* RS.lost: C.lost - P.lost */
	bool valid;            /* RS.has_data: the members above are set (newly_acked always is) */
	bool limited;          /* RS.is_app_limited */
};

/** rate_sent notes that data was sent, with inflight bytes in flight afterwards; idle: nothing was
 * in flight before (OnPacketSent). */
void rate_sent(struct rate *r, uint32_t now_us, uint32_t inflight, bool idle);

/** rate_ack handles an acknowledgement that delivered this many bytes, and fills in the sample.
 * Newly lost bytes must have been added to C.lost before. */
void rate_ack(struct rate *r, const struct rack *rack, uint32_t delivered, uint32_t now_us,
              uint32_t srtt_us, struct rate_sample *rs);

/** rate_limit says that the application is the limit (MarkConnectionAppLimited). */
void rate_limit(struct rate *r, uint32_t inflight);

/** rate_find returns the mark of a packet sent at sent_us, or NULL. */
const struct rate_mark *rate_find(const struct rate *r, uint32_t sent_us);

#endif
