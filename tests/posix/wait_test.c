/* SPDX-License-Identifier: BSD-2-Clause */
/* poll, select and epoll that wait, over descriptors of both kinds. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static char buf[1 << 20];

static void far_send_10(struct live *l, int fd)
{
	live_far_send(l, fd, 10);
}

static void far_close(struct live *l, int fd)
{
	l->bed.call->close(&l->bed, FAR, fd);
}

static void far_recv_all(struct live *l, int fd)
{
	while (live_far_recv(l, fd, 100000) > 0)
		continue;
}

static void write_pipe(struct live *l, int fd)
{
	(void)!l->c->write(fd, "x", 1);
}

static void close_both(struct live *l, int fd[2])
{
	l->c->close(fd[NEAR]);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

/* The events of a wait, in the order of their data. */
static void log_wait(struct live *l, const char *what, int ep, int max, int ms)
{
	struct epoll_event e[16];
	int n = l->c->epoll_wait(ep, e, max, ms);

	if (n < 0) {
		live_log(l, what, n);
		return;
	}
	bed_log(&l->bed, "%s: %d", what, n);
	for (uint64_t data = 0; data < 100; data++)
		for (int i = 0; i < n; i++)
			if (e[i].data.u64 == data) {
				bed_log(&l->bed, " [%d", (int)data);
				bed_log_events(&l->bed, e[i].events);
				bed_log(&l->bed, "]");
			}
	bed_log(&l->bed, "\n");
}

static int ctl(struct live *l, int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	return l->c->epoll_ctl(ep, op, fd, &e);
}

static void add(struct live *l, int ep, int fd, uint32_t events, uint64_t data)
{
	live_log(l, "add", ctl(l, ep, EPOLL_CTL_ADD, fd, events, data));
}

/* ---- epoll ------------------------------------------------------------------------------------ */

static void epoll_waits(struct live *l)
{
	int fd[2], ep = l->c->epoll_create1(0);

	live_pair(l, fd);
	add(l, ep, fd[NEAR], EPOLLIN, 1);
	log_wait(l, "nothing", ep, 16, 0);
	log_wait(l, "a time-out", ep, 16, 10);
	live_later(l, 5, far_send_10, fd[FAR]);
	log_wait(l, "bytes", ep, 16, 2000);
	live_join();
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	log_wait(l, "a time-out", ep, 16, 10);
	live_later(l, 5, far_close, fd[FAR]);
	log_wait(l, "the end", ep, 16, -1);
	live_join();
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	live_log(l, "close", l->c->close(fd[NEAR]));
	log_wait(l, "closed", ep, 16, 5);
	l->c->close(ep);
}

/* shorter than the look before a sleep: the deadline may have passed when it comes to sleeping */
static void epoll_short(struct live *l)
{
	const struct timespec ts = {.tv_nsec = 4000};
	int fd[2], ep = l->c->epoll_create1(0), n = 0;
	struct epoll_event e;

	live_pair(l, fd);
	add(l, ep, fd[NEAR], EPOLLIN, 1);
	for (int i = 0; i < 50; i++)
		n += l->c->epoll_pwait2(ep, &e, 1, &ts, NULL) != 0;
	live_log(l, "events", n);
	close_both(l, fd);
	l->c->close(ep);
}

static void epoll_edges(struct live *l)
{
	int fd[2], ep = l->c->epoll_create1(0);

	live_pair(l, fd);
	add(l, ep, fd[NEAR], EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, 1);
	log_wait(l, "room", ep, 16, 1000);
	log_wait(l, "once", ep, 16, 10);
	live_later(l, 5, far_send_10, fd[FAR]);
	log_wait(l, "bytes", ep, 16, 1000);
	live_join();
	log_wait(l, "once", ep, 16, 10);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 3, 0));
	log_wait(l, "unread bytes are none", ep, 16, 10);
	live_later(l, 5, far_send_10, fd[FAR]);
	log_wait(l, "more bytes", ep, 16, 1000);
	live_join();
	live_log(l, "mod", ctl(l, ep, EPOLL_CTL_MOD, fd[NEAR], EPOLLIN | EPOLLET, 2));
	log_wait(l, "modified", ep, 16, 10);
	l->bed.call->shutdown(&l->bed, FAR, fd[FAR], SHUT_WR);
	log_wait(l, "the end", ep, 16, 1000);
	close_both(l, fd);
	l->c->close(ep);
}

