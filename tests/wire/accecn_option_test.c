/* SPDX-License-Identifier: BSD-2-Clause */

/* The option of Accurate ECN (RFC 9768 section 3.2.3): bytes of text that have come with ECT(0), CE and ECT(1). */

#include "accecn.h"

/* the option with two counters or all three; counters are as on the wire, that is E0B and E1B are 1 at first */
#define OPT0(a, b)    .accecn = TCP_ACCECN_E0B_CEB, .e0b = (a), .ceb = (b)
#define OPT1(c, b)    .accecn = TCP_ACCECN_E1B_CEB, .e1b = (c), .ceb = (b)
#define ALL(a, b, c)  .accecn = TCP_ACCECN_0, .e0b = (a), .ceb = (b), .e1b = (c)
#define WITHOUT       .accecn = NO_ACCECN
#define INITIAL       ALL(1, 0, 1)
#define TEXT(at, n)   ACE(PA, AT_FIRST), .seq = (at), .ack = 1, .len = (n)
#define ACK_OF(marks) ACE(A, MARKED(marks)), .seq = 1

/* acknowledges n segments and tells that so many of all came marked */
#define DELIVERS(n, marks) ACK_OF(marks), .ack = SEG_AT(n)

static void listening(struct wt *w)
{
	w->cfg.tcp_ecn = 3;
	wt_listen(w, 8);
}

/* ... to whom somebody comes who sends no other options */
static void asked(struct wt *w)
{
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, INITIAL);
}

/* a passive connection, whose peer sends no such option */
static void opened_without(struct wt *w)
{
	w->cfg.tcp_initial_window = 64;
	listening(w);
	asked(w);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	wt_accept(w);
}

/* ... whose peer does */
static void opened(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS, .ts = w->peer.ts ? TS : 0, .tsval = 1,
	       .sackok = w->peer.sackok);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ts = w->peer.ts ? TS : 0,
	       .sackok = w->peer.sackok, INITIAL);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	wt_accept(w);
}

static void connecting(struct wt *w)
{
	w->cfg.tcp_ecn = 3;
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = w->cfg.tcp_sack = 0;
	wt_connecting(w);
	EXPECT(ACE(S, ASKS), .mss = MSS, WITHOUT);
}

static void sends(struct wt *w, uint32_t seq, uint32_t len)
{
	wt_send(w, len);
	EXPECT(ACE(PA, AT_FIRST), .seq = seq, .ack = 1, .len = len, .ecn = ECT0, WITHOUT);
}

/* n full segments under way */
static void fly(struct wt *w, unsigned from, unsigned n)
{
	wt_send(w, n * MSS);
	for (unsigned i = from; i < from + n; i++)
		EXPECT(ACE(A, AT_FIRST), .seq = SEG_AT(i), .ack = 1, .len = MSS, .any_psh = true,
		       .ecn = ECT0);
}

static void flight(struct wt *w, unsigned n)
{
	w->cfg.tcp_initial_window = 64;
	opened(w);
	fly(w, 0, n);
}

/* ---- the handshake ---------------------------------------------------------------------------- */

/* "A TCP Server that confirms its support for AccECN SHOULD include an AccECN TCP Option on the SYN/ACK"; "If there is somehow an
 * AccECN Option on a SYN, it MUST be ignored" */
static void syn_ack(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS, ALL(7, 8, 9));
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, INITIAL);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	wt_accept(w);
	sends(w, 1, 10); /* no text has come */
	INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 11);
	INJECT(TEXT(1, 10), .ecn = ECT0);
	EXPECT_IN(0, 41, ACE(A, AT_FIRST), .seq = 11, .ack = 11, OPT0(11, 0));
	wt_read(w, 10);
}

/* who does not agree on Accurate ECN has none */
static void syn_ack_of_others(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, 3), .mss = MSS);
	EXPECT(ACE(SA, 1), .ack = 1, .mss = MSS, WITHOUT);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 11, WITHOUT);
	wt_read(w, 10);
}

