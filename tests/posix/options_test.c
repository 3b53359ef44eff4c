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
    {SOL_SOCKET, 3, ALL},          /* SO_TYPE */
    {SOL_SOCKET, 9, ALL},          /* SO_KEEPALIVE */
    {SOL_SOCKET, 10, UDP4 | UDP6}, /* SO_OOBINLINE */
    {SOL_SOCKET, 17, ALL},         /* SO_PEERCRED */
    {SOL_SOCKET, 22, ALL},         /* none */
    {SOL_SOCKET, 25, ALL},         /* SO_BINDTODEVICE */
    {SOL_SOCKET, 27, ALL},         /* SO_DETACH_FILTER */
    {SOL_SOCKET, 28, ALL},         /* SO_PEERNAME */
    {SOL_SOCKET, 37, ALL},         /* SO_TIMESTAMPING */
    {SOL_SOCKET, 48, ALL},         /* SO_BPF_EXTENSIONS */
    {SOL_SOCKET, 53, ALL},         /* SO_CNX_ADVICE */
    {SOL_SOCKET, 59, ALL},         /* SO_PEERGROUPS */
    {SOL_SOCKET, 63, ALL},         /* SO_TIMESTAMP_NEW */
    {SOL_SOCKET, 64, ALL},         /* SO_TIMESTAMPNS_NEW */
    {SOL_SOCKET, 65, ALL},         /* SO_TIMESTAMPING_NEW */
    {SOL_SOCKET, 72, ALL},         /* SO_BUF_LOCK */
    {SOL_SOCKET, 75, ALL},         /* SO_RCVMARK */
    {IPPROTO_IP, 1, UDP4},         /* IP_TOS */
    {IPPROTO_IP, 3, IP4},          /* IP_HDRINCL */
    {IPPROTO_IP, 6, IP4},           {IPPROTO_IP, 8, UDP4},
    {IPPROTO_IP, 12, UDP4},         {IPPROTO_IP, 35, TCP4}, /* IP_ADD_MEMBERSHIP */
    {IPPROTO_IP, 39, TCP4},         {IPPROTO_IP, 42, TCP4},
    {IPPROTO_TCP, 7, TCP4},         {IPPROTO_TCP, 12, TCP4}, /* TCP_QUICKACK */
    {IPPROTO_TCP, 25, TCP4},        {IPPROTO_TCP, 27, TCP4}, /* TCP_SAVE_SYN */
    {IPPROTO_TCP, 28, TCP4},        {IPPROTO_TCP, 34, TCP4},
    {IPPROTO_TCP, 37, TCP4},                                  /* TCP_TX_DELAY */
    {IPPROTO_UDP, 2, IP4},          {IPPROTO_UDP, 100, TCP4}, /* UDP_ENCAP */
    {IPPROTO_IPV6, 6, ALL},                                   /* IPV6_2292PKTOPTIONS */
    {IPPROTO_IPV6, 20, TCP6},       {IPPROTO_IPV6, 54, ALL},  /* IPV6_HOPOPTS */
    {IPPROTO_IPV6, 57, ALL},        {IPPROTO_IPV6, 59, ALL},
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
    {IPPROTO_IPV6, 77, IP6},        {SOL_SOCKET, 47, UDP4 | UDP6}, /* SO_MAX_PACING_RATE */
    {IPPROTO_IP, 49, UDP4 | UDP6},  {IPPROTO_IPV6, 19, IP6},       /* IPV6_MULTICAST_LOOP */
    {IPPROTO_IPV6, 24, IP6},                                       /* IPV6_MTU */
    {IPPROTO_TCP, 30, TCP4 | TCP6},                                /* TCP_FASTOPEN_CONNECT */
    {SOL_SOCKET, 69, ALL},          {SOL_SOCKET, 70, ALL},         /* SO_BUSY_POLL_BUDGET */
    {IPPROTO_TCP, 25, TCP4 | TCP6},                                /* TCP_NOTSENT_LOWAT */
    {IPPROTO_IPV6, 61, ALL},                                       /* IPV6_PATHMTU */
    {IPPROTO_IPV6, 1, ALL},         {IPPROTO_IPV6, 72, ALL},       /* IPV6_ADDR_PREFERENCES */
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

/* IPV6_ADDRFORM, whose errors differ between kernels: newer ones do not set it any more */
static bool is_family(const struct option *o)
{
	return o->level == IPPROTO_IPV6 && o->name == 1;
}

static void log_set_part(struct live *l, int fd, const struct option *o, int value, socklen_t len)
{
	int rc = l->c->setsockopt(fd, o->level, o->name, &value, len);

	const char *error = rc == 0 ? "" : is_family(o) ? "refused" : bed_errno(errno);

	bed_log(&l->bed, ", set %d/%u: %s", value, (unsigned)len, error);
	log_get(l, fd, o);
}

