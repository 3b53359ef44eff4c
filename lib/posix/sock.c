/* SPDX-License-Identifier: BSD-2-Clause */
/* Creating, naming and shutting down sockets. */
#include "posix/sock.h"
#include "posix/async.h"
#include "posix/client.h"
#include "posix/user.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Sockets that are not connections are created on lcore 0, where two that want the same port
 * meet. */
#define HOME 0

int pcx_socket(int domain, int type, int protocol)
{
	struct call c = {
	    .op = CHAN_OP_SOCKET, .sock = CHAN_NONE, .a = domain, .b = type, .c = protocol};
	struct file *f;
	int64_t sock;
	int fd;

	if (!pcx_is_attached() || client_is_down())
		return (int)fail(-ENETDOWN);
	f = file_new(PCX_SOCKET);
	if (f == NULL)
		return (int)fail(-ENOMEM);
	fd = fd_reserve(type & SOCK_CLOEXEC);
	sock = fd < 0 ? fd : call_lcore(HOME, &c);
	if (sock >= 0) {
		f->sock = (uint32_t)sock;
		at_store(&chan_sock(client.chan, f->sock)->nonblock, (type & SOCK_NONBLOCK) != 0);
		fd_install(fd, f);
	} else if (fd >= 0) {
		(void)sys_close(fd);
	}
	file_put(f);
	return sock < 0 ? (int)fail(sock) : fd;
}

/* ---- parts ------------------------------------------------------------------------------------ */

/* Sets on a socket the options that were set on another. */
static void copy_options(uint32_t from, uint32_t to)
{
	const struct chan_option *o;
	struct group_source_req room;
	socklen_t len;

	for (uint32_t i = 0; (o = sock_option(from, i)) != NULL; i++) {
		const void *value = sock_option_value(o, &room, &len);

		(void)call_sock(to, CHAN_OP_SETSOCKOPT, o->level, o->name, value, len);
	}
}

/* Creates a socket like this one on another lcore. Returns its number or a negative errno. */
static int64_t make_like(uint32_t sock, uint32_t lcore, uint32_t primary)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	struct call c = {.op = CHAN_OP_SOCKET,
	                 .sock = primary,
	                 .a = s->ip6 ? AF_INET6 : AF_INET,
	                 .b = s->type == CHAN_STREAM ? SOCK_STREAM : SOCK_DGRAM};
	int64_t made = call_lcore(lcore, &c), rc;

	if (made < 0)
		return made;
	copy_options(sock, (uint32_t)made);
	at_store(&chan_sock(client.chan, (uint32_t)made)->keys, at_load(&s->keys));
	rc = sock_copy_keys(sock, (uint32_t)made);
	if (rc == 0)
		return made;
	release_socket((uint32_t)made);
	return rc;
}

static int64_t make_part(uint32_t sock, uint32_t lcore, int backlog)
{
	struct sockaddr_storage name;
	struct call get = {
	    .op = CHAN_OP_GETSOCKNAME, .sock = sock, .out = &name, .out_len = sizeof(name)};
	int64_t rc = call_lcore(chan_sock(client.chan, sock)->lcore, &get), made;

	made = rc < 0 ? rc : make_like(sock, lcore, sock);
	if (made < 0)
		return made;
	rc = call_sock((uint32_t)made, CHAN_OP_BIND, 0, 0, &name, get.out_len);
	if (rc == 0 && backlog >= 0)
		rc = call_sock((uint32_t)made, CHAN_OP_LISTEN, backlog, 0, NULL, 0);
	if (rc == 0)
		return made;
	release_socket((uint32_t)made);
	return rc;
}

static void hold_parts(const struct chan_sock *s, uint32_t word, uint64_t add, uint64_t take)
{
	for (uint32_t i = 1; i < sock_parts(s); i++) {
		uint64_t *holders = chan_sock(client.chan, s->part[i])->holders;

		(void)at_or(&holders[word], add);
		(void)at_and(&holders[word], ~take);
	}
}

/* Makes other processes that have the socket, by a fork or a message, holders of its parts too: the
 * socket is the same on all lcores, whichever process has created the parts, and whichever exits
 * first. */
static void share_parts(const struct chan_sock *s)
{
	for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++) {
		const uint64_t queued = w == 0 ? CHAN_QUEUED : 0,
		               have = at_load_sc(&s->holders[w]) & ~queued;

		hold_parts(s, w, have, 0);
		/* a process that has closed it meanwhile did not know of the parts */
		hold_parts(s, w, 0, have & ~at_load_sc(&s->holders[w]));
	}
}

