/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of connections, between the caller's buffers and the fifos. */
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/sock.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <limits.h>

/* Copies at most max bytes, from position from in the fifo, to the vector after its first skip_v
 * bytes. Returns how many. */
static size_t copy_out(const struct fifo *rx, const struct iovec *v, size_t n, size_t skip_v,
                       uint32_t from, size_t max)
{
	size_t done = 0;

	for (size_t i = 0; i < n && done < max; i++) {
		size_t len = v[i].iov_len, want;
		uint32_t got;

		if (skip_v >= len) {
			skip_v -= len;
			continue;
		}
		want = len - skip_v < max - done ? len - skip_v : max - done;
		got = fifo_read(rx, from + (uint32_t)done, (uint8_t *)v[i].iov_base + skip_v,
		                want < UINT32_MAX ? (uint32_t)want : UINT32_MAX);
		done += got;
		if (got < want)
			break;
		skip_v = 0;
	}
	return done;
}

/* If the lcore waits for room, notifies it once half of the fifo is free. */
static void tell_room(uint32_t sock, const struct fifo *rx)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	if (at_load_sc(&s->rx_want) != 0 && fifo_used(rx) <= rx->size / 2 &&
	    at_swap(&s->rx_want, 0) != 0)
		chan_kick(client.chan, client.proc, sock);
}

/* Returns the space of bytes that were read to the lcore. */
static void consume_bytes(uint32_t sock, const struct fifo *rx, size_t n)
{
	struct chan_sock *s = chan_sock(client.chan, sock);

	fifo_consume(rx, (uint32_t)n);
	peek_back(s, n);
	oob_passed(s);
	tell_room(sock, rx);
}

/* Takes what the fifo has; its lock is held. done bytes are in the buffers already. Returns how
 * many more were taken, or -EFAULT. */
static ssize_t take_bytes(uint32_t sock, const struct iovec *v, size_t n, size_t done, size_t total,
                          int flags)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	struct fifo rx = chan_rx(client.chan, sock);
	uint32_t off = peek_offset(s, flags);
	struct oob_view u;
	uint64_t used;
	size_t got;

	used = fifo_used(&rx); /* before the mark, which the lcore writes first */
	u = oob_look(s, off);
	if (u.at_mark && done > 0)
		return 0;
	if (u.hole > 0 && used > off && total > done) {
		const uint32_t hole = used - off < u.hole ? (uint32_t)(used - off) : u.hole;

		if (flags & MSG_PEEK)
			off += hole;
		else
			consume_bytes(sock, &rx, hole);
		used = fifo_used(&rx);
		u = oob_look(s, off);
	}
	used = used > off ? used - off : 0;
	got = total - done < u.most ? total - done : u.most;
	if (got > used)
		got = (size_t)used;
	if (!(flags & MSG_TRUNC)) { /* TCP: dropped instead of copied */
		const size_t skip = flags & MSG_PEEK ? 0 : done;

		if (!user_has_bytes(v, n, skip, got))
			return -EFAULT;
		got = copy_out(&rx, v, n, skip, off, got);
	}
	if (got > 0 && !(flags & MSG_PEEK))
		consume_bytes(sock, &rx, got);
	return (ssize_t)got;
}

/* Why there is nothing more to read: 0 at the end of the stream, -EAGAIN if bytes may still arrive.
 * done bytes have been read: with any, an error is kept for the next call, as on Linux. */
static int why_nothing(uint32_t sock, size_t done)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t flags = at_load(&s->flags), state = at_load(&s->state);
	int error;

	if (client_is_down())
		return -ENETDOWN;
	if (part_bytes(sock) > oob_look(s, 0).hole)
		return -EAGAIN; /* they arrived meanwhile: look again */
	/* Linux: reads do not report a reset after a FIN, which is EPIPE if we have sent none */
	if ((flags & CHAN_FIN) || at_load(&s->error) == EPIPE)
		return 0;
	error = done > 0 ? -at_load(&s->error) : take_error(sock);
	if (error != 0)
		return error;
	if (flags & (CHAN_RX_END | CHAN_RX_SHUT))
		return 0;
	return state == CHAN_CONNECTED || state == CHAN_CONNECTING ? -EAGAIN : -ENOTCONN;
}

