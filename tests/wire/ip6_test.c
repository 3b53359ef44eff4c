/* SPDX-License-Identifier: BSD-2-Clause */

/* IPv6, ICMPv6, UDP and sockets over it, as a neighbour sees them. */

#include <arpa/inet.h>
#include <netinet/icmp6.h>

#include "frame6.h"
#include "wt.h"

#define LOCAL "fd00::1"
#define PEER  "fd00::2"

/* A stack with IPv4 and IPv6 addresses, which knows where the peer is. */
static void start6(struct wt *w)
{
	const struct ends6 e = {
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6(PEER), .dst = addr6(LOCAL)};

	wt_start6(w, &e);
}

static struct ends6 ends(void)
{
	return (struct ends6){
	    .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6(PEER), .dst = addr6(LOCAL)};
}

/* The next frame sent must be IPv6, and nothing else must follow. */
static struct info6 next6(struct wt *w)
{
	static struct frame f;
	const struct frame *sent = wt_next_frame(w, 0);
	struct info6 i;
	const char *wrong;

	if (sent == NULL)
		wt_fail(w, WT_HERE, "nothing was sent");
	f = *sent;
	wrong = frame6_read(&f, &i);
	if (wrong != NULL)
		wt_fail(w, WT_HERE, "malformed frame: %s", wrong);
	return i;
}

static void put_echo(struct frame *f, const struct ends6 *e, uint16_t len)
{
	uint8_t body[1500] = {0x12, 0x34, 0, 7};

	for (unsigned i = 4; i < 4u + len; i++)
		body[i] = (uint8_t)(i * 3);
	frame6_icmp(f, e, 64, 128, 0, body, (uint16_t)(4 + len));
}

static bool answers_echo(struct wt *w, const struct frame *f)
{
	wt_inject_frame(w, f);
	return probe_sent(w->probe) != NULL && next6(w).l4[0] == 129;
}

static void echo(struct wt *w)
{
	const struct ends6 e = ends();
	struct frame f;

	start6(w);
	for (uint16_t n = 0; n <= 1452; n = (uint16_t)(n + (n < 64 ? 1 : 61))) {
		struct info6 i;

		put_echo(&f, &e, n);
		f.b[15] = 0x40; /* a traffic class of 4 */
		wt_inject_frame(w, &f);
		i = next6(w);
		EQ(i.l4[0], 129);
		EQ(i.l4_len, n + 8u);
		EQ(i.tclass, 4);
		CHECK(memcmp(i.l4 + 4, f.b + 58, n + 4u) == 0);
		CHECK(pc_addr_equal(&i.ends.src, &e.dst) && pc_addr_equal(&i.ends.dst, &e.src));
		CHECK(memcmp(i.ends.dst_mac, PEER_MAC, 6) == 0);
	}
}

static void echo_to_groups(struct wt *w)
{
	struct ends6 e = ends();
	struct info6 i;
	struct frame f;

	start6(w);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	put_echo(&f, &e, 8);
	wt_inject_frame(w, &f);
	i = next6(w); /* RFC 4443 section 4.2: from an address of the interface */
	EQ(i.l4[0], 129);
	CHECK(pc_addr_equal(&i.ends.src, &(struct pc_addr){.b = {0xfd, [15] = 1}}));
	e.dst = addr6("ff02::1:ff00:1");
	put_echo(&f, &e, 8);
	CHECK(answers_echo(w, &f));
	e.dst = addr6("ff02::1:ff00:7");
	put_echo(&f, &e, 8);
	CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_IP6_NOT_OURS), 1);
}

static void header(struct wt *w)
{
	struct ends6 e = ends();
	struct frame f;

	start6(w);
	put_echo(&f, &e, 8);
	f.b[14] = 0x50;
	CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_IP6_VERSION), 1);
	f.b[14] = 0x60;
	f.b[19] = 17; /* one byte more than there is */
	CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_IP6_LENGTH), 1);
	f.b[19] = 16;
	f.len = (uint16_t)(f.len + 7); /* Ethernet's padding */
	CHECK(answers_echo(w, &f));
	for (f.len = 14; f.len < 54; f.len++)
		CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_IP6_SHORT), 40);
	e.dst_mac[0] = 0x33;
	put_echo(&f, &e, 8);
	CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_IP6_LINK_GROUP), 1);
	e = ends();
	e.dst = addr6("fd00::9");
	put_echo(&f, &e, 8);
	CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_IP6_NOT_OURS), 1);
	e = ends();
	put_echo(&f, &e, 8);
	f.b[56] ^= 1;
	CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_ICMP_CHECKSUM), 1);
}

/* a packet that says it is TCP: those have a short way of their own */
static void drop_tcp(struct wt *w, const struct ends6 *e, enum pc_counter counter)
{
	const uint64_t before = wt_count(w, counter);
	struct frame f;

	put_echo(&f, e, 32);
	f.b[14 + 6] = IPPROTO_TCP;
	wt_inject_frame(w, &f);
	EQ(wt_count(w, counter), before + 1);
}

