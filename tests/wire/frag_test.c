/* SPDX-License-Identifier: BSD-2-Clause */

/* Fragments of both families: the datagrams that they make, and those that they must not make. */

#include <stdio.h>
#include <stdlib.h>

#include "base/strangers.h"
#include "frame6.h"
#include "stack/stack.h"
#include "wt.h"

#define LOCAL6 "fd00::1"
#define PEER6  "fd00::2"
#define PORT   5000

/* What a test sends: one datagram, whole. */
struct whole {
	bool ip6;
	uint8_t proto, tos;
	uint32_t id, len;
	const char *from; /* NULL: the peer */
	uint8_t b[65535];
};

static struct whole d;
static uint8_t got[65535];

static void start(struct wt *w)
{
	const struct ends6 e = {
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6(PEER6), .dst = addr6(LOCAL6)};

	w->cfg.ip6_accept_ra = 0;
	wt_start6(w, &e);
}

static struct ends6 ends6(void)
{
	return (struct ends6){.src_mac = PEER_MAC,
	                      .dst_mac = PROBE_MAC,
	                      .src = addr6(d.from != NULL && d.ip6 ? d.from : PEER6),
	                      .dst = addr6(LOCAL6)};
}

static struct frame_ends ends4(const struct wt *w)
{
	struct frame_ends e = wt_ends(w);

	if (d.from != NULL)
		e.src_be = wt_addr(d.from, 0).sin_addr.s_addr;
	return e;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void seal(const struct wt *w, uint32_t at)
{
	const struct frame_ends e4 = ends4(w);
	const struct ends6 e6 = ends6();
	uint32_t sum = 0;
	uint16_t c;

	put16(d.b + at, 0);
	if (d.ip6)
		sum = frame6_sum(&e6.src, &e6.dst, d.proto, d.len);
	else if (d.proto == 17)
		sum = frame_l4_sum(e4.src_be, e4.dst_be, d.proto, (uint16_t)d.len);
	c = frame_fold(frame_sum(d.b, d.len, sum));
	put16(d.b + at, c == 0 && d.proto == 17 ? 0xffff : c);
}

/* Makes the datagram: UDP of len bytes of payload, or an echo request. */
static void make(const struct wt *w, bool ip6, bool echo, uint32_t len)
{
	const char *from = d.from;
	const uint32_t id = d.id + 1;

	d = (struct whole){.ip6 = ip6, .id = id, .len = len + 8, .from = from};
	d.proto = !echo ? 17 : ip6 ? 58 : 1;
	for (uint32_t i = 0; i < len; i++)
		d.b[8 + i] = (uint8_t)(i * 7 + i / 251);
	if (echo) {
		memcpy(d.b, (uint8_t[8]){ip6 ? 128 : 8, 0, 0, 0, 0x12, 0x34, 0, 7}, 8);
	} else {
		put16(d.b, 6000);
		put16(d.b + 2, PORT);
		put16(d.b + 4, d.len);
	}
	seal(w, echo ? 2 : 6);
}

/* Makes a frame of any part of it. */
static void cut(const struct wt *w, struct frame *f, uint32_t off, uint32_t len, bool more)
{
	const struct frame_ends e4 = ends4(w);
	const struct ends6 e6 = ends6();
	const uint32_t id_be = htonl(d.id);
	uint8_t b[FRAME_MAX] = {d.proto};

	if (d.ip6) {
		put16(b + 2, off | more);
		memcpy(b + 4, &id_be, 4);
		memcpy(b + 8, d.b + off, len);
		frame6_raw(f, &e6, 44, 64, b, (uint16_t)(8 + len));
		f->b[15] = (uint8_t)(d.tos << 4);
		return;
	}
	frame_udp(f, &e4, 1, 1, b, (uint16_t)(len > 8 ? len - 8 : 0));
	f->b[15] = d.tos;
	put16(f->b + 16, 20 + len);
	put16(f->b + 18, d.id);
	put16(f->b + 20, (more ? 0x2000u : 0) | off / 8);
	f->b[23] = d.proto;
	memcpy(f->b + 34, d.b + off, len);
	f->len = (uint16_t)(34 + len);
	frame_fix_ip4(f);
}

static void put(struct wt *w, uint32_t off, uint32_t len, bool more)
{
	struct frame f;

	cut(w, &f, off, len, more);
	wt_inject_frame(w, &f);
}

/* Sends it in pieces of n bytes, in this order: 0 first to last, 1 last to first, 2 even ones first. */
static void put_all(struct wt *w, uint32_t n, int order)
{
	const uint32_t pieces = (d.len + n - 1) / n;

	for (uint32_t i = 0; i < pieces; i++) {
		uint32_t k = order == 0             ? i
		             : order == 1           ? pieces - 1 - i
		             : i < (pieces + 1) / 2 ? 2 * i
		                                    : 2 * (i - (pieces + 1) / 2) + 1;
		const uint32_t len = k * n + n < d.len ? n : d.len - k * n;

		put(w, k * n, len, k != pieces - 1);
	}
}

static int sock(struct wt *w)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	const int fd = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);

	OK(pc_bind(w->st, fd, (struct sockaddr *)&any, sizeof(any)));
	return fd;
}

