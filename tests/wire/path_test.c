/* SPDX-License-Identifier: BSD-2-Clause */

/* How large segments may be: path MTU, TCP_MAXSEG; and what is left when mbufs run out. */

#include <rte_mbuf.h>

#include "wt.h"

static void path_mtu(struct wt *w)
{
	uint32_t next = 1;

	wt_established(w);
	wt_send(w, 2920);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 1460);
	wt_too_big(w, 1300, 1);
	/* what was lost comes again, at once or by the timer, in segments that fit */
	for (unsigned i = 0; i < 20 && next < 2921; i++) {
		const struct frame_info *f = wt_next(w, 3000);

		CHECK(f != NULL);
		IN(f->seg.len, 1, 1260);
		if (f->seg.seq - w->flow.iss == next) {
			next += f->seg.len;
			INJECT(.flags = A, .seq = 1, .ack = next);
		}
	}
	EQ(next, 2921);
	wt_drop(w);
	wt_send(w, 2520);
	EXPECT(.flags = A, .seq = 2921, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = PA, .seq = 4181, .ack = 1, .len = 1260);
}

/* MUST-67: the option tells what we can take, not what the path to the peer lets through */
static void mss_after_path_mtu(struct wt *w)
{
	wt_established(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	wt_too_big(w, 1300, 1);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	EQ(wt_info(w).tcpi_snd_mss, 1260);
	wt_flow(w);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_info(w).tcpi_snd_mss, 1260); /* which is known, all the same */
	wt_flow(w);
	wt_connecting(w);
	EQ(wt_next(w, 0)->seg.mss, 1460);
}

/* What was too large is sent again, and then what followed it is SACKed, which says nothing of what was sent later.  The probe
 * for the tail repeats the last that is missing (RFC 8985 7.3), not what the peer has. */
static void probe_after_too_big(struct wt *w)
{
	w->peer.sackok = true;
	wt_established(w);
	wt_send(w, 1460 + 500);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 500);
	wt_pass(w, 1);
	wt_too_big(w, 1300, 1);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1260, .any_psh = true);
	EXPECT(.flags = A, .seq = 1261, .ack = 1, .len = 200, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1461, 1961}});
	EXPECT_IN(1, 1500, .flags = A, .seq = 1261, .ack = 1, .len = 200, .any_psh = true);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1261, 1961}});
	wt_pass(w, 2000);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1961);
	NOTHING(1000);
}

static void path_mtu_attacks(struct wt *w)
{
	static const struct {
		uint16_t mtu;
		uint32_t seq;
	} lies[] = {{1000, 5000}, {1000, 0u - 5000}, {1500, 1}, {9000, 1}};

	wt_established(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		wt_too_big(w, lies[i].mtu, lies[i].seq); /* nothing of ours, or no smaller */
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	wt_drop(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 1460);
}

static void path_mtu_floor(struct wt *w)
{
	const struct frame_info *f;

	if (wt_ip6) /* wire/ip6 has IPv6's */
		return;
	w->may_fragment = true;
	wt_established(w);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460);
	wt_too_big(w, 0, 1); /* a router of before RFC 1191 */
	wt_too_big(w, 68, 1);
	f = wt_next(w, 3000);
	CHECK(f != NULL);
	IN(f->seg.len, 400, 1460); /* not a sliver, whoever asks for it */
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1461);
	wt_drop(w);
}

static void maxseg(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);
	int got = 0;
	socklen_t len = sizeof(got);

	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	wt_opt(w, IPPROTO_TCP, TCP_MAXSEG, 600);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	EQ(wt_next(w, 0)->seg.mss, 600);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_MAXSEG, &got, &len));
	EQ(got, 600);
	wt_send(w, 1200);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 600, .any_psh = true);
	EXPECT(.flags = PA, .seq = 601, .ack = 1, .len = 600);
}

static void rcvbuf_lowered(struct wt *w)
{
	w->cfg.tcp_rcvbuf = 40000;
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_RCVBUF, 4096);
	/* what the peer was promised it may send; wt checks that the right edge does not move left */
	for (uint32_t s = 1; s < 40001; s += 1000)
		INJECT(.flags = A, .seq = s, .ack = 1, .len = 1000);
	wt_pass(w, 500);
	wt_drop(w);
	wt_read(w, 40000);
	wt_pass(w, 500);
	wt_drop(w);
	INJECT(.flags = PA, .seq = 40001, .ack = 1, .len = 1000);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 41001, .wnd = 4096 - 1000);
}

static void our_numbers_wrap(struct wt *w)
{
	const struct flow f = w->flow;
	uint32_t acked = 0;

	wt_syn_received(w);
	INJECT(.flags = R, .seq = 1);
	/* the ISN of one tuple runs with the clock: wait until it stands before the end */
	for (unsigned i = 0; i < 3 && UINT32_MAX - w->flow.iss > 40000; i++) {
		wt_pass(w, (double)(UINT32_MAX - w->flow.iss - 20000) * 4096 / 1e6);
		w->flow = f;
		INJECT(.flags = S, .mss = 1460);
		EQ(wt_next(w, 0)->seg.flags, SA);
		if (UINT32_MAX - w->flow.iss > 40000)
			INJECT(.flags = R, .seq = 1);
	}
	IN(UINT32_MAX - w->flow.iss, 0, 40000);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	while (acked < 100000) {
		uint32_t next = acked;

		wt_send(w, 10000);
		while (probe_sent(w->probe) != NULL) {
			uint32_t len = wt_sent_len(w);

			EXPECT(.flags = A, .seq = 1 + next, .ack = 1, .len = len, .any_psh = true);
			next += len;
		}
		CHECK(next > acked);
		acked = next;
		wt_pass(w, 5);
		INJECT(.flags = A, .seq = 1, .ack = 1 + acked);
	}
	wt_drop(w);
}

