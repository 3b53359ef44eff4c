/* SPDX-License-Identifier: BSD-2-Clause */

/* SYN cookies (RFC 4987 section 3.6) and the cache under pressure. */

#include "wt.h"

enum { OFF, PRESSURE, ALWAYS };

static struct pc_stack_usage usage(const struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u;
}

static void listen_with(struct wt *w, uint64_t mode)
{
	w->cfg.tcp_syn_cookies = mode;
	wt_listen(w, 64);
}

static void offer(struct wt *w, uint16_t mss, uint8_t wscale, bool sackok, bool ts)
{
	w->peer = (struct peer){
	    .mss = mss, .ws = (uint8_t)(wscale + 1), .ts = ts, .sackok = sackok, .wnd = 65535};
}

/* forgets what was sent, to whomever */
static void forget(struct wt *w)
{
	while (wt_next_frame(w, 0) != NULL)
		;
}

/* SYNs from peers that do not exist, in bursts */
static void spoof(struct wt *w, uint32_t n)
{
	struct flow keep = w->flow;
	uint16_t pport = w->next_pport;
	static uint32_t serial;

	for (uint32_t i = 1; i <= n; i++, serial++) {
		wt_flow(w);
		w->flow.pport = (uint16_t)(1024 + serial / 100 % 64000);
		w->flow.peer_be = htonl(0xc0000264 + serial % 100); /* 192.0.2.100 and so on */
		if (i % 32 != 0 && i != n) {
			QUEUE(.flags = S, .mss = 1460, .ts = NO_TS);
			continue;
		}
		INJECT(.flags = S, .mss = 1460, .ts = NO_TS);
		forget(w);
	}
	w->flow = keep;
	w->next_pport = pport;
}

/* len bytes in either direction */
static void exchange(struct wt *w, uint32_t len)
{
	uint32_t in = w->flow.rcvd + 1, out = w->flow.sent + 1;

	INJECT(.flags = PA, .seq = in, .ack = out, .len = len);
	wt_send(w, len);
	EXPECT(.flags = PA, .seq = out, .ack = in + len, .len = len);
	INJECT(.flags = A, .seq = in + len, .ack = out + len);
	wt_read(w, len);
	forget(w); /* whether reading opened the window */
}

static void all_survive(struct wt *w)
{
	struct tcp_info i;

	offer(w, 1400, 7, true, true);
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	EQ(usage(w).half_open, 0);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	i = wt_info(w);
	EQ(i.tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	EQ(i.tcpi_snd_wscale, 7);
	EQ(i.tcpi_snd_mss, 1400 - 12);
	EQ(i.tcpi_state, 1);
	exchange(w, 1000);
	EQ(wt_count(w, PC_TCP_COOKIES_SENT), 1);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	EQ(wt_count(w, PC_TCP_COOKIES_INVALID), 0);
	EQ(wt_count(w, PC_TCP_OPENED_PASSIVE), 1);
}

/* each combination of what a peer may offer beside timestamps */
static void each_option(struct wt *w)
{
	listen_with(w, ALWAYS);
	for (unsigned n = 0; n < 32; n++) {
		uint8_t ws = (uint8_t)(n & 15);
		struct tcp_info i;

		wt_flow(w);
		offer(w, 1460, ws, n & 16, true);
		if (ws == 15)
			w->peer.ws = 0;
		wt_syn_received(w);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_accept(w);
		i = wt_info(w);
		EQ(!!(i.tcpi_options & TCPI_OPT_SACK), !!(n & 16));
		EQ(!!(i.tcpi_options & TCPI_OPT_WSCALE), ws != 15);
		EQ(i.tcpi_snd_wscale, ws == 15 ? 0 : ws);
		exchange(w, 10);
		INJECT(.flags = R, .seq = w->flow.rcvd + 1);
		OK(pc_close(w->st, w->flow.fd));
		wt_pass(w, 7); /* another place within the 64 ms that a TSval is rounded by */
	}
}

static void scaled_window(struct wt *w)
{
	offer(w, 1460, 4, false, true);
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1, .wnd = 50); /* 800 bytes */
	wt_accept(w);
	wt_opt(w, IPPROTO_TCP, TCP_NODELAY, 1);
	wt_send(w, 2000);
	EXPECT(.flags = A, .seq = 1, .ack = 1, .len = 800, .any_psh = true);
}

