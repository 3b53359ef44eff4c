/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/learnt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_malloc.h>

/* a tick is 2^20 ns, about a millisecond, so that an end fits into 64 bits with what its place is
 * for */
#define LEARNT_TICK_SHIFT 20

/* What a place is for: a table, and whether the source is a link-local address. */
#define OF_BITS  8
#define OF_LINK  (1u << 7)
#define OF_TABLE (OF_LINK - 1)

int fw_learnt_init(struct fw_learnt *l, unsigned slots, uint32_t n, struct hash_key key,
                   int socket_id)
{
	const uint32_t buckets =
	    rte_align32pow2(RTE_MAX(n, (uint32_t)FW_LEARNT_WAYS) / FW_LEARNT_WAYS);

	RTE_BUILD_BUG_ON(FW_LEARNT_WAYS * sizeof(struct fw_learnt_place) != RTE_CACHE_LINE_SIZE);
	*l = (struct fw_learnt){.key = key, .mask = buckets - 1, .nb_slots = slots};
	l->place = rte_zmalloc_socket("pc_fw", (size_t)buckets * slots * RTE_CACHE_LINE_SIZE,
	                              RTE_CACHE_LINE_SIZE, socket_id);
	return l->place != NULL ? 0 : -ENOMEM;
}

void fw_learnt_fini(struct fw_learnt *l)
{
	rte_free(l->place);
	*l = (struct fw_learnt){0};
}

/* ---- places ---------------------------------------------------------------------------------- */

static unsigned of_end(uint64_t end)
{
	return end & ((1 << OF_BITS) - 1);
}

static unsigned table_of_end(uint64_t end)
{
	return end & OF_TABLE;
}

static unsigned of_link(struct fw_source s)
{
	return s.is_link_local ? OF_LINK : 0;
}

static struct fw_source source_at(const struct fw_learnt_place *p)
{
	return (struct fw_source){p->source, (p->end & OF_LINK) != 0};
}

/* Says whether a time is over; that of a free place is. */
static bool is_over(uint64_t end, uint64_t now_ns)
{
	return end >> OF_BITS <= now_ns >> LEARNT_TICK_SHIFT;
}

/* places per bucket */
static unsigned ways(const struct fw_learnt *l)
{
	return l->nb_slots * FW_LEARNT_WAYS;
}

static struct fw_learnt_place *learnt_bucket_of(const struct fw_learnt *l, uint64_t source)
{
	const uint64_t v[3] = {source, 0, 0};

	return &l->place[(size_t)(hash24(&l->key, v) & l->mask) * ways(l)];
}

/* Reads a place of any stack. If end is the same before and after the source is read, the two
 * belong together: write_place sets end to 0 before it changes the source. */
static struct fw_learnt_place read_place(const struct fw_learnt_place *p)
{
	struct fw_learnt_place copy;
	uint64_t again = __atomic_load_n(&p->end, __ATOMIC_ACQUIRE);

	do {
		copy.end = again;
		copy.source = __atomic_load_n(&p->source, __ATOMIC_ACQUIRE);
		again = __atomic_load_n(&p->end, __ATOMIC_ACQUIRE);
	} while (again != copy.end);
	return copy;
}

static void write_place(struct fw_learnt_place *p, uint64_t source, uint64_t end)
{
	__atomic_store_n(&p->end, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&p->source, source, __ATOMIC_RELEASE);
	__atomic_store_n(&p->end, end, __ATOMIC_RELEASE);
}

/* ---- packets --------------------------------------------------------------------------------- */

uint64_t fw_learnt_of(const struct fw_learnt *l, const struct pc_addr *a, uint64_t now_ns)
{
	const struct fw_source source = fw_source_of(a);
	const struct fw_learnt_place *p = learnt_bucket_of(l, source.name);
	uint64_t in = 0;

	for (unsigned i = 0; i < ways(l); i++, p++) {
		struct fw_learnt_place copy;

		if (__atomic_load_n(&p->source, __ATOMIC_RELAXED) != source.name)
			continue;
		copy = read_place(p);
		if (copy.source == source.name && (copy.end & OF_LINK) == of_link(source) &&
		    !is_over(copy.end, now_ns))
			in |= UINT64_C(1) << table_of_end(copy.end);
	}
	return in;
}

/* The place of a source in a stack's part of a bucket, or else the one that expires soonest. */
static struct fw_learnt_place *find_place(struct fw_learnt_place *part, uint64_t source,
                                          unsigned of)
{
	struct fw_learnt_place *soonest = part;

	for (unsigned i = 0; i < FW_LEARNT_WAYS; i++) {
		const uint64_t end = __atomic_load_n(&part[i].end, __ATOMIC_RELAXED);

		if (end != 0 && part[i].source == source && of_end(end) == of)
			return &part[i];
		if (end < __atomic_load_n(&soonest->end, __ATOMIC_RELAXED))
			soonest = &part[i];
	}
	return soonest;
}

static unsigned put_source(struct fw_learnt *l, unsigned slot, uint64_t source, uint64_t end,
                           uint64_t now_ns)
{
	struct fw_learnt_place *part = learnt_bucket_of(l, source) + slot * FW_LEARNT_WAYS;
	struct fw_learnt_place *p = find_place(part, source, of_end(end));
	const uint64_t before = __atomic_load_n(&p->end, __ATOMIC_RELAXED);

	if (is_over(before, now_ns)) {
		write_place(p, source, end);
		return FW_LEARNT_NEW;
	}
	if (p->source != source || of_end(before) != of_end(end)) {
		write_place(p, source, end);
		return FW_LEARNT_NEW | FW_LEARNT_FORGOTTEN;
	}
	if (end > before)
		__atomic_store_n(&p->end, end, __ATOMIC_RELEASE);
	return 0;
}

