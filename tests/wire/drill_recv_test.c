/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What scripts that were written for the Linux kernel try of a receiver, and no other suite here had: the edge of
 * the window, data before its turn, duplicates, what TCP_INFO tells of it, and timestamps.
 *
 * Where those scripts and RFC 9293 differ the RFC is followed: of a segment that is larger than the window the
 * part inside is taken (Linux takes all of it if nothing waits to be read, else nothing).
 */

#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "totals.h"
#include "wt.h"

#define MSS 1000
#define WND 4096 /* of the cases that close it */

static void open_small(struct wt *w)
{
	w->peer = (struct peer){.mss = MSS, .sackok = true, .wnd = 32768};
	wt_established(w);
}

static int queued(struct wt *w)
{
	int n = -1;

	OK(pc_ioctl(w->st, w->flow.fd, FIONREAD, &n));
	return n;
}

/* ---- the edge of the window ------------------------------------------------------------------ */

static void close_window(struct wt *w)
{
	w->cfg.tcp_rcvbuf = WND;
	wt_established(w);
	for (uint32_t s = 1; s < WND; s += 1024)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1024);
	wt_pass(w, 500);
	wt_drop(w);
}

static void at_end(struct wt *w)
{
	EQ(wt_info(w).tcpi_state, TCP_CLOSE_WAIT);
	CHECK(wt_events(w, w->flow.fd) & POLLRDHUP);
	wt_read(w, WND);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

/* "One could tailor actual segments ... by trimming off any portions that lie outside the window (including SYN and
 * FIN)": it need not be, and a peer whose FIN is refused repeats it until somebody reads */
static void fin_at_closed_window(struct wt *w)
{
	close_window(w);
	INJECT(.flags = FA, .seq = WND + 1, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 2, .wnd = ZERO_WND);
	at_end(w);
	INJECT(.flags = FA, .seq = WND + 1, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 2);
}

/* with the last bytes once more, as a peer does whose FIN was held back behind them */
static void fin_on_old_data(struct wt *w)
{
	close_window(w);
	INJECT(.flags = FA, .seq = WND + 1 - 100, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 2, .wnd = ZERO_WND, .any_sack = true);
	at_end(w);
}

/* "If the RCV.WND is zero, no segments will be acceptable": with a byte there is no room for it is refused */
static void fin_on_new_data(struct wt *w)
{
	close_window(w);
	INJECT(.flags = FA, .seq = WND + 1, .ack = 1, .len = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = ZERO_WND);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	INJECT(.flags = FA, .seq = WND + 2, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = ZERO_WND);
	wt_read(w, WND);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 1, .wnd = WND);
	INJECT(.flags = FA, .seq = WND + 1, .ack = 1, .len = 1);
	EXPECT(.flags = A, .seq = 1, .ack = WND + 3);
	wt_read(w, 1);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

/* the peer's ACK counts, though its FIN comes with the window closed */
static void fin_acks(struct wt *w)
{
	close_window(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = WND + 1, .wnd = ZERO_WND);
	INJECT(.flags = FA, .seq = WND + 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = WND + 2, .wnd = ZERO_WND);
	wt_read(w, WND);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
	OK(pc_close(w->st, w->flow.fd));
}

/* larger than the window: the part inside is taken, whether something waits to be read or not */
static void too_large(struct wt *w)
{
	w->cfg.tcp_rcvbuf = WND;
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1400);
	INJECT(.flags = PA, .seq = 1401, .ack = 1, .len = 1400);
	wt_pass(w, 100);
	wt_drop(w);
	INJECT(.flags = FA, .seq = 2801, .ack = 1, .len = 1400);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = WND + 1, .wnd = ZERO_WND);
	EQ(queued(w), WND);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED); /* the FIN lay beyond */
	wt_read(w, WND);
	wt_drop(w);
}

