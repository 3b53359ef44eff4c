/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of epoll in each other, level- and edge-triggered, waited for by epoll, poll and select, alone and by several
 * threads: who is woken, and what it is told.
 */
#include "live.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buf[4096];

static int add(struct live *l, int ep, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	return l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

/* ---- every way to be in each other -------------------------------------------------------------- */

#define MOST_DEPTH 3

/* A chain of sets: ep[0] has the sockets, each next one the one before. */
struct chain {
	int depth, sockets;
	uint32_t modes; /* bit d: ep[d]'s item is edge-triggered */
	int ep[MOST_DEPTH];
	int fd[2][2];
};

static void make_chain(struct live *l, struct chain *c)
{
	for (int i = 0; i < c->sockets; i++)
		live_pair(l, c->fd[i]);
	for (int d = 0; d < c->depth; d++) {
		const uint32_t events = EPOLLIN | (c->modes >> d & 1 ? EPOLLET : 0u);

		c->ep[d] = l->c->epoll_create1(0);
		for (int i = 0; d == 0 && i < c->sockets; i++)
			live_log(l, "add", add(l, c->ep[0], c->fd[i][NEAR], events));
		if (d > 0)
			live_log(l, "add a set", add(l, c->ep[d], c->ep[d - 1], events));
	}
}

static void end_chain(struct live *l, struct chain *c)
{
	for (int i = 0; i < c->sockets; i++) {
		l->bed.call->close(&l->bed, FAR, c->fd[i][FAR]);
		l->c->close(c->fd[i][NEAR]);
	}
	for (int d = c->depth; d-- > 0;)
		l->c->close(c->ep[d]);
}

/* What every set of the chain says, the outermost first, or last; events are counted, for their order is not told. */
static void ask(struct live *l, const struct chain *c, bool inner_first, int max)
{
	for (int k = 0; k < c->depth; k++) {
		const int d = inner_first ? k : c->depth - 1 - k;
		struct epoll_event e[4];
		struct pollfd p = {.fd = c->ep[d], .events = POLLIN};
		int n;

		bed_log(&l->bed, " poll %d", l->c->poll(&p, 1, 0));
		n = l->c->epoll_wait(c->ep[d], e, max, 0);
		bed_log(&l->bed, " wait %d", n);
		for (int i = 0; i < n; i++)
			bed_log_events(&l->bed, e[i].events);
	}
	bed_log(&l->bed, "\n");
}

static void send_to(struct live *l, const struct chain *c, int i)
{
	live_far_send(l, c->fd[i][FAR], 4);
	live_sleep(2);
}

static void try_chain(struct live *l, struct chain *c, bool inner_first)
{
	bed_log(&l->bed, "depth %d, sockets %d, modes %x, %d\n", c->depth, c->sockets, c->modes,
	        inner_first);
	make_chain(l, c);
	ask(l, c, inner_first, 4);
	send_to(l, c, 0);
	ask(l, c, inner_first, 4);
	ask(l, c, inner_first, 4);
	send_to(l, c, c->sockets - 1);
	ask(l, c, inner_first, 1);
	ask(l, c, inner_first, 1);
	bed_log(&l->bed, "recv %zd", l->c->recv(c->fd[0][NEAR], buf, sizeof(buf), MSG_DONTWAIT));
	ask(l, c, inner_first, 4);
	send_to(l, c, 0);
	ask(l, c, inner_first, 4);
	end_chain(l, c);
}

static void chains(struct live *l, int sockets, bool inner_first)
{
	for (int depth = 1; depth <= MOST_DEPTH; depth++)
		for (uint32_t modes = 0; modes < 1u << depth; modes++) {
			struct chain c = {.depth = depth, .sockets = sockets, .modes = modes};

			try_chain(l, &c, inner_first);
		}
}

static void one_socket(struct live *l)
{
	chains(l, 1, false);
	chains(l, 1, true);
}

static void two_sockets(struct live *l)
{
	chains(l, 2, false);
	chains(l, 2, true);
}

/* ---- several threads ---------------------------------------------------------------------------- */

#define MOST_WAITERS 3

enum how { BY_EPOLL, BY_POLL, BY_SELECT };

struct waiter {
	struct live *l;
	pthread_t thread;
	enum how how;
	int ep;
	int got;
};

static void *wait_for_one(void *arg)
{
	struct waiter *w = arg;
	const struct posix_calls *c = w->l->c;
	struct pollfd p = {.fd = w->ep, .events = POLLIN};
	struct timeval tv = {.tv_usec = 40000};
	struct epoll_event e;
	fd_set r;

	switch (w->how) {
	case BY_EPOLL:
		w->got = c->epoll_wait(w->ep, &e, 1, 40);
		break;
	case BY_POLL:
		w->got = c->poll(&p, 1, 40);
		break;
	default:
		FD_ZERO(&r);
		FD_SET(w->ep, &r);
		w->got = c->select(w->ep + 1, &r, NULL, NULL, &tv);
		break;
	}
	return NULL;
}

/* How many of the waiters for a set are told of one event; of those of a level-triggered one all, in the end. */
static void try_waiters(struct live *l, uint32_t modes, int depth, const enum how *how, int n)
{
	struct chain c = {.depth = depth, .sockets = 1, .modes = modes};
	struct waiter w[MOST_WAITERS];
	int told = 0;

	bed_log(&l->bed, "depth %d, modes %x, %d %d %d: ", depth, modes, how[0], how[1], n);
	make_chain(l, &c);
	for (int i = 0; i < n; i++) {
		w[i] = (struct waiter){.l = l, .how = how[i], .ep = c.ep[depth - 1]};
		if (pthread_create(&w[i].thread, NULL, wait_for_one, &w[i]) != 0)
			abort();
	}
	live_sleep(10);
	live_far_send(l, c.fd[0][FAR], 4);
	for (int i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		told += w[i].got > 0;
	}
	bed_log(&l->bed, "told %d\n", told);
	end_chain(l, &c);
}

static void waiters(struct live *l)
{
	static const enum how hows[][MOST_WAITERS] = {
	    {BY_EPOLL, BY_EPOLL, BY_EPOLL},
	    {BY_POLL, BY_POLL, BY_SELECT},
	};

	for (int depth = 1; depth <= 2; depth++)
		for (uint32_t modes = 0; modes < 1u << depth; modes++)
			for (size_t h = 0; h < sizeof(hows) / sizeof(hows[0]); h++)
				try_waiters(l, modes, depth, hows[h], 3);
}

/* ---- the same data for all ---------------------------------------------------------------------- */

static void ask_one_by_one(struct live *l, int ep)
{
	struct epoll_event e;
	int n = 0;

	for (int i = 0; i < 4; i++) {
		if (l->c->epoll_wait(ep, &e, 1, 0) != 1)
			break;
		n++;
		bed_log_events(&l->bed, e.events);
		bed_log(&l->bed, " %d ", (int)e.data.u64);
	}
	bed_log(&l->bed, "%d\n", n);
}

/* Two sets and a pipe are in a third: what is said of one is not taken for another's word. */
static void try_same_data(struct live *l, uint32_t mode)
{
	struct chain c[2] = {{.depth = 1, .sockets = 1}, {.depth = 1, .sockets = 1}};
	struct epoll_event e = {.events = EPOLLIN | mode, .data.u64 = 7};
	const int outer = l->c->epoll_create1(0);
	int p[2];

	if (pipe(p) != 0)
		abort();
	for (int i = 0; i < 2; i++) {
		make_chain(l, &c[i]);
		live_log(l, "add", l->c->epoll_ctl(outer, EPOLL_CTL_ADD, c[i].ep[0], &e));
	}
	live_log(l, "add", l->c->epoll_ctl(outer, EPOLL_CTL_ADD, p[0], &e));
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			live_log(l, "write", write(p[1], "x", 1));
		else
			send_to(l, &c[i], 0);
		ask_one_by_one(l, outer);
	}
	e.data.u64 = 8;
	live_log(l, "other data", l->c->epoll_ctl(outer, EPOLL_CTL_MOD, c[1].ep[0], &e));
	bed_log(&l->bed, "recv %zd", l->c->recv(c[0].fd[0][NEAR], buf, sizeof(buf), MSG_DONTWAIT));
	live_log(l, "read", read(p[0], buf, sizeof(buf)));
	ask_one_by_one(l, outer);
	live_log(l, "out", l->c->epoll_ctl(outer, EPOLL_CTL_DEL, c[1].ep[0], NULL));
	ask_one_by_one(l, outer);
	for (int i = 0; i < 2; i++) {
		end_chain(l, &c[i]);
		close(p[i]);
	}
	l->c->close(outer);
}

