/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams.
 *
 * As on Linux, a send must fail at once if there is no route; but waiting for the lcore's answer to
 * every datagram would make them slow.  So the first datagram to an address waits for the answer,
 * and those that follow to the same address do not.
 */
#include "posix/client.h"
#include "posix/reader.h"
#include "posix/sock.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <string.h>

/* the largest payloads of the two families, in bytes */
#define PAYLOAD_MAX4 65507u
#define PAYLOAD_MAX6 65527u

/* ---- receiving -------------------------------------------------------------------------------- */

static int put_name(struct msghdr *m, const struct chan_addr *a)
{
	const uint32_t n = m->msg_namelen < a->len ? m->msg_namelen : a->len;

	if (m->msg_name == NULL)
		return 0;
	if (n > 0 && !user_may_be(m->msg_name, n))
		return -EFAULT;
	memcpy(m->msg_name, a->sa, n);
	m->msg_namelen = a->len;
	return 0;
}

/* Copies one control message, truncated to the room as on Linux. Returns the bytes it occupies. */
static size_t put_control_one(struct msghdr *m, const struct cmsghdr *c, size_t room)
{
	struct cmsghdr h = *c;
	size_t take = CMSG_ALIGN(c->cmsg_len);

	if (room < sizeof(h)) {
		m->msg_flags |= MSG_CTRUNC;
		return 0;
	}
	if (h.cmsg_len > room) {
		h.cmsg_len = room;
		m->msg_flags |= MSG_CTRUNC;
	}
	memcpy((char *)m->msg_control + m->msg_controllen, c, h.cmsg_len);
	memcpy((char *)m->msg_control + m->msg_controllen, &h, sizeof(h));
	return take < room ? take : room;
}

/* Copies len bytes of control messages, which are aligned. */
static void put_control(struct msghdr *m, const void *control, size_t len, size_t room)
{
	struct msghdr from = {.msg_control = (void *)(uintptr_t)control, .msg_controllen = len};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&from); c != NULL; c = CMSG_NXTHDR(&from, c)) {
		if (c->cmsg_len < sizeof(*c) ||
		    c->cmsg_len > len - (size_t)((const char *)c - (const char *)control))
			return;
		m->msg_controllen += put_control_one(m, c, room - m->msg_controllen);
	}
}

/* Copies len bytes of payload that start at from in the fifo. */
static size_t copy_payload(const struct fifo *rx, const struct msghdr *m, uint32_t from,
                           uint32_t len)
{
	uint32_t done = 0;

	for (size_t i = 0; i < m->msg_iovlen && done < len; i++) {
		size_t want =
		    m->msg_iov[i].iov_len < len - done ? m->msg_iov[i].iov_len : len - done;

		done += fifo_read(rx, from + done, m->msg_iov[i].iov_base, (uint32_t)want);
	}
	return done;
}

/* Finds the first datagram that is not wholly within the first *off bytes of payload (SO_PEEK_OFF);
 * the lengths of those before it are subtracted from *off. Returns whether there is one; *at is its
 * position, *d its header. */
static bool find_dgram(const struct fifo *rx, uint32_t *off, uint32_t *at, struct chan_dgram *d)
{
	*at = 0;
	while (fifo_read(rx, *at, d, sizeof(*d)) == sizeof(*d)) {
		if (*off == 0 || *off < d->len)
			return true;
		*off -= d->len;
		*at += chan_dgram_bytes(d->len, d->control_len);
	}
	return false;
}

/* Removes a datagram, whether the caller had room for all of it or not. */
static void consume_datagram(uint32_t part, const struct fifo *rx, const struct chan_dgram *d)
{
	struct chan_sock *s = chan_sock(client.chan, part);

	fifo_consume(rx, chan_dgram_bytes(d->len, d->control_len));
	if (at_load_sc(&s->rx_want) != 0 && fifo_used(rx) + CHAN_DGRAM_MAX <= rx->size &&
	    at_swap(&s->rx_want, 0))
		chan_kick(client.chan, client.proc, part);
}