/* RST is judged by RCV.NXT, whatever has been acknowledged of it */
static void reset_before_ack(struct wt *w)
{
	open_small(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 600);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 601, .ack = 1, .len = 600);
	wt_drop(w);
	EQ(wt_totals(w).bytes_received, 1200);
	INJECT(.flags = RA, .seq = 1201, .ack = 1);
	INJECT(.flags = A, .seq = 1201, .ack = 1);
	EXPECT(.flags = R, .seq = 1);
}

/* ---- before their turn, and again ------------------------------------------------------------ */

/* segments of 1000 bytes though the MSS of 536 was assumed at first: known from those that came early, too */
static void size_of_early(struct wt *w)
{
	open_small(w);
	EQ(wt_info(w).tcpi_rcv_mss, 536);
	INJECT(.flags = A, .seq = 2001, .ack = 1, .len = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{2001, 3001}});
	EQ(wt_info(w).tcpi_rcv_mss, MSS);
}

/* before accept(), and what fills the gap after it */
static void early_before_accept(struct wt *w)
{
	w->peer = (struct peer){.mss = MSS, .sackok = true, .wnd = 32768};
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	for (uint32_t seq = 2001; seq < 20001; seq += MSS) {
		INJECT(.flags = A, .seq = seq, .ack = 1, .len = MSS);
		EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{2001, seq + MSS}});
	}
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1001, .nb_sack = 1, .sack = {{2001, 20001}});
	INJECT(.flags = A, .seq = 1001, .ack = 1, .len = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 20001);
	wt_accept(w);
	EQ(queued(w), 20000);
	wt_read(w, 20000);
	wt_drop(w);
}

/* RFC 2883 4: what was there already is told first, then what is still early */
static void duplicates(struct wt *w)
{
	open_small(w);
	for (uint32_t seq = 1001; seq <= 2001; seq += MSS)
		INJECT(.flags = A, .seq = seq, .ack = 1, .len = MSS);
	INJECT(.flags = A, .seq = 4001, .ack = 1, .len = MSS);
	INJECT(.flags = A, .seq = 7001, .ack = 1, .len = MSS);
	wt_drop(w);
	INJECT(.flags = A, .seq = 7001, .ack = 1, .len = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 4,
	       .sack = {{7001, 8001}, {7001, 8001}, {4001, 5001}, {1001, 3001}});
	/* a segment over the gap and what was behind it, in one */
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = 1400);
	EXPECT(.flags = A, .seq = 1, .ack = 3001, .nb_sack = 3,
	       .sack = {{1001, 1401}, {7001, 8001}, {4001, 5001}});
	INJECT(.flags = A, .seq = 3001, .ack = 1, .len = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 5001, .nb_sack = 1, .sack = {{7001, 8001}});
	INJECT(.flags = A, .seq = 5001, .ack = 1, .len = MSS);
	INJECT(.flags = A, .seq = 6001, .ack = 1, .len = 1400);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 8001, .nb_sack = 1, .sack = {{1, 1001}});
	wt_read(w, 8000);
	wt_drop(w);
}

/* "if the ACK bit is off, drop the segment": its text, too */
static void no_flags(struct wt *w)
{
	open_small(w);
	INJECT(.flags = 0, .seq = 1, .len = MSS);
	EQ(queued(w), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = MSS);
	EQ(queued(w), MSS);
	wt_drop(w);
}

/* ---- what TCP_INFO tells --------------------------------------------------------------------- */

static void last_data(struct wt *w)
{
	wt_established_active(w);
	wt_pass(w, 1000);
	IN(wt_info(w).tcpi_last_data_recv, 990, 1010);
	IN(wt_info(w).tcpi_last_ack_recv, 990, 1010);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = MSS);
	IN(wt_info(w).tcpi_last_data_recv, 0, 10);
	wt_drop(w);
}

