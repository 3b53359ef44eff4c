/* SPDX-License-Identifier: BSD-2-Clause */

/* Receiving: acceptability, trimming, data out of order, acknowledgements. */

#include <rte_mempool.h>
#include <sys/ioctl.h>

#include "wt.h"

#define WND 4096 /* receive buffer of the cases that need a small one */

static void small_window(struct wt *w)
{
	w->cfg.tcp_rcvbuf = WND;
	wt_established(w);
}

/* Fills the receive buffer and forgets the acknowledgements. */
static void fill_window(struct wt *w)
{
	small_window(w);
	for (uint32_t s = 1; s < WND + 1; s += 1024)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1024);
	wt_pass(w, 500);
	wt_drop(w);
}

static void accept_empty(struct wt *w)
{
	small_window(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = WND, .ack = 1); /* the last number of the window */
	NOTHING(600);
	INJECT(.flags = A, .seq = 0, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	wt_pass(w, 1000);
	INJECT(.flags = A, .seq = WND + 2, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

static void accept_empty_zero_window(struct wt *w)
{
	fill_window(w);
	INJECT(.flags = A, .seq = WND + 1, .ack = 1);
	NOTHING(600);
	INJECT(.flags = A, .seq = WND + 2, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = ZERO_WND);
}

static void accept_data_zero_window(struct wt *w)
{
	fill_window(w);
	INJECT(.flags = PA, .seq = WND + 1, .ack = 1, .len = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = ZERO_WND);
	wt_read(w, WND);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = WND);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
}

static void ack_in_zero_window(struct wt *w)
{
	fill_window(w);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = WND + 1, .len = 100, .wnd = ZERO_WND);
	INJECT(.flags = PA, .seq = WND + 1, .ack = 101, .len = 50);
	EXPECT(.flags = A, .seq = 101, .ack = WND + 1, .wnd = ZERO_WND);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static int queued(struct wt *w)
{
	int n = -1;

	OK(pc_ioctl(w->st, w->flow.fd, FIONREAD, &n));
	return n;
}

/* a window in units of 128 bytes closes although each segment is smaller than one, and nobody reads */
static void small_segments_close(struct wt *w)
{
	const struct frame_info *f = NULL;
	uint32_t seq = 1;

	w->peer.ws = 8;
	w->cfg.tcp_rcvbuf = 5000;
	wt_established(w);
	for (; seq < 3 * 5000 && (f == NULL || f->seg.wnd > 0); seq += 100) {
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
		f = wt_next(w, 500);
		CHECK(f != NULL);
	}
	EQ(f->seg.wnd, 0);
	IN(seq - 1, 5000 - 2 * 128, 5000);
	/* what is left below a unit was promised (RFC 7323 2.4), more is not taken */
	INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
	INJECT(.flags = PA, .seq = seq + 100, .ack = 1, .len = 100);
	wt_pass(w, 500);
	wt_drop(w);
	IN(queued(w), seq - 1, 5000);
	wt_read(w, (uint32_t)queued(w));
	f = wt_next(w, 500);
	CHECK(f != NULL && f->seg.wnd > 0);
	wt_drop(w);
}

static void accept_left(struct wt *w)
{
	small_window(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	wt_pass(w, 500);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 101, .any_sack = true);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
}

static void accept_right(struct wt *w)
{
	small_window(w);
	INJECT(.flags = PA, .seq = WND + 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_count(w, PC_TCP_RX_OOO), 0);
}

static void trim_left(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = PA, .seq = 51, .ack = 1, .len = 100);
	wt_read(w, 150);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 151);
}

static void trim_right(struct wt *w)
{
	small_window(w);
	INJECT(.flags = PA, .seq = 4001, .ack = 1, .len = 300);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	for (uint32_t s = 1; s < 4001; s += 1000)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1000);
	wt_pass(w, 500);
	wt_drop(w);
	wt_read(w, WND);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = WND);
	for (uint32_t s = 1; s < 4001; s += 1000) /* by a single byte */
		INJECT(.flags = PA, .seq = WND + s, .ack = 1, .len = 1000);
	INJECT(.flags = PA, .seq = WND + 4001, .ack = 1, .len = WND - 4000 + 1);
	wt_pass(w, 500);
	wt_drop(w);
	wt_read(w, WND);
	EXPECT(.flags = A, .seq = 1, .ack = 2 * WND + 1, .wnd = WND);
}

