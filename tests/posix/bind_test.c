/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may have a port that somebody has: pairs of addresses of both families, with SO_REUSEADDR and SO_REUSEPORT of
 * either socket, bound and listening.
 */
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANY4_MAPPED "::ffff:0.0.0.0"
#define MAPPED_ANY  3 /* in places */
#define FIRST_PORT  54310
#define PORTS       8

enum { REUSEADDR = 1, REUSEPORT = 2, V6ONLY = 4, LISTENS = 8 };

union name {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Of the near side, by its place in the list: names differ between the beds. */
static const char *const places[] = {"any4", "near4", "any6", "mapped any4", "mapped near4"};

static socklen_t make_name(const struct live *l, unsigned place, uint16_t port_be, union name *n)
{
	const struct sockaddr_in near = bed_addr(&l->bed, NEAR, 0);

	memset(n, 0, sizeof(*n));
	if (place < 2) {
		n->in = near;
		n->in.sin_port = port_be;
		if (place == 0)
			n->in.sin_addr.s_addr = INADDR_ANY;
		return sizeof(n->in);
	}
	n->in6.sin6_family = AF_INET6;
	n->in6.sin6_port = port_be;
	if (place > 2)
		(void)inet_pton(AF_INET6, ANY4_MAPPED, &n->in6.sin6_addr);
	if (place == 4)
		memcpy(&n->in6.sin6_addr.s6_addr[12], &near.sin_addr, 4);
	return sizeof(n->in6);
}

static void set(struct live *l, int fd, int level, int name, bool on)
{
	const int one = 1;

	if (on)
		(void)l->c->setsockopt(fd, level, name, &one, sizeof(one));
}

/* A socket at a place. *port_be: 0 gets what it was given. Returns it, or -1 with errno. */
static int bind_one(struct live *l, int type, unsigned place, unsigned how, uint16_t *port_be)
{
	int fd = l->c->socket(place < 2 ? AF_INET : AF_INET6, type, 0), error;
	union name n;
	socklen_t len = make_name(l, place, *port_be, &n);

	set(l, fd, SOL_SOCKET, SO_REUSEADDR, how & REUSEADDR);
	set(l, fd, SOL_SOCKET, SO_REUSEPORT, how & REUSEPORT);
	set(l, fd, IPPROTO_IPV6, IPV6_V6ONLY, how & V6ONLY);
	if (l->c->bind(fd, &n.sa, len) == 0 && (!(how & LISTENS) || l->c->listen(fd, 1) == 0)) {
		(void)l->c->getsockname(fd, &n.sa, &len);
		*port_be = n.in.sin_port;
		return fd;
	}
	error = errno;
	l->c->close(fd);
	errno = error;
	return -1;
}

static void log_pair(struct live *l, int type, const unsigned place[2], const unsigned how[2])
{
	uint16_t port = 0;
	int a = bind_one(l, type, place[0], how[0], &port), b;

	bed_log(&l->bed, "%s %x, %s %x: ", places[place[0]], how[0], places[place[1]], how[1]);
	if (a < 0) {
		bed_log(&l->bed, "no first: %s\n", bed_errno(errno));
		return;
	}
	b = bind_one(l, type, place[1], how[1], &port);
	bed_log(&l->bed, "%s\n", b < 0 ? bed_errno(errno) : "both");
	l->c->close(a);
	if (b >= 0)
		l->c->close(b);
}

/* docs/not-implemented.md: the mapped unspecified address counts for both families. */
static bool is_left_out(unsigned i, unsigned k, unsigned how)
{
	return (how & V6ONLY) && (i == MAPPED_ANY || k == MAPPED_ANY);
}

/* All pairs of places; the first socket has one set of options, the second another. */
static void all_pairs(struct live *l, int type, unsigned first, unsigned second)
{
	for (unsigned i = 0; i < 5; i++)
		for (unsigned k = 0; k < 5; k++)
			if (!is_left_out(i, k, first | second))
				log_pair(l, type, (const unsigned[]){i, k},
				         (const unsigned[]){first, second});
}

static void of_type(struct live *l, int type, unsigned more)
{
	for (unsigned first = 0; first < 4; first++)
		for (unsigned second = 0; second < 4; second++)
			all_pairs(l, type, first | more, second | more);
}

static void bound(struct live *l)
{
	of_type(l, SOCK_STREAM, 0);
}

static void listening(struct live *l)
{
	of_type(l, SOCK_STREAM, LISTENS);
}

static void datagrams(struct live *l)
{
	of_type(l, SOCK_DGRAM, 0);
}

/* A listener beside a socket that is only bound. */
static void one_listens(struct live *l)
{
	for (unsigned first = 0; first < 4; first++) {
		all_pairs(l, SOCK_STREAM, first | LISTENS, first);
		all_pairs(l, SOCK_STREAM, first, first | LISTENS);
	}
}

static void v6only(struct live *l)
{
	for (unsigned first = 0; first < 4; first++) {
		all_pairs(l, SOCK_STREAM, V6ONLY | first, first);
		all_pairs(l, SOCK_STREAM, first, V6ONLY | first);
		all_pairs(l, SOCK_STREAM, V6ONLY | LISTENS | first, LISTENS | first);
		all_pairs(l, SOCK_DGRAM, V6ONLY | first, first);
	}
}

/* ---- ephemeral ports -------------------------------------------------------------------------- */

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

static int set_range(struct live *l, int fd, uint32_t first, uint32_t last)
{
	const uint32_t range = last << 16 | first;

	return l->c->setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range));
}

