/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Mbufs run out: what is refused first, and that connections on which something moves go on.  The port and
 * the stack take of one pool, as on a device.
 */

#include <rte_mbuf.h>

#include "wt.h"

static void one_pool(struct wt *w)
{
	w->pool = w->probe_pool;
	w->in_use = w->probe_in_use;
}

/* a connection that is open and accepted; the flow is the test's from then on */
static void open_one(struct wt *w)
{
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* on a connection that has carried nothing yet */
static void works_both_ways(struct wt *w)
{
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 1460);
	INJECT(.flags = A, .seq = 101, .ack = 1461);
}

/* mbufs are there again, and whatever waited for them is sent */
static void end_shortage(struct wt *w)
{
	wt_give_mbufs(w);
	wt_pass(w, 100);
	wt_drop(w);
}

/* every second byte of the window, never the first: each keeps an mbuf */
static void send_holes(struct wt *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		QUEUE(.flags = A, .seq = 2 + 2 * i, .ack = 1, .len = 1);
		if (i % 32 == 31)
			wt_settle(w);
	}
	wt_drop(w);
}

/* RFC 2018 section 8: "the data receiver is permitted to discard data in its queue that has not been
 * acknowledged to the data sender, even if the data has already been reported in a SACK option" */
static void holes(struct wt *w)
{
	struct flow good;

	one_pool(w);
	wt_listen(w, 16);
	open_one(w);
	good = w->flow;
	for (unsigned i = 0; i < 3; i++) {
		open_one(w);
		send_holes(w, 1000);
	}
	CHECK(wt_count(w, PC_TCP_OOO_PRUNED) > 0);
	/* who does nothing bad goes on at once, both ways */
	w->flow = good;
	works_both_ways(w);
	open_one(w);
}

/* what was taken away is asked for again and arrives */
static void holes_are_filled(struct wt *w)
{
	one_pool(w);
	w->peer.sackok = true;
	wt_listen(w, 16);
	open_one(w);
	for (unsigned i = 0; i < 3; i++) {
		if (i > 0)
			open_one(w);
		send_holes(w, 1000);
	}
	CHECK(wt_count(w, PC_TCP_OOO_PRUNED) > 0);
	for (unsigned at = 1; at < 2000; at += 500)
		QUEUE(.flags = A, .seq = at, .ack = 1, .len = 500);
	wt_settle(w);
	wt_read(w, 2000);
	wt_drop(w);
}

static void take_it_all(struct wt *w)
{
	while (wt_write(w, 1460, 0) > 0)
		wt_settle(w);
	wt_drop(w);
}

/* Sockstress: peers that ask for much and close their windows for ever. */
static void give_way(struct wt *w)
{
	static struct flow bad[60];
	struct flow good;

	one_pool(w);
	w->cfg.tcp_sndbuf = w->cfg.tcp_sndbuf_max = 1 << 20;
	w->cfg.tcp_sndbuf_min = 16384; /* what each may have however many there are */
	w->cfg.tcp_stalled_ms = 5000;
	wt_listen(w, 8);
	open_one(w);
	good = w->flow;
	for (unsigned i = 0; i < 60; i++) {
		open_one(w);
		INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
		bad[i] = w->flow;
	}
	for (unsigned i = 0; i < 60; i++) {
		w->flow = bad[i];
		take_it_all(w);
	}
	/* they answer probes, so they may stay as long as there is room (RFC 9293 MUST-37) */
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 0);
	/* who is new has to wait */
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS);
	NOTHING(1);
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 1);
	w->flow = good;
	/* who has nothing queued may send a segment, and when that has arrived the next */
	for (uint32_t seq = 1; seq < 2921; seq += 1460) {
		wt_send(w, 1460);
		ERR(wt_write(w, 1460, 0), EAGAIN);
		EXPECT(.flags = PA, .seq = seq, .ack = 1, .len = 1460);
		INJECT(.flags = A, .seq = 1, .ack = seq + 1460);
	}
	wt_pass(w, 20000);
	wt_drop(w);
	CHECK(wt_count(w, PC_TCP_STALLED_RESET) > 0);
	wt_send(w, 1000);
	EXPECT(.flags = PA, .seq = 2921, .ack = 1, .len = 1000);
	INJECT(.flags = A, .seq = 1, .ack = 3921);
	open_one(w);
}