/* Whether a read is complete: everything asked for, or as much as SO_RCVLOWAT requires. For a read
 * of 0 bytes Linux still waits for one. */
static bool is_enough(uint32_t sock, size_t done, size_t total, bool all)
{
	if (total == 0)
		return part_bytes(sock) > 0;
	return done == total || (done > at_load(&chan_sock(client.chan, sock)->rcvlowat) && !all);
}

/* Whether a read ends because an urgent byte comes next. */
static bool ends_at_mark(const struct chan_sock *s, size_t done, int flags)
{
	const uint32_t seen = flags & MSG_PEEK ? (uint32_t)done + peek_offset(s, flags) : 0;

	return done > 0 && oob_look(s, seen).at_mark;
}

static ssize_t receive_bytes(uint32_t sock, const struct iovec *v, size_t n, int flags)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const size_t total = iov_total(v, n) < SSIZE_MAX ? iov_total(v, n) : SSIZE_MAX;
	const uint32_t dissolved = at_load(&s->dissolved);
	const bool all = flags & MSG_WAITALL;
	uint64_t deadline = 0;
	size_t done = 0;
	int rc;

	if (at_load(&s->state) == CHAN_LISTEN)
		return -ENOTCONN;
	if (flags & MSG_OOB)
		return oob_take(s, v, n, flags);
	for (;;) {
		const uint32_t came = at_load_sc(&s->seq);
		const bool ended = at_load(&s->flags) & (CHAN_RX_END | CHAN_RX_SHUT);
		ssize_t got;

		lock_take(&s->rx_lock, client.proc);
		if (flags & MSG_PEEK)
			done = 0;
		got = take_bytes(sock, v, n, done, total, flags);
		lock_give(&s->rx_lock);
		if (got < 0)
			return done > 0 ? (ssize_t)done : got;
		done += (size_t)got;
		if (is_enough(sock, done, total, all) || ends_at_mark(s, done, flags))
			break;
		if ((flags & MSG_PEEK) && (done > 0 || peek_offset(s, flags) > 0) &&
		    ended) /* nothing follows these bytes */
			break;
		rc = why_nothing(sock, done);
		if (rc != -EAGAIN)
			return done > 0 ? (ssize_t)done : rc;
		if (must_not_wait(s, flags)) {
			if (client_drive() && at_load_sc(&s->seq) != came)
				continue;
			return done > 0 ? (ssize_t)done : -EAGAIN;
		}
		if (deadline == 0)
			deadline = deadline_in(at_load(&s->rcv_timeout_ns));
		/* bytes peeked at stay readable, and SO_RCVLOWAT may exceed what is missing: wait
		 * for a change */
		rc = ((flags & MSG_PEEK || at_load(&s->rcvlowat) > 0) && done > 0) ||
		             peek_offset(s, flags) > 0
		         ? sock_wait_change(sock, came, deadline)
		         : sock_wait(sock, WAIT_READ, deadline);
		if (total == 0) /* Linux: whatever has ended the wait */
			return 0;
		if (at_load(&s->dissolved) != dissolved) /* meanwhile, by another thread */
			rc = -EPIPE;
		if (rc != 0)
			return done > 0 ? (ssize_t)done : rc;
	}
	return (ssize_t)done;
}

ssize_t stream_recv(uint32_t sock, const struct iovec *v, size_t n, int flags)
{
	ssize_t rc = receive_bytes(sock, v, n, flags);

	if (rc > 0 && (flags & MSG_PEEK))
		peek_forward(chan_sock(client.chan, sock), (size_t)rc);
	return rc;
}

