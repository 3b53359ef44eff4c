/* SPDX-License-Identifier: BSD-2-Clause */

/* Loss: the retransmission timer, fast retransmit, recovery, the congestion window. */

#include "wt.h"

#define MSS 1460

/* A connection whose round trip takes ms, measured at the handshake and on n segments. */
static void with_rtt(struct wt *w, double ms, unsigned n)
{
	wt_established_after(w, ms);
	for (unsigned i = 0; i < n; i++) {
		wt_send(w, 10);
		EXPECT(.flags = PA, .seq = 1 + 10 * i, .ack = 1, .len = 10);
		wt_pass(w, ms);
		INJECT(.flags = A, .seq = 1, .ack = 11 + 10 * i);
	}
}

static void expect_segments(struct wt *w, uint32_t seq, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		EXPECT(.flags = A, .seq = seq + MSS * i, .ack = 1, .len = MSS, .any_psh = true);
}

/* Sends n full segments of which none is acknowledged yet. */
static void flight(struct wt *w, unsigned n)
{
	wt_established(w);
	wt_send(w, n * MSS);
	expect_segments(w, 1, n);
}

static void dup_acks(struct wt *w, uint32_t ack, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		wt_pass(w, 0.02);
		INJECT(.flags = A, .seq = 1, .ack = ack);
	}
}

/* Acknowledges everything sent so far, two segments at a time, and what that sets free too. */
static uint32_t ack_all(struct wt *w, uint32_t from, uint32_t to)
{
	for (uint32_t a = from; a < to;) {
		a = to - a > 2 * MSS ? a + 2 * MSS : to;
		INJECT(.flags = A, .seq = 1, .ack = a);
	}
	return to;
}

static uint32_t highest(struct wt *w, uint32_t high)
{
	while (probe_sent(w->probe) != NULL) {
		const struct frame_info *i = wt_next(w, 0);
		uint32_t end = i->seg.seq - w->flow.iss + i->seg.len;

		high = (int32_t)(end - high) > 0 ? end : high;
	}
	return high;
}

static void rto_from_samples(struct wt *w)
{
	struct tcp_info info;

	w->cfg.tcp_rto_min_ms = 1;
	w->cfg.tcp_rto_initial_ms = 3000;
	with_rtt(w, 1000, 0);
	info = wt_info(w);
	IN(info.tcpi_rtt, 999000, 1001000);   /* SRTT = R */
	IN(info.tcpi_rttvar, 499000, 501000); /* RTTVAR = R / 2 */
	IN(info.tcpi_rto, 2999000, 3010000);  /* SRTT + 4 RTTVAR */
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 2000);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	info = wt_info(w);
	IN(info.tcpi_rttvar, 624000, 626000); /* 3/4 500 + 1/4 |1000 - 2000| */
	IN(info.tcpi_rtt, 1124000, 1126000);  /* 7/8 1000 + 1/8 2000 */
	IN(info.tcpi_rto, 3624000, 3636000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
	EXPECT_IN(3624, 3636, .flags = PA, .seq = 11, .ack = 1, .len = 10);
}

static void rto_floor(struct wt *w)
{
	with_rtt(w, 1, 20);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	NOTHING(199);
	EXPECT_IN(200, 203, .flags = PA, .seq = 201, .ack = 1, .len = 10);
}

static void rto_floor_of_rfc(struct wt *w)
{
	w->cfg.tcp_rto_min_ms = 1000;
	with_rtt(w, 1, 3);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 31, .ack = 1, .len = 10);
	EXPECT_IN(1000, 1003, .flags = PA, .seq = 31, .ack = 1, .len = 10);
}

static void back_off(struct wt *w)
{
	double rto = 200;

	with_rtt(w, 1, 20);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	for (unsigned i = 0; i < 15; i++) {
		EXPECT_IN(rto, rto * 1.01 + 2, .flags = PA, .seq = 201, .ack = 1, .len = 10);
		rto = 2 * rto < 120000 ? 2 * rto : 120000;
	}
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 15);
	INJECT(.flags = A, .seq = 1, .ack = 211);
	EQ(wt_info(w).tcpi_backoff, 0);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

