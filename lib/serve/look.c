/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at a socket: what the stack reports, what the client has written, what has changed. */
#include "serve/service.h"

#include <errno.h>
#include <string.h>

/* What the stack reports for a socket, as EPOLL* bits. */
static uint32_t ask(struct pc_service *s, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};

	return pc_poll(s->st, &p, 1) >= 0 ? (uint32_t)(uint16_t)p.revents : 0;
}

static int take_error(struct pc_service *s, int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return pc_getsockopt(s->st, fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : 0;
}

static unsigned set_flag(struct chan_sock *c, uint32_t flag, bool on)
{
	uint32_t flags = at_peek(&c->flags);

	if (((flags & flag) != 0) == on)
		return 0;
	at_store(&c->flags, on ? flags | flag : flags & ~flag);
	return NEWS_STATE;
}

/* Moves an error from the stack to where the client takes it. */
static unsigned move_error(struct pc_service *s, uint32_t sock, uint32_t mask)
{
	int error = mask & EPOLLERR ? take_error(s, service_sock(s, sock)->fd) : 0;

	if (error == 0)
		return 0;
	at_store_sc(&chan_sock(s->chan, service_sock(s, sock)->primary)->error, error);
	return NEWS_STATE;
}

/* ---- listeners ------------------------------------------------------------------------------- */

static void keep_name(struct pc_service *s, int fd, struct chan_addr *a,
                      int (*get)(struct pc_stack *, int, struct sockaddr *, socklen_t *))
{
	socklen_t len = sizeof(a->sa);

	if (get(s->st, fd, (struct sockaddr *)(void *)a->sa, &len) == 0)
		a->len = len;
}

/* Gives a connection those of the listener's settings that the stack does not have. They are kept
 * in the primary, which they were set on. */
static void inherit(struct chan_sock *a, const struct chan_sock *l)
{
	at_put(&a->linger, at_peek(&l->linger));
	at_put(&a->linger_s, at_peek(&l->linger_s));
	at_put(&a->rcvlowat, at_peek(&l->rcvlowat));
	at_put(&a->tells, at_peek(&l->tells));
	at_put(&a->buffers_set, at_peek(&l->buffers_set));
	at_put(&a->rcv_timeout_ns, at_peek(&l->rcv_timeout_ns));
	at_put(&a->snd_timeout_ns, at_peek(&l->snd_timeout_ns));
}

static void enter_short(struct pc_service *s, uint32_t sock)
{
	struct service_sock *own = service_sock(s, sock);

	if (own->is_short)
		return;
	own->is_short = true;
	own->next = CHAN_NONE;
	if (s->short_first == CHAN_NONE)
		s->short_first = sock;
	else
		service_sock(s, s->short_last)->next = sock;
	s->short_last = sock;
}

void service_leave_short(struct pc_service *s, uint32_t sock)
{
	uint32_t before = CHAN_NONE, *link = &s->short_first;

	if (!service_sock(s, sock)->is_short)
		return;
	while (*link != sock) {
		before = *link;
		link = &service_sock(s, before)->next;
	}
	*link = service_sock(s, sock)->next;
	if (s->short_last == sock)
		s->short_last = before;
	service_sock(s, sock)->is_short = false;
}

void service_look_short(struct pc_service *s)
{
	while (s->free != CHAN_NONE && s->short_first != CHAN_NONE) {
		uint32_t sock = s->short_first;

		service_leave_short(s, sock);
		service_look(s, sock);
	}
}

/* Returns whether there may be more to accept. */
static bool accept_one(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock), *a;
	const struct service_sock *own = service_sock(s, sock);
	uint32_t n, *words = chan_accept_words(s->chan, sock, &n), made;
	int fd;

	if (s->free == CHAN_NONE)
		enter_short(s, sock);
	if (s->free == CHAN_NONE || word_count(&c->accepted) >= own->accept_max) {
		at_store_sc(&c->rx_want, 1); /* the next accept() kicks us */
		if (s->free == CHAN_NONE || word_count(&c->accepted) >= own->accept_max)
			return false;
	}
	fd = pc_accept(s->st, own->fd, NULL, NULL);
	if (fd < 0)
		return false;
	made = service_adopt(s, fd, CHAN_STREAM, c->ip6);
	if (made == CHAN_NONE) {
		(void)pc_close(s->st, fd);
		return true;
	}
	service_sock(s, made)->from = sock;
	a = chan_sock(s->chan, made);
	a->protocol = IPPROTO_TCP;
	a->state = CHAN_CONNECTED;
	inherit(a, chan_sock(s->chan, service_sock(s, sock)->primary));
	keep_name(s, fd, &a->local, pc_getsockname);
	keep_name(s, fd, &a->peer, pc_getpeername);
	at_store(&a->holders[0], CHAN_QUEUED);
	service_look(s, made);
	(void)word_push(&c->accepted, words, n, made);
	return true;
}

/* Each connection wakes one of the exclusive waiters (EPOLLEXCLUSIVE). */
static void look_listener(struct pc_service *s, uint32_t sock)
{
	while (accept_one(s, sock))
		service_notify(s, sock, NEWS_IN);
}