/* The datagram was received whole. */
#define GOT(fd)                                                                    \
	do {                                                                       \
		EQ(pc_recv(w->st, fd, got, sizeof(got), 0), (ssize_t)(d.len - 8)); \
		CHECK(memcmp(got, d.b + 8, d.len - 8) == 0);                       \
	} while (0)
#define NOT_GOT(fd) ERR(pc_recv(w->st, fd, got, sizeof(got), 0), EAGAIN)

static uint32_t held(struct wt *w)
{
	EQ(pc_stack_validate(w->st, NULL), 0);
	return ip_fragments_held(&w->st->ip);
}

/* ---- reassembly ------------------------------------------------------------------------------ */

static void orders_and_sizes(struct wt *w)
{
	static const uint32_t sizes[] = {1, 8, 9, 1472, 1473, 4000, 30000, 65507};
	int fd;

	start(w);
	fd = sock(w);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, 4));
	for (int ip6 = 0; ip6 < 2; ip6++)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			for (int order = 0; order < 3; order++) {
				make(w, ip6, false, sizes[i]);
				put_all(w, 1232, order);
				GOT(fd);
				make(w, ip6, false, RTE_MIN(sizes[i], 1000u));
				put_all(w, 8, order);
				GOT(fd);
			}
	EQ(held(w), 0);
	NOT_GOT(fd);
}

/* The last piece is missing, whichever it is. */
static void incomplete(struct wt *w)
{
	int fd;

	start(w);
	fd = sock(w);
	for (int ip6 = 0; ip6 < 2; ip6++)
		for (uint32_t missing = 0; missing < 3; missing++) {
			make(w, ip6, false, 2992);
			for (uint32_t i = 0; i < 3; i++)
				if (i != missing)
					put(w, i * 1000, 1000, i != 2);
			NOT_GOT(fd);
			CHECK(held(w) != 0);
			put(w, missing * 1000, 1000, missing != 2);
			GOT(fd);
			EQ(held(w), 0);
		}
}

static void time_out(struct wt *w)
{
	const struct frame *f;

	start(w);
	for (int ip6 = 0; ip6 < 2; ip6++) {
		make(w, ip6, false, 2992);
		put(w, 1000, 1000, true); /* without the first nobody is told */
		wt_pass(w, ip6 ? 59000 : 29000);
		CHECK(held(w) != 0);
		CHECK(wt_next_frame(w, 1001) == NULL);
		EQ(held(w), 0);
		make(w, ip6, false, 2992);
		put(w, 0, 1000, true);
		put(w, 2000, 1000, false);
		CHECK(wt_next_frame(w, ip6 ? 59000 : 29000) == NULL);
		f = wt_next_frame(w, 1001);
		CHECK(f != NULL);
		EQ(f->b[ip6 ? 54 : 34], ip6 ? 3 : 11);
		EQ(f->b[ip6 ? 55 : 35], 1);
		EQ(held(w), 0);
		put(w, 1000, 1000, true); /* too late: it begins another one */
		CHECK(held(w) != 0);
		wt_pass(w, 61000);
		wt_drop(w);
	}
	EQ(wt_count(w, PC_DROP_FRAG_TIMEOUT), 8);
}

/* Who has been denied since is told nothing. */
static void time_out_of_denied(struct wt *w)
{
	struct pc_prefix peer[2];

	start(w);
	OK(pc_prefix_parse(WT_PEER "/32", &peer[0]));
	OK(pc_prefix_parse(PEER6 "/128", &peer[1]));
	for (int ip6 = 0; ip6 < 2; ip6++) {
		make(w, ip6, false, 2992);
		put(w, 0, 1000, true);
		OK(pc_stack_deny(w->st, &peer[ip6]));
		CHECK(wt_next_frame(w, 61000) == NULL);
		EQ(held(w), 0);
	}
	EQ(wt_count(w, PC_DROP_FRAG_TIMEOUT), 2);
}

/* A datagram with these pieces, of which the last one spoils it. */
static void spoiled(struct wt *w, int fd, bool ip6, const uint32_t pieces[][3], unsigned n)
{
	make(w, ip6, false, 2992);
	for (unsigned i = 0; i < n; i++)
		put(w, pieces[i][0], pieces[i][1], pieces[i][2] != 0);
	EQ(held(w), 0);
	put_all(w, 1000, 0); /* those still to come are dropped as well */
	NOT_GOT(fd);
	EQ(held(w), 0);
	CHECK(wt_next_frame(w, 0) == NULL);
}

