/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams, their ancillary data, and the queue of their errors. */
#include "live.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

static char buf[100000];

struct dgram {
	int near, far;
	struct sockaddr_in a, from;
};

static void open_dgrams(struct live *l, struct dgram *d)
{
	struct bed *b = &l->bed;
	socklen_t len = sizeof(d->a);

	d->near = l->c->socket(AF_INET, SOCK_DGRAM, 0);
	d->a = bed_addr(b, NEAR, 0);
	d->far = b->call->socket(b, FAR, AF_INET, SOCK_DGRAM, 0);
	d->from = bed_addr(b, FAR, 0);
	if (l->c->bind(d->near, (struct sockaddr *)&d->a, len) != 0 ||
	    l->c->getsockname(d->near, (struct sockaddr *)&d->a, &len) != 0 ||
	    b->call->bind(b, FAR, d->far, (struct sockaddr *)&d->from, len) != 0 ||
	    b->call->getsockname(b, FAR, d->far, (struct sockaddr *)&d->from, &len) != 0)
		abort();
}

static void far_dgram(struct live *l, struct dgram *d, size_t n)
{
	if (l->bed.call->sendto(&l->bed, FAR, d->far, buf, n, 0, (struct sockaddr *)&d->a,
	                        sizeof(d->a)) != (ssize_t)n)
		abort();
}

static void close_dgrams(struct live *l, struct dgram *d)
{
	l->c->close(d->near);
	l->bed.call->close(&l->bed, FAR, d->far);
}

static void dgram_recv(struct live *l)
{
	struct iovec v[2] = {{buf, 10}, {buf + 10, 20}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct dgram d;
	int n;

	open_dgrams(l, &d);
	far_dgram(l, &d, 100);
	live_log(l, "peek", l->c->recv(d.near, buf, 10, MSG_PEEK));
	live_log(l, "length", l->c->recv(d.near, buf, 10, MSG_PEEK | MSG_TRUNC));
	live_log(l, "FIONREAD", l->c->ioctl(d.near, FIONREAD, &n));
	bed_log(&l->bed, "%d\n", n);
	m.msg_name = &a;
	m.msg_namelen = sizeof(a);
	live_log(l, "recvmsg", l->c->recvmsg(d.near, &m, 0));
	bed_log(&l->bed, "flags %x, name %u, from far %d\n", (unsigned)m.msg_flags, m.msg_namelen,
	        a.sin_port == d.from.sin_port);
	far_dgram(l, &d, 0);
	live_log(l, "empty", l->c->recvfrom(d.near, buf, 10, 0, (struct sockaddr *)&a, &len));
	bed_log(&l->bed, "%u\n", len);
	live_log(l, "nothing", l->c->recv(d.near, buf, 10, MSG_DONTWAIT));
	far_dgram(l, &d, 1472);
	live_log(l, "read 0", l->c->read(d.near, buf, 0));
	live_log(l, "read", l->c->read(d.near, buf, 10000));
	live_log(l, "MSG_OOB", l->c->recv(d.near, buf, 10, MSG_OOB | MSG_DONTWAIT));
	close_dgrams(l, &d);
}

/* Nobody has sent what a call returns that finds only the end. */
static void dgram_end(struct live *l)
{
	struct iovec v = {buf, 10};
	struct sockaddr_in a, before;
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_name = &a, .msg_namelen = sizeof(a)};
	socklen_t len = sizeof(a);
	struct dgram d;

	memset(&a, 7, sizeof(a));
	before = a;
	open_dgrams(l, &d);
	live_log(l, "connect", l->c->connect(d.near, (struct sockaddr *)&d.from, sizeof(d.from)));
	live_log(l, "shutdown", l->c->shutdown(d.near, SHUT_RD));
	live_log(l, "recvfrom", l->c->recvfrom(d.near, buf, 10, 0, (struct sockaddr *)&a, &len));
	live_log(l, "recvmsg", l->c->recvmsg(d.near, &m, 0));
	bed_log(&l->bed, "lengths %u and %u, the same %d\n", len, m.msg_namelen,
	        memcmp(&a, &before, sizeof(a)) == 0);
	m.msg_name = NULL;
	m.msg_namelen = 5;
	live_log(l, "recvmsg", l->c->recvmsg(d.near, &m, 0));
	bed_log(&l->bed, "length %u\n", m.msg_namelen);
	close_dgrams(l, &d);
}