static uint16_t port_of(struct live *l, int fd)
{
	struct sockaddr_in a = {.sin_port = 0};
	socklen_t len = sizeof(a);

	(void)l->c->getsockname(fd, (struct sockaddr *)&a, &len);
	return ntohs(a.sin_port);
}

static in_addr_t addr_of(struct live *l, int fd)
{
	struct sockaddr_in a = {.sin_port = 0};
	socklen_t len = sizeof(a);

	(void)l->c->getsockname(fd, (struct sockaddr *)&a, &len);
	return a.sin_addr.s_addr;
}

/* IP_LOCAL_PORT_RANGE: each port once, and then none */
static void range_of_type(struct live *l, int type)
{
	const struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);
	int fd[PORTS + 1];
	uint32_t range = 1;
	socklen_t len = sizeof(range);
	unsigned seen = 0;

	for (int i = 0; i <= PORTS; i++) {
		fd[i] = l->c->socket(AF_INET, type, 0);
		live_log(l, "set", set_range(l, fd[i], FIRST_PORT, FIRST_PORT + PORTS - 1));
		live_log(l, "bind", l->c->bind(fd[i], (const struct sockaddr *)&a, sizeof(a)));
		if (i < PORTS)
			seen |= 1u << ((port_of(l, fd[i]) - FIRST_PORT) & 31);
	}
	bed_log(&l->bed, "ports %x\n", seen);
	live_log(l, "get", l->c->getsockopt(fd[0], IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &len));
	bed_log(&l->bed, "%x\n", range);
	live_log(l, "upside down", set_range(l, fd[0], 50001, 50000));
	live_log(l, "none", set_range(l, fd[0], 0, 0));
	live_log(l, "short", l->c->setsockopt(fd[0], IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, 2));
	for (int i = 0; i <= PORTS; i++)
		l->c->close(fd[i]);
}

static void port_range(struct live *l)
{
	range_of_type(l, SOCK_STREAM);
	range_of_type(l, SOCK_DGRAM);
}

/* IP_BIND_ADDRESS_NO_PORT: the port comes with the peer */
static void no_port(struct live *l)
{
	const struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0), to = bed_addr(&l->bed, FAR, 9);
	int fd = l->c->socket(AF_INET, SOCK_STREAM, 0);

	set(l, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, true);
	live_log(l, "bind", l->c->bind(fd, (const struct sockaddr *)&a, sizeof(a)));
	bed_log(&l->bed, "a port: %d\n", port_of(l, fd) != 0);
	live_log(l, "bind", l->c->bind(fd, (const struct sockaddr *)&a, sizeof(a)));
	live_log(l, "connect", l->c->connect(fd, (const struct sockaddr *)&to, sizeof(to)));
	l->c->close(fd);
	fd = l->c->socket(AF_INET, SOCK_STREAM, 0);
	set(l, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, true);
	live_log(l, "bind", l->c->bind(fd, (const struct sockaddr *)&a, sizeof(a)));
	live_log(l, "listen", l->c->listen(fd, 1));
	bed_log(&l->bed, "a port: %d\n", port_of(l, fd) != 0);
	l->c->close(fd);
	fd = l->c->socket(AF_INET, SOCK_STREAM, 0); /* the option alone binds to nothing */
	set(l, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, true);
	live_log(l, "connect", l->c->connect(fd, (const struct sockaddr *)&to, sizeof(to)));
	bed_log(&l->bed, "an address: %d\n", addr_of(l, fd) != 0);
	l->c->close(fd);
}

/* Ports that no run before this one has had: the kernel's stay in TIME-WAIT for a minute. */
static uint16_t fresh_ports(void)
{
	static unsigned runs;

	return (uint16_t)(34000 + (unsigned)getpid() % 1000 * 16 + runs++ % 8 * 2);
}