/* RFC 4291: no packet comes from a group, from ::1, from ourselves, or from IPv4's mapped form. */
static void sources(struct wt *w)
{
	static const char *const bad[] = {"ff02::1", "::1", LOCAL, "::ffff:192.0.2.2", "::"};
	struct ends6 e = ends();
	struct frame f;

	start6(w);
	for (unsigned i = 0; i < 5; i++) {
		e.src = addr6(bad[i]);
		put_echo(&f, &e, 8);
		CHECK(!answers_echo(w, &f));
		EQ(wt_count(w, PC_DROP_IP6_SOURCE), 2 * i + 1);
		drop_tcp(w, &e, PC_DROP_IP6_SOURCE);
	}
	e = ends();
	e.dst = addr6("::ffff:192.0.2.1"); /* our IPv4 address */
	put_echo(&f, &e, 8);
	CHECK(!answers_echo(w, &f));
	EQ(wt_count(w, PC_DROP_IP6_NOT_OURS), 1);
	drop_tcp(w, &e, PC_DROP_IP6_NOT_OURS);
	e.dst = addr6("fd00::9");
	drop_tcp(w, &e, PC_DROP_IP6_NOT_OURS);
	e = ends();
	e.dst_mac[0] = 0x33;
	drop_tcp(w, &e, PC_DROP_IP6_LINK_GROUP);
}

static void extension_headers(struct wt *w)
{
	static const uint8_t pad[8] = {0, 0, 1, 4}, routing[8] = {0, 0, 0, 0};
	static const uint8_t atomic[8] = {0, 0, 0, 0, 1, 2, 3, 4};
	const struct ends6 e = ends();
	struct frame f, g;

	start6(w);
	put_echo(&f, &e, 8);
	g = f;
	frame6_insert(&g, 60, pad, 8);
	CHECK(answers_echo(w, &g));
	frame6_insert(&g, 44, atomic, 8); /* RFC 6946 */
	CHECK(answers_echo(w, &g));
	frame6_insert(&g, 43, routing, 8); /* RFC 8200 section 4.4: no segments left */
	CHECK(answers_echo(w, &g));
	frame6_insert(&g, 60, pad, 8);
	frame6_insert(&g, 0, pad, 8);
	CHECK(answers_echo(w, &g));
	for (unsigned n = 1; n <= 9; n++) {
		g = f;
		for (unsigned i = 0; i < n; i++)
			frame6_insert(&g, 60, pad, 8);
		CHECK(answers_echo(w, &g) == (n <= 8));
	}
	EQ(wt_count(w, PC_DROP_IP6_LIMIT), 1);
	g = f;
	frame6_insert(&g, 60, (uint8_t[8]){0, 200}, 8); /* longer than the packet */
	CHECK(!answers_echo(w, &g));
	EQ(wt_count(w, PC_DROP_IP6_EXTENSION), 1);
	g = f;
	g.b[20] = 59;
	CHECK(!answers_echo(w, &g));
	EQ(wt_count(w, PC_DROP_IP6_NOTHING), 1);
	CHECK(wt_next_frame(w, 100) == NULL);
}

/* Injects f, and expects the parameter problem that a clause asks for. */
static void expect_problem(struct wt *w, const struct frame *f, uint8_t code, uint32_t pointer)
{
	struct info6 i;

	wt_inject_frame(w, f);
	i = next6(w);
	EQ(i.l4[0], 4);
	EQ(i.l4[1], code);
	EQ((uint32_t)i.l4[4] << 24 | (uint32_t)i.l4[5] << 16 | (uint32_t)i.l4[6] << 8 | i.l4[7],
	   pointer);
	CHECK(memcmp(i.l4 + 8, f->b + 14, f->len - 14u) == 0);
	CHECK(memcmp(i.ends.src.b, addr6(LOCAL).b, 16) == 0);
	CHECK(memcmp(i.ends.dst.b, addr6(PEER).b, 16) == 0);
}

static void unknown_options(struct wt *w)
{
	uint8_t option[8] = {0, 0, 0x1e, 2, 0, 0, 1, 0};
	struct ends6 e = ends();
	struct frame f, g;

	start6(w);
	put_echo(&f, &e, 8);
	g = f;
	frame6_insert(&g, 60, option, 8); /* 00: skipped */
	CHECK(answers_echo(w, &g));
	option[2] = 0x5e; /* 01: dropped */
	g = f;
	frame6_insert(&g, 60, option, 8);
	CHECK(!answers_echo(w, &g));
	EQ(wt_count(w, PC_DROP_IP6_OPTION), 1);
	option[2] = 0x9e; /* 10: dropped and told, to a group too */
	g = f;
	frame6_insert(&g, 60, option, 8);
	expect_problem(w, &g, 2, 42);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	put_echo(&g, &e, 8);
	frame6_insert(&g, 60, option, 8);
	expect_problem(w, &g, 2, 42);
	option[2] = 0xde; /* 11: dropped and told, but not to a group */
	put_echo(&g, &e, 8);
	frame6_insert(&g, 60, option, 8);
	CHECK(!answers_echo(w, &g));
	g = f;
	frame6_insert(&g, 60, option, 8);
	expect_problem(w, &g, 2, 42);
	EQ(wt_count(w, PC_DROP_IP6_OPTION), 5);
	EQ(wt_count(w, PC_ICMP_ERRORS_TX), 3);
}

