/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connect() with AF_UNSPEC: what becomes of a stream in every state, what its peer sees, and what it may do next.
 */
#include "subject.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sockaddr none = {.sa_family = AF_UNSPEC};
static char buf[100];

static int dissolve(struct live *l, int fd)
{
	return l->c->connect(fd, &none, sizeof(none));
}

/* ---- states beside those of subject.c --------------------------------------------------------- */

static int far_listener(struct live *l, int backlog, struct sockaddr_in *a)
{
	struct bed *b = &l->bed;
	const int fd = b->call->socket(b, FAR, AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(*a);

	*a = bed_addr(b, FAR, 0);
	if (b->call->bind(b, FAR, fd, (struct sockaddr *)a, len) != 0 ||
	    b->call->listen(b, FAR, fd, backlog) != 0 ||
	    b->call->getsockname(b, FAR, fd, (struct sockaddr *)a, &len) != 0)
		abort();
	return fd;
}

static int far_accept(struct live *l, int listener)
{
	int fd = -1;

	for (unsigned i = 0; i < 2000 && fd < 0; i++) {
		fd = l->bed.call->accept(&l->bed, FAR, listener, NULL, NULL);
		if (fd < 0)
			live_sleep(1);
	}
	if (fd < 0)
		abort();
	return fd;
}

static void connect_to(struct live *l, int fd, const struct sockaddr_in *a)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (l->c->connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 &&
	    (errno != EINPROGRESS || l->c->poll(&p, 1, 5000) != 1))
		abort();
}

/* a connection that we have opened, from a name of our own or not */
static void opened(struct live *l, struct subject *s, bool bound)
{
	const struct sockaddr_in near = bed_addr(&l->bed, NEAR, 0);
	struct sockaddr_in a;
	const int listener = far_listener(l, 5, &a);

	*s = (struct subject){.fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
	if (bound && l->c->bind(s->fd, (const struct sockaddr *)&near, sizeof(near)) != 0)
		abort();
	connect_to(l, s->fd, &a);
	s->far = far_accept(l, listener);
	l->bed.call->close(&l->bed, FAR, listener);
}

static void opened_free(struct live *l, struct subject *s)
{
	opened(l, s, false);
}

static void opened_bound(struct live *l, struct subject *s)
{
	opened(l, s, true);
}

/* both have ended */
static void over(struct live *l, struct subject *s)
{
	struct pollfd p = {.events = POLLIN};

	opened_free(l, s);
	p.fd = s->fd;
	l->bed.call->shutdown(&l->bed, FAR, s->far, SHUT_WR);
	if (l->c->poll(&p, 1, 5000) != 1 || l->c->shutdown(s->fd, SHUT_WR) != 0 ||
	    live_far_recv(l, s->far, 1) != 0)
		abort();
	live_sleep(5);
}

/* some of what we have written does not fit any more */
static void stuffed(struct live *l, struct subject *s)
{
	static char much[65536];
	struct pollfd p = {.events = POLLOUT};

	opened_free(l, s);
	p.fd = s->fd;
	do {
		while (l->c->send(s->fd, much, sizeof(much), 0) > 0)
			;
		live_sleep(5);
	} while (l->c->poll(&p, 1, 0) == 1);
}

/* ... and the end waits behind it */
static void stuffed_shut(struct live *l, struct subject *s)
{
	stuffed(l, s);
	(void)l->c->shutdown(s->fd, SHUT_WR);
}

/* whom a listener whose queue is full does not answer; far is that listener, which the first waits in */
static void attempt(struct live *l, struct subject *s)
{
	struct sockaddr_in a;
	const int first = l->c->socket(AF_INET, SOCK_STREAM, 0);

	*s = (struct subject){.fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
	                      .far = far_listener(l, 0, &a)};
	connect_to(l, first, &a);
	live_sleep(2);
	if (l->c->connect(s->fd, (struct sockaddr *)&a, sizeof(a)) == 0 || errno != EINPROGRESS)
		abort();
	l->c->close(first);
}

static void attempt_shut(struct live *l, struct subject *s)
{
	attempt(l, s);
	live_log(l, "shut", l->c->shutdown(s->fd, SHUT_WR));
	subject_poll(l, s);
}

static void failed_shut(struct live *l, struct subject *s)
{
	const struct sockaddr_in a = bed_addr(&l->bed, FAR, 9);
	struct pollfd p = {.events = POLLOUT};

	*s = (struct subject){.fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
	                      .far = -1};
	(void)l->c->connect(s->fd, (const struct sockaddr *)&a, sizeof(a));
	p.fd = s->fd;
	(void)l->c->poll(&p, 1, 5000);
	(void)l->c->shutdown(s->fd, SHUT_RDWR);
}

static const struct subject_state others[] = {
    {"opened", opened_free},
    {"opened, bound", opened_bound},
    {"over", over},
    {"stuffed", stuffed},
    {"stuffed, shut", stuffed_shut},
    {"an attempt", attempt},
    {"an attempt, shut", attempt_shut},
    {"a failed attempt, shut", failed_shut},
};

#define OTHERS (sizeof(others) / sizeof(others[0]))
#define STATES (SUBJECT_DATAGRAMS + OTHERS)

static const char *make(struct live *l, size_t state, struct subject *s)
{
	if (state < SUBJECT_DATAGRAMS) {
		subject_make(l, state, s);
		return subject_states[state].name;
	}
	others[state - SUBJECT_DATAGRAMS].make(l, s);
	return others[state - SUBJECT_DATAGRAMS].name;
}

/* an accepted one: on Linux it keeps the address that its listener was bound to */
static bool was_accepted(size_t state)
{
	return state >= SUBJECT_CONNECTIONS && state < SUBJECT_DATAGRAMS;
}

/* ---- what is asked afterwards ----------------------------------------------------------------- */

static void log_name(struct live *l, const struct subject *s, size_t state)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);

	live_log(l, "getsockname", l->c->getsockname(s->fd, (struct sockaddr *)&a, &len));
	bed_log(&l->bed, "port %d address %d\n", a.sin_port != 0,
	        !was_accepted(state) && a.sin_addr.s_addr != 0);
	live_log(l, "getpeername", l->c->getpeername(s->fd, (struct sockaddr *)&a, &len));
}

