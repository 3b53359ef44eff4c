/* SPDX-License-Identifier: BSD-2-Clause */

/* UDP sockets on the wire (RFC 768, RFC 1122 section 4.1). */

#include <arpa/inet.h>
#include <time.h>

#include <linux/errqueue.h>
#include <netinet/udp.h>

#include <percore/control.h>

#include "wt.h"

static int udp_socket(struct wt *w, uint16_t port)
{
	const struct sockaddr_in a = wt_addr("0.0.0.0", port);
	int fd;

	wt_start(w);
	wt_settle(w);
	fd = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0);
	OK(fd);
	if (port != 0)
		OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void inject_udp(struct wt *w, uint16_t sport, uint16_t dport, const void *data, uint16_t len)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_udp(&f, &e, sport, dport, data, len);
	wt_inject_frame(w, &f);
}

static const struct frame_info *next_udp(struct wt *w)
{
	static struct frame_info i;
	static struct frame f;
	const struct frame *sent = wt_next_frame(w, 0);

	CHECK(sent != NULL);
	f = *sent;
	CHECK(frame_read(&f, &i) == NULL);
	EQ(i.proto, 17);
	return &i;
}

static void every_length(struct wt *w)
{
	int fd = udp_socket(w, 7);
	uint8_t data[1472], got[2000];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 + 1);
	for (unsigned n = 0; n <= 1472; n += n < 40 || n > 1460 ? 1 : 31) {
		inject_udp(w, 5000, 7, data, (uint16_t)n);
		CHECK(wt_events(w, fd) & POLLIN);
		EQ(pc_recvfrom(w->st, fd, got, sizeof(got), 0, (struct sockaddr *)&from, &len), n);
		CHECK(memcmp(got, data, n) == 0);
		EQ(ntohs(from.sin_port), 5000);
		EQ(from.sin_addr.s_addr, w->flow.peer_be);
		EQ(pc_sendto(w->st, fd, got, n, 0, (const struct sockaddr *)&from, len), n);
		wt_settle(w);
		EQ(next_udp(w)->payload_len, n);
	}
	ERR(pc_recv(w->st, fd, got, sizeof(got), 0), EAGAIN);
}

static void too_long(struct wt *w)
{
	int fd = udp_socket(w, 7);
	static uint8_t data[70000];
	const struct sockaddr_in to = wt_addr(WT_PEER, 9);

	ERR(pc_sendto(w->st, fd, data, 65508, 0, (const struct sockaddr *)&to, sizeof(to)),
	    EMSGSIZE);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MTU_DISCOVER, &(int){IP_PMTUDISC_DO}, 4));
	ERR(pc_sendto(w->st, fd, data, 1473, 0, (const struct sockaddr *)&to, sizeof(to)),
	    EMSGSIZE);
	CHECK(wt_next_frame(w, 100) == NULL);
}

static void wrong_lengths(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	int fd = udp_socket(w, 7);
	struct frame f;

	for (unsigned n = 0; n < 200; n++) {
		frame_udp(&f, &e, 5000, 7, "0123456789", 10);
		f.b[38] = (uint8_t)(n >> 4);
		f.b[39] = (uint8_t)(n << 4 | 3); /* never 18 */
		f.b[40] = f.b[41] = 0;
		wt_inject_frame(w, &f);
	}
	for (uint64_t seen = wt_count(w, PC_UDP_RX); seen > 0; seen--) /* shorter than the packet */
		IN(pc_recv(w->st, fd, &f, sizeof(f), 0), 0, 10);
	while (wt_next_frame(w, 0) != NULL)
		;
}

static void checksums(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	int fd = udp_socket(w, 7);
	struct frame f;

	frame_udp(&f, &e, 5000, 7, "hello", 5);
	f.b[41] ^= 1;
	wt_inject_frame(w, &f);
	ERR(pc_recv(w->st, fd, &f, sizeof(f), 0), EAGAIN);
	EQ(wt_count(w, PC_DROP_UDP_CHECKSUM), 1);
	frame_udp(&f, &e, 5000, 7, "hello", 5);
	f.b[40] = f.b[41] = 0; /* RFC 768: none computed */
	wt_inject_frame(w, &f);
	EQ(pc_recv(w->st, fd, &f, sizeof(f), 0), 5);
}

