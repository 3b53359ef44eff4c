/* SPDX-License-Identifier: BSD-2-Clause */

/* TCP Fast Open (RFC 7413), both sides. */

#include <stdio.h>

#include "wt.h"

#define MSS    1460
#define COOKIE 9 /* .fo of our own cookies: 8 bytes */
#define ASK    1 /* .fo: no cookie, give me one */

/* ---- server ---------------------------------------------------------------------------------- */

static void listen_fast(struct wt *w, int limit)
{
	w->cfg.tcp_fastopen |= 2;
	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
}

/* gets a cookie as a client does, by a connection that brings nothing else */
static struct flow cookie_of(struct wt *w)
{
	INJECT(.flags = S, .mss = MSS, .fo = ASK);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .fo = COOKIE);
	INJECT(.flags = R, .seq = 1);
	return wt_flow(w);
}

/* a SYN with that cookie and ten bytes, which are taken at once */
static void open_with(struct wt *w, const void *cookie)
{
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 11, .mss = MSS);
}

static void asked_for(struct wt *w)
{
	listen_fast(w, 4);
	/* "the server ... includes a cookie in the SYN-ACK"; data without a cookie is not taken */
	INJECT(.flags = S, .mss = MSS, .fo = ASK, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .fo = COOKIE);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	EQ(wt_count(w, PC_TCP_FASTOPEN_COOKIES), 1);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 0);
}

static void open_fast(struct wt *w)
{
	struct flow old;

	listen_fast(w, 4);
	old = cookie_of(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 100);
	EXPECT(.flags = SA, .ack = 101, .mss = MSS);
	wt_accept(w);
	wt_read(w, 100);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 1);
}

/* where nobody accepts, a cookie opens nothing either (RFC 7413 5.1, Linux) */
static void full_queue(struct wt *w)
{
	struct flow old;
	int limit = 4;

	w->cfg.tcp_fastopen |= 2;
	wt_listen(w, 0);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	old = cookie_of(w);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 100);
	NOTHING(1000);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 0);
	EQ(wt_count(w, PC_DROP_TCP_BACKLOG), 1);
}

/* "The server ... MAY include data in the SYN-ACK or send it right after", before the handshake's end */
static void answer_before_ack(struct wt *w)
{
	open_fast(w);
	EQ(wt_info(w).tcpi_state, TCP_SYN_RECV);
	CHECK(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 2000);
	EXPECT(.flags = A, .seq = 1, .ack = 101, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1461, .ack = 101, .len = 540);
	INJECT(.flags = A, .seq = 101, .ack = 1461);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	EQ(wt_info(w).tcpi_unacked, 1);
	INJECT(.flags = PA, .seq = 101, .ack = 2001, .len = 10);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 2001, .ack = 111);
	EQ(wt_count(w, PC_TCP_OPENED_PASSIVE), 1);
}

/* only the SYN-ACK is repeated until the handshake is over, and then what was sent early */
static void syn_ack_lost(struct wt *w)
{
	open_fast(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 10);
	EXPECT_IN(990, 1010, .flags = SA, .ack = 101, .mss = MSS);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 101, .mss = MSS);
	INJECT(.flags = A, .seq = 101, .ack = 1);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	EXPECT_IN(200, 3100, .flags = PA, .seq = 1, .ack = 101, .len = 10);
	INJECT(.flags = A, .seq = 101, .ack = 11);
}

/* ... neither put off by that nor after a tail loss probe */
static void syn_ack_lost_with_sack(struct wt *w)
{
	const struct frame_info *i;
	struct flow old;

	w->peer.sackok = true;
	listen_fast(w, 4);
	old = cookie_of(w);
	INJECT(.flags = S, .mss = MSS, .sackok = true, .fo = COOKIE, .cookie = old.cookie,
	       .len = 10);
	i = wt_next(w, 0);
	CHECK(i != NULL && i->seg.flags == SA && i->seg.has == (TCP_HAS_MSS | TCP_HAS_SACKOK));
	wt_accept(w);
	NOTHING(500);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 11, .len = 10);
	NOTHING(490);
	i = wt_next(w, 20);
	CHECK(i != NULL && i->seg.flags == SA);
	EQ(wt_count(w, PC_TCP_TLP_PROBES), 0);
}

