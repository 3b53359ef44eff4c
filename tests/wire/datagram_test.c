/* SPDX-License-Identifier: BSD-2-Clause */

/* What sockets of datagrams tell and take besides bytes; the same programs on the kernel and on percore. */

#include <time.h>

#include <errno.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "bed.h"

static int udp_socket(struct bed *b, int side, int domain, uint16_t port)
{
	struct sockaddr_in a = bed_addr(b, side, port);
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = a.sin_port};
	int fd = b->call->socket(b, side, domain, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (domain == AF_INET6) {
		a6.sin6_addr.s6_addr[10] = a6.sin6_addr.s6_addr[11] = 0xff;
		memcpy(a6.sin6_addr.s6_addr + 12, &a.sin_addr, 4);
		bed_log(b, "bind %d\n",
		        b->call->bind(b, side, fd, (struct sockaddr *)&a6, sizeof(a6)));
	} else {
		bed_log(b, "bind %d\n",
		        b->call->bind(b, side, fd, (struct sockaddr *)&a, sizeof(a)));
	}
	return fd;
}

static void set(struct bed *b, int side, int fd, int level, int name, int value)
{
	int rc = b->call->setsockopt(b, side, fd, level, name, &value, sizeof(value));

	bed_log(b, "set %d.%d = %d: %s\n", level, name, value, rc == 0 ? "0" : bed_errno(errno));
}

static void get(struct bed *b, int side, int fd, int level, int name, socklen_t len)
{
	int value = 0, rc;

	rc = b->call->getsockopt(b, side, fd, level, name, &value, &len);
	bed_log(b, "get %d.%d: %d, %u bytes: %s\n", level, name, value, len,
	        rc == 0 ? "0" : bed_errno(errno));
}

static ssize_t send_to(struct bed *b, int side, int fd, int to, uint16_t port, const void *p,
                       size_t n)
{
	struct sockaddr_in a = bed_addr(b, to, port);
	ssize_t rc = b->call->sendto(b, side, fd, p, n, 0, (struct sockaddr *)&a, sizeof(a));

	bed_log(b, "send %zd %s\n", rc, rc < 0 ? bed_errno(errno) : "");
	b->call->settle(b);
	return rc;
}

static void log_hex(struct bed *b, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bed_log(b, "%02x", ((const uint8_t *)p)[i]);
	bed_log(b, "\n");
}

/* what the two beds name differently is left out: addresses, of the pktinfo and the offender */
static void log_item(struct bed *b, const struct cmsghdr *h)
{
	bed_log(b, "  item %d.%d of %zu: ", h->cmsg_level, h->cmsg_type, (size_t)h->cmsg_len);
	if (h->cmsg_level == SOL_SOCKET &&
	    (h->cmsg_type == SO_TIMESTAMP || h->cmsg_type == SO_TIMESTAMPNS))
		bed_log(b, "a time\n");
	else if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO)
		log_hex(b, CMSG_DATA(h), 4);
	else if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_ORIGDSTADDR)
		log_hex(b, CMSG_DATA(h), 4);
	else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO)
		log_hex(b, CMSG_DATA(h), 12);
	else if ((h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_RECVERR) ||
	         (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_RECVERR))
		log_hex(b, CMSG_DATA(h), sizeof(struct sock_extended_err) + 4);
	else
		log_hex(b, CMSG_DATA(h), h->cmsg_len - sizeof(*h));
}

static void recv_msg(struct bed *b, int side, int fd, size_t n, size_t control, int flags)
{
	char data[4000], items[512];
	struct iovec v[2] = {{data, n / 2}, {data + n / 2, n - n / 2}};
	struct msghdr m = {
	    .msg_iov = v, .msg_iovlen = 2, .msg_control = items, .msg_controllen = control};
	ssize_t rc;

	memset(items, 0, sizeof(items));
	errno = 0;
	rc = b->call->recvmsg(b, side, fd, &m, flags);
	bed_log(b, "recv %zd %s flags %x control %zu\n", rc, rc < 0 ? bed_errno(errno) : "",
	        (unsigned)m.msg_flags, (size_t)m.msg_controllen);
	if (rc < 0)
		return;
	log_hex(b, data, (size_t)rc < n ? (size_t)rc : n);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h != NULL; h = CMSG_NXTHDR(&m, h))
		log_item(b, h);
}

