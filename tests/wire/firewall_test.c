/* SPDX-License-Identifier: BSD-2-Clause */

/* The firewall in a whole stack: what comes, what goes, what is known, what is rejected, and other rules meanwhile. */

#include <netinet/icmp6.h>

#include "fw.h"

#define LOST "192.0.2.9" /* an address that is somebody else's */

static int udp_socket(struct wt *w, uint16_t port)
{
	const struct sockaddr_in a = wt_addr("0.0.0.0", port);
	const int fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);

	OK(fd);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void inject_udp(struct wt *w, uint16_t sport, uint16_t dport)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_udp(&f, &e, sport, dport, "hello", 5);
	wt_inject_frame(w, &f);
}

/* A datagram without the second half of its header. */
static void inject_short(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_udp(&f, &e, 1, 2, "", 0);
	f.b[17] = 24;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
}

static ssize_t send_udp(struct wt *w, int fd, const char *ip, uint16_t port)
{
	const struct sockaddr_in to = wt_addr(ip, port);
	const ssize_t n = pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to));
	const int error = errno;

	wt_settle(w);
	errno = error;
	return n;
}

static void inject_echo(struct wt *w, uint8_t type, uint8_t id)
{
	const struct frame_ends e = wt_ends(w);
	const uint8_t rest[4] = {0, id, 0, 1};
	struct frame f;

	frame_icmp(&f, &e, type, 0, rest, "hello", 5);
	wt_inject_frame(w, &f);
}

/* The next frame sent is ICMP of this type and code. */
static void expect_icmp(struct wt *w, uint8_t type, uint8_t code)
{
	const struct frame *sent = wt_next_frame(w, 0);
	struct frame_info i;
	struct frame f;

	CHECK(sent != NULL);
	f = *sent;
	CHECK(frame_read(&f, &i) == NULL);
	EQ(i.proto, 1);
	EQ(i.icmp_type, type);
	EQ(i.icmp_code, code);
}

#define GOT(fd, n)                                                      \
	do {                                                            \
		char got_buf[2000];                                     \
		EQ(pc_recv(w->st, fd, got_buf, sizeof(got_buf), 0), n); \
	} while (0)
#define NOT_GOT(fd)                                                           \
	do {                                                                  \
		char got_buf[2000];                                           \
		ERR(pc_recv(w->st, fd, got_buf, sizeof(got_buf), 0), EAGAIN); \
	} while (0)

/* ---- TCP ------------------------------------------------------------------------------------- */

static void tcp_in(struct wt *w)
{
	wt_listen(w, 8);
	load(w, "pass in proto tcp to port 80\ndefault in drop");
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	NOTHING(0);
	EXPECT_IN(0, 250, .flags = A, .seq = 1, .ack = 101);
	EQ(hits(0), 1); /* the SYN alone */
	wt_flow(w);
	w->flow.lport = 81;
	INJECT(.flags = S, .mss = 1460);
	INJECT(.flags = A, .seq = 5, .ack = 5);
	INJECT(.flags = FA, .seq = 5, .ack = 5);
	NOTHING(2000);
	EQ(dropped(w), 3);
	EQ(hits(1), 3);
	load(w, NULL);
	w->flow.iss = 0;
	INJECT(.flags = S, .seq = 0);
	EXPECT(.flags = RA, .seq = 0, .ack = 1, .any_wnd = true);
	EQ(dropped(w), 3);
}

static void tcp_reject(struct wt *w)
{
	wt_listen(w, 8);
	load(w, "reject in proto tcp to port 80 state new\npass in");
	w->flow.iss = 0;
	INJECT(.flags = S);
	EXPECT(.flags = RA, .seq = 0, .ack = 1, .any_wnd = true);
	INJECT(.flags = R, .seq = 1); /* belongs to nothing, and draws nothing */
	NOTHING(100);
	EQ(dropped(w), 1);
	EQ(wt_count(w, PC_FIREWALL_REJECTED), 1);
	load(w, NULL);
}

/* no rule is asked about what belongs to a connection, half open or whole */
static void tcp_reload(struct wt *w)
{
	wt_established(w);
	load(w, "default in drop\ndefault out drop");
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 100);
	wt_read(w, 100);
	wt_drop(w);
	wt_send(w, 500);
	EXPECT(.flags = PA, .seq = 1, .ack = 101, .len = 500);
	INJECT(.flags = A, .seq = 101, .ack = 501);
	EQ(dropped(w), 0);
	EQ(hits(0), 0);
	wt_flow(w);
	INJECT(.flags = S);
	NOTHING(100);
	EQ(dropped(w), 1);
	load(w, "pass in state new\ndefault in drop");
	wt_syn_received(w);
	load(w, "default in drop");
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(dropped(w), 1);
	load(w, NULL);
}

/* RFC 9293 3.6.1: a SYN that may open a connection anew is a new one */
static void tcp_time_wait(struct wt *w)
{
	wt_time_wait(w);
	load(w, "default in drop");
	INJECT(.flags = FA, .seq = 1, .ack = 2);
	wt_drop(w);
	EQ(dropped(w), 0);
	INJECT(.flags = S, .seq = 1000000);
	NOTHING(100);
	EQ(dropped(w), 1);
	load(w, NULL);
}

/* what belongs to no connection is invalid, but not what returns a cookie */
static void tcp_invalid(struct wt *w)
{
	w->cfg.tcp_syn_cookies = 2;
	wt_listen(w, 8);
	load(w, "drop in state invalid\nreject in to port 81 proto tcp");
	INJECT(.flags = A, .seq = 1, .ack = 1);
	INJECT(.flags = SA, .seq = 1, .ack = 1);
	INJECT(.flags = S | TCP_FIN, .seq = 1); /* as conntrack says, too */
	NOTHING(100);
	EQ(hits(0), 3);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	EQ(hits(0), 3);
	load(w, NULL);
}

/* Rules about SYNs hold for what returns a cookie, too: the SYN that it answers has been let in, and nobody remembers it. */
static void cookie_flags(struct wt *w)
{
	w->cfg.tcp_syn_cookies = 2;
	wt_listen(w, 8);
	load(w, "pass in proto tcp flags S/SA\ndefault in drop");
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOTHING(100);
	EQ(dropped(w), 1);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	wt_accept(w);
	EQ(wt_count(w, PC_TCP_COOKIES_ACCEPTED), 1);
	EQ(hits(0), 2);
	EQ(dropped(w), 1);
	load(w, NULL);
}

