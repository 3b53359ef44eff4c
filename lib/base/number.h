/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

/* Parsing of numbers in settings and commands. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * number_read reads a text that is a whole number of 64 bits, decimal or as C writes others. Returns false for anything else:
 * strtoull alone would take signs, spaces and what is left over.
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
