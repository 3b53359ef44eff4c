/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call on a socket in every state: what it returns, and what poll() says after it.
 *
 * The cases are the product of two tables; each has a socket of its own.
 */
#include "subject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static char buf[4096];

/* ---- calls ------------------------------------------------------------------------------------ */

#define CALL(name, ...)                                           \
	static long name(struct live *l, const struct subject *s) \
	{                                                         \
		return __VA_ARGS__;                               \
	}

CALL(recv_some, l->c->recv(s->fd, buf, 7, 0))
CALL(recv_none, l->c->recv(s->fd, buf, 0, 0))
CALL(recv_peek, l->c->recv(s->fd, buf, 100, MSG_PEEK))
CALL(recv_trunc, l->c->recv(s->fd, buf, 5, MSG_TRUNC))
CALL(recv_all, l->c->recv(s->fd, buf, 15, MSG_WAITALL))
CALL(recv_oob, l->c->recv(s->fd, buf, 1, MSG_OOB))
CALL(do_read, l->c->read(s->fd, buf, 100))
CALL(read_none, l->c->read(s->fd, buf, 0))
CALL(send_some, l->c->send(s->fd, buf, 7, MSG_NOSIGNAL))
CALL(send_none, l->c->send(s->fd, buf, 0, MSG_NOSIGNAL))
CALL(send_more, l->c->send(s->fd, buf, 7, MSG_NOSIGNAL | MSG_MORE))
CALL(do_write, l->c->write(s->fd, buf, 7))
CALL(write_none, l->c->write(s->fd, buf, 0))
CALL(listen_5, l->c->listen(s->fd, 5))
CALL(listen_negative, l->c->listen(s->fd, -1))
CALL(accept_one, l->c->accept4(s->fd, NULL, NULL, SOCK_NONBLOCK) >= 0 ? 0 : -1)
CALL(accept_flags, l->c->accept4(s->fd, NULL, NULL, 1))
CALL(do_shut_rd, l->c->shutdown(s->fd, SHUT_RD))
CALL(do_shut_wr, l->c->shutdown(s->fd, SHUT_WR))
CALL(do_shut_rdwr, l->c->shutdown(s->fd, SHUT_RDWR))
CALL(shut_wrong, l->c->shutdown(s->fd, 3))
CALL(get_flags, l->c->fcntl(s->fd, F_GETFL, 0))

static long sendto_far(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 4000);

	return l->c->sendto(s->fd, buf, 7, MSG_NOSIGNAL, (struct sockaddr *)&a, sizeof(a));
}

static long sendto_short(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 4000);

	return l->c->sendto(s->fd, buf, 7, MSG_NOSIGNAL, (struct sockaddr *)&a, 3);
}

static long sendto_family(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 4000);

	a.sin_family = AF_UNIX;
	return l->c->sendto(s->fd, buf, 7, MSG_NOSIGNAL, (struct sockaddr *)&a, sizeof(a));
}

static long bind_again(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);

	return l->c->bind(s->fd, (struct sockaddr *)&a, sizeof(a));
}

static long bind_foreign(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc6336401)};

	return l->c->bind(s->fd, (struct sockaddr *)&a, sizeof(a));
}

static long bind_short(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);

	return l->c->bind(s->fd, (struct sockaddr *)&a, 4);
}

static long connect_short(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 9);

	return l->c->connect(s->fd, (struct sockaddr *)&a, 4);
}

static long connect_family(struct live *l, const struct subject *s)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 9);

	a.sin_family = AF_INET6;
	return l->c->connect(s->fd, (struct sockaddr *)&a, sizeof(a));
}

static long peer_name(struct live *l, const struct subject *s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	long rc = l->c->getpeername(s->fd, (struct sockaddr *)&a, &len);

	return rc != 0 ? rc : len;
}

static long own_name(struct live *l, const struct subject *s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	long rc = l->c->getsockname(s->fd, (struct sockaddr *)&a, &len);

	return rc != 0
	           ? rc
	           : (long)len + (a.sin_port != 0 ? 1000 : 0) + (a.sin_addr.s_addr != 0 ? 2000 : 0);
}

static long get_int(struct live *l, const struct subject *s, int level, int name)
{
	int value = -7;
	socklen_t len = sizeof(value);
	long rc = l->c->getsockopt(s->fd, level, name, &value, &len);

	return rc != 0 ? rc : value;
}

CALL(get_error, get_int(l, s, SOL_SOCKET, SO_ERROR))
CALL(get_type, get_int(l, s, SOL_SOCKET, SO_TYPE))
CALL(get_domain, get_int(l, s, SOL_SOCKET, SO_DOMAIN))
CALL(get_protocol, get_int(l, s, SOL_SOCKET, SO_PROTOCOL))
CALL(get_accepting, get_int(l, s, SOL_SOCKET, SO_ACCEPTCONN))
CALL(get_reuse, get_int(l, s, SOL_SOCKET, SO_REUSEADDR))
CALL(get_nodelay, get_int(l, s, IPPROTO_TCP, TCP_NODELAY))

static long set_int(struct live *l, const struct subject *s, int level, int name, int value)
{
	return l->c->setsockopt(s->fd, level, name, &value, sizeof(value));
}

CALL(set_keepalive, set_int(l, s, SOL_SOCKET, SO_KEEPALIVE, 1))
CALL(set_nodelay, set_int(l, s, IPPROTO_TCP, TCP_NODELAY, 1))
CALL(set_unknown, set_int(l, s, SOL_SOCKET, 12345, 1))

