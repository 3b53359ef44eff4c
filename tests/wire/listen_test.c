/* SPDX-License-Identifier: BSD-2-Clause */

/* Listening: the backlog, the order of accept(), binding, limits. */

#include "wt.h"

static struct pc_stack_usage usage(const struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u;
}

/* Does the handshake of a new connection from the peer's side. */
static struct flow handshake(struct wt *w)
{
	wt_flow(w);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	return w->flow;
}

static void accept_order(struct wt *w)
{
	struct sockaddr_in a;
	struct flow f[5];

	wt_listen(w, 8);
	for (unsigned i = 0; i < 5; i++)
		f[i] = handshake(w);
	for (unsigned i = 0; i < 5; i++) {
		socklen_t len = sizeof(a);

		OK(pc_accept(w->st, w->lfd, (struct sockaddr *)&a, &len));
		EQ(ntohs(a.sin_port), f[i].pport);
	}
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	CHECK((wt_events(w, w->lfd) & POLLIN) == 0);
}

static void order_is_of_completion(struct wt *w)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct flow first;

	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	first = w->flow;
	handshake(w);
	OK(pc_accept(w->st, w->lfd, (struct sockaddr *)&a, &len));
	EQ(ntohs(a.sin_port), w->flow.pport);
	w->flow = first;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	OK(pc_accept(w->st, w->lfd, (struct sockaddr *)&a, &len));
	EQ(ntohs(a.sin_port), first.pport);
}

static void backlog_zero(struct wt *w)
{
	wt_listen(w, 0);
	handshake(w);
	wt_accept(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	handshake(w);
	wt_accept(w);
}

/* a SYN that is answered while there is room for what comes of it */
static struct flow asks(struct wt *w)
{
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	return w->flow;
}

static void backlog_overflow(struct wt *w)
{
	struct flow late, later;

	wt_listen(w, 2);
	late = asks(w);
	for (unsigned n = 0; n < 3; n++) /* backlog + 1, as on Linux */
		handshake(w);
	wt_flow(w);
	later = w->flow;
	INJECT(.flags = S, .mss = 1460);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_BACKLOG), 1);
	EQ(usage(w).half_open, 1);
	w->flow = late;
	INJECT(.flags = A, .seq = 1, .ack = 1); /* there is no room for what this ends, either */
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_BACKLOG), 2);
	for (unsigned n = 0; n < 3; n++)
		OK(pc_accept(w->st, w->lfd, NULL, NULL));
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	EXPECT_AT(900, .flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	w->flow = later;
	asks(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

static void overflow_completes_by_data(struct wt *w)
{
	struct flow late;

	wt_listen(w, 0);
	late = asks(w);
	handshake(w);
	w->flow = late;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EQ(wt_drop(w), 0);
	OK(pc_accept(w->st, w->lfd, NULL, NULL));
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100); /* its retransmission */
	wt_accept(w);
	wt_read(w, 100);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 101);
}

static void flood_of_syns(struct wt *w)
{
	struct flow legit;

	w->cfg.tcp_syn_cache = 16;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 200; i++) {
		wt_flow(w);
		w->flow.peer_be = htonl(0xc0000264 + i % 100); /* 192.0.2.100 and so on */
		INJECT(.flags = S, .mss = 1460);
		while (probe_sent(w->probe) != NULL)
			CHECK((wt_next(w, 0)->seg.flags & R) == 0);
		IN(usage(w).half_open, 0, 16);
	}
	legit = handshake(w);
	OK(pc_accept(w->st, w->lfd, NULL, NULL));
	EQ(legit.pport, w->flow.pport);
	wt_pass(w, 200000);
	wt_drop(w);
	EQ(usage(w).half_open, 0);
}

static void max_connections(struct wt *w)
{
	unsigned opened = 0;

	w->cfg.stack_max_connections = 8;
	wt_listen(w, 100);
	for (unsigned i = 0; i < 20; i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = 1460);
		if (wt_next(w, 0) == NULL)
			continue;
		INJECT(.flags = A, .seq = 1, .ack = 1);
		EQ(wt_drop(w), 0);
		if (pc_accept(w->st, w->lfd, NULL, NULL) > 0)
			opened++;
	}
	IN(opened, 6, 8);
	IN(usage(w).connections, opened, 8);
	wt_pass(w, 100000);
	wt_drop(w);
	EQ(usage(w).half_open, 0);
}