static void closed_windows(struct wt *w)
{
	give_way(w);
}

/* the time is that of the stall, not that to the next probe */
static void closed_windows_probed_often(struct wt *w)
{
	w->cfg.tcp_rto_max_ms = 1000;
	give_way(w);
}

/* Peers that ask for much and read slowly, so that nothing is stalled: they hold what they can, and who is new finds
 * room for a connection and for some data. */
static void slow_readers(struct wt *w)
{
	one_pool(w);
	w->cfg.tcp_sndbuf = w->cfg.tcp_sndbuf_max = 1 << 20;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 50; i++) {
		open_one(w);
		take_it_all(w);
	}
	for (unsigned i = 0; i < 5; i++) {
		open_one(w);
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
		wt_read(w, 100);
		EQ(wt_write(w, 4096, 0), 4096);
		wt_drop(w);
		INJECT(.flags = A, .seq = 101, .ack = 4097);
		wt_drop(w);
	}
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 0);
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 0);
}

/* sends as much as the window allows, from seq on; returns how many bytes */
static uint32_t fill_window(struct wt *w, uint32_t seq)
{
	const uint32_t first = seq;

	for (unsigned waits = 0; waits < 3;) {
		if (w->flow.edge < seq + WT_MSS) {
			wt_pass(w, 50);
			waits++;
		} else {
			waits = 0;
			INJECT(.flags = A, .seq = seq, .ack = 1, .len = WT_MSS);
			seq += WT_MSS;
		}
		while (wt_next(w, 0) != NULL) /* each tells of the window */
			;
	}
	return seq - first;
}

/* a new connection gets data through, both ways */
static void works_for_who_is_new(struct wt *w)
{
	open_one(w);
	works_both_ways(w);
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 0);
}

/* An application that does not read what it is sent: what waits for it counts towards the share of a buffer. */
static void unread_streams(struct wt *w)
{
	one_pool(w);
	wt_listen(w, 8);
	for (unsigned i = 0; i < 16; i++) {
		open_one(w);
		(void)fill_window(w, 1);
	}
	for (unsigned i = 0; i < 5; i++)
		works_for_who_is_new(w);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 0);
}

/* It has read until now, so that each of many connections was promised as much as the lone one that it seemed to be. */
static void unread_promises(struct wt *w)
{
	static struct flow all[24];

	one_pool(w);
	w->peer.ws = 8;
	w->cfg.tcp_rcvbuf = 200000;
	wt_listen(w, 24);
	for (unsigned i = 0; i < 24; i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = WT_MSS, .ws = 8);
		CHECK(wt_next(w, 0) != NULL);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_accept(w);
		INJECT(.flags = A, .seq = 1, .ack = 1, .len = 1000);
		wt_read(w, 1000);
		while (wt_next(w, 50) != NULL)
			;
		CHECK(w->flow.edge > 150000);
		all[i] = w->flow;
	}
	for (unsigned i = 0; i < 24; i++) {
		w->flow = all[i];
		CHECK(fill_window(w, 1001) > 150000);
	}
	CHECK(wt_count(w, PC_DROP_TCP_MEMORY) > 1000);
	w->peer.ws = 0;
	for (unsigned i = 0; i < 5; i++)
		works_for_who_is_new(w);
}

/* SO_RCVLOWAT: who waits for more than the share of a buffer is told when that has come */
static void share_below_rcvlowat(struct wt *w)
{
	uint32_t sent;

	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_RCVLOWAT, 100000);
	wt_take_mbufs(w, w->pool->size / 4);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = WT_MSS);
	CHECK(!(wt_events(w, w->flow.fd) & POLLIN));
	sent = WT_MSS + fill_window(w, 1 + WT_MSS);
	IN(sent, 60000, 70000);
	CHECK(wt_events(w, w->flow.fd) & POLLIN);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 0);
	wt_read(w, sent);
	end_shortage(w);
}