static void overlaps(struct wt *w)
{
	static const uint32_t covers[][3] = {{8, 1000, 1}, {0, 1000, 1}};
	static const uint32_t head[][3] = {{0, 1000, 1}, {992, 1000, 1}};
	static const uint32_t within[][3] = {{0, 1000, 1}, {96, 104, 1}};
	static const uint32_t around[][3] = {{96, 104, 1}, {0, 1000, 1}};
	static const uint32_t between[][3] = {{0, 1000, 1}, {2000, 1000, 0}, {1000, 1008, 1}};
	static const uint32_t beyond[][3] = {{2000, 1000, 0}, {3000, 8, 1}};
	static const uint32_t two_ends[][3] = {{2000, 1000, 0}, {1000, 500, 0}};
	static const uint32_t end_within[][3] = {{2000, 1000, 1}, {1000, 500, 0}};
	static const uint32_t same_place[][3] = {{2000, 1000, 1}, {2000, 1000, 0}};
	int fd;

	start(w);
	fd = sock(w);
	for (int ip6 = 0; ip6 < 2; ip6++) {
		spoiled(w, fd, ip6, covers, 2);
		spoiled(w, fd, ip6, head, 2);
		spoiled(w, fd, ip6, within, 2);
		spoiled(w, fd, ip6, around, 2);
		spoiled(w, fd, ip6, between, 3);
		spoiled(w, fd, ip6, beyond, 2);
		spoiled(w, fd, ip6, two_ends, 2);
		spoiled(w, fd, ip6, end_within, 2);
		spoiled(w, fd, ip6, same_place, 2);
	}
	EQ(wt_count(w, PC_DROP_FRAG_OVERLAP), 2 * 19);
	EQ(wt_count(w, PC_DROP_FRAG_DEAD), 2 * 27);
	wt_pass(w, 61000); /* then the identification may be used again */
	put_all(w, 1000, 0);
	GOT(fd);
}

/* Of the same identification as fragments that wait, and as those of a datagram that an overlap has ended. */
static void atomic(struct wt *w)
{
	static const uint32_t head[][3] = {{0, 1000, 1}, {992, 1000, 1}};
	static struct whole waits;
	int fd;

	start(w);
	fd = sock(w);
	make(w, true, false, 2992);
	put(w, 0, 1000, true);
	put(w, 2000, 1000, false);
	waits = d;
	make(w, true, false, 100);
	d.id = waits.id;
	put(w, 0, d.len, false);
	GOT(fd);
	CHECK(held(w) != 0);
	d = waits;
	put(w, 1000, 1000, true);
	GOT(fd);
	spoiled(w, fd, true, head, 2);
	waits = d;
	make(w, true, false, 100);
	d.id = waits.id;
	put(w, 0, d.len, false);
	GOT(fd);
	EQ(held(w), 0);
}

static void duplicates(struct wt *w)
{
	int fd;

	start(w);
	fd = sock(w);
	for (int ip6 = 0; ip6 < 2; ip6++) {
		make(w, ip6, false, 2992);
		put(w, 0, 1000, true);
		put(w, 0, 1000, true);
		put(w, 2000, 1000, false);
		put(w, 2000, 1000, false);
		put(w, 1000, 1000, true);
		GOT(fd);
	}
	EQ(wt_count(w, PC_DROP_FRAG_DUPLICATE), 4);
}

/* Lengths that cannot be; IPv6 is told which field is wrong. */
static void forms(struct wt *w)
{
	const struct frame *f;

	start(w);
	make(w, false, false, 60000);
	put(w, 0, 1001, true);
	put(w, 8, 0, false);
	put(w, 65528, 8, false); /* the ping of death */
	EQ(wt_count(w, PC_DROP_FRAG_FORM), 3);
	CHECK(wt_next_frame(w, 0) == NULL);
	make(w, true, false, 60000);
	put(w, 0, 1001, true);
	f = wt_next_frame(w, 0);
	CHECK(f != NULL && f->b[54] == 4 && f->b[55] == 0 && f->b[61] == 4);
	put(w, 65528, 8, false);
	f = wt_next_frame(w, 0);
	CHECK(f != NULL && f->b[54] == 4 && f->b[55] == 0 && f->b[61] == 42);
	put(w, 0, 0, true); /* an empty one has a multiple of eight bytes: no error to report */
	put(w, 8, 0, false);
	CHECK(wt_next_frame(w, 0) == NULL);
	EQ(wt_count(w, PC_DROP_FRAG_FORM), 7);
	EQ(held(w), 0);
}

/* Sends the first n bytes behind a longer header: IPv4 options, or an IPv6 header for each hop. */
static void put_first_with_options(struct wt *w, uint32_t n)
{
	const struct ends6 e6 = ends6();
	const uint32_t id_be = htonl(d.id);
	uint8_t b[FRAME_MAX] = {44, 0, 1, 4, [8] = d.proto};
	struct frame f;

	if (d.ip6) {
		put16(b + 10, 1);
		memcpy(b + 12, &id_be, 4);
		memcpy(b + 16, d.b, n);
		frame6_raw(&f, &e6, 0, 64, b, (uint16_t)(16 + n));
	} else {
		cut(w, &f, 0, n, true);
		memmove(f.b + 34 + 40, f.b + 34, n);
		memset(f.b + 34, 1, 40);
		f.len = (uint16_t)(f.len + 40);
		f.b[14] = 0x4f;
		put16(f.b + 16, 60 + n);
		put16(f.b + 24, 0);
		put16(f.b + 24, frame_fold(frame_sum(f.b + 14, 60, 0)));
	}
	wt_inject_frame(w, &f);
}

