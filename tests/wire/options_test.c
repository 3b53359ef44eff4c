/* SPDX-License-Identifier: BSD-2-Clause */

/* Socket options that a socket keeps and tells, value by value, on the kernel and on percore. */

#include "bed.h"

#include <asm/socket.h>
#include <errno.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

/* missing from older systems' headers */
#ifndef TCP_TX_DELAY
#define TCP_TX_DELAY 37
#endif
#ifndef IP_PROTOCOL
#define IP_PROTOCOL 52
#endif

#define OPTION(level, name)        \
	{                          \
#name, level, name \
	}

struct option {
	const char *name;
	int level, number;
};

/* of every socket */
static const struct option of_all[] = {
    OPTION(SOL_SOCKET, SO_DONTROUTE),
    OPTION(SOL_SOCKET, SO_PRIORITY),
    OPTION(SOL_SOCKET, SO_SNDLOWAT),
    OPTION(SOL_SOCKET, SO_MARK),
    OPTION(SOL_SOCKET, SO_BUSY_POLL),
    OPTION(SOL_SOCKET, SO_INCOMING_CPU),
    OPTION(SOL_SOCKET, SO_INCOMING_NAPI_ID),
    OPTION(SOL_SOCKET, SO_WIFI_STATUS),
    OPTION(SOL_SOCKET, SO_NOFCS),
    OPTION(SOL_SOCKET, SO_LOCK_FILTER),
    OPTION(SOL_SOCKET, SO_SELECT_ERR_QUEUE),
    OPTION(SOL_SOCKET, SO_NO_CHECK),
    OPTION(SOL_SOCKET, SO_DEBUG),
    OPTION(SOL_SOCKET, SO_BSDCOMPAT),
    OPTION(SOL_SOCKET, SO_RXQ_OVFL),
    OPTION(SOL_SOCKET, SO_TIMESTAMP),
    OPTION(SOL_SOCKET, SO_TIMESTAMPNS),
    OPTION(IPPROTO_IP, IP_RECVERR),
    OPTION(IPPROTO_IP, IP_PKTINFO),
    OPTION(IPPROTO_IP, IP_RECVTOS),
    OPTION(IPPROTO_IP, IP_RECVTTL),
    OPTION(IPPROTO_IP, IP_RECVOPTS),
    OPTION(IPPROTO_IP, IP_RETOPTS),
    OPTION(IPPROTO_IP, IP_TRANSPARENT),
    OPTION(IPPROTO_IP, IP_FREEBIND),
    OPTION(IPPROTO_IP, IP_RECVORIGDSTADDR),
    OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
    OPTION(IPPROTO_IP, IP_MULTICAST_LOOP),
};

static const struct option of_tcp[] = {
    OPTION(SOL_SOCKET, SO_TIMESTAMPING_OLD),
    OPTION(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS),
    OPTION(IPPROTO_TCP, TCP_INQ),
    OPTION(SOL_SOCKET, SO_ZEROCOPY),
};

static const struct option of_udp[] = {
    OPTION(IPPROTO_UDP, UDP_NO_CHECK6_TX),
    OPTION(IPPROTO_UDP, UDP_NO_CHECK6_RX),
};

static void log_value(struct bed *b, int fd, const struct option *o)
{
	int v = -77, r;
	socklen_t len = sizeof(v);

	errno = 0;
	r = b->call->getsockopt(b, NEAR, fd, o->level, o->number, &v, &len);
	bed_log(b, " %s %d len %u", r < 0 ? bed_errno(errno) : "is", v, len);
}

static void try_all(struct bed *b, int type, const struct option *o, size_t n)
{
	static const int values[] = {1, 5, 0, -1, 70000};

	for (; n > 0; n--, o++) {
		int fd = b->call->socket(b, NEAR, AF_INET, type, 0);

		bed_log(b, "%s:", o->name);
		log_value(b, fd, o);
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			int r;

			errno = 0;
			r = b->call->setsockopt(b, NEAR, fd, o->level, o->number, &values[i],
			                        sizeof(values[i]));
			bed_log(b, "; %d %s", values[i], r < 0 ? bed_errno(errno) : "ok");
			log_value(b, fd, o);
		}
		bed_log(b, "\n");
		b->call->close(b, NEAR, fd);
	}
}

#define TRY(b, type, list) try_all(b, type, list, sizeof(list) / sizeof(list[0]))

