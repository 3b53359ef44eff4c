/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames that wait until their neighbour has answered; see neigh.c. */

#include <rte_mbuf.h>

#include "neigh/table.h"

#define HOLD_SCARCE 3 /* frames of one neighbour while mbufs are scarce */

struct rte_mbuf *hold_pop(struct neigh_table *nt, struct neigh *n)
{
	struct neigh_hold *h = &nt->hold[n - nt->entry];
	struct rte_mbuf *m;

	if (h->n == 0)
		return NULL;
	m = *neigh_held_slot(nt, n, 0);
	h->first = (uint8_t)((h->first + 1) % nt->hold_max);
	if (--h->n == 0) {
		neigh_list_remove(nt, &nt->waiting, n);
		neigh_list_insert(nt, &nt->by_use, n);
		nt->nb_waiting--;
	}
	return m;
}

/* An unresolved neighbour must not hold mbufs that others need. */
static uint8_t hold_limit(const struct neigh_table *nt)
{
	return nt->ctx->mbufs_scarce && nt->hold_max > HOLD_SCARCE ? HOLD_SCARCE : nt->hold_max;
}

void hold_push(struct neigh_table *nt, struct neigh *n, struct rte_mbuf *m)
{
	struct neigh_hold *h = &nt->hold[n - nt->entry];

	if (h->n != 0 && h->n >= hold_limit(nt)) {
		rte_pktmbuf_free(hold_pop(nt, n));
		ctx_count(nt->ctx, PC_TX_HOLD_FULL);
	}
	if (h->n == 0) {
		neigh_unlist(nt, n);
		neigh_list_insert(nt, &nt->waiting, n);
		nt->nb_waiting++;
	}
	*neigh_held_slot(nt, n, h->n) = m;
	h->n++;
}

void hold_drop(struct neigh_table *nt, struct neigh *n)
{
	struct rte_mbuf *m;

	while ((m = hold_pop(nt, n)) != NULL) {
		rte_pktmbuf_free(m);
		ctx_count(nt->ctx, PC_TX_UNRESOLVED);
	}
}