/* ... and when nothing more is taken, though the window is open */
static void refused_below_rcvlowat(struct wt *w)
{
	uint32_t seq;

	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_RCVLOWAT, 100000);
	wt_take_mbufs(w, w->pool->size / 6);
	for (seq = 1; !(wt_events(w, w->flow.fd) & POLLIN); seq += 1000) {
		CHECK(seq < 20000);
		INJECT(.flags = A, .seq = seq, .ack = 1, .len = 1000);
		wt_pass(w, 50);
	}
	IN(seq, 5001, 6001);
	INJECT(.flags = A, .seq = seq, .ack = 1, .len = 1000);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 1);
	wt_read(w, seq - 1);
	INJECT(.flags = A, .seq = seq, .ack = 1, .len = 1000);
	wt_read(w, 1000);
	end_shortage(w);
}

/* the same peers while mbufs last: nobody is reset */
static void closed_windows_may_stay(struct wt *w)
{
	one_pool(w);
	w->cfg.tcp_stalled_ms = 5000;
	wt_listen(w, 16);
	for (unsigned i = 0; i < 4; i++) {
		open_one(w);
		INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
		EQ(wt_write(w, 5000, 0), 5000);
	}
	wt_pass(w, 60000);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 0);
}

/* Small answers that are under way as copies need no mbufs (tcp.stash_from), so there may be as many as there are mbufs.
 * When no answer comes all are sent again: what is left to receive into is not taken for that, and once the path is good
 * again everything goes on. */
static void copies(struct wt *w)
{
	static struct flow all[2047];
	const unsigned n = 2047;
	uint64_t again;

	one_pool(w);
	w->cfg.tcp_stash_from = 0;
	w->cfg.stack_max_connections = w->cfg.stack_mbufs = n;
	wt_listen(w, 16);
	for (unsigned i = 0; i < n; i++) {
		open_one(w);
		wt_send(w, 100);
		EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
		all[i] = w->flow;
	}
	EQ(wt_count(w, PC_TCP_STASHED), n);
	wt_pass(w, 10000);
	CHECK(wt_drop(w) > n);
	for (unsigned i = 0; i < n; i++) {
		w->flow = all[i];
		INJECT(.flags = A, .seq = 1, .ack = 101);
	}
	EQ(wt_count(w, PC_TX_NO_MBUF), 0);
	wt_drop(w);
	again = wt_count(w, PC_TCP_RETRANSMITS);
	for (unsigned i = 0; i < n; i++) {
		w->flow = all[i];
		wt_send(w, 100);
		EXPECT(.flags = PA, .seq = 101, .ack = 1, .len = 100);
		INJECT(.flags = A, .seq = 1, .ack = 201);
	}
	EQ(wt_count(w, PC_TCP_RETRANSMITS), again);
}

/* a router says of the flow's first segment that it was too large */
static void too_big(struct wt *w, uint16_t mtu)
{
	const struct frame_ends e = wt_ends(w);
	const uint16_t ports[2] = {htons(w->flow.lport), htons(w->flow.pport)};
	const uint32_t seq = htonl(w->flow.iss + 1);
	uint8_t rest[4] = {0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu};
	uint8_t quote[28] = {[0] = 0x45, [2] = 5, [3] = 0xdc, [8] = 64, [9] = IPPROTO_TCP};
	struct frame f;

	memcpy(quote + 12, &e.dst_be, 4);
	memcpy(quote + 16, &e.src_be, 4);
	memcpy(quote + 20, ports, 4);
	memcpy(quote + 24, &seq, 4);
	frame_icmp(&f, &e, 3, 4, rest, quote, sizeof(quote));
	wt_inject_frame(w, &f);
}

/* Peers that hold what they can, and then have their paths become narrow: what is under way is cut into segments of a
 * third, each with an mbuf of its own. That takes none of those that are kept for acknowledgements. */