/* values of their own */
static const struct edge {
	struct option option;
	int type, value[8];
} edges[] = {
    {OPTION(SOL_SOCKET, SO_MAX_PACING_RATE), SOCK_STREAM, {0, 1, INT32_MAX, -1, 0}},
    {OPTION(SOL_SOCKET, SO_MAX_PACING_RATE), SOCK_DGRAM, {0, 1, INT32_MAX, -1, 0}},
    {OPTION(SOL_SOCKET, SO_RCVLOWAT), SOCK_STREAM, {1, 5, 60000, 0}},
    {OPTION(SOL_SOCKET, SO_RCVLOWAT), SOCK_DGRAM, {-1, 5, INT32_MAX, INT32_MIN, 0}},
    {OPTION(IPPROTO_TCP, TCP_TX_DELAY), SOCK_STREAM, {(1 << 28) - 1, 1 << 28, INT32_MAX, -1, 0}},
    /* SOF_TIMESTAMPING_OPT_ID, OPT_STATS without and with OPT_TSONLY, BIND_PHC, what is not known, receiving */
    {OPTION(SOL_SOCKET, SO_TIMESTAMPING_OLD),
     SOCK_STREAM,
     {1 << 7, 1 << 12, 1 << 12 | 1 << 11, 1 << 15, 1 << 16, 1 << 30, 1 << 3 | 1 << 4}},
    {OPTION(SOL_SOCKET, SO_TIMESTAMPING_OLD),
     SOCK_DGRAM,
     {1 << 7, 1 << 12, 1 << 12 | 1 << 11, 1 << 15, 1 << 16, 1 << 30, 1 << 3 | 1 << 4}},
    {OPTION(IPPROTO_IP, IP_HDRINCL), SOCK_STREAM, {1}},
    {OPTION(IPPROTO_IP, IP_HDRINCL), SOCK_DGRAM, {1}},
};

static void at_the_edges(struct bed *b)
{
	for (const struct edge *e = edges; e < edges + sizeof(edges) / sizeof(edges[0]); e++) {
		int fd = b->call->socket(b, NEAR, AF_INET, e->type, 0);

		bed_log(b, "%s of %d:", e->option.name, e->type);
		log_value(b, fd, &e->option);
		for (size_t i = 0; i < sizeof(e->value) / sizeof(e->value[0]); i++) {
			int r;

			errno = 0;
			r = b->call->setsockopt(b, NEAR, fd, e->option.level, e->option.number,
			                        &e->value[i], sizeof(e->value[i]));
			bed_log(b, "; %d %s", e->value[i], r < 0 ? bed_errno(errno) : "ok");
			log_value(b, fd, &e->option);
		}
		bed_log(b, "\n");
		b->call->close(b, NEAR, fd);
	}
}

static int number_of(struct bed *b, int fd, int level, int name)
{
	int v = -77;
	socklen_t len = sizeof(v);

	b->call->getsockopt(b, NEAR, fd, level, name, &v, &len);
	return v;
}

static void log_port(struct bed *b, int fd)
{
	struct sockaddr_in a = {0};
	socklen_t len = sizeof(a);

	b->call->getsockname(b, NEAR, fd, (struct sockaddr *)&a, &len);
	bed_log(b, "bound %d, by its port: %d\n", a.sin_port != 0,
	        number_of(b, fd, IPPROTO_IP, IP_PROTOCOL) == ntohs(a.sin_port));
}

/* what a socket has only when it has a name or a peer */
static void of_state(struct bed *b)
{
	const int id = 1 << 7; /* SOF_TIMESTAMPING_OPT_ID */
	struct sockaddr_in a;
	int fd[2], listener = bed_listener(b, 5, &a);

	bed_log(b, "clamp of a listener %d\n",
	        number_of(b, listener, IPPROTO_TCP, TCP_WINDOW_CLAMP));
	log_port(b, listener);
	b->call->close(b, NEAR, listener);
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		fd[NEAR] = b->call->socket(b, NEAR, AF_INET, type, 0);
		log_port(b, fd[NEAR]);
		a = bed_addr(b, NEAR, 0);
		b->call->bind(b, NEAR, fd[NEAR], (struct sockaddr *)&a, sizeof(a));
		log_port(b, fd[NEAR]);
		b->call->close(b, NEAR, fd[NEAR]);
	}
	bed_pair(b, fd);
	bed_log(b, "clamp of a connection: %d\n",
	        number_of(b, fd[NEAR], IPPROTO_TCP, TCP_WINDOW_CLAMP) > 2000);
	bed_log(b, "identifiers %d %d\n",
	        b->call->setsockopt(b, NEAR, fd[NEAR], SOL_SOCKET, SO_TIMESTAMPING_OLD, &id,
	                            sizeof(id)),
	        number_of(b, fd[NEAR], SOL_SOCKET, SO_TIMESTAMPING_OLD));
	log_port(b, fd[NEAR]);
	b->call->close(b, FAR, fd[FAR]);
	b->call->close(b, NEAR, fd[NEAR]);
}