static void log_error(struct live *l, const struct subject *s)
{
	int error = -1;
	socklen_t len = sizeof(error);

	(void)l->c->getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	bed_log(&l->bed, "SO_ERROR %s\n", bed_errno(error));
}

static void log_state(struct live *l, const struct subject *s)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	(void)l->c->getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	bed_log(&l->bed, "state %d, unacked %u, retransmits %u\n", info.tcpi_state,
	        info.tcpi_unacked, info.tcpi_retransmits);
}

static void asked(struct live *l, const struct subject *s, size_t state)
{
	(void)state;
	subject_poll(l, s);
	log_error(l, s);
	subject_poll(l, s);
	log_state(l, s);
	live_log(l, "recv", l->c->recv(s->fd, buf, sizeof(buf), 0));
	live_log(l, "send", l->c->send(s->fd, buf, 1, MSG_NOSIGNAL));
	live_log(l, "accept", l->c->accept4(s->fd, NULL, NULL, 0));
	live_log(l, "shutdown", l->c->shutdown(s->fd, SHUT_WR));
	live_log(l, "again", dissolve(l, s->fd));
	subject_poll(l, s);
}

static void received(struct live *l, const struct subject *s, size_t state)
{
	(void)state;
	live_log(l, "recv", l->c->recv(s->fd, buf, sizeof(buf), 0));
	live_log(l, "recv", l->c->recv(s->fd, buf, sizeof(buf), 0));
}

static void sent(struct live *l, const struct subject *s, size_t state)
{
	(void)state;
	live_log(l, "send", l->c->send(s->fd, buf, 1, MSG_NOSIGNAL));
	live_log(l, "send", l->c->send(s->fd, buf, 1, MSG_NOSIGNAL));
}

static void named(struct live *l, const struct subject *s, size_t state)
{
	struct sockaddr_in near = bed_addr(&l->bed, NEAR, 0);

	log_name(l, s, state);
	live_log(l, "bind", l->c->bind(s->fd, (struct sockaddr *)&near, sizeof(near)));
	log_name(l, s, state);
}

/* Says whether this kernel, as some newer ones do, never lets a socket connect that has listened, nor listen when it has
 * connected (EINVAL); percore does, like the others. */
