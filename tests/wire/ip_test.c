/* SPDX-License-Identifier: BSD-2-Clause */

/* ARP, IPv4 and ICMP as a neighbour sees them. */

#include <time.h>

#include <linux/errqueue.h>

#include "wt.h"

static struct frame_ends reply_ends(const struct frame *f)
{
	struct frame_info i;

	frame_read(f, &i);
	return i.ends;
}

static void announces_itself(struct wt *w)
{
	const struct frame *f;

	w->cold = true;
	wt_start(w);
	probe_answer_arp(w->probe, false);
	f = wt_next_frame(w, 1000);
	CHECK(f != NULL);
	EQ(f->b[12] << 8 | f->b[13], 0x0806);
	CHECK(memcmp(f->b, "\xff\xff\xff\xff\xff\xff", 6) == 0);
	CHECK(memcmp(f->b + 28, f->b + 38, 4) == 0); /* sender and target are one */
	while (wt_next_frame(w, 5000) != NULL)
		;
}

static void answers_arp(struct wt *w)
{
	struct frame_ends e = wt_ends(w);
	const struct frame *r;
	struct frame f;

	wt_start(w);
	wt_settle(w);
	probe_answer_arp(w->probe, false);
	memset(e.dst_mac, 0xff, 6);
	frame_arp(&f, &e, 1, NULL);
	wt_inject_frame(w, &f);
	r = wt_next_frame(w, 0);
	CHECK(r != NULL);
	EQ(r->b[21], 2);
	CHECK(memcmp(r->b, PEER_MAC, 6) == 0);
	CHECK(memcmp(r->b + 22, PROBE_MAC, 6) == 0);
	CHECK(memcmp(r->b + 28, &e.dst_be, 4) == 0);
	CHECK(memcmp(r->b + 32, PEER_MAC, 6) == 0);
	e.dst_be = htonl(0xc0000263); /* somebody else */
	frame_arp(&f, &e, 1, NULL);
	wt_inject_frame(w, &f);
	CHECK(wt_next_frame(w, 100) == NULL);
}

static void holds_while_resolving(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 40000);
	struct frame_ends e;
	const struct frame *q;
	struct frame f;

	w->cold = true;
	wt_start(w);
	wt_settle(w);
	probe_answer_arp(w->probe, false);
	w->flow.lport = 0;
	w->flow.fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(pc_connect(w->st, w->flow.fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_settle(w);
	q = wt_next_frame(w, 0);
	CHECK(q != NULL && q->b[13] == 0x06 && q->b[21] == 1);
	CHECK(memcmp(q->b, "\xff\xff\xff\xff\xff\xff", 6) == 0);
	CHECK(wt_next_frame(w, 500) == NULL);
	e = wt_ends(w);
	frame_arp(&f, &e, 2, e.dst_mac);
	wt_inject_frame(w, &f);
	w->flow.pport = 40000;
	EQ(wt_next(w, 0)->seg.flags, S);
}

static int error_of(struct wt *w, int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_ERROR, &error, &len));
	return error;
}

