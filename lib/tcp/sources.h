/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_SOURCES_H
#define TCP_SOURCES_H

/*
 * How many of something each source (fw/source.h) has.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include <percore/addr.h>

#include "base/rng.h"

#define SOURCES_ROWS 2

struct sources {
	struct pc_sip_key key;
	uint32_t mask, limit;
	uint32_t *row[SOURCES_ROWS]; /* NULL: not counting */
};

/** sources_footprint returns the bytes for n things, 0 if nothing is counted. */
uint64_t sources_footprint(uint64_t n, bool counts);

/** sources_init prepares to count up to n things, if counts; limit 0: a source may have any number.
 * Returns 0 or -ENOMEM. */
int sources_init(struct sources *s, uint64_t n, bool counts, uint64_t limit, struct pc_sip_key key,
                 int socket_id);
void sources_fini(struct sources *s);

/* The parts of the functions below that count. */
void sources_change(struct sources *s, const struct pc_addr *a, uint32_t by);
uint32_t sources_count(const struct sources *s, const struct pc_addr *a);

static inline bool sources_are_counted(const struct sources *s)
{
	return unlikely(s->row[0] != NULL);
}

/** sources_add counts one more for a source, sources_del one less. */
static inline void sources_add(struct sources *s, const struct pc_addr *a)
{
	if (sources_are_counted(s))
		sources_change(s, a, 1);
}

static inline void sources_del(struct sources *s, const struct pc_addr *a)
{
	if (sources_are_counted(s))
		sources_change(s, a, UINT32_MAX);
}

/** sources_is_full says whether a source has reached its limit. */
static inline bool sources_is_full(const struct sources *s, const struct pc_addr *a)
{
	return unlikely(s->limit != 0) && sources_count(s, a) >= s->limit;
}

#endif
