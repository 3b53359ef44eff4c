/* SPDX-License-Identifier: BSD-2-Clause */

/* Accurate ECN (RFC 9768). What the field ACE is in a segment, and which ECN bits its packet has. The option is in
 * wire/accecn_option. */

#include "accecn.h"

static bool has_ecn(struct wt *w)
{
	return (wt_info(w).tcpi_options & TCPI_OPT_ECN) != 0;
}

static void listening(struct wt *w)
{
	if (w->cfg.tcp_ecn == 2)
		w->cfg.tcp_ecn = 3;
	wt_listen(w, 8);
}

/* a passive connection; ack: ACE of the handshake's last segment */
static void opened(struct wt *w, unsigned ack)
{
	INJECT(ACE(S, ASKS), .mss = MSS, .sackok = w->peer.sackok);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .sackok = w->peer.sackok);
	INJECT(ACE(A, ack), .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(has_ecn(w));
}

static void passive(struct wt *w, unsigned ack)
{
	listening(w);
	opened(w, ack);
}

static void start_active(struct wt *w)
{
	if (w->cfg.tcp_ecn == 2)
		w->cfg.tcp_ecn = 3;
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = w->cfg.tcp_sack = 0;
	wt_connecting(w);
}

/* the first segment with text shows whether it may be marked, and the counter */
static void sends(struct wt *w, unsigned ace, uint8_t ecn)
{
	wt_send(w, 10);
	EXPECT(ACE(PA, ace), .seq = 1, .ack = 1, .len = 10, .ecn = ecn);
}

static void sends_after(struct wt *w, uint32_t got)
{
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1 + got, .len = 10, .ecn = ECT0);
}

/* n full segments under way */
static void flight(struct wt *w, unsigned n)
{
	passive(w, NOT_ECT);
	wt_send(w, n * MSS);
	for (unsigned i = 0; i < n; i++)
		EXPECT(ACE(A, AT_FIRST), .seq = SEG_AT(i), .ack = 1, .len = MSS, .any_psh = true,
		       .ecn = ECT0);
}

/* ---- the handshake: the server ---------------------------------------------------------------- */

/* table 2: the SYN-ACK says how the SYN came */
static void syn_ack(struct wt *w)
{
	const unsigned ace[] = {NOT_ECT, CAME_ECT1, CAME_ECT0, CAME_CE};

	listening(w);
	for (uint8_t bits = 0; bits < 4; bits++) {
		INJECT(ACE(S, ASKS), .mss = MSS, .ecn = bits);
		EXPECT(ACE(SA, ace[bits]), .ack = 1, .mss = MSS);
		INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
		wt_accept(w);
		CHECK(has_ecn(w));
		sends(w, AT_FIRST, ECT0);
		wt_flow(w);
	}
}

/* 3.1.3: "any combination other than 000, 011, or 111" is one that asks for it */
static void combinations(struct wt *w)
{
	listening(w);
	for (unsigned ace = 0; ace < 8; ace++) {
		const unsigned answer = ace == 0 ? 0 : ace == 3 ? 1 : NOT_ECT;

		INJECT(ACE(S, ace), .mss = MSS);
		EXPECT(ACE(SA, answer), .ack = 1, .mss = MSS);
		INJECT(.flags = R, .seq = 1);
		wt_flow(w);
	}
}

/* the values of tcp.ecn, which are those of Linux's tcp_ecn */
static void modes(struct wt *w)
{
	const unsigned accecn[] = {0, 1, 1, NOT_ECT, NOT_ECT, NOT_ECT};
	const unsigned ecn[] = {0, 1, 1, 1, 1, 1};

	wt_listen(w, 8);
	for (unsigned mode = 0; mode <= 5; mode++) {
		char value[2] = {(char)('0' + mode)};

		EQ(pc_stack_set(w->st, "tcp.ecn", value, NULL, 0), 0);
		INJECT(ACE(S, ASKS), .mss = MSS);
		EXPECT(ACE(SA, accecn[mode]), .ack = 1, .mss = MSS);
		INJECT(.flags = R, .seq = 1);
		wt_flow(w);
		INJECT(ACE(S, 3), .mss = MSS);
		EXPECT(ACE(SA, ecn[mode]), .ack = 1, .mss = MSS);
		INJECT(.flags = R, .seq = 1);
		wt_flow(w);
	}
}

/* 3.2.2.2: "receives CE feedback in the TCP flags of a pure ACK ... it MUST increment s.cep (from 5 to 6)", and the mark is
 * answered: as a SYN-ACK that was lost */
static void syn_ack_marked(struct wt *w)
{
	passive(w, CAME_CE);
	EQ(wt_totals(w).delivered_ce, 1);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	sends(w, AT_FIRST, 0);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = 11);
	EQ(wt_totals(w).delivered_ce, 1);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 0);
}

/* "CE feedback in the TCP flags of a SYN/ACK, it MUST NOT increment s.cep ... Nonetheless, the TCP Client still triggers
 * the congestion control actions" */
static void syn_marked(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, CAME_CE), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	sends(w, AT_FIRST, 0);
	INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 11);
	EQ(wt_totals(w).delivered_ce, 0);
}

