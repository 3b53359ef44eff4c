/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Recovery where acknowledgements mean less than they seem to: from peers that keep nothing beyond a hole, to
 * what was repeated, to what a probe had sent again.
 */

#include "wt.h"

#define MSS 1460

#define SEG(i) (1 + (uint32_t)(i)*MSS) /* where the i-th segment begins, from 0 */
#define ACK(a) INJECT(.flags = A, .seq = 1, .ack = (a))
#define SACK(a, from, to) \
	INJECT(.flags = A, .seq = 1, .ack = (a), .nb_sack = 1, .sack = {{from, to}})
#define SENT(i) EXPECT(.flags = A, .seq = SEG(i), .ack = 1, .len = MSS, .any_psh = true)

/* n full segments are queued on a connection whose round trip takes so many ms; ten of them go at first */
static void queued_after(struct wt *w, bool sack, unsigned n, double ms)
{
	w->peer.sackok = sack;
	w->cfg.tcp_sndbuf = 1000000;
	wt_established_after(w, ms);
	wt_send(w, n * MSS);
}

/* 40 ms */
static void queued(struct wt *w, bool sack, unsigned n)
{
	queued_after(w, sack, n, 40);
}

/* ---- without SACK (RFC 6582) ------------------------------------------------------------------ */

#define MOST 64

/* A peer that keeps nothing beyond a hole: what has come in this round trip is answered in the next. */
struct peer_model {
	double rtt_ms;
	uint32_t next;    /* RCV.NXT */
	uint32_t lost[4]; /* these segments are lost the first time */
	unsigned rounds;  /* until all has come */
	uint32_t again;   /* segments that came before */
	uint32_t highest;
};

static bool loses(struct peer_model *p, uint32_t seq)
{
	for (unsigned i = 0; i < 4; i++) {
		if (p->lost[i] != 0 && p->lost[i] == seq) {
			p->lost[i] = 0;
			return true;
		}
	}
	return false;
}

/* takes what was sent since the last round trip; acks[] are its answers, of which it returns the number */
static unsigned one_round(struct wt *w, struct peer_model *p, uint32_t *acks)
{
	const struct frame_info *f;
	unsigned n = 0;

	while (n < MOST && (f = wt_next(w, 0)) != NULL) {
		uint32_t seq = f->seg.seq - w->flow.iss;

		if (seq + f->seg.len <= p->highest)
			p->again++;
		else
			p->highest = seq + f->seg.len;
		if (loses(p, seq))
			continue;
		if (seq == p->next)
			p->next += f->seg.len;
		acks[n++] = p->next;
	}
	return n;
}

/* all of len bytes; a time-out is a round trip that brought nothing, and half a second more */
static void deliver(struct wt *w, struct peer_model *p, uint32_t len)
{
	uint32_t acks[MOST];

	p->next = 1;
	while (p->next != 1 + len && p->rounds < 400) {
		unsigned n = one_round(w, p, acks);

		wt_pass(w, n > 0 ? p->rtt_ms : 500);
		for (unsigned i = 0; i < n; i++) {
			ACK(acks[i]);
			wt_pass(w, 0.1);
		}
		p->rounds++;
	}
	wt_drop(w);
	EQ(p->next, 1 + len);
}

/* 4.1: "If true, duplicate ACKs indicate a lost segment": what was sent during the first recovery has been thrown away,
 * and is missed by nobody until the first has been repaired */
static void go_back_n(struct wt *w)
{
	struct peer_model p = {.rtt_ms = 2, .lost = {SEG(12)}};

	queued_after(w, false, 300, p.rtt_ms);
	deliver(w, &p, 300 * MSS);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	CHECK(wt_count(w, PC_TCP_FAST_RETRANSMITS) >= 2);
}

/* 3.2 step 3: where a round trip takes longer, a time-out comes before all of that has been repaired one by one, and goes
 * on in slow start */
static void go_back_n_far(struct wt *w)
{
	struct peer_model p = {.rtt_ms = 40, .lost = {SEG(12)}};

	queued_after(w, false, 300, p.rtt_ms);
	deliver(w, &p, 300 * MSS);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
	CHECK(p.rounds < 40);
}

