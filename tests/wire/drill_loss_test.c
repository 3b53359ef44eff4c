/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What scripts that were written for the kernels of Linux and FreeBSD try of losses in series, and no other suite
 * here had: repetitions that are lost themselves, or do not get out; holes far apart; a FIN that overtakes.
 */

#include <netinet/tcp.h>

#include "totals.h"
#include "wt.h"

#define MSS 1000
#define WND 65000

#define SEG(i) (1 + (uint32_t)(i)*MSS) /* where the i-th segment begins, from 0 */
#define ACK(a) INJECT(.flags = A, .seq = 1, .ack = (a), .wnd = WND)
#define SACK(a, from, to)                                                  \
	INJECT(.flags = A, .seq = 1, .ack = (a), .wnd = WND, .nb_sack = 1, \
	       .sack = {{SEG(from), SEG(to)}})
#define SACK2(a, from, to, low, high)                                      \
	INJECT(.flags = A, .seq = 1, .ack = (a), .wnd = WND, .nb_sack = 2, \
	       .sack = {{SEG(from), SEG(to)}, {SEG(low), SEG(high)}})
#define SENT(i) EXPECT(.flags = A, .seq = SEG(i), .ack = 1, .len = MSS, .any_psh = true)

static void open_to(struct wt *w, double rtt)
{
	w->peer = (struct peer){.mss = MSS, .sackok = true, .wnd = WND};
	w->cfg.tcp_sndbuf = 400000;
	wt_established_after(w, rtt);
}

static void sent(struct wt *w, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		SENT(i);
}

/* the first four of ten are lost, then the repetition of the second, and all new ones from the eleventh on but two:
 * what is delivered beyond what was sent says how much may leave, never less than what is lost again */
static void two_series(struct wt *w)
{
	open_to(w, 10);
	wt_send(w, 20 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 10);
	SACK(1, 4, 5);
	SENT(10);
	wt_pass(w, 2);
	SACK(1, 4, 6);
	SENT(11);
	for (unsigned i = 7; i <= 10; i++) {
		wt_pass(w, 2);
		SACK(1, 4, i);
		SENT(i - 7);
	}
	for (unsigned i = 11; i <= 12; i++) {
		wt_pass(w, 2);
		SACK(1, 4, i);
		SENT(i + 1);
	}
	wt_pass(w, 10);
	SACK(SEG(1), 4, 12);
	sent(w, 14, 16);
	wt_pass(w, 2);
	SACK(SEG(1), 2,
	     12); /* the third and fourth have come, and the second was sent before them */
	SENT(1);
	SENT(16);
	wt_pass(w, 2);
	SACK(SEG(1), 2, 13);
	SENT(17);
	wt_pass(w, 2);
	SACK(SEG(1), 2, 14);
	SENT(18);
	wt_pass(w, 2);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	ACK(SEG(14));
	wt_drop(w);
}

/* a hole, much later another while the first is open: each is filled once, and it is one reduction */
static void far_apart(struct wt *w)
{
	unsigned next = 10;

	open_to(w, 20);
	wt_send(w, 40 * MSS);
	sent(w, 0, 10);
	wt_pass(w, 20);
	for (unsigned i = 2; i <= 10; i++) {
		SACK(1, 1, i);
		if (i == 4)
			SENT(0);
		else if (wt_next(w, 0) != NULL)
			next++;
	}
	IN(next, 12, 17);
	EQ(wt_info(w).tcpi_ca_state, 3);
	wt_pass(w, 20);
	for (unsigned i = 12; i <= next; i++) /* the eleventh is lost, too */
		SACK2(1, 11, i, 1, 10);
	wt_pass(w, 1);
	EQ(wt_info(w).tcpi_snd_ssthresh, 7);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	wt_drop(w);
	ACK(SEG(10));
	ACK(SEG(next));
	EQ(wt_info(w).tcpi_ca_state, 0);
	IN(wt_count(w, PC_TCP_RETRANSMITS), 2, 3);
	wt_drop(w);
}

