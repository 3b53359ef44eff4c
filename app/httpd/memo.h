/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_MEMO_H
#define HTTPD_MEMO_H

/*
 * The last request, and the response to it.
 *
 * A client that repeats its request (a program that uses an API, a health check, a pipelining
 * client) sends the same bytes each time, so that one comparison replaces parsing and lookup.  Only
 * short requests without a body are remembered, and only responses that depend on nothing but the
 * request and the files.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "answer.h"
#include "batch.h"
#include "http_parse.h"

#define MEMO_BYTES 256

/** Zeroed: nothing is remembered. */
struct memo {
	uint16_t len; /**< of the request's header; 0: none */
	bool has_answer;
	struct http_request request;
	struct answer answer;     /**< a whole file */
	struct batch_ready ready; /**< the response, for as long as its Date is right */
	char bytes[MEMO_BYTES];
};

/**
 * memo_find returns the length of the remembered header if the len bytes at p begin with it, else
 * 0.
 */
static inline size_t memo_find(const struct memo *m, const char *p, size_t len)
{
	return m->len != 0 && len >= m->len && memcmp(p, m->bytes, m->len) == 0 ? m->len : 0;
}

/** memo_keep replaces the remembered request by one parsed from the len bytes at p. */
void memo_keep(struct memo *m, const struct http_request *r, const char *p, size_t len);

/** memo_keep_answer remembers the answer to the request in the memo. */
void memo_keep_answer(struct memo *m, const struct answer *a);

/** memo_forget_answer is called when the files have changed. */
static inline void memo_forget_answer(struct memo *m)
{
	m->has_answer = false;
}

/** memo_has_answer says whether m->answer is the answer to the request in the memo. */
static inline bool memo_has_answer(const struct memo *m)
{
	return m->has_answer && !file_is_broken(m->answer.file);
}

/**
 * memo_is_ready says whether m->ready is, at this time, the response to the request in the memo.
 */
static inline bool memo_is_ready(const struct memo *m, int64_t now)
{
	return m->ready.len != 0 && m->ready.now == now && memo_has_answer(m);
}

#endif