static void truncation(struct wt *w)
{
	int fd = udp_socket(w, 7);
	char buf[20];
	struct iovec v[2] = {{buf, 3}, {buf + 10, 4}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

	inject_udp(w, 5000, 7, "0123456789", 10);
	EQ(pc_recv(w->st, fd, buf, 4, MSG_PEEK), 4);
	EQ(pc_recv(w->st, fd, buf, 4, MSG_PEEK | MSG_TRUNC), 10);
	EQ(pc_recvmsg(w->st, fd, &m, 0), 7);
	CHECK(m.msg_flags & MSG_TRUNC);
	CHECK(memcmp(buf, "012", 3) == 0 && memcmp(buf + 10, "3456", 4) == 0);
	ERR(pc_recv(w->st, fd, buf, 4, 0), EAGAIN); /* the rest is gone */
}

static void connected(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 5000);
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	int fd = udp_socket(w, 7);
	char c[8];

	ERR(pc_send(w->st, fd, "x", 1, 0), EDESTADDRREQ);
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	EQ(pc_send(w->st, fd, "x", 1, 0), 1);
	wt_settle(w);
	EQ(next_udp(w)->dport, 5000);
	inject_udp(w, 5001, 7, "no", 2); /* from another port: not this socket's */
	ERR(pc_recv(w->st, fd, c, sizeof(c), 0), EAGAIN);
	while (wt_next_frame(w, 0) != NULL)
		;
	inject_udp(w, 5000, 7, "yes", 3);
	EQ(pc_recv(w->st, fd, c, sizeof(c), 0), 3);
	OK(pc_connect(w->st, fd, &unspec, sizeof(unspec)));
	ERR(pc_send(w->st, fd, "x", 1, 0), EDESTADDRREQ);
	inject_udp(w, 5001, 7, "now", 3);
	EQ(pc_recv(w->st, fd, c, sizeof(c), 0), 3);
}

static void refused(struct wt *w)
{
	const struct frame_ends e = wt_ends(w);
	const struct sockaddr_in to = wt_addr(WT_PEER, 5000);
	const struct frame *sent;
	struct frame f;
	int fd = udp_socket(w, 7);

	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	EQ(pc_send(w->st, fd, "x", 1, 0), 1);
	wt_settle(w);
	sent = wt_next_frame(w, 0);
	CHECK(sent != NULL);
	frame_icmp(&f, &e, 3, 3, (uint8_t[4]){0}, sent->b + 14, 28);
	wt_inject_frame(w, &f);
	CHECK(wt_events(w, fd) & POLLERR);
	ERR(pc_recv(w->st, fd, &f, sizeof(f), 0), ECONNREFUSED);
	ERR(pc_recv(w->st, fd, &f, sizeof(f), 0), EAGAIN);
}

static void receive_buffer(struct wt *w)
{
	int fd, size = 4096;
	unsigned n = 0;
	char data[1000] = "";

	fd = udp_socket(w, 7);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (unsigned i = 0; i < 50; i++)
		inject_udp(w, 5000, 7, data, sizeof(data));
	CHECK(wt_count(w, PC_DROP_UDP_RCVBUF) > 30);
	while (pc_recv(w->st, fd, data, sizeof(data), 0) == sizeof(data))
		n++;
	IN(n, 1, 8);
	inject_udp(w, 5000, 7, data, sizeof(data));
	EQ(pc_recv(w->st, fd, data, sizeof(data), 0), sizeof(data));
}

