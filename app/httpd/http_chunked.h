/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_CHUNKED_H
#define HTTPD_HTTP_CHUNKED_H

/*
 * The chunked transfer coding (RFC 9112 section 7.1), read past: request bodies are not kept.
 *
 * As strict as the header's parser: CR LF ends every line, a size is 1 to 15 hexadecimal digits,
 * nothing but an extension may follow it, trailer fields have the form of header fields.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_chunked {
	uint64_t left;     /**< of the chunk that is being read */
	uint64_t data;     /**< bytes of data so far */
	uint32_t overhead; /**< bytes of extensions and trailers so far */
	uint8_t state;
	uint8_t digits;
};

/** Extensions and trailers of one body may take this many bytes together. */
#define HTTP_CHUNKED_OVERHEAD_MAX 4096

/** http_chunked_init prepares c for the first byte of a body. */
void http_chunked_init(struct http_chunked *c);

/** http_chunked_done says whether the body is complete. */
bool http_chunked_done(const struct http_chunked *c);

/**
 * http_chunked_read reads on at p and sets *used to the number of bytes that belong to the body, at
 * most len; fewer only when it is complete. The cut between calls does not matter. Returns 0; or 400
 * (malformed), 413 (more than max_data bytes of data announced) or 431 (overhead); the connection
 * is then out of step and must be closed.
 */
int http_chunked_read(struct http_chunked *c, const char *p, size_t len, uint64_t max_data,
                      size_t *used);

#endif