/* without CAP_NET_ADMIN the kernel refuses some of them */
static void of_streams(struct bed *b)
{
	TRY(b, SOCK_STREAM, of_all);
	TRY(b, SOCK_STREAM, of_tcp);
}

static void of_datagrams(struct bed *b)
{
	TRY(b, SOCK_DGRAM, of_all);
	TRY(b, SOCK_DGRAM, of_udp);
}

/* socket(7) SO_RCVLOWAT: "the minimum number of bytes in the buffer until the socket layer will pass the data
 * ... to the user on receiving"; select(2) and poll(2) go by it */
static void low_water(struct bed *b)
{
	int fd[2], v = 10, got = 0;
	socklen_t len = sizeof(got);

	bed_pair(b, fd);
	b->call->getsockopt(b, NEAR, fd[NEAR], SOL_SOCKET, SO_RCVLOWAT, &got, &len);
	bed_log(b, "at first %d\n", got);
	b->call->setsockopt(b, NEAR, fd[NEAR], SOL_SOCKET, SO_RCVLOWAT, &v, sizeof(v));
	b->call->getsockopt(b, NEAR, fd[NEAR], SOL_SOCKET, SO_RCVLOWAT, &got, &len);
	bed_log(b, "then %d\n", got);
	for (int i = 0; i < 3; i++) {
		struct pollfd p = {.fd = fd[NEAR], .events = POLLIN};

		bed_send(b, FAR, fd[FAR], 6);
		b->call->settle(b);
		b->call->poll(b, NEAR, &p, 1);
		bed_log(b, "after %d bytes: ", 6 * (i + 1));
		bed_log_events(b, (uint32_t)p.revents);
		bed_log(b, "\n");
	}
	bed_recv(b, NEAR, fd[NEAR], 100);
	bed_send(b, FAR, fd[FAR], 1);
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	{
		struct pollfd p = {.fd = fd[NEAR], .events = POLLIN};

		b->call->poll(b, NEAR, &p, 1);
		bed_log(b, "at the end: ");
		bed_log_events(b, (uint32_t)p.revents);
		bed_log(b, "\n");
	}
	bed_recv(b, NEAR, fd[NEAR], 100);
	b->call->close(b, FAR, fd[FAR]);
	b->call->close(b, NEAR, fd[NEAR]);
}

/* what is asked for early is taken over when it is there at once */
static void low_water_lowered(struct bed *b)
{
	int fd[2], v = 100;
	struct pollfd p = {.events = POLLIN};

	bed_pair(b, fd);
	b->call->setsockopt(b, NEAR, fd[NEAR], SOL_SOCKET, SO_RCVLOWAT, &v, sizeof(v));
	bed_send(b, FAR, fd[FAR], 6);
	b->call->settle(b);
	p.fd = fd[NEAR];
	bed_log(b, "too few: %d\n", b->call->poll(b, NEAR, &p, 1));
	v = 5;
	b->call->setsockopt(b, NEAR, fd[NEAR], SOL_SOCKET, SO_RCVLOWAT, &v, sizeof(v));
	bed_log(b, "enough: %d\n", b->call->poll(b, NEAR, &p, 1));
	b->call->close(b, FAR, fd[FAR]);
	b->call->close(b, NEAR, fd[NEAR]);
}

/* one recvmsg(), and what it tells beside the bytes */
static void receive(struct bed *b, int fd, size_t n, int flags)
{
	char buf[100], control[100];
	struct iovec v = {.iov_base = buf, .iov_len = n};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	struct sock_extended_err e;
	ssize_t r;
	int left;

	errno = 0;
	r = b->call->recvmsg(b, NEAR, fd, &m, flags | MSG_DONTWAIT);
	bed_log(b, "%zd %s, flags %x, control %zu:", r, r < 0 ? bed_errno(errno) : "",
	        (unsigned)m.msg_flags, r < 0 ? 0 : m.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); r >= 0 && c != NULL; c = CMSG_NXTHDR(&m, c)) {
		bed_log(b, " level %d type %d len %zu", c->cmsg_level, c->cmsg_type,
		        (size_t)c->cmsg_len);
		if (c->cmsg_level == IPPROTO_TCP) {
			memcpy(&left, CMSG_DATA(c), sizeof(left));
			bed_log(b, " left %d", left);
		} else {
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			bed_log(b, " errno %u origin %u type %u code %u [%u,%u]", e.ee_errno,
			        e.ee_origin, e.ee_type, e.ee_code, e.ee_info, e.ee_data);
		}
	}
	bed_log(b, "\n");
}

