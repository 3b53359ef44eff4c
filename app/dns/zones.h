/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ZONES_H
#define DNS_ZONES_H

/*
 * All zones that are served. A name belongs to the one with the longest apex at or above it.
 */

#include "cookie.h"
#include "zone.h"

struct zones {
	struct zone **zone;
	size_t nb;
	unsigned labels_max; /**< in any apex */
	uint32_t number;     /**< increased by the thread that replaces one table with the next */
	uint64_t mask;
	const struct zone **slots;
	struct cookie_secrets cookies; /**< set when the table is published; none at first */
};

/** zones_begin makes a table with room for max zones. Returns NULL without memory. */
struct zones *zones_begin(size_t max);

/** zones_add adds a zone, and takes a reference to it. Returns false without doing so if there is
 * one with that apex. */
bool zones_add(struct zones *z, struct zone *zone);

/** zones_make makes a table of n zones with different apexes, and takes references to them. Returns
 * NULL without memory. */
struct zones *zones_make(struct zone *const *zone, size_t n);

/** zones_free releases the zones and frees the table; NULL is allowed. */
void zones_free(struct zones *z);

/** zones_find returns the zone of the name that begins at label i, and the label at which its apex
 * begins; NULL: none. */
const struct zone *zones_find(const struct zones *z, const struct dname *n, unsigned i,
                              unsigned *apex);

#endif
