/* SPDX-License-Identifier: BSD-2-Clause */

/* Receive coalescing: segments of one burst that go on as one, and nobody can tell but by the counter. */

#include <rte_mbuf.h>

#include "wt.h"

#define LEN 1000

static uint64_t merged(const struct wt *w)
{
	return wt_count(w, PC_TCP_RX_MERGED);
}

/* a further connection of the listener */
static void another(struct wt *w)
{
	wt_flow(w);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* n segments of a stream from seq on, in one burst */
static void queue_run(struct wt *w, uint32_t seq, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		QUEUE(.flags = i + 1 < n ? A : PA, .seq = seq + i * LEN, .ack = 1, .len = LEN);
}

static void run(struct wt *w)
{
	w->peer.ts = true;
	wt_established(w);
	queue_run(w, 1, 5);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 5 * LEN + 1);
	NOTHING(500);
	EQ(merged(w), 4);
	EQ(wt_totals(w).segs_in, 2 + 5); /* with the handshake */
	EQ(wt_totals(w).data_segs_in, 5);
	EQ(wt_totals(w).bytes_received, 5 * LEN);
	EQ(wt_info(w).tcpi_rcv_mss, LEN);
	wt_read(w, 5 * LEN);
}

/* what comes from afar (RFC 5082) does not hide behind what comes from near */
static void from_afar(struct wt *w)
{
	w->peer.ttl = 255;
	wt_established(w);
	if (wt_ip6)
		wt_opt(w, IPPROTO_IPV6, IPV6_MINHOPCOUNT, 255);
	else
		wt_opt(w, IPPROTO_IP, IP_MINTTL, 255);
	queue_run(w, 1, 2);
	w->peer.ttl = 254;
	queue_run(w, 2 * LEN + 1, 2);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 2 * LEN + 1);
	wt_read(w, 2 * LEN);
	EQ(wt_count(w, PC_DROP_TCP_MIN_TTL), 1); /* one, as those were put together */
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
}

static void switched_off(struct wt *w)
{
	w->cfg.tcp_gro = 0;
	wt_established(w);
	queue_run(w, 1, 5);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 5 * LEN + 1);
	EQ(merged(w), 0);
	EQ(wt_totals(w).data_segs_in, 5);
	wt_read(w, 5 * LEN);
}

static void at_most(struct wt *w)
{
	wt_established(w);
	queue_run(w, 1, 20);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 20 * LEN + 1);
	EQ(merged(w), 18); /* sixteen, and four */
	wt_read(w, 20 * LEN);
}

/* the sizes may differ: what counts as a full segment is the longest */
static void sizes(struct wt *w)
{
	wt_established(w);
	QUEUE(.flags = A, .seq = 1, .ack = 1, .len = 600);
	QUEUE(.flags = A, .seq = 601, .ack = 1, .len = 1200);
	QUEUE(.flags = A, .seq = 1801, .ack = 1, .len = 700);
	QUEUE(.flags = PA, .seq = 2501, .ack = 1, .len = 535);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 3036);
	EQ(merged(w), 2);
	EQ(wt_info(w).tcpi_rcv_mss, 1200);
	wt_read(w, 3035);
}

/* what is received as packets comes as it was sent */
static void packets(struct wt *w)
{
	struct rte_mbuf *m[4];

	wt_established(w);
	queue_run(w, 1, 3);
	wt_settle(w);
	EQ(merged(w), 2);
	EQ(pc_recv_mbufs(w->st, w->flow.fd, m, 4), 3);
	for (int i = 0; i < 3; i++) {
		EQ(m[i]->pkt_len, LEN);
		EQ(m[i]->nb_segs, 1);
		CHECK(m[i]->next == NULL);
		rte_pktmbuf_free(m[i]);
	}
	wt_pass(w, 500);
	wt_drop(w);
}

/* ---- what is not the same -------------------------------------------------------------------- */

