/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What scripts that were written for the Linux kernel try of a sender, and no other suite here had: slow start
 * acknowledgement by acknowledgement, the first losses, records, small writes.
 *
 * Where those scripts and an RFC differ the RFC is followed: a closed window is probed by a byte of data.
 */

#include <netinet/tcp.h>

#include "totals.h"
#include "wt.h"

#define MSS 1000

#define SEG(i) (1 + (uint32_t)(i)*MSS) /* where the i-th segment begins, from 0 */
#define ACK(a) INJECT(.flags = A, .seq = 1, .ack = (a), .wnd = 40960)
#define SACK(a, from, to)                                                    \
	INJECT(.flags = A, .seq = 1, .ack = (a), .wnd = 40960, .nb_sack = 1, \
	       .sack = {{SEG(from), SEG(to)}})
#define SENT(i) EXPECT(.flags = A, .seq = SEG(i), .ack = 1, .len = MSS, .any_psh = true)
#define SENT_IN(lo, hi, i) \
	EXPECT_IN(lo, hi, .flags = A, .seq = SEG(i), .ack = 1, .len = MSS, .any_psh = true)

/* a connection to a peer with segments of 1000 bytes, whose round trip takes rtt ms */
static void open_to(struct wt *w, bool sack, double rtt)
{
	w->peer = (struct peer){.mss = MSS, .sackok = sack, .wnd = 40960};
	w->cfg.tcp_sndbuf = 400000;
	wt_established_after(w, rtt);
}

static void sent(struct wt *w, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		SENT(i);
}

/* ---- slow start ------------------------------------------------------------------------------ */

/* "During slow start, a TCP increments cwnd by at most SMSS bytes for each ACK received that cumulatively
 * acknowledges new data"; with L of RFC 3465 as large as the acknowledgement, as on Linux */
static void slow_start(struct wt *w, unsigned each)
{
	unsigned next = 10;

	open_to(w, true, 100);
	wt_send(w, 100 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 100);
	for (unsigned acked = each; acked <= 12; acked += each) {
		ACK(SEG(acked));
		sent(w, next, next + 2 * each);
		next += 2 * each;
		EQ(wt_info(w).tcpi_snd_cwnd, 10 + acked);
		wt_pass(w, 1);
	}
	wt_drop(w);
}

static void ack_per_segment(struct wt *w)
{
	slow_start(w, 1);
}

static void ack_per_two(struct wt *w)
{
	slow_start(w, 2);
}

static void ack_per_four(struct wt *w)
{
	slow_start(w, 4);
}

/* n segments are written, and acknowledged two by two; cwnd ends at last */
static void limited_by_application(struct wt *w, unsigned n, unsigned last)
{
	open_to(w, true, 100);
	wt_send(w, n * MSS);
	sent(w, 0, n);
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
	wt_pass(w, 105);
	for (unsigned acked = 2; acked < n + 2; acked += 2) {
		unsigned to = acked < n ? acked : n;

		ACK(SEG(to));
		EQ(wt_info(w).tcpi_snd_cwnd, 10 + to < last ? 10 + to : last);
		wt_pass(w, 5);
	}
	EQ(wt_info(w).tcpi_snd_cwnd, last);
}

static void all_of_the_window(struct wt *w)
{
	limited_by_application(w, 10, 20);
}

/* twice of what was under way, and no more */
static void nearly_all_of_it(struct wt *w)
{
	limited_by_application(w, 9, 18);
}

static void less_than_half(struct wt *w)
{
	limited_by_application(w, 4, 10);
}

/* cwnd of 36 after two round trips; the scale of the peer lets it */
static void grown(struct wt *w)
{
	open_to(w, true, 100);
	wt_send(w, 26 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 100);
	ACK(SEG(5)); /* RFC 9406 4.2 would count eight of ten at once */
	ACK(SEG(10));
	EQ(wt_info(w).tcpi_snd_cwnd, 20);
	sent(w, 10, 26);
	wt_pass(w, 100);
}

