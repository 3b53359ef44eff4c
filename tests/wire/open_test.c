/* SPDX-License-Identifier: BSD-2-Clause */

/* Opening: handshakes, the options of SYNs, initial sequence numbers, lost SYNs. */

#include "wt.h"

static void passive_open(struct wt *w)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460, .wnd = 65535);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(wt_events(w, w->lfd) & POLLIN);
	w->flow.fd = pc_accept(w->st, w->lfd, (struct sockaddr *)&a, &len);
	OK(w->flow.fd);
	EQ(a.sin_addr.s_addr, w->flow.peer_be);
	EQ(ntohs(a.sin_port), w->flow.pport);
	EQ(wt_events(w, w->flow.fd), POLLOUT);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	NOTHING(10000);
}

static void active_open(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);
	const struct frame_info *i;

	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EALREADY);
	wt_settle(w);
	i = wt_next(w, 0);
	CHECK(i != NULL);
	EQ(i->seg.flags, S);
	EQ(i->seg.has, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS | TCP_HAS_SACKOK);
	EQ(i->seg.mss, 1460);
	EQ(i->seg.wnd, 65535);
	EQ(i->seg.tsecr, 0);
	IN(i->seg.wscale, 3, 14);
	EQ(wt_events(w, w->flow.fd), 0);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	INJECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_events(w, w->flow.fd), POLLOUT);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EISCONN);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	NOTHING(10000);
}

static void simultaneous_open(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = S, .seq = 0, .mss = 1460);
	EXPECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_events(w, w->flow.fd), POLLOUT);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = PA, .seq = 1, .ack = 11, .len = 5);
	EXPECT_IN(0, 499, .flags = A, .seq = 11, .ack = 6);
	wt_read(w, 5);
}

static void simultaneous_open_syn_ack(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = S, .seq = 0, .mss = 1460);
	EXPECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460);
	INJECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460);
	while (probe_sent(w->probe) != NULL)
		EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_events(w, w->flow.fd), POLLOUT);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

static void shutdown_in_syn_received(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = S, .seq = 0, .mss = 1460);
	EXPECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	EQ(wt_info(w).tcpi_state, TCP_FIN_WAIT1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	EQ(wt_info(w).tcpi_state, TCP_FIN_WAIT2);
}

static void open_before_first_turn(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);

	w->cold = true;
	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	EQ(wt_next(w, 0)->seg.flags, S);
	NOTHING(999);
	EQ(wt_next(w, 2)->seg.flags, S);
}

static void mss_default(struct wt *w)
{
	const uint16_t mss = wt_mss_default();

	w->peer.mss = 0;
	wt_established(w);
	wt_send(w, mss + 464);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = mss, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = mss + 1);
	EXPECT(.flags = PA, .seq = mss + 1, .ack = 1, .len = 464);
}

static void mss_honoured(struct wt *w)
{
	w->peer.mss = 700;
	wt_established_active(w);
	wt_send(w, 1400);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 700, .any_psh = true);
	EXPECT(.flags = PA, .seq = 701, .ack = 1, .len = 700);
}

static void mss_less_options(struct wt *w)
{
	w->peer.ts = true;
	wt_established(w);
	wt_send(w, 2 * 1448);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1448, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1449, .ack = 1, .len = 1448);
}

static void mss_larger_than_mtu(struct wt *w)
{
	w->peer.mss = 8960;
	wt_established(w);
	wt_send(w, 2920);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1461, .ack = 1, .len = 1460);
}

static void mss_of_interface(struct wt *w)
{
	w->mtu = 1280;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1240);
}

static void mss_tiny(struct wt *w)
{
	w->peer.mss = 1;
	wt_established(w);
	wt_send(w, 200);
	CHECK(wt_next(w, 0)->seg.len >= 48);
	wt_drop(w);
}

