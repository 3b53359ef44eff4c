/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * epoll: each program runs on the kernel and on percore, and the logs of events must be equal.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"

#define MAX 16

static int by_data(const void *x, const void *y)
{
	const struct epoll_event *a = x, *b = y;

	return (a->data.u64 > b->data.u64) - (a->data.u64 < b->data.u64);
}

/* Lets things settle, then logs what one wait returns. */
static void look(struct bed *b, int ep, const char *what)
{
	struct epoll_event e[MAX];
	int n;

	b->call->settle(b);
	n = b->call->epoll_wait(b, NEAR, ep, e, MAX);
	bed_log(b, "%s: %d", what, n);
	qsort(e, n > 0 ? (size_t)n : 0, sizeof(e[0]), by_data);
	for (int i = 0; i < n; i++) {
		bed_log(b, " [%d", (int)e[i].data.u64);
		bed_log_events(b, e[i].events);
		bed_log(b, "]");
	}
	bed_log(b, "\n");
}

static void ctl(struct bed *b, int ep, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	errno = 0;
	bed_log(b, "ctl %d: %d", op, b->call->epoll_ctl(b, NEAR, ep, op, fd, &e));
	bed_log(b, " %s\n", bed_errno(errno));
}

struct scene {
	int ep, fd[2];
};

static struct scene open_scene(struct bed *b, uint32_t events)
{
	struct scene s = {.ep = b->call->epoll_create(b, NEAR)};

	bed_pair(b, s.fd);
	ctl(b, s.ep, EPOLL_CTL_ADD, s.fd[NEAR], events, 1);
	return s;
}

static void close_scene(struct bed *b, struct scene *s)
{
	if (s->fd[FAR] > 0)
		b->call->close(b, FAR, s->fd[FAR]);
	if (s->fd[NEAR] > 0)
		b->call->close(b, NEAR, s->fd[NEAR]);
	b->call->epoll_close(b, NEAR, s->ep);
	b->call->settle(b);
}

static void partial_reads(struct bed *b, uint32_t events)
{
	struct scene s = open_scene(b, events);

	look(b, s.ep, "nothing yet");
	bed_send(b, FAR, s.fd[FAR], 100);
	look(b, s.ep, "100 bytes");
	look(b, s.ep, "again");
	bed_recv(b, NEAR, s.fd[NEAR], 40);
	look(b, s.ep, "60 left");
	bed_send(b, FAR, s.fd[FAR], 10);
	look(b, s.ep, "10 more");
	look(b, s.ep, "again");
	bed_recv(b, NEAR, s.fd[NEAR], 1000);
	look(b, s.ep, "all read");
	bed_recv(b, NEAR, s.fd[NEAR], 1000);
	bed_send(b, FAR, s.fd[FAR], 1);
	bed_send(b, FAR, s.fd[FAR], 1);
	look(b, s.ep, "two segments");
	bed_recv(b, NEAR, s.fd[NEAR], 1000);
	look(b, s.ep, "nothing left");
	close_scene(b, &s);
}

static void level(struct bed *b)
{
	partial_reads(b, EPOLLIN);
}

static void edge(struct bed *b)
{
	partial_reads(b, EPOLLIN | EPOLLET);
}