/* RFC 4443 section 2.4 (e): not about an error or a redirect, nor to nobody, also where the fault lies in front of what
 * shows that */
static void never_answered(struct wt *w)
{
	static const uint8_t types[] = {1, 2, 3, 4, 127, 137};
	static const uint8_t option[8] = {0, 0, 0x9e, 2, 0, 0, 1, 0}, pad[8] = {0, 0, 1, 4};
	static const uint8_t body[44] = {0};
	struct ends6 e = ends();
	struct frame f;

	start6(w);
	for (unsigned i = 0; i < sizeof(types); i++) {
		frame6_icmp(&f, &e, 255, types[i], 0, body, sizeof(body));
		frame6_insert(&f, 60, option, 8);
		wt_inject_frame(w, &f);
		frame6_icmp(&f, &e, 255, types[i], 0, body, sizeof(body));
		frame6_insert(&f, 60, pad, 8);
		frame6_insert(&f, 60, option, 8);
		wt_inject_frame(w, &f);
	}
	EQ(wt_count(w, PC_DROP_IP6_OPTION), 2 * sizeof(types));
	e.src = addr6("::");
	put_echo(&f, &e, 8);
	frame6_insert(&f, 60, option, 8);
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_IP6_OPTION), 2 * sizeof(types) + 1);
	CHECK(wt_next_frame(w, 100) == NULL);
	e = ends(); /* an echo is no error */
	put_echo(&f, &e, 8);
	frame6_insert(&f, 60, pad, 8);
	frame6_insert(&f, 60, option, 8);
	expect_problem(w, &f, 2, 42);
}

static void unknown_headers(struct wt *w)
{
	static const uint8_t pad[8] = {0, 0, 1, 4};
	const struct ends6 e = ends();
	struct frame f, g;

	start6(w);
	put_echo(&f, &e, 8);
	g = f;
	g.b[20] = 99; /* no protocol of ours */
	expect_problem(w, &g, 1, 6);
	g = f;
	g.b[20] = 50; /* ESP */
	frame6_insert(&g, 60, pad, 8);
	expect_problem(w, &g, 1, 40);
	g = f;
	frame6_insert(&g, 0, pad, 8); /* hop-by-hop, but not the first */
	frame6_insert(&g, 60, pad, 8);
	expect_problem(w, &g, 1, 40);
	g = f;
	frame6_insert(&g, 43, (uint8_t[24]){0, 2, 0, 1},
	              24); /* RFC 5095: RH0 with a segment left */
	expect_problem(w, &g, 0, 42);
	EQ(wt_count(w, PC_DROP_IP6_EXTENSION), 2);
	EQ(wt_count(w, PC_DROP_IP6_PROTOCOL), 2);
}

static void port_unreachable(struct wt *w)
{
	struct ends6 e = ends();
	uint8_t data[1400] = {1};
	struct info6 i;
	struct frame f;

	start6(w);
	frame6_udp(&f, &e, 5000, 6000, data, 1400);
	wt_inject_frame(w, &f);
	i = next6(w);
	EQ(i.l4[0], 1);
	EQ(i.l4[1], 4);
	EQ(i.l4_len + 40, 1280); /* RFC 4443 section 2.4 c: as much as fits */
	CHECK(memcmp(i.l4 + 8, f.b + 14, i.l4_len - 8) == 0);
	e.dst = addr6("ff02::1");
	memcpy(e.dst_mac, "\x33\x33\0\0\0\1", 6);
	frame6_udp(&f, &e, 5000, 6000, data, 4);
	wt_inject_frame(w, &f); /* e.3: not about a group */
	frame6_icmp(
	    &f,
	    &(struct ends6){
	        .src_mac = PEER_MAC, .dst_mac = PROBE_MAC, .src = addr6(PEER), .dst = addr6(LOCAL)},
	    64, 1, 0, data, 4);
	wt_inject_frame(w, &f); /* e.1: not about an error */
	CHECK(wt_next_frame(w, 100) == NULL);
}