static void all_options_accepted(struct wt *w)
{
	const struct frame_info *i;

	w->peer = (struct peer){.mss = 1460, .ws = 1 + 7, .ts = true, .sackok = true, .wnd = 500};
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .ws = 1 + 7, .sackok = true, .ts = TS, .tsval = 777,
	       .wnd = 64000);
	i = wt_next(w, 0);
	CHECK(i != NULL);
	EQ(i->seg.flags, SA);
	EQ(i->seg.has, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS | TCP_HAS_SACKOK);
	EQ(i->seg.tsecr, 777);
	EQ(i->seg.wnd, 65535);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_info(w).tcpi_snd_wscale, 7);
	CHECK(wt_info(w).tcpi_options & TCPI_OPT_TIMESTAMPS);
	CHECK(wt_info(w).tcpi_options & TCPI_OPT_SACK);
	CHECK(wt_info(w).tcpi_options & TCPI_OPT_WSCALE);
}

static void options_off(struct wt *w)
{
	w->cfg.tcp_timestamps = w->cfg.tcp_window_scaling = w->cfg.tcp_sack = 0;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .ws = 8, .sackok = true, .ts = TS, .tsval = 1);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460, .ts = NO_TS);
	wt_flow(w);
	w->flow.lport = 0;
	wt_syn_sent(w);
	EQ(w->flow.ts_sent, false);
	EQ(w->flow.ws_sent, false);
}

static void wscale_applies(struct wt *w)
{
	w->peer.ws = 1 + 7;
	w->peer.wnd = 30; /* 3840 bytes */
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .ws = 8, .wnd = 65535);
	CHECK(wt_next(w, 0) != NULL);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 10000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 1, .len = 1460, .any_psh = true);
	NOTHING(50); /* 920 bytes of window are left: less than a segment */
	INJECT(.flags = A, .seq = 1, .ack = 2921, .wnd = 12);
	EXPECT(.flags = A, .seq = 2921, .ack = 1, .len = 1460, .any_psh = true);
	wt_drop(w);
}

static void wscale_not_in_syn(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = SA, .ack = 1, .mss = 1460, .ws = 1 + 7, .wnd = 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1000, .any_psh = true);
	NOTHING(50);
}

/* ... nor those of SYN-ACKs that cross; the steps that follow count in units of the scale, of which 7 fit */
static void wscale_not_in_crossing_syn_ack(struct wt *w)
{
	w->peer.ws = 1 + 7;
	wt_syn_sent(w);
	INJECT(.flags = S, .seq = 0, .mss = 1460, .ws = 1 + 7, .wnd = 1000);
	EXPECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460, .ws = 1 + 7);
	INJECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460, .ws = 1 + 7, .wnd = 1000);
	wt_drop(w);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 7 << 7, .any_psh = true);
	NOTHING(50);
}

static void wscale_limit(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = SA, .ack = 1, .mss = 1460, .ws = 1 + 15);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_info(w).tcpi_snd_wscale, 14);
}

static void wscale_limit_passive(struct wt *w)
{
	w->peer.ws = 1 + 200;
	wt_established(w);
	EQ(wt_info(w).tcpi_snd_wscale, 14);
}

static void ts_not_answered(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ts = NO_TS);
	wt_send(w, 1460);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1460, .ts = NO_TS);
}

static void isn_of_same_tuple(struct wt *w)
{
	uint32_t first;
	struct flow f = w->flow;

	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	first = w->flow.iss;
	INJECT(.flags = R, .seq = 1);
	wt_pass(w, 1000);
	w->flow = f;
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	IN(w->flow.iss - first, 200000, 20000000);
}

static void isn_of_other_tuples(struct wt *w)
{
	uint32_t isn[4];

	wt_listen(w, 8);
	for (unsigned i = 0; i < 4; i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = 1460);
		EXPECT(.flags = SA, .ack = 1, .mss = 1460);
		isn[i] = w->flow.iss;
	}
	for (unsigned i = 1; i < 4; i++) {
		uint32_t gap = isn[i] - isn[i - 1];

		CHECK(gap > 1000000 && gap < UINT32_MAX - 1000000);
	}
}

