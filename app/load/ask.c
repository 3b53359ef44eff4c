/* SPDX-License-Identifier: BSD-2-Clause */
#include "ask.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads an escape after its backslash. Returns its number of characters; 0: it is unknown. */
static size_t read_escape(const char *text, uint8_t *byte)
{
	static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
	const char *found = text[0] != '\0' ? strchr(names, text[0]) : NULL;

	if (found != NULL) {
		*byte = (uint8_t)bytes[found - names];
		return 1;
	}
	if (text[0] != 'x' || !isxdigit((unsigned char)text[1]) ||
	    !isxdigit((unsigned char)text[2]))
		return 0;
	*byte = (uint8_t)strtoul((const char[]){text[1], text[2], '\0'}, NULL, 16);
	return 3;
}

int ask_parse(struct ask *a, const char *text, char *why, size_t why_len)
{
	size_t taken;

	a->len = 0;
	for (; *text != '\0' && a->len < ASK_MAX; text += taken) {
		uint8_t byte = (uint8_t)*text;

		taken = 1;
		if (byte == '\\' && (taken += read_escape(text + 1, &byte)) == 1) {
			snprintf(why, why_len,
			         "\"%.8s\" is not a valid escape (\\r \\n \\t \\0 \\\\ \\xHH)",
			         text);
			return -1;
		}
		a->bytes[a->len++] = byte;
	}
	if (*text != '\0' || a->len == 0 || (a->len & (a->len - 1)) != 0) {
		snprintf(why, why_len,
		         "request has %s%u bytes; its length must be a power of two, at most %u",
		         *text != '\0' ? "more than " : "", a->len, ASK_MAX);
		return -1;
	}
	return 0;
}