static void dgram_send(struct live *l)
{
	struct iovec v[2] = {{buf, 10}, {buf + 10, 20}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
	struct sockaddr_in zero;
	struct dgram d;

	open_dgrams(l, &d);
	live_log(l, "no peer", l->c->send(d.near, buf, 10, 0));
	live_log(l, "no peer", l->c->write(d.near, buf, 10));
	live_log(l, "sendto",
	         l->c->sendto(d.near, buf, 10, 0, (struct sockaddr *)&d.from, sizeof(d.from)));
	live_sleep(1); /* the neighbour answers: few datagrams are held until then */
	live_log(l, "again",
	         l->c->sendto(d.near, buf, 11, 0, (struct sockaddr *)&d.from, sizeof(d.from)));
	live_log(l, "empty",
	         l->c->sendto(d.near, buf, 0, 0, (struct sockaddr *)&d.from, sizeof(d.from)));
	live_log(l, "short", l->c->sendto(d.near, buf, 10, 0, (struct sockaddr *)&d.from, 8));
	live_log(l, "too long",
	         l->c->sendto(d.near, buf, 65508, 0, (struct sockaddr *)&d.from, sizeof(d.from)));
	zero = d.from;
	zero.sin_port = 0;
	live_log(l, "port 0",
	         l->c->sendto(d.near, buf, 10, 0, (struct sockaddr *)&zero, sizeof(zero)));
	m.msg_name = &d.from;
	m.msg_namelen = sizeof(d.from);
	live_log(l, "sendmsg", l->c->sendmsg(d.near, &m, 0));
	live_log(l, "connect", l->c->connect(d.near, (struct sockaddr *)&d.from, sizeof(d.from)));
	live_log(l, "send", l->c->send(d.near, buf, 12, 0));
	live_log(l, "writev", l->c->writev(d.near, v, 2));
	live_log(l, "MSG_OOB", l->c->send(d.near, buf, 12, MSG_OOB));
	live_sleep(5);
	for (int i = 0; i < 7; i++)
		live_log(l, "far",
		         l->bed.call->recvfrom(&l->bed, FAR, d.far, buf, 100, 0, NULL, NULL));
	close_dgrams(l, &d);
}

/* From a socket of both families to itself. */
static void to_itself(struct live *l, int fd, struct sockaddr_in6 *a)
{
	static const size_t sizes[] = {65507, 65508, 65527, 65528, 65536};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		live_log(l, "sendto",
		         l->c->sendto(fd, buf, sizes[i], 0, (struct sockaddr *)a, sizeof(*a)));
		live_sleep(20);
		live_log(l, "recv", l->c->recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	}
}

static void largest(struct live *l)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	const int fd = l->c->socket(AF_INET6, SOCK_DGRAM, 0);
	socklen_t len = sizeof(a);

	live_log(l, "bind", l->c->bind(fd, (struct sockaddr *)&a, len));
	live_log(l, "name", l->c->getsockname(fd, (struct sockaddr *)&a, &len));
	a.sin6_addr = in6addr_loopback;
	to_itself(l, fd, &a);
	(void)inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr);
	to_itself(l, fd, &a);
	l->c->close(fd);
}