static void trim_both(struct wt *w)
{
	w->cfg.tcp_rcvbuf = WND;
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	for (uint32_t s = 501; s < 3000; s += 1000)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1400);
	INJECT(.flags = PA, .seq = 3901, .ack = 1, .len = 1400);
	wt_pass(w, 500);
	wt_drop(w);
	wt_read(w, WND);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = WND);
}

static void out_of_order(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 201);
	wt_read(w, 200);
	NOTHING(600);
}

static void partial_fill(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 201, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100); /* part of the gap */
	EXPECT(.flags = A, .seq = 1, .ack = 101);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 301);
	wt_read(w, 300);
}

static void overlaps(struct wt *w)
{
	static const uint16_t order[][2] = {{101, 100}, {151, 100}, {51, 100}, {401, 50}, {391, 70},
	                                    {405, 10},  {251, 140}, {1, 90},   {60, 5},   {1, 460}};

	wt_established(w);
	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		INJECT(.flags = PA, .seq = order[i][0], .ack = 1, .len = order[i][1]);
	CHECK(wt_drop(w) >= 8);
	wt_read(w, 460);
	wt_pass(w, 500);
	wt_drop(w);
}

static void sack_blocks(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{101, 201}});
	INJECT(.flags = PA, .seq = 301, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{301, 401}, {101, 201}});
	INJECT(.flags = PA, .seq = 501, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{501, 601}, {301, 401}, {101, 201}});
	INJECT(.flags = PA, .seq = 201, .ack = 1, .len = 50); /* grows the oldest block */
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{101, 251}, {501, 601}, {301, 401}});
	INJECT(.flags = PA, .seq = 251, .ack = 1, .len = 50); /* joins two */
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{101, 401}, {501, 601}});
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 401, .nb_sack = 1, .sack = {{501, 601}});
	INJECT(.flags = PA, .seq = 401, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 601);
	wt_read(w, 600);
}

static void sack_fits_with_timestamps(struct wt *w)
{
	w->peer.sackok = w->peer.ts = true;
	wt_established(w);
	for (uint32_t s = 101; s < 1101; s += 200)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 100);
	for (unsigned i = 0; i < 4; i++)
		CHECK(wt_next(w, 0) != NULL);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{901, 1001}, {701, 801}, {501, 601}});
}

/* of what one burst brings, every block is told, though not in one acknowledgement */
static void sack_of_a_burst(struct wt *w)
{
	w->peer.sackok = w->peer.ts = true;
	wt_established(w);
	for (uint32_t s = 101; s < 1601; s += 300) {
		QUEUE(.flags = PA, .seq = s, .ack = 1, .len = 100);
		QUEUE(.flags = PA, .seq = s + 100, .ack = 1, .len = 100);
	}
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{701, 801}, {401, 601}, {101, 301}});
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{1301, 1401}, {1001, 1201}, {701, 901}});
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{1301, 1501}, {1001, 1201}, {701, 901}});
}

static void sack_not_permitted(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

static void sack_beside_data(struct wt *w)
{
	w->peer.sackok = w->peer.ts = true;
	wt_established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{101, 201}});
	wt_send(w, 1448 + 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1448,
	       .any_psh = true); /* no room for blocks */
	INJECT(.flags = A, .seq = 1, .ack = 1449);
	EXPECT(.flags = PA, .seq = 1449, .ack = 1, .len = 1000, .nb_sack = 1, .sack = {{101, 201}});
	QUEUE(.flags = PA, .seq = 301, .ack = 2449, .len = 100);
	pc_stack_poll(w->st, w->now);
	EQ(wt_write(w, 1448, 0), 1448);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 2449, .ack = 1, .len = 1448);
	EXPECT(.flags = A, .seq = 3897, .ack = 1, .nb_sack = 2, .sack = {{301, 401}, {101, 201}});
	INJECT(.flags = A, .seq = 401, .ack = 3897);
}