/* Takes the first datagram after *off bytes from a part; the lock is held. Returns its length as
 * recvmsg() does, -EAGAIN or -EFAULT. */
static ssize_t recv_from(uint32_t part, struct msghdr *m, size_t room, int flags, uint32_t *off)
{
	_Alignas(struct cmsghdr) uint8_t control[CHAN_CONTROL_MAX];
	struct fifo rx = chan_rx(client.chan, part);
	struct chan_dgram d;
	uint32_t at;
	size_t n = 0;
	int rc;

	if (!find_dgram(&rx, off, &at, &d))
		return -EAGAIN;
	d.addr.len = d.addr.len < sizeof(d.addr.sa) ? d.addr.len : (uint32_t)sizeof(d.addr.sa);
	at += (uint32_t)sizeof(d);
	rc = user_has_bytes(m->msg_iov, m->msg_iovlen, 0, d.len - *off) ? 0 : -EFAULT;
	if (rc == 0)
		n = copy_payload(&rx, m, at + *off, d.len - *off);
	if (rc == 0)
		rc = put_name(m, &d.addr);
	if (d.control_len > 0 && d.control_len <= sizeof(control))
		put_control(m, control,
		            fifo_read(&rx, at + chan_round(d.len), control, d.control_len), room);
	if (n < d.len - *off)
		m->msg_flags |= MSG_TRUNC;
	if (!(flags & MSG_PEEK))
		consume_datagram(part, &rx, &d);
	if (rc != 0)
		return rc;
	return flags & MSG_TRUNC ? (ssize_t)d.len : (ssize_t)n;
}

static ssize_t take_datagram(uint32_t sock, struct msghdr *m, size_t room, int flags)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = sock_parts(s), off = peek_offset(s, flags);
	ssize_t rc = -EAGAIN;

	lock_take(&s->rx_lock, client.proc);
	if (n == 0)
		rc = recv_from(sock, m, room, flags, &off);
	for (uint32_t i = 0, at = at_peek(&s->next_part); i < n && rc == -EAGAIN; i++, at++) {
		rc = recv_from(s->part[at % n], m, room, flags, &off);
		if (rc >= 0 && !(flags & MSG_PEEK))
			at_put(&s->next_part, at + 1);
	}
	if (rc > 0 && (flags & MSG_PEEK))
		peek_forward(s, (size_t)rc);
	else if (rc > 0)
		peek_back(s, (size_t)rc);
	lock_give(&s->rx_lock);
	return rc;
}

/* ---- the error queue -------------------------------------------------------------------------- */

static ssize_t put_error(const uint8_t *data, uint32_t len, struct msghdr *m, size_t room)
{
	_Alignas(struct cmsghdr) uint8_t control[CHAN_CALL_DATA];
	struct chan_error e;
	uint32_t done = 0;

	if (len < sizeof(e))
		return -EPROTO;
	memcpy(&e, data, sizeof(e));
	if (e.len > len || e.control_len > len ||
	    sizeof(e) + chan_round(e.len) + e.control_len > len || e.addr.len > sizeof(e.addr.sa))
		return -EPROTO;
	for (size_t i = 0; i < m->msg_iovlen && done < e.len; i++) {
		const size_t left = e.len - done,
		             n = m->msg_iov[i].iov_len < left ? m->msg_iov[i].iov_len : left;

		memcpy(m->msg_iov[i].iov_base, &data[sizeof(e) + done], n);
		done += (uint32_t)n;
	}
	if (put_name(m, &e.addr) != 0)
		return -EFAULT;
	m->msg_flags |= (int)e.flags & ~MSG_CTRUNC;
	memcpy(control, &data[sizeof(e) + chan_round(e.len)], e.control_len);
	put_control(m, control, e.control_len, room);
	return done;
}

