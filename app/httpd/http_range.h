/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_RANGE_H
#define HTTPD_HTTP_RANGE_H

/* Range requests for a single range of bytes (RFC 9110 section 14). */

#include <stddef.h>
#include <stdint.h>

enum http_range {
	HTTP_RANGE_WHOLE,         /**< no byte range, an invalid one, or several: 200 */
	HTTP_RANGE_PART,          /**< 206 */
	HTTP_RANGE_UNSATISFIABLE, /**< 416 */
};

/**
 * http_range_parse reads a Range value for a representation of size bytes. If it returns
 * HTTP_RANGE_PART, *first and *len are the part, which lies within the representation.
 *
 * Several ranges are answered with the whole, which RFC 9110 section 14.2 allows; so is a suffix of
 * an empty representation, for which no valid Content-Range exists.
 */
enum http_range http_range_parse(const char *p, size_t n, uint64_t size, uint64_t *first,
                                 uint64_t *len);

#endif