static void same_data(struct live *l)
{
	try_same_data(l, 0);
	try_same_data(l, EPOLLET);
	try_same_data(l, EPOLLONESHOT);
}

/* Any data may be the caller's. */
static void any_data(struct live *l)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = 0x7065000000000001};
	const int ep = l->c->epoll_create1(0);
	int p[2];

	if (pipe(p) != 0)
		abort();
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	live_log(l, "write", write(p[1], "x", 1));
	e.data.u64 = 0;
	live_log(l, "wait", l->c->epoll_wait(ep, &e, 1, 100));
	bed_log(&l->bed, "%llx\n", (unsigned long long)e.data.u64);
	close(p[0]);
	close(p[1]);
	l->c->close(ep);
}

/* ---- in a forked child -------------------------------------------------------------------------- */

/* A child waits for a set of its parent's, which closes all that it has of it: by which number of the set, and with what of the
 * kernel's in it. */
struct legacy {
	struct chain chain;
	bool twin;     /* by another number of the outermost set */
	bool has_pipe; /* which is never written to */
	enum how how;
};

static int child_waits(struct live *l, const struct legacy *y, int ep)
{
	const struct chain *c = &y->chain;
	const int inner = c->depth > 1 ? c->ep[c->depth - 2] : c->fd[0][NEAR];
	struct pollfd p = {.fd = ep, .events = POLLIN};
	struct epoll_event e = {.events = 0};

	for (int round = 0; round < 2; round++) {
		if (y->how == BY_POLL && l->c->poll(&p, 1, 3000) != 1)
			return 1 + round;
		if (l->c->epoll_wait(ep, &e, 1, 3000) != 1 || e.data.fd != inner)
			return 3 + round;
		if (l->c->epoll_wait(c->ep[0], &e, 1, 0) != 1 || e.data.fd != c->fd[0][NEAR])
			return 5 + round;
		if (l->c->recv(c->fd[0][NEAR], buf, 4, 0) != 4)
			return 7 + round;
		if (l->c->epoll_wait(ep, &e, 1, 0) != 0)
			return 9 + round;
		if (l->c->write(c->fd[0][NEAR], "x", 1) != 1)
			return 11 + round;
	}
	return 0;
}

