/* SPDX-License-Identifier: BSD-2-Clause */
#include "zones.h"

#include <stdlib.h>
#include <string.h>

static unsigned count_labels(const struct name *n)
{
	unsigned labels = 0;

	for (; n->parent != NULL; n = n->parent)
		labels++;
	return labels;
}

struct zones *zones_begin(size_t max)
{
	struct zones *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return NULL;
	for (z->mask = 4; z->mask < max * 2; z->mask *= 2)
		;
	z->slots = calloc(z->mask, sizeof(struct zone *));
	z->mask--;
	z->zone = calloc(max + 1, sizeof(struct zone *));
	if (z->slots != NULL && z->zone != NULL)
		return z;
	zones_free(z);
	return NULL;
}

bool zones_add(struct zones *z, struct zone *zone)
{
	const struct name *apex = zone->apex;
	uint64_t at = apex->hash & z->mask;
	const struct zone *there;

	for (; (there = z->slots[at]) != NULL; at = (at + 1) & z->mask)
		if (there->apex->hash == apex->hash && there->apex->len == apex->len &&
		    memcmp(there->apex->lower, apex->lower, apex->len) == 0)
			return false;
	z->slots[at] = z->zone[z->nb++] = zone_hold(zone);
	if (count_labels(apex) > z->labels_max)
		z->labels_max = count_labels(apex);
	return true;
}

struct zones *zones_make(struct zone *const *zone, size_t n)
{
	struct zones *z = zones_begin(n);

	for (size_t i = 0; z != NULL && i < n; i++)
		(void)zones_add(z, zone[i]);
	return z;
}

void zones_free(struct zones *z)
{
	if (z == NULL)
		return;
	for (size_t i = 0; i < z->nb; i++)
		zone_release(z->zone[i]);
	free(z->zone);
	free(z->slots);
	free(z);
}

static const struct zone *find_apex(const struct zones *z, const struct dname *n, unsigned i)
{
	const uint8_t len = (uint8_t)(n->len - n->at[i]);
	uint64_t at = n->hash[i] & z->mask;
	const struct zone *zone;

	for (; (zone = z->slots[at]) != NULL; at = (at + 1) & z->mask)
		if (zone->apex->hash == n->hash[i] && zone->apex->len == len &&
		    memcmp(zone->apex->lower, n->lower + n->at[i], len) == 0)
			return zone;
	return NULL;
}

const struct zone *zones_find(const struct zones *z, const struct dname *n, unsigned i,
                              unsigned *apex)
{
	if (n->labels > z->labels_max && i < n->labels - z->labels_max)
		i = n->labels - z->labels_max;
	for (; i <= n->labels; i++) {
		const struct zone *zone = find_apex(z, n, i);

		if (zone != NULL) {
			*apex = i;
			return zone;
		}
	}
	return NULL;
}