/* a limit of less than one in a second */
static void tcp_minutes(struct wt *w)
{
	wt_listen(w, 8);
	load(w, "pass in proto tcp limit 3/m per source burst 1\ndefault in drop");
	for (int i = 0; i < 2; i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = 1460);
		EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
		wt_pass(w, 10000);
		wt_drop(w);
		wt_flow(w);
		INJECT(.flags = S, .mss = 1460);
		EQ(wt_drop(w), 0);
		wt_pass(w, 10000);
		wt_drop(w);
	}
	EQ(wt_count(w, PC_FIREWALL_SOURCE_LIMITED), 2);
	load(w, NULL);
}

static void tcp_limit(struct wt *w)
{
	wt_listen(w, 8);
	load(w, "pass in proto tcp limit 2/s burst 2\ndefault in drop");
	for (int i = 0; i < 2; i++) {
		wt_flow(w);
		INJECT(.flags = S, .mss = 1460);
		EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	}
	wt_flow(w);
	INJECT(.flags = S, .mss = 1460);
	EQ(wt_drop(w), 0);
	EQ(wt_count(w, PC_FIREWALL_LIMITED), 1);
	EQ(dropped(w), 1);
	wt_pass(w, 500);
	INJECT(.flags = S, .mss = 1460);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	wt_flow(w); /* it is SYNs that are limited */
	w->flow.iss = 0;
	INJECT(.flags = A, .seq = 1, .ack = 7);
	EXPECT(.flags = R, .seq = 7, .any_wnd = true);
	EQ(wt_count(w, PC_FIREWALL_LIMITED), 1);
	load(w, NULL);
}

static void tcp_out(struct wt *w)
{
	const struct sockaddr_in a = wt_addr(WT_PEER, 25), b = wt_addr(WT_PEER, 80);
	struct sockaddr_in own = {0};
	socklen_t len = sizeof(own);
	int fd, raw;

	load(w, "drop out proto tcp to " WT_PEER " port 25\npass out proto tcp to port 80");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0));
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&a, sizeof(a)), EPERM);
	NOTHING(100);
	EQ(wt_count(w, PC_TX_FIREWALL), 1);
	OK(pc_getsockname(w->st, fd, (struct sockaddr *)&own, &len));
	EQ(own.sin_port, 0); /* it is as it was */
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&b, sizeof(b)), EINPROGRESS);
	wt_settle(w);
	CHECK(wt_next_frame(w, 0) != NULL);
	EQ(hits(0), 1);
	EQ(hits(1), 1);
	OK(pc_close(w->st, fd));
	wt_drop(w);
	/* to ourselves no rule is asked */
	load(w, "default in drop\ndefault out drop");
	wt_listen(w, 8);
	OK(fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0));
	OK(raw = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_TCP));
	own = wt_addr(WT_LOCAL, 80);
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&own, sizeof(own)), EINPROGRESS);
	wt_pass(w, 1);
	wt_accept(w);
	EQ(dropped(w), 0);
	for (int i = 0; i < 3; i++) { /* a handshake */
		char got[100];

		CHECK(pc_recv(w->st, raw, got, sizeof(got), 0) >= 40);
	}
	OK(pc_close(w->st, raw));
	OK(pc_close(w->st, fd));
	load(w, NULL);
}

/* RFC 9293 MUST-13: a connection that the rules let nobody open ends no TIME-WAIT */
static void tcp_out_of_time_wait(struct wt *w)
{
	struct sockaddr_in to, from;
	struct pc_stack_usage u;

	w->peer.ts = true;
	wt_time_wait_active(w);
	wt_pass(w, 1500);
	from = wt_addr(WT_LOCAL, w->flow.lport);
	to = wt_addr(WT_PEER, w->flow.pport);
	load(w, "drop out proto tcp");
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	wt_opt(w, SOL_SOCKET, SO_REUSEADDR, 1);
	OK(pc_bind(w->st, w->flow.fd, (const struct sockaddr *)&from, sizeof(from)));
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EPERM);
	pc_stack_get_usage(w->st, &u);
	EQ(u.time_wait, 1);
	load(w, NULL);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	pc_stack_get_usage(w->st, &u);
	EQ(u.time_wait, 0);
	wt_settle(w);
	wt_drop(w);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static void udp_in(struct wt *w)
{
	int fd;

	load(w, "pass in proto udp from " WT_PEER " port 1000-2000 to " WT_LOCAL " port 53\n"
	        "reject in proto udp to port 54 log\n"
	        "pass in proto udp to port 55\n"
	        "default in drop");
	fd = udp_socket(w, 53);
	inject_udp(w, 1000, 53);
	GOT(fd, 5);
	inject_udp(w, 999, 53);
	NOT_GOT(fd);
	EQ(probe_sent(w->probe) != NULL, false);
	EQ(dropped(w), 1);
	inject_udp(w, 1000, 54);
	expect_icmp(w, 3, 3);
	EQ(wt_count(w, PC_FIREWALL_REJECTED), 1);
	inject_udp(w, 1000, 55); /* passed, and there is nobody */
	expect_icmp(w, 3, 3);
	EQ(wt_count(w, PC_DROP_UDP_NO_SOCKET), 1);
	EQ(dropped(w), 2);
	inject_short(w); /* malformed, and that is what it is dropped as */
	EQ(wt_count(w, PC_DROP_UDP_SHORT), 1);
	EQ(dropped(w), 2);
	EQ(wt_count(w, PC_FIREWALL_LOGGED), 1);
	{
		struct pc_firewall_log l;

		EQ(pc_firewall_take_log(set, 0, &l, 1), 1);
		CHECK(l.line == 2 && l.action == 2 && !l.out && l.src.port == 1000 &&
		      l.dst.port == 54 && l.len == 13);
	}
	load(w, NULL);
	inject_udp(w, 999, 53);
	GOT(fd, 5);
}

/* What was damaged on its way is dropped as that: its ports need not be those that its sender wrote, so no rule answers it or puts its source
 * into a table, and raw sockets do not see it. */