/* only out is of interest: bytes are no event, room is */
static void epoll_out_edges(struct live *l)
{
	int fd[2], ep = l->c->epoll_create1(0);
	struct epoll_event e;
	ssize_t rc = 0;

	live_pair(l, fd);
	live_log(l, "O_NONBLOCK", l->c->fcntl(fd[NEAR], F_SETFL, O_NONBLOCK));
	add(l, ep, fd[NEAR], EPOLLOUT | EPOLLET, 1);
	log_wait(l, "room", ep, 16, 1000);
	live_far_send(l, fd[FAR], 10);
	log_wait(l, "bytes", ep, 16, 20);
	for (int quiet = 0; quiet < 10; live_sleep(2)) { /* until all buffers on the way are full */
		rc = l->c->send(fd[NEAR], buf, sizeof(buf), 0);
		quiet = rc > 0 ? 0 : quiet + 1;
	}
	live_log(l, "full", rc);
	(void)l->c->epoll_wait(ep, &e, 1, 0); /* room that there was meanwhile */
	live_log(l, "still full", l->c->send(fd[NEAR], buf, 1, 0));
	log_wait(l, "no room", ep, 16, 20);
	live_later(l, 5, far_recv_all, fd[FAR]);
	log_wait(l, "room", ep, 16, 2000);
	live_log(l, "shutdown", l->c->shutdown(fd[NEAR], SHUT_WR));
	live_join();
	close_both(l, fd);
	l->c->close(ep);
}

static void epoll_oneshot(struct live *l)
{
	int fd[2], ep = l->c->epoll_create1(0);

	live_pair(l, fd);
	add(l, ep, fd[NEAR], EPOLLIN | EPOLLONESHOT, 1);
	live_later(l, 5, far_send_10, fd[FAR]);
	log_wait(l, "bytes", ep, 16, 1000);
	live_join();
	live_far_send(l, fd[FAR], 10);
	log_wait(l, "spent", ep, 16, 10);
	live_log(l, "mod", ctl(l, ep, EPOLL_CTL_MOD, fd[NEAR], EPOLLIN | EPOLLONESHOT, 2));
	log_wait(l, "again", ep, 16, 1000);
	live_later(l, 2, far_close, fd[FAR]);
	log_wait(l, "spent", ep, 16, 20);
	live_join();
	l->c->close(fd[NEAR]);
	l->c->close(ep);
}

static void epoll_mixed(struct live *l)
{
	int fd[2], ep = l->c->epoll_create1(EPOLL_CLOEXEC), pipes[2], event = eventfd(0, 0), timer;
	const struct itimerspec its = {.it_value.tv_nsec = 5000000};

	timer = timerfd_create(CLOCK_MONOTONIC, 0);
	if (pipe(pipes) != 0)
		abort();
	live_pair(l, fd);
	live_log(l, "F_GETFD", l->c->fcntl(ep, F_GETFD, 0));
	add(l, ep, fd[NEAR], EPOLLIN, 1);
	add(l, ep, pipes[0], EPOLLIN, 2);
	add(l, ep, event, EPOLLIN, 3);
	add(l, ep, timer, EPOLLIN | EPOLLET, 4);
	log_wait(l, "nothing", ep, 16, 5);
	live_later(l, 5, write_pipe, pipes[1]);
	log_wait(l, "the pipe", ep, 16, 1000);
	live_join();
	live_log(l, "read", l->c->read(pipes[0], buf, 10));
	live_later(l, 5, far_send_10, fd[FAR]);
	log_wait(l, "bytes", ep, 16, 1000);
	live_join();
	(void)!write(event, "\1\0\0\0\0\0\0\0", 8);
	write_pipe(l, pipes[1]);
	live_sleep(2);
	log_wait(l, "three", ep, 16, 1000);
	log_wait(l, "one of them", ep, 1, 0);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	live_log(l, "read", l->c->read(pipes[0], buf, 10));
	live_log(l, "read", l->c->read(event, buf, 8));
	timerfd_settime(timer, 0, &its, NULL);
	log_wait(l, "the timer", ep, 16, 1000);
	log_wait(l, "once", ep, 16, 10);
	live_log(l, "del", ctl(l, ep, EPOLL_CTL_DEL, pipes[0], 0, 0));
	write_pipe(l, pipes[1]);
	log_wait(l, "deleted", ep, 16, 5);
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
	l->c->close(event);
	l->c->close(timer);
	close_both(l, fd);
	l->c->close(ep);
}

