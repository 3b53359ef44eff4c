/* SPDX-License-Identifier: BSD-2-Clause */

/* Raw and packet sockets (raw(7), packet(7)), filters (bpf(4)), and groups of datagram sockets (RFC 3493
 * section 5.2, RFC 3678). */

#include <arpa/inet.h>

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "wt.h"

#define GROUP "239.1.2.3"

static int open_socket(struct wt *w, int domain, int type, int protocol)
{
	int fd;

	wt_start(w);
	wt_settle(w);
	wt_drop(w);
	fd = pc_socket(w->st, domain, type, protocol);
	OK(fd);
	return fd;
}

static void inject_echo(struct wt *w, uint8_t type, uint16_t id)
{
	const struct frame_ends e = wt_ends(w);
	const uint8_t rest[4] = {(uint8_t)(id >> 8), (uint8_t)id, 0, 1};
	struct frame f;

	frame_icmp(&f, &e, type, 0, rest, "hello", 5);
	wt_inject_frame(w, &f);
}

static void raw_icmp(struct wt *w)
{
	int fd = open_socket(w, AF_INET, SOCK_RAW, IPPROTO_ICMP), value = 0;
	const struct sockaddr_in to = wt_addr(WT_PEER, 0);
	uint8_t buf[200] = {8, 0, 0, 0, 0x12, 0x34, 0, 1, 'x'};
	const uint32_t keep_away = ~(1u << 0);
	uint32_t blocked = 0;
	socklen_t blocked_len = 8;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	struct frame_info i;
	const struct frame *f;

	inject_echo(w, 0, 7); /* an answer: for nobody else */
	EQ(pc_recvfrom(w->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 20 + 8 + 5);
	CHECK(buf[0] == 0x45 && buf[9] == 1 && buf[20] == 0 && memcmp(buf + 28, "hello", 5) == 0);
	CHECK(from.sin_addr.s_addr == w->flow.peer_be && from.sin_port == 0);
	inject_echo(w, 8, 7); /* a request: answered, and seen */
	CHECK(wt_next_frame(w, 0) != NULL);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 33);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	OK(pc_setsockopt(w->st, fd, SOL_RAW, ICMP_FILTER, &keep_away, sizeof(keep_away)));
	OK(pc_getsockopt(w->st, fd, SOL_RAW, ICMP_FILTER, &blocked, &blocked_len));
	CHECK(blocked == keep_away && blocked_len == 4);
	inject_echo(w, 8, 7);
	CHECK(wt_next_frame(w, 0) != NULL);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	memcpy(buf, "\x8\0\x97\xca\x12\x34\0\1x", 9);
	EQ(pc_sendto(w->st, fd, buf, 9, 0, (const struct sockaddr *)&to, sizeof(to)), 9);
	wt_settle(w);
	f = probe_sent(w->probe);
	CHECK(f != NULL && f->b[23] == 1 && f->b[22] == 64 && memcmp(f->b + 34, buf, 9) == 0);
	probe_take(w->probe);
	len = sizeof(value);
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_TYPE, &value, &len));
	EQ(value, SOCK_RAW);
	OK(pc_close(w->st, fd));
	inject_echo(w, 8, 7);
	CHECK(frame_read(wt_next_frame(w, 0), &i) == NULL);
}

/* RFC 1122 3.2.2.1: a protocol that nobody has is told; with a socket somebody has it */
static void raw_protocol(struct wt *w)
{
	int fd = open_socket(w, AF_INET, SOCK_RAW, 253), other;
	const struct sockaddr_in here = wt_addr(WT_LOCAL, 0), peer = wt_addr(WT_PEER, 0),
	                         stranger = wt_addr("192.0.2.9", 0);
	const struct frame_ends e = wt_ends(w);
	uint8_t buf[100];
	struct frame f;

	frame_udp(&f, &e, 1, 2, "abcd", 4);
	f.b[23] = 253;
	frame_fix_ip4(&f);
	OK(other = pc_socket(w->st, AF_INET, SOCK_RAW, 253));
	OK(pc_bind(w->st, other, (const struct sockaddr *)&here, sizeof(here)));
	OK(pc_connect(w->st, other, (const struct sockaddr *)&stranger, sizeof(stranger)));
	wt_inject_frame(w, &f);
	CHECK(probe_sent(w->probe) == NULL);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 20 + 8 + 4);
	ERR(pc_recv(w->st, other, buf, sizeof(buf), 0), EAGAIN);
	OK(pc_connect(w->st, other, (const struct sockaddr *)&peer, sizeof(peer)));
	wt_inject_frame(w, &f);
	EQ(pc_recv(w->st, other, buf, sizeof(buf), 0), 32);
	EQ(wt_count(w, PC_DROP_RAW_DONE), 2);
	EQ(wt_count(w, PC_DROP_IP4_PROTOCOL), 0);
	OK(pc_close(w->st, fd));
	OK(pc_close(w->st, other));
	wt_inject_frame(w, &f);
	CHECK(probe_sent(w->probe) != NULL); /* protocol unreachable */
	EQ(wt_count(w, PC_DROP_IP4_PROTOCOL), 1);
	wt_drop(w);
	ERR(pc_socket(w->st, AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

static bool is_named(struct wt *w, int fd, const char *ip)
{
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	OK(pc_getsockname(w->st, fd, (struct sockaddr *)&name, &len));
	return name.sin_addr.s_addr == inet_addr(ip);
}

/* connect() gives a socket the address that it sends from, and only what is sent to that reaches it. */
static void raw_connect(struct wt *w)
{
	int fd = open_socket(w, AF_INET, SOCK_RAW, IPPROTO_ICMP), one = 1;
	const struct sockaddr_in peer = wt_addr(WT_PEER, 0), here = wt_addr(WT_LOCAL, 0),
	                         all = wt_addr("255.255.255.255", 0), group = wt_addr(GROUP, 0);
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	uint8_t buf[100];

	CHECK(is_named(w, fd, "0.0.0.0"));
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&peer, sizeof(peer)));
	CHECK(is_named(w, fd, WT_LOCAL));
	inject_echo(w, 0, 7);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 33);
	OK(pc_connect(w->st, fd, &nobody, sizeof(nobody)));
	CHECK(is_named(w, fd, "0.0.0.0"));
	ERR(pc_connect(w->st, fd, (const struct sockaddr *)&all, sizeof(all)), EACCES);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&all, sizeof(all)));
	ERR(pc_bind(w->st, fd, (const struct sockaddr *)&here, sizeof(here)), EINVAL);
	OK(pc_connect(w->st, fd, &nobody, sizeof(nobody)));
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&here, sizeof(here)));
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&peer, sizeof(peer)));
	OK(pc_connect(w->st, fd, &nobody, sizeof(nobody)));
	CHECK(is_named(w, fd, WT_LOCAL)); /* what bind() has set stays */
	/* bound to a broadcast address or a group it receives that alone */
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&all, sizeof(all)));
	CHECK(is_named(w, fd, "255.255.255.255"));
	while (pc_recv(w->st, fd, buf, sizeof(buf), 0) > 0)
		;
	inject_echo(w, 0, 7);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&group, sizeof(group)));
	ERR(pc_bind(w->st, fd, (const struct sockaddr *)&peer, sizeof(peer)), EADDRNOTAVAIL);
	OK(pc_close(w->st, fd));
	ERR(pc_socket(w->st, AF_INET6, SOCK_RAW, IPPROTO_RAW), EPROTONOSUPPORT);
}