static void nobody_answers(struct wt *w)
{
	struct pc_stack_usage u;

	w->cfg.tcp_synack_retries = 2;
	open_fast(w);
	wt_pass(w, 8000);
	wt_drop(w);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ETIMEDOUT);
	OK(pc_close(w->st, w->flow.fd));
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, 0);
}

/* close() before the handshake is over: the FIN goes with the answer, the states follow the ACK */
static void closed_early(struct wt *w)
{
	open_fast(w);
	EQ(wt_write(w, 10, 0), 10);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 101, .len = 10);
	INJECT(.flags = FA, .seq = 101, .ack = 12);
	EXPECT(.flags = A, .seq = 12, .ack = 102);
}

static void reset_early(struct wt *w)
{
	open_fast(w);
	INJECT(.flags = R, .seq = 101);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNRESET);
}

static void bad_ack(struct wt *w)
{
	open_fast(w);
	INJECT(.flags = A, .seq = 101, .ack = 2);
	EXPECT(.flags = R, .seq = 2);
	INJECT(.flags = A, .seq = 101, .ack = 0);
	EXPECT(.flags = R, .seq = 0);
	INJECT(.flags = A, .seq = 101, .ack = 1);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

/* "If the cookie is invalid, the server falls back to the usual handshake", and gives a good one */
static void bad_cookie(struct wt *w)
{
	listen_fast(w, 4);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = "notours!", .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .fo = COOKIE);
	EQ(wt_count(w, PC_TCP_FASTOPEN_INVALID), 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_accept(w);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 11);
}

/* each byte of a cookie counts */
static void forged_cookie(struct wt *w)
{
	struct flow old;

	listen_fast(w, 4);
	old = cookie_of(w);
	for (unsigned i = 0; i < 8; i++) {
		uint8_t forged[8];

		memcpy(forged, old.cookie, 8);
		forged[i] ^= 1;
		INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = forged, .len = 10);
		EXPECT(.flags = SA, .ack = 1, .mss = MSS, .fo = COOKIE);
		INJECT(.flags = R, .seq = 1);
		wt_flow(w);
	}
	EQ(wt_count(w, PC_TCP_FASTOPEN_INVALID), 8);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 0);
}

/* the limit of connections of a source holds for those that a cookie opens, too */
static void source_limit(struct wt *w)
{
	struct flow old;

	w->cfg.tcp_source_connections = 1;
	listen_fast(w, 4);
	old = cookie_of(w);
	open_with(w, old.cookie);
	INJECT(.flags = A, .seq = 11, .ack = 1);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
	NOTHING(1000);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 1);
	EQ(wt_count(w, PC_DROP_TCP_SOURCE), 1);
}

/* the cookie is bound to the address */
static void stolen_cookie(struct wt *w)
{
	struct flow old;

	listen_fast(w, 4);
	old = cookie_of(w);
	w->flow.peer_be = htonl(0xc0000203);
	wt_start(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
	EQ(wt_count(w, PC_TCP_FASTOPEN_INVALID), 1);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 0);
	while (wt_next_frame(w, 1) != NULL)
		; /* ARP for the thief, or a SYN-ACK to him */
}

static void old_key(struct wt *w)
{
	static const char keys[33] = "0123456789abcdefFEDCBA9876543210";
	struct flow old;
	char got[32];
	socklen_t len = sizeof(got);

	listen_fast(w, 4);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 16));
	old = cookie_of(w);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys + 16, 16));
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS, .fo = COOKIE);
	INJECT(.flags = R, .seq = 1);
	/* a new key and the old one: the old cookie is good, and is replaced */
	memcpy(got, keys + 16, 16);
	memcpy(got + 16, keys, 16);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, 32));
	memset(got, 0, sizeof(got));
	OK(pc_getsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len));
	EQ(len, 32);
	EQ(memcmp(got, keys + 16, 16), 0);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 11, .mss = MSS, .fo = COOKIE);
	CHECK(memcmp(w->flow.cookie, old.cookie, 8) != 0);
	wt_accept(w);
	wt_read(w, 10);
	ERR(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, 15), EINVAL);
}

