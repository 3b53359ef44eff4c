/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers that tune themselves, and those that the application has set; how much may wait unsent.
 */
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "wt.h"

#define RTT 50.0 /* ms */

static int get(struct wt *w, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	OK(pc_getsockopt(w->st, w->flow.fd, level, name, &value, &len));
	return value;
}

static int rcvbuf(struct wt *w)
{
	return get(w, SOL_SOCKET, SO_RCVBUF);
}

static int sndbuf(struct wt *w)
{
	return get(w, SOL_SOCKET, SO_SNDBUF);
}

/* a connection whose handshake has shown a round trip of 50 ms */
static void open_far(struct wt *w, uint8_t scale)
{
	w->peer.ws = 8;
	wt_listen(w, 5);
	INJECT(.flags = S, .mss = WT_MSS, .ws = 8);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .ws = scale + 1);
	wt_pass(w, RTT);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* the peer sends n bytes within a round trip, and the application reads them as they come */
static void round_trip(struct wt *w, uint32_t *seq, uint32_t n)
{
	for (uint32_t done = 0; done < n; done += WT_MSS) {
		INJECT(.flags = A, .seq = *seq, .ack = 1, .len = WT_MSS);
		wt_read(w, WT_MSS);
		*seq += WT_MSS;
	}
	wt_pass(w, RTT);
	wt_drop(w);
}

static void window_grows(struct wt *w)
{
	uint32_t seq = 1, edge;

	w->cfg.tcp_rcvbuf = 16 * WT_MSS;
	w->cfg.tcp_rcvbuf_max = 1000000;
	open_far(w, 4);
	EQ(rcvbuf(w), 16 * WT_MSS);
	for (int i = 0; i < 4; i++)
		round_trip(w, &seq, 8 * WT_MSS); /* what it has is twice as much */
	IN(rcvbuf(w), 16 * WT_MSS, 32 * WT_MSS);
	for (uint32_t n = 16; n <= 128; n *= 2)
		round_trip(w, &seq, n * WT_MSS); /* slow start: never short of window */
	IN(rcvbuf(w), 192 * WT_MSS, 256 * WT_MSS);
	for (int i = 0; i < 3; i++)
		round_trip(w, &seq, 250 * WT_MSS);
	IN(rcvbuf(w), 500 * WT_MSS, 1000000);
	for (int i = 0; i < 3; i++)
		round_trip(w, &seq, 500 * WT_MSS);
	EQ(rcvbuf(w), 1000000); /* and no further */
	INJECT(.flags = PA, .seq = seq, .ack = 1, .len = WT_MSS);
	INJECT(.flags = PA, .seq = seq + WT_MSS, .ack = 1, .len = WT_MSS);
	EXPECT(.flags = A, .seq = 1, .ack = seq + 2 * WT_MSS, .any_wnd = true);
	edge = w->flow.edge - (seq + 2 * WT_MSS);
	IN(edge, 900000, 1000000);
	wt_read(w, 2 * WT_MSS);
	wt_drop(w);
}

/* a peer that does not send in bulk does not make the window grow, however long it goes on */
static void dialogue(struct wt *w)
{
	uint32_t seq = 1, sent = 1;

	w->cfg.tcp_rcvbuf = 4096;
	open_far(w, 7);
	for (int i = 0; i < 200; i++) {
		INJECT(.flags = PA, .seq = seq, .ack = sent, .len = 500);
		wt_read(w, 500);
		seq += 500;
		wt_send(w, 10);
		sent += 10;
		wt_drop(w);
		INJECT(.flags = A, .seq = seq, .ack = sent);
		wt_pass(w, 1);
	}
	EQ(rcvbuf(w), 4096);
}

static void set_is_kept(struct wt *w)
{
	uint32_t seq = 1;

	open_far(w, 7);
	wt_opt(w, SOL_SOCKET, SO_RCVBUF, 64 * WT_MSS);
	wt_drop(w);
	for (int i = 0; i < 10; i++)
		round_trip(w, &seq, 60 * WT_MSS);
	EQ(rcvbuf(w), 64 * WT_MSS);
}

