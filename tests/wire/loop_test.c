/* SPDX-License-Identifier: BSD-2-Clause */

/* What a stack sends to itself: 127.0.0.1, ::1, its own addresses, groups that it listens to. Nothing of it is seen on
 * the wire, and nothing from the wire passes for it. */

#include <arpa/inet.h>

#include "frame6.h"
#include "wt.h"

#define LOCAL6 "fd00::1"
#define BYTES  300000

static void start(struct wt *w)
{
	const struct ends6 e = {.src_mac = PEER_MAC,
	                        .dst_mac = PROBE_MAC,
	                        .src = addr6("fd00::2"),
	                        .dst = addr6(LOCAL6)};

	wt_start6(w, &e);
	wt_pass(w, 5000);
	wt_drop(w);
}

/* Some turns, in which nothing may go out. */
static void turns(struct wt *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		wt_pass(w, 1);
	EQ(wt_drop(w), 0);
}

static socklen_t address(const char *ip, uint16_t port, struct sockaddr_storage *a)
{
	struct pc_endpoint e = {.port = port};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a;
	struct sockaddr_in *in = (struct sockaddr_in *)a;

	memset(a, 0, sizeof(*a));
	if (pc_addr_parse(ip, &e.addr) != 0)
		return 0;
	if (pc_addr_is_ip4(&e.addr)) {
		*in = (struct sockaddr_in){.sin_family = AF_INET,
		                           .sin_port = htons(port),
		                           .sin_addr.s_addr = pc_addr_get_ip4(&e.addr)};
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, e.addr.b, 16);
	return sizeof(*in6);
}

static int make(struct wt *w, int type, const char *ip, uint16_t port)
{
	struct sockaddr_storage a;
	const socklen_t len = address(ip, port, &a);
	const int fd = pc_socket(w->st, a.ss_family, type, 0);

	OK(fd);
	OK(pc_bind(w->st, fd, (struct sockaddr *)&a, len));
	return fd;
}

static int dial(struct wt *w, int fd, const char *ip, uint16_t port)
{
	struct sockaddr_storage a;
	const socklen_t len = address(ip, port, &a);

	return pc_connect(w->st, fd, (struct sockaddr *)&a, len);
}

static bool is_name(const struct sockaddr_storage *a, const char *ip)
{
	struct sockaddr_storage b;

	address(ip, 0, &b);
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((struct sockaddr_in *)&b)->sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
	              &((struct sockaddr_in6 *)&b)->sin6_addr, 16) == 0;
}

/* Sends BYTES both ways at once, and compares them. */
static void exchange(struct wt *w, int a, int b)
{
	static uint8_t buf[65536];
	const int fd[2] = {a, b};
	uint32_t sent[2] = {0, 0}, got[2] = {0, 0};

	for (unsigned turn = 0; turn < 2000 && (got[0] < BYTES || got[1] < BYTES); turn++) {
		for (unsigned i = 0; i < 2; i++) {
			const uint32_t left = BYTES - sent[i];
			const uint32_t n = left < sizeof(buf) ? left : (uint32_t)sizeof(buf);
			ssize_t rc;

			for (uint32_t k = 0; k < n; k++)
				buf[k] = wt_pattern((int)i, sent[i] + k);
			rc = n > 0 ? pc_send(w->st, fd[i], buf, n, 0) : 0;
			sent[i] += rc > 0 ? (uint32_t)rc : 0;
			while ((rc = pc_recv(w->st, fd[i], buf, sizeof(buf), 0)) > 0)
				for (ssize_t k = 0; k < rc; k++, got[i]++)
					EQ(buf[k], wt_pattern(1 - (int)i, got[i]));
		}
		turns(w, 1);
	}
	EQ(got[0], BYTES);
	EQ(got[1], BYTES);
}

