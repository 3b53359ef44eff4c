/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Floods, and a good client whose connection goes on meanwhile: every packet of a flood ends in the counter
 * that is meant for it, nothing is kept for it, and what the client sends arrives with the next turn.
 */

#include <arpa/inet.h>

#include "base/strangers.h"
#include "frame6.h"
#include "wt.h"

#define PACKETS 2000
#define BURST   50

static uint32_t rnd(void)
{
	static uint32_t x = 2463534242;

	x ^= x << 13;
	x ^= x >> 17;
	return x ^= x << 5;
}

/* somebody off the link, by way of a router that is the good client's machine, too */
static struct frame_ends anybody(const struct wt *w)
{
	struct frame_ends e = wt_ends(w);

	e.src_be = htonl(0x0b000000 | (rnd() & 0xffffff));
	return e;
}

/* a stack with a default route over the client's machine, a listener, and the client's connection */
static void begin(struct wt *w)
{
	const struct pc_prefix all = {0};
	const struct pc_addr gateway = pc_addr_ip4(inet_addr(WT_PEER));

	w->cfg.icmp_error_rate = 10;
	wt_established(w);
	OK(pc_stack_add_route(w->st, &all, &gateway));
}

/* the good client's turn: both ways, at once */
static void go_on(struct wt *w)
{
	const uint32_t in = w->flow.rcvd + 1, out = w->flow.sent + 1;

	wt_drop(w);
	INJECT(.flags = PA, .seq = in, .ack = out, .len = 100);
	wt_read(w, 100);
	wt_send(w, 200);
	EXPECT(.flags = PA, .seq = out, .ack = in + 100, .len = 200);
	INJECT(.flags = A, .seq = in + 100, .ack = out + 200);
}

static void flood(struct wt *w, void (*make)(struct wt *w, struct frame *f))
{
	struct pc_stack_usage before, after;
	struct frame f;

	pc_stack_get_usage(w->st, &before);
	for (unsigned i = 0; i < PACKETS; i++) {
		make(w, &f);
		wt_queue_frame(w, &f);
		if (i % BURST == BURST - 1)
			go_on(w);
	}
	pc_stack_get_usage(w->st, &after);
	EQ(after.connections, before.connections);
	EQ(after.half_open, before.half_open);
	CHECK(after.neighbours <= after.neighbours_max);
}

static void segment(const struct wt *w, struct frame *f, uint16_t port, uint8_t flags, uint32_t len)
{
	static const uint8_t data[64] = {0};
	const struct frame_ends e = anybody(w);
	const struct tcp_seg s = {.sport = (uint16_t)(1024 + rnd() % 60000),
	                          .dport = port,
	                          .seq = rnd(),
	                          .ack = flags & TCP_ACK ? rnd() : 0,
	                          .len = len,
	                          .wnd = 1000,
	                          .flags = flags};

	frame_tcp(f, &e, &s, data, NULL, 0);
}

static void make_ack_closed(struct wt *w, struct frame *f)
{
	segment(w, f, 9, A, 0);
}

static void make_ack_open(struct wt *w, struct frame *f)
{
	segment(w, f, WT_PORT, A, 0);
}

static void make_rst(struct wt *w, struct frame *f)
{
	segment(w, f, WT_PORT, rnd() % 2 ? R : RA, 0);
}

static void make_fin(struct wt *w, struct frame *f)
{
	segment(w, f, WT_PORT, rnd() % 2 ? TCP_FIN : FA, 0);
}

static void make_data(struct wt *w, struct frame *f)
{
	segment(w, f, rnd() % 2 ? WT_PORT : 9, PA, 64);
}

static void make_xmas(struct wt *w, struct frame *f)
{
	segment(w, f, WT_PORT, (uint8_t)rnd() & 0x3f & (uint8_t)~TCP_SYN, rnd() % 64);
}

static void tcp_floods(struct wt *w)
{
	begin(w);
	flood(w, make_ack_closed);
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), PACKETS);
	flood(w, make_ack_open); /* an ACK to LISTEN: RFC 9293 3.10.7.2 */
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), 2 * PACKETS);
	flood(w, make_rst);
	EQ(wt_count(w, PC_DROP_TCP_RST_STRAY), PACKETS);
	flood(w, make_fin);
	flood(w, make_data);
	flood(w, make_xmas);
	wt_drop(w);
}

/* RFC 5961: segments of the connection itself by somebody who does not know where it is */
static void make_blind(struct wt *w, struct frame *f)
{
	static const uint8_t flags[] = {R, RA, S, SA, A, PA, FA};
	static const uint8_t data[64] = {0};
	const struct frame_ends e = wt_ends(w);
	const struct tcp_seg s = {.sport = w->flow.pport,
	                          .dport = w->flow.lport,
	                          .seq = rnd(),
	                          .ack = rnd(),
	                          .len = rnd() % 3 == 0 ? 64 : 0,
	                          .wnd = (uint16_t)rnd(),
	                          .flags = flags[rnd() % sizeof(flags)]};

	frame_tcp(f, &e, &s, data, NULL, 0);
	/* what hits the window by chance (64 KB of 4 GB) may well be data */
	if (s.seq - (w->flow.irs + w->flow.rcvd) < 1000000)
		segment(w, f, 9, A, 0);
}

