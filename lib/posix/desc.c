/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls on descriptors: close, dup, fcntl, ioctl. */
#include "posix/async.h"
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/sock.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#define LINGER_STEP_NS UINT64_C(1000000)

#ifndef F_DUPFD_QUERY /* Linux 6.10 */
#define F_DUPFD_QUERY 1027
#endif

enum pcx_kind pcx_kind(int fd)
{
	struct file *f = file_get(fd);
	enum pcx_kind kind;

	if (f == NULL)
		return PCX_KERNEL;
	kind = (enum pcx_kind)f->kind;
	file_put(f);
	return kind;
}

bool sock_is_shared(const struct chan_sock *s)
{
	for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++) {
		const uint64_t ours = w == client.proc / 64 ? UINT64_C(1) << (client.proc % 64) : 0;

		if ((at_load_sc(&s->holders[w]) & ~ours) != 0)
			return true;
	}
	return false;
}

/* SO_LINGER with a time: the last close() waits until the peer has acknowledged everything. As on
 * Linux, O_NONBLOCK does not matter; and unread bytes make it a reset, for which nothing waits. */
static void linger(const struct file *f)
{
	const struct chan_sock *s;
	uint64_t end;

	if (f->kind != PCX_SOCKET || at_load(&f->refs) != 1 || client_is_down())
		return;
	s = chan_sock(client.chan, f->sock);
	if (!at_load(&s->linger) || at_load(&s->linger_s) == 0 || s->type != CHAN_STREAM ||
	    at_load(&s->state) != CHAN_CONNECTED || part_bytes(f->sock) > 0 || sock_is_shared(s))
		return;
	end = now_ns() + at_load(&s->linger_s) * UINT64_C(1000000000);
	(void)call_sock(f->sock, CHAN_OP_SHUTDOWN, SHUT_WR, 0, NULL, 0);
	while (now_ns() < end && !client_is_down()) {
		struct fifo tx = chan_tx(client.chan, f->sock);
		const struct timespec ts = {.tv_nsec = LINGER_STEP_NS};

		if (fifo_pending(&tx) == 0 &&
		    call_sock(f->sock, CHAN_OP_IOCTL, SIOCOUTQ, 0, NULL, 0) <= 0)
			return;
		if (client.driver != NULL)
			client_drive_or_sleep(now_ns() + LINGER_STEP_NS);
		else if (sys(nanosleep, &ts, NULL) != 0)
			return;
	}
}

/* Gives up the reference of a descriptor that is closed. */
static void end_file(struct file *f)
{
	if (f->fds == 0)
		linger(f);
	file_put(f);
}

int pcx_close(int fd)
{
	struct file *f = fd_remove(fd);
	int rc;

	if (f == NULL)
		return sys_close(fd);
	rc = sys_close(fd);
	end_file(f);
	return rc;
}

/* ---- dup -------------------------------------------------------------------------------------- */

/* Makes a duplicate, made by the kernel, of one of our descriptors a descriptor of the file. */
static int installed(int fd, struct file *f)
{
	if (fd >= 0 && (uint32_t)fd < client.max_fds) {
		fd_install(fd, f);
	} else if (fd >= 0) {
		(void)sys_close(fd);
		fd = -1;
		errno = EMFILE;
	}
	file_put(f);
	return fd;
}

int pcx_dup(int fd)
{
	struct file *f = file_get(fd);

	return f == NULL ? (int)sys(dup, fd) : installed((int)sys(dup, fd), f);
}

/* The kernel closes what `to` refers to; if that is ours, it is removed from the table first. */
static int replace(int fd, int to, int flags)
{
	struct file *f, *old;
	int rc;

	if (fd == to || sys_fcntl(fd, F_GETFD, 0) < 0) {
		rc = (int)sys(dup3, fd, to, flags);
		return rc;
	}
	if (to < 0 || (flags & ~O_CLOEXEC))
		return (int)sys(dup3, fd, to, flags);
	if (fd_is_hidden(to)) /* the connection, say: not available to the program */
		return (int)fail(-EBADF);
	f = file_get(fd);
	if (f != NULL && (uint32_t)to >= client.max_fds) {
		file_put(f);
		return (int)fail(-EBADF);
	}
	old = fd_remove(to);
	rc = (int)sys(dup3, fd, to, flags);
	if (f != NULL)
		rc = installed(rc, f);
	if (old != NULL) {
		const int error = errno;

		end_file(old);
		errno = error;
	}
	return rc;
}

int pcx_dup2(int fd, int to)
{
	if (fd == to) /* allowed by dup2(), but not by dup3() */
		return sys_fcntl(fd, F_GETFD, 0) < 0 ? -1 : fd;
	return replace(fd, to, 0);
}

int pcx_dup3(int fd, int to, int flags)
{
	return replace(fd, to, flags);
}

/* ---- fcntl ------------------------------------------------------------------------------------ */

/* F_GETOWN returns a process group as a negative number, which is no error. */
static int async_answer(int rc, int command)
{
	return command == F_GETOWN ? rc : (int)fail(rc);
}

/* F_DUPFD_QUERY. To the kernel, all our sockets are one file. */
static int is_same(const struct file *f, int fd, long other)
{
	struct file *with = file_get((int)other);
	int rc = sys_fcntl(fd, F_DUPFD_QUERY, other);

	if (rc >= 0 && with != NULL)
		rc = with == f;
	if (with != NULL)
		file_put(with);
	return rc;
}