/* table 4: how our SYN-ACK came. It was not ECN-capable (3.2.2.3: else the path changes the bits), and 0 is what a path
 * leaves that clears the flags (3.2.2.4) */
static void last_ack(struct wt *w)
{
	listening(w);
	for (unsigned ace = 0; ace < 8; ace++) {
		const bool bad = ace == 0 || ace == 3 || ace == 4 || ace == 6;

		opened(w, ace);
		sends(w, AT_FIRST, bad ? 0 : ECT0);
		wt_flow(w);
	}
}

/* what has text is not the answer to a SYN-ACK: its field is the counter */
static void last_ack_lost(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 1000, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = 1, .ack = 1001);
	wt_accept(w);
	EQ(wt_totals(w).delivered_ce, 0);
	INJECT(ACE(PA, AT_FIRST), .seq = 1001, .ack = 1, .len = 1000, .ecn = CE);
	EXPECT_IN(0, 41, ACE(A, MARKED(2)), .seq = 1, .ack = 2001);
	wt_read(w, 2000);
	wt_send(w, 10);
	EXPECT(ACE(PA, MARKED(2)), .seq = 1, .ack = 2001, .len = 10, .ecn = ECT0);
}

/* ... also one that has a mark to tell of */
static void last_ack_lost_and_marked(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(PA, MARKED(1)), .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	wt_accept(w);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 11, .len = 10, .ecn = ECT0);
	wt_read(w, 10);
}

/* the last segment of the handshake and the first text are lost: the second text is early, and marked */
static void last_ack_and_text_lost(struct wt *w)
{
	w->peer.sackok = true;
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS, .sackok = true);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .sackok = true);
	INJECT(ACE(PA, AT_FIRST), .seq = 1001, .ack = 1, .len = 1000, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1001, 2001}});
	wt_accept(w);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 1000, .ecn = CE);
	EXPECT(ACE(A, MARKED(2)), .seq = 1, .ack = 2001);
	INJECT(ACE(PA, AT_FIRST), .seq = 2001, .ack = 1, .len = 1000, .ecn = CE);
	EXPECT_IN(0, 41, ACE(A, MARKED(3)), .seq = 1, .ack = 3001);
	wt_read(w, 3000);
}

/* what was sent early is acknowledged by the handshake's last segment, whose field is no counter */
static void fast_open(struct wt *w)
{
	int limit = 4;

	w->cfg.tcp_fastopen = 2 | 0x200; /* no cookies */
	listening(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	INJECT(ACE(S, ASKS), .mss = MSS, .len = 10, .ecn = ECT1);
	EXPECT(ACE(SA, CAME_ECT1), .ack = 11, .mss = MSS);
	wt_accept(w);
	wt_read(w, 10);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 11, .len = 10, .ecn = ECT0);
	INJECT(ACE(A, NOT_ECT), .seq = 11, .ack = 11);
	EQ(wt_totals(w).delivered_ce, 0);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 11, .len = 10, .ecn = ECT0);
	INJECT(ACE(A, MARKED(1)), .seq = 11, .ack = 21);
	EQ(wt_totals(w).delivered_ce, 1);
}

/* its SYN-ACK is repeated like any other */
static void fast_open_repeated(struct wt *w)
{
	int limit = 4;

	w->cfg.tcp_fastopen = 2 | 0x200;
	listening(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	INJECT(ACE(S, ASKS), .mss = MSS, .len = 10);
	EXPECT(ACE(SA, NOT_ECT), .ack = 11, .mss = MSS);
	EXPECT_IN(990, 1010, ACE(SA, NOT_ECT), .ack = 11, .mss = MSS);
	EXPECT_IN(1990, 2010, ACE(SA, 0), .ack = 11, .mss = MSS);
	INJECT(ACE(A, NOT_ECT), .seq = 11, .ack = 1);
	wt_accept(w);
	wt_read(w, 10);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 11, .len = 10);
}

/* 3.1.4: the first repetition is the same, what follows has no flags, in case that it was for them; then nothing is sent
 * that may be marked (3.1.5), and the peer is told of marks all the same */
static void syn_ack_repeated(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT_IN(999, 1003, ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT_IN(1999, 2003, ACE(SA, 0), .ack = 1, .mss = MSS);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(has_ecn(w));
	sends(w, AT_FIRST, 0);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = 11, .ack = 11);
	INJECT(ACE(PA, MARKED(7)), .seq = 11, .ack = 11, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, ACE(A, MARKED(1)), .seq = 11, .ack = 21);
	INJECT(ACE(PA, MARKED(7)), .seq = 21, .ack = 11, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(2)), .seq = 11, .ack = 31);
	EQ(wt_totals(w).delivered_ce, 7); /* the path may have made it ECN-capable */
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	wt_read(w, 30);
}

static void syn_ack_repeated_once(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT_IN(999, 1003, ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	wt_accept(w);
	sends(w, AT_FIRST, ECT0);
}

/* 3.1.5: the latest SYN is what the SYN-ACK answers; who has not asked in each is sent nothing that may be marked */
static void syn_without_flags(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS, .ecn = ECT0);
	EXPECT(ACE(SA, CAME_ECT0), .ack = 1, .mss = MSS);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	wt_accept(w);
	sends(w, AT_FIRST, 0);
}