/* the peer's window is closed by its SYN-ACK, opens, and is too small later: that is what the time was spent on */
static void limited_by_window(struct wt *w)
{
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = 0;
	wt_syn_sent(w);
	wt_pass(w, 10);
	INJECT(.flags = SA, .ack = 1, .mss = MSS, .sackok = true, .wnd = ZERO_WND);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_totals(w).rwnd_us, 0);
	wt_send(w, MSS);
	wt_pass(w, 100);
	IN(wt_totals(w).rwnd_us, 98000, 110000);
	wt_pass(w, 100);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 2000);
	IN(wt_totals(w).rwnd_us, 198000, 210000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = MSS);
	wt_pass(w, 30);
	INJECT(.flags = A, .seq = 1, .ack = 1001, .wnd = 10);
	wt_send(w, MSS);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = 1001, .wnd = 2000);
	IN(wt_totals(w).rwnd_us, 298000, 310000);
	IN(wt_totals(w).busy_us, 328000, 342000);
	EXPECT(.flags = PA, .seq = 1001, .ack = 1, .len = MSS);
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = 2001, .wnd = 2000);
	IN(wt_totals(w).busy_us, 348000, 362000);
}

/* RFC 3168 6.1.2: of what the peer says that it came marked */
static void marked(struct wt *w)
{
	w->cfg.tcp_ecn = 1;
	w->peer.sackok = true;
	wt_listen(w, 5);
	INJECT(.flags = S | TCP_ECE | TCP_CWR, .mss = MSS, .sackok = true);
	EXPECT(.flags = SA | TCP_ECE, .ack = 1, .mss = WT_MSS, .sackok = true);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 4 * MSS);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1001);
	EQ(wt_totals(w).delivered_ce, 0);
	INJECT(.flags = A | TCP_ECE, .seq = 1, .ack = 3001);
	EQ(wt_totals(w).delivered_ce, 2);
	INJECT(.flags = A, .seq = 1, .ack = 4001);
	EQ(wt_totals(w).delivered_ce, 2);
	EQ(wt_totals(w).delivered, 1 + 4);
	wt_drop(w);
}

/* ---- the receiver's round trip --------------------------------------------------------------- */

/* the peer sends n segments each round trip of ms, which is read at once; its timestamps echo what we sent last */
static void flights(struct wt *w, uint32_t *seq, uint32_t *clock, unsigned rounds, unsigned n,
                    double ms)
{
	while (rounds-- > 0) {
		const uint32_t echo = w->flow.tsval;

		wt_pass(w, ms);
		*clock += (uint32_t)ms;
		for (unsigned i = 0; i < n; i++, *seq += WT_MSS - 12)
			if (w->flow.ts_on)
				INJECT(.flags = A, .seq = *seq, .ack = 1, .len = WT_MSS - 12,
				       .ts = TS, .tsval = *clock, .tsecr = echo);
			else
				INJECT(.flags = A, .seq = *seq, .ack = 1, .len = WT_MSS - 12);
		wt_read(w, n * (WT_MSS - 12));
		wt_drop(w);
	}
}

static uint32_t rcv_rtt(struct wt *w)
{
	return wt_info(w).tcpi_rcv_rtt;
}

static int rcvbuf(struct wt *w)
{
	int value = -1;
	socklen_t len = sizeof(value);

	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_RCVBUF, &value, &len));
	return value;
}

/* the path becomes longer, and shorter again: the estimate follows, and the window has room for what the peer sends in
 * a round trip as it is now, twice */
