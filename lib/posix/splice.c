/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice() between a socket and a kernel pipe, by copying.
 *
 * No byte may be lost between the two: no more is taken from a socket than the pipe has room for,
 * and no more from a pipe than the socket has room for.  A pipe reports only whether it has room
 * for a page, and how many bytes it contains; so it is filled in one go when empty, and page by
 * page otherwise.
 */
#include "posix/client.h"
#include "posix/sock.h"
#include "posix/wait.h"

#include <poll.h>
#include <sys/ioctl.h>

#define PAGE  4096
#define PIECE 65536 /* bytes per read() or write() of the pipe */
#define FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

static bool is_pipe(int fd)
{
	return sys_fcntl(fd, F_GETPIPE_SZ, 0) > 0;
}

/* Whether not to wait for a pipe, because of the call's flags or the pipe's own. */
static bool is_impatient(int pipe, unsigned flags)
{
	return (flags & SPLICE_F_NONBLOCK) || (sys_fcntl(pipe, F_GETFL, 0) & O_NONBLOCK);
}

/* Waits for a pipe. Returns 0, -EAGAIN, or -EINTR. */
static int await_pipe(int pipe, short events, bool wait)
{
	struct pollfd p = {.fd = pipe, .events = events};
	const int rc = (int)sys(poll, &p, 1, wait ? -1 : 0);

	if (rc < 0)
		return -errno;
	return rc == 0 ? -EAGAIN : 0;
}

static ssize_t move(struct file *f, void *buf, size_t n, int flags, bool in)
{
	struct iovec v = {.iov_base = buf, .iov_len = n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (chan_sock(client.chan, f->sock)->type == CHAN_STREAM)
		return in ? stream_recv(f->sock, &v, 1, flags) : stream_send(f->sock, &v, 1, flags);
	return in ? dgram_recv(f->sock, &m, 0, flags) : dgram_send(f->sock, &m, flags);
}

/* ---- into a pipe ------------------------------------------------------------------------------ */

/* How many bytes a pipe with room accepts without blocking. */
static size_t pipe_room(int pipe)
{
	int used = 0, size = sys_fcntl(pipe, F_GETPIPE_SZ, 0);

	if (sys(ioctl, pipe, FIONREAD, &used) != 0 || used > 0 || size < PAGE)
		return PAGE;
	return size < PIECE ? (size_t)size : PIECE;
}

/* Writes everything, even if another writer has filled the pipe meanwhile. */
static int fill(int pipe, const char *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t rc = sys(write, pipe, buf + done, n - done);

		if (rc > 0)
			done += (size_t)rc;
		else if (errno == EAGAIN)
			(void)await_pipe(pipe, POLLOUT, true);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Moves a piece. done: bytes moved so far. Returns how many were moved now, 0 at the end, or a
 * negative errno. */
static ssize_t into_pipe(struct file *f, int pipe, size_t n, unsigned flags, size_t done)
{
	char buf[PIECE];
	size_t room;
	ssize_t got;
	int rc = await_pipe(pipe, POLLOUT, done == 0 && !is_impatient(pipe, flags));

	if (rc != 0)
		return rc;
	room = pipe_room(pipe);
	got = move(f, buf, n < room ? n : room, done > 0 ? MSG_DONTWAIT : 0, true);
	if (got <= 0)
		return got;
	rc = fill(pipe, buf, (size_t)got);
	return rc != 0 ? rc : got;
}

/* ---- out of a pipe ---------------------------------------------------------------------------- */

/* How many bytes a socket accepts: any number, or for a non-blocking stream what there is room
 * for. */
static size_t socket_room(struct file *f)
{
	struct chan_sock *s = chan_sock(client.chan, f->sock);
	struct fifo tx = chan_tx(client.chan, f->sock);
	uint32_t room = fifo_room(&tx);

	if (!at_load(&s->nonblock) || at_load(&s->state) != CHAN_CONNECTED ||
	    s->type != CHAN_STREAM)
		return PIECE;
	if (room == 0)
		at_store_sc(&s->tx_want, 1);
	return fifo_room(&tx);
}

/* Sends what was read from the pipe, even if other senders have taken the room meanwhile. */
static ssize_t send_all(struct file *f, char *buf, size_t n, int flags)
{
	const struct chan_sock *s = chan_sock(client.chan, f->sock);
	size_t done = 0;

	while (done < n) {
		ssize_t rc = move(f, buf + done, n - done, flags, false);

		if (rc == -EAGAIN && s->type == CHAN_STREAM && done > 0)
			rc = sock_wait(f->sock, WAIT_WRITE, UINT64_MAX);
		if (rc < 0 && rc != -EINTR)
			return done > 0 ? (ssize_t)done : rc;
		done += rc > 0 ? (size_t)rc : 0;
	}
	return (ssize_t)done;
}

static ssize_t out_of_pipe(struct file *f, int pipe, size_t n, unsigned flags, size_t done)
{
	char buf[PIECE];
	const size_t room = socket_room(f);
	ssize_t got;
	int rc = await_pipe(pipe, POLLIN, done == 0 && !is_impatient(pipe, flags));

	if (rc != 0)
		return rc;
	if (room == 0)
		return -EAGAIN;
	got = sys(read, pipe, buf, n < room ? n : room);
	if (got < 0)
		return -errno;
	return send_all(f, buf, (size_t)got, flags & SPLICE_F_MORE ? MSG_MORE : 0);
}

/* ---- the call --------------------------------------------------------------------------------- */

typedef ssize_t piece(struct file *f, int pipe, size_t n, unsigned flags, size_t done);

static ssize_t splice_pieces(struct file *f, int pipe, size_t n, unsigned flags, piece *next)
{
	size_t done = 0;

	while (done < n) {
		const ssize_t rc = next(f, pipe, n - done < PIECE ? n - done : PIECE, flags, done);

		if (rc <= 0)
			return done > 0 ? (ssize_t)done : rc;
		done += (size_t)rc;
		if (chan_sock(client.chan, f->sock)->type == CHAN_DGRAM)
			break;
	}
	return (ssize_t)done;
}

/* in: from the socket to the pipe. */
static ssize_t judge_and_splice(struct file *f, bool in, int pipe, bool pipe_at, bool socket_at,
                                size_t n, unsigned flags)
{
	const int mode = sys_fcntl(pipe, F_GETFL, 0), wrong = in ? O_RDONLY : O_WRONLY;

	if (n == 0)
		return 0;
	if (flags & ~(unsigned)FLAGS)
		return -EINVAL;
	if (mode < 0)
		return -EBADF;
	if (!is_pipe(pipe))
		return -EINVAL;
	if (pipe_at)
		return -ESPIPE;
	if ((mode & O_ACCMODE) == wrong)
		return -EBADF;
	if (socket_at)
		return -EINVAL;
	return splice_pieces(f, pipe, n, flags, in ? into_pipe : out_of_pipe);
}

ssize_t pcx_splice(int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags)
{
	struct file *from = file_socket(in), *to = file_socket(out);
	ssize_t rc;

	if (from == NULL && to == NULL)
		return sys(splice, in, in_at, out, out_at, n, flags);
	if (from != NULL && to != NULL)
		rc = n == 0 ? 0 : -EINVAL;
	else if (from != NULL)
		rc = judge_and_splice(from, true, out, out_at != NULL, in_at != NULL, n, flags);
	else
		rc = judge_and_splice(to, false, in, in_at != NULL, out_at != NULL, n, flags);
	if (from != NULL)
		file_put(from);
	if (to != NULL)
		file_put(to);
	return fail(rc);
}
