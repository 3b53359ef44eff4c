/* SPDX-License-Identifier: BSD-2-Clause */

/* RST in every state, sent and received; the attacks of RFC 5961 and RFC 5927. */

#include "wt.h"

static int so_error(struct wt *w)
{
	int e = -1;
	socklen_t len = sizeof(e);

	OK(pc_getsockopt(w->st, w->flow.fd, SOL_SOCKET, SO_ERROR, &e, &len));
	return e;
}

/* ---- CLOSED and LISTEN ---- */

static void closed_syn(struct wt *w)
{
	wt_start(w);
	w->flow.iss = 0;
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = RA, .seq = 0, .ack = 1);
	INJECT(.flags = S, .mss = 1460, .len = 10);
	EXPECT(.flags = RA, .seq = 0, .ack = 11);
	INJECT(.flags = TCP_FIN, .seq = 5);
	EXPECT(.flags = RA, .seq = 0, .ack = 6);
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), 3);
}

static void closed_ack(struct wt *w)
{
	wt_start(w);
	INJECT(.flags = A, .seq = 77, .ack = 88);
	EXPECT(.flags = R, .seq = 88);
	INJECT(.flags = FA, .seq = 77, .ack = 99, .len = 10);
	EXPECT(.flags = R, .seq = 99);
}

static void closed_rst(struct wt *w)
{
	wt_start(w);
	INJECT(.flags = R, .seq = 1);
	INJECT(.flags = RA, .seq = 1, .ack = 5);
	NOTHING(1000);
}

static void listen_rst_and_ack(struct wt *w)
{
	wt_listen(w, 8);
	INJECT(.flags = R, .seq = 1);
	INJECT(.flags = RA, .seq = 1, .ack = 5);
	INJECT(.flags = S | R, .seq = 1);
	INJECT(.flags = TCP_FIN, .seq = 1);
	INJECT(.flags = 0, .seq = 1, .len = 5);
	NOTHING(1000);
	INJECT(.flags = A, .seq = 1, .ack = 5);
	EXPECT(.flags = R, .seq = 5);
	INJECT(.flags = SA, .seq = 1, .ack = 7);
	EXPECT(.flags = R, .seq = 7);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
}

/* ---- SYN-SENT ---- */

static void syn_sent_bad_ack(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = SA, .seq = 0, .ack = 2, .mss = 1460);
	EXPECT(.flags = R, .seq = 2);
	INJECT(.flags = A, .seq = 0, .ack = 0);
	EXPECT(.flags = R, .seq = 0);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	INJECT(.flags = SA, .seq = 0, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

static void syn_sent_rst(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = R, .seq = 0);
	INJECT(.flags = RA, .seq = 0, .ack = 2);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	INJECT(.flags = RA, .seq = 0, .ack = 1);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
	EQ(so_error(w), ECONNREFUSED);
	EQ(so_error(w), 0);
	NOTHING(10000);
}

/* as on Linux; nothing of the refused attempt is under way any more (pc_stack_validate looks) */
static void refused_then_listen(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = RA, .seq = 0, .ack = 1);
	EQ(so_error(w), ECONNREFUSED);
	OK(pc_listen(w->st, w->flow.fd, 1));
	NOTHING(10000);
}

static void syn_sent_ack_only(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(900);
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
}

/* ---- SYN-RECEIVED ---- */

static uint32_t half_open(const struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u.half_open;
}

static void syn_received_bad_ack(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 2);
	EXPECT(.flags = R, .seq = 2);
	INJECT(.flags = A, .seq = 1, .ack = 0);
	EXPECT(.flags = R, .seq = 0);
	EQ(half_open(w), 1);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
}

static void syn_received_rst(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = R, .seq = 1);
	EQ(half_open(w), 0);
	NOTHING(5000);
	ERR(pc_accept(w->st, w->lfd, NULL, NULL), EAGAIN);
}

static void syn_received_rst_window(struct wt *w)
{
	wt_syn_received(w);
	INJECT(.flags = R, .seq = 1 + 70000);
	EQ(wt_drop(w), 0);
	EQ(half_open(w), 1);
	INJECT(.flags = R, .seq = 1 + 100);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	EQ(half_open(w), 1);
}

