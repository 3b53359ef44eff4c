/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

/* Parsing of numbers in settings and commands. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * number_read parses an unsigned 64-bit integer, in decimal or with C's prefixes for octal and hex.
 * Returns false for anything else: strtoull alone would accept signs, spaces and trailing text.
 */
static inline bool number_read(const char *text, uint64_t *v)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*v = strtoull(text, &end, 0);
	return *end == '\0' && errno == 0;
}

#endif
