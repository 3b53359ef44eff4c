/* SPDX-License-Identifier: BSD-2-Clause */

/* Pacing as it is seen from outside, and BBR's first steps. */

#include <netinet/tcp.h>

#include "wt.h"

#define MSS 1460u

static void set_rate(struct wt *w, uint32_t rate)
{
	wt_opt(w, SOL_SOCKET, SO_MAX_PACING_RATE, (int)rate);
}

static void option(struct wt *w)
{
	uint32_t narrow = 0;
	uint64_t wide = 0;
	socklen_t len = sizeof(narrow);
	int fd;

	wt_established(w);
	fd = w->flow.fd;
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &len));
	EQ(len, 4);
	EQ(narrow, UINT32_MAX);
	len = sizeof(wide);
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &len));
	EQ(len, 8);
	CHECK(wide == UINT64_MAX);
	wide = 5000000000;
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, sizeof(wide)));
	wide = 0;
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &len));
	EQ(wide, 5000000000);
	len = sizeof(narrow);
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &len));
	EQ(narrow, UINT32_MAX); /* as much as it holds */
	set_rate(w, 12345);
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &len));
	EQ(narrow, 12345);
	ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, 3), EINVAL);
	set_rate(w, 0); /* as little as possible */
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &len));
	EQ(narrow, 0);
	narrow = 12345;
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	OK(fd);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, 4)); /* kept */
	narrow = 0;
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &len));
	EQ(narrow, 12345);
	OK(pc_close(w->st, fd));
}

/* segments n to n + 1, together */
static void expect_pair(struct wt *w, unsigned n, double lo, double hi)
{
	EXPECT_IN(lo, hi, .flags = A, .seq = 1 + MSS * n, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = A, .seq = 1 + MSS * (n + 1), .ack = 1, .len = MSS, .any_psh = true);
}

/* a thousand segments a second: two at once, each 2 ms */
static void spread(struct wt *w)
{
	wt_established(w);
	set_rate(w, 1000 * MSS);
	wt_send(w, 8 * MSS);
	expect_pair(w, 0, 0, 0);
	expect_pair(w, 2, 1.9, 2.2);
	expect_pair(w, 4, 1.8, 2.2);
	expect_pair(w, 6, 1.8, 2.2);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 8 * MSS);
	/* without a limit all goes at once */
	set_rate(w, UINT32_MAX);
	wt_send(w, 4 * MSS);
	expect_pair(w, 8, 0, 0);
	expect_pair(w, 10, 0, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 12 * MSS);
}

/* a stack that takes a turn each 5 ms only, where two segments are due each 2 ms */
static void late_turns(struct wt *w)
{
	unsigned sent = 0;

	w->cfg.tcp_congestion = 0;
	w->cfg.tcp_initial_window = 64;
	wt_established(w);
	set_rate(w, 1000 * MSS);
	EQ(wt_write(w, 40 * MSS, 0), 40 * MSS);
	wt_settle(w);
	for (unsigned ms = 0; ms < 25; ms += 5) {
		while (wt_next_frame(w, 0) != NULL)
			sent++;
		IN(sent, ms, ms + 3); /* one each ms, all in all */
		w->now += 5 * 1000000;
		wt_settle(w);
	}
	wt_drop(w);
}

/* an acknowledgement does not make it faster */
static void not_by_acks(struct wt *w)
{
	wt_established(w);
	set_rate(w, 1000 * MSS);
	wt_send(w, 6 * MSS);
	expect_pair(w, 0, 0, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	NOTHING(1.5);
	expect_pair(w, 2, 1.8, 2.2); /* since the acknowledgement */
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	expect_pair(w, 4, 1.8, 2.2);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 6 * MSS);
}

/* what is sent again keeps to the rate, too */
static void retransmissions(struct wt *w)
{
	wt_established(w);
	wt_send(w, 6 * MSS);
	for (unsigned n = 0; n < 6; n += 2)
		expect_pair(w, n, 0, 0);
	set_rate(w, 1000 * MSS);
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	expect_pair(w, 1, 0.8, 2.2);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 6 * MSS);
	wt_drop(w);
}

/* a connection that waits for its turn is not idle: two segments each 400 ms, a time-out of 200 ms */
static void not_idle(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	wt_established(w);
	wt_send(w, 10 * MSS);
	wt_settle(w);
	EQ(wt_drop(w), 10);
	for (unsigned n = 1; n <= 10; n++)
		INJECT(.flags = A, .seq = 1, .ack = 1 + n * MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 20);
	set_rate(w, 5 * MSS);
	wt_send(w, 4 * MSS);
	expect_pair(w, 10, 0, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 12 * MSS);
	expect_pair(w, 12, 399, 401);
	EQ(wt_info(w).tcpi_snd_cwnd, 20);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 14 * MSS);
}