/* Nobody answers for the neighbour: a datagram's sender is told, and a connection ends for that reason when its time is over. */
static void unreached(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 40000);
	const int on = 1, syns = 2;
	struct sock_extended_err ee;
	int udp, tcp;

	w->cold = true;
	wt_start(w);
	wt_settle(w);
	probe_answer_arp(w->probe, false);
	OK(udp = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0));
	OK(tcp = pc_socket(w->st, AF_INET, SOCK_STREAM, 0));
	OK(pc_setsockopt(w->st, udp, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	OK(pc_setsockopt(w->st, tcp, IPPROTO_TCP, TCP_SYNCNT, &syns, sizeof(syns)));
	OK(pc_connect(w->st, udp, (const struct sockaddr *)&to, sizeof(to)));
	EQ(pc_send(w->st, udp, "x", 1, 0), 1);
	ERR(pc_connect(w->st, tcp, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
	wt_pass(w, 2500);
	ERR(pc_recv(w->st, udp, NULL, 0, MSG_ERRQUEUE), EAGAIN);
	wt_pass(w, 1000);
	ee = wt_error(w, udp);
	EQ(ee.ee_errno, EHOSTUNREACH);
	EQ(ee.ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK(ee.ee_type == 3 && ee.ee_code == 1);
	EQ(error_of(w, tcp), 0); /* RFC 1122 section 4.2.3.9: the host may yet come */
	wt_pass(w, 60000);
	EQ(error_of(w, tcp), EHOSTUNREACH);
	wt_drop(w);
}

static void asks_once_a_second(struct wt *w)
{
	unsigned n = 0;
	uint64_t last = 0;

	w->cold = true;
	wt_start(w);
	wt_settle(w);
	probe_answer_arp(w->probe, false);
	for (unsigned i = 0; i < 10; i++) {
		int fd = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
		struct sockaddr_in to = wt_addr(WT_PEER, (uint16_t)(40000 + i));

		ERR(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)), EINPROGRESS);
		wt_settle(w);
	}
	for (const struct frame *f; (f = wt_next_frame(w, 20000)) != NULL && n < 12; n++) {
		EQ(f->b[13], 0x06);
		CHECK(last == 0 || f->at_ns - last >= 999000000);
		last = f->at_ns;
	}
	CHECK(n >= 3);
	while (wt_next_frame(w, 300000) != NULL)
		;
}

static void ping(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	uint8_t rest[4] = {0x12, 0x34, 0, 7}, data[1472];
	struct frame_info i;
	const struct frame *r;
	struct frame f;

	for (unsigned n = 0; n < sizeof(data); n++)
		data[n] = (uint8_t)(n * 3);
	for (unsigned n = 0; n <= 1472; n += n < 64 ? 1 : 64) {
		frame_icmp(&f, &e, 8, 0, rest, data, (uint16_t)n);
		wt_inject_frame(w, &f);
		r = wt_next_frame(w, 0);
		CHECK(r != NULL);
		CHECK(frame_read(r, &i) == NULL);
		EQ(i.proto, 1);
		EQ(i.icmp_type, 0);
		EQ(i.payload_len, n);
		CHECK(memcmp(r->b + 38, rest, 4) == 0);
		CHECK(memcmp(i.payload, data, n) == 0);
		EQ(i.ends.src_be, e.dst_be);
		EQ(i.ends.dst_be, e.src_be);
	}
}

/* Nothing but zeros has the checksum 0xffff, which a sum that is only corrected turns into the other form of zero (RFC 1624
 * section 3): whoever gets that sees a damaged answer. */
static void ping_of_zeros(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	const uint8_t rest[4] = {0}, data[64] = {0};
	struct frame_info i;
	const struct frame *r;
	struct frame f;

	for (uint16_t n = 0; n <= sizeof(data); n++) {
		frame_icmp(&f, &e, 8, 0, rest, data, n);
		wt_inject_frame(w, &f);
		r = wt_next_frame(w, 0);
		CHECK(r != NULL);
		CHECK(frame_read(r, &i) == NULL);
		EQ(i.icmp_type, 0);
		EQ(r->b[36] << 8 | r->b[37], 0xffff);
	}
	/* others that need no bits of their own: 0x0000 (RFC 1071) */
	frame_icmp(&f, &e, 8, 0, (const uint8_t[4]){0xff, 0xff}, data, 2);
	wt_inject_frame(w, &f);
	r = wt_next_frame(w, 0);
	CHECK(r != NULL && frame_read(r, &i) == NULL);
	EQ(r->b[36] << 8 | r->b[37], 0);
}

static void ping_ignored(struct wt *w)
{
	struct frame_ends e = wt_ends(w);
	struct frame f;

	wt_start(w);
	e.dst_be = htonl(0xc00002ff);
	memset(e.dst_mac, 0xff, 6);
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0}, "x", 1);
	wt_inject_frame(w, &f); /* to a broadcast address */
	e = wt_ends(w);
	e.dst_mac[5] ^= 1;
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0}, "x", 1);
	wt_inject_frame(w, &f); /* for another MAC */
	e = wt_ends(w);
	e.dst_be = htonl(0xc0000203);
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0}, "x", 1);
	wt_inject_frame(w, &f); /* for another address */
	e = wt_ends(w);
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0}, "x", 1);
	f.b[36] ^= 1;
	wt_inject_frame(w, &f); /* wrong ICMP checksum */
	f.b[36] ^= 1;
	f.b[24] ^= 1;
	wt_inject_frame(w, &f); /* wrong IP checksum */
	CHECK(wt_next_frame(w, 1000) == NULL);
	EQ(wt_count(w, PC_DROP_ICMP_CHECKSUM), 1);
	EQ(wt_count(w, PC_DROP_IP4_CHECKSUM), 1);
	EQ(wt_count(w, PC_DROP_ICMP_BROADCAST), 1);
	EQ(wt_count(w, PC_DROP_ETH_NOT_OURS), 1);
	EQ(wt_count(w, PC_DROP_IP4_NOT_OURS), 1);
}