static void epoll_errors(struct live *l)
{
	int fd[2], ep = l->c->epoll_create1(0), two;
	struct epoll_event e;

	live_pair(l, fd);
	live_log(l, "create", l->c->epoll_create1(0x12345));
	add(l, ep, fd[NEAR], EPOLLIN, 1);
	add(l, ep, fd[NEAR], EPOLLIN, 1);
	add(l, ep, ep, EPOLLIN, 1);
	add(l, ep, 9999, EPOLLIN, 1);
	add(l, 9999, fd[NEAR], EPOLLIN, 1);
	add(l, fd[NEAR], ep, EPOLLIN, 1);
	two = l->c->dup(fd[NEAR]);
	live_log(l, "mod", ctl(l, ep, EPOLL_CTL_MOD, two, EPOLLIN, 2));
	live_log(l, "del", ctl(l, ep, EPOLL_CTL_DEL, two, EPOLLIN, 2));
	add(l, ep, two, EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE, 2);
	add(l, ep, two, EPOLLIN | EPOLLEXCLUSIVE, 2);
	live_log(l, "mod", ctl(l, ep, EPOLL_CTL_MOD, two, EPOLLIN, 2));
	live_log(l, "mod", ctl(l, ep, EPOLL_CTL_MOD, fd[NEAR], EPOLLIN | EPOLLEXCLUSIVE, 2));
	live_log(l, "op", ctl(l, ep, 12, fd[NEAR], EPOLLIN, 2));
	live_log(l, "wait 0", l->c->epoll_wait(ep, &e, 0, 0));
	live_log(l, "wait -1", l->c->epoll_wait(ep, &e, -1, 0));
	live_log(l, "no set", l->c->epoll_wait(fd[NEAR], &e, 1, 0));
	live_log(l, "no descriptor", l->c->epoll_wait(9999, &e, 1, 0));
	live_far_send(l, fd[FAR], 1);
	log_wait(l, "both", ep, 16, 1000);
	live_log(l, "close one", l->c->close(fd[NEAR]));
	/* the description lives on, so its first item does, too */
	log_wait(l, "both", ep, 16, 1000);
	live_log(l, "close both", l->c->close(two));
	log_wait(l, "none", ep, 16, 5);
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
	l->c->close(ep);
	log_wait(l, "closed", ep, 16, 5);
}

static void epoll_nested(struct live *l)
{
	int fd[2], inner = l->c->epoll_create1(0), outer = l->c->epoll_create1(0), pipes[2];

	if (pipe(pipes) != 0)
		abort();
	live_pair(l, fd);
	add(l, inner, fd[NEAR], EPOLLIN, 1);
	add(l, inner, pipes[0], EPOLLIN, 2);
	add(l, outer, inner, EPOLLIN, 7);
	log_wait(l, "nothing", outer, 16, 5);
	live_later(l, 5, far_send_10, fd[FAR]);
	log_wait(l, "outer", outer, 16, 1000);
	live_join();
	log_wait(l, "outer again", outer, 16, 1000);
	log_wait(l, "inner", inner, 16, 1000);
	log_wait(l, "outer again", outer, 16, 1000);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	log_wait(l, "inner", inner, 16, 5);
	log_wait(l, "outer", outer, 16, 5);
	live_later(l, 5, write_pipe, pipes[1]);
	log_wait(l, "outer", outer, 16, 1000);
	live_join();
	live_log(l, "read", l->c->read(pipes[0], buf, 100));
	live_later(l, 5, far_send_10, fd[FAR]);
	log_wait(l, "outer", outer, 16, 1000);
	live_join();
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0)); /* and the inner is not asked */
	log_wait(l, "outer", outer, 16, 5);
	live_log(l, "del", ctl(l, outer, EPOLL_CTL_DEL, inner, 0, 0));
	live_far_send(l, fd[FAR], 1);
	log_wait(l, "outer", outer, 16, 5);
	log_wait(l, "inner", inner, 16, 1000);
	close_both(l, fd);
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
	l->c->close(inner);
	l->c->close(outer);
}

