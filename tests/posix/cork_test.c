/* SPDX-License-Identifier: BSD-2-Clause */
/* One datagram made of several calls: MSG_MORE and UDP_CORK. */
#include "live.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

static char buf[70000];

struct corked {
	struct live *l;
	int near, far, other;
	struct sockaddr_in to, to_other;
};

static int far_socket(struct live *l, struct sockaddr_in *a)
{
	struct bed *b = &l->bed;
	socklen_t len = sizeof(*a);
	int fd = b->call->socket(b, FAR, AF_INET, SOCK_DGRAM, 0);

	*a = bed_addr(b, FAR, 0);
	if (b->call->bind(b, FAR, fd, (struct sockaddr *)a, len) != 0 ||
	    b->call->getsockname(b, FAR, fd, (struct sockaddr *)a, &len) != 0)
		abort();
	return fd;
}

static void begin(struct live *l, struct corked *c)
{
	c->l = l;
	c->near = l->c->socket(AF_INET, SOCK_DGRAM, 0);
	c->far = far_socket(l, &c->to);
	c->other = far_socket(l, &c->to_other);
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)('a' + i % 26);
}

static void end(struct corked *c)
{
	c->l->c->close(c->near);
	c->l->bed.call->close(&c->l->bed, FAR, c->far);
	c->l->bed.call->close(&c->l->bed, FAR, c->other);
}

/* What has come to one of the far sockets. */
static void heard(struct corked *c, int fd)
{
	static char got[sizeof(buf)];
	struct bed *b = &c->l->bed;
	ssize_t n;

	live_sleep(2);
	bed_log(b, "%s:", fd == c->far ? "far" : "other");
	while ((n = b->call->recvfrom(b, FAR, fd, got, sizeof(got), 0, NULL, NULL)) >= 0) {
		unsigned sum = 0;

		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)got[i];
		bed_log(b, " %zd (%08x)", n, sum);
	}
	bed_log(b, "\n");
}

static void say(struct corked *c, const char *what, size_t from, size_t n, int flags,
                const struct sockaddr_in *to)
{
	live_log(c->l, what,
	         c->l->c->sendto(c->near, buf + from, n, flags, (const struct sockaddr *)to,
	                         to != NULL ? sizeof(*to) : 0));
}

static void cork(struct corked *c, int on)
{
	socklen_t len = sizeof(on);

	live_log(c->l, on ? "cork" : "uncork",
	         c->l->c->setsockopt(c->near, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)));
	live_log(c->l, "get", c->l->c->getsockopt(c->near, IPPROTO_UDP, UDP_CORK, &on, &len));
	bed_log(&c->l->bed, "%d\n", on);
}

static bool has_port(struct corked *c)
{
	struct sockaddr_in a = {.sin_port = 0};
	socklen_t len = sizeof(a);

	(void)c->l->c->getsockname(c->near, (struct sockaddr *)&a, &len);
	return a.sin_port != 0;
}

static void more(struct live *l)
{
	struct sockaddr_in zero;
	struct corked c;

	begin(l, &c);
	say(&c, "for nobody", 0, 5, MSG_MORE, NULL);
	zero = c.to;
	zero.sin_port = 0;
	say(&c, "port 0", 0, 5, MSG_MORE, &zero);
	say(&c, "first", 0, 5, MSG_MORE, &c.to);
	bed_log(&l->bed, "a port: %d\n", has_port(&c));
	heard(&c, c.far);
	say(&c, "for nobody", 5, 6, MSG_MORE, NULL);
	say(&c, "for port 0", 11, 1, MSG_MORE, &zero);
	say(&c, "for another", 12, 7, 0, &c.to_other);
	heard(&c, c.far);
	heard(&c, c.other);
	say(&c, "for nobody", 5, 6, 0, NULL);
	say(&c, "alone", 3, 8, 0, &c.to_other);
	heard(&c, c.other);
	say(&c, "nothing", 0, 0, MSG_MORE, &c.to);
	say(&c, "and nothing", 0, 0, 0, &c.to);
	heard(&c, c.far);
	end(&c);
}

static void corked(struct live *l)
{
	struct iovec v[2] = {{buf, 10}, {buf + 30, 20}};
	struct corked c;

	begin(l, &c);
	cork(&c, 1);
	say(&c, "first", 0, 5, 0, &c.to);
	say(&c, "second", 5, 1000, 0, NULL);
	live_log(l, "write", l->c->write(c.near, buf, 7));
	live_log(l, "writev", l->c->writev(c.near, v, 2));
	heard(&c, c.far);
	cork(&c, 0);
	heard(&c, c.far);
	live_log(l, "connect", l->c->connect(c.near, (struct sockaddr *)&c.to_other, sizeof(c.to)));
	say(&c, "to the peer", 0, 5, 0, NULL);
	say(&c, "more", 0, 5, MSG_MORE, NULL);
	cork(&c, 0);
	heard(&c, c.other);
	cork(&c, 7);
	cork(&c, 0);
	heard(&c, c.other);
	end(&c);
}

static void large(struct live *l)
{
	struct corked c;

	begin(l, &c);
	say(&c, "first", 0, 40000, MSG_MORE, &c.to);
	say(&c, "second", 1, 25507, MSG_MORE, NULL);
	say(&c, "too much", 0, 1, 0, NULL);
	heard(&c, c.far);
	say(&c, "nothing is left", 0, 1, 0, NULL);
	say(&c, "first", 0, 1400, MSG_MORE, &c.to);
	for (size_t i = 1; i < 30; i++)
		say(&c, "more", i, 2000, i < 29 ? MSG_MORE : 0, NULL);
	heard(&c, c.far);
	end(&c);
}

/* What is held when a socket ends is never sent. */
static void left(struct live *l)
{
	struct corked c;
	int fd;

	begin(l, &c);
	say(&c, "first", 0, 5000, MSG_MORE, &c.to);
	fd = l->c->dup(c.near);
	l->c->close(c.near);
	c.near = fd;
	say(&c, "second", 0, 10, MSG_MORE, NULL);
	live_log(l, "shutdown", l->c->shutdown(c.near, SHUT_WR));
	l->c->close(c.near);
	heard(&c, c.far);
	c.near = l->c->socket(AF_INET, SOCK_DGRAM, 0);
	say(&c, "another", 0, 10, 0, &c.to);
	heard(&c, c.far);
	end(&c);
}

/* UDP_SEGMENT: what several calls have made is cut as that of one */
static void segments(struct live *l)
{
	struct corked c;
	int size = 600, whole = IP_PMTUDISC_DO;

	begin(l, &c);
	live_log(l, "set", l->c->setsockopt(c.near, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)));
	say(&c, "first", 0, 1000, MSG_MORE, &c.to);
	say(&c, "second", 1000, 900, 0, NULL);
	heard(&c, c.far);
	live_log(l, "no fragments",
	         l->c->setsockopt(c.near, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof(whole)));
	say(&c, "first", 0, 1000, MSG_MORE, &c.to);
	say(&c, "second", 1000, 900, 0, NULL);
	heard(&c, c.far);
	end(&c);
}

static const struct live_case cases[] = {
    {"MSG_MORE", more},     {"UDP_CORK", corked},      {"large", large},
    {"what is left", left}, {"UDP_SEGMENT", segments},
};

LIVE_MAIN("posix/cork", cases)