static void gives_up(struct wt *w)
{
	int e = 0;
	socklen_t len = sizeof(e);

	w->cfg.tcp_retries = 3;
	w->cfg.tcp_mtu_probing = 0; /* or the third would be smaller */
	flight(w, 1);
	for (unsigned i = 0; i < 3; i++)
		EXPECT_IN(199, 2001, .flags = PA, .seq = 1, .ack = 1, .len = MSS);
	wt_pass(w, 20000);
	wt_drop(w); /* a RST for the peer may be among the last words */
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
	CHECK(wt_events(w, w->flow.fd) & POLLHUP);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &e, &len));
	EQ(e, ETIMEDOUT);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	EXPECT(.flags = R, .seq = 1 + MSS);
}

static void timer_restarts(struct wt *w)
{
	with_rtt(w, 1, 20);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 10);
	wt_pass(w, 150);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 211, .ack = 1, .len = 10);
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = 211); /* RFC 6298 5.3: restart with new ACK */
	NOTHING(199);
	EXPECT_IN(199, 350, .flags = PA, .seq = 211, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 221);
	NOTHING(10000); /* RFC 6298 5.2: all acknowledged, timer off */
}

/* the same by an acknowledgement that nothing else is usual about, as it ends within a segment */
static void timer_restarts_within(struct wt *w)
{
	with_rtt(w, 1, 20);
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 201, .ack = 1, .len = 100);
	wt_pass(w, 150);
	INJECT(.flags = A, .seq = 1, .ack = 211);
	NOTHING(199);
	EXPECT_IN(199, 350, .flags = PA, .seq = 211, .ack = 1, .len = 90);
	INJECT(.flags = A, .seq = 1, .ack = 301);
}

static void karn(struct wt *w)
{
	uint32_t rtt;

	with_rtt(w, 10, 10);
	rtt = wt_info(w).tcpi_rtt;
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 101, .ack = 1, .len = 10);
	EXPECT_IN(199, 250, .flags = PA, .seq = 101, .ack = 1, .len = 10);
	wt_pass(w, 150);
	INJECT(.flags = A, .seq = 1, .ack = 111);
	EQ(wt_info(w).tcpi_rtt, rtt);
}

/* Karn's other half: the back-off stays until something that was sent once is acknowledged */
static void back_off_stays(struct wt *w)
{
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(399, 2001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
	w->mark = w->now;
	EXPECT_IN(799, 4001, .flags = PA, .seq = 11, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 21);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 21, .ack = 1, .len = 10);
	wt_pass(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = 31);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 31, .ack = 1, .len = 10);
	w->mark = w->now;
	EXPECT_IN(199, 301, .flags = PA, .seq = 31, .ack = 1, .len = 10);
}

/* ... also after keep-alives without an answer, which are no probes of a closed window */
static void back_off_stays_after_keepalives(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	EXPECT_IN(9990, 10010, .flags = A, .seq = 0, .ack = 1);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(399, 2001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
	w->mark = w->now;
	EXPECT_IN(799, 4001, .flags = PA, .seq = 11, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 21);
}

/* what waited beyond a hole measures the repair, not the path */
static void no_sample_beyond_a_hole(struct wt *w)
{
	uint32_t rtt;

	with_rtt(w, 5, 1);
	rtt = wt_info(w).tcpi_rtt;
	wt_send(w, 2 * MSS);
	EXPECT(.flags = A, .seq = 11, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 11 + MSS, .ack = 1, .len = MSS);
	EXPECT_IN(199, 1001, .flags = A, .seq = 11, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 11 + 2 * MSS);
	EQ(wt_info(w).tcpi_rtt, rtt);
}

/* ... nor of what was reported by SACK when it came: it is acknowledged when what came late has */
static void no_sample_of_what_was_sacked(struct wt *w)
{
	uint32_t rtt;

	w->cfg.tcp_rack = 0; /* which would have sent it again */
	w->peer.sackok = true;
	with_rtt(w, 10, 10);
	rtt = wt_info(w).tcpi_rtt;
	wt_send(w, 2 * MSS);
	EXPECT(.flags = A, .seq = 101, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 101 + MSS, .ack = 1, .len = MSS);
	wt_pass(w, 10);
	INJECT(.flags = A, .seq = 1, .ack = 101, .nb_sack = 1,
	       .sack = {{101 + MSS, 101 + 2 * MSS}});
	wt_pass(w, 150);
	INJECT(.flags = A, .seq = 1, .ack = 101 + 2 * MSS);
	EQ(wt_info(w).tcpi_rtt, rtt);
}

static void timestamps_measure_retransmissions(struct wt *w)
{
	uint32_t rtt;

	w->peer.ts = true;
	with_rtt(w, 10, 10);
	rtt = wt_info(w).tcpi_rtt;
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 101, .ack = 1, .len = 10);
	EXPECT_IN(199, 250, .flags = PA, .seq = 101, .ack = 1, .len = 10);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = 111);
	CHECK(wt_info(w).tcpi_rtt > rtt);
	IN(wt_info(w).tcpi_rtt, rtt, 40000);
}