static void port_unreachable(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	struct frame_info i;
	const struct frame *r;
	struct frame f;

	frame_udp(&f, &e, 5000, 6000, "hello", 5);
	wt_inject_frame(w, &f);
	r = wt_next_frame(w, 0);
	CHECK(r != NULL);
	CHECK(frame_read(r, &i) == NULL);
	EQ(i.icmp_type, 3);
	EQ(i.icmp_code, 3);
	CHECK(i.payload_len >= 28);
	CHECK(memcmp(i.payload, f.b + 14, 28) == 0); /* quotes header and 8 bytes */
}

static void errors_are_limited(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	unsigned n = 0;
	struct frame f;

	frame_udp(&f, &e, 5000, 6000, "hello", 5);
	for (unsigned i = 0; i < 1000; i++)
		wt_queue_frame(w, &f);
	wt_settle(w);
	while (wt_next_frame(w, 0) != NULL)
		n++;
	IN(n, 1, 200);
	EQ(wt_count(w, PC_ICMP_ERRORS_TX) + wt_count(w, PC_ICMP_ERRORS_LIMITED), 1000);
}

static void ip_options_are_skipped(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f, g;

	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0}, "x", 1);
	g = f;
	g.b[14] = 0x47; /* 8 bytes of options: NOPs and a router alert */
	memcpy(g.b + 34, (uint8_t[]){1, 1, 1, 148, 4, 0, 0, 0}, 8);
	memcpy(g.b + 42, f.b + 34, f.len - 34u);
	g.len = (uint16_t)(f.len + 8);
	g.b[17] = (uint8_t)(g.len - 14);
	frame_fix_ip4(&g);
	wt_inject_frame(w, &g);
	CHECK(wt_next_frame(w, 0) != NULL);
	memcpy(g.b + 34, (uint8_t[]){131, 7, 4, 192, 0, 2, 9, 0}, 8); /* a source route */
	frame_fix_ip4(&g);
	wt_inject_frame(w, &g);
	CHECK(wt_next_frame(w, 0) == NULL);
	EQ(wt_count(w, PC_DROP_IP4_OPTION), 1);
	memcpy(g.b + 34, (uint8_t[]){200, 4, 0, 0, 130, 4, 0, 0},
	       8); /* unknown, and a security label */
	frame_fix_ip4(&g);
	wt_inject_frame(w, &g);
	CHECK(wt_next_frame(w, 0) != NULL);
	memcpy(g.b + 34, (uint8_t[]){7, 7, 4, 0, 0, 0, 0, 0}, 8); /* a record of the route */
	frame_fix_ip4(&g);
	wt_inject_frame(w, &g);
	CHECK(wt_next_frame(w, 0) == NULL);
	EQ(wt_count(w, PC_DROP_IP4_OPTION), 2);
	OK(pc_stack_set(w->st, "ip.options", "yes", NULL, 0));
	wt_inject_frame(w, &g);
	CHECK(wt_next_frame(w, 0) != NULL);
}

/* Puts 8 bytes of options into a datagram that has room for them. */
static void put_options(struct wt *w, struct frame *f, const uint8_t options[8])
{
	f->b[14] = 0x47;
	memmove(f->b + 42, f->b + 34, f->len - 34u);
	memcpy(f->b + 34, options, 8);
	f->len = (uint16_t)(f->len + 8);
	f->b[17] = (uint8_t)(f->len - 14);
	frame_fix_ip4(f);
	wt_inject_frame(w, f);
}

/* A parameter problem points at the option whose length cannot be, and quotes the datagram. */
static void impossible_options(struct wt *w)
{
	static const struct {
		uint8_t o[8], pointer;
	} bad[] = {
	    {{148, 200, 0, 0, 0, 0, 0, 0}, 20}, /* past the header */
	    {{1, 1, 7, 1, 0, 0, 0, 0}, 22},     /* shorter than its own header */
	    {{148, 4, 0, 0, 1, 1, 1, 200}, 27}, /* cut after its type */
	    {{
	         131,
	         4,
	         4,
	         0,
	         1,
	         200,
	         0,
	         0,
	     },
	     25}, /* behind a source route */
	};
	const struct frame_ends e = wt_ends(w);
	const struct frame *f;
	struct frame g;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		frame_udp(&g, &e, 5000, 6000, "hello", 5);
		put_options(w, &g, bad[i].o);
		f = wt_next_frame(w, 0);
		CHECK(f != NULL && f->b[23] == 1 && f->b[34] == 12 && f->b[35] == 0);
		CHECK(f != NULL && f->b[38] == bad[i].pointer && f->b[39] == 0);
		CHECK(f != NULL && memcmp(f->b + 42, g.b + 14, 28 + 8 + 5) == 0);
	}
	g.b[21] = 1; /* a fragment, but not the first */
	frame_fix_ip4(&g);
	wt_inject_frame(w, &g);
	g.b[21] = 0;
	memset(g.b + 30, 0xff, 4); /* to all */
	frame_fix_ip4(&g);
	wt_inject_frame(w, &g);
	CHECK(wt_next_frame(w, 0) == NULL);
	EQ(wt_count(w, PC_DROP_IP4_OPTION), 6);
}

