/* SPDX-License-Identifier: BSD-2-Clause */

/* Closing: both orders, half-close, TIME-WAIT, orphans, aborts. */

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "wt.h"

static struct pc_stack_usage usage(const struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u;
}

static ssize_t read_one(struct wt *w)
{
	char c;

	return pc_recv(w->st, w->flow.fd, &c, 1, 0);
}

static void half_close_by_us(struct wt *w)
{
	wt_fin_wait_2(w);
	EQ(wt_info(w).tcpi_state, TCP_FIN_WAIT2);
	ERR(pc_send(w->st, w->flow.fd, "x", 1, 0), EPIPE);
	INJECT(.flags = PA, .seq = 1, .ack = 2, .len = 500);
	wt_read(w, 500);
	EXPECT_IN(0, 499, .flags = A, .seq = 2, .ack = 501);
	NOTHING(300000); /* half-open for as long as the application keeps it */
	INJECT(.flags = FA, .seq = 501, .ack = 2, .len = 10);
	EXPECT(.flags = A, .seq = 2, .ack = 512);
	wt_read(w, 10);
	EQ(read_one(w), 0);
	EQ(usage(w).time_wait, 1);
	OK(pc_close(w->st, w->flow.fd));
	EQ(usage(w).connections, 0);
}

static int left(struct wt *w, unsigned long request)
{
	int n = -1;

	OK(pc_ioctl(w->st, w->flow.fd, request, &n));
	return n;
}

/* As on Linux, who waits for SIOCOUTQ to become 0 also waits for the FIN to arrive. */
static void fin_is_counted(struct wt *w)
{
	wt_established(w);
	EQ(left(w, SIOCOUTQ), 0);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	EQ(left(w, SIOCOUTQ), 1);
	EQ(left(w, SIOCOUTQNSD), 1);
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	EQ(left(w, SIOCOUTQ), 1);
	EQ(left(w, SIOCOUTQNSD), 0);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	EQ(left(w, SIOCOUTQ), 0);
}

/* ... also of the one that closes second */
static void second_fin_is_counted(struct wt *w)
{
	wt_close_wait(w);
	wt_send(w, 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 2, .len = 1000);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1001, .ack = 2);
	EQ(left(w, SIOCOUTQ), 1001);
	INJECT(.flags = A, .seq = 2, .ack = 1001);
	EQ(left(w, SIOCOUTQ), 1);
	EQ(left(w, SIOCOUTQNSD), 0);
	INJECT(.flags = A, .seq = 2, .ack = 1002);
	EQ(left(w, SIOCOUTQ), 0);
}

static void half_close_by_peer(struct wt *w)
{
	wt_close_wait(w);
	EQ(wt_info(w).tcpi_state, TCP_CLOSE_WAIT);
	EQ(wt_events(w, w->flow.fd) & (POLLIN | POLLRDHUP | POLLOUT | POLLHUP),
	   POLLIN | POLLRDHUP | POLLOUT);
	EQ(read_one(w), 0);
	EQ(read_one(w), 0);
	wt_send(w, 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 2, .len = 1000);
	INJECT(.flags = A, .seq = 2, .ack = 1001);
	NOTHING(100000);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1001, .ack = 2);
	EQ(usage(w).connections, 1);
	INJECT(.flags = A, .seq = 2, .ack = 1002);
	EQ(usage(w).connections, 0);
	EQ(usage(w).time_wait, 0); /* LAST-ACK ends in CLOSED */
	INJECT(.flags = A, .seq = 2, .ack = 1002);
	EXPECT(.flags = R, .seq = 1002);
}

static void fin_ack_in_fin_wait_1(struct wt *w)
{
	wt_fin_wait_1(w);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	EQ(usage(w).time_wait, 1);
	EQ(read_one(w), 0);
}

static void simultaneous_close(struct wt *w)
{
	wt_closing(w);
	EQ(wt_info(w).tcpi_state, TCP_CLOSING);
	EQ(read_one(w), 0);
	INJECT(.flags = A, .seq = 2, .ack = 2);
	EQ(usage(w).time_wait, 1);
	NOTHING(1000);
}