/* the second segment of a burst, and what it is not to be merged for */
static const struct {
	const char *why;
	struct seg first, second;
} alone[] = {
    {"another acknowledgement", {.flags = A, .ack = 1}, {.flags = A, .ack = 101}},
    {"another window", {.flags = A, .ack = 1}, {.flags = A, .ack = 1, .wnd = 400}},
    {"another timestamp",
     {.flags = A, .ack = 1, .ts = TS, .tsval = 20},
     {.flags = A, .ack = 1, .ts = TS, .tsval = 21}},
    {"no timestamp", {.flags = A, .ack = 1}, {.flags = A, .ack = 1, .ts = NO_TS}},
    {"an end", {.flags = A, .ack = 1}, {.flags = FA, .ack = 1}},
    {"an end before", {.flags = FA, .ack = 1}, {.flags = A, .ack = 1}},
    {"two ends", {.flags = FA, .ack = 1}, {.flags = FA, .ack = 1}},
    {"urgent pointers",
     {.flags = A | TCP_URG, .ack = 1, .urg = 5},
     {.flags = A | TCP_URG, .ack = 1, .urg = 5}},
    {"an urgent pointer", {.flags = A, .ack = 1}, {.flags = A | TCP_URG, .ack = 1, .urg = 5}},
    {"the sender has slowed down", {.flags = A, .ack = 1}, {.flags = A | TCP_CWR, .ack = 1}},
    {"congestion was met", {.flags = A, .ack = 1, .ecn = CE}, {.flags = A, .ack = 1, .ecn = CE}},
    {"another mark", {.flags = A, .ack = 1, .ecn = ECT0}, {.flags = A, .ack = 1}},
    {"no acknowledgement", {.flags = TCP_PSH, .ack = 1}, {.flags = TCP_PSH, .ack = 1}},
    {"a SACK block",
     {.flags = A, .ack = 1},
     {.flags = A, .ack = 1, .nb_sack = 1, .sack = {{51, 101}}}},
    {"an option that is no timestamp",
     {.flags = A, .ack = 1, .mss = 700},
     {.flags = A, .ack = 1, .mss = 700}},
};

static void not_the_same(struct wt *w)
{
	w->peer.ts = w->peer.sackok = true;
	wt_established(w);
	for (unsigned i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		struct seg a = alone[i].first, b = alone[i].second;

		another(w);
		wt_send(w, 100);
		wt_drop(w);
		a.seq = 1;
		b.seq = LEN + 1;
		a.len = b.len = LEN;
		wt_queue(w, &a);
		wt_queue(w, &b);
		wt_settle(w);
		if (merged(w) != 0)
			wt_fail(w, WT_HERE, "merged though different: %s", alone[i].why);
		wt_pass(w, 1);
		wt_drop(w);
	}
}

/* neither a hole nor what overlaps */
static void not_next(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	QUEUE(.flags = A, .seq = 1, .ack = 1, .len = LEN);
	QUEUE(.flags = A, .seq = LEN + 2, .ack = 1, .len = LEN);
	QUEUE(.flags = A, .seq = LEN + 2, .ack = 1, .len = LEN);
	wt_settle(w);
	EQ(merged(w), 0);
	wt_drop(w);
	INJECT(.flags = A, .seq = LEN + 1, .ack = 1, .len = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 2 * LEN + 2);
	wt_read(w, 2 * LEN + 1);
}

/* the next numbers from another port */
static void another_flow(struct wt *w)
{
	wt_start(w);
	w->flow.lport = 9; /* nobody is there, so each is answered */
	QUEUE(.flags = A, .seq = 1, .ack = 1, .len = LEN);
	w->flow.pport++;
	QUEUE(.flags = A, .seq = LEN + 1, .ack = 1, .len = LEN);
	wt_settle(w);
	EQ(merged(w), 0);
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), 2);
	EQ(wt_drop(w), 2);
}

/* ---- what becomes of a run ------------------------------------------------------------------- */

