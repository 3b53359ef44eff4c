/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that move bytes: their arguments are checked here as Linux checks them. */
#include "posix/carry.h"
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/sock.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IOV_LIMIT     1024
#define MSG_OF_KERNEL ((int)0x80000000) /* MSG_CMSG_COMPAT: programs must not set it */

static bool is_stream(const struct file *f)
{
	return chan_sock(client.chan, f->sock)->type == CHAN_STREAM;
}

/* Checks the buffers of a message. Returns 0 or the error. */
static ssize_t judge_vector(const struct msghdr *m)
{
	return m->msg_iovlen > IOV_LIMIT ? -EMSGSIZE : user_vector(m->msg_iov, m->msg_iovlen);
}

/* ---- receiving -------------------------------------------------------------------------------- */

static ssize_t receive_any(struct file *f, struct msghdr *m, int flags)
{
	const size_t control_room =
	    m->msg_controllen > 0 && user_may_be(m->msg_control, m->msg_controllen)
	        ? m->msg_controllen
	        : 0;
	ssize_t rc;

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
		m->msg_namelen = m->msg_name != NULL
		                     ? 0
		                     : m->msg_namelen; /* as Linux: a stream's sender is its peer */
		told_left(f->sock, m, control_room);
	}
	return rc;
}

static ssize_t receive_message(struct file *f, struct msghdr *m, int flags)
{
	const struct msghdr asked = *m;
	ssize_t rc;

	rc = judge_vector(m);
	if (rc != 0)
		return rc;
	rc = receive_any(f, m, flags);
	if (rc < 0) /* as on Linux: the caller can retry without filling it in again */
		*m = asked;
	return rc;
}

/* recvmsg(): checks the header first; the buffer for the name only when there is a name to
 * store. */
static ssize_t receive_into(struct file *f, struct msghdr *m, int flags)
{
	ssize_t rc;

	if (flags & MSG_OF_KERNEL)
		return -EINVAL;
	if (!user_may_be(m, sizeof(*m)))
		return -EFAULT;
	if (m->msg_name != NULL && (int)m->msg_namelen < 0)
		return -EINVAL;
	rc = receive_message(f, m, flags);
	if (rc >= 0)
		m->msg_flags |= flags & MSG_CMSG_CLOEXEC; /* returned, as on Linux */
	return rc;
}

/* Takes over sockets received through a kernel socket. */
static void take_carried(struct msghdr *m)
{
	if (m->msg_controllen > 0 && pcx_is_attached() && carry_came(m))
		carry_take(m);
}

ssize_t pcx_recvmsg(int fd, struct msghdr *m, int flags)
{
	struct file *f = file_socket(fd);
	ssize_t rc;

	if (f == NULL) {
		rc = sys(recvmsg, fd, m, flags);
		if (rc >= 0)
			take_carried(m);
		return rc;
	}
	rc = receive_into(f, m, flags);
	file_put(f);
	return fail(rc);
}

/* Stores the sender's address. The data stay received even if that fails. */
static int tell_sender(const struct msghdr *m, struct sockaddr *addr, socklen_t *len)
{
	size_t room;

	if (!user_may_be(len, sizeof(*len)))
		return -EFAULT;
	if ((int)*len < 0)
		return -EINVAL;
	room = *len < m->msg_namelen ? *len : m->msg_namelen;
	if (room > 0 && !user_may_be(addr, room))
		return -EFAULT;
	if (room > 0)
		memcpy(addr, m->msg_name, room);
	*len = m->msg_namelen;
	return 0;
}

ssize_t pcx_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len)
{
	struct file *f = file_socket(fd);
	struct iovec v = {.iov_base = buf, .iov_len = n};
	struct sockaddr_storage sender;
	struct msghdr m = {
	    .msg_iov = &v, .msg_iovlen = 1, .msg_name = addr != NULL ? &sender : NULL};
	ssize_t rc;
	int error;

	if (f == NULL)
		return sys(recvfrom, fd, buf, n, flags, addr, len);
	m.msg_namelen = addr != NULL ? sizeof(sender) : 0;
	rc = receive_message(f, &m, flags);
	error = rc >= 0 && addr != NULL ? tell_sender(&m, addr, len) : 0;
	file_put(f);
	return fail(error != 0 ? error : rc);
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
	if (n == 0)
		rc = user_vector(&v, 1);
	else
		rc = receive_message(f, &m, 0);
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
	rc = n < 0 || n > IOV_LIMIT ? -EINVAL : user_vector(iov, (size_t)n);
	if (rc == 0 && iov_total(iov, (size_t)n) > 0)
		rc = receive_message(f, &m, 0);
	file_put(f);
	return fail(rc);
}

/* ---- sending ---------------------------------------------------------------------------------- */

/* MSG_FASTOPEN: the SYN carries what it can of the data if a cookie is known; otherwise connects
 * first. */