/* RFC 1122 section 3.2.2: a message of an unknown type is discarded silently, and an error draws none. */
static void no_error_about_icmp(struct wt *w)
{
	static const uint8_t option[8] = {7, 1};
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	for (unsigned type = 0; type < 256; type++) {
		const bool query =
		    type == 0 || (type >= 8 && type <= 10) || (type >= 13 && type <= 18);

		frame_icmp(&f, &e, (uint8_t)type, 0, (uint8_t[4]){0}, "x", 1);
		put_options(w, &f, option);
		CHECK((wt_next_frame(w, 0) != NULL) == query);
	}
	EQ(wt_count(w, PC_DROP_IP4_OPTION), 256);
}

static void impossible_sources(struct wt *w)
{
	static const uint32_t src[] = {0xe0000001, 0xffffffff, 0x7f000001, 0xc0000201, 0xc00002ff};
	struct frame_ends e = wt_ends(w);
	struct frame f;

	for (unsigned i = 0; i < sizeof(src) / sizeof(src[0]); i++) {
		e.src_be = htonl(src[i]);
		frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0}, "x", 1);
		wt_inject_frame(w, &f);
	}
	CHECK(wt_next_frame(w, 1000) == NULL);
	EQ(wt_count(w, PC_DROP_IP4_SOURCE), 5);
}

static void every_drop_is_counted(struct wt *w)
{
	const struct pc_counters *c;
	uint64_t drops = 0, before = 0;
	struct frame_ends e = wt_ends(w);
	struct frame f;

	wt_start(w);
	for (unsigned i = PC_DROP_NONE + 1; i < PC_TX_NO_MBUF; i++)
		before += pc_stack_counters(w->st)->value[i];
	for (unsigned i = 0; i < 256; i++) {
		frame_icmp(&f, &e, (uint8_t)i, 0, (uint8_t[4]){0}, "0123456789", 10);
		f.b[23] = (uint8_t)i; /* protocol */
		frame_fix_ip4(&f);
		wt_inject_frame(w, &f);
	}
	while (wt_next_frame(w, 0) != NULL)
		;
	c = pc_stack_counters(w->st);
	for (unsigned i = PC_DROP_NONE + 1; i < PC_TX_NO_MBUF; i++)
		drops += c->value[i];
	EQ(drops, 256 + before);
	EQ(reply_ends(&f).src_be, e.src_be);
}

static const struct wt_case cases[] = {
    {"RFC 5227 2.3: a new address is announced", announces_itself},
    {"RFC 826: requests for our address are answered, others not", answers_arp},
    {"RFC 1122 2.3.2.2: a packet is kept while its neighbour is asked for", holds_while_resolving},
    {"RFC 1122 2.4: a neighbour that does not answer", unreached},
    {"RFC 1122 2.3.2.1: one request per second", asks_once_a_second},
    {"RFC 1122 3.2.2.6: echo, 0 to 1472 bytes", ping},
    {"RFC 1122 3.2.2.6, RFC 1624 3: echo of nothing but zeros", ping_of_zeros},
    {"RFC 1122 3.2.1: what is not for us or damaged is dropped", ping_ignored},
    {"RFC 1122 3.2.2.1: port unreachable", port_unreachable},
    {"RFC 1812 4.3.2.8: ICMP errors are limited", errors_are_limited},
    {"RFC 1122 3.2.1.8: IP options", ip_options_are_skipped},
    {"RFC 1122 3.2.2.5: an option that cannot be is reported", impossible_options},
    {"RFC 1122 3.2.2: no error about ICMP but queries", no_error_about_icmp},
    {"RFC 1122 3.2.1.3: sources that cannot be", impossible_sources},
    {"each frame that goes nowhere ends in one counter", every_drop_is_counted},
};

WT_MAIN("ip")