/* segments of 1260 bytes at most, options included */
static void sack_beside_small_segments(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{101, 201}});
	wt_send(w, 1260 + 1248);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1261, .ack = 1, .len = 1248, .nb_sack = 1, .sack = {{101, 201}});
	INJECT(.flags = A, .seq = 201, .ack = 2509);
}

static void sack_within_the_mss(struct wt *w)
{
	w->peer.mss = 1260;
	sack_beside_small_segments(w);
}

static void sack_within_the_path(struct wt *w)
{
	w->mtu = 1300;
	sack_beside_small_segments(w);
}

static void fin_out_of_order(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = FA, .seq = 101, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK((wt_events(w, w->flow.fd) & (POLLIN | POLLRDHUP)) == 0);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 102);
	wt_read(w, 100);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
	EQ(wt_info(w).tcpi_state, TCP_CLOSE_WAIT);
}

static void fin_with_data_out_of_order(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = FA, .seq = 101, .ack = 1, .len = 50);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 152);
	wt_read(w, 150);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

static void data_after_fin(struct wt *w)
{
	wt_close_wait(w);
	INJECT(.flags = PA, .seq = 2, .ack = 1, .len = 100);
	wt_pass(w, 500);
	wt_drop(w);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
	EQ(wt_info(w).tcpi_state, TCP_CLOSE_WAIT);
}

static void fin_cut_by_window(struct wt *w)
{
	small_window(w);
	for (uint32_t s = 1; s < WND; s += 1024)
		INJECT(.flags = s > 3000 ? FA : PA, .seq = s, .ack = 1, .len = 1024);
	wt_pass(w, 500);
	wt_drop(w);
	/* the FIN lay just beyond the window, or was taken: either way the data is whole */
	wt_read(w, WND);
	wt_drop(w);
	INJECT(.flags = FA, .seq = WND + 1, .ack = 1);
	wt_pass(w, 500);
	wt_drop(w);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

static void queue_is_bounded(struct wt *w)
{
	uint32_t before;

	w->cfg.tcp_rcvbuf = 65536;
	wt_established(w);
	before = (uint32_t)rte_mempool_in_use_count(w->pool) +
	         (uint32_t)rte_mempool_in_use_count(w->probe_pool);
	for (uint32_t s = 3; s < 3 + 2 * 1800; s += 2)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1);
	wt_drop(w);
	/* 64 KiB of window must not pin thousands of buffers by one byte each */
	IN((uint32_t)rte_mempool_in_use_count(w->pool) +
	       (uint32_t)rte_mempool_in_use_count(w->probe_pool) - before,
	   0, 1024);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	wt_read(w, 1000);
	wt_drop(w);
}

static void delayed_ack(struct wt *w)
{
	wt_established(w);
	for (uint32_t s = 1; s < 1 + 40 * 1460; s += 1460)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1460);
	wt_read(w, 40 * 1460);
	wt_pass(w, 1000);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 58401, .ack = 1, .len = 100);
	NOTHING(1);
	EXPECT_IN(1, 499, .flags = A, .seq = 1, .ack = 58501);
}

static void delayed_ack_first(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 101);
	NOTHING(5000);
}

static void second_full_segment(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = 1460);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 2921);
	NOTHING(500);
}

static void burst_is_acked_once(struct wt *w)
{
	wt_established(w);
	for (uint32_t s = 1; s < 1 + 8 * 100; s += 100)
		QUEUE(.flags = PA, .seq = s, .ack = 1, .len = 100);
	wt_settle(w);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 801);
	NOTHING(500);
	wt_read(w, 800);
}

static void ack_rides_on_data(struct wt *w)
{
	wt_established(w);
	QUEUE(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	pc_stack_poll(w->st, w->now);
	EQ(wt_write(w, 50, 0), 50);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 50);
	NOTHING(150);
}

static void quickack(struct wt *w)
{
	wt_established(w);
	for (uint32_t s = 1; s < 1 + 40 * 1460; s += 1460)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1460);
	wt_read(w, 40 * 1460);
	wt_pass(w, 500);
	wt_drop(w);
	wt_opt(w, IPPROTO_TCP, TCP_QUICKACK, 1);
	INJECT(.flags = PA, .seq = 58401, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 58501);
}

