/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: the protocols that clients and servers speak, one struct of functions for each.
 *
 *   echo    base is the difference between the two directions' sequence numbers: the byte that is
 *           received as rcv is the one that was sent as rcv + base.
 *   http    base is the connection's position in a response.
 *   sink    the server reads and discards.
 *   source  the server sends without being asked, byte n being n mod 256; base is where it began.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "mend.h"
#include "tcp.h"

#define REQUEST_MAX 4096u

/* ---- echo ------------------------------------------------------------------------------------- */

static int echo_init(struct load *l, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	stream_random(&l->stream, l->config->seed);
	l->request = (uint32_t)l->config->size;
	l->window = l->request * (uint32_t)l->config->depth;
	l->sizes = l->config->sizes;
	return 0;
}

static void echo_opened(struct load *l, struct client *c)
{
	(void)l;
	c->base = c->nxt - c->rcv;
}

/* Verifies len bytes of the stream from position at on. */
static inline void check_stream(struct load *l, uint32_t at, const uint8_t *data, uint32_t len)
{
	for (uint32_t done = 0, part; done < len; done += part) {
		part = RTE_MIN(len - done, STREAM_PIECE);
		if (unlikely(memcmp(data + done, stream_at(&l->stream, at + done), part) != 0)) {
			l->faults.wrong++;
			break;
		}
	}
}

static void echo_peek(struct load *l, struct client *c, uint32_t ahead, const uint8_t *data,
                      uint32_t len)
{
	uint32_t at = c->rcv + c->base + ahead;

	if (unlikely((int32_t)(at + len - c->nxt) > 0 && c->nxt == c->una))
		l->faults.wrong++; /* more than was sent */
	check_stream(l, at, data, len);
}

static uint32_t echo_skip(struct load *l, struct client *c, uint32_t len)
{
	uint32_t end = c->rcv + c->base + len, n = 0, part;

	while ((int32_t)(end - c->mark - (part = client_request(l, c->mark))) >= 0) {
		c->mark += part;
		n++;
	}
	return n;
}

static uint32_t echo_receive(struct load *l, struct client *c, const uint8_t *data, uint32_t len)
{
	echo_peek(l, c, 0, data, len);
	return echo_skip(l, c, len);
}

const struct talk talk_echo = {
    .name = "echo",
    .init = echo_init,
    .opened = echo_opened,
    .receive = echo_receive,
    .peek = echo_peek,
    .skip = echo_skip,
    .send = client_send_requests,
};

/* ---- http ------------------------------------------------------------------------------------- */

/* Makes a GET whose length is a power of two, padded with a field. Returns the length, or 0. */
static uint32_t make_request(const struct load_config *config, char *buf, uint32_t size)
{
	int n = snprintf(buf, size, "GET %s HTTP/1.1\r\nHost: a\r\n%s", config->path,
	                 config->close != 0 ? "Connection: close\r\n" : "");
	uint32_t len = 32, head = (uint32_t)n;

	/* the last CRLF, and at least "X:" CRLF if padding is needed */
	while (len != head + 2 && len < head + 6)
		len *= 2;
	if (n < 0 || len > size)
		return 0;
	if (len > head + 2) {
		memset(buf + head, 'a', len - head);
		memcpy(buf + head, "X:", 2);
		memcpy(buf + len - 4, "\r\n", 2);
	}
	memcpy(buf + len - 2, "\r\n", 2);
	return len;
}

static int http_init(struct load *l, char *why, size_t why_len)
{
	char request[REQUEST_MAX];

	l->request = make_request(l->config, request, sizeof(request));
	if (l->request == 0 || answer_init(&l->answer) != 0) {
		snprintf(why, why_len,
		         "the path is too long, or there is not enough memory for the answer");
		return -1;
	}
	stream_repeat(&l->stream, (const uint8_t *)request, l->request);
	l->window = l->request; /* until an answer has been learnt */
	return 0;
}

static void http_opened(struct load *l, struct client *c)
{
	(void)l;
	c->base = 0;
}

/* The answer is known from now on. */
static void end_learning(struct load *l)
{
	l->learnt = true;
	l->window = l->request * (uint32_t)l->config->depth;
}

/* Learns the very first answer, on the first connection. */
static uint32_t http_learn(struct load *l, struct client *c, const uint8_t *data, uint32_t len)
{
	char why[128];
	int rc = answer_learn(&l->answer, data, len, why, sizeof(why));

	if (rc < 0)
		load_fail(l, "%s", why);
	if (rc <= 0)
		return 0;
	end_learning(l);
	c->mark += l->request;
	return 1;
}

/* Verifies data from *position of an answer on, and advances it. Returns how many answers end. */
static inline uint32_t check_answers(struct load *l, const struct client *c, uint32_t *position,
                                     const uint8_t *data, uint32_t len)
{
	uint32_t at = *position, part, n = 0;

	if (unlikely(!client_waits(c)))
		l->faults.wrong++; /* no request was sent */
	for (; len > 0; data += part, len -= part) {
		part = RTE_MIN(len, l->answer.total - at);
		if (unlikely(!answer_matches(&l->answer, at, data, part)))
			l->faults.wrong++;
		at += part;
		if (at == l->answer.total) {
			at = 0;
			n++;
		}
	}
	*position = at;
	return n;
}