static void narrow_paths(struct wt *w)
{
	static struct flow bad[50];
	static uint32_t acked[50];
	unsigned left = 50;
	struct flow good;

	one_pool(w);
	w->may_fragment = true;
	w->cfg.tcp_sndbuf = w->cfg.tcp_sndbuf_max = 1 << 20;
	w->cfg.tcp_initial_window = 40;
	wt_listen(w, 8);
	open_one(w);
	good = w->flow;
	for (unsigned i = 0; i < 50; i++) {
		open_one(w);
		take_it_all(w);
		bad[i] = w->flow;
		acked[i] = 1;
	}
	for (unsigned i = 0; i < 50; i++) {
		w->flow = bad[i];
		too_big(w, 552);
		wt_drop(w);
		CHECK(rte_mempool_avail_count(w->pool) >= w->pool->size / 32);
	}
	EQ(wt_count(w, PC_TX_NO_MBUF), 0);
	w->flow = good;
	works_both_ways(w);
	/* and the others go on */
	for (unsigned n = 0; n < 20000 && left > 0; n++) {
		const struct frame_info *f = wt_next(w, 150000);
		unsigned i = 0;

		CHECK(f != NULL);
		while (bad[i].pport != f->seg.dport)
			i++;
		w->flow = bad[i];
		if (f->seg.len > 0 && f->seg.seq - w->flow.iss == acked[i]) {
			acked[i] += f->seg.len;
			left -= acked[i] == w->flow.sent + 1;
		}
		INJECT(.flags = A, .seq = 1, .ack = acked[i]);
	}
	EQ(left, 0);
	wt_drop(w);
}

/* 60 connections on which all mbufs are in flight. */
static void send_to_many(struct wt *w)
{
	static struct flow gone[60];

	one_pool(w);
	w->may_fragment = true;
	w->cfg.tcp_sndbuf = w->cfg.tcp_sndbuf_max = 1 << 20;
	w->cfg.tcp_sndbuf_min = 16384;
	w->cfg.tcp_stalled_ms = 5000;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 60; i++) {
		open_one(w);
		gone[i] = w->flow;
	}
	for (unsigned i = 0; i < 60; i++) {
		w->flow = gone[i];
		take_it_all(w);
	}
}

/* Peers that went away without a word: their windows are open, and what was sent is repeated for a quarter of an hour. As long as
 * nobody else is heard of that may be our own link, and they stay; when a client is refused for them they go. */
static void peers_that_are_gone(struct wt *w)
{
	send_to_many(w);
	wt_pass(w, 20000);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 0);
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS);
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 1);
	wt_pass(w, 1000);
	wt_drop(w);
	CHECK(wt_count(w, PC_TCP_STALLED_RESET) > 0);
	open_one(w);
	wt_send(w, 1000);
	wt_drop(w);
}

/* The lcore stands still for a minute (a virtual machine that is saved), during which nobody could be heard: they are not gone
 * before they have had their time. */
static void peers_unheard(struct wt *w)
{
	send_to_many(w);
	wt_pass(w, 1000);
	w->now += 60000000000;
	wt_pass(w, 20);
	wt_drop(w);
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS);
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 1);
	wt_pass(w, 4900);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_STALLED_RESET), 0);
	wt_pass(w, 500);
	wt_drop(w);
	CHECK(wt_count(w, PC_TCP_STALLED_RESET) > 0);
}

/* RFC 9293 3.8.4 and 3.10.7.4: a peer that asks whether we are there, and one that ends, are answered by what is kept for
 * acknowledgements, though there is no mbuf to cut what waits to be sent for a small window */
static void answers_beside_data(struct wt *w)
{
	w->peer.wnd = 1000;
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	EQ(wt_write(w, 1460, 0), 1460);
	wt_settle(w);
	wt_take_mbufs(w, 8);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(0);
	INJECT(.flags = A, .seq = 0, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 2);
	wt_give_mbufs(w);
	EXPECT(.flags = A, .seq = 1, .ack = 2, .len = 1000, .any_psh = true);
}