static void level_both(struct bed *b)
{
	partial_reads(b, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

static void edge_both(struct bed *b)
{
	partial_reads(b, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void one_shot_with(struct bed *b, uint32_t events)
{
	struct scene s = open_scene(b, events);

	bed_send(b, FAR, s.fd[FAR], 100);
	look(b, s.ep, "100 bytes");
	look(b, s.ep, "disarmed");
	bed_send(b, FAR, s.fd[FAR], 100);
	look(b, s.ep, "still disarmed");
	ctl(b, s.ep, EPOLL_CTL_MOD, s.fd[NEAR], events, 2);
	look(b, s.ep, "armed, data is there");
	look(b, s.ep, "disarmed");
	bed_recv(b, NEAR, s.fd[NEAR], 1000);
	ctl(b, s.ep, EPOLL_CTL_MOD, s.fd[NEAR], events, 3);
	look(b, s.ep, "armed, nothing there");
	bed_send(b, FAR, s.fd[FAR], 1);
	look(b, s.ep, "one byte");
	b->call->close(b, FAR, s.fd[FAR]);
	s.fd[FAR] = 0;
	look(b, s.ep, "closed while disarmed");
	ctl(b, s.ep, EPOLL_CTL_MOD, s.fd[NEAR], events | EPOLLRDHUP, 4);
	look(b, s.ep, "armed");
	close_scene(b, &s);
}

static void one_shot(struct bed *b)
{
	one_shot_with(b, EPOLLIN | EPOLLONESHOT);
}

static void one_shot_edge(struct bed *b)
{
	one_shot_with(b, EPOLLIN | EPOLLONESHOT | EPOLLET);
}

/* Writes until it would block, reads everything, looks at EPOLLOUT. */
static void fill_and_drain(struct bed *b, uint32_t events)
{
	struct scene s = open_scene(b, events);
	static char buf[65536];

	look(b, s.ep, "writable");
	look(b, s.ep, "again");
	for (unsigned quiet = 0; quiet < 3;) {
		if (b->call->sendto(b, NEAR, s.fd[NEAR], buf, sizeof(buf), 0, NULL, 0) > 0) {
			quiet = 0;
		} else {
			b->call->settle(b);
			quiet++;
		}
	}
	look(b, s.ep, "full");
	look(b, s.ep, "still full");
	for (unsigned quiet = 0; quiet < 3;) {
		if (b->call->recvfrom(b, FAR, s.fd[FAR], buf, sizeof(buf), 0, NULL, NULL) > 0) {
			quiet = 0;
		} else {
			b->call->settle(b);
			quiet++;
		}
	}
	look(b, s.ep, "drained");
	look(b, s.ep, "again");
	close_scene(b, &s);
}

static void out_level(struct bed *b)
{
	fill_and_drain(b, EPOLLOUT);
}

static void out_edge(struct bed *b)
{
	fill_and_drain(b, EPOLLOUT | EPOLLET);
}

static void peer_shuts_down(struct bed *b, uint32_t events)
{
	struct scene s = open_scene(b, events);

	look(b, s.ep, "open");
	bed_send(b, FAR, s.fd[FAR], 10);
	b->call->shutdown(b, FAR, s.fd[FAR], SHUT_WR);
	look(b, s.ep, "data and FIN");
	look(b, s.ep, "again");
	bed_recv(b, NEAR, s.fd[NEAR], 1000);
	look(b, s.ep, "data read");
	bed_recv(b, NEAR, s.fd[NEAR], 1000);
	look(b, s.ep, "end read");
	bed_send(b, NEAR, s.fd[NEAR], 10);
	look(b, s.ep, "sent");
	b->call->shutdown(b, NEAR, s.fd[NEAR], SHUT_WR);
	look(b, s.ep, "both shut");
	look(b, s.ep, "again");
	close_scene(b, &s);
}

static void fin_level(struct bed *b)
{
	peer_shuts_down(b, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

static void fin_edge(struct bed *b)
{
	peer_shuts_down(b, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

static void fin_of_no_interest(struct bed *b)
{
	peer_shuts_down(b, 0);
}

static void we_shut_down(struct bed *b)
{
	struct scene s = open_scene(b, EPOLLIN | EPOLLOUT | EPOLLRDHUP);

	b->call->shutdown(b, NEAR, s.fd[NEAR], SHUT_WR);
	look(b, s.ep, "our side shut");
	bed_send(b, FAR, s.fd[FAR], 10);
	look(b, s.ep, "data comes all the same");
	bed_recv(b, NEAR, s.fd[NEAR], 100);
	b->call->close(b, FAR, s.fd[FAR]);
	s.fd[FAR] = 0;
	look(b, s.ep, "peer closed");
	bed_recv(b, NEAR, s.fd[NEAR], 100);
	close_scene(b, &s);
}

static void shut_reading(struct bed *b)
{
	struct scene s = open_scene(b, EPOLLIN | EPOLLOUT | EPOLLRDHUP);

	b->call->shutdown(b, NEAR, s.fd[NEAR], SHUT_RD);
	look(b, s.ep, "reading shut");
	bed_recv(b, NEAR, s.fd[NEAR], 100);
	b->call->shutdown(b, NEAR, s.fd[NEAR], SHUT_WR);
	look(b, s.ep, "both shut");
	close_scene(b, &s);
}

static void reset(struct bed *b, uint32_t events)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};
	struct scene s = open_scene(b, events);
	int e = -1;
	socklen_t len = sizeof(e);

	b->call->setsockopt(b, FAR, s.fd[FAR], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	b->call->close(b, FAR, s.fd[FAR]);
	s.fd[FAR] = 0;
	look(b, s.ep, "reset");
	look(b, s.ep, "again");
	b->call->getsockopt(b, NEAR, s.fd[NEAR], SOL_SOCKET, SO_ERROR, &e, &len);
	bed_log(b, "SO_ERROR %s\n", bed_errno(e));
	look(b, s.ep, "error taken");
	bed_recv(b, NEAR, s.fd[NEAR], 10);
	bed_send(b, NEAR, s.fd[NEAR], 10);
	close_scene(b, &s);
}

static void reset_level(struct bed *b)
{
	reset(b, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

static void reset_edge(struct bed *b)
{
	reset(b, EPOLLIN | EPOLLET);
}

static void reset_of_no_interest(struct bed *b)
{
	reset(b, 0);
}

static void controls(struct bed *b)
{
	struct scene s = open_scene(b, EPOLLIN);
	int other = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0);

	ctl(b, s.ep, EPOLL_CTL_ADD, s.fd[NEAR], EPOLLIN, 1);
	ctl(b, s.ep, EPOLL_CTL_MOD, other, EPOLLIN, 1);
	ctl(b, s.ep, EPOLL_CTL_DEL, other, 0, 1);
	ctl(b, s.ep, EPOLL_CTL_ADD, 4000, EPOLLIN, 1);
	ctl(b, s.ep, EPOLL_CTL_ADD, -1, EPOLLIN, 1);
	ctl(b, s.ep, EPOLL_CTL_ADD, s.ep, EPOLLIN, 1);
	ctl(b, other, EPOLL_CTL_ADD, s.fd[NEAR], EPOLLIN, 1);
	ctl(b, 4000, EPOLL_CTL_ADD, s.fd[NEAR], EPOLLIN, 1);
	ctl(b, s.ep, 99, s.fd[NEAR], EPOLLIN, 1);
	errno = 0;
	bed_log(b, "wait 0: %d", b->call->epoll_wait(b, NEAR, s.ep, &(struct epoll_event){0}, 0));
	bed_log(b, " %s\n", bed_errno(errno));
	errno = 0;
	bed_log(b, "wait on a socket: %d",
	        b->call->epoll_wait(b, NEAR, other, &(struct epoll_event){0}, 1));
	bed_log(b, " %s\n", bed_errno(errno));
	bed_send(b, FAR, s.fd[FAR], 10);
	ctl(b, s.ep, EPOLL_CTL_MOD, s.fd[NEAR], EPOLLOUT, 7);
	look(b, s.ep, "interest changed");
	ctl(b, s.ep, EPOLL_CTL_MOD, s.fd[NEAR], EPOLLIN | EPOLLET, 8);
	look(b, s.ep, "and again, with an edge");
	look(b, s.ep, "once");
	ctl(b, s.ep, EPOLL_CTL_MOD, s.fd[NEAR], EPOLLIN | EPOLLET, 9);
	look(b, s.ep, "MOD tells anew");
	ctl(b, s.ep, EPOLL_CTL_DEL, s.fd[NEAR], 0, 0);
	look(b, s.ep, "deleted");
	ctl(b, s.ep, EPOLL_CTL_ADD, s.fd[NEAR], EPOLLIN, 10);
	look(b, s.ep, "added while ready");
	b->call->close(b, NEAR, s.fd[NEAR]);
	s.fd[NEAR] = 0;
	look(b, s.ep, "closed");
	b->call->close(b, NEAR, other);
	close_scene(b, &s);
}

static void unconnected(struct bed *b)
{
	int ep = b->call->epoll_create(b, NEAR);
	int fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0);

	ctl(b, ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, 1);
	look(b, ep, "fresh");
	look(b, ep, "again");
	b->call->close(b, NEAR, fd);
	look(b, ep, "closed");
	b->call->epoll_close(b, NEAR, ep);
}

static void listener(struct bed *b, uint32_t events)
{
	int ep = b->call->epoll_create(b, NEAR), fd[3], got;
	struct sockaddr_in a;
	int l = bed_listener(b, 10, &a);

	ctl(b, ep, EPOLL_CTL_ADD, l, events, 1);
	look(b, ep, "nobody");
	for (int i = 0; i < 3; i++) {
		fd[i] = b->call->socket(b, FAR, AF_INET, SOCK_STREAM, 0);
		b->call->connect(b, FAR, fd[i], (struct sockaddr *)&a, sizeof(a));
		look(b, ep, "one more");
	}
	look(b, ep, "again");
	for (int i = 0; i < 4; i++) {
		errno = 0;
		got = b->call->accept(b, NEAR, l, NULL, NULL);
		bed_log(b, "accept %s\n", got > 0 ? "fd" : bed_errno(errno));
		if (got > 0)
			b->call->close(b, NEAR, got);
		look(b, ep, "accepted");
	}
	for (int i = 0; i < 3; i++)
		b->call->close(b, FAR, fd[i]);
	b->call->close(b, NEAR, l);
	b->call->epoll_close(b, NEAR, ep);
	b->call->settle(b);
}

static void listener_level(struct bed *b)
{
	listener(b, EPOLLIN);
}

static void listener_edge(struct bed *b)
{
	listener(b, EPOLLIN | EPOLLET);
}

static void connecting(struct bed *b)
{
	int ep = b->call->epoll_create(b, NEAR), fd, l, e = -1, far;
	struct sockaddr_in a = bed_addr(b, FAR, 0);
	socklen_t len = sizeof(a);

	l = b->call->socket(b, FAR, AF_INET, SOCK_STREAM, 0);
	b->call->bind(b, FAR, l, (struct sockaddr *)&a, len);
	b->call->listen(b, FAR, l, 5);
	b->call->getsockname(b, FAR, l, (struct sockaddr *)&a, &len);
	fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0);
	b->call->connect(b, NEAR, fd, (struct sockaddr *)&a, sizeof(a));
	ctl(b, ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, 1);
	look(b, ep, "connected");
	far = b->call->accept(b, FAR, l, NULL, NULL);
	b->call->close(b, NEAR, fd);
	b->call->close(b, FAR, far);
	b->call->close(b, FAR, l);
	b->call->settle(b);
	fd = b->call->socket(b, NEAR, AF_INET, SOCK_STREAM, 0);
	b->call->connect(b, NEAR, fd, (struct sockaddr *)&a, sizeof(a));
	ctl(b, ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, 2);
	look(b, ep, "refused");
	len = sizeof(e);
	b->call->getsockopt(b, NEAR, fd, SOL_SOCKET, SO_ERROR, &e, &len);
	bed_log(b, "SO_ERROR %s\n", bed_errno(e));
	look(b, ep, "error taken");
	b->call->close(b, NEAR, fd);
	b->call->epoll_close(b, NEAR, ep);
	b->call->settle(b);
}

static void bytes_one_by_one(struct bed *b)
{
	struct scene s = open_scene(b, EPOLLIN | EPOLLET);
	size_t total = 0, sent = 0;
	struct epoll_event e;
	char buf[100];
	ssize_t n;

	while (total < 16384) {
		for (unsigned i = 0; i < 64 && sent < 16384; i++)
			if (b->call->sendto(b, FAR, s.fd[FAR], "x", 1, 0, NULL, 0) == 1)
				sent++;
		b->call->settle(b);
		if (b->call->epoll_wait(b, NEAR, s.ep, &e, 1) != 1) {
			bed_log(b, "an edge was lost after %zu bytes\n", total);
			break;
		}
		while ((n = b->call->recvfrom(b, NEAR, s.fd[NEAR], buf, sizeof(buf), 0, NULL,
		                              NULL)) > 0)
			total += (size_t)n;
	}
	bed_log(b, "%zu bytes\n", total);
	close_scene(b, &s);
}

static void few_at_a_time(struct bed *b)
{
	int ep = b->call->epoll_create(b, NEAR), fd[10][2];
	struct epoll_event e[3];
	unsigned seen[10] = {0};

	for (int i = 0; i < 10; i++) {
		bed_pair(b, fd[i]);
		ctl(b, ep, EPOLL_CTL_ADD, fd[i][NEAR], EPOLLIN, (uint64_t)i);
		bed_send(b, FAR, fd[i][FAR], 5);
	}
	b->call->settle(b);
	for (int round = 0; round < 10; round++) { /* level: each gets its turn, none starves */
		int n = b->call->epoll_wait(b, NEAR, ep, e, 3);

		bed_log(b, "round: %d\n", n);
		for (int i = 0; i < n; i++)
			seen[e[i].data.u64]++;
	}
	for (int i = 0; i < 10; i++) {
		bed_log(b, "%d: %u\n", i, seen[i]);
		b->call->close(b, FAR, fd[i][FAR]);
		b->call->close(b, NEAR, fd[i][NEAR]);
	}
	b->call->epoll_close(b, NEAR, ep);
	b->call->settle(b);
}

static void datagrams(struct bed *b, uint32_t events)
{
	int ep = b->call->epoll_create(b, NEAR);
	int near = b->call->socket(b, NEAR, AF_INET, SOCK_DGRAM, 0);
	int far = b->call->socket(b, FAR, AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = bed_addr(b, NEAR, 0);
	socklen_t len = sizeof(a);

	b->call->bind(b, NEAR, near, (struct sockaddr *)&a, len);
	b->call->getsockname(b, NEAR, near, (struct sockaddr *)&a, &len);
	b->call->connect(b, FAR, far, (struct sockaddr *)&a, len);
	ctl(b, ep, EPOLL_CTL_ADD, near, events, 1);
	look(b, ep, "nothing");
	bed_send(b, FAR, far, 10);
	bed_send(b, FAR, far, 0);
	look(b, ep, "two datagrams");
	look(b, ep, "again");
	bed_recv(b, NEAR, near, 5);
	look(b, ep, "one read");
	bed_send(b, FAR, far, 3);
	look(b, ep, "one more");
	bed_recv(b, NEAR, near, 5);
	bed_recv(b, NEAR, near, 5);
	bed_recv(b, NEAR, near, 5);
	look(b, ep, "all read");
	b->call->close(b, FAR, far);
	b->call->close(b, NEAR, near);
	b->call->epoll_close(b, NEAR, ep);
}

static void udp_level(struct bed *b)
{
	datagrams(b, EPOLLIN);
}

static void udp_edge(struct bed *b)
{
	datagrams(b, EPOLLIN | EPOLLET);
}

static void udp_both(struct bed *b)
{
	datagrams(b, EPOLLIN | EPOLLOUT);
}

static const struct bed_case cases[] = {
    {"level: EPOLLIN with partial reads", level},
    {"edge: EPOLLIN with partial reads", edge},
    {"level: EPOLLIN and EPOLLOUT", level_both},
    {"edge: EPOLLIN and EPOLLOUT", edge_both},
    {"EPOLLONESHOT", one_shot},
    {"EPOLLONESHOT with EPOLLET", one_shot_edge},
    {"level: EPOLLOUT of a full and a drained socket", out_level},
    {"edge: EPOLLOUT of a full and a drained socket", out_edge},
    {"level: the peer shuts down", fin_level},
    {"edge: the peer shuts down", fin_edge},
    {"no interest: the peer shuts down", fin_of_no_interest},
    {"we shut down", we_shut_down},
    {"SHUT_RD", shut_reading},
    {"level: reset", reset_level},
    {"edge: reset", reset_edge},
    {"no interest: reset", reset_of_no_interest},
    {"EPOLL_CTL_ADD, MOD, DEL and their errors", controls},
    {"a socket that was never connected", unconnected},
    {"level: a listener", listener_level},
    {"edge: a listener", listener_edge},
    {"a connection being opened, or refused", connecting},
    {"edge: bytes one by one lose no edge", bytes_one_by_one},
    {"level: few events at a time, each gets its turn", few_at_a_time},
    {"level: datagrams", udp_level},
    {"edge: datagrams", udp_edge},
    {"level: datagrams, EPOLLOUT too", udp_both},
};

int main(int argc, char **argv)
{
	return bed_main(argc, argv, "epoll", cases, sizeof(cases) / sizeof(cases[0]));
}