static void blind(struct wt *w)
{
	begin(w);
	flood(w, make_blind);
	flood(w, make_blind);
	wt_drop(w);
	CHECK(wt_count(w, PC_TCP_CHALLENGE_ACKS) <= w->cfg.tcp_challenge_acks + 1);
	CHECK(wt_count(w, PC_TCP_CHALLENGE_LIMITED) > 0);
}

static void make_syn(struct wt *w, struct frame *f)
{
	segment(w, f, WT_PORT, S, 0);
}

/* the cache is full of nobodies; who means it gets a cookie */
static void syn_flood(struct wt *w)
{
	struct pc_stack_usage u;
	struct flow good;
	struct frame f;

	begin(w);
	good = w->flow;
	for (unsigned i = 0; i < PACKETS; i++) {
		make_syn(w, &f);
		wt_queue_frame(w, &f);
		if (i % BURST != BURST - 1)
			continue;
		go_on(w);
		good = w->flow;
		wt_drop(w);
		wt_flow(w);
		INJECT(.flags = S, .mss = WT_MSS);
		EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
		INJECT(.flags = A, .seq = 1, .ack = 1);
		wt_accept(w);
		INJECT(.flags = R, .seq = 1);
		OK(pc_close(w->st, w->flow.fd));
		w->flow = good;
	}
	pc_stack_get_usage(w->st, &u);
	EQ(u.connections, 1);
	EQ(u.half_open, w->cfg.tcp_syn_cache);
	CHECK(wt_count(w, PC_TCP_COOKIES_SENT) > PACKETS - 200);
	wt_pass(w, 200000);
	wt_drop(w);
	pc_stack_get_usage(w->st, &u);
	EQ(u.half_open, 0);
}

static void make_ping(struct wt *w, struct frame *f)
{
	const struct frame_ends e = anybody(w);

	frame_icmp(f, &e, 8, 0, (uint8_t[4]){0, 1, 0, 1}, "0123456789", 10);
}

/* an error about a connection that does not exist, or about ours with a wrong number */
static void make_icmp_error(struct wt *w, struct frame *f)
{
	const struct frame_ends e = anybody(w), ours = wt_ends(w);
	uint8_t quote[28] = {0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6};
	uint32_t seq = htonl(w->flow.iss + w->flow.sent + 100000 + (rnd() & 0xffffff));

	memcpy(quote + 12, &ours.dst_be, 4);
	memcpy(quote + 16, &ours.src_be, 4);
	quote[20] = (uint8_t)(w->flow.lport >> 8);
	quote[21] = (uint8_t)w->flow.lport;
	quote[22] = (uint8_t)(w->flow.pport >> 8);
	quote[23] = (uint8_t)(w->flow.pport + rnd() % 2);
	memcpy(quote + 24, &seq, 4);
	frame_icmp(f, &e, 3, rnd() % 2 ? 4 : 3, (uint8_t[4]){0, 0, 0, 68}, quote, sizeof(quote));
}

static void make_udp(struct wt *w, struct frame *f)
{
	const struct frame_ends e = anybody(w);

	frame_udp(f, &e, (uint16_t)rnd() | 1, (uint16_t)(rnd() | 1), "x", 1);
}

static void ip_floods(struct wt *w)
{
	begin(w);
	flood(w, make_ping);
	EQ(wt_count(w, PC_ICMP_ECHO), PACKETS);
	flood(w, make_icmp_error);
	EQ(wt_info(w).tcpi_pmtu, 1500);
	flood(w, make_udp);
	EQ(wt_count(w, PC_DROP_UDP_NO_SOCKET), PACKETS);
	/* RFC 1812 4.3.2.8: no more errors than icmp.error_rate */
	CHECK(wt_count(w, PC_ICMP_ERRORS_TX) <= 2 * w->cfg.icmp_error_rate);
	CHECK(wt_count(w, PC_ICMP_ERRORS_LIMITED) >= PACKETS - 2 * w->cfg.icmp_error_rate);
}

/* everybody of a network asks for us: more neighbours than the table holds */
static void make_arp(struct wt *w, struct frame *f)
{
	struct frame_ends e = wt_ends(w);

	e.src_be = htonl(0xc0000200 | (3 + rnd() % 250));
	memset(e.dst_mac, 0xff, 6);
	e.src_mac[5] = (uint8_t)rnd();
	frame_arp(f, &e, 1, NULL);
}