/* "A host MAY omit an AccECN Option ... due to insufficient option space"; what there is room for is there */
static void syn_ack_is_full(struct wt *w)
{
	const struct frame_info *i;
	int limit = 4;

	w->cfg.tcp_fastopen = 2;
	w->peer.ts = true;
	listening(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	INJECT(ACE(S, ASKS), .mss = MSS, .ts = TS, .tsval = 1, .sackok = true, .ws = 1, .fo = 1);
	i = wt_next(w, 0);
	CHECK(i != NULL && (i->seg.has & TCP_HAS_WSCALE) && i->seg.cookie_len == 8);
	EQ(i->seg.accecn, TCP_ACCECN_E0B_CEB);
	EQ(i->seg.hdr_len, TCP_HDR_MAX);
	INJECT(.flags = R, .seq = 1);
}

/* 3.2.3.2.2: "the TCP Server SHOULD retransmit the SYN/ACK, but with no AccECN Option", and with none in the
 * half-connection */
static void syn_ack_lost(struct wt *w)
{
	listening(w);
	asked(w);
	EXPECT_IN(999, 1003, ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, WITHOUT);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	wt_accept(w);
	/* "it will continue to process any incoming AccECN Options as normal"; the window starts at one segment */
	wt_send(w, 15 * MSS);
	for (unsigned n = 1; n <= 7; n = 2 * n + 1) {
		wt_drop(w);
		INJECT(DELIVERS(n, 0), OPT0(1 + n * MSS, 0));
	}
	EQ(wt_drop(w), 8);
	INJECT(DELIVERS(15, 8), OPT0(1 + 7 * MSS, 8 * MSS));
	EQ(wt_totals(w).delivered_ce, 8);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = SEG_AT(15), .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = SEG_AT(15), .ack = 11, WITHOUT);
	wt_read(w, 10);
}

/* ... or if "it receives a second SYN with a request for AccECN support" */
static void syn_again(struct wt *w)
{
	listening(w);
	asked(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, WITHOUT);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	wt_accept(w);
	INJECT(TEXT(1, 10), .ecn = CE);
	EXPECT(ACK_OF(1), .ack = 11, WITHOUT);
	wt_read(w, 10);
}

static void fast_open(struct wt *w)
{
	int limit = 4;

	w->cfg.tcp_fastopen = 2 | 0x200; /* no cookies */
	listening(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	/* 3.2: "not including any payload octets on SYN packets" */
	INJECT(ACE(S, ASKS), .mss = MSS, .len = 10, .ecn = ECT0);
	EXPECT(ACE(SA, CAME_ECT0), .ack = 11, .mss = MSS, INITIAL);
	wt_accept(w);
	INJECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 5, .ecn = ECT0);
	EXPECT_IN(0, 41, ACE(A, AT_FIRST), .seq = 1, .ack = 16, OPT0(6, 0));
	wt_read(w, 15);
	wt_flow(w);
	INJECT(ACE(S, ASKS), .mss = MSS, .len = 10);
	EXPECT(ACE(SA, NOT_ECT), .ack = 11, .mss = MSS, INITIAL);
	EXPECT_IN(990, 1010, ACE(SA, NOT_ECT), .ack = 11, .mss = MSS, WITHOUT);
	wt_accept(w);
	wt_read(w, 10);
}

/* "A TCP Client ... SHOULD include an AccECN Option in the first ACK at the end of the three-way handshake", and "also ... on the
 * first data segment it sends" */
static void client(struct wt *w)
{
	connecting(w);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, INITIAL);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = ECT0, INITIAL);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	sends(w, 11, 10);
}

/* whether the server's SYN-ACK had one or not (3.2.3.2.3) */
static void client_alone(struct wt *w)
{
	connecting(w);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	INJECT(TEXT(1, 10), .ecn = ECT0);
	EXPECT_IN(0, 41, ACE(A, AT_FIRST), .seq = 1, .ack = 11, OPT0(11, 0));
	wt_read(w, 10);
}

/* 3.2: text counts on control packets, that is on a SYN-ACK, too */
static void client_and_text(struct wt *w)
{
	connecting(w);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .len = 10, .ecn = ECT0, INITIAL);
	EXPECT(ACE(A, CAME_ECT0), .seq = 1, .ack = 1, OPT0(11, 0));
	EXPECT_IN(0, 41, ACE(A, CAME_ECT0), .seq = 1, .ack = 11, WITHOUT);
	wt_read(w, 10);
}

/* 3.2.3.2.2: "If the TCP Client detects that the first data segment it sent with an AccECN Option was lost ... it SHOULD fall back
 * to no AccECN Option on the retransmission" */
static void client_loses(struct wt *w)
{
	connecting(w);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, INITIAL);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = ECT0, INITIAL);
	EXPECT_IN(199, 1001, ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, WITHOUT);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 11, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = 11, .ack = 11, WITHOUT);
	wt_read(w, 10);
}