static void early(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	queue_run(w, LEN + 1, 3);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{LEN + 1, 4 * LEN + 1}});
	EQ(merged(w), 2);
	EQ(wt_count(w, PC_TCP_RX_OOO), 3);
	EQ(wt_totals(w).rcv_ooopack, 3);
	EQ(wt_info(w).tcpi_rcv_mss, LEN);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = LEN);
	EXPECT(.flags = A, .seq = 1, .ack = 4 * LEN + 1);
	wt_read(w, 4 * LEN);
}

/* a run that fills a hole, and reaches into what is there */
static void late(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	INJECT(.flags = A, .seq = 2 * LEN + 501, .ack = 1, .len = LEN);
	wt_drop(w);
	queue_run(w, 1, 3);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 3 * LEN + 501, .nb_sack = 1,
	       .sack = {{2 * LEN + 501, 3 * LEN + 1}}); /* RFC 2883 */
	EQ(merged(w), 2);
	wt_read(w, 3 * LEN + 500);
}

/* RFC 2883: of a run that was sent again the part that was there is told, and the rest is taken */
static void again(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	queue_run(w, 1, 2);
	wt_settle(w);
	wt_drop(w);
	queue_run(w, 1, 4);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 4 * LEN + 1, .nb_sack = 1, .sack = {{1, 2 * LEN + 1}});
	EQ(merged(w), 1 + 3);
	queue_run(w, 1, 4);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 4 * LEN + 1, .nb_sack = 1, .sack = {{1, 4 * LEN + 1}});
	wt_read(w, 4 * LEN);
}

/* RFC 9293 3.10.7.4: what is beyond the window is cut, wherever in a run that is */
static void beyond_the_window(struct wt *w)
{
	w->cfg.tcp_rcvbuf = w->cfg.tcp_rcvbuf_max = 4500;
	wt_established(w);
	queue_run(w, 1, 7);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 4501, .wnd = ZERO_WND);
	EQ(merged(w), 6);
	wt_read(w, 4500);
	wt_pass(w, 500);
	wt_drop(w);
}

/* nobody is there: one answer, as there would be one to a large segment; all frames are counted (wt_validate) */
static void closed_port(struct wt *w)
{
	wt_start(w);
	w->flow.lport = 9;
	queue_run(w, 1, 3);
	wt_settle(w);
	EXPECT(.flags = R, .seq = 1);
	NOTHING(100);
	EQ(merged(w), 2);
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), 1);
}

/* for a user who is gone */
static void after_close(struct wt *w)
{
	wt_established(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	QUEUE(.flags = A, .seq = 1, .ack = 2, .len = LEN);
	QUEUE(.flags = A, .seq = LEN + 1, .ack = 2, .len = LEN);
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 2, .ack = 1);
	EQ(merged(w), 1);
}

/* ---- acknowledgements ------------------------------------------------------------------------ */

/* Each is counted; what they permit is sent once, and in slow start cwnd grows as by each of them. */
static void acks(struct wt *w)
{
	w->peer.ts = true;
	w->cfg.tcp_hystart = 0;
	wt_established(w);
	const uint32_t mss = wt_info(w).tcpi_snd_mss, cwnd = wt_info(w).tcpi_snd_cwnd;

	wt_send(w, 40 * mss);
	EQ(wt_drop(w), cwnd);
	for (unsigned i = 1; i <= 4; i++)
		QUEUE(.flags = A, .seq = 1, .ack = 1 + 2 * i * mss);
	wt_settle(w);
	EQ(merged(w), 3);
	EQ(wt_count(w, PC_DROP_TCP_ACK_DONE), 1 + 4); /* with the handshake */
	EQ(wt_totals(w).segs_in, 2 + 4);
	EQ(wt_info(w).tcpi_snd_cwnd, cwnd + 8);
	EQ(wt_info(w).tcpi_unacked, cwnd + 8);
	EQ(wt_drop(w), 16);
}

/* sends four segments of 100 bytes */
static void four(struct wt *w)
{
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	for (unsigned i = 0; i < 4; i++) {
		wt_send(w, 100);
		wt_settle(w);
	}
	EQ(wt_drop(w), 4);
}