/* a repetition that the port does not take is delayed, and not sent twice, whatever comes in the meantime */
static void does_not_get_out(struct wt *w)
{
	open_to(w, 20);
	wt_send(w, 2 * MSS);
	sent(w, 0, 2);
	probe_limit_tx(w->probe, 0);
	wt_pass(w, 20);
	SACK(1, 1, 2);
	EQ(wt_info(w).tcpi_ca_state, 1);
	wt_pass(w, 20);
	EQ(wt_info(w).tcpi_ca_state, 3);
	EQ(wt_info(w).tcpi_sacked, 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .wnd = WND, .nb_sack = 1,
	       .sack = {{SEG(1), SEG(2)}});
	wt_pass(w, 5);
	EQ(wt_drop(w), 0);
	probe_limit_tx(w->probe, 64);
	wt_read(w, 100);
	EXPECT_IN(0, 1, .flags = PA, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	wt_drop(w);
	INJECT(.flags = A, .seq = 101, .ack = SEG(2), .wnd = WND);
	EQ(wt_info(w).tcpi_ca_state, 0);
	EQ(wt_info(w).tcpi_unacked, 0);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 1);
}

/* the FIN has come and the text before it has not: its number is in a block, too */
static void fin_overtakes(struct wt *w)
{
	open_to(w, 20);
	wt_send(w, 2 * MSS);
	sent(w, 0, 2);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = SEG(2), .ack = 1);
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = SEG(1), .wnd = WND, .nb_sack = 1,
	       .sack = {{SEG(2), SEG(2) + 1}});
	EXPECT_IN(0, 300, .flags = FA, .seq = SEG(1), .ack = 1, .len = MSS, .any_psh = true);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = SEG(2) + 1, .wnd = WND);
	EQ(wt_info(w).tcpi_state, TCP_FIN_WAIT2);
	NOTHING(3000);
}

/* what was learnt of the path says how much is sent, not what is announced: that is for the other way */
static void announced_mss(struct wt *w)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	struct frame quoted, f;
	struct tcp_seg s;

	wt_established(w);
	wt_send(w, WT_MSS);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = WT_MSS);
	s = (struct tcp_seg){
	    .sport = w->flow.lport, .dport = w->flow.pport, .seq = w->flow.iss + 1};
	frame_tcp(&quoted, &back, &s, NULL, NULL, 0);
	frame_icmp(&f, &e, 3, 4, (uint8_t[4]){0, 0, 1200 >> 8, 1200 & 0xff}, quoted.b + 14, 28);
	wt_inject_frame(w, &f);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1160, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1161, .ack = 1, .len = 300);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, WT_MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1160, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1161, .ack = 1, .len = 300);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
}

/* the largest time-out is that of SYN-ACKs, too, with Fast Open and without */
static void syn_ack_each_second(struct wt *w)
{
	w->cfg.tcp_rto_max_ms = 1000;
	w->cfg.tcp_fastopen = 0x202; /* a server that wants no cookies */
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = 0;
	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &(int){1}, sizeof(int)));
	for (uint32_t len = 0; len <= 10; len += 10) {
		INJECT(.flags = S, .mss = WT_MSS, .sackok = true, .len = len);
		EXPECT(.flags = SA, .ack = 1 + len, .mss = WT_MSS, .sackok = true);
		for (unsigned i = 0; i < 3; i++)
			EXPECT_IN(998, 1002, .flags = SA, .ack = 1 + len, .mss = WT_MSS,
			          .sackok = true);
		INJECT(.flags = A, .seq = 1 + len, .ack = 1);
		wt_accept(w);
		EQ(!!(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA), len > 0);
		wt_flow(w);
	}
}

static const struct wt_case cases[] = {
    {"RFC 9937 6: two series of losses", two_series},
    {"RFC 6675 5: holes far apart", far_apart},
    {"RFC 8985 6.2: a repetition that the port does not take", does_not_get_out},
    {"RFC 2018 3: the FIN overtakes its data", fin_overtakes},
    {"RFC 9293 3.7.1: IPv4, the MSS that is announced is not the path's", announced_mss},
    {"RFC 6298 2.5: the ceiling holds for SYN-ACKs", syn_ack_each_second},
};

WT_MAIN("drill_loss")
