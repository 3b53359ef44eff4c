/* SPDX-License-Identifier: BSD-2-Clause */

/* Sequences of events that conformance scripts for other stacks try, and no other suite here had. */

#include "wt.h"

#define MSS 1460

#define SEG(i) (1 + (uint32_t)(i)*MSS) /* where the i-th segment begins, from 0 */
#define ACK(a) INJECT(.flags = A, .seq = 1, .ack = (a))
#define SACK(a, from, to) \
	INJECT(.flags = A, .seq = 1, .ack = (a), .nb_sack = 1, .sack = {{from, to}})
#define SENT(i) EXPECT(.flags = A, .seq = SEG(i), .ack = 1, .len = MSS, .any_psh = true)

/* n full segments are queued on a connection whose round trip takes 40 ms; ten of them go at first */
static void queued(struct wt *w, bool sack, unsigned n)
{
	w->cfg.tcp_tlp = 0; /* what is meant here is the time-out */
	w->peer.sackok = sack;
	wt_established_after(w, 40);
	wt_send(w, n * MSS);
	for (unsigned i = 0; i < n && i < 10; i++)
		SENT(i);
}

/* ---- F-RTO (RFC 5682) ------------------------------------------------------------------------ */

/* the time-out, and much later the answer to the first segment */
static void timed_out(struct wt *w)
{
	EXPECT_IN(200, 300, .flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	wt_pass(w, 100);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);
	ACK(SEG(1));
}

/* "transmit up to two new (previously unsent) segments"; "the TCP sender SHOULD ... declare the timeout
 * spurious" when what was not sent again is acknowledged */
static void delayed(struct wt *w, bool sack)
{
	queued(w, sack, 12);
	timed_out(w);
	SENT(10);
	SENT(11);
	wt_pass(w, 10);
	ACK(SEG(2));
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	CHECK(wt_info(w).tcpi_snd_cwnd >= 10);
	NOTHING(20);
	for (unsigned i = 3; i <= 12; i++)
		ACK(SEG(i));
	NOTHING(1000);
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 1);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void delayed_with_sack(struct wt *w)
{
	delayed(w, true);
}

static void delayed_without_sack(struct wt *w)
{
	delayed(w, false);
}