static void ephemeral_port(struct wt *w)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 5000);
	int fd = udp_socket(w, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	const struct frame_info *i;

	EQ(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
	wt_settle(w);
	i = next_udp(w);
	IN(i->sport, w->cfg.tcp_port_first, w->cfg.tcp_port_last);
	OK(pc_getsockname(w->st, fd, (struct sockaddr *)&a, &len));
	EQ(ntohs(a.sin_port), i->sport);
}

static void broadcast(struct wt *w)
{
	const struct sockaddr_in to = wt_addr("192.0.2.255", 5000);
	int fd = udp_socket(w, 7), one = 1;
	const struct frame *f;

	ERR(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), EACCES);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
	EQ(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
	wt_settle(w);
	f = wt_next_frame(w, 0);
	CHECK(f != NULL && memcmp(f->b, "\xff\xff\xff\xff\xff\xff", 6) == 0);
}

static void zero_copy(struct wt *w)
{
	int fd = udp_socket(w, 7);
	struct rte_mbuf *m;
	struct pc_endpoint from;

	inject_udp(w, 5000, 7, "zero copy", 9);
	EQ(pc_recv_mbuf(w->st, fd, &m, &from), 1);
	EQ(from.port, 5000);
	EQ(pc_send_mbuf(w->st, fd, m, &from), 0);
	wt_settle(w);
	EQ(next_udp(w)->payload_len, 9);
	ERR(pc_recv_mbuf(w->st, fd, &m, &from), EAGAIN);
}

static void option(struct wt *w, int fd, int level, int name, int value)
{
	OK(pc_setsockopt(w->st, fd, level, name, &value, sizeof(value)));
}

/* Sends len bytes to the peer, which must come out in one piece, and returns whether it has DF. */
static bool sends_with_df(struct wt *w, int fd, size_t len)
{
	static const char data[1472];
	const struct frame_info *i;

	EQ(pc_send(w->st, fd, data, len, 0), len);
	wt_settle(w);
	i = next_udp(w);
	EQ(i->payload_len, len);
	return i->df;
}

static void inject_too_big(struct wt *w, uint16_t sport, uint16_t mtu)
{
	const struct frame_ends e = wt_ends(w);
	const uint8_t rest[4] = {0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu};
	struct frame quote, f;
	struct frame_ends back = {.src_be = e.dst_be, .dst_be = e.src_be};

	frame_udp(&quote, &back, sport, 5000, "of which this is quoted", 23);
	frame_icmp(&f, &e, 3, 4, rest, quote.b + 14, 28 + 23);
	wt_inject_frame(w, &f);
}

static int connected_socket(struct wt *w, int discover)
{
	const struct sockaddr_in to = wt_addr(WT_PEER, 5000);
	int fd = udp_socket(w, 7);

	option(w, fd, IPPROTO_IP, IP_MTU_DISCOVER, discover);
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	return fd;
}

static int path_mtu(struct wt *w, int fd)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);

	OK(pc_getsockopt(w->st, fd, IPPROTO_IP, IP_MTU, &mtu, &len));
	return mtu;
}

static void path_mtu_learnt(struct wt *w)
{
	static const char data[1472];
	int fd = connected_socket(w, IP_PMTUDISC_DO);

	EQ(path_mtu(w, fd), 1500);
	CHECK(sends_with_df(w, fd, 1472));
	inject_too_big(w, 7, 1400);
	CHECK(wt_events(w, fd) & POLLERR);
	ERR(pc_send(w->st, fd, data, 1472, 0), EMSGSIZE); /* what the router said */
	ERR(pc_send(w->st, fd, data, 1472, 0), EMSGSIZE); /* what is known since */
	EQ(path_mtu(w, fd), 1400);
	CHECK(sends_with_df(w, fd, 1372));
	ERR(pc_send(w->st, fd, data, 1373, 0), EMSGSIZE);
	inject_too_big(w, 8, 600); /* about something that was not sent */
	CHECK(sends_with_df(w, fd, 1372));
	inject_too_big(w, 7, 551); /* less than is believed */
	ERR(pc_recv(w->st, fd, &(char){0}, 1, 0), EMSGSIZE);
	EQ(path_mtu(w, fd), 552);
	ERR(pc_send(w->st, fd, data, 525, 0), EMSGSIZE);
	CHECK(sends_with_df(w, fd, 524));
	wt_pass(w, 601000); /* RFC 1191 6.3: it is forgotten again */
	wt_drop(w);
	EQ(path_mtu(w, fd), 1500);
	CHECK(sends_with_df(w, fd, 1472));
}

/* As on Linux, where a router tells less than is believed, or nothing: routers may fragment. */
static void narrow_path(struct wt *w)
{
	static const uint16_t told[] = {0, 68, 551};
	static const char data[1000];
	const struct frame *f;

	for (unsigned i = 0; i < 3; i++) {
		const int fd = connected_socket(w, IP_PMTUDISC_WANT);
		unsigned pieces = 0;

		CHECK(sends_with_df(w, fd, 1472));
		inject_too_big(w, 7, told[i]);
		ERR(pc_recv(w->st, fd, &(char){0}, 1, 0), EMSGSIZE);
		EQ(path_mtu(w, fd), 552);
		CHECK(!sends_with_df(w, fd, 100));
		EQ(pc_send(w->st, fd, data, sizeof(data), 0), sizeof(data));
		wt_settle(w);
		for (; (f = wt_next_frame(w, 0)) != NULL; pieces++) {
			CHECK((f->b[14 + 6] & 0x40) == 0);
			CHECK(f->len <= 14 + 552);
		}
		EQ(pieces, 2);
		wt_pass(w, 601000);
		wt_drop(w);
		CHECK(sends_with_df(w, fd, 1472));
		OK(pc_close(w->st, fd));
	}
}

