/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow table.
 *
 * Invariants: an entry stands in its home bucket or, by linear probing, in a later one; every
 * bucket that it passed on its way counts it in overflow, so a lookup stops at the first bucket
 * whose overflow is 0.  A free place has ref 0.  With at least 8/6 places per flow the chance that a
 * bucket overflows is small and the walk short.
 */
#include "tcp/tcp_table.h"

#include <errno.h>

#include <rte_malloc.h>

uint32_t tcp_table_buckets(uint64_t n)
{
	return rte_align32pow2((uint32_t)(n / 6 + 1));
}

int tcp_table_init(struct tcp_table *tbl, uint64_t n, struct hash_key key, int socket_id)
{
	uint32_t buckets = tcp_table_buckets(n);

	*tbl = (struct tcp_table){.key = key, .mask = buckets - 1};
	tbl->bucket = rte_zmalloc_socket("pc_flows", (size_t)buckets * sizeof(*tbl->bucket),
	                                 RTE_CACHE_LINE_SIZE, socket_id);
	return tbl->bucket != NULL ? 0 : -ENOMEM;
}

void tcp_table_fini(struct tcp_table *tbl)
{
	rte_free(tbl->bucket);
	tbl->bucket = NULL;
}

void tcp_table_kind(struct tcp_table *tbl, enum flow_kind kind, const void *base, uint32_t stride)
{
	tbl->base[kind] = base;
	tbl->stride[kind] = stride;
}

static inline struct tcp_bucket *next_bucket(const struct tcp_table *tbl, struct tcp_bucket *b)
{
	return &tbl->bucket[((uint32_t)(b - tbl->bucket) + 1) & tbl->mask];
}

flow_ref tcp_table_find(const struct tcp_table *tbl, uint64_t hash, const struct tcp_flow *flow)
{
	struct tcp_bucket *b = tcp_table_home(tbl, hash);

	for (uint32_t n = 0; n <= tbl->mask; n++) {
		uint32_t fit = tcp_table_match(b, tcp_table_tag(hash));

		for (; fit != 0; fit &= fit - 1, fit &= fit - 1) {
			flow_ref ref = b->ref[(uint32_t)__builtin_ctz(fit) / 2];

			if (ref != 0 && tcp_flow_equal(tcp_table_flow(tbl, ref), flow))
				return ref;
		}
		if (b->overflow == 0)
			return 0;
		b = next_bucket(tbl, b);
	}
	return 0;
}

void tcp_table_add(struct tcp_table *tbl, uint64_t hash, flow_ref ref)
{
	struct tcp_bucket *b = tcp_table_home(tbl, hash);

	assert(ref != 0 && tbl->count < (tbl->mask + 1) * TCP_BUCKET);
	for (;; b = next_bucket(tbl, b)) {
		for (uint32_t i = 0; i < TCP_BUCKET; i++) {
			if (b->ref[i] == 0) {
				b->tag[i] = tcp_table_tag(hash);
				b->ref[i] = ref;
				tbl->count++;
				return;
			}
		}
		b->overflow++;
	}
}

/* where a reference stands */
static flow_ref *place_of(const struct tcp_table *tbl, uint64_t hash, flow_ref ref)
{
	struct tcp_bucket *b = tcp_table_home(tbl, hash);

	for (;; b = next_bucket(tbl, b)) {
		uint32_t fit = tcp_table_match(b, tcp_table_tag(hash));

		for (; fit != 0; fit &= fit - 1, fit &= fit - 1) {
			flow_ref *at = &b->ref[(uint32_t)__builtin_ctz(fit) / 2];

			if (*at == ref)
				return at;
		}
		assert(b->overflow != 0);
	}
}

void tcp_table_del(struct tcp_table *tbl, uint64_t hash, flow_ref ref)
{
	flow_ref *at = place_of(tbl, hash, ref);
	struct tcp_bucket *b = tcp_table_home(tbl, hash);

	*at = 0;
	tbl->count--;
	for (; at < b->ref || at >= b->ref + TCP_BUCKET; b = next_bucket(tbl, b))
		b->overflow--;
}

void tcp_table_move(struct tcp_table *tbl, uint64_t hash, flow_ref from, flow_ref to)
{
	assert(to != 0);
	*place_of(tbl, hash, from) = to;
}

unsigned tcp_table_validate(const struct tcp_table *tbl)
{
	unsigned bad = 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i <= tbl->mask; i++) {
		const struct tcp_bucket *b = &tbl->bucket[i];

		for (uint32_t k = 0; k < TCP_BUCKET; k++) {
			const struct tcp_flow *flow;

			if (b->ref[k] == 0)
				continue;
			count++;
			flow = tcp_table_flow(tbl, b->ref[k]);
			bad += tcp_table_find(tbl, tcp_table_hash(tbl, flow), flow) != b->ref[k];
		}
	}
	return bad + (count != tbl->count);
}