/* Each fragment is within the limits, but the whole is not behind the headers of the first. */
static void too_long_in_all(struct wt *w)
{
	int fd;

	start(w);
	fd = sock(w);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, 4));
	for (uint32_t i = 0; i < 4; i++) {
		const bool ip6 = i % 2 != 0, fits = i < 2;
		const uint32_t max = ip6 ? 65535 - 8 : 65535 - 20 - 8;
		const uint64_t before = wt_count(w, PC_DROP_FRAG_FORM);

		make(w, ip6, false, fits ? 60000 : max);
		for (uint32_t off = 1232; off < d.len; off += 1232)
			put(w, off, RTE_MIN(1232u, d.len - off), off + 1232 < d.len);
		put_first_with_options(w, 1232);
		if (fits)
			GOT(fd);
		NOT_GOT(fd);
		EQ(wt_count(w, PC_DROP_FRAG_FORM) - before, fits ? 0 : 1);
		EQ(held(w), 0);
	}
}

static void tiny(struct wt *w)
{
	const struct frame *f;

	start(w);
	make(w, false, false, 2000);
	d.proto = 6;
	put(w, 0, 16, true); /* RFC 1858: no flags in it */
	put(w, 8, 16, true); /* RFC 3128: flags from another fragment */
	EQ(wt_count(w, PC_DROP_FRAG_TINY), 2);
	make(w, true, false, 2000);
	d.proto = 60; /* options that are all of the first fragment */
	memset(d.b, 0, 8);
	d.b[0] = 17;
	d.b[2] = 1;
	d.b[3] = 4;
	put(w, 0, 8, true);
	f = wt_next_frame(w, 0);
	CHECK(f != NULL && f->b[54] == 4 && f->b[55] == 3);
	EQ(wt_count(w, PC_DROP_FRAG_TINY), 3);
	EQ(held(w), 0);
}

/* a datagram has no more pieces than ip.fragments_each */
static void each_is_bounded(struct wt *w)
{
	int fd;

	w->cfg.ip_fragments_each = 4;
	start(w);
	fd = sock(w);
	for (int ip6 = 0; ip6 < 2; ip6++) {
		make(w, ip6, false, 3992);
		put_all(w, 1000, 0);
		GOT(fd);
		make(w, ip6, false, 4992);
		put_all(w, 1000, 0);
		NOT_GOT(fd);
	}
	EQ(wt_count(w, PC_DROP_FRAG_LIMIT), 2);
}

/* The datagram was received whole; returns what is told of its header in one of these ancillary items, -1: nothing. */
static int got_with(struct wt *w, int fd, int type4, int type6)
{
	char control[256];
	struct iovec iov = {got, sizeof(got)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	int told = -1;

	m.msg_controllen = sizeof(control);
	EQ(pc_recvmsg(w->st, fd, &m, 0), (ssize_t)(d.len - 8));
	CHECK(memcmp(got, d.b + 8, d.len - 8) == 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			told = *CMSG_DATA(c); /* of a byte, all others are ints */
		else if (c->cmsg_level == IPPROTO_IP ? c->cmsg_type == type4
		                                     : c->cmsg_type == type6)
			memcpy(&told, CMSG_DATA(c), sizeof(told));
	}
	return told;
}

/* Who relies on the TTL (RFC 5082) shall not take for near what has a part from afar. */
static void least_ttl(struct wt *w)
{
	struct frame f;
	int fd;

	start(w);
	fd = sock(w);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_RECVTTL, &(int){1}, sizeof(int)));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &(int){1}, sizeof(int)));
	for (int ip6 = 0; ip6 < 2; ip6++)
		for (uint32_t afar = 0; afar < 3; afar++) {
			make(w, ip6, false, 2992);
			for (uint32_t k = 0; k < 3; k++) {
				cut(w, &f, k * 1000, 1000, k != 2);
				f.b[14 + (ip6 ? 7 : 8)] = k == afar ? 17 : 255;
				if (!ip6)
					frame_fix_ip4(&f);
				wt_inject_frame(w, &f);
			}
			EQ(got_with(w, fd, IP_TTL, IPV6_HOPLIMIT), 17);
		}
}

