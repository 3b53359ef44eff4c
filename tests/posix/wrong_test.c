/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wrong arguments to every call on a socket in every state: pointers to nothing, lengths that cannot be, too many of
 * something.  What is told first when several things are wrong is compared, too, and what a call has done although it
 * failed.
 */
#include "subject.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static char buf[4096];

/* ---- where nothing is ------------------------------------------------------------------------- */

/* Bytes that are moved are judged by their address only. */
#define NOWHERE   4
#define NO_BUFFER 2

static struct {
	const char *name;
	void *p;
} nowhere[NOWHERE] = {{"NULL", NULL}, {"-1", (void *)-1}, {"unmapped", NULL}, {"read-only", NULL}};

static void make_nowhere(void)
{
	if (nowhere[2].p != NULL)
		return;
	nowhere[2].p = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	nowhere[3].p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (nowhere[2].p == MAP_FAILED || nowhere[3].p == MAP_FAILED)
		abort();
}

/* ---- calls ------------------------------------------------------------------------------------ */

/** A call with something wrong, which is one of n things. */
#define WRONG(name, ...)                                                      \
	static long name(struct live *l, const struct subject *s, unsigned i) \
	{                                                                     \
		(void)s, (void)i;                                             \
		return __VA_ARGS__;                                           \
	}
#define AT nowhere[i].p

WRONG(recv_at, l->c->recv(s->fd, AT, 7, 0))
WRONG(recv_peek_at, l->c->recv(s->fd, AT, 7, MSG_PEEK))
WRONG(recv_trunc_at, l->c->recv(s->fd, AT, 7, MSG_TRUNC))
WRONG(recv_none_at, l->c->recv(s->fd, AT, 0, 0))
WRONG(recv_oob_at, l->c->recv(s->fd, AT, 1, MSG_OOB))
WRONG(read_at, l->c->read(s->fd, AT, 7))
WRONG(read_none_at, l->c->read(s->fd, AT, 0))
WRONG(send_at, l->c->send(s->fd, AT, 7, MSG_NOSIGNAL))
WRONG(send_none_at, l->c->send(s->fd, AT, 0, MSG_NOSIGNAL))
WRONG(write_at, l->c->write(s->fd, AT, 7))
WRONG(readv_vector, l->c->readv(s->fd, AT, 1))
WRONG(writev_vector, l->c->writev(s->fd, AT, 1))
WRONG(writev_no_vector, l->c->writev(s->fd, AT, 0))
WRONG(recvmsg_header, l->c->recvmsg(s->fd, AT, 0))
WRONG(sendmsg_header, l->c->sendmsg(s->fd, AT, MSG_NOSIGNAL))
WRONG(recvmmsg_vector, l->c->recvmmsg(s->fd, AT, 2, 0, NULL))
WRONG(recvmmsg_none, l->c->recvmmsg(s->fd, AT, 0, 0, NULL))
WRONG(sendmmsg_vector, l->c->sendmmsg(s->fd, AT, 2, MSG_NOSIGNAL))
WRONG(bind_at, l->c->bind(s->fd, AT, sizeof(struct sockaddr_in)))
WRONG(connect_at, l->c->connect(s->fd, AT, sizeof(struct sockaddr_in)))
WRONG(sendto_at, l->c->sendto(s->fd, buf, 7, MSG_NOSIGNAL, AT, sizeof(struct sockaddr_in)))
WRONG(setsockopt_at, l->c->setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, AT, sizeof(int)))
WRONG(setsockopt_short_at, l->c->setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, AT, 3))
WRONG(set_timeout_at, l->c->setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, AT, sizeof(struct timeval)))
WRONG(set_linger_at, l->c->setsockopt(s->fd, SOL_SOCKET, SO_LINGER, AT, sizeof(struct linger)))
WRONG(set_nodelay_at, l->c->setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, AT, sizeof(int)))
WRONG(set_tos_at, l->c->setsockopt(s->fd, IPPROTO_IP, IP_TOS, AT, sizeof(int)))
WRONG(set_tos_none_at, l->c->setsockopt(s->fd, IPPROTO_IP, IP_TOS, AT, 0))
WRONG(set_unknown_at, l->c->setsockopt(s->fd, SOL_SOCKET, 12345, AT, sizeof(int)))
WRONG(set_lowat_at, l->c->setsockopt(s->fd, SOL_SOCKET, SO_RCVLOWAT, AT, sizeof(int)))
WRONG(set_oobinline_at, l->c->setsockopt(s->fd, SOL_SOCKET, SO_OOBINLINE, AT, sizeof(int)))
WRONG(set_level_at, l->c->setsockopt(s->fd, 12345, 1, AT, sizeof(int)))
WRONG(fionread_at, l->c->ioctl(s->fd, FIONREAD, AT))
WRONG(fionbio_at, l->c->ioctl(s->fd, FIONBIO, AT))
WRONG(fioasync_at, l->c->ioctl(s->fd, FIOASYNC, AT))
WRONG(siocspgrp_at, l->c->ioctl(s->fd, SIOCSPGRP, AT))
WRONG(siocgpgrp_at, l->c->ioctl(s->fd, SIOCGPGRP, AT))
WRONG(no_ioctl_at, l->c->ioctl(s->fd, 0x12345, AT))
WRONG(poll_at, l->c->poll(AT, 1, 0))
WRONG(sendfile_at, l->c->sendfile(s->fd, STDERR_FILENO, AT, 10))

