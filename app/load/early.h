/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_EARLY_H
#define LOAD_EARLY_H

/*
 * The receiver for connections that may have more than one segment in flight: it keeps out-of-order
 * data, as a complete TCP does, and acknowledges it selectively (RFC 2018, RFC 2883).
 *
 * Bytes are verified when they arrive, so only their range is stored, and only while something
 * before them is missing.  Answers of a single segment, and slow readers, do without this receiver.
 */

#include "tcp.h"

struct receiver {
	uint32_t told;   /* the last acknowledgement sent to the server */
	uint32_t fin;    /* the end of the stream, if has_fin: a FIN has arrived out of order */
	uint16_t ranges; /* out-of-order data; 0: nothing is missing */
	bool owes;       /* it is in the list of connections that owe an acknowledgement */
	bool has_fin;
};

/** early_start makes the receivers if this load needs them. Returns 0, or -1 with a line in why. */
int early_start(struct load *l, char *why, size_t why_len);

/** early_forget drops the out-of-order data of connection i. */
void early_forget(struct load *l, uint32_t i);

/** early_keep handles a segment that begins after rcv. */
void early_keep(struct load *l, struct client *c, uint32_t i, const struct segment *s);

/** early_repeated acknowledges a segment that contains nothing new. */
void early_repeated(struct load *l, struct client *c, uint32_t i, const struct segment *s);

/**
 * early_join advances rcv over kept data that is now in order. Returns how many answers it
 * completes.
 */
uint32_t early_join(struct load *l, struct client *c, uint32_t i);

/**
 * early_owe acknowledges s, now or once the port has no more frames; rcv was before until s
 * arrived.
 */
void early_owe(struct load *l, struct client *c, uint32_t i, const struct segment *s,
               uint32_t before);

/** early_keeps says whether connection i has such a receiver. */
static inline bool early_keeps(const struct load *l, const struct client *c, uint32_t i)
{
	return l->receivers != NULL && c->state == CLIENT_OPEN && !is_slow(l, i);
}

/** early_ended says whether rcv has reached a FIN that was kept. */
static inline bool early_ended(const struct load *l, const struct client *c, uint32_t i)
{
	return l->receivers[i].has_fin && l->receivers[i].fin == c->rcv;
}

#endif
