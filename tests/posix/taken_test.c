/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may have a port that connections have, or had a moment ago, while nobody listens there any more.
 */
#include "live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { REUSEADDR = 1, REUSEPORT = 2, WAYS = 4 };

/* ---- those who have it ------------------------------------------------------------------------ */

/* A connection of the near side, and its ends as far as they are open. */
struct holder {
	int near, far;
	struct sockaddr_in name; /* of the near end: its address differs between the beds */
};

static void set(struct live *l, int fd, int level, int name, int on)
{
	if (l->c->setsockopt(fd, level, name, &on, sizeof(on)) != 0)
		abort();
}

static int make_socket(struct live *l, int domain, unsigned how)
{
	const int fd = l->c->socket(domain, SOCK_STREAM, 0);

	if (fd < 0)
		abort();
	set(l, fd, SOL_SOCKET, SO_REUSEADDR, (how & REUSEADDR) != 0);
	set(l, fd, SOL_SOCKET, SO_REUSEPORT, (how & REUSEPORT) != 0);
	return fd;
}

static struct sockaddr_in name_of(struct live *l, int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (l->c->getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	return a;
}

static void accept_at(struct live *l, int listener, const struct sockaddr *at, socklen_t len,
                      struct holder *h)
{
	if (l->c->bind(listener, at, len) != 0 || l->c->listen(listener, 1) != 0)
		abort();
	h->name = bed_addr(&l->bed, NEAR, ntohs(name_of(l, listener).sin_port));
	h->far = live_far_connect(l, &h->name);
	h->near = l->c->accept4(listener, NULL, NULL, 0);
	if (h->near < 0)
		abort();
	l->c->close(listener);
}

static void accept_one(struct live *l, unsigned how, struct holder *h)
{
	struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);
	const int listener = make_socket(l, AF_INET, how);

	a.sin_addr.s_addr = INADDR_ANY;
	accept_at(l, listener, (struct sockaddr *)&a, sizeof(a), h);
}