static void errors_are_limited(struct wt *w)
{
	const struct ends6 e = ends();
	unsigned n = 0;
	struct frame f;

	start6(w);
	frame6_udp(&f, &e, 5000, 6000, "hello", 5);
	for (unsigned i = 0; i < 1000; i++)
		wt_queue_frame(w, &f);
	wt_settle(w);
	while (wt_next_frame(w, 0) != NULL)
		n++;
	IN(n, 1, 200);
	EQ(wt_count(w, PC_ICMP_ERRORS_TX) + wt_count(w, PC_ICMP_ERRORS_LIMITED), 1000);
}

/* ---- sockets ---------------------------------------------------------------------------------- */

static struct sockaddr_in6 sin6(const char *ip, uint16_t port)
{
	const struct pc_addr a = addr6(ip);
	struct sockaddr_in6 s = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memcpy(&s.sin6_addr, a.b, 16);
	return s;
}

static int bound(struct wt *w, int type, const char *ip, uint16_t port, int v6only)
{
	const struct sockaddr_in6 s = sin6(ip, port);
	const int fd = pc_socket(w->st, AF_INET6, type, 0);

	OK(fd);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)));
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&s, sizeof(s)));
	return fd;
}

/* As on Linux, the checksum of ICMPv6 is verified before a raw socket gets it, and types can be blocked. */
static void raw_icmp6(struct wt *w)
{
	const struct ends6 e = ends();
	struct icmp6_filter blocked, told;
	socklen_t len = sizeof(told);
	struct frame f;
	char buf[64];
	int fd;

	ICMP6_FILTER_SETPASSALL(&blocked);
	ICMP6_FILTER_SETBLOCK(129, &blocked);
	start6(w);
	OK(fd = pc_socket(w->st, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
	frame6_icmp(&f, &e, 64, 129, 0, "\0\0\0\1answer", 10);
	wt_inject_frame(w, &f);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 4 + 10);
	f.b[65] ^= 1;
	wt_inject_frame(w, &f);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_ICMP_CHECKSUM), 1);
	/* RFC 3542 section 3.2: a filter can be read */
	OK(pc_setsockopt(w->st, fd, IPPROTO_ICMPV6, ICMP6_FILTER, &blocked, sizeof(blocked)));
	OK(pc_getsockopt(w->st, fd, IPPROTO_ICMPV6, ICMP6_FILTER, &told, &len));
	CHECK(len == sizeof(told) && memcmp(&told, &blocked, sizeof(told)) == 0);
	ERR(pc_getsockopt(w->st, fd, SOL_RAW, 1, &told, &len), ENOPROTOOPT);
	f.b[65] ^= 1;
	wt_inject_frame(w, &f);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	OK(pc_close(w->st, fd));
}

static void udp(struct wt *w)
{
	const struct ends6 e = ends();
	const struct frame_ends e4 = wt_ends(w);
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	struct info6 i;
	struct frame f;
	char buf[16];
	int fd;

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	frame6_udp(&f, &e, 5000, 6000, "hello", 5);
	wt_inject_frame(w, &f);
	EQ(pc_recvfrom(w->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	EQ(len, sizeof(from));
	CHECK(from.sin6_family == AF_INET6 && from.sin6_port == htons(5000));
	CHECK(memcmp(&from.sin6_addr, e.src.b, 16) == 0);
	EQ(pc_sendto(w->st, fd, "world", 5, 0, (struct sockaddr *)&from, len), 5);
	wt_settle(w);
	i = next6(w);
	CHECK(i.proto == 17 && i.l4_len == 13 && memcmp(i.l4 + 8, "world", 5) == 0);
	CHECK(i.label != 0 && i.hops == 64);
	frame_udp(&f, &e4, 5001, 6000, "four", 4); /* IPv4, as a mapped address */
	wt_inject_frame(w, &f);
	len = sizeof(from);
	EQ(pc_recvfrom(w->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 4);
	CHECK(from.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
	EQ(pc_sendto(w->st, fd, "4", 1, 0, (struct sockaddr *)&from, len), 1);
	wt_settle(w);
	CHECK(wt_next_frame(w, 0)->b[12] == 0x08);
	frame6_udp(&f, &e, 5000, 6000, "hello", 5);
	f.b[60] = f.b[61] = 0; /* RFC 8200 section 8.1: there must be a checksum */
	wt_inject_frame(w, &f);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_UDP_CHECKSUM), 1);
	EQ(pc_sendto(w->st, fd, buf, 0, 0, (struct sockaddr *)&from, len), 0);
	wt_drop(w);
	from = sin6(PEER, 5000);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &(int){IPV6_PMTUDISC_DO}, 4));
	ERR(pc_sendto(w->st, fd, &f, 1453, 0, (struct sockaddr *)&from, len), EMSGSIZE);
	EQ(pc_sendto(w->st, fd, &f, 1452, 0, (struct sockaddr *)&from, len), 1452);
	wt_settle(w);
	EQ(next6(w).l4_len, 1460);
}

