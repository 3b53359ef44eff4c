/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * What scripts that were written for the Linux kernel try of connections that begin, and no other suite here had:
 * Fast Open in unusual ways, ICMP about a SYN, options of the socket before there is a connection.
 */

#include <netinet/tcp.h>

#include "wt.h"

#define COOKIE 9 /* .fo of a cookie of 8 bytes */
#define ASK    1

/* ---- Fast Open, the client ------------------------------------------------------------------- */

static void start_client(struct wt *w)
{
	w->cfg.tcp_fastopen = 1;
	w->cfg.tcp_timestamps = w->cfg.tcp_sack = w->cfg.tcp_window_scaling = 0;
	wt_start(w);
}

static void close_flow(struct wt *w)
{
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	wt_drop(w);
	INJECT(.flags = RA, .seq = 1, .ack = 2);
	wt_flow(w);
}

static void learn_cookie(struct wt *w)
{
	start_client(w);
	ERR(wt_send_fast(w, 0), EINPROGRESS);
	EXPECT(.flags = S, .mss = WT_MSS, .fo = ASK);
	INJECT(.flags = SA, .ack = 1, .mss = 1000, .fo = COOKIE, .cookie = "thecooky");
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	close_flow(w);
}

/* nothing to send: the SYN has the cookie alone, and what the SYN-ACK brings is kept for the next */
static void nothing_to_send(struct wt *w)
{
	learn_cookie(w);
	ERR(wt_send_fast(w, 0), EINPROGRESS);
	EXPECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = "thecooky");
	INJECT(.flags = SA, .ack = 1, .mss = 940, .fo = COOKIE, .cookie = "newcooky");
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	CHECK(!(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA));
	close_flow(w);
	EQ(wt_send_fast(w, 2000), 900);
	EXPECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = "newcooky", .len = 900);
	INJECT(.flags = SA, .ack = 901, .mss = 940);
	EXPECT(.flags = A, .seq = 901, .ack = 1);
	CHECK(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA);
}

/* "the client ... retransmits the SYN without the option"; a cookie on the answer is kept all the same, for the
 * time-out may have been for nothing */
static void cookie_after_timeout(struct wt *w)
{
	start_client(w);
	ERR(wt_send_fast(w, 0), EINPROGRESS);
	EXPECT(.flags = S, .mss = WT_MSS, .fo = ASK);
	EXPECT_IN(999, 1001, .flags = S, .mss = WT_MSS);
	INJECT(.flags = SA, .ack = 1, .mss = 1240, .fo = COOKIE, .cookie = "thecooky");
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	close_flow(w);
	wt_pass(w, 3600000); /* Fast Open rests for a while after that */
	EQ(wt_send_fast(w, 10), 10);
	EXPECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = "thecooky", .len = 10);
	INJECT(.flags = SA, .ack = 11, .mss = 1240);
	EXPECT(.flags = A, .seq = 11, .ack = 1);
}

static void no_family(struct wt *w)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd;

	start_client(w);
	fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(pc_sendto(w->st, fd, "", 0, MSG_FASTOPEN, &none, sizeof(none)), EOPNOTSUPP);
}

/* ---- ICMP about a SYN ------------------------------------------------------------------------ */

/* RFC 7413 4.1.3.1: a SYN with data that is too large goes again at once, without; the data follows in segments that
 * fit */
static void syn_is_too_large(struct wt *w)
{
	learn_cookie(w);
	EQ(wt_send_fast(w, 960), 960);
	EXPECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = "thecooky", .len = 960);
	wt_icmp_about(w, 4, 800, 5000); /* not of ours (RFC 5927 4) */
	NOTHING(10);
	wt_icmp_about(w, 4, 800, 0);
	EXPECT(.flags = S, .mss = WT_MSS);
	wt_icmp_about(w, 4, 800, 0);
	NOTHING(10);
	INJECT(.flags = SA, .ack = 1, .mss = 1000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 760, .any_psh = true);
	INJECT(.flags = A, .seq = 1, .ack = 761);
	EXPECT(.flags = PA, .seq = 761, .ack = 1, .len = 200);
	INJECT(.flags = A, .seq = 1, .ack = 961);
	EQ(wt_info(w).tcpi_unacked, 0);
	CHECK(!(wt_info(w).tcpi_options & TCPI_OPT_SYN_DATA));
}