int sock_spread(uint32_t sock, int backlog)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	uint32_t n = 1;

	if (client.chan->nb_lcores == 1)
		return 0;
	if (sock_parts(s) > 0) { /* listen() again: the backlog changes */
		for (uint32_t i = 1; i < sock_parts(s) && backlog >= 0; i++)
			(void)call_sock(s->part[i], CHAN_OP_LISTEN, backlog, 0, NULL, 0);
		return 0;
	}
	s->part[0] = sock;
	for (uint32_t l = 0; l < client.chan->nb_lcores; l++) {
		int64_t part = l == s->lcore ? (int64_t)sock : make_part(sock, l, backlog);

		if (part < 0) {
			while (--n > 0)
				release_socket(s->part[n]);
			return (int)part;
		}
		if ((uint32_t)part != sock)
			s->part[n++] = (uint32_t)part;
	}
	at_store_sc(&s->nb_parts, n);
	share_parts(s);
	return 0;
}

/* Clears the holders of all processes, as none of them can close the parts from here on. */
void sock_gather(uint32_t sock)
{
	struct chan_sock *s = chan_sock(client.chan, sock);
	const uint32_t n = sock_parts(s);

	at_store(&s->nb_parts, 0);
	for (uint32_t i = 1; i < n; i++) {
		for (uint32_t w = 0; w < CHAN_PROC_WORDS; w++)
			at_store_sc(&chan_sock(client.chan, s->part[i])->holders[w], 0);
		chan_kick(client.chan, client.proc, s->part[i]);
	}
}

/* Asks the other lcores whether they can bind the address too: a connection there may use the port,
 * which the stream's own lcore cannot know. */
static int64_t ask_others(uint32_t sock, const struct sockaddr *addr, socklen_t len)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	int64_t rc = 0;

	if (at_load(&s->flags) & CHAN_BOUND)
		return 0;
	for (uint32_t l = 0; l < client.chan->nb_lcores && rc != -EADDRINUSE; l++) {
		const int64_t made = l == s->lcore ? -1 : make_like(sock, l, CHAN_NONE);

		if (made < 0)
			continue;
		rc = call_sock((uint32_t)made, CHAN_OP_BIND, 0, 0, addr, len);
		release_socket((uint32_t)made);
	}
	return rc == -EADDRINUSE ? rc : 0;
}

static int64_t bind_stream(uint32_t sock, const struct sockaddr *addr, socklen_t len)
{
	/* the port is at the same place in both families */
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
	int64_t rc = 0;

	if (client.chan->nb_lcores > 1 && len >= sizeof(*in) && in->sin_port != 0)
		rc = ask_others(sock, addr, len);
	return rc != 0 ? rc : call_sock(sock, CHAN_OP_BIND, 0, 0, addr, len);
}

static int64_t bind_dgram(uint32_t sock, const struct sockaddr *addr, socklen_t len)
{
	const int64_t rc = call_sock(sock, CHAN_OP_BIND, 0, 0, addr, len);

	return rc != 0 ? rc : sock_spread(sock, -1);
}

bool sock_is_used(uint32_t sock)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	const uint32_t n = sock_parts(s), state = at_load(&s->state);

	if (s->type == CHAN_STREAM)
		return state == CHAN_LISTEN || state == CHAN_CONNECTING || state == CHAN_CONNECTED;
	for (uint32_t i = 0; i < n || i == 0; i++)
		if (at_load(&chan_sock(client.chan, n > 0 ? s->part[i] : sock)->rx.head) != 0)
			return true;
	return at_load(&s->tx.head) != 0;
}

/* ---- calls ------------------------------------------------------------------------------------ */

int pcx_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct file *f = file_socket(fd);
	int64_t rc;

	if (f == NULL)
		return (int)sys(bind, fd, addr, len);
	rc = user_name_in(addr, len);
	if (rc == 0)
		rc = chan_sock(client.chan, f->sock)->type == CHAN_DGRAM
		         ? bind_dgram(f->sock, addr, len)
		         : bind_stream(f->sock, addr, len);
	file_put(f);
	return (int)fail(rc);
}