static void options_inherited(struct wt *w)
{
	int one = 1, size = 20000, got = 0;
	socklen_t len = sizeof(got);

	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	handshake(w);
	wt_accept(w);
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_NODELAY, &got, &len));
	EQ(got, 1);
	got = 0;
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_KEEPALIVE, &got, &len));
	EQ(got, 1);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_SNDBUF, &got, &len));
	EQ(got, 20000);
}

static int listener_on(struct wt *w, const char *ip, int option)
{
	const struct sockaddr_in a = wt_addr(ip, WT_PORT);
	int one = 1, fd, e;

	wt_start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(fd);
	if (option != 0)
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, option, &one, sizeof(one)));
	if (pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	    pc_listen(w->st, fd, 64) == 0)
		return fd;
	e = errno;
	pc_close(w->st, fd);
	errno = e;
	return -1;
}

static void address_in_use(struct wt *w)
{
	int fd = listener_on(w, "0.0.0.0", 0);

	OK(fd);
	ERR(listener_on(w, "0.0.0.0", 0), EADDRINUSE);
	ERR(listener_on(w, WT_LOCAL, 0), EADDRINUSE);
	ERR(listener_on(w, "0.0.0.0", SO_REUSEADDR), EADDRINUSE); /* somebody listens */
	ERR(listener_on(w, "192.0.2.77", 0), EADDRNOTAVAIL);
	OK(pc_close(w->st, fd));
	fd = listener_on(w, WT_LOCAL, 0);
	OK(fd);
}

static void reuse_over_time_wait(struct wt *w)
{
	wt_time_wait(w);
	OK(pc_close(w->st, w->flow.fd));
	OK(pc_close(w->st, w->lfd));
	EQ(usage(w).time_wait, 1);
	ERR(listener_on(w, "0.0.0.0", 0), EADDRINUSE);
	OK(listener_on(w, "0.0.0.0", SO_REUSEADDR));
}

#define FIRST_PORT 40000

/* Binds a socket to a port that is given to it; returns which, or -1. */
static int given_port(struct wt *w)
{
	struct sockaddr_in a = wt_addr(WT_LOCAL, 0);
	socklen_t len = sizeof(a);
	int fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);

	OK(fd);
	if (pc_bind(w->st, fd, (const struct sockaddr *)&a, len) != 0)
		return -1;
	OK(pc_getsockname(w->st, fd, (struct sockaddr *)&a, &len));
	return ntohs(a.sin_port);
}

/* A connection from one of two ports is in TIME-WAIT. */
static void one_of_two_waits(struct wt *w)
{
	w->cfg.tcp_port_first = FIRST_PORT;
	w->cfg.tcp_port_last = FIRST_PORT + 1;
	wt_time_wait_active(w);
	EQ(usage(w).time_wait, 1);
}

/* A socket that is given a port can connect from it to any peer; as on Linux it is told if there is no such port. */
static void given_port_over_time_wait(struct wt *w)
{
	one_of_two_waits(w);
	EQ(given_port(w), 2 * FIRST_PORT + 1 - w->flow.lport);
	ERR(given_port(w), EADDRINUSE);
}

static void given_port_after_time_wait(struct wt *w)
{
	int seen = 0;

	one_of_two_waits(w);
	wt_pass(w, 60100);
	EQ(usage(w).time_wait, 0);
	for (int i = 0; i < 64 && seen != w->flow.lport; i++) {
		const int fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
		struct sockaddr_in a = wt_addr(WT_LOCAL, 0);
		socklen_t len = sizeof(a);

		OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, len));
		OK(pc_getsockname(w->st, fd, (struct sockaddr *)&a, &len));
		OK(pc_close(w->st, fd));
		seen = ntohs(a.sin_port);
	}
	EQ(seen, w->flow.lport); /* each time the chance is a half */
}

