/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket calls that wait: each repeats the call of percore/socket.h after every event on the
 * socket until it returns something other than EAGAIN.
 */
#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <percore/epoll.h>

#include "coro/coro.h"

static int set_errno(int error)
{
	errno = error;
	return -1;
}

/* Adds the socket to the set, unless it is a member already. */
static bool watch(struct pc_coros *cs, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM |
	                                   EPOLLPRI | EPOLLRDHUP | EPOLLET,
	                         .data.fd = fd};

	return pc_epoll_ctl(cs->st, cs->epoll, EPOLL_CTL_ADD, fd, &ev) == 0 || errno == EEXIST;
}

/* Waits for any of events, until deadline at most. Returns those that occurred, 0 after the
 * deadline, or -1 with errno. */
static int wait_for(struct pc_coro *co, int fd, uint32_t events, uint64_t deadline)
{
	struct pc_coros *cs = co->set;
	enum coro_reason reason;
	uint32_t *tail;

	if (co->cancelled)
		return set_errno(ECANCELED);
	if (!watch(cs, fd))
		return -1;
	assert((uint32_t)fd < cs->nb_fds);
	for (tail = &cs->waiting[fd]; *tail != 0; tail = &cs->co[*tail - 1].wait_next)
		;
	*tail = (uint32_t)(co - cs->co) + 1;
	co->wait_next = 0;
	co->fd = fd;
	co->events = events;
	reason = coro_suspend(co, deadline);
	coro_leave_list(co);
	switch (reason) {
	case CORO_NEWS:
		return (int)co->events;
	case CORO_TIMEOUT:
		return 0;
	case CORO_CLOSED:
		return set_errno(EBADF);
	case CORO_CANCELLED:
		break;
	}
	return set_errno(ECANCELED);
}

/* Waits, if a failed call is to be repeated; if not, returns false with errno set. */
static bool again(struct pc_coro *co, int fd, uint32_t events, int flags, uint64_t deadline)
{
	int rc;

	if (errno != EAGAIN || (flags & MSG_DONTWAIT) != 0)
		return false;
	rc = wait_for(co, fd, events, deadline);
	if (rc == 0)
		errno = EAGAIN;
	return rc > 0;
}

int pc_coro_wait(struct pc_coro *co, int fd, uint32_t events)
{
	struct pollfd p = {.fd = fd, .events = (short)events};

	if (pc_poll(co->set->st, &p, 1) != 0)
		return p.revents & POLLNVAL ? set_errno(EBADF) : p.revents;
	return wait_for(co, fd, events, coro_deadline(co));
}

int pc_coro_accept(struct pc_coro *co, int fd, struct sockaddr *addr, socklen_t *len)
{
	uint64_t deadline = coro_deadline(co);
	int rc;

	do {
		rc = pc_accept(co->set->st, fd, addr, len);
	} while (rc < 0 && again(co, fd, EPOLLIN, 0, deadline));
	return rc;
}

