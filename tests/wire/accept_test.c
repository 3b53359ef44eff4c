/* SPDX-License-Identifier: BSD-2-Clause */

/* What a listener may be told: TCP_DEFER_ACCEPT, TCP_SYNCNT, TCP_WINDOW_CLAMP, tcp.abort_on_overflow. */

#include "wt.h"

static int get(struct wt *w, int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	OK(pc_getsockopt(w->st, fd, IPPROTO_TCP, name, &value, &len));
	return value;
}

static int set(struct wt *w, int fd, int name, int value)
{
	return pc_setsockopt(w->st, fd, IPPROTO_TCP, name, &value, sizeof(value));
}

/* ---- TCP_DEFER_ACCEPT ------------------------------------------------------------------------ */

static void deferred_until_data(struct wt *w)
{
	w->peer.ts = true;
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_DEFER_ACCEPT, 10));
	wt_syn_received(w);
	wt_pass(w, 30);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(900);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	CHECK((wt_events(w, w->lfd) & POLLIN) == 0);
	NOTHING(2000); /* answered: the SYN-ACK is not repeated */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	CHECK((wt_events(w, w->lfd) & POLLIN) != 0);
	wt_accept(w);
	wt_read(w, 100);
	IN(wt_info(w).tcpi_rtt, 30000, 30100); /* of the ACK, not of the data */
	EXPECT_IN(0, 500, .flags = A, .seq = 1, .ack = 101);
	wt_send(w, 20000); /* nothing was lost: the window is whole */
	for (unsigned i = 0; i < 10; i++)
		CHECK(wt_next(w, 0) != NULL);
	wt_drop(w);
}

/* Linux: after the time the SYN-ACK is repeated, and its answer is accepted without data */
static void deferral_ends(struct wt *w)
{
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_DEFER_ACCEPT, 3));
	EQ(get(w, w->lfd, TCP_DEFER_ACCEPT), 3); /* 1 s and 2 s */
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT_IN(2999, 3002, .flags = SA, .ack = 1, .mss = 1460);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
}

static void deferred_outlives_retries(struct wt *w)
{
	w->cfg.tcp_synack_retries = 1;
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_DEFER_ACCEPT, 30));
	EQ(get(w, w->lfd, TCP_DEFER_ACCEPT), 31);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(25000);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_accept(w);
	wt_read(w, 10);
}

static void deferred_fin(struct wt *w)
{
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_DEFER_ACCEPT, 10));
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	wt_accept(w);
	EXPECT(.flags = A, .seq = 1, .ack = 2);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

static void deferred_reset(struct wt *w)
{
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_DEFER_ACCEPT, 10));
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = R, .seq = 1);
	NOTHING(20000);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
}

static void defer_values(struct wt *w)
{
	static const int values[][2] = {{0, 0},   {1, 1},   {2, 3},  {3, 3},   {4, 7},
	                                {15, 15}, {16, 31}, {-1, 0}, {63, 63}, {64, 127}};

	wt_listen(w, 8);
	EQ(get(w, w->lfd, TCP_DEFER_ACCEPT), 0);
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		OK(set(w, w->lfd, TCP_DEFER_ACCEPT, values[i][0]));
		EQ(get(w, w->lfd, TCP_DEFER_ACCEPT), values[i][1]);
	}
}

/* ---- TCP_SYNCNT ------------------------------------------------------------------------------ */

static void syn_count(struct wt *w)
{
	const struct sockaddr_in a = wt_addr(WT_PEER, 7);
	int e = 0;
	socklen_t len = sizeof(e);

	wt_start(w);
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	EQ(get(w, w->flow.fd, TCP_SYNCNT), 6);
	ERR(set(w, w->flow.fd, TCP_SYNCNT, 0), EINVAL);
	ERR(set(w, w->flow.fd, TCP_SYNCNT, 128), EINVAL);
	OK(set(w, w->flow.fd, TCP_SYNCNT, 2));
	EQ(get(w, w->flow.fd, TCP_SYNCNT), 2);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&a, sizeof(a)), EINPROGRESS);
	wt_pass(w, 6900); /* 1 + 2 + 4 s */
	for (unsigned i = 0; i < 3; i++)
		CHECK(wt_next_frame(w, 0) != NULL);
	CHECK(wt_next_frame(w, 0) == NULL);
	EQ(wt_events(w, w->flow.fd) & POLLERR, 0);
	wt_pass(w, 200);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &e, &len));
	EQ(e, ETIMEDOUT);
}

static void syn_count_listener(struct wt *w)
{
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_SYNCNT, 1));
	wt_syn_received(w);
	EXPECT_IN(999, 1002, .flags = SA, .ack = 1, .mss = 1460);
	NOTHING(100000);
}