/* the second one takes the place of the first, window and all, or stays beside it */
static const struct {
	const char *why;
	struct seg first, second;
	unsigned merged;
} pairs[] = {
    {"the next", {.ack = 101}, {.ack = 201}, 1},
    {"another window", {.ack = 101}, {.ack = 201, .wnd = 400}, 1},
    {"a later timestamp",
     {.ack = 101, .ts = TS, .tsval = 20},
     {.ack = 201, .ts = TS, .tsval = 21},
     1},
    {"an earlier timestamp",
     {.ack = 101, .ts = TS, .tsval = 20},
     {.ack = 201, .ts = TS, .tsval = 19},
     0},
    {"a duplicate", {.ack = 101}, {.ack = 101}, 0},
    {"a duplicate first", {.ack = 1}, {.ack = 101}, 0},
    {"an old one", {.ack = 201}, {.ack = 101}, 0},
    {"one of what was never sent", {.ack = 101}, {.ack = 1001}, 0},
    {"a SACK block", {.ack = 101}, {.ack = 201, .nb_sack = 1, .sack = {{301, 401}}}, 0},
    {"a SACK block before", {.ack = 101, .nb_sack = 1, .sack = {{201, 301}}}, {.ack = 201}, 0},
    {"data", {.ack = 101}, {.ack = 201, .len = 1}, 0},
    {"an end", {.ack = 101}, {.flags = FA, .ack = 201}, 0},
    {"a mark", {.ack = 101}, {.flags = A | TCP_ECE, .ack = 201}, 0},
    {"congestion was met", {.ack = 101, .ecn = CE}, {.ack = 201, .ecn = CE}, 0},
    {"another sequence number", {.ack = 101}, {.seq = 2, .ack = 201}, 0},
};

static void acks_one_by_one(struct wt *w)
{
	unsigned expected = 0;

	w->peer.ts = w->peer.sackok = true;
	wt_established(w);
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct seg a = pairs[i].first, b = pairs[i].second;

		another(w);
		four(w);
		a.flags = A;
		b.flags = b.flags != 0 ? b.flags : A;
		a.seq = 1;
		b.seq = b.seq != 0 ? b.seq : 1;
		wt_queue(w, &a);
		wt_queue(w, &b);
		wt_settle(w);
		expected += pairs[i].merged;
		if (merged(w) != expected)
			wt_fail(w, WT_HERE, "merged or not: %s", pairs[i].why);
		wt_pass(w, 1);
		wt_drop(w);
	}
}

static void acks_switched_off(struct wt *w)
{
	w->cfg.tcp_gro = 0;
	wt_established(w);
	four(w);
	QUEUE(.flags = A, .seq = 1, .ack = 101);
	QUEUE(.flags = A, .seq = 1, .ack = 201);
	wt_settle(w);
	EQ(merged(w), 0);
	EQ(wt_count(w, PC_DROP_TCP_ACK_DONE), 1 + 2);
	INJECT(.flags = A, .seq = 1, .ack = 401);
}

static const struct wt_case cases[] = {
    {"segments of a burst go on as one, and are counted each", run},
    {"tcp.gro = 0", switched_off},
    {"acknowledgements of a burst are processed as one, and are counted each", acks},
    {"which acknowledgements are processed one by one", acks_one_by_one},
    {"acknowledgements with tcp.gro = 0", acks_switched_off},
    {"RFC 5082 3: a run from near, and one from afar", from_afar},
    {"sixteen at most", at_most},
    {"segments of several sizes, and a small one", sizes},
    {"received packets are those that were sent", packets},
    {"what says something else stays alone", not_the_same},
    {"a hole, and what comes again", not_next},
    {"the next numbers of another connection", another_flow},
    {"RFC 2018 4: a run that comes early", early},
    {"RFC 2883 4: a run that fills a hole", late},
    {"RFC 2883 4: a run that comes again", again},
    {"RFC 9293 3.10.7.4: a run that reaches beyond the window", beyond_the_window},
    {"RFC 9293 3.10.7.1: a run to a closed port", closed_port},
    {"RFC 9293 3.6.1: a run for a user who is gone", after_close},
};

WT_MAIN("merge")
