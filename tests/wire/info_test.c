/* SPDX-License-Identifier: BSD-2-Clause */

/* TCP_INFO under loss and closed windows, as Linux fills it. */

#include "totals.h"
#include "wt.h"

#include <netinet/tcp.h>

#define MSS     1460
#define SEG(i)  (1 + (uint32_t)(i)*MSS)
#define ACK(a)  INJECT(.flags = A, .seq = 1, .ack = (a))
#define SENT(i) EXPECT(.flags = A, .seq = SEG(i), .ack = 1, .len = MSS, .any_psh = true)

/* tcp(7) and RFC 4898: a loss is sent again, and counted with what was sent */
static void loss(struct wt *w)
{
	w->peer.sackok = true;
	w->cfg.tcp_tlp = 0;
	wt_established(w);
	wt_send(w, 5 * MSS);
	for (unsigned i = 0; i < 5; i++)
		SENT(i);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{SEG(1), SEG(3)}});
	EQ(wt_totals(w).delivered, 1 + 2);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{SEG(1), SEG(5)}});
	wt_pass(w, 40);
	SENT(0);
	ACK(SEG(5));
	EQ(wt_totals(w).bytes_acked, 5 * MSS);
	EQ(wt_totals(w).bytes_sent, 6 * MSS);
	EQ(wt_totals(w).bytes_retrans, MSS);
	EQ(wt_totals(w).total_retrans, 1);
	EQ(wt_totals(w).data_segs_out, 6);
	EQ(wt_totals(w).delivered, 1 + 5);
	INJECT(.flags = A, .seq = 1, .ack = SEG(5), .nb_sack = 1, .sack = {{SEG(0), SEG(1)}});
	EQ(wt_totals(w).dsack_dups, 1);
}

/* as on Linux: segments are counted, not bytes, however small they are */
static void small_segments(struct wt *w)
{
	w->peer.sackok = true;
	w->cfg.tcp_tlp = 0;
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	for (uint32_t i = 0; i < 5; i++) {
		wt_send(w, 10);
		EXPECT(.flags = PA, .seq = 1 + 10 * i, .ack = 1, .len = 10);
	}
	EQ(wt_info(w).tcpi_unacked, 5);
	EQ(wt_info(w).tcpi_lost, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{11, 51}});
	wt_pass(w, 40);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EQ(wt_info(w).tcpi_unacked, 5);
	EQ(wt_info(w).tcpi_sacked, 4);
	EQ(wt_info(w).tcpi_lost, 1);
	EQ(wt_info(w).tcpi_retrans, 1);
	ACK(51);
	EQ(wt_info(w).tcpi_unacked, 0);
	EQ(wt_info(w).tcpi_lost, 0);
	EQ(wt_info(w).tcpi_retrans, 0);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	EXPECT(.flags = FA, .seq = 51, .ack = 1);
	EQ(wt_info(w).tcpi_unacked, 1);
}

/* what was announced is the link's, whatever the path is known to take */
static void announced(struct wt *w)
{
	wt_established(w);
	EQ(wt_info(w).tcpi_advmss, WT_MSS);
	wt_send(w, MSS);
	SENT(0);
	wt_too_big(w, 1200, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1160, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1161, .ack = 1, .len = 300);
	EQ(wt_info(w).tcpi_snd_mss, 1160);
	EQ(wt_info(w).tcpi_advmss, WT_MSS);
	ACK(SEG(1));
}

/* the peer's window, then the send buffer, then nothing keeps the sender */
static void limits(struct wt *w)
{
	struct totals t;

	w->cfg.tcp_tlp = 0;
	w->peer.wnd = 2 * MSS;
	wt_established(w);
	wt_send(w, 3 * MSS);
	SENT(0);
	SENT(1);
	EQ(wt_totals(w).notsent, MSS);
	EQ(wt_totals(w).snd_wnd, 2 * MSS);
	wt_pass(w, 100);
	t = wt_totals(w);
	IN(t.rwnd_us, 100000, 101000);
	INJECT(.flags = A, .seq = 1, .ack = SEG(2), .wnd = 2 * MSS);
	SENT(2);
	wt_pass(w, 50);
	ACK(SEG(3));
	t = wt_totals(w);
	IN(t.rwnd_us, 100000, 102000);
	IN(t.busy_us, 150000, 153000);
	EQ(t.sndbuf_us, 0);
	wt_pass(w, 1000);
	IN(wt_totals(w).busy_us, 150000, 153000);
	EQ(wt_totals(w).notsent, 0);
}

/* "the application was refused more": all is under way */
static void send_buffer(struct wt *w)
{
	w->cfg.tcp_tlp = 0;
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_SNDBUF, 4096);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	IN(wt_write(w, 3 * MSS, 0), 2 * MSS, 4096);
	wt_settle(w);
	wt_pass(w, 100);
	IN(wt_totals(w).sndbuf_us, 100000, 101000);
	EQ(wt_totals(w).rwnd_us, 0);
	wt_drop(w);
}