/* RFC 3493 section 5.3, and Linux's rules of who may bind what */
static void v6only(struct wt *w)
{
	const struct frame_ends e4 = wt_ends(w);
	const struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(80)};
	const struct sockaddr_in6 any6 = sin6("::", 80);
	struct frame f;
	int a, b, one = 1, val;
	socklen_t len = sizeof(val);
	char buf[4];

	start6(w);
	a = bound(w, SOCK_STREAM, "::", 80, 1);
	b = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	OK(pc_bind(w->st, b, (const struct sockaddr *)&any4,
	           sizeof(any4))); /* each its own family */
	ERR(pc_setsockopt(w->st, a, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), EINVAL);
	OK(pc_getsockopt(w->st, a, IPPROTO_IPV6, IPV6_V6ONLY, &val, &len));
	EQ(val, 1);
	ERR(pc_getsockopt(w->st, b, IPPROTO_IPV6, IPV6_V6ONLY, &val, &len), EOPNOTSUPP);
	OK(pc_close(w->st, a));
	a = pc_socket(w->st, AF_INET6, SOCK_STREAM, 0);
	ERR(pc_bind(w->st, a, (const struct sockaddr *)&any6, sizeof(any6)), EADDRINUSE);
	OK(pc_close(w->st, b));
	OK(pc_bind(w->st, a, (const struct sockaddr *)&any6, sizeof(any6)));
	a = bound(w, SOCK_DGRAM, "::", 6000, 1);
	frame_udp(&f, &e4, 5001, 6000, "four", 4);
	wt_inject_frame(w, &f);
	ERR(pc_recv(w->st, a, buf, sizeof(buf), 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_UDP_NO_SOCKET), 1);
	b = bound(w, SOCK_DGRAM, "::ffff:192.0.2.1", 6000, 0);
	wt_inject_frame(w, &f);
	EQ(pc_recv(w->st, b, buf, sizeof(buf), 0), 4);
	wt_drop(w);
}

static void errnos(struct wt *w)
{
	const struct sockaddr_in in = wt_addr(WT_PEER, 80);
	struct sockaddr_in6 a = sin6(PEER, 80);
	struct sockaddr *sa = (struct sockaddr *)&a;
	int t, t4, u, one = 1;

	start6(w);
	t = pc_socket(w->st, AF_INET6, SOCK_STREAM, 0);
	t4 = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	u = pc_socket(w->st, AF_INET6, SOCK_DGRAM, 0);
	ERR(pc_connect(w->st, t4, sa, sizeof(a)), EAFNOSUPPORT);
	ERR(pc_bind(w->st, t4, sa, sizeof(a)), EAFNOSUPPORT);
	ERR(pc_bind(w->st, t, (const struct sockaddr *)&in, sizeof(in)), EINVAL); /* too short */
	ERR(pc_bind(w->st, t, sa, sizeof(a)), EADDRNOTAVAIL);
	a = sin6("fe80::1", 80);
	ERR(pc_connect(w->st, t, sa, sizeof(a)), EINVAL); /* no scope */
	a.sin6_scope_id = 9;
	ERR(pc_bind(w->st, t, sa, sizeof(a)), ENODEV);
	a = sin6("2001:db8::1", 80);
	ERR(pc_connect(w->st, t, sa, sizeof(a)), ENETUNREACH);
	a = sin6("ff02::1", 80);
	ERR(pc_connect(w->st, t, sa, sizeof(a)), ENETUNREACH);
	OK(pc_setsockopt(w->st, u, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)));
	ERR(pc_sendto(w->st, u, "x", 1, 0, (const struct sockaddr *)&in, sizeof(in)), ENETUNREACH);
	a = sin6("::ffff:192.0.2.2", 80);
	ERR(pc_connect(w->st, u, sa, sizeof(a)), ENETUNREACH);
	one = 256;
	ERR(pc_setsockopt(w->st, u, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &one, sizeof(one)), EINVAL);
	ERR(pc_setsockopt(w->st, u, IPPROTO_IPV6, IPV6_TCLASS, &one, sizeof(one)), EINVAL);
}

static void options(struct wt *w)
{
	const struct sockaddr_in6 to = sin6(PEER, 80);
	int fd, hops = 7, tclass = 0xb9;
	struct info6 i;
	uint32_t label;

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass)));
	OK(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	wt_settle(w);
	i = next6(w);
	EQ(i.hops, 7);
	EQ(i.tclass, 0xb9);
	label = i.label;
	CHECK(label != 0);
	OK(pc_sendto(w->st, fd, "y", 1, 0, (const struct sockaddr *)&to, sizeof(to)));
	wt_settle(w);
	EQ(next6(w).label, label); /* RFC 6437: one flow, one label */
}

