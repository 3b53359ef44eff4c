/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A connection's life
 *
 * Life-cycle: FREE -> OPEN at accept; OPEN -> SENDING when a response does not fit into the send
 * buffer, and back once it is sent; OPEN or SENDING -> LINGERING after the last response to a
 * client that may still be sending, else -> FREE.
 *
 * Events are edge-triggered and registered once: CONN_UNREAD remembers input that is left unread
 * because output is blocked, or because the connection has had its share of this turn.  A receive
 * that returns less than it had room for has emptied the receive buffer, unless the client marked a
 * byte as urgent (RFC 9293 section 3.8.5), which only EPOLLPRI reports.
 *
 * Invariants: input and output are numbers of buffers that this connection owns; file is held
 * (files.h) exactly while SENDING a part of it; a connection that is not FREE has a deadline.
 */

#include "conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include <percore/epoll.h>
#include <percore/socket.h>

#include "../shared/map_guard.h"
#include "server.h"

#define READS_PER_TURN 4  /* of header_bytes each; then it is another connection's turn */
#define LINGER_READS   16 /* of header_bytes each, discarded in one turn */
#define NS_PER_MS      1000000u

void conn_set_timeout(struct server *s, int fd, uint64_t ms)
{
	timeouts_set(&s->timeouts, (uint32_t)fd, s->now_ns + ms * NS_PER_MS);
}

void conn_open(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	assert(c->state == CONN_FREE);
	c->state = CONN_OPEN;
	c->flags &= CONN_AGAIN;
	c->requests = 0;
	c->input = c->output = 0;
	c->file = NULL;
	s->nb_conns++;
	if ((uint32_t)fd >= s->end_conns)
		s->end_conns = (uint32_t)fd + 1;
	conn_set_timeout(s, fd, s->config.header_ms);
}

static void release(struct server *s, struct conn *c)
{
	if (c->input != 0)
		buffers_give(&s->buffers, c->input);
	if (c->output != 0)
		buffers_give(&s->buffers, c->output);
	if (c->file != NULL)
		file_release(c->file);
	c->input = c->output = 0;
	c->file = NULL;
}

void conn_close(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	assert(c->state != CONN_FREE);
	release(s, c);
	timeouts_clear(&s->timeouts, (uint32_t)fd);
	c->state = CONN_FREE;
	s->nb_conns--;
	pc_close(s->st, fd);
}