/* a socket's number within a call that has all else right */
static long own_name_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = sizeof(struct sockaddr_in);

	return l->c->getsockname(s->fd, AT, &len);
}

static long own_name_none_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = 0;
	long rc = l->c->getsockname(s->fd, AT, &len);

	return rc != 0 ? rc : (long)len;
}

static long own_name_len_at(struct live *l, const struct subject *s, unsigned i)
{
	struct sockaddr_in a;

	return l->c->getsockname(s->fd, (struct sockaddr *)&a, AT);
}

static long peer_name_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = sizeof(struct sockaddr_in);

	return l->c->getpeername(s->fd, AT, &len);
}

static long accept_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = sizeof(struct sockaddr_in);

	return l->c->accept4(s->fd, AT, &len, 0) >= 0 ? 0 : -1;
}

static long accept_len_at(struct live *l, const struct subject *s, unsigned i)
{
	struct sockaddr_in a;

	return l->c->accept4(s->fd, (struct sockaddr *)&a, AT, 0) >= 0 ? 0 : -1;
}

static long get_keepalive_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = sizeof(int);

	return l->c->getsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, AT, &len);
}

static long get_error_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = sizeof(int);

	return l->c->getsockopt(s->fd, SOL_SOCKET, SO_ERROR, AT, &len);
}

static long get_unknown_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = sizeof(int);

	return l->c->getsockopt(s->fd, SOL_SOCKET, 12345, AT, &len);
}

static long get_none_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = 0;

	return l->c->getsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, AT, &len);
}

static long get_len_at(struct live *l, const struct subject *s, unsigned i)
{
	int value;

	return l->c->getsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &value, AT);
}

static long recvfrom_at(struct live *l, const struct subject *s, unsigned i)
{
	socklen_t len = sizeof(struct sockaddr_in);

	return l->c->recvfrom(s->fd, buf, 7, 0, AT, &len);
}

static long recvfrom_len_at(struct live *l, const struct subject *s, unsigned i)
{
	struct sockaddr_in a;

	return l->c->recvfrom(s->fd, buf, 7, 0, (struct sockaddr *)&a, AT);
}

static long recvmmsg_timeout_at(struct live *l, const struct subject *s, unsigned i)
{
	struct iovec v = {buf, 7};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};

	return AT == NULL ? 0 : l->c->recvmmsg(s->fd, &m, 1, 0, AT);
}

/* a vector whose first or second buffer is nowhere */
static long second_at(struct live *l, const struct subject *s, unsigned i, bool sends, bool first)
{
	struct iovec v[2] = {{buf, 3}, {AT, 4}};

	if (first)
		v[0] = v[1], v[1] = (struct iovec){buf, 3};
	return sends ? l->c->writev(s->fd, v, 2) : l->c->readv(s->fd, v, 2);
}

WRONG(readv_first_at, second_at(l, s, i, false, true))
WRONG(readv_second_at, second_at(l, s, i, false, false))
WRONG(writev_first_at, second_at(l, s, i, true, true))
WRONG(writev_second_at, second_at(l, s, i, true, false))

/* a header with one member wrong */
enum member { NAME, NAME_LEN, IOV, IOV_LEN, CONTROL, CONTROL_LEN };