static void path_mtu_modes(struct wt *w)
{
	int fd = connected_socket(w, IP_PMTUDISC_PROBE);

	inject_too_big(w, 7, 1400);
	ERR(pc_recv(w->st, fd, &(char){0}, 1, 0), EMSGSIZE);
	CHECK(sends_with_df(w, fd, 1472)); /* goes all the same */
	OK(pc_close(w->st, fd));
	fd = connected_socket(w, IP_PMTUDISC_DONT);
	CHECK(!sends_with_df(w, fd, 100));
	inject_too_big(w, 7, 1300);
	ERR(pc_recv(w->st, fd, &(char){0}, 1, 0), EAGAIN);
	OK(pc_close(w->st, fd));
	fd = connected_socket(w, IP_PMTUDISC_INTERFACE);
	inject_too_big(w, 7, 1200);
	ERR(pc_recv(w->st, fd, &(char){0}, 1, 0), EAGAIN);
	EQ(path_mtu(w, fd), 1300);
	CHECK(!sends_with_df(w, fd, 1472));
}

static void read_report(struct wt *w, int fd, struct sock_extended_err *ee, char *data, ssize_t len)
{
	char items[256];
	struct iovec v = {data, 100};
	struct sockaddr_in to;
	struct msghdr m = {.msg_name = &to,
	                   .msg_namelen = sizeof(to),
	                   .msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = items,
	                   .msg_controllen = sizeof(items)};

	EQ(pc_recvmsg(w->st, fd, &m, MSG_ERRQUEUE), len);
	EQ(to.sin_addr.s_addr, w->flow.peer_be);
	EQ(ntohs(to.sin_port), 5000);
	CHECK(CMSG_FIRSTHDR(&m) != NULL && CMSG_FIRSTHDR(&m)->cmsg_type == IP_RECVERR);
	memcpy(ee, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(*ee));
}

static void error_queue(struct wt *w)
{
	static char data[1600];
	int fd = connected_socket(w, IP_PMTUDISC_DO);
	struct sock_extended_err ee;

	option(w, fd, IPPROTO_IP, IP_RECVERR, 1);
	inject_too_big(w, 7, 1400);
	CHECK(wt_events(w, fd) & POLLERR);
	read_report(w, fd, &ee, data, 23);
	CHECK(memcmp(data, "of which this is quoted", 23) == 0);
	EQ(ee.ee_errno, EMSGSIZE);
	EQ(ee.ee_info, 1400);
	EQ(ee.ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK(ee.ee_type == 3 && ee.ee_code == 4);
	/* tracepath(8) learns the MTU so */
	ERR(pc_send(w->st, fd, data, 1472, 0), EMSGSIZE);
	read_report(w, fd, &ee, data, 0);
	EQ(ee.ee_origin, SO_EE_ORIGIN_LOCAL);
	EQ(ee.ee_info, 1400);
	ERR(pc_recv(w->st, fd, data, 1, MSG_ERRQUEUE), EAGAIN);
	/* that the call has returned is not reported again, by SO_ERROR or the next call */
	ERR(pc_send(w->st, fd, data, 1472, 0), EMSGSIZE);
	ERR(pc_send(w->st, fd, data, 1472, 0), EMSGSIZE);
	read_report(w, fd, &ee, data, 0);
	EQ(pc_send(w->st, fd, data, 1, 0), 1);
	inject_too_big(w, 7, 1400); /* and does not hide what comes from elsewhere */
	read_report(w, fd, &ee, data, 0);
	EQ(ee.ee_origin, SO_EE_ORIGIN_LOCAL);
	ERR(pc_send(w->st, fd, data, 1, 0), EMSGSIZE);
	EQ(pc_send(w->st, fd, data, 1, 0), 1);
	read_report(w, fd, &ee, data, 23);
	EQ(ee.ee_origin, SO_EE_ORIGIN_ICMP);
	wt_settle(w);
	wt_drop(w);
	for (unsigned i = 0; i < 100; i++) /* and a liar cannot fill the memory */
		inject_too_big(w, 7, 1400);
	for (unsigned i = 0; i < 64; i++)
		read_report(w, fd, &ee, data, 23);
	ERR(pc_recv(w->st, fd, data, 1, MSG_ERRQUEUE), EAGAIN);
	CHECK((wt_events(w, fd) & POLLERR) == 0);
}

/* Sends a datagram by the first interface, as its ancillary data says. */
static void send_by_interface(struct wt *w, int fd, const struct sockaddr_in *to)
{
	const struct in_pktinfo pi = {.ipi_ifindex = 1};
	struct iovec v = {.iov_base = (char[]){'x'}, .iov_len = 1};
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(pi))];
	} u = {.h = {.cmsg_len = CMSG_LEN(sizeof(pi)),
	             .cmsg_level = IPPROTO_IP,
	             .cmsg_type = IP_PKTINFO}};
	struct sockaddr_in name = *to;
	const struct msghdr m = {.msg_name = &name,
	                         .msg_namelen = sizeof(name),
	                         .msg_iov = &v,
	                         .msg_iovlen = 1,
	                         .msg_control = &u,
	                         .msg_controllen = sizeof(u)};

	memcpy(CMSG_DATA(&u.h), &pi, sizeof(pi));
	EQ(pc_sendmsg(w->st, fd, &m, 0), 1);
}