/* A fragment of a datagram of 32 bytes of protocol 253. */
static void inject_piece(struct wt *w, uint8_t off, bool more)
{
	const struct frame_ends e = wt_ends(w);
	struct frame f;

	frame_udp(&f, &e, 1, 2, "12345678", 8);
	f.b[19] = 77;
	f.b[20] = more ? 0x20 : 0;
	f.b[21] = off / 8;
	f.b[23] = 253;
	frame_fix_ip4(&f);
	wt_inject_frame(w, &f);
}

static void raw_fragments(struct wt *w)
{
	int fd = open_socket(w, AF_INET, SOCK_RAW, 253);
	const struct frame *f;
	uint8_t buf[100];

	inject_piece(w, 0, true);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	inject_piece(w, 16, false);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 20 + 32);
	CHECK(memcmp(buf + 44, "12345678", 8) == 0);
	CHECK(probe_sent(w->probe) == NULL);
	OK(pc_close(w->st, fd));
	inject_piece(w, 0, true);
	CHECK(probe_sent(w->probe) == NULL);
	inject_piece(w, 16, false);
	f = wt_next_frame(w, 0);
	CHECK(f != NULL && f->b[34] == 3 && f->b[35] == 2); /* protocol unreachable */
}

static bool is_sent_with_df(struct wt *w)
{
	const struct frame *f;
	bool df;

	wt_settle(w);
	f = probe_sent(w->probe);
	CHECK(f != NULL);
	df = (f->b[20] & 0x40) != 0;
	CHECK(!df || (f->b[18] == 0 && f->b[19] == 0)); /* RFC 6864 4.1 */
	while (probe_sent(w->probe) != NULL)
		probe_take(w->probe);
	return df;
}

static void raw_sizes(struct wt *w)
{
	static const struct {
		int mode;
		bool df, cut;
	} modes[] = {{IP_PMTUDISC_WANT, true, true},        {IP_PMTUDISC_DONT, false, true},
	             {IP_PMTUDISC_DO, true, false},         {IP_PMTUDISC_PROBE, true, false},
	             {IP_PMTUDISC_INTERFACE, false, false}, {IP_PMTUDISC_OMIT, false, true}};
	int fd = open_socket(w, AF_INET, SOCK_RAW, 253);
	const struct sockaddr_in to = wt_addr(WT_PEER, 0);
	static const uint8_t buf[1481];

	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MTU_DISCOVER, &modes[i].mode, 4));
		OK(pc_sendto(w->st, fd, buf, 1480, 0, (const struct sockaddr *)&to, sizeof(to)));
		EQ(is_sent_with_df(w), modes[i].df);
		if (!modes[i].cut) {
			ERR(pc_sendto(w->st, fd, buf, 1481, 0, (const struct sockaddr *)&to,
			              sizeof(to)),
			    EMSGSIZE);
			continue;
		}
		OK(pc_sendto(w->st, fd, buf, 1481, 0, (const struct sockaddr *)&to, sizeof(to)));
		CHECK(!is_sent_with_df(w));
	}
	OK(pc_close(w->st, fd));
}

/* A router's error about a packet of protocol 253 that we have sent to the peer. */
static void inject_error(struct wt *w, uint8_t code, uint16_t mtu)
{
	const struct frame_ends e = wt_ends(w);
	const struct frame_ends back = {.src_be = e.dst_be, .dst_be = e.src_be};
	const uint8_t rest[4] = {0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu};
	struct frame f, quoted;

	frame_udp(&quoted, &back, 1, 2, "12345678", 8);
	quoted.b[23] = 253;
	frame_fix_ip4(&quoted);
	frame_icmp(&f, &e, 3, code, rest, quoted.b + 14, 28);
	wt_inject_frame(w, &f);
}

