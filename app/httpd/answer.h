/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_ANSWER_H
#define HTTPD_ANSWER_H

/* Decides how to respond to a request, without side effects. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "http_parse.h"

/**
 * A decision. Its pointers point into the request, the table of files or the caller's path buffer.
 */
struct answer {
	uint16_t status;
	bool no_body;            /**< HEAD: the header only */
	const char *text;        /**< a fixed body; NULL: one line with status and reason */
	const struct file *file; /**< 200, 206, 304: gives the fields; 416: the size; else NULL */
	uint64_t off, len;       /**< 200, 206: the part of the file that is the body */
	const char *path;        /**< 301: normalised, without the '/' to be added */
	size_t path_len;
	const char *query; /**< 301: carried over; NULL if there is none */
	size_t query_len;
};

/**
 * answer_request decides about a complete request whose header is at p. path_buf has room for a
 * target and must live as long as the answer. now is in seconds since 1970.
 */
void answer_request(struct answer *a, const struct http_request *r, const char *p,
                    const struct files *files, char *path_buf, int64_t now);

/** answer_error makes the answer to input that is no valid request, or that took too long. */
void answer_error(struct answer *a, const struct http_request *r, uint16_t status);

#endif