/* new data is reported and old data is not: it was lost, and is sent again */
static void lost_with_sack(struct wt *w)
{
	queued(w, true, 12);
	timed_out(w);
	SENT(10);
	SENT(11);
	SACK(SEG(1), SEG(10), SEG(11));
	SENT(1);
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	SACK(SEG(2), SEG(10), SEG(12));
	SENT(2);
	wt_drop(w);
	ACK(SEG(12));
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void lost_without_sack(struct wt *w)
{
	queued(w, false, 12);
	timed_out(w);
	SENT(10);
	SENT(11);
	ACK(SEG(1));
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
	CHECK(wt_next(w, 300) != NULL); /* the second, at the latest with the next time-out */
	wt_drop(w);
	ACK(SEG(12));
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* "if the TCP sender does not have any new data to send ... revert to the conventional RTO recovery" */
static void nothing_new(struct wt *w)
{
	queued(w, true, 4);
	timed_out(w);
	SENT(1);
	SENT(2);
	ACK(SEG(4));
}

static void frto_switched_off(struct wt *w)
{
	w->cfg.tcp_frto = 0;
	queued(w, true, 12);
	timed_out(w);
	SENT(1);
	SENT(2);
	ACK(SEG(10));
	SENT(10);
	SENT(11);
	ACK(SEG(12));
}

/* ---- other recoveries ------------------------------------------------------------------------ */

/* each repetition is reported as a duplicate: what it was for had arrived */
static void undone_by_dsack(struct wt *w)
{
	uint32_t ssthresh;

	queued(w, true, 10);
	ssthresh = wt_info(w).tcpi_snd_ssthresh;
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(4));
	SENT(0);
	CHECK(wt_info(w).tcpi_snd_ssthresh < 10);
	wt_pass(w, 10);
	INJECT(.flags = A, .seq = 1, .ack = SEG(5), .nb_sack = 1, .sack = {{SEG(0), SEG(1)}});
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	CHECK(wt_info(w).tcpi_snd_cwnd >= 10);
	EQ(wt_info(w).tcpi_snd_ssthresh, ssthresh);
	EQ(wt_info(w).tcpi_ca_state, TCP_CA_Open);
	NOTHING(10);
	ACK(SEG(10));
}

/* a receiver that takes several segments as one reports them as one, too */
static void undone_by_one_dsack(struct wt *w)
{
	queued(w, true, 10);
	wt_pass(w, 40);
	SACK(SEG(0), SEG(2), SEG(5));
	SENT(0);
	SENT(1);
	wt_pass(w, 10);
	INJECT(.flags = A, .seq = 1, .ack = SEG(5), .nb_sack = 1, .sack = {{SEG(0), SEG(2)}});
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	EQ(wt_totals(w).dsack_dups, 2);
	CHECK(wt_info(w).tcpi_snd_cwnd >= 10);
	NOTHING(10);
	ACK(SEG(10));
}

/* The repetition arrives after all that was sent before it, so the original's answer, which ends
 * the recovery, comes before the DSACK. */
static uint32_t recovered_before_dsack(struct wt *w, unsigned n)
{
	uint32_t ssthresh;

	queued(w, true, n);
	ssthresh = wt_info(w).tcpi_snd_ssthresh;
	wt_pass(w, 40);
	SACK(SEG(0), SEG(1), SEG(4));
	SENT(0);
	wt_pass(w, 10);
	ACK(SEG(10)); /* the original was only late */
	EQ(wt_info(w).tcpi_ca_state, TCP_CA_Open);
	CHECK(wt_info(w).tcpi_snd_ssthresh < 10);
	return ssthresh;
}

static void undone_after_recovery(struct wt *w)
{
	uint32_t ssthresh = recovered_before_dsack(w, 30), high = 10;

	while (wt_next(w, 0) != NULL)
		high++;
	wt_pass(w, 30);
	SACK(SEG(10), SEG(0), SEG(1));
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	EQ(wt_info(w).tcpi_snd_ssthresh, ssthresh);
	CHECK(wt_info(w).tcpi_snd_cwnd >= 10);
	while (wt_next(w, 0) != NULL)
		high++;
	CHECK(high >= 20);
	ACK(SEG(high));
	wt_drop(w);
	ACK(SEG(30));
}

/* ... also when nothing is under way any more */
static void undone_when_all_is_acked(struct wt *w)
{
	uint32_t ssthresh = recovered_before_dsack(w, 10);

	wt_pass(w, 30);
	SACK(SEG(10), SEG(0), SEG(1));
	EQ(wt_count(w, PC_TCP_UNDONE), 1);
	EQ(wt_info(w).tcpi_snd_ssthresh, ssthresh);
	CHECK(wt_info(w).tcpi_snd_cwnd >= 10);
}

/* a DSACK after the answer to what was sent next is of something else */
static void not_undone_later(struct wt *w)
{
	(void)recovered_before_dsack(w, 10);
	wt_send(w, 2 * MSS);
	SENT(10);
	SENT(11);
	wt_pass(w, 40);
	ACK(SEG(12));
	wt_pass(w, 10);
	SACK(SEG(12), SEG(0), SEG(1));
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
}

/* ... nor is one of what was sent only after it */
static void not_undone_by_another(struct wt *w)
{
	(void)recovered_before_dsack(w, 10);
	wt_send(w, 2 * MSS);
	SENT(10);
	SENT(11);
	wt_pass(w, 40);
	SACK(SEG(12), SEG(10), SEG(11)); /* the path has duplicated it */
	EQ(wt_count(w, PC_TCP_UNDONE), 0);
}

/* an acknowledgement that others have overtaken: what only it reports counts as delivered, else nothing does,
 * nor is its window taken */
static void overtaken_in_recovery(struct wt *w)
{
	queued(w, true, 20);
	wt_pass(w, 40);
	ACK(SEG(2));
	wt_drop(w);
	SACK(SEG(2), SEG(3), SEG(6));
	SENT(2);
	wt_drop(w);
	SACK(SEG(1), SEG(3), SEG(5));
	INJECT(.flags = A, .seq = 1, .ack = SEG(1), .wnd = 1000, .nb_sack = 1,
	       .sack = {{SEG(3), SEG(6)}});
	NOTHING(1);
	SACK(SEG(1), SEG(7), SEG(9));
	EQ(wt_info(w).tcpi_sacked, 5);
	EQ(wt_info(w).tcpi_lost, 2); /* and so the seventh is lost, too */
	SENT(6);
	wt_drop(w);
	ACK(SEG(14));
	wt_drop(w);
}

/* "a TCP sender SHOULD send a segment of previously unsent data ... upon receipt of the first and second
 * duplicate ACKs" */
static void limited_transmit(struct wt *w)
{
	queued(w, true, 12);
	SACK(SEG(0), SEG(1), SEG(2));
	SENT(10);
	SACK(SEG(0), SEG(1), SEG(3));
	SENT(11);
	SACK(SEG(0), SEG(1), SEG(4));
	SENT(0);
	EQ(wt_count(w, PC_TCP_FAST_RETRANSMITS), 1);
	ACK(SEG(12));
}

/* "cwnd ... only when it is fully used" (RFC 7661 section 3, in the way of RFC 2861) */
static void half_used(struct wt *w)
{
	queued(w, true, 4);
	for (unsigned i = 1; i <= 4; i++)
		ACK(SEG(i));
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* "the first ... contiguous sequence of duplicate bytes", as one segment after the other covers what was early */
static void duplicates_covered(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 1000);
	INJECT(.flags = PA, .seq = 2001, .ack = 1, .len = 1000);
	INJECT(.flags = PA, .seq = 3401, .ack = 1, .len = 200);
	INJECT(.flags = PA, .seq = 7001, .ack = 1, .len = 1000);
	EQ(wt_drop(w), 4);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1200);
	EXPECT(.flags = A, .seq = 1, .ack = 3001, .nb_sack = 3,
	       .sack = {{1001, 1201}, {7001, 8001}, {3401, 3601}});
	INJECT(.flags = PA, .seq = 3001, .ack = 1, .len = 1400);
	EXPECT(.flags = A, .seq = 1, .ack = 4401, .nb_sack = 2,
	       .sack = {{3401, 3601}, {7001, 8001}});
	INJECT(.flags = PA, .seq = 4401, .ack = 1, .len = 1400);
	EXPECT(.flags = A, .seq = 1, .ack = 5801, .nb_sack = 1, .sack = {{7001, 8001}});
	INJECT(.flags = PA, .seq = 5801, .ack = 1, .len = 1400);
	EXPECT(.flags = A, .seq = 1, .ack = 8001, .nb_sack = 1, .sack = {{7001, 7201}});
	wt_read(w, 8000);
}