/* A connection does not stop that has a segment larger than its path, and no mbuf to cut it: the parts go one by one. */
static void narrow_path_without_mbufs(struct wt *w)
{
	wt_established(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	wt_take_mbufs(w, w->pool->size / 32);
	w->may_fragment = true;
	wt_too_big(w, 552, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 512);
	INJECT(.flags = A, .seq = 1, .ack = 513);
	EXPECT(.flags = A, .seq = 513, .ack = 1, .len = 512);
	EXPECT_IN(150, 1100, .flags = A, .seq = 513, .ack = 1, .len = 512); /* lost */
	INJECT(.flags = A, .seq = 1, .ack = 1025);
	EXPECT(.flags = PA, .seq = 1025, .ack = 1, .len = 436);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	wt_give_mbufs(w);
}

/* RFC 9293 3.8.6.2.2: a window that was closed opens when all is read, also if mbufs let it be no larger than a segment */
static void window_of_a_segment(struct wt *w)
{
	w->cfg.tcp_rcvbuf = w->cfg.tcp_rcvbuf_max = 4 * WT_MSS;
	w->cfg.tcp_rcvbuf_min = 1024;
	wt_established(w);
	for (uint32_t seq = 1; seq < 1 + 4 * WT_MSS; seq += WT_MSS)
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = WT_MSS);
	wt_pass(w, 500);
	wt_drop(w);
	EQ(w->flow.edge, 1 + 4 * WT_MSS);
	wt_take_mbufs(w, 200);
	wt_read(w, 4 * WT_MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1 + 4 * WT_MSS, .wnd = WT_MSS);
	wt_give_mbufs(w);
	wt_drop(w);
}

/* SO_RCVLOWAT: while mbufs are low nothing more is taken before what there is has been read, so who waits for more is told. */
static void less_than_rcvlowat(struct wt *w)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};

	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_RCVLOWAT, 1500);
	w->ep = pc_epoll_create(w->st);
	OK(w->ep);
	OK(pc_epoll_ctl(w->st, w->ep, EPOLL_CTL_ADD, w->flow.fd, &e));
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 1001);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 0);
	CHECK(!(wt_events(w, w->flow.fd) & POLLIN));
	wt_take_mbufs(w, w->pool->size / 16);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1001);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 1);
	EQ(pc_epoll_wait(w->st, w->ep, &e, 1), 1);
	EQ(e.events, EPOLLIN);
	wt_read(w, 1000);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 1000);
	wt_read(w, 1000);
	end_shortage(w);
}

/* Segments that have gone on as one (tcp.gro) hold as many mbufs as came: while mbufs are low a run may be more than is left. */
static void runs_are_counted(struct wt *w)
{
	char c;

	wt_established(w);
	wt_take_mbufs(w, w->pool->size / 64 + 3);
	for (uint32_t i = 0; i < 8; i++)
		QUEUE(.flags = A, .seq = 1 + i * 1000, .ack = 1, .len = 1000);
	wt_settle(w);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	ERR(pc_recv(w->st, w->flow.fd, &c, 1, 0), EAGAIN);
	for (uint32_t i = 0; i < 8; i++) {
		INJECT(.flags = PA, .seq = 1 + i * 1000, .ack = 1, .len = 1000);
		wt_read(w, 1000);
	}
	wt_pass(w, 100);
	wt_drop(w);
	wt_give_mbufs(w);
}

/* a chain that is n segments long, of mbufs that are not the stack's */
static struct rte_mbuf *chain_of(struct wt *w, unsigned n)
{
	struct rte_mbuf *head = NULL;

	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(w->probe_pool);

		CHECK(m != NULL);
		memset(rte_pktmbuf_append(m, WT_MSS), 0, WT_MSS);
		if (head == NULL)
			head = m;
		else
			CHECK(rte_pktmbuf_chain(head, m) == 0);
	}
	return head;
}

/* pc_send_mbuf: a chain is cut into segments by reference, an mbuf or more for each. Those are not of what is kept for
 * acknowledgements; who is refused is told when there is room. */
static void long_chains(struct wt *w)
{
	static struct flow all[40];
	static struct rte_mbuf *refused[40];
	unsigned n = 0;

	w->cfg.tcp_sndbuf = 1 << 20;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 40; i++) {
		open_one(w);
		all[i] = w->flow;
	}
	wt_take_mbufs(w, w->pool->size / 16);
	for (unsigned i = 0; i < 40; i++) {
		struct rte_mbuf *m = chain_of(w, 4);

		if (pc_send_mbuf(w->st, all[i].fd, m, NULL) != 0) {
			EQ(errno, EAGAIN);
			refused[n++] = m;
		}
		wt_settle(w);
		CHECK(rte_mempool_avail_count(w->pool) >= w->pool->size / 32);
	}
	IN(n, 1, 39);
	while (n > 0)
		rte_pktmbuf_free(refused[--n]);
	wt_give_mbufs(w);
	for (unsigned i = 0; i < 40; i++)
		CHECK(wt_events(w, all[i].fd) & POLLOUT);
	wt_drop(w);
}

