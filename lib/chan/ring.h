/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_RING_H
#define CHAN_RING_H

/*
 * Rings of 32-bit numbers in shared memory, without locks.
 *
 * A post ring carries messages from the threads of a process to an lcore: many producers, one
 * consumer.  Each cell has a turn number that says whose it is, so a producer that is stopped
 * between claiming a cell and filling it delays only its own process.  A word ring has one producer
 * and any number of consumers: an lcore writes to an event queue or an accept queue.  Users of both
 * put each socket in at most once, so a ring as large as the number of sockets does not overflow;
 * if the rule is broken, a push fails.
 */

#include <stdbool.h>
#include <stdint.h>

#include "chan/atomic.h"

struct post_cell {
	uint32_t turn; /* = position: free; = position + 1: filled */
	uint32_t value;
};

struct post_ring {
	uint32_t head; /* the producers'; the consumer's position is private to it */
	uint32_t pad[15];
	struct post_cell cell[]; /* a power of two of them */
};

/** post_init empties a ring of n cells, which must not be in use. */
static inline void post_init(struct post_ring *r, uint32_t n)
{
	at_put(&r->head, 0);
	for (uint32_t i = 0; i < n; i++)
		at_store(&r->cell[i].turn, i);
}

/** post_push adds a value, from any thread of the process. Returns false if the ring is full. */
static inline bool post_push(struct post_ring *r, uint32_t n, uint32_t value)
{
	uint32_t at = at_peek(&r->head);
	struct post_cell *c;

	for (;;) {
		int32_t lead;

		c = &r->cell[at & (n - 1)];
		lead = (int32_t)(at_load(&c->turn) - at);
		if (lead < 0)
			return false;
		if (lead > 0)
			at = at_peek(&r->head);
		else if (__atomic_compare_exchange_n(&r->head, &at, at + 1, true, __ATOMIC_RELAXED,
		                                     __ATOMIC_RELAXED))
			break;
	}
	at_put(&c->value, value);
	at_store_sc(&c->turn, at + 1);
	return true;
}

/** post_pop takes the oldest value, for the lcore, which keeps *tail. Returns false if there is
 * none. */
static inline bool post_pop(struct post_ring *r, uint32_t n, uint32_t *tail, uint32_t *value)
{
	struct post_cell *c = &r->cell[*tail & (n - 1)];

	if (at_load(&c->turn) != *tail + 1)
		return false;
	*value = at_peek(&c->value);
	at_store(&c->turn, *tail + n);
	(*tail)++;
	return true;
}

/** post_waiting says whether there is a value to take; the last check before sleeping. */
static inline bool post_waiting(const struct post_ring *r, uint32_t n, uint32_t tail)
{
	return at_load_sc(&r->cell[tail & (n - 1)].turn) == tail + 1;
}

/** post_mend fills with a value the cells that producers claimed but had not filled when they died.
 * No thread of the process may push meanwhile. */
static inline void post_mend(struct post_ring *r, uint32_t n, uint32_t value)
{
	const uint32_t head = at_peek(&r->head);

	for (uint32_t at = head - n; at != head; at++) {
		struct post_cell *c = &r->cell[at & (n - 1)];

		if (at_load(&c->turn) != at)
			continue;
		at_put(&c->value, value);
		at_store_sc(&c->turn, at + 1);
	}
}

struct word_ring {
	uint64_t head; /* producer's */
	uint64_t pad[7];
	uint64_t tail; /* consumers' */
	uint64_t pad2[7];
};

/** word_push adds a value to a ring of n words, for the lcore. Returns false if it is full. */
static inline bool word_push(struct word_ring *r, uint32_t *words, uint32_t n, uint32_t value)
{
	uint64_t head = at_peek(&r->head);

	if (head - at_load(&r->tail) >= n)
		return false;
	at_put(&words[head & (n - 1)], value);
	at_store_sc(&r->head, head + 1);
	return true;
}

/** word_pop takes the oldest value, from any thread of any process. Returns false if there is
 * none. */
static inline bool word_pop(struct word_ring *r, const uint32_t *words, uint32_t n, uint32_t *value)
{
	uint64_t tail = at_load(&r->tail);

	do {
		if (at_load_sc(&r->head) == tail)
			return false;
		*value = at_peek(&words[tail & (n - 1)]);
	} while (!at_cas(&r->tail, &tail, tail + 1));
	return true;
}

/** word_count returns the number of values in the ring. */
static inline uint64_t word_count(const struct word_ring *r)
{
	uint64_t tail = at_load(&r->tail);

	return at_load_sc(&r->head) - tail;
}

#endif
