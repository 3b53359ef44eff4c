/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams.
 *
 * A send must fail at once when there is no route, as on Linux; but an answer of the lcore to each would make
 * datagrams slow.  So the first one to an address waits for its answer, and those that follow to the same address
 * do not.
 */
#include "posix/client.h"

#include <string.h>

#define PAYLOAD_MAX 65507

/* ---- receiving -------------------------------------------------------------------------------- */

static void put_name(struct msghdr *m, const struct chan_addr *a)
{
	if (m->msg_name == NULL)
		return;
	memcpy(m->msg_name, a->sa, m->msg_namelen < a->len ? m->msg_namelen : a->len);
	m->msg_namelen = a->len;
}

static size_t copy_payload(const struct fifo *rx, const struct msghdr *m, uint32_t len)
{
	uint32_t done = 0;

	for (size_t i = 0; i < m->msg_iovlen && done < len; i++) {
		size_t want =
		    m->msg_iov[i].iov_len < len - done ? m->msg_iov[i].iov_len : len - done;

		done += fifo_read(rx, (uint32_t)sizeof(struct chan_dgram) + done,
		                  m->msg_iov[i].iov_base, (uint32_t)want);
	}
	return done;
}

/* The first datagram of a part, whose lock is held. Returns its length as recvmsg() does, or -EAGAIN. */
static ssize_t take_from(uint32_t part, struct msghdr *m, int flags)
{
	struct chan_sock *s = chan_sock(client.chan, part);
	struct fifo rx = chan_rx(client.chan, part);
	struct chan_dgram d;
	size_t n;

	if (fifo_read(&rx, 0, &d, sizeof(d)) < sizeof(d))
		return -EAGAIN;
	d.addr.len = d.addr.len < sizeof(d.addr.sa) ? d.addr.len : (uint32_t)sizeof(d.addr.sa);
	n = copy_payload(&rx, m, d.len);
	put_name(m, &d.addr);
	if (n < d.len)
		m->msg_flags |= MSG_TRUNC;
	if (!(flags & MSG_PEEK)) {
		fifo_consume(&rx, chan_dgram_bytes(d.len));
		if (at_load_sc(&s->rx_want) != 0 &&
		    fifo_used(&rx) + chan_dgram_bytes(65535) <= rx.size && at_swap(&s->rx_want, 0))
			chan_kick(client.chan, client.proc, part);
	}
	return flags & MSG_TRUNC ? (ssize_t)d.len : (ssize_t)n;
}

static ssize_t take(uint32_t sock, struct msghdr *m, int flags)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = sock_parts(s);
	ssize_t rc = -EAGAIN;

	lock_take(&s->rx_lock, client.proc);
	if (n == 0)
		rc = take_from(sock, m, flags);
	for (uint32_t i = 0, at = at_peek(&s->next_part); i < n && rc == -EAGAIN; i++, at++) {
		rc = take_from(s->part[at % n], m, flags);
		if (rc >= 0 && !(flags & MSG_PEEK))
			at_put(&s->next_part, at + 1);
	}
	lock_give(&s->rx_lock);
	return rc;
}

ssize_t dgram_recv(uint32_t sock, struct msghdr *m, int flags)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint64_t deadline = 0;
	ssize_t rc;
	int error;

	if (flags & MSG_ERRQUEUE)
		return -EAGAIN; /* nothing is ever put there */
	m->msg_flags = 0;
	for (;;) {
		uint32_t came = at_load_sc(&s->seq);

		if (client_is_down())
			return -ENETDOWN;
		error = take_error(sock);
		if (error != 0)
			return error;
		rc = take(sock, m, flags);
		if (rc != -EAGAIN)
			return rc;
		if (must_not_wait(s, flags)) {
			if (client_drive() && at_load_sc(&s->seq) != came)
				continue;
			return -EAGAIN;
		}
		if (at_load(&s->flags) & CHAN_RX_SHUT) /* Linux: only who would wait sees it */
			return 0;
		if (deadline == 0)
			deadline = deadline_in(at_load(&s->rcv_timeout_ns));
		rc = sock_wait(sock, WAIT_READ, deadline);
		if (rc != 0)
			return rc;
	}
}

/* ---- sending ---------------------------------------------------------------------------------- */