/* Resets a connection: data still queued is not delivered. */
static void conn_abort(struct server *s, int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	pc_setsockopt(s->st, fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	conn_close(s, fd);
}

/* Puts the connection on the list for the next turn. */
static void come_again(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	if (c->flags & CONN_AGAIN)
		return;
	c->flags |= CONN_AGAIN;
	c->again = 0;
	if (s->again_last != 0)
		s->conns[s->again_last].again = (uint32_t)fd;
	else
		s->again_first = (uint32_t)fd;
	s->again_last = (uint32_t)fd;
}

/* Discards input until the client has closed too. */
static void discard_input(struct server *s, int fd)
{
	const size_t room = s->limits.header_bytes;
	ssize_t n = (ssize_t)room;

	for (int i = 0; i < LINGER_READS && n == (ssize_t)room; i++)
		n = pc_recv(s->st, fd, s->input, room, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		conn_close(s, fd);
	else if (n == (ssize_t)room || (n > 0 && s->conns[fd].flags & CONN_PEER_SHUT))
		come_again(s, fd);
}

/* Called once the last response has been sent: lingers or closes. */
static void finish(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	if (!(c->flags & (CONN_LINGER | CONN_UNREAD))) {
		conn_close(s, fd);
		return;
	}
	release(s, c);
	c->state = CONN_LINGERING;
	conn_set_timeout(s, fd, s->config.linger_ms);
	pc_shutdown(s->st, fd, SHUT_WR);
	discard_input(s, fd);
}

/* Whether a failed send is to be retried. No EPOLLOUT follows ENOBUFS or ENOMEM. */
static bool is_blocked(struct server *s, int fd)
{
	if (errno == ENOBUFS || errno == ENOMEM)
		come_again(s, fd);
	return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
}

static uint16_t put_text(struct access_record *rec, size_t *at, const char *p, struct http_span v)
{
	const size_t n = v.len < ACCESS_TEXT_MAX / 3 ? v.len : ACCESS_TEXT_MAX / 3;

	memcpy(rec->text + *at, p + v.off, n);
	*at += n;
	return (uint16_t)n;
}

static void log_entry(struct server *s, int fd, const struct batch_entry *e)
{
	struct access_record *rec = access_ring_get(s->log);
	struct sockaddr_storage peer;
	struct pc_endpoint from = {0};
	socklen_t len = sizeof(peer);
	size_t at = 0;

	if (rec == NULL)
		return;
	if (pc_getpeername(s->st, fd, (struct sockaddr *)&peer, &len) == 0)
		pc_endpoint_from_sockaddr(&from, (const struct sockaddr *)&peer, len);
	rec->time = s->stamp.now;
	rec->addr = from.addr;
	rec->status = e->status;
	rec->bytes = e->body_len;
	rec->line_len = put_text(rec, &at, e->request, e->line);
	rec->referer_len = put_text(rec, &at, e->request, e->referer);
	rec->agent_len = put_text(rec, &at, e->request, e->agent);
	access_ring_put(s->log, rec);
}

/* Counts and logs the first n responses, which have been sent or are being sent. */
static void commit(struct server *s, int fd, unsigned n)
{
	const struct batch_entry *e = s->batch.entries;

	s->conns[fd].requests += n;
	for (unsigned i = 0, of_entry = 0; s->log != NULL && i < n; i++) {
		if (of_entry++ == e->times) {
			of_entry = 1;
			e++;
		}
		log_entry(s, fd, e);
	}
}

/*
 * Keeps what is left of a response after sent bytes of the batch. Returns false if it has no room.
 */
static bool hold_rest(struct server *s, int fd, const struct batch_entry *e, uint64_t sent)
{
	struct conn *c = &s->conns[fd];
	const uint64_t done = sent - e->begin;
	struct buffer *b;
	int n;

	if (done < e->head_len) {
		c->output = conn_take_buffer(s, fd);
		if (c->output == 0)
			return false;
		b = buffers_get(&s->buffers, c->output);
		n = batch_copy_head(&s->batch, e, sent, b->bytes, s->buffers.capacity);
		if (n < 0)
			return false;
		b->len = (uint32_t)n;
	}
	if (e->file != NULL) {
		file_hold(e->file);
		c->file = e->file;
		c->off = e->off + (done > e->head_len ? done - e->head_len : 0);
		c->end = e->off + e->body_len;
	}
	return true;
}

/* Returns how many bytes the client has not acknowledged yet. */
static uint32_t unacknowledged(const struct server *s, int fd)
{
	int n = 0;

	return pc_ioctl(s->st, fd, SIOCOUTQ, &n) == 0 ? (uint32_t)n : 0;
}

/* Starts a period of http.send_ms; nothing that the client acknowledges or sends extends it. */
static void begin_period(struct server *s, int fd)
{
	s->conns[fd].queued = unacknowledged(s, fd);
	conn_set_timeout(s, fd, s->config.send_ms);
}

static void begin_sending(struct server *s, int fd, const struct batch_entry *e, uint64_t sent)
{
	struct conn *c = &s->conns[fd];

	c->state = CONN_SENDING;
	if (e->close)
		c->flags |= CONN_CLOSE;
	if (!hold_rest(s, fd, e, sent)) {
		conn_abort(s, fd);
		return;
	}
	begin_period(s, fd);
	if (sent > 0)
		come_again(s, fd); /* see send_part() */
}

/* Sends the batch, whose last response may be from a mapped file. */
static ssize_t send_batch(struct server *s, int fd, const struct batch *b)
{
	const struct file *mapped = batch_mapping(b);
	ssize_t sent;

	if (mapped == NULL)
		return pc_writev(s->st, fd, b->iov, (int)b->nb_iov);
	map_guard_begin(mapped->body, mapped->mapped_bytes);
	sent = pc_writev(s->st, fd, b->iov, (int)b->nb_iov);
	if (map_guard_end())
		file_break(mapped);
	return sent;
}

bool conn_sent(struct server *s, int fd, ssize_t sent, size_t *next)
{
	struct batch *b = &s->batch;
	const unsigned n = b->responses;
	const struct file *mapped = batch_mapping(b);
	struct batch_entry rest;
	bool closing;
	unsigned done;

	if (sent >= 0 && mapped != NULL && file_is_broken(mapped)) {
		batch_reset(b);
		conn_abort(s, fd);
		return false;
	}
	if (sent < 0 && !is_blocked(s, fd)) {
		batch_reset(b);
		conn_close(s, fd);
		return false;
	}
	done = batch_find(b, sent < 0 ? 0 : (uint64_t)sent, &rest);
	commit(s, fd, done < n ? done + 1 : n);
	if (done < n) {
		*next = rest.input_end;
		begin_sending(s, fd, &rest, sent < 0 ? 0 : (uint64_t)sent);
		batch_reset(b);
		return false;
	}
	closing = b->entries[b->n - 1].close;
	batch_reset(b);
	if (closing)
		finish(s, fd);
	return !closing;
}

bool conn_flush(struct server *s, int fd, size_t *next)
{
	return s->batch.responses == 0 || conn_sent(s, fd, send_batch(s, fd, &s->batch), next);
}

/* Evicts the oldest incomplete request: it is the least likely ever to become complete. */
uint32_t conn_take_buffer(struct server *s, int fd)
{
	uint32_t number = buffers_take(&s->buffers, (uint32_t)fd), i = s->buffers.oldest;

	for (; number == 0 && i != 0; i = buffers_get(&s->buffers, i)->next) {
		const int victim = (int)buffers_get(&s->buffers, i)->owner;

		if (victim == fd || s->conns[victim].state != CONN_OPEN)
			continue;
		conn_close(s, victim);
		number = buffers_take(&s->buffers, (uint32_t)fd);
		break;
	}
	return number;
}

static void count_queued(struct conn *c, uint64_t n)
{
	c->queued = n < UINT32_MAX - c->queued ? c->queued + (uint32_t)n : UINT32_MAX;
}

/*
 * Sends until all of p is queued or a send queues nothing: only then is EPOLLOUT sure to follow.
 * Returns 1 if all is queued, 0 if not, -1 if the connection has ended.
 */
static int send_part(struct server *s, int fd, const char *p, uint64_t len, uint64_t *done,
                     int flags)
{
	uint64_t left = len;
	ssize_t n = 0;

	while (left > 0) {
		n = pc_send(s->st, fd, p + (len - left), left, flags);
		if (n <= 0)
			break;
		left -= (uint64_t)n;
	}
	if (n < 0 && !is_blocked(s, fd)) {
		conn_close(s, fd);
		return -1;
	}
	count_queued(&s->conns[fd], len - left);
	*done += len - left;
	return left == 0;
}

static bool send_file(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];
	const struct file *f = c->file;
	bool missing;
	int result;

	map_guard_begin(f->body, f->mapped_bytes);
	result = send_part(s, fd, f->body + c->off, c->end - c->off, &c->off, 0);
	missing = map_guard_end();
	if (result < 0)
		return false; /* the file is released, and may be gone */
	if (missing)
		file_break(f);
	if (file_is_broken(f)) {
		conn_abort(s, fd);
		return false;
	}
	if (result == 0)
		return false;
	file_release(f);
	c->file = NULL;
	return true;
}

/* Continues with a response that did not fit. Returns true once all of it is queued. */
static bool send_rest(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	if (c->output != 0) {
		struct buffer *b = buffers_get(&s->buffers, c->output);
		uint64_t done = 0;
		int result = send_part(s, fd, b->bytes + b->done, b->len - b->done, &done,
		                       c->file != NULL ? MSG_MORE : 0);

		if (result < 0)
			return false;
		b->done += (uint32_t)done;
		if (result == 0)
			return false;
		buffers_give(&s->buffers, c->output);
		c->output = 0;
	}
	return c->file == NULL || send_file(s, fd);
}

/* Receives and answers until there is no more input, or the connection has had its turn. */
static void receive(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	for (int i = 0; i < READS_PER_TURN && c->flags & CONN_UNREAD; i++) {
		struct buffer *b = c->input != 0 ? buffers_get(&s->buffers, c->input) : NULL;
		const size_t have = b != NULL && !b->in_body ? b->len : 0;
		const size_t room = s->limits.header_bytes - have;
		char *p = b != NULL && !b->in_body ? b->bytes : s->input;
		ssize_t n = pc_recv(s->st, fd, p + have, room, 0);

		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			conn_close(s, fd);
			return;
		}
		if (n < (ssize_t)room && !(c->flags & (CONN_PEER_SHUT | CONN_URGENT)))
			c->flags &= (uint8_t)~CONN_UNREAD;
		if (n < 0) {
			c->flags &= (uint8_t) ~(CONN_UNREAD | CONN_URGENT);
			return;
		}
		if (!conn_consume(s, fd, p, have + (size_t)n))
			return;
	}
	if (c->flags & CONN_UNREAD)
		come_again(s, fd);
}

