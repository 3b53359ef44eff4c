/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_NULL_HTTP_H
#define LOAD_NULL_HTTP_H

/*
 * HTTP of the server without state, which shows how many requests a perfect server could answer to
 * this generator: every request gets the same response, of 512 bytes and the fields that
 * percore-httpd sends, from memory that is in the cache.
 *
 * A connection's requests are all as long as the first one in a segment, and no segment ends within
 * one.  So where our next byte belongs follows from where the request is, counted from the SYN; that
 * is all that is remembered of a connection.
 */

#include "null_reply.h"

#define NULL_HTTP_CONNS 65536u /* at a time; a newer one takes the place of an older one */
#define NULL_HTTP_RUN   16u    /* responses sent together */
#define NULL_HTTP_MAX   1024u  /* bytes of a response */

struct null_http {
	uint32_t len;                                     /* of a response */
	uint32_t sums[NULL_HTTP_RUN * NULL_HTTP_MAX + 1]; /* of prefixes, as in stream.h */
	uint8_t bytes[NULL_HTTP_RUN * NULL_HTTP_MAX];     /* the response, again and again */
	uint32_t base[NULL_HTTP_CONNS];                   /* sequence number of the first byte */
};

/** null_http_init makes the response. */
void null_http_init(struct null_http *h);

/** null_http_input handles a segment for the server. Returns whether it wants no other answer. */
bool null_http_input(struct load *l, struct null_http *h, const struct null_view *v);

#endif
