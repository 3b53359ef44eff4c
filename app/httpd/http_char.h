/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_HTTP_CHAR_H
#define HTTPD_HTTP_CHAR_H

/* Classes of characters (RFC 9110 section 5.6.2, RFC 3986 section 2), by table. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_char_class {
	HTTP_CHAR_TOKEN = 1,  /**< tchar */
	HTTP_CHAR_TARGET = 2, /**< allowed in a target: all visible characters except '#' */
	HTTP_CHAR_HOST = 4,   /**< unreserved, sub-delims and '%' */
	HTTP_CHAR_PATH = 8,   /**< unescaped in Location: pchar without '%', and '/' */
};

extern const uint8_t http_char_class[256];

static inline bool http_char_is(char c, enum http_char_class class)
{
	return (http_char_class[(uint8_t)c] & class) != 0;
}

/** http_is_digit says whether c is an ASCII digit. */
static inline bool http_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/** http_hex_value returns the value of a hexadecimal digit, or -1. */
static inline int http_hex_value(char c)
{
	if (http_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** http_equal_nocase ignores case; lower is in lower case, with only letters, digits and '-'. */
static inline bool http_equal_nocase(const char *p, const char *lower, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((p[i] | 0x20) != lower[i])
			return false;
	return true;
}

/**
 * http_find_control returns the offset, in [from,len], of the first control character (below space,
 * or DEL), or len if there is none.
 */
size_t http_find_control(const char *p, size_t from, size_t len);

#endif
