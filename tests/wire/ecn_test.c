/* SPDX-License-Identifier: BSD-2-Clause */

/* Explicit congestion notification (RFC 3168), and DCTCP's use of it (RFC 8257). */

#include <netinet/tcp.h>

#include <rte_common.h>

#include "wt.h"

#define MSS 1460
#define E   TCP_ECE
#define C   TCP_CWR

static bool has_ecn(struct wt *w)
{
	return (wt_info(w).tcpi_options & TCPI_OPT_ECN) != 0;
}

/* A passive connection with ECN whose round trip takes ms. */
static void with_ecn_after(struct wt *w, double ms)
{
	wt_listen(w, 8);
	INJECT(.flags = S | E | C, .mss = MSS, .sackok = w->peer.sackok);
	EXPECT(.flags = SA | E, .ack = 1, .mss = MSS, .sackok = w->peer.sackok);
	wt_pass(w, ms);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(has_ecn(w));
}

static void with_ecn(struct wt *w)
{
	with_ecn_after(w, 0);
}

static void expect_new(struct wt *w, uint32_t seq, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		EXPECT(.flags = A, .seq = seq + MSS * i, .ack = 1, .len = MSS, .any_psh = true,
		       .ecn = ECT0);
}

/* n full segments under way */
static void flight(struct wt *w, unsigned n)
{
	with_ecn(w);
	wt_send(w, n * MSS);
	expect_new(w, 1, n);
}

/* ---- negotiation ---- */

static void setup_passive(struct wt *w)
{
	with_ecn(w);
}

static void setup_refused(struct wt *w)
{
	w->cfg.tcp_ecn = 0;
	wt_listen(w, 8);
	INJECT(.flags = S | E | C, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(!has_ecn(w));
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = PA, .seq = 1, .ack = 11, .len = 10, .ecn = CE); /* nothing to us */
	EXPECT_IN(0, 41, .flags = A, .seq = 11, .ack = 11);
	wt_read(w, 10);
}

static void not_setup(struct wt *w)
{
	const uint8_t flags[] = {S, S | E, S | C};

	wt_listen(w, 8);
	for (unsigned i = 0; i < 3; i++) {
		INJECT(.flags = flags[i], .mss = MSS);
		EXPECT(.flags = SA, .ack = 1, .mss = MSS);
		wt_flow(w);
	}
	/* "A host MUST NOT set ECT on SYN or SYN-ACK packets": this one went astray */
	INJECT(.flags = S | E | C, .mss = MSS, .ecn = ECT0);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = R, .seq = 1);
}

static void syn_ack_repeats(struct wt *w)
{
	wt_listen(w, 8);
	INJECT(.flags = S | E | C, .mss = MSS);
	EXPECT(.flags = SA | E, .ack = 1, .mss = MSS);
	EXPECT_IN(999, 1003, .flags = SA | E, .ack = 1, .mss = MSS);
	INJECT(.flags = R, .seq = 1);
}

static void start_active(struct wt *w)
{
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = w->cfg.tcp_sack = 0;
	wt_connecting(w);
}

static void active(struct wt *w, uint8_t answer, bool ecn)
{
	w->cfg.tcp_ecn = 1;
	start_active(w);
	EXPECT(.flags = S | E | C, .mss = MSS);
	INJECT(.flags = answer, .ack = 1, .mss = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(has_ecn(w), ecn);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = ecn ? ECT0 : 0);
}

static void setup_active(struct wt *w)
{
	active(w, SA | E, true);
}

static void answer_without(struct wt *w)
{
	active(w, SA, false);
}

static void answer_reflects(struct wt *w)
{
	active(w, SA | E | C, false);
}

static void answer_cwr(struct wt *w)
{
	active(w, SA | C, false);
}

