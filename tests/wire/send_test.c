/* SPDX-License-Identifier: BSD-2-Clause */

/* Sending: Nagle, cork, silly windows, closed windows and their probes. */

#include "wt.h"

static void nagle(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_send(w, 100);
	wt_send(w, 100);
	NOTHING(150);
	INJECT(.flags = A, .seq = 1, .ack = 101);
	EXPECT(.flags = PA, .seq = 101, .ack = 1, .len = 200);
}

static void nagle_full_segment(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_send(w, 1500);
	EXPECT(.flags = A, .seq = 101, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 1561);
	EXPECT(.flags = PA, .seq = 1561, .ack = 1, .len = 40);
}

/* two full segments and what is left over: the rest need not wait for an acknowledgement that may be delayed */
static void minshall(struct wt *w)
{
	w->cfg.tcp_minshall = 1;
	wt_established(w);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = PA, .seq = 2921, .ack = 1, .len = 80);
	/* that is the only small one until it is acknowledged, and not what came before */
	wt_send(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = 2921);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 3001);
	EXPECT(.flags = PA, .seq = 3001, .ack = 1, .len = 100);
	/* what follows it fills a segment, and that goes; what is left of it is small */
	wt_send(w, 1500);
	EXPECT(.flags = A, .seq = 3101, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 3101);
	EXPECT(.flags = PA, .seq = 4561, .ack = 1, .len = 40);
}

/* 3.7.4 to the letter: anything that is under way makes it wait */
static void no_minshall(struct wt *w)
{
	w->cfg.tcp_minshall = 0;
	wt_established(w);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 2921);
	EXPECT(.flags = PA, .seq = 2921, .ack = 1, .len = 80);
}

/* a reply of a few bytes beside its first part, which was small and is under way (write, write, read) */
static void minshall_after_part(struct wt *w)
{
	wt_established(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 10);
	wt_send(w, 10);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 1471);
	EXPECT(.flags = PA, .seq = 1471, .ack = 1, .len = 10);
}

/* while something urgent is under way, anything makes what is small wait */
static void minshall_urgent(struct wt *w)
{
	wt_established(w);
	EQ(wt_write(w, 1, MSG_OOB), 1);
	wt_settle(w);
	EXPECT(.flags = PA | TCP_URG, .seq = 1, .ack = 1, .len = 1, .urg = 1);
	wt_send(w, 1470);
	EXPECT(.flags = A, .seq = 2, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 1462);
	EXPECT(.flags = PA, .seq = 1462, .ack = 1, .len = 10);
}

/* a sliver of what is urgent (3.8.6.2.1: the override) is not taken for its end */
static void minshall_urgent_sliver(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 1000);
	EQ(wt_write(w, 3000, MSG_OOB), 3000);
	wt_settle(w);
	EXPECT_IN(0, 1003, .flags = A | TCP_URG, .seq = 1, .ack = 1, .len = 1000, .urg = 3000,
	          .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1001);
	EXPECT(.flags = A | TCP_URG, .seq = 1001, .ack = 1, .len = 1048, .urg = 2000,
	       .any_psh = true);
	wt_pass(w, 50);
	wt_drop(w);
}

/* what TCP_NODELAY let go is small all the same once that is off; and settings are those of the moment */
static void minshall_later(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 1460);
	wt_send(w, 100);
	wt_drop(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 0);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1561, .ack = 1, .len = 1460);
	wt_send(w, 100);
	NOTHING(10);
	INJECT(.flags = A, .seq = 1, .ack = 1561);
	EXPECT(.flags = PA, .seq = 3021, .ack = 1, .len = 100);
}

static void nodelay(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	for (uint32_t s = 1; s < 401; s += 100) {
		wt_send(w, 100);
		EXPECT(.flags = PA, .seq = s, .ack = 1, .len = 100);
	}
}

static void nodelay_flushes(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_send(w, 50);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 101, .ack = 1, .len = 50);
}

static void nagle_off_by_config(struct wt *w)
{
	w->cfg.tcp_nagle = 0;
	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
}

static void nagle_fin(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_send(w, 50);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 101, .ack = 1, .len = 50);
}