/* A connection to an address of ours, from opening to closing. */
static void talk(struct wt *w, const char *listen_at, const char *to, const char *from)
{
	const int l = make(w, SOCK_STREAM, listen_at, 7000);
	const int c =
	    pc_socket(w->st, strchr(to, ':') != NULL ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	char byte;
	int s;

	OK(pc_listen(w->st, l, 5));
	ERR(dial(w, c, to, 7000), EINPROGRESS);
	turns(w, 5);
	s = pc_accept(w->st, l, (struct sockaddr *)&peer, &len);
	OK(s);
	CHECK(is_name(&peer, from));
	exchange(w, c, s);
	OK(pc_close(w->st, c));
	turns(w, 5);
	EQ(pc_recv(w->st, s, &byte, 1, 0), 0);
	OK(pc_close(w->st, s));
	OK(pc_close(w->st, l));
	turns(w, 5);
}

static void streams(struct wt *w)
{
	start(w);
	talk(w, "0.0.0.0", WT_LOCAL, WT_LOCAL);
	talk(w, "0.0.0.0", "127.0.0.1", "127.0.0.1");
	talk(w, "127.0.0.1", "127.0.0.1", "127.0.0.1");
	talk(w, "::", LOCAL6, LOCAL6);
	talk(w, "::", "::1", "::1");
	talk(w, "::1", "::1", "::1");
	EQ(wt_count(w, PC_TCP_RETRANSMITS), 0);
}

/* Who listens at 127.0.0.1 is reached there only, and who comes from there reaches nobody else. */
static void bound(struct wt *w)
{
	int l, c;

	start(w);
	l = make(w, SOCK_STREAM, "127.0.0.1", 7000);
	OK(pc_listen(w->st, l, 5));
	c = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(dial(w, c, WT_LOCAL, 7000), EINPROGRESS);
	turns(w, 5);
	CHECK(wt_events(w, c) & POLLERR);
	OK(pc_close(w->st, c));
	c = make(w, SOCK_STREAM, "127.0.0.1", 0);
	ERR(dial(w, c, WT_PEER, 80), EADDRNOTAVAIL);
	OK(dial(w, c, "127.0.0.1", 7000) == 0 || errno == EINPROGRESS ? 0 : -1);
	turns(w, 5);
	EQ(wt_events(w, c) & (POLLOUT | POLLERR), POLLOUT);
	ERR(dial(w, pc_socket(w->st, AF_INET, SOCK_STREAM, 0), "127.0.0.2", 7000), ENETUNREACH);
}

/* A connection to its own port (RFC 9293 figure 7: simultaneous, with itself). */
static void itself(struct wt *w)
{
	const char text[] = "to whom it may concern";
	char got[64];
	int c;

	start(w);
	c = make(w, SOCK_STREAM, WT_LOCAL, 7001);
	ERR(dial(w, c, WT_LOCAL, 7001), EINPROGRESS);
	turns(w, 10);
	EQ(pc_send(w->st, c, text, sizeof(text), 0), sizeof(text));
	turns(w, 5);
	EQ(pc_recv(w->st, c, got, sizeof(got), 0), sizeof(text));
	CHECK(memcmp(got, text, sizeof(text)) == 0);
	OK(pc_close(w->st, c));
	turns(w, 50);
}

static void datagrams(struct wt *w)
{
	static const char *const to[] = {WT_LOCAL, "127.0.0.1", LOCAL6, "::1"};
	static uint8_t data[60000], got[65536];

	start(w);
	for (unsigned i = 0; i < 4; i++) {
		const bool ip6 = strchr(to[i], ':') != NULL;
		const int s = make(w, SOCK_DGRAM, ip6 ? "::" : "0.0.0.0", 7000);
		const int c = pc_socket(w->st, ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);

		OK(dial(w, c, to[i], 7000));
		for (uint32_t n = 0; n <= sizeof(data); n += 15000) { /* most in fragments */
			memset(data, (int)n, n);
			EQ(pc_send(w->st, c, data, n, 0), n);
			turns(w, 2);
			EQ(pc_recvfrom(w->st, s, got, sizeof(got), 0, (struct sockaddr *)&from,
			               &len),
			   n);
			CHECK(memcmp(got, data, n) == 0 && is_name(&from, to[i]));
		}
		OK(pc_close(w->st, s));
		EQ(pc_send(w->st, c, "x", 1, 0), 1);
		turns(w, 3);
		ERR(pc_send(w->st, c, "x", 1, 0), ECONNREFUSED);
		OK(pc_close(w->st, c));
	}
}

/* RFC 1112 section 6.1, RFC 3493 section 5.2: a copy for ourselves, if we listen, unless that is switched off */
static void groups(struct wt *w)
{
	static const struct {
		const char *any, *group;
		int level, loop;
	} g[] = {{"0.0.0.0", "239.1.2.3", IPPROTO_IP, IP_MULTICAST_LOOP},
	         {"::", "ff12::77", IPPROTO_IPV6, IPV6_MULTICAST_LOOP}};
	const struct ip_mreqn m4 = {.imr_multiaddr.s_addr = inet_addr("239.1.2.3"),
	                            .imr_ifindex = 1};
	struct ipv6_mreq m6 = {.ipv6mr_interface = 1};
	const struct pc_addr group6 = addr6("ff12::77");
	struct sockaddr_storage a;
	char byte;

	start(w);
	memcpy(&m6.ipv6mr_multiaddr, group6.b, 16);
	for (unsigned i = 0; i < 2; i++) {
		const int s = make(w, SOCK_DGRAM, g[i].any, 7000), off = 0;
		const socklen_t len = address(g[i].group, 7000, &a);

		if (a.ss_family == AF_INET6)
			((struct sockaddr_in6 *)&a)->sin6_scope_id = 1;
		OK(pc_sendto(w->st, s, "0", 1, 0, (struct sockaddr *)&a, len));
		wt_pass(w, 2);
		ERR(pc_recv(w->st, s, &byte, 1, 0), EAGAIN); /* we do not listen yet */
		OK(i == 0
		       ? pc_setsockopt(w->st, s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4))
		       : pc_setsockopt(w->st, s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6)));
		wt_pass(w, 2000);
		wt_drop(w);
		OK(pc_sendto(w->st, s, "1", 1, 0, (struct sockaddr *)&a, len));
		wt_pass(w, 2);
		EQ(wt_drop(w), 1); /* and it goes out */
		EQ(pc_recv(w->st, s, &byte, 1, 0), 1);
		EQ(byte, '1');
		OK(pc_setsockopt(w->st, s, g[i].level, g[i].loop, &off, sizeof(off)));
		OK(pc_sendto(w->st, s, "2", 1, 0, (struct sockaddr *)&a, len));
		wt_pass(w, 2);
		EQ(wt_drop(w), 1);
		ERR(pc_recv(w->st, s, &byte, 1, 0), EAGAIN);
		OK(pc_close(w->st, s));
		wt_pass(w, 2000);
		wt_drop(w);
	}
}