static ssize_t connect_and_send(struct file *f, const struct msghdr *m, int flags)
{
	const uint32_t state = at_load(&chan_sock(client.chan, f->sock)->state);
	const struct sockaddr *to = m->msg_name;
	int64_t rc;

	if (to != NULL && m->msg_namelen >= sizeof(to->sa_family) && to->sa_family == AF_UNSPEC)
		return -EOPNOTSUPP;
	if (state != CHAN_IDLE && state != CHAN_CONNECTING) {
		rc = state == CHAN_OVER ? take_error(f->sock) : 0;
		return rc != 0 ? rc : -EISCONN;
	}
	if (to == NULL)
		return state == CHAN_IDLE ? -EINVAL : -EALREADY;
	rc = user_name_in(to, m->msg_namelen);
	if (rc == 0)
		rc =
		    connect_stream(f, to, m->msg_namelen, iov_total(m->msg_iov, m->msg_iovlen) > 0);
	if (rc != 0)
		return rc;
	return stream_send(f->sock, m->msg_iov, m->msg_iovlen, flags & ~MSG_FASTOPEN);
}

static ssize_t transmit(struct file *f, const struct msghdr *m, int flags)
{
	ssize_t rc;

	rc = judge_vector(m);
	if (rc != 0)
		return rc;
	if (!is_stream(f)) {
		rc = dgram_send(f->sock, m, flags);
		if (rc > 0 && (flags & MSG_ZEROCOPY))
			told_copied(f->sock);
		return rc;
	}
	if (flags & MSG_FASTOPEN)
		return connect_and_send(f, m, flags);
	rc = stream_send(f->sock, m->msg_iov, m->msg_iovlen, flags);
	if (rc > 0 && (flags & MSG_ZEROCOPY))
		told_copied(f->sock);
	return rc;
}

static int judge_name(const void *name, socklen_t len)
{
	if (name == NULL || len == 0)
		return 0;
	if ((int)len < 0)
		return -EINVAL;
	return user_may_be(name, len) ? 0 : -EFAULT;
}

/* sendmsg(): what the kernel checks in a header before it looks at the socket. */
static ssize_t transmit_from(struct file *f, const struct msghdr *m, int flags)
{
	int rc;

	if (flags & MSG_OF_KERNEL)
		return -EINVAL;
	if (!user_may_be(m, sizeof(*m)))
		return -EFAULT;
	rc = judge_name(m->msg_name, m->msg_namelen);
	if (rc == 0 && m->msg_iovlen > IOV_LIMIT)
		rc = -EMSGSIZE;
	if (rc == 0)
		rc = user_vector(m->msg_iov, m->msg_iovlen);
	if (rc == 0 && m->msg_controllen > INT_MAX)
		rc = -ENOBUFS;
	if (rc == 0 && m->msg_controllen > 0 && !user_may_be(m->msg_control, m->msg_controllen))
		rc = -EFAULT;
	return rc != 0 ? rc : transmit(f, m, flags);
}

ssize_t pcx_sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct file *f = file_socket(fd);
	ssize_t rc;

	if (f == NULL)
		return user_may_be(m, sizeof(*m)) && m->msg_controllen > 0 && carry_any(m)
		           ? carry_send(fd, m, flags)
		           : sys(sendmsg, fd, m, flags);
	rc = transmit_from(f, m, flags);
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
	rc = user_vector(&v, 1);
	if (rc == 0 && addr != NULL)
		rc = len > sizeof(struct sockaddr_storage) || (len == 0 && !is_stream(f))
		         ? -EINVAL
		         : judge_name(addr, len);
	if (rc == 0)
		rc = transmit(f, &m, flags);
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
	rc = transmit(f, &m, 0);
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
	rc = n < 0 || n > IOV_LIMIT ? -EINVAL : user_vector(iov, (size_t)n);
	if (rc == 0 && iov_total(iov, (size_t)n) > 0) /* as in the kernel: no bytes, no datagram */
		rc = transmit(f, &m, 0);
	file_put(f);
	return fail(rc);
}

/* ---- several at a time ------------------------------------------------------------------------ */

/* Receives up to n messages. Returns how many, or a negative errno. */
static ssize_t receive_many(struct file *f, struct mmsghdr *m, unsigned n, int flags,
                            uint64_t deadline)
{
	struct chan_sock *s = chan_sock(client.chan, f->sock);
	unsigned done = 0;
	ssize_t rc = flags & MSG_ERRQUEUE ? 0 : take_error(f->sock);

	while (rc >= 0 && done < n) {
		if (!user_may_be(&m[done], sizeof(m[done])))
			rc = -EFAULT;
		else
			rc = receive_into(f, &m[done].msg_hdr, flags & ~MSG_WAITFORONE);
		if (rc < 0)
			break;
		m[done++].msg_len = (unsigned)rc;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		/* as on Linux: checked after each datagram */
		if ((m[done - 1].msg_hdr.msg_flags & MSG_OOB) || now_ns() >= deadline)
			break;
	}
	if (done == 0 || rc >= 0)
		return rc < 0 ? rc : (ssize_t)done;
	if (rc != -EAGAIN) /* reported by the next call */
		at_store_sc(&s->error, (int32_t)-rc);
	return (ssize_t)done;
}