static void asked_too_late(struct wt *w)
{
	listening(w);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(ACE(S, ASKS), .mss = MSS, .ecn = ECT0);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(!has_ecn(w));
	sends(w, 0, 0);
}

/* 3.1.5: "MUST reset the connection with a RST packet, if it receives a 'Classic' ECN-setup SYN ... and a SYN requesting
 * AccECN feedback during the same handshake", in whatever order, with others between; the reset is one that the client
 * takes in whatever state it is */
static void mixed_syns(struct wt *w)
{
	/* combinations of ACE: the first, between, the last; ACE of the answer to the first; of that between */
	const unsigned rows[][5] = {{ASKS, ASKS, 3, NOT_ECT, NOT_ECT},
	                            {3, 3, ASKS, 1, 1},
	                            {ASKS, 0, 3, NOT_ECT, NOT_ECT},
	                            {3, 0, 4, 1, 1},
	                            {0, 3, ASKS, 0, 0},
	                            {2, 2, 3, NOT_ECT, NOT_ECT}};

	listening(w);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		INJECT(ACE(S, rows[i][0]), .mss = MSS);
		EXPECT(ACE(SA, rows[i][3]), .ack = 1, .mss = MSS);
		INJECT(ACE(S, rows[i][1]), .mss = MSS);
		EXPECT(ACE(SA, rows[i][4]), .ack = 1, .mss = MSS);
		INJECT(ACE(S, rows[i][2]), .mss = MSS);
		EXPECT(.flags = RA, .seq = 1, .ack = 1);
		INJECT(ACE(S, rows[i][2]), .seq = 5, .mss = MSS); /* nothing is left of it */
		wt_drop(w);
		wt_flow(w);
	}
}

/* without Accurate ECN there is one kind */
static void mixed_unknown(struct wt *w)
{
	w->cfg.tcp_ecn = 1;
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, 1), .ack = 1, .mss = MSS);
	INJECT(ACE(S, 3), .mss = MSS);
	EXPECT(ACE(SA, 1), .ack = 1, .mss = MSS);
	INJECT(.flags = R, .seq = 1);
}

/* what has another number is no SYN of this connection */
static void mixed_other(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(S, 3), .seq = 1000, .mss = MSS);
	EXPECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1);
	INJECT(.flags = R, .seq = 1);
}

static void fast_open_again(struct wt *w, unsigned first)
{
	int limit = 4;

	w->cfg.tcp_fastopen = 2 | 0x200;
	listening(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	INJECT(ACE(S, first), .mss = MSS, .len = 10, .ecn = first == 3 ? 0 : ECT1);
	EXPECT(ACE(SA, first == 3 ? 1 : CAME_ECT1), .ack = 11, .mss = MSS);
}

static void fast_open_mixed(struct wt *w)
{
	for (unsigned i = 0; i < 2; i++) {
		fast_open_again(w, i == 0 ? ASKS : 3);
		INJECT(ACE(S, i == 0 ? 3 : ASKS), .mss = MSS);
		EXPECT(ACE(RA, i == 0 ? AT_FIRST : 0), .seq = 1, .ack = 11);
		wt_accept(w);
		wt_read(w, 10);
		OK(pc_close(w->st, w->flow.fd));
		OK(pc_close(w->st, w->lfd));
		wt_flow(w);
	}
}

/* 3.1.5 as above: the latest SYN is what is answered, and one without flags ends ECT */
static void fast_open_latest(struct wt *w)
{
	fast_open_again(w, ASKS);
	INJECT(ACE(S, ASKS), .mss = MSS, .ecn = CE);
	EXPECT(ACE(SA, CAME_CE), .ack = 11, .mss = MSS);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 11, .mss = MSS);
	INJECT(ACE(A, NOT_ECT), .seq = 11, .ack = 1);
	wt_accept(w);
	wt_read(w, 10);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 11, .len = 10);
}

static void simultaneous_mixed(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(S, 3), .mss = MSS);
	EXPECT(ACE(RA, AT_FIRST), .seq = 1, .ack = 1);
}

static void challenge_half_open(struct wt *w)
{
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(.flags = R, .seq = 2);
	EXPECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1);
	INJECT(.flags = R, .seq = 1);
}

/* ---- the handshake: the client ---------------------------------------------------------------- */

/* table 2 */
static void answers(struct wt *w)
{
	for (unsigned ace = 0; ace < 8; ace++) {
		const bool accecn = ace != 0 && ace != 1 && ace != 7, ecn = accecn || ace == 1;
		const bool mangled = ace == 3 || ace == 4 || ace == 6; /* 3.2.2.3 */

		start_active(w);
		EXPECT(ACE(S, ASKS), .mss = MSS);
		INJECT(ACE(SA, ace), .ack = 1, .mss = MSS);
		EXPECT(ACE(A, accecn ? NOT_ECT : 0), .seq = 1, .ack = 1);
		EQ(has_ecn(w), ecn);
		sends(w, accecn ? AT_FIRST : 0, ecn && !mangled ? ECT0 : 0);
		wt_flow(w);
	}
}