static void close_both(struct bed *b, int far, int near)
{
	b->call->close(b, FAR, far);
	b->call->close(b, NEAR, near);
}

/* ip(7), socket(7) */
static void told4(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);

	send_to(b, FAR, far, NEAR, 5007, "none", 4);
	recv_msg(b, NEAR, near, 100, 512, 0);
	set(b, NEAR, near, IPPROTO_IP, IP_PKTINFO, 1);
	set(b, NEAR, near, IPPROTO_IP, IP_RECVTTL, 1);
	set(b, NEAR, near, IPPROTO_IP, IP_RECVTOS, 1);
	set(b, FAR, far, IPPROTO_IP, IP_TTL, 7);
	set(b, FAR, far, IPPROTO_IP, IP_TOS, 0x10);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_to(b, FAR, far, NEAR, 5007, "hello", 5);
	recv_msg(b, NEAR, near, 100, 512, MSG_PEEK);
	recv_msg(b, NEAR, near, 3, 512, 0);
	set(b, NEAR, near, SOL_SOCKET, SO_TIMESTAMP, 1);
	send_to(b, FAR, far, NEAR, 5007, "time", 4);
	recv_msg(b, NEAR, near, 100, 512, 0);
	set(b, NEAR, near, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	get(b, NEAR, near, SOL_SOCKET, SO_TIMESTAMPNS, 4);
	set(b, NEAR, near, SOL_SOCKET, SO_TIMESTAMP, 0);
	get(b, NEAR, near, SOL_SOCKET, SO_TIMESTAMPNS, 4);
	set(b, NEAR, near, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	send_to(b, FAR, far, NEAR, 5007, "ns", 2);
	recv_msg(b, NEAR, near, 100, 512, 0);
	set(b, NEAR, near, IPPROTO_IP, IP_RECVORIGDSTADDR, 1);
	send_to(b, FAR, far, NEAR, 5007, "dst", 3);
	recv_msg(b, NEAR, near, 100, 512, 0);
	close_both(b, far, near);
}

/* recvmsg(2): MSG_CTRUNC */
static void cut(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);

	set(b, NEAR, near, IPPROTO_IP, IP_RECVTTL, 1);
	set(b, NEAR, near, IPPROTO_IP, IP_RECVTOS, 1);
	for (size_t control = 0; control <= 48; control += control == 16 ? 1 : 8) {
		send_to(b, FAR, far, NEAR, 5007, "x", 1);
		recv_msg(b, NEAR, near, 100, control, 0);
	}
	close_both(b, far, near);
}

/* RFC 3542: an AF_INET6 socket is told in both forms */
static void told_mapped(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET6, 5007), far = udp_socket(b, FAR, AF_INET, 5008);

	set(b, NEAR, near, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set(b, NEAR, near, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	set(b, NEAR, near, IPPROTO_IP, IP_RECVTTL, 1);
	send_to(b, FAR, far, NEAR, 5007, "hello", 5);
	recv_msg(b, NEAR, near, 100, 512, 0);
	close_both(b, far, near);
}

/* SO_RXQ_OVFL tells how many had no room */
static void overflow(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);
	char items[64];
	uint32_t drops = 0;

	set(b, NEAR, near, SOL_SOCKET, SO_RXQ_OVFL, 1);
	set(b, NEAR, near, SOL_SOCKET, SO_RCVBUF, 1);
	for (unsigned i = 0; i < 100; i++)
		send_to(b, FAR, far, NEAR, 5007, "0123456789", 10);
	for (int more = 1;;) {
		char data[10];
		struct iovec v = {data, 10};
		struct msghdr m = {.msg_iov = &v,
		                   .msg_iovlen = 1,
		                   .msg_control = items,
		                   .msg_controllen = sizeof(items)};
		struct cmsghdr *h;

		if (b->call->recvmsg(b, NEAR, near, &m, 0) < 0) {
			if (more-- == 0)
				break;
			send_to(b, FAR, far, NEAR, 5007, "0123456789", 10);
			continue;
		}
		h = CMSG_FIRSTHDR(&m);
		if (h != NULL && h->cmsg_type == SO_RXQ_OVFL)
			memcpy(&drops, CMSG_DATA(h), sizeof(drops));
	}
	bed_log(b, "some were dropped: %d\n", drops > 50 && drops < 100);
	close_both(b, far, near);
}

