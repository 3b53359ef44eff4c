/* SPDX-License-Identifier: BSD-2-Clause */

/* Recovery with SACK: RACK, the tail loss probe, PRR, and losses that were none. */

#include "wt.h"

#define MSS 1460

/* n full segments under way on a connection whose round trip takes ms. */
static void flight(struct wt *w, double ms, unsigned n)
{
	w->peer.sackok = true;
	wt_established_after(w, ms);
	wt_send(w, n * MSS);
	for (unsigned i = 0; i < n; i++)
		EXPECT(.flags = A, .seq = 1 + MSS * i, .ack = 1, .len = MSS, .any_psh = true);
}

#define SEG(i) (1 + (uint32_t)(i)*MSS) /* where the i-th segment begins, from 0 */
#define ACK(a) INJECT(.flags = A, .seq = 1, .ack = (a))
#define SACK(a, from, to) \
	INJECT(.flags = A, .seq = 1, .ack = (a), .nb_sack = 1, .sack = {{from, to}})
#define RESENT(i) EXPECT(.flags = A, .seq = SEG(i), .ack = 1, .len = MSS, .any_psh = true)

/* ---- RACK ------------------------------------------------------------------------------------ */

/* 6.2 step 5: sent before one that was delivered, and the reordering window is over: min RTT / 4 */
static void lost_by_time(struct wt *w)
{
	flight(w, 40, 4);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(2));
	EXPECT_IN(9, 12, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
}

/* 6.2 step 4: DupThresh segments without any reordering seen: at once */
static void lost_by_count(struct wt *w)
{
	flight(w, 40, 5);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(3));
	EQ(wt_drop(w), 0);
	SACK(SEG(0), SEG(1), SEG(4));
	RESENT(0);
}

/* an answer that comes within the reordering window: nothing was lost, nothing is sent again */
static void reordered(struct wt *w)
{
	flight(w, 40, 4);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(2));
	wt_pass(w, 5);
	ACK(SEG(2));
	NOTHING(30);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
}

/* 6.2 step 3: "... if Segment.end_seq < RACK.fack": what one acknowledgement reports, below and above, came
 * in no order that it tells of; so DupThresh still counts */
static void no_order_in_one_ack(struct wt *w)
{
	flight(w, 40, 9);
	wt_pass(w, 40);
	SACK(SEG(1), SEG(2), SEG(3)); /* the first, which waited for a second, and the third */
	SACK(SEG(1), SEG(2), SEG(4));
	NOTHING(1);
	/* two blocks that are new, the higher one first, for acknowledgements were lost */
	INJECT(.flags = A, .seq = 1, .ack = SEG(1), .nb_sack = 3,
	       .sack = {{SEG(8), SEG(9)}, {SEG(5), SEG(6)}, {SEG(2), SEG(4)}});
	RESENT(1);
	RESENT(4);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
}

/* 3.1: a retransmission that is lost too is found without a time-out */
static void retransmission_lost(struct wt *w)
{
	flight(w, 40, 8);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(4));
	RESENT(0);
	wt_drop(w);
	wt_send(w, 2 * MSS);
	wt_drop(w);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(8)); /* the rest of the first flight */
	while (wt_next(w, 0) != NULL)
		;
	wt_pass(w, 41);
	SACK(SEG(0), SEG(1), SEG(10)); /* and what was sent after the repetition */
	EXPECT_IN(0, 15, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
}

/* After more than half an hour without an answer, when the clock of RACK has gone half round, what
 * was delivered before that does not make lost what is sent now. */
static void long_outage(struct wt *w)
{
	w->cfg.tcp_mtu_probing = 0;
	flight(w, 20, 4);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 7200000);
	wt_pass(w, 20);
	ACK(SEG(1));
	wt_pass(w, 40.0 * 60000);
	wt_drop(w);
	CHECK(wt_next(w, 125000) != NULL); /* SEG(1) again */
	wt_pass(w, 50);
	ACK(SEG(2));
	RESENT(2);
	RESENT(3);
	wt_pass(w, 50);
	ACK(SEG(3));
	NOTHING(30);
	ACK(SEG(4));
}