/* ... not a later one */
static void client_loses_later(struct wt *w)
{
	connecting(w);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, INITIAL);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = ECT0, INITIAL);
	INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 11);
	sends(w, 11, 10);
	EXPECT_IN(199, 1001, ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 10);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 21, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = 21, .ack = 11, OPT0(1, 10));
	wt_read(w, 10);
}

/* ---- text that comes -------------------------------------------------------------------------- */

/* "The Data Receiver SHOULD include an AccECN TCP Option on every scheduled ACK if any byte counter has incremented since the last
 * ACK ... a field for every byte counter that has changed at some time" */
static void counts(struct wt *w)
{
	opened(w);
	INJECT(TEXT(1, 10));
	EXPECT_IN(39, 41, ACK_OF(0), .ack = 11, WITHOUT); /* neither ECT nor CE */
	INJECT(TEXT(11, 10), .ecn = ECT0);
	EXPECT_IN(39, 41, ACK_OF(0), .ack = 21, OPT0(11, 0));
	INJECT(TEXT(21, 10));
	EXPECT_IN(39, 41, ACK_OF(0), .ack = 31, WITHOUT);
	INJECT(TEXT(31, 10), .ecn = CE);
	EXPECT(ACK_OF(1), .ack = 41, OPT0(11, 10));
	INJECT(TEXT(41, 10), .ecn = ECT0);
	EXPECT_IN(39, 41, ACK_OF(1), .ack = 51, OPT0(21, 10));
	INJECT(TEXT(51, 10), .ecn = ECT1);
	EXPECT_IN(39, 41, ACK_OF(1), .ack = 61, ALL(21, 10, 11));
	INJECT(TEXT(61, 10), .ecn = ECT0);
	EXPECT_IN(39, 41, ACK_OF(1), .ack = 71, ALL(31, 10, 11));
	INJECT(ACE(A, AT_FIRST), .seq = 71, .ack = 1, .ecn = CE); /* no text, no byte */
	NOTHING(100);
	wt_read(w, 70);
}

/* AccECN1 has ECT(1) first */
static void order_1(struct wt *w)
{
	opened(w);
	INJECT(TEXT(1, 10), .ecn = ECT1);
	EXPECT_IN(39, 41, ACK_OF(0), .ack = 11, OPT1(11, 0));
	INJECT(TEXT(11, 10), .ecn = CE);
	EXPECT(ACK_OF(1), .ack = 21, OPT1(11, 10));
	wt_read(w, 20);
}

/* "if the first packet to arrive happens to be CE-marked, the Data Receiver will have to arbitrarily choose" */
static void marked_first(struct wt *w)
{
	opened(w);
	INJECT(TEXT(1, 10), .ecn = CE);
	EXPECT(ACK_OF(1), .ack = 11, OPT0(1, 10));
	INJECT(TEXT(11, 10), .ecn = ECT1);
	EXPECT_IN(39, 41, ACK_OF(1), .ack = 21, OPT1(11, 10));
	wt_read(w, 20);
}

/* an ACK is what acknowledges, with text of ours or without */
static void with_text(struct wt *w)
{
	opened(w);
	INJECT(TEXT(1, 10), .ecn = ECT0);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 11, .len = 10, .ecn = ECT0, OPT0(11, 0));
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 11, .len = 10, .ecn = ECT0, WITHOUT);
	wt_read(w, 10);
}

/* a full segment waits for the window, which what comes next opens */
static void closes(struct wt *w, uint32_t seq, uint32_t ack, uint32_t len)
{
	INJECT(ACE(A, AT_FIRST), .seq = seq, .ack = ack, .wnd = ZERO_WND);
	OK(wt_write(w, len, 0));
}

/* beside text that fills its segment there is no room; "If there is insufficient space ... the entire AccECN TCP option MUST be
 * omitted". CE, and a change of what comes, do not wait for the next that has room */