static void rto_resends_oldest(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	flight(w, 10);
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_drop(w), 0);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);     /* RFC 5681 3.1: one segment */
	EQ(wt_info(w).tcpi_snd_ssthresh, 5); /* half of what was under way */
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	expect_segments(w, 1 + MSS, 2); /* slow start */
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	EQ(wt_info(w).tcpi_unacked, 0);
	NOTHING(5000);
}

static void fast_retransmit(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	flight(w, 10);
	dup_acks(w, 1, 2);
	EQ(wt_drop(w), 0);
	dup_acks(w, 1, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
	dup_acks(w, 1, 6);
	EQ(wt_drop(w), 0); /* nothing new to send, nothing else known lost */
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	IN(wt_info(w).tcpi_snd_cwnd, 2, 5); /* deflated */
	NOTHING(5000);
}

/* dup_acks in one burst */
static void dup_burst(struct wt *w, uint32_t ack, unsigned n)
{
	while (--n > 0)
		QUEUE(.flags = A, .seq = 1, .ack = ack);
	INJECT(.flags = A, .seq = 1, .ack = ack);
}

static void burst_of_duplicates(struct wt *w)
{
	flight(w, 10);
	dup_burst(w, 1, 9);
	EXPECT_IN(0.06, 0.3, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	IN(wt_info(w).tcpi_unacked, 10, 10);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	NOTHING(5000);
}

static void needless_duplicates(struct wt *w)
{
	flight(w, 10);
	for (uint32_t ack = 1 + 2 * MSS; ack <= 1 + 8 * MSS; ack += 2 * MSS) {
		QUEUE(.flags = A, .seq = 1, .ack = ack);
		dup_burst(w, ack, 20);
		NOTHING(0.05);
	}
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	NOTHING(5000);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
}

/* ... also when the turns are so short that a burst takes several */
static void needless_in_turns(struct wt *w)
{
	flight(w, 10);
	for (uint32_t ack = 1 + 2 * MSS; ack <= 1 + 8 * MSS; ack += 2 * MSS) {
		INJECT(.flags = A, .seq = 1, .ack = ack);
		for (unsigned i = 0; i < 5; i++)
			INJECT(.flags = A, .seq = 1, .ack = ack);
		NOTHING(0.05);
	}
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	NOTHING(5000);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
}

static void not_duplicates(struct wt *w)
{
	w->peer.wnd = 30000;
	flight(w, 10);
	for (uint32_t i = 1; i < 6; i++) { /* window updates */
		wt_pass(w, 0.2);
		INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = (int32_t)(30000 + 100 * i));
	}
	wt_pass(w, 5);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	for (uint32_t i = 0; i < 5; i++) { /* data */
		wt_pass(w, 0.2);
		INJECT(.flags = PA, .seq = 1 + i, .ack = 1, .len = 1, .wnd = 30500);
	}
	for (uint32_t i = 0; i < 5; i++) { /* ... out of order, too */
		wt_pass(w, 0.2);
		INJECT(.flags = PA, .seq = 1007 + i, .ack = 1, .len = 1, .wnd = 30500);
	}
	wt_pass(w, 5);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	while (probe_sent(w->probe) != NULL)
		EQ(wt_next(w, 0)->seg.len, 0);
	for (uint32_t i = 0; i < 3; i++) { /* and what is one */
		wt_pass(w, 0.2);
		INJECT(.flags = A, .seq = 6, .ack = 1, .wnd = 30500);
	}
	wt_pass(w, 5);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	EXPECT(.flags = A, .seq = 1, .ack = 6, .len = MSS, .any_psh = true);
	wt_read(w, 5);
	while (probe_sent(w->probe) != NULL)
		EQ(wt_next(w, 0)->seg.len, 0);
}

static void limited_transmit(struct wt *w)
{
	wt_established(w);
	wt_send(w, 20 * MSS);
	expect_segments(w, 1, 10);
	dup_acks(w, 1, 1);
	expect_segments(w, 1 + 10 * MSS, 1);
	dup_acks(w, 1, 1);
	expect_segments(w, 1 + 11 * MSS, 1);
	dup_acks(w, 1, 1);
	expect_segments(w, 1, 1);
	wt_drop(w);
}

/* "... the amount of outstanding data would remain less than or equal to cwnd plus 2 segments", however many say so at once */
static void limited_transmit_of_burst(struct wt *w)
{
	wt_established(w);
	wt_send(w, 20 * MSS);
	expect_segments(w, 1, 10);
	dup_burst(w, 1, 6);
	expect_segments(w, 1 + 10 * MSS, 2);
	EQ(wt_drop(w), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 12 * MSS);
	wt_drop(w);
}

static void partial_ack(struct wt *w)
{
	flight(w, 10); /* the first and the fifth are lost */
	dup_acks(w, 1, 3);
	expect_segments(w, 1, 1);
	dup_acks(w, 1, 5);
	EQ(wt_drop(w), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	expect_segments(w, 1 + 4 * MSS,
	                1); /* RFC 6582 3.2 step 3: at once, no further duplicates */
	EQ(wt_drop(w), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	IN(wt_info(w).tcpi_snd_cwnd, 2, 5);
	NOTHING(3000);
}

static void sack_recovery(struct wt *w)
{
	w->peer.sackok = true;
	flight(w, 10); /* 1 and 5 are lost */
	wt_pass(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1 + MSS, 1 + 2 * MSS}});
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1 + MSS, 1 + 3 * MSS}});
	EQ(wt_drop(w), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1 + MSS, 1 + 4 * MSS}});
	expect_segments(w, 1, 1);
	for (uint32_t i = 6; i <= 10; i++)
		INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2,
		       .sack = {{1 + 5 * MSS, 1 + i * MSS}, {1 + MSS, 1 + 4 * MSS}});
	expect_segments(w, 1 + 4 * MSS, 1); /* the second hole, nothing that was received */
	EQ(wt_drop(w), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	NOTHING(3000);
}