static void cork(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 1);
	wt_send(w, 100);
	NOTHING(50);
	wt_send(w, 1400);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(50);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 0);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 40);
}

/* "setting this option forces an explicit flush of pending output, even if TCP_CORK is currently set"; what is
 * queued afterwards is corked again */
static void cork_and_nodelay(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 1);
	wt_send(w, 400);
	NOTHING(50);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 400);
	INJECT(.flags = A, .seq = 1, .ack = 401);
	wt_send(w, 400);
	NOTHING(50);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 0);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 401, .ack = 1, .len = 400);
}

static void more(struct wt *w)
{
	wt_established(w);
	EQ(wt_write(w, 100, MSG_MORE), 100);
	wt_settle(w);
	NOTHING(50);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 200);
}

static void more_is_not_for_ever(struct wt *w)
{
	wt_established(w);
	EQ(wt_write(w, 100, MSG_MORE), 100);
	wt_settle(w);
	w->mark = w->now;
	/* RFC 9293 MUST-60: data is not held for ever, whatever was promised to follow */
	EXPECT_IN(10, 1000, .flags = PA, .seq = 1, .ack = 1, .len = 100);
}

static void psh_on_last(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = PA, .seq = 2921, .ack = 1, .len = 80);
}

static void writes_are_gathered(struct wt *w)
{
	wt_established(w);
	for (unsigned i = 0; i < 30; i++)
		EQ(wt_write(w, 100, i < 29 ? MSG_MORE : 0), 100);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = PA, .seq = 2921, .ack = 1, .len = 80);
}

static void initial_window(struct wt *w)
{
	wt_established(w);
	wt_send(w, 30000);
	for (uint32_t s = 1; s < 14601; s += 1460)
		EXPECT(.flags = A, .seq = s, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 2921);
	CHECK(wt_drop(w) >= 3);
}

static void peer_window_limits(struct wt *w)
{
	w->peer.wnd = 4380;
	wt_established(w);
	wt_send(w, 30000);
	for (uint32_t s = 1; s < 4381; s += 1460)
		EXPECT(.flags = A, .seq = s, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	EXPECT(.flags = A, .seq = 4381, .ack = 1, .len = 1460, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 5841, .wnd = 8760);
	for (unsigned i = 0; i < 6; i++)
		EXPECT(.flags = A, .seq = 5841 + 1460 * i, .ack = 1, .len = 1460, .any_psh = true);
}

static void window_65535(struct wt *w)
{
	uint32_t n = 0;

	w->peer.wnd = 65535;
	w->cfg.tcp_initial_window = 64;
	wt_established(w);
	wt_send(w, 100000);
	while (probe_sent(w->probe) != NULL)
		n += wt_next(w, 0)->seg.len;
	IN(n, 44 * 1460, 65535);
}

static void silly_window_sender(struct wt *w)
{
	const struct frame_info *i;

	w->peer.wnd = 1460;
	wt_established(w);
	wt_send(w, 5000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1461, .wnd = 100);
	NOTHING(90);
	/* the override timer of RFC 9293 3.8.6.2.1 sends what fits in the end */
	i = wt_next(w, 5000);
	CHECK(i != NULL);
	IN(i->seg.len, 0, 100);
	INJECT(.flags = A, .seq = 1, .ack = 1461 + i->seg.len, .wnd = 1460);
	CHECK(wt_next(w, 0) != NULL);
}

static void held_back_then_sent(struct wt *w)
{
	w->peer.wnd = 2000;
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 2460);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1461, .wnd = 540);
	NOTHING(190); /* the override timer is about to fire */
	INJECT(.flags = A, .seq = 1, .ack = 1461, .wnd = 2000);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 1000);
	NOTHING(190); /* RFC 6298 (5.1): a time-out of its own */
	INJECT(.flags = A, .seq = 1, .ack = 2461);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
}

static void half_of_largest_window(struct wt *w)
{
	w->peer.wnd = 1000;
	wt_established(w);
	wt_send(w, 5000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1000, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1001, .wnd = 500);
	IN(wt_sent_len(w), 460, 500); /* up to the end of the segment begun, or of the window */
	wt_drop(w);
}