/* The values of IPv4 are others, and what one datagram wants counts for it alone. */
static void datagram_options(struct wt *w)
{
	struct sockaddr_in6 to = sin6(PEER, 80);
	union {
		char b[CMSG_SPACE(sizeof(int))];
		struct cmsghdr h;
	} item = {.h = {CMSG_LEN(sizeof(int)), IPPROTO_IPV6, IPV6_HOPLIMIT}};
	struct iovec v = {"x", 1};
	struct msghdr m = {.msg_name = &to,
	                   .msg_namelen = sizeof(to),
	                   .msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = &item,
	                   .msg_controllen = sizeof(item)};
	int fd, ttl = 9, hops = 33;
	struct info6 i;

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_TOS, &ttl, sizeof(ttl)));
	memcpy(CMSG_DATA(&item.h), &hops, sizeof(hops));
	EQ(pc_sendmsg(w->st, fd, &m, 0), 1);
	wt_settle(w);
	EQ(next6(w).hops, 33);
	m.msg_controllen = 0;
	EQ(pc_sendmsg(w->st, fd, &m, 0), 1);
	wt_settle(w);
	i = next6(w);
	EQ(i.hops, 64);
	EQ(i.tclass, 0);
}

static void datagram_info(struct wt *w)
{
	const struct ends6 e = ends();
	char buf[100], items[256];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_control = items, .msg_controllen = sizeof(items)};
	struct cmsghdr *h = (struct cmsghdr *)(void *)items;
	int fd, on = 1, value;
	struct in6_pktinfo pi;
	struct frame f;

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on)));
	frame6_udp(&f, &e, 5000, 6000, "hello", 5);
	f.b[14] = 0x6b; /* a traffic class of 0xb9, a hop limit of 17 */
	f.b[15] = 0x90;
	f.b[21] = 17;
	wt_inject_frame(w, &f);
	EQ(pc_recvmsg(w->st, fd, &m, 0), 5);
	EQ(h->cmsg_type, IPV6_PKTINFO);
	memcpy(&pi, CMSG_DATA(h), sizeof(pi));
	CHECK(pi.ipi6_ifindex == 1 && memcmp(&pi.ipi6_addr, e.dst.b, 16) == 0);
	h = CMSG_NXTHDR(&m, h);
	EQ(h->cmsg_type, IPV6_HOPLIMIT);
	memcpy(&value, CMSG_DATA(h), sizeof(value));
	EQ(value, 17);
	h = CMSG_NXTHDR(&m, h);
	EQ(h->cmsg_type, IPV6_TCLASS);
	memcpy(&value, CMSG_DATA(h), sizeof(value));
	EQ(value, 0xb9);
	CHECK(CMSG_NXTHDR(&m, h) == NULL);
}

/* A link-local peer: its address comes with a scope, and goes with it. */
static void link_local(struct wt *w)
{
	struct ends6 e = ends();
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	struct info6 i;
	struct frame f;
	char buf[8];
	int fd;

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	e.src = addr6("fe80::2");
	e.dst = addr6("fe80::ff:fe00:1"); /* of 02:00:00:00:00:01 */
	frame6_solicit(&f, &e);
	wt_inject_frame(w, &f);
	EQ(next6(w).l4[0], 136);
	frame6_udp(&f, &e, 5000, 6000, "hello", 5);
	wt_inject_frame(w, &f);
	EQ(pc_recvfrom(w->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	EQ(from.sin6_scope_id, 1);
	EQ(pc_sendto(w->st, fd, "world", 5, 0, (struct sockaddr *)&from, len), 5);
	wt_settle(w);
	i = next6(w); /* RFC 6724 rule 2: from our link-local address */
	CHECK(pc_addr_equal(&i.ends.src, &e.dst) && pc_addr_equal(&i.ends.dst, &e.src));
}

/* RFC 8201, RFC 9293 3.9.2.2: segments shrink to the path's MTU, never below 1280 */
static void too_big(struct wt *w)
{
	const struct ends6 e = ends();
	struct ends6 all = e;
	struct sockaddr_in6 to = sin6(PEER, 5000);
	uint8_t body[4 + 48] = {0};
	struct info6 i;
	struct frame f;
	int fd, mtu;
	socklen_t len = sizeof(mtu);

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_getsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len));
	EQ(mtu, 1500);
	OK(pc_send(w->st, fd, "x", 1, 0));
	wt_settle(w);
	i = next6(w);
	memcpy(body + 4, (const uint8_t *)i.l4 - 40, 48);
	body[2] = 1200 >> 8; /* below the least that there is */
	body[3] = (uint8_t)1200;
	frame6_icmp(&f, &e, 64, 2, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ICMP_TYPE), 1);
	body[2] = 1280 >> 8; /* not ours, or not to us alone */
	body[3] = (uint8_t)1280;
	body[4 + 8 + 15]++;
	frame6_icmp(&f, &e, 64, 2, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ICMP_NO_MATCH), 1);
	body[4 + 8 + 15]--;
	all.dst = addr6("ff02::1");
	memcpy(all.dst_mac, "\x33\x33\0\0\0\1", 6);
	frame6_icmp(&f, &all, 64, 2, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ICMP_BROADCAST), 1);
	OK(pc_getsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len));
	EQ(mtu, 1500);
	body[0] = 0;
	body[2] = 1400 >> 8;
	body[3] = (uint8_t)1400;
	frame6_icmp(&f, &e, 64, 2, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ICMP_DONE), 1);
	OK(pc_getsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len));
	EQ(mtu, 1400);
	body[2] = 1280 >> 8; /* the least that there is */
	body[3] = (uint8_t)1280;
	frame6_icmp(&f, &e, 64, 2, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ICMP_DONE), 2);
	OK(pc_getsockopt(w->st, fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len));
	EQ(mtu, 1280);
	frame6_icmp(&f, &e, 64, 1, 4, body, sizeof(body)); /* port unreachable */
	wt_inject_frame(w, &f);
	ERR(pc_send(w->st, fd, "x", 1, 0), ECONNREFUSED);
}

