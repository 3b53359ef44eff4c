/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections (RFC 7766)
 *
 * Overview: a connection has no buffer of ours.  Queries are peeked at, as many as have come, and taken out of the stack's
 * receive buffer once their answers are in its send buffer; a query of which a part has come stays there.  When an answer
 * finds no room, or only some, its query stays, too, and the answer is made again when there is room: the same message,
 * the same zones and the same time make the same bytes.  If the zones are others by then, the connection ends.
 *
 * Shares: a connection has QUERIES_PER_TURN queries answered in a turn, and is in a list if it has more: so neither other
 * connections nor datagrams wait for one that has sent thousands at once.
 *
 * End: input that nobody has read, or that comes later, makes an end a reset, which takes away answers that are still under way (RFC
 * 9293 section 3.10.4).  So a connection with a malformed message is shut down, and what comes is thrown away until its peer
 * has closed it, too; and nothing is left unread when one is closed, but for a peer that does not take its answers.
 *
 * Time: since_ns moves with every query that is answered, or in part, so the list that is in the order of since_ns is the one in
 * which connections run out.  Whose answers wait for room is looked at then: a peer that takes them slowly is not idle.
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

/* Throws away what has come. Returns whether more may come. */
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

/* Ends a connection at once: nothing more is delivered. */
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

/* What its peer has still to acknowledge, bytes. */
static uint32_t queued_of(const struct server *s, uint32_t fd)
{
	int n;

	return pc_ioctl(s->st, (int)fd, SIOCOUTQ, &n) == 0 ? (uint32_t)n : 0;
}

/* An answer waits for room, and the peer has taken some of those before it since that was last looked at. */
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

/* What has been answered is the last that the peer gets. */
static void finish(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	c->over = true;
	c->queued = queued_of(s, (uint32_t)fd);
	renew_conn(s, (uint32_t)fd);
	if (!discard(s, fd) || pc_shutdown(s->st, fd, SHUT_WR) != 0)
		close_conn(s, fd);
}

/* ---- queries ------------------------------------------------------------------------------------ */

static struct cookie_client client_of(const struct server *s, int fd, uint32_t now_s)
{
	struct cookie_client c = {.now_s = now_s};
	struct sockaddr_storage peer;
	struct pc_endpoint from;
	socklen_t len = sizeof(peer);

	if (pc_getpeername(s->st, fd, (struct sockaddr *)&peer, &len) != 0 ||
	    pc_endpoint_from_sockaddr(&from, (const struct sockaddr *)&peer, len) != 0)
		return c; /* who is gone gets no cookie */
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
	if (n == 0 || n + 2 <= c->sent) /* it is made otherwise: its peer is gone */
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

/* Answers the whole queries of n bytes, as far as there is a share left. Returns what became of the last; *used: bytes that
 * are done with. */
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

/* Takes what has come. Returns ANSWERED when something was and there may be more. */
static enum outcome serve(struct server *s, int fd, unsigned *share)
{
	struct conn *c = &s->conns[fd];
	const uint32_t sent = c->sent;
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

/* ---- shares ------------------------------------------------------------------------------------- */

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
	finish(s, fd);
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

/* The list as it is now, or the first of it. */
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