/* "a TCP SHOULD set cwnd to no more than RW before beginning transmission if the TCP has not sent data in an
 * interval exceeding the retransmission timeout" */
static void after_idleness(struct wt *w)
{
	grown(w);
	ACK(SEG(18));
	ACK(SEG(26));
	EQ(wt_info(w).tcpi_snd_cwnd, 36);
	wt_pass(w, 2000);
	wt_send(w, 20 * MSS);
	sent(w, 26, 36);
	NOTHING(50);
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
	ACK(SEG(36));
	sent(w, 36, 46);
	ACK(SEG(46));
}

/* probes of a closed window take nothing of cwnd; when it opens what cwnd allows goes at once or over a
 * round trip */
static void after_a_closed_window(struct wt *w)
{
	grown(w);
	ACK(SEG(18));
	INJECT(.flags = A, .seq = 1, .ack = SEG(26), .wnd = ZERO_WND);
	EQ(wt_info(w).tcpi_snd_cwnd, 36);
	wt_send(w, 20 * MSS);
	for (double at = 300; at <= 1200; at *= 2) { /* "exponentially" (SHLD-30) */
		EXPECT_IN(at * 0.98, at * 1.05, .flags = A, .seq = SEG(26), .ack = 1, .len = 1,
		          .any_psh = true);
		EQ(wt_info(w).tcpi_snd_cwnd, 36);
		INJECT(.flags = A, .seq = 1, .ack = SEG(26), .wnd = ZERO_WND);
	}
	wt_pass(w, 900);
	ACK(SEG(26));
	SENT(26);
	wt_drop(w);
}

/* ---- after a time-out ------------------------------------------------------------------------ */

/* CUBIC: ssthresh is 0.7 of FlightSize where cwnd was not used, but cwnd restarts at one segment, and grows by what
 * each acknowledgement covers up to ssthresh; from there to W_max, a segment in a round trip */
static void timeout_and_again(struct wt *w)
{
	unsigned next = 4;

	open_to(w, true, 100);
	wt_send(w, MSS);
	SENT(0);
	wt_pass(w, 100);
	ACK(SEG(1));
	EQ(wt_info(w).tcpi_snd_cwnd, 10); /* one of ten: it is not what limits */
	wt_send(w, MSS);
	SENT(1);
	SENT_IN(250, 310, 1); /* a probe in the time-out's place (RFC 8985 section 7.2) */
	SENT_IN(250, 310, 1);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	wt_pass(w, 100);
	ACK(SEG(2));
	EQ(wt_info(w).tcpi_snd_cwnd, 2);
	IN(wt_info(w).tcpi_snd_ssthresh, 2, 7);
	wt_send(w, 100 * MSS);
	sent(w, 2, 4);
	wt_pass(w, 100);
	for (unsigned acked = 3; wt_info(w).tcpi_snd_cwnd < wt_info(w).tcpi_snd_ssthresh; acked++) {
		unsigned cwnd = wt_info(w).tcpi_snd_cwnd;

		ACK(SEG(acked));
		EQ(wt_info(w).tcpi_snd_cwnd, cwnd + 1);
		sent(w, next, next + 2);
		next += 2;
	}
	wt_drop(w);
}

/* ---- the first losses ------------------------------------------------------------------------ */

/* "the TCP sender SHOULD ... send a segment of previously unsent data" for each of the first two duplicates; it was
 * reordering, and cwnd goes on from where it was */