/* FIN waits for the data before it, and close() does not hurry it */
static void fin_last(struct wt *w)
{
	wt_established(w);
	set_rate(w, 1000 * MSS);
	wt_send(w, 4 * MSS);
	expect_pair(w, 0, 0, 0);
	OK(pc_close(w->st, w->flow.fd));
	w->flow.fd = 0;
	EXPECT_IN(1.9, 2.2, .flags = A, .seq = 1 + MSS * 2, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = FA, .seq = 1 + MSS * 3, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 2 + 4 * MSS);
	INJECT(.flags = RA, .seq = 1, .ack = 2 + 4 * MSS);
}

/* tcp.pacing: 1.2 or 2 times cwnd per round trip, for every algorithm */
static void by_window(struct wt *w)
{
	w->cfg.tcp_pacing = 1;
	w->cfg.tcp_congestion = 0;
	wt_established_after(w, 100);
	wt_send(w, 10 * MSS); /* 20 segments in 100 ms: two each 10 ms */
	expect_pair(w, 0, 0, 0);
	expect_pair(w, 2, 9.8, 10.2);
	expect_pair(w, 4, 9.8, 10.2);
	wt_drop(w);
	wt_pass(w, 30);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
}

static const char *name_of(struct wt *w)
{
	static char name[16];
	socklen_t len = sizeof(name);

	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	return name;
}

/* draft-ietf-ccwg-bbr 5.6.2: 2.77 initial windows per round trip, so a pair each 7.22 ms */
static void bbr(struct wt *w)
{
	w->cfg.tcp_congestion = 3;
	wt_established_after(w, 100);
	CHECK(strcmp(name_of(w), "bbr") == 0);
	wt_send(w, 20 * MSS);
	expect_pair(w, 0, 0, 0);
	expect_pair(w, 2, 7.1, 7.4);
	expect_pair(w, 4, 7.1, 7.4);
	expect_pair(w, 6, 7.1, 7.4);
	expect_pair(w, 8, 7.1, 7.4);
	NOTHING(71); /* cwnd: ten segments */
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 12); /* 5.6.4.6: as much as was acknowledged */
	EQ(wt_info(w).tcpi_snd_ssthresh, 0x7fffffff);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	wt_pass(w, 50);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 20 * MSS);
}

/* 5.6.4.4: a time-out leaves one segment, and recovery ends with the window that there was */
static void bbr_timeout(struct wt *w)
{
	w->cfg.tcp_congestion = 3;
	wt_established(w);
	wt_send(w, 10 * MSS);
	wt_pass(w, 5);
	EQ(wt_drop(w), 10);
	EXPECT_IN(150, 1001, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	EQ(wt_info(w).tcpi_snd_ssthresh, 0x7fffffff);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	IN(wt_info(w).tcpi_snd_cwnd, 10, 20);
	wt_drop(w);
}

/* memory for one: the second connection is CUBIC's from its first byte on */
static void bbr_limit(struct wt *w)
{
	struct flow first;

	w->cfg.tcp_congestion = 3;
	w->cfg.tcp_bbr_flows = 1;
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	CHECK(strcmp(name_of(w), "bbr") == 0);
	first = wt_flow(w);
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	CHECK(strcmp(name_of(w), "cubic") == 0);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	OK(pc_close(w->st, first.fd));
	wt_drop(w);
}

/* an idle connection gives its memory up to one that has something to send */
static void bbr_idle_limit(struct wt *w)
{
	struct flow first;

	w->cfg.tcp_congestion = 3;
	w->cfg.tcp_bbr_flows = 1;
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	first = wt_flow(w);
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	CHECK(strcmp(name_of(w), "bbr") == 0);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	OK(pc_close(w->st, first.fd));
	wt_drop(w);
}

/* what was sent at 100 bytes/s is worth half a minute, but the time-out is sooner */
static void time_out(struct wt *w)
{
	w->cfg.tcp_tlp = 0;
	wt_established(w);
	set_rate(w, 100);
	wt_send(w, 2 * MSS);
	expect_pair(w, 0, 0, 0);
	EXPECT_IN(200, 3100, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	OK(pc_close(w->st, w->flow.fd));
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"SO_MAX_PACING_RATE", option},
    {"draft-ietf-ccwg-bbr 5.6.2, 5.6.3: quanta at a rate", spread},
    {"turns that come late do not slow it down", late_turns},
    {"acknowledgements do not break the pace", not_by_acks},
    {"retransmissions are paced", retransmissions},
    {"RFC 6298 (5.4): a time-out does not wait for its turn", time_out},
    {"waiting for one's turn is not idleness", not_idle},
    {"FIN comes last", fin_last},
    {"tcp.pacing", by_window},
    {"draft-ietf-ccwg-bbr 5.6.2, 5.6.4.6: the first round trip", bbr},
    {"draft-ietf-ccwg-bbr 5.6.4.4: time-out", bbr_timeout},
    {"tcp.bbr_flows", bbr_limit},
    {"tcp.bbr_flows: an idle connection makes room", bbr_idle_limit},
};

WT_MAIN("pacing")