static void sack_after_rto(struct wt *w)
{
	w->peer.sackok = true;
	flight(w, 4);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1 + 2 * MSS, 1 + 3 * MSS}});
	wt_drop(w);
	/* the peer reneges: everything is sent again in the end */
	CHECK(wt_next(w, 3000) != NULL);
	for (uint32_t a = 1; a <= 3 * MSS + 1; a += MSS) {
		INJECT(.flags = A, .seq = 1, .ack = a);
		wt_pass(w, 5000);
		wt_drop(w);
	}
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void sack_nonsense(struct wt *w)
{
	w->peer.sackok = true;
	flight(w, 4);
	/* below the window, above it, backwards, empty, the whole number space */
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {
	           {0u - 5000, 0u - 3000}, {1 + 100 * MSS, 1 + 101 * MSS}, {1 + 2 * MSS, 1 + MSS}});
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{5, 5}, {1, 0x80000000}, {0x80000000, 4 * MSS + 1}});
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1, 2 + 4 * MSS}});
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void slow_start(struct wt *w)
{
	uint32_t high;

	wt_established(w);
	wt_send(w, 200 * MSS);
	high = highest(w, 1);
	EQ(high, 1 + 10 * MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 11); /* min(N, SMSS) for one segment */
	ack_all(w, 1 + MSS, high);
	/* per ACK one or (RFC 3465, L = 2) two segments */
	IN(wt_info(w).tcpi_snd_cwnd, 15, 20);
	wt_drop(w);
}

