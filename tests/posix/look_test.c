/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that only look: signals that they let through, few places for what there is to tell, and very many descriptors. */
#include "live.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

static char buf[100];

static void close_both(struct live *l, int fd[2])
{
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* ---- signals ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

/* A signal waits, and comes when a call lets it through. */
static void log_let_through(struct live *l, const char *what, long rc)
{
	live_log(l, what, rc);
	bed_log(&l->bed, "handled %d\n", (int)handled);
	pthread_kill(pthread_self(), SIGUSR1);
}

static void look_all_ways(struct live *l, int fd, int ep, const sigset_t *open)
{
	const struct timespec none = {0};
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = -1}};
	struct epoll_event e;
	fd_set set;

	log_let_through(l, "ppoll", l->c->ppoll(p, 1, &none, open));
	log_let_through(l, "ppoll of two", l->c->ppoll(p, 2, &none, open));
	log_let_through(l, "ppoll without a mask", l->c->ppoll(p, 1, &none, NULL));
	FD_ZERO(&set);
	FD_SET(fd, &set);
	log_let_through(l, "pselect", l->c->pselect(fd + 1, &set, NULL, NULL, &none, open));
	bed_log(&l->bed, "its set: %d\n", FD_ISSET(fd, &set) != 0);
	log_let_through(l, "epoll_pwait", l->c->epoll_pwait(ep, &e, 1, 0, open));
	log_let_through(l, "epoll_pwait2", l->c->epoll_pwait2(ep, &e, 1, &none, open));
	p[1] = (struct pollfd){.fd = ep, .events = POLLIN};
	log_let_through(l, "ppoll with a set", l->c->ppoll(p, 2, &none, open));
}

static void let_through(struct live *l)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct epoll_event e = {.events = EPOLLIN};
	int fd[2], ep = l->c->epoll_create1(0);
	sigset_t blocked, open;

	live_pair(l, fd);
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, fd[NEAR], &e));
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&open);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	handled = 0;
	pthread_kill(pthread_self(), SIGUSR1);
	look_all_ways(l, fd[NEAR], ep, &open);
	live_far_send(l, fd[FAR], 1);
	live_sleep(5);
	look_all_ways(l, fd[NEAR], ep, &open); /* what there is to tell comes first */
	pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
	close_both(l, fd);
	l->c->close(ep);
}

/* ---- few places ------------------------------------------------------------------------------- */

/* Which of three descriptors that are ready a set tells of, when it may tell of so many at a time. */
static void tell(struct live *l, int ep, int places, int ms)
{
	struct epoll_event e[3];
	unsigned seen = 0;

	for (int i = 0; i < 12; i++) {
		const int n = l->c->epoll_wait(ep, e, places, ms);

		for (int k = 0; k < n; k++)
			seen |= 1u << e[k].data.u32;
		live_sleep(1);
	}
	bed_log(&l->bed, "%d places, %d ms: %x\n", places, ms, seen);
}

/* Two sockets and a descriptor of the kernel's are ready, and stay so: each has its turn. */
static void few_places(struct live *l)
{
	const int event = eventfd(1, 0), ep = l->c->epoll_create1(0);
	int fd[2][2];

	for (unsigned i = 0; i < 3; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};

		if (i < 2)
			live_pair(l, fd[i]);
		if (i < 2)
			live_far_send(l, fd[i][FAR], 1);
		live_log(l, "add",
		         l->c->epoll_ctl(ep, EPOLL_CTL_ADD, i < 2 ? fd[i][NEAR] : event, &e));
	}
	live_sleep(5);
	for (int places = 1; places <= 3; places++) {
		tell(l, ep, places, 0);
		tell(l, ep, places, 100);
		tell(l, ep, places, -1);
	}
	close(event);
	close_both(l, fd[0]);
	close_both(l, fd[1]);
	l->c->close(ep);
}

/* ---- many descriptors ------------------------------------------------------------------------- */

#define LIMIT 1024

/* An array with a place for each descriptor that may be open, as old servers have it. */
static void a_place_for_each(struct live *l)
{
	static struct pollfd p[LIMIT];
	struct rlimit old, limit;
	int fd[2], pipes[2];

	if (getrlimit(RLIMIT_NOFILE, &old) != 0 || old.rlim_max < LIMIT || pipe(pipes) != 0)
		abort();
	limit = (struct rlimit){LIMIT, old.rlim_max};
	live_pair(l, fd);
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		abort();
	for (int i = 0; i < LIMIT; i++)
		p[i] = (struct pollfd){.fd = -1, .revents = 77};
	p[10] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
	p[20] = (struct pollfd){.fd = fd[NEAR], .events = POLLIN};
	p[30] = (struct pollfd){.fd = pipes[1], .events = POLLOUT};
	p[LIMIT - 1] = (struct pollfd){.fd = 900, .events = POLLIN};
	for (nfds_t n = LIMIT; n >= LIMIT - 2; n--) {
		live_log(l, "poll", l->c->poll(p, n, 1000));
		bed_log(&l->bed, "%x %x %x %x %x\n", p[0].revents, p[10].revents, p[20].revents,
		        p[30].revents, p[LIMIT - 1].revents);
	}
	p[30].fd = p[LIMIT - 1].fd = -1;
	live_log(l, "none is ready", l->c->poll(p, LIMIT, 2));
	live_far_send(l, fd[FAR], 1);
	live_log(l, "poll", l->c->poll(p, LIMIT, 1000));
	bed_log(&l->bed, "%x %x\n", p[10].revents, p[20].revents);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, sizeof(buf), 0));
	live_log(l, "write", write(pipes[1], "x", 1));
	live_log(l, "poll", l->c->poll(p, LIMIT, -1));
	bed_log(&l->bed, "%x %x\n", p[10].revents, p[20].revents);
	if (setrlimit(RLIMIT_NOFILE, &old) != 0)
		abort();
	close(pipes[0]);
	close(pipes[1]);
	close_both(l, fd);
}

static const struct live_case cases[] = {
    {"signals that wait", let_through},
    {"few places", few_places},
    {"a place for each descriptor", a_place_for_each},
};

LIVE_MAIN("posix/look", cases)