static void ecn(struct wt *w)
{
	static const uint8_t marks[][3] = {{2, 3, 2}, {3, 1, 1}, {1, 2, 1}, {0, 0, 0}};
	static const uint8_t whole[] = {3, 3, 1, 0};
	static const uint8_t mixed[][3] = {{0, 3, 0}, {2, 0, 2}, {0, 1, 1}};
	int fd;

	start(w);
	fd = sock(w);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_RECVTOS, &(int){1}, sizeof(int)));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &(int){1}, sizeof(int)));
	for (int ip6 = 0; ip6 < 2; ip6++) {
		for (unsigned i = 0; i < 4; i++) {
			make(w, ip6, false, 2992);
			for (uint32_t k = 0; k < 3; k++) {
				d.tos = marks[i][k];
				put(w, k * 1000, 1000, k != 2);
			}
			EQ(got_with(w, fd, IP_TOS, IPV6_TCLASS), whole[i]);
		}
		for (unsigned i = 0; i < 3; i++) {
			make(w, ip6, false, 2992);
			for (uint32_t k = 0; k < 3; k++) {
				d.tos = mixed[i][k];
				put(w, k * 1000, 1000, k != 2);
			}
			NOT_GOT(fd);
		}
	}
	EQ(held(w), 0);
	CHECK(wt_count(w, PC_DROP_FRAG_ECN) >= 12);
}

/* Options between the fragment header and the transport, and behind reassembly another fragment header. */
static void chains6(struct wt *w)
{
	int fd;

	start(w);
	fd = sock(w);
	make(w, true, false, 2000);
	memmove(d.b + 8, d.b, d.len);
	memcpy(d.b, (uint8_t[8]){17, 0, 1, 4}, 8);
	d.proto = 60;
	d.len += 8;
	put_all(w, 1000, 1);
	EQ(pc_recv(w->st, fd, got, sizeof(got), 0), 2000);
	CHECK(memcmp(got, d.b + 16, 2000) == 0);
	make(w, true, false, 2000);
	memmove(d.b + 8, d.b, d.len);
	memcpy(d.b, (uint8_t[8]){17, 0, 0, 9, 1, 2, 3, 4}, 8);
	d.proto = 44;
	d.len += 8;
	put_all(w, 1000, 0);
	NOT_GOT(fd);
	EQ(wt_count(w, PC_DROP_FRAG_FORM), 1);
	EQ(held(w), 0);
}

static void no_nd(struct wt *w)
{
	const struct pc_addr target = addr6(LOCAL6);

	start(w);
	make(w, true, true, 1300);
	memset(d.b, 0, d.len);
	d.b[0] = 135;
	memcpy(d.b + 8, target.b, 16);
	seal(w, 2);
	put_all(w, 1000, 0);
	EQ(wt_count(w, PC_DROP_ND_MALFORMED), 1);
	CHECK(wt_next_frame(w, 0) == NULL);
}

/* One source fills what it may have; another one is served. */
static void shares(struct wt *w)
{
	int fd;

	w->cfg.ip_fragments = 512;
	start(w);
	fd = sock(w);
	for (int ip6 = 0; ip6 < 2; ip6++) {
		d.from = ip6 ? "fd00:1::99" : "192.0.2.99";
		for (unsigned i = 0; i < 200; i++) {
			make(w, ip6, false, 2992);
			put(w, 1000, 1000, true);
		}
		d.from = NULL;
		IN(held(w), 121, 128);
		make(w, ip6, false, 2992);
		put_all(w, 1000, 0);
		GOT(fd);
		wt_pass(w, 61000);
		EQ(held(w), 0);
	}
	wt_drop(w);
}

/* Neighbours by their link-local addresses do not share one, though these are of one /64. */
static void neighbours_shares(struct wt *w)
{
	int fd;

	w->cfg.ip_fragments = 512;
	start(w);
	fd = sock(w);
	d.from = "fe80::99";
	for (unsigned i = 0; i < 200; i++) {
		make(w, true, false, 2992);
		put(w, 1000, 1000, true);
	}
	IN(held(w), 121, 128);
	d.from = "fe80::98";
	make(w, true, false, 2992);
	put_all(w, 1000, 0);
	GOT(fd);
	d.from = NULL;
	wt_pass(w, 61000);
	EQ(held(w), 0);
	wt_drop(w);
}

/* Sources without number: the oldest give way, and one in earnest is served. */
static void flood(struct wt *w)
{
	char from[40];
	int fd;

	w->cfg.ip_fragments = 256;
	w->cfg.ip_datagrams = 32;
	start(w);
	fd = sock(w);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(from, sizeof(from), "198.51.100.%u", i + 1);
		d.from = from;
		make(w, false, false, 2992);
		put(w, 1000, 1000, true);
	}
	d.from = NULL;
	CHECK(held(w) <= 256);
	make(w, true, false, 2992);
	put_all(w, 1000, 1);
	GOT(fd);
	CHECK(wt_count(w, PC_DROP_FRAG_LIMIT) >= 168);
}

static void switched_off(struct wt *w)
{
	w->cfg.ip_fragments = 0;
	start(w);
	make(w, false, false, 2992);
	put_all(w, 1000, 0);
	EQ(wt_count(w, PC_DROP_FRAG_LIMIT), 3);
}

