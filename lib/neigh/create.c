/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocating and freeing a neighbour table. */

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "neigh/table.h"

static uint32_t nb_buckets(const struct pc_stack_config *cfg)
{
	return rte_align32pow2((uint32_t)cfg->arp_entries);
}

uint64_t neigh_footprint(const struct pc_stack_config *cfg)
{
	return sizeof(struct neigh_table) + nb_buckets(cfg) * sizeof(uint32_t) +
	       cfg->arp_entries * (sizeof(struct neigh) + sizeof(struct neigh_hold) +
	                           cfg->arp_hold * sizeof(struct rte_mbuf *));
}

static void *alloc(const struct ctx *ctx, uint64_t n, size_t size)
{
	return rte_zmalloc_socket("neigh", n * size, RTE_CACHE_LINE_SIZE, ctx->cfg.socket_id);
}

struct neigh_table *neigh_create(struct ctx *ctx, struct netifs *ifs)
{
	const struct pc_stack_config *cfg = &ctx->cfg;
	const struct pc_sip_key key = rng_key(&ctx->rng);
	struct neigh_table *nt = alloc(ctx, 1, sizeof(*nt));

	if (nt == NULL)
		return NULL;
	nt->ctx = ctx;
	nt->ifs = ifs;
	nt->nb_entries = (uint32_t)cfg->arp_entries;
	nt->hold_max = (uint8_t)cfg->arp_hold;
	nt->mask = nb_buckets(cfg) - 1;
	nt->key = (struct hash_key){.k = {key.k[0], key.k[1]}};
	nt->entry = alloc(ctx, nt->nb_entries, sizeof(*nt->entry));
	nt->bucket = alloc(ctx, nt->mask + 1, sizeof(*nt->bucket));
	nt->hold = alloc(ctx, nt->nb_entries, sizeof(*nt->hold));
	nt->held = alloc(ctx, (uint64_t)nt->nb_entries * nt->hold_max, sizeof(*nt->held));
	if (nt->entry == NULL || nt->bucket == NULL || nt->hold == NULL || nt->held == NULL) {
		neigh_destroy(nt);
		return NULL;
	}
	for (uint32_t i = nt->nb_entries; i > 0; i--) {
		nt->entry[i - 1].generation = 1;
		nt->entry[i - 1].next = nt->free;
		nt->free = i;
	}
	wheel_init(&nt->wheel, &nt->entry[0].timer, sizeof(*nt->entry), ctx->tick);
	return nt;
}

void neigh_destroy(struct neigh_table *nt)
{
	for (uint32_t i = 0; nt->hold != NULL && nt->held != NULL && i < nt->nb_entries; i++)
		for (uint32_t j = 0; j < nt->hold[i].n; j++)
			rte_pktmbuf_free(*neigh_held_slot(nt, &nt->entry[i], j));
	rte_free(nt->held);
	rte_free(nt->hold);
	rte_free(nt->bucket);
	rte_free(nt->entry);
	rte_free(nt);
}
