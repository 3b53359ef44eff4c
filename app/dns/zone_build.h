/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_ZONE_BUILD_H
#define DNS_ZONE_BUILD_H

/* A zone being built: what zone.c collects and zone_compile.c turns into RRsets. */

#include "arena.h"
#include "zone.h"

struct draft {
	struct name *owner;
	const uint8_t *rdata;
	uint32_t ttl;
	uint16_t type, len;
	uint32_t order; /* the order in which they were added */
};

struct zone_builder {
	struct zone *zone;
	struct arena memory;  /* of the zone */
	struct arena scratch; /* for data that is copied into RRsets */
	struct draft *drafts;
	size_t nb_drafts, max_drafts;
};

/** Where names are in the data of a type. */
struct layout {
	uint8_t head, nb_names;
	bool compress; /* RFC 3597 section 4: types of RFC 1035 only */
};

/** layout_of returns the layout of a type; nb_names is 0 if we do not need to know its names. */
struct layout layout_of(uint16_t type);

/** build_intern returns the struct name of a name, making it and its ancestors if needed; NULL
 * without memory. */
struct name *build_intern(struct zone_builder *b, const struct dname *n, const uint8_t *spelled);

/** build_rrsets sorts the drafts and gives each name its RRsets. Returns 0, or -1 with a line in
 * why. */
int build_rrsets(struct zone_builder *b, char *why, size_t why_len);

/** build_fail writes a line about a name. Returns -1. */
int build_fail(char *why, size_t why_len, const struct name *n, const char *what);

#endif
