/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_ANSWER_H
#define HTTPD_ANSWER_H

/* From a request to a decision about the response, without side effects. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "http_parse.h"

/** What to answer. Pointers are into the request, the table of files or the caller's path buffer. */
struct answer {
	uint16_t status;
	bool no_body;            /**< HEAD: the header only */
	const char *text;        /**< a body of its own; NULL: status and reason in a line */
	const struct file *file; /**< 200, 206, 304: whose fields; 416: whose size; else NULL */
	uint64_t off, len;       /**< 200, 206: the part of the file that is the body */
	const char *path;        /**< 301: normalised, without the '/' that was missing */
	size_t path_len;
	const char *query; /**< 301: kept; NULL when there is none */
	size_t query_len;
};

/**
 * answer_request decides about a complete request whose header is at p. path_buf has room for a
 * target and must last as long as the answer. now is in seconds since 1970.
 */
void answer_request(struct answer *a, const struct http_request *r, const char *p,
                    const struct files *files, char *path_buf, int64_t now);

/** answer_error is the answer to what could not be read as a request, or not in time. */
void answer_error(struct answer *a, const struct http_request *r, uint16_t status);

#endif