static void limited_transmit(struct wt *w, bool sack)
{
	open_to(w, sack, 100);
	wt_send(w, 15 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 110);
	if (sack)
		SACK(1, 1, 2);
	else
		ACK(1);
	SENT(10);
	wt_pass(w, 10);
	if (sack)
		SACK(1, 1, 3);
	else
		ACK(1);
	SENT(11);
	wt_pass(w, 10);
	ACK(SEG(3));
	sent(w, 12, 14);
	wt_pass(w, 20);
	ACK(SEG(5));
	SENT(14);
	for (unsigned acked = 7; acked <= 15; acked += 2) {
		wt_pass(w, 20);
		ACK(SEG(acked));
	}
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
	wt_pass(w, 170);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = SEG(15), .ack = 1);
	INJECT(.flags = FA, .seq = 1, .ack = SEG(15) + 1);
	EXPECT(.flags = A, .seq = SEG(15) + 1, .ack = 2);
}

static void limited_transmit_sack(struct wt *w)
{
	limited_transmit(w, true);
}

static void limited_transmit_no_sack(struct wt *w)
{
	limited_transmit(w, false);
}

/* four segments under way, the first is lost */
static void four(struct wt *w)
{
	open_to(w, true, 100);
	wt_send(w, 4 * MSS);
	sent(w, 0, 4);
	wt_pass(w, 100);
}

static void three_blocks_at_once(struct wt *w)
{
	four(w);
	for (unsigned i = 2; i <= 4; i++)
		SACK(1, 1, i);
	SENT(0);
	wt_pass(w, 100);
	ACK(SEG(4));
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 1);
	EQ(wt_info(w).tcpi_ca_state, 0);
}

/* RFC 8985 6.2: one later segment is enough, a quarter of the round trip after it */
static void last_of_four(struct wt *w)
{
	four(w);
	SACK(1, 3, 4);
	SENT_IN(20, 45, 0);
	wt_drop(w);
	ACK(SEG(4));
}

/* a SACK of a part of a segment says nothing about the segment: the tail is probed, then the time-out repairs */
static void last_byte_of_four(struct wt *w)
{
	four(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 40960, .nb_sack = 1,
	       .sack = {{SEG(4) - 1, SEG(4)}});
	SENT_IN(90, 110, 3);
	SENT_IN(290, 315, 0);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = SEG(1), .wnd = 40960, .nb_sack = 1,
	       .sack = {{SEG(4) - 1, SEG(4)}});
	sent(w, 1, 3);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = SEG(3), .wnd = 40960, .nb_sack = 1,
	       .sack = {{SEG(4) - 1, SEG(4)}});
	SENT(3);
	wt_pass(w, 100);
	ACK(SEG(4));
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* ---- proportional rate reduction (RFC 9937) -------------------------------------------------- */

/* one of ten is lost: what is under way is ssthresh all the time, so that each segment that is delivered lets
 * another go */
static void prr_one_of_ten(struct wt *w)
{
	open_to(w, true, 100);
	wt_send(w, 10 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 110);
	for (unsigned i = 2; i <= 4; i++, wt_pass(w, 10))
		SACK(1, 1, i);
	SENT(0);
	EQ(wt_info(w).tcpi_ca_state, 3);
	EQ(wt_info(w).tcpi_snd_cwnd, 7);
	EQ(wt_info(w).tcpi_snd_ssthresh, 7);
	wt_send(w, 7 * MSS);
	for (unsigned i = 5; i <= 10; i++) {
		wt_pass(w, 10);
		SACK(1, 1, i);
		SENT(i + 5);
	}
	wt_pass(w, 20);
	ACK(SEG(10));
	SENT(16);
	EQ(wt_info(w).tcpi_ca_state, 0);
	IN(wt_info(w).tcpi_snd_cwnd, 7, 8);
	for (unsigned acked = 12; acked <= 16; acked += 2) {
		wt_pass(w, 20);
		ACK(SEG(acked));
	}
	wt_pass(w, 20);
	ACK(SEG(17));
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 1);
}

