/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_CONN_H
#define HTTPD_CONN_H

/*
 * A connection.
 *
 * OPEN waits for a request, or for the rest of one (then it has a buffer).  SENDING has a response
 * that did not fit into the send buffer; it reads nothing until the response is sent.  LINGERING
 * has sent everything and waits for the client to receive it (RFC 9112 section 9.6).
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "timeouts.h"

struct file;
struct server;

enum conn_state { CONN_FREE, CONN_OPEN, CONN_SENDING, CONN_LINGERING };

enum conn_flag {
	CONN_UNREAD = 1,    /**< there may be input to receive */
	CONN_PEER_SHUT = 2, /**< the client will send no more */
	CONN_CLOSE = 4,     /**< close after the current response */
	CONN_LINGER = 8,    /**< linger before closing, until the client has received it */
	CONN_AGAIN = 16,    /**< is on the list for the next turn; outlives the connection */
	CONN_URGENT = 32,   /**< the input contains an urgent byte, before which a receive stops */
};

/** All the memory that an idle connection takes here; indexed by descriptor. */
struct conn {
	struct timeout timeout;
	uint8_t state, flags;
	uint32_t requests; /**< answered so far */
	uint32_t again;    /**< next on the server's list for the next turn */
	uint32_t input;    /**< buffer with an incomplete request; 0: none */
	uint32_t output;   /**< buffer with the rest of a response's head; 0: none */
	/** SENDING: bytes unacknowledged when this http.send_ms began, plus those queued since. */
	uint32_t queued;
	/* SENDING: the part of a file that is still to be sent; the file is held */
	const struct file *file;
	uint64_t off, end;
};

static_assert(sizeof(struct conn) <= 64, "an idle connection costs one cache line");

/** conn_open takes over a connection that was just accepted. */
void conn_open(struct server *s, int fd);

/** conn_event handles what epoll reports. */
void conn_event(struct server *s, int fd, uint32_t events);

/** conn_again goes on with a connection that is on the list for the next turn. */
void conn_again(struct server *s, int fd);

/** conn_expired is called when a connection's deadline has passed. */
void conn_expired(struct server *s, int fd);

/** conn_close closes a connection and frees its resources; queued data is still delivered. */
void conn_close(struct server *s, int fd);

/** conn_is_idle says whether a connection waits for a request of which nothing has arrived. */
bool conn_is_idle(const struct conn *c);

/* ---- between conn.c and conn_input.c --------------------------------------------------------- */

/**
 * conn_consume answers the requests in the len bytes of input at p, which is the server's input or
 * the connection's own buffer, and keeps what is left over. Returns whether the connection is ready
 * for more input.
 */
bool conn_consume(struct server *s, int fd, char *p, size_t len);

/**
 * conn_refuse answers the request in the connection's input buffer with an error status, and ends
 * the connection.
 */
void conn_refuse(struct server *s, int fd, uint16_t status);

/**
 * conn_flush sends the batch. Returns true if all of it was sent and the connection goes on. If
 * only a part was sent, the connection is SENDING and *next is the offset of the first request that
 * has not been answered; otherwise the connection has ended, or is about to.
 */
bool conn_flush(struct server *s, int fd, size_t *next);

/**
 * conn_sent is the part of conn_flush after sending: sent is what the call that was to send the
 * bytes of the batch, which is not empty, has returned, and errno as it was left.
 */
bool conn_sent(struct server *s, int fd, ssize_t sent, size_t *next);

/**
 * conn_take_buffer returns the number of an empty buffer, evicting the oldest if necessary; or 0.
 */
uint32_t conn_take_buffer(struct server *s, int fd);

/** conn_set_timeout gives the connection a deadline, ms from now. */
void conn_set_timeout(struct server *s, int fd, uint64_t ms);

#endif