/* the same where the loss is younger than the last repetition: new data draws the duplicates */
static void small_steps(struct wt *w)
{
	w->cfg.tcp_initial_window = 4;
	queued(w, false, 6);
	for (unsigned i = 0; i < 4; i++)
		SENT(i);
	wt_pass(w, 40);
	for (unsigned i = 0; i < 3; i++) {
		wt_pass(w, 1);
		ACK(1);
	}
	SENT(4);
	SENT(5);
	SENT(0);
	for (unsigned i = 1; i < 6; i++) {
		wt_pass(w, 40);
		ACK(SEG(i));
		SENT(i);
	}
	wt_send(w, MSS);
	SENT(6); /* lost; sent after the sixth */
	wt_pass(w, 40);
	ACK(SEG(6));
	wt_opt(w, IPPROTO_TCP, 1 /* TCP_NODELAY */, 1);
	for (unsigned i = 0; i < 3; i++) {
		wt_send(w, 100);
		wt_pass(w, 12);
		ACK(SEG(6));
	}
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 2);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	wt_drop(w);
}

/* "Otherwise, duplicate ACKs likely result from unnecessary retransmissions": the acknowledgement before came in a large
 * step, so the peer had all of it */
static void large_step(struct wt *w)
{
	w->cfg.tcp_frto = 0;
	w->cfg.tcp_tlp = 0;
	queued(w, false, 10);
	for (unsigned i = 0; i < 10; i++)
		SENT(i);
	wt_next(w, 400); /* the time-out; then answers to the originals */
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
	ACK(SEG(2));
	SENT(2);
	SENT(3);
	ACK(SEG(10));
	wt_send(w, 4 * MSS);
	wt_drop(w);
	for (unsigned i = 0; i < 3; i++) { /* and to the repetitions */
		wt_pass(w, 12);
		ACK(SEG(10));
	}
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 0);
	SENT(13); /* limited transmit */
	EQ(wt_drop(w), 0);
}

/* RFC 9937 6, DeliveredData without SACK: a duplicate has delivered a segment; the acknowledgement that follows does not
 * deliver that again. Of 20 under way, of which ten are to stay, 2 + 6 are delivered: half of that is sent in all. */
static void counted_once(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	w->cfg.tcp_initial_window = 20;
	queued(w, false, 100);
	for (unsigned i = 0; i < 20; i++)
		SENT(i);
	wt_pass(w, 40);
	for (unsigned i = 1; i <= 4;
	     i++) { /* the first and the eleventh are lost, and other duplicates */
		wt_pass(w, 1);
		ACK(1);
	}
	SENT(20); /* limited transmit */
	SENT(21);
	SENT(0);
	EQ(wt_info(w).tcpi_snd_ssthresh, 10);
	wt_pass(w, 36);
	ACK(SEG(10)); /* four of these duplicates */
	SENT(10);
	SENT(22);
	SENT(23);
	EQ(wt_drop(w), 0);
}

/* RFC 6582 4.1, and RFC 8985's idea: what follows was sent long before the repetition whose acknowledgement ends the
 * recovery, and is not acknowledged with it: it is missing, and nothing new is left whose duplicates could tell so */
static void lost_beyond_recovery(struct wt *w)
{
	queued(w, false, 14);
	for (unsigned i = 0; i < 10; i++)
		SENT(i);
	wt_pass(w, 40);
	for (unsigned i = 1; i < 10; i++) { /* the first is lost */
		wt_pass(w, 0.1);
		ACK(1);
	}
	SENT(10); /* this is lost, too */
	SENT(11);
	SENT(0);
	SENT(12);
	SENT(13);
	wt_pass(w, 40);
	ACK(1);
	wt_pass(w, 0.1);
	ACK(SEG(10)); /* and no further duplicates */
	SENT(10);
	wt_pass(w, 40);
	ACK(SEG(14));
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* what follows was sent after the repetition: it is on its way */
static void sent_after_the_repetition(struct wt *w)
{
	queued(w, false, 13);
	for (unsigned i = 0; i < 10; i++)
		SENT(i);
	wt_pass(w, 40);
	for (unsigned i = 1; i <= 8; i++) {
		wt_pass(w, 1);
		ACK(1);
	}
	SENT(10);
	SENT(11);
	SENT(0);
	SENT(12);
	wt_pass(w, 35);
	ACK(SEG(12));
	NOTHING(10);
	ACK(SEG(13));
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 1);
}