/* A packet too big about the packet that i describes. */
static void tell_too_big(struct wt *w, const struct info6 *i, uint16_t mtu)
{
	const struct ends6 e = ends();
	uint8_t body[4 + 56] = {0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu};
	struct frame f;

	memcpy(body + 4, i->l4 - 40 - (i->fragment ? 8 : 0), 56);
	frame6_icmp(&f, &e, 64, 2, 0, body, sizeof(body));
	wt_inject_frame(w, &f);
}

/* Large replies reach whoever asks over a narrow path; and nobody makes a path narrow who has not been sent one. */
static void echo_too_big(struct wt *w)
{
	const struct ends6 e = ends();
	struct frame f, other;
	struct info6 i;

	start6(w);
	put_echo(&f, &e, 1232); /* fits the smallest MTU */
	wt_inject_frame(w, &f);
	i = next6(w);
	tell_too_big(w, &i, 1300);
	EQ(wt_count(w, PC_DROP_ICMP_NO_MATCH), 1);
	put_echo(&f, &e, 1452);
	wt_inject_frame(w, &f);
	i = next6(w);
	EQ(i.l4_len, 1460);
	CHECK(!i.fragment);
	tell_too_big(w, &i, 1279); /* RFC 8201 section 4 */
	EQ(wt_count(w, PC_DROP_ICMP_TYPE), 1);
	memcpy(other.b, i.l4 - 40, 56);
	other.b[39]++; /* another destination */
	i.l4 = other.b + 40;
	tell_too_big(w, &i, 1300);
	EQ(wt_count(w, PC_DROP_ICMP_NO_MATCH), 2);
	wt_inject_frame(w, &f);
	i = next6(w);
	CHECK(!i.fragment);
	tell_too_big(w, &i, 1400);
	EQ(wt_count(w, PC_DROP_ICMP_DONE), 1);
	wt_inject_frame(w, &f);
	i = next6(w);
	CHECK(i.fragment && i.more && i.frag_off == 0);
	EQ(i.l4_len, 1352);
	EQ(next6(w).l4_len, 1460 - 1352);
	wt_inject_frame(w, &f);
	i = next6(w);
	tell_too_big(w, &i, 1280); /* a second router's, about the first fragment */
	EQ(wt_count(w, PC_DROP_ICMP_DONE), 2);
	EQ(next6(w).l4_len, 1460 - 1352);
	wt_inject_frame(w, &f);
	EQ(next6(w).l4_len, 1232);
	EQ(next6(w).l4_len, 1460 - 1232);
}

/* A socket that listens to a group and sends a datagram to it: says whether that goes out, and is heard by itself. */
static void talk_to_group(struct wt *w, int fd, const char *group, bool goes_out)
{
	struct sockaddr_in6 to = sin6(group, 6000);
	struct ipv6_mreq m = {.ipv6mr_interface = 1};
	char buf[8];

	memcpy(&m.ipv6mr_multiaddr, addr6(group).b, 16);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m, sizeof(m)));
	wt_pass(w, 2000);
	wt_drop(w);
	to.sin6_scope_id = 1;
	EQ(pc_sendto(w->st, fd, "us", 2, 0, (const struct sockaddr *)&to, sizeof(to)), 2);
	wt_settle(w);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 2);
	EQ(wt_drop(w), goes_out);
}

/* RFC 4291 2.7: what is sent to a group of the host itself does not go out, and does not come in */
static void host_groups(struct wt *w)
{
	struct ends6 e = ends();
	struct frame f;
	char buf[8];
	int fd;

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	talk_to_group(w, fd, "ff01::5", false);
	talk_to_group(w, fd, "ff02::5", true);
	memcpy(e.dst_mac, "\x33\x33\0\0\0\5", 6);
	e.dst = addr6("ff01::5");
	frame6_udp(&f, &e, 5000, 6000, "hello", 5);
	wt_inject_frame(w, &f);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_IP6_NOT_OURS), 1);
	e.dst = addr6("ff02::5");
	frame6_udp(&f, &e, 5000, 6000, "hello", 5);
	wt_inject_frame(w, &f);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 5);
}

