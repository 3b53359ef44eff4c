/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_NULL_REPLY_H
#define LOAD_NULL_REPLY_H

/*
 * What the server without state sends that is not its client's own segment: streams and HTTP.  The
 * headers are made from a segment of the client's, and checksums from precomputed sums.
 */

#include "load.h"

/** A received TCP segment. */
struct null_view {
	struct segment in;
	const uint8_t *frame;
	const uint8_t *addresses; /* source, then destination */
	uint32_t address_len;
	uint8_t tcp_at; /* where TCP's header begins in the frame */
	bool ip6;
};

/** The headers of the answers to a client, except lengths, sequence number, flags and checksums. */
struct null_head {
	bool ip6, times;          /* times: TCP's header has timestamps */
	uint8_t tcp_at, len;      /* of the headers */
	uint32_t ip_sum, tcp_sum; /* of their constant words; TCP's with the pseudo header's */
	uint8_t bytes[WIRE6_LEN + WIRE_OPTIONS];
};

/** null_look finds the TCP segment in a frame. Returns false if there is none, or a malformed one. */
bool null_look(struct null_view *v, const struct rte_mbuf *m);

/** null_comes_from says whether a segment comes from the client that a head is for. */
bool null_comes_from(const struct null_view *v, const struct null_head *h);

/** null_head_make makes the headers of answers to a segment that acknowledge up to ack. */
void null_head_make(const struct load *l, struct null_head *h, const struct null_view *v,
                    uint32_t ack, bool times);

/** null_head_note_time has both timestamps be the client's, if a segment has them. */
void null_head_note_time(struct null_head *h, const struct segment *in);

/** null_send sends len bytes of data, whose sum is data_sum. */
void null_send(struct load *l, const struct null_head *h, uint32_t seq, uint8_t flags,
               const uint8_t *data, uint32_t len, uint32_t data_sum);

#endif