static void byte_counting(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100 * MSS);
	highest(w, 1);
	for (uint32_t i = 1; i <= 146; i++) /* an ACK for each 10 bytes must not open the window */
		INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * i);
	IN(wt_info(w).tcpi_snd_cwnd, 10, 11);
	wt_drop(w);
}

static void congestion_avoidance(struct wt *w)
{
	uint32_t high, cwnd;

	w->cfg.tcp_congestion = 0;
	flight(w, 10);
	dup_acks(w, 1, 3);
	highest(w, 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	cwnd = wt_info(w).tcpi_snd_cwnd;
	wt_send(w, 200 * MSS);
	high = highest(w, 1 + 10 * MSS);
	/* the first windows bring cwnd to ssthresh; from there one segment per window */
	for (unsigned i = 0; i < 4; i++) {
		uint32_t before = wt_info(w).tcpi_snd_cwnd, a = high;

		CHECK(high > 1 + 10 * MSS);
		for (uint32_t s = a - before * MSS; s < a; s += MSS)
			INJECT(.flags = A, .seq = 1, .ack = s + MSS);
		high = highest(w, high);
		if (before >= wt_info(w).tcpi_snd_ssthresh)
			IN(wt_info(w).tcpi_snd_cwnd, before, before + 2);
	}
	CHECK(wt_info(w).tcpi_snd_cwnd > cwnd);
	IN(wt_info(w).tcpi_snd_cwnd, 6, 12);
}

static void idle_restart(struct wt *w)
{
	uint32_t high;

	wt_established(w);
	wt_send(w, 40 * MSS);
	high = highest(w, 1);
	while (high < 1 + 40 * MSS) {
		ack_all(w, high - 10 * MSS, high);
		high = highest(w, high);
	}
	INJECT(.flags = A, .seq = 1, .ack = 1 + 40 * MSS);
	CHECK(wt_info(w).tcpi_snd_cwnd > 10);
	wt_pass(w, 60000);
	wt_send(w, 30 * MSS);
	EQ(highest(w, 1), 1 + 50 * MSS); /* RFC 5681 4.1: the initial window again */
}

/* ... also of a connection whose SYN-ACK was lost, and that began with one segment */
static void idle_restart_after_lost_syn(struct wt *w)
{
	uint32_t high, done = 1;

	wt_syn_received(w);
	EXPECT_AT(1000, .flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	wt_send(w, 40 * MSS);
	for (high = highest(w, 1); done < 1 + 40 * MSS; high = highest(w, high))
		done = ack_all(w, done, high);
	CHECK(wt_info(w).tcpi_snd_cwnd > 10);
	wt_pass(w, 60000);
	wt_send(w, 30 * MSS);
	EQ(highest(w, 1), 1 + 50 * MSS);
}

static void window_setting(struct wt *w)
{
	w->cfg.tcp_initial_window = 3;
	wt_established(w);
	wt_send(w, 20 * MSS);
	EQ(highest(w, 1), 1 + 3 * MSS);
}

static void fin_is_lost(struct wt *w)
{
	wt_established(w);
	wt_send(w, 100);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = FA, .seq = 101, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 101);
	EXPECT_IN(199, 1001, .flags = FA, .seq = 101, .ack = 1);
	EXPECT_IN(399, 2001, .flags = FA, .seq = 101, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 102);
	NOTHING(5000);
	EQ(wt_info(w).tcpi_state, TCP_FIN_WAIT2);
}

static void data_before_fin_is_lost(struct wt *w)
{
	wt_established(w);
	wt_send(w, 3 * MSS);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	wt_drop(w);
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 3 * MSS);
	CHECK(wt_next(w, 3000) != NULL); /* FIN again */
	INJECT(.flags = A, .seq = 1, .ack = 2 + 3 * MSS);
	wt_drop(w);
	NOTHING(5000);
	EQ(wt_info(w).tcpi_state, TCP_FIN_WAIT2);
}

static void acked_in_the_middle(struct wt *w)
{
	flight(w, 3);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 700); /* part of a segment */
	EXPECT_IN(199, 1300, .flags = A, .seq = 701, .ack = 1, .len = MSS - 700, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 3 * MSS);
	NOTHING(5000);
}

