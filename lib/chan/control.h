/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_CONTROL_H
#define CHAN_CONTROL_H

/*
 * The protocol between a process and the control thread of a host, on a UNIX socket of type
 * SOCK_SEQPACKET.
 *
 * A connection is a process: the host gives it a slot on hello, and takes the slot back when the
 * connection hangs up for whatever reason.  Every request gets one answer.
 */

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum control_op {
	CONTROL_HELLO = 1,  /* -> value: the slot; descriptor: the segment */
	CONTROL_FORK,       /* -> value: a slot for a child; descriptor: its connection */
	CONTROL_QUEUE,      /* -> value: an event queue; descriptor: its pipe */
	CONTROL_QUEUE_FREE, /* arg: the event queue; without an answer */
};

struct control_request {
	uint32_t op, arg;
};

struct control_answer {
	int32_t error; /* 0, or an errno */
	uint32_t value;
};

/** control_address makes a path, or a name that begins with '@', an address. Returns its length; 0: it is
 * empty, or too long. */
socklen_t control_address(const char *path, struct sockaddr_un *address);

/** control_send sends a message of n bytes, with descriptor fd unless it is -1; it never waits. Returns 0 or
 * -errno. */
int control_send(int socket, const void *message, uint32_t n, int fd);

/** control_recv receives one; *fd (if not NULL) gets the descriptor that came along, close-on-exec, or -1.
 * Returns 0, -ECONNRESET at the end, or -errno; -EBADMSG for another length. */
int control_recv(int socket, void *message, uint32_t n, int *fd);

#endif