/* 6.2 step 4: a DSACK widens the window by another quarter of the round trip */
static void dsack_widens(struct wt *w)
{
	flight(w, 40, 8);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(2));
	EXPECT_IN(9, 12, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	wt_pass(w, 2);
	ACK(SEG(8)); /* it was only late; its repetition arrives as a duplicate */
	INJECT(.flags = A, .seq = 1, .ack = SEG(8), .nb_sack = 1, .sack = {{SEG(0), SEG(1)}});
	wt_drop(w);
	wt_send(w, 4 * MSS);
	for (unsigned i = 8; i < 12; i++)
		RESENT(i); /* new ones */
	wt_pass(w, 40);
	SACK(SEG(8), SEG(9), SEG(10));
	EXPECT_IN(18, 24, .flags = A, .seq = SEG(8), .ack = 1, .len = MSS, .any_psh = true);
}

/* 6.2: "If timeout is non-zero: Arm a timer": while one loss begins a recovery others may be within the reordering window,
 * and are sent again when that is over, not with the next acknowledgement or a time-out */
static void lost_after_recovery_began(struct wt *w)
{
	flight(w, 40, 3);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(2));
	wt_pass(w, 5);
	wt_send(w, MSS);
	RESENT(3);   /* new, as what follows */
	ACK(SEG(3)); /* the first was late */
	wt_pass(w, 8);
	wt_send(w, MSS);
	RESENT(4);
	wt_pass(w, 4);
	wt_send(w, 4 * MSS);
	for (unsigned i = 5; i < 9; i++)
		RESENT(i);
	wt_pass(w, 40);
	SACK(SEG(3), SEG(5), SEG(9));
	RESENT(3);
	EXPECT_IN(4, 9, .flags = A, .seq = SEG(4), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
}

/* ---- the tail loss probe --------------------------------------------------------------------- */

/* 7.2, 7.3: two round trips after the last data, the last segment again */
static void probe_at_tail(struct wt *w)
{
	flight(w, 40, 3);
	EXPECT_IN(79, 84, .flags = A, .seq = SEG(2), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 1);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(2), SEG(3)); /* so the first two are lost */
	RESENT(0);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
}

/* 7.3: new data, if there is any, rather than old */
static void probe_is_new(struct wt *w)
{
	w->cfg.tcp_initial_window = 2;
	w->peer.sackok = true;
	wt_established_after(w, 40);
	wt_send(w, 4 * MSS);
	RESENT(0);
	RESENT(1);
	EXPECT_IN(79, 84, .flags = A, .seq = SEG(2), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
	/* 7.4.2: its answer says nothing of a loss */
	wt_pass(w, 40);
	ACK(SEG(3));
	RESENT(3); /* new */
	wt_pass(w, 40);
	ACK(SEG(4));
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 0);
}

/* 7.4.2: "If ... ACK's ack. number > TLP.end_seq: ... Repaired the single loss": a probe that repaired the loss counts as
 * one, as soon as it is sure that it did; cwnd is halved */
static void probe_repairs(struct wt *w)
{
	uint32_t cwnd;

	flight(w, 40, 4);
	cwnd = wt_info(w).tcpi_snd_cwnd;
	wt_next(w, 100);
	wt_pass(w, 40);
	ACK(SEG(4));
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 0); /* it may have been the original */
	wt_send(w, MSS);
	RESENT(4); /* new */
	wt_pass(w, 40);
	ACK(SEG(5));
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 1);
	CHECK(wt_info(w).tcpi_snd_cwnd < cwnd);
}

/* 7.4.2: the acknowledgement of the original was late, and that of the probe follows: a DSACK, or a duplicate of a peer
 * that sends none */
