/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_CONTROL_H
#define CHAN_CONTROL_H

/*
 * The protocol between a process and the control thread of a host, on a UNIX socket of type
 * SOCK_SEQPACKET.
 *
 * A connection stands for a process: the host assigns it a slot on hello, and reclaims the slot
 * when the connection hangs up, for whatever reason.  Every request but CONTROL_QUEUE_FREE gets one
 * answer.
 */

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum control_op {
	CONTROL_HELLO = 1,  /* -> value: the slot; descriptor: the segment */
	CONTROL_FORK,       /* -> value: a slot for a child; descriptor: its connection */
	CONTROL_QUEUE,      /* -> value: an event queue; descriptor: its pipe */
	CONTROL_QUEUE_FREE, /* arg: the event queue; no answer */
};

struct control_request {
	uint32_t op, arg;
};

struct control_answer {
	int32_t error; /* 0, or an errno */
	uint32_t value;
};

/** control_address turns a path, or an abstract name that begins with '@', into an address. Returns
 * its length; 0: empty or too long. */
socklen_t control_address(const char *path, struct sockaddr_un *address);

/** control_send sends a message of n bytes, with descriptor fd unless it is negative; it never
 * blocks. Returns 0 or -errno. */
int control_send(int socket, const void *message, uint32_t n, int fd);

/** control_recv receives a message of n bytes; *fd (if not NULL) gets the descriptor that came with
 * it, close-on-exec, or -1. Returns 0, -ECONNRESET at the end, -EBADMSG for a message of another
 * length, or another -errno. */
int control_recv(int socket, void *message, uint32_t n, int *fd);

#endif