static bool roles_are_fixed(void)
{
	const struct sockaddr_in self = {.sin_family = AF_INET, .sin_port = htons(9)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	bool fixed;

	(void)listen(fd, 1);
	(void)connect(fd, &none, sizeof(none));
	fixed = connect(fd, (const struct sockaddr *)&self, sizeof(self)) != 0 && errno == EINVAL;
	close(fd);
	return fixed;
}

static bool was_listening(size_t state)
{
	return state == 2 || state == 3;
}

static bool was_connected(size_t state)
{
	return state > 3;
}

/* bytes both ways over a connection that the same socket has now */
static void connected_anew(struct live *l, const struct subject *s, size_t state)
{
	struct sockaddr_in a;
	int listener, far;

	if (was_listening(state) && roles_are_fixed())
		return;
	listener = far_listener(l, 5, &a);
	connect_to(l, s->fd, &a);
	log_error(l, s);
	far = far_accept(l, listener);
	subject_poll(l, s);
	live_log(l, "send", l->c->send(s->fd, "hello", 5, 0));
	live_log(l, "arrived", (long)live_far_recv(l, far, 5));
	live_far_send(l, far, 7);
	live_sleep(2);
	live_log(l, "recv", l->c->recv(s->fd, buf, sizeof(buf), 0));
	bed_log(&l->bed, "%.7s\n", buf);
	l->bed.call->close(&l->bed, FAR, far);
	live_sleep(2);
	live_log(l, "recv", l->c->recv(s->fd, buf, sizeof(buf), 0));
	l->bed.call->close(&l->bed, FAR, listener);
}

static void listens(struct live *l, const struct subject *s, size_t state)
{
	struct sockaddr_in a = {0};
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	socklen_t len = sizeof(a);
	int far, got;

	if (was_connected(state) && roles_are_fixed())
		return;
	live_log(l, "listen", l->c->listen(s->fd, 1));
	(void)l->c->getsockname(s->fd, (struct sockaddr *)&a, &len);
	if (a.sin_addr.s_addr == INADDR_ANY)
		a.sin_addr = bed_addr(&l->bed, NEAR, 0).sin_addr;
	far = live_far_connect(l, &a);
	live_log(l, "poll", l->c->poll(&p, 1, 5000));
	bed_log_events(&l->bed, (uint16_t)p.revents);
	got = l->c->accept4(s->fd, NULL, NULL, 0);
	live_log(l, "accept", got >= 0 ? 0 : -1);
	live_far_send(l, far, 5);
	live_sleep(2);
	live_log(l, "recv", l->c->recv(got, buf, sizeof(buf), MSG_DONTWAIT));
	l->bed.call->close(&l->bed, FAR, far);
	l->c->close(got);
}

static void log_far(struct live *l, const struct subject *s)
{
	char some[4096];
	ssize_t n;

	if (s->far < 0)
		return;
	live_sleep(5);
	do {
		errno = 0;
		n = l->bed.call->recvfrom(&l->bed, FAR, s->far, some, sizeof(some), 0, NULL, NULL);
	} while (n > 0);
	if (n < 0 && errno == EPIPE) /* a reset behind a FIN, which pc_ calls tell first */
		n = 0;
	live_log(l, "the peer", n);
}

static void every_state(struct live *l, void (*then)(struct live *, const struct subject *, size_t))
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t state = 0; state < STATES; state++) {
		struct subject s;

		bed_log(&l->bed, "-- %s\n", make(l, state, &s));
		live_log(l, "dissolve", dissolve(l, s.fd));
		then(l, &s, state);
		log_far(l, &s);
		subject_close(l, &s);
	}
}

static void and_ask(struct live *l)
{
	every_state(l, asked);
}

static void and_receive(struct live *l)
{
	every_state(l, received);
}

static void and_send(struct live *l)
{
	every_state(l, sent);
}

static void and_name(struct live *l)
{
	every_state(l, named);
}

static void and_connect(struct live *l)
{
	every_state(l, connected_anew);
}

static void and_listen(struct live *l)
{
	every_state(l, listens);
}

/* ---- what was set ----------------------------------------------------------------------------- */

static const struct {
	int level, name, value;
} settings[] = {
    {IPPROTO_IP, IP_TTL, 33},
    {IPPROTO_IP, IP_TOS, 16},
    {SOL_SOCKET, SO_KEEPALIVE, 1},
    {SOL_SOCKET, SO_REUSEADDR, 1},
    {SOL_SOCKET, SO_REUSEPORT, 1},
    {SOL_SOCKET, SO_SNDBUF, 30000},
    {SOL_SOCKET, SO_RCVBUF, 20000},
    {SOL_SOCKET, SO_RCVLOWAT, 5},
    {SOL_SOCKET, SO_OOBINLINE, 1},
    {SOL_SOCKET, SO_MARK, 4},
    {IPPROTO_TCP, TCP_NODELAY, 1},
    {IPPROTO_TCP, TCP_KEEPIDLE, 77},
    {IPPROTO_TCP, TCP_SYNCNT, 3},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, 5000},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, 9000},
    {IPPROTO_TCP, TCP_CORK, 1},
};

