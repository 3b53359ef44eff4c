/* SPDX-License-Identifier: BSD-2-Clause */

/* Domain names; see name.h. */

#include "base/name.h"

#include <stdbool.h>

#define LABEL_MAX 63u
#define POINTER   0xc0u
#define NO_LABELS SIZE_MAX

static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Reads labels up to the end of the name or to anything that is not a label, and appends them to
 * the *n characters of name. Returns how many bytes they take, without what ends them; or
 * NO_LABELS. */
static size_t read_labels(const uint8_t *p, size_t len, char *name, size_t *n)
{
	size_t at = 0;

	while (at < len && p[at] != 0 && p[at] <= LABEL_MAX) {
		const size_t label = p[at++];

		if (label > len - at || *n + (*n > 0) + label > NAME_MAX_LEN)
			return NO_LABELS;
		if (*n > 0)
			name[(*n)++] = '.';
		for (size_t i = 0; i < label; i++) {
			if (!is_name_char(p[at + i]))
				return NO_LABELS;
			name[(*n)++] = (char)p[at + i];
		}
		at += label;
	}
	name[*n] = '\0';
	return at < len ? at : NO_LABELS;
}

size_t name_read(const uint8_t *p, size_t len, char name[NAME_MAX_LEN + 1])
{
	size_t n = 0;
	const size_t took = read_labels(p, len, name, &n);

	return took != NO_LABELS && p[took] == 0 ? took + 1 : 0;
}

/* Each pointer must point to before the labels that it follows, so that the loop terminates. */
size_t name_read_at(const uint8_t *list, size_t len, size_t at, char name[NAME_MAX_LEN + 1])
{
	size_t from = at, n = 0, end = 0;

	for (;;) {
		const size_t took =
		    from < len ? read_labels(list + from, len - from, name, &n) : NO_LABELS;
		const uint8_t *p = list + from + took;
		size_t to;

		if (took == NO_LABELS)
			return 0;
		if (*p == 0)
			return end != 0 ? end : from + took + 1 - at;
		if (*p < POINTER || from + took + 2 > len)
			return 0;
		to = (size_t)(*p & ~POINTER) << 8 | p[1];
		if (to >= from)
			return 0;
		end = end != 0 ? end : from + took + 2 - at;
		from = to;
	}
}

bool name_is_text(const uint8_t *p, size_t len)
{
	unsigned label = 0;

	for (size_t i = 0; i < len; i++) {
		const bool ends = p[i] == ' ' || (p[i] == '.' && label > 0);

		label = ends ? 0 : label + 1;
		if (label > LABEL_MAX || (!ends && !is_name_char(p[i])))
			return false;
	}
	return true;
}
