/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow table.
 *
 * Invariants: an entry is in the chain of its home bucket.  A free place has ref 0.  Only the last
 * bucket of a chain has free places, so a chain of m further buckets holds at least 8 m + 1
 * entries, and n/8 further buckets are enough for n flows however they are distributed: an addition
 * cannot fail.  Of the nb buckets in use, those from mask/2 + 1 on are second halves of the bucket
 * mask/2 + 1 places before; the next to be split is nb - (mask/2 + 1), the next to be joined with
 * its first half is nb - 1.
 */
#include "tcp/tcp_table.h"

#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#define NB_MIN 64 /* buckets: a page, not worth shrinking further */

/* ---- sizes ----------------------------------------------------------------------------------- */

static uint32_t nb_buckets(uint64_t n)
{
	return rte_align32pow2((uint32_t)(n / 6 + 1));
}

static uint32_t nb_chained(uint64_t n)
{
	return (uint32_t)(n / TCP_BUCKET);
}

uint64_t tcp_table_footprint(uint64_t n)
{
	return (nb_buckets(n) + nb_chained(n) + UINT64_C(1)) * sizeof(struct tcp_bucket);
}

int tcp_table_init(struct tcp_table *tbl, uint64_t n, struct hash_key key, int socket_id)
{
	*tbl =
	    (struct tcp_table){.key = key, .nb_max = nb_buckets(n), .free_more.n = nb_chained(n)};
	tbl->nb = RTE_MIN((uint32_t)NB_MIN, tbl->nb_max);
	tbl->mask = tbl->nb - 1;
	tbl->bucket =
	    rte_zmalloc_socket("pc_flows", tcp_table_footprint(n), RTE_CACHE_LINE_SIZE, socket_id);
	if (tbl->bucket == NULL)
		return -ENOMEM;
	tbl->more = tbl->bucket + tbl->nb_max;
	return 0;
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

/* ---- lookup ---------------------------------------------------------------------------------- */

flow_ref tcp_table_find(const struct tcp_table *tbl, uint64_t hash, const struct tcp_flow *flow)
{
	const struct tcp_bucket *b = tcp_table_home(tbl, hash);

	for (;; b = &tbl->more[b->next]) {
		uint32_t fit = tcp_table_match(b, tcp_table_tag(hash));

		for (; fit != 0; fit &= fit - 1, fit &= fit - 1) {
			flow_ref ref = b->ref[(uint32_t)__builtin_ctz(fit) / 2];

			if (ref != 0 && tcp_flow_equal(tcp_table_flow(tbl, ref), flow))
				return ref;
		}
		if (b->next == 0)
			return 0;
	}
}

struct place {
	struct tcp_bucket *b;
	uint32_t i;
};

/* the place of a reference, which is in the table */
static struct place place_of(const struct tcp_table *tbl, uint64_t hash, flow_ref ref)
{
	struct tcp_bucket *b = tcp_table_home(tbl, hash);

	for (;; b = &tbl->more[b->next]) {
		uint32_t fit = tcp_table_match(b, tcp_table_tag(hash));

		for (; fit != 0; fit &= fit - 1, fit &= fit - 1) {
			const uint32_t i = (uint32_t)__builtin_ctz(fit) / 2;

			if (b->ref[i] == ref)
				return (struct place){b, i};
		}
		assert(b->next != 0);
	}
}

void tcp_table_move(struct tcp_table *tbl, uint64_t hash, flow_ref from, flow_ref to)
{
	const struct place p = place_of(tbl, hash, from);

	assert(to != 0);
	p.b->ref[p.i] = to;
}

/* ---- chains ---------------------------------------------------------------------------------- */

static uint32_t chain_take(struct tcp_table *tbl)
{
	const uint32_t i = freelist_next(&tbl->free_more);

	assert(i != 0);
	freelist_take(&tbl->free_more, tbl->more[i].next);
	tbl->more[i] = (struct tcp_bucket){0};
	tbl->nb_more++;
	return i;
}

static void chain_give(struct tcp_table *tbl, uint32_t i)
{
	tbl->more[i].next = freelist_give(&tbl->free_more, i);
	tbl->nb_more--;
}

/* puts an entry into the last bucket of a chain */
static void chain_add(struct tcp_table *tbl, struct tcp_bucket *b, uint16_t tag, flow_ref ref)
{
	for (;; b = &tbl->more[b->next]) {
		if (b->next != 0)
			continue;
		for (uint32_t i = 0; i < TCP_BUCKET; i++) {
			if (b->ref[i] == 0) {
				b->tag[i] = tag;
				b->ref[i] = ref;
				return;
			}
		}
		b->next = chain_take(tbl);
	}
}

/* frees a place in a chain: an entry of its last bucket moves there */
static void chain_del(struct tcp_table *tbl, struct tcp_bucket *home, struct place hole)
{
	struct tcp_bucket *before = home, *last = home;
	uint32_t i = 0, left = 0;

	while (last->next != 0) {
		before = last;
		last = &tbl->more[last->next];
	}
	for (uint32_t k = 0; k < TCP_BUCKET; k++) {
		if (last->ref[k] != 0) {
			left++;
			i = k;
		}
	}
	if (last != hole.b) {
		hole.b->ref[hole.i] = last->ref[i];
		hole.b->tag[hole.i] = last->tag[i];
	} else {
		i = hole.i;
	}
	last->ref[i] = 0;
	if (left == 1) {
		chain_give(tbl, before->next);
		before->next = 0;
	}
}

/* ---- growing and shrinking ------------------------------------------------------------------- */

/* the next split hashes these flows: by then they are in the cache */
static void prefetch_flows(const struct tcp_table *tbl, const struct tcp_bucket *b)
{
	for (uint32_t i = 0; i < TCP_BUCKET; i++)
		if (b->ref[i] != 0)
			rte_prefetch0(tcp_table_flow(tbl, b->ref[i]));
}

/* re-enters a detached chain, whose first bucket is a copy: into the chain of to or, if that is
 * NULL, each entry where its flow belongs; each further bucket is freed before one is needed */
static void enter_again(struct tcp_table *tbl, struct tcp_bucket b, struct tcp_bucket *to)
{
	for (;;) {
		const uint32_t next = b.next;

		for (uint32_t i = 0; i < TCP_BUCKET; i++) {
			struct tcp_bucket *home = to;

			if (b.ref[i] == 0)
				continue;
			if (to == NULL)
				home = tcp_table_home(
				    tbl, tcp_table_hash(tbl, tcp_table_flow(tbl, b.ref[i])));
			chain_add(tbl, home, b.tag[i], b.ref[i]);
		}
		if (next == 0)
			return;
		b = tbl->more[next];
		chain_give(tbl, next);
	}
}

static void grow_table(struct tcp_table *tbl)
{
	struct tcp_bucket *from, old;

	if (tbl->nb > tbl->mask)
		tbl->mask = 2 * tbl->mask + 1;
	from = &tbl->bucket[tbl->nb & tbl->mask >> 1];
	tbl->nb++;
	old = *from;
	*from = (struct tcp_bucket){0};
	enter_again(tbl, old, NULL);
	prefetch_flows(tbl, &tbl->bucket[tbl->nb & tbl->mask >> 1]);
}

/* no hash is needed: the home of all the last bucket's entries is now its first half */
static void shrink(struct tcp_table *tbl)
{
	struct tcp_bucket *last = &tbl->bucket[--tbl->nb], old = *last;
	struct tcp_bucket *to = &tbl->bucket[tbl->nb & tbl->mask >> 1];

	*last = (struct tcp_bucket){0};
	enter_again(tbl, old, to);
	if (tbl->nb == (tbl->mask >> 1) + 1)
		tbl->mask >>= 1;
}

/* the count of flows with the same local address as this one */
static uint32_t *named_by(struct tcp_table *tbl, flow_ref ref)
{
	return &tbl->named[tcp_table_flow(tbl, ref)->laddr % PC_MAX_ADDRS];
}

void tcp_table_add(struct tcp_table *tbl, uint64_t hash, flow_ref ref)
{
	assert(ref != 0);
	++*named_by(tbl, ref);
	chain_add(tbl, tcp_table_home(tbl, hash), tcp_table_tag(hash), ref);
	if (++tbl->count > tbl->nb * TCP_BUCKET_GROW && tbl->nb < tbl->nb_max)
		grow_table(tbl);
}

void tcp_table_del(struct tcp_table *tbl, uint64_t hash, flow_ref ref)
{
	const struct place p = place_of(tbl, hash, ref);
	struct tcp_bucket *home = tcp_table_home(tbl, hash);

	--*named_by(tbl, ref);
	if (home->next == 0)
		p.b->ref[p.i] = 0;
	else
		chain_del(tbl, home, p);
	if (--tbl->count < tbl->nb * TCP_BUCKET_SHRINK && tbl->nb > NB_MIN)
		shrink(tbl);
}

/* ---- checking -------------------------------------------------------------------------------- */

static unsigned validate_chain(const struct tcp_table *tbl, const struct tcp_bucket *b,
                               uint32_t *count, uint32_t *chained, uint32_t named[PC_MAX_ADDRS])
{
	unsigned bad = 0;

	for (bool first = true;; first = false, b = &tbl->more[b->next]) {
		uint32_t used = 0;

		for (uint32_t k = 0; k < TCP_BUCKET; k++) {
			const struct tcp_flow *flow;

			if (b->ref[k] == 0)
				continue;
			used++;
			flow = tcp_table_flow(tbl, b->ref[k]);
			bad += tcp_table_find(tbl, tcp_table_hash(tbl, flow), flow) != b->ref[k];
			named[flow->laddr % PC_MAX_ADDRS]++;
		}
		*count += used;
		*chained += !first;
		bad += (b->next != 0 && used < TCP_BUCKET) || (!first && used == 0);
		if (b->next == 0)
			return bad;
	}
}

unsigned tcp_table_validate(const struct tcp_table *tbl)
{
	uint32_t count = 0, chained = 0, named[PC_MAX_ADDRS] = {0};
	unsigned bad = 0;

	for (uint32_t i = 0; i < tbl->nb; i++)
		bad += validate_chain(tbl, &tbl->bucket[i], &count, &chained, named);
	bad += memcmp(named, tbl->named, sizeof(named)) != 0;
	bad += tbl->mask + 1 != rte_align32pow2(tbl->nb);
	return bad + (count != tbl->count) + (chained != tbl->nb_more);
}
