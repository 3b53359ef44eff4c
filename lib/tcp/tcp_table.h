/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_TABLE_H
#define TCP_TCP_TABLE_H

/*
 * The flow table: from a flow to its TCB, its SYN cache entry or its TIME-WAIT entry.
 *
 * Buckets of one cache line hold eight 16-bit tags of the hash and eight references; what does not
 * fit into a bucket is in further ones chained to it.  The flows themselves are read only if a tag
 * matches.  The hash is keyed per stack, so an attacker cannot aim at a bucket.
 *
 * The table grows and shrinks with its contents (linear hashing, Litwin, VLDB 1980): of an array
 * reserved for all flows, the first nb buckets are in use.  An addition beyond
 * TCP_BUCKET_GROW flows per bucket splits one bucket in two, which reads the flows of that bucket;
 * a deletion below TCP_BUCKET_SHRINK joins two.  Other buckets are not touched, so no addition
 * waits for the table to be rebuilt.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vect.h>

#include "base/freelist.h"
#include "base/hash.h"
#include "tcp/tcb.h"

/** A reference to a flow: its kind in the two highest bits, its index in the others; 0: none. */
typedef uint32_t flow_ref;

enum flow_kind {
	FLOW_NONE = 0,
	FLOW_TCB = 1,
	FLOW_SYN = 2,
	FLOW_TW = 3,
};

static_assert(offsetof(struct tcp_flow, laddr) == 16 && offsetof(struct tcp_flow, lport) == 18 &&
                  offsetof(struct tcp_flow, rport) == 20,
              "tcp_table_name stores them as one word");

static inline flow_ref flow_ref_make(enum flow_kind kind, uint32_t index)
{
	return (uint32_t)kind << 30 | index;
}

static inline enum flow_kind flow_ref_kind(flow_ref ref)
{
	return (enum flow_kind)(ref >> 30);
}

static inline uint32_t flow_ref_index(flow_ref ref)
{
	return ref & 0x3fffffff;
}

#define TCP_BUCKET 8

/* flows per bucket, on average: above the first the table grows, below the second it shrinks */
#define TCP_BUCKET_GROW   3
#define TCP_BUCKET_SHRINK 1

struct tcp_bucket {
	uint16_t tag[TCP_BUCKET];
	flow_ref ref[TCP_BUCKET];
	uint32_t next; /* an index of tcp_table.more, 0: none */
	uint32_t pad[3];
};

static_assert(sizeof(struct tcp_bucket) == 64, "one cache line");

struct tcp_table {
	struct hash_key key;
	struct tcp_bucket *bucket;
	struct tcp_bucket *more; /* for chains; free ones are linked by next */
	uint32_t mask;           /* the smallest power of two that is nb or more, less one */
	uint32_t nb;             /* buckets in use */
	uint32_t nb_max;
	uint32_t count;
	struct freelist free_more;
	uint32_t nb_more;             /* further buckets in chains */
	uint32_t named[PC_MAX_ADDRS]; /* flows per local address: by its index, modulo this */
	/* where the flows of each kind are: base + index * stride */
	const char *base[4];
	uint32_t stride[4];
};

/** tcp_table_footprint returns how many bytes a table for n flows takes. */
uint64_t tcp_table_footprint(uint64_t n);

/** tcp_table_init creates an empty table for n flows. Returns 0 or -ENOMEM. */
int tcp_table_init(struct tcp_table *tbl, uint64_t n, struct hash_key key, int socket_id);
void tcp_table_fini(struct tcp_table *tbl);

/** tcp_table_kind sets where the flows of a kind are; each entry begins with its struct
 * tcp_flow. */
void tcp_table_kind(struct tcp_table *tbl, enum flow_kind kind, const void *base, uint32_t stride);

/** tcp_table_hash returns the keyed hash of a flow. */
static inline uint64_t tcp_table_hash(const struct tcp_table *tbl, const struct tcp_flow *flow)
{
	uint64_t v[3];

	__builtin_memcpy(v, flow, sizeof(v));
	return hash24(&tbl->key, v);
}

/**
 * tcp_table_name fills in a flow and returns its hash. It stores the words that are hashed and
 * compared: members stored one by one would have to reach the cache before they could be loaded as
 * one word.
 */
static inline uint64_t tcp_table_name(const struct tcp_table *tbl, struct tcp_flow *flow,
                                      const struct pc_addr *raddr, uint16_t laddr, uint16_t lport,
                                      uint16_t rport)
{
	const uint64_t v[3] = {raddr->q[0], raddr->q[1],
	                       laddr | (uint64_t)lport << 16 | (uint64_t)rport << 32};

	__builtin_memcpy(flow, v, sizeof(v));
	return hash24(&tbl->key, v);
}

static inline const struct tcp_flow *tcp_table_flow(const struct tcp_table *tbl, flow_ref ref)
{
	enum flow_kind kind = flow_ref_kind(ref);

	return (const void *)(tbl->base[kind] + (size_t)flow_ref_index(ref) * tbl->stride[kind]);
}

static inline bool tcp_flow_equal(const struct tcp_flow *a, const struct tcp_flow *b)
{
	/* word by word: the compiler would copy them into vectors first */
	typedef uint64_t __attribute__((aligned(1), may_alias)) word;
	const word *x = (const word *)(const void *)a, *y = (const word *)(const void *)b;

	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2])) == 0;
}

static inline uint16_t tcp_table_tag(uint64_t hash)
{
	return (uint16_t)(hash >> 48);
}

static inline struct tcp_bucket *tcp_table_home(const struct tcp_table *tbl, uint64_t hash)
{
	const uint32_t fine = (uint32_t)hash & tbl->mask;

	return &tbl->bucket[fine < tbl->nb ? fine : fine & tbl->mask >> 1];
}

/* the places of a bucket whose tag matches, as two bits each */
static inline uint32_t tcp_table_match(const struct tcp_bucket *b, uint16_t tag)
{
	__m128i tags = _mm_load_si128((const __m128i *)(const void *)b->tag);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag)));
}

/** tcp_table_candidate returns the first reference whose tag matches, unverified; for
 * prefetching. */
static inline flow_ref tcp_table_candidate(const struct tcp_table *tbl, uint64_t hash)
{
	const struct tcp_bucket *b = tcp_table_home(tbl, hash);
	uint32_t fit = tcp_table_match(b, tcp_table_tag(hash));

	for (; fit != 0; fit &= fit - 1, fit &= fit - 1) {
		flow_ref ref = b->ref[(uint32_t)__builtin_ctz(fit) / 2];

		if (ref != 0)
			return ref;
	}
	return 0;
}

/** tcp_table_find returns the reference of a flow, or 0. */
flow_ref tcp_table_find(const struct tcp_table *tbl, uint64_t hash, const struct tcp_flow *flow);

/** tcp_table_add adds a flow that is not in the table; there is always room for n flows (init). */
void tcp_table_add(struct tcp_table *tbl, uint64_t hash, flow_ref ref);

/** tcp_table_del removes a flow that is in the table under exactly this reference. */
void tcp_table_del(struct tcp_table *tbl, uint64_t hash, flow_ref ref);

/** tcp_table_move changes the reference of a flow in the table. */
void tcp_table_move(struct tcp_table *tbl, uint64_t hash, flow_ref from, flow_ref to);

/**
 * tcp_table_validate checks that every entry is found from its flow, and that chains are no longer
 * than they must be. Returns the number of violations.
 */
unsigned tcp_table_validate(const struct tcp_table *tbl);

#endif