/* a path of much bandwidth and delay: whatever fits into the window is kept behind a hole */
static void window_behind_hole(struct wt *w)
{
	const uint32_t len = 600, n = 1200, first = 1 + 4 * MSS;

	w->cfg.tcp_rcvbuf = 1 << 20;
	w->peer.ws = 8;
	w->peer.sackok = true;
	wt_established(w);
	for (uint32_t i = 0; i < 4; i++) /* from these it knows how large segments are */
		INJECT(.flags = PA, .seq = SEG(i), .ack = 1, .len = MSS);
	wt_read(w, 4 * MSS);
	wt_pass(w, 50);
	wt_drop(w);
	for (uint32_t i = 1; i < n; i++) {
		INJECT(.flags = PA, .seq = first + i * len, .ack = 1, .len = len);
		EXPECT(.flags = A, .seq = 1, .ack = first, .nb_sack = 1,
		       .sack = {{first + len, first + (i + 1) * len}});
	}
	EQ(wt_count(w, PC_DROP_TCP_OOO_FULL), 0);
	INJECT(.flags = PA, .seq = first, .ack = 1, .len = len);
	EXPECT(.flags = A, .seq = 1, .ack = first + n * len);
	wt_read(w, n * len);
	wt_drop(w);
}

/* ---- closing --------------------------------------------------------------------------------- */

/* the peer's FIN was sent before its acknowledgement of ours, and comes after it */
static void fin_overtaken(struct wt *w)
{
	wt_established(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 2, .ack = 2);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
	CHECK(wt_events(w, w->flow.fd) & POLLHUP);
}

