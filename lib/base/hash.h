/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_HASH_H
#define BASE_HASH_H

/*
 * The hash for tables whose keys come from the network.
 *
 * Senders choose the addresses and ports of their packets.  A sender that could compute the hash
 * could put thousands of flows into one bucket, and every lookup would walk all of them: denial of
 * service at a low rate (Crosby and Wallach, 2003).  So the hash is keyed with 128 bits of the
 * stack's secret.  Each step multiplies two 64-bit words, one of which depends on the key, to 128
 * bits and folds the halves: three multiplications in about ten cycles, where SipHash-2-4 takes
 * fifty.
 *
 * Use it only for positions in tables.  Outsiders see no hash value, at most a difference in time;
 * values that they do see (ISNs, ports, cookies) are made by pc_siphash24.
 */

#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

/* Multiplies to 128 bits and xors the halves. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/**
 * hash24 hashes a 24-byte value to 64 well mixed bits; any of them may serve as a table index.
 *
 * A factor of 0 cancels the other one.  Causing that, or finding two values with the same hash,
 * requires the key.  The constants (from SHA-512: roots of primes) keep the three steps different.
 */
static inline uint64_t hash24(const struct hash_key *key, const uint64_t v[3])
{
	const uint64_t c0 = UINT64_C(0x6a09e667f3bcc909), c1 = UINT64_C(0xbb67ae8584caa73b);
	const uint64_t a = hash_fold(v[0] ^ key->k[0], v[1] ^ key->k[1]);
	const uint64_t b = hash_fold(v[2] ^ key->k[1] ^ c0, key->k[0] ^ c1);

	return hash_fold(a ^ b ^ c0, key->k[0] ^ key->k[1] ^ c1);
}

#endif