static ssize_t send_item(struct bed *b, int fd, uint16_t port, size_t n, int level, int type,
                         const void *item, size_t len)
{
	struct sockaddr_in a = bed_addr(b, NEAR, port);
	static const char data[4000] = "0123456789";
	struct iovec v = {(void *)(uintptr_t)data, n};
	union {
		char b[CMSG_SPACE(64)];
		struct cmsghdr h;
	} u = {.h = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type}};
	struct msghdr m = {.msg_name = &a,
	                   .msg_namelen = sizeof(a),
	                   .msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = &u,
	                   .msg_controllen = CMSG_SPACE(len)};
	ssize_t rc;

	memcpy(CMSG_DATA(&u.h), item, len);
	rc = b->call->sendmsg(b, FAR, fd, &m, 0);
	bed_log(b, "sendmsg %d.%d of %zu: %zd %s\n", level, type, len, rc,
	        rc < 0 ? bed_errno(errno) : "");
	b->call->settle(b);
	return rc;
}

static void send_number(struct bed *b, int fd, int level, int type, int value)
{
	send_item(b, fd, 5007, 4, level, type, &value, sizeof(value));
}

/* what a call says of its datagram alone */
static void items(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);
	struct in_pktinfo pi = {.ipi_spec_dst = bed_addr(b, FAR, 0).sin_addr};
	uint8_t tos = 0x20;

	set(b, NEAR, near, IPPROTO_IP, IP_RECVTTL, 1);
	set(b, NEAR, near, IPPROTO_IP, IP_RECVTOS, 1);
	send_number(b, far, IPPROTO_IP, IP_TTL, 9);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_number(b, far, IPPROTO_IP, IP_TTL, 0);
	send_number(b, far, IPPROTO_IP, IP_TTL, 256);
	send_number(b, far, IPPROTO_IP, IP_TOS, 0x28);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_item(b, far, 5007, 4, IPPROTO_IP, IP_TOS, &tos, 1);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_item(b, far, 5007, 4, IPPROTO_IP, IP_PKTINFO, &pi, sizeof(pi));
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_item(b, far, 5007, 4, IPPROTO_IP, IP_PKTINFO, &pi, 4);
	send_number(b, far, IPPROTO_IP, 4711, 1);
	/* no level of ours, though its lower half is one */
	send_number(b, far, 0x10000 | IPPROTO_IP, IP_TTL, 9);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_number(b, far, INT_MAX, IP_TTL, 9);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_number(b, far, IPPROTO_IP, IP_TTL, 255);
	recv_msg(b, NEAR, near, 100, 512, 0);
	close_both(b, far, near);
}

