/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_FREELIST_H
#define BASE_FREELIST_H

/*
 * The free elements of an array with indexes 1 to n: those that were freed are in a list, the last
 * freed first; after them come those that were never taken, in order.  The links are in the
 * elements and belong to the user; only those of the list are valid.  So an element is not touched
 * before it is taken, and a large table uses no more memory than was ever taken from it.
 */

#include <stdbool.h>
#include <stdint.h>

struct freelist {
	uint32_t head;    /* the last that was freed; 0: none */
	uint32_t touched; /* 1 to here have been taken at some time */
	uint32_t n;
};

/** freelist_next returns which element is taken next; 0: none is free. */
static inline uint32_t freelist_next(const struct freelist *f)
{
	if (f->head != 0)
		return f->head;
	return f->touched < f->n ? f->touched + 1 : 0;
}

/** freelist_is_empty says whether none is free. */
static inline bool freelist_is_empty(const struct freelist *f)
{
	return f->head == 0 && f->touched == f->n;
}

/** freelist_take takes the next one; there must be one. link is what the element has for one, anything if it was never taken. */
static inline void freelist_take(struct freelist *f, uint32_t link)
{
	if (f->head != 0)
		f->head = link;
	else
		f->touched++;
}

/** freelist_give frees an element that was taken. Returns what its link is to be from now on. */
static inline uint32_t freelist_give(struct freelist *f, uint32_t index)
{
	const uint32_t link = f->head;

	f->head = index;
	return link;
}

#endif