static void damaged(struct wt *w)
{
	static const char rules[] =
	    "table bad\nreject in proto udp to port 53 add <bad> timeout 1m\n"
	    "reject in proto icmp add <bad> timeout 1m";
	static const int protos[] = {IPPROTO_UDP, IPPROTO_ICMP};
	const struct frame_ends e = wt_ends(w);
	const uint8_t rest[4] = {0, 1, 0, 1};
	struct frame f;
	int fd;

	for (unsigned i = 0; i < 2; i++) {
		load(w, rules);
		OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, protos[i]));
		if (i == 0)
			frame_udp(&f, &e, 1000, 53, "hello", 5);
		else
			frame_icmp(&f, &e, 8, 0, rest, "hello", 5);
		f.b[f.len - 1] ^= 1;
		wt_inject_frame(w, &f);
		CHECK(probe_sent(w->probe) == NULL);
		NOT_GOT(fd);
		EQ(dropped(w), i);
		EQ(hits(0) + hits(1), 0);
		EQ(wt_count(w, i == 0 ? PC_DROP_UDP_CHECKSUM : PC_DROP_ICMP_CHECKSUM), 1);
		EQ(wt_count(w, PC_FIREWALL_LEARNT), i);
		f.b[f.len - 1] ^= 1;
		wt_inject_frame(w, &f);
		expect_icmp(w, 3, i == 0 ? 3 : 13);
		EQ(wt_count(w, PC_FIREWALL_LEARNT), i + 1);
		OK(pc_close(w->st, fd));
	}
	load(w, NULL);
}

/* who has been asked may answer: for a while, on that port, and after other rules have come */
static void udp_states(struct wt *w)
{
	static const char text[] = "pass in state established\ndefault in drop";
	const struct sockaddr_in peer = wt_addr(WT_PEER, 7);
	int fd;

	w->cfg.firewall_state_ms = 1000;
	load(w, text);
	fd = udp_socket(w, 5000);
	inject_udp(w, 53, 5000);
	NOT_GOT(fd);
	EQ(send_udp(w, fd, WT_PEER, 53), 1);
	inject_udp(w, 53, 5000);
	GOT(fd, 5);
	inject_udp(w, 54, 5000);
	NOT_GOT(fd);
	load(w, text);
	inject_udp(w, 53, 5000);
	GOT(fd, 5);
	wt_pass(w, 1000);
	inject_udp(w, 53, 5000);
	NOT_GOT(fd);
	EQ(dropped(w), 3);
	/* a connected socket's peer */
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&peer, sizeof(peer)));
	inject_udp(w, 7, 5000);
	GOT(fd, 5);
	inject_udp(w, 8, 5000);
	NOT_GOT(fd);
	wt_drop(w);
	load(w, NULL);
}

/* what goes to all may be answered by anybody, to all */
static void udp_broadcast(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;
	int fd;

	load(w, "pass in state established\ndefault in drop");
	fd = udp_socket(w, 68);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int)));
	frame_udp(&f, &e, 67, 68, "hello", 5);
	memset(f.b, 0xff, 6);
	memset(f.b + 30, 0xff, 4);
	f.b[40] = f.b[41] = 0; /* no checksum */
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	NOT_GOT(fd);
	EQ(send_udp(w, fd, "255.255.255.255", 67), 1);
	wt_inject_frame(w, &f);
	GOT(fd, 5);
	inject_udp(w, 67, 68);
	GOT(fd, 5);
	inject_udp(w, 66, 68);
	NOT_GOT(fd);
	EQ(dropped(w), 2);
	wt_drop(w);
	load(w, NULL);
}

/* what goes to a group may be answered by each of its members */
static void udp_group(struct wt *w)
{
	int fd;

	load(w, "pass in state established\ndefault in drop");
	fd = udp_socket(w, 5000);
	inject_udp(w, 5353, 5000);
	NOT_GOT(fd);
	EQ(send_udp(w, fd, "224.0.0.251", 5353), 1);
	inject_udp(w, 5353, 5000);
	GOT(fd, 5);
	inject_udp(w, 5354, 5000);
	NOT_GOT(fd);
	EQ(dropped(w), 2);
	wt_drop(w);
	load(w, NULL);
}

static void udp_out(struct wt *w)
{
	int fd;

	load(w, "pass out proto udp to port 53\npass out state established\n"
	        "drop in from " WT_LOCAL "\ndefault out drop log");
	fd = udp_socket(w, 5000);
	EQ(send_udp(w, fd, WT_PEER, 53), 1);
	CHECK(wt_next_frame(w, 0) != NULL);
	ERR(send_udp(w, fd, WT_PEER, 54), EPERM);
	CHECK(probe_sent(w->probe) == NULL);
	EQ(wt_count(w, PC_TX_FIREWALL), 1);
	EQ(wt_count(w, PC_UDP_TX), 1);
	{
		struct pc_firewall_log l;

		EQ(pc_firewall_take_log(set, 0, &l, 1), 1);
		CHECK(l.out && l.src.port == 5000 && l.dst.port == 54 && l.len == 9);
	}
	inject_udp(w, 99, 5000); /* who asks is answered */
	EQ(send_udp(w, fd, WT_PEER, 99), 1);
	CHECK(wt_next_frame(w, 0) != NULL);
	EQ(send_udp(w, fd, WT_LOCAL, 5000), 1); /* to ourselves */
	GOT(fd, 5);
	GOT(fd, 1);
	EQ(eal_in_use(w->pool), w->in_use);
	load(w, NULL);
}

/* a rule about ports is about datagrams, whatever pieces they come in */
static void fragments(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	int fd;

	load(w, "drop in proto udp to port 5000\ndefault in pass");
	fd = udp_socket(w, 5001);
	for (uint16_t port = 5000; port < 5002; port++) {
		struct frame whole, f;

		frame_udp(&whole, &e, 1, port, "0123456789abcdef", 16);
		f = whole; /* 16 bytes, with the header */
		f.b[17] = 20 + 16;
		f.b[19] = (uint8_t)port;
		f.b[20] = 0x20;
		f.len = 14 + 20 + 16;
		frame_fix_ip4(&f);
		wt_inject_frame(w, &f);
		f = whole;
		memcpy(f.b + 34, whole.b + 34 + 16, 8);
		f.b[17] = 20 + 8;
		f.b[19] = (uint8_t)port;
		f.b[21] = 2;
		f.len = 14 + 20 + 8;
		frame_fix_ip4(&f);
		wt_inject_frame(w, &f);
	}
	GOT(fd, 16);
	NOT_GOT(fd);
	EQ(hits(0), 1);
	EQ(dropped(w), 1);
	EQ(pc_stack_validate(w->st, NULL), 0);
	load(w, NULL);
}