/* A delayed response has been sent: goes on with the input that arrived in the meantime. */
static void resume(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];
	struct buffer *b;

	if (c->flags & CONN_CLOSE) {
		finish(s, fd);
		return;
	}
	c->state = CONN_OPEN;
	if (c->input != 0) {
		b = buffers_get(&s->buffers, c->input);
		conn_set_timeout(s, fd, s->config.header_ms);
		if (!conn_consume(s, fd, b->bytes, b->len))
			return;
	} else if (s->draining) {
		conn_close(s, fd);
		return;
	} else {
		conn_set_timeout(s, fd, s->config.idle_ms);
	}
	receive(s, fd);
}

static void work(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	switch ((enum conn_state)c->state) {
	case CONN_OPEN:
		receive(s, fd);
		break;
	case CONN_SENDING:
		if (send_rest(s, fd))
			resume(s, fd);
		break;
	case CONN_LINGERING:
		discard_input(s, fd);
		break;
	case CONN_FREE:
		break;
	}
}

void conn_event(struct server *s, int fd, uint32_t events)
{
	struct conn *c = &s->conns[fd];

	if (c->state == CONN_FREE)
		return;
	if (events & EPOLLERR) {
		conn_close(s, fd);
		return;
	}
	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP))
		c->flags |= CONN_UNREAD;
	if (events & EPOLLPRI)
		c->flags |= CONN_URGENT;
	if (events & (EPOLLRDHUP | EPOLLHUP))
		c->flags |= CONN_PEER_SHUT;
	work(s, fd);
}

