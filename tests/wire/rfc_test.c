/* SPDX-License-Identifier: BSD-2-Clause */

/* Requirements of docs/rfc.md that no other topic shows. */

#include <string.h>

#include "wt.h"

#define MSS 1460

/* a checksum field of 0 is no "none" in TCP */
static void zero_checksum(struct wt *w)
{
	static const uint8_t payload[10];
	const struct frame_ends e = wt_ends(w);
	struct tcp_seg s;
	struct frame f;

	wt_established(w);
	s = (struct tcp_seg){.sport = w->flow.pport,
	                     .dport = w->flow.lport,
	                     .seq = w->flow.irs + 1,
	                     .ack = w->flow.iss + 1,
	                     .flags = PA,
	                     .wnd = 65535,
	                     .len = sizeof(payload)};
	frame_tcp(&f, &e, &s, payload, NULL, 0);
	CHECK(f.b[50] != 0 || f.b[51] != 0);
	f.b[50] = f.b[51] = 0;
	wt_inject_frame(w, &f);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_CHECKSUM), 1);
}

static void first_rto_after_lost_syn_ack(struct wt *w)
{
	wt_syn_received(w);
	EXPECT_AT(1000, .flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_info(w).tcpi_rtt, 0);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(3000, 3003, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* ... nor is its answer a sample (RFC 6298 3), as nobody knows which SYN it is for */
static void first_rto_after_lost_syn(struct wt *w)
{
	wt_syn_sent(w);
	wt_pass(w, 1001);
	EQ(wt_next(w, 0)->seg.flags, S);
	INJECT(.flags = SA, .ack = 1, .mss = MSS, .ts = NO_TS);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_info(w).tcpi_rtt, 0);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(3000, 3003, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* RFC 7323 4.1: timestamps say which of two SYN-ACKs is answered */
static void lost_syn_ack_with_timestamps(struct wt *w)
{
	w->peer.ts = true;
	wt_syn_received(w);
	EXPECT_AT(1000, .flags = SA, .ack = 1, .mss = MSS);
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	IN(wt_info(w).tcpi_rtt, 19000, 22000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(200, 300, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* ... or that the first was, but the answer got lost: the time since says nothing about the path */
static void lost_ack_with_timestamps(struct wt *w)
{
	uint32_t first;

	w->peer.ts = true;
	wt_syn_received(w);
	first = w->flow.tsval;
	EXPECT_AT(1000, .flags = SA, .ack = 1, .mss = MSS);
	wt_pass(w, 20);
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS,
	       .tsval = (uint32_t)(w->now / 1000000) + 12345, .tsecr = first);
	wt_accept(w);
	EQ(wt_info(w).tcpi_rtt, 0);
}

/* ... and which of two SYNs */
static void lost_syn_with_timestamps(struct wt *w)
{
	w->peer.ts = true;
	wt_syn_sent(w);
	CHECK(wt_next(w, 1001) != NULL);
	wt_pass(w, 20);
	INJECT(.flags = SA, .ack = 1, .mss = MSS, .ts = TS, .tsval = 1, .tsecr = w->flow.tsval);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	IN(wt_info(w).tcpi_rtt, 19000, 22000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(200, 300, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* from RFC 9293 MUST-23: 3 minutes can be had, less is the default, as on Linux */
static void syn_gives_up(struct wt *w)
{
	int e = 0;
	socklen_t len = sizeof(e);

	wt_syn_sent(w);
	wt_pass(w, 126900);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	EQ(wt_drop(w), 6);
	wt_pass(w, 200);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &e, &len));
	EQ(e, ETIMEDOUT);
	NOTHING(10000);
}

static void syn_three_minutes(struct wt *w)
{
	w->cfg.tcp_syn_retries = 7;
	wt_syn_sent(w);
	wt_pass(w, 180000);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	wt_drop(w);
}

static void fast_open_refused(struct wt *w, const uint8_t *raw, uint8_t len)
{
	wt_listen(w, 8);
	INJECT(.flags = S, .raw = raw, .raw_len = len, .len = 10);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_accept(w);
	wt_read(w, 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1, .ack = 11);
}

/* the option without a cookie asks for one, and gets none */
static void fast_open_request(struct wt *w)
{
	static const uint8_t raw[] = {2, 4, 5, 180, 34, 2, 1, 1};

	fast_open_refused(w, raw, sizeof(raw));
}

static void fast_open_cookie(struct wt *w)
{
	static const uint8_t raw[] = {2, 4, 5, 180, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1};

	fast_open_refused(w, raw, sizeof(raw));
}

static void ttl_and_tos(struct wt *w)
{
	const struct frame_info *i;

	wt_established(w);
	if (wt_ip6) {
		wt_opt(w, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7);
		wt_opt(w, IPPROTO_IPV6, IPV6_TCLASS, 0xb8);
	} else {
		wt_opt(w, IPPROTO_IP, IP_TTL, 7);
		wt_opt(w, IPPROTO_IP, IP_TOS, 0xb8);
	}
	wt_send(w, 10);
	i = wt_next(w, 0);
	CHECK(i != NULL);
	EQ(i->ttl, 7);
	EQ(i->tos, 0xb8);
}

static void rst_has_timestamp(struct wt *w)
{
	const struct linger l = {.l_onoff = 1};
	const struct frame_info *i;

	w->peer.ts = true;
	wt_established(w);
	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	i = wt_next(w, 0);
	CHECK(i != NULL);
	CHECK(i->seg.flags & R);
	CHECK(i->seg.has & TCP_HAS_TS);
}

/* what the peer has is not sent to it again, as long as nothing says that it has lost it */
static void sacked_stays_unsent(struct wt *w)
{
	const struct frame_info *i;
	unsigned resent = 0;

	w->peer.sackok = true;
	wt_established(w);
	wt_send(w, 4 * MSS);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .nb_sack = 1, .sack = {{1 + 2 * MSS, 1 + 3 * MSS}});
	while ((i = wt_next(w, 5000)) != NULL && resent < 20) {
		CHECK(i->seg.seq - w->flow.iss != 1 + 2 * MSS);
		resent++;
	}
	CHECK(wt_count(w, PC_TCP_TIMEOUTS) > 0);
	INJECT(.flags = A, .seq = 1, .ack = 1 + MSS, .nb_sack = 1,
	       .sack = {{1 + 2 * MSS, 1 + 3 * MSS}});
	while ((i = wt_next(w, 100)) != NULL)
		CHECK(i->seg.seq - w->flow.iss != 1 + 2 * MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 3 * MSS);
	while ((i = wt_next(w, 100)) != NULL)
		CHECK(i->seg.seq - w->flow.iss >= 1 + 3 * MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 4 * MSS);
	EQ(wt_info(w).tcpi_unacked, 0);
}

/* ports that follow each other would tell an outsider the next one */
static void ports_are_random(struct wt *w)
{
	struct sockaddr_in to = wt_addr(WT_PEER, WT_PORT), own;
	unsigned near = 0, last = 0;

	wt_start(w);
	for (unsigned i = 0; i < 32; i++) {
		int fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
		socklen_t len = sizeof(own);

		OK(fd);
		ERR(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
		OK(pc_getsockname(w->st, fd, (struct sockaddr *)&own, &len));
		near += (unsigned)(ntohs(own.sin_port) - last + 4) < 9;
		last = ntohs(own.sin_port);
		OK(pc_close(w->st, fd));
	}
	wt_settle(w);
	wt_drop(w);
	IN(near, 0, 3);
}

/* connections that hardly move: each byte is taken, and one that hurries is not slower for them */
static void dripping(struct wt *w)
{
	struct flow slow[200];

	w->cfg.stack_max_connections = 256;
	wt_listen(w, 256);
	for (unsigned i = 0; i < 200; i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = MSS);
		EXPECT(.flags = SA, .ack = 1, .mss = MSS);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_accept(w);
		slow[i] = w->flow;
	}
	for (unsigned i = 0; i < 200; i++) {
		w->flow = slow[i];
		INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1);
	}
	wt_pass(w, 600);
	EQ(wt_drop(w), 200);
	wt_flow(w);
	INJECT(.flags = S, .mss = MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	wt_send(w, 2 * MSS);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = MSS, .any_psh = true);
	EXPECT(.flags = PA, .seq = 1 + MSS, .ack = 1, .len = MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1 + 2 * MSS);
}

static const struct wt_case cases[] = {
    {"RFC 9293 MUST-3: a checksum of 0 has no effect", zero_checksum},
    {"RFC 6298 5.7: a lost SYN-ACK makes the first time-out 3 s", first_rto_after_lost_syn_ack},
    {"RFC 6298 5.7, 3: so does a lost SYN, whose answer is no sample", first_rto_after_lost_syn},
    {"RFC 7323 4.1: a lost SYN-ACK, with timestamps", lost_syn_ack_with_timestamps},
    {"RFC 7323 4.1: a lost ACK of a SYN-ACK, with timestamps", lost_ack_with_timestamps},
    {"RFC 7323 4.1: a lost SYN, with timestamps", lost_syn_with_timestamps},
    {"RFC 9293 MUST-22: a SYN has an R2 of its own", syn_gives_up},
    {"RFC 9293 MUST-23: R2 of a SYN can be 3 minutes", syn_three_minutes},
    {"RFC 7413 4.1: no Fast Open cookie is given", fast_open_request},
    {"RFC 7413 4.2: a Fast Open cookie does no harm", fast_open_cookie},
    {"RFC 9293 MUST-48, MUST-49: DSCP and TTL are the application's", ttl_and_tos},
    {"RFC 7323 3.2: a RST of a connection has timestamps", rst_has_timestamp},
    {"RFC 6675 5.1: a time-out does not resend what was SACKed", sacked_stays_unsent},
    {"RFC 6056 3.3: ephemeral ports are random", ports_are_random},
    {"200 dripping connections hinder nobody", dripping},
};

WT_MAIN("rfc")