static void without_timestamps(struct wt *w)
{
	struct tcp_info i;

	listen_with(w, ALWAYS);
	INJECT(.flags = S, .mss = 1452, .ws = 8, .sackok = true, .ts = NO_TS);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460); /* nothing that would be forgotten */
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	i = wt_info(w);
	EQ(i.tcpi_options, 0);
	EQ(i.tcpi_snd_mss, 1440); /* PPPoE's, rounded down */
	exchange(w, 1000);
}

static void each_mss(struct wt *w)
{
	static const uint16_t mss[][2] = {{0, 536},     {40, 64},     {100, 64},    {536, 536},
	                                  {1220, 1220}, {1300, 1220}, {1360, 1360}, {1400, 1400},
	                                  {1452, 1440}, {1460, 1460}, {4312, 1460}, {8960, 1460}};

	listen_with(w, ALWAYS);
	for (unsigned i = 0; i < sizeof(mss) / sizeof(mss[0]); i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = mss[i][0], .ts = NO_TS);
		EXPECT(.flags = SA, .ack = 1, .mss = 1460);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_accept(w);
		EQ(wt_info(w).tcpi_snd_mss, mss[i][0] == 0 ? wt_mss_default() : mss[i][1]);
	}
}

static void age(struct wt *w)
{
	struct flow old;

	listen_with(w, ALWAYS);
	wt_syn_received(w);
	wt_pass(w, 60000);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	exchange(w, 100);
	wt_flow(w);
	wt_syn_received(w);
	wt_pass(w, 138000);
	old = wt_flow(w);
	wt_syn_received(w); /* others are still sent some */
	w->flow = old;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = R, .seq = 1);
	EQ(wt_count(w, PC_TCP_COOKIES_INVALID), 1);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
}

/* RFC 9293 section 3.10.7.2: an ACK to LISTEN draws <SEQ=SEG.ACK><CTL=RST> */
static void forged(struct wt *w)
{
	uint32_t tsval;

	offer(w, 1460, 7, true, true);
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	for (uint32_t i = 2; i < 2000; i++) {
		INJECT(.flags = A, .seq = 1, .ack = i);
		EXPECT(.flags = R, .seq = i);
	}
	INJECT(.flags = A, .seq = 2, .ack = 1); /* another ISN of the peer */
	EXPECT(.flags = R, .seq = 1);
	tsval = w->flow.tsval;
	for (uint32_t i = 1; i < 64; i++) { /* other options than were offered */
		INJECT(.flags = A, .seq = 1, .ack = 1, .ts = TS, .tsval = 1, .tsecr = tsval ^ i);
		EXPECT(.flags = R, .seq = 1);
	}
	INJECT(.flags = A, .seq = 1, .ack = 1, .ts = NO_TS);
	EXPECT(.flags = R, .seq = 1);
	w->flow.pport++; /* another flow */
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = R, .seq = 1);
	w->flow.pport--;
	EQ(wt_count(w, PC_TCP_COOKIES_INVALID), 1998 + 1 + 63 + 1 + 1);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 0);
	INJECT(.flags = SA, .seq = 1, .ack = 1); /* not what ends a handshake */
	EXPECT(.flags = R, .seq = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1); /* the true one is still good */
	wt_accept(w);
	exchange(w, 100);
}

static void only_when_sent(struct wt *w)
{
	listen_with(w, PRESSURE);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	EXPECT(.flags = R, .seq = 1);
	EQ(wt_count(w, PC_TCP_COOKIES_INVALID), 0);
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), 1);
}

static void with_data(struct wt *w)
{
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	INJECT(.flags = FA | TCP_PSH, .seq = 1, .ack = 1, .len = 500); /* the pure ACK was lost */
	wt_accept(w);
	EXPECT(.flags = A, .seq = 1, .ack = 502);
	wt_read(w, 500);
	EQ(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), 0);
}

static void in_one_burst(struct wt *w)
{
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	QUEUE(.flags = A, .seq = 1, .ack = 1);
	QUEUE(.flags = PA, .seq = 1, .ack = 1, .len = 500);
	INJECT(.flags = PA, .seq = 501, .ack = 1, .len = 500);
	wt_accept(w);
	wt_read(w, 1000);
	EXPECT_IN(0, 41, .flags = A, .seq = 1, .ack = 1001);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
}