static void raw_path_mtu(struct wt *w)
{
	int fd = open_socket(w, AF_INET, SOCK_RAW, 253), other, mode = IP_PMTUDISC_DO, error;
	const struct sockaddr_in to = wt_addr(WT_PEER, 0);
	static const uint8_t buf[1480];
	socklen_t len = sizeof(error);

	OK(other = pc_socket(w->st, AF_INET, SOCK_RAW, 252));
	OK(pc_connect(w->st, other, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode)));
	OK(pc_sendto(w->st, fd, buf, 1480, 0, (const struct sockaddr *)&to, sizeof(to)));
	inject_error(w, 4, 1000);
	ERR(pc_sendto(w->st, fd, buf, 981, 0, (const struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
	OK(pc_sendto(w->st, fd, buf, 980, 0, (const struct sockaddr *)&to, sizeof(to)));
	inject_error(w, 2, 0); /* it is not connected: not told */
	OK(pc_sendto(w->st, fd, buf, 980, 0, (const struct sockaddr *)&to, sizeof(to)));
	OK(pc_connect(w->st, fd, (const struct sockaddr *)&to, sizeof(to)));
	inject_error(w, 2, 0);
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_ERROR, &error, &len));
	EQ(error, ENOPROTOOPT);
	OK(pc_getsockopt(w->st, other, SOL_SOCKET, SO_ERROR, &error, &len));
	EQ(error, 0);
	wt_settle(w);
	while (probe_sent(w->probe) != NULL)
		probe_take(w->probe);
	OK(pc_close(w->st, other));
	OK(pc_close(w->st, fd));
	inject_error(w, 4, 600); /* of nothing that anybody here sends */
	EQ(wt_count(w, PC_DROP_ICMP_NO_MATCH), 1);
}

/* IP_RECVERR: errors of any kind, also of a socket without a peer */
static void raw_reports(struct wt *w)
{
	int fd = open_socket(w, AF_INET, SOCK_RAW, 253), on = 1, error;
	_Alignas(struct cmsghdr) char control[200];
	struct sockaddr_in to;
	char buf[100];
	struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
	struct msghdr msg = {.msg_name = &to,
	                     .msg_namelen = sizeof(to),
	                     .msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = control,
	                     .msg_controllen = sizeof(control)};
	struct sock_extended_err told;
	socklen_t len = sizeof(error);

	inject_error(w, 1, 0);
	ERR(pc_recvmsg(w->st, fd, &msg, MSG_ERRQUEUE), EAGAIN);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)));
	inject_error(w, 1, 0);
	OK(pc_getsockopt(w->st, fd, SOL_SOCKET, SO_ERROR, &error, &len));
	EQ(error, EHOSTUNREACH);
	EQ(pc_recvmsg(w->st, fd, &msg, MSG_ERRQUEUE), 8);
	CHECK(memcmp(buf, "\0\1\0\2", 4) == 0); /* what follows the header of IP */
	CHECK(to.sin_addr.s_addr == w->flow.peer_be && to.sin_port == 0);
	CHECK(CMSG_FIRSTHDR(&msg) != NULL && CMSG_FIRSTHDR(&msg)->cmsg_type == IP_RECVERR);
	memcpy(&told, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(told));
	CHECK(told.ee_errno == EHOSTUNREACH && told.ee_origin == SO_EE_ORIGIN_ICMP &&
	      told.ee_type == 3 && told.ee_code == 1);
	ERR(pc_recvmsg(w->st, fd, &msg, MSG_ERRQUEUE), EAGAIN);
	OK(pc_close(w->st, fd));
}

/* pc_stack_set_mtu while a tap stands before the port, and after it has gone */
static void tap_mtu(struct wt *w)
{
	int fd = open_socket(w, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), other,
	    mode = IP_PMTUDISC_DO;
	const struct sockaddr_in to = wt_addr(WT_PEER, 9);
	static const uint8_t buf[1472];

	OK(other = pc_socket(w->st, AF_INET, SOCK_DGRAM, 0));
	OK(pc_setsockopt(w->st, other, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode)));
	OK(pc_stack_set_mtu(w->st, 0, 1000));
	wt_pass(w, 1);
	ERR(pc_sendto(w->st, other, buf, 973, 0, (const struct sockaddr *)&to, sizeof(to)),
	    EMSGSIZE);
	OK(pc_close(w->st, fd));
	ERR(pc_sendto(w->st, other, buf, 973, 0, (const struct sockaddr *)&to, sizeof(to)),
	    EMSGSIZE);
	OK(pc_stack_set_mtu(w->st, 0, 0));
	OK(pc_sendto(w->st, other, buf, 1472, 0, (const struct sockaddr *)&to, sizeof(to)));
	wt_settle(w);
	wt_drop(w);
}

/* netdevice(7): an interface that is not there */
static void no_interface(struct wt *w)
{
	static const int domains[] = {AF_INET, AF_INET6, AF_PACKET};
	struct sockaddr_ll ll = {.sll_family = AF_PACKET};
	int fd = open_socket(w, AF_INET, SOCK_DGRAM, 0), one = 1, two = 2, many = 300, less = -1;

	OK(pc_close(w->st, fd));
	for (unsigned i = 0; i < 3; i++) {
		OK(fd = pc_socket(w->st, domains[i], SOCK_RAW, 253));
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &two, 4), ENODEV);
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &many, 4), ENODEV);
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &less, 4), EINVAL);
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_BINDTOIFINDEX, &one, 4));
		for (ll.sll_ifindex = -2; domains[i] == AF_PACKET && ll.sll_ifindex < 3;
		     ll.sll_ifindex++) {
			int rc = pc_bind(w->st, fd, (struct sockaddr *)&ll, sizeof(ll));

			EQ(rc, ll.sll_ifindex == 0 || ll.sll_ifindex == 1 ? 0 : -1);
		}
		OK(pc_close(w->st, fd));
	}
}

