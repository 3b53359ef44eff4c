/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_CHUNKED_H
#define HTTPD_HTTP_CHUNKED_H

/*
 * A reader of the chunked transfer coding (RFC 9112 section 7.1) that discards the data.
 *
 * It is as strict as the header parser: every line ends in CR LF, a size has 1 to 15 hexadecimal
 * digits, only an extension may follow it, and trailer fields have the form of header fields.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_chunked {
	uint64_t left;     /**< bytes left of the current chunk */
	uint64_t data;     /**< bytes of data so far */
	uint32_t overhead; /**< bytes of extensions and trailers so far */
	uint8_t state;
	uint8_t digits;
};

/** Extensions and trailers of one body may have this many bytes in total. */
#define HTTP_CHUNKED_OVERHEAD_MAX 4096

/** http_chunked_init prepares c for the first byte of a body. */
void http_chunked_init(struct http_chunked *c);

/** http_chunked_done says whether the body is complete. */
bool http_chunked_done(const struct http_chunked *c);

/**
 * http_chunked_read reads the next len bytes, at p, and sets *used to how many of them belong to
 * the body: fewer than len only when it is complete. How the body is split between calls does not
 * matter. Returns 0; or 400 (malformed), 413 (more than max_data bytes of data announced) or 431
 * (overhead), after which the connection is out of step and must be closed.
 */
int http_chunked_read(struct http_chunked *c, const char *p, size_t len, uint64_t max_data,
                      size_t *used);

#endif
