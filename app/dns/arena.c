/* SPDX-License-Identifier: BSD-2-Clause */
#include "arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 65536

struct arena_chunk {
	struct arena_chunk *before;
	size_t size;
	alignas(16) char bytes[];
};

void *arena_take(struct arena *a, size_t n)
{
	struct arena_chunk *c;
	void *p;

	n = (n + 7) & ~(size_t)7;
	if (a->last == NULL || a->last->size - a->used < n) {
		const size_t size = n > CHUNK ? n : CHUNK;

		c = calloc(1, sizeof(*c) + size);
		if (c == NULL)
			return NULL;
		*c = (struct arena_chunk){.before = a->last, .size = size};
		a->last = c;
		a->used = 0;
		a->total += size;
	}
	p = a->last->bytes + a->used;
	a->used += n;
	return p;
}

void *arena_copy(struct arena *a, const void *p, size_t n)
{
	void *copy = arena_take(a, n);

	if (copy != NULL && n > 0)
		memcpy(copy, p, n);
	return copy;
}

void arena_free(struct arena *a)
{
	while (a->last != NULL) {
		struct arena_chunk *c = a->last;

		a->last = c->before;
		free(c);
	}
	*a = (struct arena){0};
}
