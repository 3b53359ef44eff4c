/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORO_CORO_H
#define CORO_CORO_H

/* Coroutines, and what waiting calls are built from: a list to wait in, and a switch. */

#include <percore/coro.h>

#include "coro/stacks.h"
#include "coro/switch.h"
#include "timer/wheel.h"

enum coro_state {
	CORO_FREE,
	CORO_READY,
	CORO_WAITING,
	CORO_ENDED, /* waits to be joined */
};

/** Why a coroutine resumes. */
enum coro_reason {
	CORO_NEWS,
	CORO_TIMEOUT,
	CORO_CANCELLED,
	CORO_CLOSED, /* the socket that it waited for was closed */
};

struct pc_coro {
	struct fiber fiber;
	struct pc_coros *set;
	pc_coro_fn fn;
	void *arg;
	uint64_t timeout_ns;  /* limit of each wait */
	uint64_t deadline_ns; /* end of this wait; valid while the timer is armed */
	struct timer timer;
	uint32_t generation; /* high half of its number */
	uint32_t next;       /* index + 1: in the free list, or in its queue */
	uint32_t wait_next;  /* index + 1: the next waiter for the same socket */
	uint32_t joiner;     /* index + 1: the one waiting for it to end */
	uint32_t events;     /* waited for; then those that occurred */
	int fd;              /* waited for, until it runs again; 0: none */
	int result;
	uint8_t state;
	uint8_t reason;
	bool joinable, cancelled;
};

/** A first-in first-out list of coroutines; indices + 1. */
struct coro_queue {
	uint32_t first, last;
};

struct pc_coros {
	struct pc_stack *st;
	struct fiber host;            /* the thread's own stack, while a coroutine runs */
	uint64_t now_ns;              /* never goes back */
	uint64_t given_ns, behind_ns; /* the caller's clock; how far it was set back in total */
	struct coro_queue ready, yielded;
	uint32_t free; /* index + 1 */
	uint32_t n, alive;
	uint32_t running; /* index + 1 */
	int epoll;
	uint32_t nb_fds;
	uint32_t *waiting; /* per descriptor: index + 1 of the first waiter */
	bool begun, portable, ending;
	struct coro_stacks stacks;
	struct wheel wheel;
	struct pc_coro co[];
};

/** coro_deadline returns when a wait that begins now times out. */
uint64_t coro_deadline(const struct pc_coro *co);

/** coro_suspend lets others run until the coroutine is woken, or until deadline_ns. */
enum coro_reason coro_suspend(struct pc_coro *co, uint64_t deadline_ns);

/** coro_wake makes a waiting coroutine ready; does nothing if it is not waiting. */
void coro_wake(struct pc_coros *cs, struct pc_coro *co, enum coro_reason reason);

/** coro_wake_waiters wakes those that wait for any of the events in mask (EPOLL*) on a socket. */
void coro_wake_waiters(struct pc_coros *cs, int fd, uint32_t mask);

/** coro_wake_closed wakes all that wait for a socket that was closed; those already woken for
 * another reason that have not run yet learn of it, too. */
void coro_wake_closed(struct pc_coros *cs, int fd);

/** coro_leave_list removes a coroutine that has resumed from the list of its socket. */
void coro_leave_list(struct pc_coro *co);

#endif
