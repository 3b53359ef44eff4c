/* SPDX-License-Identifier: BSD-2-Clause */
#include "batch.h"

#include <assert.h>
#include <string.h>

static struct http_span span_of(const struct http_request *r, enum http_field f)
{
	return http_has(r, f) ? r->field[f] : (struct http_span){0, 0};
}

struct batch_entry *batch_add(struct batch *b, const struct reply_stamp *stamp,
                              const struct answer *a, enum reply_keep keep,
                              const struct http_request *r, const char *p)
{
	struct batch_entry *e = &b->entries[b->n];
	struct iovec *iov = &b->iov[b->nb_iov];
	uint64_t total = 0;
	size_t used;

	assert(b->n < BATCH_MAX && b->space_used + reply_space(a) <= BATCH_SPACE);
	*e = (struct batch_entry){
	    .file = reply_has_file(a) ? a->file : NULL,
	    .off = a->off,
	    .body_len = reply_body_len(a),
	    .request = p,
	    .line = r->request_line,
	    .referer = span_of(r, HTTP_REFERER),
	    .agent = span_of(r, HTTP_USER_AGENT),
	    .status = a->status,
	    .times = 1,
	    .begin = batch_bytes(b),
	    .first_iov = (uint8_t)b->nb_iov,
	    .close = keep == REPLY_CLOSE,
	};
	e->nb_iov = (uint8_t)reply_build(stamp, a, keep, b->space + b->space_used, &used, iov);
	for (unsigned i = 0; i < e->nb_iov; i++)
		total += iov[i].iov_len;
	e->head_len = total - (e->file != NULL ? a->len : 0);
	e->end = e->begin + total;
	b->space_used += used;
	b->nb_iov += e->nb_iov;
	b->n++;
	b->responses++;
	return e;
}

void batch_gather(const struct batch *b, struct batch_ready *ready, int64_t now)
{
	size_t done = 0;

	assert(b->n == 1 && b->responses == 1);
	ready->len = 0;
	if (batch_bytes(b) > BATCH_READY_MAX)
		return;
	for (unsigned i = 0; i < b->nb_iov; done += b->iov[i++].iov_len)
		memcpy(ready->bytes + done, b->iov[i].iov_base, b->iov[i].iov_len);
	ready->len = (uint32_t)done;
	ready->copies = 1;
	ready->now = now;
	ready->entry = b->entries[0];
	ready->entry.nb_iov = 1;
}

struct batch_entry *batch_repeat(struct batch *b, struct batch_ready *ready, const char *p,
                                 uint32_t times)
{
	struct batch_entry *e = &b->entries[b->n];
	const uint64_t begin = batch_bytes(b);

	assert(b->n < BATCH_MAX && ready->len != 0 && times <= batch_repeat_max(ready));
	for (; ready->copies < times; ready->copies++)
		memcpy(ready->bytes + (size_t)ready->copies * ready->len, ready->bytes, ready->len);
	*e = ready->entry;
	e->begin = begin;
	e->end = begin + (uint64_t)times * ready->len;
	e->times = times;
	e->request = p;
	e->first_iov = (uint8_t)b->nb_iov;
	b->iov[b->nb_iov++] =
	    (struct iovec){(void *)(uintptr_t)ready->bytes, (size_t)times * ready->len};
	b->n++;
	b->responses += times;
	return e;
}

/*
 * Returns the i-th of the responses that an entry stands for. All are identical, so it uses the
 * bytes of the first.
 */
static struct batch_entry one_of(const struct batch_entry *e, uint32_t i)
{
	const uint64_t len = (e->end - e->begin) / e->times;
	struct batch_entry one = *e;

	one.begin = e->begin + i * len;
	one.end = one.begin + len;
	one.input_end = e->input_end - (size_t)(e->times - 1 - i) * e->request_len;
	one.times = 1;
	return one;
}

unsigned batch_find(const struct batch *b, uint64_t sent, struct batch_entry *next)
{
	unsigned done = 0, part;

	if (sent == batch_bytes(b))
		return b->responses;
	for (const struct batch_entry *e = b->entries;; e++) {
		if (e->end > sent) {
			part = (unsigned)((sent - e->begin) * e->times / (e->end - e->begin));
			*next = one_of(e, part);
			return done + part;
		}
		done += e->times;
	}
}

int batch_copy_head(const struct batch *b, const struct batch_entry *e, uint64_t sent, char *out,
                    size_t cap)
{
	uint64_t skip = sent - e->begin, left = e->head_len - skip;
	size_t done = 0;

	if (left > cap)
		return -1;
	for (const struct iovec *v = &b->iov[e->first_iov]; left > 0; v++) {
		uint64_t n;

		if (skip >= v->iov_len) {
			skip -= v->iov_len;
			continue;
		}
		n = v->iov_len - skip < left ? v->iov_len - skip : left;
		memcpy(out + done, (const char *)v->iov_base + skip, n);
		skip = 0;
		done += n;
		left -= n;
	}
	return (int)done;
}
