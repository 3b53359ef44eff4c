/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A connection's input
 *
 * Overview: conn_consume() takes requests out of the received bytes one by one and gathers the
 * responses in the server's batch.  A request with a body is handled on its own: the responses
 * before it are sent first, then its body is skipped, then it is answered, so that a malformed body
 * can still be answered with 400.
 *
 * Where the bytes are: mostly in the server's input, which belongs to no connection.  Only what is
 * left over of a piece of input is moved into a buffer of the connection: the beginning of a
 * request, the header of a request whose body is not complete, or requests that wait because a
 * response could not be sent (back-pressure).  A piece is never longer than a buffer, so it always
 * fits.
 *
 * Rewinding: when only a part of a batch could be sent, the requests after the one being answered
 * count as unread; they are parsed again once the response is out.  So the effects of a response
 * (log, request count, end of the connection) take place only after it was sent, in conn_flush().
 */

#include <string.h>

#include <rte_branch_prediction.h>

#include <percore/socket.h>

#include "server.h"

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

/* The input being processed. */
struct view {
	char *p;
	size_t len;
	size_t pos;                   /* where the next request begins */
	struct http_request *partial; /* its state, if parsing has begun; else NULL */
};

enum step {
	STEP_NEXT, /* a request is answered */
	STEP_MORE, /* the next one is not complete */
	STEP_STOP, /* this input cannot be processed further for now */
};

static struct buffer *input_buffer(struct server *s, int fd)
{
	const uint32_t number = s->conns[fd].input;

	return number != 0 ? buffers_get(&s->buffers, number) : NULL;
}

static void drop_input_buffer(struct server *s, int fd)
{
	buffers_give(&s->buffers, s->conns[fd].input);
	s->conns[fd].input = 0;
}

static enum step flush(struct server *s, int fd, struct view *v)
{
	if (conn_flush(s, fd, &v->pos))
		return STEP_NEXT;
	v->partial = NULL;
	return STEP_STOP;
}

/* Adds the connection's last response; the client may still be sending. */
static enum step end_with(struct server *s, int fd, struct view *v, const struct answer *a,
                          const struct http_request *r, const char *p)
{
	struct batch_entry *e = batch_add(&s->batch, &s->stamp, a, REPLY_CLOSE, r, p);

	e->input_end = v->len;
	s->conns[fd].flags |= CONN_LINGER;
	v->pos = v->len;
	return flush(s, fd, v);
}

static enum step refuse(struct server *s, int fd, struct view *v, const struct http_request *r,
                        const char *p, int status)
{
	struct answer a;

	answer_error(&a, r, (uint16_t)status);
	return end_with(s, fd, v, &a, r, p);
}

/* Whether the next response is the last that the connection may have, whatever the request. */
static bool is_over(const struct server *s, int fd)
{
	const uint64_t answered = s->conns[fd].requests + s->batch.responses + 1;

	return s->draining || (s->config.requests != 0 && answered >= s->config.requests);
}

/*
 * RFC 9110 section 9.3.6: what follows CONNECT is for the tunnel. A client may send it before it
 * learns that there is none, and may only pass it on for somebody else; it must not be taken for
 * requests.
 */
static bool is_last(const struct server *s, int fd, const struct http_request *r,
                    const struct answer *a)
{
	return is_over(s, fd) || !http_keep_alive(r) || a->status == 400 ||
	       r->method == HTTP_CONNECT;
}

/* Adds the response to a whole request whose header is at p. */
static struct batch_entry *answer(struct server *s, int fd, const struct http_request *r,
                                  const char *p)
{
	const bool again = r == &s->memo.request && memo_has_answer(&s->memo);
	enum reply_keep keep = r->minor == 0 ? REPLY_KEEP_10 : REPLY_KEEP;
	struct batch_entry *e;
	struct answer a;

	if (again) {
		a = s->memo.answer;
	} else {
		answer_request(&a, r, p, s->files, s->path, s->stamp.now);
		if (r == &s->memo.request)
			memo_keep_answer(&s->memo, &a);
	}
	if (is_last(s, fd, r, &a))
		keep = REPLY_CLOSE;
	e = batch_add(&s->batch, &s->stamp, &a, keep, r, p);
	if (again && !e->close && s->batch.n == 1 && batch_mapping(&s->batch) == NULL)
		batch_gather(&s->batch, &s->memo.ready, s->stamp.now);
	return e;
}

