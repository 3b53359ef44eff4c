/* SPDX-License-Identifier: BSD-2-Clause */

/* Signed segments (TCP-AO, RFC 5925): by which key they go out, and what is dropped for want of a good one. */

#include <arpa/inet.h>

#include "ao.h"

/* ---- what is signed --------------------------------------------------------------------------- */

static void passive(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .ao = &in);
	wt_read(w, 100);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 101, .ao = &out);
	wt_send(w, 300);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 300, .ao = &out);
	INJECT(.flags = A, .seq = 101, .ack = 301, .ao = &in);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 301, .ack = 101, .ao = &out);
	INJECT(.flags = FA, .seq = 101, .ack = 302, .ao = &in);
	EXPECT(.flags = A, .seq = 302, .ack = 102, .ao = &out);
}

static void active(struct wt *w)
{
	connect_keyed(w);
	EXPECT(.flags = S, .mss = MSS, .sackok = true, .ts = TS, .ao = &out);
	INJECT(.flags = SA, .ack = 1, .mss = MSS, .sackok = true, .ts = NO_TS, .ao = &in);
	w->flow.ts_on = false;
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ao = &out);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out);
	INJECT(.flags = FA, .seq = 1, .ack = 11, .ao = &in);
	EXPECT(.flags = A, .seq = 11, .ack = 2, .ao = &out);
}

static void simultaneous(struct wt *w)
{
	connect_keyed(w);
	EXPECT(.flags = S, .mss = MSS, .sackok = true, .ts = TS, .ao = &out);
	w->flow.ts_on = false;
	INJECT(.flags = S, .mss = MSS, .ts = NO_TS, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ts = NO_TS, .ao = &out);
	INJECT(.flags = SA, .ack = 1, .mss = MSS, .ts = NO_TS, .ao = &in);
	wt_drop(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out);
}

static void again(struct wt *w)
{
	established(w);
	wt_send(w, 200);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 200, .ao = &out);
	/* a loss probe, then a time-out */
	EXPECT_IN(1, 3000, .flags = PA, .seq = 1, .ack = 1, .len = 200, .ao = &out);
	EXPECT_IN(1, 6000, .flags = PA, .seq = 1, .ack = 1, .len = 200, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 201, .ao = &in);
}

static void syn_ack_again(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out);
	EXPECT_IN(990, 1010, .flags = SA, .ack = 1, .mss = MSS, .ao = &out);
	/* the SYN again, and one that is not acceptable, are answered in the same way */
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out);
	INJECT(.flags = A, .seq = 70000, .ack = 1, .ao = &in);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .ao = &out);
	INJECT(.flags = R, .seq = 1, .ao = &in);
	EQ(wt_count(w, PC_DROP_TCP_RST), 1);
}

static void probes(struct wt *w)
{
	established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND, .ao = &in);
	wt_send(w, 5);
	EXPECT_IN(150, 3000, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND, .ao = &in);
	INJECT(.flags = A, .seq = 1, .ack = 2, .ao = &in);
	EXPECT(.flags = PA, .seq = 2, .ack = 1, .len = 4, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 6, .ao = &in);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 2);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	EXPECT_IN(1900, 2010, .flags = A, .seq = 5, .ack = 1, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 6, .ao = &in);
}

static void abort_signed(struct wt *w)
{
	const struct linger l = {.l_onoff = 1};

	established(w);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 1, .ack = 1, .ao = &out);
}

static void reset_signed(struct wt *w)
{
	established(w);
	INJECT(.flags = R, .seq = 1);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 1);
	INJECT(.flags = R, .seq = 1, .ao = &in);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNRESET);
}

