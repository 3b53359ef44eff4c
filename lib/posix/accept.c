/* SPDX-License-Identifier: BSD-2-Clause */
#include "posix/client.h"
#include "posix/sock.h"
#include "posix/user.h"
#include "posix/wait.h"

#include <string.h>

/* Takes a connection from the accept queue of a part. Returns its number, or CHAN_NONE. */
static uint32_t accept_from(uint32_t part)
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

/* Tries all lcores in turn. */
static uint32_t take_accepted(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = sock_parts(s), got = CHAN_NONE, at;

	if (n == 0)
		return accept_from(sock);
	at = at_add(&s->next_part, 1);
	for (uint32_t i = 0; i < n && got == CHAN_NONE; i++)
		got = accept_from(s->part[(at + i) % n]);
	return got;
}

/* Waits until there seems to be a connection to take. Returns 0 or a negative errno. */
static int wait_for_one(uint32_t sock, uint64_t *deadline)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);

	if (client_is_down())
		return -ENETDOWN;
	if (s->type != CHAN_STREAM)
		return -EOPNOTSUPP;
	if (at_load(&s->state) != CHAN_LISTEN)
		return -EINVAL;
	if (sock_ready(sock, false) & EPOLLIN)
		return 0;
	if (at_peek(&s->nonblock))
		return client_drive() && (sock_ready(sock, false) & EPOLLIN) ? 0 : -EAGAIN;
	if (*deadline == 0)
		*deadline = deadline_in(at_load(&s->rcv_timeout_ns));
	return sock_wait(sock, WAIT_READ, *deadline);
}

/* Reserves a descriptor before it takes a connection, so that none is lost if there is no
 * descriptor. */
static int64_t take_with_number(uint32_t sock, bool cloexec, int *number)
{
	uint64_t deadline = 0;

	for (;;) {
		int rc = wait_for_one(sock, &deadline);
		uint32_t got;

		if (rc != 0)
			return rc;
		if (*number < 0)
			*number = fd_reserve(cloexec);
		if (*number < 0)
			return *number;
		got = take_accepted(sock);
		if (got != CHAN_NONE)
			return got;
	}
}

static int put_peer(uint32_t sock, struct sockaddr *addr, socklen_t *len)
{
	const struct chan_addr *peer = &chan_sock(client.chan, sock)->peer;
	uint32_t n = peer->len < sizeof(peer->sa) ? peer->len : (uint32_t)sizeof(peer->sa);

	return user_name_out(peer->sa, n, addr, len);
}

int pcx_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct file *f = file_socket(fd), *made;
	int number = -1;
	int64_t sock;

	if (f == NULL)
		return (int)sys(accept4, fd, addr, len, flags);
	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) {
		file_put(f);
		return (int)fail(-EINVAL);
	}
	made = file_new(PCX_SOCKET);
	sock = made == NULL ? -ENOMEM : take_with_number(f->sock, flags & SOCK_CLOEXEC, &number);
	if (sock >= 0) {
		made->sock = (uint32_t)sock;
		at_store(&chan_sock(client.chan, made->sock)->nonblock,
		         (flags & SOCK_NONBLOCK) != 0);
		/* a connection whose peer's address cannot be stored is lost, as on Linux */
		if (addr != NULL)
			sock = put_peer(made->sock, addr, len);
	}
	if (sock >= 0)
		fd_install(number, made);
	else if (number >= 0)
		(void)sys_close(number);
	if (made != NULL)
		file_put(made);
	file_put(f);
	return sock < 0 ? (int)fail(sock) : number;
}

int pcx_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	return pcx_accept4(fd, addr, len, 0);
}