/* RFC 1122 4.2.3.9: "code 2-4 ... SHOULD abort"; that of a SYN with data quotes the SYN's number */
static void syn_is_refused(struct wt *w)
{
	learn_cookie(w);
	EQ(wt_send_fast(w, 10), 10);
	EXPECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = "thecooky", .len = 10);
	wt_icmp_about(w, 1, 0, 0); /* host unreachable: "MUST NOT abort" (MUST-56) */
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	wt_icmp_about(w, 3, 0, 0);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ECONNREFUSED);
	NOTHING(3000);
}

/* "Negative responses include ... ICMP error messages" about the SYN with the option, not about those that follow */
static void syn_is_unreachable(struct wt *w)
{
	learn_cookie(w);
	for (unsigned i = 0; i < 2; i++) {
		EQ(wt_send_fast(w, 10), 10);
		EXPECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = "thecooky", .len = 10);
		if (i == 0)
			wt_icmp_about(w, 1, 0, 5000); /* not of ours (RFC 5927 4) */
		else
			wt_icmp_about(w, 1, 0, 0);
		INJECT(.flags = SA, .ack = 11, .mss = WT_MSS);
		EXPECT(.flags = A, .seq = 11, .ack = 1);
		wt_flow(w);
	}
	EQ(wt_count(w, PC_TCP_FASTOPEN_LOST), 1);
	EQ(wt_send_fast(w, 10), 10); /* it worked after all */
	EXPECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = "thecooky", .len = 10);
	wt_icmp_about(w, 1, 0, 0);
	EXPECT_IN(990, 1010, .flags = S, .mss = WT_MSS);
	INJECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_flow(w);
	ERR(wt_send_fast(w, 10), EINPROGRESS);
	EXPECT(.flags = S, .mss = WT_MSS);
}

/* "SHOULD make the information available to the application": when it ends for want of answers */
static void why_no_syn_ack(struct wt *w)
{
	w->cfg.tcp_syn_retries = 1;
	wt_syn_sent(w);
	wt_icmp_about(w, 1, 0, 5000); /* not of ours */
	wt_pass(w, 4000);
	EQ(wt_drop(w), 1);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), ETIMEDOUT);
	wt_flow(w);
	wt_syn_sent(w);
	wt_icmp_about(w, 1, 0, 0);
	wt_pass(w, 4000);
	EQ(wt_drop(w), 1);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EHOSTUNREACH);
}

/* what was said before something was acknowledged is no reason */
static void why_no_ack(struct wt *w)
{
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	wt_send(w, 10);
	wt_pass(w, 1000);
	wt_icmp_about(w, 0, 0, 1);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_send(w, 10);
	wt_pass(w, 5000);
	wt_drop(w);
	ERR(wt_write(w, 1, 0), ETIMEDOUT);
	wt_flow(w);
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	wt_send(w, 10);
	wt_pass(w, 1000);
	wt_icmp_about(w, 3, 0, 1); /* a hard one is none here */
	wt_icmp_about(w, 0, 0, 1);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	wt_pass(w, 4000);
	wt_drop(w);
	ERR(wt_write(w, 1, 0), ENETUNREACH);
	ERR(wt_write(w, 1, 0), EPIPE);
}