/* The first fragment of an echo request, of which no other comes. */
static void inject_begun(struct wt *w, uint8_t id)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_icmp(&f, &e, 8, 0, (const uint8_t[]){0, id, 0, 1}, "0123456789abcdef", 16);
	f.b[19] = id;
	f.b[20] = 0x20;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
}

/* Who sends what is dropped is not told that it never became whole either; the first fragment has the type of an ICMP message. */
static void never_whole(struct wt *w)
{
	load(w, "drop in proto icmp icmp-type echo-request");
	inject_begun(w, 1);
	CHECK(wt_next_frame(w, 61000) == NULL);
	EQ(wt_count(w, PC_DROP_FRAG_TIMEOUT), 1);
	load(w, "drop in proto icmp icmp-type !echo-request");
	inject_begun(w, 2);
	wt_pass(w, 61000);
	expect_icmp(w, 11, 1);
	EQ(wt_count(w, PC_DROP_FRAG_TIMEOUT), 2);
	load(w, "drop in proto icmp icmp-type echo-request code !0");
	inject_begun(w, 3);
	wt_pass(w, 61000);
	expect_icmp(w, 11, 1);
	load(w, NULL);
}

/* ---- ICMP and others ------------------------------------------------------------------------- */

static void echo(struct wt *w)
{
	load(w, "pass in proto icmp icmp-type echo-request limit 1/s burst 1\ndefault in drop");
	inject_echo(w, 8, 7);
	expect_icmp(w, 0, 0);
	inject_echo(w, 8, 7);
	CHECK(probe_sent(w->probe) == NULL);
	load(w, "reject in proto icmp icmp-type 8");
	inject_echo(w, 8, 7);
	expect_icmp(w, 3, 13);
	inject_echo(w, 13, 7);
	EQ(wt_count(w, PC_DROP_ICMP_TYPE), 1);
	EQ(dropped(w), 2);
	load(w, NULL);
}

/* Errors of a type, told apart by their codes. */
static void codes(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	const uint8_t rest[4] = {0};
	struct frame f;

	load(w, "drop in proto icmp icmp-type unreachable code port-unreachable,9,10\n"
	        "pass in proto icmp icmp-type unreachable code !0,1,2,3,4\n"
	        "pass in proto icmp icmp-type unreachable\ndefault in drop");
	for (uint8_t code = 0; code < 16; code++) {
		frame_icmp(&f, &e, 3, code, rest, "hello", 5);
		wt_inject_frame(w, &f);
	}
	EQ(hits(0), 3);
	EQ(hits(1), 9);
	EQ(hits(2), 4);
	EQ(hits(3), 0);
	EQ(dropped(w), 3);
	load(w, NULL);
}

/* a raw socket gets the answers to what it has asked */
static void echo_states(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 0);
	const uint8_t ask[9] = "\x8\0\x7f\xca\0\x34\0\1x";
	int fd;

	load(w, "pass in state established\ndrop in state invalid\ndefault in drop");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_ICMP));
	inject_echo(w, 0, 0x34);
	NOT_GOT(fd);
	EQ(pc_sendto(w->st, fd, ask, 9, 0, (const struct sockaddr *)&to, sizeof(to)), 9);
	wt_settle(w);
	wt_drop(w);
	inject_echo(w, 0, 0x34);
	GOT(fd, 33);
	inject_echo(w, 0, 0x35);
	inject_echo(w, 8, 0x34); /* a question is no answer */
	NOT_GOT(fd);
	EQ(hits(1), 2);
	EQ(dropped(w), 3);
	CHECK(probe_sent(w->probe) == NULL);
	load(w, "drop out proto icmp icmp-type 8");
	ERR(pc_sendto(w->st, fd, ask, 9, 0, (const struct sockaddr *)&to, sizeof(to)), EPERM);
	OK(pc_close(w->st, fd));
	load(w, NULL);
}

/* An error about a packet of ours: 28 bytes of it. */
static void inject_error(struct wt *w, uint8_t proto, uint16_t sport, uint16_t dport)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	const uint8_t rest[4] = {0};
	struct frame quote, f;

	frame_udp(&quote, &back, sport, dport, "", 0);
	quote.b[23] = proto;
	frame_fix_ip4(&quote);
	frame_icmp(&f, &e, 3, 3, rest, quote.b + 14, 28);
	wt_inject_frame(w, &f);
}

/* An error whose second word is rest, about 28 bytes that begin as q says. */
static void inject_quote(struct wt *w, const struct frame *q, const uint8_t rest[4])
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_icmp(&f, &e, 3, 1, rest, q->b + 14, 28);
	wt_inject_frame(w, &f);
}

/* An error about an echo of ours, a request or a reply, with this identifier. */
static void inject_echo_error(struct wt *w, uint8_t type, uint8_t id)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	const uint8_t rest[4] = {0, id, 0, 1};
	struct frame quote;

	frame_icmp(&quote, &back, type, 0, rest, "", 0);
	inject_quote(w, &quote, (const uint8_t[4]){0});
}

/* an error about what was sent is one, whatever else it looks like; and what was not sent has no errors */
static void related_echo(struct wt *w)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	const struct sockaddr_in to = wt_addr(WT_PEER, 0);
	const uint8_t ask[9] = "\x8\0\x7f\xca\0\x34\0\1x", none[4] = {0}, id[4] = {0, 0x34};
	struct frame quote;
	int fd, other;

	load(w, "pass in state related\npass in state established\ndrop in state invalid\n"
	        "default in reject");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_ICMP));
	OK(other = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_IGMP));
	inject_echo_error(w, 8, 0x34);
	EQ(hits(2), 1);
	EQ(pc_sendto(w->st, fd, ask, 9, 0, (const struct sockaddr *)&to, sizeof(to)), 9);
	wt_settle(w);
	inject_echo_error(w, 8, 0x34);
	EQ(hits(0), 1);
	inject_echo_error(w, 8, 0x35);
	EQ(hits(2), 2);
	/* it has the number of an echo where those have theirs */
	frame_udp(&quote, &back, 1, 2, "", 0);
	inject_quote(w, &quote, id);
	EQ(hits(2), 3);
	/* of a protocol without ports only the ends count */
	frame_udp(&quote, &back, 5, 6, "", 0);
	quote.b[23] = IPPROTO_IGMP;
	frame_fix_ip4(&quote);
	inject_quote(w, &quote, none);
	EQ(hits(2), 4);
	EQ(pc_sendto(w->st, other, ask, 9, 0, (const struct sockaddr *)&to, sizeof(to)), 9);
	wt_settle(w);
	inject_quote(w, &quote, none);
	EQ(hits(0), 2);
	EQ(hits(1) + hits(3), 0);
	while (probe_sent(w->probe) != NULL) /* that with a router alert is none of frame_read's */
		probe_take(w->probe);
	OK(pc_close(w->st, fd));
	OK(pc_close(w->st, other));
	load(w, NULL);
}