static void answer_was_late(struct wt *w, bool dsack)
{
	flight(w, 40, 4);
	wt_next(w, 100);
	ACK(SEG(4));
	wt_pass(w, 40);
	if (dsack)
		SACK(SEG(4), SEG(3), SEG(4));
	else
		ACK(SEG(4));
	wt_send(w, 4 * MSS);
	for (unsigned i = 4; i < 8; i++)
		RESENT(i); /* new ones */
	wt_pass(w, 40);
	ACK(SEG(8));
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 0);
	CHECK(wt_info(w).tcpi_snd_cwnd >= 10);
}

static void answer_was_late_dsack(struct wt *w)
{
	answer_was_late(w, true);
}

static void answer_was_late_duplicate(struct wt *w)
{
	answer_was_late(w, false);
}

/* what lies further below than any window is none: a path that changes the numbers of headers leaves those of blocks as they
 * were */
static void no_dsack(struct wt *w)
{
	flight(w, 40, 4);
	wt_next(w, 100);
	wt_pass(w, 40);
	SACK(SEG(4), SEG(1) - (1 << 29), SEG(2) - (1 << 29));
	wt_send(w, MSS);
	RESENT(4); /* new */
	wt_pass(w, 40);
	SACK(SEG(5), SEG(2) - (1 << 29), SEG(3) - (1 << 29));
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 1);
}

/* 7.4.2: a DSACK says that the original had arrived: no reaction */
static void probe_was_needless(struct wt *w)
{
	uint32_t cwnd;

	flight(w, 40, 4);
	cwnd = wt_info(w).tcpi_snd_cwnd;
	wt_next(w, 100);
	wt_pass(w, 5);
	INJECT(.flags = A, .seq = 1, .ack = SEG(4), .nb_sack = 1, .sack = {{SEG(3), SEG(4)}});
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 0);
	CHECK(wt_info(w).tcpi_snd_cwnd >= cwnd);
}

/* one probe, then the time-out */
static void probe_then_timeout(struct wt *w)
{
	flight(w, 40, 3);
	EXPECT_IN(79, 84, .flags = A, .seq = SEG(2), .ack = 1, .len = MSS, .any_psh = true);
	EXPECT_IN(199, 330, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
}

/* ... also when more is sent meanwhile: nothing tells that the first has failed */
static void one_probe_at_a_time(struct wt *w)
{
	flight(w, 40, 3);
	EXPECT_IN(79, 84, .flags = A, .seq = SEG(2), .ack = 1, .len = MSS, .any_psh = true);
	wt_send(w, MSS);
	RESENT(3); /* new */
	EXPECT_IN(199, 330, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
}

/* who goes on writing puts the probe off no further than the time-out of the oldest: some 450 ms */
static void probe_is_not_put_off(struct wt *w)
{
	flight(w, 150, 1);
	for (unsigned i = 1; i < 6; i++) {
		EQ(wt_count(w, PC_TCP_TLP_PROBES), 0);
		wt_pass(w, 99);
		wt_send(w, MSS);
	}
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 1);
	wt_drop(w);
}

/* "... unless it's already in fast recovery": the acknowledgement that ends one sets the timer for a probe again, as
 * nothing else may do so. What was sent in the recovery is lost here. */
static void probe_after_recovery(struct wt *w)
{
	flight(w, 40, 10);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(4));
	RESENT(0);
	SACK(SEG(0), SEG(1), SEG(8));
	wt_send(w, 2 * MSS);
	RESENT(10); /* new ones */
	RESENT(11);
	wt_pass(w, 40);
	ACK(SEG(10));
	EXPECT_IN(78, 90, .flags = A, .seq = SEG(11), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
}

static void probe_switched_off(struct wt *w)
{
	w->cfg.tcp_tlp = 0;
	flight(w, 40, 3);
	EXPECT_IN(199, 330, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
}

/* ---- PRR ------------------------------------------------------------------------------------- */

/* RFC 6937 3: cwnd goes down to ssthresh in proportion to what is delivered, not at once */
static void prr_is_proportional(struct wt *w)
{
	unsigned sent = 0;

	w->cfg.tcp_congestion = 0;
	flight(w, 40, 10);
	wt_send(w, 20 * MSS);
	wt_drop(w);
	wt_pass(w, 40);
	for (unsigned i = 2; i <= 10; i++) {
		SACK(SEG(0), SEG(1), SEG(i));
		while (wt_next(w, 0) != NULL)
			sent++;
	}
	/* nine delivered, half of that sent: the repetition and about four new ones */
	IN(sent, 4, 6);
}

/* ---- losses that were none ------------------------------------------------------------------- */

/* RFC 3522: the answer has a timestamp from before the repetition */
static void eifel(struct wt *w)
{
	uint32_t cwnd, first;

	w->peer.ts = true;
	wt_established_after(w, 40);
	wt_send(w, 4 * (MSS - 12));
	wt_drop(w);
	first = w->flow.tsval;
	cwnd = wt_info(w).tcpi_snd_cwnd;
	CHECK(wt_next(w, 400) != NULL); /* the time-out */
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	wt_pass(w, 5);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS - 12, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = first);
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	CHECK(wt_info(w).tcpi_snd_cwnd >= cwnd);
	EQ(wt_info(w).tcpi_lost, 0);
}

/* an answer that echoes nothing (0, from those that take the field for unused) is no word on which of the two it is to */
static void eifel_without_echo(struct wt *w)
{
	w->peer.ts = true;
	wt_established_after(w, 40);
	while (w->flow.tsval - 1 >= INT32_MAX) { /* to which 0 would be an older one */
		wt_flow(w);
		wt_established_after(w, 40);
	}
	wt_send(w, 4 * (MSS - 12));
	wt_drop(w);
	CHECK(wt_next(w, 400) != NULL); /* the time-out */
	wt_pass(w, 40);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS - 12, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = 0);
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	CHECK(wt_drop(w) > 0);
}