/* RFC 4443 2.4 a, 3.1: errors of types and codes that nobody here knows are told as well */
static void unknown_errors(struct wt *w)
{
	const struct ends6 e = ends();
	struct sockaddr_in6 to = sin6(PEER, 5000);
	uint8_t body[4 + 48] = {0};
	int fd, on = 1;
	struct frame f;

	start6(w);
	fd = bound(w, SOCK_DGRAM, "::", 6000, 0);
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_send(w->st, fd, "x", 1, 0));
	wt_settle(w);
	memcpy(body + 4, (const uint8_t *)next6(w).l4 - 40, 48);
	frame6_icmp(&f, &e, 64, 1, 8, body, sizeof(body)); /* unreachable, RFC 8883's code */
	wt_inject_frame(w, &f);
	ERR(pc_send(w->st, fd, "x", 1, 0), EPROTO);
	frame6_icmp(&f, &e, 64, 100, 3, body, sizeof(body));
	wt_inject_frame(w, &f); /* nothing hard: to whom wants to know */
	EQ(wt_count(w, PC_DROP_ICMP_DONE), 2);
	OK(pc_send(w->st, fd, "x", 1, 0));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)));
	wt_inject_frame(w, &f);
	ERR(pc_send(w->st, fd, "x", 1, 0), EPROTO);
	frame6_icmp(&f, &e, 64, 200, 0, body, sizeof(body)); /* 2.4 b: no error */
	wt_inject_frame(w, &f);
	EQ(wt_count(w, PC_DROP_ICMP_TYPE), 1);
	wt_drop(w);
}

static void every_drop_is_counted(struct wt *w)
{
	uint64_t before = 0, drops = 0;
	const struct ends6 e = ends();
	struct frame f;

	start6(w);
	for (unsigned i = PC_DROP_NONE + 1; i < PC_TX_NO_MBUF; i++)
		before += pc_stack_counters(w->st)->value[i];
	for (unsigned i = 0; i < 256; i++) {
		frame6_raw(&f, &e, (uint8_t)i, 64, "0123456789abcdef", 16);
		wt_inject_frame(w, &f);
		frame6_icmp(&f, &e, 255, (uint8_t)i, 0, "0123456789abcdef", i == 128 ? 0 : 16);
		wt_inject_frame(w, &f);
	}
	while (wt_next_frame(w, 61000) != NULL) /* a fragment has waited for the others */
		;
	for (unsigned i = PC_DROP_NONE + 1; i < PC_TX_NO_MBUF; i++)
		drops += pc_stack_counters(w->st)->value[i];
	EQ(drops - before, 512);
}

static const struct wt_case cases[] = {
    {"RFC 4443 4.2: echo, 0 to 1452 bytes", echo},
    {"RFC 4443 4.2: echo to a group is answered from an address of ours", echo_to_groups},
    {"RFC 8200 3: the fixed header", header},
    {"RFC 4291 2.5: sources that cannot be", sources},
    {"RFC 8200 4: extension headers are walked, within limits", extension_headers},
    {"RFC 8200 4.2: unknown options by their two high bits", unknown_options},
    {"RFC 4443 2.4 e: what no error is about", never_answered},
    {"RFC 8200 4: an unknown next header; RFC 5095: no routing header of type 0", unknown_headers},
    {"RFC 4443 3.1: port unreachable quotes what fits into 1280 bytes", port_unreachable},
    {"RFC 4443 2.4 f: errors are limited", errors_are_limited},
    {"raw(7): ICMPv6, checksums and types", raw_icmp6},
    {"RFC 8200 8.1: UDP over both families on one socket", udp},
    {"RFC 3493 5.3: IPV6_V6ONLY", v6only},
    {"RFC 3493 3: errors are Linux's", errnos},
    {"RFC 3493 5.1: hop limit and traffic class; RFC 6437: flow label", options},
    {"RFC 3542 6: hop limit of one datagram, IPv4 apart from IPv6", datagram_options},
    {"RFC 3542 6: what is told of a datagram", datagram_info},
    {"RFC 4007 6: link-local addresses have a scope", link_local},
    {"RFC 8201 4: packet too big, and what is too small to be true", too_big},
    {"RFC 8201 4: packet too big, about an echo reply", echo_too_big},
    {"RFC 4291 2.7: groups of the host itself", host_groups},
    {"RFC 4443 2.4 a: errors of unknown types and codes are told", unknown_errors},
    {"each frame that goes nowhere ends in one counter", every_drop_is_counted},
};

WT_MAIN("ip6")