/* Of two ports one is in TIME-WAIT: the next socket is given the other. */
static void after_time_wait(struct live *l)
{
	struct sockaddr_in near = bed_addr(&l->bed, NEAR, 0), to = bed_addr(&l->bed, FAR, 0);
	const int listener = l->bed.call->socket(&l->bed, FAR, AF_INET, SOCK_STREAM, 0);
	const uint16_t first = fresh_ports();
	socklen_t len = sizeof(to);
	int fd[2], far;

	if (l->bed.call->bind(&l->bed, FAR, listener, (struct sockaddr *)&to, len) != 0 ||
	    l->bed.call->listen(&l->bed, FAR, listener, 1) != 0 ||
	    l->bed.call->getsockname(&l->bed, FAR, listener, (struct sockaddr *)&to, &len) != 0)
		abort();
	for (int i = 0; i < 2; i++) {
		fd[i] = l->c->socket(AF_INET, SOCK_STREAM, 0);
		live_log(l, "range", set_range(l, fd[i], first, first + 1));
		live_log(l, "bind", l->c->bind(fd[i], (struct sockaddr *)&near, len));
		if (i > 0)
			continue;
		live_log(l, "connect", l->c->connect(fd[0], (struct sockaddr *)&to, len));
		live_sleep(2);
		far = l->bed.call->accept(&l->bed, FAR, listener, NULL, NULL);
		live_log(l, "shutdown", l->c->shutdown(fd[0], SHUT_WR));
		live_sleep(2);
		l->bed.call->close(&l->bed, FAR, far);
		live_sleep(2);
		l->c->close(fd[0]);
	}
	live_log(l, "connect", l->c->connect(fd[1], (struct sockaddr *)&to, len));
	l->c->close(fd[1]);
	l->bed.call->close(&l->bed, FAR, listener);
}

/* ---- who is served ---------------------------------------------------------------------------- */

#define OF_EACH 3

/* Something comes for the port that sockets of two places share: those of which place have it. */
static void log_served(struct live *l, int type, const unsigned place[2], struct pollfd *p)
{
	bool served[2] = {false, false};

	if (l->c->poll(p, 2 * OF_EACH, 5000) < 1)
		bed_log(&l->bed, "nobody");
	for (int i = 0; i < 2 * OF_EACH; i++)
		served[i % 2] |= p[i].revents != 0;
	for (int i = 0; i < 2; i++)
		if (served[i])
			bed_log(&l->bed, "%s, ", places[place[i]]);
	bed_log(&l->bed, "%s\n", type == SOCK_STREAM ? "connection" : "datagram");
}

static int come(struct live *l, int type, uint16_t port_be)
{
	struct sockaddr_in to = bed_addr(&l->bed, NEAR, 0);
	int fd;

	to.sin_port = port_be;
	if (type == SOCK_STREAM)
		return live_far_connect(l, &to);
	fd = l->bed.call->socket(&l->bed, FAR, AF_INET, SOCK_DGRAM, 0);
	if (l->bed.call->sendto(&l->bed, FAR, fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) !=
	    1)
		abort();
	return fd;
}

static void try_served(struct live *l, int type, const unsigned place[2])
{
	const unsigned how = REUSEPORT | (type == SOCK_STREAM ? LISTENS : 0);
	struct pollfd p[2 * OF_EACH];
	uint16_t port = 0;
	int far;

	bed_log(&l->bed, "%s before %s: ", places[place[0]], places[place[1]]);
	for (int i = 0; i < 2 * OF_EACH; i++)
		p[i] = (struct pollfd){.fd = bind_one(l, type, place[i % 2], how, &port),
		                       .events = POLLIN};
	far = come(l, type, port);
	log_served(l, type, place, p);
	l->bed.call->close(&l->bed, FAR, far);
	for (int i = 0; i < 2 * OF_EACH; i++)
		l->c->close(p[i].fd);
}

static void served(struct live *l)
{
	for (unsigned i = 0; i < 5; i++)
		for (unsigned k = 0; k < 5; k++) {
			const unsigned place[2] = {i, k};

			/* Linux tells such two apart by what came first in a chain */
			if (i == k || (i == 2 && k == MAPPED_ANY) || (i == MAPPED_ANY && k == 2))
				continue;
			try_served(l, SOCK_STREAM, place);
			try_served(l, SOCK_DGRAM, place);
		}
}

static const struct live_case cases[] = {
    {"bound", bound},
    {"listening", listening},
    {"one listens", one_listens},
    {"datagrams", datagrams},
    {"IPV6_V6ONLY", v6only},
    {"IP_LOCAL_PORT_RANGE", port_range},
    {"IP_BIND_ADDRESS_NO_PORT", no_port},
    {"a port after TIME-WAIT", after_time_wait},
    {"who is served", served},
};

LIVE_MAIN("posix/bind", cases)
