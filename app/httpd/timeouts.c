/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Time-outs
 *
 * Invariants: an entry is queued if next is not 0; prev of the first in a slot is SLOT | slot, and
 * next of the last is END.  An entry's slot lies in [now, now + TIMEOUTS_SLOTS), and not after its
 * deadline unless that has already passed.
 */

#include "timeouts.h"

#include <assert.h>
#include <string.h>

#define SLOT 0x80000000u /* in prev: this is the first entry of that slot */
#define END  UINT32_MAX

static struct timeout *entry(struct timeouts *t, uint32_t i)
{
	return (struct timeout *)(void *)(t->base + i * t->stride);
}

void timeouts_init(struct timeouts *t, void *base, size_t stride, uint64_t now_ns)
{
	assert(stride >= sizeof(struct timeout));
	t->base = base;
	t->stride = stride;
	t->now = (uint32_t)(now_ns >> TIMEOUTS_TICK_SHIFT);
	memset(t->slots, 0xff, sizeof(t->slots));
}

static void queue(struct timeouts *t, uint32_t i)
{
	struct timeout *e = entry(t, i);
	uint32_t ahead = e->deadline - t->now, slot;

	if (ahead >= TIMEOUTS_SLOTS)
		ahead = (int32_t)ahead < 0 ? 0 : TIMEOUTS_SLOTS - 1;
	e->at = t->now + ahead;
	slot = e->at % TIMEOUTS_SLOTS;
	e->prev = SLOT | slot;
	e->next = t->slots[slot];
	if (e->next != END)
		entry(t, e->next)->prev = i;
	t->slots[slot] = i;
}

void timeouts_clear(struct timeouts *t, uint32_t i)
{
	struct timeout *e = entry(t, i);

	if (e->next == 0)
		return;
	if (e->next != END)
		entry(t, e->next)->prev = e->prev;
	if (e->prev & SLOT)
		t->slots[e->prev & ~SLOT] = e->next;
	else
		entry(t, e->prev)->next = e->next;
	e->next = 0;
}

void timeouts_set(struct timeouts *t, uint32_t i, uint64_t deadline_ns)
{
	struct timeout *e = entry(t, i);

	assert(i > 0 && i < SLOT);
	e->deadline = (uint32_t)(deadline_ns >> TIMEOUTS_TICK_SHIFT) + 1;
	if (e->next != 0) {
		if ((int32_t)(e->deadline - e->at) >= 0)
			return;
		timeouts_clear(t, i);
	}
	queue(t, i);
}

uint32_t timeouts_next(struct timeouts *t, uint64_t now_ns)
{
	const uint32_t now = (uint32_t)(now_ns >> TIMEOUTS_TICK_SHIFT);
	uint32_t i;

	while ((int32_t)(now - t->now) >= 0) {
		i = t->slots[t->now % TIMEOUTS_SLOTS];
		if (i == END) {
			if (t->now == now)
				break;
			t->now++;
			continue;
		}
		timeouts_clear(t, i);
		if ((int32_t)(entry(t, i)->deadline - now) <= 0)
			return i;
		queue(t, i);
	}
	return TIMEOUTS_NONE;
}
