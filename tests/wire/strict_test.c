/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What a reader with RFC 9293 open beside him would try, and no other suite here had: time-outs of the user in each
 * state, a FIN into a closed window, ABORT when both have said that they are done, slivers, ways around TIME-WAIT.
 */

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "wt.h"

static int so_error(struct wt *w)
{
	int error = 0;
	socklen_t len = sizeof(error);

	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &error, &len));
	return error;
}

static uint32_t connections(struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u.connections;
}

/* ---- the user time-out ----------------------------------------------------------------------- */

/* 3.10.8: "For any state if the user timeout expires, flush all queues, signal the user "error: connection aborted due to
 * user timeout" ..., delete the TCB". From the SYN on, as on Linux; its repetitions are due after 1 s, 3 s and 7 s */
static void in_syn_sent(struct wt *w)
{
	wt_syn_sent(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	wt_pass(w, 4900);
	EQ(wt_drop(w), 2);
	EQ(so_error(w), 0);
	wt_pass(w, 200);
	EQ(so_error(w), ETIMEDOUT);
	NOTHING(10000);
}

/* what TCP_SYNCNT says holds beside it */
static void in_syn_sent_by_count(struct wt *w)
{
	wt_syn_sent(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 60000);
	wt_opt(w, IPPROTO_TCP, TCP_SYNCNT, 1);
	wt_pass(w, 3200);
	wt_drop(w);
	EQ(so_error(w), ETIMEDOUT);
}

/* to the tick, not with the repetition that would be due next */
static void to_the_tick(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(190, 260, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 2990);
	EQ(so_error(w), 0);
	wt_pass(w, 20);
	EQ(so_error(w), ETIMEDOUT);
	wt_drop(w);
}

static void with_a_closed_window(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 10);
	EXPECT_IN(190, 260, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true);
	wt_pass(w, 2990);
	EQ(so_error(w), 0);
	wt_pass(w, 20);
	EQ(so_error(w), ETIMEDOUT);
	wt_drop(w);
}

/* a FIN is in no queue */
static void of_a_fin(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT_IN(190, 1010, .flags = FA, .seq = 1, .ack = 1);
	wt_pass(w, 4980);
	EQ(so_error(w), 0);
	wt_pass(w, 40);
	EQ(so_error(w), ETIMEDOUT);
	wt_drop(w);
}

/* tcp(7): "it will override keepalive to determine when to close a connection due to keepalive failure" */
static void of_keepalives(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPCNT, 2);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 5500);
	wt_pass(w, 5400);
	EQ(wt_drop(w), 5);
	EQ(so_error(w), 0);
	wt_pass(w, 1000);
	EQ(so_error(w), ETIMEDOUT);
	wt_drop(w);
}

/* ... but not before a keep-alive has asked */
static void before_keepalives(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 10);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 2000);
	wt_pass(w, 10100);
	EXPECT(.flags = A, .seq = 0, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EQ(so_error(w), 0);
	wt_pass(w, 11100);
	EQ(wt_drop(w), 2); /* the next, and RST */
	EQ(so_error(w), ETIMEDOUT);
}

/* ... and sooner than by count */
static void of_fewer_keepalives(struct wt *w)
{
	wt_established(w);
	wt_opt(w, SOL_SOCKET, SO_KEEPALIVE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	wt_opt(w, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500);
	wt_pass(w, 1900);
	EQ(so_error(w), 0);
	wt_pass(w, 200);
	EQ(so_error(w), ETIMEDOUT);
	wt_drop(w);
}

/* ---- a FIN and a closed window --------------------------------------------------------------- */

/* MUST-37: "As long as the receiving TCP peer continues to send acknowledgments in response to the probe segments, the
 * sending TCP peer MUST allow the connection to stay open"; the FIN is what probes */
static void fin_probes(struct wt *w)
{
	w->cfg.tcp_orphan_retries = 3;
	w->cfg.tcp_retries = 3;
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	for (unsigned i = 0; i < 12; i++) {
		EXPECT_IN(190, 121000, .flags = FA, .seq = 1, .ack = 1);
		INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	}
	EQ(connections(w), 1);
	EQ(wt_count(w, PC_TCP_TIMEOUTS), 0);
	EQ(wt_count(w, PC_TCP_PROBES), 12);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 8000); /* it has opened: at once */
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	EXPECT_IN(190, 1010, .flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	NOTHING(1000);
}

static void fin_probes_in_vain(struct wt *w)
{
	w->cfg.tcp_orphan_retries = 3;
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	OK(pc_close(w->st, w->flow.fd));
	wt_pass(w, 60000);
	EQ(wt_count(w, PC_TCP_PROBES), 3);
	EQ(connections(w), 0);
	wt_drop(w);
}

/* ---- ABORT ----------------------------------------------------------------------------------- */

static void abort_now(struct wt *w)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};

	OK(pc_setsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
}