/* How much waits in a buffer that the program has made small. */
static void small_buffer(struct live *l)
{
	const int bytes = 4096;
	struct dgram d;

	open_dgrams(l, &d);
	live_log(l, "set", l->c->setsockopt(d.near, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)));
	far_dgram(l, &d, 1);
	live_log(l, "recv", l->c->recv(d.near, buf, sizeof(buf), 0));
	for (int k = 0; k < 2; k++) {
		int n = 0;

		for (int i = 0; i < 40; i++) {
			far_dgram(l, &d, 1000);
			live_sleep(1);
		}
		while (l->c->recv(d.near, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
			n++;
			live_sleep(1);
		}
		bed_log(&l->bed, "some: %d, few: %d\n", n > 0, n < 15);
	}
	far_dgram(l, &d, 60000);
	live_log(l, "recv", l->c->recv(d.near, buf, sizeof(buf), 0));
	close_dgrams(l, &d);
}

static void far_dgrams(struct live *l, int fd)
{
	const char some[3] = "";
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	l->c->getsockname(fd, (struct sockaddr *)&a, &len);
	fd = l->bed.call->socket(&l->bed, FAR, AF_INET, SOCK_DGRAM, 0);
	for (size_t i = 1; i <= 3; i++)
		l->bed.call->sendto(&l->bed, FAR, fd, some, i, 0, (struct sockaddr *)&a, sizeof(a));
	l->bed.call->close(&l->bed, FAR, fd);
}

static void dgrams_wait(struct live *l)
{
	const struct timeval tv = {.tv_usec = 20000};
	struct iovec v[4] = {{buf, 10}, {buf, 10}, {buf, 10}, {buf, 10}};
	struct mmsghdr m[4] = {0};
	struct dgram d;

	open_dgrams(l, &d);
	for (int i = 0; i < 4; i++) {
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	live_later(l, 5, far_dgrams, d.near);
	live_log(l, "recv", l->c->recv(d.near, buf, 10, 0));
	live_join();
	live_sleep(3);
	live_log(l, "recvmmsg", l->c->recvmmsg(d.near, m, 4, MSG_WAITFORONE, NULL));
	bed_log(&l->bed, "%u %u\n", m[0].msg_len, m[1].msg_len);
	l->c->setsockopt(d.near, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	live_log(l, "recvmmsg", l->c->recvmmsg(d.near, m, 4, 0, NULL));
	live_log(l, "recv", l->c->recv(d.near, buf, 10, 0));
	for (int i = 0; i < 4; i++) {
		v[i].iov_len = (size_t)i + 5;
		m[i].msg_hdr.msg_name = &d.from;
		m[i].msg_hdr.msg_namelen = sizeof(d.from);
	}
	live_log(l, "sendmmsg", l->c->sendmmsg(d.near, m, 4, 0));
	bed_log(&l->bed, "%u %u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len, m[3].msg_len);
	live_sleep(5);
	for (int i = 0; i < 5; i++)
		live_log(l, "far",
		         l->bed.call->recvfrom(&l->bed, FAR, d.far, buf, 100, 0, NULL, NULL));
	close_dgrams(l, &d);
}

static void dgram_refused(struct live *l)
{
	struct dgram d;
	int error = 0;
	socklen_t len = sizeof(error);

	open_dgrams(l, &d);
	l->bed.call->close(&l->bed, FAR, d.far);
	live_log(l, "connect", l->c->connect(d.near, (struct sockaddr *)&d.from, sizeof(d.from)));
	live_log(l, "send", l->c->send(d.near, buf, 10, 0));
	live_log(l, "recv", l->c->recv(d.near, buf, 10, 0));
	live_log(l, "send", l->c->send(d.near, buf, 10, 0));
	live_sleep(5);
	live_log(l, "send", l->c->send(d.near, buf, 10, 0));
	live_log(l, "send", l->c->send(d.near, buf, 10, 0));
	live_sleep(5);
	live_log(l, "SO_ERROR", l->c->getsockopt(d.near, SOL_SOCKET, SO_ERROR, &error, &len));
	bed_log(&l->bed, "%s\n", bed_errno(error));
	l->c->close(d.near);
}
/* ---- ancillary data --------------------------------------------------------------------------- */

static void set_int(struct live *l, int fd, int level, int name, int value)
{
	live_log(l, "option", l->c->setsockopt(fd, level, name, &value, sizeof(value)));
}

/* Addresses and interfaces have other names on percore: what matters is whether they are the right ones. */
static void log_message(struct live *l, const struct dgram *d, const struct cmsghdr *c)
{
	struct in_pktinfo pi;
	int value = 0;

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
	    c->cmsg_len == CMSG_LEN(sizeof(pi))) {
		memcpy(&pi, CMSG_DATA(c), sizeof(pi));
		bed_log(&l->bed, "  to us %d, answer from us %d, interface %d\n",
		        pi.ipi_addr.s_addr == d->a.sin_addr.s_addr,
		        pi.ipi_spec_dst.s_addr == d->a.sin_addr.s_addr, pi.ipi_ifindex > 0);
		return;
	}
	memcpy(&value, CMSG_DATA(c),
	       c->cmsg_len - CMSG_LEN(0) < sizeof(value) ? c->cmsg_len - CMSG_LEN(0)
	                                                 : sizeof(value));
	bed_log(&l->bed, "  %d/%d %zu: %d\n", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len,
	        value);
}

static void receive(struct live *l, const struct dgram *d, size_t room)
{
	_Alignas(struct cmsghdr) char control[512];
	struct iovec v = {buf, 100};
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};

	live_log(l, "recvmsg", l->c->recvmsg(d->near, &m, 0));
	bed_log(&l->bed, "flags %x, %zu bytes\n", (unsigned)m.msg_flags, (size_t)m.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
		log_message(l, d, c);
}

static void control_in(struct live *l)
{
	struct dgram d;

	open_dgrams(l, &d);
	far_dgram(l, &d, 10);
	live_sleep(5);
	receive(l, &d, 512);
	set_int(l, d.near, IPPROTO_IP, IP_PKTINFO, 1);
	set_int(l, d.near, IPPROTO_IP, IP_RECVTTL, 1);
	set_int(l, d.near, IPPROTO_IP, IP_RECVTOS, 1);
	for (size_t room = 512; room != 0; room = room == 512  ? 40
	                                          : room == 40 ? 20
	                                          : room == 20 ? 8
	                                                       : 0) {
		far_dgram(l, &d, 20);
		receive(l, &d, room);
	}
	far_dgram(l, &d, 20);
	live_log(l, "recv", l->c->recv(d.near, buf, 10, 0));
	close_dgrams(l, &d);
}

/* A datagram with one message of an int. */
static void send_with(struct live *l, const struct dgram *d, const char *what, int level, int type,
                      const void *value, size_t size)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(64)] = "";
	struct iovec v = {buf, 10};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_name = (void *)(uintptr_t)&d->from,
	                   .msg_namelen = sizeof(d->from),
	                   .msg_control = control,
	                   .msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), value, size);
	live_log(l, what, l->c->sendmsg(d->near, &m, 0));
}

