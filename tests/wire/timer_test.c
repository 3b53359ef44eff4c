/* SPDX-License-Identifier: BSD-2-Clause */

/* Keep-alive, TCP_USER_TIMEOUT, and what does not happen while nothing happens. */

#include "wt.h"

static int so_error(struct wt *w)
{
	int e = -1;
	socklen_t len = sizeof(e);

	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &e, &len));
	return e;
}

static void keepalive_on(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPINTVL, 5);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPCNT, 3);
	wt_settle(w);
	w->mark = w->now;
}

static void off_by_default(struct wt *w)
{
	wt_established(w);
	NOTHING(24.0 * 3600 * 1000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
}

static void default_idle(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	NOTHING(7199.0 * 1000);
	CHECK(wt_next(w, 2000) != NULL);
	INJECT(.flags = A, .seq = 1, .ack = 1);
}

static void probes(struct wt *w)
{
	keepalive_on(w);
	EXPECT_IN(9999, 10010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT_IN(9990, 10010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(9900);
	INJECT(.flags = A, .seq = 1, .ack = 1); /* any sign of life puts it off */
	EXPECT_IN(9990, 10010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
}

/* ... but no other setting of the socket does */
static void settings_meanwhile(struct wt *w)
{
	keepalive_on(w);
	for (int i = 1; i < 10; i++) {
		wt_pass(w, 1000);
		wt_opt(w, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1000 * i);
		wt_opt(w, IPPROTO_TCP, TCP_MAXSEG, 1000 + i);
	}
	EXPECT_IN(990, 1010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
}

/* As on Linux, TCP_KEEPIDLE counts from the last activity, and nothing else starts it again. */
static void set_while_idle(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPINTVL, 5);
	wt_pass(w, 7000);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	EXPECT_IN(2950, 3010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_pass(w, 9000);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPINTVL, 6);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPCNT, 3);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	EXPECT_IN(950, 1010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_pass(w, 3000);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 2); /* it has been idle for longer */
	EXPECT_IN(0, 10, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
}

static void one_lost_answer(struct wt *w)
{
	keepalive_on(w);
	EXPECT_IN(9999, 10010, .flags = A, .seq = 0, .ack = 1);
	EXPECT_IN(4990, 5010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	EXPECT_IN(9990, 10010, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
}

static void no_answer(struct wt *w)
{
	keepalive_on(w);
	EXPECT_IN(9999, 10010, .flags = A, .seq = 0, .ack = 1);
	EXPECT_IN(4990, 5010, .flags = A, .seq = 0, .ack = 1);
	EXPECT_IN(4990, 5010, .flags = A, .seq = 0, .ack = 1);
	wt_pass(w, 5100);
	wt_drop(w); /* a RST */
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
	EQ(so_error(w), ETIMEDOUT);
}

static void not_while_busy(struct wt *w)
{
	keepalive_on(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	for (unsigned i = 0; i < 6; i++) /* retransmissions, no probes */
		EXPECT_IN(199, 64001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	EXPECT_IN(9990, 10010, .flags = A, .seq = 10, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 11);
}

static void probe_is_answered(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 0, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	wt_pass(w, 1000);
	INJECT(.flags = A, .seq = 0, .ack = 1, .len = 1); /* the old form, with a byte */
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

static void user_timeout(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 2900);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	wt_pass(w, 3500);
	wt_drop(w);
	EQ(so_error(w), ETIMEDOUT);
}

/* "user data may remain unacknowledged" counts from where the window closed, not from nowhere */
static void user_timeout_zero_window(struct wt *w)
{
	wt_established(w);
	wt_pass(w, 60000);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 10);
	wt_pass(w, 2900);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	CHECK(wt_count(w, PC_TCP_PROBES) >= 2);
	wt_pass(w, 3500);
	wt_drop(w);
	EQ(so_error(w), ETIMEDOUT);
}

/* a FIN is repeated when data comes: the time-out does not begin before there were queues */
static void user_timeout_after_fin(struct wt *w)
{
	wt_established(w);
	wt_pass(w, 60000);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 30000);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_pass(w, 1000);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 10000);
	wt_drop(w);
	EQ(so_error(w), 0);
	wt_read(w, 10);
	INJECT(.flags = A, .seq = 11, .ack = 2);
}

/* ... from the first repetition, not since when something has been under way */
static void user_timeout_of_a_stream(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 100);
	for (unsigned i = 1; i <= 20; i++) {
		wt_send(w, 100);
		wt_pass(w, 200);
		wt_drop(w);
		INJECT(.flags = A, .seq = 1, .ack = 1 + i * 100);
	}
	wt_pass(w, 1500);
	CHECK(wt_drop(w) > 0);
	EQ(so_error(w), 0);
	INJECT(.flags = A, .seq = 1, .ack = 2101);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* in place of R2 also where that comes first */
static void user_timeout_beyond_r2(struct wt *w)
{
	w->cfg.tcp_retries = 3;
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 60000);
	wt_send(w, 10);
	wt_pass(w, 50000);
	EQ(so_error(w), 0);
	wt_pass(w, 20000);
	wt_drop(w);
	EQ(so_error(w), ETIMEDOUT);
}

static void default_r2(struct wt *w)
{
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 100000); /* SHLD-11: R2 is at least 100 s */
	wt_drop(w);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void deadline_when_idle(struct wt *w)
{
	w->cfg.ip6_accept_ra = 0; /* or routers are asked for until there is one (RFC 7559) */
	wt_established(w);
	wt_pass(w, 4000000); /* neighbours are forgotten, too */
	EQ(pc_stack_next_deadline(w->st), UINT64_MAX);
}

static void clock_wraps(struct wt *w)
{
	/* ticks wrap after 78 hours, ms after 49 days, us after 71 minutes */
	w->now = w->mark = (1ULL << 48) - 1000000000;
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(399, 2001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(799, 4001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_pass(w, 80.0 * 3600 * 1000); /* longer than ticks can count */
	wt_drop(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
	EXPECT_IN(799, 8001, .flags = PA, .seq = 11, .ack = 1, .len = 10); /* still backed off */
}

/* a machine that slept for days: one turn, then the next at once */
static void clock_leaps(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	for (unsigned days = 1; days < 300; days *= 2) {
		w->now += days * 24ull * 3600 * 1000000000;
		pc_stack_poll(w->st, w->now);
		pc_stack_flush(w->st, w->now);
	}
	wt_drop(w);
	wt_pass(w, 300000);
	wt_drop(w);
	CHECK(wt_events(w, w->flow.fd) & POLLERR); /* time enough to give up */
	EQ(so_error(w), ETIMEDOUT);
}

static void clock_starts_at_zero(struct wt *w)
{
	w->now = w->mark = 0;
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* 20 round trips of 10 ms; returns the number of the next byte */
static uint32_t measure(struct wt *w)
{
	uint32_t seq = 1;

	wt_established(w);
	for (int i = 0; i < 20; i++, seq += 100) {
		wt_send(w, 100);
		EXPECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
		wt_pass(w, 10);
		INJECT(.flags = A, .seq = 1, .ack = seq + 100);
	}
	return seq;
}

/* What is lost is sent again as soon as the path asks for. */
static void is_measured(struct wt *w, uint32_t seq)
{
	IN(wt_info(w).tcpi_rto, 200000, 500000);
	IN(wt_info(w).tcpi_rtt, 9000, 60000);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
	EXPECT_IN(200, 500, .flags = PA, .seq = seq, .ack = 1, .len = 100);
	INJECT(.flags = A, .seq = 1, .ack = seq + 100);
}

/* as measure(), and a segment is under way; returns its sequence number */
static uint32_t under_way(struct wt *w)
{
	const uint32_t seq = measure(w);

	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
	return seq;
}

/* The lcore stands still for a minute (SIGSTOP, a virtual machine that is moved) while an acknowledgement waits in the
 * ring: how long that was says nothing of the path. */
static void stall(struct wt *w)
{
	const uint32_t seq = under_way(w);

	w->now += 60000000000;
	INJECT(.flags = A, .seq = 1, .ack = seq + 100);
	EQ(wt_count(w, PC_STALLS), 1);
	is_measured(w, seq + 100);
}

/* a handler that takes three seconds: the turn ends late, and the next one is in time */
static void slow_handler(struct wt *w)
{
	const uint32_t seq = under_way(w);

	pc_stack_poll(w->st, w->now);
	w->now += 3000000000;
	pc_stack_flush(w->st, w->now);
	INJECT(.flags = A, .seq = 1, .ack = seq + 100);
	EQ(wt_count(w, PC_STALLS), 1);
	is_measured(w, seq + 100);
}

/* the acknowledgement comes after the stall, not in it */
static void stall_before_answer(struct wt *w)
{
	const uint32_t seq = under_way(w);

	w->now += 2000000000;
	wt_settle(w);
	EXPECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
	wt_pass(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = seq + 100);
	is_measured(w, seq + 100);
}

/* long round trips are measured, and whoever sleeps until his deadline is not late */
static void no_stall(struct wt *w)
{
	wt_established(w);
	wt_pass(w, 3600000);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_pass(w, 900);
	wt_drop(w);
	wt_pass(w, 3600000);
	wt_drop(w);
	EQ(wt_count(w, PC_STALLS), 0);
}

/* Questions that could not be asked, for want of mbufs, are not unanswered: when there are some the peer is asked again. */
static void keepalive_without_mbufs(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPCNT, 3);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_take_mbufs(w, 0);
	NOTHING(30000);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	wt_give_mbufs(w);
	EXPECT_IN(0, 1001, .flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(9000);
}

static void probes_without_mbufs(struct wt *w)
{
	w->cfg.tcp_retries = 3;
	w->cfg.tcp_rto_max_ms = 1000;
	w->cfg.tcp_stalled_ms = 0;
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	EQ(wt_write(w, 100, 0), 100);
	wt_settle(w);
	wt_take_mbufs(w, 0);
	NOTHING(30000);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	wt_give_mbufs(w);
	EXPECT_IN(0, 1001, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = A, .seq = 1, .ack = 101);
}

static const struct wt_case cases[] = {
    {"RFC 9293 MUST-25: keep-alive is off by default", off_by_default},
    {"RFC 9293 MUST-28: two hours by default", default_idle},
    {"RFC 9293 MUST-26, MUST-27: probes of an idle connection", probes},
    {"RFC 9293 MUST-27: ... whatever is set meanwhile", settings_meanwhile},
    {"... counts from the last activity when it is set", set_while_idle},
    {"RFC 9293 MUST-29: one lost answer does not end it", one_lost_answer},
    {"RFC 9293 3.8.4: no answer at all does", no_answer},
    {"RFC 9293 3.8.4: ... but a probe that was not sent has none", keepalive_without_mbufs},
    {"RFC 9293 3.8.6.1: nor has one of a closed window", probes_without_mbufs},
    {"RFC 9293 MUST-26: no probes while data is under way", not_while_busy},
    {"RFC 9293 3.8.4: a probe is answered", probe_is_answered},
    {"RFC 9293 MUST-21: TCP_USER_TIMEOUT", user_timeout},
    {"RFC 9293 MUST-21: TCP_USER_TIMEOUT of a stream", user_timeout_of_a_stream},
    {"RFC 9293 MUST-21: TCP_USER_TIMEOUT beyond R2", user_timeout_beyond_r2},
    {"RFC 9293 MUST-21: TCP_USER_TIMEOUT with a closed window", user_timeout_zero_window},
    {"RFC 9293 MUST-21: TCP_USER_TIMEOUT of a FIN", user_timeout_after_fin},
    {"RFC 9293 SHLD-11: R2 is at least 100 s", default_r2},
    {"an idle connection has no deadline", deadline_when_idle},
    {"timers across the wrap of their clocks", clock_wraps},
    {"timers when the clock leaps over days", clock_leaps},
    {"time may begin at 0", clock_starts_at_zero},
    {"a stall of the lcore is no round trip", stall},
    {"a slow handler is no round trip", slow_handler},
    {"a stall before the answer comes", stall_before_answer},
    {"who is in time is not said to stand still", no_stall},
};

WT_MAIN("timer")