static long message(struct live *l, const struct subject *s, bool sends, enum member which, void *p,
                    size_t n)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 4000);
	struct iovec v = {buf, 7};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	long rc;

	switch (which) {
	case NAME:
		m.msg_name = p;
		m.msg_namelen = sizeof(a);
		break;
	case NAME_LEN:
		m.msg_name = &a;
		m.msg_namelen = (socklen_t)n;
		break;
	case IOV:
		m.msg_iov = p;
		break;
	case IOV_LEN:
		m.msg_iovlen = n;
		break;
	case CONTROL:
		m.msg_control = p;
		m.msg_controllen = 64;
		break;
	case CONTROL_LEN:
		m.msg_control = buf;
		m.msg_controllen = n;
		memset(buf, 0, sizeof(buf));
		break;
	}
	rc = sends ? l->c->sendmsg(s->fd, &m, MSG_NOSIGNAL) : l->c->recvmsg(s->fd, &m, 0);
	return rc < 0 || sends ? rc : rc + m.msg_flags * 1000;
}

WRONG(recvmsg_name_at, message(l, s, false, NAME, AT, 0))
WRONG(recvmsg_iov_at, message(l, s, false, IOV, AT, 0))
WRONG(recvmsg_control_at, message(l, s, false, CONTROL, AT, 0))
WRONG(sendmsg_name_at, message(l, s, true, NAME, AT, 0))
WRONG(sendmsg_iov_at, message(l, s, true, IOV, AT, 0))
WRONG(sendmsg_control_at, message(l, s, true, CONTROL, AT, 0))

/* lengths */
static const long lengths[] = {0, 1, 2, 15, 16, 17, 28, 128, 129, 4096, INT_MAX, -1, INT_MIN};
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
#define LEN     (socklen_t) lengths[i]

/* larger than any address may be, so that all of it can be read */
static void make_room(struct live *l, char *room, size_t n)
{
	struct sockaddr_in a = bed_addr(&l->bed, FAR, 4000);

	memset(room, 0, n);
	memcpy(room, &a, sizeof(a));
}

static long bind_len(struct live *l, const struct subject *s, unsigned i)
{
	struct sockaddr_in a = bed_addr(&l->bed, NEAR, 0);
	char room[4096] = "";

	memcpy(room, &a, sizeof(a));
	return l->c->bind(s->fd, (struct sockaddr *)room, LEN);
}

static long connect_len(struct live *l, const struct subject *s, unsigned i)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	long rc;
	char room[4096];

	make_room(l, room, sizeof(room));
	rc = l->c->connect(s->fd, (struct sockaddr *)room, LEN);
	if (rc == -1 && errno == EINPROGRESS) {
		(void)l->c->poll(&p, 1, 1000);
		errno = EINPROGRESS;
	}
	return rc;
}

static long sendto_len(struct live *l, const struct subject *s, unsigned i)
{
	char room[4096];

	make_room(l, room, sizeof(room));
	return l->c->sendto(s->fd, buf, 7, MSG_NOSIGNAL, (struct sockaddr *)room, LEN);
}

static long recvfrom_len(struct live *l, const struct subject *s, unsigned i)
{
	char room[4096];
	socklen_t len = LEN;
	long rc = l->c->recvfrom(s->fd, buf, 7, 0, (struct sockaddr *)room, &len);

	return rc < 0 ? rc : rc + (long)len * 1000;
}

static long own_name_len(struct live *l, const struct subject *s, unsigned i)
{
	char room[4096];
	socklen_t len = LEN;
	long rc = l->c->getsockname(s->fd, (struct sockaddr *)room, &len);

	return rc < 0 ? rc : (long)len;
}

static long peer_name_len(struct live *l, const struct subject *s, unsigned i)
{
	char room[4096];
	socklen_t len = LEN;
	long rc = l->c->getpeername(s->fd, (struct sockaddr *)room, &len);

	return rc < 0 ? rc : (long)len;
}

static long accept_len(struct live *l, const struct subject *s, unsigned i)
{
	char room[4096];
	socklen_t len = LEN;

	return l->c->accept4(s->fd, (struct sockaddr *)room, &len, 0) < 0 ? -1 : (long)len;
}

static long set_len(struct live *l, const struct subject *s, int level, int name, unsigned i)
{
	char value[4096] = "\1";

	return l->c->setsockopt(s->fd, level, name, value, LEN);
}

static long get_len(struct live *l, const struct subject *s, int level, int name, unsigned i)
{
	char value[4096];
	socklen_t len = LEN;
	long rc = l->c->getsockopt(s->fd, level, name, value, &len);

	return rc < 0 ? rc : (long)len;
}