static void epoll_listener(struct live *l)
{
	struct sockaddr_in a;
	int listener = live_listener(l, 5, &a), ep = l->c->epoll_create1(0), far[2], fd;

	add(l, ep, listener, EPOLLIN, 1);
	log_wait(l, "nothing", ep, 16, 5);
	far[0] = live_far_connect(l, &a);
	log_wait(l, "one", ep, 16, 1000);
	far[1] = live_far_connect(l, &a);
	live_sleep(5);
	fd = l->c->accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	live_log(l, "flags", l->c->fcntl(fd, F_GETFL, 0));
	log_wait(l, "two", ep, 16, 1000);
	add(l, ep, fd, EPOLLIN | EPOLLOUT, 2);
	log_wait(l, "two", ep, 16, 1000);
	l->c->close(l->c->accept4(listener, NULL, NULL, 0));
	log_wait(l, "none", ep, 16, 5);
	live_log(l, "O_NONBLOCK", l->c->fcntl(listener, F_SETFL, O_NONBLOCK));
	live_log(l, "accept", l->c->accept4(listener, NULL, NULL, 0));
	l->c->close(fd);
	l->c->close(listener);
	l->c->close(ep);
	far_close(l, far[0]);
	far_close(l, far[1]);
}

static void epoll_connecting(struct live *l)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 9);
	int ep = l->c->epoll_create1(0), fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int error;
	socklen_t len = sizeof(error);

	add(l, ep, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, 1);
	log_wait(l, "fresh", ep, 16, 100);
	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
	live_sleep(5);
	log_wait(l, "refused", ep, 16, 1000);
	live_log(l, "SO_ERROR", l->c->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	bed_log(&l->bed, "%s\n", bed_errno(error));
	log_wait(l, "over", ep, 16, 1000);
	l->c->close(fd);
	l->c->close(ep);
}

static void on_signal(int sig)
{
	(void)sig;
}

static pthread_t program;

static void send_signal(struct live *l, int fd)
{
	(void)l, (void)fd;
	pthread_kill(program, SIGUSR1);
}

static void wait_interrupted(struct live *l)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	int fd[2], ep = l->c->epoll_create1(0);
	struct pollfd p;
	sigset_t blocked, none;

	live_pair(l, fd);
	add(l, ep, fd[NEAR], EPOLLIN, 1);
	sigaction(SIGUSR1, &sa, NULL);
	program = pthread_self();
	live_later(l, 10, send_signal, 0);
	log_wait(l, "epoll_wait", ep, 16, -1);
	live_join();
	p = (struct pollfd){.fd = fd[NEAR], .events = POLLIN};
	live_later(l, 10, send_signal, 0);
	live_log(l, "poll", l->c->poll(&p, 1, -1));
	live_join();
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	pthread_kill(pthread_self(), SIGUSR1);
	log_wait(l, "blocked", ep, 16, 5);
	live_log(l, "ppoll", l->c->ppoll(&p, 1, NULL, &none));
	pthread_kill(pthread_self(), SIGUSR1);
	live_log(l, "epoll_pwait", l->c->epoll_pwait(ep, &(struct epoll_event){0}, 1, -1, &none));
	pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
	close_both(l, fd);
	l->c->close(ep);
}

/* ---- poll and select -------------------------------------------------------------------------- */

static void log_poll(struct live *l, const char *what, struct pollfd *p, nfds_t n, int ms)
{
	live_log(l, what, l->c->poll(p, n, ms));
	for (nfds_t i = 0; i < n; i++) {
		bed_log(&l->bed, " %u:", (unsigned)i);
		bed_log_events(&l->bed, (uint16_t)p[i].revents);
	}
	bed_log(&l->bed, "\n");
}

static void poll_waits(struct live *l)
{
	struct pollfd p[6];
	int a[2], b[2], pipes[2], set = l->c->epoll_create1(0);

	if (pipe(pipes) != 0)
		abort();
	live_pair(l, a);
	live_pair(l, b);
	add(l, set, b[NEAR], EPOLLIN, 1);
	p[0] = (struct pollfd){.fd = a[NEAR], .events = POLLIN};
	p[1] = (struct pollfd){.fd = b[NEAR], .events = POLLIN | POLLRDHUP};
	p[2] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
	p[3] = (struct pollfd){.fd = -1, .events = POLLIN};
	p[4] = (struct pollfd){.fd = set, .events = POLLIN};
	p[5] = (struct pollfd){.fd = 9999, .events = POLLIN};
	log_poll(l, "a bad one", p, 6, -1);
	log_poll(l, "nothing", p, 5, 0);
	log_poll(l, "a time-out", p, 5, 10);
	live_later(l, 5, far_send_10, a[FAR]);
	log_poll(l, "bytes", p, 5, 1000);
	live_join();
	live_log(l, "recv", l->c->recv(a[NEAR], buf, 100, 0));
	live_later(l, 5, write_pipe, pipes[1]);
	log_poll(l, "the pipe", p, 5, -1);
	live_join();
	live_log(l, "read", l->c->read(pipes[0], buf, 100));
	live_later(l, 5, far_send_10, b[FAR]);
	log_poll(l, "bytes and the set", p, 5, -1);
	live_join();
	live_log(l, "recv", l->c->recv(b[NEAR], buf, 100, 0));
	log_poll(l, "nothing", p, 5, 10);
	live_later(l, 5, far_close, b[FAR]);
	log_poll(l, "the end", p, 5, -1);
	live_join();
	p[0].events = POLLIN | POLLOUT;
	log_poll(l, "room", p, 1, -1);
	close_both(l, a);
	l->c->close(b[NEAR]);
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
	l->c->close(set);
}