/* the ISN of a stack with this seed (0: random), less what the clock adds */
static uint32_t isn_of_seed(struct wt *w, uint64_t seed)
{
	uint32_t isn;

	w->cfg.stack_seed = seed;
	wt_syn_received(w);
	isn = w->flow.iss - (uint32_t)(w->now >> 12);
	pc_stack_destroy(w->st);
	pc_port_close(probe_port(w->probe));
	w->st = NULL;
	w->probe = NULL;
	w->lfd = 0;
	return isn;
}

static void isn_depends_on_secret(struct wt *w)
{
	static const uint64_t seeds[] = {1, 1, 2, 0, 0};
	const struct flow f = w->flow;
	uint32_t isn[5];

	for (unsigned i = 0; i < 5; i++) {
		w->flow = f;
		isn[i] = isn_of_seed(w, seeds[i]);
	}
	IN((int32_t)(isn[1] - isn[0]), -1000, 1000);
	for (unsigned i = 2; i < 5; i++)
		CHECK(isn[i] - isn[i - 1] + 1000 > 2000);
}

static void syn_retransmission(struct wt *w)
{
	int e;
	socklen_t len = sizeof(e);
	const struct frame_info *i;

	wt_syn_sent(w);
	for (unsigned s = 1; s <= 32 * 2; s *= 2) {
		uint64_t before = w->mark;

		i = wt_next(w, 1000 * s + 5);
		CHECK(i != NULL);
		IN((w->mark - before) / 1000000, 1000 * s - 1, 1000 * s + 1);
		EQ(i->seg.flags, S);
		EQ(i->seg.seq, w->flow.iss);
		EQ(i->seg.mss, 1460);
		if (s == 32)
			break;
	}
	NOTHING(63999);
	wt_pass(w, 64100 - 63999);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &e, &len));
	EQ(e, ETIMEDOUT);
	NOTHING(300000);
}

static void syn_ack_retransmission(struct wt *w)
{
	struct pc_stack_usage u;

	wt_syn_received(w);
	for (unsigned s = 1; s <= 16; s *= 2)
		EXPECT_AT(1000 * s, .flags = SA, .ack = 1, .mss = 1460);
	NOTHING(32100);
	pc_stack_get_usage(w->st, &u);
	EQ(u.half_open, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = R, .seq = 1);
}

static void syn_repeated(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

static void lost_syn_ack_shrinks_window(struct wt *w)
{
	wt_syn_received(w);
	EXPECT_AT(1000, .flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 14600);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EQ(wt_drop(w), 0);
}

static void lost_syn_shrinks_window(struct wt *w)
{
	wt_syn_sent(w);
	CHECK(wt_next(w, 1001) != NULL);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	wt_send(w, 14600);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1460, .any_psh = true);
	EQ(wt_drop(w), 0);
}

/* ... but what could not be sent, for want of mbufs, was not lost, however often: the first that is sent may be answered by its
 * window in full, and is the one whose timestamp the answer echoes */
static void unsent_syn(struct wt *w)
{
	wt_start(w);
	wt_take_mbufs(w, 0);
	wt_connecting(w);
	NOTHING(4000);
	wt_give_mbufs(w);
	EXPECT_IN(2990, 3010, .flags = S, .mss = 1460, .ws = 1 + 7, .sackok = true, .ts = TS);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_info(w).tcpi_snd_cwnd, 10);
	IN(wt_info(w).tcpi_rto, 1, 1000000);
}

