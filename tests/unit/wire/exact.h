/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_WIRE_EXACT_H
#define UNIT_WIRE_EXACT_H

/*
 * Bytes in a block of memory of exactly their length, so that a sanitizer sees a parser that reads
 * one byte too many.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline uint8_t *exact_copy(const void *data, size_t len)
{
	uint8_t *copy = malloc(len + (len == 0));

	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	return copy;
}

#endif