static void left_behind(struct wt *w)
{
	start(w);
	make(w, false, false, 2992);
	put(w, 0, 1000, true);
	make(w, true, false, 2992);
	put(w, 1000, 1000, true); /* the bed looks whether an mbuf is missing at the end */
	CHECK(held(w) != 0);
}

/* ---- fragmentation --------------------------------------------------------------------------- */

/* Gathers what the stack sends in fragments, into got; returns the bytes. */
static uint32_t gather(struct wt *w, bool ip6, uint32_t mtu, uint32_t *id)
{
	const struct frame *f;
	uint32_t end = 0, pieces = 0;
	bool more = true;

	while (more && (f = wt_next_frame(w, 0)) != NULL) {
		struct frame_info i4;
		struct info6 i6;
		uint32_t off, len;

		CHECK(frame_read(f, &i4) == NULL);
		CHECK(!ip6 || frame6_read(f, &i6) == NULL);
		CHECK(f->len <= mtu + 14);
		CHECK(ip6 ? i6.fragment : i4.fragment);
		more = ip6 ? i6.more : i4.more;
		off = ip6 ? i6.frag_off : i4.frag_off;
		len = ip6 ? i6.l4_len : i4.payload_len;
		EQ(off, end);
		CHECK(!more || len % 8 == 0);
		CHECK(pieces++ == 0 || *id == (ip6 ? i6.id : i4.id));
		*id = ip6 ? i6.id : i4.id;
		memcpy(got + off, ip6 ? i6.l4 : i4.payload, len);
		end = off + len;
	}
	CHECK(!more);
	return end;
}

static void echoes(struct wt *w)
{
	static const uint32_t sizes[] = {1473, 1480, 2000, 9000, 65507};
	uint32_t id, last = 0;

	start(w);
	for (int ip6 = 0; ip6 < 2; ip6++)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			make(w, ip6, true, sizes[i]);
			put_all(w, 1448, 0);
			d.b[0] = ip6 ? 129 : 0;
			d.ip6 = ip6;
			EQ(gather(w, ip6, 1500, &id), d.len);
			CHECK(id != last);
			last = id;
			CHECK(got[0] == d.b[0] && memcmp(got + 4, d.b + 4, d.len - 4) == 0);
			if (ip6) {
				const struct ends6 e = ends6();

				EQ(frame_fold(frame_sum(got, d.len,
				                        frame6_sum(&e.src, &e.dst, 58, d.len))),
				   0);
			} else {
				EQ(frame_fold(frame_sum(got, d.len, 0)), 0);
			}
		}
	EQ(wt_count(w, PC_IP_FRAGMENTED), 10);
}

static struct sockaddr_in6 peer(bool ip6)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(6000)};
	const struct pc_addr a =
	    ip6 ? addr6(PEER6) : pc_addr_ip4(wt_addr(WT_PEER, 0).sin_addr.s_addr);

	memcpy(&to.sin6_addr, a.b, 16);
	return to;
}

static void datagrams(struct wt *w)
{
	static const uint32_t sizes[] = {1473, 3000, 65507};
	uint32_t id, ids[2] = {0};
	int fd;

	start(w);
	fd = sock(w);
	for (int ip6 = 0; ip6 < 2; ip6++)
		for (unsigned i = 0; i < 3; i++) {
			const struct sockaddr_in6 to = peer(ip6);
			const struct ends6 e = ends6();
			const struct frame_ends e4 = wt_ends(w);
			uint32_t sum;

			make(w, ip6, false, sizes[i]);
			OK(pc_sendto(w->st, fd, d.b + 8, sizes[i], 0, (struct sockaddr *)&to,
			             sizeof(to)));
			wt_settle(w);
			EQ(gather(w, ip6, 1500, &id), sizes[i] + 8);
			CHECK(memcmp(got + 8, d.b + 8, sizes[i]) == 0);
			sum = ip6 ? frame6_sum(&e.src, &e.dst, 17, d.len)
			          : frame_l4_sum(e4.src_be, e4.dst_be, 17, (uint16_t)d.len);
			EQ(frame_fold(frame_sum(got, d.len, sum)), 0);
			CHECK(id != ids[0] && id != ids[1]); /* RFC 6864 section 4.2 */
			ids[i % 2] = id;
		}
}

static void send_1400(struct wt *w, int fd)
{
	const struct sockaddr_in6 to = peer(true);

	make(w, true, false, 1400);
	OK(pc_sendto(w->st, fd, d.b + 8, 1400, 0, (struct sockaddr *)&to, sizeof(to)));
	wt_settle(w);
}

static void set6(struct wt *w, int fd, int name, int value)
{
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, name, &value, sizeof(value)));
}