static int socket_fcntl(struct file *f, int fd, int command, long arg)
{
	struct chan_sock *s = chan_sock(client.chan, f->sock);

	switch (command) {
	case F_GETFL:
		return O_RDWR | (at_load(&s->nonblock) ? O_NONBLOCK : 0) |
		       (at_load(&f->async.on) ? O_ASYNC : 0) | (int)at_load(&f->kept);
	case F_SETFL:
		if (arg & O_DIRECT)
			return (int)fail(-EINVAL);
		at_store(&f->kept, (uint32_t)arg & (O_APPEND | O_NOATIME));
		at_store(&s->nonblock, (arg & O_NONBLOCK) != 0);
		return (int)fail(async_set(f, fd, arg & O_ASYNC));
	case F_SETOWN:
	case F_GETOWN:
	case F_SETSIG:
	case F_GETSIG:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
		return async_answer(async_fcntl(f, command, arg), command);
	case F_DUPFD_QUERY:
		return is_same(f, fd, arg);
	default:
		return sys_fcntl(fd, command, arg); /* for the kernel's descriptor */
	}
}

int pcx_fcntl(int fd, int command, long arg)
{
	struct file *f = file_get(fd);
	int rc;

	if (f == NULL)
		return sys_fcntl(fd, command, arg);
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		return installed(sys_fcntl(fd, command, arg), f);
	if (f->kind != PCX_SOCKET)
		rc = sys_fcntl(fd, command, arg); /* a set is a kernel descriptor */
	else
		rc = socket_fcntl(f, fd, command, arg);
	file_put(f);
	return rc;
}

/* ---- ioctl ------------------------------------------------------------------------------------ */

/* The length of the next datagram, or the unread bytes of a stream. */
static int64_t bytes_to_read(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = sock_parts(s);
	struct chan_dgram d;

	if (at_load(&s->state) == CHAN_LISTEN)
		return -EINVAL;
	if (s->type == CHAN_STREAM)
		return (int64_t)oob_bytes(s, part_bytes(sock));
	for (uint32_t i = 0; i < n || i == 0; i++) {
		struct fifo rx =
		    chan_rx(client.chan, n > 0 ? s->part[(s->next_part + i) % n] : sock);

		if (fifo_read(&rx, 0, &d, sizeof(d)) == sizeof(d))
			return d.len;
	}
	return 0;
}

static int64_t bytes_to_send(uint32_t sock, unsigned long request)
{
	struct fifo tx = chan_tx(client.chan, sock);
	int64_t in_stack = call_sock(sock, CHAN_OP_IOCTL, (int32_t)request, 0, NULL, 0);

	return in_stack < 0 ? in_stack : in_stack + (int64_t)fifo_pending(&tx);
}

/* The owner of a socket's signals, and turning them on: Linux reads or writes an int, whatever the
 * request. */
static int64_t async_ioctl(struct file *f, int fd, unsigned long request, int *value)
{
	const bool gets = request == FIOGETOWN || request == SIOCGPGRP;
	const int rc = gets ? user_out(value, sizeof(*value)) : user_in(value, sizeof(*value));

	if (rc != 0)
		return rc;
	if (gets)
		*value = async_owner(f);
	else if (request == FIOASYNC)
		return async_set(f, fd, *value != 0);
	else
		return async_set_owner(f, *value);
	return 0;
}

static int64_t socket_ioctl(struct file *f, int fd, unsigned long request, int *value)
{
	const uint32_t sock = f->sock;
	int64_t rc;

	switch (request) {
	case FIONBIO:
		if (user_in(value, sizeof(*value)) != 0)
			return -EFAULT;
		at_store(&chan_sock(client.chan, sock)->nonblock, *value != 0);
		return 0;
	case FIOASYNC:
	case FIOSETOWN:
	case SIOCSPGRP:
	case FIOGETOWN:
	case SIOCGPGRP:
		return async_ioctl(f, fd, request, value);
	case FIONREAD:
		rc = bytes_to_read(sock);
		break;
	case SIOCATMARK:
		rc = chan_sock(client.chan, sock)->type == CHAN_STREAM
		         ? oob_look(chan_sock(client.chan, sock), 0).at_mark
		         : -ENOTTY;
		break;
	case SIOCOUTQ:
	case SIOCOUTQNSD:
		rc = bytes_to_send(sock, request);
		break;
	default:
		rc = call_sock(sock, CHAN_OP_IOCTL, (int32_t)request, 0, NULL, 0);
	}
	if (rc >= 0 && user_out(value, sizeof(*value)) != 0)
		rc = -EFAULT;
	if (rc < 0)
		return rc;
	*value = rc < INT32_MAX ? (int)rc : INT32_MAX;
	return 0;
}

int pcx_ioctl(int fd, unsigned long request, void *arg)
{
	struct file *f = file_socket(fd);
	int64_t rc;

	if (f == NULL)
		return (int)sys(ioctl, fd, request, arg);
	if (request == FIOCLEX || request == FIONCLEX)
		rc = sys(ioctl, fd, request, arg) < 0 ? -errno : 0;
	else
		rc = socket_ioctl(f, fd, request, arg);
	file_put(f);
	return (int)fail(rc);
}