/* table 3: the last segment of the handshake says how the SYN-ACK came, however often that comes; what follows counts */
static void echo(struct wt *w)
{
	const unsigned ace[] = {NOT_ECT, CAME_ECT1, CAME_ECT0, CAME_CE};

	for (uint8_t bits = 0; bits < 4; bits++) {
		start_active(w);
		EXPECT(ACE(S, ASKS), .mss = MSS);
		INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = bits);
		EXPECT(ACE(A, ace[bits]), .seq = 1, .ack = 1);
		INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = bits);
		EXPECT(ACE(A, ace[bits]), .seq = 1, .ack = 1);
		sends(w, bits == CE ? MARKED(1) : AT_FIRST, ECT0);
		INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
		EXPECT(ACE(A, NOT_ECT), .seq = 11, .ack = 1);
		INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 11);
		wt_send(w, 10);
		EXPECT(ACE(PA, bits == CE ? MARKED(1) : AT_FIRST), .seq = 11, .ack = 1, .len = 10,
		       .ecn = ECT0);
		wt_flow(w);
	}
}

/* 3.1.5: "MUST feed back the IP-ECN field on the latest"; 3.2.2.2: a mark counts "no more than once no matter how many
 * CE-marked SYN/ACKs it receives" */
static void echo_latest(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = ECT0);
	EXPECT(ACE(A, CAME_ECT0), .seq = 1, .ack = 1);
	for (unsigned i = 0; i < 2; i++) {
		INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = CE);
		EXPECT(ACE(A, CAME_CE), .seq = 1, .ack = 1);
	}
	sends(w, MARKED(1), ECT0);
	INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 11);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = CE); /* the server has counted */
	EXPECT(ACE(A, CAME_CE), .seq = 11, .ack = 1);
	wt_send(w, 10);
	EXPECT(ACE(PA, MARKED(1)), .seq = 11, .ack = 1, .len = 10, .ecn = ECT0);
}

/* a SYN-ACK that came marked, and text of all kinds, with gaps */
static void echo_and_gaps(struct wt *w)
{
	if (w->cfg.tcp_ecn == 2)
		w->cfg.tcp_ecn = 3;
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = 0;
	wt_connecting(w);
	EXPECT(ACE(S, ASKS), .mss = MSS, .sackok = true);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .sackok = true, .ecn = CE);
	EXPECT(ACE(A, CAME_CE), .seq = 1, .ack = 1);
	wt_send(w, 100);
	EXPECT(ACE(PA, MARKED(1)), .seq = 1, .ack = 1, .len = 100, .ecn = ECT0);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 101, .len = 100, .ecn = ECT0);
	EXPECT_IN(0, 41, ACE(A, MARKED(1)), .seq = 101, .ack = 101);
	INJECT(ACE(PA, AT_FIRST), .seq = 201, .ack = 101, .len = 100, .ecn = ECT1);
	EXPECT(ACE(A, MARKED(1)), .seq = 101, .ack = 101, .nb_sack = 1, .sack = {{201, 301}});
	INJECT(ACE(A, MARKED(1)), .seq = 401, .ack = 101, .len = 100, .ecn = CE);
	EXPECT(ACE(A, MARKED(2)), .seq = 101, .ack = 101, .nb_sack = 2,
	       .sack = {{401, 501}, {201, 301}});
	wt_read(w, 100);
}

/* ... who has sent something else has counted what he was told */
static void echo_too_late(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	sends(w, AT_FIRST, ECT0);
	INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 11);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = CE);
	EXPECT(ACE(A, CAME_CE), .seq = 11, .ack = 1);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 10, .ecn = ECT0);
}

/* ... of a SYN-ACK "that confirms that the TCP Server supports AccECN", on "a pure ACK with no SACK blocks" */
static void echo_of_others(struct wt *w)
{
	const unsigned ace[] = {0, 1, 7};

	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	sends(w, AT_FIRST, ECT0);
	for (unsigned i = 0; i < 3; i++) {
		INJECT(ACE(SA, ace[i]), .ack = 1, .mss = MSS, .ecn = CE);
		EXPECT(ACE(A, AT_FIRST), .seq = 11, .ack = 1);
	}
	INJECT(ACE(SA, NOT_ECT), .ack = 12, .mss = MSS, .ecn = CE); /* never sent */
	EXPECT(ACE(A, AT_FIRST), .seq = 11, .ack = 1);
	INJECT(ACE(SA, NOT_ECT), .seq = 1, .ack = 1, .mss = MSS, .ecn = CE); /* no repetition */
	EXPECT(ACE(A, AT_FIRST), .seq = 11, .ack = 1);
	INJECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 11, .len = 10, .ecn = ECT0);
	EXPECT(ACE(A, AT_FIRST), .seq = 11, .ack = 1, .any_sack = true);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = CE);
	EXPECT(ACE(A, AT_FIRST), .seq = 11, .ack = 1, .any_sack = true);
}

static void echo_with_sack(struct wt *w)
{
	if (w->cfg.tcp_ecn == 2)
		w->cfg.tcp_ecn = 3;
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = 0;
	wt_connecting(w);
	EXPECT(ACE(S, ASKS), .mss = MSS, .sackok = true);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .sackok = true);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	INJECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{11, 21}});
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .sackok = true);
	EXPECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{11, 21}});
}