/* the same with a gap in front of it, which is filled in FIN-WAIT-2 */
static void fin_before_data(struct wt *w)
{
	wt_established(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = FA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 2, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 2, .len = 100);
	EXPECT(.flags = A, .seq = 2, .ack = 202);
	wt_read(w, 200);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

/* part of what is missing comes, and the FIN is still not next */
static void fin_before_all_data(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = FA, .seq = 201, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 101);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	INJECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 202);
	wt_read(w, 100);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

/* nothing follows a FIN: what seemed to is thrown away, and not reported any more */
static void data_behind_fin(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1001, 1101}});
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 2);
}

/* the same if the FIN has data, which may have been sent twice, and fills the gap: the FIN is where
 * it says, not at the end of what seemed to follow it */
static void data_behind_fin_in_order(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	INJECT(.flags = PA, .seq = 51, .ack = 1, .len = 200);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{51, 251}});
	INJECT(.flags = FA, .seq = 1, .ack = 1, .len = 100);
	EXPECT(.flags = A, .seq = 1, .ack = 102);
	wt_read(w, 100);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
	EQ(wt_info(w).tcpi_state, TCP_CLOSE_WAIT);
}

/* RFC 2525 2.17 is about data that nobody has read; what came twice is none */
static void repeated_with_fin(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	wt_read(w, 1000);
	wt_pass(w, 50);
	wt_drop(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1, .len = 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1002);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1002);
	INJECT(.flags = A, .seq = 1002, .ack = 2);
	NOTHING(1000);
}

/* 3.10.4: "queue this until all preceding SENDs have been segmentized" */
static void shutdown_with_queue(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = MSS);
	EQ(wt_write(w, 3000, 0), 3000);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_RDWR));
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = SEG(1), .wnd = MSS);
	EXPECT(.flags = A, .seq = SEG(1), .ack = 1, .len = MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = SEG(2), .wnd = MSS);
	EXPECT(.flags = FA, .seq = SEG(2), .ack = 1, .len = 80, .any_psh = true);
	INJECT(.flags = FA, .seq = 1, .ack = 3002);
	EXPECT(.flags = A, .seq = 3002, .ack = 2);
}

static const struct wt_case cases[] = {
    {"RFC 5682 3.1: a time-out that was none, without timestamps", delayed_with_sack},
    {"RFC 5682 2.1: ... and without SACK", delayed_without_sack},
    {"RFC 5682 3.1: a time-out that was one", lost_with_sack},
    {"RFC 5682 2.1: ... without SACK", lost_without_sack},
    {"RFC 5682 3.1: nothing new to send", nothing_new},
    {"tcp.frto", frto_switched_off},
    {"RFC 3708 3: a recovery that a DSACK takes back", undone_by_dsack},
    {"RFC 3708 3: one DSACK of two segments", undone_by_one_dsack},
    {"RFC 3708 3: the DSACK comes when the recovery is over", undone_after_recovery},
    {"RFC 3708 3: ... and nothing is under way", undone_when_all_is_acked},
    {"RFC 3708 3: ... but not a round trip later", not_undone_later},
    {"RFC 3708 3: ... nor by one of later data", not_undone_by_another},
    {"RFC 2018 5: SACK blocks of an ACK that others have overtaken", overtaken_in_recovery},
    {"RFC 3042 2: limited transmit with SACK", limited_transmit},
    {"RFC 7661 3: a window that is not used does not grow", half_used},
    {"RFC 2883 4: duplicates among what fills a gap", duplicates_covered},
    {"RFC 9293 SHLD-31: a window of segments behind one hole", window_behind_hole},
    {"RFC 9293 3.10.7.4: a FIN that the ACK of ours has overtaken", fin_overtaken},
    {"RFC 9293 3.10.7.4: a FIN before its data in FIN-WAIT-1", fin_before_data},
    {"RFC 9293 3.10.7.4: a FIN before all of its data", fin_before_all_data},
    {"RFC 9293 3.10.7.4: data behind a FIN", data_behind_fin},
    {"RFC 9293 3.10.7.4: data behind a FIN that has data", data_behind_fin_in_order},
    {"RFC 2525 2.17: data that came twice is no unread data", repeated_with_fin},
    {"RFC 9293 3.10.4: SHUT_RDWR with data queued", shutdown_with_queue},
};

WT_MAIN("scenarios", .mbufs = WT_MANY_MBUFS)