/* Who listens hears his own broadcasts, as on Linux, and those of others in his stack. */
static void broadcasts(struct wt *w)
{
	const char *const to[] = {"192.0.2.255", "255.255.255.255"};
	static char data[1400];
	struct sockaddr_storage a, from;
	socklen_t from_len = sizeof(from);
	const int one = 1;
	int s, other;

	start(w);
	s = make(w, SOCK_DGRAM, "0.0.0.0", 7000);
	other = make(w, SOCK_DGRAM, WT_LOCAL, 7000 + 1);
	OK(pc_setsockopt(w->st, s, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
	OK(pc_setsockopt(w->st, other, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
	for (unsigned i = 0; i < 2; i++)
		for (unsigned by = 0; by < 2; by++) {
			const socklen_t len = address(to[i], 7000, &a);
			const size_t n = by == 0 ? 1 : sizeof(data);

			EQ(pc_sendto(w->st, by == 0 ? s : other, data, n, 0, (struct sockaddr *)&a,
			             len),
			   n);
			wt_pass(w, 2);
			CHECK(wt_drop(w) > 0); /* and it goes out */
			EQ(pc_recvfrom(w->st, s, data, sizeof(data), 0, (struct sockaddr *)&from,
			               &from_len),
			   n);
			CHECK(is_name(&from, WT_LOCAL));
			ERR(pc_recv(w->st, s, data, sizeof(data), 0), EAGAIN);
		}
}

/* RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3: never outside of a host */
static void strangers(struct wt *w)
{
	const char *const pairs[][2] = {
	    {"127.0.0.1", WT_LOCAL}, {WT_PEER, "127.0.0.1"}, {WT_LOCAL, WT_LOCAL}};
	struct frame_ends e = {.src_mac = PEER_MAC, .dst_mac = PROBE_MAC};
	struct ends6 e6 = {.src_mac = PEER_MAC, .dst_mac = PROBE_MAC};
	struct frame f;
	int s;
	char byte;

	start(w);
	s = make(w, SOCK_DGRAM, "::", 7000);
	for (unsigned i = 0; i < 3; i++) {
		e.src_be = inet_addr(pairs[i][0]);
		e.dst_be = inet_addr(pairs[i][1]);
		frame_udp(&f, &e, 9, 7000, "x", 1);
		wt_inject_frame(w, &f);
	}
	e6.src = addr6("::1");
	e6.dst = addr6(LOCAL6);
	frame6_udp(&f, &e6, 9, 7000, "x", 1);
	wt_inject_frame(w, &f);
	e6.src = addr6("fd00::2");
	e6.dst = addr6("::1");
	frame6_udp(&f, &e6, 9, 7000, "x", 1);
	wt_inject_frame(w, &f);
	turns(w, 2);
	ERR(pc_recv(w->st, s, &byte, 1, 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_IP4_SOURCE), 2);
	EQ(wt_count(w, PC_DROP_IP4_NOT_OURS), 1);
	EQ(wt_count(w, PC_DROP_IP6_SOURCE), 1);
	EQ(wt_count(w, PC_DROP_IP6_NOT_OURS), 1);
}

/* An address that goes takes its connections along, and what is under way is dropped. */
static void gone(struct wt *w)
{
	struct pc_prefix us;
	int l, c, s;

	start(w);
	OK(pc_prefix_parse(WT_LOCAL "/24", &us));
	l = make(w, SOCK_STREAM, WT_LOCAL, 7000);
	OK(pc_listen(w->st, l, 5));
	c = pc_socket(w->st, AF_INET, SOCK_STREAM, 0);
	ERR(dial(w, c, WT_LOCAL, 7000), EINPROGRESS);
	turns(w, 5);
	s = pc_accept(w->st, l, NULL, NULL);
	OK(s);
	OK(pc_send(w->st, s, "x", 1, 0));
	OK(pc_stack_del_addr(w->st, 0, &us));
	wt_pass(w, 3000);
	ERR(pc_recv(w->st, c, (char[1]){0}, 1, 0), EAGAIN);
	OK(pc_stack_add_addr(w->st, 0, &us)); /* and brings them back */
	wt_pass(w, 5000);
	EQ(pc_recv(w->st, c, (char[1]){0}, 1, 0), 1);
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"connections to our own addresses", streams},
    {"127.0.0.1 is reached from here only", bound},
    {"a connection with itself", itself},
    {"datagrams to our own addresses", datagrams},
    {"RFC 1112 6.1: IP_MULTICAST_LOOP", groups},
    {"RFC 1122 3.3.6: broadcasts are heard by their own host", broadcasts},
    {"RFC 1122 3.2.1.3: nobody outside passes for ourselves", strangers},
    {"an address that goes", gone},
};

WT_MAIN("loop")