static ssize_t recv_error(uint32_t sock, struct msghdr *m, size_t room)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	const size_t want = iov_total(m->msg_iov, m->msg_iovlen);
	const uint32_t n = sock_parts(s);
	uint8_t data[CHAN_CALL_DATA];
	int64_t rc = -EAGAIN;

	for (uint32_t i = 0; (i < n || i == 0) && rc == -EAGAIN; i++) {
		const uint32_t part = n > 0 ? s->part[i] : sock;
		struct call c = {.op = CHAN_OP_ERRQUEUE,
		                 .sock = part,
		                 .a = want < INT32_MAX ? (int32_t)want : INT32_MAX,
		                 .out = data,
		                 .out_len = sizeof(data)};

		rc = call_lcore(chan_sock(client.chan, part)->lcore, &c);
		if (rc == 0) {
			(void)take_error(sock); /* reported here */
			return put_error(data, c.out_len, m, room);
		}
	}
	return rc;
}

ssize_t dgram_recv(uint32_t sock, struct msghdr *m, size_t room, int flags)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint64_t deadline = 0;
	ssize_t rc;
	int error;

	if ((flags & MSG_ERRQUEUE) && client_is_down())
		return -ENETDOWN;
	if (flags & MSG_ERRQUEUE)
		return told_waits(s) ? told_errors(sock, m, room) : recv_error(sock, m, room);
	for (;;) {
		uint32_t came = at_load_sc(&s->seq);

		if (client_is_down())
			return -ENETDOWN;
		error = take_error(sock);
		if (error != 0)
			return error;
		rc = take_datagram(sock, m, room, flags);
		if (rc != -EAGAIN)
			return rc;
		if (must_not_wait(s, flags)) {
			if (client_drive() && at_load_sc(&s->seq) != came)
				continue;
			return -EAGAIN;
		}
		if (at_load(&s->flags) & CHAN_RX_SHUT) { /* Linux: only a waiting call sees this */
			if (m->msg_name != NULL)
				m->msg_namelen = 0;
			return 0;
		}
		if (deadline == 0)
			deadline = deadline_in(at_load(&s->rcv_timeout_ns));
		/* the bytes that SO_PEEK_OFF skips stay readable */
		rc = peek_offset(s, flags) > 0 ? sock_wait_change(sock, came, deadline)
		                               : sock_wait(sock, WAIT_READ, deadline);
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
	if (rc == -EINVAL) /* another thread or process is doing it */
		return 0;
	return rc != 0 ? rc : sock_spread(sock, -1);
}

/* Puts a datagram into the fifo, whose lock is held. Returns 0, or -EAGAIN if there is no room. */
static int put_datagram(uint32_t sock, const struct msghdr *m, const struct chan_dgram *d)
{
	struct fifo tx = chan_tx(client.chan, sock);
	uint32_t at = sizeof(*d);

	if (fifo_room(&tx) < chan_dgram_bytes(d->len, d->control_len))
		return -EAGAIN;
	(void)fifo_write(&tx, 0, d, sizeof(*d));
	for (size_t i = 0; i < m->msg_iovlen; i++)
		at += fifo_write(&tx, at, m->msg_iov[i].iov_base, (uint32_t)m->msg_iov[i].iov_len);
	if (d->control_len > 0)
		(void)fifo_write(&tx, (uint32_t)sizeof(*d) + chan_round(d->len), m->msg_control,
		                 d->control_len);
	fifo_publish(&tx, chan_dgram_bytes(d->len, d->control_len));
	return 0;
}

/* Linux: for an AF_INET6 socket, AF_UNSPEC is the same as no address. */
static bool is_for_peer(const struct chan_sock *s, const struct msghdr *m)
{
	const struct sockaddr *sa = m->msg_name;

	return s->ip6 && m->msg_namelen >= sizeof(sa->sa_family) && sa->sa_family == AF_UNSPEC;
}