static void full_segments(struct wt *w)
{
	opened(w);
	closes(w, 1, 1, MSS);
	INJECT(TEXT(1, 10), .ecn = ECT0);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 11, .len = MSS, .ecn = ECT0, WITHOUT);
	EXPECT(ACE(A, AT_FIRST), .seq = SEG_AT(1), .ack = 11, OPT0(11, 0));
	closes(w, 11, SEG_AT(1), MSS);
	INJECT(ACE(PA, AT_FIRST), .seq = 11, .ack = SEG_AT(1), .len = 10, .ecn = ECT0);
	EXPECT(ACE(PA, AT_FIRST), .seq = SEG_AT(1), .ack = 21, .len = MSS, .ecn = ECT0, WITHOUT);
	NOTHING(40);
	closes(w, 21, SEG_AT(2), MSS);
	INJECT(ACE(PA, AT_FIRST), .seq = 21, .ack = SEG_AT(2), .len = 10, .ecn = CE);
	EXPECT(ACE(PA, MARKED(1)), .seq = SEG_AT(2), .ack = 31, .len = MSS, .ecn = ECT0, WITHOUT);
	EXPECT(ACE(A, MARKED(1)), .seq = SEG_AT(3), .ack = 31, OPT0(21, 10));
	closes(w, 31, SEG_AT(3), MSS - 8); /* there is room for two counters */
	INJECT(ACE(PA, AT_FIRST), .seq = 31, .ack = SEG_AT(3), .len = 10, .ecn = CE);
	EXPECT(ACE(PA, MARKED(2)), .seq = SEG_AT(3), .ack = 41, .len = MSS - 8, .ecn = ECT0,
	       OPT0(21, 20));
	wt_read(w, 40);
}

/* "It SHOULD include each counter at least once for every 2^22 bytes incremented" */
static void full_segments_for_long(struct wt *w)
{
	enum { PER_ROUND = 16 };
	static uint8_t got[PER_ROUND * MSS];
	uint32_t at = 1, rounds = 0, alone = 0, since = 0;
	const struct frame_info *i;

	opened(w);
	for (; at < 9u << 20; rounds++) {
		closes(w, at, SEG_AT(rounds), MSS);
		for (unsigned n = 0; n < PER_ROUND; n++, at += MSS)
			QUEUE(ACE(A, AT_FIRST), .seq = at, .ack = SEG_AT(rounds), .len = MSS,
			      .ecn = ECT0);
		wt_settle(w);
		while ((i = wt_next(w, 0)) != NULL) {
			if (i->seg.accecn == TCP_ACCECN_NONE)
				continue;
			EQ(i->payload_len, 0);
			alone++;
			CHECK(at - since <= (1u << 22) + sizeof(got));
			since = at;
		}
		/* the window is told with the next text */
		EQ(pc_recv(w->st, w->flow.fd, got, sizeof(got), 0), sizeof(got));
	}
	EQ(alone, 3); /* the first of its kind, and two that have waited for long */
	w->flow.rcvd = at - 1;
}

/* 3.2: "including ... retransmissions" of "Acceptable packets" */
static void acceptable(struct wt *w)
{
	opened(w);
	INJECT(TEXT(1 + (1 << 20), 10), .ecn = CE);
	EXPECT(ACK_OF(0), .ack = 1, WITHOUT);
	INJECT(TEXT(11, 10), .ecn = ECT0);
	EXPECT(ACK_OF(0), .ack = 1, OPT0(11, 0));
	INJECT(TEXT(11, 10), .ecn = ECT0);
	EXPECT(ACK_OF(0), .ack = 1, OPT0(21, 0));
	INJECT(TEXT(1, 10), .ecn = ECT0);
	EXPECT(ACK_OF(0), .ack = 21, OPT0(31, 0));
	wt_read(w, 20);
	INJECT(TEXT(1, 10), .ecn = ECT0); /* all of it has been acknowledged */
	EXPECT(ACK_OF(0), .ack = 21, WITHOUT);
}

static void reset(struct wt *w)
{
	struct linger l = {.l_onoff = 1};

	opened(w);
	INJECT(TEXT(1, 10), .ecn = ECT0);
	wt_read(w, 10);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(ACE(RA, AT_FIRST), .seq = 1, .ack = 11, WITHOUT);
}

/* "if ... the smallest recommended AccECN Option would leave insufficient space for two SACK blocks ... the Data Receiver MUST give
 * precedence to the SACK option"; a third block gives way */
