/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is woken: several threads that wait for one set, sets in sets, sets that share a socket (EPOLLEXCLUSIVE), and
 * those who wait for the queue of errors.
 *
 * A waiter is a thread with one call; what all of them have got is logged when the last of them is back.
 */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_WAITERS 4
#define LONG_MS      60 /* until a waiter that nobody wakes gives up */

static char buf[4096];

static int ctl(struct live *l, int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	return l->c->epoll_ctl(ep, op, fd, &e);
}

static void close_both(struct live *l, int fd[2])
{
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* ---- waiters ---------------------------------------------------------------------------------- */

struct waiter {
	struct live *l;
	int fd;
	bool polls; /* by poll(), not epoll_wait() */
	int max;
	int got; /* what the call returned */
	pthread_t thread;
};

static void *run_waiter(void *arg)
{
	struct waiter *w = arg;
	struct epoll_event e[8];
	struct pollfd p = {.fd = w->fd, .events = POLLIN};

	w->got = w->polls ? w->l->c->poll(&p, 1, LONG_MS)
	                  : w->l->c->epoll_wait(w->fd, e, w->max, LONG_MS);
	return NULL;
}

static struct {
	struct waiter w[MOST_WAITERS];
	unsigned n;
} crowd;

static void wait_on(struct live *l, int fd, bool polls, int max)
{
	struct waiter *w = &crowd.w[crowd.n++];

	*w = (struct waiter){.l = l, .fd = fd, .polls = polls, .max = max};
	if (pthread_create(&w->thread, NULL, run_waiter, w) != 0)
		abort();
	live_sleep(3); /* they come one after the other */
}

/* The sum and not each: which of two equal threads is woken is nobody's business. */
static void log_crowd(struct live *l, const char *what)
{
	int sum = 0, woken = 0;

	for (unsigned i = 0; i < crowd.n; i++) {
		pthread_join(crowd.w[i].thread, NULL);
		sum += crowd.w[i].got;
		woken += crowd.w[i].got > 0;
	}
	bed_log(&l->bed, "%s: %d events in %d of %u\n", what, sum, woken, crowd.n);
	crowd.n = 0;
}

static void log_left(struct live *l, const char *what, int ep)
{
	struct epoll_event e[8];

	live_log(l, what, l->c->epoll_wait(ep, e, 8, 0));
	live_log(l, "and again", l->c->epoll_wait(ep, e, 8, 0));
}

/* ---- one set, several threads ----------------------------------------------------------------- */

static void one_set(struct live *l, uint32_t events)
{
	int fd[2], ep = l->c->epoll_create1(0);

	live_pair(l, fd);
	live_log(l, "add", ctl(l, ep, EPOLL_CTL_ADD, fd[NEAR], events, 1));
	wait_on(l, ep, false, 1);
	wait_on(l, ep, false, 1);
	live_far_send(l, fd[FAR], 1);
	log_crowd(l, "two threads");
	log_left(l, "left", ep);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, sizeof(buf), 0));
	if ((events & EPOLLET) ==
	    0) { /* else poll sees the edge or does not, as the other thread takes it */
		wait_on(l, ep, false, 1);
		wait_on(l, ep, true, 1);
		live_far_send(l, fd[FAR], 1);
		log_crowd(l, "one of them by poll");
		log_left(l, "left", ep);
	}
	close_both(l, fd);
	l->c->close(ep);
}

static void one_set_level(struct live *l)
{
	one_set(l, EPOLLIN);
}

static void one_set_edge(struct live *l)
{
	one_set(l, EPOLLIN | EPOLLET);
}

static void one_set_oneshot(struct live *l)
{
	one_set(l, EPOLLIN | EPOLLONESHOT);
}

/* Two sockets of one set, one event at a time: the second is for another thread. */
static void two_sockets(struct live *l, uint32_t events)
{
	int a[2], b[2], ep = l->c->epoll_create1(0);

	live_pair(l, a);
	live_pair(l, b);
	(void)ctl(l, ep, EPOLL_CTL_ADD, a[NEAR], events, 1);
	(void)ctl(l, ep, EPOLL_CTL_ADD, b[NEAR], events, 2);
	for (int i = 0; i < 3; i++)
		wait_on(l, ep, false, 1);
	live_far_send(l, a[FAR], 1);
	live_far_send(l, b[FAR], 1);
	log_crowd(l, "three threads");
	log_left(l, "left", ep);
	close_both(l, a);
	close_both(l, b);
	l->c->close(ep);
}

