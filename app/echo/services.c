/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: one function for each kind of socket.  The sockets are edge-triggered: an event is
 * reported only once, so a function goes on until there is nothing left.  Echo copies no bytes: it
 * sends the mbufs that it received.
 *
 * Ownership: a received mbuf is ours until pc_send_mbuf has taken it.  Packets that do not fit into
 * the send buffer wait in a list, in which each is linked to the last mbuf of the one before.
 */
#include "services.h"

#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "../shared/asker.h"

#define EVENTS 256
#define BATCH  8 /* packets received at a time */

static int watch(struct server *sv, int fd, const struct sock *sock)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	                         .data.u64 = (uint64_t)sock->kind << 32 | (uint32_t)fd};

	sv->socks[fd] = *sock;
	return pc_epoll_ctl(sv->st, sv->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void hang_up(struct server *sv, int fd)
{
	struct sock *sock = &sv->socks[fd];

	if (sock->kind == ECHO && sock->rest != NULL) {
		rte_pktmbuf_free(sock->rest);
		sv->nb_rests--;
	}
	sock->kind = CLOSED;
	pc_close(sv->st, fd);
}

int service_open(struct server *sv, int type, uint64_t port, enum kind service)
{
	/* every address of both families */
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int fd = pc_socket(sv->st, AF_INET6, type, 0), on = 1, unsent = SOURCE_UNSENT;
	struct sock sock = {.service = (uint8_t)service, .port = (uint16_t)port};

	if (fd < 0 || pc_bind(sv->st, fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		return -1;
	sock.kind = type == SOCK_STREAM ? LISTENER : DATAGRAMS;
	if (type == SOCK_STREAM) {
		/* connections inherit it: no answer waits for more data */
		pc_setsockopt(sv->st, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (service == SOURCE)
			pc_setsockopt(sv->st, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
			              sizeof(unsent));
		if (pc_listen(sv->st, fd, 65535) != 0)
			return -1;
	}
	return watch(sv, fd, &sock);
}

bool service_serve_all(struct server *sv, const struct epoll_event *ev, int n)
{
	sv->accepted = false;
	for (int i = 0; i < n; i++)
		service_serve(sv, &ev[i]);
	return sv->accepted;
}

void service_turn(struct server *sv)
{
	struct epoll_event ev[EVENTS];

	if (service_serve_all(sv, ev, pc_epoll_wait(sv->st, sv->epoll, ev, EVENTS)))
		(void)service_serve_all(sv, ev, pc_epoll_wait(sv->st, sv->epoll, ev, EVENTS));
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

	sv->accepted = true;
	while ((fd = pc_accept(sv->st, listener, NULL, NULL)) > 0)
		if (watch(sv, fd, &sock) != 0)
			hang_up(sv, fd);
}

/* Appends a packet to those that wait. */
static void keep(struct rte_mbuf **rest, struct rte_mbuf *m)
{
	while (*rest != NULL)
		rest = &(*rest)->next;
	*rest = m;
}

/* Removes and returns the first packet of the list. */
static struct rte_mbuf *take(struct rte_mbuf **rest)
{
	struct rte_mbuf *first = *rest, *last = first;

	for (unsigned i = 1; i < first->nb_segs; i++)
		last = last->next;
	*rest = last->next;
	last->next = NULL;
	return first;
}

/* Sends the packets that wait. Returns whether none is left. */
static bool send_rest(struct server *sv, int fd)
{
	struct rte_mbuf **rest = &sv->socks[fd].rest, *m;

	while (*rest != NULL) {
		m = take(rest);
		if (pc_send_mbuf(sv->st, fd, m, NULL) != 0) {
			keep(&m, *rest);
			*rest = m;
			return false;
		}
		if (*rest == NULL)
			sv->nb_rests--;
	}
	return true;
}

/*
 * Sends n packets, while none waits; from the first that does not fit on, they wait. Returns whether
 * all were sent.
 */
static bool send_all(struct server *sv, int fd, struct rte_mbuf **m, int n)
{
	int i = 0;

	while (i < n && pc_send_mbuf(sv->st, fd, m[i], NULL) == 0)
		i++;
	if (likely(i == n))
		return true;
	for (int j = i; j < n; j++)
		keep(&sv->socks[fd].rest, m[j]);
	sv->nb_rests++;
	return false;
}

/*
 * A short read has emptied the queue; only an end or error that this event reports may still
 * follow.
 */
static bool is_all(int n, uint32_t events)
{
	return n < BATCH && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0;
}

/*
 * Does not read while packets wait in rest, so that a peer that does not read is stopped by flow
 * control.
 */
static void serve_echo(struct server *sv, int fd, uint32_t events)
{
	struct rte_mbuf *m[BATCH];
	int n = BATCH;
	bool ok = likely(sv->nb_rests == 0) || send_rest(sv, fd);

	while (ok) {
		n = pc_recv_mbufs(sv->st, fd, m, BATCH);
		if (n <= 0)
			break;
		ok = send_all(sv, fd, m, n);
		if (ok && likely(is_all(n, events)))
			return;
	}
	if (n == 0 || errno != EAGAIN)
		hang_up(sv, fd);
}

static void serve_discard(struct server *sv, int fd, uint32_t events)
{
	struct rte_mbuf *m[BATCH];
	int n;

	while ((n = pc_recv_mbufs(sv->st, fd, m, BATCH)) > 0) {
		rte_pktmbuf_free_bulk(m, (unsigned)n);
		if (is_all(n, events))
			return;
	}
	if (n == 0 || errno != EAGAIN)
		hang_up(sv, fd);
}

/*
 * Byte n of the stream is n mod 256. It ends when the connection does; a FIN alone only says that
 * the peer has nothing more to send.
 */
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
		/* a peer on our own port may be another echo server: the two would never stop */
		if (s->service != ECHO || from.port == s->port || !asker_is_one(from.port) ||
		    pc_send_mbuf(sv->st, fd, m, &from) != 0)
			rte_pktmbuf_free(m);
}

void service_serve(struct server *sv, const struct epoll_event *ev)
{
	const int fd = service_fd(ev);

	switch (service_kind(ev)) {
	case ECHO:
		serve_echo(sv, fd, ev->events);
		break;
	case DISCARD:
		serve_discard(sv, fd, ev->events);
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
	case CLOSED:
		break;
	}
}