static void sack(struct wt *w)
{
	w->peer.ts = w->peer.sackok = true;
	opened(w);
	INJECT(TEXT(11, 10), .ecn = ECT0);
	EXPECT(ACK_OF(0), .ack = 1, .nb_sack = 1, .sack = {{11, 21}}, OPT0(11, 0));
	INJECT(TEXT(31, 10), .ecn = CE);
	EXPECT(ACK_OF(1), .ack = 1, .nb_sack = 2, .sack = {{31, 41}, {11, 21}}, OPT0(11, 10));
	INJECT(TEXT(51, 10), .ecn = ECT0);
	EXPECT(ACK_OF(1), .ack = 1, .nb_sack = 2, .sack = {{51, 61}, {31, 41}}, OPT0(21, 10));
	INJECT(TEXT(71, 10)); /* nothing has changed */
	EXPECT(ACK_OF(1), .ack = 1, .nb_sack = 3, .sack = {{71, 81}, {51, 61}, {31, 41}}, WITHOUT);
	INJECT(TEXT(91, 10), .ecn = ECT1); /* the order says what is left out */
	EXPECT(ACK_OF(1), .ack = 1, .nb_sack = 2, .sack = {{91, 101}, {71, 81}}, OPT1(11, 10));
	INJECT(TEXT(111, 10), .ecn = ECT0);
	EXPECT(ACK_OF(1), .ack = 1, .nb_sack = 2, .sack = {{111, 121}, {91, 101}}, OPT0(31, 10));
	/* two that the room is not enough for: none */
	QUEUE(TEXT(131, 10), .ecn = ECT0);
	INJECT(TEXT(151, 10), .ecn = ECT1);
	EXPECT(ACK_OF(1), .ack = 1, .nb_sack = 3, .any_sack = true, WITHOUT);
	INJECT(TEXT(1, 10), .ecn = ECT0);
	EXPECT(ACK_OF(1), .ack = 21, .nb_sack = 3, .any_sack = true, WITHOUT);
	for (uint32_t at = 21; at < 141; at += 20) {
		INJECT(TEXT(at, 10));
		EXPECT(ACK_OF(1), .ack = at + 20, .any_sack = true);
	}
	INJECT(TEXT(141, 10));
	EXPECT(ACK_OF(1), .ack = 161);
	wt_read(w, 160);
}

/* what no acknowledgement has room for either, does not draw one behind each segment */
static void no_room_at_all(struct wt *w)
{
	w->peer.ts = w->peer.sackok = true;
	opened(w);
	for (uint32_t at = 11; at <= 31; at += 20) {
		INJECT(TEXT(at, 10));
		EXPECT(ACK_OF(0), .ack = 1, .any_sack = true);
	}
	QUEUE(TEXT(51, 10), .ecn = ECT0);
	INJECT(TEXT(71, 10), .ecn = ECT1);
	EXPECT(ACK_OF(0), .ack = 1, .nb_sack = 3, .any_sack = true, WITHOUT);
	wt_send(w, MSS - 12);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = MSS - 12, .ecn = ECT0, WITHOUT);
	NOTHING(40);
}

static void sack_without_timestamps(struct wt *w)
{
	w->peer.sackok = true;
	opened(w);
	for (uint32_t at = 11; at <= 71; at += 20) {
		INJECT(TEXT(at, 10), .ecn = at == 71 ? ECT0 : 0);
		EXPECT(ACK_OF(0), .ack = 1, .any_sack = true);
	}
	INJECT(TEXT(91, 10), .ecn = ECT1); /* three counters and three blocks */
	EXPECT(ACK_OF(0), .ack = 1, .nb_sack = 3, .sack = {{91, 101}, {71, 81}, {51, 61}},
	       ALL(11, 0, 11));
}

/* ---- text of ours ----------------------------------------------------------------------------- */

/* eight marks look like none, when the acknowledgements before were lost; 3.2.2.5.2: "If the Data Sender has not received AccECN TCP
 * Options to give it more dependable information" */
static void goes_round(struct wt *w)
{
	flight(w, 20);
	INJECT(DELIVERS(8, 8), OPT0(1, 8 * MSS));
	EQ(wt_totals(w).delivered_ce, 8);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	INJECT(DELIVERS(20, 17), OPT0(1 + 3 * MSS, 17 * MSS));
	EQ(wt_totals(w).delivered_ce, 17);
}

static void does_not_go_round(struct wt *w)
{
	flight(w, 30);
	INJECT(DELIVERS(10, 0), OPT0(1 + 10 * MSS, 0));
	EQ(wt_totals(w).delivered_ce, 0);
	INJECT(DELIVERS(20, 1), OPT0(1 + 19 * MSS, MSS));
	EQ(wt_totals(w).delivered_ce, 1);
	INJECT(DELIVERS(30, 3), OPT0(1 + 27 * MSS, 3 * MSS));
	EQ(wt_totals(w).delivered_ce, 3);
}

/* A.2.2: ACE counts packets, and what the bytes say is how often it went round: segments are not all of one size */
static void of_any_size(struct wt *w)
{
	w->cfg.tcp_initial_window = 64;
	opened(w);
	fly(w, 0, 20);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 100);
	EXPECT(ACE(PA, AT_FIRST), .seq = SEG_AT(20), .ack = 1, .len = 100, .ecn = ECT0);
	INJECT(ACE(A, MARKED(11)), .seq = 1, .ack = SEG_AT(20) + 100,
	       OPT0(1 + 10 * MSS, 10 * MSS + 100));
	EQ(wt_totals(w).delivered_ce, 11);
}