int pcx_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
	struct file *f = file_socket(fd);
	uint64_t deadline = UINT64_MAX;
	ssize_t rc = 0;

	if (f == NULL) {
		rc = sys(recvmmsg, fd, m, n, flags, timeout);
		for (ssize_t i = 0; i < rc; i++)
			take_carried(&m[i].msg_hdr);
		return (int)rc;
	}
	if (timeout != NULL && !user_may_be(timeout, sizeof(*timeout)))
		rc = -EFAULT;
	else if (timeout != NULL)
		rc = user_deadline(timeout, &deadline);
	if (rc == 0)
		rc = receive_many(f, m, n, flags, deadline);
	if (rc > 0 && deadline != UINT64_MAX) { /* return the time left */
		const uint64_t left = time_left(deadline);

		*timeout =
		    (struct timespec){(time_t)(left / 1000000000), (long)(left % 1000000000)};
	}
	file_put(f);
	return (int)fail(rc);
}

int pcx_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	struct file *f = file_socket(fd);
	unsigned done = 0;
	ssize_t rc = 0;

	if (f == NULL)
		return carry_any_of(m, n) ? carry_send_some(fd, m, n, flags)
		                          : (int)sys(sendmmsg, fd, m, n, flags);
	for (; done < n && done < IOV_LIMIT; done++) {
		if (!user_may_be(&m[done], sizeof(m[done])))
			rc = -EFAULT;
		else
			rc = transmit_from(f, &m[done].msg_hdr, flags);
		if (rc < 0)
			break;
		m[done].msg_len = (unsigned)rc;
	}
	file_put(f);
	return done > 0 ? (int)done : (int)fail(rc);
}

/* ---- files ------------------------------------------------------------------------------------ */

#define FILE_CHUNK 65507 /* the largest datagram */

static ssize_t read_file(int in, const off_t *offset, off_t done, void *buf, size_t n)
{
	return offset != NULL ? sys(pread64, in, buf, n, *offset + done) : sys(read, in, buf, n);
}

/* Moves the file's position back over bytes that were read but could not be sent. */
static void unread(int in, const off_t *offset, size_t n)
{
	if (offset == NULL && n > 0)
		(void)sys(lseek, in, -(off_t)n, SEEK_CUR);
}

/* How many bytes a file has from its position on: if the caller asks for more, the last of them
 * must not wait for more data (MSG_MORE). */
static uint64_t bytes_left(int in, const off_t *offset)
{
	const off_t at = offset != NULL ? *offset : (off_t)sys(lseek, in, (off_t)0, SEEK_CUR);
	struct stat st;

	if (sys(fstat, in, &st) != 0 || at < 0 || st.st_size < at)
		return 0;
	return (uint64_t)(st.st_size - at);
}

/* Sends one piece: a datagram, or bytes of a stream. */
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
	const uint64_t left = bytes_left(in, offset), end = n < left ? n : left;
	void *buf = malloc(chunk > 0 ? chunk : 1);
	size_t done = 0;
	ssize_t got = 0, sent = 0;

	while (buf != NULL && done < n) {
		got = read_file(in, offset, (off_t)done, buf, n - done < chunk ? n - done : chunk);
		if (got <= 0)
			break;
		sent = send_piece(f, buf, (size_t)got, done + (size_t)got < end);
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

/* sendfile() reads only from files with a position, which pipes and sockets lack. */
static int judge_file(int in, const off_t *offset, size_t n)
{
	const int flags = sys_fcntl(in, F_GETFL, 0);

	if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (pcx_kind(in) != PCX_KERNEL ||
	    (sys(lseek, in, (off_t)0, SEEK_CUR) < 0 && errno == ESPIPE))
		return offset != NULL ? -ESPIPE : -EINVAL;
	return (offset != NULL && *offset < 0) || n > SSIZE_MAX ? -EINVAL : 0;
}

ssize_t pcx_sendfile(int out, int in, off_t *offset, size_t n)
{
	struct file *f = file_socket(out);
	ssize_t rc;

	if (f == NULL)
		return sys(sendfile, out, in, offset, n);
	if (offset != NULL && user_out(offset, sizeof(*offset)) != 0)
		rc = -EFAULT;
	else
		rc = judge_file(in, offset, n);
	if (rc == 0)
		rc = send_file(f, in, offset, n);
	if (rc > 0 && offset != NULL)
		*offset += rc;
	file_put(f);
	return fail(rc);
}
