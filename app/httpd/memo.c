/* SPDX-License-Identifier: BSD-2-Clause */
#include "memo.h"

void memo_keep(struct memo *m, const struct http_request *r, const char *p, size_t len)
{
	m->len = 0;
	m->has_answer = false;
	m->ready.len = 0;
	if (len > MEMO_BYTES || r->body != HTTP_BODY_NONE)
		return;
	memcpy(m->bytes, p, len);
	m->request = *r;
	m->len = (uint16_t)len;
}

/*
 * Whether an answer may be remembered: it neither depends on the time nor points into the request.
 */
static bool is_plain(const struct http_request *r, const struct answer *a)
{
	const uint16_t conditions = 1 << HTTP_IF_MATCH | 1 << HTTP_IF_NONE_MATCH |
	                            1 << HTTP_IF_MODIFIED_SINCE | 1 << HTTP_IF_UNMODIFIED_SINCE |
	                            1 << HTTP_IF_RANGE | 1 << HTTP_RANGE;

	return a->status == 200 && a->file != NULL && (r->seen & conditions) == 0;
}

void memo_keep_answer(struct memo *m, const struct answer *a)
{
	if (m->len == 0 || !is_plain(&m->request, a))
		return;
	m->answer = (struct answer){
	    .status = a->status, .no_body = a->no_body, .file = a->file, .len = a->len};
	m->has_answer = true;
	m->ready.len = 0; /* it may be from an earlier file of that name */
}