/* an application that does not read does not need more */
static void not_for_a_slow_reader(struct wt *w)
{
	uint32_t seq = 1;

	w->cfg.tcp_rcvbuf = 64 * WT_MSS;
	open_far(w, 7);
	for (int i = 0; i < 60; i++, seq += WT_MSS)
		INJECT(.flags = A, .seq = seq, .ack = 1, .len = WT_MSS);
	wt_pass(w, 1000);
	for (int i = 0; i < 8; i++) { /* it reads 4 segments in a round trip */
		wt_read(w, 4 * WT_MSS);
		wt_pass(w, RTT);
	}
	wt_drop(w);
	EQ(rcvbuf(w), 64 * WT_MSS);
}

static void scale_of_maximum(struct wt *w)
{
	w->peer.ws = 1;
	wt_listen(w, 5);
	INJECT(.flags = S, .mss = WT_MSS, .ws = 1);
	/* 6 MiB in 16 bits: 2^7 */
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .ws = 8);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

static void scale_of_set_buffer(struct wt *w)
{
	int size = 100000;

	wt_listen(w, 5);
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	INJECT(.flags = S, .mss = WT_MSS, .ws = 1);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .ws = 2);
	/* what the SYN-ACK has told holds, whatever changes before the handshake is complete */
	size = 1000000;
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(rcvbuf(w), 1000000);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 101, .wnd = 65535);
	wt_read(w, 100);
}

/* the peer acknowledges whatever comes, until nothing does */
static void ack_all(struct wt *w)
{
	const struct frame_info *i;
	uint32_t end = 0;

	do {
		uint32_t before = end;

		while ((i = wt_next(w, 0)) != NULL)
			end = i->seg.seq + i->seg.len - w->flow.iss;
		if (end == before)
			return;
		INJECT(.flags = A, .seq = 1, .ack = end);
	} while (true);
}

static void send_buffer_follows_cwnd(struct wt *w)
{
	uint32_t cwnd = 10 * WT_MSS;

	w->cfg.tcp_sndbuf = 8000;
	w->cfg.tcp_sndbuf_max = 4 * cwnd;
	wt_established(w);
	EQ(sndbuf(w), 2 * cwnd);
	EQ(wt_write(w, 60000, 0), 2 * cwnd);
	wt_settle(w);
	EQ(wt_drop(w), 10);
	INJECT(.flags = A, .seq = 1, .ack = 1 + cwnd);
	IN(sndbuf(w), 2 * cwnd + 2 * WT_MSS, 4 * cwnd);
	ack_all(w);
	for (int i = 0; i < 3; i++) {
		CHECK(wt_write(w, 60000, 0) > (int)(2 * cwnd));
		wt_settle(w);
		ack_all(w);
	}
	EQ(sndbuf(w), 4 * cwnd); /* tcp.sndbuf_max */
}

static void set_send_buffer_is_kept(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_SNDBUF, 8000);
	EQ(sndbuf(w), 8000);
	EQ(wt_write(w, 100000, 0), 8000);
	wt_settle(w);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 5 * WT_MSS);
	ack_all(w);
	EQ(sndbuf(w), 8000);
}

/* as on Linux: not more than that waits unsent, and half of it is what EPOLLOUT wants to be free */
static void notsent_lowat(struct wt *w)
{
	int n = -1;

	wt_established(w);
	EQ(get(w, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
	wt_opt(w, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	EQ(get(w, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 4000);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	EQ(wt_write(w, 1999, 0), 1999);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	EQ(wt_write(w, 1, 0), 1);
	CHECK(!(wt_events(w, w->flow.fd) & POLLOUT));
	EQ(wt_write(w, 10000, 0), 2000);
	ERR(wt_write(w, 1, 0), EAGAIN);
	OK(pc_ioctl(w->st, w->flow.fd, SIOCOUTQNSD, &n));
	EQ(n, 4000);
	wt_settle(w); /* three segments go: cwnd and window allow it */
	EQ(wt_drop(w), 3);
	OK(pc_ioctl(w->st, w->flow.fd, SIOCOUTQNSD, &n));
	EQ(n, 0);
	OK(pc_ioctl(w->st, w->flow.fd, SIOCOUTQ, &n));
	EQ(n, 4000);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	INJECT(.flags = A, .seq = 1, .ack = 4001);
}

/* EPOLLOUT comes when enough has been sent, not only when it is acknowledged */
static void notsent_lowat_edge(struct wt *w)
{
	struct epoll_event e = {.events = EPOLLOUT | EPOLLET};

	w->cfg.tcp_notsent_lowat = 4000; /* the default of every socket */
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	w->ep = pc_epoll_create(w->st);
	OK(w->ep);
	OK(pc_epoll_ctl(w->st, w->ep, EPOLL_CTL_ADD, w->flow.fd, &e));
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 1);
	EQ(wt_write(w, 10000, 0), 4000);
	ERR(wt_write(w, 1, 0), EAGAIN);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 0);
	wt_settle(w);
	EQ(wt_drop(w), 3);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 1);
	EQ(e.events, EPOLLOUT);
	/* a closed congestion window: nothing is sent, nobody is told */
	for (int i = 0; i < 4; i++) {
		(void)wt_write(w, 4000, 0);
		wt_settle(w);
	}
	wt_drop(w);
	(void)pc_epoll_wait(w->st, w->ep, &e, 1);
	ERR(wt_write(w, 1, 0), EAGAIN);
	wt_settle(w);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4000);
	wt_settle(w);
	wt_drop(w);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + w->flow.sent);
	wt_drop(w);
}

