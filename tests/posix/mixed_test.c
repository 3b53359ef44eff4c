/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of AF_INET6 that have to do with IPv4, or no more; and what search.c has found besides. */
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

union name {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
static const char *const own[] = {"::1", "::", "::ffff:127.0.0.1"};

#define OWN (sizeof(own) / sizeof(own[0]))

static socklen_t make_name(union name *n, const char *ip, uint16_t port_be)
{
	memset(n, 0, sizeof(*n));
	n->in.sin_port = port_be; /* at the same place for both families */
	n->sa.sa_family = strchr(ip, ':') != NULL ? AF_INET6 : AF_INET;
	if (n->sa.sa_family == AF_INET) {
		(void)inet_pton(AF_INET, ip, &n->in.sin_addr);
		return sizeof(n->in);
	}
	(void)inet_pton(AF_INET6, ip, &n->in6.sin6_addr);
	return sizeof(n->in6);
}

static int make(struct live *l, int type, const char *ip)
{
	union name n;
	const socklen_t len = make_name(&n, ip, 0);
	const int fd = l->c->socket(n.sa.sa_family, type | SOCK_NONBLOCK, 0);

	bed_log(&l->bed, "%s ", ip);
	live_log(l, type == SOCK_STREAM ? "bind" : "bind datagrams", l->c->bind(fd, &n.sa, len));
	return fd;
}

static in_port_t port_of(struct live *l, int fd)
{
	union name n;
	socklen_t len = sizeof(n);

	(void)l->c->getsockname(fd, &n.sa, &len);
	return n.in.sin_port;
}

/* What a call has begun takes a moment, longer on a busy machine. */
static void wait_for(struct live *l, int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	(void)l->c->poll(&p, 1, 1000);
}

static void connect_to(struct live *l, int fd, const char *ip, uint16_t port_be)
{
	union name n;
	const socklen_t len = make_name(&n, ip, port_be);

	bed_log(&l->bed, "to %s ", ip);
	live_log(l, "connect", l->c->connect(fd, &n.sa, len));
}

static void send_to(struct live *l, int fd, const char *ip, uint16_t port_be)
{
	union name n;
	const socklen_t len = make_name(&n, ip, port_be);

	bed_log(&l->bed, "to %s ", ip);
	live_log(l, "send", l->c->sendto(fd, "hello", 5, 0, &n.sa, len));
}

static void log_v6only(struct live *l, int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);

	live_log(l, "IPV6_V6ONLY", l->c->getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len));
	bed_log(&l->bed, "%d\n", value);
}

/* ---- addresses -------------------------------------------------------------------------------- */

/* A socket that is bound to an address of IPv6 has IPV6_V6ONLY, and so have those that it accepts. */
static void v6only(struct live *l)
{
	for (size_t i = 0; i < OWN; i++)
		for (int k = 0; k < 2; k++) {
			const int fd = make(l, types[k], own[i]);
			int to, got;

			log_v6only(l, fd);
			if (types[k] == SOCK_DGRAM) {
				connect_to(l, fd, "::ffff:127.0.0.1", htons(9));
				connect_to(l, fd, "127.0.0.1", htons(9));
				l->c->close(fd);
				continue;
			}
			to = l->c->socket(AF_INET6, SOCK_STREAM, 0);
			live_log(l, "listen", l->c->listen(fd, 1));
			connect_to(l, to, own[i], port_of(l, fd));
			wait_for(l, fd, POLLIN);
			got = l->c->accept4(fd, NULL, NULL, 0);
			log_v6only(l, got);
			l->c->close(to);
			l->c->close(got);
			l->c->close(fd);
		}
}

/* One that is bound to a mapped address reaches this host at that of IPv4, and no address of IPv6. */
static void mapped(struct live *l)
{
	for (int k = 0; k < 2; k++) {
		const int fd = make(l, types[k], "::ffff:127.0.0.1");
		char text[INET6_ADDRSTRLEN] = "";
		union name n;
		socklen_t len = sizeof(n);

		if (types[k] == SOCK_DGRAM) {
			send_to(l, fd, "::1", port_of(l, fd));
			send_to(l, fd, "::", port_of(l, fd));
			live_sleep(2);
			live_log(l, "recv", l->c->recv(fd, text, 5, 0));
		}
		connect_to(l, fd, "::1", htons(9));
		connect_to(l, fd, "::", port_of(l, fd)); /* with itself */
		wait_for(l, fd, POLLOUT);
		live_log(l, "peer", l->c->getpeername(fd, &n.sa, &len));
		bed_log(&l->bed, "%s\n", inet_ntop(AF_INET6, &n.in6.sin6_addr, text, sizeof(text)));
		l->c->close(fd);
	}
}