/* the answer is to the repetition: the loss was one */
static void no_eifel(struct wt *w)
{
	w->peer.ts = true;
	wt_established_after(w, 40);
	wt_send(w, 4 * (MSS - 12));
	wt_drop(w);
	CHECK(wt_next(w, 400) != NULL);
	wt_pass(w, 40);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS - 12);
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	CHECK(wt_drop(w) > 0); /* slow start goes on with the rest */
}

/* "... equal to or smaller than RetransmitTS": that of the first repetition, also when a recovery before has
 * made it: its late answer does not say that nothing was lost */
static void eifel_across_recoveries(struct wt *w)
{
	const uint32_t len = MSS - 12;
	uint32_t resent_ts;

	w->peer.ts = w->peer.sackok = true;
	wt_established_after(w, 40);
	wt_send(w, 40 * len);
	EQ(wt_drop(w), 10);
	wt_pass(w, 40);
	for (unsigned i = 2; i <= 10; i++)
		SACK(1, 1 + len, 1 + i * len);
	CHECK(wt_drop(w) >=
	      5); /* two by limited transmit, the first again, and new ones: the 12th is lost */
	wt_pass(w, 40);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2,
	       .sack = {{1 + 13 * len, 1 + 14 * len}, {1 + len, 1 + 12 * len}});
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = len, .any_psh = true);
	EXPECT(.flags = A, .seq = 1 + 12 * len, .ack = 1, .len = len, .any_psh = true);
	resent_ts = w->flow.tsval;
	wt_drop(w);
	wt_pass(w, 20);
	SACK(1 + 12 * len, 1 + 13 * len, 1 + 14 * len); /* the first recovery is over */
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 2);
	wt_drop(w);
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 14 * len, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = resent_ts);
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	wt_drop(w);
}

/* so it is where a tail loss probe has made the first repetition: what the time-out repeats once more was lost, though the
 * probe is what arrives */
