/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORO_STACKS_H
#define CORO_STACKS_H

/*
 * The stacks of coroutines: one mapping, with an inaccessible guard page below each stack.
 *
 * All memory is allocated at the start.  The tops of the stacks are not a power of two apart;
 * otherwise the few cache lines that each coroutine works on would all compete for the same sets.
 */

#include <stddef.h>
#include <stdint.h>

struct coro_stacks {
	char *base;
	size_t stride; /* from one stack to the next: the guard page and the stack */
	size_t guard;
	uint32_t n;
};

/** coro_stacks_init maps n stacks of at least bytes each. Returns 0 or -ENOMEM. */
int coro_stacks_init(struct coro_stacks *s, uint32_t n, size_t bytes);

/** coro_stacks_fini unmaps the stacks; a zeroed struct is left alone. */
void coro_stacks_fini(struct coro_stacks *s);

/** coro_stacks_get returns the lowest address of stack i, and its length. */
void *coro_stacks_get(const struct coro_stacks *s, uint32_t i, size_t *bytes);

#endif
