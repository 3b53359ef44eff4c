/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_FREELIST_H
#define BASE_FREELIST_H

/*
 * The free elements of an array with indexes 1 to n: first those that were freed, in a list, last
 * freed first; then those that were never taken, in order.  The caller stores the links, in the
 * elements; only the links of listed elements are valid.  So an element is not touched before it is
 * first taken, and a large table uses only as much memory as was ever in use at once.
 */

#include <stdbool.h>
#include <stdint.h>

struct freelist {
	uint32_t head;    /* the last that was freed; 0: none */
	uint32_t touched; /* elements 1 to this one have been taken at some time */
	uint32_t n;
};

/** freelist_next returns the element that will be taken next; 0: none is free. */
static inline uint32_t freelist_next(const struct freelist *f)
{
	if (f->head != 0)
		return f->head;
	return f->touched < f->n ? f->touched + 1 : 0;
}

/** freelist_is_empty says whether no element is free. */
static inline bool freelist_is_empty(const struct freelist *f)
{
	return f->head == 0 && f->touched == f->n;
}

/** freelist_take takes the next element; one must be free. link is the link stored in that element,
 * which does not matter if it was never taken. */
static inline void freelist_take(struct freelist *f, uint32_t link)
{
	if (f->head != 0)
		f->head = link;
	else
		f->touched++;
}

/** freelist_give frees an element that was taken. Returns the link to store in it. */
static inline uint32_t freelist_give(struct freelist *f, uint32_t index)
{
	const uint32_t link = f->head;

	f->head = index;
	return link;
}

#endif