/* 3.2.3.2.5: ACE goes on to count packets that have no bytes */
static void of_no_bytes(struct wt *w)
{
	flight(w, 4);
	INJECT(DELIVERS(2, 2), OPT0(1 + 2 * MSS, 0));
	EQ(wt_totals(w).delivered_ce, 2);
	INJECT(DELIVERS(4, 3), OPT0(1 + 3 * MSS, MSS));
	EQ(wt_totals(w).delivered_ce, 3);
	sends(w, SEG_AT(4), 10);
}

/* peers that send the option now and then, as Linux does: it is for all since the last */
static void now_and_then(struct wt *w)
{
	flight(w, 40);
	INJECT(DELIVERS(10, 10));
	EQ(wt_totals(w).delivered_ce, 2);
	INJECT(DELIVERS(20, 20));
	EQ(wt_totals(w).delivered_ce, 4);
	INJECT(DELIVERS(21, 21), OPT0(1, 21 * MSS));
	EQ(wt_totals(w).delivered_ce, 21);
	INJECT(DELIVERS(30, 21));
	INJECT(DELIVERS(40, 22), OPT0(1 + 18 * MSS, 22 * MSS));
	EQ(wt_totals(w).delivered_ce, 22);
}

/* table 5, both orders; "if the AccECN Option is of any other length, implementations MUST use those whole 3-octet fields that fit" */
static void lengths(struct wt *w)
{
	static const uint8_t raw[][12] = {
	    {172, 11, 0, 0, 1, 0, 0, 8, 0, 0, 1, 1}, {172, 8, 0, 0, 1, 0, 0, 8, 1, 1, 1, 1},
	    {174, 11, 0, 0, 1, 0, 0, 8, 0, 0, 1, 1}, {174, 8, 0, 0, 1, 0, 0, 8, 1, 1, 1, 1},
	    {172, 12, 0, 0, 1, 0, 0, 8, 0, 0, 1, 9}, {174, 10, 0, 0, 1, 0, 0, 8, 5, 5, 1, 1},
	    {1, 172, 9, 0, 0, 1, 0, 0, 8, 5, 1, 1},
	};

	w->cfg.tcp_initial_window = 64;
	listening(w);
	for (unsigned i = 0; i < sizeof(raw) / sizeof(raw[0]); i++) {
		asked(w);
		INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
		wt_accept(w);
		wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
		for (uint32_t at = 1; at <= 8; at++) {
			wt_send(w, 1);
			EXPECT(ACE(PA, AT_FIRST), .seq = at, .ack = 1, .len = 1, .ecn = ECT0);
		}
		INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 9, .raw = raw[i], .raw_len = 12);
		EQ(wt_totals(w).delivered_ce, 8);
		wt_flow(w);
	}
}

/* without ECEB that has not changed: nothing has come marked */
static void short_ones(struct wt *w)
{
	flight(w, 30);
	for (unsigned i = 1; i <= 2; i++) {
		INJECT(DELIVERS(10 * i, 0), .accecn = i == 1 ? TCP_ACCECN_E0B : TCP_ACCECN_E1B,
		       .e0b = 1 + 10 * MSS, .e1b = 1 + 10 * MSS);
		EQ(wt_totals(w).delivered_ce, 0);
	}
	INJECT(DELIVERS(30, 8), OPT0(1 + 12 * MSS, 8 * MSS));
	EQ(wt_totals(w).delivered_ce, 8);
}

/* 3.2.2.5.2: "it SHOULD deem whether it cycled by taking the safest likely case under the prevailing conditions": one
 * acknowledgement for many, where each was for one or two, is what is left of several */
static void without(struct wt *w)
{
	opened_without(w);
	fly(w, 0, 40);
	for (unsigned i = 2; i <= 40; i += 2)
		INJECT(DELIVERS(i, 0));
	EQ(wt_totals(w).delivered_ce, 0);
	fly(w, 40, 20);
	INJECT(DELIVERS(47, 0)); /* seven cannot go round */
	EQ(wt_totals(w).delivered_ce, 0);
	INJECT(DELIVERS(57, 0));
	EQ(wt_totals(w).delivered_ce, 8);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
}

/* ... where all are for many it is nothing unusual */
static void without_few(struct wt *w)
{
	opened_without(w);
	fly(w, 0, 40);
	for (unsigned i = 10; i <= 40; i += 10)
		INJECT(DELIVERS(i, 0));
	EQ(wt_totals(w).delivered_ce, 0);
}