static void send_item6(struct bed *b, int fd, const struct sockaddr_in6 *to, int level, int type,
                       const void *item, size_t len)
{
	struct iovec v = {(void *)(uintptr_t) "x", 1};
	union {
		char b[CMSG_SPACE(64)];
		struct cmsghdr h;
	} u = {.h = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type}};
	struct msghdr m = {.msg_name = (void *)(uintptr_t)to,
	                   .msg_namelen = sizeof(*to),
	                   .msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = &u,
	                   .msg_controllen = CMSG_SPACE(len)};
	ssize_t rc;

	memcpy(CMSG_DATA(&u.h), item, len);
	errno = 0;
	rc = b->call->sendmsg(b, FAR, fd, &m, 0);
	bed_log(b, "to %s: sendmsg %d.%d of %zu: %zd %s\n", to->sin6_addr.s6_addr[10] ? "4" : "6",
	        level, type, len, rc, rc < 0 ? bed_errno(errno) : "");
	b->call->settle(b);
}

/* Programs give items of both families; those of the other one do not count. */
static void items_of_both(struct bed *b)
{
	static const struct {
		int level, type, value;
	} rows[] = {
	    {IPPROTO_IP, IP_TOS, 8},
	    {IPPROTO_IP, IP_TTL, 999},
	    {IPPROTO_IP, 4711, 1},
	    {IPPROTO_IPV6, IPV6_TCLASS, 0x10},
	    {IPPROTO_IPV6, IPV6_HOPLIMIT, 9},
	    {IPPROTO_IPV6, IPV6_HOPLIMIT, 999},
	    {IPPROTO_IPV6, 4711, 1},
	    {IPPROTO_IPV6, 8, 7}, /* IPV6_2292HOPLIMIT */
	    {SOL_SOCKET, SCM_RIGHTS, 0},
	    {SOL_SOCKET, SO_MARK, 0},
	    {SOL_SOCKET, SO_TIMESTAMPING, 2},
	    {SOL_SOCKET, SO_TIMESTAMPING, 8},
	    {SOL_SOCKET, 4711, 0},
	    {IPPROTO_UDP, 4711, 0},
	};
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008),
	    both = b->call->socket(b, FAR, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in a = bed_addr(b, NEAR, 5007), own = bed_addr(b, FAR, 0);
	struct sockaddr_in6 self = {.sin6_family = AF_INET6,
	                            .sin6_port = htons(5010),
	                            .sin6_addr = IN6ADDR_LOOPBACK_INIT},
	                    mapped = {.sin6_family = AF_INET6, .sin6_port = a.sin_port},
	                    any = {.sin6_family = AF_INET6, .sin6_port = htons(5010)};
	struct in6_pktinfo pi = {.ipi6_ifindex = 0};
	struct in_pktinfo pi4 = {.ipi_spec_dst = own.sin_addr};

	bed_log(b, "bind %d\n", b->call->bind(b, FAR, both, (struct sockaddr *)&any, sizeof(any)));
	set(b, NEAR, near, IPPROTO_IP, IP_RECVTTL, 1);
	set(b, NEAR, near, IPPROTO_IP, IP_RECVTOS, 1);
	set(b, FAR, both, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	set(b, FAR, both, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
	memcpy(mapped.sin6_addr.s6_addr + 12, &a.sin_addr, 4);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		send_number(b, far, rows[i].level, rows[i].type, rows[i].value);
		recv_msg(b, NEAR, near, 100, 512, 0);
		send_item6(b, both, &mapped, rows[i].level, rows[i].type, &rows[i].value,
		           sizeof(int));
		recv_msg(b, NEAR, near, 100, 512, 0);
		send_item6(b, both, &self, rows[i].level, rows[i].type, &rows[i].value,
		           sizeof(int));
		recv_msg(b, FAR, both, 100, 512, 0);
	}
	send_item6(b, both, &self, IPPROTO_IP, IP_PKTINFO, &pi4, sizeof(pi4));
	recv_msg(b, FAR, both, 100, 512, 0);
	send_item6(b, both, &mapped, IPPROTO_IP, IP_PKTINFO, &pi4, sizeof(pi4));
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_item6(b, both, &mapped, IPPROTO_IPV6, IPV6_PKTINFO, &pi,
	           sizeof(pi)); /* no source of IPv4 */
	send_item6(b, both, &self, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
	recv_msg(b, FAR, both, 100, 512, 0);
	send_item6(b, both, &self, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi) - 4);
	memcpy(&pi.ipi6_addr, &mapped.sin6_addr, sizeof(pi.ipi6_addr));
	memcpy(pi.ipi6_addr.s6_addr + 12, &own.sin_addr, 4);
	send_item6(b, both, &mapped, IPPROTO_IPV6, IPV6_PKTINFO, &pi, sizeof(pi));
	recv_msg(b, NEAR, near, 100, 512, 0);
	b->call->close(b, FAR, both);
	close_both(b, far, near);
}

/* udp(7): UDP_SEGMENT */
static void segments(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);
	uint16_t size = 10;

	send_item(b, far, 5007, 25, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	for (unsigned i = 0; i < 4; i++)
		recv_msg(b, NEAR, near, 100, 0, 0);
	send_item(b, far, 5007, 10, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	send_item(b, far, 5007, 0, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	for (unsigned i = 0; i < 3; i++)
		recv_msg(b, NEAR, near, 100, 0, 0);
	send_item(b, far, 5007, 4000, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	send_item(b, far, 5007, 25, IPPROTO_UDP, UDP_SEGMENT, &size, 1);
	set(b, FAR, far, IPPROTO_UDP, UDP_SEGMENT, 3);
	get(b, FAR, far, IPPROTO_UDP, UDP_SEGMENT, 4);
	set(b, FAR, far, IPPROTO_UDP, UDP_SEGMENT, 65536);
	set(b, FAR, far, IPPROTO_UDP, UDP_SEGMENT, -1);
	send_to(b, FAR, far, NEAR, 5007, "abcdefg", 7);
	for (unsigned i = 0; i < 4; i++)
		recv_msg(b, NEAR, near, 100, 0, 0);
	set(b, FAR, far, SOL_SOCKET, SO_NO_CHECK, 1); /* not without checksums */
	send_to(b, FAR, far, NEAR, 5007, "abcdefg", 7);
	recv_msg(b, NEAR, near, 100, 0, 0);
	close_both(b, far, near);
}

/* udp(7): UDP_GRO; what the kernel joins are the pieces of one call, so that is sent here */
static void joined(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);
	uint16_t size = 10;

	send_to(b, FAR, far, NEAR, 5007, "abcdefg", 7);
	recv_msg(b, NEAR, near, 100, 512, 0);
	set(b, NEAR, near, IPPROTO_UDP, UDP_GRO, 1);
	get(b, NEAR, near, IPPROTO_UDP, UDP_GRO, 4);
	send_item(b, far, 5007, 35, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	recv_msg(b, NEAR, near, 100, 512, 0);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_to(b, FAR, far, NEAR, 5007, "abcdefg", 7);
	recv_msg(b, NEAR, near, 100, 512, 0);
	close_both(b, far, near);
}

/* ip(7): IP_RECVERR on a socket that is not connected */
static void errors(struct bed *b)
{
	int far = udp_socket(b, FAR, AF_INET, 5008), near = udp_socket(b, NEAR, AF_INET, 5007);
	struct pollfd p = {.fd = far, .events = POLLIN};

	send_to(b, FAR, far, NEAR, 5999, "nobody", 6);
	recv_msg(b, FAR, far, 100, 512, 0);
	recv_msg(b, FAR, far, 100, 512, MSG_ERRQUEUE);
	set(b, FAR, far, IPPROTO_IP, IP_RECVERR, 1);
	send_to(b, FAR, far, NEAR, 5999, "nobody here", 11);
	b->call->poll(b, FAR, &p, 1);
	bed_log_events(b, (uint32_t)(unsigned short)p.revents);
	recv_msg(b, FAR, far, 100, 512, MSG_PEEK);
	recv_msg(b, FAR, far, 100, 512, 0);
	recv_msg(b, FAR, far, 5, 512, MSG_ERRQUEUE);
	recv_msg(b, FAR, far, 5, 512, MSG_ERRQUEUE);
	send_to(b, FAR, far, NEAR, 5998, "first", 5);
	get(b, FAR, far, SOL_SOCKET, SO_ERROR, 4);
	send_to(b, FAR, far, NEAR, 5999, "second", 6);
	recv_msg(b, FAR, far, 100, 512, MSG_ERRQUEUE);
	get(b, FAR, far, SOL_SOCKET, SO_ERROR, 4);
	recv_msg(b, FAR, far, 100, 0, MSG_ERRQUEUE);
	send_to(b, FAR, far, NEAR, 5007, "somebody", 8);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_to(b, FAR, far, NEAR, 5999, "nobody here", 11);
	recv_msg(b, FAR, far, 5, 512, MSG_ERRQUEUE | MSG_TRUNC);
	/* without IP_RECVERR there is no queue */
	send_to(b, FAR, far, NEAR, 5999, "nobody", 6);
	set(b, FAR, far, IPPROTO_IP, IP_RECVERR, 0);
	recv_msg(b, FAR, far, 100, 512, MSG_ERRQUEUE);
	p.revents = 0;
	b->call->poll(b, FAR, &p, 1);
	bed_log_events(b, (uint32_t)(unsigned short)p.revents);
	get(b, FAR, far, SOL_SOCKET, SO_ERROR, 4);
	close_both(b, far, near);
}

/* traceroute(8): an error comes with what the socket wants to know of packets; here of the ICMP message */
static void errors_told(struct bed *b)
{
	int far = udp_socket(b, FAR, AF_INET, 5008), both = udp_socket(b, FAR, AF_INET6, 5009);
	struct sockaddr_in a = bed_addr(b, NEAR, 5999);
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = a.sin_port};

	set(b, FAR, far, IPPROTO_IP, IP_RECVERR, 1);
	set(b, FAR, far, IPPROTO_IP, IP_PKTINFO, 1);
	set(b, FAR, far, IPPROTO_IP, IP_RECVTTL, 1);
	set(b, FAR, far, IPPROTO_IP, IP_RECVTOS, 1);
	set(b, FAR, far, SOL_SOCKET, SO_TIMESTAMP, 1);
	send_to(b, FAR, far, NEAR, 5999, "nobody", 6);
	recv_msg(b, FAR, far, 100, 512, MSG_ERRQUEUE);
	/* an AF_INET6 socket is told in its own form */
	a6.sin6_addr.s6_addr[10] = a6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(a6.sin6_addr.s6_addr + 12, &a.sin_addr, 4);
	set(b, FAR, both, IPPROTO_IP, IP_RECVERR, 1);
	set(b, FAR, both, IPPROTO_IPV6, IPV6_RECVERR, 1);
	set(b, FAR, both, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	set(b, FAR, both, IPPROTO_IP, IP_RECVTTL, 1);
	b->call->sendto(b, FAR, both, "nobody", 6, 0, (struct sockaddr *)&a6, sizeof(a6));
	b->call->settle(b);
	recv_msg(b, FAR, both, 100, 512, MSG_ERRQUEUE);
	b->call->close(b, FAR, both);
	b->call->close(b, FAR, far);
}

/* MSG_OOB: there is nothing urgent, which does not matter to who receives */
static void no_urgent(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);

	recv_msg(b, NEAR, near, 100, 512, MSG_OOB);
	send_to(b, FAR, far, NEAR, 5007, "hello", 5);
	recv_msg(b, NEAR, near, 100, 512, MSG_OOB);
	bed_log(b, "%zd", b->call->sendto(b, FAR, far, "x", 1, MSG_OOB, NULL, 0));
	bed_log(b, " %s\n", bed_errno(errno));
	close_both(b, far, near);
}

/* readv(2), writev(2): nothing is neither received nor sent, though recvmsg(2) and sendmsg(2) do so */
static void of_nothing(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);
	struct sockaddr_in to = bed_addr(b, NEAR, 5007);
	struct iovec v[2] = {{"", 0}, {"", 0}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

	b->call->connect(b, FAR, far, (struct sockaddr *)&to, sizeof(to));
	bed_log(b, "writev %zd\n", b->call->writev(b, FAR, far, v, 2));
	b->call->settle(b);
	recv_msg(b, NEAR, near, 100, 512, 0);
	bed_log(b, "sendmsg %zd\n", b->call->sendmsg(b, FAR, far, &m, 0));
	b->call->settle(b);
	recv_msg(b, NEAR, near, 100, 512, 0);
	send_to(b, FAR, far, NEAR, 5007, "hello", 5);
	bed_log(b, "readv %zd\n", b->call->readv(b, NEAR, near, v, 2));
	recv_msg(b, NEAR, near, 100, 512, 0);
	close_both(b, far, near);
}

/* bind(2): without a family, any address means any of IPv4 */
static void no_family(struct bed *b)
{
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		for (int i = 0; i < 4; i++) {
			struct sockaddr_in6 a = {.sin6_family = AF_UNSPEC};
			struct sockaddr_in given = bed_addr(b, NEAR, 0), name = {0};
			int fd = b->call->socket(b, NEAR, i < 3 ? AF_INET : AF_INET6, type, 0), rc;
			socklen_t len = i == 1 ? sizeof(name) - 1 : sizeof(name);

			given.sin_family = AF_UNSPEC;
			if (i == 2)
				memcpy(&a, &given, sizeof(given));
			errno = 0;
			rc = b->call->bind(b, NEAR, fd, (struct sockaddr *)&a,
			                   i == 3 ? sizeof(a) : len);
			bed_log(b, "bind %d %s", rc, rc < 0 ? bed_errno(errno) : "");
			len = sizeof(name);
			b->call->getsockname(b, NEAR, fd, (struct sockaddr *)&name, &len);
			bed_log(b, ", a port: %d, family %d\n", name.sin_port != 0,
			        name.sin_family);
			b->call->close(b, NEAR, fd);
		}
	}
}

/* shutdown(2) without a peer fails, but nothing can be sent then */
static void shut(struct bed *b)
{
	int far = udp_socket(b, FAR, AF_INET, 5008);

	errno = 0;
	bed_log(b, "shutdown %d", b->call->shutdown(b, FAR, far, SHUT_WR));
	bed_log(b, " %s\n", bed_errno(errno));
	send_to(b, FAR, far, NEAR, 5007, "x", 1);
	bed_log(b, "send %zd", b->call->sendto(b, FAR, far, "x", 1, 0, NULL, 0));
	bed_log(b, " %s\n", bed_errno(errno));
	b->call->close(b, FAR, far);
}

/* RFC 5082: Linux minds IP_MINTTL for TCP only */
static void from_afar(struct bed *b)
{
	int near = udp_socket(b, NEAR, AF_INET, 5007), far = udp_socket(b, FAR, AF_INET, 5008);

	set(b, NEAR, near, IPPROTO_IP, IP_MINTTL, 200);
	set(b, FAR, far, IPPROTO_IP, IP_TTL, 5);
	send_to(b, FAR, far, NEAR, 5007, "x", 1);
	recv_msg(b, NEAR, near, 100, 512, 0);
	close_both(b, far, near);
}

/* udp(7): a connected socket learns that nobody is there, once */
static void refused(struct bed *b)
{
	int far = udp_socket(b, FAR, AF_INET, 5008);
	struct sockaddr_in to = bed_addr(b, NEAR, 5999);
	ssize_t rc;

	bed_log(b, "connect %d\n",
	        b->call->connect(b, FAR, far, (struct sockaddr *)&to, sizeof(to)));
	for (unsigned i = 0; i < 4; i++) {
		errno = 0;
		rc = b->call->sendto(b, FAR, far, "x", 1, 0, NULL, 0);
		bed_log(b, "send %zd %s\n", rc, bed_errno(errno));
		b->call->settle(b);
	}
	recv_msg(b, FAR, far, 100, 512, 0);
	recv_msg(b, FAR, far, 100, 512, 0);
	b->call->close(b, FAR, far);
}

static const struct {
	int level, name;
	int value[4];
} numbers[] = {
    {IPPROTO_IP, IP_TTL, {1, 255, 0, 256}},
    {IPPROTO_IP, IP_TTL, {-1, 9, -1, -2}},
    {IPPROTO_IP, IP_TOS, {0, 0xff, 0x100, 0x10}},
    {IPPROTO_IP, IP_MULTICAST_TTL, {0, 255, 256, -1}},
    {IPPROTO_IP, IP_MTU_DISCOVER, {0, 5, 6, -1}},
    {IPPROTO_IP, IP_PKTINFO, {1, 7, 0, -1}},
    {IPPROTO_IP, IP_RECVTTL, {1, 7, 0, -1}},
    {IPPROTO_IP, IP_RECVTOS, {1, 7, 0, -1}},
    {IPPROTO_IP, IP_RECVERR, {1, 7, 0, -1}},
    {IPPROTO_IP, IP_MTU, {1, 1, 1, 1}},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, {1, 255, 256, -1}},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, {0, 255, 256, -1}},
    {IPPROTO_IPV6, IPV6_TCLASS, {0, 255, 256, -2}},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, {0, 5, 6, -1}},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, {1, 7, 0, -1}},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, {1, 7, 0, -1}},
    {IPPROTO_IPV6, IPV6_RECVTCLASS, {1, 7, 0, -1}},
    {IPPROTO_IPV6, IPV6_RECVERR, {1, 7, 0, -1}},
    {SOL_SOCKET, SO_TIMESTAMP, {1, 7, 0, -1}},
    {SOL_SOCKET, SO_RXQ_OVFL, {1, 7, 0, -1}},
    {SOL_SOCKET, SO_NO_CHECK, {1, 7, 0, -1}},
};