/* 3.2.2.1: "it SHOULD first send a pure ACK": what is queued already does not take its place, nor does text on the
 * SYN-ACK */
static void echo_comes_first(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	QUEUE(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .len = 10);
	wt_settle(w);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	EXPECT_IN(0, 41, ACE(A, NOT_ECT), .seq = 1, .ack = 11);
	wt_read(w, 10);
	sends_after(w, 10);
}

/* ... also when the server has the first word */
static void echo_ends(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, ACE(A, AT_FIRST), .seq = 1, .ack = 11);
	wt_read(w, 10);
}

/* 3.2.2.4: the first that the server sends has a field of 0 */
static void cleared(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	sends(w, AT_FIRST, ECT0);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 10);
	INJECT(ACE(A, 3), .seq = 1, .ack = 21);
	EQ(wt_totals(w).delivered_ce, 0); /* nothing that it tells is believed */
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 0);
}

/* the first that the server sends counts, unlike the first of a client */
static void marked_at_once(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	sends(w, AT_FIRST, ECT0);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = 11);
	EQ(wt_totals(w).delivered_ce, 1);
	wt_send(w, 10);
	EXPECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 10, .ecn = ECT0);
}

/* 3.1.4: the first repetition asks as well, the others do not */
static void syn_repeated(struct wt *w, unsigned ace, bool ecn)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	EXPECT_IN(999, 1003, ACE(S, ASKS), .mss = MSS);
	EXPECT_IN(1999, 2003, .flags = S, .mss = MSS);
	INJECT(ACE(SA, ace), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, ecn ? NOT_ECT : 0), .seq = 1, .ack = 1);
	EQ(has_ecn(w), ecn);
	sends(w, ecn ? AT_FIRST : 0, ecn ? ECT0 : 0);
}

static void syn_repeated_plain(struct wt *w)
{
	syn_repeated(w, 0, false);
}

/* "If a TCP Client has entered AccECN mode but then subsequently sends a SYN ... with (0,0,0), it is still allowed to set
 * ECT" (3.1.4.1): who has agreed knows that the server has, too */
static void syn_repeated_accecn(struct wt *w)
{
	syn_repeated(w, NOT_ECT, true);
}

static void syn_repeated_once(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	EXPECT_IN(999, 1003, ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	sends(w, AT_FIRST, ECT0);
}

static void asks_for_ecn(struct wt *w)
{
	w->cfg.tcp_ecn = 4;
	start_active(w);
	EXPECT(ACE(S, 3), .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS); /* not what was asked for */
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(!has_ecn(w));
}

static void asks_for_nothing(struct wt *w)
{
	w->cfg.tcp_ecn = 5;
	start_active(w);
	EXPECT(.flags = S, .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(!has_ecn(w));
}

static void simultaneous(struct wt *w)
{
	start_active(w);
	EXPECT(ACE(S, ASKS), .mss = MSS);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	CHECK(has_ecn(w));
	wt_drop(w);
	sends(w, AT_FIRST, ECT0);
}

static void dctcp(struct wt *w)
{
	w->cfg.tcp_congestion = 2;
	start_active(w);
	EXPECT(ACE(S, 3), .mss = MSS, .ecn = ECT0); /* RFC 8257 has feedback of its own */
	INJECT(ACE(SA, 1), .ack = 1, .mss = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ecn = ECT0);
}

/* ---- the receiver ----------------------------------------------------------------------------- */

/* 3.2.2.5.1: the first mark is told at once, then each second one; what is not marked waits as ever */
static void counts(struct wt *w)
{
	passive(w, NOT_ECT);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(39, 41, ACE(A, AT_FIRST), .seq = 1, .ack = 11);
	INJECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = 1, .ack = 21);
	INJECT(ACE(PA, AT_FIRST), .seq = 21, .ack = 1, .len = 10, .ecn = CE);
	NOTHING(1);
	INJECT(ACE(PA, AT_FIRST), .seq = 31, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(3)), .seq = 1, .ack = 41);
	INJECT(ACE(PA, AT_FIRST), .seq = 41, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(39, 41, ACE(A, MARKED(3)), .seq = 1, .ack = 51);
	INJECT(ACE(PA, AT_FIRST), .seq = 51, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(4)), .seq = 1, .ack = 61);
	INJECT(ACE(A, AT_FIRST), .seq = 61, .ack = 1); /* what came before text may have none */
	NOTHING(1);
	INJECT(ACE(PA, AT_FIRST), .seq = 61, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(5)), .seq = 1, .ack = 71);
	EQ(wt_count(w, PC_TCP_ECN_MARKED), 5);
	wt_read(w, 70);
	wt_send(w, 10); /* text tells of it, too */
	EXPECT(ACE(PA, MARKED(5)), .seq = 1, .ack = 71, .len = 10, .ecn = ECT0);
}

/* what has no text counts as well; each third is told, so that two ends come to rest */
static void counts_acks(struct wt *w)
{
	passive(w, NOT_ECT);
	for (unsigned i = 0; i < 2; i++)
		INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1, .ecn = CE);
	NOTHING(1000);
	INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1, .ecn = CE);
	EXPECT(ACE(A, MARKED(3)), .seq = 1, .ack = 1);
	NOTHING(1000);
}

