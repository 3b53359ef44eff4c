/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_COND_H
#define HTTPD_HTTP_COND_H

/* Conditional requests (RFC 9110 section 13), for GET and HEAD of something that exists. */

#include <stdbool.h>
#include <stdint.h>

#include "http_parse.h"

/** What a request's conditions are compared with. */
struct http_validators {
	const char *etag; /**< strong, quotes included */
	size_t etag_len;
	int64_t mtime; /**< Last-Modified, seconds since 1970 */
	int64_t now;   /**< the time, for dates with two-digit years and for strength of mtime */
};

/**
 * http_cond_evaluate evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since
 * of the complete header at p, in the order of RFC 9110 section 13.2.2. Returns 200 to go on, 304
 * or 412. Invalid dates, and dates given twice, are ignored (sections 13.1.3 and 13.1.4).
 */
int http_cond_evaluate(const struct http_request *r, const char *p,
                       const struct http_validators *v);

/**
 * http_cond_range_applies says whether the Range field applies (RFC 9110 section 13.1.5): there is
 * no If-Range, or it has the same strong entity tag, or exactly Last-Modified and that is strong.
 */
bool http_cond_range_applies(const struct http_request *r, const char *p,
                             const struct http_validators *v);

#endif
