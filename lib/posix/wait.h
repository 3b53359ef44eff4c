/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POSIX_WAIT_H
#define POSIX_WAIT_H

/* Waiting: what is ready, sleeping until something is, and deadlines. Where the threads of a process
 * drive its stack, one that would sleep runs the stack instead. */

#include "posix/client.h"

/** sock_ready returns what is ready on a socket as EPOLL* bits. With want_out it also asks for a
 * notification of room to write if there is none. */
uint32_t sock_ready(uint32_t sock, bool want_out);

#define WAIT_READ  (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)
#define WAIT_WRITE (EPOLLOUT | EPOLLERR | EPOLLHUP)

/** sock_wait sleeps until one of the events, or until a deadline (ns of now_ns; UINT64_MAX: none).
 * Returns 0, -EAGAIN (the deadline), -EINTR or -ENETDOWN. */
int sock_wait(uint32_t sock, uint32_t events, uint64_t deadline_ns);

/** sock_wait_connected sleeps until a connection attempt is over; like sock_wait. */
int sock_wait_connected(uint32_t sock, uint64_t deadline_ns);

/** sock_wait_change sleeps until a socket's seq differs from seen; like sock_wait. */
int sock_wait_change(uint32_t sock, uint32_t seen, uint64_t deadline_ns);

/** now_ns is the kernel's monotonic clock. */
uint64_t now_ns(void);

/** span_ns converts a time-out, which must not be negative, to ns; UINT64_MAX: centuries, as good
 * as none. */
uint64_t span_ns(const struct timespec *ts);

/** deadline_in returns the deadline ns from now; 0 ns means none, as with SO_RCVTIMEO. */
uint64_t deadline_in(uint64_t ns);

/** time_left returns the ns until a deadline: 0 if it has passed, UINT64_MAX if there is none. */
uint64_t time_left(uint64_t deadline_ns);

#define NAP_NS \
	UINT64_C(200000000) /* between two checks of the connection while no thread watches it */

/** client_check asks the kernel whether the host is still there, and wakes all sleepers if not. */
void client_check(void);

/** client_sleep sleeps on a word of the channel while it equals seen; it may return 0 early, and
 * does so within 200 ms when the host goes. Returns 0, -EINTR or -ETIMEDOUT. For a call on sock
 * that holds nothing but its file, it is a cancellation point; with CHAN_NONE it is not. */
int client_sleep(uint32_t sock, uint32_t *word, uint32_t seen, uint64_t deadline_ns);

/** Between cancel_begin and cancel_end, which surround one system call that sleeps, the thread can
 * be cancelled, as in a blocking call of the C library; handlers (pthread_cleanup_push) release
 * what it holds. */
static inline int cancel_begin(void)
{
	int type;

	(void)pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	return type;
}

static inline void cancel_end(int type)
{
	(void)pthread_setcanceltype(type, &type);
}

/* ---- driving (wait.c) ------------------------------------------------------------------------- */

/** client_drive runs one turn of the stack if the threads of the process drive it. Returns whether
 * they do. */
bool client_drive(void);

/** client_drive_and_sleep runs a turn, and sleeps if there was nothing to do. Returns false at once
 * if another thread is driving: that one wakes sleepers as an lcore wakes its clients. */
bool client_drive_and_sleep(uint64_t deadline_ns);

/** client_drive_or_sleep does the same, but sleeps briefly while another thread is driving. */
void client_drive_or_sleep(uint64_t deadline_ns);

/** CLIENT_PATIENCE_NS limits the sleep of a thread that might not be woken: without an event queue,
 * or while another thread drives. client_soon returns the end of such a sleep, the deadline at the
 * latest. */
#define CLIENT_PATIENCE_NS UINT64_C(1000000)
uint64_t client_soon(uint64_t deadline_ns);

/** client_end closes all sockets of a process that drives and is about to exit, and has the stack
 * send what that takes. */
void client_end(void);

/* ---- signals of a thread that drives (held.c) -------------------------------------------------- */

struct held {
	bool on;
	sigset_t before; /* what the thread had blocked */
	sigset_t open;   /* what is blocked while signals are let through */
};

/** held_begin holds signals back, unless it has done so already; mask: the signals that stay
 * blocked in this call, as in ppoll(), or NULL: those blocked now. held_end undoes it. */
void held_begin(struct held *h, const sigset_t *mask);
void held_end(struct held *h);

/** held_look lets pending signals through. Returns -EINTR if they end the wait, which only those
 * without SA_RESTART do unless always is set; else 0. No lock may be held. */
int held_look(struct held *h, bool always);

#endif