/* RFC 3542 section 11 has it for all packets, Linux's IPV6_MTU for those of a socket. */
static void small_mtu(struct wt *w)
{
	const struct sockaddr_in6 to = peer(true);
	const int less = 1279;
	uint32_t id;
	int fd;

	start(w);
	fd = sock(w);
	send_1400(w, fd);
	CHECK(wt_next_frame(w, 0) != NULL); /* the path is known, and it fits */
	ERR(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU, &less, sizeof(less)), EINVAL);
	set6(w, fd, IPV6_MTU, 1280);
	send_1400(w, fd);
	EQ(gather(w, true, 1280, &id), 1408);
	set6(w, fd, IPV6_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	send_1400(w, fd);
	EQ(gather(w, true, 1280, &id), 1408);
	send_1400(w, fd);
	EQ(gather(w, true, 1280, &id), 1408);
	set6(w, fd, IPV6_MTU, 70000); /* more than there can be */
	send_1400(w, fd);
	CHECK(wt_next_frame(w, 0) != NULL && wt_next_frame(w, 0) == NULL);
	set6(w, fd, IPV6_MTU, 1280);
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_send(w->st, fd, d.b + 8, 1400, 0));
	wt_settle(w);
	EQ(gather(w, true, 1280, &id), 1408);
	set6(w, fd, IPV6_MTU, 0);
	send_1400(w, fd);
	CHECK(wt_next_frame(w, 0) != NULL && wt_next_frame(w, 0) == NULL);
}

static void set(struct wt *w, int fd, int value)
{
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof(value)));
}

/* "Fragmentation needed" about the frame that was sent last. */
static void too_big(struct wt *w, const struct frame *sent, uint16_t mtu)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_icmp(&f, &e, 3, 4, (uint8_t[4]){0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu},
	           sent->b + 14, 28);
	wt_inject_frame(w, &f);
}

static void mtu_discover(struct wt *w)
{
	const struct sockaddr_in6 to = peer(false);
	const struct sockaddr *sa = (const struct sockaddr *)&to;
	struct frame_info i;
	struct frame sent;
	uint32_t id;
	int fd, fd2;

	start(w);
	fd = sock(w);
	OK(pc_sendto(w->st, fd, d.b, 1472, 0, sa, sizeof(to)));
	wt_settle(w);
	sent = *wt_next_frame(w, 0);
	CHECK(frame_read(&sent, &i) == NULL && i.df); /* WANT: what fits has DF */
	EQ(i.id, 0);                                  /* RFC 6864 section 4.1 */
	too_big(w, &sent, 1000);
	OK(pc_sendto(w->st, fd, d.b, 1472, 0, sa, sizeof(to)));
	wt_settle(w);
	EQ(gather(w, false, 1000, &id), 1480);
	fd2 = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);
	set(w, fd2, IP_PMTUDISC_DO); /* others know it too */
	ERR(pc_sendto(w->st, fd2, d.b, 973, 0, sa, sizeof(to)), EMSGSIZE);
	OK(pc_sendto(w->st, fd2, d.b, 972, 0, sa, sizeof(to)));
	set(w, fd2, IP_PMTUDISC_PROBE);
	ERR(pc_sendto(w->st, fd2, d.b, 1473, 0, sa, sizeof(to)), EMSGSIZE);
	OK(pc_sendto(w->st, fd2, d.b, 1472, 0, sa, sizeof(to)));
	wt_settle(w);
	for (unsigned n = 0; n < 2; n++)
		CHECK(frame_read(wt_next_frame(w, 0), &i) == NULL && i.df);
	set(w, fd2, IP_PMTUDISC_DONT);
	OK(pc_sendto(w->st, fd2, d.b, 100, 0, sa, sizeof(to)));
	set(w, fd2, IP_PMTUDISC_INTERFACE);
	OK(pc_sendto(w->st, fd2, d.b, 1472, 0, sa, sizeof(to)));
	ERR(pc_sendto(w->st, fd2, d.b, 1473, 0, sa, sizeof(to)), EMSGSIZE);
	wt_settle(w);
	for (unsigned n = 0; n < 2; n++)
		CHECK(frame_read(wt_next_frame(w, 0), &i) == NULL && !i.df && !i.fragment);
	set(w, fd2, IP_PMTUDISC_OMIT);
	OK(pc_sendto(w->st, fd2, d.b, 1473, 0, sa, sizeof(to)));
	wt_settle(w);
	EQ(gather(w, false, 1500, &id), 1481);
	set(w, fd2, IP_PMTUDISC_DO); /* it is judged by the path again */
	ERR(pc_sendto(w->st, fd2, d.b, 973, 0, sa, sizeof(to)), EMSGSIZE);
}

/* A connected socket is told, as on Linux. */
static void told(struct wt *w)
{
	const struct sockaddr_in6 to = peer(false);
	struct frame sent;
	int fd;

	start(w);
	fd = sock(w);
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_send(w->st, fd, d.b, 1472, 0));
	wt_settle(w);
	sent = *wt_next_frame(w, 0);
	too_big(w, &sent, 1000);
	ERR(pc_send(w->st, fd, d.b, 10, 0), EMSGSIZE);
	OK(pc_send(w->st, fd, d.b, 10, 0));
	wt_settle(w);
	wt_drop(w);
}