static void raw_header(struct wt *w)
{
	int fd = open_socket(w, AF_INET, SOCK_RAW, IPPROTO_RAW);
	const struct sockaddr_in to = wt_addr(WT_PEER, 0);
	uint8_t p[32] = {0x45, 0, 0, 0, 0, 0, 0, 0, 17, 253, 0xff, 0xff};
	const struct frame *f;
	uint32_t sum;

	memcpy(p + 16, &to.sin_addr, 4);
	EQ(pc_sendto(w->st, fd, p, sizeof(p), 0, (const struct sockaddr *)&to, sizeof(to)), 32);
	wt_settle(w);
	f = probe_sent(w->probe);
	CHECK(f != NULL && f->b[17] == 32 && f->b[22] == 17 && f->b[23] == 253);
	CHECK(memcmp(f->b + 26, &(uint32_t){inet_addr(WT_LOCAL)}, 4) == 0);
	CHECK(f->b[18] != 0 || f->b[19] != 0);
	sum = frame_sum(f->b + 14, 20, 0);
	EQ(frame_fold(sum), 0);
	probe_take(w->probe);
	p[0] = 0x46; /* a header longer than what is there is none */
	EQ(pc_sendto(w->st, fd, p, sizeof(p), 0, (const struct sockaddr *)&to, sizeof(to)), 32);
	ERR(pc_sendto(w->st, fd, p, 20, 0, (const struct sockaddr *)&to, sizeof(to)), EINVAL);
	p[0] = 0x65;
	ERR(pc_sendto(w->st, fd, p, sizeof(p), 0, (const struct sockaddr *)&to, sizeof(to)),
	    EINVAL);
	wt_settle(w);
	CHECK(probe_sent(w->probe) != NULL && probe_sent(w->probe)->b[14] == 0x46);
	probe_take(w->probe);
}

/* A packet socket sees what comes and what goes, and nobody notices. */
static void packets(struct wt *w)
{
	int fd = open_socket(w, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), cooked, other;
	const struct frame_ends e = wt_ends(w);
	struct sockaddr_ll from, to = {.sll_family = AF_PACKET, .sll_ifindex = 1};
	socklen_t len = sizeof(from);
	uint8_t buf[2000];
	struct frame f;

	OK(cooked = pc_socket(w->st, AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
	frame_icmp(&f, &e, 8, 0, (uint8_t[4]){0, 1, 0, 1}, "0123456789", 10);
	wt_inject_frame(w, &f);
	EQ(pc_recvfrom(w->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), f.len);
	CHECK(memcmp(buf, f.b, f.len) == 0);
	CHECK(from.sll_ifindex == 1 && from.sll_pkttype == PACKET_HOST &&
	      from.sll_protocol == htons(ETH_P_IP) && memcmp(from.sll_addr, PEER_MAC, 6) == 0);
	EQ(pc_recvfrom(w->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), f.len);
	CHECK(from.sll_pkttype == PACKET_OUTGOING && buf[34] == 0); /* the answer */
	CHECK(wt_next_frame(w, 0) != NULL);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	EQ(pc_recv(w->st, cooked, buf, sizeof(buf), 0), f.len - 14); /* only what comes */
	CHECK(buf[0] == 0x45);
	ERR(pc_recv(w->st, cooked, buf, sizeof(buf), 0), EAGAIN);
	/* sending */
	ERR(pc_sendto(w->st, fd, f.b, 10, 0, (struct sockaddr *)&to, sizeof(to)), EINVAL);
	ERR(pc_sendto(w->st, fd, buf, 1515, 0, (struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
	OK(other = pc_socket(w->st, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
	EQ(pc_sendto(w->st, fd, f.b, f.len, 0, (struct sockaddr *)&to, sizeof(to)), f.len);
	wt_settle(w);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN); /* only others see it */
	EQ(pc_recv(w->st, other, buf, sizeof(buf), 0), f.len);
	OK(pc_close(w->st, other));
	to.sll_ifindex = 2;
	ERR(pc_sendto(w->st, fd, f.b, f.len, 0, (struct sockaddr *)&to, sizeof(to)), ENXIO);
	wt_settle(w);
	CHECK(probe_sent(w->probe) != NULL && memcmp(probe_sent(w->probe)->b, f.b, f.len) == 0);
	probe_take(w->probe);
	to = (struct sockaddr_ll){.sll_family = AF_PACKET,
	                          .sll_ifindex = 1,
	                          .sll_protocol = htons(0x88b5),
	                          .sll_halen = 6};
	memcpy(to.sll_addr, PEER_MAC, 6);
	ERR(pc_sendto(w->st, cooked, "payload", 7, 0, (struct sockaddr *)&to, 17), EINVAL);
	EQ(pc_sendto(w->st, cooked, "payload", 7, 0, (struct sockaddr *)&to, 18), 7);
	wt_settle(w);
	CHECK(probe_sent(w->probe) != NULL && probe_sent(w->probe)->b[12] == 0x88 &&
	      memcmp(probe_sent(w->probe)->b + 6, PROBE_MAC, 6) == 0);
	probe_take(w->probe);
	OK(pc_close(w->st, fd));
	OK(pc_close(w->st, cooked));
	inject_echo(w, 8, 1);
	CHECK(wt_next_frame(w, 0) != NULL);
}

/* A frame with a length instead of an EtherType, as of the spanning tree, is of ETH_P_802_2. */
static void packet_length(struct wt *w)
{
	int fd = open_socket(w, AF_PACKET, SOCK_RAW, htons(ETH_P_802_2)), cooked;
	const struct frame_ends e = wt_ends(w);
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	uint8_t buf[200];
	struct frame f;

	OK(cooked = pc_socket(w->st, AF_PACKET, SOCK_DGRAM, htons(ETH_P_802_2)));
	frame_icmp(&f, &e, 0, 0, (uint8_t[4]){0, 1, 0, 1}, "0123456789", 10);
	wt_inject_frame(w, &f); /* not for them */
	f.b[12] = 0;
	f.b[13] = 38;
	memcpy(f.b + 14, "\x42\x42\3", 3);
	wt_inject_frame(w, &f);
	EQ(pc_recvfrom(w->st, fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), f.len);
	CHECK(from.sll_protocol == htons(ETH_P_802_2) && memcmp(buf, f.b, f.len) == 0);
	EQ(pc_recv(w->st, cooked, buf, sizeof(buf), 0), f.len - 14);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	OK(pc_close(w->st, fd));
	OK(pc_close(w->st, cooked));
}

/* packet_snd() in Linux: of the ancillary data to send, those of SOL_SOCKET count. */
static void packet_control_to_send(struct wt *w)
{
	static const struct {
		int level, type, error;
	} items[] = {{SOL_SOCKET, SO_MARK, 0},
	             {IPPROTO_IP, IP_TTL, 0},
	             {IPPROTO_IPV6, IPV6_HOPLIMIT, 0},
	             {SOL_SOCKET, 9999, EINVAL}};
	int fd = open_socket(w, AF_PACKET, SOCK_DGRAM, 0);
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
	                         .sll_ifindex = 1,
	                         .sll_protocol = htons(0x88b5),
	                         .sll_halen = 6};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (char[]){"payload"}, .iov_len = 7};
	struct msghdr msg = {.msg_name = &to,
	                     .msg_namelen = sizeof(to),
	                     .msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = control,
	                     .msg_controllen = sizeof(control)};

	memcpy(to.sll_addr, PEER_MAC, 6);
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		                                        .cmsg_level = items[i].level,
		                                        .cmsg_type = items[i].type};
		if (items[i].error != 0) {
			ERR(pc_sendmsg(w->st, fd, &msg, 0), items[i].error);
			continue;
		}
		EQ(pc_sendmsg(w->st, fd, &msg, 0), 7);
		wt_settle(w);
		CHECK(probe_sent(w->probe) != NULL && probe_sent(w->probe)->b[13] == 0xb5);
		probe_take(w->probe);
	}
	OK(pc_close(w->st, fd));
}

/* when a frame came, and how many found no room before it, as of other sockets */
static void packet_control(struct wt *w)
{
	int fd = open_socket(w, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), on = 1, small = 1;
	char buf[200], control[200];
	struct timespec at[2] = {{0}};
	uint32_t drops = 0;

	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)));
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)));
	for (int i = 0; i < 2; i++) {
		struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
		struct msghdr msg = {.msg_iov = &iov,
		                     .msg_iovlen = 1,
		                     .msg_control = control,
		                     .msg_controllen = sizeof(control)};

		inject_echo(w, 0, 1);
		wt_pass(w, 250);
		EQ(pc_recvmsg(w->st, fd, &msg, MSG_TRUNC), 47);
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
			CHECK(c->cmsg_level == SOL_SOCKET);
			if (c->cmsg_type == SO_TIMESTAMPNS)
				memcpy(&at[i], CMSG_DATA(c), sizeof(at[i]));
			else if (c->cmsg_type == SO_RXQ_OVFL)
				memcpy(&drops, CMSG_DATA(c), sizeof(drops));
		}
		if (i == 1)
			break;
		EQ(drops, 0);
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)));
		for (int k = 0; k < 40; k++)
			inject_echo(w, 0, 1);
		while (pc_recv(w->st, fd, buf, sizeof(buf), 0) > 0)
			;
	}
	IN((at[1].tv_sec - at[0].tv_sec) * 1000 + (at[1].tv_nsec - at[0].tv_nsec) / 1000000, 250,
	   300);
	IN(drops, 1, 39);
	OK(pc_close(w->st, fd));
}

