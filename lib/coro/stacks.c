/* SPDX-License-Identifier: BSD-2-Clause */
#include "stacks.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define COLOURS      16
#define COLOUR_BYTES 128

/* Faults the pages in now, so that no coroutine takes a page fault later. */
static void touch(volatile char *stack, size_t bytes, size_t page)
{
	for (size_t at = 0; at < bytes; at += page)
		stack[at] = 0;
}

int coro_stacks_init(struct coro_stacks *s, uint32_t n, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (bytes + (size_t)COLOURS * COLOUR_BYTES + page - 1) / page * page;
	void *base = mmap(NULL, n * (room + page), PROT_NONE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*s = (struct coro_stacks){0};
	if (base == MAP_FAILED)
		return -ENOMEM;
	*s = (struct coro_stacks){.base = base, .stride = room + page, .guard = page, .n = n};
	for (uint32_t i = 0; i < n; i++) {
		char *stack = s->base + i * s->stride + page;

		if (mprotect(stack, room, PROT_READ | PROT_WRITE) != 0) {
			coro_stacks_fini(s);
			return -ENOMEM;
		}
		touch(stack, room, page);
	}
	return 0;
}

void coro_stacks_fini(struct coro_stacks *s)
{
	if (s->base != NULL)
		(void)munmap(s->base, s->n * s->stride);
	*s = (struct coro_stacks){0};
}

void *coro_stacks_get(const struct coro_stacks *s, uint32_t i, size_t *bytes)
{
	*bytes = s->stride - s->guard - (size_t)(i % COLOURS) * COLOUR_BYTES;
	return s->base + i * s->stride + s->guard;
}