static void time_wait(struct wt *w)
{
	established(w);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1, .ao = &out);
	INJECT(.flags = FA, .seq = 1, .ack = 2, .ao = &in);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .ao = &out);
	/* the listener's keys may change: the connection's were copies */
	OK(del_key(w, w->lfd, WT_PEER, 32, 100, 50));
	OK(add_key(w, w->lfd, NEW, 100, 50));
	INJECT(.flags = FA, .seq = 1, .ack = 2, .ao = &in);
	EXPECT(.flags = A, .seq = 2, .ack = 2, .ao = &out);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	INJECT(.flags = FA, .seq = 1, .ack = 2, .ao = &in_new);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 1);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 1);
	/* who begins anew does so with the key that holds now */
	w->flow.irs += 100000;
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 2);
	w->flow.iss_known = false;
	w->flow.edge = 0;
	INJECT(.flags = S, .mss = MSS, .ao = &in_new);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out_new);
}

static void time_wait_ends(struct wt *w)
{
	w->cfg.tcp_msl_ms = 100;
	time_wait(w);
	wt_pass(w, 300);
	wt_drop(w);
}

/* ---- resets of what is not there -------------------------------------------------------------- */

/* one that could have begun with a cookie of ours has its numbers on it; of another nothing is known */
static void reset_by_listener(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in);
	EXPECT(.flags = R, .seq = 1, .ao = &out);
	INJECT(.flags = A, .seq = 1000, .ack = 1, .ao = &in);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in_new);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 1);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 2);
}

static void syn_sent_reset(struct wt *w)
{
	connect_keyed(w);
	wt_drop(w);
	w->flow.ts_on = false;
	INJECT(.flags = RA, .ack = 1);
	INJECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = RA, .ack = 1, .ao = &in_new);
	NOTHING(100);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	INJECT(.flags = SA, .ack = 77, .mss = MSS, .ao = &in);
	EXPECT(.flags = R, .seq = 77, .ao = &out);
	INJECT(.flags = RA, .ack = 1, .ao = &in);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNREFUSED);
}

/* ---- what is dropped -------------------------------------------------------------------------- */

static void dropped(struct wt *w)
{
	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = R, .seq = 1);
	INJECT(.flags = S, .seq = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 4);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &in_new);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &in_short);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 2);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &in2);
	EQ(wt_count(w, PC_DROP_TCP_AO_KEY_NOT_FOUND), 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .md5 = KEY);
	EQ(wt_count(w, PC_DROP_TCP_MD5_UNEXPECTED), 1);
	NOTHING(1000);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 11, .ao = &in);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static void dropped_syn(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = S, .mss = MSS);
	INJECT(.flags = S, .mss = MSS, .ao = &in_new);
	INJECT(.flags = S, .mss = MSS, .ao = &in2);
	NOTHING(3000);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 1);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 1);
	EQ(wt_count(w, PC_DROP_TCP_AO_KEY_NOT_FOUND), 1);
	/* and the last segment of a handshake */
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in_new);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in);
	wt_accept(w);
}

static void unexpected(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &in);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_AO_KEY_NOT_FOUND), 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_read(w, 10);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 11);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	NOTHING(3000);
	EQ(wt_count(w, PC_DROP_TCP_AO_KEY_NOT_FOUND), 2);
}

/* Hosts that do not know the option ignore it, which can be configured. */
static void unmatched(struct wt *w)
{
	w->cfg.tcp_ao_unmatched = 1;
	wt_listen(w, 8);
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in);
	wt_accept(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &in);
	wt_read(w, 10);
	EXPECT_IN(0, 100, .flags = A, .seq = 1, .ack = 11);
	/* not so what is malformed, or from a peer with a key */
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10,
	       .raw = "\x1d\x04\x32\x64\x1d\x04\x32\x64", .raw_len = 8);
	NOTHING(100);
	OK(add_key(w, w->lfd, KEY, 100, 50));
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .ao = &in2);
	INJECT(.flags = S, .mss = MSS);
	NOTHING(3000);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 1);
}

static void malformed(struct wt *w)
{
	static const uint8_t twice[32] = {29, 16, 50, 100, [16] = 29, 16, 50, 100};
	static const uint8_t both[36] = {29, 16, 50, 100, [16] = 1, 1, 19, 18};
	static const uint8_t shorter[4] = {29, 3, 50, 1}, bare[4] = {29, 4, 50, 100};

	established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .raw = twice, .raw_len = 32);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .raw = both, .raw_len = 36);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .raw = shorter, .raw_len = 4);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .raw = bare, .raw_len = 4);
	NOTHING(100);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 4);
}

