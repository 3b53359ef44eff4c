/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections (RFC 7766)
 *
 * Overview: a connection has no buffer of its own. As many queries as have arrived are peeked at,
 * and removed from the stack's receive buffer once their responses are in its send buffer; a
 * partial query stays there. If a response does not fit, or only in part, its query stays, too, and
 * the response is made again when there is room: the same message, zones and time give the same
 * bytes. If the zones have changed by then, the connection ends.
 *
 * Shares: at most QUERIES_PER_TURN queries of a connection are answered in a turn; if it has more,
 * it goes into a list. So neither other connections nor datagrams wait for one that has sent
 * thousands at once.
 *
 * End: if input is unread at close, or arrives later, TCP sends a reset, which destroys responses
 * still in flight (RFC 9293 section 3.10.4). So after a malformed message a connection is shut
 * down, and its input discarded until the peer has closed it, too; and nothing is left unread at
 * close, except when the peer does not take its responses.
 *
 * Time: since_ns is updated with every query that is answered, even in part, so the list in the
 * order of since_ns is also the order in which connections expire. One whose responses wait for
 * room is checked at that time: a peer that takes them slowly is not idle.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include <percore/epoll.h>
#include <percore/socket.h>

#include "server.h"

#define QUERIES_PER_TURN 32
#define AGAIN_PER_TURN   32 /* connections */

enum outcome { ANSWERED, WAITS, BROKEN, AGAIN };

/* ---- the list -------------------------------------------------------------------------------- */

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
	struct conn *c = &s->conns[fd];

	*c = (struct conn){.used = true, .need = 2, .again = c->again, .waits_turn = c->waits_turn};
	append_conn(s, (uint32_t)fd);
	s->counts->dns_connections++;
}

static void close_conn(struct server *s, int fd)
{
	unlink_conn(s, (uint32_t)fd);
	s->conns[fd].used = false;
	pc_close(s->st, fd);
}

/* Discards received data. Returns whether more may arrive. */
static bool discard(struct server *s, int fd)
{
	ssize_t n;

	do
		n = pc_recv(s->st, fd, s->in, sizeof(s->in), MSG_TRUNC);
	while (n > 0);
	return n < 0 && errno == EAGAIN;
}

void conn_close(struct server *s, int fd)
{
	(void)discard(s, fd);
	close_conn(s, fd);
}

/* Aborts a connection: nothing more is delivered. */
static void abort_conn(struct server *s, int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)pc_setsockopt(s->st, fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close_conn(s, fd);
}

static void renew_conn(struct server *s, uint32_t fd)
{
	unlink_conn(s, fd);
	append_conn(s, fd);
}

/* Bytes that the peer has not acknowledged yet. */
static uint32_t queued_of(const struct server *s, uint32_t fd)
{
	int n;

	return pc_ioctl(s->st, (int)fd, SIOCOUTQ, &n) == 0 ? (uint32_t)n : 0;
}

/* Says whether a response waits for room and the peer has taken some data since this was last
 * checked. */
static bool is_being_read(struct server *s, uint32_t fd)
{
	struct conn *c = &s->conns[fd];
	const uint32_t before = c->queued;

	if (before == 0)
		return false;
	c->queued = queued_of(s, fd);
	return c->queued < before;
}

static void end_idle(struct server *s, int fd)
{
	const struct conn *c = &s->conns[fd];

	s->counts->dns_idle += !c->over;
	if (c->queued > 0)
		abort_conn(s, fd);
	else
		conn_close(s, fd);
}

void conn_expire(struct server *s)
{
	const uint64_t idle_ns = s->config->dns->idle_ms * 1000000;

	while (s->oldest != 0 && s->now_ns - s->conns[s->oldest].since_ns >= idle_ns) {
		if (is_being_read(s, s->oldest))
			renew_conn(s, s->oldest);
		else
			end_idle(s, (int)s->oldest);
	}
}

/* Ends the responses: the peer gets no more after those sent so far. */
static void end_conn(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	c->over = true;
	c->queued = queued_of(s, (uint32_t)fd);
	renew_conn(s, (uint32_t)fd);
	if (!discard(s, fd) || pc_shutdown(s->st, fd, SHUT_WR) != 0)
		close_conn(s, fd);
}

/* ---- queries --------------------------------------------------------------------------------- */

static struct cookie_client client_of(const struct server *s, int fd, uint32_t now_s)
{
	struct cookie_client c = {.now_s = now_s};
	struct sockaddr_storage peer;
	struct pc_endpoint from;
	socklen_t len = sizeof(peer);

	if (pc_getpeername(s->st, fd, (struct sockaddr *)&peer, &len) != 0 ||
	    pc_endpoint_from_sockaddr(&from, (const struct sockaddr *)&peer, len) != 0)
		return c; /* no cookie if the peer is gone */
	c.addr_len = pc_addr_is_ip4(&from.addr) ? 4 : 16;
	memcpy(c.addr, from.addr.b + 16 - c.addr_len, c.addr_len);
	return c;
}