int dgram_autobind(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	struct sockaddr_in any4 = {.sin_family = AF_INET};
	int rc;

	if ((at_load(&s->flags) & CHAN_BOUND) || client.chan->nb_lcores == 1)
		return 0;
	rc = (int)(s->ip6 ? call_sock(sock, CHAN_OP_BIND, 0, 0, &any6, sizeof(any6))
	                  : call_sock(sock, CHAN_OP_BIND, 0, 0, &any4, sizeof(any4)));
	return rc != 0 ? rc : sock_spread(sock, -1);
}

/* Puts a datagram into the fifo, under its lock. Returns 0, or -EAGAIN when there is no room. */
static int put(uint32_t sock, const struct msghdr *m, const struct chan_dgram *d)
{
	struct fifo tx = chan_tx(client.chan, sock);
	uint32_t at = sizeof(*d);

	if (fifo_room(&tx) < chan_dgram_bytes(d->len))
		return -EAGAIN;
	(void)fifo_write(&tx, 0, d, sizeof(*d));
	for (size_t i = 0; i < m->msg_iovlen; i++)
		at += fifo_write(&tx, at, m->msg_iov[i].iov_base, (uint32_t)m->msg_iov[i].iov_len);
	fifo_publish(&tx, chan_dgram_bytes(d->len));
	return 0;
}

/* The address of a datagram, as far as it can be judged here. */
static int read_name(const struct chan_sock *s, const struct msghdr *m, struct chan_dgram *d)
{
	if (m->msg_name == NULL || m->msg_namelen == 0)
		return at_load(&s->flags) & CHAN_PEER ? 0 : -EDESTADDRREQ;
	if (!s->ip6) {
		const struct sockaddr_in *a = m->msg_name;

		if (m->msg_namelen < sizeof(*a))
			return -EINVAL;
		if (a->sin_family != AF_INET && a->sin_family != AF_UNSPEC)
			return -EAFNOSUPPORT;
		if (a->sin_port == 0)
			return -EINVAL;
	}
	d->addr.len =
	    m->msg_namelen < sizeof(d->addr.sa) ? m->msg_namelen : (uint32_t)sizeof(d->addr.sa);
	memcpy(d->addr.sa, m->msg_name, d->addr.len);
	return 0;
}

static bool is_known(const struct chan_sock *s, const struct chan_addr *a)
{
	return s->known_to.len == a->len + 1 && memcmp(s->known_to.sa, a->sa, a->len) == 0;
}

/* Waits for what the lcore says of a datagram to a new address. */
static int confirm(uint32_t sock, const struct chan_addr *a)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	int rc = (int)call_sock(sock, CHAN_OP_FLUSH, 0, 0, NULL, 0);

	s->known_to.len = 0;
	if (rc == 0) {
		memcpy(s->known_to.sa, a->sa, a->len);
		s->known_to.len = a->len + 1; /* none is a known one, too */
		at_or(&s->flags, (uint32_t)CHAN_BOUND);
	}
	return rc;
}

static int send_one(uint32_t sock, const struct msghdr *m, const struct chan_dgram *d)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	int rc;

	lock_take(&s->tx_lock, client.proc);
	rc = put(sock, m, d);
	if (rc == 0 && !is_known(s, &d->addr))
		rc = confirm(sock, &d->addr);
	else if (rc == 0)
		chan_kick(client.chan, client.proc, sock);
	lock_give(&s->tx_lock);
	return rc;
}

ssize_t dgram_send(uint32_t sock, const struct msghdr *m, int flags)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	struct chan_dgram d = {.len = 0};
	const size_t len = iov_total(m->msg_iov, m->msg_iovlen);
	uint64_t deadline = 0;
	int rc;

	if (len > PAYLOAD_MAX)
		return -EMSGSIZE;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	d.len = (uint32_t)len;
	rc = client_is_down() ? -ENETDOWN : read_name(s, m, &d);
	if (rc == 0)
		rc = take_error(sock);
	if (rc == 0 && (at_load(&s->flags) & CHAN_TX_SHUT))
		rc = -EPIPE;
	if (rc == 0)
		rc = dgram_autobind(sock);
	while (rc == 0) {
		rc = send_one(sock, m, &d);
		if (rc == 0)
			return (ssize_t)len;
		if (rc != -EAGAIN || must_not_wait(s, flags))
			break;
		if (deadline == 0)
			deadline = deadline_in(at_load(&s->snd_timeout_ns));
		rc = sock_wait(sock, WAIT_WRITE, deadline);
	}
	if (rc == -EAGAIN)
		at_store_sc(&s->tx_want, 1);
	if (rc == -EPIPE && !(flags & MSG_NOSIGNAL))
		(void)raise(SIGPIPE);
	return rc;
}