/* RFC 7413 section 5.1: "PendingFastOpenRequests" is limited */
static void limited(struct wt *w)
{
	struct flow old;

	listen_fast(w, 1);
	old = cookie_of(w);
	open_with(w, old.cookie);
	wt_accept(w);
	w->flow = (struct flow){0};
	old.fd = -1;
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	EQ(wt_count(w, PC_TCP_FASTOPEN_OVERFLOW), 1);
	INJECT(.flags = R, .seq = 1);
}

/* once the handshake is over there is room for the next */
static void limit_is_left(struct wt *w)
{
	struct flow old;

	listen_fast(w, 1);
	old = cookie_of(w);
	for (unsigned i = 0; i < 5; i++) {
		open_with(w, old.cookie);
		if (i % 2 == 0)
			wt_accept(w);
		INJECT(.flags = A, .seq = 11, .ack = 1);
		wt_flow(w);
	}
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 5);
}

/* ... but not at once with a RST, or SYNs in the name of hosts that answer so would never reach it; as on Linux they count
 * for a minute */
static void resets_count(struct wt *w)
{
	struct flow old;

	listen_fast(w, 2);
	old = cookie_of(w);
	for (unsigned i = 0; i < 4; i++) {
		INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
		EXPECT(.flags = SA, .ack = i < 2 ? 11 : 1, .mss = MSS);
		INJECT(.flags = R, .seq = i < 2 ? 11 : 1);
		wt_flow(w);
		wt_pass(w, 1000);
	}
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 2);
	EQ(wt_count(w, PC_TCP_FASTOPEN_OVERFLOW), 2);
	wt_pass(w, 55000);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = R, .seq = 1);
	wt_flow(w);
	wt_pass(w, 3000); /* a minute after the last that counts */
	open_with(w, old.cookie);
}

/* a SYN with a good cookie and without text opens at once, too; TCP_INFO says whether there was text */
static void without_text(struct wt *w)
{
	struct flow old;

	listen_fast(w, 4);
	old = cookie_of(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	wt_accept(w);
	CHECK(!(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA));
	wt_send(w, 100);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_read(w, 10);
	wt_drop(w);
}

/* the listener goes away while what it has accepted is still in SYN-RECEIVED */
static void listener_closed(struct wt *w)
{
	open_fast(w);
	OK(pc_close(w->st, w->lfd));
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 10);
	INJECT(.flags = A, .seq = 101, .ack = 11);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

/* ... whose end is no matter of the listener that comes next, in its place */
static void listener_replaced(struct wt *w)
{
	struct flow old, first;

	listen_fast(w, 1);
	old = cookie_of(w);
	open_with(w, old.cookie);
	wt_accept(w);
	first = wt_flow(w);
	OK(pc_close(w->st, w->lfd));
	listen_fast(w, 1);
	open_with(w, old.cookie);
	w->flow = first;
	INJECT(.flags = A, .seq = 11, .ack = 1);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	/* it has its one connection in SYN-RECEIVED still */
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	EQ(wt_count(w, PC_TCP_FASTOPEN_OVERFLOW), 1);
	INJECT(.flags = R, .seq = 1);
}

static void off_by_default(struct wt *w)
{
	int limit = 5;
	socklen_t len = sizeof(limit);

	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, sizeof(limit)));
	limit = 0;
	OK(pc_getsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &limit, &len));
	EQ(limit, 5);
	INJECT(.flags = S, .mss = MSS, .fo = ASK);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = R, .seq = 1);
}

static void without_cookie(struct wt *w)
{
	w->cfg.tcp_fastopen = 0x202;
	listen_fast(w, 4);
	INJECT(.flags = S, .mss = MSS, .len = 10);
	EXPECT(.flags = SA, .ack = 11, .mss = MSS);
	wt_accept(w);
	wt_read(w, 10);
	/* a SYN without text has nothing to gain by it */
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	EQ(wt_count(w, PC_TCP_FASTOPEN_PASSIVE), 1);
	INJECT(.flags = R, .seq = 1);
}

