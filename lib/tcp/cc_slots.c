/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/cc_slots.h"

#include <stddef.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "tcp/bbr.h"

struct cc_slot {
	struct bbr bbr; /* first: a slot is found by its content's address */
	struct cc_slot *next;
	struct cc_slots *owner;
};

static_assert(offsetof(struct cc_slot, bbr) == 0, "a slot and its content have one address");

uint64_t cc_slots_footprint(uint32_t n)
{
	return (uint64_t)n * sizeof(struct cc_slot);
}

int cc_slots_init(struct cc_slots *s, uint32_t n, int socket_id)
{
	*s = (struct cc_slots){.n = n};
	if (n == 0)
		return 0;
	s->slot = rte_malloc_socket("pc_cc", cc_slots_footprint(n), RTE_CACHE_LINE_SIZE, socket_id);
	if (s->slot == NULL)
		return -1;
	for (uint32_t i = n; i-- > 0;) {
		s->slot[i].owner = s;
		s->slot[i].next = s->free;
		s->free = &s->slot[i];
	}
	return 0;
}

void cc_slots_fini(struct cc_slots *s)
{
	rte_free(s->slot);
	*s = (struct cc_slots){0};
}

struct bbr *cc_slots_take(struct cc_slots *s)
{
	struct cc_slot *slot = s != NULL ? s->free : NULL;

	if (slot == NULL)
		return NULL;
	s->free = slot->next;
	s->used++;
	return &slot->bbr;
}

void cc_slots_give(struct bbr *b)
{
	struct cc_slot *slot = (struct cc_slot *)(void *)b;

	if (b == NULL)
		return;
	slot->next = slot->owner->free;
	slot->owner->free = slot;
	slot->owner->used--;
}