unsigned fw_learnt_put(struct fw_learnt *l, unsigned slot, unsigned table, const struct pc_addr *a,
                       uint64_t end_ns, uint64_t now_ns)
{
	const struct fw_source s = fw_source_of(a);

	return put_source(l, slot, s.name,
	                  end_ns >> LEARNT_TICK_SHIFT << OF_BITS | of_link(s) | table, now_ns);
}

/* ---- other threads --------------------------------------------------------------------------- */

/* Reads a place. Returns whether it is for the table and has not expired. */
static bool is_member(const struct fw_learnt_place *p, unsigned table, uint64_t now_ns,
                      struct fw_learnt_place *copy)
{
	*copy = read_place(p);
	return table_of_end(copy->end) == table && !is_over(copy->end, now_ns);
}

static bool is_same_place(const struct fw_learnt_place *a, const struct fw_learnt_place *b)
{
	return a->source == b->source && of_end(a->end) == of_end(b->end);
}

/* Says whether the source of a member, the i-th of a bucket, also has an earlier place there, to
 * which another stack has added it. */
static bool is_again(const struct fw_learnt_place *bucket, unsigned i,
                     const struct fw_learnt_place *member, uint64_t now_ns)
{
	struct fw_learnt_place other;

	for (unsigned k = 0; k < i; k++)
		if (is_member(&bucket[k], table_of_end(member->end), now_ns, &other) &&
		    is_same_place(&other, member))
			return true;
	return false;
}

/* When a source expires, given the first of its places: the latest end in any stack. */
static uint64_t last_end(const struct fw_learnt *l, const struct fw_learnt_place *bucket,
                         const struct fw_learnt_place *first, uint64_t now_ns)
{
	struct fw_learnt_place other;
	uint64_t end = first->end;

	for (unsigned i = 0; i < ways(l); i++)
		if (is_member(&bucket[i], table_of_end(first->end), now_ns, &other) &&
		    is_same_place(&other, first) && other.end > end)
			end = other.end;
	return end >> OF_BITS << LEARNT_TICK_SHIFT;
}

static size_t nb_places(const struct fw_learnt *l)
{
	return l->place != NULL ? (l->mask + (size_t)1) * ways(l) : 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct pc_firewall_learnt *x = a, *y = b;

	return memcmp(&x->source.addr, &y->source.addr, sizeof(x->source.addr));
}

struct pc_firewall_learnt *fw_learnt_list(const struct fw_learnt *l, unsigned table,
                                          uint64_t now_ns, uint32_t *n)
{
	const size_t all = nb_places(l);
	struct pc_firewall_learnt *list;
	struct fw_learnt_place p;
	size_t room = 0;

	*n = 0;
	for (size_t i = 0; i < all; i++)
		room += is_member(&l->place[i], table, now_ns, &p);
	list = malloc((room + 1) * sizeof(*list));
	/* those added since the count may find no room */
	for (size_t i = 0; list != NULL && i < all && *n < room; i++) {
		const size_t way = i % ways(l);
		const struct fw_learnt_place *bucket = &l->place[i - way];

		if (is_member(&l->place[i], table, now_ns, &p) &&
		    !is_again(bucket, (unsigned)way, &p, now_ns))
			list[(*n)++] =
			    (struct pc_firewall_learnt){.source = fw_source_prefix(source_at(&p)),
			                                .end_ns = last_end(l, bucket, &p, now_ns)};
	}
	if (*n > 1)
		qsort(list, *n, sizeof(*list), compare_places);
	return list;
}

static bool is_meant(const struct fw_table *list, const struct fw_learnt_place *p)
{
	const struct pc_prefix network = fw_source_prefix(source_at(p));

	return list == NULL || fw_table_meets(list, &network);
}

/* Expires a place, even one that has expired already, unless its stack is writing it just now: it
 * is then a new one. */
static void end_place(struct fw_learnt_place *p, unsigned table, const struct fw_table *list)
{
	struct fw_learnt_place copy = read_place(p);

	if (copy.end != 0 && table_of_end(copy.end) == table && is_meant(list, &copy))
		(void)__atomic_compare_exchange_n(&p->end, &copy.end, 0, false, __ATOMIC_RELAXED,
		                                  __ATOMIC_RELAXED);
}

uint32_t fw_learnt_remove(struct fw_learnt *l, unsigned table, const struct fw_table *list,
                          uint64_t now_ns)
{
	const size_t all = nb_places(l);
	struct fw_learnt_place p;
	uint32_t n = 0;

	for (size_t i = 0; i < all; i++) {
		const size_t way = i % ways(l);

		n += is_member(&l->place[i], table, now_ns, &p) &&
		     !is_again(&l->place[i - way], (unsigned)way, &p, now_ns) && is_meant(list, &p);
	}
	for (size_t i = 0; i < all; i++)
		end_place(&l->place[i], table, list);
	return n;
}

void fw_learnt_take(struct fw_learnt *l, const struct fw_learnt *from,
                    const int8_t table_of[FW_TABLES])
{
	const size_t all = nb_places(from);

	if (all == 0)
		return;
	/* so that each source finds its bucket as full as before */
	l->key = from->key;
	for (size_t i = 0; i < all; i++) {
		const struct fw_learnt_place p = read_place(&from->place[i]);
		const size_t slot = i % ways(from) / FW_LEARNT_WAYS;
		const int table = p.end != 0 ? table_of[table_of_end(p.end)] : -1;

		if (table >= 0 && slot < l->nb_slots)
			(void)put_source(
			    l, (unsigned)slot, p.source,
			    p.end >> OF_BITS << OF_BITS | (p.end & OF_LINK) | (unsigned)table, 0);
	}
}