/* Without an mbuf for a copy a frame goes its way unseen, in either direction, and that is counted. */
static void packet_without_mbuf(struct wt *w)
{
	int fd = open_socket(w, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	uint8_t buf[200];

	wt_take_mbufs(w, 0);
	inject_echo(w, 8, 1);
	CHECK(wt_next_frame(w, 0) != NULL);
	EQ(wt_count(w, PC_RX_COPY_NO_MBUF), 2);
	wt_give_mbufs(w);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	OK(pc_close(w->st, fd));
}

static int attach(struct wt *w, int fd, struct sock_filter *insn, unsigned short n)
{
	struct sock_fprog prog = {.len = n, .filter = insn};

	return pc_setsockopt(w->st, fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

/* "icmp[icmptype] = 8", as tcpdump -dd has it, and at most 40 bytes */
static void filters(struct wt *w)
{
	struct sock_filter echo[] = {
	    {0x28, 0, 0, 12}, {0x15, 0, 8, 0x800},  {0x30, 0, 0, 23}, {0x15, 0, 6, 1},
	    {0x28, 0, 0, 20}, {0x45, 4, 0, 0x1fff}, {0xb1, 0, 0, 14}, {0x50, 0, 0, 14},
	    {0x15, 0, 1, 8},  {0x6, 0, 0, 40},      {0x6, 0, 0, 0},
	};
	int fd = open_socket(w, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), zero = 0;
	uint8_t buf[200];

	OK(attach(w, fd, echo, 11));
	inject_echo(w, 8, 1);
	wt_drop(w);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 40);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN); /* not the answer */
	inject_echo(w, 0, 1);
	ERR(pc_recv(w->st, fd, buf, sizeof(buf), 0), EAGAIN);
	/* what may not run */
	ERR(attach(w, fd, echo, 9), EINVAL); /* no return at the end */
	echo[8].jt = 2;
	ERR(attach(w, fd, echo, 11), EINVAL); /* a jump behind the end */
	echo[8].jt = 0;
	echo[7] = (struct sock_filter){0x34, 0, 0, 0};
	ERR(attach(w, fd, echo, 11), EINVAL); /* a division by 0 */
	echo[7] = (struct sock_filter){0x60, 0, 0, 16};
	ERR(attach(w, fd, echo, 11), EINVAL); /* scratch memory that is not there */
	echo[7] = (struct sock_filter){0xff, 0, 0, 0};
	ERR(attach(w, fd, echo, 11), EINVAL);
	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)));
	ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)), ENOENT);
	inject_echo(w, 0, 1);
	EQ(pc_recv(w->st, fd, buf, sizeof(buf), 0), 47);
	OK(pc_close(w->st, fd));
}