static void data_in_fin_wait_1(struct wt *w)
{
	wt_fin_wait_1(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	EXPECT_IN(0, 190, .flags = A, .seq = 2, .ack = 101);
	INJECT(.flags = FA, .seq = 101, .ack = 2, .len = 50);
	EXPECT(.flags = A, .seq = 2, .ack = 152);
	wt_read(w, 50);
	EQ(read_one(w), 0);
	EQ(usage(w).time_wait, 1);
}

static void fin_follows_queue(struct wt *w)
{
	wt_established(w);
	EQ(wt_write(w, 20000, 0), 20000);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	for (uint32_t s = 1; s < 14601; s += 1460)
		EXPECT(.flags = A, .seq = s, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(50);
	INJECT(.flags = A, .seq = 1, .ack = 14601);
	for (uint32_t s = 14601; s < 18981; s += 1460)
		EXPECT(.flags = A, .seq = s, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = FA, .seq = 18981, .ack = 1, .len = 1020);
	INJECT(.flags = FA, .seq = 1, .ack = 20002);
	EXPECT(.flags = A, .seq = 20002, .ack = 2);
	EQ(usage(w).connections, 0);
	EQ(usage(w).time_wait, 1);
}

static void fin_wait_1_retransmits(struct wt *w)
{
	wt_fin_wait_1(w);
	EXPECT_IN(199, 1001, .flags = FA, .seq = 1, .ack = 1);
	EXPECT_IN(399, 2001, .flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	NOTHING(10000);
}

static void last_ack_retransmits(struct wt *w)
{
	wt_last_ack(w);
	EXPECT_IN(199, 1001, .flags = FA, .seq = 1, .ack = 2);
	EXPECT_IN(399, 2001, .flags = FA, .seq = 1, .ack = 2);
	INJECT(.flags = A, .seq = 2, .ack = 2);
	NOTHING(10000);
	EQ(usage(w).connections, 0);
}

static void orphan_gives_up(struct wt *w)
{
	w->cfg.tcp_orphan_retries = 3;
	wt_established(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	for (unsigned i = 0; i < 3; i++)
		EXPECT_IN(199, 8001, .flags = FA, .seq = 1, .ack = 1);
	wt_pass(w, 20000);
	wt_drop(w);
	EQ(usage(w).connections, 0);
}

static void repeated_fin(struct wt *w)
{
	wt_close_wait(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 2);
	EQ(wt_info(w).tcpi_state, TCP_CLOSE_WAIT);
}

static void time_wait_lasts(struct wt *w)
{
	wt_time_wait(w);
	OK(pc_close(w->st, w->flow.fd));
	EQ(usage(w).time_wait, 1);
	NOTHING(59900);
	EQ(usage(w).time_wait, 1);
	wt_pass(w, 200);
	EQ(usage(w).time_wait, 0);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = R, .seq = 2);
}

static void time_wait_msl(struct wt *w)
{
	w->cfg.tcp_msl_ms = 500;
	wt_time_wait(w);
	wt_pass(w, 990);
	EQ(usage(w).time_wait, 1);
	wt_pass(w, 20);
	EQ(usage(w).time_wait, 0);
}

static void time_wait_fin(struct wt *w)
{
	wt_time_wait(w);
	wt_pass(w, 40000);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	wt_pass(w, 59000); /* 2 MSL began anew */
	EQ(usage(w).time_wait, 1);
	wt_pass(w, 1100);
	EQ(usage(w).time_wait, 0);
}

/* "The only thing that can arrive in this state is a retransmission of the remote FIN": another one is an old duplicate */
static void time_wait_other_fin(struct wt *w)
{
	wt_time_wait(w);
	wt_pass(w, 40000);
	INJECT(.flags = FA, .seq = 0u - 1000, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	INJECT(.flags = FA, .seq = 1000, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	wt_pass(w, 20100);
	EQ(usage(w).time_wait, 0);
}

/* RFC 5961 section 7 */
static void time_wait_limit(struct wt *w)
{
	w->cfg.tcp_challenge_acks = 10;
	wt_time_wait(w);
	for (unsigned i = 0; i < 100; i++)
		INJECT(.flags = PA, .seq = 1 - 5000u, .ack = 2, .len = 10);
	IN(wt_drop(w), 5, 11);
}

static void time_wait_segments(struct wt *w)
{
	wt_time_wait(w);
	INJECT(.flags = A, .seq = 2, .ack = 2);
	NOTHING(100);
	INJECT(.flags = PA, .seq = 1 - 5000u, .ack = 2, .len = 10); /* old duplicate */
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	INJECT(.flags = A, .seq = 1,
	       .ack = 2); /* empty ones beside RCV.NXT, in the window and out of it */
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	INJECT(.flags = A, .seq = 3, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	INJECT(.flags = A, .seq = 2 + 65535 + 100000, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
}

static void time_wait_rst(struct wt *w)
{
	wt_time_wait(w);
	INJECT(.flags = R, .seq = 2);
	NOTHING(1000);
	EQ(usage(w).time_wait, 1);
}

static void time_wait_new_syn(struct wt *w)
{
	uint32_t old_nxt;

	wt_time_wait(w);
	OK(pc_close(w->st, w->flow.fd));
	old_nxt = w->flow.iss + 2;
	wt_pass(w, 1000);
	w->flow.iss_known = false;
	w->flow.irs += 100000;
	w->flow.edge = 0;
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	CHECK((int32_t)(w->flow.iss - old_nxt) > 0);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(usage(w).time_wait, 0);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* ... which is dropped, as the listener has no room: then it has begun nothing */
static void time_wait_refused_syn(struct wt *w)
{
	struct flow old;

	wt_listen(w, 0);
	wt_time_wait(w);
	old = wt_flow(w);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	w->flow = old;
	INJECT(.flags = S, .seq = 100000, .mss = 1460);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_BACKLOG), 1);
	EQ(usage(w).time_wait, 1);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
}

static void time_wait_old_syn(struct wt *w)
{
	wt_time_wait(w);
	INJECT(.flags = S, .seq = 0u - 1000, .mss = 1460);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	EQ(usage(w).time_wait, 1);
}

static void time_wait_table_full(struct wt *w)
{
	w->cfg.tcp_time_wait = 4;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 10; i++) {
		wt_flow(w);
		wt_time_wait(w);
		OK(pc_close(w->st, w->flow.fd));
	}
	EQ(usage(w).time_wait, 4);
	EQ(wt_count(w, PC_TCP_TIME_WAIT_EVICTED), 6);
	EQ(usage(w).connections, 0);
}

static void unread_data_resets(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_drop(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 1, .ack = 101);
	EQ(usage(w).connections, 0);
}

/* what is written in the same turn is on its way on Linux when close() is called */
static void last_words(struct wt *w, bool lingers)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};

	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_drop(w);
	if (lingers) {
		wt_read(w, 100);
		OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	}
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 10);
	EQ(wt_write(w, 1500, 0), 1500);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = A, .seq = 11, .ack = 101, .len = 1460);
	/* the rest would have waited for the acknowledgement of the ten (Nagle, Minshall) */
	EXPECT(.flags = RA, .seq = 1471, .ack = 101);
	EQ(usage(w).connections, 0);
}

static void last_words_before_the_reset(struct wt *w)
{
	last_words(w, false);
}

static void last_words_of_one_that_lingers(struct wt *w)
{
	last_words(w, true);
}

/* connect() with AF_UNSPEC ends a connection in the same way */
static void last_words_before_a_disconnect(struct wt *w)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	wt_established(w);
	EQ(wt_write(w, 100, 0), 100);
	OK(pc_connect(w->st, w->flow.fd, &none, sizeof(none)));
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = RA, .seq = 101, .ack = 1);
}

