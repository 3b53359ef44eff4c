/* SPDX-License-Identifier: BSD-2-Clause */
/* The unspecified address, and no family at all, as destinations; one socket that connects several times; and what
 * a connection has of its listener. */
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define CLOSED_PORT 9

static char buf[100];

union name {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t make_name(union name *n, const char *ip, uint16_t port)
{
	memset(n, 0, sizeof(*n));
	if (strchr(ip, ':') != NULL) {
		n->in6.sin6_family = AF_INET6;
		n->in6.sin6_port = htons(port);
		(void)inet_pton(AF_INET6, ip, &n->in6.sin6_addr);
		return sizeof(n->in6);
	}
	n->in.sin_family = AF_INET;
	n->in.sin_port = htons(port);
	(void)inet_pton(AF_INET, ip, &n->in.sin_addr);
	return sizeof(n->in);
}

static void log_peer(struct live *l, int fd)
{
	char text[INET6_ADDRSTRLEN] = "";
	union name n;
	socklen_t len = sizeof(n);

	live_log(l, "getpeername", l->c->getpeername(fd, &n.sa, &len));
	if (n.sa.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &n.in.sin_addr, text, sizeof(text));
	else
		(void)inet_ntop(AF_INET6, &n.in6.sin6_addr, text, sizeof(text));
	bed_log(&l->bed, "%s\n", text);
}

/* ---- to this host ----------------------------------------------------------------------------- */

static const struct {
	int domain;
	const char *to;
} any[] = {{AF_INET, "0.0.0.0"}, {AF_INET6, "::"}, {AF_INET6, "::ffff:0.0.0.0"}};

#define ANYS (sizeof(any) / sizeof(any[0]))

static void any_refused(struct live *l)
{
	for (size_t i = 0; i < ANYS; i++) {
		union name n;
		socklen_t len = make_name(&n, any[i].to, CLOSED_PORT);
		int fd = l->c->socket(any[i].domain, SOCK_STREAM, 0);

		live_log(l, any[i].to, l->c->connect(fd, &n.sa, len));
		l->c->close(fd);
	}
}

static void any_accepted(struct live *l)
{
	for (size_t i = 0; i < ANYS; i++) {
		union name n;
		socklen_t len = make_name(&n, i == 0 ? "0.0.0.0" : "::", 0);
		int fd = l->c->socket(any[i].domain, SOCK_STREAM, 0), to, got;
		uint16_t port;

		if (l->c->bind(fd, &n.sa, len) != 0 || l->c->listen(fd, 1) != 0 ||
		    l->c->getsockname(fd, &n.sa, &len) != 0)
			abort();
		port = ntohs(n.in.sin_port);
		to = l->c->socket(any[i].domain, SOCK_STREAM, 0);
		len = make_name(&n, any[i].to, port);
		live_log(l, any[i].to, l->c->connect(to, &n.sa, len));
		log_peer(l, to);
		got = l->c->accept4(fd, NULL, NULL, SOCK_NONBLOCK);
		log_peer(l, got);
		live_log(l, "send", l->c->send(to, "hello", 5, 0));
		live_sleep(2);
		live_log(l, "recv", l->c->recv(got, buf, sizeof(buf), 0));
		l->c->close(to);
		l->c->close(got);
		l->c->close(fd);
	}
}

static void any_datagrams(struct live *l)
{
	for (size_t i = 0; i < ANYS; i++) {
		union name n;
		socklen_t len = make_name(&n, any[i].domain == AF_INET ? "0.0.0.0" : "::", 0);
		int fd = l->c->socket(any[i].domain, SOCK_DGRAM | SOCK_NONBLOCK, 0);

		if (l->c->bind(fd, &n.sa, len) != 0 || l->c->getsockname(fd, &n.sa, &len) != 0)
			abort();
		len = make_name(&n, any[i].to, ntohs(n.in.sin_port));
		live_log(l, any[i].to, l->c->sendto(fd, "hello", 5, 0, &n.sa, len));
		live_sleep(2);
		live_log(l, "recv", l->c->recv(fd, buf, sizeof(buf), 0));
		live_log(l, "connect", l->c->connect(fd, &n.sa, len));
		log_peer(l, fd);
		live_log(l, "send", l->c->send(fd, "again", 4, 0));
		live_sleep(2);
		live_log(l, "recv", l->c->recv(fd, buf, sizeof(buf), 0));
		l->c->close(fd);
	}
}

/* A socket with an address means that one. */
static void any_of_bound(struct live *l)
{
	const struct sockaddr_in near = bed_addr(&l->bed, NEAR, 0);
	struct sockaddr_in to = near, peer = near;
	socklen_t len = sizeof(peer);
	int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0);