static void not_asked(struct wt *w)
{
	start_active(w); /* tcp.ecn is 2 */
	EXPECT(.flags = S, .mss = MSS);
	INJECT(.flags = SA | E, .ack = 1, .mss = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(!has_ecn(w));
}

static void falls_back(struct wt *w)
{
	w->cfg.tcp_ecn = 1;
	start_active(w);
	EXPECT(.flags = S | E | C, .mss = MSS);
	EXPECT_IN(999, 1003, .flags = S, .mss = MSS);
	INJECT(.flags = SA, .ack = 1, .mss = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(!has_ecn(w));
}

static void simultaneous(struct wt *w)
{
	w->cfg.tcp_ecn = 1;
	start_active(w);
	EXPECT(.flags = S | E | C, .mss = MSS);
	INJECT(.flags = S | E | C, .mss = MSS);
	EXPECT(.flags = SA | E, .ack = 1, .mss = MSS);
	INJECT(.flags = SA | E, .ack = 1, .mss = MSS);
	CHECK(has_ecn(w));
	wt_drop(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
}

/* ---- what may be marked ---- */

static void ect_on_new_data(struct wt *w)
{
	flight(w, 2);
	/* 6.1.5: not on what is sent again */
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	/* 6.1.4: not on pure acknowledgements */
	INJECT(.flags = PA, .seq = 1, .ack = 1 + 2 * MSS, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, .flags = A, .seq = 1 + 2 * MSS, .ack = 11);
	wt_read(w, 10);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1 + 2 * MSS, .ack = 11);
}

static void probes_without_ect(struct wt *w)
{
	with_ecn(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 100);
	/* 6.1.6 */
	EXPECT_IN(199, 1003, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	EXPECT(.flags = PA, .seq = 2, .ack = 1, .len = 99, .ecn = ECT0);
}

static void tos_is_kept(struct wt *w)
{
	const struct frame_info *i;

	with_ecn(w);
	wt_opt(w, IPPROTO_IP, IP_TOS, 0xb8 | 1); /* the two bits are TCP's */
	wt_send(w, 10);
	i = wt_next(w, 0);
	CHECK(i != NULL);
	EQ(i->tos, 0xb8 | ECT0);
}

/* ---- the receiver ---- */

static void echo_until_cwr(struct wt *w)
{
	with_ecn(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(.flags = A | E, .seq = 1, .ack = 11); /* at once: the sender is to know */
	EQ(wt_count(w, PC_TCP_ECN_MARKED), 1);
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, .flags = A | E, .seq = 1, .ack = 21);
	wt_send(w, 10); /* data carries it, too */
	EXPECT(.flags = PA | E, .seq = 1, .ack = 21, .len = 10, .ecn = ECT0);
	INJECT(.flags = PA | C, .seq = 21, .ack = 11, .len = 10, .ecn = ECT0);
	EXPECT(.flags = A, .seq = 11, .ack = 31);
	wt_read(w, 30);
}

static void cwr_marked(struct wt *w)
{
	with_ecn(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(.flags = A | E, .seq = 1, .ack = 11);
	/* "... followed by the receipt of another CE packet": the CWR packet itself */
	INJECT(.flags = PA | C, .seq = 11, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(.flags = A | E, .seq = 1, .ack = 21);
	INJECT(.flags = PA | C, .seq = 21, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT(.flags = A, .seq = 1, .ack = 31);
	wt_read(w, 30);
}

static void marks_that_do_not_count(struct wt *w)
{
	with_ecn(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ecn = CE); /* 6.1.4: a pure acknowledgement */
	/* 6.1.5: "SHOULD ignore the ECN field on arriving data packets that are outside of the
	 * receiver's current window" */
	INJECT(.flags = PA, .seq = 1 + (1 << 20), .ack = 1, .len = 10, .ecn = CE);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 11);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = CE); /* an old one */
	EXPECT(.flags = A, .seq = 1, .ack = 11);
	EQ(wt_count(w, PC_TCP_ECN_MARKED), 0);
	wt_read(w, 10);
}

static void no_echo_on_rst(struct wt *w)
{
	struct linger l = {.l_onoff = 1};

	with_ecn(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(.flags = A | E, .seq = 1, .ack = 11);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 1, .ack = 11);
}

/* ---- the sender ---- */

static void one_reduction(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	flight(w, 10);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	EQ(wt_info(w).tcpi_ca_state, TCP_CA_CWR);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	wt_send(w, 20 * MSS);
	EQ(wt_drop(w), 0);
	for (uint32_t i = 2; i <= 5; i++) /* the same window: neither less nor more */
		INJECT(.flags = A | E, .seq = 1, .ack = 1 + i * MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	EQ(wt_drop(w), 0);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + 6 * MSS);
	/* "the CWR flag in the TCP header of the first new data packet" and only there */
	EXPECT(.flags = A | C, .seq = 1 + 10 * MSS, .ack = 1, .len = MSS, .ecn = ECT0);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + 8 * MSS);
	expect_new(w, 1 + 11 * MSS, 2);
	/* up to the byte that CWR came with, it is the old echo */
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + 10 * MSS);
	expect_new(w, 1 + 13 * MSS, 2);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 12 * MSS);
	expect_new(w, 1 + 15 * MSS, 2);
	EQ(wt_info(w).tcpi_ca_state, TCP_CA_Open);
	/* the next window is another matter */
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + 14 * MSS);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 2);
	EQ(wt_info(w).tcpi_snd_cwnd, 2);
	EQ(wt_drop(w), 0);
}