int pcx_listen(int fd, int backlog)
{
	struct file *f = file_socket(fd);
	int64_t rc;

	if (f == NULL)
		return (int)sys(listen, fd, backlog);
	rc = call_sock(f->sock, CHAN_OP_LISTEN, backlog, 0, NULL, 0);
	if (rc == 0)
		rc = sock_spread(f->sock, backlog < 0 ? INT_MAX : backlog);
	file_put(f);
	return (int)fail(rc);
}

int pcx_shutdown(int fd, int how)
{
	struct file *f = file_socket(fd);
	struct chan_sock *s;
	bool listened;
	int64_t rc;

	if (f == NULL)
		return (int)sys(shutdown, fd, how);
	s = chan_sock(client.chan, f->sock);
	listened = at_load(&s->state) == CHAN_LISTEN;
	rc = call_sock(f->sock, CHAN_OP_SHUTDOWN, how, 0, NULL, 0);
	for (uint32_t i = 1; i < sock_parts(s) && rc == 0; i++)
		(void)call_sock(s->part[i], CHAN_OP_SHUTDOWN, how, 0, NULL, 0);
	if (rc == 0 && at_load(&s->state) == CHAN_CONNECTED)
		at_store(&s->connecting, 0); /* as on Linux, it need not be told any more */
	if (rc == 0 && listened && how != SHUT_WR)
		sock_gather(f->sock);
	file_put(f);
	return (int)fail(rc);
}

static int64_t get_name(uint32_t sock, enum chan_op op, struct sockaddr *addr, socklen_t *len)
{
	const struct chan_sock *s = chan_sock(client.chan, sock);
	const struct chan_addr *known = op == CHAN_OP_GETSOCKNAME ? &s->local : &s->peer;
	struct sockaddr_storage name;
	struct call c = {.op = op, .sock = sock, .out = &name, .out_len = sizeof(name)};
	int64_t rc;

	if (known->len != 0 && known->len <= sizeof(known->sa) && op == CHAN_OP_GETSOCKNAME)
		return user_name_out(known->sa, known->len, addr, len);
	rc = call_lcore(s->lcore, &c);
	return rc < 0 ? rc : user_name_out(&name, c.out_len, addr, len);
}

int pcx_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct file *f = file_socket(fd);
	int64_t rc;

	if (f == NULL)
		return (int)sys(getsockname, fd, addr, len);
	rc = get_name(f->sock, CHAN_OP_GETSOCKNAME, addr, len);
	file_put(f);
	return (int)fail(rc);
}

int pcx_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct file *f = file_socket(fd);
	int64_t rc;

	if (f == NULL)
		return (int)sys(getpeername, fd, addr, len);
	rc = get_name(f->sock, CHAN_OP_GETPEERNAME, addr, len);
	file_put(f);
	return (int)fail(rc);
}

/* ---- the lcore of a connection ---------------------------------------------------------------- */

/* The stream stays where it is if another process has it too: that one would not see the
 * connection. */
void sock_choose_lcore(struct file *f)
{
	uint32_t old = f->sock, lcore;
	struct chan_sock *s = chan_sock(client.chan, old), *to;
	int64_t made;

	if (client.chan->nb_lcores == 1 || at_load(&s->state) != CHAN_IDLE ||
	    (at_load(&s->flags) & CHAN_BOUND) || sock_is_shared(s))
		return;
	lcore = at_add(&client.chan->head->next_lcore, 1) % client.chan->nb_lcores;
	if (lcore == s->lcore)
		return;
	made = make_like(old, lcore, CHAN_NONE);
	if (made < 0)
		return;
	to = chan_sock(client.chan, (uint32_t)made);
	to->nonblock = s->nonblock;
	to->rcv_timeout_ns = s->rcv_timeout_ns;
	to->snd_timeout_ns = s->snd_timeout_ns;
	to->linger = s->linger;
	to->linger_s = s->linger_s;
	to->rcvlowat = s->rcvlowat;
	to->peek_off = s->peek_off;
	to->buffers_set = s->buffers_set;
	to->tells = s->tells;
	to->cookie = s->cookie;
	memcpy(to->option, s->option, sizeof(to->option));
	to->nb_options = s->nb_options;
	if (!file_move(f, (uint32_t)made)) { /* by a fork meanwhile */
		release_socket((uint32_t)made);
		return;
	}
	async_moved(f, old, (uint32_t)made);
	release_socket(old);
}