static void syn_to_broadcast(struct wt *w)
{
	struct frame_ends e = wt_ends(w);
	struct tcp_seg t = {.sport = 40000, .dport = WT_PORT, .seq = 1, .flags = S, .wnd = 1000};
	struct frame f;

	wt_listen(w, 8);
	e.dst_be = htonl(0xc00002ff); /* 192.0.2.255 */
	memset(e.dst_mac, 0xff, 6);
	frame_tcp(&f, &e, &t, NULL, NULL, 0);
	wt_inject_frame(w, &f);
	e.dst_be = INADDR_BROADCAST;
	frame_tcp(&f, &e, &t, NULL, NULL, 0);
	wt_inject_frame(w, &f);
	e = wt_ends(w);
	e.src_be = htonl(0xe0000001);
	frame_tcp(&f, &e, &t, NULL, NULL, 0);
	wt_inject_frame(w, &f);
	NOTHING(5000);
}

static void connect_to_group(struct wt *w)
{
	const struct sockaddr_in multicast = wt_addr("224.0.0.5", 80);
	const struct sockaddr_in broadcast = wt_addr("192.0.2.255", 80);
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	int fd;

	wt_start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&multicast, sizeof(multicast)),
	    ENETUNREACH);
	if (!wt_ip6)
		ERR(pc_connect(w->st, fd, (const struct sockaddr *)&broadcast, sizeof(broadcast)),
		    ENETUNREACH);
	OK(pc_getsockname(w->st, fd, (struct sockaddr *)&own, &len));
	EQ(own.sin_addr.s_addr, INADDR_ANY); /* the next attempt may be from another address */
	NOTHING(5000);
}

static void data_on_syn(struct wt *w)
{
	const struct frame_info *i;
	uint32_t acked;

	wt_listen(w, 8);
	INJECT(.flags = S, .mss = 1460, .len = 10);
	i = wt_next(w, 0);
	CHECK(i != NULL);
	EQ(i->seg.flags, SA);
	acked = i->seg.ack - w->flow.irs;
	CHECK(acked == 1 || acked == 11);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_accept(w);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 11);
}

static void data_with_final_ack(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 300);
	wt_accept(w);
	CHECK(wt_events(w, w->flow.fd) & POLLIN);
	wt_read(w, 300);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 301);
}

static void final_ack_lost_data_completes(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = FA, .seq = 1, .ack = 1, .len = 100);
	wt_accept(w);
	wt_read(w, 100);
	EXPECT(.flags = A, .seq = 1, .ack = 102);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