static long get_ioctl(struct live *l, const struct subject *s, unsigned long request)
{
	int value = -7;
	long rc = l->c->ioctl(s->fd, request, &value);

	return rc != 0 ? rc : value;
}

CALL(fionread, get_ioctl(l, s, FIONREAD))
CALL(siocatmark, get_ioctl(l, s, SIOCATMARK))

static long recvmsg_two(struct live *l, const struct subject *s)
{
	struct iovec v[2] = {{buf, 3}, {buf + 3, 4}};
	struct sockaddr_in a;
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2, .msg_name = &a, .msg_namelen = sizeof(a)};
	long rc = l->c->recvmsg(s->fd, &m, 0);

	return rc < 0 ? rc : rc + m.msg_flags * 1000 + (long)m.msg_namelen * 1000000;
}

static long recvmmsg_three(struct live *l, const struct subject *s)
{
	struct iovec v[3] = {{buf, 100}, {buf, 100}, {buf, 100}};
	struct mmsghdr m[3] = {{.msg_hdr = {.msg_iov = &v[0], .msg_iovlen = 1}},
	                       {.msg_hdr = {.msg_iov = &v[1], .msg_iovlen = 1}},
	                       {.msg_hdr = {.msg_iov = &v[2], .msg_iovlen = 1}}};

	return l->c->recvmmsg(s->fd, m, 3, 0, NULL);
}

static long sendmmsg_two(struct live *l, const struct subject *s)
{
	struct iovec v[2] = {{buf, 10}, {buf, 20}};
	struct mmsghdr m[2] = {{.msg_hdr = {.msg_iov = &v[0], .msg_iovlen = 1}},
	                       {.msg_hdr = {.msg_iov = &v[1], .msg_iovlen = 1}}};

	return l->c->sendmmsg(s->fd, m, 2, MSG_NOSIGNAL);
}

static long writev_many(struct live *l, const struct subject *s)
{
	struct iovec v = {buf, 1};

	return l->c->writev(s->fd, &v, 2000);
}

static long send_a_file(struct live *l, const struct subject *s)
{
	int file = memfd_create("file", 0);
	off_t offset = 0;
	long rc;
	int error;

	if (write(file, buf, 100) != 100)
		abort();
	rc = l->c->sendfile(s->fd, file, &offset, 50);
	error = errno;
	l->c->close(file);
	errno = error;
	return rc;
}

#define ENTRY(f)      \
	{             \
#f, f \
	}

static const struct {
	const char *name;
	long (*call)(struct live *l, const struct subject *s);
} calls[] = {
    ENTRY(recv_some),     ENTRY(recv_none),      ENTRY(recv_peek),       ENTRY(recv_trunc),
    ENTRY(recv_all),      ENTRY(recv_oob),       ENTRY(do_read),         ENTRY(read_none),
    ENTRY(send_some),     ENTRY(send_none),      ENTRY(send_more),       ENTRY(do_write),
    ENTRY(write_none),    ENTRY(listen_5),       ENTRY(listen_negative), ENTRY(accept_one),
    ENTRY(accept_flags),  ENTRY(do_shut_rd),     ENTRY(do_shut_wr),      ENTRY(do_shut_rdwr),
    ENTRY(shut_wrong),    ENTRY(get_flags),      ENTRY(sendto_far),      ENTRY(sendto_short),
    ENTRY(sendto_family), ENTRY(bind_again),     ENTRY(bind_foreign),    ENTRY(bind_short),
    ENTRY(connect_short), ENTRY(connect_family), ENTRY(peer_name),       ENTRY(own_name),
    ENTRY(get_error),     ENTRY(get_type),       ENTRY(get_domain),      ENTRY(get_protocol),
    ENTRY(get_accepting), ENTRY(get_reuse),      ENTRY(get_nodelay),     ENTRY(set_keepalive),
    ENTRY(set_nodelay),   ENTRY(set_unknown),    ENTRY(fionread),        ENTRY(siocatmark),
    ENTRY(recvmsg_two),   ENTRY(recvmmsg_three), ENTRY(sendmmsg_two),    ENTRY(writev_many),
    ENTRY(send_a_file),
};

/* ---- the product ------------------------------------------------------------------------------ */

/* A connection that was reset has lost its port on Linux and may be bound again; ours may not. */
static bool differs(size_t state, size_t call)
{
	return state == SUBJECT_ENDED && calls[call].call == bind_again;
}

static void one_case(struct live *l, size_t state, size_t call)
{
	struct subject s;

	subject_make(l, state, &s);
	errno = 0;
	bed_log(&l->bed, "%s, ", subject_states[state].name);
	live_log(l, calls[call].name, calls[call].call(l, &s));
	subject_poll(l, &s);
	subject_close(l, &s);
}

static void all_of(struct live *l, size_t from, size_t to)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t state = from; state < to; state++)
		for (size_t call = 0; call < sizeof(calls) / sizeof(calls[0]); call++)
			if (!differs(state, call))
				one_case(l, state, call);
}

static void before(struct live *l)
{
	all_of(l, 0, SUBJECT_CONNECTIONS);
}

static void connections(struct live *l)
{
	all_of(l, SUBJECT_CONNECTIONS, SUBJECT_ENDED);
}

static void ended(struct live *l)
{
	all_of(l, SUBJECT_ENDED, SUBJECT_DATAGRAMS);
}

static void all_datagrams(struct live *l)
{
	all_of(l, SUBJECT_DATAGRAMS, SUBJECT_STATES);
}

static const struct live_case cases[] = {
    {"before a connection", before},
    {"connections", connections},
    {"connections that are over", ended},
    {"datagrams", all_datagrams},
};

LIVE_MAIN("posix/table", cases)