/* what a router says of bytes that were sent again is no congestion: each time-out is as long as the first */
static void no_way(struct wt *w)
{
	w->cfg.tcp_tlp = false;
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_icmp_about(w, 0, 0, 1); /* before a time-out nothing is taken back */
	EXPECT_IN(199, 204, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(398, 408, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EQ(wt_info(w).tcpi_backoff, 2);
	wt_icmp_about(w, 13, 0, 1); /* prohibited: another router knows no better */
	wt_icmp_about(w, 0, 0, 2);  /* "SEG.SEQ is equal to SND.UNA" */
	EQ(wt_info(w).tcpi_backoff, 2);
	wt_icmp_about(w, 0, 0, 1);
	EQ(wt_info(w).tcpi_backoff, 1);
	wt_icmp_about(w, 0, 0, 1);
	wt_icmp_about(w, 0, 0, 1); /* there is no more to take back */
	EQ(wt_info(w).tcpi_backoff, 0);
	EQ(wt_info(w).tcpi_retransmits, 2);
	for (unsigned i = 0; i < 60; i++) {
		EXPECT_IN(199, 204, .flags = PA, .seq = 1, .ack = 1, .len = 10);
		wt_icmp_about(w, 0, 0, 1);
	}
	EXPECT_IN(199, 204, .flags = PA, .seq = 1, .ack = 1, .len = 10); /* nobody says anything */
	EXPECT_IN(398, 408, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(796, 812, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 500);
	wt_icmp_about(w, 0, 0, 1); /* what is due by that is sent: 800 ms, of 1,600 */
	EXPECT_IN(295, 312, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_pass(w, 1000);
	wt_icmp_about(w, 0, 0, 1);
	EXPECT_IN(0, 3, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_IN(199, 3500, .flags = PA, .seq = 11, .ack = 1, .len = 10);
	EQ(wt_info(w).tcpi_backoff, 2); /* what was taken back then counts no more */
}

/* and the connection ends when it would have without: R2 is a time */
static void no_way_for_long(struct wt *w)
{
	uint64_t began;

	w->cfg.tcp_tlp = false;
	w->cfg.tcp_retries = 3;
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(199, 204, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	began = w->now;
	for (unsigned i = 0; wt_info(w).tcpi_state == TCP_ESTABLISHED && i < 30; i++) {
		wt_icmp_about(w, 0, 0, 1);
		wt_pass(w, 200);
	}
	wt_drop(w);
	IN(w->now - began, 2700000000, 3200000000); /* 400, 800 and 1,600 ms */
	ERR(wt_write(w, 1, 0), ENETUNREACH);
}

/* a probe of a closed window is no repetition of what was lost */
static void no_way_to_probe(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = ZERO_WND);
	wt_send(w, 10);
	EXPECT_IN(150, 250, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true);
	wt_icmp_about(w, 0, 0, 1);
	EQ(wt_info(w).tcpi_backoff, 1);
	EXPECT_IN(350, 450, .flags = A, .seq = 1, .ack = 1, .len = 1, .any_psh = true);
}

/* "of code 0 (net unreachable) or of code 1 (host unreachable)" */
static void no_way_to_host(struct wt *w)
{
	w->cfg.tcp_tlp = false;
	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	EXPECT_IN(199, 204, .flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_icmp_about(w, 1, 0, 1);
	EXPECT_IN(199, 204, .flags = PA, .seq = 1, .ack = 1, .len = 10);
}

/* ---- Fast Open, the server ------------------------------------------------------------------- */

static void serve_fast(struct wt *w)
{
	struct flow old;

	w->cfg.tcp_fastopen = 2;
	wt_listen(w, 8);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_FASTOPEN, &(int){4}, sizeof(int)));
	INJECT(.flags = S, .mss = WT_MSS, .fo = ASK);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS, .fo = COOKIE);
	INJECT(.flags = R, .seq = 1);
	old = wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS, .fo = COOKIE, .cookie = old.cookie, .len = 10,
	       .wnd = 3000);
	EXPECT(.flags = SA, .ack = 11, .mss = WT_MSS);
}

/* RFC 2525 2.17 holds for what came with the SYN, too */
static void unread_data(struct wt *w)
{
	serve_fast(w);
	wt_accept(w);
	wt_pass(w, 100);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = RA, .seq = 1, .ack = 11);
}

static void fin_with_the_ack(struct wt *w)
{
	serve_fast(w);
	wt_pass(w, 100);
	INJECT(.flags = FA, .seq = 11, .ack = 1);
	EXPECT(.flags = A, .seq = 1, .ack = 12);
	wt_accept(w);
	EQ(wt_info(w).tcpi_state, TCP_CLOSE_WAIT);
	wt_read(w, 10);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
	OK(pc_close(w->st, w->flow.fd));
	wt_settle(w);
	EXPECT(.flags = FA, .seq = 1, .ack = 12);
	INJECT(.flags = A, .seq = 12, .ack = 2);
}

/* "The window of a SYN is not scaled", and is what an answer before the handshake's end may fill */
static void window_of_the_syn(struct wt *w)
{
	serve_fast(w);
	wt_accept(w);
	wt_read(w, 10);
	wt_send(w, 5000);
	EXPECT(.flags = A, .seq = 1, .ack = 11, .len = WT_MSS, .any_psh = true);
	EXPECT(.flags = A, .seq = 1461, .ack = 11, .len = WT_MSS, .any_psh = true);
	NOTHING(100);
	INJECT(.flags = A, .seq = 11, .ack = 1, .wnd = 30000);
	EXPECT(.flags = A, .seq = 2921, .ack = 11, .len = WT_MSS, .any_psh = true);
	INJECT(.flags = A, .seq = 11, .ack = 4381, .wnd = 30000);
	EXPECT(.flags = PA, .seq = 4381, .ack = 11, .len = 620);
	INJECT(.flags = A, .seq = 11, .ack = 5001);
}

/* ICMP that is soft does not take a connection that waits to be accepted away (RFC 9293 MUST-56) */
static void icmp_before_accept(struct wt *w)
{
	serve_fast(w);
	wt_icmp_about(w, 1, 0, 0);
	INJECT(.flags = A, .seq = 11, .ack = 1);
	wt_accept(w);
	wt_read(w, 10);
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
}

/* ---- options of the socket ------------------------------------------------------------------- */

/* TCP_MAXSEG before connect(): announced, used, told */
static void maxseg(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, w->flow.pport);
	int got = 0;
	socklen_t len = sizeof(got);

	w->cfg.tcp_timestamps = w->cfg.tcp_sack = w->cfg.tcp_window_scaling = 0;
	wt_start(w);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	wt_opt(w, IPPROTO_TCP, TCP_MAXSEG, 1100);
	OK(pc_getsockopt(w->st, w->flow.fd, IPPROTO_TCP, TCP_MAXSEG, &got, &len));
	EQ(got, 1100);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	EXPECT(.flags = S, .mss = 1100);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(wt_info(w).tcpi_advmss, 1100);
	EQ(wt_info(w).tcpi_snd_mss, 1100);
	wt_send(w, 12000);
	for (uint32_t seq = 1; seq < 11000; seq += 1100)
		EXPECT(.flags = A, .seq = seq, .ack = 1, .len = 1100, .any_psh = true);
	NOTHING(50);
	INJECT(.flags = A, .seq = 1, .ack = 11001);
	EXPECT(.flags = PA, .seq = 11001, .ack = 1, .len = 1000);
	INJECT(.flags = A, .seq = 1, .ack = 12001);
}