/* What a socket of an interface sends, or says is to go by one, comes from the address there that is on the network of the next
 * hop, as on Linux. */
static void source_on_interface(struct wt *w)
{
	static const struct {
		const char *to, *from;
	} rows[] = {{WT_PEER, WT_LOCAL},
	            {"10.9.0.255", "10.9.0.1"},
	            {"198.51.100.7", "10.9.0.1"},
	            {"255.255.255.255", WT_LOCAL}};
	const int fd = udp_socket(w, 7), any = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0), on = 1,
	          ifindex = 1;
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct pc_route all = {.port = -1};
	struct pc_prefix second;

	OK(pc_prefix_parse("10.9.0.1/24", &second));
	OK(pc_addr_parse("10.9.0.2", &all.gateway));
	OK(pc_prefix_parse("0.0.0.0/0", &all.dest));
	OK(pc_stack_add_addr(w->st, 0, &second));
	OK(pc_stack_set_neigh(w->st, 0, &all.gateway, mac));
	OK(pc_route_add(w->st, &all));
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)));
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
	OK(pc_setsockopt(w->st, any, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)));
	wt_settle(w);
	wt_drop(w);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sockaddr_in to = wt_addr(rows[i].to, 9);

		EQ(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
		wt_settle(w);
		EQ(next_udp(w)->ends.src_be, inet_addr(rows[i].from));
		send_by_interface(w, any, &to);
		wt_settle(w);
		EQ(next_udp(w)->ends.src_be, inet_addr(rows[i].from));
	}
	OK(pc_close(w->st, any));
}

static void without_checksum(struct wt *w)
{
	int fd = connected_socket(w, IP_PMTUDISC_WANT);
	const struct frame *f;

	option(w, fd, SOL_SOCKET, SO_NO_CHECK, 1);
	EQ(pc_send(w->st, fd, "hello", 5, 0), 5);
	wt_settle(w);
	f = probe_sent(w->probe);
	CHECK(f != NULL && f->b[40] == 0 && f->b[41] == 0);
	probe_take(w->probe);
}

static void batches(struct wt *w)
{
	int fd = connected_socket(w, IP_PMTUDISC_WANT);
	char data[4][10] = {"one", "two", "three", "four"};
	struct iovec v[4] = {{data[0], 3}, {data[1], 3}, {data[2], 5}, {data[3], 4}};
	struct mmsghdr m[4] = {0};

	for (unsigned i = 0; i < 4; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i], .msg_iovlen = 1};
	EQ(pc_sendmmsg(w->st, fd, m, 4, 0), 4);
	wt_settle(w);
	for (unsigned i = 0; i < 4; i++) {
		EQ(m[i].msg_len, v[i].iov_len);
		EQ(next_udp(w)->payload_len, v[i].iov_len);
	}
	m[2].msg_hdr.msg_iovlen = 2000;
	EQ(pc_sendmmsg(w->st, fd, m, 4, 0), 2);
	ERR(pc_sendmmsg(w->st, fd, m + 2, 2, 0), EMSGSIZE);
	m[2].msg_hdr.msg_iovlen = 1;
	inject_udp(w, 5000, 7, "a", 1);
	inject_udp(w, 5000, 7, "bc", 2);
	inject_udp(w, 5000, 7, "defghi", 6);
	EQ(pc_recvmmsg(w->st, fd, m, 4, MSG_WAITFORONE), 3);
	CHECK(m[0].msg_len == 1 && m[1].msg_len == 2 && m[2].msg_len == 5);
	CHECK(m[2].msg_hdr.msg_flags & MSG_TRUNC);
	ERR(pc_recvmmsg(w->st, fd, m, 4, 0), EAGAIN);
	wt_drop(w);
}