/* Reads the destination of a datagram and checks what can be checked here. */
static int read_name(const struct chan_sock *s, const struct msghdr *m, struct chan_dgram *d)
{
	/* both families have the port at the same place */
	const struct sockaddr_in *a = m->msg_name;

	if (at_load(&s->cork) & CHAN_CORK_HELD) /* the first call has set the destination */
		return 0;
	if (m->msg_name == NULL || m->msg_namelen == 0 || is_for_peer(s, m))
		return at_load(&s->flags) & CHAN_PEER ? 0 : -EDESTADDRREQ;
	if (m->msg_namelen < sizeof(*a))
		return -EINVAL;
	if (!s->ip6 && a->sin_family != AF_INET && a->sin_family != AF_UNSPEC)
		return -EAFNOSUPPORT;
	if (a->sin_port == 0)
		return -EINVAL;
	d->addr.len =
	    m->msg_namelen < sizeof(d->addr.sa) ? m->msg_namelen : (uint32_t)sizeof(d->addr.sa);
	memcpy(d->addr.sa, m->msg_name, d->addr.len);
	return 0;
}

static bool is_known(const struct chan_sock *s, const struct chan_addr *a)
{
	return s->known_to.len == a->len + 1 && memcmp(s->known_to.sa, a->sa, a->len) == 0;
}

/* Whether the lcore may refuse a datagram: its address is new, its ancillary data may be invalid, or
 * it may be too long for an IPv4 destination. */
static bool is_uncertain(const struct chan_sock *s, const struct chan_dgram *d)
{
	return d->control_len > 0 || d->len > PAYLOAD_MAX4 || !is_known(s, &d->addr);
}

/* Waits for the lcore's verdict on a datagram. */
static int confirm(uint32_t sock, const struct chan_addr *a)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	int rc = (int)call_sock(sock, CHAN_OP_FLUSH, 0, 0, NULL, 0);

	s->known_to.len = 0;
	if (rc == 0) {
		memcpy(s->known_to.sa, a->sa, a->len);
		s->known_to.len = a->len + 1; /* no address can be known, too */
		at_or(&s->flags, (uint32_t)CHAN_BOUND);
	}
	return rc;
}

/* Waits for the lcore's verdict on a part of a datagram. */
static int confirm_part(uint32_t sock, bool more)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const int rc = (int)call_sock(sock, CHAN_OP_FLUSH, 0, 0, NULL, 0);

	if (rc == 0)
		at_or(&s->flags, (uint32_t)CHAN_BOUND);
	if (rc == 0 && more)
		at_or(&s->cork, CHAN_CORK_HELD);
	else
		at_and(&s->cork, ~CHAN_CORK_HELD);
	return rc;
}

static int send_datagram(uint32_t sock, const struct msghdr *m, const struct chan_dgram *d)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const bool more = d->more || (at_load(&s->cork) & CHAN_CORK_ON);
	int rc;

	lock_take(&s->tx_lock, client.proc);
	rc = put_datagram(sock, m, d);
	if (rc == 0 && (more || (at_load(&s->cork) & CHAN_CORK_HELD)))
		rc = confirm_part(sock, more);
	else if (rc == 0 && is_uncertain(s, d))
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

	if (len > (s->ip6 ? PAYLOAD_MAX6 : PAYLOAD_MAX4))
		return -EMSGSIZE;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->msg_controllen > CHAN_CONTROL_MAX && m->msg_control != NULL)
		return -ENOBUFS;
	d.len = (uint32_t)len;
	d.control_len = m->msg_control != NULL ? (uint16_t)m->msg_controllen : 0;
	d.more = (flags & MSG_MORE) != 0;
	rc = client_is_down() ? -ENETDOWN : read_name(s, m, &d);
	if (rc == 0)
		rc = take_error(sock);
	if (rc == 0)
		rc = dgram_autobind(sock);
	if (rc == 0 && (flags & MSG_PROXY)) /* MSG_PROBE in Linux: nothing is sent */
		return (ssize_t)len;
	if (rc == 0 && (at_load(&s->flags) & CHAN_TX_SHUT))
		rc = -EPIPE;
	if (rc == 0 && !user_has_bytes(m->msg_iov, m->msg_iovlen, 0, len))
		rc = -EFAULT;
	while (rc == 0) {
		rc = send_datagram(sock, m, &d);
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
	return rc; /* EPIPE comes without a signal, as on Linux */
}