static void eifel_across_a_probe(struct wt *w)
{
	const uint32_t len = MSS - 12;
	uint32_t probe_ts;

	w->peer.ts = w->peer.sackok = true;
	wt_established_after(w, 40);
	wt_send(w, len);
	wt_drop(w);
	EXPECT_IN(100, 400, .flags = PA, .seq = 1, .ack = 1, .len = len);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 1);
	probe_ts = w->flow.tsval;
	EXPECT_IN(100, 400, .flags = PA, .seq = 1, .ack = 1, .len = len);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
	wt_pass(w, 5);
	INJECT(.flags = A, .seq = 1, .ack = 1 + len, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = probe_ts);
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	CHECK(wt_info(w).tcpi_snd_cwnd < 10);
}

/* "ssthresh = max (FlightSize / 2, 2*SMSS)": of a burst of acknowledgements the first ones make room that
 * nothing could be sent into; what was under way before counts */
static void flight_before_the_burst(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	flight(w, 40, 10);
	wt_pass(w, 40);
	for (unsigned i = 2; i <= 6; i += 2)
		QUEUE(.flags = A, .seq = 1, .ack = SEG(i));
	for (unsigned i = 8; i < 10; i++)
		QUEUE(.flags = A, .seq = 1, .ack = SEG(6), .nb_sack = 1,
		      .sack = {{SEG(7), SEG(i)}});
	SACK(SEG(6), SEG(7), SEG(10));
	RESENT(6);
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
}

/* the acknowledgement that ends a recovery counts towards the window that follows: here it brings all of it */
static void last_ack_counts(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	flight(w, 40, 10);
	wt_pass(w, 40);
	for (unsigned i = 2; i < 5; i++)
		SACK(SEG(0), SEG(1), SEG(i));
	RESENT(0);
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
	wt_pass(w, 40);
	ACK(SEG(10));
	EQ(wt_info(w).tcpi_snd_cwnd, 6);
}

static const struct wt_case cases[] = {
    {"RFC 8985 6.2: lost by time", lost_by_time},
    {"RFC 8985 6.2: lost by count when nothing was reordered", lost_by_count},
    {"RFC 8985 6.2: reordered within the window", reordered},
    {"RFC 8985 6.2: one acknowledgement tells of no order", no_order_in_one_ack},
    {"RFC 8985 3.1: a lost retransmission", retransmission_lost},
    {"RFC 8985 6.2: what was delivered long ago is not the newest", long_outage},
    {"RFC 8985 6.2: DSACK widens the reordering window", dsack_widens},
    {"RFC 8985 6.2: lost when a recovery has just begun", lost_after_recovery_began},
    {"RFC 8985 7.2: a probe at the tail", probe_at_tail},
    {"RFC 8985 7.3: the probe is new data if there is any", probe_is_new},
    {"RFC 8985 7.4.2: a probe that repaired a loss", probe_repairs},
    {"RFC 8985 7.4.2: a probe that was needless", probe_was_needless},
    {"RFC 8985 7.4.2: the answer was late, and a DSACK follows", answer_was_late_dsack},
    {"RFC 8985 7.4.2: the answer was late, and a duplicate follows", answer_was_late_duplicate},
    {"RFC 2883 4: a block of long ago is no DSACK", no_dsack},
    {"RFC 8985 7.2: one probe, then the time-out", probe_then_timeout},
    {"RFC 8985 7.2: one probe at a time", one_probe_at_a_time},
    {"RFC 8985 7.2: a probe is not later than the time-out", probe_is_not_put_off},
    {"RFC 8985 7.2: a probe after a recovery", probe_after_recovery},
    {"tcp.tlp", probe_switched_off},
    {"RFC 6937 3: PRR", prr_is_proportional},
    {"RFC 5681 3.1: FlightSize is that before a burst", flight_before_the_burst},
    {"RFC 5681 3.2: the last acknowledgement of a recovery counts", last_ack_counts},
    {"RFC 3522: a time-out that was none", eifel},
    {"RFC 3522: a time-out that was one", no_eifel},
    {"RFC 3522: an answer without an echo", eifel_without_echo},
    {"RFC 3522: the answer to what an earlier recovery sent again", eifel_across_recoveries},
    {"RFC 3522: the answer to a tail loss probe", eifel_across_a_probe},
};

WT_MAIN("rack")