static void log_set(struct live *l, int fd, const struct option *o, int value)
{
	log_set_part(l, fd, o, value, sizeof(value));
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
		log_set(l, fd, o, -7);
		log_set(l, fd, o, 300);
		log_set_part(l, fd, o, 2, 1);
		log_set_part(l, fd, o, 1, 0);
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

/* SO_TIMESTAMPING, old and new: the time at which software has received a datagram */
static void stamps_of(struct live *l, int name)
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
	struct cmsghdr *c = NULL;
	struct timespec ts[3];
	ssize_t rc = -1;

	live_log(l, "bind", l->c->bind(fd, (struct sockaddr *)&a, len));
	(void)l->c->getsockname(fd, (struct sockaddr *)&a, &len);
	live_log(l, "set", l->c->setsockopt(fd, SOL_SOCKET, name, &flags, sizeof(flags)));
	/* the kernel begins to stamp a little after it was asked to */
	for (int i = 0; i < 500 && c == NULL; i++) {
		live_sleep(i > 0);
		m.msg_controllen = sizeof(control);
		(void)l->bed.call->sendto(&l->bed, FAR, far, "x", 1, 0, (struct sockaddr *)&a, len);
		rc = l->c->recvmsg(fd, &m, 0);
		c = CMSG_FIRSTHDR(&m);
	}
	live_log(l, "recvmsg", rc);
	if (c != NULL) {
		memset(ts, 0, sizeof(ts));
		memcpy(ts, CMSG_DATA(c),
		       c->cmsg_len - CMSG_LEN(0) < sizeof(ts) ? c->cmsg_len - CMSG_LEN(0)
		                                              : sizeof(ts));
		bed_log(&l->bed, "%d %d %zu, a time: %d, by hardware: %d\n", c->cmsg_level,
		        c->cmsg_type, (size_t)c->cmsg_len, ts[0].tv_sec + ts[0].tv_nsec != 0,
		        ts[2].tv_sec != 0);
	}
	l->c->close(fd);
	l->bed.call->close(&l->bed, FAR, far);
}

static void stamps(struct live *l)
{
	stamps_of(l, SO_TIMESTAMPING);
	stamps_of(l, SO_TIMESTAMPING_NEW);
	stamps_of(l, SO_TIMESTAMP_NEW);
	stamps_of(l, SO_TIMESTAMPNS_NEW);
}

/* socket(7): the sizes of buffers are doubled; and a cookie is nobody else's */
static void buffers_and_cookies(struct live *l)
{
	static const int names[] = {SO_SNDBUF, SO_RCVBUF};
	uint64_t cookie[2] = {0, 0};
	int fd[2], size;
	socklen_t len;

	for (int i = 0; i < 2; i++) {
		fd[i] = l->c->socket(AF_INET, i == 0 ? SOCK_STREAM : SOCK_DGRAM, 0);
		for (size_t k = 0; k < 2; k++) {
			size = 30000;
			live_log(
			    l, "set",
			    l->c->setsockopt(fd[i], SOL_SOCKET, names[k], &size, sizeof(size)));
			len = sizeof(size);
			live_log(l, "get",
			         l->c->getsockopt(fd[i], SOL_SOCKET, names[k], &size, &len));
			bed_log(&l->bed, "%d\n", size);
		}
		len = sizeof(cookie[i]);
		live_log(l, "cookie",
		         l->c->getsockopt(fd[i], SOL_SOCKET, 57, &cookie[i], &len)); /* SO_COOKIE */
	}
	bed_log(&l->bed, "a cookie: %d, another: %d\n", cookie[0] != 0, cookie[0] != cookie[1]);
	l->c->close(fd[0]);
	l->c->close(fd[1]);
}

/* IPV6_PATHMTU: as far as IPV6_MTU knows it */
static void path_mtu(struct live *l)
{
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		struct sockaddr_in6 a = {.sin6_family = AF_INET6,
		                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
		int fd = l->c->socket(AF_INET6, type, 0), to = fd, mtu = 0;
		socklen_t len = sizeof(a);

		(void)l->c->bind(fd, (struct sockaddr *)&a, len);
		(void)l->c->getsockname(fd, (struct sockaddr *)&a, &len);
		if (type == SOCK_STREAM) {
			(void)l->c->listen(fd, 1);
			to = l->c->socket(AF_INET6, type, 0);
		}
		live_log(l, "connect", l->c->connect(to, (struct sockaddr *)&a, len));
		len = sizeof(mtu);
		live_log(l, "MTU", l->c->getsockopt(to, IPPROTO_IPV6, IPV6_MTU, &mtu, &len));
		for (len = 28; len < 40; len += 4) {
			struct ip6_mtuinfo info = {.ip6m_mtu = 1};
			socklen_t n = len;

			live_log(l, "path",
			         l->c->getsockopt(to, IPPROTO_IPV6, IPV6_PATHMTU, &info, &n));
			bed_log(&l->bed, "%u, family %d, the same: %d\n", n,
			        info.ip6m_addr.sin6_family, info.ip6m_mtu == (uint32_t)mtu);
		}
		if (to != fd)
			l->c->close(to);
		l->c->close(fd);
	}
}