/* 3.10.5: "CLOSING STATE, LAST-ACK STATE, TIME-WAIT STATE: Respond with 'ok' and delete the TCB; enter CLOSED state" */
static void abort_in_closing(struct wt *w)
{
	wt_closing(w);
	abort_now(w);
	NOTHING(5000);
	EQ(connections(w), 0);
}

static void abort_in_last_ack(struct wt *w)
{
	wt_close_wait(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 2);
	abort_now(w);
	NOTHING(5000);
	EQ(connections(w), 0);
}

/* "FIN-WAIT-2 STATE: Send a reset segment": the peer has more to say */
static void abort_in_fin_wait_2(struct wt *w)
{
	wt_established(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	abort_now(w);
	EXPECT(.flags = RA, .seq = 2, .ack = 1);
	EQ(connections(w), 0);
}

/* "CLOSE-WAIT STATE: Send a reset segment: <SEQ=SND.NXT><CTL=RST>": the FIN has not been sent for want of a window */
static void abort_before_the_fin(struct wt *w)
{
	wt_close_wait(w);
	INJECT(.flags = A, .seq = 2, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 10);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	abort_now(w);
	EXPECT(.flags = RA, .seq = 1, .ack = 2);
	EQ(connections(w), 0);
}

/* 3.6.1: "If such a host issues a CLOSE call while received data is still pending in the TCP connection, or if new data is
 * received after CLOSE is called, its TCP implementation SHOULD send a RST to show that data was lost": nobody can read
 * after shutdown(SHUT_RDWR), either. What came before and a FIN are no new data. */
static void data_after_shutdown(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_read(w, 10);
	wt_drop(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_RD));
	INJECT(.flags = PA, .seq = 11, .ack = 1, .len = 10); /* only that: it is taken */
	EXPECT_IN(0, 50, .flags = A, .seq = 1, .ack = 21);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_WR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 21);
	INJECT(.flags = PA, .seq = 11, .ack = 2, .len = 10);
	EXPECT(.flags = A, .seq = 2, .ack = 21);
	INJECT(.flags = PA, .seq = 21, .ack = 2, .len = 10);
	EQ(wt_next(w, 0)->seg.flags & R, R);
	EQ(so_error(w), ECONNRESET);
	NOTHING(1000);
}

static void fin_after_shutdown(struct wt *w)
{
	wt_established(w);
	OK(pc_shutdown(w->st, w->flow.fd, SHUT_RDWR));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	EXPECT(.flags = A, .seq = 2, .ack = 2);
	EQ(so_error(w), 0);
}

/* ---- slivers --------------------------------------------------------------------------------- */

/* 3.8.6.2.1 (3): "or if at least a fraction Fs of the maximum window can be sent, i.e., if:
 * [SND.NXT = SND.UNA and] min(D,U) >= Fs * Max(SND.WND)", the bracket where Nagle's algorithm is in use */
static void half_of_the_window(struct wt *w, bool nodelay, uint32_t first)
{
	w->peer.wnd = 1000;
	wt_established(w);
	if (nodelay)
		wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, first);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 1000, .any_psh = true);
	wt_send(w, 5000);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 2200); /* 1200 more */
	if (nodelay)
		CHECK(wt_next(w, 0) != NULL);
	else
		NOTHING(100);
	wt_drop(w);
	INJECT(.flags = A, .seq = 1, .ack = 1001, .wnd = 2200);
	CHECK(wt_drop(w) > 0);
}

static void half_with_nagle(struct wt *w)
{
	half_of_the_window(w, false, 1000);
}

/* 460 bytes of the segment begun are small: what more there is does not fit */
static void rest_with_nagle(struct wt *w)
{
	half_of_the_window(w, false, 1460);
}

static void half_without_nagle(struct wt *w)
{
	half_of_the_window(w, true, 1000);
}

/* ---- OPEN ------------------------------------------------------------------------------------ */

/* an active connection that was closed from here is in TIME-WAIT; returns what connect() from its port says */
static int again(struct wt *w, double ms)
{
	struct sockaddr_in to, from;
	int r;

	wt_time_wait_active(w);
	wt_pass(w, ms);
	from = wt_addr(WT_LOCAL, w->flow.lport);
	to = wt_addr(WT_PEER, w->flow.pport);
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	wt_opt(w, SOL_SOCKET, SO_REUSEADDR, 1);
	OK(pc_bind(w->st, w->flow.fd, (const struct sockaddr *)&from, sizeof(from)));
	r = pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ? 0
	                                                                                 : errno;
	wt_pass(w, 1);
	wt_drop(w);
	return r;
}