/* 3.2 step 3: "For the first partial ACK that arrives during fast recovery, also reset the retransmit timer": ten
 * losses, one of which is repaired in each round trip, until the time-out since the first repairs the others sooner */
static void only_the_first_resets(struct wt *w)
{
	w->cfg.tcp_initial_window = 20;
	queued(w, false, 20);
	for (unsigned i = 0; i < 20; i++)
		SENT(i);
	wt_pass(w, 40);
	for (unsigned i = 0; i < 10; i++) { /* every other one is lost */
		wt_pass(w, 1);
		ACK(1);
	}
	SENT(0);
	for (unsigned i = 2; i <= 12; i += 2) {
		wt_pass(w, 40);
		ACK(SEG(i));
		SENT(i);
	}
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	EXPECT_IN(38, 44, .flags = A, .seq = SEG(12), .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
	ACK(SEG(14));
	SENT(14);
	SENT(15); /* no new round trip for each: slow start */
	EQ(wt_drop(w), 0);
	wt_pass(w, 40);
	ACK(SEG(16));
	for (unsigned i = 16; i < 19; i++)
		SENT(i);
	EQ(wt_drop(w), 0);
}

/* RFC 5681 3.2: duplicates that come at once are waited for a moment, which more of them do not prolong */
static void duplicates_do_not_prolong(struct wt *w)
{
	queued(w, false, 10);
	for (unsigned i = 0; i < 10; i++)
		SENT(i);
	wt_pass(w, 40);
	QUEUE(.flags = A, .seq = 1, .ack = 1);
	QUEUE(.flags = A, .seq = 1, .ack = 1);
	ACK(1);
	wt_pass(w, 1.5);
	ACK(1);
	EXPECT_IN(0.2, 0.8, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	wt_drop(w);
}

/* ten full segments are under way on a connection whose round trip takes us */
static void under_way(struct wt *w, double us, unsigned queued)
{
	w->cfg.tcp_initial_window = 10;
	wt_established_after(w, us / 1000);
	wt_send(w, queued * MSS);
	for (unsigned i = 0; i < 10; i++)
		SENT(i);
}

/* two are no sign of a loss, however long they are the last */
static void two_are_not_enough(struct wt *w)
{
	under_way(w, 40000, 10);
	wt_pass(w, 40);
	ACK(1);
	wt_pass(w, 1);
	ACK(1);
	NOTHING(30);
	ACK(SEG(10));
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
}

/* how many come at once is counted for each hole: those that an earlier one has drawn are over */
static void counted_for_each_hole(struct wt *w)
{
	under_way(w, 40000, 10);
	wt_pass(w, 40);
	ACK(1);
	wt_pass(w, 0.1);
	ACK(1);
	wt_pass(w, 1);
	ACK(SEG(1));
	for (unsigned i = 0; i < 2; i++)
		QUEUE(.flags = A, .seq = 1, .ack = SEG(1));
	ACK(SEG(1));
	NOTHING(1);
	EXPECT_IN(0.5, 2, .flags = A, .seq = SEG(1), .ack = 1, .len = MSS, .any_psh = true);
}

/* where a round trip is short, a quarter of it is what they are apart */
static void a_quarter_apart(struct wt *w)
{
	under_way(w, 1600, 10);
	wt_pass(w, 1.6);
	for (unsigned i = 0; i < 5; i++) { /* the last after 400 us */
		ACK(1);
		EQ(wt_drop(w), 0);
		wt_pass(w, 0.1);
	}
	ACK(1);
	SENT(0);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
}

/* ... for each hole since its first */
static void a_quarter_for_each_hole(struct wt *w)
{
	under_way(w, 1600, 10);
	wt_pass(w, 1.6);
	ACK(1);
	wt_pass(w, 0.5);
	ACK(SEG(1));
	for (unsigned i = 0; i < 3; i++)
		ACK(SEG(1));
	EQ(wt_drop(w), 0);
	EXPECT_IN(1, 2.5, .flags = A, .seq = SEG(1), .ack = 1, .len = MSS, .any_psh = true);
}

/* where no round trip has been measured, as a cookie does not tell when the SYN came, three are enough */
static void no_round_trip_yet(struct wt *w, bool at_once)
{
	w->cfg.tcp_syn_cookies = 2;
	wt_established(w);
	EQ(wt_info(w).tcpi_rtt, 0);
	wt_send(w, 4 * MSS);
	for (unsigned i = 0; i < 4; i++)
		SENT(i);
	for (unsigned i = 0; i < 2; i++) {
		if (at_once)
			QUEUE(.flags = A, .seq = 1, .ack = 1);
		else
			ACK(1);
	}
	EQ(wt_drop(w), 0);
	ACK(1);
	EXPECT_IN(0, at_once ? 2 : 0, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
}

static void no_round_trip_in_turns(struct wt *w)
{
	no_round_trip_yet(w, false);
}

static void no_round_trip_at_once(struct wt *w)
{
	no_round_trip_yet(w, true);
}

/* RFC 3042: "cwnd plus 2 segments", also when more duplicates come than an octet counts */
static void limited_transmit_of_many(struct wt *w)
{
	under_way(w, 1600, 30);
	wt_pass(w, 1.6);
	for (unsigned i = 0; i < 300; i++)
		ACK(1);
	SENT(10);
	SENT(11);
	EQ(wt_drop(w), 0);
}

/* RFC 5681 3.1: after a time-out one segment is sent; duplicates that the others draw are not of this one */
static void duplicates_after_time_out(struct wt *w)
{
	w->cfg.tcp_frto = 0;
	under_way(w, 40000, 10);
	EXPECT_IN(190, 400, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	for (unsigned i = 0; i < 5; i++) {
		wt_pass(w, 1);
		ACK(1);
	}
	EQ(wt_drop(w), 0);
	ACK(SEG(1));
	SENT(1);
	SENT(2);
	EQ(wt_drop(w), 0);
}

/* RFC 5681 3.2: each stands for a segment under way, of which there are no more than four: what ssthresh lets go is new,
 * however many duplicates have come */
static void no_more_than_under_way(struct wt *w, bool at_once)
{
	w->cfg.tcp_congestion = 0;
	w->cfg.tcp_sndbuf = 1000000;
	queued(w, false, 4);
	for (unsigned i = 0; i < 4; i++)
		SENT(i);
	wt_pass(w, 40);
	for (unsigned i = 0; i < 29; i++) {
		if (at_once)
			QUEUE(.flags = A, .seq = 1, .ack = 1);
		else
			ACK(1);
	}
	ACK(1);
	wt_pass(w, 3);
	SENT(0);
	EQ(wt_drop(w), 0);
	EQ(wt_info(w).tcpi_snd_ssthresh, 2);
	wt_send(w, 40 * MSS);
	SENT(4);
	if (!at_once) /* PRR has counted more of them as delivered */
		SENT(5);
	EQ(wt_drop(w), 0);
}

static void no_more_in_turns(struct wt *w)
{
	no_more_than_under_way(w, false);
}

static void no_more_at_once(struct wt *w)
{
	no_more_than_under_way(w, true);
}

/* RFC 6582 4.1: "at most 4*SMSS bytes" */
static void step_of(struct wt *w, unsigned segs, unsigned recoveries)
{
	w->cfg.tcp_frto = 0;
	under_way(w, 40000, 10);
	CHECK(wt_next(w, 400) != NULL); /* the time-out; then answers to the originals */
	ACK(SEG(10 - segs));
	wt_drop(w);
	ACK(SEG(10));
	wt_send(w, 4 * MSS);
	wt_drop(w);
	for (unsigned i = 0; i < 3; i++) {
		wt_pass(w, 12);
		ACK(SEG(10));
	}
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), recoveries);
	wt_drop(w);
}

static void step_of_four(struct wt *w)
{
	step_of(w, 4, 1);
}

static void step_of_five(struct wt *w)
{
	step_of(w, 5, 0);
}

/* ---- what was repeated ------------------------------------------------------------------------- */

#define LEN     (MSS - 12)
#define TSEG(i) (1 + (uint32_t)(i)*LEN)

static void report(struct wt *w, uint32_t ack, unsigned from, unsigned to, uint32_t tsecr)
{
	INJECT(.flags = A, .seq = 1, .ack = ack, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = tsecr, .nb_sack = from != to,
	       .sack = {{TSEG(from), TSEG(to)}});
}

/* Writes so many segments, of which ten are sent, over a round trip of 40 ms. Returns their timestamp. */
static uint32_t ten_in_flight(struct wt *w, unsigned segs)
{
	w->cfg.tcp_sndbuf = 1000000;
	wt_established_after(w, 40);
	wt_send(w, segs * LEN);
	EQ(wt_drop(w), 10);
	return w->flow.tsval;
}

/* RFC 8985 6.2 step 2: "If ACK.ts_option.echo_reply < Segment.xmit_ts" the segment is passed over: its original has
 * arrived, long after it had been repeated, and what was sent in between is not late for that */
static void echo_of_the_original(struct wt *w)
{
	uint32_t first;

	w->peer.ts = w->peer.sackok = true;
	first = ten_in_flight(w, 10);
	wt_pass(w, 40);
	report(w, TSEG(0), 2, 5, first); /* the first two are late */
	EXPECT(.flags = A, .seq = TSEG(0), .ack = 1, .len = LEN, .any_psh = true);
	EXPECT(.flags = A, .seq = TSEG(1), .ack = 1, .len = LEN, .any_psh = true);
	wt_pass(w, 30);
	wt_send(w, 10 * LEN); /* sent before the repetitions can have arrived */
	wt_drop(w);
	wt_pass(w, 14);
	/* the second's original, 44 ms after the repetition: nothing that was sent before that is lost for it */
	report(w, TSEG(0), 1, 5, first);
	EQ(wt_info(w).tcpi_lost, 1);
	EXPECT(.flags = A, .seq = TSEG(10), .ack = 1, .len = LEN, .any_psh = true); /* new */
	NOTHING(5);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 2);
}

/* a probe of the tail has sent the last again, and the first is lost: that the probe's answer reports a duplicate says
 * nothing about what was lost */
static void dsack_of_a_probe(struct wt *w)
{
	queued(w, true, 4);
	for (unsigned i = 0; i < 4; i++)
		SENT(i);
	EXPECT_IN(79, 84, .flags = A, .seq = SEG(3), .ack = 1, .len = MSS, .any_psh = true);
	SACK(1, SEG(1), SEG(4)); /* the originals' answer; the first is lost */
	SENT(0);
	wt_pass(w, 40);
	SACK(SEG(4), SEG(3), SEG(4)); /* of the repetition's answer and the probe's the latter */
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	CHECK(wt_info(w).tcpi_snd_cwnd < 10);
}

/* RFC 8985 6.2 step 4: that segments overtake each other is remembered while nothing is under way: there is a window for
 * them then, however many are reported */
static void reordering_is_remembered(struct wt *w)
{
	queued(w, true, 6);
	wt_drop(w);
	wt_pass(w, 40);
	SACK(1, SEG(2), SEG(3));
	wt_pass(w, 1);
	SACK(1, SEG(1), SEG(3)); /* the second after the third */
	EXPECT_IN(7, 12, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	wt_pass(w, 38);
	ACK(SEG(6));
	wt_pass(w, 1000);
	wt_send(w, 4 * MSS);
	for (unsigned i = 6; i < 10; i++)
		SENT(i);
	wt_pass(w, 40);
	SACK(SEG(6), SEG(7), SEG(10));
	EXPECT_IN(8, 12, .flags = A, .seq = SEG(6), .ack = 1, .len = MSS, .any_psh = true);
	wt_drop(w);
}

/* RFC 3708 3: one of what is lost was repeated for nothing, but the others wait to be */
static void one_of_several(struct wt *w)
{
	w->cfg.tcp_frto = 0;
	w->cfg.tcp_tlp = 0;
	queued(w, true, 4);
	for (unsigned i = 0; i < 4; i++)
		SENT(i);
	EXPECT_IN(190, 330, .flags = A, .seq = SEG(0), .ack = 1, .len = MSS, .any_psh = true);
	wt_pass(w, 40);
	SACK(SEG(1), SEG(0), SEG(1));
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	SENT(1);
	wt_drop(w);
}

/* of five the first is lost, and its repetition acknowledged, but not the others, which were SACKed */
static void up_to_sacked(struct wt *w)
{
	queued(w, true, 5);
	for (unsigned i = 0; i < 5; i++)
		SENT(i);
	wt_pass(w, 40);
	SACK(1, SEG(1), SEG(5));
	SENT(0);
	wt_pass(w, 40);
	ACK(SEG(1));
}

/* RFC 2018 8: an acknowledgement that ends where SACKed data begins shows that the peer has discarded it, which is sent
 * again after half a round trip, not after a time-out of 240 ms */
static void discarded(struct wt *w)
{
	up_to_sacked(w);
	EXPECT_IN(19, 22, .flags = A, .seq = SEG(1), .ack = 1, .len = MSS, .any_psh = true);
	wt_pass(w, 40);
	ACK(SEG(2));
	SENT(2);
	SENT(3);
	EQ(wt_drop(w), 0);
}

/* ... unless all is acknowledged until then: acknowledgements had overtaken one another, or came in parts */
static void not_discarded(struct wt *w)
{
	up_to_sacked(w);
	wt_pass(w, 10);
	ACK(SEG(5));
	NOTHING(500);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
}

/* ---- round trips ------------------------------------------------------------------------------- */

/* RFC 6298 3: what had been reported before says how long the other was late, not how long a round trip takes */
static void reported_before(struct wt *w)
{
	queued(w, true, 2);
	SENT(0);
	SENT(1);
	wt_pass(w, 40);
	EQ(wt_info(w).tcpi_rtt, 40000);
	SACK(1, SEG(1), SEG(2));
	wt_pass(w, 8);
	ACK(SEG(2));
	EQ(wt_info(w).tcpi_rtt, 40000);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
}

/* RFC 7323 4.1: an echo of nothing that was sent lately is no measurement */
static void absurd_echo(struct wt *w)
{
	w->peer.ts = true;
	w->cfg.tcp_tlp = 0;
	wt_established_after(w, 40);
	wt_send(w, LEN);
	wt_drop(w);
	CHECK(wt_next(w, 400) != NULL); /* so that only timestamps tell */
	wt_pass(w, 40);
	INJECT(.flags = A, .seq = 1, .ack = TSEG(1), .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = w->flow.tsval + 1000);
	EQ(wt_info(w).tcpi_rtt, 40000);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* the answer to the original was lost, and the peer answers its retransmission, a duplicate, with the timestamp of the
 * original: that measures the time-out. An echo of the retransmission measures the path. */
static void echo_of_lost_answer(struct wt *w)
{
	w->peer.ts = w->peer.sackok = true;
	w->cfg.tcp_tlp = 0;
	wt_established_after(w, 40);
	for (unsigned i = 0; i < 6; i += 2) {
		uint32_t first;

		wt_send(w, LEN);
		wt_drop(w);
		first = w->flow.tsval;
		EXPECT_IN(200, 260, .flags = PA, .seq = TSEG(i), .ack = 1, .len = LEN);
		wt_pass(w, 40);
		report(w, TSEG(i + 1), i, i + 1, first);
		EQ(wt_info(w).tcpi_rtt, 40000);
		wt_send(w, LEN); /* the path itself is measured again */
		wt_drop(w);
		wt_pass(w, 40);
		report(w, TSEG(i + 2), 0, 0, w->flow.tsval);
	}
	wt_send(w, LEN);
	wt_drop(w);
	CHECK(wt_next(w, 400) != NULL);
	wt_pass(w, 120);
	report(w, TSEG(7), 6, 7, w->flow.tsval);
	IN(wt_info(w).tcpi_rtt, 49000, 51000);
}

/* what was repeated although it was only late shows that the path reorders: as on Linux, the number of SACKed segments
 * then no longer means a loss */
static void undone_tells_of_reordering(struct wt *w)
{
	uint32_t first;

	w->peer.ts = w->peer.sackok = true;
	first = ten_in_flight(w, 40);
	wt_pass(w, 40);
	report(w, TSEG(0), 1, 4, first);
	EXPECT(.flags = A, .seq = TSEG(0), .ack = 1, .len = LEN, .any_psh = true);
	wt_drop(w);
	wt_pass(w, 4);
	report(w, TSEG(10), 0, 0, first); /* the original */
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	wt_drop(w);
	first = w->flow.tsval;
	wt_pass(w, 40);
	report(w, TSEG(10), 11, 15, first);
	wt_pass(w, 8);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 1);
	wt_pass(w, 4); /* a quarter of the round trip */
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 2);
	wt_drop(w);
}

/* without SACK: an echo of the original undoes a time-out, but of what was sent then a part is lost. One duplicate for
 * each retransmission says nothing, more do. */
static void undone_in_part(struct wt *w)
{
	uint32_t first;

	w->peer.ts = true;
	first = ten_in_flight(w, 30);
	EXPECT_IN(200, 250, .flags = A, .seq = TSEG(0), .ack = 1, .len = LEN, .any_psh = true);
	EXPECT_IN(400, 500, .flags = A, .seq = TSEG(0), .ack = 1, .len = LEN, .any_psh = true);
	wt_pass(w, 40);
	report(w, TSEG(6), 0, 0, first);
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	wt_drop(w);
	for (unsigned i = 0; i < 4; i++) {
		wt_pass(w, 2);
		report(w, TSEG(6), 0, 0, first);
		wt_drop(w);
	}
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 2);
	wt_pass(w, 2);
	report(w, TSEG(6), 0, 0, first);
	EXPECT(.flags = A, .seq = TSEG(6), .ack = 1, .len = LEN, .any_psh = true);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
}

