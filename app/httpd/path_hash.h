/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_PATH_HASH_H
#define HTTPD_PATH_HASH_H

/*
 * The hash of the table of files.
 *
 * Who chooses names of files (of uploads, say) is not to know which of them have one hash: a look-up would go through all of
 * those.  So it has a key.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Random numbers; the second is odd. */
struct path_key {
	uint64_t k[2];
};

/* Multiplies to 128 bits and folds the halves: what a changed bit does to the upper one takes the key to know. */
static inline uint64_t path_hash_mix(const struct path_key *key, uint64_t word)
{
	const unsigned __int128 product = (unsigned __int128)(word ^ key->k[0]) * key->k[1];

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/** path_hash returns the hash of a path. */
static inline uint64_t path_hash(const struct path_key *key, const char *p, size_t len)
{
	uint64_t h = len, word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = path_hash_mix(key, h ^ word);
	}
	for (word = 0; len > 0; len--)
		word = word << 8 | (uint8_t)*p++;
	return path_hash_mix(key, h ^ word);
}

#endif
