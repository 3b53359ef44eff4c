/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: network, kind and name are hashed with a secret; the hash selects a bucket of places,
 * and the rest of it is the key of an entry there. An entry is a time that each response moves
 * ahead of the clock by a share of a second, but by no more than a second in total.
 *
 * Invariant: an entry whose time has passed is equivalent to none, so its place is free. If no
 * place is free, the entry that is least far ahead is evicted: the one furthest from its limit.
 */
#include "rrl.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
#define WAYS      4

struct entry {
	uint64_t next_ns;
	uint32_t name;
	uint32_t limited; /* responses over the limit */
};

struct bucket {
	_Alignas(64) struct entry way[WAYS];
};

struct rrl {
	const struct rrl_config *config;
	uint64_t gap_ns;
	uint64_t mask;
	struct bucket *buckets;
};

struct rrl *rrl_create(const struct rrl_config *config)
{
	struct rrl *r = calloc(1, sizeof(*r));
	uint64_t n = 1;

	if (r == NULL)
		return NULL;
	while (n * WAYS < config->entries)
		n *= 2;
	r->config = config;
	r->gap_ns = SECOND_NS / config->rate;
	r->mask = n - 1;
	r->buckets = aligned_alloc(64, n * sizeof(*r->buckets));
	if (r->buckets == NULL) {
		free(r);
		return NULL;
	}
	memset(r->buckets, 0, n * sizeof(*r->buckets));
	return r;
}

void rrl_free(struct rrl *r)
{
	if (r != NULL)
		free(r->buckets);
	free(r);
}

/* Looked up only for clients over the limit. */
static bool is_exempt(const struct rrl_config *c, const struct pc_addr *a)
{
	for (unsigned i = 0; i < c->nb_exempt; i++)
		if (pc_prefix_contains(&c->exempt[i], a))
			return true;
	return false;
}

static uint64_t hash_of(const struct rrl_config *c, const struct pc_addr *to,
                        const struct answer *a)
{
	const unsigned len = pc_addr_is_ip4(to) ? 96u + c->len4 : c->len6;
	struct {
		uint8_t net[16];
		uint64_t subject;
		uint64_t kind;
	} text = {.subject = a->kind == ANSWER_ERROR ? 0 : a->subject, .kind = a->kind};

	memcpy(text.net, to, sizeof(text.net));
	if (len % 8 != 0)
		text.net[len / 8] &= (uint8_t)(0xff << (8 - len % 8));
	for (unsigned i = (len + 7) / 8; i < sizeof(text.net); i++)
		text.net[i] = 0;
	return pc_siphash24(&c->key, &text, sizeof(text));
}

static struct entry *find(struct rrl *r, uint64_t hash)
{
	struct bucket *b = &r->buckets[hash & r->mask];
	const uint32_t name = (uint32_t)(hash >> 32);
	struct entry *least = &b->way[0];

	for (unsigned i = 0; i < WAYS; i++) {
		if (b->way[i].name == name)
			return &b->way[i];
		if (b->way[i].next_ns < least->next_ns)
			least = &b->way[i];
	}
	*least = (struct entry){.name = name};
	return least;
}

enum rrl_verdict rrl_judge(struct rrl *r, const struct pc_addr *to, const struct answer *a,
                           uint64_t now_ns)
{
	const struct rrl_config *c = r->config;
	struct entry *e = find(r, hash_of(c, to, a));

	if (e->next_ns < now_ns)
		e->next_ns = now_ns;
	if (e->next_ns + r->gap_ns <= now_ns + SECOND_NS) {
		e->next_ns += r->gap_ns;
		return RRL_SEND;
	}
	if (is_exempt(c, to))
		return RRL_SEND;
	e->limited++;
	return c->slip != 0 && e->limited % c->slip == 0 ? RRL_SLIP : RRL_DROP;
}