/* so is an error about a reply, if there was something to reply to */
static void related_reply(struct wt *w)
{
	load(w, "pass in state related\npass in proto icmp icmp-type echo-request\n"
	        "drop in state invalid\ndefault in drop");
	inject_echo_error(w, 0, 0x34);
	EQ(hits(2), 1);
	inject_echo(w, 8, 0x34);
	expect_icmp(w, 0, 0);
	inject_echo_error(w, 0, 0x34);
	EQ(hits(0), 1);
	inject_echo_error(w, 8, 0x34); /* it was not us who asked */
	inject_echo_error(w, 0, 0x35);
	EQ(hits(0), 1);
	EQ(hits(2), 3);
	load(w, NULL);
}

/* an error is about a packet of the address that it goes to, and about the piece with the ports */
static void unrelated(struct wt *w)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	const uint8_t none[4] = {0};
	struct pc_prefix second;
	struct frame quote, bad, f;
	int fd;

	load(w, "pass in state related\ndefault in drop");
	OK(pc_prefix_parse("192.0.2.9/24", &second));
	OK(pc_stack_add_addr(w->st, 0, &second));
	wt_pass(w, 5000);
	wt_drop(w);
	fd = udp_socket(w, 5000);
	EQ(send_udp(w, fd, WT_PEER, 53), 1);
	wt_drop(w);
	frame_udp(&quote, &back, 5000, 53, "", 0);
	inject_quote(w, &quote, none);
	EQ(hits(0), 1);
	bad = quote;
	bad.b[29] = 9; /* sent by another address of ours */
	frame_fix_ip4(&bad);
	inject_quote(w, &bad, none);
	bad = quote;
	bad.b[21] = 1; /* not the first fragment */
	frame_fix_ip4(&bad);
	inject_quote(w, &bad, none);
	EQ(hits(0), 1);
	EQ(dropped(w), 2);
	/* to the other address, from which nothing was sent yet */
	frame_icmp(&f, &e, 3, 1, none, quote.b + 14, 28);
	f.b[33] = 9;
	f.b[14 + 20 + 8 + 15] = 9;
	frame_fix_ip4(&f);
	f.b[36] = f.b[37] = 0;
	{
		const uint16_t sum = frame_fold(frame_sum(f.b + 34, 36, 0));

		f.b[36] = (uint8_t)(sum >> 8);
		f.b[37] = (uint8_t)sum;
	}
	wt_inject_frame(w, &f);
	EQ(dropped(w), 3);
	OK(pc_close(w->st, fd));
	OK(fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0));
	{
		const struct sockaddr_in own = wt_addr("192.0.2.9", 5000);

		OK(pc_bind(w->st, fd, (const struct sockaddr *)&own, sizeof(own)));
	}
	EQ(send_udp(w, fd, WT_PEER, 53), 1);
	wt_inject_frame(w, &f);
	EQ(hits(0), 2);
	wt_drop(w);
	OK(pc_close(w->st, fd));
	load(w, NULL);
}

static void related(struct wt *w)
{
	const struct sockaddr_in peer = wt_addr(WT_PEER, 7);
	int fd, other;

	wt_established(w);
	load(w, "pass in state related\ndefault in drop");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0));
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&peer, sizeof(peer)));
	other = udp_socket(w, 5000);
	inject_error(w, 17, 5000, 53);
	EQ(dropped(w), 1);
	EQ(send_udp(w, other, WT_PEER, 53), 1);
	wt_drop(w);
	inject_error(w, 17, 5000, 53);
	EQ(dropped(w), 1);
	EQ(hits(0), 1);
	{
		struct sockaddr_in own;
		socklen_t len = sizeof(own);

		OK(pc_getsockname(w->st, fd, (struct sockaddr *)&own, &len));
		inject_error(w, 17, ntohs(own.sin_port), 7);
		ERR(pc_recv(w->st, fd, &own, sizeof(own), 0), ECONNREFUSED);
	}
	inject_error(w, 6, w->flow.lport, w->flow.pport);
	EQ(hits(0), 3);
	inject_error(w, 6, w->flow.lport, (uint16_t)(w->flow.pport + 1));
	inject_error(w, 47, 1, 1);
	EQ(dropped(w), 3);
	load(w, NULL);
	wt_drop(w);
}

/* protocols that nobody here speaks are not told about, unless they are rejected */
static void protocols(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_udp(&f, &e, 1, 2, "abcd", 4);
	f.b[23] = 253;
	frame_fix_ip4(&f);
	load(w, "reject in proto 47\ndrop in proto 253");
	wt_inject_frame(w, &f);
	CHECK(probe_sent(w->probe) == NULL);
	f.b[23] = 47;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	expect_icmp(w, 3, 13);
	f.b[23] = 200;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	expect_icmp(w, 3, 2);
	EQ(dropped(w), 2);
	EQ(wt_count(w, PC_DROP_IP4_PROTOCOL), 1);
	load(w, NULL);
}

static void igmp(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_udp(&f, &e, 0x1100, 0, "", 0);
	f.b[23] = 2;
	frame_fix_ip4(&f);
	load(w, "drop in proto igmp");
	wt_inject_frame(w, &f);
	EQ(dropped(w), 1);
	load(w, NULL);
}