/* cookies of stacks with one key are the same, so that any of them may be asked */
static void shared_key(struct wt *w)
{
	uint8_t cookie[8];

	w->cfg.tcp_fastopen_key = 4711;
	listen_fast(w, 4);
	memcpy(cookie, cookie_of(w).cookie, 8);
	pc_stack_destroy(w->st);
	pc_port_close(probe_port(w->probe));
	w->st = NULL;
	w->probe = NULL;
	w->cfg.stack_seed = 99;
	listen_fast(w, 4);
	open_with(w, cookie);
}

static void timestamps_and_sack(struct wt *w)
{
	const struct frame_info *i;
	struct flow old;

	w->peer.ts = w->peer.sackok = true;
	w->peer.ws = 8;
	listen_fast(w, 4);
	old = cookie_of(w);
	INJECT(.flags = S, .mss = MSS, .ws = 8, .sackok = true, .ts = TS, .tsval = 1000,
	       .fo = COOKIE, .cookie = old.cookie, .len = 10);
	i = wt_next(w, 0);
	CHECK(i != NULL && i->seg.flags == SA && i->seg.ack == w->flow.irs + 11);
	EQ(i->seg.has, TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_TS | TCP_HAS_SACKOK);
	EQ(i->seg.tsecr, 1000);
	wt_accept(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 11, .len = 10, .ts = TS, .tsecr = 1000);
	INJECT(.flags = A, .seq = 11, .ack = 11, .ts = TS, .tsval = 1010, .tsecr = w->flow.tsval);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

/* a SYN that comes again before the end of the handshake is echoed by the SYN-ACK that answers it (RFC 7323 4.3 (2)), and an
 * older one is not */
static void syn_again(struct wt *w)
{
	struct flow old;

	w->peer.ts = true;
	listen_fast(w, 4);
	old = cookie_of(w);
	INJECT(.flags = S, .mss = MSS, .ts = TS, .tsval = 1000, .fo = COOKIE, .cookie = old.cookie,
	       .len = 10);
	EXPECT(.flags = SA, .ack = 11, .mss = MSS, .ts = TS, .tsecr = 1000);
	INJECT(.flags = S, .mss = MSS, .ts = TS, .tsval = 2000);
	EXPECT(.flags = SA, .ack = 11, .mss = MSS, .ts = TS, .tsecr = 2000);
	INJECT(.flags = S, .mss = MSS, .ts = TS, .tsval = 1500);
	wt_drop(w);
	wt_accept(w);
	wt_read(w, 10);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 11, .len = 10, .ts = TS, .tsecr = 2000);
	INJECT(.flags = A, .seq = 11, .ack = 1, .ts = TS, .tsval = 2010, .tsecr = w->flow.tsval);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	EQ(wt_info(w).tcpi_rtt, 0); /* Karn: it answers any of the SYN-ACKs */
}

/* so does what follows on a SYN-ACK that was sent again */
static void syn_ack_again(struct wt *w)
{
	struct flow old;

	listen_fast(w, 4);
	old = cookie_of(w);
	open_with(w, old.cookie);
	EXPECT_AT(1000, .flags = SA, .ack = 11, .mss = MSS);
	INJECT(.flags = A, .seq = 11, .ack = 1);
	wt_accept(w);
	wt_read(w, 10);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	EQ(wt_info(w).tcpi_rtt, 0);
	EQ(wt_info(w).tcpi_snd_cwnd, 1);          /* RFC 6928 2 */
	EQ(wt_count(w, PC_TCP_FASTOPEN_LOST), 0); /* no SYN of ours */
}

/* ---- client ---------------------------------------------------------------------------------- */

static void start_client(struct wt *w)
{
	w->cfg.tcp_fastopen |= 1;
	w->cfg.tcp_timestamps = w->cfg.tcp_sack = w->cfg.tcp_window_scaling = 0;
	wt_start(w);
}

/* the connection ends, and leaves nothing behind */
static void end(struct wt *w)
{
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	wt_drop(w);
	INJECT(.flags = RA, .seq = 1, .ack = 2);
}