/* RFC 6298 5: "(5.7) ... the backed-off RTO": that of probes of a window says nothing about the path */
static void after_probes(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 1);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_IN(190, 3400, .flags = PA, .seq = 1, .ack = 1, .len = 1);
		if (i < 3)
			INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	}
	INJECT(.flags = A, .seq = 1, .ack = 2, .wnd = 8000); /* it is taken */
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 2, .ack = 1, .len = 10);
	EXPECT_IN(190, 320, .flags = PA, .seq = 2, .ack = 1, .len = 10);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 6582 4.1: a peer that keeps nothing beyond a hole", go_back_n},
    {"RFC 6582 3.2: ... far away", go_back_n_far},
    {"RFC 6582 4.1: duplicates after small steps", small_steps},
    {"RFC 6582 4.1: duplicates after a large step", large_step},
    {"RFC 6582 4.1: lost beyond the recovery", lost_beyond_recovery},
    {"RFC 6582 3.2: on its way beyond the recovery", sent_after_the_repetition},
    {"RFC 6582 3.2: only the first partial ACK resets the timer", only_the_first_resets},
    {"RFC 9937 6: without SACK each delivery counts once", counted_once},
    {"RFC 8985 6.2: the echo of an original", echo_of_the_original},
    {"RFC 8985 7.4.2: the DSACK of a probe takes no recovery back", dsack_of_a_probe},
    {"RFC 5681 3.2: two duplicates are no loss", two_are_not_enough},
    {"RFC 5681 3.2: duplicates are counted for each hole", counted_for_each_hole},
    {"RFC 5681 3.2: ... a quarter of a short round trip apart", a_quarter_apart},
    {"RFC 5681 3.2: ... since the first for a hole", a_quarter_for_each_hole},
    {"RFC 5681 3.2: ... where no round trip is known", no_round_trip_in_turns},
    {"RFC 5681 3.2: ... nor when they come at once", no_round_trip_at_once},
    {"RFC 5681 3.2: ... no more than there is under way", no_more_in_turns},
    {"RFC 5681 3.2: ... at once neither", no_more_at_once},
    {"RFC 5681 3.1: duplicates after a time-out", duplicates_after_time_out},
    {"RFC 3042 2: limited transmit, and hundreds of duplicates", limited_transmit_of_many},
    {"RFC 6582 4.1: a step of four segments", step_of_four},
    {"RFC 6582 4.1: a step of five segments", step_of_five},
    {"RFC 5681 3.2: what comes later does not prolong the wait", duplicates_do_not_prolong},
    {"RFC 8985 6.2 step 4: reordering is remembered", reordering_is_remembered},
    {"RFC 3708 3: the others are lost", one_of_several},
    {"RFC 2018 8: SACKed data was discarded", discarded},
    {"RFC 2018 8: SACKed data seemed discarded", not_discarded},
    {"RFC 6298 3: no sample of what was reported before", reported_before},
    {"RFC 6582 3.2: a time-out undone, but not all had arrived", undone_in_part},
    {"RFC 7323 4.1: an absurd echo", absurd_echo},
    {"RFC 6298 3: no sample of a lost answer", echo_of_lost_answer},
    {"RFC 8985 6.2: a recovery undone tells of reordering", undone_tells_of_reordering},
    {"RFC 6298 5: the time-out after probes of a window", after_probes},
};

WT_MAIN("recover", .mbufs = WT_MANY_MBUFS)