/* headers that a program makes: their protocol, and ports behind options */
static void raw_headers(struct wt *w)
{
	const struct frame_ends e = wt_ends(w), back = {.src_be = e.dst_be, .dst_be = e.src_be};
	const struct sockaddr_in addr = wt_addr(WT_PEER, 0);
	const struct sockaddr *to = (const struct sockaddr *)&addr;
	uint8_t options[36] = {[20] = 1, 1, 1, 0};
	struct pc_firewall_log l;
	struct frame f;
	int fd, udp;

	load(w, "drop out proto udp to port 54 log\npass in state established\ndefault in drop");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_RAW));
	udp = udp_socket(w, 5000);
	frame_udp(&f, &back, 5000, 54, "abcd", 4);
	memcpy(options, f.b + 14, 20);
	memcpy(options + 24, f.b + 34, 12);
	options[0]++;
	options[3] = sizeof(options);
	ERR(pc_sendto(w->st, fd, options, 36, 0, to, sizeof(addr)), EPERM);
	EQ(hits(0), 1);
	EQ(pc_firewall_take_log(set, 0, &l, 1), 1);
	CHECK(l.out && l.proto == 17 && l.src.port == 5000 && l.dst.port == 54 && l.len == 12);
	frame_udp(&f, &back, 5000, 53, "abcd", 4);
	EQ(pc_sendto(w->st, fd, f.b + 14, 32, 0, to, sizeof(addr)), 32);
	wt_settle(w);
	wt_drop(w);
	inject_udp(w, 54, 5000);
	NOT_GOT(udp);
	inject_udp(w, 53, 5000);
	GOT(udp, 5);
	OK(pc_close(w->st, fd));
	OK(pc_close(w->st, udp));
	load(w, NULL);
}

static struct pc_firewall_log logged(struct wt *w)
{
	struct pc_firewall_log l;

	EQ(pc_firewall_take_log(set, 0, &l, 1), 1);
	return l;
}

/* What is logged says which segment it was, and which error. */
static void logs(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	const uint8_t rest[4] = {0};
	struct frame f;

	load(w, "drop in proto tcp log\ndrop in proto icmp log\ndrop out proto tcp log\ndefault in "
	        "drop");
	INJECT(.flags = S, .mss = 1460);
	EQ(logged(w).flags, 0x02);
	INJECT(.flags = FA, .seq = 1, .ack = 1);
	EQ(logged(w).flags, 0x11);
	frame_icmp(&f, &e, 3, 13, rest, "hello", 5);
	wt_inject_frame(w, &f);
	{
		const struct pc_firewall_log l = logged(w);

		EQ(l.icmp_type, 3);
		EQ(l.icmp_code, 13);
		EQ(l.flags, 0);
	}
	load(w, NULL);
}

/* Rules judge the addresses in a header that a program makes, as on Linux, and not the next host that it is sent to. */
static void raw_addresses(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	const struct frame_ends far = {.src_be = e.dst_be, .dst_be = inet_addr("198.51.100.9")};
	const struct frame_ends forged = {.src_be = inet_addr("198.51.100.9"), .dst_be = e.src_be};
	const struct frame_ends good = {.src_be = e.dst_be, .dst_be = e.src_be};
	const struct sockaddr_in addr = wt_addr(WT_PEER, 0);
	const struct sockaddr *to = (const struct sockaddr *)&addr;
	struct frame f;
	int fd;

	load(w, "drop out to 198.51.100.0/24\ndrop out from !" WT_LOCAL);
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_RAW));
	frame_udp(&f, &far, 5000, 54, "abcd", 4);
	ERR(pc_sendto(w->st, fd, f.b + 14, 32, 0, to, sizeof(addr)), EPERM);
	EQ(hits(0), 1);
	frame_udp(&f, &forged, 5000, 54, "abcd", 4);
	ERR(pc_sendto(w->st, fd, f.b + 14, 32, 0, to, sizeof(addr)), EPERM);
	EQ(hits(1), 1);
	frame_udp(&f, &good, 5000, 54, "abcd", 4);
	EQ(pc_sendto(w->st, fd, f.b + 14, 32, 0, to, sizeof(addr)), 32);
	wt_settle(w);
	wt_drop(w);
	OK(pc_close(w->st, fd));
	load(w, NULL);
}

/* who is asked by an echo may answer by a raw socket */
static void raw_answers(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 0);
	uint8_t answer[9] = "\0\0\x87\xca\0\x34\0\1x";
	int fd;

	load(w, "pass out state established\ndefault out drop");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_ICMP));
	ERR(pc_sendto(w->st, fd, answer, 9, 0, (const struct sockaddr *)&to, sizeof(to)), EPERM);
	inject_echo(w, 8, 0x34);
	EQ(pc_sendto(w->st, fd, answer, 9, 0, (const struct sockaddr *)&to, sizeof(to)), 9);
	wt_settle(w);
	wt_drop(w);
	answer[5]++;
	answer[3]--;
	ERR(pc_sendto(w->st, fd, answer, 9, 0, (const struct sockaddr *)&to, sizeof(to)), EPERM);
	OK(pc_close(w->st, fd));
	load(w, NULL);
}

/* what no rule has judged, as it is too short for that, is shown to nobody */
static void raw_short(struct wt *w)
{
	static const int protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	const struct frame_ends e = wt_ends(w);
	struct frame f;
	int fd;

	for (unsigned i = 0; i < 3; i++) {
		load(w, "default in drop");
		OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, protos[i]));
		frame_udp(&f, &e, 1, 2, "", 0);
		f.b[17] = 24;
		f.b[23] = (uint8_t)protos[i];
		frame_fix_ip4(&f);
		wt_inject_frame(w, &f);
		NOT_GOT(fd);
		load(w, "drop in state new\npass in"); /* who knows? */
		wt_inject_frame(w, &f);
		NOT_GOT(fd);
		load(w, "drop out proto 253");
		wt_inject_frame(w, &f);
		GOT(fd, 24);
		load(w, NULL);
		wt_inject_frame(w, &f);
		GOT(fd, 24);
		OK(pc_close(w->st, fd));
	}
}

/* raw sockets see what passes, and no other segment */
static void raw_tcp(struct wt *w)
{
	int fd;

	wt_established(w);
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_TCP));
	load(w, "pass in proto tcp to port 80 state new\ndefault in drop");
	INJECT(.flags = PA, .seq = 1, .ack = 1, .len = 10);
	GOT(fd, 20 + 20 + 10);
	wt_read(w, 10);
	wt_flow(w);
	w->flow.lport = 81;
	INJECT(.flags = S);
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOT_GOT(fd);
	w->flow.lport = 80;
	INJECT(.flags = A, .seq = 1, .ack = 1);
	NOT_GOT(fd);
	EQ(hits(1), 3);
	INJECT(.flags = S);
	GOT(fd, 20 + 20);
	EQ(hits(0), 1);
	OK(pc_close(w->st, fd));
	wt_drop(w);
	load(w, NULL);
}