/* MUST-13: "it MUST linger in the TIME-WAIT state for a time 2xMSL"; "it MAY accept a new SYN from the remote TCP endpoint",
 * which is not for an OPEN from here: "error: connection already exists" */
static void no_way_around_time_wait(struct wt *w)
{
	EQ(again(w, 5000), EADDRNOTAVAIL);
}

/* RFC 6191: a newer timestamp keeps what is old apart; RFC 7323 B.2: the clocks must have ticked */
static void newer_timestamps(struct wt *w)
{
	w->peer.ts = true;
	EQ(again(w, 12), EINPROGRESS);
}

static void not_newer_yet(struct wt *w)
{
	w->peer.ts = true;
	EQ(again(w, 5), EADDRNOTAVAIL);
}

/* "assigns its initial sequence number for the new connection to be larger than the largest sequence number it used" */
static void beyond_what_was_used(struct wt *w)
{
	const unsigned n = 50;
	struct sockaddr_in to, from;
	const struct frame_info *syn;
	uint32_t used;

	w->peer.ts = true;
	wt_established_active(w);
	wt_opt(w, SOL_SOCKET, SO_REUSEADDR, 1);
	for (unsigned i = 1; i <= n; i++) {
		wt_send(w, 10000);
		wt_drop(w);
		INJECT(.flags = A, .seq = 1, .ack = 1 + i * 10000);
	}
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1 + n * 10000, .ack = 1);
	INJECT(.flags = FA, .seq = 1, .ack = 2 + n * 10000);
	EXPECT(.flags = A, .seq = 2 + n * 10000, .ack = 2);
	used = w->flow.iss + 2 + n * 10000;
	from = wt_addr(WT_LOCAL, w->flow.lport);
	to = wt_addr(WT_PEER, w->flow.pport);
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	wt_opt(w, SOL_SOCKET, SO_REUSEADDR, 1);
	OK(pc_bind(w->st, w->flow.fd, (const struct sockaddr *)&from, sizeof(from)));
	wt_pass(w, 20); /* the clock of the ISN has made 5,000 of 500,000 numbers */
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	syn = wt_next(w, 1);
	CHECK(syn != NULL && syn->seg.flags == S);
	CHECK((int32_t)(syn->seg.seq - used) > 0);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.10.8: the user time-out in SYN-SENT", in_syn_sent},
    {"RFC 9293 3.10.8: TCP_SYNCNT beside the user time-out", in_syn_sent_by_count},
    {"RFC 9293 3.10.8: the user time-out to the tick", to_the_tick},
    {"RFC 9293 3.10.8: the user time-out and a closed window", with_a_closed_window},
    {"RFC 9293 3.10.8: the user time-out of a FIN", of_a_fin},
    {"tcp(7): the user time-out in place of TCP_KEEPCNT", of_keepalives},
    {"tcp(7): the user time-out before TCP_KEEPCNT", of_fewer_keepalives},
    {"tcp(7): the user time-out before a keep-alive", before_keepalives},
    {"RFC 9293 MUST-37: a FIN probes a closed window for ever", fin_probes},
    {"RFC 9293 MUST-37: ... as long as there are answers", fin_probes_in_vain},
    {"RFC 9293 3.10.5: ABORT in CLOSING", abort_in_closing},
    {"RFC 9293 3.10.5: ABORT in LAST-ACK", abort_in_last_ack},
    {"RFC 9293 3.10.5: ABORT in FIN-WAIT-2", abort_in_fin_wait_2},
    {"RFC 9293 3.10.5: ABORT in CLOSE-WAIT", abort_before_the_fin},
    {"RFC 9293 3.6.1: data after SHUT_RDWR", data_after_shutdown},
    {"RFC 9293 3.6.1: FIN after SHUT_RDWR", fin_after_shutdown},
    {"RFC 9293 3.8.6.2.1: half of the window, with Nagle", half_with_nagle},
    {"RFC 9293 3.8.6.2.1: the rest of a segment, with Nagle", rest_with_nagle},
    {"RFC 9293 3.8.6.2.1: half of the window, without", half_without_nagle},
    {"RFC 9293 MUST-13: IPv4, no OPEN out of TIME-WAIT", no_way_around_time_wait},
    {"RFC 6191: IPv4, OPEN with a newer timestamp", newer_timestamps},
    {"RFC 6191: IPv4, OPEN without", not_newer_yet},
    {"RFC 9293 MAY-2: IPv4, OPEN beyond the numbers that were in use", beyond_what_was_used},
};

WT_MAIN("strict")