/* TCP_USER_TIMEOUT of 3 s: the connection is alive until then, and dead soon after */
static void user_timeout(struct wt *w)
{
	w->peer.mss = 1460;
	wt_established(w);
	wt_opt(w, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
	wt_send(w, 24);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 24);
	wt_pass(w, 100);
	INJECT(.flags = A, .seq = 1, .ack = 25);
	EQ(wt_info(w).tcpi_probes, 0);
	EQ(wt_info(w).tcpi_backoff, 0);
	wt_send(w, 24);
	wt_pass(w, 2900);
	EQ(wt_write(w, 24, 0), 24);
	wt_pass(w, 3000);
	wt_drop(w);
	ERR(wt_write(w, 24, 0), ETIMEDOUT);
	ERR(wt_write(w, 24, 0), EPIPE);
}

static const struct wt_case cases[] = {
    {"RFC 7413 4.2.2: a cookie, and nothing to send", nothing_to_send},
    {"RFC 7413 4.1.3.1: a cookie after a time-out is kept", cookie_after_timeout},
    {"tcp(7): MSG_FASTOPEN to no family", no_family},
    {"RFC 7413 4.1.3.1: IPv4, a SYN with data is too large for the path", syn_is_too_large},
    {"RFC 1122 4.2.3.9: IPv4, a SYN with data is refused", syn_is_refused},
    {"RFC 7413 4.1.3.1: IPv4, an ICMP error about the SYN", syn_is_unreachable},
    {"RFC 1122 4.2.3.9: IPv4, why there is no SYN-ACK is told", why_no_syn_ack},
    {"RFC 1122 4.2.3.9: IPv4, why there is no ACK is told", why_no_ack},
    {"RFC 6069 4.2: back-offs are taken back", no_way},
    {"RFC 6069 4.2: it ends when it would have otherwise", no_way_for_long},
    {"RFC 6069 4.2: not those of probes", no_way_to_probe},
    {"RFC 6069 4.2: IPv4, the host is unreachable", no_way_to_host},
    {"RFC 2525 2.17: data of a SYN that nobody reads", unread_data},
    {"RFC 7413 4.2.2: FIN with the ACK of the SYN-ACK", fin_with_the_ack},
    {"RFC 7323 2.2: the window of a SYN with data", window_of_the_syn},
    {"RFC 9293 MUST-56: IPv4, ICMP before accept()", icmp_before_accept},
    {"tcp(7): TCP_MAXSEG before connect()", maxseg},
    {"RFC 9293 MUST-21: TCP_USER_TIMEOUT is no sooner and not much later", user_timeout},
};

WT_MAIN("drill_open")
