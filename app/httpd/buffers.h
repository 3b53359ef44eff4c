/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_BUFFERS_H
#define HTTPD_BUFFERS_H

/*
 * A pool of buffers for connections in the middle of a request or response.
 *
 * Only a connection with an incomplete request, or with a response whose header did not fit into
 * the send buffer, has one.  Buffers in use are linked in order of age, so that the oldest can be
 * evicted when the pool is empty.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_chunked.h"
#include "http_parse.h"

/** How far a body has been read. */
struct body {
	struct http_chunked chunked; /**< HTTP_BODY_CHUNKED */
	uint64_t left;               /**< HTTP_BODY_LENGTH: bytes still to be read */
};

/** A buffer. Number 0 stands for none. */
struct buffer {
	uint32_t next, prev;         /**< by age while in use; else next links the free ones */
	uint32_t owner;              /**< the connection that has it */
	uint32_t len;                /**< bytes in use */
	uint32_t done;               /**< of these, bytes already sent (output) */
	bool in_body;                /**< holds the header of a request whose body is being read */
	struct http_request request; /**< state of parsing the header */
	struct body body;
	char bytes[];
};

struct buffers {
	char *base;
	size_t stride;
	uint32_t n;
	uint32_t free;    /**< the one given back last; 0: none */
	uint32_t touched; /**< the first so many have been in use at some time */
	uint32_t oldest, newest;
	uint32_t capacity; /**< bytes of each */
	uint32_t used;
};

/** buffers_init makes n buffers of capacity bytes. Returns 0 or -ENOMEM. */
int buffers_init(struct buffers *p, uint32_t n, uint32_t capacity);

/** buffers_fini frees the memory. */
void buffers_fini(struct buffers *p);

/** buffers_get returns the buffer with a number, which is not 0. */
static inline struct buffer *buffers_get(const struct buffers *p, uint32_t number)
{
	return (struct buffer *)(void *)(p->base + (number - 1) * p->stride);
}

/** buffers_take returns the number of an empty buffer, or 0 if all are in use. */
uint32_t buffers_take(struct buffers *p, uint32_t owner);

/**
 * buffers_give returns a buffer to the pool. Its contents stay readable until the next
 * buffers_take.
 */
void buffers_give(struct buffers *p, uint32_t number);

#endif