/*
 * Answers a whole request, body included, whose header is at p; end is where it ends in the input.
 */
static enum step respond(struct server *s, int fd, struct view *v, const struct http_request *r,
                         const char *p, size_t end)
{
	struct batch_entry *e = answer(s, fd, r, p);

	e->input_end = v->pos = end;
	/* RFC 9112 section 9.6: a client that did not ask to close may have more requests in
	 * flight; a reset in reply to them could destroy responses that it has not read yet */
	if (e->close && (end < v->len || http_keep_alive(r)))
		s->conns[fd].flags |= CONN_LINGER;
	if (e->close || batch_mapping(&s->batch) != NULL ||
	    !batch_has_room(&s->batch, s->limits.target_bytes))
		return flush(s, fd, v);
	return STEP_NEXT;
}

/* Returns with how many copies of the request in the memo, up to most, the input begins, of which the
 * first is known to be one. */
static uint64_t count_copies(const struct memo *m, const char *p, size_t len, uint64_t most)
{
	uint64_t n = len / m->len < most ? len / m->len : most;

	/* mostly all are: the input is then the same from the second one on */
	if (memcmp(p, p + m->len, (n - 1) * m->len) == 0)
		return n;
	for (n = 1; memo_find(m, p + n * m->len, len - n * m->len) != 0;)
		n++;
	return n;
}

/*
 * Returns how many of the requests at p, of which the first is known to be the one in the memo, can
 * share its ready response; 0 if that is not ready.
 */
static uint32_t count_repeats(const struct server *s, int fd, const char *p, size_t len)
{
	const struct memo *m = &s->memo;
	uint64_t most, left;

	if (!memo_is_ready(m, s->stamp.now) || is_over(s, fd)) /* a ready response keeps it alive */
		return 0;
	most = batch_repeat_max(&m->ready);
	left = s->config.requests - 1 - s->batch.responses - s->conns[fd].requests;
	/* a connection's last response differs: it says that it is the last */
	if (s->config.requests != 0 && left < most)
		most = left;
	return (uint32_t)count_copies(m, p, len, most);
}

/* Answers all copies of the request in the memo with which the rest of the input begins. */
static enum step respond_again(struct server *s, int fd, struct view *v)
{
	const char *p = v->p + v->pos;
	const uint32_t len = s->memo.len, n = count_repeats(s, fd, p, v->len - v->pos);
	struct batch_entry *e;

	if (n == 0)
		return respond(s, fd, v, &s->memo.request, p, v->pos + len);
	e = batch_repeat(&s->batch, &s->memo.ready, p, n);
	e->request_len = len;
	e->input_end = v->pos += (size_t)n * len;
	return batch_has_room(&s->batch, s->limits.target_bytes) ? STEP_NEXT : flush(s, fd, v);
}

static int read_body(const struct server *s, const struct http_request *r, struct body *body,
                     const char *p, size_t len, size_t *used)
{
	if (r->body == HTTP_BODY_CHUNKED)
		return http_chunked_read(&body->chunked, p, len, s->config.body_bytes, used);
	*used = len < body->left ? len : (size_t)body->left;
	body->left -= *used;
	return 0;
}

static bool body_done(const struct http_request *r, const struct body *body)
{
	return r->body == HTTP_BODY_CHUNKED ? http_chunked_done(&body->chunked) : body->left == 0;
}

/*
 * RFC 9110 section 10.1.1: tells a client that waits for 100 to continue, or sends its final
 * response at once if that is an error.  Then the client may or may not send the body, so the
 * connection ends.
 */