static void syn_received_rst_active(struct wt *w)
{
	wt_syn_sent(w);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = 1460);
	INJECT(.flags = R, .seq = 1);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
	EQ(so_error(w), ECONNREFUSED);
}

/* ---- synchronised states ---- */

struct state {
	const char *name;
	void (*reach)(struct wt *w);
	uint32_t seq, snd; /* RCV.NXT and SND.NXT, relative */
};

static const struct state synchronised[] = {
    {"ESTABLISHED", wt_established, 1, 1}, {"FIN-WAIT-1", wt_fin_wait_1, 1, 2},
    {"FIN-WAIT-2", wt_fin_wait_2, 1, 2},   {"CLOSING", wt_closing, 2, 2},
    {"CLOSE-WAIT", wt_close_wait, 2, 1},   {"LAST-ACK", wt_last_ack, 2, 2},
};

#define NB_STATES (sizeof(synchronised) / sizeof(synchronised[0]))

static uint32_t connections(const struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u.connections;
}

/* The next state needs a fresh connection beside the one before it. */
static void reach(struct wt *w, const struct state *s)
{
	wt_flow(w);
	w->cfg.tcp_challenge_acks = 1000;
	s->reach(w);
}

static void rst_exact(struct wt *w)
{
	for (unsigned i = 0; i < NB_STATES; i++) {
		uint32_t gone;

		reach(w, &synchronised[i]);
		gone = (uint32_t)wt_count(w, PC_DROP_TCP_RST);
		INJECT(.flags = R, .seq = synchronised[i].seq);
		EQ(wt_count(w, PC_DROP_TCP_RST), gone + 1);
		EQ(wt_drop(w), 0);
		INJECT(.flags = A, .seq = synchronised[i].seq, .ack = synchronised[i].snd);
		EXPECT(.flags = R, .seq = synchronised[i].snd);
		pc_close(w->st, w->flow.fd);
		EQ(connections(w), 0);
	}
}

static void rst_in_window(struct wt *w)
{
	for (unsigned i = 0; i < NB_STATES; i++) {
		const struct state *s = &synchronised[i];

		reach(w, s);
		INJECT(.flags = R, .seq = s->seq + 10);
		EXPECT(.flags = A, .seq = s->snd, .ack = s->seq);
		wt_pass(w, 0.1);
		INJECT(.flags = R, .seq = s->seq);
		EQ(wt_drop(w), 0);
		pc_close(w->st, w->flow.fd);
		EQ(connections(w), 0);
	}
}

static void rst_outside_window(struct wt *w)
{
	for (unsigned i = 0; i < NB_STATES; i++) {
		const struct state *s = &synchronised[i];

		reach(w, s);
		INJECT(.flags = R, .seq = s->seq - 1);
		INJECT(.flags = R, .seq = s->seq + 70000);
		EQ(wt_drop(w), 0);
		INJECT(.flags = R, .seq = s->seq + 10);
		EXPECT(.flags = A, .seq = s->snd, .ack = s->seq);
		INJECT(.flags = R, .seq = s->seq);
		pc_close(w->st, w->flow.fd);
		EQ(connections(w), 0);
	}
}

static void syn_in_synchronised(struct wt *w)
{
	for (unsigned i = 0; i < NB_STATES; i++) {
		const struct state *s = &synchronised[i];

		reach(w, s);
		INJECT(.flags = S, .seq = s->seq + 5, .mss = 1460);
		EXPECT(.flags = A, .seq = s->snd, .ack = s->seq);
		INJECT(.flags = S, .seq = s->seq - 100000, .mss = 1460);
		EXPECT(.flags = A, .seq = s->snd, .ack = s->seq);
		INJECT(.flags = SA, .seq = s->seq + 100000, .ack = s->snd, .mss = 1460);
		EXPECT(.flags = A, .seq = s->snd, .ack = s->seq);
		INJECT(.flags = R, .seq = s->seq);
		pc_close(w->st, w->flow.fd);
		EQ(connections(w), 0);
	}
}