	live_log(l, "bind", l->c->bind(fd, (const struct sockaddr *)&near, sizeof(near)));
	to.sin_addr.s_addr = INADDR_ANY;
	to.sin_port = htons(CLOSED_PORT);
	live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&to, sizeof(to)));
	(void)l->c->getpeername(fd, (struct sockaddr *)&peer, &len);
	bed_log(&l->bed, "to itself: %d\n", peer.sin_addr.s_addr == near.sin_addr.s_addr);
	l->c->close(fd);
}

/* ---- AF_UNSPEC -------------------------------------------------------------------------------- */

static void no_family_connect(struct live *l)
{
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	const struct sockaddr_in far = bed_addr(&l->bed, FAR, CLOSED_PORT);
	int fd = l->c->socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd p = {.events = POLLIN};

	live_log(l, "fresh", l->c->connect(fd, &none, sizeof(none)));
	live_log(l, "two bytes", l->c->connect(fd, &none, sizeof(none.sa_family)));
	live_log(l, "one", l->c->connect(fd, &none, 1));
	live_log(l, "refused", l->c->connect(fd, (const struct sockaddr *)&far, sizeof(far)));
	live_log(l, "after it", l->c->connect(fd, &none, sizeof(none)));
	live_log(l, "refused", l->c->connect(fd, (const struct sockaddr *)&far, sizeof(far)));
	l->c->close(fd);
	p.fd = fd = l->c->socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	live_log(l, "fresh", l->c->connect(fd, &none, sizeof(none)));
	live_log(l, "listen", l->c->listen(fd, 1));
	l->c->close(fd);
	p.fd = fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	live_log(l, "begun", l->c->connect(fd, (const struct sockaddr *)&far, sizeof(far)));
	live_log(l, "over", l->c->poll(&p, 1, 5000));
	live_log(l, "after it", l->c->connect(fd, &none, sizeof(none)));
	live_log(l, "anew", l->c->connect(fd, (const struct sockaddr *)&far, sizeof(far)));
	l->c->close(fd);
}