/* Of a protocol that only they know, raw sockets see what passes, and nothing of denied sources: neither do they get it, nor is its sender
 * told that nobody does. */
static void raw_protocols(struct wt *w)
{
	const struct pc_prefix peer = {.addr = pc_addr_ip4(wt_ends(w).src_be), .len = 128};
	const struct frame_ends e = wt_ends(w);
	struct frame f;
	int fd;

	load(w, "drop in proto 253");
	OK(fd = pc_socket(w->st, AF_INET, SOCK_RAW, 253));
	frame_udp(&f, &e, 1, 2, "abcd", 4);
	f.b[23] = 253;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
	NOT_GOT(fd);
	EQ(dropped(w), 1);
	load(w, NULL);
	OK(pc_stack_deny(w->st, &peer));
	wt_inject_frame(w, &f);
	NOT_GOT(fd);
	EQ(wt_count(w, PC_DROP_DENIED), 1);
	CHECK(probe_sent(w->probe) == NULL);
	OK(pc_stack_allow(w->st, &peer));
	wt_inject_frame(w, &f);
	GOT(fd, 20 + 12);
	CHECK(probe_sent(w->probe) == NULL);
	OK(pc_close(w->st, fd));
}

/* ---- IPv6 ------------------------------------------------------------------------------------ */

static void expect6(struct wt *w, uint8_t type, uint8_t code)
{
	static struct frame f;
	const struct frame *sent = wt_next_frame(w, 0);
	struct info6 i;

	CHECK(sent != NULL);
	f = *sent;
	CHECK(frame6_read(&f, &i) == NULL);
	EQ(i.l4[0], type);
	EQ(i.l4[1], code);
}

static void ip6(struct wt *w)
{
	const struct ends6 e = ends();
	const uint8_t body[4] = {0, 1, 0, 1};
	struct frame f;

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "pass in proto icmp6 icmp-type echo-request from fd00::/64\n"
	        "reject in inet6 proto udp to fd00::/16 port 53\n"
	        "reject in inet6 proto 253\n"
	        "default in drop");
	frame6_icmp(&f, &e, 64, 128, 0, body, 4);
	wt_inject_frame(w, &f);
	expect6(w, 129, 0);
	frame6_udp(&f, &e, 1000, 53, "hello", 5);
	wt_inject_frame(w, &f);
	expect6(w, 1, 4);
	frame6_udp(&f, &e, 1000, 54, "hello", 5);
	wt_inject_frame(w, &f);
	CHECK(probe_sent(w->probe) == NULL);
	frame6_raw(&f, &e, 253, 64, body, 4);
	wt_inject_frame(w, &f);
	expect6(w, 1, 1);
	EQ(dropped(w), 3);
	/* neighbour discovery is not asked about */
	frame6_solicit(&f, &e);
	wt_inject_frame(w, &f);
	expect6(w, 136, 0);
	EQ(dropped(w), 3);
	load(w, NULL);
}

static void ip6_codes(struct wt *w)
{
	const struct ends6 e = ends();
	const uint8_t rest[4] = {0};
	struct frame f;

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "drop in proto icmp6 icmp-type unreachable code port-unreachable,no-route\n"
	        "pass in proto icmp6 icmp-type unreachable code !1");
	for (uint8_t code = 0; code < 6; code++) {
		frame6_icmp(&f, &e, 64, 1, code, rest, 4);
		wt_inject_frame(w, &f);
	}
	EQ(hits(0), 2);
	EQ(hits(1), 3);
	EQ(dropped(w), 2);
	load(w, NULL);
}

/* Of what rules drop nobody is told what is wrong with it, nor are those who are denied: the fault stands in front of what they judge. */
static void ip6_problems(struct wt *w)
{
	static const uint8_t option[8] = {0, 0, 0x9e, 2, 0, 0, 1, 0};
	const struct pc_prefix peer = {.addr = addr6(PEER6), .len = 128};
	const struct ends6 e = ends();
	const uint8_t body[4] = {0, 1, 0, 1};
	struct frame f;

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	frame6_icmp(&f, &e, 64, 128, 0, body, 4);
	frame6_insert(&f, 60, option, 8);
	load(w, "drop in proto icmp");
	wt_inject_frame(w, &f);
	expect6(w, 4, 2);
	load(w, "pass in state established,related\ndefault in drop");
	wt_inject_frame(w, &f);
	CHECK(probe_sent(w->probe) == NULL);
	load(w, NULL);
	OK(pc_stack_deny(w->st, &peer));
	wt_inject_frame(w, &f);
	CHECK(probe_sent(w->probe) == NULL);
	OK(pc_stack_allow(w->st, &peer));
	wt_inject_frame(w, &f);
	expect6(w, 4, 2);
	EQ(wt_count(w, PC_DROP_IP6_OPTION), 4);
}

/* An address that we have lost to somebody else is no more ours than any: what comes from there to all is judged. */
static void lost_address(struct wt *w)
{
	const struct pc_prefix p = {.addr = pc_addr_ip4(inet_addr(LOST)), .len = 96 + 24};
	struct frame_ends e;
	struct frame f;
	int fd;

	w->cfg.arp_probes = 3;
	load(w, "drop in proto udp to port 6000");
	e = wt_ends(w);
	e.src_be = e.dst_be = inet_addr(LOST);
	OK(pc_stack_add_addr(w->st, 0, &p));
	wt_pass(w, 1500);
	frame_arp(&f, &e, 2, e.dst_mac);
	wt_inject_frame(w, &f);
	wt_pass(w, 20000);
	wt_drop(w);
	EQ(wt_count(w, PC_ARP_DUPLICATES), 1);
	fd = udp_socket(w, 6000);
	e.dst_be = INADDR_BROADCAST;
	memset(e.dst_mac, 0xff, sizeof(e.dst_mac));
	frame_udp(&f, &e, 5000, 6000, "hello", 5);
	wt_inject_frame(w, &f);
	EQ(dropped(w), 1);
	ERR(pc_recv(w->st, fd, &f, sizeof(f), 0), EAGAIN);
	load(w, NULL);
}