static enum step meet_expectation(struct server *s, int fd, struct view *v,
                                  const struct http_request *r, bool begun)
{
	const char *p = v->p + v->pos;
	struct answer a;

	answer_request(&a, r, p, s->files, s->path, s->stamp.now);
	if (a.status >= 400)
		return end_with(s, fd, v, &a, r, p);
	if (begun)
		return STEP_NEXT;
	if (pc_send(s->st, fd, CONTINUE, sizeof(CONTINUE) - 1, 0) == (ssize_t)sizeof(CONTINUE) - 1)
		return STEP_NEXT;
	conn_close(s, fd); /* a client that waits for 100 but leaves earlier responses unread */
	return STEP_STOP;
}

/* The input ends within a body: keeps the header, for the response and the log. */
static enum step wait_for_body(struct server *s, int fd, struct view *v,
                               const struct http_request *r, size_t head_len,
                               const struct body *body)
{
	struct conn *c = &s->conns[fd];
	struct buffer *b;

	if (c->input == 0)
		c->input = conn_take_buffer(s, fd);
	if (c->input == 0)
		return refuse(s, fd, v, r, v->p + v->pos, 503);
	b = buffers_get(&s->buffers, c->input);
	memmove(b->bytes, v->p + v->pos, head_len);
	b->len = (uint32_t)head_len;
	if (r != &b->request)
		b->request = *r;
	b->body = *body;
	b->in_body = true;
	v->pos = v->len;
	conn_set_timeout(s, fd, s->config.body_ms);
	return STEP_STOP;
}

static enum step begin_body(struct server *s, int fd, struct view *v, struct http_request *r,
                            size_t head_len)
{
	const size_t begin = v->pos + head_len;
	struct body body = {.left = r->content_length};
	size_t used;
	int status;

	if (flush(s, fd, v) == STEP_STOP)
		return STEP_STOP;
	if (r->body == HTTP_BODY_LENGTH && r->content_length > s->config.body_bytes)
		return refuse(s, fd, v, r, v->p + v->pos, 413);
	if ((r->expect_100 || r->expect_other) && r->minor > 0 &&
	    meet_expectation(s, fd, v, r, begin < v->len) == STEP_STOP)
		return STEP_STOP;
	http_chunked_init(&body.chunked);
	status = read_body(s, r, &body, v->p + begin, v->len - begin, &used);
	if (status != 0)
		return refuse(s, fd, v, r, v->p + v->pos, status);
	if (!body_done(r, &body))
		return wait_for_body(s, fd, v, r, head_len, &body);
	return respond(s, fd, v, r, v->p + v->pos, begin + used);
}

/* Goes on with a body; the header is in the connection's buffer, the body in the server's input. */
static enum step continue_body(struct server *s, int fd, struct view *v)
{
	struct buffer *b = buffers_get(&s->buffers, s->conns[fd].input);
	size_t used;
	int status = read_body(s, &b->request, &b->body, v->p, v->len, &used);
	enum step step;

	if (status != 0)
		return refuse(s, fd, v, &b->request, b->bytes, status);
	if (!body_done(&b->request, &b->body)) {
		v->pos = v->len;
		return STEP_STOP;
	}
	b->in_body = false;
	b->len = 0;
	step = respond(s, fd, v, &b->request, b->bytes, used);
	/* the batch points into the buffer, for the log: send it before the buffer is given back */
	return step == STEP_NEXT ? flush(s, fd, v) : step;
}

static enum step next_request(struct server *s, int fd, struct view *v)
{
	struct buffer *b = input_buffer(s, fd);
	struct http_request *r = &s->request;
	const char *p = v->p + v->pos;
	int n;