/* the first four of ten are lost: after the recovery ssthresh is what may be under way */
static void prr_four_of_ten(struct wt *w)
{
	open_to(w, true, 10);
	wt_send(w, 10 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 10);
	SACK(1, 4, 5);
	wt_pass(w, 2);
	SACK(1, 4, 6);
	for (unsigned i = 7; i <= 10; i++) {
		SACK(1, 4, i);
		SENT(i - 7);
	}
	wt_pass(w, 10);
	for (unsigned i = 1; i <= 3; i++)
		INJECT(.flags = A, .seq = 1, .ack = SEG(i), .wnd = 40960, .nb_sack = 1,
		       .sack = {{SEG(4), SEG(10)}});
	ACK(SEG(10));
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 4);
	wt_pass(w, 10);
	wt_send(w, 10 * MSS);
	sent(w, 10, 17);
	wt_drop(w);
}

/* "RFC 6675: an acknowledgement below SND.UNA": its blocks are news all the same, and let as much go as they report */
static void prr_overtaken(struct wt *w)
{
	open_to(w, true, 10);
	wt_send(w, 10 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 10);
	SACK(1, 1, 2);
	SACK(1, 1, 3);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 40960, .nb_sack = 2,
	       .sack = {{SEG(1), SEG(3)}, {SEG(8), SEG(9)}});
	SENT(0);
	wt_pass(w, 12);
	SACK(SEG(4), 8, 9);
	sent(w, 4, 6);
	CHECK(wt_drop(w) <= 1);
	wt_pass(w, 2);
	SACK(SEG(3), 5, 7);
	EQ(wt_drop(w), 2);
}

/* ---- TCP_INFO about order -------------------------------------------------------------------- */

/* how late the latest was, and how often one was */
static void reordering(struct wt *w)
{
	open_to(w, true, 20);
	EQ(wt_info(w).tcpi_reordering, 3);
	wt_send(w, 10 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 20);
	SACK(1, 9, 10);
	EQ(wt_totals(w).reord_seen, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 40960, .nb_sack = 2,
	       .sack = {{SEG(3), SEG(4)}, {SEG(9), SEG(10)}});
	EQ(wt_info(w).tcpi_sacked, 2);
	EQ(wt_info(w).tcpi_reordering, 7);
	EQ(wt_totals(w).reord_seen, 1);
	ACK(SEG(10));
	EQ(wt_info(w).tcpi_sacked, 0);
	EQ(wt_info(w).tcpi_reordering, 10);
	EQ(wt_totals(w).reord_seen, 2);
	IN(wt_info(w).tcpi_snd_cwnd, 10, 20);
	wt_drop(w);
}

/* ---- small writes ---------------------------------------------------------------------------- */

/* TCP_NODELAY: the rest of a large write goes with its full segments */
static void nodelay_rest(struct wt *w)
{
	open_to(w, true, 100);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 51);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 51);
	wt_pass(w, 30);
	wt_send(w, 2054);
	EXPECT(.flags = A, .seq = 52, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = A, .seq = 1052, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 2052, .ack = 1, .len = 54);
	ACK(2106);
}

/* MSG_MORE holds back what is not full even with TCP_NODELAY, for 200 ms; an acknowledgement of all lets it go */
static void more(struct wt *w)
{
	open_to(w, false, 10);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	EQ(wt_write(w, 40, MSG_MORE), 40);
	wt_settle(w);
	EXPECT_IN(195, 220, .flags = A, .seq = 1, .ack = 1, .len = 40, .any_psh = true);
	ACK(41);
	for (uint32_t n = 100; n <= 400; n += 100) {
		EQ(wt_write(w, n, MSG_MORE), n);
		wt_pass(w, 5);
	}
	EQ(wt_write(w, 5, 0), 5);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 41, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1041, .ack = 1, .len = 5);
	ACK(1046);
	/* "a write larger than a segment": full ones go, the rest stays */
	EQ(wt_write(w, 3100, MSG_MORE), 3100);
	wt_settle(w);
	for (uint32_t seq = 1046; seq < 4046; seq += MSS)
		EXPECT(.flags = A, .seq = seq, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_write(w, 50, MSG_MORE), 50);
	NOTHING(5);
	EQ(wt_write(w, 1, 0), 1);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 4046, .ack = 1, .len = 151);
	ACK(4197);
}