static void beta_of_cubic(struct wt *w)
{
	flight(w, 10);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_ssthresh, 7);
	EQ(wt_info(w).tcpi_snd_cwnd, 7);
}

static void echo_without_ecn(struct wt *w)
{
	wt_established(w);
	wt_send(w, 10 * MSS);
	EQ(wt_drop(w), 10);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 11);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 0);
}

static void loss_in_the_same_window(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	flight(w, 10);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
	for (unsigned i = 0; i < 3; i++) {
		wt_pass(w, 0.02);
		INJECT(.flags = A | E, .seq = 1, .ack = 1 + MSS);
	}
	EXPECT(.flags = A, .seq = 1 + MSS, .ack = 1, .len = MSS, .any_psh = true);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	EQ(wt_info(w).tcpi_snd_ssthresh, 5); /* "only once in response to a series" */
	wt_drop(w);
}

static void cwr_after_loss(struct wt *w)
{
	flight(w, 10);
	wt_send(w, 20 * MSS);
	EQ(wt_drop(w), 0);
	for (unsigned i = 0; i < 2; i++)
		INJECT(.flags = A, .seq = 1, .ack = 1);
	expect_new(w, 1 + 10 * MSS, 2); /* limited transmit: nothing was reduced yet */
	wt_pass(w, 0.02);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 12 * MSS);
	EXPECT(.flags = A | C, .seq = 1 + 12 * MSS, .ack = 1, .len = MSS, .ecn = ECT0);
	wt_drop(w);
}

static void cwr_after_timeout(struct wt *w)
{
	flight(w, 1);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	wt_send(w, 2 * MSS);
	EXPECT(.flags = A | C, .seq = 1 + MSS, .ack = 1, .len = MSS, .ecn = ECT0);
	expect_new(w, 1 + 2 * MSS, 1);
}

/* a loss that a tail loss probe has repaired, and a mark of the same window, told at once: one reduction, told by CWR */
static void probe_in_the_same_window(struct wt *w)
{
	w->cfg.tcp_congestion = 0;
	w->peer.sackok = true;
	flight(w, 10);
	EXPECT_IN(1, 100, .flags = PA, .seq = 1 + 9 * MSS, .ack = 1, .len = MSS); /* the probe */
	wt_pass(w, 5);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	wt_send(w, 10 * MSS);
	expect_new(w, 1 + 10 * MSS, 10);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + 11 * MSS);
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 1);
	EQ(wt_info(w).tcpi_snd_ssthresh, 5);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 20 * MSS);
	wt_send(w, MSS);
	EXPECT(.flags = PA | C, .seq = 1 + 20 * MSS, .ack = 1, .len = MSS, .ecn = ECT0);
}

/* all that is sent until nothing follows; returns where it ends */
static uint32_t end_of_flight(struct wt *w)
{
	const struct frame_info *f;
	uint32_t end = 0;

	while ((f = wt_next(w, 0)) != NULL)
		end = RTE_MAX(end, f->seg.seq - w->flow.iss + f->seg.len);
	return end;
}

