/* SPDX-License-Identifier: BSD-2-Clause */
#include "failpool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

/*
 * Overview: a custom backend for the mempool (rte_mempool_ops): a stack of pointers, with a counter
 * in front of it.  Without a cache, each rte_pktmbuf_alloc calls fail_dequeue.
 */

struct store {
	uint64_t taken, first, n;
	unsigned count;
	void *object[];
};

static int store_alloc(struct rte_mempool *pool)
{
	struct store *s = calloc(1, sizeof(*s) + pool->size * sizeof(void *));

	pool->pool_data = s;
	return s != NULL ? 0 : -ENOMEM;
}

static void store_free(struct rte_mempool *pool)
{
	free(pool->pool_data);
}

static int store_enqueue(struct rte_mempool *pool, void *const *objects, unsigned n)
{
	struct store *s = pool->pool_data;

	if (s->count + n > pool->size)
		return -ENOBUFS;
	for (unsigned i = 0; i < n; i++)
		s->object[s->count++] = objects[i];
	return 0;
}

/* whether allocation number k is one of those that fail */
static bool fails(const struct store *s, uint64_t k)
{
	return k >= s->first && k - s->first < s->n;
}

static int store_dequeue(struct rte_mempool *pool, void **objects, unsigned n)
{
	struct store *s = pool->pool_data;

	if (fails(s, ++s->taken) || s->count < n)
		return -ENOBUFS;
	for (unsigned i = 0; i < n; i++)
		objects[i] = s->object[--s->count];
	return 0;
}

static unsigned store_count(const struct rte_mempool *pool)
{
	return ((const struct store *)pool->pool_data)->count;
}

static const struct rte_mempool_ops store_ops = {
    .name = "failpool",
    .alloc = store_alloc,
    .free = store_free,
    .enqueue = store_enqueue,
    .dequeue = store_dequeue,
    .get_count = store_count,
};

RTE_MEMPOOL_REGISTER_OPS(store_ops);

struct rte_mempool *failpool_make(const char *name, uint32_t n)
{
	struct rte_pktmbuf_pool_private priv = {.mbuf_data_room_size = RTE_MBUF_DEFAULT_BUF_SIZE};
	struct rte_mempool *pool = rte_mempool_create_empty(
	    name, n, (unsigned)sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE, 0, sizeof(priv),
	    -1, 0);

	if (pool == NULL || rte_mempool_set_ops_byname(pool, "failpool", NULL) != 0)
		goto fail;
	rte_pktmbuf_pool_init(pool, &priv);
	if (rte_mempool_populate_default(pool) < 0)
		goto fail;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
fail:
	fprintf(stderr, "no pool %s of %u mbufs\n", name, n);
	exit(1);
}

void failpool_set(struct rte_mempool *pool, uint64_t first, uint64_t n)
{
	struct store *s = pool->pool_data;

	s->taken = 0;
	s->first = first;
	s->n = n;
}

bool failpool_is_failing(const struct rte_mempool *pool)
{
	const struct store *s = pool->pool_data;

	return fails(s, s->taken + 1);
}

void failpool_heal(struct rte_mempool *pool)
{
	((struct store *)pool->pool_data)->n = 0;
}

uint64_t failpool_taken(const struct rte_mempool *pool)
{
	return ((const struct store *)pool->pool_data)->taken;
}