/* ---- streams and datagrams ------------------------------------------------------------------- */

static unsigned look_connecting(struct pc_service *s, uint32_t sock, uint32_t mask)
{
	struct chan_sock *c = chan_sock(s->chan, sock);

	if ((mask & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0)
		return 0;
	if (mask & EPOLLHUP) {
		at_store(&c->flags, at_peek(&c->flags) | CHAN_HUP | CHAN_RX_END | CHAN_TX_SHUT);
		at_store(&c->state, CHAN_OVER);
	} else {
		at_store(&c->flags, at_peek(&c->flags) & ~(uint32_t)CHAN_HUP);
		at_store(&c->state, CHAN_CONNECTED);
	}
	return NEWS_STATE;
}

/* Whether a client has queued the completion of a MSG_ZEROCOPY call in the error queue. */
static unsigned look_copies(struct pc_service *s, uint32_t sock)
{
	const uint32_t copies = at_load(&chan_sock(s->chan, sock)->copies);
	struct service_sock *own = service_sock(s, sock);

	if (copies == own->copies)
		return 0;
	own->copies = copies;
	return NEWS_STATE;
}

/* The end of the stream is a FIN if the other direction is still open. */
static void look_fin(struct chan_sock *c, uint32_t mask)
{
	const uint32_t flags = at_peek(&c->flags);

	if ((flags & (CHAN_RX_END | CHAN_RX_SHUT | CHAN_FIN)) == CHAN_RX_END &&
	    (mask & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == EPOLLRDHUP)
		at_store(&c->flags, flags | CHAN_FIN);
}

/* Whether a connection has ended in receiving or sending; sets *mask to what the stack reports. */
static unsigned look_end(struct pc_service *s, uint32_t sock, uint32_t *mask)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	unsigned news;

	*mask = ask(s, service_sock(s, sock)->fd);
	news = move_error(s, sock, *mask);
	look_fin(c, *mask);
	if (!(*mask & EPOLLHUP) || (at_peek(&c->flags) & CHAN_HUP))
		return news;
	/* no more data in either direction */
	at_store(&c->flags, at_peek(&c->flags) | CHAN_HUP | CHAN_TX_SHUT |
	                        (*mask & EPOLLIN ? 0 : CHAN_RX_END));
	return news | NEWS_STATE;
}

static unsigned look_stream(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	struct service_sock *own = service_sock(s, sock);
	uint32_t mask = ask(s, own->fd);
	unsigned news = move_error(s, sock, mask) | look_copies(s, sock);

	if (c->state == CHAN_CONNECTING)
		news |= look_connecting(s, sock, mask);
	if (c->state == CHAN_CONNECTED) {
		const bool shuts = own->shutting;

		if (mask & EPOLLPRI)
			news |= stream_urgent(s, sock);
		news |= stream_receive(s, sock, mask);
		news |= stream_transmit(s, sock);
		/* mere transfer of data ends nothing */
		if (shuts || (news & NEWS_STATE) || (mask & (EPOLLPRI | STREAM_ENDS)))
			news |= look_end(s, sock, &mask);
	} else if (c->state == CHAN_IDLE) {
		news |= set_flag(c, CHAN_HUP, mask & EPOLLHUP);
	}
	news |= set_flag(c, CHAN_PRI, mask & EPOLLPRI);
	return news;
}

/* As on Linux, what is in the error queue is reported until it has been read, whatever error the
 * socket has had, which was moved before. */
static unsigned look_reports(struct pc_service *s, uint32_t sock, uint32_t mask)
{
	uint32_t *flags = &chan_sock(s->chan, sock)->flags;

	if ((mask & EPOLLERR) == 0 || (ask(s, service_sock(s, sock)->fd) & EPOLLERR) == 0) {
		if (at_load(flags) & CHAN_REPORTS)
			at_and(flags, ~(uint32_t)CHAN_REPORTS);
		return 0;
	}
	at_or(flags, (uint32_t)CHAN_REPORTS);
	return NEWS_STATE;
}

static unsigned look_dgram(struct pc_service *s, uint32_t sock)
{
	const uint32_t mask = ask(s, service_sock(s, sock)->fd);
	unsigned news = move_error(s, sock, mask);

	news |= look_reports(s, sock, mask);
	news |= look_copies(s, sock);
	news |= dgram_transmit(s, sock);
	news |= dgram_receive(s, sock);
	return news;
}

void service_look(struct pc_service *s, uint32_t sock)
{
	struct chan_sock *c = chan_sock(s->chan, sock);
	unsigned news = 0;
	bool held;

	if (!service_owns(s, sock))
		return;
	held = service_is_held(s, sock);
	if (!held && !service_sock(s, sock)->closing) {
		service_close(s, sock);
		return;
	}
	if (c->state == CHAN_LISTEN)
		look_listener(s, sock);
	else if (c->type == CHAN_STREAM)
		news = look_stream(s, sock);
	else
		news = look_dgram(s, sock);
	service_notify(s, sock, news);
	/* it may be closed already: clients can fake a listener with this socket in its queue */
	if (!held && service_owns(s, sock))
		service_close(s, sock);
}