static void rst_told_to_reader(struct wt *w)
{
	char c;

	wt_established(w);
	INJECT(.flags = R, .seq = 1);
	EQ(wt_events(w, w->flow.fd) & (POLLIN | POLLERR | POLLHUP | POLLRDHUP),
	   POLLIN | POLLERR | POLLHUP | POLLRDHUP);
	ERR(pc_recv(w->st, w->flow.fd, &c, 1, 0), ECONNRESET);
	EQ(pc_recv(w->st, w->flow.fd, &c, 1, 0), 0);
	ERR(pc_send(w->st, w->flow.fd, &c, 1, 0), EPIPE);
	OK(pc_close(w->st, w->flow.fd));
	EQ(connections(w), 0);
}

/* as Linux tells it to who may still write */
static void rst_after_fin(struct wt *w)
{
	wt_close_wait(w);
	INJECT(.flags = R, .seq = 2);
	EQ(so_error(w), EPIPE);
}

/* those of SYN-RECEIVED, too */
static void challenge_limit_half_open(struct wt *w)
{
	w->cfg.tcp_challenge_acks = 10;
	wt_syn_received(w);
	for (unsigned i = 0; i < 100; i++)
		INJECT(.flags = S, .seq = 50, .mss = 1460);
	IN(wt_drop(w), 5, 11);
}

static void rst_with_data(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = RA, .seq = 1, .ack = 1, .len = 20);
	EQ(wt_drop(w), 0);
	EQ(so_error(w), ECONNRESET);
}

static void rst_in_zero_window(struct wt *w)
{
	w->cfg.tcp_rcvbuf = 4096;
	wt_established(w);
	for (uint32_t s = 1; s < 4097; s += 1024)
		INJECT(.flags = PA, .seq = s, .ack = 1, .len = 1024);
	wt_pass(w, 100);
	wt_drop(w);
	INJECT(.flags = R, .seq = 4097);
	EQ(so_error(w), ECONNRESET);
}

static void ack_of_unsent_data(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 2, .len = 10);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
}

static void ack_far_in_the_past(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1u - 66000, .len = 10);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
}

static void ack_a_little_old(struct wt *w)
{
	wt_established(w);
	wt_send(w, 1000);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 1000);
	INJECT(.flags = A, .seq = 1, .ack = 1001);
	INJECT(.flags = PA, .seq = 1, .ack = 500, .len = 10);
	EXPECT_IN(0, 499, .flags = A, .seq = 1001, .ack = 11);
	wt_read(w, 10);
}

static void no_ack_bit(struct wt *w)
{
	wt_established(w);
	INJECT(.flags = TCP_PSH, .seq = 1, .len = 10);
	INJECT(.flags = TCP_FIN, .seq = 1);
	NOTHING(1000);
	ERR(pc_recv(w->st, w->flow.fd, &(char){0}, 1, 0), EAGAIN);
}

