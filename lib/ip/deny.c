/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: changes are rare, but a lookup may be needed for every packet of a flood.  So each
 * change rebuilds the sorted ranges, and a lookup is a binary search in them.  An IPv4 address is
 * looked up in its mapped form, which everything above IP uses.
 */
#include "ip/deny.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

uint64_t deny_footprint(uint32_t max)
{
	return max * (uint64_t)(sizeof(struct pc_prefix) + sizeof(struct deny_range));
}

int deny_init(struct deny *d, uint32_t max, int socket_id)
{
	*d = (struct deny){.max = max};
	if (max == 0)
		return 0;
	d->prefix = rte_zmalloc_socket("pc_deny", max * sizeof(*d->prefix), 0, socket_id);
	d->range = rte_zmalloc_socket("pc_deny", max * sizeof(*d->range), 0, socket_id);
	return d->prefix != NULL && d->range != NULL ? 0 : -ENOMEM;
}

void deny_fini(struct deny *d)
{
	rte_free(d->prefix);
	rte_free(d->range);
	*d = (struct deny){0};
}

static int compare(const uint64_t a[2], const uint64_t b[2])
{
	const unsigned i = a[0] == b[0];

	return (a[i] > b[i]) - (a[i] < b[i]);
}

/* the bits of word i of an address that a prefix of len bits does not cover */
static uint64_t open_bits(unsigned len, unsigned i)
{
	const unsigned fixed = len > 64 * i ? len - 64 * i : 0;

	return fixed >= 64 ? 0 : UINT64_MAX >> fixed;
}

static struct deny_range range_of(const struct pc_prefix *p)
{
	struct deny_range r;

	for (unsigned i = 0; i < 2; i++) {
		const uint64_t open = open_bits(p->len, i);

		r.first[i] = __builtin_bswap64(p->addr.q[i]) & ~open;
		r.last[i] = r.first[i] | open;
	}
	return r;
}

static int by_first(const void *a, const void *b)
{
	return compare(((const struct deny_range *)a)->first,
	               ((const struct deny_range *)b)->first);
}

/* two prefixes are either nested or disjoint */
static void make_ranges(struct deny *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->n; i++)
		d->range[i] = range_of(&d->prefix[i]);
	if (d->n > 0)
		qsort(d->range, d->n, sizeof(d->range[0]), by_first);
	for (uint32_t i = 0; i < d->n; i++) {
		if (n > 0 && compare(d->range[i].first, d->range[n - 1].last) <= 0) {
			if (compare(d->range[i].last, d->range[n - 1].last) > 0)
				d->range[n - 1] = d->range[i];
			continue;
		}
		d->range[n++] = d->range[i];
	}
	d->nb_ranges = n;
}

int deny_set(struct deny *d, const struct pc_prefix *prefix, uint32_t n)
{
	if (n > d->max)
		return -ENOSPC;
	for (uint32_t i = 0; i < n; i++)
		if (prefix[i].len > 128)
			return -EINVAL;
	if (n > 0)
		memcpy(d->prefix, prefix, n * sizeof(*prefix));
	d->n = n;
	make_ranges(d);
	return 0;
}

/* the index of a prefix in the list; n if it is not there */
static uint32_t place_of(const struct deny *d, const struct pc_prefix *p)
{
	const struct deny_range want = range_of(p);
	uint32_t i = 0;

	while (i < d->n) {
		const struct deny_range r = range_of(&d->prefix[i]);

		if (d->prefix[i].len == p->len && compare(r.first, want.first) == 0)
			break;
		i++;
	}
	return i;
}

int deny_add(struct deny *d, const struct pc_prefix *prefix)
{
	if (prefix->len > 128)
		return -EINVAL;
	if (place_of(d, prefix) < d->n)
		return -EEXIST;
	if (d->n == d->max)
		return -ENOSPC;
	d->prefix[d->n++] = *prefix;
	make_ranges(d);
	return 0;
}

int deny_del(struct deny *d, const struct pc_prefix *prefix)
{
	uint32_t i = prefix->len <= 128 ? place_of(d, prefix) : d->n;

	if (i == d->n)
		return -ENOENT;
	d->prefix[i] = d->prefix[--d->n];
	make_ranges(d);
	return 0;
}

bool deny_find(const struct deny *d, const struct pc_addr *a)
{
	const uint64_t at[2] = {__builtin_bswap64(a->q[0]), __builtin_bswap64(a->q[1])};
	uint32_t low = 0, high = d->nb_ranges;

	/* the last range that begins at or before it */
	while (low < high) {
		const uint32_t middle = (low + high) / 2;

		if (compare(d->range[middle].first, at) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && compare(at, d->range[low - 1].last) <= 0;
}