static void two_sockets_level(struct live *l)
{
	two_sockets(l, EPOLLIN);
}

static void two_sockets_edge(struct live *l)
{
	two_sockets(l, EPOLLIN | EPOLLET);
}

/* A thread that has what it wanted, and stays away, leaves the others awake for what comes later. */
static void one_leaves(struct live *l)
{
	int a[2], b[2], ep = l->c->epoll_create1(0);

	live_pair(l, a);
	live_pair(l, b);
	(void)ctl(l, ep, EPOLL_CTL_ADD, a[NEAR], EPOLLIN | EPOLLET, 1);
	(void)ctl(l, ep, EPOLL_CTL_ADD, b[NEAR], EPOLLIN | EPOLLET, 2);
	wait_on(l, ep, false, 1);
	wait_on(l, ep, false, 1);
	live_far_send(l, a[FAR], 1);
	live_sleep(15);
	live_far_send(l, b[FAR], 1);
	log_crowd(l, "one after the other");
	close_both(l, a);
	close_both(l, b);
	l->c->close(ep);
}

/* ---- sets in sets ----------------------------------------------------------------------------- */

static void nested(struct live *l, uint32_t in, uint32_t out, unsigned waiters)
{
	int fd[2], ep[2] = {l->c->epoll_create1(0), l->c->epoll_create1(0)};

	live_pair(l, fd);
	(void)ctl(l, ep[1], EPOLL_CTL_ADD, fd[NEAR], in, 1);
	(void)ctl(l, ep[0], EPOLL_CTL_ADD, ep[1], out, 2);
	for (unsigned i = 0; i < 3; i++)
		if (waiters >> i & 1)
			wait_on(l, i < 2 ? ep[0] : ep[1], false, 1);
	if (waiters & 8)
		wait_on(l, ep[0], true, 1);
	live_far_send(l, fd[FAR], 1);
	bed_log(&l->bed, "%s %s %x\n", in & EPOLLET ? "edge" : "level",
	        out & EPOLLET ? "edge" : "level", waiters);
	log_crowd(l, "waiters");
	log_left(l, "outer", ep[0]);
	log_left(l, "inner", ep[1]);
	log_left(l, "outer", ep[0]);
	live_far_send(l, fd[FAR], 1);
	live_sleep(3);
	log_left(l, "outer, more bytes", ep[0]);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, sizeof(buf), 0));
	log_left(l, "outer, none", ep[0]);
	close_both(l, fd);
	l->c->close(ep[0]);
	l->c->close(ep[1]);
}

static void nested_one(struct live *l)
{
	for (uint32_t i = 0; i < 4; i++)
		nested(l, EPOLLIN | (i & 1 ? EPOLLET : 0), EPOLLIN | (i & 2 ? EPOLLET : 0), 1);
}

static void nested_two(struct live *l)
{
	for (uint32_t i = 0; i < 4; i++)
		nested(l, EPOLLIN | (i & 1 ? EPOLLET : 0), EPOLLIN | (i & 2 ? EPOLLET : 0), 3);
}

static void nested_polled(struct live *l)
{
	for (uint32_t i = 0; i < 4; i++)
		nested(l, EPOLLIN | (i & 1 ? EPOLLET : 0), EPOLLIN | (i & 2 ? EPOLLET : 0), 8);
}

/* ---- EPOLLEXCLUSIVE --------------------------------------------------------------------------- */

