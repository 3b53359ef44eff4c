/* SPDX-License-Identifier: BSD-2-Clause */

/* Large segments to a port that cuts them: the same on the wire, and one packet less for each piece. */

#include "wt.h"

#define MSS 1460

static void begin(struct wt *w)
{
	w->offloads =
	    PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_MULTI_SEGS | PC_PORT_TX_TSO;
	wt_established(w);
}

static void expect(struct wt *w, uint32_t seq, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		EXPECT(.flags = A, .seq = seq + i * MSS, .ack = 1, .len = MSS, .any_psh = true);
}

static void one_packet(struct wt *w)
{
	begin(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	uint64_t frames = wt_count(w, PC_TX_FRAMES), segs = wt_count(w, PC_TCP_TX);

	wt_send(w, 9 * MSS + 100);
	for (unsigned i = 0; i < 9; i++)
		EXPECT(.flags = A, .seq = 1 + i * MSS, .ack = 1, .len = MSS);
	EXPECT(.flags = PA, .seq = 1 + 9 * MSS, .ack = 1, .len = 100);
	EQ(wt_count(w, PC_TX_FRAMES) - frames, 1);
	EQ(wt_count(w, PC_TCP_TX) - segs, 10);
	EQ(wt_count(w, PC_TCP_TX_TSO), 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 9 * MSS + 100);
	NOTHING(5000);
}

static void what_stays_single(struct wt *w)
{
	begin(w);
	wt_send(w, 100); /* small */
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = A, .seq = 1, .ack = 101);
	wt_send(w, MSS); /* alone */
	EXPECT(.flags = PA, .seq = 101, .ack = 1, .len = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 101 + MSS);
	EQ(wt_count(w, PC_TCP_TX_TSO), 0);
}

static void switched_off(struct wt *w)
{
	w->cfg.tcp_tso = 0;
	begin(w);
	wt_send(w, 10 * MSS);
	expect(w, 1, 10);
	EQ(wt_count(w, PC_TCP_TX_TSO), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
}

static void tiny_segments(struct wt *w)
{
	w->peer.mss = 200;
	begin(w);
	wt_send(w, 600);
	for (unsigned i = 0; i < 3; i++)
		EXPECT(.flags = A, .seq = 1 + i * 200, .ack = 1, .len = 200, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TX_TSO), 0);
	INJECT(.flags = A, .seq = 1, .ack = 601);
}

static void at_most_64_kb(struct wt *w)
{
	uint32_t at = 1;

	w->cfg.tcp_initial_window = 64;
	w->cfg.tcp_sndbuf = 200000;
	w->peer.ws = 8; /* a shift of 7 */
	begin(w);
	wt_send(w, 60 * MSS);
	for (; at < 1 + 60 * MSS && wt_sent_len(w) > 0; at += MSS)
		EXPECT(.flags = A, .seq = at, .ack = 1, .len = MSS, .any_psh = true);
	EQ(at, 1 + 60 * MSS);
	EQ(wt_count(w, PC_TCP_TX_TSO), 2); /* 44 segments are 64,240 bytes */
	INJECT(.flags = A, .seq = 1, .ack = at);
}

static void one_piece_is_lost(struct wt *w)
{
	w->peer.sackok = true;
	begin(w);
	wt_send(w, 10 * MSS);
	expect(w, 1, 10);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	wt_pass(w, 1);
	for (unsigned i = 4; i <= 6; i++)
		INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS, .nb_sack = 1,
		       .sack = {{1 + 3 * MSS, 1 + i * MSS}});
	EXPECT_IN(0, 2, .flags = A, .seq = 1 + 2 * MSS, .ack = 1, .len = MSS);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	NOTHING(5000);
}

static void fin_on_the_last(struct wt *w)
{
	begin(w);
	EQ(wt_write(w, 3 * MSS, 0), 3 * MSS);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	expect(w, 1, 2);
	EXPECT(.flags = TCP_FIN | PA, .seq = 1 + 2 * MSS, .ack = 1, .len = MSS);
	EQ(wt_count(w, PC_TCP_TX_TSO), 1);
	INJECT(.flags = A, .seq = 1, .ack = 2 + 3 * MSS);
	NOTHING(100);
}

/* all of it is lost, and then goes out again while the port has given nothing back yet */
static void all_is_lost(struct wt *w)
{
	begin(w);
	wt_send(w, 4 * MSS);
	expect(w, 1, 4);
	EXPECT_IN(199, 1300, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	expect(w, 1 + MSS, 2);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	NOTHING(5000);
}

/* the pointer counts from the segment's own number, and a port copies it */
static void urgent(struct wt *w)
{
	begin(w);
	EQ(wt_write(w, 4 * MSS, MSG_OOB), 4 * MSS);
	wt_settle(w);
	for (unsigned i = 0; i < 4; i++)
		EXPECT(.flags = A | TCP_URG, .seq = 1 + i * MSS, .ack = 1, .len = MSS,
		       .urg = (uint16_t)((4 - i) * MSS), .any_psh = true);
	EQ(wt_count(w, PC_TCP_TX_TSO), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	wt_send(w, 10); /* what is behind it is like before */
	EXPECT(.flags = PA, .seq = 1 + 4 * MSS, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11 + 4 * MSS);
	wt_send(w, 4 * MSS);
	expect(w, 11 + 4 * MSS, 4);
	EQ(wt_count(w, PC_TCP_TX_TSO), 1);
	INJECT(.flags = A, .seq = 1, .ack = 11 + 8 * MSS);
}

static const struct wt_case cases[] = {
    {"RFC 9293 MUST-62: urgent data is not cut by the port", urgent},
    {"full segments that may go leave as one packet", one_packet},
    {"what is small or alone goes as it is", what_stays_single},
    {"tcp.tso = 0", switched_off},
    {"segments that devices do not cut", tiny_segments},
    {"RFC 791 3.1: a packet has 65535 bytes at most", at_most_64_kb},
    {"RFC 2018: one piece is lost, and sent again alone", one_piece_is_lost},
    {"RFC 9293 3.10.4: FIN is on the last piece", fin_on_the_last},
    {"RFC 6298 5.4: all pieces are lost", all_is_lost},
};

WT_MAIN("tso")
