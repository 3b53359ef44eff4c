/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket options that are kept and told: what each is at first, after it was set, and which values are refused. */
#include "live.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum { TCP4 = 1, UDP4 = 2, TCP6 = 4, UDP6 = 8, IP4 = TCP4 | UDP4, IP6 = TCP6 | UDP6, ALL = 15 };

struct option {
	int level, name; /* by number: headers differ in which names they have */
	unsigned of;
};

static const struct option options[] = {
    {SOL_SOCKET, 25, ALL}, /* SO_BINDTODEVICE */
    {SOL_SOCKET, 28, ALL}, /* SO_PEERNAME */
    {SOL_SOCKET, 37, ALL}, /* SO_TIMESTAMPING */
    {SOL_SOCKET, 48, ALL}, /* SO_BPF_EXTENSIONS */
    {SOL_SOCKET, 72, ALL}, /* SO_BUF_LOCK */
    {SOL_SOCKET, 75, ALL}, /* SO_RCVMARK */
    {IPPROTO_IP, 3, TCP4}, /* IP_HDRINCL */
    {IPPROTO_IP, 9, TCP4}, /* IP_PKTOPTIONS */
    {IPPROTO_IP, 10, TCP4},         {IPPROTO_IP, 14, TCP4},
    {IPPROTO_IP, 21, ALL},          {IPPROTO_IP, 22, ALL},
    {IPPROTO_IP, 23, ALL},          {IPPROTO_IP, 26, ALL},
    {IPPROTO_IP, 49, TCP4},         {IPPROTO_IP, 51, IP4},
    {IPPROTO_IP, 52, ALL},          {IPPROTO_TCP, 8, TCP4 | TCP6}, /* TCP_LINGER2 */
    {IPPROTO_TCP, 16, TCP4 | TCP6}, {IPPROTO_TCP, 17, TCP4 | TCP6},
    {IPPROTO_TCP, 31, TCP4 | TCP6}, /* TCP_ULP */
    {IPPROTO_IPV6, 2, ALL},         {IPPROTO_IPV6, 3, ALL},
    {IPPROTO_IPV6, 4, ALL},         {IPPROTO_IPV6, 5, ALL},
    {IPPROTO_IPV6, 8, ALL},         {IPPROTO_IPV6, 11, ALL},
    {IPPROTO_IPV6, 23, TCP6},       {IPPROTO_IPV6, 25, TCP6},
    {IPPROTO_IPV6, 30, IP6},        {IPPROTO_IPV6, 31, ALL},
    {IPPROTO_IPV6, 33, IP6},        {IPPROTO_IPV6, 49, TCP6},
    {IPPROTO_IPV6, 51, TCP6},       {IPPROTO_IPV6, 53, ALL},
    {IPPROTO_IPV6, 56, ALL},        {IPPROTO_IPV6, 58, ALL},
    {IPPROTO_IPV6, 60, ALL},        {IPPROTO_IPV6, 62, ALL},
    {IPPROTO_IPV6, 66, TCP6},       {IPPROTO_IPV6, 70, ALL},
    {IPPROTO_IPV6, 73, IP6},        {IPPROTO_IPV6, 74, TCP6},
    {IPPROTO_IPV6, 77, IP6},
};

static void log_get(struct live *l, int fd, const struct option *o)
{
	char value[64] = {0};
	socklen_t len = sizeof(value);
	int rc = l->c->getsockopt(fd, o->level, o->name, value, &len), number;

	memcpy(&number, value, sizeof(number));
	if (rc != 0)
		bed_log(&l->bed, " %s", bed_errno(errno));
	else
		bed_log(&l->bed, " %d (%u)", len >= sizeof(number) ? number : 0, (unsigned)len);
}

static void log_set(struct live *l, int fd, const struct option *o, int value)
{
	int rc = l->c->setsockopt(fd, o->level, o->name, &value, sizeof(value));

	bed_log(&l->bed, ", set %d: %s", value, rc == 0 ? "" : bed_errno(errno));
	log_get(l, fd, o);
}

static void try_all(struct live *l, int domain, int type, unsigned of)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct option *o = &options[i];
		int fd;

		if (!(o->of & of))
			continue;
		fd = l->c->socket(domain, type, 0);
		bed_log(&l->bed, "%d/%d:", o->level, o->name);
		log_get(l, fd, o);
		log_set(l, fd, o, 1);
		log_set(l, fd, o, 0);
		log_set(l, fd, o, 3);
		log_set(l, fd, o, -1);
		log_set(l, fd, o, 300);
		bed_log(&l->bed, "\n");
		l->c->close(fd);
	}
}

static void tcp4(struct live *l)
{
	try_all(l, AF_INET, SOCK_STREAM, TCP4);
}

static void udp4(struct live *l)
{
	try_all(l, AF_INET, SOCK_DGRAM, UDP4);
}

static void tcp6(struct live *l)
{
	try_all(l, AF_INET6, SOCK_STREAM, TCP6);
}

static void udp6(struct live *l)
{
	try_all(l, AF_INET6, SOCK_DGRAM, UDP6);
}

/* SO_TIMESTAMPING: the time at which software has received a datagram */
static void stamps(struct live *l)
{
	struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);
	int fd = l->c->socket(AF_INET, SOCK_DGRAM, 0), flags = 1 << 3 | 1 << 4,
	    far = l->bed.call->socket(&l->bed, FAR, AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(a);
	char control[256], buf[8];
	struct iovec v = {buf, sizeof(buf)};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = control,
	                   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	struct timespec ts[3];

	live_log(l, "bind", l->c->bind(fd, (struct sockaddr *)&a, len));
	(void)l->c->getsockname(fd, (struct sockaddr *)&a, &len);
	live_log(l, "set",
	         l->c->setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)));
	(void)l->bed.call->sendto(&l->bed, FAR, far, "x", 1, 0, (struct sockaddr *)&a, len);
	live_log(l, "recvmsg", l->c->recvmsg(fd, &m, 0));
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL) {
		memcpy(ts, CMSG_DATA(c), sizeof(ts));
		bed_log(&l->bed, "%d %d %zu, a time: %d, by hardware: %d\n", c->cmsg_level,
		        c->cmsg_type, (size_t)c->cmsg_len, ts[0].tv_sec + ts[0].tv_nsec != 0,
		        ts[2].tv_sec != 0);
	}
	l->c->close(fd);
	l->bed.call->close(&l->bed, FAR, far);
}

static const struct live_case cases[] = {
    {"TCP over IPv4", tcp4}, {"UDP over IPv4", udp4},     {"TCP over IPv6", tcp6},
    {"UDP over IPv6", udp6}, {"SO_TIMESTAMPING", stamps},
};

LIVE_MAIN("posix/options", cases)