/* the first connection asks for a cookie; "EINPROGRESS ... the data is not sent" */
static void learn_cookie(struct wt *w)
{
	start_client(w);
	ERR(wt_send_fast(w, 10), EINPROGRESS);
	EXPECT(.flags = S, .mss = MSS, .fo = ASK);
	INJECT(.flags = SA, .ack = 1, .mss = 1000, .fo = COOKIE, .cookie = "thecooky");
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	end(w);
	wt_flow(w);
}

/* a SYN with that cookie and len bytes */
static void syn_fast(struct wt *w, uint32_t len)
{
	EQ(wt_send_fast(w, len), len);
	EXPECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = "thecooky", .len = len);
}

static void syn_with_data(struct wt *w)
{
	learn_cookie(w);
	syn_fast(w, 10);
	INJECT(.flags = SA, .ack = 11, .mss = 1000);
	EXPECT(.flags = A, .seq = 11, .ack = 1);
	CHECK(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA);
	EQ(wt_info(w).tcpi_unacked, 0);
	EQ(wt_count(w, PC_TCP_FASTOPEN_ACTIVE), 1);
	wt_send(w, 20);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 20);
	INJECT(.flags = PA, .seq = 1, .ack = 31, .len = 5);
	wt_read(w, 5);
	EXPECT_IN(0, 499, .flags = A, .seq = 31, .ack = 6);
}

/* the MSS that came with the cookie, less the room for options, is what a SYN may carry */
static void syn_is_bounded(struct wt *w)
{
	learn_cookie(w);
	EQ(wt_send_fast(w, 3000), 960);
	EXPECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = "thecooky", .len = 960);
	INJECT(.flags = SA, .ack = 961, .mss = 1000);
	EXPECT(.flags = A, .seq = 961, .ack = 1);
}

/* RFC 7413 section 4.2.2: "if the server does not acknowledge the data ... retransmit" it */
static void data_refused(struct wt *w)
{
	learn_cookie(w);
	syn_fast(w, 100);
	INJECT(.flags = SA, .ack = 1, .mss = 1000, .fo = COOKIE, .cookie = "newcooky");
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	CHECK(!(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA));
	EQ(wt_count(w, PC_TCP_FASTOPEN_REFUSED), 1);
	INJECT(.flags = A, .seq = 1, .ack = 101);
	EQ(wt_info(w).tcpi_unacked, 0);
	wt_flow(w);
	EQ(wt_send_fast(w, 1), 1);
	EXPECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = "newcooky", .len = 1);
}