static void round_trip_by_timestamps(struct wt *w)
{
	uint32_t seq = 1, clock = 1000;

	w->cfg.tcp_rcvbuf = 32 * WT_MSS;
	w->peer = (struct peer){.mss = WT_MSS, .ws = 8, .ts = true, .wnd = 32768};
	wt_listen(w, 5);
	INJECT(.flags = S, .mss = WT_MSS, .ws = 8, .ts = TS, .tsval = clock);
	CHECK(wt_next(w, 0) != NULL);
	wt_pass(w, 10);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = clock, .tsecr = w->flow.tsval);
	wt_accept(w);
	EQ(rcv_rtt(w), 0);
	flights(w, &seq, &clock, 5, 8, 10);
	IN(rcv_rtt(w), 9000, 12000);
	flights(w, &seq, &clock, 60, 24, 100);
	IN(rcv_rtt(w), 80000, 101000);
	IN(rcvbuf(w), 2 * 24 * (WT_MSS - 12), 4 * 32 * WT_MSS);
	flights(w, &seq, &clock, 2, 24, 10);
	IN(rcv_rtt(w), 9000, 12000);
	wt_pass(w, 100);
	wt_drop(w);
}

/* no timestamps, and a handshake that took longer: of what came since less than a round trip before, a window's worth at
 * most can have been sent */
static void round_trip_by_window(struct wt *w)
{
	uint32_t seq = 1, clock = 0;

	w->cfg.tcp_rcvbuf = 16 * WT_MSS;
	w->peer = (struct peer){.mss = WT_MSS, .ws = 8, .wnd = 32768};
	wt_listen(w, 5);
	INJECT(.flags = S, .mss = WT_MSS, .ws = 8);
	CHECK(wt_next(w, 0) != NULL);
	wt_pass(w, 200);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(rcv_rtt(w), 0);
	flights(w, &seq, &clock, 12, 12, 10);
	IN(rcv_rtt(w), 10000, 30000);
	CHECK(rcvbuf(w) > 16 * WT_MSS);
}

/* ---- timestamps ------------------------------------------------------------------------------ */

/* RFC 7323 5.4: FIN and RST have the time at which they are sent, not that of the segment before */
static void time_of_fin(struct wt *w, bool unread)
{
	uint32_t before;

	w->peer.ts = true;
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	if (!unread)
		wt_read(w, 100);
	wt_pass(w, 500);
	wt_drop(w);
	before = w->flow.tsval;
	wt_pass(w, 1000);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	if (unread)
		EXPECT(.flags = RA, .seq = 1, .ack = 101);
	else
		EXPECT(.flags = FA, .seq = 1, .ack = 101);
	IN(w->flow.tsval - before, 1000, 1502);
	wt_drop(w);
}

static void time_of_a_fin(struct wt *w)
{
	time_of_fin(w, false);
}

static void time_of_a_reset(struct wt *w)
{
	time_of_fin(w, true);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.10.7.4: FIN, the window is closed", fin_at_closed_window},
    {"RFC 9293 3.10.7.4: FIN on old data, the window is closed", fin_on_old_data},
    {"RFC 9293 3.10.7.4: FIN on new data, the window is closed", fin_on_new_data},
    {"RFC 9293 3.10.7.4: FIN and ACK of ours, the window is closed", fin_acks},
    {"RFC 9293 3.10.7.4: a segment larger than the window", too_large},
    {"RFC 5961 3.2: RST behind data that is not acknowledged yet", reset_before_ack},
    {"TCP_INFO: the size of segments that come early", size_of_early},
    {"RFC 9293 SHLD-31: early data before accept()", early_before_accept},
    {"RFC 2883 4: duplicates of several kinds", duplicates},
    {"RFC 9293 3.10.7.4: no flags, no text", no_flags},
    {"TCP_INFO: when data came last", last_data},
    {"TCP_INFO: the peer's window is closed by its SYN-ACK", limited_by_window},
    {"TCP_INFO: segments that came marked", marked},
    {"TCP_INFO: the receiver's round trip by timestamps", round_trip_by_timestamps},
    {"TCP_INFO: the receiver's round trip by windows", round_trip_by_window},
    {"RFC 7323 5.4: the time of a FIN", time_of_a_fin},
    {"RFC 7323 5.4: the time of a RST", time_of_a_reset},
};

WT_MAIN("drill_recv")