/* each is looked at by itself */
static void not_merged(struct wt *w)
{
	established(w);
	QUEUE(.flags = A, .seq = 1, .ack = 1, .len = 1000, .ao = &in);
	QUEUE(.flags = A, .seq = 1001, .ack = 1, .len = 1000, .ao = &in_new);
	INJECT(.flags = PA, .seq = 2001, .ack = 1, .len = 1000, .ao = &in);
	wt_read(w, 1000);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1001, .ack = 1, .len = 1000, .ao = &in);
	wt_read(w, 2000);
	wt_drop(w);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 1);
}

static void required(struct wt *w)
{
	struct tcp_ao_info_opt info = {.ao_required = 1};

	wt_listen(w, 8);
	OK(set_info(w, w->lfd, &info));
	INJECT(.flags = S, .mss = MSS);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 1);
	info.ao_required = 0;
	OK(set_info(w, w->lfd, &info));
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

/* ---- the numbers' extension ------------------------------------------------------------------- */

static void received_past_a_wrap(struct wt *w)
{
	w->flow.irs = 0xffffff00;
	listen_keyed(w);
	open_with(w, &in, &out);
	for (uint32_t seq = 1; seq < 1001; seq += 100) {
		INJECT(.flags = PA, .seq = seq, .ack = 1, .len = 100, .ao = &in);
		wt_read(w, 100);
	}
	wt_pass(w, 300);
	wt_drop(w);
	/* what comes again from before the wrap has the old extension, and is answered */
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100, .ao = &in);
	EXPECT(.flags = A, .seq = 1, .ack = 1001, .any_sack = true, .ao = &out);
	EQ(wt_count(w, PC_DROP_TCP_AO_BAD), 0);
	INJECT(.flags = FA, .seq = 1001, .ack = 1, .ao = &in);
	EXPECT(.flags = A, .seq = 1, .ack = 1002, .ao = &out);
}

/* our ISNs follow a clock of 4.096 us: the next one of this flow is soon before the wrap */
static void sent_past_a_wrap(struct wt *w)
{
	struct flow flow;

	w->cfg.tcp_timestamps = 0;
	listen_keyed(w);
	flow = w->flow;
	INJECT(.flags = S, .mss = MSS, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out);
	INJECT(.flags = R, .seq = 1, .ao = &in);
	wt_pass(w, (double)(UINT32_MAX - w->flow.iss - 2000) * 4096 / 1e6);
	wt_drop(w);
	w->flow = flow;
	open_with(w, &in, &out);
	CHECK(w->flow.iss > 0xffff0000);
	for (uint32_t seq = 1; seq < 60001; seq += 1000) {
		wt_send(w, 1000);
		EXPECT(.flags = PA, .seq = seq, .ack = 1, .len = 1000, .ao = &out);
		INJECT(.flags = A, .seq = 1, .ack = seq + 1000, .ao = &in);
	}
	CHECK(w->flow.iss + 60001 < w->flow.iss);
	/* in TIME-WAIT, too */
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 60001, .ack = 1, .ao = &out);
	INJECT(.flags = FA, .seq = 1, .ack = 60002, .ao = &in);
	EXPECT(.flags = A, .seq = 60002, .ack = 2, .ao = &out);
	INJECT(.flags = FA, .seq = 1, .ack = 60002, .ao = &in);
	EXPECT(.flags = A, .seq = 60002, .ack = 2, .ao = &out);
}

/* ---- room for options ------------------------------------------------------------------------- */

