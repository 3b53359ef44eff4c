/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_HASH_MIX_H
#define SHARED_HASH_MIX_H

/*
 * A step of a keyed hash, for tables whose names are chosen by others: an attacker who writes a
 * zone file or uploads files must not be able to find names with the same hash, because a lookup
 * would walk all of them.
 */

#include <stdint.h>

/** A key: two random numbers, the second one odd. */
struct hash_mix_key {
	uint64_t k[2];
};

/** hash_mix_key_of makes a key from two random numbers. */
static inline struct hash_mix_key hash_mix_key_of(const uint64_t random[2])
{
	return (struct hash_mix_key){{random[0], random[1] | 1}};
}

/**
 * hash_mix multiplies to 128 bits and folds the halves: how a changed bit affects the upper half
 * cannot be predicted without the key.
 */
static inline uint64_t hash_mix(const struct hash_mix_key *key, uint64_t word)
{
	const unsigned __int128 product = (unsigned __int128)(word ^ key->k[0]) * key->k[1];

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