int pc_coro_connect(struct pc_coro *co, int fd, const struct sockaddr *addr, socklen_t len)
{
	int error = 0, rc = pc_connect(co->set->st, fd, addr, len), events;
	socklen_t error_len = sizeof(error);

	if (rc == 0 || (errno != EINPROGRESS && errno != EALREADY))
		return rc;
	events = wait_for(co, fd, EPOLLOUT, coro_deadline(co));
	if (events <= 0)
		return events < 0 ? -1 : set_errno(EINPROGRESS);
	if (pc_getsockopt(co->set->st, fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0)
		return -1;
	if (error == 0 && (events & (int)EPOLLHUP)) /* another caller took the error, or ended it */
		error = ECONNABORTED;
	return error == 0 ? 0 : set_errno(error);
}

/* As on Linux, calls with these flags never wait. */
static int patience(int flags)
{
	return flags & (MSG_ERRQUEUE | MSG_OOB) ? flags | MSG_DONTWAIT : flags;
}

/* Whether a connection has failed with an error not yet reported. As on Linux, a call that has done
 * part of its work leaves the error to the next one. */
static bool has_failed(struct pc_coro *co, int fd)
{
	struct pollfd p = {.fd = fd};

	(void)pc_poll(co->set->st, &p, 1);
	return (p.revents & (POLLERR | POLLHUP)) == (POLLERR | POLLHUP);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static bool is_stream(struct pc_coro *co, int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return pc_getsockopt(co->set->st, fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM;
}

/* Whether only an error is left to read. */
static bool only_error_left(struct pc_coro *co, int fd)
{
	int bytes = 0;

	return has_failed(co, fd) && pc_ioctl(co->set->st, fd, FIONREAD, &bytes) == 0 && bytes == 0;
}

/* Whether the next byte is urgent: a read that has some data ends before it, even with
 * MSG_WAITALL. */
static bool is_at_mark(struct pc_coro *co, int fd)
{
	int mark = 0;

	return pc_ioctl(co->set->st, fd, SIOCATMARK, &mark) == 0 && mark;
}

ssize_t pc_coro_recvfrom(struct pc_coro *co, int fd, void *buf, size_t len, int flags,
                         struct sockaddr *addr, socklen_t *addrlen)
{
	bool all = (flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL && is_stream(co, fd);
	uint64_t deadline = coro_deadline(co);
	char *at = buf;
	size_t got = 0;
	ssize_t n;

	do {
		n = pc_recvfrom(co->set->st, fd, at == NULL ? NULL : at + got, len - got, flags,
		                addr, addrlen);
		if (n > 0)
			got += (size_t)n;
		if (n == 0 || (n > 0 && (!all || got >= len)))
			break;
	} while ((n > 0 || again(co, fd, EPOLLIN, patience(flags), deadline)) &&
	         !(got > 0 && (is_at_mark(co, fd) || only_error_left(co, fd))));
	return got > 0 || n == 0 ? (ssize_t)got : -1;
}

ssize_t pc_coro_recv(struct pc_coro *co, int fd, void *buf, size_t len, int flags)
{
	return pc_coro_recvfrom(co, fd, buf, len, flags, NULL, NULL);
}

ssize_t pc_coro_recvmsg(struct pc_coro *co, int fd, struct msghdr *msg, int flags)
{
	uint64_t deadline = coro_deadline(co);
	ssize_t n;

	do {
		n = pc_recvmsg(co->set->st, fd, msg, flags);
	} while (n < 0 && again(co, fd, EPOLLIN, patience(flags), deadline));
	return n;
}

ssize_t pc_coro_readv(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt)
{
	uint64_t deadline = coro_deadline(co);
	ssize_t n;

	do {
		n = pc_readv(co->set->st, fd, iov, iovcnt);
	} while (n < 0 && again(co, fd, EPOLLIN, 0, deadline));
	return n;
}

int pc_coro_recv_mbuf(struct pc_coro *co, int fd, struct rte_mbuf **m, struct pc_endpoint *from)
{
	uint64_t deadline = coro_deadline(co);
	int rc;

	do {
		rc = pc_recv_mbuf(co->set->st, fd, m, from);
	} while (rc < 0 && again(co, fd, EPOLLIN, 0, deadline));
	return rc;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Waits, if a call that has sent nothing is to be repeated. With MSG_FASTOPEN it may have begun the
 * connection; the flag is then dropped. */
static bool send_again(struct pc_coro *co, int fd, int *flags, uint64_t deadline)
{
	if (errno == EINPROGRESS && (*flags & MSG_FASTOPEN) != 0) {
		*flags &= ~MSG_FASTOPEN;
		errno = EAGAIN;
	}
	return again(co, fd, EPOLLOUT, *flags, deadline);
}

/* Sends the next len bytes of a call that has sent some. Returns how many, or -1. */
static ssize_t send_on(struct pc_coro *co, int fd, const char *p, size_t len, int flags,
                       uint64_t deadline)
{
	size_t sent = 0;
	ssize_t n;

	do {
		n = pc_send(co->set->st, fd, p + sent, len - sent, flags);
		if (n > 0)
			sent += (size_t)n;
		if (n >= 0 && sent >= len)
			break;
	} while ((n >= 0 || again(co, fd, EPOLLOUT, flags, deadline)) && !has_failed(co, fd));
	return sent > 0 || n >= 0 ? (ssize_t)sent : -1;
}

/* Sends what is left of a stream's message after its first sent bytes, buffer by buffer. Returns
 * how many bytes of the message have been sent in all. */
static size_t send_rest(struct pc_coro *co, int fd, const struct msghdr *msg, int flags,
                        uint64_t deadline, size_t sent)
{
	size_t begin = 0;

	for (size_t i = 0; i < msg->msg_iovlen; begin += msg->msg_iov[i++].iov_len) {
		const struct iovec *v = &msg->msg_iov[i];
		ssize_t n;

		if (v->iov_len == 0 || sent >= begin + v->iov_len)
			continue;
		n = send_on(co, fd, (const char *)v->iov_base + (sent - begin),
		            begin + v->iov_len - sent,
		            flags | (i + 1 < msg->msg_iovlen ? MSG_MORE : 0), deadline);
		sent += n > 0 ? (size_t)n : 0;
		if (sent < begin + v->iov_len)
			break;
	}
	return sent;
}

ssize_t pc_coro_sendmsg(struct pc_coro *co, int fd, const struct msghdr *msg, int flags)
{
	uint64_t deadline = coro_deadline(co);
	size_t len = 0;
	ssize_t n;

	do {
		n = pc_sendmsg(co->set->st, fd, msg, flags);
	} while (n < 0 && send_again(co, fd, &flags, deadline));
	for (size_t i = 0; n > 0 && i < msg->msg_iovlen; i++)
		len += msg->msg_iov[i].iov_len;
	if (n > 0 && (size_t)n < len && (flags & MSG_DONTWAIT) == 0)
		n = (ssize_t)send_rest(co, fd, msg, flags & ~MSG_FASTOPEN, deadline, (size_t)n);
	return n;
}

ssize_t pc_coro_sendto(struct pc_coro *co, int fd, const void *buf, size_t len, int flags,
                       const struct sockaddr *addr, socklen_t addrlen)
{
	struct iovec v = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
	const struct msghdr msg = {.msg_name = (void *)(uintptr_t)addr,
	                           .msg_namelen = addrlen,
	                           .msg_iov = &v,
	                           .msg_iovlen = 1};

	return pc_coro_sendmsg(co, fd, &msg, flags);
}

ssize_t pc_coro_send(struct pc_coro *co, int fd, const void *buf, size_t len, int flags)
{
	return pc_coro_sendto(co, fd, buf, len, flags, NULL, 0);
}

ssize_t pc_coro_writev(struct pc_coro *co, int fd, const struct iovec *iov, int iovcnt)
{
	union {
		const struct iovec *in;
		struct iovec *out;
	} v = {.in = iov};
	struct msghdr msg = {.msg_iov = v.out, .msg_iovlen = (size_t)iovcnt};

	if (iovcnt <= 0 || iovcnt > 1024) /* never waits: pc_writev returns 0 or fails */
		return pc_writev(co->set->st, fd, iov, iovcnt);
	return pc_coro_sendmsg(co, fd, &msg, 0);
}

int pc_coro_send_mbuf(struct pc_coro *co, int fd, struct rte_mbuf *m, const struct pc_endpoint *to)
{
	uint64_t deadline = coro_deadline(co);
	int rc;

	do {
		rc = pc_send_mbuf(co->set->st, fd, m, to);
	} while (rc < 0 && again(co, fd, EPOLLOUT, 0, deadline));
	return rc;
}

int pc_coro_close(struct pc_coro *co, int fd)
{
	int rc = pc_close(co->set->st, fd);

	if (rc == 0 && (uint32_t)fd < co->set->nb_fds)
		coro_wake_closed(co->set, fd);
	return rc;
}