/* tcp(7) has no word of TCP_INQ: "the amount of data in the receive queue ... is returned as a control message" */
static void left_to_read(struct bed *b)
{
	char byte;
	struct iovec v = {.iov_base = &byte, .iov_len = 1};
	struct msghdr none = {.msg_iov = &v, .msg_iovlen = 1};
	int fd[2], on = 1;

	bed_pair(b, fd);
	bed_send(b, FAR, fd[FAR], 10);
	b->call->settle(b);
	receive(b, fd[NEAR], 1, 0);
	b->call->setsockopt(b, NEAR, fd[NEAR], IPPROTO_TCP, TCP_INQ, &on, sizeof(on));
	bed_log(b, "no room: %zd", b->call->recvmsg(b, NEAR, fd[NEAR], &none, MSG_PEEK));
	bed_log(b, ", flags %x\n", (unsigned)none.msg_flags);
	receive(b, fd[NEAR], 2, MSG_PEEK);
	receive(b, fd[NEAR], 4, 0);
	receive(b, fd[NEAR], 5, 0);
	receive(b, fd[NEAR], 5, 0);
	bed_send(b, FAR, fd[FAR], 3);
	b->call->shutdown(b, FAR, fd[FAR], SHUT_WR);
	b->call->settle(b);
	receive(b, fd[NEAR], 3, 0);
	receive(b, fd[NEAR], 3, 0);
	b->call->close(b, FAR, fd[FAR]);
	b->call->close(b, NEAR, fd[NEAR]);
}

static void poll_error(struct bed *b, int fd)
{
	struct pollfd p = {.fd = fd, .events = 0};

	b->call->poll(b, NEAR, &p, 1);
	bed_log_events(b, (uint32_t)p.revents);
	bed_log(b, "\n");
}

/* send(2) MSG_ZEROCOPY: each call is told of in the queue of errors, several in one message; over the
 * loopback Linux copies, too */
static void zerocopy(struct bed *b)
{
	int fd[2], on = 1;
	char buf[100] = "";

	bed_pair(b, fd);
	bed_log(b, "not asked for: %zd\n",
	        b->call->sendto(b, NEAR, fd[NEAR], buf, 10, MSG_ZEROCOPY, NULL, 0));
	b->call->settle(b);
	receive(b, fd[NEAR], 10, MSG_ERRQUEUE);
	b->call->setsockopt(b, NEAR, fd[NEAR], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on));
	for (int i = 0; i < 3; i++) {
		b->call->sendto(b, NEAR, fd[NEAR], buf, 100, i == 1 ? 0 : MSG_ZEROCOPY, NULL, 0);
		b->call->settle(b);
	}
	bed_recv(b, FAR, fd[FAR], 1000);
	bed_send(b, FAR, fd[FAR], 1); /* what it acknowledges is over */
	b->call->settle(b);
	poll_error(b, fd[NEAR]);
	receive(b, fd[NEAR], 10, MSG_ERRQUEUE);
	poll_error(b, fd[NEAR]);
	receive(b, fd[NEAR], 10, MSG_ERRQUEUE);
	receive(b, fd[NEAR], 10, 0);
	b->call->sendto(b, NEAR, fd[NEAR], buf, 100, MSG_ZEROCOPY, NULL, 0);
	b->call->settle(b);
	bed_recv(b, FAR, fd[FAR], 1000);
	bed_send(b, FAR, fd[FAR], 1);
	b->call->settle(b);
	receive(b, fd[NEAR], 10, MSG_ERRQUEUE);
	b->call->close(b, FAR, fd[FAR]);
	b->call->close(b, NEAR, fd[NEAR]);
}

static const struct bed_case cases[] = {
    {"options of streams", of_streams},
    {"options of datagrams", of_datagrams},
    {"SO_RCVLOWAT", low_water},
    {"SO_RCVLOWAT that is lowered", low_water_lowered},
    {"TCP_INQ", left_to_read},
    {"MSG_ZEROCOPY", zerocopy},
    {"values at the edges", at_the_edges},
    {"options of a state", of_state},
};

int main(int argc, char **argv)
{
	return bed_main(argc, argv, "options", cases, sizeof(cases) / sizeof(cases[0]));
}
