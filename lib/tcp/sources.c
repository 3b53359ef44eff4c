/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a count-min sketch.  Each row has as many counters as there can be things to count; a
 * source adds to one counter per row, chosen by a keyed hash, and its count is the least of them.
 * So no list of sources is needed, nothing is evicted, and an attacker cannot choose whose counter
 * to share.  A source that shares its counters in all rows is overcounted; with rows this long and
 * a limit of a dozen or more, that matters for one thing in a million.
 */
#include "tcp/sources.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_malloc.h>

#include "fw/source.h"

static uint64_t row_length(uint64_t n)
{
	return rte_align64pow2(RTE_MAX(n, UINT64_C(64)));
}

uint64_t sources_footprint(uint64_t n, bool counts)
{
	return !counts ? 0 : SOURCES_ROWS * row_length(n) * sizeof(uint32_t);
}

int sources_init(struct sources *s, uint64_t n, bool counts, uint64_t limit, struct pc_sip_key key,
                 int socket_id)
{
	*s = (struct sources){.key = key, .limit = (uint32_t)limit};
	if (!counts)
		return 0;
	s->mask = (uint32_t)row_length(n) - 1;
	for (unsigned i = 0; i < SOURCES_ROWS; i++) {
		s->row[i] = rte_zmalloc_socket("pc_sources", row_length(n) * sizeof(uint32_t),
		                               RTE_CACHE_LINE_SIZE, socket_id);
		if (s->row[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

void sources_fini(struct sources *s)
{
	for (unsigned i = 0; i < SOURCES_ROWS; i++)
		rte_free(s->row[i]);
	*s = (struct sources){0};
}

static uint64_t source_hash_of(const struct sources *s, const struct pc_addr *a)
{
	const struct fw_source source = fw_source_of(a);
	const uint64_t v[2] = {source.name, source.is_link_local};

	return pc_siphash24(&s->key, v, sizeof(v));
}

void sources_change(struct sources *s, const struct pc_addr *a, uint32_t by)
{
	const uint64_t h = source_hash_of(s, a);

	for (unsigned i = 0; i < SOURCES_ROWS; i++)
		s->row[i][(uint32_t)(h >> 32 * i) & s->mask] += by;
}

uint32_t sources_count(const struct sources *s, const struct pc_addr *a)
{
	const uint64_t h = source_hash_of(s, a);
	uint32_t least = UINT32_MAX;

	for (unsigned i = 0; i < SOURCES_ROWS; i++)
		least = RTE_MIN(least, s->row[i][(uint32_t)(h >> 32 * i) & s->mask]);
	return least;
}