	if (b != NULL && p == b->bytes) {
		r = &b->request;
	} else {
		if (memo_find(&s->memo, p, v->len - v->pos) != 0)
			return respond_again(s, fd, v);
		http_request_init(r);
	}
	n = http_parse(r, p, v->len - v->pos, &s->limits);
	if (n < 0)
		return refuse(s, fd, v, r, p, -n);
	if (n == 0) {
		v->partial = r;
		return STEP_MORE;
	}
	if (r->body != HTTP_BODY_NONE)
		return begin_body(s, fd, v, r, (size_t)n);
	if (r == &s->request)
		memo_keep(&s->memo, r, p, (size_t)n);
	return respond(s, fd, v, r, p, v->pos + (size_t)n);
}

/* Moves what is left over into the connection's buffer, and starts the time limit for a header. */
static void keep_rest(struct server *s, int fd, struct view *v)
{
	struct conn *c = &s->conns[fd];
	const size_t left = v->len - v->pos;
	struct buffer *b;

	if (c->input == 0)
		c->input = conn_take_buffer(s, fd);
	if (c->input == 0) {
		conn_close(s, fd);
		return;
	}
	b = buffers_get(&s->buffers, c->input);
	b->len = (uint32_t)left;
	if (v->partial == &b->request)
		return;
	memmove(b->bytes, v->p + v->pos, left);
	if (v->partial != NULL)
		b->request = *v->partial;
	else
		http_request_init(&b->request);
	if (c->state == CONN_OPEN)
		conn_set_timeout(s, fd, s->config.header_ms);
}

static void keep_nothing(struct server *s, int fd)
{
	struct conn *c = &s->conns[fd];

	if (c->input != 0)
		drop_input_buffer(s, fd);
	if (c->state == CONN_OPEN)
		conn_set_timeout(s, fd, s->config.idle_ms);
}

/* Whether the input is one request, the one in the memo, and its response is ready. */
static bool is_usual(const struct server *s, int fd, const char *p, size_t len)
{
	const struct memo *m = &s->memo;

	return s->conns[fd].input == 0 && len == m->len && memo_find(m, p, len) != 0 &&
	       memo_is_ready(m, s->stamp.now) && !is_over(s, fd);
}

/* conn_consume for such input: the batch is needed only for the log, or if not all could be sent. */
static bool answer_usual(struct server *s, int fd, const char *p, size_t len)
{
	struct batch_ready *ready = &s->memo.ready;
	const ssize_t sent = pc_send(s->st, fd, ready->bytes, ready->len, 0);
	size_t next;

	if (likely(sent == (ssize_t)ready->len && s->log == NULL)) {
		s->conns[fd].requests++;
	} else {
		batch_repeat(&s->batch, ready, p, 1)->input_end = len;
		if (!conn_sent(s, fd, sent, &next))
			return false;
	}
	conn_set_timeout(s, fd, s->config.idle_ms);
	return true;
}

bool conn_consume(struct server *s, int fd, char *p, size_t len)
{
	struct conn *c = &s->conns[fd];
	struct view v = {.p = p, .len = len};
	enum step step = STEP_NEXT;

	if (is_usual(s, fd, p, len))
		return answer_usual(s, fd, p, len);
	if (c->input != 0 && input_buffer(s, fd)->in_body)
		step = continue_body(s, fd, &v);
	while (step == STEP_NEXT && v.pos < v.len)
		step = next_request(s, fd, &v);
	if (step != STEP_STOP)
		flush(s, fd, &v);
	if (c->state == CONN_OPEN || (c->state == CONN_SENDING && !(c->flags & CONN_CLOSE))) {
		if (v.pos < v.len)
			keep_rest(s, fd, &v);
		else if (c->input == 0 || !input_buffer(s, fd)->in_body)
			keep_nothing(s, fd);
	}
	return c->state == CONN_OPEN;
}

void conn_refuse(struct server *s, int fd, uint16_t status)
{
	struct buffer *b = buffers_get(&s->buffers, s->conns[fd].input);
	struct view v = {.p = b->bytes, .len = b->len};

	refuse(s, fd, &v, &b->request, b->bytes, status);
}