/* A hop-by-hop header stands directly behind the fixed header, and nowhere else. */
static void hop_by_hop(struct wt *w)
{
	const struct ends6 e = {
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6(PEER6), .dst = addr6(LOCAL6)};
	/* fragment header, first of two; hop-by-hop header with padding; an echo request */
	static const uint8_t payload[40] = {0, 0, 0, 1, 0, 0, 0, 7, 58, 0, 1, 4, 0, 0, 0, 0, 128};
	const struct frame *f;
	struct frame in;
	struct info6 i;

	start(w);
	frame6_raw(&in, &e, 44, 64, payload, sizeof(payload));
	wt_inject_frame(w, &in);
	f = wt_next_frame(w, 0);
	CHECK(f != NULL && frame6_read(f, &i) == NULL);
	EQ(i.l4[0], 4); /* parameter problem: unrecognized next header, */
	EQ(i.l4[1], 1);
	EQ(i.l4[7], 40); /* which is that of the fragment header */
	EQ(wt_count(w, PC_DROP_IP6_EXTENSION), 1);
}

/* n datagrams are begun, each by somebody else */
static void begin_many(struct wt *w, uint32_t n)
{
	static uint32_t who;
	char from[32];
	struct frame f;

	for (uint32_t i = 0; i < n; i++, who++) {
		snprintf(from, sizeof(from), "11.%u.%u.1", who >> 8 & 0xff, who & 0xff);
		d.from = from;
		make(w, false, false, 200);
		cut(w, &f, 0, 64, true);
		wt_queue_frame(w, &f);
	}
	d.from = NULL;
}

/* Frames come faster than they are worked on: of datagrams for which others would have to give way only some are
 * begun, and those that are go on. */
static void overrun(struct wt *w)
{
	const uint32_t burst = 32, few = 8, pile = 2 * STRANGERS_BEHIND;
	struct frame first, last;
	uint64_t busy;
	int fd;

	start(w);
	fd = sock(w);
	begin_many(w, pile);
	make(w, false, false, 200);
	cut(w, &first, 0, 104, true);
	cut(w, &last, 104, 104, false);
	wt_queue_frame(w, &first);
	begin_many(w, burst + 8);
	wt_inject_frame(w, &last);
	EQ(pc_recv(w->st, fd, got, sizeof(got), 0), 200);
	busy = wt_count(w, PC_DROP_BUSY);
	CHECK(busy >= (burst - few) * (pile - STRANGERS_BEHIND) / burst);
	CHECK(busy <= (burst - few) * ((pile - STRANGERS_BEHIND) / burst + 3));
}

static const struct wt_case cases[] = {
    {"RFC 791 3.2, RFC 8200 4.5: fragments in any order make a datagram", orders_and_sizes},
    {"RFC 791 3.2: nothing is delivered before all is there", incomplete},
    {"RFC 1122 3.3.2, RFC 8200 4.5: time exceeded, if the first has come", time_out},
    {"net.deny: time exceeded is not told", time_out_of_denied},
    {"RFC 5722 4, RFC 8200 4.5: an overlap ends a datagram", overlaps},
    {"RFC 6946 4: an atomic fragment has nothing to do with others", atomic},
    {"RFC 8200 4.5: exact duplicates are dropped", duplicates},
    {"RFC 8200 4.5: lengths that cannot be", forms},
    {"RFC 791 3.1, RFC 8200 3: a datagram too long by its first header", too_long_in_all},
    {"RFC 1858 3, RFC 3128, RFC 7112 5: first fragments show what they are", tiny},
    {"ip.fragments_each", each_is_bounded},
    {"RFC 3168 5.3: marks survive, mixtures do not", ecn},
    {"a datagram's TTL is the least of its fragments'", least_ttl},
    {"RFC 8200 4.5: headers of the fragmentable part", chains6},
    {"RFC 8200 4.1: a hop-by-hop header behind a fragment header", hop_by_hop},
    {"RFC 6980 5: no neighbour discovery in fragments", no_nd},
    {"a source has its share of the buffers", shares},
    {"... and so has each neighbour", neighbours_shares},
    {"under a flood of fragments the oldest give way", flood},
    {"ip.fragments 0: no fragments", switched_off},
    {"a stack that ends frees what waits", left_behind},
    {"RFC 1122 3.2.2.6, RFC 4443 4.2: echo, up to 65507 bytes", echoes},
    {"RFC 791 2.3, RFC 8200 4.5: large datagrams are sent in fragments", datagrams},
    {"IPV6_MTU: ... and those larger than that", small_mtu},
    {"RFC 1191 6.1: IP_MTU_DISCOVER", mtu_discover},
    {"RFC 1191 6.1: a connected socket is told", told},
    {"datagrams are begun faster than they are worked on", overrun},
};

WT_MAIN("frag")
