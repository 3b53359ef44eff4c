/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that move bytes: arguments are judged here as Linux judges them. */
#include "posix/client.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define IOV_LIMIT 1024

static bool is_stream(const struct file *f)
{
	return chan_sock(client.chan, f->sock)->type == CHAN_STREAM;
}

/* ---- receiving -------------------------------------------------------------------------------- */

static ssize_t receive(struct file *f, struct msghdr *m, int flags)
{
	const size_t control_room = m->msg_control != NULL ? m->msg_controllen : 0;
	ssize_t rc;

	if (m->msg_iovlen > IOV_LIMIT)
		return -EMSGSIZE;
	m->msg_flags = 0;
	m->msg_controllen = 0;
	if (!is_stream(f))
		return dgram_recv(f->sock, m, control_room, flags);
	if (flags & MSG_ERRQUEUE)
		return told_errors(f->sock, m, control_room);
	rc = stream_recv(f->sock, m->msg_iov, m->msg_iovlen, flags);
	if (flags & MSG_OOB)
		m->msg_flags |= rc > 0 ? MSG_OOB : 0;
	if (rc >= 0) {
		m->msg_namelen = 0; /* as Linux: a stream's sender is its peer */
		told_left(f->sock, m, control_room);
	}
	return rc;
}

ssize_t pcx_recvmsg(int fd, struct msghdr *m, int flags)
{
	struct file *f = file_socket(fd);
	ssize_t rc;

	if (f == NULL) {
		rc = sys(recvmsg, fd, m, flags);
		if (rc >= 0 && m->msg_controllen > 0 && pcx_is_attached() && carry_came(m))
			carry_take(m);
		return rc;
	}
	rc = receive(f, m, flags);
	file_put(f);
	return fail(rc);
}

ssize_t pcx_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len)
{
	struct file *f = file_socket(fd);
	struct iovec v = {.iov_base = buf, .iov_len = n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_name = addr};
	ssize_t rc;

	if (f == NULL)
		return sys(recvfrom, fd, buf, n, flags, addr, len);
	m.msg_namelen = addr != NULL && len != NULL ? *len : 0;
	rc = (int)m.msg_namelen < 0 ? -EINVAL : receive(f, &m, flags);
	if (rc >= 0 && addr != NULL && len != NULL)
		*len = m.msg_namelen;
	file_put(f);
	return fail(rc);
}

ssize_t pcx_recv(int fd, void *buf, size_t n, int flags)
{
	return pcx_recvfrom(fd, buf, n, flags, NULL, NULL);
}

ssize_t pcx_read(int fd, void *buf, size_t n)
{
	struct file *f = file_socket(fd);
	struct iovec v = {.iov_base = buf, .iov_len = n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	ssize_t rc;

	if (f == NULL)
		return sys(read, fd, buf, n);
	rc = n == 0 ? 0 : receive(f, &m, 0);
	file_put(f);
	return fail(rc);
}

ssize_t pcx_readv(int fd, const struct iovec *iov, int n)
{
	struct file *f = file_socket(fd);
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
	ssize_t rc;

	if (f == NULL)
		return sys(readv, fd, iov, n);
	if (n < 0 || n > IOV_LIMIT)
		rc = -EINVAL;
	else
		rc = iov_total(iov, (size_t)n) == 0 ? 0 : receive(f, &m, 0);
	file_put(f);
	return fail(rc);
}

/* ---- sending ---------------------------------------------------------------------------------- */

/* MSG_FASTOPEN: the connection first, then the bytes; the SYN waits for no data here. */
static ssize_t connect_and_send(int fd, struct file *f, const struct msghdr *m, int flags)
{
	if (m->msg_name == NULL)
		return -EINVAL;
	if (pcx_connect(fd, m->msg_name, m->msg_namelen) != 0)
		return -errno;
	return stream_send(f->sock, m->msg_iov, m->msg_iovlen, flags & ~MSG_FASTOPEN);
}

static ssize_t transmit(int fd, struct file *f, const struct msghdr *m, int flags)
{
	ssize_t rc;

	if (m->msg_iovlen > IOV_LIMIT)
		return -EMSGSIZE;
	if (!is_stream(f)) {
		rc = dgram_send(f->sock, m, flags);
		if (rc > 0 && (flags & MSG_ZEROCOPY))
			told_copied(f->sock);
		return rc;
	}
	if ((flags & MSG_FASTOPEN) && at_load(&chan_sock(client.chan, f->sock)->state) == CHAN_IDLE)
		return connect_and_send(fd, f, m, flags);
	rc = stream_send(f->sock, m->msg_iov, m->msg_iovlen, flags & ~MSG_FASTOPEN);
	if (rc > 0 && (flags & MSG_ZEROCOPY))
		told_copied(f->sock);
	return rc;
}

ssize_t pcx_sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct file *f = file_socket(fd);
	ssize_t rc;

	if (f == NULL)
		return m->msg_controllen > 0 && carry_any(m) ? carry_send(fd, m, flags)
		                                             : sys(sendmsg, fd, m, flags);
	rc = transmit(fd, f, m, flags);
	file_put(f);
	return fail(rc);
}