/* A probe is at the left edge: no data below it, or one byte or so at it. */
static void check_probe(struct wt *w, const struct frame_info *i, uint32_t next)
{
	uint32_t seq = i->seg.seq - w->flow.iss;

	CHECK(i->seg.len == 0 ? seq == next - 1 : (seq == next && i->seg.len <= 1460));
}

static void zero_window(struct wt *w)
{
	uint64_t last, gap, before = 0;

	w->peer.wnd = 2920;
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 5000);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 2921, .wnd = ZERO_WND);
	last = w->now;
	for (unsigned i = 0; i < 60; i++) {
		const struct frame_info *f = wt_next(w, 300000);

		CHECK(f != NULL);
		check_probe(w, f, 2921);
		EQ(wt_count(w, PC_TCP_RETRANSMITS), i); /* the first time the byte is new */
		gap = (w->mark - last) / 1000000;
		last = w->mark;
		IN(gap,
		   i == 0                   ? 190
		   : 2 * before - 2 < 59000 ? 2 * before - 2
		                            : 59000,
		   i == 0 ? 1001 : 2 * before + 2);
		before = gap;
		INJECT(.flags = A, .seq = 1, .ack = 2921, .wnd = ZERO_WND);
	}
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	INJECT(.flags = A, .seq = 1, .ack = 2921, .wnd = 2920);
	EXPECT(.flags = A, .seq = 2921, .ack = 1, .len = 1460, .any_psh = true);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 5001);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* "The transmitting host SHOULD send the first zero-window probe when a zero window has existed for the retransmission
 * timeout period": not when a tail loss probe was due for what was under way */
static void zero_window_and_tail(struct wt *w)
{
	w->peer.sackok = true;
	wt_established_after(w, 10);
	wt_send(w, 4 * 1460);
	EQ(wt_drop(w), 4);
	wt_pass(w, 10);
	INJECT(.flags = A, .seq = 1, .ack = 1461, .wnd = ZERO_WND);
	EXPECT_IN(200, 300, .flags = A, .seq = 1461, .ack = 1, .len = 1, .any_psh = true);
	EQ(wt_count(w, PC_TCP_PROBES), 1);
}

static void zero_window_byte_taken(struct wt *w)
{
	const struct frame_info *f;
	uint32_t taken;

	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 100);
	EQ(wt_drop(w), 0);
	f = wt_next(w, 1001);
	CHECK(f != NULL);
	check_probe(w, f, 1);
	taken = f->seg.len;
	INJECT(.flags = A, .seq = 1, .ack = 1 + taken, .wnd = 1000);
	EXPECT(.flags = PA, .seq = 1 + taken, .ack = 1, .len = 100 - taken);
}

/* A probe of a closed window is beyond it. What is acknowledged meanwhile has the number at its
 * edge: after that nothing is acceptable (3.10.7.4), and the peer would repeat all that it sends. */
static void zero_window_and_input(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 100);
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000, .wnd = ZERO_WND);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 1001);
	wt_read(w, 1000);
	EXPECT_IN(1, 2001, .flags = A, .seq = 1, .ack = 1001, .len = 1, .any_psh = true);
	INJECT(.flags = A, .seq = 1001, .ack = 1, .wnd = 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1001, .len = 100);
	INJECT(.flags = PA, .seq = 1001, .ack = 101, .len = 1000);
	EXPECT_IN(0, 499, .flags = A, .seq = 101, .ack = 2001);
	wt_read(w, 1000);
}

/* ... the same while a FIN probes it */
static void zero_window_fin_and_input(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000, .wnd = ZERO_WND);
	EXPECT_IN(0, 199, .flags = A, .seq = 1, .ack = 1001);
	wt_read(w, 1000);
	INJECT(.flags = A, .seq = 1001, .ack = 2);
	INJECT(.flags = PA, .seq = 1001, .ack = 2, .len = 1000);
	EXPECT_IN(0, 499, .flags = A, .seq = 2, .ack = 2001);
	wt_read(w, 1000);
}