/* ... and when it is cleared, not even the first acknowledgements are sent at once */
static void quickack_cleared(struct wt *w)
{
	w->cfg.tcp_quick_acks = 16;
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_QUICKACK, 0);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT_IN(20, 100, .flags = A, .seq = 1, .ack = 101);
}

static void delack_off(struct wt *w)
{
	w->cfg.tcp_delack_ms = 0;
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 101);
}

static void urgent_inline(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA | TCP_URG, .seq = 1, .ack = 1, .len = 100, .urg = 100);
	INJECT(.flags = PA | TCP_URG, .seq = 101, .ack = 1, .len = 10, .urg = 60000);
	INJECT(.flags = PA | TCP_URG, .seq = 111, .ack = 1, .len = 10, .urg = 0);
	wt_read(w, 120);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 121);
}

static void window_steps(struct wt *w)
{
	fill_window(w);
	wt_read(w, 100);
	NOTHING(100);
	wt_read(w, 1300); /* 1400: less than min(MSS, buffer / 2) */
	NOTHING(100);
	wt_read(w, 700); /* 2100: more than that */
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = WND + 1, .wnd = 2100);
	NOTHING(1000);
}

/* "... in increments": nor does an acknowledgement that is due for something else tell of a little */
static void window_steps_of_acks(struct wt *w)
{
	fill_window(w);
	wt_read(w, 1023);
	INJECT(.flags = PA, .seq = WND + 1, .ack = 1, .len = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = ZERO_WND);
	wt_read(w, 1); /* a segment, as the peer's are */
	INJECT(.flags = PA, .seq = WND + 1, .ack = 1, .len = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = 1024);
}

/* half of a buffer is enough that holds less than two segments */
static void window_steps_of_half(struct wt *w)
{
	int size = 2048;

	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	INJECT(.flags = PA, .seq = 1461, .ack = 1, .len = 588);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 2049, .wnd = ZERO_WND);
	wt_read(w, 1023);
	NOTHING(100);
	wt_read(w, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 2049, .wnd = 1024);
}

/* What is left of the window is no multiple of the scale, and the buffer has no room to round it up: the field tells of less than
 * was promised, which is taken nevertheless (RFC 7323 2.4) */
static void scaled_edge(struct wt *w)
{
	static const uint32_t lens[] = {100, 900, 1460, 1460, 176};
	uint32_t seq = 1;

	w->cfg.tcp_rcvbuf = WND;
	w->cfg.tcp_rcvbuf_max = 8 << 20;
	w->peer.ws = 7 + 1;
	wt_established(w);
	CHECK(w->flow.ws > 2); /* WND - 100 is no multiple */
	for (unsigned i = 0; i < 5; seq += lens[i], i++) {
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = lens[i]);
		wt_pass(w, 100);
		wt_drop(w);
	}
	wt_read(w, WND);
	wt_drop(w);
}

static void window_follows_reader(struct wt *w)
{
	small_window(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = 1460);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 2921, .wnd = WND - 2920);
	wt_read(w, 2920);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 2921, .wnd = WND);
}

static void rcvbuf_option(struct wt *w)
{
	int size = 8192, got = 0;
	socklen_t len = sizeof(got);

	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	OK(pc_getsockopt(w->st, w->lfd, SOL_SOCKET, SO_RCVBUF, &got, &len));
	EQ(got, 8192);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .wnd = 8192);
}