static enum outcome answer_one(struct server *s, int fd, const uint8_t *query, size_t len)
{
	struct conn *c = &s->conns[fd];
	struct counts again = *s->counts;
	const bool is_again = c->sent > 0;
	struct answer a = {.out = s->out + 2};
	struct answer_from from = {.tcp = true};
	size_t n;
	ssize_t sent;

	if (is_again && c->zones != s->zones->number)
		return BROKEN;
	if (!is_again)
		c->made_s = server_now_s(s);
	from.client = client_of(s, fd, c->made_s);
	n = answer_make(&s->config->answer, s->zones, &from, query, len, &a, &again);
	if (n == 0 || n + 2 <= c->sent) /* a different response: the peer is gone */
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
	*s->counts = again; /* a response is counted once it is sent */
	s->counts->dns_tcp++;
	return ANSWERED;
}

/* Answers the complete queries in n bytes, up to the share. Returns the outcome of the last one;
 * *used: bytes done with. */
static enum outcome answer_all(struct server *s, int fd, size_t n, unsigned *share, size_t *used)
{
	struct conn *c = &s->conns[fd];
	size_t at = 0;
	enum outcome o = ANSWERED;

	while (n - at >= 2) {
		const size_t len = dns_get16(s->in + at);

		c->need = (uint32_t)len + 2;
		if (n - at - 2 < len)
			break;
		if (*share == 0) {
			o = AGAIN;
			break;
		}
		(*share)--;
		o = answer_one(s, fd, s->in + at + 2, len);
		if (o != ANSWERED)
			break;
		at += len + 2;
		c->need = 2;
	}
	*used = at;
	return o;
}

/* Processes what has been received. Returns ANSWERED if there was a query and there may be more. */
static enum outcome serve(struct server *s, int fd, unsigned *share)
{
	struct conn *c = &s->conns[fd];
	const uint32_t sent = c->sent;
	enum outcome o;
	size_t used;
	ssize_t n;
	int queued = 0;

	/* a client that sends byte by byte does not make us look at all the data each time */
	if (!c->ended &&
	    (pc_ioctl(s->st, fd, FIONREAD, &queued) != 0 || (uint32_t)queued < c->need))
		return WAITS;
	n = pc_recv(s->st, fd, s->in, sizeof(s->in), MSG_PEEK);
	if (n <= 0)
		return n < 0 && errno == EAGAIN && !c->ended ? WAITS : BROKEN;
	o = answer_all(s, fd, (size_t)n, share, &used);
	if (used > 0)
		(void)pc_recv(s->st, fd, s->in, used, MSG_TRUNC);
	if (used > 0 || c->sent > sent)
		renew_conn(s, (uint32_t)fd);
	c->queued = o == WAITS ? queued_of(s, (uint32_t)fd) : 0;
	if (o == ANSWERED && used == 0)
		return c->ended ? BROKEN : WAITS;
	return o;
}

/* ---- shares ---------------------------------------------------------------------------------- */

static void come_again(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	if (c->waits_turn)
		return;
	c->waits_turn = true;
	c->again = 0;
	*(s->again_last != 0 ? &s->conns[s->again_last].again : &s->again_first) = (uint32_t)fd;
	s->again_last = (uint32_t)fd;
}

static void work(struct server *s, int fd)
{
	unsigned share = QUERIES_PER_TURN;
	enum outcome o = ANSWERED;

	if (s->conns[fd].over) {
		if (!discard(s, fd))
			close_conn(s, fd);
		return;
	}
	while (o == ANSWERED)
		o = serve(s, fd, &share);
	if (o == AGAIN)
		come_again(s, fd);
	if (o != BROKEN)
		return;
	if (!s->conns[fd].ended)
		s->counts->dns_broken++;
	end_conn(s, fd);
}

void conn_event(struct server *s, int fd, uint32_t events)
{
	struct conn *c = &s->conns[fd];

	if (!c->used)
		return;
	if (events & EPOLLERR || (events & EPOLLHUP && !c->over)) {
		close_conn(s, fd);
		return;
	}
	c->ended = c->ended || (events & EPOLLRDHUP) != 0;
	work(s, fd);
}

/* Serves those in the list now, up to a limit. */
void conn_again(struct server *s)
{
	const uint32_t last = s->again_last;
	uint32_t fd = 0;

	for (int i = 0; i < AGAIN_PER_TURN && s->again_first != 0 && fd != last; i++) {
		fd = s->again_first;
		s->again_first = s->conns[fd].again;
		if (s->again_first == 0)
			s->again_last = 0;
		s->conns[fd].waits_turn = false;
		if (s->conns[fd].used)
			work(s, (int)fd);
	}
}