/* 3.2.3.2.3: "it receives an AccECN Option at any later point ... MAY switch out of the mode" */
static void without_at_first(struct wt *w)
{
	opened_without(w);
	fly(w, 0, 40);
	for (unsigned i = 2; i <= 40; i += 2)
		INJECT(DELIVERS(i, 0));
	fly(w, 40, 20);
	INJECT(DELIVERS(42, 1), OPT0(1 + 41 * MSS, MSS));
	EQ(wt_totals(w).delivered_ce, 1);
	INJECT(DELIVERS(51, 1), OPT0(1 + 50 * MSS, MSS));
	EQ(wt_totals(w).delivered_ce, 1);
	INJECT(DELIVERS(60, 9), OPT0(1 + 51 * MSS, 9 * MSS));
	EQ(wt_totals(w).delivered_ce, 9);
}

/* the same of a client */
static void client_without(struct wt *w)
{
	w->cfg.tcp_initial_window = 64;
	connecting(w);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	fly(w, 0, 40);
	for (unsigned i = 2; i <= 30; i += 2)
		INJECT(DELIVERS(i, 0));
	INJECT(DELIVERS(40, 0));
	EQ(wt_totals(w).delivered_ce, 8);
}

/* 3.2.3.2.4: "If it runs a test and either initial value is zero, the Server will switch into a mode that ignores AccECN Options" */
static void zeroed(struct wt *w)
{
	w->cfg.tcp_initial_window = 64;
	listening(w);
	for (unsigned i = 0; i < 2; i++) {
		asked(w);
		INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, ALL(i, 0, 1 - i));
		wt_accept(w);
		fly(w, 0, 10);
		INJECT(DELIVERS(10, 1), OPT0(1 + MSS, 9 * MSS));
		EQ(wt_totals(w).delivered_ce, 1);
		sends(w, SEG_AT(10), 10); /* ACE is believed */
		wt_flow(w);
	}
}

static void client_zeroed(struct wt *w)
{
	w->cfg.tcp_initial_window = 64;
	connecting(w);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, ALL(0, 0, 0));
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, INITIAL);
	fly(w, 0, 10);
	INJECT(DELIVERS(10, 1), OPT0(1 + MSS, 9 * MSS));
	EQ(wt_totals(w).delivered_ce, 1);
}

/* an empty option, or one counter, is a good beginning */
static void not_zeroed(struct wt *w)
{
	w->cfg.tcp_initial_window = 64;
	listening(w);
	for (unsigned accecn = TCP_ACCECN_EMPTY; accecn <= TCP_ACCECN_E1B; accecn += 1) {
		asked(w);
		INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, .accecn = (uint8_t)accecn, .e0b = 1,
		       .e1b = 1);
		wt_accept(w);
		fly(w, 0, 10);
		INJECT(DELIVERS(10, 8), OPT0(1 + 2 * MSS, 8 * MSS));
		EQ(wt_totals(w).delivered_ce, 8);
		wt_flow(w);
	}
}

/* 3.2.3.1: "it first checks whether the ACK has already been superseded ... in which case it ignores the ECN feedback" */
static void overtaken(struct wt *w)
{
	w->peer.sackok = true;
	flight(w, 10);
	INJECT(DELIVERS(0, 2), .nb_sack = 1, .sack = {{SEG_AT(2), SEG_AT(4)}}, OPT0(1, 2 * MSS));
	EQ(wt_totals(w).delivered_ce, 2);
	INJECT(DELIVERS(0, 1), .nb_sack = 1, .sack = {{SEG_AT(1), SEG_AT(2)}}, OPT0(1, MSS));
	EQ(wt_totals(w).delivered_ce, 2);
	wt_drop(w);
	INJECT(DELIVERS(4, 2), OPT0(1 + 2 * MSS, 2 * MSS));
	EQ(wt_totals(w).delivered_ce, 2);
	wt_drop(w);
}

/* what acknowledges more than any before is not superseded: counters that run back are broken */
static void runs_back(struct wt *w)
{
	flight(w, 20);
	INJECT(DELIVERS(4, 4), OPT0(1, 4 * MSS));
	EQ(wt_totals(w).delivered_ce, 4);
	INJECT(DELIVERS(6, 5), OPT0(1 + MSS, MSS));
	EQ(wt_totals(w).delivered_ce, 5);
	INJECT(DELIVERS(16, 6), OPT0(1 + MSS, 15 * MSS));
	EQ(wt_totals(w).delivered_ce, 6);
}

