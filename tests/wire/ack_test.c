/* SPDX-License-Identifier: BSD-2-Clause */
/* Acknowledgements: what came twice (RFC 2883), when they are not delayed, and the listener's MSS. */

#include "wt.h"

/* a connection with SACK that has received n bytes, read and acknowledged */
static void open_with(struct wt *w, uint32_t n)
{
	w->peer.sackok = true;
	wt_established(w);
	if (n == 0)
		return;
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = n);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = n + 1);
	wt_read(w, n);
}

static void below_ack(struct wt *w)
{
	open_with(w, 1000);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1001, .nb_sack = 1, .sack = {{1, 1001}});
	INJECT(.flags = PA, .seq = 301, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1001, .nb_sack = 1, .sack = {{301, 401}});
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 10); /* told once */
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 1011);
	wt_read(w, 10);
}

static void partly_below_ack(struct wt *w)
{
	open_with(w, 1000);
	INJECT(.flags = PA, .seq = 501, .ack = 1, .len = 1000);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 1501, .nb_sack = 1, .sack = {{501, 1001}});
	wt_read(w, 500);
}

static void early_again(struct wt *w)
{
	open_with(w, 0);
	INJECT(.flags = PA, .seq = 3001, .ack = 1, .len = 500);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{3001, 3501}});
	INJECT(.flags = PA, .seq = 5001, .ack = 1, .len = 500);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{5001, 5501}, {3001, 3501}});
	/* 4 (5): the second block is the one that contains the first */
	INJECT(.flags = PA, .seq = 3101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 3,
	       .sack = {{3101, 3201}, {3001, 3501}, {5001, 5501}});
}

static void early_partly_again(struct wt *w)
{
	open_with(w, 0);
	INJECT(.flags = PA, .seq = 3001, .ack = 1, .len = 500);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{3001, 3501}});
	INJECT(.flags = PA, .seq = 3301, .ack = 1, .len = 500);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{3301, 3501}, {3001, 3801}});
	INJECT(.flags = PA, .seq = 2801, .ack = 1, .len = 300);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{3001, 3101}, {2801, 3801}});
	INJECT(.flags = PA, .seq = 2701, .ack = 1, .len = 1200); /* covers all of them */
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{2801, 3001}, {2701, 3901}});
}

static void each_its_own(struct wt *w)
{
	open_with(w, 1000);
	QUEUE(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = PA, .seq = 501, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1001, .nb_sack = 1, .sack = {{1, 101}});
	EXPECT(.flags = A, .seq = 1, .ack = 1001, .nb_sack = 1, .sack = {{501, 601}});
}

static void beside_data(struct wt *w)
{
	open_with(w, 1000);
	QUEUE(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 10);
	EXPECT(.flags = A, .seq = 1, .ack = 1011, .nb_sack = 1, .sack = {{1, 101}});
	wt_read(w, 10);
}

static void reset_forgets(struct wt *w)
{
	struct flow first;

	open_with(w, 1000);
	QUEUE(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = R, .seq = 1001); /* nobody is left to tell */
	NOTHING(100);
	first = wt_flow(w);
	(void)first;
}

static void not_permitted(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 101);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 101);
	wt_read(w, 100);
}

static void switched_off(struct wt *w)
{
	w->cfg.tcp_dsack = 0;
	open_with(w, 1000);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1001);
}

/* ---- delays ---------------------------------------------------------------------------------- */

static void quick_at_first(struct wt *w)
{
	uint32_t seq = 1;

	w->cfg.tcp_quick_acks = 16;
	wt_established(w);
	for (int i = 0; i < 16; i++, seq += 100) {
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
		EXPECT(.flags = A, .seq = 1, .ack = seq + 100);
	}
	INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
	EXPECT_IN(39, 41, .flags = A, .seq = 1, .ack = seq + 100);
	seq += 100;
	/* nobody answered in time: the next few are quick again */
	for (int i = 0; i < 4; i++, seq += 100) {
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
		EXPECT(.flags = A, .seq = 1, .ack = seq + 100);
	}
	INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 100);
	EXPECT_IN(39, 41, .flags = A, .seq = 1, .ack = seq + 100);
	wt_read(w, seq + 99);
}

/* who answers within the turn sends no segment more than before */
static void rides_on_answer(struct wt *w)
{
	uint32_t seq = 1, mine = 1;

	w->cfg.tcp_quick_acks = 16;
	wt_established(w);
	for (int i = 0; i < 5; i++, seq += 100, mine += 10) {
		QUEUE(.flags = PA, .seq = seq, .ack = mine, .len = 100);
		pc_stack_poll(w->st, w->now);
		wt_write(w, 10, 0);
		wt_settle(w);
		EXPECT(.flags = PA, .seq = mine, .ack = seq + 100, .len = 10);
	}
	INJECT(.flags = PA, .seq = seq, .ack = mine, .len = 100); /* a dialogue: the ACK can wait */
	NOTHING(39);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = mine, .ack = seq + 100, .len = 10);
	INJECT(.flags = A, .seq = seq + 100, .ack = mine + 10);
	wt_read(w, seq + 99);
}

/* ---- the listener's MSS ---------------------------------------------------------------------- */

static void maxseg_of_listener(struct wt *w)
{
	int mss = 700;

	wt_listen(w, 5);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)));
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = 700);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 700);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 700);
	INJECT(.flags = A, .seq = 1, .ack = 701);
}

/* RFC 9293 SHLD-19: "at least every second full-sized segment", also where these have 100 bytes */
static void small_segments(struct wt *w)
{
	w->cfg.tcp_quick_acks = 0;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 100);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = 100);
	EQ(wt_drop(w), 0);
	INJECT(.flags = A, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 201);
	wt_read(w, 200);
	INJECT(.flags = A, .seq = 201, .ack = 1, .len = 500); /* they are larger after all */
	INJECT(.flags = A, .seq = 701, .ack = 1, .len = 100);
	EXPECT_IN(20, 41, .flags = A, .seq = 1, .ack = 801);
	wt_read(w, 600);
}

static const struct wt_case cases[] = {
    {"RFC 2883 4.1: a duplicate below the ACK is reported once", below_ack},
    {"RFC 2883 4.2: the part that came twice", partly_below_ack},
    {"RFC 2883 4: the block that contains the duplicate comes second", early_again},
    {"RFC 2883 4.2: a part of what came early, again", early_partly_again},
    {"RFC 2883 4: one duplicate in one acknowledgement", each_its_own},
    {"RFC 2883 4: a duplicate and new data in one burst", beside_data},
    {"RFC 2883: nothing is told of a connection that is gone", reset_forgets},
    {"RFC 2883 4: not without SACK", not_permitted},
    {"tcp.dsack 0 reports no duplicates", switched_off},
    {"RFC 9293 SHLD-18: a new connection's ACKs are quick, then delayed", quick_at_first},
    {"RFC 9293 SHLD-18: an ACK rides on the answer", rides_on_answer},
    {"RFC 9293 SHLD-19: every second of small segments", small_segments},
    {"RFC 9293 SHLD-6: TCP_MAXSEG of a listener is announced", maxseg_of_listener},
};

WT_MAIN("ack")