/* RFC 9293 3.7.4: TCP_NODELAY, and a peer that acknowledges nothing: segments of a byte do not take all mbufs, and what waits
 * instead is sent as one. */
static void bytes_under_way(struct wt *w)
{
	struct flow tiny;
	uint32_t n = 0;

	one_pool(w);
	wt_listen(w, 8);
	open_one(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	for (unsigned i = 0; i < 2600; i++) {
		wt_send(w, 1);
		n += wt_drop(w);
	}
	tiny = w->flow;
	for (unsigned i = 0; i < 5; i++) {
		open_one(w);
		wt_send(w, 1000);
		EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
		INJECT(.flags = A, .seq = 1, .ack = 1001);
	}
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 0);
	IN(n, 1500, 1700);
	w->flow = tiny;
	INJECT(.flags = A, .seq = 1, .ack = 1 + n);
	EXPECT(.flags = PA, .seq = 1 + n, .ack = 1, .len = 2600 - n);
	INJECT(.flags = A, .seq = 1, .ack = 2601);
}

/* Three that hold nearly all, and probe their peers' windows more and more seldom: an lcore that sleeps meanwhile wakes up for who
 * has been stalled long enough. */
static void stalled_while_asleep(struct wt *w)
{
	uint64_t begin;

	w->cfg.tcp_sndbuf = w->cfg.tcp_sndbuf_max = w->cfg.tcp_sndbuf_min = 1 << 20;
	w->cfg.tcp_stalled_ms = 5000;
	wt_listen(w, 8);
	for (unsigned i = 0; i < 3; i++) {
		open_one(w);
		INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
		EQ(wt_write(w, 600 * WT_MSS, 0), 600 * WT_MSS);
		wt_settle(w);
	}
	begin = w->now;
	while (wt_count(w, PC_TCP_STALLED_RESET) == 0) {
		const uint64_t next = pc_stack_next_deadline(w->st);

		CHECK(next < begin + 60 * UINT64_C(1000000000));
		w->now = next > w->now ? next : w->now + 1000;
		wt_settle(w);
		wt_drop(w);
	}
	IN((w->now - begin) / 1000000, 5000, 5600);
}

/* a fragment of 1008 bytes of one of 250 datagrams, from one of 50 sources; there are more to come */
static void fragment(struct wt *w, unsigned i)
{
	const uint16_t id = htons((uint16_t)(i % 250 + 1)),
	               off = htons((uint16_t)(0x2000 | i / 250 * 126));
	static const uint8_t text[1000];
	struct frame_ends e = wt_ends(w);
	struct frame f;

	e.src_be = htonl(0xc6336401 + i % 250 % 50);
	frame_udp(&f, &e, 1000, 5000, text, sizeof(text));
	memcpy(f.b + 18, &id, 2);
	memcpy(f.b + 20, &off, 2);
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
}

/* Fragments of datagrams that never become whole: who is new is not kept out by them. */
static void fragments(struct wt *w)
{
	one_pool(w);
	w->cfg.ip_fragments = 2048;
	wt_listen(w, 8);
	open_one(w);
	for (unsigned i = 0; i < 2000; i++)
		fragment(w, i);
	wt_drop(w);
	CHECK(wt_count(w, PC_DROP_FRAG_LIMIT) > 1000);
	open_one(w);
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 0);
	wt_pass(w, 40000);
	wt_drop(w);
}

/* nine connections with data of ours under way, when mbufs run out */
static void nine_without_mbufs(struct wt *w, struct flow all[9])
{
	wt_listen(w, 16);
	for (int i = 0; i < 9; i++) {
		open_one(w);
		wt_send(w, 1000);
		EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
		all[i] = w->flow;
	}
	wt_take_mbufs(w, w->pool->size / 32);
}

/* the first 500 bytes of n peers, which acknowledge nothing */
static void first_bytes(struct wt *w, struct flow *all, int n)
{
	for (int i = 0; i < n; i++) {
		w->flow = all[i];
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 500);
		all[i] = w->flow;
	}
}