static void window_update_lost(struct wt *w)
{
	const struct frame_info *f;

	w->peer.wnd = 1460;
	wt_established(w);
	wt_send(w, 2920);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1461, .wnd = ZERO_WND);
	/* the update is lost; the answer to a probe tells */
	f = wt_next(w, 1001);
	CHECK(f != NULL);
	check_probe(w, f, 1461);
	INJECT(.flags = A, .seq = 1, .ack = 1461 + f->seg.len, .wnd = 1460);
	EXPECT(.flags = PA, .seq = 1461 + f->seg.len, .ack = 1, .len = 1460 - f->seg.len);
}

static void window_overtaken(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	INJECT(.flags = A, .seq = 101, .ack = 1, .wnd = 5000);
	/* sent before that, and in order: SND.WL1 is beyond it */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .wnd = 1000);
	wt_send(w, 2000);
	EXPECT(.flags = A, .seq = 1, .ack = 101, .len = 1460, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1461, .ack = 101, .len = 540);
	INJECT(.flags = A, .seq = 101, .ack = 2001);
	wt_read(w, 100);
}

static void shrunk_window(struct wt *w)
{
	wt_established(w);
	wt_send(w, 14600);
	EQ(wt_drop(w), 10);
	INJECT(.flags = A, .seq = 1, .ack = 1461, .wnd = 1000);
	EQ(wt_write(w, 1460, 0), 1460);
	wt_settle(w);
	EQ(wt_drop(w), 0);
	/* what was sent in the old window is retransmitted all the same */
	CHECK(wt_next(w, 3000) != NULL);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 14601, .wnd = 65535);
	EXPECT(.flags = PA, .seq = 14601, .ack = 1, .len = 1460);
}

/* SHLD-17: "the sender should not time out the connection if data beyond the right window edge is not acknowledged" */
static void shrunk_to_nothing(struct wt *w)
{
	w->cfg.tcp_retries = 3;
	wt_established(w);
	wt_send(w, 14600);
	EQ(wt_drop(w), 10);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	for (unsigned i = 0; i < 12; i++) {
		CHECK(wt_next(w, 121000) != NULL);
		wt_drop(w);
		INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	}
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	INJECT(.flags = A, .seq = 1, .ack = 14601, .wnd = 65535);
	wt_drop(w);
}

static void older_segment_keeps_window(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100, .wnd = ZERO_WND);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .wnd = 65535);
	wt_read(w, 200);
	wt_drop(w);
	wt_send(w, 100);
	/* SND.WL1 is 101: the older segment with the open window must not count */
	NOTHING(150);
	INJECT(.flags = A, .seq = 201, .ack = 1, .wnd = 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 201, .len = 100);
}

/* ... but the one that acknowledges more is the newest: a text that found no room before comes again */
static void older_text_newer_window(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100, .wnd = 5000);
	wt_drop(w);
	wt_send(w, 2000);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 1, .ack = 2001, .len = 100, .wnd = 1460);
	wt_read(w, 200);
	wt_drop(w);
	EQ(wt_write(w, 4380, 0), 4380);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 2001, .ack = 201, .len = 1460, .any_psh = true);
	NOTHING(150);
}

static void sndbuf_limits(struct wt *w)
{
	int size = 8192, queued = 0;
	ssize_t n;

	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	n = wt_write(w, 100000, 0);
	IN(n, 4096, 16384);
	ERR(pc_send(w->st, w->flow.fd, "x", 1, 0), EAGAIN);
	CHECK((wt_events(w, w->flow.fd) & POLLOUT) == 0);
	wt_settle(w);
	wt_drop(w);
	OK(pc_ioctl(w->st, w->flow.fd, 0x5411 /* SIOCOUTQ */, &queued));
	EQ(queued, n);
	INJECT(.flags = A, .seq = 1, .ack = 1 + (uint32_t)n);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	OK(pc_ioctl(w->st, w->flow.fd, 0x5411, &queued));
	EQ(queued, 0);
}

static void busy_port(struct wt *w)
{
	wt_established(w);
	probe_limit_tx(w->probe, 0);
	wt_send(w, 2920);
	EQ(wt_drop(w), 0);
	probe_limit_tx(w->probe, 1);
	wt_pass(w, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	wt_pass(w, 1);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 1460);
}