/* RFC 9438 4.9.2 gives back what a needless recovery has taken; what marks have taken it has not */
static void mark_before_a_needless_recovery(struct wt *w)
{
	const uint32_t first = 1 + 10 * MSS;
	uint32_t end;

	w->peer.sackok = true;
	w->cfg.tcp_sndbuf = 1000000;
	with_ecn_after(w, 40);
	wt_send(w, 10 * MSS);
	expect_new(w, 1, 10);
	wt_pass(w, 40);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 7);
	wt_send(w, 60 * MSS);
	INJECT(.flags = A, .seq = 1, .ack = first);
	end = end_of_flight(w);
	wt_pass(w, 40);
	INJECT(.flags = A, .seq = 1, .ack = end); /* congestion avoidance has begun */
	end = end_of_flight(w);
	wt_pass(w, 40);
	INJECT(.flags = A | E, .seq = 1, .ack = end - 6 * MSS);
	IN(wt_info(w).tcpi_snd_cwnd, 4, 5);
	INJECT(.flags = A, .seq = 1, .ack = end - 6 * MSS, .nb_sack = 1,
	       .sack = {{end - 5 * MSS, end - 2 * MSS}});
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	wt_pass(w, 5);
	INJECT(.flags = A, .seq = 1, .ack = end - 2 * MSS); /* it was late */
	INJECT(.flags = A, .seq = 1, .ack = end - 2 * MSS, .nb_sack = 1,
	       .sack = {{end - 6 * MSS, end - 5 * MSS}});
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	for (unsigned i = 0; i < 2; i++) {
		end = end_of_flight(w);
		wt_pass(w, 40);
		INJECT(.flags = A, .seq = 1, .ack = end);
	}
	IN(wt_info(w).tcpi_snd_cwnd, 4, 6);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	wt_drop(w);
}

/* ---- DCTCP ---- */

static void with_dctcp(struct wt *w)
{
	w->cfg.tcp_congestion = 2;
	w->cfg.tcp_ecn = 0; /* it needs ECN all the same */
	wt_listen(w, 8);
	INJECT(.flags = S | E | C, .mss = MSS);
	/* RFC 8257 3.4: ECT on SYN, SYN-ACK and RST */
	EXPECT(.flags = SA | E, .ack = 1, .mss = MSS, .ecn = ECT0);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ecn = ECT0);
	wt_accept(w);
	CHECK(has_ecn(w));
}