static void reuse_over_connections(struct wt *w)
{
	wt_established(w);
	OK(pc_close(w->st, w->lfd));
	w->lfd = listener_on(w, "0.0.0.0", SO_REUSEADDR); /* RFC 9293 MUST-42 */
	OK(w->lfd);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	handshake(w);
	wt_accept(w);
}

static void specific_before_any(struct wt *w)
{
	int any = listener_on(w, "0.0.0.0", SO_REUSEPORT);
	int specific = listener_on(w, WT_LOCAL, SO_REUSEPORT);

	OK(any);
	OK(specific);
	handshake(w);
	ERR(pc_accept(w->st, any, NULL, NULL), EAGAIN);
	OK(pc_accept(w->st, specific, NULL, NULL));
}

static void reuseport_spreads(struct wt *w)
{
	int a = listener_on(w, "0.0.0.0", SO_REUSEPORT),
	    b = listener_on(w, "0.0.0.0", SO_REUSEPORT);
	unsigned na = 0, nb = 0;

	OK(a);
	OK(b);
	for (unsigned i = 0; i < 32; i++)
		handshake(w);
	while (pc_accept(w->st, a, NULL, NULL) > 0)
		na++;
	while (pc_accept(w->st, b, NULL, NULL) > 0)
		nb++;
	CHECK(na > 4 && nb > 4);
	EQ(na + nb, 32);
	wt_pass(w, 100000);
	wt_drop(w);
}

static void listen_again(struct wt *w)
{
	wt_listen(w, 0);
	handshake(w);
	OK(pc_listen(w->st, w->lfd, 5));
	handshake(w);
	OK(pc_accept(w->st, w->lfd, NULL, NULL));
	OK(pc_accept(w->st, w->lfd, NULL, NULL));
}

static void listen_without_bind(struct wt *w)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	wt_start(w);
	w->lfd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(pc_listen(w->st, w->lfd, 8));
	OK(pc_getsockname(w->st, w->lfd, (struct sockaddr *)&a, &len));
	CHECK(a.sin_port != 0);
	w->flow.lport = ntohs(a.sin_port);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
}

static void reset_while_waiting(struct wt *w)
{
	wt_listen(w, 8);
	handshake(w);
	INJECT(.flags = R, .seq = 1);
	/* as on Linux: accept() still succeeds and the first call tells */
	w->flow.fd = pc_accept(w->st, w->lfd, NULL, NULL);
	if (w->flow.fd > 0) {
		ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNRESET);
		OK(pc_close(w->st, w->flow.fd));
	}
	EQ(usage(w).connections, 0);
}

static void closed_while_waiting(struct wt *w)
{
	wt_listen(w, 8);
	handshake(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 102);
	wt_accept(w);
	wt_read(w, 100);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

static const struct wt_case cases[] = {
    {"accept(2): the oldest comes first", accept_order},
    {"accept(2): the order is that of completion", order_is_of_completion},
    {"listen(2): a backlog of 0 still accepts", backlog_zero},
    {"RFC 4987: a full accept queue drops, never resets", backlog_overflow},
    {"RFC 4987: data completes a handshake that was put off", overflow_completes_by_data},
    {"RFC 4987 3: a flood of SYNs does not stop new clients", flood_of_syns},
    {"stack.max_connections is a limit, not an accident", max_connections},
    {"accept(2): options are inherited", options_inherited},
    {"bind(2): EADDRINUSE and EADDRNOTAVAIL", address_in_use},
    {"socket(7): SO_REUSEADDR over TIME-WAIT", reuse_over_time_wait},
    {"bind(2): a port that is given is not in TIME-WAIT", given_port_over_time_wait},
    {"bind(2): ... and after TIME-WAIT as any other", given_port_after_time_wait},
    {"RFC 9293 MUST-42: LISTEN beside connections of the port", reuse_over_connections},
    {"RFC 9293 MUST-41: the listener on the address comes first", specific_before_any},
    {"socket(7): SO_REUSEPORT spreads connections", reuseport_spreads},
    {"listen(2): a second call changes the backlog", listen_again},
    {"listen(2): without bind() an ephemeral port is taken", listen_without_bind},
    {"accept(2): a connection reset while it waited", reset_while_waiting},
    {"accept(2): a connection closed while it waited", closed_while_waiting},
};

WT_MAIN("listen")