static int far_listener(struct live *l, struct sockaddr_in *a)
{
	struct bed *b = &l->bed;
	const int fd = b->call->socket(b, FAR, AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(*a);

	*a = bed_addr(b, FAR, 0);
	if (b->call->bind(b, FAR, fd, (struct sockaddr *)a, len) != 0 ||
	    b->call->listen(b, FAR, fd, 1) != 0 ||
	    b->call->getsockname(b, FAR, fd, (struct sockaddr *)a, &len) != 0)
		abort();
	return fd;
}

static void connect_from(struct live *l, int fd, struct holder *h)
{
	struct sockaddr_in to;
	const int listener = far_listener(l, &to);

	h->near = fd;
	if (l->c->connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		abort();
	live_sleep(2);
	h->far = l->bed.call->accept(&l->bed, FAR, listener, NULL, NULL);
	if (h->far < 0)
		abort();
	l->bed.call->close(&l->bed, FAR, listener);
	h->name = name_of(l, fd);
}

static void connect_one(struct live *l, unsigned how, struct holder *h)
{
	connect_from(l, make_socket(l, AF_INET, how), h);
}

static void bind_and_connect(struct live *l, unsigned how, struct holder *h)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	const int fd = make_socket(l, AF_INET, how);

	if (l->c->bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		abort();
	connect_from(l, fd, h);
}

/* The same with a port that it asks for: Linux does not give such a port back before the socket is closed. */
static void ask_and_connect(struct live *l, unsigned how, struct holder *h)
{
	const int fd = make_socket(l, AF_INET, how), before = make_socket(l, AF_INET, how);
	struct sockaddr_in any = {.sin_family = AF_INET};

	if (l->c->bind(before, (struct sockaddr *)&any, sizeof(any)) != 0)
		abort();
	any.sin_port = name_of(l, before).sin_port;
	l->c->close(before);
	if (l->c->bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		abort();
	connect_from(l, fd, h);
}

/* ::ffff: and an address */
static struct sockaddr_in6 map(const struct sockaddr_in *a)
{
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = a->sin_port};

	(void)inet_pton(AF_INET6, "::ffff:0.0.0.0", &mapped.sin6_addr);
	memcpy(&mapped.sin6_addr.s6_addr[12], &a->sin_addr, 4);
	return mapped;
}

static void mapped_accept(struct live *l, unsigned how, struct holder *h)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	const int listener = make_socket(l, AF_INET6, how);

	accept_at(l, listener, (struct sockaddr *)&any, sizeof(any), h);
}

/* ---- how far they are ------------------------------------------------------------------------- */

static void close_near(struct live *l, struct holder *h)
{
	l->c->close(h->near);
	h->near = -1;
	live_sleep(2);
}

static void close_far(struct live *l, struct holder *h)
{
	l->bed.call->close(&l->bed, FAR, h->far);
	h->far = -1;
	live_sleep(2);
}

static void stay(struct live *l, struct holder *h)
{
	(void)l, (void)h;
}

static void near_first(struct live *l, struct holder *h)
{
	close_near(l, h);
	close_far(l, h);
}

static void far_first(struct live *l, struct holder *h)
{
	close_far(l, h);
	close_near(l, h);
}

static void stay_in_time_wait(struct live *l, struct holder *h)
{
	(void)l->c->shutdown(h->near, SHUT_WR);
	live_sleep(2);
	close_far(l, h);
}

static void reset(struct live *l, struct holder *h)
{
	const struct linger now = {.l_onoff = 1};

	(void)l->bed.call->setsockopt(&l->bed, FAR, h->far, SOL_SOCKET, SO_LINGER, &now,
	                              sizeof(now));
	close_far(l, h);
}

static void take_back(struct live *l, struct holder *h)
{
	set(l, h->near, SOL_SOCKET, SO_REUSEADDR, 0);
}

static void allow_late(struct live *l, struct holder *h)
{
	set(l, h->near, SOL_SOCKET, SO_REUSEADDR, 1);
}

/* ---- those who want it ------------------------------------------------------------------------ */

static const char *const places[] = {"any4", "own4", "other4", "any6", "only6", "mapped own4"};
#define PLACES (sizeof(places) / sizeof(places[0]))

union name {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Another address of the near side. */
static struct in_addr other(const struct live *l, struct in_addr own)
{
	const struct in_addr loopback = {htonl(INADDR_LOOPBACK)};

	return own.s_addr == loopback.s_addr ? bed_addr(&l->bed, NEAR, 0).sin_addr : loopback;
}

static socklen_t make_name(const struct live *l, unsigned place, const struct sockaddr_in *own,
                           union name *n)
{
	memset(n, 0, sizeof(*n));
	if (place < 3) {
		n->in = *own;
		if (place != 1)
			n->in.sin_addr =
			    place == 2 ? other(l, own->sin_addr) : (struct in_addr){INADDR_ANY};
		return sizeof(n->in);
	}
	n->in6.sin6_family = AF_INET6;
	n->in6.sin6_port = own->sin_port;
	if (place == 5)
		n->in6 = map(own);
	return sizeof(n->in6);
}

static void want(struct live *l, unsigned place, unsigned how, const struct sockaddr_in *own)
{
	const int fd = make_socket(l, place < 3 ? AF_INET : AF_INET6, how);
	union name n;
	const socklen_t len = make_name(l, place, own, &n);

	if (place == 4)
		set(l, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	bed_log(&l->bed, "  %s with %x: ", places[place], how);
	if (l->c->bind(fd, &n.sa, len) != 0)
		bed_log(&l->bed, "%s\n", bed_errno(errno));
	else
		bed_log(&l->bed, "bound, %s\n",
		        l->c->listen(fd, 1) == 0 ? "listens" : bed_errno(errno));
	l->c->close(fd);
}

typedef void make_fn(struct live *l, unsigned how, struct holder *h);
typedef void bring_fn(struct live *l, struct holder *h);

static void try_all(struct live *l, make_fn *make, bring_fn *bring)
{
	for (unsigned first = 0; first < WAYS; first++) {
		struct holder h;

		make(l, first, &h);
		bring(l, &h);
		bed_log(&l->bed, "had with %x\n", first);
		for (unsigned how = 0; how < WAYS; how++)
			for (unsigned place = 0; place < PLACES; place++)
				want(l, place, how, &h.name);
		if (h.near >= 0)
			l->c->close(h.near);
		if (h.far >= 0)
			l->bed.call->close(&l->bed, FAR, h.far);
	}
}

/* How a connection may go on that a socket has come to by make. */
static void bring_all(struct live *l, make_fn *make, bring_fn *const *brings)
{
	for (; *brings != NULL; brings++)
		try_all(l, make, *brings);
}

static void accepted(struct live *l)
{
	static bring_fn *const brings[] = {stay, take_back, allow_late, NULL};

	bring_all(l, accept_one, brings);
}

static void accepted_over(struct live *l)
{
	static bring_fn *const brings[] = {close_near,        near_first, far_first,
	                                   stay_in_time_wait, reset,      NULL};

	bring_all(l, accept_one, brings);
}

static void connected(struct live *l)
{
	static bring_fn *const brings[] = {
	    stay, close_near, near_first, far_first, stay_in_time_wait, reset, NULL};

	bring_all(l, connect_one, brings);
}

static void bound(struct live *l)
{
	static bring_fn *const brings[] = {stay,  close_near, near_first, stay_in_time_wait,
	                                   reset, NULL};

	bring_all(l, bind_and_connect, brings);
}

static void asked(struct live *l)
{
	static bring_fn *const brings[] = {stay,  near_first, far_first, stay_in_time_wait,
	                                   reset, NULL};

	bring_all(l, ask_and_connect, brings);
}

/* What the socket itself may do when its connection is over. */
static void bind_again(struct live *l)
{
	static make_fn *const makes[] = {accept_one, connect_one, bind_and_connect,
	                                 ask_and_connect};
	static bring_fn *const brings[] = {stay, reset, stay_in_time_wait};
	struct sockaddr_in any = {.sin_family = AF_INET}, name;

	for (unsigned m = 0; m < sizeof(makes) / sizeof(makes[0]); m++)
		for (unsigned i = 0; i < sizeof(brings) / sizeof(brings[0]); i++) {
			struct holder h;

			makes[m](l, 0, &h);
			brings[i](l, &h);
			bed_log(&l->bed, "%u, %u\n", m, i);
			name = name_of(l, h.near);
			bed_log(&l->bed, "its name: %d\n",
			        name.sin_port == h.name.sin_port &&
			            name.sin_addr.s_addr == h.name.sin_addr.s_addr);
			live_log(l, "bind",
			         l->c->bind(h.near, (struct sockaddr *)&any, sizeof(any)));
			live_log(l, "listen", l->c->listen(h.near, 1));
			live_log(l, "bind",
			         l->c->bind(h.near, (struct sockaddr *)&any, sizeof(any)));
			l->c->close(h.near);
			if (h.far >= 0)
				l->bed.call->close(&l->bed, FAR, h.far);
		}
}

/* A socket that was refused and tries another peer: its name in between and after. */
static void refused(struct live *l)
{
	struct sockaddr_in to, name;
	const int other_end = far_listener(l, &to);

	for (int kind = 0; kind < 3; kind++) {
		const int fd = make_socket(l, AF_INET, 0);
		struct sockaddr_in a = {.sin_family = AF_INET}, nobody = to;
		uint16_t before = 0;

		if (kind == 1)
			a = bed_addr(&l->bed, NEAR, 0);
		if (kind > 0)
			live_log(l, "bind", l->c->bind(fd, (struct sockaddr *)&a, sizeof(a)));
		before = name_of(l, fd).sin_port;
		nobody.sin_port = htons(1);
		live_log(l, "refused", l->c->connect(fd, (struct sockaddr *)&nobody, sizeof(to)));
		name = name_of(l, fd);
		bed_log(&l->bed, "address %d, port %d, same %d\n", name.sin_addr.s_addr != 0,
		        name.sin_port != 0, name.sin_port == before);
		live_log(l, "accepted", l->c->connect(fd, (struct sockaddr *)&to, sizeof(to)));
		name = name_of(l, fd);
		bed_log(&l->bed, "address %d, port %d\n", name.sin_addr.s_addr != 0,
		        name.sin_port != 0);
		if (kind == 1)
			bed_log(&l->bed, "its own %d\n", name.sin_addr.s_addr == a.sin_addr.s_addr);
		l->c->close(fd);
		live_sleep(2);
		l->bed.call->close(&l->bed, FAR,
		                   l->bed.call->accept(&l->bed, FAR, other_end, NULL, NULL));
	}
	l->bed.call->close(&l->bed, FAR, other_end);
}

static void bound_to_both(struct live *l)
{
	static bring_fn *const brings[] = {stay, near_first, NULL};

	bring_all(l, mapped_accept, brings);
}

static const struct live_case cases[] = {
    {"an accepted connection", accepted},
    {"an accepted connection that has ended", accepted_over},
    {"a connection of connect()", connected},
    {"a connection of a bound socket", bound},
    {"a connection of a socket bound to a port that it asked for", asked},
    {"bind() when a connection is over", bind_again},
    {"connect() after a refusal", refused},
    {"a connection of a socket of both families", bound_to_both},
};

LIVE_MAIN("posix/taken", cases)