static void resent_with_new_ack(struct wt *w)
{
	flight(w, 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT_IN(0, 499, .flags = A, .seq = 1 + MSS, .ack = 101);
	wt_pass(w, 1);
	w->mark = w->now;
	EXPECT_IN(50, 1001, .flags = PA, .seq = 1, .ack = 101, .len = MSS);
	wt_read(w, 100);
}

/* A duplicate says that a segment has arrived, but there are no more of these than are under way: the rest is made up
 * (RFC 5681 section 3.2, RFC 3465 section 3). */
static void more_duplicates_than_segments(struct wt *w)
{
	unsigned sent;

	wt_established(w);
	wt_send(w, 4 * MSS);
	expect_segments(w, 1, 4);
	dup_acks(w, 1, 100);
	wt_drop(w);
	wt_send(w, 60 * MSS);
	sent = wt_drop(w);
	dup_acks(w, 1, 300);
	IN(sent + wt_drop(w), 1, 60);
	IN(wt_info(w).tcpi_unacked, 5, 64);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 6298 2.2, 2.3: SRTT, RTTVAR and RTO", rto_from_samples},
    {"RFC 6298 2.4: the RTO has a floor", rto_floor},
    {"RFC 6298 2.4: the floor of 1 s can be had", rto_floor_of_rfc},
    {"RFC 6298 5.5, 2.5: back-off, with a ceiling", back_off},
    {"RFC 9293 MUST-20: after R2 the connection ends", gives_up},
    {"RFC 6298 5.2, 5.3: a new ACK restarts or stops the timer", timer_restarts},
    {"RFC 6298 5.3: ... also one that ends within a segment", timer_restarts_within},
    {"RFC 9293 MUST-18, 6298 3: no sample of what was retransmitted", karn},
    {"RFC 6298 5: back-off stays until there is a sample", back_off_stays},
    {"RFC 6298 5: ... also after keep-alives without an answer", back_off_stays_after_keepalives},
    {"RFC 6298 3: no sample of what waited for a retransmission", no_sample_beyond_a_hole},
    {"RFC 6298 3: no sample of what SACK had reported", no_sample_of_what_was_sacked},
    {"RFC 6298 3: timestamps measure retransmissions too", timestamps_measure_retransmissions},
    {"RFC 6298 5.4, 5681 3.1: RTO resends the oldest, cwnd 1", rto_resends_oldest},
    {"RFC 5681 3.2: fast retransmit at the third duplicate", fast_retransmit},
    {"RFC 5681 3.2: duplicates that come all at once wait a moment", burst_of_duplicates},
    {"RFC 5681 3.2: ... which an ACK that moves ends", needless_duplicates},
    {"RFC 5681 3.2: ... in whatever number of turns they came", needless_in_turns},
    {"RFC 5681 2: what is no duplicate ACK", not_duplicates},
    {"RFC 3042: limited transmit", limited_transmit},
    {"RFC 3042: ... two segments whatever comes at once", limited_transmit_of_burst},
    {"RFC 5681 3.2: more duplicates than segments under way", more_duplicates_than_segments},
    {"RFC 6582 3.2: partial ACK", partial_ack},
    {"RFC 6675 5: recovery with SACK", sack_recovery},
    {"RFC 2018 8: SACKed data may be reneged", sack_after_rto},
    {"CVE-2019-11477: senseless SACK blocks do no harm", sack_nonsense},
    {"RFC 5681 3.1: slow start", slow_start},
    {"RFC 3465 2.1: bytes are counted, not ACKs", byte_counting},
    {"RFC 5681 3.1: congestion avoidance", congestion_avoidance},
    {"RFC 5681 4.1: restart after idleness", idle_restart},
    {"RFC 5681 4.1: ... also where a SYN-ACK was lost", idle_restart_after_lost_syn},
    {"tcp.initial_window", window_setting},
    {"RFC 9293 MUST-19: FIN is retransmitted with back-off", fin_is_lost},
    {"RFC 6298 5.4: data before FIN is lost", data_before_fin_is_lost},
    {"RFC 9293 3.10.7.4: an ACK in the middle of a segment", acked_in_the_middle},
    {"RFC 9293 3.10.8: retransmissions carry the latest ACK", resent_with_new_ack},
};

WT_MAIN("loss")