/* Linux: it is a hint for this call; what the peer sends next, an acknowledgement or a FIN, lets the rest go */
static void more_is_a_hint(struct wt *w)
{
	open_to(w, false, 10);
	EQ(wt_write(w, MSS + 100, MSG_MORE), MSS + 100);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	NOTHING(5);
	ACK(1 + MSS);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1 + MSS, .ack = 1, .len = 100);
	ACK(1 + MSS + 100);
	EQ(wt_write(w, 40, MSG_MORE), 40);
	NOTHING(5);
	INJECT(.flags = FA, .seq = 1, .ack = 1 + MSS + 100);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1 + MSS + 100, .ack = 2, .len = 40);
}

/* part of what is under way, too, where nothing waits for the rest of it */
static void more_in_parts(struct wt *w)
{
	open_to(w, false, 10);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	EQ(wt_write(w, 2 * MSS + 100, MSG_MORE), 2 * MSS + 100);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = A, .seq = 1 + MSS, .ack = 1, .len = MSS, .any_psh = true);
	NOTHING(5);
	ACK(1 + MSS);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1 + 2 * MSS, .ack = 1, .len = 100);
}

static void cork(struct wt *w)
{
	open_to(w, false, 10);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 1);
	wt_send(w, 40);
	wt_pass(w, 50);
	wt_send(w, 40);
	wt_pass(w, 10);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 0);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 80);
	ACK(81);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 1);
	wt_send(w, 40);
	wt_pass(w, 50);
	wt_send(w, 40);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 81, .ack = 1, .len = 80);
	ACK(161);
	wt_opt(w, IPPROTO_TCP, TCP_CORK, 0);
	EQ(wt_write(w, 40, MSG_MORE), 40);
	wt_pass(w, 50);
	EQ(wt_write(w, 40, MSG_MORE), 40);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 161, .ack = 1, .len = 80, .any_psh = true);
	ACK(241);
}

/* ---- records (MSG_EOR) ----------------------------------------------------------------------- */

/* ten full segments under way, and 400 bytes behind them that wait for cwnd */
static void full_window(struct wt *w)
{
	open_to(w, true, 10);
	wt_send(w, 10 * MSS + 400);
	sent(w, 0, 10);
}

/* what follows a record is not added to it, what is in front of it is */
static void record(struct wt *w)
{
	full_window(w);
	EQ(wt_write(w, 400, MSG_EOR), 400);
	EQ(wt_write(w, 10 * MSS, 0), 10 * MSS);
	wt_settle(w);
	NOTHING(1);
	ACK(SEG(10));
	EXPECT(.flags = PA, .seq = 10001, .ack = 1, .len = 800);
	for (uint32_t seq = 10801; seq < 20801; seq += MSS)
		EXPECT(.flags = A, .seq = seq, .ack = 1, .len = MSS, .any_psh = true);
	ACK(20801);
}

static void records(struct wt *w)
{
	uint32_t seq = 10801;

	full_window(w);
	for (int i = 0; i < 10; i++)
		EQ(wt_write(w, 400, MSG_EOR), 400);
	EQ(wt_write(w, 10 * MSS, 0), 10 * MSS);
	wt_settle(w);
	ACK(SEG(10));
	EXPECT(.flags = PA, .seq = 10001, .ack = 1, .len = 800);
	for (int i = 0; i < 9; i++, seq += 400)
		EXPECT(.flags = PA, .seq = seq, .ack = 1, .len = 400);
	for (; seq < 24401; seq += MSS)
		EXPECT(.flags = A, .seq = seq, .ack = 1, .len = MSS, .any_psh = true);
	ACK(24401);
}