/* each on an AF_INET6 socket, which has the options of both families, and then on an AF_INET socket */
static void options(struct bed *b)
{
	for (int domain = AF_INET6;; domain = AF_INET) {
		int fd = udp_socket(b, NEAR, domain, 5007);

		for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			get(b, NEAR, fd, numbers[i].level, numbers[i].name, 4);
			for (unsigned v = 0; v < 4; v++) {
				set(b, NEAR, fd, numbers[i].level, numbers[i].name,
				    numbers[i].value[v]);
				get(b, NEAR, fd, numbers[i].level, numbers[i].name, 4);
			}
			get(b, NEAR, fd, numbers[i].level, numbers[i].name, 1);
		}
		b->call->close(b, NEAR, fd);
		if (domain == AF_INET)
			break;
	}
}

static const struct bed_case cases[] = {
    {"IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, SO_TIMESTAMP", told4},
    {"MSG_CTRUNC", cut},
    {"what an AF_INET6 socket is told of IPv4", told_mapped},
    {"SO_RXQ_OVFL", overflow},
    {"IP_TTL, IP_TOS, IP_PKTINFO of one datagram", items},
    {"UDP_SEGMENT", segments},
    {"UDP_GRO", joined},
    {"items of both families", items_of_both},
    {"IP_RECVERR and MSG_ERRQUEUE", errors},
    {"MSG_ERRQUEUE with ancillary data", errors_told},
    {"MSG_OOB", no_urgent},
    {"bind() without a family", no_family},
    {"readv() and writev() of nothing", of_nothing},
    {"shutdown() without a peer", shut},
    {"IP_MINTTL", from_afar},
    {"ECONNREFUSED", refused},
    {"options that are integers", options},
};

int main(int argc, char **argv)
{
	return bed_main(argc, argv, "datagram", cases, sizeof(cases) / sizeof(cases[0]));
}