/* Data that overtakes the first, or follows on it when that was lost, names a cookie but not the peer's ISN. */
static void behind_the_first(struct wt *w)
{
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 500);
	INJECT(.flags = FA, .seq = 1501, .ack = 1);
	NOTHING(100);
	EQ(wt_count(w, PC_TCP_COOKIES_INVALID), 2);
	EQ(wt_count(w, PC_DROP_TCP_LISTEN), 2);
	INJECT(.flags = PA, .seq = 1001, .ack = 0x1000001, .len = 500); /* not of these minutes */
	EXPECT(.flags = R, .seq = 0x1000001);
	INJECT(.flags = PA, .seq = 1001, .ack = 0xff000001, .len = 500);
	INJECT(.flags = PA, .seq = 1001, .ack = 0xfe000001, .len = 500);
	EXPECT(.flags = R, .seq = 0xfe000001);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000); /* it is sent again */
	wt_accept(w);
	QUEUE(.flags = PA, .seq = 1001, .ack = 1, .len = 500);
	INJECT(.flags = FA, .seq = 1501, .ack = 1);
	wt_read(w, 1500);
	wt_pass(w, 100);
	forget(w);
	wt_flow(w);
	wt_syn_received(w);
	wt_pass(w, 138000);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 500);
	EXPECT(.flags = R, .seq = 1);
}

/* ... and when there was no room for the connection, all of it has to wait, and none of it ends it. */
static void no_room(struct wt *w)
{
	struct flow late;

	w->cfg.stack_max_connections = 1;
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	late = wt_flow(w);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	w->flow = late;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = A, .seq = 1, .ack = 1, .len = 1000);
	INJECT(.flags = PA, .seq = 1001, .ack = 1, .len = 500);
	NOTHING(1000);
	EQ(wt_count(w, PC_DROP_TCP_NO_TCB), 2);
	EQ(wt_count(w, PC_DROP_TCP_LISTEN), 1);
}

static void repeated_syn(struct wt *w)
{
	listen_with(w, ALWAYS);
	wt_syn_received(w);
	wt_pass(w, 1000);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460); /* the same ISS: it is .seq 0 */
	NOTHING(5000);                              /* nothing is repeated on our own */
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	exchange(w, 100);
}

static void backlog_puts_off(struct wt *w)
{
	struct flow late;

	w->cfg.tcp_syn_cookies = ALWAYS;
	wt_listen(w, 0);
	wt_syn_received(w);
	late = wt_flow(w);
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1); /* fills the queue */
	w->flow = late;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	NOTHING(1000); /* dropped, not reset */
	EQ(wt_count(w, PC_DROP_TCP_BACKLOG), 2);
	OK(pc_accept(w->st, w->lfd, NULL, NULL));
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100); /* its retransmission */
	wt_accept(w);
	wt_read(w, 100);
}

static void pressure(struct wt *w)
{
	struct flow first;

	w->cfg.tcp_syn_cache = 16;
	w->cfg.stack_busy_answers = 64; /* always */
	listen_with(w, PRESSURE);
	wt_syn_received(w); /* the first entry */
	first = wt_flow(w);
	spoof(w, 15);
	EQ(usage(w).half_open, 16);
	EQ(wt_count(w, PC_TCP_COOKIES_SENT), 0);
	spoof(w, 1000);
	EQ(wt_count(w, PC_TCP_COOKIES_SENT), 1000);
	EQ(wt_count(w, PC_TCP_SYN_EVICTED), 0);
	wt_established(w); /* by a cookie */
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	w->flow = first;
	INJECT(.flags = A, .seq = 1, .ack = 1); /* by its entry, which no flood took */
	wt_accept(w);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	exchange(w, 100);
	wt_pass(w, 200000);
	forget(w);
	EQ(usage(w).half_open, 0);
	wt_flow(w);
	wt_established(w); /* the pressure is over */
	EQ(wt_count(w, PC_TCP_COOKIES_SENT), 1001);
}

static void switched_off(struct wt *w)
{
	w->cfg.tcp_syn_cache = 16;
	listen_with(w, OFF);
	spoof(w, 100);
	EQ(usage(w).half_open, 16);
	EQ(wt_count(w, PC_TCP_SYN_EVICTED), 84);
	EQ(wt_count(w, PC_TCP_COOKIES_SENT), 0);
	wt_established(w); /* the oldest made room */
	exchange(w, 100);
}