/* the counter never goes round unseen, however many come in one burst */
static void burst(struct wt *w)
{
	unsigned told = 0, acks = 0;
	const struct frame_info *i;

	passive(w, NOT_ECT);
	for (unsigned n = 0; n < 20; n++)
		QUEUE(ACE(PA, AT_FIRST), .seq = 1 + 10 * n, .ack = 1, .len = 10, .ecn = CE);
	wt_settle(w);
	while ((i = wt_next(w, 0)) != NULL) {
		const unsigned ace = (i->seg.has & TCP_HAS_AE ? 4u : 0) | i->seg.flags >> 6;
		const unsigned step = (ace - MARKED(told)) & 7;

		CHECK(step < 7);
		told += step;
		acks++;
	}
	EQ(told, 20);
	CHECK(acks <= 5);
	EQ(wt_count(w, PC_TCP_ECN_MARKED), 20);
	wt_read(w, 200);
}

/* "valid" packets only */
static void outside(struct wt *w)
{
	passive(w, NOT_ECT);
	INJECT(ACE(PA, AT_FIRST), .seq = 1 + (1 << 20), .ack = 1, .len = 10, .ecn = CE);
	EXPECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1);
	INJECT(ACE(PA, AT_FIRST), .seq = 11, .ack = 1, .len = 10, .ecn = CE); /* early, but valid */
	EXPECT(ACE(A, MARKED(1)), .seq = 1, .ack = 1, .any_sack = true);
	EQ(wt_count(w, PC_TCP_ECN_MARKED), 1);
}

static void reset(struct wt *w)
{
	struct linger l = {.l_onoff = 1};

	passive(w, NOT_ECT);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(ACE(RA, AT_FIRST), .seq = 1, .ack = 1);
}

static void time_wait(struct wt *w)
{
	passive(w, NOT_ECT);
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(ACE(A, MARKED(1)), .seq = 1, .ack = 11);
	wt_read(w, 10);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(ACE(FA, MARKED(1)), .seq = 1, .ack = 11);
	INJECT(ACE(FA, AT_FIRST), .seq = 11, .ack = 2);
	EXPECT(ACE(A, MARKED(1)), .seq = 2, .ack = 12);
	INJECT(ACE(FA, AT_FIRST), .seq = 11, .ack = 2);
	EXPECT(ACE(A, MARKED(1)), .seq = 2, .ack = 12);
}

/* ---- the sender ------------------------------------------------------------------------------- */

/* one reduction per window, and no CWR, which is part of the counter */
static void reduces(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	flight(w, 10);
	wt_send(w, 20 * MSS);
	EQ(wt_drop(w), 0);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = SEG_AT(1));
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	EQ(wt_totals(w).delivered_ce, 1);
	INJECT(ACE(A, MARKED(3)), .seq = 1, .ack = SEG_AT(4));
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	EQ(wt_totals(w).delivered_ce, 3);
	INJECT(ACE(A, MARKED(3)), .seq = 1, .ack = SEG_AT(6));
	EXPECT(ACE(A, AT_FIRST), .seq = SEG_AT(10), .ack = 1, .len = MSS, .ecn = ECT0);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	INJECT(ACE(A, MARKED(3)), .seq = 1, .ack = SEG_AT(11)); /* the window is over */
	wt_drop(w);
	INJECT(ACE(A, MARKED(4)), .seq = 1, .ack = SEG_AT(13));
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 2);
	EQ(wt_totals(w).delivered_ce, 4);
	wt_drop(w);
}

/* 3.2.2.3: a path that changes the bits of what is not ECN-capable may mark it, too */
static void reduces_unmarkable(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	passive(w, CAME_ECT0);
	wt_send(w, 10 * MSS);
	EXPECT(ACE(A, AT_FIRST), .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_drop(w), 9);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = SEG_AT(1));
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	INJECT(ACE(A, MARKED(2)), .seq = 1, .ack = SEG_AT(2));
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	EQ(wt_totals(w).delivered_ce, 2);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
}

/* the same value says that nothing was marked, however long it lasts: it is no echo */
static void no_more_marks(struct wt *w)
{
	uint32_t cwnd;

	flight(w, 10);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = SEG_AT(1));
	cwnd = wt_info(w).tcpi_snd_cwnd;
	for (unsigned i = 2; i <= 10; i++)
		INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = SEG_AT(i));
	EQ(wt_info(w).tcpi_snd_cwnd, cwnd);
	EQ(wt_totals(w).delivered_ce, 1);
	wt_send(w, 7 * MSS);
	EQ(wt_drop(w), 7);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = SEG_AT(17));
	CHECK(wt_info(w).tcpi_snd_cwnd >= cwnd);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
}

/* the counter goes round */
static void goes_round(struct wt *w)
{
	flight(w, 10);
	INJECT(ACE(A, MARKED(2)), .seq = 1, .ack = SEG_AT(3));
	EQ(wt_totals(w).delivered_ce, 2);
	INJECT(ACE(A, MARKED(9)), .seq = 1, .ack = SEG_AT(10));
	EQ(wt_totals(w).delivered_ce, 9);
}