static void sack_and_timestamps(struct wt *w)
{
	listen_keyed(w);
	INJECT(.flags = S, .mss = MSS, .sackok = true, .ts = TS, .tsval = 1, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .sackok = true, .ts = TS, .tsecr = 1, .ao = &out);
	w->flow.ts_on = true;
	INJECT(.flags = A, .seq = 1, .ack = 1, .ao = &in);
	wt_accept(w);
	for (uint32_t i = 1; i <= 2; i++) {
		INJECT(.flags = PA, .seq = i * 200, .ack = 1, .len = 100, .ao = &in);
		EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1,
		       .sack = {{i * 200, i * 200 + 100}}, .ao = &out);
	}
}

/* no room for both: SACK stays, as with TCP-MD5 */
static void sack_not_timestamps(struct wt *w)
{
	static const struct wt_ao in16 = {KEY, .mac_len = 16, .id = 50, .rnext = 100};
	static const struct wt_ao out16 = {KEY, .mac_len = 16, .id = 100, .rnext = 50};
	struct tcp_ao_add k = key_for(WT_PEER, 32, KEY, 100, 50);

	wt_listen(w, 8);
	k.maclen = 16;
	OK(set(w, w->lfd, TCP_AO_ADD_KEY, &k, sizeof(k)));
	INJECT(.flags = S, .mss = MSS, .sackok = true, .ts = TS, .tsval = 1, .ao = &in16);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .sackok = true, .ts = NO_TS, .ao = &out16);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = NO_TS, .ao = &in16);
	wt_accept(w);
	for (uint32_t i = 1; i <= 2; i++)
		INJECT(.flags = PA, .seq = i * 200, .ack = 1, .len = 100, .ts = NO_TS, .ao = &in16);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{200, 300}}, .ao = &out16);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 2, .sack = {{400, 500}, {200, 300}},
	       .ao = &out16);
}

static void full_segments(struct wt *w)
{
	established(w);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1444, .any_psh = true, .ao = &out);
	EXPECT(.flags = A, .seq = 1445, .ack = 1, .len = 1444, .any_psh = true, .ao = &out);
	EXPECT(.flags = PA, .seq = 2889, .ack = 1, .len = 112, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 3001, .ao = &in);
}

static void no_fast_open(struct wt *w)
{
	int limit = 4;

	w->cfg.tcp_fastopen |= 3;
	listen_keyed(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	INJECT(.flags = S, .mss = MSS, .fo = 1, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .fo = 9, .cookie = "whatever", .len = 10, .ao = &in);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .ao = &out);
}

static void cookies(struct wt *w)
{
	w->cfg.tcp_syn_cookies = 2;
	established(w);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10, .ao = &out);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	EQ(wt_count(w, PC_DROP_TCP_AO_REQUIRED), 1);
	INJECT(.flags = A, .seq = 1, .ack = 11, .ao = &in);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* ---- ICMP ------------------------------------------------------------------------------------- */

static void send_icmp(struct wt *w, uint8_t type, uint8_t code, uint32_t seq)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	struct tcp_seg t = {.sport = w->flow.lport, .dport = w->flow.pport, .flags = A};
	struct frame quoted, f;

	t.seq = w->flow.iss + seq;
	frame_tcp(&quoted, &back, &t, NULL, NULL, 0);
	frame_icmp(&f, &e, type, code, (uint8_t[4]){0, 0, 1300 >> 8, 1300 & 255}, quoted.b + 14,
	           28);
	wt_inject_frame(w, &f);
}

static void icmp(struct wt *w)
{
	struct tcp_ao_info_opt info = {.accept_icmps = 1};

	established(w);
	wt_send(w, 2888);
	wt_drop(w);
	for (uint8_t code = 2; code <= 4; code++)
		send_icmp(w, 3, code, 1);
	EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), 3);
	EQ(get_info(w, w->flow.fd).pkt_dropped_icmp, 3);
	EQ(wt_info(w).tcpi_pmtu, 1500);
	/* others are believed */
	send_icmp(w, 3, 1, 1);
	EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), 3);
	/* and these, if the application says so */
	OK(set_info(w, w->flow.fd, &info));
	send_icmp(w, 3, 4, 1);
	EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), 3);
	EXPECT_IN(0, 3000, .flags = A, .seq = 1, .ack = 1, .len = 1244, .any_psh = true,
	          .ao = &out);
	wt_drop(w);
}