/* and what the peer's window has no room for is lost with it */
static void last_words_beyond_the_window(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .wnd = 10);
	wt_drop(w);
	wt_send(w, 10);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 10);
	wt_send(w, 10);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 11, .ack = 101);
	EQ(usage(w).connections, 0);
}

static void linger_zero_resets(struct wt *w)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};

	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 101, .ack = 1);
	EQ(usage(w).connections, 0);
	NOTHING(5000);
}

/* RFC 5961 section 3.2: outside of the peer's window a reset is not looked at */
static void reset_within_a_shrunk_window(struct wt *w)
{
	const struct linger l = {.l_onoff = 1};

	wt_established(w);
	wt_send(w, 2 * WT_MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = WT_MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1 + WT_MSS, .ack = 1, .len = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1 + WT_MSS, .wnd = ZERO_WND);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 1 + WT_MSS, .ack = 1);
	NOTHING(5000);
}

static void data_after_close(struct wt *w)
{
	wt_established(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	INJECT(.flags = PA, .seq = 1, .ack = 2, .len = 10);
	EQ(wt_next(w, 0)->seg.flags & R, R);
	EQ(usage(w).connections, 0);
}

static void orphan_in_fin_wait_2(struct wt *w)
{
	wt_established(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	NOTHING(59000);
	EQ(usage(w).connections, 1);
	wt_pass(w, 1500);
	EQ(usage(w).connections, 0);
}

/* ... which it becomes there, and not before: the other half may be used as long as somebody wants it */
static void orphan_since_fin_wait_2(struct wt *w)
{
	wt_fin_wait_2(w);
	NOTHING(200000);
	EQ(usage(w).connections, 1);
	INJECT(.flags = PA, .seq = 1, .ack = 2, .len = 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 2, .ack = 11);
	wt_read(w, 10);
	OK(pc_close(w->st, w->flow.fd));
	NOTHING(59000);
	EQ(usage(w).connections, 1);
	wt_pass(w, 1500);
	EQ(usage(w).connections, 0);
}

static void orphan_closes_in_order(struct wt *w)
{
	wt_established(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	wt_pass(w, 30000);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	EQ(usage(w).connections, 0);
	EQ(usage(w).time_wait, 1);
}

static void descriptor_of_orphan(struct wt *w)
{
	int old, fd;

	wt_established(w);
	old = w->flow.fd;
	OK(pc_close(w->st, old));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	ERR(pc_send(w->st, old, "x", 1, 0), EBADF);
	ERR(pc_close(w->st, old), EBADF);
	for (unsigned i = 0; i < 63; i++) {
		fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
		if (fd < 0)
			break;
		CHECK(fd != old);
	}
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
}

static void close_in_syn_sent(struct wt *w)
{
	wt_syn_sent(w);
	OK(pc_close(w->st, w->flow.fd));
	NOTHING(5000);
	EQ(usage(w).connections, 0);
	INJECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460);
	EXPECT(.flags = R, .seq = 1);
}

static void close_of_listener(struct wt *w)
{
	struct flow waiting;

	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	waiting = wt_flow(w);
	wt_syn_received(w); /* a second one, half-open */
	OK(pc_close(w->st, w->lfd));
	wt_settle(w);
	w->flow = waiting;
	EXPECT(.flags = RA, .seq = 1, .ack = 1); /* nobody can accept it any more */
	EQ(usage(w).connections, 0);
	EQ(usage(w).half_open, 0);
	NOTHING(40000);
}

static void shutdown_read(struct wt *w)
{
	wt_established(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_RD));
	EQ(read_one(w), 0);
	CHECK(wt_events(w, w->flow.fd) & POLLIN);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
}

static void shutdown_both(struct wt *w)
{
	wt_established(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_RDWR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	EQ(read_one(w), 0);
	ERR(pc_send(w->st, w->flow.fd, "x", 1, 0), EPIPE);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	CHECK(wt_events(w, w->flow.fd) & POLLHUP);
}

static void closed_window_then_close(struct wt *w)
{
	const struct frame_info *f;

	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	EQ(wt_write(w, 100, 0), 100);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	f = wt_next(w, 1100); /* the probe; data and FIN wait */
	CHECK(f != NULL && f->seg.len <= 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + f->seg.len, .wnd = 1000);
	EXPECT(.flags = FA, .seq = 1 + f->seg.len, .ack = 1, .len = 100 - f->seg.len);
	INJECT(.flags = FA, .seq = 1, .ack = 102);
	EXPECT(.flags = A, .seq = 102, .ack = 2);
	EQ(usage(w).connections, 0);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.6: half-close by us", half_close_by_us},
    {"RFC 9293 3.6: half-close by the peer, LAST-ACK, CLOSED", half_close_by_peer},
    {"SIOCOUTQ: a FIN counts", fin_is_counted},
    {"SIOCOUTQ: ... and the second", second_fin_is_counted},
    {"RFC 9293 3.10.7.4: FIN+ACK in FIN-WAIT-1 leads to TIME-WAIT", fin_ack_in_fin_wait_1},
    {"RFC 9293 3.6, figure 13: simultaneous close", simultaneous_close},
    {"RFC 9293 3.10.7.4: data in FIN-WAIT-1 and FIN-WAIT-2", data_in_fin_wait_1},
    {"RFC 9293 3.10.4: FIN follows what is queued, and rides on it", fin_follows_queue},
    {"RFC 9293 MUST-19: FIN is retransmitted in FIN-WAIT-1", fin_wait_1_retransmits},
    {"RFC 9293 MUST-19: FIN is retransmitted in LAST-ACK", last_ack_retransmits},
    {"tcp.orphan_retries: an orphan gives up", orphan_gives_up},
    {"RFC 9293 3.10.7.4: a repeated FIN is acked again", repeated_fin},
    {"RFC 9293 MUST-13: TIME-WAIT lasts 2 MSL", time_wait_lasts},
    {"tcp.msl_ms", time_wait_msl},
    {"RFC 9293 3.10.7.4: FIN in TIME-WAIT starts 2 MSL anew", time_wait_fin},
    {"RFC 9293 3.10.7.4: ... but not one of another number", time_wait_other_fin},
    {"RFC 5961 7: acknowledgements in TIME-WAIT are limited", time_wait_limit},
    {"RFC 9293 3.10.7.4: ACKs and old segments in TIME-WAIT", time_wait_segments},
    {"RFC 1337: RST does not end TIME-WAIT", time_wait_rst},
    {"RFC 9293 MAY-2: a newer SYN reopens TIME-WAIT", time_wait_new_syn},
    {"RFC 9293 MAY-2: ... unless it is refused", time_wait_refused_syn},
    {"RFC 9293 MAY-2: an older SYN does not", time_wait_old_syn},
    {"a full TIME-WAIT table gives up the oldest", time_wait_table_full},
    {"RFC 2525 2.17, 9293 SHLD-3: close() with unread data resets", unread_data_resets},
    {"RFC 2525 2.17: what was written goes ahead of the reset", last_words_before_the_reset},
    {"connect(2): ... also of AF_UNSPEC's", last_words_before_a_disconnect},
    {"socket(7): ... and of one with SO_LINGER of 0", last_words_of_one_that_lingers},
    {"RFC 2525 2.17: ... as far as the window allows", last_words_beyond_the_window},
    {"socket(7): SO_LINGER of 0 resets", linger_zero_resets},
    {"RFC 5961 3.2: a reset is within a window that was shrunk", reset_within_a_shrunk_window},
    {"RFC 9293 3.6.1: data after close() is answered with RST", data_after_close},
    {"tcp.fin_wait2_ms: an orphan in FIN-WAIT-2 is freed", orphan_in_fin_wait_2},
    {"tcp.fin_wait2_ms: ... and no other", orphan_since_fin_wait_2},
    {"RFC 9293 3.6: an orphan closes in order", orphan_closes_in_order},
    {"the descriptor of an orphan is not used again", descriptor_of_orphan},
    {"RFC 9293 3.10.4: CLOSE in SYN-SENT", close_in_syn_sent},
    {"RFC 9293 3.10.4: closing a listener resets what waits in it", close_of_listener},
    {"shutdown(2): SHUT_RD", shutdown_read},
    {"shutdown(2): SHUT_RDWR", shutdown_both},
    {"RFC 9293 MUST-36: close() with a closed window", closed_window_then_close},
};

WT_MAIN("close")