static void try_legacy(struct live *l, struct legacy *y)
{
	struct chain *c = &y->chain;
	int p[2], twin, ep, status;
	pid_t pid;

	bed_log(&l->bed, "depth %d, twin %d, pipe %d, %d: ", c->depth, y->twin, y->has_pipe,
	        y->how);
	if (pipe(p) != 0)
		abort();
	make_chain(l, c);
	ep = c->ep[c->depth - 1];
	if (y->has_pipe)
		live_log(l, "pipe", add(l, ep, p[0], EPOLLIN));
	twin = l->c->dup(ep);
	pid = fork();
	if (pid == 0)
		_exit(child_waits(l, y, y->twin ? twin : ep));
	l->c->close(twin);
	for (int d = c->depth; d-- > 0;)
		l->c->close(c->ep[d]);
	l->c->close(c->fd[0][NEAR]);
	for (int round = 0; round < 2; round++) {
		live_sleep(20);
		(void)l->bed.call->sendto(&l->bed, FAR, c->fd[0][FAR], "abcd", 4, 0, NULL, 0);
		bed_log(&l->bed, "far %zu ", live_far_recv(l, c->fd[0][FAR], 1));
	}
	while (waitpid(pid, &status, 0) < 0)
		continue;
	bed_log(&l->bed, "child %d\n", WEXITSTATUS(status));
	l->bed.call->close(&l->bed, FAR, c->fd[0][FAR]);
	close(p[0]);
	close(p[1]);
}

static void forked(struct live *l)
{
	for (int depth = 1; depth <= MOST_DEPTH; depth++)
		for (int k = 0; k < 8; k++) {
			struct legacy y = {.chain = {.depth = depth, .sockets = 1},
			                   .twin = k & 1,
			                   .has_pipe = k & 2,
			                   .how = k & 4 ? BY_POLL : BY_EPOLL};

			try_legacy(l, &y);
		}
}

/* ---- what is refused ---------------------------------------------------------------------------- */

static void loops(struct live *l)
{
	int ep[7];

	for (int i = 0; i < 7; i++)
		ep[i] = l->c->epoll_create1(0);
	live_log(l, "itself", add(l, ep[0], ep[0], EPOLLIN));
	for (int i = 0; i + 1 < 7; i++)
		live_log(l, "a chain", add(l, ep[i + 1], ep[i], EPOLLIN));
	live_log(l, "twice", add(l, ep[1], ep[0], EPOLLIN));
	live_log(l, "a loop", add(l, ep[0], ep[3], EPOLLIN));
	live_log(l, "exclusive", add(l, ep[0], ep[6], EPOLLIN | EPOLLEXCLUSIVE));
	for (int i = 0; i < 7; i++)
		l->c->close(ep[i]);
}

static const struct live_case cases[] = {
    {"sets in each other, one socket", one_socket},
    {"sets in each other, two sockets", two_sockets},
    {"several threads wait", waiters},
    {"the same data for all", same_data},
    {"any data", any_data},
    {"in a forked child", forked},
    {"loops", loops},
};

LIVE_MAIN("posix/nest", cases)