static void select_waits(struct live *l)
{
	struct timeval tv = {.tv_usec = 10000};
	int fd[2], pipes[2], end;
	fd_set r, w;

	if (pipe(pipes) != 0)
		abort();
	live_pair(l, fd);
	end = (fd[NEAR] > pipes[1] ? fd[NEAR] : pipes[1]) + 1;
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(fd[NEAR], &r);
	FD_SET(pipes[0], &r);
	live_log(l, "a time-out", l->c->select(end, &r, &w, NULL, &tv));
	bed_log(&l->bed, "%d %d, %ld left\n", FD_ISSET(fd[NEAR], &r), FD_ISSET(pipes[0], &r),
	        (long)tv.tv_usec);
	FD_SET(fd[NEAR], &r);
	FD_SET(pipes[0], &r);
	live_later(l, 5, far_send_10, fd[FAR]);
	live_log(l, "bytes", l->c->select(end, &r, &w, NULL, NULL));
	live_join();
	bed_log(&l->bed, "%d %d\n", FD_ISSET(fd[NEAR], &r) != 0, FD_ISSET(pipes[0], &r) != 0);
	FD_SET(pipes[0], &r);
	FD_SET(fd[NEAR], &w);
	live_log(l, "and room", l->c->select(end, &r, &w, NULL, NULL));
	bed_log(&l->bed, "%d %d\n", FD_ISSET(fd[NEAR], &r) != 0, FD_ISSET(fd[NEAR], &w) != 0);
	live_log(l, "recv", l->c->recv(fd[NEAR], buf, 100, 0));
	FD_ZERO(&w);
	FD_SET(pipes[0], &r);
	live_later(l, 5, write_pipe, pipes[1]);
	live_log(l, "the pipe", l->c->pselect(end, &r, NULL, NULL, NULL, NULL));
	live_join();
	bed_log(&l->bed, "%d %d\n", FD_ISSET(fd[NEAR], &r) != 0, FD_ISSET(pipes[0], &r) != 0);
	close_both(l, fd);
	FD_ZERO(&r);
	FD_SET(fd[NEAR], &r);
	live_log(l, "closed", l->c->select(end, &r, NULL, NULL, NULL));
	l->c->close(pipes[0]);
	l->c->close(pipes[1]);
}

/* ---- threads ---------------------------------------------------------------------------------- */

static struct {
	struct live *l;
	int fd;
	ssize_t got[4];
} shared;

static void *receive(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	static char own[4][1000];
	ssize_t n;

	while ((n = shared.l->c->recv(shared.fd, own[i], 1000, 0)) > 0)
		shared.got[i] += n;
	return NULL;
}

/* every byte goes to one of several threads that read from one socket */
static void threads_receive(struct live *l)
{
	pthread_t t[4];
	ssize_t total = 0;
	int fd[2];

	live_pair(l, fd);
	memset(&shared, 0, sizeof(shared));
	shared.l = l;
	shared.fd = fd[NEAR];
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, receive, (void *)i);
	live_far_send(l, fd[FAR], 200000);
	l->bed.call->shutdown(&l->bed, FAR, fd[FAR], SHUT_WR);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		total += shared.got[i];
	}
	bed_log(&l->bed, "%ld\n", (long)total);
	close_both(l, fd);
}

static void *send_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		if (shared.l->c->send(shared.fd, buf, 500, 0) != 500)
			abort();
	return NULL;
}

static void threads_send(struct live *l)
{
	pthread_t t[4];
	int fd[2];

	live_pair(l, fd);
	shared.l = l;
	shared.fd = fd[NEAR];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, send_many, NULL);
	bed_log(&l->bed, "far %zu\n", live_far_recv(l, fd[FAR], 200000));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	close_both(l, fd);
}

