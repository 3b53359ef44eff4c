/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: one function for each kind of socket.  The sockets are edge-triggered: an event tells of
 * news once, so a function goes on until the stack says EAGAIN.  Echo copies no byte: the mbufs that
 * came in go out.
 *
 * Ownership: a received mbuf is ours until pc_send_mbuf has taken it.
 */
#include "services.h"

#include <errno.h>

#include <rte_mbuf.h>

static int watch(struct server *sv, int fd, const struct sock *sock)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};

	sv->socks[fd] = *sock;
	return pc_epoll_ctl(sv->st, sv->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void hang_up(struct server *sv, int fd)
{
	if (sv->socks[fd].kind == ECHO)
		rte_pktmbuf_free(sv->socks[fd].rest);
	sv->socks[fd].kind = CLOSED;
	pc_close(sv->st, fd);
}

int service_open(struct server *sv, int type, uint64_t port, enum kind service)
{
	/* every address of both families */
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int fd = pc_socket(sv->st, AF_INET6, type, 0), on = 1;
	struct sock sock = {.service = (uint8_t)service, .port = (uint16_t)port};

	if (fd < 0 || pc_bind(sv->st, fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		return -1;
	sock.kind = type == SOCK_STREAM ? LISTENER : DATAGRAMS;
	if (type == SOCK_STREAM) {
		/* connections inherit it: no answer waits for more to come */
		pc_setsockopt(sv->st, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (pc_listen(sv->st, fd, 65535) != 0)
			return -1;
	}
	return watch(sv, fd, &sock);
}

void service_close_all(struct server *sv)
{
	for (uint32_t fd = 1; fd < sv->nb_socks; fd++)
		if (sv->socks[fd].kind != CLOSED)
			hang_up(sv, (int)fd);
}

static void serve_listener(struct server *sv, int listener)
{
	const struct sock sock = {.kind = sv->socks[listener].service};
	int fd;

	while ((fd = pc_accept(sv->st, listener, NULL, NULL)) > 0)
		if (watch(sv, fd, &sock) != 0)
			hang_up(sv, fd);
}

static void serve_echo(struct server *sv, int fd)
{
	struct rte_mbuf *m = sv->socks[fd].rest;
	int rc = 1;

	/* what finds no room in the send buffer waits in rest; meanwhile nothing is read, so that
	 * the peer's sending stops when its own window is full */
	while (m != NULL || (rc = pc_recv_mbuf(sv->st, fd, &m, NULL)) == 1) {
		if (pc_send_mbuf(sv->st, fd, m, NULL) != 0)
			break;
		m = NULL;
	}
	sv->socks[fd].rest = m;
	if (rc == 0 || errno != EAGAIN)
		hang_up(sv, fd);
}

static void serve_discard(struct server *sv, int fd)
{
	struct rte_mbuf *m;
	int rc;

	while ((rc = pc_recv_mbuf(sv->st, fd, &m, NULL)) == 1)
		rte_pktmbuf_free(m);
	if (rc == 0 || errno != EAGAIN)
		hang_up(sv, fd);
}

/* Byte n of the stream is n mod 256. It ends when the peer goes away; a FIN alone says only that the
 * peer has nothing to send. */
static void serve_source(struct server *sv, int fd)
{
	uint64_t *sent = &sv->socks[fd].sent;
	ssize_t n;

	while ((n = pc_send(sv->st, fd, sv->pattern + *sent % 256, SOURCE_BURST, 0)) > 0)
		*sent += (uint64_t)n;
	if (errno != EAGAIN)
		hang_up(sv, fd);
}

static void serve_datagrams(struct server *sv, int fd)
{
	const struct sock *s = &sv->socks[fd];
	struct pc_endpoint from;
	struct rte_mbuf *m;

	while (pc_recv_mbuf(sv->st, fd, &m, &from) == 1)
		/* from our own port it may be another echo server: two would never end */
		if (s->service != ECHO || from.port == s->port ||
		    pc_send_mbuf(sv->st, fd, m, &from) != 0)
			rte_pktmbuf_free(m);
}

void service_serve(struct server *sv, int fd)
{
	switch (sv->socks[fd].kind) {
	case ECHO:
		serve_echo(sv, fd);
		break;
	case DISCARD:
		serve_discard(sv, fd);
		break;
	case SOURCE:
		serve_source(sv, fd);
		break;
	case LISTENER:
		serve_listener(sv, fd);
		break;
	case DATAGRAMS:
		serve_datagrams(sv, fd);
		break;
	}
}