static uint32_t http_receive(struct load *l, struct client *c, const uint8_t *data, uint32_t len)
{
	uint32_t n;

	if (unlikely(!l->learnt))
		return http_learn(l, c, data, len);
	n = check_answers(l, c, &c->base, data, len);
	c->mark += n * l->request;
	return n;
}

static void http_peek(struct load *l, struct client *c, uint32_t ahead, const uint8_t *data,
                      uint32_t len)
{
	uint32_t at = (c->base + ahead) % l->answer.total;

	check_answers(l, c, &at, data, len);
}

static uint32_t http_skip(struct load *l, struct client *c, uint32_t len)
{
	uint32_t end = c->base + len, n = end / l->answer.total;

	c->base = end % l->answer.total;
	c->mark += n * l->request;
	return n;
}

const struct talk talk_http = {
    .name = "http",
    .learns = true,
    .init = http_init,
    .opened = http_opened,
    .receive = http_receive,
    .peek = http_peek,
    .skip = http_skip,
    .send = client_send_requests,
};

/* ---- ask -------------------------------------------------------------------------------------- */

/* Only silence shows where the answer ends. */
#define SILENCE_NS UINT64_C(50000000)

static int ask_init(struct load *l, char *why, size_t why_len)
{
	const struct ask *ask = l->config->ask;

	if (answer_init(&l->answer) != 0) {
		snprintf(why, why_len, "not enough memory for the answer");
		return -1;
	}
	l->request = ask->len;
	stream_repeat(&l->stream, ask->bytes, ask->len);
	l->window = l->request;
	return 0;
}

static uint32_t ask_receive(struct load *l, struct client *c, const uint8_t *data, uint32_t len)
{
	if (likely(l->learnt))
		return http_receive(l, c, data, len);
	if (answer_add(&l->answer, data, len) != 0)
		load_fail(l, "the answer is longer than %u bytes", ANSWER_MAX);
	l->learning_at = l->now;
	return 0;
}

static void ask_learning(struct load *l)
{
	if (l->answer.have == 0 || l->now - l->learning_at < SILENCE_NS)
		return;
	l->answer.total = l->answer.have;
	end_learning(l);
}

const struct talk talk_ask = {
    .name = "ask",
    .learns = true,
    .init = ask_init,
    .opened = http_opened,
    .receive = ask_receive,
    .peek = http_peek,
    .skip = http_skip,
    .learning = ask_learning,
    .send = client_send_requests,
};

/* ---- bulk ------------------------------------------------------------------------------------- */

#define BULK_BURST 64

static int sink_init(struct load *l, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	stream_random(&l->stream, l->config->seed);
	l->request = 1;
	return 0;
}

static void sink_opened(struct load *l, struct client *c)
{
	(void)l;
	(void)c;
}

static uint32_t sink_receive(struct load *l, struct client *c, const uint8_t *data, uint32_t len)
{
	(void)c;
	(void)data;
	(void)len;
	l->faults.wrong++; /* no data is expected */
	return 0;
}

static bool sink_send(struct load *l, struct client *c, uint32_t i, bool force)
{
	uint32_t window = c->una + c->wnd * CLIENT_WND_UNIT, len = l->peer_mss, n = 0;
	uint32_t from = c->nxt;

	for (; n < BULK_BURST && out_backlog(&l->out) < OUT_HIGH; n++) {
		if ((int32_t)(window - c->nxt - len) < 0 && !force)
			break;
		if (c->una == c->nxt)
			c->tick = l->tick % CLIENT_TICKS;
		client_send_data(l, c, i, c->nxt, RTE_TCP_ACK_FLAG, len);
		c->nxt += len;
		force = false;
	}
	if (n > 0 && l->senders != NULL)
		mend_sent(l, i, from);
	return n > 0;
}

const struct talk talk_sink = {
    .name = "sink",
    .init = sink_init,
    .opened = sink_opened,
    .receive = sink_receive,
    .send = sink_send,
};

static int source_init(struct load *l, char *why, size_t why_len)
{
	(void)why;
	(void)why_len;
	stream_count(&l->stream);
	l->request = 1;
	return 0;
}

static void source_opened(struct load *l, struct client *c)
{
	(void)l;
	c->base = c->rcv;
}

static uint32_t source_receive(struct load *l, struct client *c, const uint8_t *data, uint32_t len)
{
	check_stream(l, c->rcv - c->base, data, len);
	return 0;
}

static void source_peek(struct load *l, struct client *c, uint32_t ahead, const uint8_t *data,
                        uint32_t len)
{
	check_stream(l, c->rcv - c->base + ahead, data, len);
}

static uint32_t source_skip(struct load *l, struct client *c, uint32_t len)
{
	(void)l;
	(void)c;
	(void)len;
	return 0;
}

static bool source_send(struct load *l, struct client *c, uint32_t i, bool force)
{
	(void)l;
	(void)c;
	(void)i;
	(void)force;
	return false;
}

const struct talk talk_source = {
    .name = "source",
    .init = source_init,
    .opened = source_opened,
    .receive = source_receive,
    .peek = source_peek,
    .skip = source_skip,
    .send = source_send,
};