/* a record larger than a segment is cut as usual, and its rest stays alone; so when it is sent again */
static void large_record(struct wt *w)
{
	full_window(w);
	EQ(wt_write(w, 10400, MSG_EOR), 10400);
	EQ(wt_write(w, 2 * MSS, 0), 2 * MSS);
	wt_settle(w);
	ACK(SEG(10));
	sent(w, 10, 20);
	EXPECT(.flags = PA, .seq = 20001, .ack = 1, .len = 800);
	EXPECT(.flags = A, .seq = 20801, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 21801, .ack = 1, .len = MSS);
	ACK(20001);
	EXPECT_IN(10, 500, .flags = PA, .seq = 21801, .ack = 1, .len = MSS);
	wt_drop(w);
	ACK(22801);
}

/* Nagle: a small record waits for nothing once something follows it, for nothing could fill it */
static void record_and_nagle(struct wt *w)
{
	open_to(w, true, 10);
	EQ(wt_write(w, 10, MSG_EOR), 10);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EQ(wt_write(w, 10, MSG_EOR), 10);
	wt_settle(w);
	NOTHING(1);
	EQ(wt_write(w, 10, 0), 10);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
	NOTHING(1);
	ACK(21);
	EXPECT(.flags = PA, .seq = 21, .ack = 1, .len = 10);
	ACK(31);
	/* one that was not taken as a whole ends none */
	EQ(wt_write(w, 10, MSG_EOR | MSG_MORE), 10);
	EQ(wt_write(w, 10, MSG_MORE), 10);
	wt_settle(w);
	EXPECT(.flags = PA, .seq = 31, .ack = 1, .len = 10);
	ACK(41);
	EXPECT_IN(0, 220, .flags = A, .seq = 41, .ack = 1, .len = 10, .any_psh = true);
	ACK(51);
}

static const struct wt_case cases[] = {
    {"RFC 5681 3.1: slow start, an ACK for each segment", ack_per_segment},
    {"RFC 5681 3.1: slow start, an ACK for each second segment", ack_per_two},
    {"RFC 5681 3.1: slow start, an ACK for each fourth segment", ack_per_four},
    {"RFC 7661 4.3: all of cwnd is in use", all_of_the_window},
    {"RFC 7661 4.3: nearly all of it", nearly_all_of_it},
    {"RFC 7661 4.3: less than half of it", less_than_half},
    {"RFC 5681 4.1: ten segments after idleness", after_idleness},
    {"RFC 9293 3.8.6.1: probes leave cwnd alone", after_a_closed_window},
    {"RFC 9438 4.8: a probe, a time-out, slow start again", timeout_and_again},
    {"RFC 3042 2: it was reordering (SACK)", limited_transmit_sack},
    {"RFC 3042 2: it was reordering (no SACK)", limited_transmit_no_sack},
    {"RFC 6675 4: three blocks at once", three_blocks_at_once},
    {"RFC 8985 6.2: the last of four", last_of_four},
    {"RFC 8985 7.2: the last byte of four", last_byte_of_four},
    {"RFC 9937 6: one of ten", prr_one_of_ten},
    {"RFC 9937 6: four of ten", prr_four_of_ten},
    {"RFC 9937 6: an ACK that others have overtaken", prr_overtaken},
    {"TCP_INFO: reordering", reordering},
    {"RFC 9293 MUST-17: the rest of a large write", nodelay_rest},
    {"send(2): MSG_MORE and TCP_NODELAY", more},
    {"send(2): MSG_MORE ends with what the peer sends", more_is_a_hint},
    {"send(2): MSG_MORE ends with a part's acknowledgement", more_in_parts},
    {"tcp(7): TCP_CORK, TCP_NODELAY and MSG_MORE", cork},
    {"send(2): MSG_EOR ends a record", record},
    {"send(2): MSG_EOR, many records", records},
    {"send(2): MSG_EOR, a record of several segments", large_record},
    {"send(2): MSG_EOR and Nagle", record_and_nagle},
};

WT_MAIN("drill_send")