static void arp_flood(struct wt *w)
{
	begin(w);
	flood(w, make_arp);
	CHECK(wt_count(w, PC_ARP_EVICTED) > 0);
	wt_drop(w);
}

/* everybody of a network asks for us by neighbour discovery, and says where it is */
static void make_ns(struct wt *w, struct frame *f)
{
	const struct frame_ends e4 = wt_ends(w);
	struct ends6 e = {.src_mac = PEER_MAC,
	                  .dst_mac = PROBE_MAC,
	                  .src = addr6_of4(htonl(0xc0000200 | (3 + rnd() % 250))),
	                  .dst = addr6_of4(e4.dst_be)};
	uint8_t body[28] = {0};

	memcpy(body + 4, e.dst.b, 16);
	memcpy(body + 20, (uint8_t[2]){1, 1}, 2);
	memcpy(body + 22, PEER_MAC, 6);
	body[27] = (uint8_t)rnd();
	frame6_icmp(f, &e, 255, 135, 0, body, sizeof(body));
}

static void nd_flood(struct wt *w)
{
	if (!wt_ip6)
		return;
	wt_established(w);
	flood(w, make_ns);
	CHECK(wt_count(w, PC_ARP_EVICTED) > 0);
	wt_drop(w);
}

/* queues n packets at once: what a port holds that is not looked at fast enough */
static void pile_up(struct wt *w, void (*make)(struct wt *w, struct frame *f), unsigned n)
{
	struct frame f;

	for (unsigned i = 0; i < n; i++) {
		make(w, &f);
		wt_queue_frame(w, &f);
	}
}

/* frames come faster than they are worked on: of strangers only some are answered, of who has a connection all */
static void overrun(struct wt *w)
{
	const uint64_t burst = 32, few = 8;
	uint64_t busy, answers;

	begin(w);
	EQ(w->cfg.stack_rx_burst, burst);
	EQ(w->cfg.stack_busy_answers, few);
	pile_up(w, make_syn, w->cfg.tcp_syn_cache < 400 ? 400 : (unsigned)w->cfg.tcp_syn_cache);
	go_on(w);
	busy = wt_count(w, PC_DROP_BUSY); /* none but in the cache is refused */
	answers = wt_count(w, PC_DROP_TCP_SYN_HANDLED);
	pile_up(w, make_syn, PACKETS);
	go_on(w);
	busy = wt_count(w, PC_DROP_BUSY) - busy;
	answers = wt_count(w, PC_DROP_TCP_SYN_HANDLED) - answers;
	EQ(busy + answers, PACKETS);
	CHECK(answers >= STRANGERS_BEHIND - 2 * burst);
	CHECK(answers <= STRANGERS_BEHIND + few * (PACKETS - STRANGERS_BEHIND) / burst + burst);
	pile_up(w, make_ack_closed, PACKETS);
	go_on(w);
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), PACKETS);
	CHECK(wt_count(w, PC_TCP_RESET_LIMITED) >= PACKETS - few * (PACKETS / burst + 2));
	wt_drop(w);
}

/* who comes when it is over is answered, and who comes alone always is */
static void after_overrun(struct wt *w)
{
	uint64_t busy;

	begin(w);
	pile_up(w, make_syn, PACKETS + (unsigned)w->cfg.tcp_syn_cache);
	go_on(w);
	busy = wt_count(w, PC_DROP_BUSY);
	CHECK(busy > 0);
	wt_drop(w);
	wt_flow(w);
	INJECT(.flags = S, .mss = WT_MSS);
	EXPECT(.flags = SA, .ack = 1, .mss = WT_MSS);
	INJECT(.flags = R, .seq = 1);
	NOTHING(STRANGERS_HOLD_NS / 1000000 + 1);
	pile_up(w, make_syn, STRANGERS_BEHIND / 2);
	pile_up(w, make_ack_closed, STRANGERS_BEHIND / 4);
	INJECT(.flags = R, .seq = 1);
	EQ(wt_count(w, PC_DROP_BUSY), busy);
	EQ(wt_count(w, PC_TCP_RESET_LIMITED), 0);
	wt_drop(w);
}

/* a SYN of the good client's machine from another port, behind so many of strangers; returns how many of all were answered */
static uint64_t come_back(struct wt *w, unsigned strangers)
{
	const struct flow good = w->flow;
	uint64_t answers;

	pile_up(w, make_syn, strangers);
	wt_drop(w);
	answers = wt_count(w, PC_DROP_TCP_SYN_HANDLED);
	pile_up(w, make_syn, 31);
	wt_flow(w);
	QUEUE(.flags = S, .mss = WT_MSS);
	pile_up(w, make_syn, 32);
	wt_drop(w);
	w->flow = good;
	return wt_count(w, PC_DROP_TCP_SYN_HANDLED) - answers;
}