WRONG(set_keepalive_len, set_len(l, s, SOL_SOCKET, SO_KEEPALIVE, i))
WRONG(set_linger_len, set_len(l, s, SOL_SOCKET, SO_LINGER, i))
WRONG(set_timeout_len, set_len(l, s, SOL_SOCKET, SO_RCVTIMEO, i))
WRONG(set_lowat_len, set_len(l, s, SOL_SOCKET, SO_RCVLOWAT, i))
WRONG(set_oobinline_len, set_len(l, s, SOL_SOCKET, SO_OOBINLINE, i))
WRONG(set_error_len, set_len(l, s, SOL_SOCKET, SO_ERROR, i))
WRONG(set_type_len, set_len(l, s, SOL_SOCKET, SO_TYPE, i))
WRONG(set_cookie_len, set_len(l, s, SOL_SOCKET, SO_COOKIE, i))
WRONG(set_nodelay_len, set_len(l, s, IPPROTO_TCP, TCP_NODELAY, i))
WRONG(set_ttl_len, set_len(l, s, IPPROTO_IP, IP_TTL, i))
WRONG(get_keepalive_len, get_len(l, s, SOL_SOCKET, SO_KEEPALIVE, i))
WRONG(get_linger_len, get_len(l, s, SOL_SOCKET, SO_LINGER, i))
WRONG(get_timeout_len, get_len(l, s, SOL_SOCKET, SO_RCVTIMEO, i))
WRONG(get_cookie_len, get_len(l, s, SOL_SOCKET, SO_COOKIE, i))
WRONG(get_nodelay_len, get_len(l, s, IPPROTO_TCP, TCP_NODELAY, i))
WRONG(get_ttl_len, get_len(l, s, IPPROTO_IP, IP_TTL, i))
WRONG(recvmsg_name_len, message(l, s, false, NAME_LEN, NULL, (size_t)lengths[i]))
WRONG(sendmsg_name_len, message(l, s, true, NAME_LEN, NULL, (size_t)lengths[i]))

/* counts */
static const long counts[] = {0, 1, 2, 1024, 1025, 5000, INT_MAX, -1};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static struct iovec vector[5000];
static struct mmsghdr messages[5000];

WRONG(readv_count, l->c->readv(s->fd, vector, (int)counts[i]))
WRONG(writev_count, l->c->writev(s->fd, vector, (int)counts[i]))
WRONG(recvmmsg_count, counts[i]<0 || counts[i]> 5000
                          ? 0
                          : l->c->recvmmsg(s->fd, messages, (unsigned)counts[i], 0, NULL))
WRONG(sendmmsg_count,
      counts[i] > 2 ? 0 : l->c->sendmmsg(s->fd, messages, (unsigned)counts[i], MSG_NOSIGNAL))
WRONG(listen_count, l->c->listen(s->fd, (int)counts[i]))
WRONG(shutdown_count, l->c->shutdown(s->fd, (int)(counts[i] + 2)))

static long msg_count(struct live *l, const struct subject *s, unsigned i, bool sends)
{
	struct msghdr m = {.msg_iov = vector, .msg_iovlen = (size_t)counts[i]};

	return sends ? l->c->sendmsg(s->fd, &m, MSG_NOSIGNAL) : l->c->recvmsg(s->fd, &m, 0);
}

WRONG(recvmsg_count, msg_count(l, s, i, false))
WRONG(sendmsg_count, msg_count(l, s, i, true))

/* a buffer of a vector that is too long */
static long vector_len(struct live *l, const struct subject *s, unsigned i, bool sends)
{
	struct iovec v[2] = {{buf, 3}, {buf, i == 0 ? (size_t)-1 : (size_t)SSIZE_MAX + 1}};

	return sends ? l->c->writev(s->fd, v, 2) : l->c->readv(s->fd, v, 2);
}

WRONG(readv_len, vector_len(l, s, i, false))
WRONG(writev_len, vector_len(l, s, i, true))

static const struct timespec times[] = {{-1, 0}, {0, -1}, {0, 1000000000}, {0, 0}};

static long recvmmsg_times(struct live *l, const struct subject *s, unsigned i)
{
	struct iovec v = {buf, 7};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &v, .msg_iovlen = 1}};
	struct timespec ts = times[i];
	long rc = l->c->recvmmsg(s->fd, &m, 1, 0, &ts);

	return rc != 1 ? rc : 1 + (ts.tv_sec | ts.tv_nsec);
}

#define ENTRY(f, n)      \
	{                \
#f, f, n \
	}