/* a handshake of which the data is not taken, by a server that offers no cookie */
static void refuse(struct wt *w)
{
	wt_flow(w);
	syn_fast(w, 100);
	INJECT(.flags = SA, .ack = 1, .mss = 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	INJECT(.flags = A, .seq = 1, .ack = 101);
}

/* and a plain one, data behind it */
static void without(struct wt *w)
{
	wt_flow(w);
	ERR(wt_send_fast(w, 100), EINPROGRESS);
	EXPECT(.flags = S, .mss = MSS);
	INJECT(.flags = SA, .ack = 1, .mss = 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

/* "The client MUST cache negative responses from the server": for a minute, then for two */
static void refusal_remembered(struct wt *w)
{
	learn_cookie(w);
	refuse(w);
	without(w);
	wt_pass(w, 59000);
	without(w);
	wt_pass(w, 1100);
	refuse(w);
	wt_pass(w, 119000);
	without(w);
	wt_pass(w, 1100);
	wt_flow(w);
	syn_fast(w, 100);
	INJECT(.flags = SA, .ack = 101, .mss = 1000);
	EXPECT(.flags = A, .seq = 101, .ack = 1);
	refuse(w);
	wt_pass(w, 60100);
	refuse(w);
	EQ(wt_count(w, PC_TCP_FASTOPEN_REFUSED), 4);
	EQ(wt_count(w, PC_TCP_FASTOPEN_LOST), 0);
}

/* the pause grows to 64 minutes, and no further */
static void refused_for_ever(struct wt *w)
{
	learn_cookie(w);
	for (unsigned i = 0; i < 9; i++) {
		const unsigned doubled = i < 6 ? i : 6;

		refuse(w);
		wt_pass(w, (60000u << doubled) - 1000);
		without(w);
		wt_pass(w, 1100);
	}
	EQ(wt_count(w, PC_TCP_FASTOPEN_REFUSED), 9);
}

static void part_taken(struct wt *w)
{
	learn_cookie(w);
	syn_fast(w, 100);
	INJECT(.flags = SA, .ack = 61, .mss = 1000);
	EXPECT(.flags = PA, .seq = 61, .ack = 1, .len = 40);
	INJECT(.flags = A, .seq = 1, .ack = 101);
	EQ(wt_info(w).tcpi_unacked, 0);
	wt_flow(w);
	syn_fast(w, 1); /* it was not refused */
}

/* "the SYN ... without data and without the option"; and the next connections do without, for a while */
static void syn_lost(struct wt *w)
{
	learn_cookie(w);
	syn_fast(w, 10);
	EXPECT_IN(999, 1001, .flags = S, .mss = MSS);
	EXPECT_IN(1999, 2001, .flags = S, .mss = MSS); /* which says no more than the first */
	EQ(wt_count(w, PC_TCP_FASTOPEN_LOST), 1);
	INJECT(.flags = SA, .ack = 1, .mss = 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_flow(w);
	ERR(wt_send_fast(w, 10), EINPROGRESS);
	EXPECT(.flags = S, .mss = MSS);
	OK(pc_close(w->st, w->flow.fd));
	wt_pass(w, 61000);
	wt_flow(w);
	syn_fast(w, 10);
}

/* A SYN for which there was no mbuf has told the path nothing, nor has the path of it: the next connection goes on as before. */
static void syn_without_mbuf(struct wt *w)
{
	learn_cookie(w);
	wt_take_mbufs(w, 0);
	ERR(wt_send_fast(w, 10), EINPROGRESS);
	NOTHING(500);
	wt_give_mbufs(w);
	EXPECT_IN(499, 1001, .flags = S, .mss = MSS);
	EQ(wt_count(w, PC_TCP_FASTOPEN_LOST), 0);
	OK(pc_close(w->st, w->flow.fd));
	wt_flow(w);
	syn_fast(w, 10);
}

/* the first SYN was answered after all, when the second was on its way */
static void late_syn_ack(struct wt *w)
{
	learn_cookie(w);
	syn_fast(w, 10);
	EXPECT_IN(999, 1001, .flags = S, .mss = MSS);
	INJECT(.flags = SA, .ack = 11, .mss = 1000);
	EXPECT(.flags = A, .seq = 11, .ack = 1);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* RFC 7323 section 2.2: "the window field in a segment where the SYN bit is set ... MUST NOT be scaled" */
static void window_of_syn_ack(struct wt *w)
{
	w->cfg.tcp_fastopen |= 1;
	w->cfg.tcp_timestamps = w->cfg.tcp_sack = 0;
	wt_start(w);
	ERR(wt_send_fast(w, 10), EINPROGRESS);
	wt_drop(w);
	INJECT(.flags = SA, .ack = 1, .mss = 1000, .fo = COOKIE, .cookie = "thecooky");
	wt_drop(w);
	end(w);
	wt_flow(w);
	EQ(wt_send_fast(w, 10), 10);
	wt_drop(w);
	INJECT(.flags = SA, .ack = 11, .wnd = 1500, .mss = 1000, .ws = 8);
	EXPECT(.flags = A, .seq = 11, .ack = 1);
	wt_send(w, 3000);
	EXPECT(.flags = A, .seq = 11, .ack = 1, .len = 1000);
	NOTHING(100); /* and not 1500 * 128 bytes */
}

static void data_on_syn_ack(struct wt *w)
{
	learn_cookie(w);
	syn_fast(w, 10);
	INJECT(.flags = SA, .ack = 11, .mss = 1000, .len = 50);
	EXPECT(.flags = A, .seq = 11, .ack = 51);
	wt_read(w, 50);
}

/* a socket whose connect() leaves the SYN to the first send */
static void create_lazy(struct wt *w)
{
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	wt_opt(w, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
}

static void sends_after_connect(struct wt *w, int flags)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 40001);
	const struct sockaddr *addr = (const struct sockaddr *)&to;

	learn_cookie(w);
	w->flow.pport = 40001;
	create_lazy(w);
	OK(pc_connect(w->st, w->flow.fd, addr, sizeof(to)));
	NOTHING(100);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
	ERR(pc_connect(w->st, w->flow.fd, addr, sizeof(to)), EISCONN); /* as on Linux */
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
	EQ(wt_write(w, 10, flags), 10);
	wt_settle(w);
	EXPECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = "thecooky", .len = 10);
	ERR(pc_connect(w->st, w->flow.fd, addr, sizeof(to)), EALREADY);
	ERR(pc_send(w->st, w->flow.fd, "x", 1, 0), EAGAIN);
	ERR(pc_sendto(w->st, w->flow.fd, "x", 1, MSG_FASTOPEN, addr, sizeof(to)), EALREADY);
	INJECT(.flags = SA, .ack = 11, .mss = 1000);
	EXPECT(.flags = A, .seq = 11, .ack = 1);
	CHECK(wt_events(w, w->flow.fd) & POLLOUT);
}

static void connect_waits(struct wt *w)
{
	sends_after_connect(w, 0);
}

static void connect_waits_for_fast(struct wt *w)
{
	sends_after_connect(w, MSG_FASTOPEN);
}

static void connect_dissolved(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 40001);
	const struct sockaddr *addr = (const struct sockaddr *)&to, none = {.sa_family = AF_UNSPEC};
	int error = -1;

	learn_cookie(w);
	w->flow.pport = 40001;
	create_lazy(w);
	OK(pc_connect(w->st, w->flow.fd, addr, sizeof(to)));
	OK(pc_connect(w->st, w->flow.fd, &none, sizeof(none)));
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &error,
	                 &(socklen_t){sizeof(error)}));
	EQ(error, 0);
	NOTHING(5000);
	OK(pc_connect(w->st, w->flow.fd, addr, sizeof(to)));
	wt_send(w, 10);
	EXPECT(.flags = S, .mss = MSS, .fo = COOKIE, .cookie = "thecooky", .len = 10);
	INJECT(.flags = SA, .ack = 11, .mss = 1000);
	EXPECT(.flags = A, .seq = 11, .ack = 1);
}