/* who has completed a handshake before is answered beside the strangers */
static void known(struct wt *w)
{
	const unsigned few = 8;

	begin(w);
	go_on(w);
	EQ(come_back(w, PACKETS + (unsigned)w->cfg.tcp_syn_cache), 2 * few + 1);
	CHECK(wt_count(w, PC_DROP_BUSY) > 0);
	go_on(w);
}

/* ... and a stranger is not */
static void not_known(struct wt *w)
{
	const struct pc_prefix all = {0};
	const struct pc_addr gateway = pc_addr_ip4(inet_addr(WT_PEER));
	const unsigned few = 8;

	wt_listen(w, 16);
	OK(pc_stack_add_route(w->st, &all, &gateway));
	EQ(come_back(w, PACKETS + (unsigned)w->cfg.tcp_syn_cache), 2 * few);
}

/* More connections are begun than can be worked on, for long, and nobody else is there: all are taken. */
static void crowd(struct wt *w)
{
	w->cfg.tcp_syn_cache = 65536;
	begin(w);
	for (unsigned ms = 0; ms < 2 * STRANGERS_LONG_NS / 1000000; ms += 20) {
		pile_up(w, make_syn, 2 * STRANGERS_BEHIND);
		wt_pass(w, 20);
		wt_drop(w);
	}
	EQ(wt_count(w, PC_DROP_BUSY), 0);
	go_on(w);
}

static void go_on_often(struct wt *w)
{
	for (unsigned i = 0; i < STRANGERS_GUEST; i++)
		go_on(w);
}

/* ... but if there is a connection that goes on, each counts for four answers though the SYN cache
 * has room. Not in the first quarter of a second: these may be clients who come at once. */
static void churn(struct wt *w)
{
	const unsigned pile = 2 * STRANGERS_BEHIND, bursts = (pile - STRANGERS_BEHIND) / 32;
	const uint64_t few = 8 / STRANGERS_CONNECTION;
	uint64_t busy;

	w->cfg.tcp_syn_cache = 65536;
	begin(w);
	for (unsigned ms = 0; ms < STRANGERS_LONG_NS / 1000000 - 30; ms += 20) {
		pile_up(w, make_syn, pile);
		go_on(w);
		wt_pass(w, 19);
		wt_drop(w);
	}
	EQ(wt_count(w, PC_DROP_BUSY), 0);
	for (unsigned i = 0; i < 2; i++) { /* it is seen who is there */
		pile_up(w, make_syn, pile);
		go_on_often(w);
		wt_pass(w, 20);
	}
	busy = wt_count(w, PC_DROP_BUSY);
	for (unsigned i = 0; i < 4; i++) {
		pile_up(w, make_syn, pile);
		go_on_often(w);
		wt_pass(w, 20);
	}
	CHECK(wt_count(w, PC_DROP_BUSY) - busy >= (32 - few) * (bursts - 2));
	busy = wt_count(w, PC_DROP_BUSY);
	EQ(wt_count(w, PC_TCP_COOKIES_SENT), 0);
	wt_pass(w, STRANGERS_HOLD_NS / 1000000 + 1);
	wt_drop(w);
	pile_up(w, make_syn, pile); /* they come at once */
	go_on(w);
	EQ(wt_count(w, PC_DROP_BUSY), busy);
	wt_drop(w);
}

/* full bursts are no crowd while the ring is empty after each */
static void keeping_up(struct wt *w)
{
	begin(w);
	for (unsigned i = 0; i < 3 * STRANGERS_BEHIND / 32; i++) {
		pile_up(w, make_ack_closed, 32);
		wt_pass(w, 1);
		wt_drop(w);
	}
	EQ(wt_count(w, PC_DROP_TCP_CLOSED), 3 * STRANGERS_BEHIND);
	EQ(wt_count(w, PC_TCP_RESET_LIMITED), 0);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"floods of TCP to open and closed ports (IPv4)", tcp_floods},
    {"RFC 5961: blind segments of a connection (IPv4)", blind},
    {"RFC 4987: SYNs from nobody (IPv4)", syn_flood},
    {"frames come faster than they are worked on (IPv4)", overrun},
    {"and when that is over (IPv4)", after_overrun},
    {"... to who has been here before (IPv4)", known},
    {"... and to who has not (IPv4)", not_known},
    {"more connections are begun than can be worked on (IPv4)", churn},
    {"... and nobody else is there (IPv4)", crowd},
    {"frames come in full bursts, and are worked on (IPv4)", keeping_up},
    {"RFC 1812 4.3.2.8: ping, ICMP errors and UDP to closed ports (IPv4)", ip_floods},
    {"RFC 826: more neighbours than there is room for (IPv4)", arp_flood},
    {"RFC 4861: more neighbours than there is room for", nd_flood},
};

WT_MAIN("flood")