static void challenge_limit(struct wt *w)
{
	w->cfg.tcp_challenge_acks = 10;
	wt_established(w);
	for (unsigned i = 0; i < 100; i++)
		INJECT(.flags = S, .seq = 50, .mss = 1460);
	IN(wt_drop(w), 1, 20);
	CHECK(wt_count(w, PC_TCP_CHALLENGE_LIMITED) >= 80);
	wt_pass(w, 2000);
	INJECT(.flags = S, .seq = 50, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

/* Two ends to each of which somebody has sent a byte in the other's name: whatever one sends comes
 * just before what the other expects, as a keep-alive does, and acknowledges that byte. */
static void acks_out_of_step(struct wt *w)
{
	w->cfg.tcp_challenge_acks = 10;
	wt_established(w);
	for (unsigned i = 0; i < 100; i++)
		INJECT(.flags = A, .seq = 0, .ack = 2);
	IN(wt_drop(w), 1, 20);
	for (unsigned i = 0; i < 100; i++) {
		INJECT(.flags = A, .seq = 0, .ack = 1);
		EXPECT(.flags = A, .seq = 1, .ack = 1);
	}
}

/* CVE-2016-5696: who could count how many of others' are left would know what is going on there */
static void challenge_limit_varies(struct wt *w)
{
	unsigned n[8], others = 0;

	w->cfg.tcp_challenge_acks = 100;
	wt_established(w);
	for (unsigned s = 0; s < 8; s++) {
		for (unsigned i = 0; i < 110; i++)
			INJECT(.flags = S, .seq = 50, .mss = 1460);
		n[s] = wt_drop(w);
		IN(n[s], 50, 102);
		others += n[s] != n[0];
		wt_pass(w, 1000);
	}
	CHECK(others > 0);
}

/* ---- ICMP about TCP ---- */

static void icmp_error(struct wt *w, uint8_t type, uint8_t code, uint32_t seq)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	struct tcp_seg t = {
	    .sport = w->flow.lport, .dport = w->flow.pport, .seq = w->flow.iss + seq, .flags = A};
	struct frame quoted, f;

	frame_tcp(&quoted, &back, &t, NULL, NULL, 0);
	frame_icmp(&f, &e, type, code, (uint8_t[4]){0}, quoted.b + 14, 28);
	wt_inject_frame(w, &f);
}

static void icmp_hard_in_syn_sent(struct wt *w)
{
	wt_syn_sent(w);
	icmp_error(w, 3, 3, 0);
	CHECK(wt_events(w, w->flow.fd) & POLLERR);
	EQ(so_error(w), ECONNREFUSED);
	NOTHING(5000);
}

/* RFC 9293 3.9.2.2: "Destination Unreachable -- codes 0, 1, 5; Time Exceeded -- codes 0, 1; and Parameter Problem" */
static void icmp_soft_in_syn_sent(struct wt *w)
{
	static const uint8_t soft[][2] = {{3, 0},  {3, 1},  {3, 5},  {4, 0},
	                                  {11, 0}, {11, 1}, {12, 0}, {12, 1}};

	for (unsigned i = 0; i < sizeof(soft) / sizeof(soft[0]); i++) {
		wt_syn_sent(w);
		icmp_error(w, soft[i][0], soft[i][1], 0);
		EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
		INJECT(.flags = SA, .ack = 1, .mss = 1460);
		EXPECT(.flags = A, .seq = 1, .ack = 1);
		wt_flow(w);
	}
}

static void icmp_does_not_abort(struct wt *w)
{
	static const uint8_t codes[] = {0, 1, 2, 3, 5, 13};

	wt_established(w);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	for (unsigned i = 0; i < sizeof(codes); i++)
		icmp_error(w, 3, codes[i], 1);
	icmp_error(w, 4, 0, 1);  /* source quench */
	icmp_error(w, 11, 0, 1); /* time exceeded */
	EQ(wt_info(w).tcpi_state, TCP_ESTABLISHED);
	INJECT(.flags = A, .seq = 1, .ack = 11);
	wt_send(w, 10);
	EXPECT(.flags = PA, .seq = 11, .ack = 1, .len = 10);
}

static struct pc_stack_usage usage(struct wt *w)
{
	struct pc_stack_usage u;

	pc_stack_get_usage(w->st, &u);
	return u;
}

/* on Linux so over IPv6; over IPv4, the other way round, soft errors end it */
static void icmp_hard_in_syn_received(struct wt *w)
{
	wt_listen(w, 5);
	wt_syn_received(w);
	icmp_error(w, 3, 0, 0); /* soft */
	icmp_error(w, 12, 0, 0);
	icmp_error(w, 3, 3, 1); /* not the SYN-ACK's number */
	icmp_error(w, 3, 3, 0u - 1);
	EQ(usage(w).half_open, 1);
	icmp_error(w, 3, 3, 0);
	EQ(usage(w).half_open, 0);
	NOTHING(5000);
}

/* TCP_DEFER_ACCEPT: the SYN-ACK has been answered */
static void icmp_hard_late_in_syn_received(struct wt *w)
{
	wt_listen(w, 5);
	OK(pc_setsockopt(w->st, w->lfd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &(int){10}, sizeof(int)));
	wt_syn_received(w);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	icmp_error(w, 3, 3, 0);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	wt_accept(w);
	wt_read(w, 10);
	wt_pass(w, 100);
	wt_drop(w);
}

static void icmp_wrong_sequence(struct wt *w)
{
	wt_syn_sent(w);
	icmp_error(w, 3, 3, 1000);
	icmp_error(w, 3, 3, 0u - 1);
	icmp_error(w, 3, 3, 1); /* SND.NXT */
	EQ(wt_info(w).tcpi_state, TCP_SYN_SENT);
	INJECT(.flags = SA, .ack = 1, .mss = 1460);
	EXPECT(.flags = A, .seq = 1, .ack = 1);
}

static const struct wt_case cases[] = {
    {"RFC 9293 3.10.7.1: CLOSED answers what has no ACK", closed_syn},
    {"RFC 9293 3.10.7.1: CLOSED answers an ACK", closed_ack},
    {"RFC 9293 3.10.7.1: CLOSED never answers RST", closed_rst},
    {"RFC 9293 3.10.7.2: LISTEN ignores RST and answers ACK with RST", listen_rst_and_ack},
    {"RFC 9293 3.10.7.3: SYN-SENT answers an unacceptable ACK with RST", syn_sent_bad_ack},
    {"RFC 9293 3.10.7.3: SYN-SENT believes RST only with an acceptable ACK", syn_sent_rst},
    {"a socket that was refused may listen", refused_then_listen},
    {"RFC 9293 3.10.7.3: SYN-SENT drops an ACK without SYN", syn_sent_ack_only},
    {"RFC 9293 3.10.7.4: SYN-RECEIVED answers an unacceptable ACK with RST", syn_received_bad_ack},
    {"RFC 9293 3.10.7.4: SYN-RECEIVED returns to LISTEN on RST", syn_received_rst},
    {"RFC 5961 3.2: SYN-RECEIVED and RST that is not exact", syn_received_rst_window},
    {"RFC 9293 MUST-11: RST refuses an active open in SYN-RECEIVED", syn_received_rst_active},
    {"RFC 5961 3.2: exact RST resets in every state", rst_exact},
    {"RFC 5961 3.2: RST in the window draws a challenge ACK in every state", rst_in_window},
    {"RFC 5961 3.2: RST outside the window is dropped in every state", rst_outside_window},
    {"RFC 5961 4.2: SYN draws a challenge ACK in every state", syn_in_synchronised},
    {"RFC 9293 MUST-12: a reset is told apart from the end", rst_told_to_reader},
    {"Linux: a reset after the peer's FIN is a broken pipe", rst_after_fin},
    {"RFC 9293 SHLD-2: RST with data is a RST", rst_with_data},
    {"RFC 9293 MUST-66: RST is processed with a closed window", rst_in_zero_window},
    {"RFC 9293 3.10.7.4: ACK of something not sent", ack_of_unsent_data},
    {"RFC 5961 5.2: ACK older than any window", ack_far_in_the_past},
    {"RFC 5961 5.2: ACK a little old is ignored, its data is not", ack_a_little_old},
    {"RFC 9293 3.10.7.4: without ACK bit a segment is dropped", no_ack_bit},
    {"RFC 5961 7: challenge ACKs are limited", challenge_limit},
    {"RFC 5961 7: ... of half-open connections", challenge_limit_half_open},
    {"RFC 5961 7: ... also where they seem to answer keep-alives", acks_out_of_step},
    {"RFC 5961 7: ... by another number each second", challenge_limit_varies},
    {"RFC 1122 4.2.3.9: a hard ICMP error ends a connection attempt", icmp_hard_in_syn_sent},
    {"RFC 9293 MUST-56: soft ICMP errors do not end a connection attempt", icmp_soft_in_syn_sent},
    {"RFC 9293 SHLD-26: a hard ICMP error ends a half-open connection", icmp_hard_in_syn_received},
    {"RFC 9293 SHLD-26: ... whose SYN-ACK is under way", icmp_hard_late_in_syn_received},
    {"RFC 9293 MUST-55, MUST-56: ICMP errors do not abort", icmp_does_not_abort},
    {"RFC 5927 4: an ICMP error must quote a number in flight", icmp_wrong_sequence},
};

WT_MAIN("reset")