/* what acknowledges nothing new may be old */
static void no_progress(struct wt *w)
{
	flight(w, 2);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = 1);
	EQ(wt_totals(w).delivered_ce, 0);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 0);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = SEG_AT(2));
	EQ(wt_totals(w).delivered_ce, 1);
}

/* ... unless its timestamp says that it is newer; the handshake's last segment again is no counter */
static void newer_by_time(struct wt *w)
{
	w->peer.ts = true;
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS, .ts = TS, .tsval = 1);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ts = TS);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1, .ts = TS, .tsval = 2);
	wt_accept(w);
	wt_send(w, 1000);
	EXPECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 1000, .ecn = ECT0);
	for (unsigned ace = NOT_ECT; ace <= CAME_ECT0; ace++)
		INJECT(ACE(A, ace), .seq = 1, .ack = 1, .ts = TS, .tsval = 3);
	EQ(wt_totals(w).delivered_ce, 0);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = 1, .ts = TS, .tsval = 3);
	EQ(wt_totals(w).delivered_ce, 0);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = 1, .ts = TS, .tsval = 4);
	EQ(wt_totals(w).delivered_ce, 1);
	wt_drop(w);
}

/* what SACK blocks report is progress */
static void sacked(struct wt *w)
{
	w->peer.sackok = true;
	flight(w, 10);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = 1, .nb_sack = 1,
	       .sack = {{SEG_AT(1), SEG_AT(2)}});
	EQ(wt_totals(w).delivered_ce, 1);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	wt_drop(w);
}

/* ... but not of an acknowledgement that others have overtaken, whose counter is an old one */
static void sacked_too_late(struct wt *w)
{
	w->peer.sackok = true;
	flight(w, 10);
	INJECT(ACE(A, MARKED(2)), .seq = 1, .ack = SEG_AT(4));
	EQ(wt_totals(w).delivered_ce, 2);
	INJECT(ACE(A, MARKED(1)), .seq = 1, .ack = SEG_AT(2), .nb_sack = 1,
	       .sack = {{SEG_AT(5), SEG_AT(6)}});
	EQ(wt_totals(w).delivered_ce, 2);
	INJECT(ACE(A, MARKED(2)), .seq = 1, .ack = SEG_AT(6));
	EQ(wt_totals(w).delivered_ce, 2);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	wt_drop(w);
}

/* RFC 3168 6.1.5, 6.1.4: neither what is sent again nor a FIN may be marked, as without Accurate ECN */
static void not_marked(struct wt *w)
{
	flight(w, 1);
	EXPECT_IN(199, 1001, ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = MSS);
	INJECT(ACE(A, AT_FIRST), .seq = 1, .ack = SEG_AT(1));
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(ACE(FA, AT_FIRST), .seq = SEG_AT(1), .ack = 1);
}

/* a port would put CWR on the first piece only */
static void large_segments(struct wt *w)
{
	w->offloads =
	    PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_MULTI_SEGS | PC_PORT_TX_TSO;
	flight(w, 9);
	EQ(wt_count(w, PC_TCP_TX_TSO), 0);
}

/* draft-ietf-tcpm-generalized-ecn: with Accurate ECN acknowledgements, too, as their marks are counted */
static void plus(struct wt *w)
{
	w->cfg.tcp_ecn_plus = 1;
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = ECT0);
	INJECT(ACE(A, CAME_ECT0), .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(has_ecn(w));
	INJECT(ACE(PA, AT_FIRST), .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, ACE(A, AT_FIRST), .seq = 1, .ack = 11, .ecn = ECT0);
	wt_read(w, 10);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(ACE(FA, AT_FIRST), .seq = 1, .ack = 11, .ecn = ECT0);
	EXPECT_IN(199, 1001, ACE(FA, AT_FIRST), .seq = 1, .ack = 11, .ecn = ECT0);
}

/* ... and a SYN-ACK that came marked leaves room for one segment */
static void plus_marked(struct wt *w)
{
	w->cfg.tcp_ecn_plus = 1;
	listening(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = ECT0);
	INJECT(ACE(A, CAME_CE), .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	CHECK(has_ecn(w));
	/* RFC 9768 3.1.4: one that is sent again has none, as with the flags */
	wt_flow(w);
	INJECT(ACE(S, ASKS), .mss = MSS);
	EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = ECT0);
	EXPECT_IN(999, 1003, ACE(SA, NOT_ECT), .ack = 1, .mss = MSS);
	INJECT(ACE(A, NOT_ECT), .seq = 1, .ack = 1);
	wt_accept(w);
	sends(w, AT_FIRST, ECT0);
}

/* RFC 9768 3.2.2.3: a path that takes ECT(0) off the SYN-ACK, or makes something else of it */
static void plus_mangled(struct wt *w)
{
	w->cfg.tcp_ecn_plus = 1;
	listening(w);
	for (unsigned ace = NOT_ECT; ace <= CAME_ECT1; ace++) {
		INJECT(ACE(S, ASKS), .mss = MSS);
		EXPECT(ACE(SA, NOT_ECT), .ack = 1, .mss = MSS, .ecn = ECT0);
		INJECT(ACE(A, ace), .seq = 1, .ack = 1);
		wt_accept(w);
		sends(w, AT_FIRST, 0);
		wt_flow(w);
	}
}

