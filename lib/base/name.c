/* SPDX-License-Identifier: BSD-2-Clause */

/* Domain names; see name.h. */

#include "base/name.h"

#include <stdbool.h>

#define LABEL_MAX 63u

static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

size_t name_read(const uint8_t *p, size_t len, char name[NAME_MAX_LEN + 1])
{
	size_t at = 0, n = 0;

	while (at < len && p[at] != 0) {
		const size_t label = p[at++];

		if (label > LABEL_MAX || label > len - at || n + (n > 0) + label > NAME_MAX_LEN)
			return 0;
		if (n > 0)
			name[n++] = '.';
		for (size_t i = 0; i < label; i++) {
			if (!is_name_char(p[at + i]))
				return 0;
			name[n++] = (char)p[at + i];
		}
		at += label;
	}
	name[n] = '\0';
	return at < len ? at + 1 : 0;
}
