/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 16384u

int answer_init(struct answer *a)
{
	*a = (struct answer){.bytes = malloc(ANSWER_MAX)};
	return a->bytes != NULL ? 0 : -1;
}

void answer_fini(struct answer *a)
{
	free(a->bytes);
	a->bytes = NULL;
}

/* Finds the value of a header field in [0,end). Returns its offset, or 0. */
static uint32_t find_field(const struct answer *a, uint32_t end, const char *name)
{
	uint32_t n = (uint32_t)strlen(name);

	for (uint32_t i = 0; i + 2 + n < end; i++)
		if (a->bytes[i] == '\n' &&
		    strncasecmp((const char *)a->bytes + i + 1, name, n) == 0)
			return i + 1 + n;
	return 0;
}

static uint32_t skip_blanks(const struct answer *a, uint32_t at)
{
	while (a->bytes[at] == ' ' || a->bytes[at] == '\t')
		at++;
	return at;
}

static int learn_header(struct answer *a, uint32_t header, char *why, size_t why_len)
{
	uint32_t length = find_field(a, header, "content-length:");
	uint64_t body = 0;
	char *end = NULL;

	a->status = header > 12 ? (unsigned)strtoul((const char *)a->bytes + 9, NULL, 10) : 0;
	if (a->status != 200) {
		snprintf(why, why_len, "the server answered with HTTP status %u", a->status);
		return -1;
	}
	length = length > 0 ? skip_blanks(a, length) : 0;
	if (length > 0 && isdigit(a->bytes[length]))
		body = strtoull((const char *)a->bytes + length, &end, 10);
	if (end == NULL || a->bytes[skip_blanks(a, (uint32_t)(end - (char *)a->bytes))] != '\r' ||
	    body > ANSWER_MAX - header) {
		snprintf(why, why_len,
		         "the server's answer has no Content-Length of at most %u bytes",
		         ANSWER_MAX);
		return -1;
	}
	a->date = find_field(a, header, "date:");
	a->date_end = a->date;
	while (a->date > 0 && a->bytes[a->date_end] != '\r')
		a->date_end++;
	a->total = header + (uint32_t)body;
	return 0;
}

int answer_add(struct answer *a, const uint8_t *data, uint32_t len)
{
	if (len > ANSWER_MAX - a->have)
		return -1;
	memcpy(a->bytes + a->have, data, len);
	a->have += len;
	return 0;
}

int answer_learn(struct answer *a, const uint8_t *data, uint32_t len, char *why, size_t why_len)
{
	const uint8_t *end;

	if (a->have + len > ANSWER_MAX || (a->total != 0 && a->have + len > a->total))
		len = (a->total != 0 ? a->total : ANSWER_MAX) - a->have;
	memcpy(a->bytes + a->have, data, len);
	a->have += len;
	if (a->total == 0) {
		end = memmem(a->bytes, a->have, "\r\n\r\n", 4);
		if (end == NULL && a->have <= HEADER_MAX)
			return 0;
		if (end == NULL) {
			snprintf(why, why_len, "the server's answer is not HTTP");
			return -1;
		}
		if (learn_header(a, (uint32_t)(end - a->bytes) + 4, why, why_len) != 0)
			return -1;
	}
	return a->have >= a->total;
}

bool answer_matches(const struct answer *a, uint32_t at, const uint8_t *data, uint32_t len)
{
	uint32_t head;

	/* all of it lies after the date, or before it */
	if (at >= a->date_end || at + len <= a->date)
		return memcmp(a->bytes + at, data, len) == 0;
	head = at < a->date ? a->date - at : 0;
	if (memcmp(a->bytes + at, data, head) != 0)
		return false;
	if (at + len <= a->date_end)
		return true;
	head = a->date_end - at;
	return memcmp(a->bytes + a->date_end, data + head, len - head) == 0;
}