/* An ICMPv6 error of a type about 48 bytes of a datagram. */
static void inject_error6(struct wt *w, const struct ends6 *e, const struct frame *quote)
{
	uint8_t body[4 + 48] = {0};
	struct frame f;

	memcpy(body + 4, quote->b + 14, 48);
	frame6_icmp(&f, e, 64, 1, 4, body, sizeof(body));
	wt_inject_frame(w, &f);
}

static void ip6_states(struct wt *w)
{
	const struct ends6 e = ends();
	const struct sockaddr_in6 to = {.sin6_family = AF_INET6,
	                                .sin6_port = htons(53),
	                                .sin6_addr = *(const struct in6_addr *)&e.src},
	                          any = {.sin6_family = AF_INET6, .sin6_port = htons(5000)};
	struct ends6 back = e;
	uint8_t ask[8] = {128, 0, 0, 0, 0, 0x34, 0, 1};
	struct frame f, quote;
	int raw, udp;

	back.src = e.dst;
	back.dst = e.src;
	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "pass in state established\npass in state related\ndrop in state invalid\n"
	        "pass in proto icmp6 icmp-type echo-request\ndefault in reject\n"
	        "pass out proto icmp6 icmp-type echo-request\npass out proto udp\n"
	        "pass out state established\ndefault out drop");
	OK(raw = pc_socket(w->st, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
	OK(udp = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0));
	OK(pc_bind(w->st, udp, (const struct sockaddr *)&any, sizeof(any)));
	/* echoes: an answer to none, one to ours, one of ours */
	frame6_icmp(&f, &e, 64, 129, 0, ask + 4, 4);
	wt_inject_frame(w, &f);
	EQ(hits(2), 1);
	EQ(pc_sendto(w->st, raw, ask, 8, 0, (const struct sockaddr *)&to, sizeof(to)), 8);
	wt_settle(w);
	wt_inject_frame(w, &f);
	EQ(hits(0), 1);
	GOT(raw, 8);
	ask[0] = 129;
	ask[5] = 0x35;
	ERR(pc_sendto(w->st, raw, ask, 8, 0, (const struct sockaddr *)&to, sizeof(to)), EPERM);
	frame6_icmp(&f, &e, 64, 128, 0, ask + 4, 4);
	wt_inject_frame(w, &f);
	GOT(raw, 8);
	EQ(pc_sendto(w->st, raw, ask, 8, 0, (const struct sockaddr *)&to, sizeof(to)), 8);
	/* errors: about a datagram that was sent, and about others */
	EQ(pc_sendto(w->st, udp, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
	wt_settle(w);
	frame6_udp(&quote, &back, 5000, 53, "", 0);
	inject_error6(w, &e, &quote);
	EQ(hits(1), 1);
	frame6_udp(&quote, &back, 53, 5000, "", 0);
	inject_error6(w, &e, &quote);
	back.src.b[15]++;
	frame6_udp(&quote, &back, 5000, 53, "", 0);
	inject_error6(w, &e, &quote);
	EQ(hits(1), 1);
	EQ(hits(2), 3);
	OK(pc_close(w->st, raw));
	OK(pc_close(w->st, udp));
	wt_drop(w);
	load(w, NULL);
}

/* who is on the link is heard, and so is who tells of routers; of the types beside theirs none is */
static void ip6_discovery(struct wt *w)
{
	const struct ends6 e = ends();
	const uint8_t body[4] = {0};
	struct frame f;

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
	load(w, "default in drop");
	for (uint8_t type = 133; type <= 137; type++) {
		frame6_icmp(&f, &e, 255, type, 0, body, 4);
		wt_inject_frame(w, &f);
	}
	EQ(dropped(w), 0);
	frame6_icmp(&f, &e, 255, 132, 0, body, 4);
	wt_inject_frame(w, &f);
	frame6_icmp(&f, &e, 255, 138, 0, body, 4);
	wt_inject_frame(w, &f);
	EQ(dropped(w), 2);
	load(w, NULL);
}

static const struct wt_case cases[] = {
    {"segments to ports that are not open to them", tcp_in},
    {"a SYN is rejected", tcp_reject},
    {"connections go on under other rules", tcp_reload},
    {"a SYN to a connection in TIME-WAIT", tcp_time_wait},
    {"invalid segments, and cookies", tcp_invalid},
    {"what returns a cookie", cookie_flags},
    {"a limit of SYNs", tcp_limit},
    {"a limit of SYNs in a minute", tcp_minutes},
    {"connections that are not to be opened (IPv4)", tcp_out},
    {"RFC 9293 MUST-13: ... end no TIME-WAIT", tcp_out_of_time_wait},
    {"datagrams in (IPv4)", udp_in},
    {"what was damaged on its way (IPv4)", damaged},
    {"who has been asked", udp_states},
    {"who answers a broadcast (IPv4)", udp_broadcast},
    {"who has an address that was to be ours (IPv4)", lost_address},
    {"who answers a group (IPv4)", udp_group},
    {"datagrams out", udp_out},
    {"fragments (IPv4)", fragments},
    {"fragments that never become whole (IPv4)", never_whole},
    {"echoes (IPv4)", echo},
    {"codes of ICMP (IPv4)", codes},
    {"echoes that were asked for (IPv4)", echo_states},
    {"errors about what was sent", related},
    {"errors about echoes and other protocols (IPv4)", related_echo},
    {"errors about replies to echoes (IPv4)", related_reply},
    {"errors about what was not sent (IPv4)", unrelated},
    {"IGMP (IPv4)", igmp},
    {"other protocols (IPv4)", protocols},
    {"raw sockets and segments (IPv4)", raw_tcp},
    {"headers of raw sockets (IPv4)", raw_headers},
    {"what is logged (IPv4)", logs},
    {"addresses in headers of raw sockets (IPv4)", raw_addresses},
    {"answers of raw sockets (IPv4)", raw_answers},
    {"raw sockets and what is cut short (IPv4)", raw_short},
    {"raw sockets and their protocols (IPv4)", raw_protocols},
    {"IPv6, beside IPv4", ip6},
    {"IPv6, states, beside IPv4", ip6_states},
    {"IPv6, codes of ICMP", ip6_codes},
    {"IPv6, problems of what is dropped", ip6_problems},
    {"IPv6, neighbours and routers", ip6_discovery},
};

WT_MAIN("firewall")