static void ecn_setup_declined(struct wt *w)
{
	w->cfg.tcp_ecn = 0;
	wt_listen(w, 8);
	INJECT(.flags = S | TCP_ECE | TCP_CWR, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
}

static void connect_from_bound_port(struct wt *w)
{
	const struct sockaddr_in local = wt_addr(WT_LOCAL, 5555), to = wt_addr(WT_PEER, 40000);
	struct sockaddr_in got;
	socklen_t len = sizeof(got);

	wt_start(w);
	w->flow.lport = 5555;
	w->flow.pport = 40000;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(pc_bind(w->st, w->flow.fd, (const struct sockaddr *)&local, sizeof(local)));
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	EQ(wt_next(w, 0)->seg.sport, 5555);
	OK(pc_getsockname(w->st, w->flow.fd, (struct sockaddr *)&got, &len));
	EQ(got.sin_addr.s_addr, local.sin_addr.s_addr);
	EQ(ntohs(got.sin_port), 5555);
}

/* ... and when another connection has the ports, the socket is as it was: of no path, whose MTU could count for the next */
static void connect_fails(struct wt *w)
{
	const struct sockaddr_in local = wt_addr(WT_LOCAL, 5555), to = wt_addr(WT_PEER, 40000);
	const int one = 1;
	socklen_t len = sizeof(one);
	int fd[2], mtu;

	wt_start(w);
	for (unsigned i = 0; i < 2; i++) {
		fd[i] = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
		OK(pc_setsockopt(w->st, fd[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
		OK(pc_bind(w->st, fd[i], (const struct sockaddr *)&local, sizeof(local)));
	}
	ERR(pc_connect(w->st, fd[0], (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	wt_drop(w);
	ERR(pc_connect(w->st, fd[1], (const struct sockaddr *)&to, sizeof(to)), EADDRNOTAVAIL);
	ERR(pc_getsockopt(w->st, fd[1], IPPROTO_IP, IP_MTU, &mtu, &len), ENOTCONN);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.5: passive open", passive_open},
    {"RFC 9293 3.5: active open", active_open},
    {"RFC 9293 MUST-10: simultaneous open, completed by ACK", simultaneous_open},
    {"RFC 9293 MUST-10: simultaneous open, completed by SYN-ACK", simultaneous_open_syn_ack},
    {"RFC 9293 3.10.4: CLOSE in SYN-RECEIVED waits for ESTABLISHED", shutdown_in_syn_received},
    {"RFC 6298 5.5: connect() before the first turn", open_before_first_turn},
    {"RFC 9293 MUST-15: without MSS option 536 is assumed", mss_default},
    {"RFC 9293 MUST-14: the peer's MSS is honoured", mss_honoured},
    {"RFC 9293 MUST-16: segments shrink by the options sent", mss_less_options},
    {"RFC 9293 MUST-16: segments never exceed the path's limit", mss_larger_than_mtu},
    {"RFC 9293 SHLD-6: the MSS offered follows the interface", mss_of_interface},
    {"CVE-2019-11479: a tiny MSS has a floor", mss_tiny},
    {"RFC 7323, 2018: all options accepted when offered", all_options_accepted},
    {"RFC 7323, 2018: no options when switched off", options_off},
    {"RFC 7323 2.3: windows are scaled after the handshake", wscale_applies},
    {"RFC 7323 2.2: windows of SYNs are not scaled", wscale_not_in_syn},
    {"RFC 7323 2.2: windows of SYN-ACKs that cross are not scaled", wscale_not_in_crossing_syn_ack},
    {"RFC 7323 2.3: a shift above 14 is taken as 14", wscale_limit},
    {"RFC 7323 2.3: a shift above 14 is taken as 14, passive open", wscale_limit_passive},
    {"RFC 7323 3.2: no timestamps when the peer has not answered them", ts_not_answered},
    {"RFC 9293 MUST-8: the ISN of one tuple runs with the clock", isn_of_same_tuple},
    {"RFC 6528 3: ISNs of different tuples are unrelated", isn_of_other_tuples},
    {"RFC 6528 3: ISNs depend on the secret", isn_depends_on_secret},
    {"RFC 6298 5.5, 9293 MUST-19: SYN is retransmitted with back-off", syn_retransmission},
    {"RFC 6298 5.5: SYN-ACK is retransmitted with back-off", syn_ack_retransmission},
    {"RFC 9293 3.10.7.4: a repeated SYN draws the SYN-ACK again", syn_repeated},
    {"RFC 6928 2: a lost SYN-ACK makes the initial window one segment",
     lost_syn_ack_shrinks_window},
    {"RFC 6928 2: a lost SYN makes the initial window one segment", lost_syn_shrinks_window},
    {"RFC 6928 2: ... but not one that was never sent", unsent_syn},
    {"RFC 9293 MUST-57: a SYN to or from a group is dropped silently", syn_to_broadcast},
    {"RFC 9293 MUST-46: connect() to a group fails", connect_to_group},
    {"RFC 9293 3.4: data on a SYN is not delivered early", data_on_syn},
    {"RFC 9293 3.10.7.4: data with the final ACK is delivered", data_with_final_ack},
    {"RFC 9293 3.10.7.4: data and FIN with the final ACK", final_ack_lost_data_completes},
    {"RFC 3168 6.1.1: an ECN-setup SYN is answered without ECN", ecn_setup_declined},
    {"RFC 9293 MUST-44: a bound source address and port is used", connect_from_bound_port},
    {"RFC 9293 3.10.1: connect() fails, as the ports are taken", connect_fails},
};

WT_MAIN("open")