/* RFC 6191 asks for an ISS beyond the old connection's, which a cookie does not promise */
static void time_wait_reopened(struct wt *w)
{
	w->cfg.tcp_syn_cache = 16;
	w->cfg.tcp_syn_cookies = PRESSURE;
	wt_time_wait(w);
	spoof(w, 16);
	EQ(usage(w).half_open, 16);
	w->flow.iss_known = false;
	w->flow.irs += 100000;
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	EQ(wt_count(w, PC_TCP_COOKIES_SENT), 0);
	EQ(wt_count(w, PC_TCP_SYN_EVICTED), 1);
}

#define ROUNDS 4

/* RFC 4987 section 3: the service stays there, for those who connect and for those who are connected */
static void flood(struct wt *w)
{
	struct flow old;

	w->cfg.tcp_syn_cache = 1024;
	offer(w, 1460, 7, true, true);
	listen_with(w, PRESSURE);
	wt_established(w);
	old = w->flow;
	for (unsigned round = 0; round < ROUNDS; round++) {
		spoof(w, 5000);
		wt_flow(w);
		wt_syn_received(w);
		spoof(w, 5000);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_accept(w);
		EQ(wt_info(w).tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
		for (unsigned i = 0; i < 100; i++)
			exchange(w, 1000);
		INJECT(.flags = FA, .seq = w->flow.rcvd + 1, .ack = w->flow.sent + 1);
		EXPECT(.flags = A, .seq = w->flow.sent + 1, .ack = w->flow.rcvd + 2);
		OK(pc_close(w->st, w->flow.fd));
		wt_settle(w);
		EXPECT(.flags = FA, .seq = w->flow.sent + 1, .ack = w->flow.rcvd + 2);
		INJECT(.flags = A, .seq = w->flow.rcvd + 2, .ack = w->flow.sent + 2);
		w->flow = old;
		exchange(w, 1000);
		old = w->flow;
		IN(usage(w).half_open, 1000, 1024);
	}
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), ROUNDS);
	/* who comes in full bursts is answered in part (stack.busy_answers) */
	EQ(wt_count(w, PC_TCP_COOKIES_SENT) + wt_count(w, PC_DROP_BUSY),
	   ROUNDS * 10000 - 1024 + ROUNDS);
	CHECK(wt_count(w, PC_TCP_COOKIES_SENT) > ROUNDS * 2000);
	EQ(usage(w).connections, 1);
	wt_pass(w, 200000);
	forget(w);
	EQ(usage(w).half_open, 0);
}

static const struct wt_case cases[] = {
    {"RFC 4987 3.6: MSS, window scale and SACK survive", all_survive},
    {"RFC 4987 3.6: each combination of options survives", each_option},
    {"RFC 7323 2.3: the peer's window is scaled", scaled_window},
    {"RFC 4987 3.6: without timestamps only the MSS survives", without_timestamps},
    {"RFC 9293 MUST-16: the MSS is never rounded up", each_mss},
    {"RFC 4987 3.6: a cookie is good for a minute or two", age},
    {"RFC 9293 3.10.7.2: a wrong cookie is an ACK to LISTEN", forged},
    {"RFC 4987 3.6: none is looked for when none was sent", only_when_sent},
    {"RFC 9293 3.10.7.4: data and FIN on what completes the handshake", with_data},
    {"RFC 9293 3.10.7.4: ACK and data in one burst", in_one_burst},
    {"RFC 4987 3.6: what comes behind the first bytes ends no connection", behind_the_first},
    {"RFC 4987 3.6: no room for a connection ends none that is asked for", no_room},
    {"RFC 9293 3.8.1: a repeated SYN draws the same cookie", repeated_syn},
    {"RFC 4987: a full accept queue puts a cookie off", backlog_puts_off},
    {"RFC 4987 3.6: cookies only while the cache is full", pressure},
    {"tcp.syn_cookies = 0: a full cache gives up its oldest entry", switched_off},
    {"RFC 6191: a SYN that reopens TIME-WAIT gets an entry", time_wait_reopened},
    {"RFC 4987 3: 40,000 SYNs from nobody, and clients that work", flood},
};

WT_MAIN("cookie")