static void large_stream(struct wt *w)
{
	uint32_t acked = 0, total = 2000000;

	wt_established(w);
	while (acked < total) {
		ssize_t n =
		    wt_write(w, total - w->flow.sent < 65536 ? total - w->flow.sent : 65536, 0);
		uint32_t next = acked;

		if (n < 0)
			CHECK(errno == EAGAIN);
		wt_settle(w);
		while (probe_sent(w->probe) != NULL) {
			uint32_t seq = 1 + next, len = wt_sent_len(w);

			EXPECT(.flags = A, .seq = seq, .ack = 1, .len = len, .any_psh = true);
			next += len;
		}
		CHECK(next > acked);
		acked = next;
		wt_pass(w, 5);
		INJECT(.flags = A, .seq = 1, .ack = 1 + acked);
	}
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.10.7.4: what a newer segment has overtaken does not set the window",
     window_overtaken},
    {"RFC 9293 SHLD-7: Nagle holds small segments back", nagle},
    {"RFC 9293 3.7.4: Nagle never holds a full segment", nagle_full_segment},
    {"RFC 9293 MUST-17: TCP_NODELAY", nodelay},
    {"tcp(7): TCP_NODELAY sends what is held", nodelay_flushes},
    {"tcp.nagle 0", nagle_off_by_config},
    {"RFC 9293 A.3: what a large write leaves over goes at once", minshall},
    {"RFC 9293 3.7.4: tcp.minshall 0", no_minshall},
    {"RFC 9293 A.3: one small segment behind full ones", minshall_after_part},
    {"RFC 9293 A.3: after TCP_NODELAY", minshall_later},
    {"RFC 9293 A.3: beside urgent data", minshall_urgent},
    {"RFC 9293 A.3: beside urgent data that is cut", minshall_urgent_sliver},
    {"RFC 9293 3.10.4: FIN takes the last small segment along", nagle_fin},
    {"tcp(7): TCP_CORK sends full segments only", cork},
    {"tcp(7): TCP_NODELAY flushes what is corked", cork_and_nodelay},
    {"send(2): MSG_MORE", more},
    {"RFC 9293 MUST-60: MSG_MORE does not hold data for ever", more_is_not_for_ever},
    {"RFC 9293 MUST-61: the last segment carries PSH", psh_on_last},
    {"RFC 9293 3.7.4: small writes are gathered", writes_are_gathered},
    {"RFC 6928 2: ten segments at first", initial_window},
    {"RFC 9293 3.8.6: the peer's window limits", peer_window_limits},
    {"RFC 9293 MUST-1: a window of 65535 is positive", window_65535},
    {"RFC 9293 MUST-38: no silly window at the sender", silly_window_sender},
    {"RFC 6298 5.1: data that was held back has a time-out of its own", held_back_then_sent},
    {"RFC 9293 3.8.6.2.1: half of the largest window is enough", half_of_largest_window},
    {"RFC 9293 MUST-36, MUST-37, SHLD-29, SHLD-30: a closed window is probed for ever",
     zero_window},
    {"RFC 9293 SHLD-29: ... not before a time-out, whatever was under way", zero_window_and_tail},
    {"RFC 9293 3.8.6.1: the byte of a probe may be taken", zero_window_byte_taken},
    {"RFC 9293 3.10.7.4: ACKs while a closed window is probed", zero_window_and_input},
    {"RFC 9293 3.10.7.4: ... by a FIN", zero_window_fin_and_input},
    {"RFC 9293 3.8.6.1: a lost window update is found by a probe", window_update_lost},
    {"RFC 9293 MUST-34, SHLD-16: a shrunk window does no harm", shrunk_window},
    {"RFC 9293 SHLD-17: a window that has shrunk to nothing ends nothing", shrunk_to_nothing},
    {"RFC 9293 3.10.7.4: only newer segments change the window", older_segment_keeps_window},
    {"RFC 9293 3.10.7.4: what acknowledges more is newer", older_text_newer_window},
    {"socket(7): SO_SNDBUF limits what is queued", sndbuf_limits},
    {"a port that takes no frames delays them only", busy_port},
    {"RFC 9293 3.4: a stream across the end of the number space", large_stream},
};

WT_MAIN("send")