void conn_again(struct server *s, int fd)
{
	s->conns[fd].flags &= (uint8_t)~CONN_AGAIN;
	work(s, fd);
}

bool conn_is_idle(const struct conn *c)
{
	return c->state == CONN_OPEN && c->input == 0 && !(c->flags & CONN_UNREAD);
}

/*
 * Drops a client that is too slow. Its progress is measured by what it acknowledges, not by how
 * much more can be queued: EPOLLOUT is reported only when a good part of the send buffer is free,
 * and while mbufs are scarce the buffer may shrink below what it holds.
 */
static void look_at_reader(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];
	const uint64_t rate = s->config.send_rate * s->config.send_ms / 1000;
	const uint64_t least = rate == 0 ? 1 : rate < UINT32_MAX ? rate : UINT32_MAX;

	if (send_rest(s, fd))
		resume(s, fd);
	else if (c->state == CONN_SENDING && c->queued - unacknowledged(s, fd) < least)
		conn_abort(s, fd);
	else if (c->state == CONN_SENDING)
		begin_period(s, fd);
}

/*
 * Whether a part of a request has arrived. Empty lines before one are ignored (RFC 9112 section
 * 2.2): some clients send one after a body, and would take a 408 for the response to their next
 * request.
 */
static bool has_begun(const struct server *s, const struct conn *c)
{
	const struct buffer *b;

	if (c->state != CONN_OPEN || c->input == 0)
		return false;
	b = buffers_get(&s->buffers, c->input);
	return b->in_body || b->request.in_fields || b->request.line < b->len;
}

void conn_expired(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	if (c->state == CONN_SENDING)
		look_at_reader(s, fd);
	else if (has_begun(s, c))
		conn_refuse(s, fd, 408);
	else
		conn_close(s, fd);
}
