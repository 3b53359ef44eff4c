/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_CONN_H
#define RUN_CTL_CONN_H

/*
 * Connections of the control socket: clients that have connected but not sent a command yet, and
 * answers to clients that may not read them.
 *
 * One thread serves all clients, so none may hold up the others: a silent client is served when its
 * command arrives, and one that does not read its answer loses the rest of it after CTL_PATIENCE_MS
 * in total.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CTL_PATIENCE_MS 5000
#define CTL_GUESTS      16

/** ctl_now_ms returns the time of a monotonic clock. */
uint64_t ctl_now_ms(void);

/** Clients that have not sent a command yet. Zeroed: none. */
struct ctl_guests {
	unsigned n;
	struct {
		int fd;
		uint64_t since_ms;
	} guest[CTL_GUESTS]; /* the oldest first */
};

/** ctl_guests_add adds a connection; if there are too many, the oldest is closed. */
void ctl_guests_add(struct ctl_guests *g, int fd, uint64_t now_ms);

/** ctl_guests_watch fills in fds for poll(), and returns how many it has filled in, at most
 * CTL_GUESTS. */
unsigned ctl_guests_watch(const struct ctl_guests *g, struct pollfd *fds);

/** ctl_guests_take removes one guest for which poll() has reported an event, and returns its
 * connection; -1: there is none. fds is what ctl_guests_watch has filled in. */
int ctl_guests_take(struct ctl_guests *g, struct pollfd *fds, unsigned n);

/** ctl_guests_expire closes guests that have been silent for too long. Returns the milliseconds
 * until the next one expires; -1: there is none. */
int ctl_guests_expire(struct ctl_guests *g, uint64_t now_ms);

/** ctl_guests_close closes all. */
void ctl_guests_close(struct ctl_guests *g);

/** ctl_receive receives a command of at most size bytes, and in *file the descriptor passed with
 * it, or -1. Does not wait. Returns what recvmsg() does. */
ssize_t ctl_receive(int conn, char *text, size_t size, int *file);

/** An answer being sent. */
struct ctl_answer {
	int conn;     /* -1: it has another owner now, and gets no more of this answer */
	int wake_fd;  /* becomes readable when clients must not be waited for any more */
	int left_ms;  /* how much longer to wait for the client, in total */
	bool is_lost; /* the rest of the answer is lost */
};

/** ctl_answer_open returns a stream whose bytes go to a->conn, in packets that any client has room
 * for; NULL: no memory. A loss is an error of the stream. */
FILE *ctl_answer_open(struct ctl_answer *a);

#endif