static const struct wt_case cases[] = {
    {"RFC 9768 3.1.1: the SYN-ACK says how the SYN came", syn_ack},
    {"RFC 9768 3.1.3: combinations that nobody has given a sense", combinations},
    {"tcp.ecn 0 to 5", modes},
    {"RFC 9768 3.2.2.1: the last segment of the handshake", last_ack},
    {"RFC 9768 3.2.2.1: ... is lost", last_ack_lost},
    {"RFC 9768 3.2.2.1: ... and the next has a mark to tell of", last_ack_lost_and_marked},
    {"RFC 9768 3.2.2.2: ... and the first text, too", last_ack_and_text_lost},
    {"RFC 7413 4.2.2: text before the handshake's last segment", fast_open},
    {"RFC 9768 3.1.4: a SYN-ACK of Fast Open", fast_open_repeated},
    {"RFC 9768 3.1.4: a SYN-ACK that is repeated", syn_ack_repeated},
    {"RFC 9768 3.1.4: ... once", syn_ack_repeated_once},
    {"RFC 9768 3.1.5: a repeated SYN without flags", syn_without_flags},
    {"RFC 9768 3.1.5: a SYN that asks too late", asked_too_late},
    {"RFC 9768 3.1.5: SYNs of both kinds", mixed_syns},
    {"RFC 9768 3.1.5: ... where there is one", mixed_unknown},
    {"RFC 9768 3.1.5: ... of another connection", mixed_other},
    {"RFC 9768 3.1.5: ... and Fast Open", fast_open_mixed},
    {"RFC 9768 3.1.5: ... of a simultaneous open", simultaneous_mixed},
    {"RFC 9768 3.1.5: a repeated SYN of Fast Open", fast_open_latest},
    {"RFC 9768 3.2.2.2: a SYN-ACK that came marked", syn_ack_marked},
    {"RFC 9768 3.2.2.2: a SYN that came marked", syn_marked},
    {"RFC 9768 3.2.2: a challenge in SYN-RECEIVED", challenge_half_open},
    {"RFC 9768 3.1.2: answers to our SYN", answers},
    {"RFC 9768 3.2.2.1: the answer to a SYN-ACK says how that came", echo},
    {"RFC 9768 3.2.2.1: ... and what follows counts", echo_ends},
    {"RFC 9768 3.1.5, 3.2.2.2: the latest SYN-ACK", echo_latest},
    {"RFC 9768 3.2.2.2: ... after the handshake", echo_too_late},
    {"RFC 9768 3.2.2: a marked SYN-ACK, and gaps", echo_and_gaps},
    {"RFC 9768 3.2.2.1: SYN-ACKs that confirm nothing", echo_of_others},
    {"RFC 9768 3.2.2.1: no SACK blocks", echo_with_sack},
    {"RFC 9768 3.2.2.1: a pure ACK comes first", echo_comes_first},
    {"RFC 9768 3.2.2.4: a field that was cleared", cleared},
    {"RFC 9768 3.2.2.2: the first acknowledgement has a mark to tell of", marked_at_once},
    {"RFC 9768 3.1.4: a SYN that is repeated", syn_repeated_plain},
    {"RFC 9768 3.1.4: ... and answered after all", syn_repeated_accecn},
    {"RFC 9768 3.1.4: ... once", syn_repeated_once},
    {"tcp.ecn 4 asks for ECN", asks_for_ecn},
    {"tcp.ecn 5 asks for nothing", asks_for_nothing},
    {"RFC 9768 3.1.1: simultaneous open", simultaneous},
    {"RFC 8257 3.4: DCTCP asks for ECN", dctcp},
    {"RFC 9768 3.2.2.5.1: marks of text are told", counts},
    {"RFC 9768 3.2.2.5.1: marks of acknowledgements are told", counts_acks},
    {"RFC 9768 3.2.2.5.1: many marks in a burst", burst},
    {"RFC 9768 3.2.2.2: what is not acceptable does not count", outside},
    {"RFC 9768 3.2.2: RST", reset},
    {"RFC 9768 3.2.2: TIME-WAIT", time_wait},
    {"RFC 9768 3.1.5: one reduction per window, no CWR", reduces},
    {"RFC 9768 3.2.2.3: one of what is not ECN-capable", reduces_unmarkable},
    {"RFC 9768 3.2.2: no echo", no_more_marks},
    {"RFC 9768 3.2.2: the counter goes round", goes_round},
    {"RFC 9768 3.2.2.5.2: no progress", no_progress},
    {"RFC 9768 3.2.2.2: newer by its timestamp", newer_by_time},
    {"RFC 9768 3.2.2.5.2: progress by SACK", sacked},
    {"RFC 9768 3.2.2.2: ... of what others have overtaken", sacked_too_late},
    {"RFC 3168 6.1.4, 6.1.5: what is not marked", not_marked},
    {"RFC 9768 3.3.4: no large segments", large_segments},
    {"ECN++: ECT on everything", plus},
    {"ECN++: a SYN-ACK that came marked", plus_marked},
    {"ECN++, RFC 9768 3.2.2.3: a SYN-ACK whose bits are changed", plus_mangled},
};

WT_MAIN("accecn")
