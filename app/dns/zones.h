/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ZONES_H
#define DNS_ZONES_H

/*
 * All zones that are served.  A name is looked up in the one with the longest apex at or above it.
 */

#include "cookie.h"
#include "zone.h"

struct zones {
	struct zone **zone;
	size_t nb;
	unsigned labels_max; /**< of an apex */
	uint32_t number;     /**< counted up by whoever replaces one table by the next */
	uint64_t mask;
	const struct zone **slots;
	struct cookie_secrets cookies; /**< set by whoever makes the table public; none at first */
};

/** zones_begin makes a table with room for max zones. Returns NULL without memory. */
struct zones *zones_begin(size_t max);

/** zones_add puts a zone into it, and holds it. Returns false, and does not, if there is one with that apex. */
bool zones_add(struct zones *z, struct zone *zone);

/** zones_make makes a table of n zones with different apexes, and holds them. Returns NULL without memory. */
struct zones *zones_make(struct zone *const *zone, size_t n);

/** zones_free releases the zones and frees the table; NULL is allowed. */
void zones_free(struct zones *z);

/** zones_find returns the zone that the name from label i on is in, and at which label its apex begins; NULL: none. */
const struct zone *zones_find(const struct zones *z, const struct dname *n, unsigned i,
                              unsigned *apex);

#endif
