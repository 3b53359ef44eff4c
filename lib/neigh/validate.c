/* SPDX-License-Identifier: BSD-2-Clause */
/* The invariants of the neighbour table, which neigh.c names. */

#include "neigh/neigh.h"
#include "neigh/table.h"

static unsigned validate_entry(const struct neigh_table *nt, const struct neigh *n)
{
	const struct neigh_hold *h = &nt->hold[(uint32_t)(n - nt->entry)];
	unsigned bad = 0;

	bad += n->generation == 0;
	if (n->state == NEIGH_FREE)
		return bad + (timer_is_armed(&n->timer) || h->n != 0);
	bad += !timer_is_armed(&n->timer);
	bad += h->fixed && n->state != NEIGH_REACHABLE;
	bad += h->n > nt->hold_max || (h->n != 0 && n->state != NEIGH_INCOMPLETE);
	bad += (n->netif >= nt->ifs->n && n->netif != NETIF_LO);
	bad += n->state >= NEIGH_STALE && (eth_is_group(n->eth) || eth_is_zero(n->eth));
	return bad;
}

/* The list that an entry in use is in; NULL: none. */
static const struct neigh_list *list_of(const struct neigh_table *nt, uint32_t i)
{
	const struct neigh_hold *h = &nt->hold[i];

	if (h->n != 0)
		return &nt->waiting;
	if (h->fixed)
		return NULL;
	return h->heard ? &nt->heard : &nt->by_use;
}

/* Walks a list from its newest end; bounded, in case it is circular. */
static unsigned validate_list(const struct neigh_table *nt, const struct neigh_list *l)
{
	uint32_t n = 0, newer = 0, expected = 0;

	for (uint32_t i = 0; i < nt->nb_entries; i++)
		expected += nt->entry[i].state != NEIGH_FREE && list_of(nt, i) == l;
	for (uint32_t i = l->newest; i != 0 && n <= expected; i = nt->entry[i - 1].older, n++) {
		if (nt->entry[i - 1].newer != newer || list_of(nt, i - 1) != l)
			return 1;
		newer = i;
	}
	return n != expected || l->oldest != newer;
}

static unsigned validate_chains(const struct neigh_table *nt)
{
	uint32_t n = 0;

	for (uint32_t b = 0; b <= nt->mask; b++)
		for (uint32_t i = nt->bucket[b]; i != 0; i = nt->entry[i - 1].next, n++) {
			const struct neigh *e = &nt->entry[i - 1];

			if (n >= nt->count || e->state == NEIGH_FREE ||
			    neigh_bucket(nt, e->netif, &e->addr) != &nt->bucket[b])
				return 1;
		}
	return n != nt->count;
}

unsigned neigh_validate(const struct neigh_table *nt)
{
	uint32_t used = 0, heard = 0, waiting = 0;
	unsigned bad = 0;

	for (uint32_t i = 0; i < nt->nb_entries; i++) {
		bad += validate_entry(nt, &nt->entry[i]);
		used += nt->entry[i].state != NEIGH_FREE;
		heard += nt->entry[i].state != NEIGH_FREE && nt->hold[i].heard;
		waiting += nt->entry[i].state != NEIGH_FREE && nt->hold[i].n != 0;
	}
	bad += used != nt->count;
	bad += waiting != nt->nb_waiting;
	bad += heard != nt->nb_heard;
	bad += validate_chains(nt) + validate_list(nt, &nt->by_use) +
	       validate_list(nt, &nt->heard) + validate_list(nt, &nt->waiting);
	return bad + wheel_validate(&nt->wheel, nt->nb_entries);
}