static void exclusive_listener(struct live *l)
{
	int ep[3], far[4], listener;
	struct sockaddr_in a;

	listener = live_listener(l, 10, &a);
	live_log(l, "O_NONBLOCK", l->c->fcntl(listener, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 3; i++) {
		ep[i] = l->c->epoll_create1(0);
		live_log(l, "add",
		         ctl(l, ep[i], EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLEXCLUSIVE, 1));
		wait_on(l, ep[i], false, 1);
	}
	far[0] = live_far_connect(l, &a);
	log_crowd(l, "three that sleep, one connection");
	l->c->close(l->c->accept4(listener, NULL, NULL, 0));
	far[1] = live_far_connect(l, &a);
	live_sleep(10);
	for (int i = 0; i < 3; i++) /* nobody sleeps: all are told */
		live_log(l, "epoll_wait", l->c->epoll_wait(ep[i], &(struct epoll_event){0}, 1, 0));
	l->c->close(l->c->accept4(listener, NULL, NULL, 0));
	live_log(l, "accept", l->c->accept4(listener, NULL, NULL, 0));
	live_log(l, "del", ctl(l, ep[0], EPOLL_CTL_DEL, listener, 0, 0));
	live_log(l, "add", ctl(l, ep[0], EPOLL_CTL_ADD, listener, EPOLLIN, 1));
	for (int i = 0; i < 3; i++)
		wait_on(l, ep[i], false, 1);
	far[2] = live_far_connect(l, &a);
	log_crowd(l, "one of three that is not exclusive");
	l->c->close(l->c->accept4(listener, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		l->c->close(ep[i]);
	l->c->close(listener);
	for (int i = 0; i < 3; i++)
		l->bed.call->close(&l->bed, FAR, far[i]);
}

/* Each of two connections wakes one. */
static void exclusive_two(struct live *l)
{
	int ep[3], far[2], listener;
	struct sockaddr_in a;

	listener = live_listener(l, 10, &a);
	for (int i = 0; i < 3; i++) {
		ep[i] = l->c->epoll_create1(0);
		(void)ctl(l, ep[i], EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLEXCLUSIVE, 1);
		wait_on(l, ep[i], false, 1);
	}
	for (int i = 0; i < 2; i++)
		far[i] = live_far_connect(l, &a);
	log_crowd(l, "three that sleep, two connections");
	for (int i = 0; i < 3; i++)
		l->c->close(ep[i]);
	l->c->close(listener);
	for (int i = 0; i < 2; i++)
		l->bed.call->close(&l->bed, FAR, far[i]);
}

/* A worker of several, which accepts one connection, or is told by a pipe to leave the listener to the others. */
struct worker {
	struct live *l;
	int listener, ep, pipe[2], accepted;
	pthread_t thread;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	bool over = false;

	while (!over) {
		struct epoll_event e[4];
		int n = w->l->c->epoll_wait(w->ep, e, 4, 1000);

		over = n <= 0; /* nobody was told */
		for (int i = 0; i < n; i++) {
			int fd =
			    e[i].data.u64 == 1 ? w->l->c->accept4(w->listener, NULL, NULL, 0) : -1;

			if (fd >= 0)
				w->accepted += w->l->c->close(fd) == 0;
			over = over || fd >= 0 || e[i].data.u64 == 2;
		}
	}
	(void)ctl(w->l, w->ep, EPOLL_CTL_DEL, w->listener, 0, 0);
	return NULL;
}

static void begin_work(struct live *l, struct worker *w, int listener)
{
	*w = (struct worker){.l = l, .listener = listener, .ep = l->c->epoll_create1(0)};
	if (pipe(w->pipe) != 0)
		abort();
	(void)ctl(l, w->ep, EPOLL_CTL_ADD, listener, EPOLLIN | EPOLLEXCLUSIVE, 1);
	(void)ctl(l, w->ep, EPOLL_CTL_ADD, w->pipe[0], EPOLLIN, 2);
	if (pthread_create(&w->thread, NULL, work, w) != 0)
		abort();
}

static void leave(struct live *l, const struct worker *w)
{
	if (l->c->write(w->pipe[1], "x", 1) != 1)
		abort();
}

static void end_work(struct live *l, struct worker *w)
{
	l->c->close(w->ep);
	l->c->close(w->pipe[0]);
	l->c->close(w->pipe[1]);
}

static void spin(unsigned us)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000 + (now.tv_nsec - from.tv_nsec) / 1000 < us);
}

/* One of two leaves while a connection comes, some microseconds before or after it: whoever has been told of it accepts it. */
static void exclusive_leaves(struct live *l)
{
	struct sockaddr_in a;
	int listener = live_listener(l, 10, &a), accepted = 0;

	live_log(l, "O_NONBLOCK", l->c->fcntl(listener, F_SETFL, O_NONBLOCK));
	for (unsigned round = 0; round < 200; round++) {
		struct worker w[2];
		int far;

		begin_work(l, &w[0], listener);
		begin_work(l, &w[1], listener);
		live_sleep(2);
		far = live_far_connect(l, &a);
		spin(round % 60);
		leave(l, &w[round % 2]);
		pthread_join(w[round % 2].thread, NULL);
		if (w[round % 2].accepted > 0)
			leave(l, &w[1 - round % 2]);
		pthread_join(w[1 - round % 2].thread, NULL);
		accepted += w[0].accepted + w[1].accepted;
		end_work(l, &w[0]);
		end_work(l, &w[1]);
		l->bed.call->close(&l->bed, FAR, far);
	}
	bed_log(&l->bed, "accepted %d\n", accepted);
	l->c->close(listener);
}

/* ---- the queue of errors ---------------------------------------------------------------------- */

static ssize_t sent;

static void zero_copy(struct live *l, int fd)
{
	sent = l->c->send(fd, "zero copy", 9, MSG_ZEROCOPY);
}

static void log_errors(struct live *l, int fd)
{
	char control[256];
	struct msghdr m = {.msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t rc = l->c->recvmsg(fd, &m, MSG_ERRQUEUE);

	live_log(l, "MSG_ERRQUEUE", rc);
	bed_log(&l->bed, "flags %x, %zu bytes of messages\n", (unsigned)m.msg_flags,
	        rc < 0 ? 0 : (size_t)m.msg_controllen);
}

static void wait_for_copy(struct live *l, int fd)
{
	struct pollfd p = {.fd = fd};
	int one = 1, ep = l->c->epoll_create1(0);
	socklen_t len = sizeof(one);

	live_log(l, "SO_ZEROCOPY",
	         l->c->setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	live_log(l, "get", l->c->getsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, &len));
	live_log(l, "poll", l->c->poll(&p, 1, 0));
	live_later(l, 10, zero_copy, fd);
	live_log(l, "poll", l->c->poll(&p, 1, 1000));
	live_join();
	live_log(l, "MSG_ZEROCOPY", sent);
	bed_log_events(&l->bed, (uint16_t)p.revents);
	log_errors(l, fd);
	log_errors(l, fd);
	live_log(l, "add", ctl(l, ep, EPOLL_CTL_ADD, fd, EPOLLET, 1));
	live_later(l, 10, zero_copy, fd);
	live_log(l, "epoll_wait", l->c->epoll_wait(ep, &(struct epoll_event){0}, 1, 1000));
	live_join();
	live_log(l, "MSG_ZEROCOPY", sent);
	live_log(l, "without", l->c->send(fd, "no zero copy", 12, 0));
	live_log(l, "empty", l->c->send(fd, "", 0, MSG_ZEROCOPY));
	log_errors(l, fd);
	log_errors(l, fd);
	l->c->close(ep);
}

static void copies_of_stream(struct live *l)
{
	int fd[2];

	live_pair(l, fd);
	wait_for_copy(l, fd[NEAR]);
	close_both(l, fd);
}

static void copies_of_datagrams(struct live *l)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 7777);
	int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0),
	    far = l->bed.call->socket(&l->bed, FAR, AF_INET, SOCK_DGRAM, 0);

	if (l->bed.call->bind(&l->bed, FAR, far, (struct sockaddr *)&a, sizeof(a)) != 0)
		abort();
	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	wait_for_copy(l, fd);
	l->c->close(fd);
	l->bed.call->close(&l->bed, FAR, far);
}

static const struct live_case cases[] = {
    {"one set: level", one_set_level},
    {"one set: edge", one_set_edge},
    {"one set: one-shot", one_set_oneshot},
    {"two sockets: level", two_sockets_level},
    {"two sockets: edge", two_sockets_edge},
    {"one leaves", one_leaves},
    {"nested: one waits", nested_one},
    {"nested: two wait", nested_two},
    {"nested: polled", nested_polled},
    {"exclusive: listener", exclusive_listener},
    {"exclusive: two connections", exclusive_two},
    {"exclusive: one that leaves", exclusive_leaves},
    {"zero copy: stream", copies_of_stream},
    {"zero copy: datagrams", copies_of_datagrams},
};

LIVE_MAIN("posix/wake", cases)
