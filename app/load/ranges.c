/* SPDX-License-Identifier: BSD-2-Clause */
#include "ranges.h"

#include <stdlib.h>
#include <string.h>

static inline bool range_is_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

struct ranges_pool *ranges_pool_create(void)
{
	struct ranges_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	for (uint32_t i = RANGES_SETS; i > 0; i--)
		p->free[p->nb_free++] = (uint16_t)i;
	return p;
}

uint16_t ranges_take(struct ranges_pool *p)
{
	uint16_t number;

	if (p->nb_free == 0)
		return 0;
	number = p->free[--p->nb_free];
	ranges_of(p, number)->n = 0;
	ranges_of(p, number)->clock = 0;
	return number;
}

void ranges_give(struct ranges_pool *p, uint16_t *number)
{
	if (*number != 0)
		p->free[p->nb_free++] = *number;
	*number = 0;
}

static void move(struct ranges *r, uint32_t to, uint32_t from)
{
	memmove(&r->all[to], &r->all[from], (r->n - from) * sizeof(r->all[0]));
	r->n = r->n + to - from;
}

struct range *ranges_add(struct ranges *r, uint32_t from, uint32_t to)
{
	uint32_t first = 0, last, mark;

	while (first < r->n && range_is_after(from, r->all[first].to))
		first++;
	for (last = first; last < r->n && !range_is_after(r->all[last].from, to); last++)
		;
	/* those in [first,last) overlap or touch it */
	mark = first < r->n ? r->all[first].mark : 0;
	if (first == last) {
		if (r->n == RANGES_MAX)
			return NULL;
		move(r, first + 1, first);
		r->all[first] = (struct range){from, to, mark};
		return &r->all[first];
	}
	if (range_is_after(r->all[first].from, from))
		r->all[first].from = from;
	if (range_is_after(r->all[last - 1].to, to))
		to = r->all[last - 1].to;
	r->all[first].to = to;
	if (last - first > 1)
		move(r, first + 1, last);
	return &r->all[first];
}

bool ranges_common(const struct ranges *r, uint32_t from, uint32_t to, struct range *part)
{
	for (uint32_t k = 0; k < r->n && range_is_after(to, r->all[k].from); k++) {
		if (!range_is_after(r->all[k].to, from))
			continue;
		part->from = range_is_after(r->all[k].from, from) ? r->all[k].from : from;
		part->to = range_is_after(to, r->all[k].to) ? r->all[k].to : to;
		return true;
	}
	return false;
}

uint32_t ranges_pass(struct ranges *r, uint32_t seq)
{
	uint32_t n = 0;

	for (; n < r->n && !range_is_after(r->all[n].from, seq); n++)
		if (range_is_after(r->all[n].to, seq))
			seq = r->all[n].to;
	if (n > 0)
		move(r, 0, n);
	return seq;
}

uint32_t ranges_newest(const struct ranges *r, struct range *newest, uint32_t max)
{
	uint32_t n = 0, at;

	for (uint32_t k = 0; k < r->n; k++) {
		for (at = n; at > 0 && r->all[k].mark > newest[at - 1].mark; at--)
			;
		if (at == max)
			continue;
		n += n < max;
		memmove(&newest[at + 1], &newest[at], (n - at - 1) * sizeof(*newest));
		newest[at] = r->all[k];
	}
	return n;
}

bool ranges_validate(const struct ranges *r)
{
	bool ok = r->n <= RANGES_MAX;

	for (uint32_t k = 0; ok && k < r->n; k++)
		ok = range_is_after(r->all[k].to, r->all[k].from) &&
		     (k == 0 || range_is_after(r->all[k].from, r->all[k - 1].to));
	return ok;
}
