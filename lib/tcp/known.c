/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a table with one possible place for each source, chosen by a keyed hash, so that an
 * attacker cannot choose whose place to share. A place holds other bits of the hash, and the time
 * in units of about a minute, modulo 256.
 *
 * A new source evicts the one in its place. While frames arrive faster than they are processed, it
 * only evicts one that has not been seen for an hour; otherwise an attacker with many addresses
 * could evict all others.
 */
#include "tcp/known.h"

#include "fw/source.h"

static uint64_t known_hash_of(const struct known *k, const struct pc_addr *a)
{
	const struct fw_source s = fw_source_of(a);
	const uint64_t v[3] = {s.name, s.is_link_local, 0};

	return hash24(&k->key, v);
}

static uint32_t known_place_of(uint64_t hash)
{
	return (uint32_t)hash & (KNOWN_PLACES - 1);
}

/* never 0, which marks a free place */
static uint32_t tag_of(uint64_t hash)
{
	return ((uint32_t)(hash >> 32) & ~UINT32_C(0xff)) | 1u << 31;
}

void known_note(struct known *k, const struct pc_addr *a, uint64_t now_ns, bool busy)
{
	const uint64_t hash = known_hash_of(k, a);
	const uint32_t unit = (uint32_t)(now_ns >> KNOWN_SHIFT) & 0xff;
	uint32_t *place = &k->place[known_place_of(hash)];
	const bool other = (*place & ~UINT32_C(0xff)) != tag_of(hash);

	if (busy && *place != 0 && other && ((unit - *place) & 0xff) <= KNOWN_UNITS)
		return;
	*place = tag_of(hash) | unit;
}

bool known_has(const struct known *k, const struct pc_addr *a)
{
	const uint64_t hash = known_hash_of(k, a);

	return (k->place[known_place_of(hash)] & ~UINT32_C(0xff)) == tag_of(hash);
}
