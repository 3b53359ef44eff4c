/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_RANGES_H
#define LOAD_RANGES_H

/*
 * Ranges of sequence numbers that have been received although something before them is missing:
 * out-of-order data, or what the server has reported by SACK.  They are sorted and neither overlap
 * nor touch.
 *
 * Invariant: all lie within half of the sequence space.  A pool has as many sets as connections may
 * have a gap at the same time; a connection refers to its set by a number from 1 on, 0 meaning
 * none.
 */

#include <stdbool.h>
#include <stdint.h>

#define RANGES_MAX  250u
#define RANGES_SETS 1024u

struct range {
	uint32_t from, to;
	uint32_t mark; /* for the user, not 0; set by ranges_add: see there */
};

struct ranges {
	uint32_t n;
	uint32_t clock; /* the user's own */
	struct range all[RANGES_MAX];
};

struct ranges_pool {
	uint32_t nb_free;
	uint16_t free[RANGES_SETS];
	struct ranges sets[RANGES_SETS];
};

/** ranges_pool_create makes a pool. Returns NULL if there is no memory; free() frees it. */
struct ranges_pool *ranges_pool_create(void);

/** ranges_take returns the number of an empty set, or 0 if all are in use. */
uint16_t ranges_take(struct ranges_pool *p);

/** ranges_give gives a set back and sets *number to 0; it may be 0 already. */
void ranges_give(struct ranges_pool *p, uint16_t *number);

/** ranges_of returns the set with a number, which is not 0. */
static inline struct ranges *ranges_of(struct ranges_pool *p, uint16_t number)
{
	return &p->sets[number - 1];
}

/**
 * ranges_add adds [from,to), which is not empty. Returns the range that now contains it, or NULL if
 * there is no room. A new range takes the mark of the next one (0 if there is none); one that has
 * grown keeps that of its first part.
 */
struct range *ranges_add(struct ranges *r, uint32_t from, uint32_t to);

/**
 * ranges_common finds the first part of [from,to) already present. Returns whether there is one.
 */
bool ranges_common(const struct ranges *r, uint32_t from, uint32_t to, struct range *part);

/**
 * ranges_pass drops the ranges that begin at seq or before. Returns where they end, at least seq.
 */
uint32_t ranges_pass(struct ranges *r, uint32_t seq);

/** ranges_newest copies up to max ranges, those with the highest marks first. Returns how many. */
uint32_t ranges_newest(const struct ranges *r, struct range *newest, uint32_t max);

/** ranges_validate says whether the invariants hold. */
bool ranges_validate(const struct ranges *r);

#endif