/* without a cookie connect() asks for one at once; nothing is left of one that never sent */
static void connect_asks(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);
	struct pc_stack_usage u;

	start_client(w);
	create_lazy(w);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	EXPECT(.flags = S, .mss = MSS, .fo = ASK);
	INJECT(.flags = SA, .ack = 1, .mss = 1000, .fo = COOKIE, .cookie = "thecooky");
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	end(w);
	create_lazy(w);
	OK(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_close(w->st, w->flow.fd));
	NOTHING(5000);
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, 0);
}

static void client_without_cookie(struct wt *w)
{
	w->cfg.tcp_fastopen = 5;
	start_client(w);
	EQ(wt_send_fast(w, 10), 10);
	EXPECT(.flags = S, .mss = MSS, .len = 10);
	INJECT(.flags = SA, .ack = 11, .mss = 1000);
	EXPECT(.flags = A, .seq = 11, .ack = 1);
}

static void client_errors(struct wt *w)
{
	struct sockaddr_in to = wt_addr(WT_PEER, 80);
	int fd;

	w->cfg.tcp_fastopen = 2;
	wt_start(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(pc_sendto(w->st, fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)),
	    EOPNOTSUPP);
	ERR(pc_setsockopt(w->st, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){1}, sizeof(int)),
	    EOPNOTSUPP);
	ERR(pc_setsockopt(w->st, fd, IPPROTO_TCP, TCP_FASTOPEN, &(int){-1}, sizeof(int)), EINVAL);
	ERR(pc_send(w->st, fd, "x", 1, MSG_FASTOPEN), EINVAL);
	wt_established(w);
	ERR(pc_sendto(w->st, w->flow.fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)),
	    EISCONN);
}

/* a SYN with data meets another */
static void crossing(struct wt *w)
{
	learn_cookie(w);
	syn_fast(w, 10);
	INJECT(.flags = S, .mss = 1000);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = SA, .ack = 1, .mss = 1000);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	EXPECT_IN(100, 3100, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	EQ(wt_info(w).tcpi_unacked, 0);
}

