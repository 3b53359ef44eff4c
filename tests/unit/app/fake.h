/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_APP_FAKE_H
#define TESTS_UNIT_APP_FAKE_H

/*
 * A stack that is none: the calls of <percore/socket.h> and <percore/epoll.h> that the server uses, on
 * plain byte strings.  A test plays the client: it decides which bytes come, in which pieces, and
 * how much the send buffer takes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/stack.h>

#define FAKE_FDS 64

struct fake_conn {
	bool used, accepted, closed;
	bool aborted;   /* closed with SO_LINGER 0, or with unread input */
	bool shut_wr;   /* the server will send no more */
	bool fin;       /* the client has sent all */
	bool reset;     /* the client has reset */
	uint32_t edges; /* events that were not reported yet */
	bool blocked;   /* a send did not take all */
	int send_errno; /* if not 0, sends fail with it */
	size_t in_len, in_done;
	size_t mark;       /* a receive ends there: the next byte is urgent */
	uint32_t interest; /* of epoll */
	size_t window;     /* bytes that sends still take */
	size_t out_len, acked, sends;
	bool in_epoll, linger_0;
	char *in, *out;
	size_t in_room, out_room;
};

struct pc_stack {
	struct pc_stack_config config;
	struct fake_conn conns[FAKE_FDS]; /* by descriptor */
	int listener;
	int64_t wall;
};

/** fake_init makes a stack that was all zero, or makes one as new; fake_fini frees its memory. */
void fake_init(struct pc_stack *st);
void fake_fini(struct pc_stack *st);

/** A new connection for the server to accept, with an endless window. Returns its descriptor. */
int fake_connect(struct pc_stack *st);

void fake_send(struct pc_stack *st, int fd, const void *p, size_t len);

/** The same; the last of the bytes is urgent. */
void fake_send_urgent(struct pc_stack *st, int fd, const void *p, size_t len);

void fake_fin(struct pc_stack *st, int fd);
void fake_reset(struct pc_stack *st, int fd);

/** The client acknowledges n more bytes, or all that there are; sends take no more for that. */
void fake_acknowledge(struct pc_stack *st, int fd, size_t n);

/** The send buffer takes n more bytes. */
void fake_open_window(struct pc_stack *st, int fd, size_t n);

#endif