/* a round trip's worth, by the time it took */
static void rate(struct wt *w)
{
	w->cfg.tcp_tlp = 0;
	wt_established(w);
	EQ(wt_totals(w).delivery_rate, 0);
	wt_send(w, 4 * MSS);
	for (unsigned i = 0; i < 4; i++)
		SENT(i);
	wt_pass(w, 100);
	ACK(SEG(4));
	IN(wt_totals(w).delivery_rate, 4 * MSS * 9, 4 * MSS * 10);
	IN(wt_totals(w).min_rtt, 100000, 101000);
	/* less, as the application had no more: what was seen counts on */
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = SEG(4), .ack = 1, .len = 100);
	wt_pass(w, 100);
	ACK(SEG(4) + 100);
	IN(wt_totals(w).delivery_rate, 4 * MSS * 9, 4 * MSS * 10);
}

/* 64 bits, whatever the sequence numbers do */
static void early(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	wt_drop(w);
	EQ(wt_totals(w).rcv_ooopack, 1);
	EQ(wt_totals(w).bytes_received, 0);
	EQ(wt_totals(w).data_segs_in, 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_drop(w);
	EQ(wt_totals(w).bytes_received, 200);
	EQ(wt_totals(w).data_segs_in, 2);
	wt_read(w, 200);
}

/* a SYN and a FIN that are sent again are retransmissions, without bytes */
static void handshake(struct wt *w)
{
	wt_syn_sent(w);
	EXPECT_IN(900, 1100, .flags = S, .mss = MSS, .sackok = true, .ts = TS, .ws = 8,
	          .any_wnd = true);
	EQ(wt_totals(w).total_retrans, 1);
	EQ(wt_totals(w).segs_out, 2);
	EQ(wt_totals(w).bytes_sent, 0);
}

/* RFC 2883 section 4: a first block within the second is a duplicate as well as one below the acknowledgement, and one beside it
 * is none */
static void duplicates_reported(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	wt_send(w, 4 * MSS);
	EQ(wt_drop(w), 4);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2,
	       .sack = {{1 + 3 * MSS, 1 + 4 * MSS}, {1 + MSS, 1 + 2 * MSS}});
	EQ(wt_totals(w).dsack_dups, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2,
	       .sack = {{1 + MSS, 1 + 2 * MSS}, {1 + MSS, 1 + 4 * MSS}});
	EQ(wt_totals(w).dsack_dups, 1);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS, .nb_sack = 1, .sack = {{1, 1 + 2 * MSS}});
	EQ(wt_totals(w).dsack_dups, 3);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS, .nb_sack = 1, .sack = {{1, 101}});
	EQ(wt_totals(w).dsack_dups, 4); /* a part of a segment was a segment */
	wt_send(w, 2 * MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 5 * MSS, .nb_sack = 1,
	       .sack = {{1 + 4 * MSS, 1 + 6 * MSS}});
	EQ(wt_totals(w).dsack_dups,
	   4); /* what reaches beyond the acknowledgement is no duplicate */
	INJECT(.flags = A, .seq = 1, .ack = 1 + 5 * MSS, .nb_sack = 1,
	       .sack = {{1 - (1u << 30), 1}});
	EQ(wt_totals(w).dsack_dups, 4); /* more than a window was not sent at a time */
	/* RFC 2018 section 3: a left edge, and a right edge behind it */
	INJECT(.flags = A, .seq = 1, .ack = 1 + 5 * MSS, .nb_sack = 1,
	       .sack = {{1 + 2 * MSS, 1 + MSS}});
	INJECT(.flags = A, .seq = 1, .ack = 1 + 5 * MSS, .nb_sack = 1, .sack = {{1, 1}});
	/* nor can twice have come what was never sent */
	INJECT(.flags = A, .seq = 1, .ack = 1 + 5 * MSS, .nb_sack = 2,
	       .sack = {{1 + 8 * MSS, 1 + 9 * MSS}, {1 + 7 * MSS, 1 + 9 * MSS}});
	EQ(wt_totals(w).dsack_dups, 4);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"RFC 4898: bytes and segments sent again", loss},
    {"TCP_INFO: small segments in flight", small_segments},
    {"TCP_INFO: IPv4, the announced MSS", announced},
    {"TCP_INFO: busy, and limited by the peer's window", limits},
    {"TCP_INFO: limited by the send buffer", send_buffer},
    {"TCP_INFO: delivery rate and round trip", rate},
    {"TCP_INFO: segments out of order", early},
    {"TCP_INFO: a SYN sent again", handshake},
    {"RFC 2883 4: duplicates that the peer reports", duplicates_reported},
};

WT_MAIN("info")