/* what both families have: over IPv6 a port, and what an administrator forbids; a packet too big is believed there */
static void icmp_of_both(struct wt *w)
{
	established(w);
	wt_send(w, 10);
	wt_drop(w);
	send_icmp(w, 3, 3, 1);
	EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), 1);
	send_icmp(w, 3, 13, 1);
	EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), wt_ip6 ? 2 : 1);
	send_icmp(w, 3, 1, 1);
	send_icmp(w, 11, 0, 1);
	EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), wt_ip6 ? 2 : 1);
	if (wt_ip6) {
		send_icmp(w, 3, 4, 1);
		EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), 2);
		EQ(wt_info(w).tcpi_pmtu, 1320);
	}
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	wt_drop(w);
}

/* a connection that is being opened is not in a synchronised state */
static void icmp_of_attempt(struct wt *w)
{
	connect_keyed(w);
	EXPECT(.flags = S, .mss = MSS, .sackok = true, .ts = TS, .ao = &out);
	send_icmp(w, 3, 3, 0);
	EQ(wt_count(w, PC_TCP_AO_ICMPS_IGNORED), 0);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNREFUSED);
}

static const struct wt_case cases[] = {
    {"RFC 5925 7.4: an accepted connection signs all that it sends", passive},
    {"RFC 5925 7.4: a connection that is opened signs all that it sends", active},
    {"RFC 5925 5.2: two SYNs that cross", simultaneous},
    {"RFC 5925 7.4: what is sent again is signed", again},
    {"RFC 5925 7.4: SYN-ACKs and what a half-open connection answers are signed", syn_ack_again},
    {"RFC 5925 7.4: probes and keep-alives are signed", probes},
    {"RFC 5925 7.4: resets are signed", abort_signed},
    {"RFC 5925 7.5: resets have to be signed", reset_signed},
    {"RFC 5925 7.4: what TIME-WAIT answers is signed", time_wait},
    {"keys of TIME-WAIT go with it", time_wait_ends},
    {"RFC 5925 7.7: a reset of what belongs to nothing is signed, or there is none",
     reset_by_listener},
    {"RFC 5925 7.5: only a signed reset or SYN-ACK answers a signed SYN", syn_sent_reset},
    {"RFC 5925 7.5: what is not signed so is dropped without an answer", dropped},
    {"RFC 5925 7.5: so is a SYN, and what would complete a handshake", dropped_syn},
    {"a signature that nobody has asked for is dropped, as on Linux", unexpected},
    {"RFC 5925 7.3: ... or ignored, if so configured", unmatched},
    {"RFC 5925 2.2: two signatures, or one of another length, are wrong", malformed},
    {"receive coalescing leaves signed segments apart", not_merged},
    {"TCP_AO_INFO: a socket that takes nothing unsigned", required},
    {"RFC 5925 6.2: the peer's numbers wrap", received_past_a_wrap},
    {"RFC 5925 6.2: our numbers wrap", sent_past_a_wrap},
    {"RFC 5925 7.6: SACK and timestamps beside a digest of 12 bytes", sack_and_timestamps},
    {"RFC 5925 7.6: SACK rather than timestamps beside a longer one", sack_not_timestamps},
    {"RFC 5925 7.6: segments leave room for the option", full_segments},
    {"no Fast Open beside signatures", no_fast_open},
    {"RFC 4987 3.6: a SYN cookie is signed, and taken by its key", cookies},
    {"RFC 5925 7.8: ICMP over IPv4 is ignored, unless TCP_AO_INFO says otherwise", icmp},
    {"RFC 5925 7.8: ICMP and ICMPv6 about a port is ignored, about the way believed", icmp_of_both},
    {"RFC 5925 7.8: ICMP about a connection that is opened is believed", icmp_of_attempt},
};
WT_MAIN("ao")