/* Two ends that send to each other, both without mbufs: a few connections at a time are taken from, or neither would ever hear that
 * what it holds has arrived. When those have read it is others' turn. */
static void few_at_a_time(struct wt *w)
{
	static struct flow all[9];
	char c;

	nine_without_mbufs(w, all);
	first_bytes(w, all, 9);
	ERR(pc_recv(w->st, w->flow.fd, &c, 1, 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 1);
	w->flow = all[3];
	wt_read(w, 500);
	w->flow = all[8];
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 500);
	wt_read(w, 500);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 1);
	wt_give_mbufs(w);
	wt_drop(w);
}

/* Nor do those keep others out for good that never read. */
static void places_are_lost(struct wt *w)
{
	static struct flow all[9];

	nine_without_mbufs(w, all);
	first_bytes(w, all, 9);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 1);
	wt_pass(w, 1100);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 500);
	wt_read(w, 500);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 1);
	end_shortage(w);
}

/* Once that has been read others may, though more has come since. */
static void places_are_left(struct wt *w)
{
	static struct flow all[9];

	nine_without_mbufs(w, all);
	first_bytes(w, all, 8);
	wt_give_mbufs(w);
	for (int i = 0; i < 8; i++) {
		w->flow = all[i];
		INJECT(.flags = PA, .seq = 501, .ack = 1, .len = 500);
		wt_read(w, 500);
	}
	wt_take_mbufs(w, w->pool->size / 32);
	w->flow = all[8];
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 500);
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 0);
	wt_read(w, 500);
	wt_give_mbufs(w);
	wt_drop(w);
}

/* In one turn many sockets get a copy of each of many datagrams. */
static void unread_copies(struct wt *w)
{
	static const uint8_t text[100];
	const unsigned n = 40;

	one_pool(w);
	w->cfg.stack_max_udp_sockets = n;
	wt_established(w);
	for (unsigned i = 0; i < n; i++) {
		const struct sockaddr_in a = wt_addr("0.0.0.0", 6000);
		const int fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);

		OK(fd);
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)));
		OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	}
	wt_take_mbufs(w, w->pool->size / 2);
	for (unsigned i = 0; i < 32; i++) {
		struct frame_ends e = wt_ends(w);
		struct frame f;

		memset(e.dst_mac, 0xff, sizeof(e.dst_mac));
		e.dst_be = UINT32_MAX;
		frame_udp(&f, &e, 5000, 6000, text, sizeof(text));
		wt_queue_frame(w, &f);
	}
	wt_settle(w);
	CHECK(wt_count(w, PC_UDP_RX) > n);
	CHECK(wt_count(w, PC_RX_COPY_NO_MBUF) > 0);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	end_shortage(w);
}