static const struct {
	const char *name;
	long (*call)(struct live *l, const struct subject *s, unsigned i);
	unsigned n;
} calls[] = {
    ENTRY(recv_at, NO_BUFFER),
    ENTRY(recv_peek_at, NO_BUFFER),
    ENTRY(recv_trunc_at, NO_BUFFER),
    ENTRY(recv_none_at, NO_BUFFER),
    ENTRY(recv_oob_at, NO_BUFFER),
    ENTRY(read_at, NO_BUFFER),
    ENTRY(read_none_at, NO_BUFFER),
    ENTRY(send_at, NO_BUFFER),
    ENTRY(send_none_at, NO_BUFFER),
    ENTRY(write_at, NO_BUFFER),
    ENTRY(readv_vector, NO_BUFFER),
    ENTRY(writev_vector, NO_BUFFER),
    ENTRY(writev_no_vector, NO_BUFFER),
    ENTRY(recvmsg_header, NO_BUFFER),
    ENTRY(sendmsg_header, NO_BUFFER),
    ENTRY(recvmmsg_vector, NO_BUFFER),
    ENTRY(recvmmsg_none, NO_BUFFER),
    ENTRY(sendmmsg_vector, NO_BUFFER),
    ENTRY(bind_at, NOWHERE - 1),
    ENTRY(connect_at, NOWHERE - 1),
    ENTRY(sendto_at, NO_BUFFER),
    ENTRY(setsockopt_at, NOWHERE - 1),
    ENTRY(setsockopt_short_at, NOWHERE - 1),
    ENTRY(set_timeout_at, NOWHERE - 1),
    ENTRY(set_linger_at, NOWHERE - 1),
    ENTRY(set_nodelay_at, NOWHERE - 1),
    ENTRY(set_tos_at, NOWHERE - 1),
    ENTRY(set_tos_none_at, NOWHERE - 1),
    ENTRY(set_unknown_at, NOWHERE - 1),
    ENTRY(set_lowat_at, NOWHERE - 1),
    ENTRY(set_oobinline_at, NOWHERE - 1),
    ENTRY(set_level_at, NOWHERE - 1),
    ENTRY(fionread_at, NOWHERE),
    ENTRY(fionbio_at, NOWHERE - 1),
    ENTRY(fioasync_at, NOWHERE - 1),
    ENTRY(siocspgrp_at, NOWHERE - 1),
    ENTRY(siocgpgrp_at, NOWHERE),
    ENTRY(no_ioctl_at, NOWHERE),
    ENTRY(poll_at, NO_BUFFER),
    ENTRY(sendfile_at, NO_BUFFER),
    ENTRY(own_name_at, NOWHERE),
    ENTRY(own_name_none_at, NOWHERE),
    ENTRY(own_name_len_at, NOWHERE),
    ENTRY(peer_name_at, NOWHERE),
    ENTRY(accept_at, NOWHERE),
    ENTRY(accept_len_at, NOWHERE),
    ENTRY(get_keepalive_at, NOWHERE),
    ENTRY(get_error_at, NOWHERE),
    ENTRY(get_unknown_at, NOWHERE),
    ENTRY(get_none_at, NOWHERE),
    ENTRY(get_len_at, NOWHERE),
    ENTRY(recvfrom_at, NO_BUFFER),
    ENTRY(recvfrom_len_at, NO_BUFFER),
    ENTRY(recvmmsg_timeout_at, NO_BUFFER),
    ENTRY(readv_first_at, NO_BUFFER),
    ENTRY(readv_second_at, NO_BUFFER),
    ENTRY(writev_first_at, NO_BUFFER),
    ENTRY(writev_second_at, NO_BUFFER),
    ENTRY(recvmsg_name_at, NO_BUFFER),
    ENTRY(recvmsg_iov_at, NO_BUFFER),
    ENTRY(recvmsg_control_at, NO_BUFFER),
    ENTRY(sendmsg_name_at, NO_BUFFER),
    ENTRY(sendmsg_iov_at, NO_BUFFER),
    ENTRY(sendmsg_control_at, NO_BUFFER),
    ENTRY(bind_len, LENGTHS),
    ENTRY(connect_len, LENGTHS),
    ENTRY(sendto_len, LENGTHS),
    ENTRY(recvfrom_len, LENGTHS),
    ENTRY(own_name_len, LENGTHS),
    ENTRY(peer_name_len, LENGTHS),
    ENTRY(accept_len, LENGTHS),
    ENTRY(set_keepalive_len, LENGTHS),
    ENTRY(set_linger_len, LENGTHS),
    ENTRY(set_timeout_len, LENGTHS),
    ENTRY(set_lowat_len, LENGTHS),
    ENTRY(set_oobinline_len, LENGTHS),
    ENTRY(set_error_len, LENGTHS),
    ENTRY(set_type_len, LENGTHS),
    ENTRY(set_cookie_len, LENGTHS),
    ENTRY(set_nodelay_len, LENGTHS),
    ENTRY(set_ttl_len, LENGTHS),
    ENTRY(get_keepalive_len, LENGTHS),
    ENTRY(get_linger_len, LENGTHS),
    ENTRY(get_timeout_len, LENGTHS),
    ENTRY(get_cookie_len, LENGTHS),
    ENTRY(get_nodelay_len, LENGTHS),
    ENTRY(get_ttl_len, LENGTHS),
    ENTRY(recvmsg_name_len, LENGTHS),
    ENTRY(sendmsg_name_len, LENGTHS),
    ENTRY(readv_count, COUNTS),
    ENTRY(writev_count, COUNTS),
    ENTRY(recvmsg_count, COUNTS),
    ENTRY(sendmsg_count, COUNTS),
    ENTRY(recvmmsg_count, COUNTS),
    ENTRY(sendmmsg_count, COUNTS),
    ENTRY(listen_count, COUNTS),
    ENTRY(shutdown_count, COUNTS),
    ENTRY(readv_len, 2),
    ENTRY(writev_len, 2),
    ENTRY(recvmmsg_times, 4),
};

