/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_PATH_HASH_H
#define HTTPD_PATH_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../shared/hash_mix.h"

/** path_hash returns the hash of a path, for lookups in the table of files. */
static inline uint64_t path_hash(const struct hash_mix_key *key, const char *p, size_t len)
{
	uint64_t h = len, word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = hash_mix(key, h ^ word);
	}
	for (word = 0; len > 0; len--)
		word = word << 8 | (uint8_t)*p++;
	return hash_mix(key, h ^ word);
}

#endif