static void rcvbuf_before_connection(struct wt *w)
{
	int size = 100000;

	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	NOTHING(100);
	EQ(wt_count(w, PC_TCP_TX), 0);
	wt_syn_sent(w);
	size = 400000;
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	NOTHING(900);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

static void large_stream(struct wt *w)
{
	uint32_t total = 0;

	wt_established(w);
	while (total < 1000000) { /* the number wraps soon after the start */
		for (unsigned i = 0; i < 20; i++, total += 1460)
			QUEUE(.flags = A, .seq = 1 + total, .ack = 1, .len = 1460);
		wt_settle(w);
		wt_read(w, 20 * 1460);
		CHECK(wt_drop(w) >= 1);
	}
}

static const struct wt_case cases[] = {
    {"RFC 7323 2.4: a scaled window closes, however small the segments", small_segments_close},
    {"RFC 9293 3.10.7.4: acceptability, no data, window open", accept_empty},
    {"RFC 9293 3.10.7.4: acceptability, no data, window closed", accept_empty_zero_window},
    {"RFC 9293 3.10.7.4: acceptability, data, window closed", accept_data_zero_window},
    {"RFC 9293 3.10.7.4: ACKs count with a closed window", ack_in_zero_window},
    {"RFC 9293 3.10.7.4: acceptability, data left of the window", accept_left},
    {"RFC 9293 3.10.7.4: acceptability, data right of the window", accept_right},
    {"RFC 9293 3.10.7.4: the old part of a segment is cut off", trim_left},
    {"RFC 9293 3.10.7.4: the part beyond the window is cut off", trim_right},
    {"RFC 9293 3.10.7.4: both", trim_both},
    {"RFC 9293 SHLD-31, 5681 4.2: data out of order is kept and acked at once", out_of_order},
    {"RFC 5681 4.2: filling part of a gap is acked at once", partial_fill},
    {"RFC 9293 3.10.7.4: overlaps never corrupt", overlaps},
    {"RFC 2018 4: SACK blocks, the latest first", sack_blocks},
    {"RFC 2018 3: three blocks fit beside timestamps", sack_fits_with_timestamps},
    {"RFC 2018 4: ... and all that one burst brings", sack_of_a_burst},
    {"RFC 9293 MUST-16: SACK blocks never make a data segment too large", sack_beside_data},
    {"RFC 9293 MUST-16: ... for the peer", sack_within_the_mss},
    {"RFC 9293 MUST-16: ... for the path", sack_within_the_path},
    {"RFC 2018 2: no SACK unless permitted", sack_not_permitted},
    {"RFC 9293 3.10.7.4: FIN before its data", fin_out_of_order},
    {"RFC 9293 3.10.7.4: FIN with data before its turn", fin_with_data_out_of_order},
    {"RFC 9293 3.10.7.4: nothing comes after FIN", data_after_fin},
    {"RFC 9293 3.10.7.4: FIN at the edge of the window", fin_cut_by_window},
    {"CVE-2018-5390: the out-of-order queue is bounded", queue_is_bounded},
    {"RFC 9293 SHLD-18, MUST-40: an ACK is delayed, less than 0.5 s", delayed_ack},
    {"RFC 9293 MUST-40: the first data is acked within 0.5 s", delayed_ack_first},
    {"RFC 9293 SHLD-19: every second full segment is acked", second_full_segment},
    {"RFC 9293 MUST-58, MUST-59: a burst draws one ACK", burst_is_acked_once},
    {"RFC 9293 SHLD-18: the ACK rides on an answer", ack_rides_on_data},
    {"tcp(7): TCP_QUICKACK acks at once", quickack},
    {"tcp(7): TCP_QUICKACK of 0 delays from the first on", quickack_cleared},
    {"tcp.delack_ms 0 acks at the end of the turn", delack_off},
    {"RFC 9293 MUST-30: urgent data stays in the stream", urgent_inline},
    {"RFC 9293 MUST-39: the window opens in large steps", window_steps},
    {"RFC 9293 MUST-39: ... in any acknowledgement", window_steps_of_acks},
    {"RFC 9293 MUST-39: half of a small buffer", window_steps_of_half},
    {"RFC 9293 SHLD-14, 7323 2.4: an edge that the scale cannot tell", scaled_edge},
    {"RFC 9293 3.8.6: the window follows the reader", window_follows_reader},
    {"socket(7): SO_RCVBUF is the window", rcvbuf_option},
    {"socket(7): SO_RCVBUF before there is a connection", rcvbuf_before_connection},
    {"RFC 9293 3.4: a stream across the end of the number space", large_stream},
};

WT_MAIN("receive")
