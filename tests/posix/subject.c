/* SPDX-License-Identifier: BSD-2-Clause */
#include "subject.h"

#include <fcntl.h>
#include <stdlib.h>

static char buf[4096];

/* ---- states ----------------------------------------------------------------------------------- */

static void wait_for(struct live *l, int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (l->c->poll(&p, 1, 5000) != 1)
		abort();
}

static void bind_near(struct live *l, struct subject *s)
{
	socklen_t len = sizeof(s->self);

	s->self = bed_addr(&l->bed, NEAR, 0);
	if (l->c->bind(s->fd, (struct sockaddr *)&s->self, len) != 0 ||
	    l->c->getsockname(s->fd, (struct sockaddr *)&s->self, &len) != 0)
		abort();
}

static void fresh(struct live *l, struct subject *s)
{
	s->fd = l->c->socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static void bound(struct live *l, struct subject *s)
{
	fresh(l, s);
	bind_near(l, s);
}

static void listening(struct live *l, struct subject *s)
{
	bound(l, s);
	if (l->c->listen(s->fd, 3) != 0)
		abort();
}

static void acceptable(struct live *l, struct subject *s)
{
	listening(l, s);
	s->far = live_far_connect(l, &s->self);
	wait_for(l, s->fd, POLLIN);
}

static void refused(struct live *l, struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 9);

	fresh(l, s);
	(void)l->c->connect(s->fd, (struct sockaddr *)&a, sizeof(a));
	wait_for(l, s->fd, POLLIN);
}

static void connected(struct live *l, struct subject *s)
{
	int fd[2];

	live_pair(l, fd);
	s->fd = fd[NEAR];
	s->far = fd[FAR];
	if (l->c->fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0)
		abort();
}

static void with_data(struct live *l, struct subject *s)
{
	connected(l, s);
	live_far_send(l, s->far, 20);
	wait_for(l, s->fd, POLLIN);
}

static void peer_ended(struct live *l, struct subject *s)
{
	connected(l, s);
	l->bed.call->shutdown(&l->bed, FAR, s->far, SHUT_WR);
	wait_for(l, s->fd, POLLRDHUP);
}

static void peer_ended_with_data(struct live *l, struct subject *s)
{
	with_data(l, s);
	l->bed.call->shutdown(&l->bed, FAR, s->far, SHUT_WR);
	wait_for(l, s->fd, POLLRDHUP);
}

static void was_reset(struct live *l, struct subject *s)
{
	const struct linger linger = {.l_onoff = 1};

	connected(l, s);
	l->bed.call->setsockopt(&l->bed, FAR, s->far, SOL_SOCKET, SO_LINGER, &linger,
	                        sizeof(linger));
	l->bed.call->close(&l->bed, FAR, s->far);
	s->far = -1;
	wait_for(l, s->fd, POLLIN);
}

static void shut(struct live *l, struct subject *s, int how)
{
	connected(l, s);
	if (l->c->shutdown(s->fd, how) != 0)
		abort();
}

static void shut_rd(struct live *l, struct subject *s)
{
	shut(l, s, SHUT_RD);
}

static void shut_wr(struct live *l, struct subject *s)
{
	shut(l, s, SHUT_WR);
}

static void shut_both(struct live *l, struct subject *s)
{
	shut(l, s, SHUT_RDWR);
}

static void datagrams(struct live *l, struct subject *s)
{
	s->fd = l->c->socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static void datagrams_bound(struct live *l, struct subject *s)
{
	datagrams(l, s);
	bind_near(l, s);
}

static void datagrams_connected(struct live *l, struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 0);
	socklen_t len = sizeof(a);

	datagrams_bound(l, s);
	s->far = l->bed.call->socket(&l->bed, FAR, AF_INET, SOCK_DGRAM, 0);
	if (l->bed.call->bind(&l->bed, FAR, s->far, (struct sockaddr *)&a, len) != 0 ||
	    l->bed.call->getsockname(&l->bed, FAR, s->far, (struct sockaddr *)&a, &len) != 0 ||
	    l->c->connect(s->fd, (struct sockaddr *)&a, len) != 0)
		abort();
}

static void datagrams_waiting(struct live *l, struct subject *s)
{
	datagrams_connected(l, s);
	for (size_t n = 10; n <= 20; n += 10)
		if (l->bed.call->sendto(&l->bed, FAR, s->far, buf, n, 0,
		                        (struct sockaddr *)&s->self, sizeof(s->self)) != (ssize_t)n)
			abort();
	wait_for(l, s->fd, POLLIN);
}

static void datagrams_shut(struct live *l, struct subject *s)
{
	datagrams_connected(l, s);
	if (l->c->shutdown(s->fd, SHUT_RDWR) != 0)
		abort();
}

const struct subject_state subject_states[SUBJECT_STATES] = {
    {"fresh", fresh},
    {"bound", bound},
    {"listening", listening},
    {"acceptable", acceptable},
    {"refused", refused},
    {"connected", connected},
    {"with data", with_data},
    {"peer ended", peer_ended},
    {"peer ended, data", peer_ended_with_data},
    {"reset", was_reset},
    {"SHUT_RD", shut_rd},
    {"SHUT_WR", shut_wr},
    {"SHUT_RDWR", shut_both},
    {"datagrams", datagrams},
    {"datagrams, bound", datagrams_bound},
    {"datagrams, connected", datagrams_connected},
    {"datagrams, waiting", datagrams_waiting},
    {"datagrams, shut", datagrams_shut},
};

void subject_make(struct live *l, size_t state, struct subject *s)
{
	*s = (struct subject){.fd = -1, .far = -1};
	subject_states[state].make(l, s);
}

void subject_close(struct live *l, struct subject *s)
{
	l->c->close(s->fd);
	if (s->far >= 0)
		l->bed.call->close(&l->bed, FAR, s->far);
}

void subject_poll(struct live *l, const struct subject *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};

	bed_log(&l->bed, "  poll %d", l->c->poll(&p, 1, 0));
	bed_log_events(&l->bed, (uint16_t)p.revents);
	bed_log(&l->bed, "\n");
}