/* socket(7): a filter stays as it is, also that there is none. The errors and their order are Linux's. */
static void filter_locked(struct wt *w)
{
	struct sock_filter all[] = {{0x6, 0, 0, 65535}};
	const struct sock_fprog none = {.len = 0, .filter = all};
	const int types[2][3] = {{AF_PACKET, SOCK_RAW, 0}, {AF_INET, SOCK_RAW, IPPROTO_ICMP}};
	int fd, on = 1, off = 0;

	for (int i = 0; i < 2; i++) {
		fd = open_socket(w, types[i][0], types[i][1], types[i][2]);
		OK(attach(w, fd, all, 1));
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
		ERR(attach(w, fd, all, 1), EPERM);
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof(none)),
		    EPERM);
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_ATTACH_FILTER, &none, 4), EINVAL);
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)), EPERM);
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off)), EPERM);
		OK(pc_close(w->st, fd));
		OK(fd = pc_socket(w->st, types[i][0], types[i][1], types[i][2]));
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_LOCK_FILTER, &off, sizeof(off)));
		OK(attach(w, fd, all, 1)); /* it is a new one */
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)));
		OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)));
		ERR(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof(on)), EPERM);
		OK(pc_close(w->st, fd));
	}
}

/* How many of a request and its answer pass a filter of four instructions, which loads by code and k,
 * and compares with want. */
static int pass(struct wt *w, int fd, uint16_t code, uint32_t k, uint32_t want)
{
	struct sock_filter f[] = {
	    {code, 0, 0, k}, {0x15, 0, 1, want}, {6, 0, 0, 65535}, {6, 0, 0, 0}};
	uint8_t buf[200];
	int n = 0;

	while (pc_recv(w->st, fd, buf, sizeof(buf), 0) > 0)
		;
	OK(attach(w, fd, f, 4));
	inject_echo(w, 8, 1);
	CHECK(wt_next_frame(w, 0) != NULL);
	while (pc_recv(w->st, fd, buf, sizeof(buf), 0) > 0)
		n++;
	return n;
}

/* What a filter asks about a packet that is not in it: libpcap's "inbound" and "ifindex", for example. */
static void filters_ask(struct wt *w)
{
	const uint32_t type = (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE),
	               port = (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX),
	               protocol = (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL),
	               net = (uint32_t)SKF_NET_OFF, link = (uint32_t)SKF_LL_OFF;
	struct sock_filter unknown[] = {{0x20, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)},
	                                {6, 0, 0, 0}};
	int fd = open_socket(w, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), cooked, raw;

	OK(cooked = pc_socket(w->st, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)));
	OK(raw = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_ICMP));
	EQ(pass(w, fd, 0x28, type, PACKET_OUTGOING), 1);
	EQ(pass(w, fd, 0x28, type, PACKET_HOST), 1);
	EQ(pass(w, fd, 0x28, type, PACKET_BROADCAST), 0);
	EQ(pass(w, raw, 0x30, type, PACKET_HOST), 1);
	EQ(pass(w, fd, 0x20, port, 1), 2);
	EQ(pass(w, fd, 0x20, port, 2), 0);
	EQ(pass(w, cooked, 0x20, protocol, ETH_P_IP), 2);
	EQ(pass(w, raw, 0x20, protocol, ETH_P_IP), 1);
	EQ(pass(w, fd, 0x20, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT), 0), 2);
	/* of the header of IP, and of the frame */
	EQ(pass(w, fd, 0x30, net + 9, IPPROTO_ICMP), 2);
	EQ(pass(w, cooked, 0x30, net + 9, IPPROTO_ICMP), 2);
	EQ(pass(w, cooked, 0x28, link + 12, ETH_P_IP), 2);
	EQ(pass(w, raw, 0x50, link + 23, IPPROTO_ICMP), 1); /* and 0 of the index */
	EQ(pass(w, fd, 0x30, net + 33, 0), 0);              /* beyond the end */
	EQ(pass(w, fd, 0x50, net - 1, 0), 0);
	EQ(pass(w, fd, 0x50, type, PACKET_HOST), 0); /* no fact, but a byte that there is not */
	ERR(attach(w, fd, unknown, 2), EINVAL);
	OK(pc_close(w->st, fd));
	OK(pc_close(w->st, cooked));
	OK(pc_close(w->st, raw));
}

/* ---- groups ---------------------------------------------------------------------------------- */