static void add_later(struct live *l, int ep)
{
	(void)ctl(l, ep, EPOLL_CTL_ADD, shared.fd, EPOLLOUT, 5);
}

/* a socket that is put into a set that another thread waits for */
static void threads_epoll(struct live *l)
{
	int fd[2], ep = l->c->epoll_create1(0);

	live_pair(l, fd);
	shared.fd = fd[NEAR];
	live_later(l, 10, add_later, ep);
	log_wait(l, "added meanwhile", ep, 16, 2000);
	live_join();
	close_both(l, fd);
	l->c->close(ep);
}

/* ---- threads that are cancelled ---------------------------------------------------------------- */

enum { IN_RECV, IN_SEND, IN_ACCEPT, IN_SELECT, IN_EPOLL, BEFORE_RECV, IN_MAX };

static struct {
	struct live *l;
	int fd, listener, ep;
} victim;

static void *sleep_in(void *arg)
{
	const struct posix_calls *c = victim.l->c;
	static char own[1 << 16];
	struct epoll_event e;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(victim.fd, &set);
	switch ((uintptr_t)arg) {
	case BEFORE_RECV:
		pthread_cancel(pthread_self());
		__attribute__((fallthrough));
	case IN_RECV:
		return (void *)c->recv(victim.fd, own, 10, 0);
	case IN_SEND:
		while (c->send(victim.fd, own, sizeof(own), 0) > 0)
			continue;
		return NULL;
	case IN_ACCEPT:
		return (void *)(intptr_t)c->accept4(victim.listener, NULL, NULL, 0);
	case IN_SELECT:
		return (void *)(intptr_t)c->select(victim.fd + 1, &set, NULL, NULL, NULL);
	default:
		return (void *)(intptr_t)c->epoll_wait(victim.ep, &e, 1, -1);
	}
}

/* Calls that sleep, select() for all of its kind, are cancellation points (POSIX 2.9.5.2), and what they used can still be closed. */
static void threads_cancelled(struct live *l)
{
	struct sockaddr_in a;
	pthread_t t;
	void *result;
	int fd[2];

#ifdef __SANITIZE_ADDRESS__ /* which takes the frames that a cancelled thread has left for ones that are there */
	return;
#endif
	live_pair(l, fd);
	victim.l = l;
	victim.fd = fd[NEAR];
	victim.ep = l->c->epoll_create1(0);
	victim.listener = live_listener(l, 1, &a);
	add(l, victim.ep, fd[NEAR], EPOLLIN, 1);
	for (uintptr_t i = 0; i < IN_MAX; i++) {
		if (pthread_create(&t, NULL, sleep_in, (void *)i) != 0)
			abort();
		live_sleep(i == IN_SEND ? 50 : 5);
		if (i != BEFORE_RECV)
			pthread_cancel(t);
		pthread_join(t, &result);
		bed_log(&l->bed, "%d: %d\n", (int)i, result == PTHREAD_CANCELED);
	}
	live_log(l, "close", l->c->close(victim.listener));
	live_log(l, "close", l->c->close(fd[NEAR]));
	live_later(l, 0, far_recv_all, fd[FAR]);
	log_wait(l, "nothing is left in the set", victim.ep, 16, 50);
	live_join();
	live_log(l, "close", l->c->close(victim.ep));
	live_log(l, "the end", l->bed.call->recvfrom(&l->bed, FAR, fd[FAR], buf, 1, 0, NULL, NULL));
	l->bed.call->close(&l->bed, FAR, fd[FAR]);
}

static const struct live_case cases[] = {
    {"epoll: level", epoll_waits},
    {"epoll: a few microseconds", epoll_short},
    {"epoll: edges", epoll_edges},
    {"epoll: edges of out", epoll_out_edges},
    {"epoll: one-shot", epoll_oneshot},
    {"epoll: with the kernel's", epoll_mixed},
    {"epoll: errors", epoll_errors},
    {"epoll: nested", epoll_nested},
    {"epoll: listener", epoll_listener},
    {"epoll: connecting", epoll_connecting},
    {"signals", wait_interrupted},
    {"poll", poll_waits},
    {"select", select_waits},
    {"threads receive", threads_receive},
    {"threads send", threads_send},
    {"threads and a set", threads_epoll},
    {"threads are cancelled", threads_cancelled},
};

LIVE_MAIN("posix/wait", cases)