static void settings_stay(struct live *l)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	socklen_t len = sizeof(linger);
	struct subject s;

	opened_free(l, &s);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		live_log(l, "set",
		         l->c->setsockopt(s.fd, settings[i].level, settings[i].name,
		                          &settings[i].value, sizeof(int)));
	(void)l->c->setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &linger, len);
	(void)l->c->setsockopt(s.fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	live_log(l, "dissolve", dissolve(l, s.fd));
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int value = -7;

		len = sizeof(value);
		(void)l->c->getsockopt(s.fd, settings[i].level, settings[i].name, &value, &len);
		bed_log(&l->bed, "%d/%d: %d\n", settings[i].level, settings[i].name, value);
	}
	len = sizeof(linger);
	(void)l->c->getsockopt(s.fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	bed_log(&l->bed, "linger %d %d\n", linger.l_onoff, linger.l_linger);
	memset(buf, 0, sizeof(buf));
	len = sizeof(buf);
	(void)l->c->getsockopt(s.fd, IPPROTO_TCP, TCP_CONGESTION, buf, &len);
	bed_log(&l->bed, "%s\n", buf);
	subject_close(l, &s);
}

/* ---- who waits meanwhile ---------------------------------------------------------------------- */

static void later(struct live *l, int fd)
{
	(void)l->c->connect(fd, &none, sizeof(none));
}

static void reader(struct live *l)
{
	struct subject s;

	opened_free(l, &s);
	(void)l->c->fcntl(s.fd, F_SETFL, 0);
	live_later(l, 20, later, s.fd);
	live_log(l, "recv", l->c->recv(s.fd, buf, sizeof(buf), 0));
	live_join();
	log_error(l, &s);
	subject_close(l, &s);
	opened_free(l, &s);
	(void)l->c->fcntl(s.fd, F_SETFL, 0);
	live_far_send(l, s.far, 3);
	live_later(l, 20, later, s.fd);
	live_log(l, "some", l->c->recv(s.fd, buf, sizeof(buf), MSG_WAITALL));
	live_join();
	log_error(l, &s);
	subject_close(l, &s);
}

static void writer(struct live *l)
{
	static char much[65536];
	struct subject s;

	stuffed(l, &s);
	(void)l->c->fcntl(s.fd, F_SETFL, 0);
	live_later(l, 20, later, s.fd);
	live_log(l, "send", l->c->send(s.fd, much, sizeof(much), MSG_NOSIGNAL));
	live_join();
	log_error(l, &s);
	subject_close(l, &s);
}

static void shut_later(struct live *l, int fd)
{
	(void)l->c->shutdown(fd, SHUT_RDWR);
}

static void connector(struct live *l)
{
	for (int shuts = 0; shuts < 2; shuts++) {
		struct sockaddr_in a;
		struct subject s;
		socklen_t len = sizeof(a);

		attempt(l, &s);
		(void)l->bed.call->getsockname(&l->bed, FAR, s.far, (struct sockaddr *)&a, &len);
		(void)l->c->fcntl(s.fd, F_SETFL, 0);
		live_later(l, 20, shuts ? shut_later : later, s.fd);
		live_log(l, "connect", l->c->connect(s.fd, (struct sockaddr *)&a, len));
		live_join();
		log_error(l, &s);
		subject_poll(l, &s);
		subject_close(l, &s);
	}
}

static void acceptor(struct live *l)
{
	struct subject s = {.far = -1};
	struct sockaddr_in a;

	s.fd = live_listener(l, 5, &a);
	live_later(l, 20, later, s.fd);
	live_log(l, "accept", l->c->accept4(s.fd, NULL, NULL, 0));
	live_join();
	log_error(l, &s);
	l->c->close(s.fd);
}

static void poller(struct live *l)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET}, got;
	const int ep = l->c->epoll_create1(0);
	struct pollfd p = {.events = POLLIN};
	struct subject s;

	opened_free(l, &s);
	p.fd = s.fd;
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, s.fd, &e));
	live_later(l, 20, later, s.fd);
	live_log(l, "poll", l->c->poll(&p, 1, 5000));
	bed_log_events(&l->bed, (uint16_t)p.revents);
	live_join();
	live_log(l, "an edge", l->c->epoll_wait(ep, &got, 1, 1000));
	bed_log_events(&l->bed, got.events);
	live_log(l, "once", l->c->epoll_wait(ep, &got, 1, 0));
	live_log(l, "again", dissolve(l, s.fd));
	live_log(l, "another edge", l->c->epoll_wait(ep, &got, 1, 0));
	l->c->close(ep);
	subject_close(l, &s);
}

static const struct live_case cases[] = {
    {"dissolve and ask", and_ask},
    {"dissolve and receive", and_receive},
    {"dissolve and send", and_send},
    {"dissolve and name", and_name},
    {"dissolve and connect", and_connect},
    {"dissolve and listen", and_listen},
    {"dissolve: settings", settings_stay},
    {"dissolve under a reader", reader},
    {"dissolve under a writer", writer},
    {"dissolve under a connector", connector},
    {"dissolve under an acceptor", acceptor},
    {"dissolve under poll and epoll", poller},
};

LIVE_MAIN("posix/anew", cases)