static void dctcp_asks(struct wt *w)
{
	w->cfg.tcp_congestion = 2;
	start_active(w);
	EXPECT(.flags = S | E | C, .mss = MSS, .ecn = ECT0);
	EXPECT_IN(999, 1003, .flags = S, .mss = MSS);
	INJECT(.flags = SA, .ack = 1, .mss = MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(!has_ecn(w));
}

static void dctcp_receiver(struct wt *w)
{
	with_dctcp(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	EQ(wt_drop(w), 0);
	/* CE becomes true: what came before is acknowledged without ECE, then this with it */
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(.flags = A, .seq = 1, .ack = 11, .ecn = ECT0);
	EXPECT(.flags = A | E, .seq = 1, .ack = 21, .ecn = ECT0);
	/* no change: delayed as ever; CWR means nothing here */
	INJECT(.flags = PA | C, .seq = 21, .ack = 1, .len = 10, .ecn = CE);
	EXPECT_IN(39, 41, .flags = A | E, .seq = 1, .ack = 31, .ecn = ECT0);
	INJECT(.flags = PA, .seq = 31, .ack = 1, .len = 10, .ecn = CE);
	/* CE becomes false */
	INJECT(.flags = PA, .seq = 41, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT(.flags = A | E, .seq = 1, .ack = 41, .ecn = ECT0);
	EXPECT(.flags = A, .seq = 1, .ack = 51, .ecn = ECT0);
	INJECT(.flags = PA, .seq = 51, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(39, 41, .flags = A, .seq = 1, .ack = 61, .ecn = ECT0);
	/* nothing owed: only the new state is told */
	INJECT(.flags = PA, .seq = 61, .ack = 1, .len = 10, .ecn = CE);
	EXPECT(.flags = A | E, .seq = 1, .ack = 71, .ecn = ECT0);
	wt_read(w, 70);
}

static void dctcp_sender(struct wt *w)
{
	with_dctcp(w);
	wt_send(w, 10 * MSS);
	expect_new(w, 1, 10);
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 5); /* alpha is 1 at first */
	INJECT(.flags = A | E, .seq = 1, .ack = 1 + 5 * MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 10 * MSS);
	EQ(wt_info(w).tcpi_snd_cwnd, 5);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
}

/* "A DCTCP sender MUST react to loss episodes in the same way as conventional TCP": also when marks, of which there are
 * few, have reduced cwnd by a little in the same window */
static void dctcp_loss_after_mark(struct wt *w)
{
	uint32_t acked = 1;

	with_dctcp(w);
	for (unsigned i = 0; i < 64; i++) { /* alpha falls by a sixteenth per window */
		wt_send(w, 10 * MSS);
		wt_drop(w);
		acked += 10 * MSS;
		INJECT(.flags = A, .seq = 1, .ack = acked);
	}
	wt_send(w, 10 * MSS);
	wt_drop(w);
	acked += MSS;
	INJECT(.flags = A | E, .seq = 1, .ack = acked);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 1);
	CHECK(wt_info(w).tcpi_snd_ssthresh >= 10);
	for (unsigned i = 0; i < 3; i++) {
		wt_pass(w, 0.02);
		INJECT(.flags = A, .seq = 1, .ack = acked);
	}
	EXPECT(.flags = A, .seq = acked, .ack = 1, .len = MSS, .any_psh = true, .ecn = ECT0);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	IN(wt_info(w).tcpi_snd_ssthresh, 4, 5); /* half of what was under way */
	wt_drop(w);
}

/* ---- ECN++ (draft-ietf-tcpm-generalized-ecn) ---- */

/* a passive connection whose SYN-ACK was sent with ECT, and acknowledged with these flags */
static void with_plus(struct wt *w, uint8_t flags)
{
	w->cfg.tcp_ecn_plus = 1;
	wt_listen(w, 8);
	INJECT(.flags = S | E | C, .mss = MSS);
	EXPECT(.flags = SA | E, .ack = 1, .mss = MSS, .ecn = ECT0); /* 3.2.2 */
	INJECT(.flags = flags, .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(has_ecn(w));
}

static void plus_everything(struct wt *w)
{
	with_plus(w, A);
	wt_send(w, 2 * MSS);
	expect_new(w, 1, 2);
	/* 3.2.7: what is sent again */
	EXPECT_IN(199, 1001, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true,
	          .ecn = ECT0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
	/* 3.2.3: nobody would tell of the mark of an acknowledgement */
	INJECT(.flags = PA, .seq = 1, .ack = 1 + 2 * MSS, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, .flags = A, .seq = 1 + 2 * MSS, .ack = 11);
	wt_read(w, 10);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1 + 2 * MSS, .ack = 11, .ecn = ECT0); /* 3.2.5 */
}

static void plus_probe(struct wt *w)
{
	with_plus(w, A);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 100);
	/* 3.2.4 */
	EXPECT_IN(199, 1003, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true,
	          .ecn = ECT0);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	EXPECT(.flags = PA, .seq = 2, .ack = 1, .len = 99, .ecn = ECT0);
}

static void plus_reset(struct wt *w)
{
	with_plus(w, A);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	wt_drop(w);
	OK(pc_close(w->st, w->flow.fd)); /* with something unread */
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 1, .ack = 11, .ecn = ECT0); /* 3.2.6 */
}

/* 3.2.2: a SYN-ACK that came marked says that there is no room for ten segments, but for one */
static void plus_marked_syn_ack(struct wt *w)
{
	with_plus(w, A | E);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	wt_send(w, 10 * MSS);
	EXPECT(.flags = A | C, .seq = 1, .ack = 1, .len = MSS, .any_psh = true, .ecn = ECT0);
	NOTHING(100);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS);
	expect_new(w, 1 + MSS, 2);
	EQ(wt_count(w, PC_TCP_ECN_REDUCTIONS), 0);
}

/* without ECN++ no SYN-ACK can have been marked, and ECE in its acknowledgement is an echo of nothing */
static void unmarked_syn_ack(struct wt *w)
{
	wt_listen(w, 8);
	INJECT(.flags = S | E | C, .mss = MSS);
	EXPECT(.flags = SA | E, .ack = 1, .mss = MSS);
	INJECT(.flags = A | E, .seq = 1, .ack = 1);
	wt_accept(w);
	CHECK(wt_info(w).tcpi_snd_cwnd > 1);
}

/* 3.2.2: what was lost may have been for the bits */
static void plus_syn_ack_again(struct wt *w)
{
	w->cfg.tcp_ecn_plus = 1;
	wt_listen(w, 8);
	INJECT(.flags = S | E | C, .mss = MSS);
	EXPECT(.flags = SA | E, .ack = 1, .mss = MSS, .ecn = ECT0);
	EXPECT_IN(999, 1003, .flags = SA | E, .ack = 1, .mss = MSS);
}