static int member_socket(struct wt *w, uint16_t port)
{
	int fd = open_socket(w, AF_INET, SOCK_DGRAM, 0), one = 1;
	const struct sockaddr_in a = wt_addr("0.0.0.0", port);

	OK(pc_setsockopt(w->st, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	OK(pc_bind(w->st, fd, (const struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static int member(struct wt *w, int fd, int name, const char *group)
{
	struct ip_mreqn m = {.imr_multiaddr.s_addr = inet_addr(group)};
	int rc = pc_setsockopt(w->st, fd, IPPROTO_IP, name, &m, sizeof(m)), e = errno;

	wt_settle(w);
	while (probe_sent(w->probe) != NULL)
		probe_take(w->probe); /* reports; wire/group looks at them */
	errno = e;
	return rc;
}

static int source(struct wt *w, int fd, int name, const char *from)
{
	struct ip_mreq_source m = {.imr_multiaddr.s_addr = inet_addr(GROUP),
	                           .imr_sourceaddr.s_addr = inet_addr(from)};
	int rc = pc_setsockopt(w->st, fd, IPPROTO_IP, name, &m, sizeof(m)), e = errno;

	wt_settle(w);
	while (probe_sent(w->probe) != NULL)
		probe_take(w->probe);
	errno = e;
	return rc;
}

/* Says whether a socket has got what a host has sent to the group. */
static bool hears(struct wt *w, int fd, const char *from)
{
	struct frame_ends e = {
	    .src_mac = PEER_MAC, .src_be = inet_addr(from), .dst_be = inet_addr(GROUP)};
	struct frame f;
	bool heard;
	char c;

	memcpy(e.dst_mac, "\x01\x00\x5e\x01\x02\x03", 6);
	frame_udp(&f, &e, 5000, 7000, "x", 1);
	wt_inject_frame(w, &f);
	heard = pc_recv(w->st, fd, &c, 1, 0) == 1;
	while (pc_recv(w->st, fd, &c, 1, 0) == 1)
		;
	return heard;
}

static void members(struct wt *w)
{
	int a = member_socket(w, 7000), b = member_socket(w, 7000), zero = 0;
	struct group_req req = {.gr_interface = 1};
	struct sockaddr_in group = wt_addr(GROUP, 0);
	char c;

	CHECK(!hears(w, a, WT_PEER));
	OK(member(w, a, IP_ADD_MEMBERSHIP, GROUP));
	ERR(member(w, a, IP_ADD_MEMBERSHIP, GROUP), EADDRINUSE);
	ERR(member(w, a, IP_ADD_MEMBERSHIP, "10.0.0.1"), EINVAL);
	CHECK(hears(w, a, WT_PEER));
	EQ(pc_recv(w->st, b, &c, 1, 0), 1); /* IP_MULTICAST_ALL: b hears what others have joined */
	OK(pc_setsockopt(w->st, b, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof(zero)));
	CHECK(hears(w, a, WT_PEER));
	ERR(pc_recv(w->st, b, &c, 1, 0), EAGAIN);
	memcpy(&req.gr_group, &group, sizeof(group));
	OK(pc_setsockopt(w->st, b, IPPROTO_IP, MCAST_JOIN_GROUP, &req, sizeof(req)));
	wt_drop(w);
	CHECK(hears(w, a, WT_PEER));
	EQ(pc_recv(w->st, b, &c, 1, 0), 1);
	OK(member(w, a, IP_DROP_MEMBERSHIP, GROUP));
	ERR(member(w, a, IP_DROP_MEMBERSHIP, GROUP), EADDRNOTAVAIL);
	CHECK(hears(w, b, WT_PEER)); /* the interface is still a member */
	OK(pc_close(w->st, b));
	wt_drop(w);
	EQ(pc_recv(w->st, a, &c, 1, 0), 1); /* as b did */
	CHECK(!hears(w, a, WT_PEER));       /* the last one has left */
	for (unsigned i = 0; i < 20; i++) {
		char text[20];

		snprintf(text, sizeof(text), "239.2.0.%u", i);
		OK(member(w, a, IP_ADD_MEMBERSHIP, text));
	}
	ERR(member(w, a, IP_ADD_MEMBERSHIP, GROUP), ENOBUFS);
	OK(pc_close(w->st, a));
	wt_drop(w);
}

static void sources(struct wt *w)
{
	int a = member_socket(w, 7000);

	OK(source(w, a, IP_ADD_SOURCE_MEMBERSHIP, WT_PEER));
	ERR(source(w, a, IP_ADD_SOURCE_MEMBERSHIP, WT_PEER), EADDRNOTAVAIL);
	ERR(source(w, a, IP_BLOCK_SOURCE, WT_PEER), EINVAL);
	CHECK(hears(w, a, WT_PEER));
	CHECK(!hears(w, a, "192.0.2.9"));
	OK(source(w, a, IP_ADD_SOURCE_MEMBERSHIP, "192.0.2.9"));
	CHECK(hears(w, a, "192.0.2.9"));
	OK(source(w, a, IP_DROP_SOURCE_MEMBERSHIP, WT_PEER));
	CHECK(!hears(w, a, WT_PEER));
	OK(source(w, a, IP_DROP_SOURCE_MEMBERSHIP, "192.0.2.9")); /* and so it has left */
	ERR(member(w, a, IP_DROP_MEMBERSHIP, GROUP), EADDRNOTAVAIL);
	OK(member(w, a, IP_ADD_MEMBERSHIP, GROUP));
	OK(source(w, a, IP_BLOCK_SOURCE, WT_PEER));
	CHECK(!hears(w, a, WT_PEER));
	CHECK(hears(w, a, "192.0.2.9"));
	OK(source(w, a, IP_UNBLOCK_SOURCE, WT_PEER));
	CHECK(hears(w, a, WT_PEER));
	OK(pc_close(w->st, a));
	a = pc_socket(w->st, AF_INET, SOCK_RAW, IPPROTO_UDP); /* and raw sockets */
	OK(member(w, a, IP_ADD_MEMBERSHIP, GROUP));
	OK(source(w, a, IP_BLOCK_SOURCE, WT_PEER));
	CHECK(!hears(w, a, WT_PEER));
	CHECK(hears(w, a, "192.0.2.9"));
	OK(pc_close(w->st, a));
	wt_drop(w);
}

/* Two sources, shut out or the only ones heard: all of a filter at once. */
static int source_filter(struct wt *w, int fd, uint32_t mode, const char *first, const char *second)
{
	struct {
		struct ip_msfilter head;
		struct in_addr more;
	} f = {.head = {.imsf_multiaddr.s_addr = inet_addr(GROUP), .imsf_fmode = mode}};
	const char *from[] = {first, second};
	uint32_t n = 0;

	for (; n < 2 && from[n] != NULL; n++) {
		const in_addr_t addr_be = inet_addr(from[n]);

		memcpy((char *)&f + IP_MSFILTER_SIZE(n), &addr_be, sizeof(addr_be));
	}
	f.head.imsf_numsrc = n;
	return pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MSFILTER, &f,
	                     (socklen_t)IP_MSFILTER_SIZE(n));
}

static void source_filters(struct wt *w)
{
	const int a = member_socket(w, 7000);
	struct ip_msfilter f = {.imsf_multiaddr.s_addr = inet_addr(GROUP), .imsf_numsrc = 1};
	socklen_t len = sizeof(f);

	ERR(source_filter(w, a, MCAST_EXCLUDE, WT_PEER, NULL), EINVAL); /* it has not joined */
	ERR(source_filter(w, a, MCAST_INCLUDE, NULL, NULL), EADDRNOTAVAIL);
	OK(member(w, a, IP_ADD_MEMBERSHIP, GROUP));
	OK(source_filter(w, a, MCAST_EXCLUDE, "192.0.2.9", WT_PEER));
	CHECK(!hears(w, a, WT_PEER) && !hears(w, a, "192.0.2.9"));
	CHECK(hears(w, a, "192.0.2.8"));
	OK(source_filter(w, a, MCAST_INCLUDE, WT_PEER, "192.0.2.8"));
	CHECK(hears(w, a, WT_PEER) && hears(w, a, "192.0.2.8"));
	CHECK(!hears(w, a, "192.0.2.9"));
	OK(pc_getsockopt(w->st, a, IPPROTO_IP, IP_MSFILTER, &f, &len));
	EQ(len, sizeof(f));
	EQ(f.imsf_fmode, MCAST_INCLUDE);
	EQ(f.imsf_numsrc, 2);
	EQ(f.imsf_slist[0].s_addr, inet_addr(WT_PEER));
	OK(source_filter(w, a, MCAST_EXCLUDE, NULL, NULL)); /* anybody */
	CHECK(hears(w, a, WT_PEER) && hears(w, a, "192.0.2.9"));
	OK(source_filter(w, a, MCAST_INCLUDE, NULL, NULL)); /* nobody: it has left */
	ERR(member(w, a, IP_DROP_MEMBERSHIP, GROUP), EADDRNOTAVAIL);
	OK(pc_close(w->st, a));
	wt_drop(w);
}

static void send_to_group(struct wt *w)
{
	int fd = member_socket(w, 7000);
	const struct sockaddr_in to = wt_addr(GROUP, 9);
	const struct pc_prefix other = {.addr = pc_addr_ip4(inet_addr("192.0.2.77")),
	                                .len = 96 + 24};
	struct in_addr here = {inet_addr(WT_LOCAL)}, got, nobody = {inet_addr("10.9.9.9")},
	               second = {inet_addr("192.0.2.77")};
	const struct ip_mreqn by_index = {.imr_ifindex = 1};
	socklen_t len = sizeof(got);
	uint8_t ttl = 5;
	const struct frame *f;

	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MULTICAST_IF, &here, sizeof(here)));
	OK(pc_getsockopt(w->st, fd, IPPROTO_IP, IP_MULTICAST_IF, &got, &len));
	EQ(got.s_addr, here.s_addr);
	ERR(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MULTICAST_IF, &nobody, sizeof(nobody)),
	    EADDRNOTAVAIL);
	for (unsigned i = 0; i < 2; i++) {
		EQ(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
		wt_settle(w);
		f = wt_next_frame(w, 0);
		CHECK(f != NULL && memcmp(f->b, "\x01\x00\x5e\x01\x02\x03", 6) == 0);
		EQ(f->b[22], i == 0 ? 1 : 5); /* RFC 1112 6.1 */
		EQ(memcmp(f->b + 26, &here, 4), 0);
		OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, 1));
	}
	/* the interface's second address is the source, if it was named by that */
	OK(pc_stack_add_addr(w->st, 0, &other));
	wt_settle(w);
	wt_drop(w);
	OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MULTICAST_IF, &second, sizeof(second)));
	for (unsigned i = 0; i < 2; i++) {
		OK(pc_getsockopt(w->st, fd, IPPROTO_IP, IP_MULTICAST_IF, &got, &len));
		EQ(got.s_addr, i == 0 ? second.s_addr : 0);
		EQ(pc_sendto(w->st, fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
		wt_settle(w);
		f = wt_next_frame(w, 0);
		CHECK(f != NULL && memcmp(f->b + 26, i == 0 ? &second : &here, 4) == 0);
		OK(pc_setsockopt(w->st, fd, IPPROTO_IP, IP_MULTICAST_IF, &by_index,
		                 sizeof(by_index)));
	}
	OK(pc_close(w->st, fd));
	wt_drop(w);
}

static const struct wt_case cases[] = {
    {"raw(7): ICMP", raw_icmp},
    {"raw(7): other protocols, names", raw_protocol},
    {"raw(7): the address of a connected socket", raw_connect},
    {"raw(7): datagrams that came in fragments", raw_fragments},
    {"raw(7): IP_MTU_DISCOVER", raw_sizes},
    {"raw(7): errors, the path's MTU", raw_path_mtu},
    {"raw(7): IP_RECVERR", raw_reports},
    {"packet(7): the MTU changes before and behind a tap", tap_mtu},
    {"raw(7), packet(7): no such interface", no_interface},
    {"raw(7): IP_HDRINCL", raw_header},
    {"packet(7): every frame, both ways", packets},
    {"packet(7): frames with a length", packet_length},
    {"packet(7), socket(7): SO_TIMESTAMPNS and SO_RXQ_OVFL", packet_control},
    {"packet(7): an address and ancillary data", packet_control_to_send},
    {"packet(7): frames that there is no mbuf for a copy of", packet_without_mbuf},
    {"bpf(4): SO_ATTACH_FILTER", filters},
    {"socket(7): SO_LOCK_FILTER", filter_locked},
    {"bpf(4): what is not in the packet", filters_ask},
    {"RFC 3493 5.2: members", members},
    {"RFC 3678 4.1: sources", sources},
    {"RFC 3678 4.2: filters", source_filters},
    {"RFC 1112 6.1: what is sent to a group", send_to_group},
};

WT_MAIN("raw")