static const struct wt_case cases[] = {
    {"RFC 7413 4.1.2: a cookie for whom asks", asked_for},
    {"RFC 7413 4.2.2: data of the SYN is delivered and acknowledged", open_fast},
    {"RFC 7413 4.2.2: an answer before the handshake is over", answer_before_ack},
    {"RFC 7413 4.2.2: a lost SYN-ACK", syn_ack_lost},
    {"RFC 7413 4.2.2: ... with SACK", syn_ack_lost_with_sack},
    {"RFC 7413 4.2.2: nobody answers the SYN-ACK", nobody_answers},
    {"RFC 7413 4.2.2: close() before the handshake is over", closed_early},
    {"RFC 7413 4.2.2: RST before the handshake is over", reset_early},
    {"RFC 9293 3.10.7.4: an unacceptable ACK before the handshake is over", bad_ack},
    {"RFC 7413 4.2.2: a bad cookie is replaced, its data waits", bad_cookie},
    {"RFC 7413 4.1.2: each byte of a cookie counts", forged_cookie},
    {"RFC 7413 5.1: a cookie is above no limit of its source", source_limit},
    {"RFC 7413 4.1.2: a cookie is bound to the address", stolen_cookie},
    {"RFC 7413 4.1.2: keys are changed", old_key},
    {"RFC 7413 5.1: connections in SYN-RECEIVED are limited", limited},
    {"RFC 7413 5.1: the limit is left with the handshake's end", limit_is_left},
    {"RFC 7413 5.1: resets count for a while", resets_count},
    {"RFC 7413 4.2.2: a cookie without text", without_text},
    {"RFC 7413: a listener is closed before the handshake is over", listener_closed},
    {"RFC 7413: ... and is replaced by another", listener_replaced},
    {"RFC 7413: off by default", off_by_default},
    {"RFC 7413 6.3.1: a server without cookies", without_cookie},
    {"RFC 7413 4.1.2: servers that share a key", shared_key},
    {"RFC 7413, 7323: with timestamps, window scale and SACK", timestamps_and_sack},
    {"RFC 7413 5.1: a full accept queue", full_queue},
    {"RFC 7413, 7323 4.3: a SYN that comes again", syn_again},
    {"RFC 7413, 6298 3: a SYN-ACK that is sent again", syn_ack_again},
    {"RFC 7413 4.2.2: a client sends data with its SYN", syn_with_data},
    {"RFC 7413 4.2.2: a SYN carries no more than the MSS that is known", syn_is_bounded},
    {"RFC 7413 4.2.2: data that was refused is sent again", data_refused},
    {"RFC 7413 4.1.3.1: refused data is remembered", refusal_remembered},
    {"RFC 7413 4.1.3.1: ... and tried again once an hour", refused_for_ever},
    {"RFC 7413 4.2.2: data that was taken in part", part_taken},
    {"RFC 7413 4.1.3.1: a lost SYN is repeated without option and data", syn_lost},
    {"RFC 7413 4.1.3.1: ... one that has not been sent is not lost", syn_without_mbuf},
    {"RFC 7413 4.1.3.1: the lost SYN is answered after all", late_syn_ack},
    {"RFC 7323 2.2: the window of a SYN-ACK that acknowledges data", window_of_syn_ack},
    {"RFC 7413 4.2.2: data on the SYN-ACK", data_on_syn_ack},
    {"tcp(7): TCP_FASTOPEN_CONNECT", connect_waits},
    {"tcp(7): TCP_FASTOPEN_CONNECT and MSG_FASTOPEN", connect_waits_for_fast},
    {"tcp(7): TCP_FASTOPEN_CONNECT, dissolved", connect_dissolved},
    {"tcp(7): TCP_FASTOPEN_CONNECT without a cookie", connect_asks},
    {"RFC 7413: a client without cookies", client_without_cookie},
    {"tcp(7): errors of Fast Open", client_errors},
    {"RFC 9293 MUST-10: SYNs with data cross", crossing},
};

WT_MAIN("fastopen")