static void plus_without_ecn(struct wt *w)
{
	w->cfg.tcp_ecn_plus = 1;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(199, 1001, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* 3.3.1: whoever gets a SYN-ACK that was marked tells, whether he marks his own or not; no SYN is sent with ECT */
static void told_of_syn_ack(struct wt *w)
{
	w->cfg.tcp_ecn = 1;
	start_active(w);
	EXPECT(.flags = S | E | C, .mss = MSS);
	INJECT(.flags = SA | E, .ack = 1, .mss = MSS, .ecn = CE);
	EXPECT(.flags = A | E, .seq = 1, .ack = 1);
	EQ(wt_count(w, PC_TCP_ECN_MARKED), 1);
	INJECT(.flags = A | C, .seq = 1, .ack = 1, .len = 10, .ecn = ECT0);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 11);
	wt_read(w, 10);
}

static void told_of_fin(struct wt *w)
{
	with_ecn(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1, .ecn = CE);
	EXPECT(.flags = A | E, .seq = 1, .ack = 2);
}

static const struct wt_case cases[] = {
    {"RFC 3168 6.1.1: an ECN-setup SYN is answered by an ECN-setup SYN-ACK", setup_passive},
    {"tcp.ecn 0: RFC 3168 6.1.1: a non-ECN-setup SYN-ACK", setup_refused},
    {"RFC 3168 6.1.1: what is no ECN-setup SYN", not_setup},
    {"RFC 3168 6.1.1: the SYN-ACK repeats its answer", syn_ack_repeats},
    {"RFC 3168 6.1.1: an active open asks with ECE and CWR", setup_active},
    {"RFC 3168 6.1.1: a SYN-ACK without ECE", answer_without},
    {"RFC 3168 6.1.1: a SYN-ACK that reflects both flags is no answer", answer_reflects},
    {"RFC 3168 6.1.1: a SYN-ACK with CWR alone is no answer", answer_cwr},
    {"tcp.ecn 2: what was not asked for is not had", not_asked},
    {"RFC 3168 6.1.1.1: a repeated SYN does not ask again", falls_back},
    {"RFC 3168 6.1.1: simultaneous open", simultaneous},
    {"RFC 3168 6.1.4, 6.1.5: ECT(0) on new data only", ect_on_new_data},
    {"RFC 3168 6.1.6: no ECT on window probes", probes_without_ect},
    {"IP_TOS keeps its six bits", tos_is_kept},
    {"RFC 3168 6.1.3: ECE from CE until CWR", echo_until_cwr},
    {"RFC 3168 6.1.3: CWR in a packet that is marked itself", cwr_marked},
    {"RFC 3168 6.1.4, 6.1.5: marks that do not count", marks_that_do_not_count},
    {"RFC 3168 6.1.2: no ECE on RST", no_echo_on_rst},
    {"RFC 3168 6.1.2: one reduction per window, told by one CWR", one_reduction},
    {"RFC 9438 4.6: marks reduce by beta", beta_of_cubic},
    {"RFC 3168 6.1: ECE means nothing without ECN", echo_without_ecn},
    {"RFC 3168 6.1.2: marks and losses of a window are one reduction", loss_in_the_same_window},
    {"RFC 3168 6.1.2: ... also a loss that a probe has repaired", probe_in_the_same_window},
    {"RFC 9438 4.9.2: a mark before a recovery that was none", mark_before_a_needless_recovery},
    {"RFC 3168 6.1.2: CWR after a fast retransmit", cwr_after_loss},
    {"RFC 3168 6.1.2: CWR after a time-out", cwr_after_timeout},
    {"RFC 8257 3.4: DCTCP asks for ECN with ECT, once", dctcp_asks},
    {"RFC 8257 3.2: ECE follows CE, a change is told at once", dctcp_receiver},
    {"RFC 8257 3.3: cwnd (1 - alpha / 2)", dctcp_sender},
    {"RFC 8257 3.5: a loss in a window with marks", dctcp_loss_after_mark},
    {"ECN++: ECT on all but acknowledgements", plus_everything},
    {"ECN++: ECT on probes of a closed window", plus_probe},
    {"ECN++: ECT on a reset", plus_reset},
    {"ECN++: a SYN-ACK that came marked", plus_marked_syn_ack},
    {"ECN++: one that cannot have", unmarked_syn_ack},
    {"ECN++: a SYN-ACK that is sent again has no ECT", plus_syn_ack_again},
    {"ECN++: nothing without ECN", plus_without_ecn},
    {"ECN++: a marked SYN-ACK is told of", told_of_syn_ack},
    {"ECN++: a marked FIN is told of", told_of_fin},
};

WT_MAIN("ecn")
