/* SPDX-License-Identifier: BSD-2-Clause */

/* Search lists; see search.h. */

#include "dhcp/search.h"

#include <string.h>

#include "base/name.h"

static void append(char search[SEARCH_SIZE], const char *name)
{
	size_t used = strlen(search);
	const size_t n = strlen(name);

	if (n == 0 || used + (used > 0) + n >= SEARCH_SIZE)
		return;
	if (used > 0)
		search[used++] = ' ';
	strcpy(search + used, name);
}

bool search_read(const uint8_t *p, size_t len, bool pointers, char search[SEARCH_SIZE])
{
	for (size_t at = 0; at < len;) {
		char name[NAME_MAX_LEN + 1];
		const size_t took =
		    pointers ? name_read_at(p, len, at, name) : name_read(p + at, len - at, name);

		if (took == 0)
			return false;
		append(search, name);
		at += took;
	}
	return true;
}

void search_each(struct pc_stack *st, const char search[SEARCH_SIZE],
                 int (*give)(struct pc_stack *, const char *))
{
	char list[SEARCH_SIZE], *rest = NULL;

	strcpy(list, search);
	for (char *d = strtok_r(list, " ", &rest); d != NULL; d = strtok_r(NULL, " ", &rest))
		(void)give(st, d);
}
