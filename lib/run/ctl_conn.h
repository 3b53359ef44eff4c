/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_CONN_H
#define RUN_CTL_CONN_H

/*
 * Connections of the control socket: clients that have connected but not sent a command yet, and
 * answers to clients that may not read them.
 *
 * One thread serves all, so nobody is waited for while others want something: a silent client is
 * served when its command arrives, and one that does not read its answer loses the rest of it after
 * CTL_PATIENCE_MS in total.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define CTL_PATIENCE_MS 5000
#define CTL_GUESTS      16

/** ctl_now_ms tells the time. */
uint64_t ctl_now_ms(void);

/** Who has come. Zeroed: nobody. */
struct ctl_guests {
	unsigned n;
	struct {
		int fd;
		uint64_t since_ms;
	} guest[CTL_GUESTS]; /* who came first is first */
};

/** ctl_guests_add takes a connection in; if there are too many, who came first has to go. */
void ctl_guests_add(struct ctl_guests *g, int fd, uint64_t now_ms);

/** ctl_guests_watch writes what poll() is to look at, and returns how many those are, CTL_GUESTS at most. */
unsigned ctl_guests_watch(const struct ctl_guests *g, struct pollfd *fds);

/** ctl_guests_take takes out one of whom poll() has told something, and returns its connection; -1: there is none. fds is what
 * ctl_guests_watch has written. */
int ctl_guests_take(struct ctl_guests *g, struct pollfd *fds, unsigned n);

/** ctl_guests_expire closes those who have been silent for too long. Returns the milliseconds until there is one; -1: nobody is
 * there. */
int ctl_guests_expire(struct ctl_guests *g, uint64_t now_ms);

/** ctl_guests_close closes all. */
void ctl_guests_close(struct ctl_guests *g);

/** ctl_receive receives a command of at most size bytes and the file that may come with it, or -1. Does not wait. Returns what
 * recvmsg() does. */
ssize_t ctl_receive(int conn, char *text, size_t size, int *file);

/** An answer on its way. */
struct ctl_answer {
	int conn;     /* -1: it is somebody else's now, and gets nothing more of this */
	int wake_fd;  /* can be read when nobody is to be waited for any more */
	int left_ms;  /* of the patience with who reads */
	bool is_lost; /* the rest of it */
};

/** ctl_answer_open returns a stream whose bytes go to a.conn, in packets that any reader has room for; NULL without memory. What
 * is lost is an error of the stream. */
FILE *ctl_answer_open(struct ctl_answer *a);

#endif