/* ---- sending ---------------------------------------------------------------------------------- */

static void *after(const struct iovec *v, size_t skip)
{
	return (uint8_t *)v->iov_base + skip;
}

/* Copies the buffers after their first skip bytes, as far as there is room. Returns how many
 * bytes. */
static size_t put_bytes(uint32_t sock, const struct iovec *v, size_t n, size_t skip, int flags)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	struct fifo tx = chan_tx(client.chan, sock);
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = v[i].iov_len;
		uint32_t want, got;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		want = len - skip < UINT32_MAX ? (uint32_t)(len - skip) : UINT32_MAX;
		got = fifo_write(&tx, (uint32_t)done, after(&v[i], skip), want);
		done += got;
		if (got < want)
			break;
		skip = 0;
	}
	if (done == 0)
		return 0;
	if (flags & MSG_OOB) /* as on Linux: the last byte accepted */
		at_store(&s->tx_urgent, at_peek(&tx.pos->head) + done);
	if (flags & MSG_MORE)
		at_store(&s->tx_more, at_peek(&tx.pos->head) + done);
	else if (at_peek(&s->tx_more) != 0)
		at_store(&s->tx_more, 0);
	fifo_publish(&tx, (uint32_t)done);
	chan_kick(client.chan, client.proc, sock);
	return done;
}

/* Whether a stream accepts bytes: 0, -EAGAIN while it connects, or the error. */
static int may_send(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t state = at_load(&s->state);
	int error;

	if (client_is_down())
		return -ENETDOWN;
	if (state == CHAN_CONNECTED && !(at_load(&s->flags) & CHAN_TX_SHUT) &&
	    at_load(&s->error) == 0)
		return 0;
	if (state == CHAN_CONNECTING)
		return -EAGAIN;
	error = take_error(sock);
	return error != 0 ? error : -EPIPE;
}

/* The result of a failed send: the number of bytes sent before, or the error, with its signal. */
static ssize_t end_send(size_t done, int rc, int flags)
{
	if (done > 0)
		return (ssize_t)done;
	if (rc == -EPIPE && !(flags & MSG_NOSIGNAL))
		client_sigpipe();
	return rc;
}

static int wait_to_send(uint32_t sock, uint64_t *deadline)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);

	if (*deadline == 0)
		*deadline = deadline_in(at_load(&s->snd_timeout_ns));
	if (at_load(&s->state) == CHAN_CONNECTING)
		return sock_wait_connected(sock, *deadline);
	return sock_wait(sock, WAIT_WRITE, *deadline);
}

ssize_t stream_send(uint32_t sock, const struct iovec *v, size_t n, int flags)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const size_t total = iov_total(v, n);
	uint64_t deadline = 0;
	size_t done = 0;
	int rc;

	for (;;) {
		rc = may_send(sock);
		if (rc == 0 && !user_has_bytes(v, n, done, SIZE_MAX))
			return end_send(done, -EFAULT, flags);
		if (rc == 0) {
			lock_take(&s->tx_lock, client.proc);
			done += put_bytes(sock, v, n, done, flags);
			lock_give(&s->tx_lock);
			if (done == total)
				return (ssize_t)done;
		} else if (rc != -EAGAIN) {
			return end_send(done, rc, flags);
		}
		if (must_not_wait(s, flags)) {
			struct fifo tx = chan_tx(client.chan, sock);

			if (client_drive() && rc == 0 && fifo_room(&tx) > 0)
				continue;
			at_store_sc(&s->tx_want, 1);
			if (rc == 0 &&
			    at_load_sc(&tx.pos->head) - at_load_sc(&tx.pos->tail) < tx.size)
				continue;
			return end_send(done, -EAGAIN, flags);
		}
		rc = wait_to_send(sock, &deadline);
		if (rc != 0)
			return end_send(done, rc, flags);
	}
}