/* ---- the product ------------------------------------------------------------------------------ */

static bool is_about_option(size_t call)
{
	return strncmp(calls[call].name, "set_", 4) == 0 ||
	       strncmp(calls[call].name, "get_", 4) == 0;
}

/* Options are the same in all states, more or less. And a connection that was reset has lost its port on Linux and may be
 * bound again; ours may not. */
static bool is_left_out(size_t state, size_t call)
{
#ifdef __SANITIZE_ADDRESS__ /* which reads what a call is given before the kernel does */
	static const char *const read_before[] = {"_len_at", "_timeout_at", "msg_name_len"};

	for (size_t i = 0; i < sizeof(read_before) / sizeof(read_before[0]); i++)
		if (strstr(calls[call].name, read_before[i]) != NULL)
			return true;
#endif
	return (is_about_option(call) && state != 0 && state != SUBJECT_DATAGRAMS) ||
	       (state == SUBJECT_ENDED && calls[call].call == bind_len);
}

static void one_case(struct live *l, size_t state, size_t call, unsigned i)
{
	struct subject s;

	subject_make(l, state, &s);
	errno = 0;
	bed_log(&l->bed, "%s, %u, ", subject_states[state].name, i);
	live_log(l, calls[call].name, calls[call].call(l, &s, i));
	subject_poll(l, &s);
	bed_log(&l->bed, "  then");
	live_log(l, "", l->c->recv(s.fd, buf, sizeof(buf), MSG_DONTWAIT));
	subject_close(l, &s);
}

static void all_of(struct live *l, size_t state)
{
	signal(SIGPIPE, SIG_IGN);
	make_nowhere();
	for (unsigned i = 0; i < 5000; i++) {
		vector[i] = (struct iovec){buf, 1};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vector[i], .msg_iovlen = 1};
	}
	for (size_t call = 0; call < sizeof(calls) / sizeof(calls[0]); call++)
		for (unsigned i = 0; i < calls[call].n && !is_left_out(state, call); i++)
			one_case(l, state, call, i);
}

#define STATE(name, state)               \
	static void name(struct live *l) \
	{                                \
		all_of(l, state);        \
	}

STATE(fresh, 0)
STATE(listening, 2)
STATE(acceptable, 3)
STATE(connected, SUBJECT_CONNECTIONS)
STATE(with_data, SUBJECT_CONNECTIONS + 1)
STATE(was_reset, SUBJECT_ENDED)
STATE(shut, SUBJECT_ENDED + 3)
STATE(datagrams, SUBJECT_DATAGRAMS)
STATE(datagrams_waiting, SUBJECT_STATES - 2)

static const struct live_case cases[] = {
    {"fresh", fresh},         {"listening", listening}, {"acceptable", acceptable},
    {"connected", connected}, {"with data", with_data}, {"reset", was_reset},
    {"shut", shut},           {"datagrams", datagrams}, {"datagrams that wait", datagrams_waiting},
};

LIVE_MAIN("posix/wrong", cases)