/* ---- TCP_WINDOW_CLAMP ------------------------------------------------------------------------ */

static void clamped(struct wt *w)
{
	w->peer.ws = 8;
	wt_listen(w, 8);
	OK(set(w, w->lfd, TCP_WINDOW_CLAMP, 3000));
	EQ(get(w, w->lfd, TCP_WINDOW_CLAMP), 3000);
	INJECT(.flags = S, .mss = 1460, .ws = 8);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .ws = 1, .wnd = 3000);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(get(w, w->flow.fd, TCP_WINDOW_CLAMP), 3000);
	for (uint32_t n = 0; n < 20; n++) {
		INJECT(.flags = PA, .seq = 1 + n * 1000, .ack = 1, .len = 1000);
		wt_read(w, 1000);
		wt_pass(w, 50);
		for (const struct frame_info *i; (i = wt_next(w, 0)) != NULL;)
			CHECK(i->seg.wnd <= 3000);
	}
	ERR(set(w, w->flow.fd, TCP_WINDOW_CLAMP, 0), EINVAL);
	OK(set(w, w->flow.fd, TCP_WINDOW_CLAMP, 1));
	EQ(get(w, w->flow.fd, TCP_WINDOW_CLAMP), 1152);
}

/* a clamp below the unit of the scale does not close the window */
static void clamp_and_scale(struct wt *w)
{
	w->cfg.tcp_rcvbuf = 1u << 30;
	w->peer.ws = 8;
	wt_established(w);
	OK(set(w, w->flow.fd, TCP_WINDOW_CLAMP, 1152));
	for (uint32_t n = 0; n < 100; n++) {
		INJECT(.flags = PA, .seq = 1 + n * 1000, .ack = 1, .len = 1000);
		wt_read(w, 1000);
		wt_pass(w, 50);
		for (const struct frame_info *i; (i = wt_next(w, 0)) != NULL;)
			CHECK(i->seg.wnd != 0);
	}
}

/* ---- the accept queue ------------------------------------------------------------------------ */

static void overflow(struct wt *w, uint64_t cookies)
{
	struct flow late;

	w->cfg.tcp_abort_on_overflow = 1;
	w->cfg.tcp_syn_cookies = cookies;
	wt_listen(w, 0);
	wt_syn_received(w);
	late = wt_flow(w);
	wt_syn_received(w); /* both before the queue is full */
	INJECT(.flags = A, .seq = 1, .ack = 1);
	w->flow = late;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = R, .seq = 1);
	NOTHING(100000);
	OK(pc_accept(w->st, w->lfd, NULL, NULL));
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
}

static void overflow_resets(struct wt *w)
{
	overflow(w, 1);
}

static void overflow_resets_cookie(struct wt *w)
{
	overflow(w, 2);
}

static void listener_info(struct wt *w)
{
	struct tcp_info i;

	wt_listen(w, 5);
	w->flow.fd = w->lfd;
	i = wt_info(w);
	EQ(i.tcpi_state, 10);
	EQ(i.tcpi_unacked, 0);
	EQ(i.tcpi_sacked, 5);
	wt_flow(w);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	w->flow.fd = w->lfd;
	EQ(wt_info(w).tcpi_unacked, 1);
	OK(pc_accept(w->st, w->lfd, NULL, NULL));
	EQ(wt_info(w).tcpi_unacked, 0);
}

static const struct wt_case cases[] = {
    {"tcp(7): TCP_DEFER_ACCEPT waits for data", deferred_until_data},
    {"tcp(7): TCP_DEFER_ACCEPT ends after its time", deferral_ends},
    {"tcp(7): a deferred connection outlives the SYN-ACK's retries", deferred_outlives_retries},
    {"tcp(7): FIN ends a deferral", deferred_fin},
    {"RFC 9293 3.10.7.4: RST ends a deferred connection", deferred_reset},
    {"tcp(7): TCP_DEFER_ACCEPT counts time-outs", defer_values},
    {"tcp(7): TCP_SYNCNT limits the SYNs", syn_count},
    {"tcp(7): TCP_SYNCNT of a listener limits the SYN-ACKs", syn_count_listener},
    {"tcp(7): TCP_WINDOW_CLAMP bounds the window", clamped},
    {"RFC 7323 2.3: a clamp below the scale's unit", clamp_and_scale},
    {"tcp.abort_on_overflow = 1: a full accept queue resets", overflow_resets},
    {"tcp.abort_on_overflow = 1: and a cookie, too", overflow_resets_cookie},
    {"tcp(7): TCP_INFO of a listener", listener_info},
};

WT_MAIN("accept")
