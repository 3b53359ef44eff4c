/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections (RFC 7766)
 *
 * Overview: a connection has no buffer of ours.  Queries are peeked at, as many as have come, and taken out of the stack's
 * receive buffer once their answers are in its send buffer; a query of which a part has come stays there.  When an answer
 * finds no room, or only some, its query stays, too, and the answer is made again when there is room: the same message
 * and the same zones make the same bytes.  If the zones are others by then, the connection ends.
 *
 * Time: since_ns moves with every query that is answered, so the list that is in the order of since_ns is the one in which
 * connections run out.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include <percore/epoll.h>
#include <percore/socket.h>

#include "server.h"

enum outcome { ANSWERED, WAITS, BROKEN };

/* ---- the list ----------------------------------------------------------------------------------- */

static void unlink_conn(struct server *s, uint32_t fd)
{
	const struct conn *c = &s->conns[fd];

	*(c->older != 0 ? &s->conns[c->older].newer : &s->oldest) = c->newer;
	*(c->newer != 0 ? &s->conns[c->newer].older : &s->newest) = c->older;
}

static void append_conn(struct server *s, uint32_t fd)
{
	struct conn *c = &s->conns[fd];

	c->older = s->newest;
	c->newer = 0;
	c->since_ns = s->now_ns;
	*(s->newest != 0 ? &s->conns[s->newest].newer : &s->oldest) = fd;
	s->newest = fd;
}

void conn_open(struct server *s, int fd)
{
	s->conns[fd] = (struct conn){.used = true, .need = 2};
	append_conn(s, (uint32_t)fd);
	s->counts->dns_connections++;
}

void conn_close(struct server *s, int fd)
{
	unlink_conn(s, (uint32_t)fd);
	s->conns[fd].used = false;
	pc_close(s->st, fd);
}

void conn_expire(struct server *s)
{
	const uint64_t idle_ns = s->config->dns->idle_ms * 1000000;

	while (s->oldest != 0 && s->now_ns - s->conns[s->oldest].since_ns >= idle_ns) {
		s->counts->dns_idle++;
		conn_close(s, (int)s->oldest);
	}
}

/* ---- queries ------------------------------------------------------------------------------------ */

static enum outcome answer_one(struct server *s, int fd, const uint8_t *query, size_t len)
{
	struct conn *c = &s->conns[fd];
	struct counts again = *s->counts;
	const bool is_again = c->sent > 0;
	size_t n;
	ssize_t sent;

	if (is_again && c->zones != s->zones->number)
		return BROKEN;
	n = answer_make(&s->config->answer, s->zones, query, len, true, s->out + 2, &again);
	if (n == 0)
		return BROKEN;
	dns_put16(s->out, (unsigned)n);
	sent = pc_send(s->st, fd, s->out + c->sent, n + 2 - c->sent, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN ? WAITS : BROKEN;
	c->sent += (uint32_t)sent;
	c->zones = s->zones->number;
	if (c->sent < n + 2)
		return WAITS;
	c->sent = 0;
	*s->counts = again; /* an answer counts when it is sent */
	s->counts->dns_tcp++;
	return ANSWERED;
}

/* Answers the whole queries of n bytes. Returns what became of the last; *used: bytes that are done with. */
static enum outcome answer_all(struct server *s, int fd, size_t n, size_t *used)
{
	struct conn *c = &s->conns[fd];
	size_t at = 0;
	enum outcome o = ANSWERED;

	while (n - at >= 2) {
		const size_t len = dns_get16(s->in + at);

		c->need = (uint32_t)len + 2;
		if (n - at - 2 < len)
			break;
		o = answer_one(s, fd, s->in + at + 2, len);
		if (o != ANSWERED)
			break;
		at += len + 2;
		c->need = 2;
	}
	*used = at;
	return o;
}

/* Takes what has come. Returns ANSWERED when something was and there may be more. */
static enum outcome serve(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];
	enum outcome o;
	size_t used;
	ssize_t n;
	int queued = 0;

	/* who sends byte by byte does not make us look at all of them each time */
	if (!c->ended &&
	    (pc_ioctl(s->st, fd, FIONREAD, &queued) != 0 || (uint32_t)queued < c->need))
		return WAITS;
	n = pc_recv(s->st, fd, s->in, sizeof(s->in), MSG_PEEK);
	if (n <= 0)
		return n < 0 && errno == EAGAIN && !c->ended ? WAITS : BROKEN;
	o = answer_all(s, fd, (size_t)n, &used);
	if (used > 0) {
		(void)pc_recv(s->st, fd, s->in, used, MSG_TRUNC);
		unlink_conn(s, (uint32_t)fd);
		append_conn(s, (uint32_t)fd);
	}
	if (o == ANSWERED && used == 0)
		return c->ended ? BROKEN : WAITS;
	return o;
}

void conn_event(struct server *s, int fd, uint32_t events)
{
	struct conn *c = &s->conns[fd];
	enum outcome o = ANSWERED;

	if (!c->used)
		return;
	if (events & (EPOLLHUP | EPOLLERR)) {
		conn_close(s, fd);
		return;
	}
	c->ended = c->ended || (events & EPOLLRDHUP) != 0;
	while (o == ANSWERED)
		o = serve(s, fd);
	if (o != BROKEN)
		return;
	if (!c->ended)
		s->counts->dns_broken++;
	conn_close(s, fd);
}