ssize_t pcx_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
                   socklen_t len)
{
	struct file *f = file_socket(fd);
	struct iovec v = {.iov_base = (void *)(uintptr_t)buf, .iov_len = n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_namelen = len};
	ssize_t rc;

	if (f == NULL)
		return sys(sendto, fd, buf, n, flags, addr, len);
	m.msg_name = (void *)(uintptr_t)addr;
	rc = transmit(fd, f, &m, flags);
	file_put(f);
	return fail(rc);
}

ssize_t pcx_send(int fd, const void *buf, size_t n, int flags)
{
	return pcx_sendto(fd, buf, n, flags, NULL, 0);
}

ssize_t pcx_write(int fd, const void *buf, size_t n)
{
	struct file *f = file_socket(fd);
	struct iovec v = {.iov_base = (void *)(uintptr_t)buf, .iov_len = n};
	const struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	ssize_t rc;

	if (f == NULL)
		return sys(write, fd, buf, n);
	rc = transmit(fd, f, &m, 0);
	file_put(f);
	return fail(rc);
}

ssize_t pcx_writev(int fd, const struct iovec *iov, int n)
{
	struct file *f = file_socket(fd);
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
	ssize_t rc;

	if (f == NULL)
		return sys(writev, fd, iov, n);
	if (n < 0 || n > IOV_LIMIT)
		rc = -EINVAL;
	else if (iov_total(iov, (size_t)n) == 0 && is_stream(f))
		rc = 0;
	else
		rc = transmit(fd, f, &m, 0);
	file_put(f);
	return fail(rc);
}

/* ---- several at a time ------------------------------------------------------------------------ */

int pcx_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
	struct file *f = file_socket(fd);
	uint64_t deadline = UINT64_MAX;
	unsigned done = 0;
	ssize_t rc = 0;

	if (f == NULL)
		return (int)sys(recvmmsg, fd, m, n, flags, timeout);
	if (timeout != NULL)
		deadline =
		    now_ns() + (uint64_t)timeout->tv_sec * 1000000000 + (uint64_t)timeout->tv_nsec;
	while (done < n) {
		rc = receive(f, &m[done].msg_hdr,
		             (flags & ~MSG_WAITFORONE) |
		                 ((flags & MSG_WAITFORONE) && done > 0 ? MSG_DONTWAIT : 0));
		if (rc < 0)
			break;
		m[done++].msg_len = (unsigned)rc;
		if (now_ns() >= deadline) /* as on Linux: looked at after each datagram */
			break;
	}
	file_put(f);
	return done > 0 ? (int)done : (int)fail(rc);
}

int pcx_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	struct file *f = file_socket(fd);
	unsigned done = 0;
	ssize_t rc = 0;

	if (f == NULL)
		return (int)sys(sendmmsg, fd, m, n, flags);
	for (; done < n && done < IOV_LIMIT; done++) {
		rc = transmit(fd, f, &m[done].msg_hdr, flags);
		if (rc < 0)
			break;
		m[done].msg_len = (unsigned)rc;
	}
	file_put(f);
	return done > 0 ? (int)done : (int)fail(rc);
}

/* ---- files ------------------------------------------------------------------------------------ */

#define FILE_CHUNK 65507 /* a datagram at most */

static ssize_t read_file(int in, const off_t *offset, off_t done, void *buf, size_t n)
{
	return offset != NULL ? sys(pread64, in, buf, n, *offset + done) : sys(read, in, buf, n);
}

/* What was read and could not be sent is not read: the file's position goes back. */
static void unread(int in, const off_t *offset, size_t n)
{
	if (offset == NULL && n > 0)
		(void)sys(lseek, in, -(off_t)n, SEEK_CUR);
}

/* One piece: a datagram, or bytes of a stream. */
static ssize_t send_piece(struct file *f, void *buf, size_t n, bool more)
{
	struct iovec v = {.iov_base = buf, .iov_len = n};
	const struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	return is_stream(f) ? stream_send(f->sock, &v, 1, more ? MSG_MORE : 0)
	                    : dgram_send(f->sock, &m, 0);
}

static ssize_t send_file(struct file *f, int in, const off_t *offset, size_t n)
{
	const size_t chunk = n < FILE_CHUNK ? n : FILE_CHUNK;
	void *buf = malloc(chunk > 0 ? chunk : 1);
	size_t done = 0;
	ssize_t got = 0, sent = 0;

	while (buf != NULL && done < n) {
		got = read_file(in, offset, (off_t)done, buf, n - done < chunk ? n - done : chunk);
		if (got <= 0)
			break;
		sent = send_piece(f, buf, (size_t)got, done + (size_t)got < n);
		unread(in, offset, (size_t)(got - (sent > 0 ? sent : 0)));
		if (sent > 0)
			done += (size_t)sent;
		if (sent < got)
			break;
	}
	if (buf == NULL)
		return -ENOMEM;
	free(buf);
	if (done > 0)
		return (ssize_t)done;
	return sent < 0 ? sent : got < 0 ? -errno : 0;
}

ssize_t pcx_sendfile(int out, int in, off_t *offset, size_t n)
{
	struct file *f = file_socket(out);
	ssize_t rc;

	if (f == NULL)
		return sys(sendfile, out, in, offset, n);
	if (pcx_kind(in) != PCX_KERNEL)
		rc = -EINVAL;
	else if (offset != NULL && *offset < 0)
		rc = -EINVAL;
	else
		rc = send_file(f, in, offset, n);
	if (rc > 0 && offset != NULL)
		*offset += rc;
	file_put(f);
	return fail(rc);
}