/* ---- without mbufs ---- */

static void no_mbufs_to_open(struct wt *w)
{
	wt_listen(w, 8);
	wt_take_mbufs(w, 0);
	INJECT(.flags = S, .mss = 1460);
	CHECK(probe_sent(w->probe) == NULL);
	EQ(wt_count(w, PC_DROP_TCP_SCARCE), 1);
	wt_give_mbufs(w);
	if (probe_sent(w->probe) == NULL)
		INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

static void no_mbufs_to_send(struct wt *w)
{
	wt_established(w);
	wt_take_mbufs(w, 0);
	ERR(pc_send(w->st, w->flow.fd, "x", 1, 0), EAGAIN);
	CHECK((wt_events(w, w->flow.fd) & POLLOUT) == 0);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = 1460);
	INJECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460);
	CHECK(probe_sent(w->probe) == NULL);
	wt_pass(w, 10);
	wt_give_mbufs(w);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	wt_pass(w, 500);
	wt_drop(w);
	/* neither has been taken: what is left is for acknowledgements */
	EQ(wt_count(w, PC_DROP_TCP_MEMORY), 2);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = 1460);
	INJECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460);
	wt_read(w, 2920);
	wt_send(w, 100);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 2921, .ack = 101);
	wt_drop(w);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void no_mbufs_to_close(struct wt *w)
{
	struct pc_stack_usage u;

	wt_established(w);
	wt_take_mbufs(w, 0);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	CHECK(probe_sent(w->probe) == NULL);
	wt_pass(w, 10);
	wt_give_mbufs(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1); /* now, and not when it seems lost */
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, 0);
}

static void no_mbufs_to_retransmit(struct wt *w)
{
	w->may_fragment = true; /* it might be the path that is narrow */
	wt_established(w);
	wt_send(w, 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	wt_take_mbufs(w, 0);
	wt_pass(w, 10000);
	wt_drop(w);
	wt_give_mbufs(w);
	CHECK(wt_next(w, 20000) != NULL);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1001);
	EQ(wt_info(w).tcpi_unacked, 0);
	wt_drop(w);
}

/* an mbuf without headroom takes another one for the headers, each time that it is sent */
static void send_in_place(struct wt *w, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	uint8_t *p;

	CHECK(m != NULL);
	m->data_off = 0;
	p = (uint8_t *)rte_pktmbuf_append(m, len);
	for (uint16_t i = 0; i < len; i++)
		p[i] = wt_pattern(0, w->flow.sent + i);
	w->flow.sent += len;
	OK(pc_send_mbuf(w->st, w->flow.fd, m, NULL));
	wt_settle(w);
	w->mark = w->now;
}

static void no_mbufs_for_loss_probe(struct wt *w)
{
	w->peer.sackok = true;
	w->cfg.tcp_rto_min_ms = 500;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .sackok = true);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .sackok = true);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	send_in_place(w, 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	send_in_place(w, 1000);
	EXPECT(.flags = PA, .seq = 1001, .ack = 1, .len = 1000);
	wt_take_mbufs(w, 0);
	wt_pass(w, 300); /* the probe is due after 200 ms, the time-out later */
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 0);
	wt_give_mbufs(w);
	CHECK(wt_next(w, 2000) != NULL); /* the time-out stands */
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 1);
	INJECT(.flags = A, .seq = 1, .ack = 2001);
	wt_drop(w);
	EQ(wt_count(w, PC_TCP_TLP_RECOVERIES), 0);
}

static void no_mbufs_for_probes(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	EQ(wt_write(w, 1000, 0), 1000);
	wt_settle(w);
	wt_take_mbufs(w, 0);
	wt_pass(w, 5000);
	wt_drop(w);
	wt_give_mbufs(w);
	CHECK(wt_next(w, 20000) != NULL); /* probing has not stopped */
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 5000);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1001);
	wt_drop(w);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static const struct wt_case cases[] = {
    {"RFC 1191 3: segments shrink to the path's MTU", path_mtu},
    {"RFC 9293 MUST-67: the MSS offered is not that of the path", mss_after_path_mtu},
    {"RFC 8985 7.3: a probe does not repeat what was SACKed", probe_after_too_big},
    {"RFC 5927 7: ICMP that cannot be about us changes nothing", path_mtu_attacks},
    {"RFC 1191 3: the MTU has a floor", path_mtu_floor},
    {"tcp(7): TCP_MAXSEG", maxseg},
    {"RFC 9293 SHLD-14: a lowered SO_RCVBUF does not shrink the window", rcvbuf_lowered},
    {"RFC 9293 3.4: our own numbers wrap", our_numbers_wrap},
    {"no mbufs: a SYN", no_mbufs_to_open},
    {"no mbufs: sending and receiving", no_mbufs_to_send},
    {"no mbufs: close()", no_mbufs_to_close},
    {"no mbufs: a retransmission", no_mbufs_to_retransmit},
    {"no mbufs: a tail loss probe", no_mbufs_for_loss_probe},
    {"no mbufs: probes of a closed window", no_mbufs_for_probes},
};

WT_MAIN("path")