/* a small mark lets a whole segment wait all the same */
static void notsent_lowat_small(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1);
	EQ(wt_write(w, 10000, 0), WT_MSS);
	ERR(wt_write(w, 1, 0), EAGAIN);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = WT_MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1 + WT_MSS);
}

/* The peer takes nothing, so no acknowledgement will tell: as on Linux, a mark or a buffer that is raised does. */
static void room_by_an_option(struct wt *w, int level, int name, int least, int more)
{
	struct epoll_event e = {.events = EPOLLOUT | EPOLLET};

	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	w->ep = pc_epoll_create(w->st);
	OK(w->ep);
	OK(pc_epoll_ctl(w->st, w->ep, EPOLL_CTL_ADD, w->flow.fd, &e));
	wt_opt(w, level, name, least);
	EQ(wt_write(w, 10000, 0), least);
	wt_settle(w);
	ERR(wt_write(w, 1, 0), EAGAIN);
	(void)pc_epoll_wait(w->st, w->ep, &e, 1);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 0);
	wt_opt(w, level, name, least + 1); /* not enough for EPOLLOUT */
	wt_settle(w);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 0);
	wt_opt(w, level, name, more);
	wt_settle(w);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 1);
	EQ(e.events, EPOLLOUT);
	CHECK(wt_write(w, 1, 0) == 1);
}

static void room_by_mark(struct wt *w)
{
	room_by_an_option(w, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000, 20000);
}

static void room_without_mark(struct wt *w)
{
	room_by_an_option(w, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000, 0);
}

static void room_by_buffer(struct wt *w)
{
	room_by_an_option(w, SOL_SOCKET, SO_SNDBUF, 8000, 20000);
}

static const struct wt_case cases[] = {
    {"the receive window grows with bandwidth and delay, up to tcp.rcvbuf_max", window_grows},
    {"a dialogue needs no larger window", dialogue},
    {"a slow reader needs no larger window", not_for_a_slow_reader},
    {"SO_RCVBUF ends the tuning of the receive buffer", set_is_kept},
    {"RFC 7323 2.3: the window scale is chosen from the largest window there may be",
     scale_of_maximum},
    {"RFC 7323 2.2: the scale of the SYN-ACK holds, whatever is set afterwards",
     scale_of_set_buffer},
    {"the send buffer follows the congestion window, up to tcp.sndbuf_max",
     send_buffer_follows_cwnd},
    {"SO_SNDBUF ends the tuning of the send buffer", set_send_buffer_is_kept},
    {"TCP_NOTSENT_LOWAT: what may wait unsent, and SIOCOUTQNSD", notsent_lowat},
    {"TCP_NOTSENT_LOWAT: EPOLLOUT when enough was sent", notsent_lowat_edge},
    {"TCP_NOTSENT_LOWAT: EPOLLOUT when it is raised", room_by_mark},
    {"TCP_NOTSENT_LOWAT: ... or taken away", room_without_mark},
    {"SO_SNDBUF: EPOLLOUT when it is raised", room_by_buffer},
    {"TCP_NOTSENT_LOWAT: never less than a segment", notsent_lowat_small},
};

WT_MAIN("buffers", .mbufs = WT_MANY_MBUFS)