/* Whether the name that a socket has or the one that it cannot have is wrong. */
static void bound_twice(struct live *l)
{
	for (int k = 0; k < 2; k++)
		for (int ip6 = 0; ip6 < 2; ip6++) {
			const int fd = make(l, types[k], ip6 ? "::1" : "127.0.0.1");
			union name n;
			socklen_t len = make_name(&n, ip6 ? "2001:db8::9" : "198.51.100.9", 0);

			live_log(l, "bind again", l->c->bind(fd, &n.sa, len));
			l->c->close(fd);
		}
}

static void port_0(struct live *l)
{
	const int fd = make(l, SOCK_DGRAM, "::1"), any = make(l, SOCK_DGRAM, "::");
	union name n;

	send_to(l, fd, "::1", 0);
	send_to(l, any, "::ffff:127.0.0.1", 0);
	(void)make_name(&n, "::1", htons(9));
	live_log(l, "short", l->c->sendto(fd, "hello", 5, 0, &n.sa, 20));
	connect_to(l, fd, "::1", port_of(l, any));
	live_log(l, "shutdown", l->c->shutdown(fd, SHUT_WR));
	send_to(l, fd, "::1", 0);
	live_log(l, "short", l->c->sendto(fd, "hello", 5, 0, &n.sa, 2));
	l->c->close(fd);
	l->c->close(any);
}

/* ---- connections ------------------------------------------------------------------------------ */

/* The first connect() after an attempt that does not wait says whether it has succeeded. */
static void told_once(struct live *l)
{
	const int listener = make(l, SOCK_STREAM, "127.0.0.1");

	live_log(l, "listen", l->c->listen(listener, 5));
	for (int how = -1; how < 3; how++) {
		const int fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		union name n;

		connect_to(l, fd, "127.0.0.1", port_of(l, listener));
		live_sleep(2);
		(void)make_name(&n, "127.0.0.1", htons(9));
		live_log(l, "no name", l->c->connect(fd, &n.sa, 0));
		if (how >= 0)
			live_log(l, "shutdown", l->c->shutdown(fd, how));
		connect_to(l, fd, "127.0.0.1", htons(9));
		connect_to(l, fd, "127.0.0.1", htons(9));
		l->c->close(fd);
	}
	l->c->close(listener);
}

/* An accepted connection that has been reset has no port of its own: it can be bound. */
static void bound_after_reset(struct live *l)
{
	const struct linger now = {.l_onoff = 1};
	const int listener = make(l, SOCK_STREAM, "::ffff:127.0.0.1"), zero = 0;
	const int to = l->c->socket(AF_INET6, SOCK_STREAM, 0);
	in_port_t before;
	union name n;
	int got;

	live_log(l, "listen", l->c->listen(listener, 1));
	connect_to(l, to, "::ffff:127.0.0.1", port_of(l, listener));
	wait_for(l, listener, POLLIN);
	got = l->c->accept4(listener, NULL, NULL, 0);
	live_log(l, "V6ONLY",
	         l->c->setsockopt(got, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)));
	live_log(l, "linger", l->c->setsockopt(to, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	l->c->close(to);
	live_sleep(2);
	live_log(l, "V6ONLY",
	         l->c->setsockopt(got, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)));
	before = port_of(l, got);
	live_log(l, "bind", l->c->bind(got, &n.sa, make_name(&n, "::ffff:127.0.0.1", 0)));
	bed_log(&l->bed, "another port: %d\n", port_of(l, got) != before);
	l->c->close(got);
	l->c->close(listener);
}

/* ---- options ---------------------------------------------------------------------------------- */

static void options(struct live *l)
{
	static const int names[] = {IP_MULTICAST_TTL, IP_RECVFRAGSIZE};
	const int fd = l->c->socket(AF_INET, SOCK_STREAM, 0), one = 1;
	int value;
	socklen_t len;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = sizeof(value);
		live_log(l, "set", l->c->setsockopt(fd, IPPROTO_IP, names[i], &one, sizeof(one)));
		live_log(l, "get", l->c->getsockopt(fd, IPPROTO_IP, names[i], &value, &len));
		bed_log(&l->bed, "%d\n", value);
	}
	for (socklen_t room = 0; room < 6; room++) {
		len = room;
		live_log(l, "get", l->c->getsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &value, &len));
		bed_log(&l->bed, "%u of %u\n", len, room);
	}
	l->c->close(fd);
}

static const struct live_case cases[] = {
    {"IPV6_V6ONLY", v6only}, {"mapped", mapped},       {"bound twice", bound_twice},
    {"port 0", port_0},      {"told once", told_once}, {"bound after a reset", bound_after_reset},
    {"options", options},
};

LIVE_MAIN("posix/mixed", cases)