static void segment_sizes(struct wt *w)
{
	static char data[65507];
	int fd = connected_socket(w, IP_PMTUDISC_WANT);
	const size_t most = 128 * 500;

	option(w, fd, IPPROTO_UDP, UDP_SEGMENT, 500);
	EQ(pc_send(w->st, fd, data, most, 0), most);
	wt_settle(w);
	for (unsigned i = 0; i < 128; i++)
		EQ(next_udp(w)->payload_len, 500);
	ERR(pc_send(w->st, fd, data, most + 1, 0), EINVAL); /* 129 of them */
	option(w, fd, IPPROTO_UDP, UDP_SEGMENT, 1473);
	ERR(pc_send(w->st, fd, data, 3000, 0), EMSGSIZE); /* larger than the path */
	ERR(pc_send(w->st, fd, data, 1473, 0), EMSGSIZE);
	EQ(pc_send(w->st, fd, data, 1472, 0), 1472);
	wt_settle(w);
	EQ(next_udp(w)->payload_len, 1472);
}

static void sharing(struct wt *w)
{
	int fd[4], counts[4] = {0}, one = 1;
	const struct sockaddr_in a = wt_addr("0.0.0.0", 7);
	char c;

	wt_start(w);
	for (unsigned i = 0; i < 4; i++) {
		OK(fd[i] = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0));
		OK(pc_setsockopt(w->st, fd[i], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
		OK(pc_bind(w->st, fd[i], (const struct sockaddr *)&a, sizeof(a)));
	}
	for (uint16_t port = 5000; port < 5400; port++) {
		inject_udp(w, port, 7, "x", 1);
		inject_udp(w, port, 7, "x", 1);
		for (unsigned i = 0, before = 0; i < 4; i++) {
			int n = 0;

			for (; pc_recv(w->st, fd[i], &c, 1, 0) == 1; n++)
				;
			CHECK(n == 0 || (n == 2 && before++ == 0)); /* a flow stays where it is */
			counts[i] += n;
		}
	}
	for (unsigned i = 0; i < 4; i++)
		IN(counts[i], 140, 260);
}

static const struct wt_case cases[] = {
    {"RFC 768: datagrams of 0 to 1472 bytes come and go", every_length},
    {"send(2): EMSGSIZE", too_long},
    {"RFC 768: wrong lengths are dropped", wrong_lengths},
    {"RFC 1122 4.1.3.4: checksums", checksums},
    {"recv(2): MSG_TRUNC and MSG_PEEK", truncation},
    {"connect(2): a connected socket hears its peer only", connected},
    {"RFC 1122 4.1.3.3: ICMP errors reach a connected socket", refused},
    {"socket(7): SO_RCVBUF", receive_buffer},
    {"bind(2): an ephemeral port is taken when sending", ephemeral_port},
    {"socket(7): SO_BROADCAST", broadcast},
    {"pc_recv_mbuf and pc_send_mbuf", zero_copy},
    {"RFC 8085 3.2, ip(7): IP_MTU_DISCOVER, the path's MTU is learnt", path_mtu_learnt},
    {"RFC 1191 3: a path narrower than is believed", narrow_path},
    {"ip(7): the modes of IP_MTU_DISCOVER", path_mtu_modes},
    {"ip(7): IP_RECVERR, from routers and from here", error_queue},
    {"socket(7): SO_BINDTOIFINDEX and several addresses", source_on_interface},
    {"RFC 768: SO_NO_CHECK", without_checksum},
    {"sendmmsg(2), recvmmsg(2)", batches},
    {"udp(7): UDP_SEGMENT, its limits", segment_sizes},
    {"socket(7): SO_REUSEPORT spreads flows", sharing},
};

WT_MAIN("udp")