/* 3.2.3.2.5: "If either endpoint detects that the s.ceb counter has increased but the s.cep has not ... the Data Sender MUST disable
 * sending ECN-capable packets" */
static void inconsistent(struct wt *w)
{
	flight(w, 2);
	INJECT(DELIVERS(2, 0), OPT0(1 + MSS, MSS));
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = SEG_AT(2), .ack = 1, .len = 10, .ecn = 0);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = SEG_AT(2) + 10, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = SEG_AT(2) + 10, .ack = 11, OPT0(1, 10));
	wt_read(w, 10);
}

/* ... which an acknowledgement that came without the option explains */
static void consistent(struct wt *w)
{
	flight(w, 3);
	INJECT(DELIVERS(1, 1));
	INJECT(DELIVERS(2, 1), OPT0(1 + MSS, MSS));
	INJECT(DELIVERS(3, 2), OPT0(1 + MSS, 2 * MSS));
	EQ(wt_totals(w).delivered_ce, 2);
	sends(w, SEG_AT(3), 10);
}

static const struct wt_case cases[] = {
    {"RFC 9768 3.2.3.2.1: a SYN-ACK has the option", syn_ack},
    {"RFC 9768 3.2.3.2.1: ... if it agrees to Accurate ECN", syn_ack_of_others},
    {"RFC 9768 3.2.3.2.1: ... as far as there is room", syn_ack_is_full},
    {"RFC 9768 3.2.3.2.2: a SYN-ACK that is repeated", syn_ack_lost},
    {"RFC 9768 3.2.3.2.2: ... for a second SYN", syn_again},
    {"RFC 9768 3.2: Fast Open", fast_open},
    {"RFC 9768 3.2.3.2.1: a client's first ACK and first text", client},
    {"RFC 9768 3.2.3.2.3: ... without an option on the SYN-ACK", client_alone},
    {"RFC 9768 3.2: text on a SYN-ACK", client_and_text},
    {"RFC 9768 3.2.3.2.2: a client's first text is lost", client_loses},
    {"RFC 9768 3.2.3.2.2: ... and another", client_loses_later},
    {"RFC 9768 3.2.3.3: each ACK tells of what has changed", counts},
    {"RFC 9768 3.2.3: AccECN1", order_1},
    {"RFC 9768 3.2.3.3: CE comes first", marked_first},
    {"RFC 9768 3.2.3.3: beside text", with_text},
    {"RFC 9768 3.2.3.3: no room beside text", full_segments},
    {"RFC 9768 3.2.3.3: ... for 2^22 bytes", full_segments_for_long},
    {"RFC 9768 3.2: acceptable packets", acceptable},
    {"RFC 9768 3.2.3: RST", reset},
    {"RFC 9768 3.2.3.3: SACK blocks", sack},
    {"RFC 9768 3.2.3.3: ... without timestamps", sack_without_timestamps},
    {"RFC 9768 3.2.3.3: no room at all", no_room_at_all},
    {"RFC 9768 3.2.2.5.2: ACE goes round", goes_round},
    {"RFC 9768 3.2.2.5.2: ... and does not", does_not_go_round},
    {"RFC 9768 A.2.2: segments of any size", of_any_size},
    {"RFC 9768 3.2.3.2.5: marks of what has no text", of_no_bytes},
    {"RFC 9768 3.2.3.3: the option comes now and then", now_and_then},
    {"RFC 9768 3.2.3: lengths and orders", lengths},
    {"RFC 9768 3.2.3: without ECEB", short_ones},
    {"RFC 9768 3.2.3.2.3: no option", without},
    {"RFC 9768 3.2.2.5.2: ... and few acknowledgements", without_few},
    {"RFC 9768 3.2.3.2.3: none at first", without_at_first},
    {"RFC 9768 3.2.3.2.3: none on the SYN-ACK", client_without},
    {"RFC 9768 3.2.3.2.4: counters of zero", zeroed},
    {"RFC 9768 3.2.3.2.4: ... on the SYN-ACK", client_zeroed},
    {"RFC 9768 3.2.3.2.4: options that are not zeroed", not_zeroed},
    {"RFC 9768 3.2.3.1: a superseded ACK", overtaken},
    {"RFC 9768 3.2.3.1: a counter runs back", runs_back},
    {"RFC 9768 3.2.3.2.5: ECEB moves and ACE does not", inconsistent},
    {"RFC 9768 3.2.3.2.5: ... later", consistent},
};

WT_MAIN("accecn_option")