/* RFC 9293 3.9.1.1: who waits for connect() hears of its end, though there is nothing to send with */
static void connected_without_mbufs(struct wt *w)
{
	wt_syn_sent(w);
	wt_take_mbufs(w, w->pool->size / 32);
	INJECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	ERR(wt_write(w, 1000, 0), EAGAIN);
	CHECK(!(wt_events(w, w->flow.fd) & POLLOUT));
	wt_settle(w);
	CHECK(!(wt_events(w, w->flow.fd) & POLLOUT));
	wt_give_mbufs(w);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	wt_send(w, 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	INJECT(.flags = A, .seq = 1, .ack = 1001);
}

/* A proxy that reads from its clients only what it can pass on: though all of them have sent something, and it holds as many mbufs as
 * it may, some are left to send with. */
static void unread_requests(struct wt *w)
{
	static struct flow all[2047];
	const unsigned n = 2047;
	struct flow server;

	one_pool(w);
	w->cfg.stack_max_connections = n + 1;
	w->cfg.stack_mbufs = n;
	wt_listen(w, 16);
	open_one(w);
	server = w->flow;
	for (unsigned i = 0; i < n; i++) {
		open_one(w);
		all[i] = w->flow;
	}
	for (unsigned i = 0; i < n; i++) {
		w->flow = all[i];
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
		wt_drop(w);
	}
	CHECK(wt_count(w, PC_DROP_TCP_MEMORY) > 0);
	for (unsigned i = 0; i < n; i++) {
		const uint32_t sent = i * 1460;

		w->flow = server;
		wt_send(w, 1460);
		EXPECT(.flags = PA, .seq = 1 + sent, .ack = 1, .len = 1460);
		INJECT(.flags = A, .seq = 1, .ack = 1461 + sent);
		server = w->flow;
		w->flow = all[i];
		if (!(wt_events(w, w->flow.fd) & POLLIN)) /* refused: it comes again */
			INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
		wt_read(w, 100);
		wt_drop(w);
	}
	wt_pass(w, 100);
	wt_drop(w);
}

/* datagrams that nobody reads, on many sockets: the same */
static void unread_datagrams(struct wt *w)
{
	static const uint8_t text[100];
	const unsigned n = 200;

	one_pool(w);
	w->cfg.stack_max_udp_sockets = n;
	wt_established(w);
	for (unsigned i = 0; i < n; i++) {
		const struct sockaddr_in a = wt_addr("0.0.0.0", (uint16_t)(6000 + i));
		const int fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);

		OK(fd);
		OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	}
	wt_take_mbufs(w, w->pool->size / 16);
	for (unsigned i = 0; i < n; i++) {
		const struct frame_ends e = wt_ends(w);
		struct frame f;

		frame_udp(&f, &e, 5000, (uint16_t)(6000 + i), text, sizeof(text));
		wt_inject_frame(w, &f);
	}
	CHECK(wt_count(w, PC_UDP_RX) > 0);
	CHECK(wt_count(w, PC_DROP_UDP_RCVBUF) > 0);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	INJECT(.flags = PA, .seq = 1, .ack = 1461, .len = 100);
	wt_read(w, 100);
	end_shortage(w);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.9.1.3: what nobody reads leaves mbufs to send with", unread_requests},
    {"datagrams that nobody reads leave mbufs to send with", unread_datagrams},
    {"copies of datagrams leave mbufs to send with", unread_copies},
    {"copies of what is under way leave mbufs to receive into", copies},
    {"RFC 2018 8: out-of-order data gives way to connections that move", holes},
    {"RFC 2018 8: what gave way is taken when it comes again", holes_are_filled},
    {"RFC 9293 3.8.6.1: closed windows give way when mbufs are short", closed_windows},
    {"RFC 9293 3.8.6.1: however often they are probed", closed_windows_probed_often},
    {"RFC 1191: paths that become narrow leave mbufs for acknowledgements", narrow_paths},
    {"RFC 1191: without mbufs the parts of a segment go one by one", narrow_path_without_mbufs},
    {"RFC 9293 3.8.3: peers that are gone give way to who is new", peers_that_are_gone},
    {"... but not peers that could not be heard", peers_unheard},
    {"RFC 9293 3.8.4: who asks is answered, whatever waits for mbufs", answers_beside_data},
    {"RFC 9293 3.8.6.2.2: a window of a segment opens", window_of_a_segment},
    {"SO_RCVLOWAT: less than that is told of while mbufs are low", less_than_rcvlowat},
    {"SO_RCVLOWAT: ... and when the share of a buffer is less", share_below_rcvlowat},
    {"SO_RCVLOWAT: ... and when nothing more is taken", refused_below_rcvlowat},
    {"segments that have gone on as one hold as many mbufs", runs_are_counted},
    {"chains that are cut leave mbufs for acknowledgements", long_chains},
    {"slow readers leave room for who is new", slow_readers},
    {"what nobody reads leaves room for who is new", unread_streams},
    {"RFC 9293 3.8.6: nor has it all that was promised", unread_promises},
    {"RFC 9293 3.8.6.1: though nothing else wakes the lcore", stalled_while_asleep},
    {"RFC 9293 3.7.4: segments of a byte leave room for who is new", bytes_under_way},
    {"RFC 791 3.2: fragments give way to who is new", fragments},
    {"two ends without mbufs: a few connections at a time go on", few_at_a_time},
    {"two ends without mbufs: ... and then others", places_are_left},
    {"two ends without mbufs: ... though what came is never read", places_are_lost},
    {"RFC 9293 3.9.1.1: connect() ends though there is nothing to send with",
     connected_without_mbufs},
    {"RFC 9293 MUST-37: and only then", closed_windows_may_stay},
};

WT_MAIN("pressure")
