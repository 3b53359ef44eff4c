/* SPDX-License-Identifier: BSD-2-Clause */
#include "posix/client.h"

#include <string.h>

/* Takes a connection from the accept queue of a part. Returns its number, or CHAN_NONE. */
static uint32_t take_from(uint32_t part)
{
	struct chan_sock *l = chan_sock(client.chan, part);
	uint32_t n, *words = chan_accept_words(client.chan, part, &n), sock;
	const uint64_t bit = UINT64_C(1) << (client.proc % 64);

	while (word_pop(&l->accepted, words, n, &sock)) {
		struct chan_sock *s;

		if (at_load_sc(&l->rx_want) != 0 && at_swap(&l->rx_want, 0) != 0)
			chan_kick(client.chan, client.proc, part);
		if (sock >= client.chan->nb_socks)
			continue;
		s = chan_sock(client.chan, sock);
		at_or(&s->holders[client.proc / 64], bit);
		if (at_and(&s->holders[0], ~CHAN_QUEUED) & CHAN_QUEUED)
			return sock;
		(void)at_and(&s->holders[client.proc / 64], ~bit);
	}
	return CHAN_NONE;
}

/* All lcores in turn. */
static uint32_t take(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = sock_parts(s), got = CHAN_NONE, at;

	if (n == 0)
		return take_from(sock);
	at = at_add(&s->next_part, 1);
	for (uint32_t i = 0; i < n && got == CHAN_NONE; i++)
		got = take_from(s->part[(at + i) % n]);
	return got;
}

/* Waits for a connection. Returns its number or a negative errno. */
static int64_t wait_for_one(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	uint64_t deadline = 0;
	bool driven = false;

	for (;;) {
		uint32_t got;
		int rc;

		if (client_is_down())
			return -ENETDOWN;
		if (s->type != CHAN_STREAM)
			return -EOPNOTSUPP;
		if (at_load(&s->state) != CHAN_LISTEN)
			return -EINVAL;
		got = take(sock);
		if (got != CHAN_NONE)
			return got;
		if (at_peek(&s->nonblock)) {
			if (driven || !client_drive())
				return -EAGAIN;
			driven = true;
			continue;
		}
		if (deadline == 0)
			deadline = deadline_in(at_load(&s->rcv_timeout_ns));
		rc = sock_wait(sock, WAIT_READ, deadline);
		if (rc != 0)
			return rc;
	}
}

static void put_peer(uint32_t sock, struct sockaddr *addr, socklen_t *len)
{
	const struct chan_addr *peer = &chan_sock(client.chan, sock)->peer;
	uint32_t n = peer->len < sizeof(peer->sa) ? peer->len : (uint32_t)sizeof(peer->sa);

	memcpy(addr, peer->sa, *len < n ? *len : n);
	*len = n;
}

int pcx_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct file *f = file_socket(fd), *made;
	int64_t sock;
	int number;

	if (f == NULL)
		return (int)sys(accept4, fd, addr, len, flags);
	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC) || (addr != NULL && (int)*len < 0)) {
		file_put(f);
		return (int)fail(-EINVAL);
	}
	made = file_new(PCX_SOCKET);
	number = made == NULL ? -ENOMEM : fd_reserve(flags & SOCK_CLOEXEC, 0);
	sock = number < 0 ? number : wait_for_one(f->sock);
	if (sock >= 0) {
		made->sock = (uint32_t)sock;
		at_store(&chan_sock(client.chan, made->sock)->nonblock,
		         (flags & SOCK_NONBLOCK) != 0);
		if (addr != NULL)
			put_peer(made->sock, addr, len);
		fd_install(number, made);
	} else if (number >= 0) {
		(void)sys_close(number);
	}
	if (made != NULL)
		file_put(made);
	file_put(f);
	return sock < 0 ? (int)fail(sock) : number;
}

int pcx_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	return pcx_accept4(fd, addr, len, 0);
}