static void no_family_send(struct live *l)
{
	struct sockaddr_in to = bed_addr(&l->bed, FAR, CLOSED_PORT);
	int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0);
	union name n;
	socklen_t len;

	to.sin_family = AF_UNSPEC;
	live_log(l, "IPv4", l->c->sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	live_log(l, "short", l->c->sendto(fd, "x", 1, 0, (struct sockaddr *)&to, 15));
	l->c->close(fd);
	fd = l->c->socket(AF_INET6, SOCK_DGRAM, 0);
	live_log(l, "IPv6", l->c->sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	live_log(l, "short", l->c->sendto(fd, "x", 1, 0, (struct sockaddr *)&to, 1));
	len = make_name(&n, "::1", CLOSED_PORT);
	live_log(l, "connect", l->c->connect(fd, &n.sa, len));
	live_log(l, "the peer", l->c->sendto(fd, "x", 1, 0, (struct sockaddr *)&to, 2));
	l->c->close(fd);
}

/* ---- one socket, several peers ---------------------------------------------------------------- */

/* Which address of ours it is from is chosen anew each time. */
static void several_peers(struct live *l)
{
	const struct sockaddr_in far = bed_addr(&l->bed, FAR, CLOSED_PORT);
	int fd = l->c->socket(AF_INET, SOCK_STREAM, 0);
	union name n;
	socklen_t len = make_name(&n, "127.0.0.1", CLOSED_PORT);

	live_log(l, "this host", l->c->connect(fd, &n.sa, len));
	live_log(l, "another", l->c->connect(fd, (const struct sockaddr *)&far, sizeof(far)));
	live_log(l, "this host", l->c->connect(fd, &n.sa, len));
	l->c->close(fd);
	fd = l->c->socket(AF_INET, SOCK_STREAM, 0);
	n.in.sin_port = 0;
	live_log(l, "bind", l->c->bind(fd, &n.sa, len));
	n.in.sin_port = htons(CLOSED_PORT);
	live_log(l, "this host", l->c->connect(fd, &n.sa, len));
	live_log(l, "again", l->c->connect(fd, &n.sa, len));
	l->c->close(fd);
}

/* ---- oneself ---------------------------------------------------------------------------------- */

static void log_poll(struct live *l, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	bed_log(&l->bed, "poll %d", l->c->poll(&p, 1, 0));
	bed_log_events(&l->bed, (uint16_t)p.revents);
	bed_log(&l->bed, "\n");
}

/* A socket that connects to its own name is connected with itself (RFC 9293 section 3.5: simultaneous open). */
static void with_itself(struct live *l)
{
	for (int fast = 0; fast < 2; fast++) {
		struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);
		struct sockaddr *sa = (struct sockaddr *)&a;
		int fd = l->c->socket(AF_INET, SOCK_STREAM, 0), one = 1, other;
		socklen_t len = sizeof(a);

		(void)l->c->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		live_log(l, "bind", l->c->bind(fd, sa, len));
		(void)l->c->getsockname(fd, sa, &len);
		if (fast)
			live_log(l, "sendto", l->c->sendto(fd, NULL, 0, MSG_FASTOPEN, sa, len));
		else
			live_log(l, "connect", l->c->connect(fd, sa, len));
		log_poll(l, fd);
		live_log(l, "again", l->c->connect(fd, sa, len));
		live_log(l, "send", l->c->send(fd, "hello", 5, 0));
		live_log(l, "recv", l->c->recv(fd, buf, sizeof(buf), 0));
		other = l->c->socket(AF_INET, SOCK_STREAM, 0);
		(void)l->c->setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		live_log(l, "bind another", l->c->bind(other, sa, len));
		live_log(l, "to the same", l->c->connect(other, sa, len));
		live_log(l, "listen", l->c->listen(other, 1));
		l->c->close(other);
		live_log(l, "shutdown", l->c->shutdown(fd, SHUT_WR));
		live_log(l, "recv", l->c->recv(fd, buf, sizeof(buf), 0));
		live_sleep(5);
		log_poll(l, fd);
		l->c->close(fd);
	}
}

/* ---- a listener's settings -------------------------------------------------------------------- */

static void inherited(struct live *l)
{
	static const int names[] = {SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_RCVLOWAT, SO_OOBINLINE};
	const int values[] = {30000, 20000, 1, 5, 1};
	struct timeval tv = {.tv_sec = 3};
	struct sockaddr_in a;
	int fd = live_listener(l, 3, &a), far, one, value = 0;
	socklen_t len;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)l->c->setsockopt(fd, SOL_SOCKET, names[i], &values[i], sizeof(int));
	(void)l->c->setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	far = live_far_connect(l, &a);
	one = l->c->accept4(fd, NULL, NULL, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = sizeof(value);
		(void)l->c->getsockopt(one, SOL_SOCKET, names[i], &value, &len);
		bed_log(&l->bed, "%d: %d\n", names[i], value);
	}
	len = sizeof(tv);
	memset(&tv, 0, sizeof(tv));
	(void)l->c->getsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &tv, &len);
	bed_log(&l->bed, "%ld s\n", (long)tv.tv_sec);
	l->bed.call->close(&l->bed, FAR, far);
	l->c->close(one);
	l->c->close(fd);
}

static const struct live_case cases[] = {
    {"unspecified: refused", any_refused},
    {"unspecified: accepted", any_accepted},
    {"unspecified: datagrams", any_datagrams},
    {"unspecified: a bound socket", any_of_bound},
    {"AF_UNSPEC: connect", no_family_connect},
    {"AF_UNSPEC: send", no_family_send},
    {"several peers", several_peers},
    {"with itself", with_itself},
    {"inherited", inherited},
};

LIVE_MAIN("posix/known", cases)
