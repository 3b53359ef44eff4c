/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

/*
 * A compiled zone.
 *
 * Every name of a zone, whether it owns records or is only in their data, is one struct name, and
 * names are compared by their addresses. What a lookup needs is in the name: its RRsets, what hides
 * it, its wildcard. An RRset is stored as the bytes of its answer, unless names in it can be
 * compressed; then each record says where they are.
 *
 * Life cycle: zone_begin, zone_add for each record, zone_end; after that it no longer changes, and
 * any number of threads may read it. The last zone_release frees it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dname.h"

struct rrset;

struct name {
	const struct name *parent;      /**< without the first label; NULL: this is the root */
	const uint8_t *lower, *spelled; /**< in wire format; spelled: as first seen */
	const struct rrset *rrsets;
	/** the delegation at it or above it, or the DNAME above it, whichever is nearest to the
	 * apex; NULL: none, it is ours to answer */
	const struct name *over;
	const struct name *wild; /**< the wildcard below it; NULL: none */
	uint64_t hash;
	uint16_t nb_rrsets;
	uint8_t len; /**< bytes, the root's included */
	bool exists; /**< in the zone, if only because there are names below it */
};

/** A record of an RRset with names in its data. */
struct rr {
	const uint8_t *rdata; /**< head, names, tail */
	uint16_t len;
	uint8_t head;     /**< bytes before the first name */
	uint8_t nb_names; /**< 1 or 2 */
	const struct name *name[2];
};

struct rrset {
	uint16_t type;
	uint16_t nb;
	uint32_t ttl;
	uint32_t len; /**< in bytes */
	/** all records, with a pointer to the question as owner; NULL: names can be compressed */
	const uint8_t *bytes;
	const struct rr *rr; /**< NULL: no names in the data */
};

struct zone_slot {
	const struct name *name;
	uint64_t hash;
};

struct zone {
	const struct name *apex;
	struct rrset negative; /**< the SOA with the TTL of negative answers (RFC 2308 section 3) */
	struct zone_slot *slots;
	uint64_t mask;
	size_t nb_names, nb_records, bytes;
	uint32_t serial;
	uint32_t refs; /**< references; changed only by the thread that makes tables of zones */
	struct arena *memory;
};

/** A record as it is in a zone file. */
struct record {
	const uint8_t *owner; /**< wire format */
	uint16_t type, class;
	uint32_t ttl;
	const uint8_t *rdata;
	uint16_t len;
};

struct zone_builder;

/** zone_begin starts a zone with an apex, a name in wire format. Returns NULL without memory. */
struct zone_builder *zone_begin(const uint8_t *apex);

/*
 * zone_add adds a copy of a record. Returns 0, or -1 with a one-line error message in why.
 */
int zone_add(struct zone_builder *b, const struct record *r, char *why, size_t why_len);

/*
 * zone_end makes the zone, with one reference, and frees the builder. Returns NULL with a line in
 * why if it is not a valid zone.
 */
struct zone *zone_end(struct zone_builder *b, char *why, size_t why_len);

/** zone_cancel frees the builder of an abandoned zone. */
void zone_cancel(struct zone_builder *b);

/** zone_hold and zone_release count references. */
struct zone *zone_hold(struct zone *z);
void zone_release(struct zone *z);

/** zone_find returns the name that begins at label i of n, or NULL if it is not in the zone. */
const struct name *zone_find(const struct zone *z, const struct dname *n, unsigned i);

/** name_rrset returns the RRset of a type, or NULL. */
static inline const struct rrset *name_rrset(const struct name *n, uint16_t type)
{
	for (unsigned i = 0; i < n->nb_rrsets; i++)
		if (n->rrsets[i].type == type)
			return &n->rrsets[i];
	return NULL;
}

/** name_is_below says whether a name is at or below another. */
static inline bool name_is_below(const struct name *n, const struct name *top)
{
	while (n != NULL && n != top)
		n = n->parent;
	return n != NULL;
}

#endif
