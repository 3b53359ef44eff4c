/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ARENA_H
#define DNS_ARENA_H

/* Memory that is freed as a whole: that of a zone. */

#include <stdalign.h>
#include <stddef.h>

struct arena_chunk;

/** Zeroed: empty. */
struct arena {
	struct arena_chunk *last;
	size_t used;  /**< in the last chunk */
	size_t total; /**< bytes of all chunks */
};

/** arena_take returns n bytes, zeroed and aligned for any type but vectors, or NULL without
 * memory. */
void *arena_take(struct arena *a, size_t n);

/** arena_copy returns a copy of n bytes, or NULL without memory. */
void *arena_copy(struct arena *a, const void *p, size_t n);

/** arena_free frees everything; the arena is then empty. */
void arena_free(struct arena *a);

#endif