/* RFC 5014: what was asked for last, group by group; and a budget in its range */
static void preferences(struct live *l)
{
	static const int values[] = {1,     2,     4,     0x100, 0x400, 0x401, 0x104,  6, 8, 0x800,
	                             0x801, 0xd04, 0x102, 0x103, 0x404, 0x808, 0x2000, 5, 0};
	static const struct option preference = {IPPROTO_IPV6, 72, IP6},
	                           budget = {SOL_SOCKET, 70, ALL};

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		const int fd = l->c->socket(AF_INET6, type, 0);

		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			log_set(l, fd, &preference, values[i]);
			bed_log(&l->bed, "\n");
		}
		for (int value = 65534; value <= 65537; value++)
			log_set(l, fd, &budget, value);
		bed_log(&l->bed, "\n");
		l->c->close(fd);
	}
}

/* IPV6_ADDRFORM, where there is nothing to change; and IP_OPTIONS that are cleared, as old servers do */
static void family_of_socket(struct live *l)
{
	static const struct option form = {IPPROTO_IPV6, 1, IP6}, ip_options = {IPPROTO_IP, 4, ALL};

	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		struct sockaddr_in6 a = {.sin6_family = AF_INET6,
		                         .sin6_addr = IN6ADDR_LOOPBACK_INIT};
		int fd = l->c->socket(AF_INET6, type, 0), to = fd;
		socklen_t len = sizeof(a);

		log_set(l, fd, &form, AF_INET);
		log_set(l, fd, &form, AF_INET6);
		(void)l->c->bind(fd, (struct sockaddr *)&a, len);
		(void)l->c->getsockname(fd, (struct sockaddr *)&a, &len);
		if (type == SOCK_STREAM) {
			(void)l->c->listen(fd, 1);
			to = l->c->socket(AF_INET6, type, 0);
		}
		live_log(l, "connect", l->c->connect(to, (struct sockaddr *)&a, len));
		log_set(l, to, &form, AF_INET);
		log_set(l, to, &form, AF_INET6);
		if (to != fd)
			l->c->close(to);
		l->c->close(fd);
		fd = l->c->socket(AF_INET, type, 0);
		log_get(l, fd, &ip_options);
		live_log(l, "none", l->c->setsockopt(fd, IPPROTO_IP, IP_OPTIONS, NULL, 0));
		log_get(l, fd, &ip_options);
		l->c->close(fd);
	}
}

static void tell_waiting(struct live *l, int listener, bool limit)
{
	struct tcp_info info = {.tcpi_unacked = 99};
	socklen_t len = sizeof(info);

	live_log(l, "TCP_INFO", l->c->getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &len));
	bed_log(&l->bed, "%u wait", info.tcpi_unacked);
	if (limit)
		bed_log(&l->bed, " of %u", info.tcpi_sacked);
	bed_log(&l->bed, "\n");
}

/* How many connections wait for accept(), and how many may; with less than 0 that is the system's own limit. */
static void waiting(struct live *l)
{
	static const int backlogs[][2] = {{0, 1}, {1, 2}, {2, 3}, {5, 4}, {8, 0}, {-1, 8}};

	for (size_t i = 0; i < sizeof(backlogs) / sizeof(backlogs[0]); i++) {
		const int backlog = backlogs[i][0], n = backlogs[i][1];
		struct sockaddr_in a;
		int listener = live_listener(l, backlog, &a), far[8], fd;

		for (int k = 0; k < n; k++) {
			far[k] = live_far_connect(l, &a);
			live_sleep(3);
		}
		live_sleep(10);
		tell_waiting(l, listener, backlog >= 0);
		fd = n > 0 ? l->c->accept4(listener, NULL, NULL, 0) : -1;
		tell_waiting(l, listener, backlog >= 0);
		if (backlog >= 0) {
			live_log(l, "listen", l->c->listen(listener, backlog + 3));
			tell_waiting(l, listener, true);
		}
		l->c->close(listener);
		for (int k = 0; k < n; k++)
			l->bed.call->close(&l->bed, FAR, far[k]);
		if (fd >= 0)
			l->c->close(fd);
	}
}

static const struct live_case cases[] = {
    {"preferences", preferences},
    {"IPV6_ADDRFORM, IP_OPTIONS", family_of_socket},
    {"TCP over IPv4", tcp4},
    {"UDP over IPv4", udp4},
    {"TCP over IPv6", tcp6},
    {"UDP over IPv6", udp6},
    {"SO_TIMESTAMPING", stamps},
    {"buffers and cookies", buffers_and_cookies},
    {"TCP_INFO of a listener", waiting},
    {"RFC 3542 11.4: IPV6_PATHMTU", path_mtu},
};

LIVE_MAIN("posix/options", cases)
