/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll_server: what percore's programs do, on Linux's own sockets, in the simplest way: one
 * thread, one epoll set, echo on port 7 (TCP and UDP), discard on 9, a source on 19 (byte n is
 * n mod 256), and on 80 an HTTP response with a body of 512 bytes, over IPv4 or, with the argument 6,
 * over IPv6. It runs until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS  512
#define RCVBUF  (8 << 20) /* of datagrams; the limit of net.core.rmem_max does not hold for root */
#define ROOM    (256 * 1024)
#define SOURCE  (64 * 1024)
#define BODY    512
#define BACKLOG 65535

enum service { NONE, ECHO, DISCARD, SOURCE_BYTES, HTTP };

struct conn {
	uint8_t service;
	bool listens, datagrams;
	uint8_t crlf;     /* bytes so far of the empty line that ends a request */
	uint8_t position; /* of the source, modulo 256 */
	/* data that the peer had no room for; until it is sent, nothing more is read */
	char *rest;
	size_t rest_at, rest_len;
};

static const struct {
	uint16_t port;
	enum service service;
} services[] = {{7, ECHO}, {9, DISCARD}, {19, SOURCE_BYTES}, {80, HTTP}};

static struct conn *conns;
static rlim_t nb_conns;
static char room[ROOM], pattern[SOURCE + 256], answer[BODY + 256];
static size_t answer_len;
static int epoll, family = AF_INET;

static int die(const char *what)
{
	perror(what);
	return 1;
}

static int watch(int fd, struct conn conn)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (conn.service == SOURCE_BYTES && !conn.listens)
		ev.events |= EPOLLOUT;
	conns[fd] = conn;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int open_service(uint16_t port, enum service service)
{
	/* the port is at the same offset in both structs */
	struct sockaddr_in6 sin = {.sin6_family = (sa_family_t)family, .sin6_port = htons(port)};
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return -1;
	return watch(fd, (struct conn){.service = (uint8_t)service, .listens = true});
}

static int open_datagrams(uint16_t port)
{
	struct sockaddr_in6 sin = {.sin6_family = (sa_family_t)family, .sin6_port = htons(port)};
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0), bytes = RCVBUF;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0)
		return -1;
	return watch(fd, (struct conn){.service = ECHO, .datagrams = true});
}

static void take_new(int listener)
{
	struct conn conn = {.service = conns[listener].service};
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		if ((rlim_t)fd >= nb_conns || watch(fd, conn) != 0)
			close(fd);
}

static void set_events(int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	(void)epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &ev);
}

static void end(int fd)
{
	free(conns[fd].rest);
	close(fd);
}

/* Returns how much was accepted; all of it if the connection is broken. */
static size_t send_some(int fd, const char *p, size_t n)
{
	size_t done = 0;
	ssize_t sent = 1;

	while (done < n && (sent = send(fd, p + done, n - done, MSG_NOSIGNAL)) > 0)
		done += (size_t)sent;
	return done == n || (sent < 0 && errno != EAGAIN) ? n : done;
}

/* Sends everything, and keeps what the peer has no room for. */
static void send_all(int fd, const char *p, size_t n)
{
	struct conn *c = &conns[fd];
	size_t sent = c->rest_len == c->rest_at ? send_some(fd, p, n) : 0;
	char *rest;

	if (sent == n)
		return;
	rest = realloc(c->rest, c->rest_len + n - sent);
	if (rest == NULL)
		return;
	memcpy(rest + c->rest_len, p + sent, n - sent);
	c->rest = rest;
	c->rest_len += n - sent;
	set_events(fd, EPOLLOUT);
}

static void send_rest(int fd)
{
	struct conn *c = &conns[fd];

	c->rest_at += send_some(fd, c->rest + c->rest_at, c->rest_len - c->rest_at);
	if (c->rest_at < c->rest_len)
		return;
	free(c->rest);
	c->rest = NULL;
	c->rest_at = c->rest_len = 0;
	set_events(fd, EPOLLIN);
}

static void serve_http(int fd, const char *p, size_t n)
{
	static char out[ROOM];
	struct conn *c = &conns[fd];
	size_t len = 0;

	for (; n > 0; n--, p++) {
		c->crlf = *p == "\r\n\r\n"[c->crlf] ? (uint8_t)(c->crlf + 1) : *p == '\r';
		if (c->crlf < 4)
			continue;
		c->crlf = 0;
		if (len + answer_len > sizeof(out)) {
			send_all(fd, out, len);
			len = 0;
		}
		memcpy(out + len, answer, answer_len);
		len += answer_len;
	}
	send_all(fd, out, len);
}

static void serve_source(int fd)
{
	ssize_t n;

	while ((n = send(fd, pattern + conns[fd].position, SOURCE, MSG_NOSIGNAL)) > 0)
		conns[fd].position = (uint8_t)(conns[fd].position + n);
}

static void serve_datagrams(int fd)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, room, ROOM, 0, (struct sockaddr *)&from, &len)) >= 0) {
		(void)sendto(fd, room, (size_t)n, 0, (struct sockaddr *)&from, len);
		len = sizeof(from);
	}
}

static void serve(int fd, uint32_t events)
{
	const struct conn *c = &conns[fd];
	ssize_t n;

	if (c->listens) {
		take_new(fd);
		return;
	}
	if (c->datagrams) {
		serve_datagrams(fd);
		return;
	}
	if (c->service == SOURCE_BYTES && (events & EPOLLOUT) != 0)
		serve_source(fd);
	if (c->rest != NULL && (events & EPOLLOUT) != 0)
		send_rest(fd);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;
	n = recv(fd, room, c->service == ECHO ? ROOM / 4 : ROOM, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		end(fd);
	else if (n > 0 && c->service == ECHO)
		send_all(fd, room, (size_t)n);
	else if (n > 0 && c->service == HTTP)
		serve_http(fd, room, (size_t)n);
}

static int set_up(void)
{
	struct rlimit limit;
	int head;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	nb_conns = limit.rlim_cur;
	conns = calloc(nb_conns, sizeof(*conns));
	epoll = epoll_create1(0);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)i;
	head = snprintf(
	    answer, sizeof(answer),
	    "HTTP/1.1 200 OK\r\nServer: epoll\r\nContent-Type: text/plain\r\nContent-Length: "
	    "%d\r\nConnection: keep-alive\r\n\r\n",
	    BODY);
	memset(answer + head, 'x', BODY);
	answer_len = (size_t)head + BODY;
	return conns != NULL && epoll >= 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct epoll_event ev[EVENTS];
	int n;

	if (argc > 1 && argv[1][0] == '6')
		family = AF_INET6;

	signal(SIGPIPE, SIG_IGN);
	if (set_up() != 0)
		return die("epoll_server");
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (open_service(services[i].port, services[i].service) != 0)
			return die("epoll_server");
	if (open_datagrams(7) != 0)
		return die("epoll_server");
	printf("epoll_server: ready\n");
	fflush(stdout);
	for (;;) {
		n = epoll_wait(epoll, ev, EVENTS, -1);
		for (int i = 0; i < n; i++)
			serve(ev[i].data.fd, ev[i].events);
	}
}
