/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_PUBLISHED_H
#define SHARED_PUBLISHED_H

/*
 * A table that one thread replaces while lcores read it without a lock.
 *
 * Overview: each replacement has a number, the generation.  Between turns, a reader publishes the
 * last generation that it has seen, and then takes the current table.  A table may be freed once
 * every reader has published the generation that replaced it, or a later one.
 *
 * Invariant: a reader publishes a generation before it takes the table, so its table may be newer
 * than the generation that it has published, but never older.  Having readers announce which table
 * they use would not work: a reader interrupted between loading the pointer and announcing it would
 * be missed if that table is replaced meanwhile.
 *
 * Ownership: tables belong to the caller, and are replaced by one thread at a time.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PUBLISHED_READERS 256

/** A slot for a reader, in a cache line of its own. */
struct published_reader {
	/** the generation that it has published; 0: the slot is free */
	_Alignas(64) _Atomic(uint64_t) seen;
};

struct published {
	_Atomic(const void *) current;
	_Atomic(uint64_t) generation; /**< from 1 on */
	pthread_mutex_t lock;         /**< for attaching, replacing and checking all readers */
	struct published_reader readers[PUBLISHED_READERS];
};

/** published_begin initialises p with a table, or NULL. */
void published_begin(struct published *p, const void *table);

/**
 * published_end releases p; no reader may be left. The current table still belongs to the caller.
 */
void published_end(struct published *p);

/** published_attach makes the calling thread a reader. Returns NULL if there are too many. */
struct published_reader *published_attach(struct published *p);

/** published_leave releases the slot; nothing from a table may still be in use. */
void published_leave(struct published_reader *reader);

/**
 * published_replace replaces the current table. Returns the old one, and the generation that
 * replaced it.
 */
const void *published_replace(struct published *p, const void *table, uint64_t *generation);

/**
 * published_is_left says whether every reader has left the table that a generation replaced.
 */
bool published_is_left(struct published *p, uint64_t generation);

/** published_get returns the current table; for the thread that replaces it. */
static inline const void *published_get(const struct published *p)
{
	return atomic_load_explicit(&((struct published *)(uintptr_t)p)->current,
	                            memory_order_acquire);
}

/**
 * published_enter returns the table to use until the reader's next published_enter or
 * published_leave. Call it while nothing from an earlier table is in use.
 */
static inline const void *published_enter(struct published *p, struct published_reader *reader)
{
	const uint64_t generation = atomic_load_explicit(&p->generation, memory_order_acquire);

	if (atomic_load_explicit(&reader->seen, memory_order_relaxed) != generation)
		atomic_store_explicit(&reader->seen, generation, memory_order_release);
	return published_get(p);
}

#endif