static void control_out(struct live *l)
{
	const int ttl = 9, tos = 0x20, zero = 0;
	const uint16_t segment = 4;
	struct in_pktinfo from = {0};
	struct dgram d;
	int far = 0;

	open_dgrams(l, &d);
	from.ipi_spec_dst = d.a.sin_addr;
	send_with(l, &d, "IP_TTL", IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	send_with(l, &d, "IP_TOS", IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	send_with(l, &d, "IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, &from, sizeof(from));
	send_with(l, &d, "UDP_SEGMENT", IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	send_with(l, &d, "a TTL of 0", IPPROTO_IP, IP_TTL, &zero, sizeof(zero));
	send_with(l, &d, "too short", IPPROTO_IP, IP_PKTINFO, &from, 4);
	live_sleep(5);
	while (l->bed.call->recvfrom(&l->bed, FAR, d.far, buf, 100, 0, NULL, NULL) >= 0)
		far++;
	bed_log(&l->bed, "far %d\n", far);
	close_dgrams(l, &d);
}

/* ---- answers by the message that came with the question ---------------------------------------- */

static void shift_index(struct cmsghdr *c, int by)
{
	struct in_pktinfo pi;
	struct in6_pktinfo pi6;

	if (c->cmsg_level == IPPROTO_IP) {
		memcpy(&pi, CMSG_DATA(c), sizeof(pi));
		pi.ipi_ifindex += by;
		memcpy(CMSG_DATA(c), &pi, sizeof(pi));
	} else {
		memcpy(&pi6, CMSG_DATA(c), sizeof(pi6));
		pi6.ipi6_ifindex += (unsigned)by;
		memcpy(CMSG_DATA(c), &pi6, sizeof(pi6));
	}
}

/* A socket of ours asks another, which answers as servers with many addresses do, also by an interface that is not there. */
static void answer(struct live *l, const struct sockaddr *any, struct sockaddr *to, socklen_t len)
{
	const bool ip6 = any->sa_family == AF_INET6;
	const int server = l->c->socket(any->sa_family, SOCK_DGRAM, 0),
	          client = l->c->socket(any->sa_family, SOCK_DGRAM, 0);
	struct sockaddr_storage from;
	_Alignas(struct cmsghdr) char control[256];
	struct iovec v = {buf, 7};
	struct msghdr m = {.msg_name = &from,
	                   .msg_namelen = sizeof(from),
	                   .msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	struct pollfd p = {.fd = client, .events = POLLIN};
	socklen_t from_len = sizeof(from);

	set_int(l, server, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
	live_log(l, "bind", l->c->bind(server, any, len));
	(void)l->c->getsockname(server, (struct sockaddr *)&from, &from_len);
	/* the port is at the same place in both families */
	((struct sockaddr_in *)to)->sin_port = ((struct sockaddr_in *)&from)->sin_port;
	live_log(l, "connect", l->c->connect(client, to, len));
	live_log(l, "ask", l->c->send(client, buf, 7, 0));
	live_log(l, "hear", l->c->recvmsg(server, &m, 0));
	live_log(l, "answer", l->c->sendmsg(server, &m, 0));
	live_log(l, "an answer", l->c->poll(&p, 1, 2000));
	live_log(l, "hear the answer", l->c->recv(client, buf, 100, MSG_DONTWAIT));
	shift_index(CMSG_FIRSTHDR(&m), 4711);
	live_log(l, "by no interface", l->c->sendmsg(server, &m, 0));
	l->c->close(client);
	l->c->close(server);
}

static void answers(struct live *l)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	const struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	struct sockaddr_in lo = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
	                   us = bed_addr(&l->bed, NEAR, 0);
	struct sockaddr_in6 lo6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	answer(l, (const struct sockaddr *)&any, (struct sockaddr *)&lo, sizeof(lo));
	answer(l, (const struct sockaddr *)&any, (struct sockaddr *)&us, sizeof(us));
	answer(l, (const struct sockaddr *)&any6, (struct sockaddr *)&lo6, sizeof(lo6));
}

static void log_error(struct live *l, int fd, size_t room)
{
	_Alignas(struct cmsghdr) char control[512];
	struct sockaddr_in to = {0};
	struct iovec v = {buf, 100};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_name = &to,
	                   .msg_namelen = sizeof(to),
	                   .msg_control = control,
	                   .msg_controllen = room};
	struct sock_extended_err e;
	struct cmsghdr *c;
	ssize_t rc;

	memset(buf, 0, sizeof(buf));
	rc = l->c->recvmsg(fd, &m, MSG_ERRQUEUE);
	live_log(l, "MSG_ERRQUEUE", rc);
	if (rc < 0)
		return;
	bed_log(&l->bed, "flags %x, port %d, '%.5s'\n", (unsigned)m.msg_flags, ntohs(to.sin_port),
	        buf);
	c = m.msg_controllen >= CMSG_LEN(sizeof(e)) ? CMSG_FIRSTHDR(&m) : NULL;
	if (c == NULL || c->cmsg_type != IP_RECVERR)
		return;
	memcpy(&e, CMSG_DATA(c), sizeof(e));
	bed_log(&l->bed, "  errno %u, origin %u, type %u, code %u\n", e.ee_errno, e.ee_origin,
	        e.ee_type, e.ee_code);
}

static void error_queue(struct live *l)
{
	struct sockaddr_in nobody;
	struct pollfd p = {.events = POLLIN};
	struct dgram d;

	open_dgrams(l, &d);
	set_int(l, d.near, IPPROTO_IP, IP_RECVERR, 1);
	nobody = d.from;
	nobody.sin_port = htons(1);
	live_log(l, "sendto",
	         l->c->sendto(d.near, "hello", 5, 0, (struct sockaddr *)&nobody, sizeof(nobody)));
	p.fd = d.near;
	live_log(l, "poll", l->c->poll(&p, 1, 1000));
	live_log(l, "POLLERR", p.revents & POLLERR);
	log_error(l, d.near, 512);
	live_log(l, "poll", l->c->poll(&p, 1, 0));
	log_error(l, d.near, 512);
	live_log(l, "sendto",
	         l->c->sendto(d.near, "hello", 5, 0, (struct sockaddr *)&nobody, sizeof(nobody)));
	live_sleep(10);
	log_error(l, d.near, 0);
	close_dgrams(l, &d);
}

static void log_errors_told(struct live *l, int fd, int ep)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct epoll_event e = {0};

	live_log(l, "poll", l->c->poll(&p, 1, 0));
	live_log(l, "epoll_wait", l->c->epoll_wait(ep, &e, 1, 0));
	bed_log(&l->bed, "%x %x\n", (unsigned)p.revents, e.events);
}

/* As much of a long datagram as the ICMP error quotes. */
static void quoted(struct live *l)
{
	const struct sockaddr_in lo = {
	    .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in6 lo6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(1), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const struct sockaddr *to[] = {(const struct sockaddr *)&lo, (const struct sockaddr *)&lo6};

	for (int i = 0; i < 2; i++) {
		const int fd = l->c->socket(to[i]->sa_family, SOCK_DGRAM, 0);
		struct pollfd p = {.fd = fd};

		set_int(l, fd, i == 0 ? IPPROTO_IP : IPPROTO_IPV6,
		        i == 0 ? IP_RECVERR : IPV6_RECVERR, 1);
		memset(buf, 'a', 1400);
		live_log(l, "sendto",
		         l->c->sendto(fd, buf, 1400, 0, to[i], i == 0 ? sizeof(lo) : sizeof(lo6)));
		live_log(l, "poll", l->c->poll(&p, 1, 1000));
		memset(buf, 0, 1400);
		live_log(l, "recv", l->c->recv(fd, buf, 1400, MSG_ERRQUEUE));
		bed_log(&l->bed, "%zu\n", strlen(buf));
		l->c->close(fd);
	}
}

/* What is in the queue is told of until it is read, also when the error has been returned. */
static void errors_stay(struct live *l)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	const int ep = l->c->epoll_create1(0);
	struct sockaddr_in nobody;
	struct dgram d;

	open_dgrams(l, &d);
	set_int(l, d.near, IPPROTO_IP, IP_RECVERR, 1);
	live_log(l, "add", l->c->epoll_ctl(ep, EPOLL_CTL_ADD, d.near, &e));
	nobody = d.from;
	nobody.sin_port = htons(1);
	for (int i = 0; i < 2; i++) {
		live_log(l, "sendto",
		         l->c->sendto(d.near, "hello", 5, MSG_DONTWAIT, (struct sockaddr *)&nobody,
		                      sizeof(nobody)));
		live_sleep(10);
		log_errors_told(l, d.near, ep);
		live_log(l, "recv", l->c->recv(d.near, buf, 100, MSG_DONTWAIT));
		log_errors_told(l, d.near, ep);
	}
	for (int i = 0; i < 3; i++) {
		log_error(l, d.near, 512);
		log_errors_told(l, d.near, ep);
	}
	l->c->close(ep);
	close_dgrams(l, &d);
}

static void peek(struct live *l, int fd, const char *what, size_t n, int flags)
{
	struct iovec v = {.iov_base = buf, .iov_len = n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	int off = 0;
	socklen_t len = sizeof(off);
	ssize_t rc;

	memset(buf, 0, 16);
	rc = l->c->recvmsg(fd, &m, flags);
	live_log(l, what, rc);
	(void)l->c->getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &off, &len);
	bed_log(&l->bed, "'%.8s', flags %x, offset %d\n", rc > 0 ? buf : "",
	        rc < 0 ? 0 : (unsigned)m.msg_flags, off);
}

static void peek_off(struct live *l)
{
	struct dgram d;

	open_dgrams(l, &d);
	memcpy(buf, "abcde", 5);
	far_dgram(l, &d, 5);
	memcpy(buf, "fghijklm", 8);
	far_dgram(l, &d, 8);
	live_sleep(5);
	peek(l, d.near, "off", 3, MSG_PEEK);
	set_int(l, d.near, SOL_SOCKET, SO_PEEK_OFF, 0);
	peek(l, d.near, "first", 3, MSG_PEEK);
	peek(l, d.near, "rest of it", 3, MSG_PEEK);
	peek(l, d.near, "of the second", 3, MSG_PEEK);
	peek(l, d.near, "with its length", 2, MSG_PEEK | MSG_TRUNC);
	peek(l, d.near, "beyond", 3, MSG_PEEK | MSG_DONTWAIT);
	set_int(l, d.near, SOL_SOCKET, SO_PEEK_OFF, 7);
	peek(l, d.near, "taken", 100, 0);
	peek(l, d.near, "of the second", 100, MSG_PEEK);
	peek(l, d.near, "taken", 4, MSG_TRUNC);
	peek(l, d.near, "none", 4, MSG_PEEK | MSG_DONTWAIT);
	close_dgrams(l, &d);
}

static void log_name(struct live *l, const char *what, int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	live_log(l, what, l->c->getsockname(fd, (struct sockaddr *)&a, &len));
	bed_log(&l->bed, "%s %s\n", a.sin_addr.s_addr != 0 ? "address" : "any",
	        a.sin_port != 0 ? "port" : "none");
}

/* connect(2): an association is dissolved by AF_UNSPEC; what bind() was not told ends with it */
static void dissolved(struct live *l)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 9), self[4];

	for (int i = 0; i < 4; i++) {
		int fd = l->c->socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

		/* not at all, a port, an address, both */
		self[i] = bed_addr(&l->bed, NEAR, i & 1 ? 40007 : 0);
		if (!(i & 2))
			self[i].sin_addr.s_addr = 0;
		if (i > 0)
			live_log(l, "bind", l->c->bind(fd, (struct sockaddr *)&self[i], sizeof(a)));
		live_log(l, "not connected", l->c->connect(fd, &none, sizeof(none)));
		log_name(l, "before", fd);
		live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
		log_name(l, "connected", fd);
		live_log(l, "dissolve", l->c->connect(fd, &none, sizeof(none)));
		log_name(l, "after", fd);
		live_log(l, "send", l->c->send(fd, "x", 1, 0));
		live_log(l, "peer",
		         l->c->getpeername(fd, (struct sockaddr *)&self[i], &(socklen_t){16}));
		live_log(l, "connect", l->c->connect(fd, (struct sockaddr *)&a, sizeof(a)));
		log_name(l, "again", fd);
		l->c->close(fd);
	}
}

static const struct live_case cases[] = {
    {"recv", dgram_recv},
    {"end", dgram_end},
    {"send", dgram_send},
    {"the largest", largest},
    {"a small buffer", small_buffer},
    {"waiting", dgrams_wait},
    {"refused", dgram_refused},
    {"dissolved", dissolved},
    {"ancillary data: received", control_in},
    {"ancillary data: sent", control_out},
    {"ancillary data: answers", answers},
    {"the queue of errors", error_queue},
    {"errors stay in the queue", errors_stay},
    {"what errors quote", quoted},
    {"SO_PEEK_OFF", peek_off},
};

LIVE_MAIN("posix/datagram", cases)
