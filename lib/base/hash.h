/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_HASH_H
#define BASE_HASH_H

/*
 * The hash of the tables that the network fills.
 *
 * Whoever sends packets chooses their addresses and ports.  If they could compute the hash, they
 * could send thousands of flows into one bucket, and every lookup would walk all of them: denial of
 * service at a low rate (Crosby and Wallach, 2003).  So the hash is keyed with 128 bits of the
 * stack's secret.  Each step multiplies two 64-bit words, one of which depends on the key, to 128
 * bits and folds the halves: three multiplications in about ten cycles, where SipHash-2-4 takes
 * fifty.
 *
 * It is for positions in tables only.  An outsider sees no hash value, at most a difference in
 * time; what an outsider does see (ISNs, ports, cookies) is made by pc_siphash24.
 */

#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

/* Multiplies to 128 bits and folds the halves by xor. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/**
 * hash24 returns 64 well mixed bits of a 24-byte value; any of them may serve as a table index.
 *
 * A factor that is 0 makes the other one vanish.  To bring that about, or to find two values of one
 * hash, takes the key.  The constants (of SHA-512: roots of primes) keep the three steps different.
 */
static inline uint64_t hash24(const struct hash_key *key, const uint64_t v[3])
{
	const uint64_t c0 = UINT64_C(0x6a09e667f3bcc909), c1 = UINT64_C(0xbb67ae8584caa73b);
	const uint64_t a = hash_fold(v[0] ^ key->k[0], v[1] ^ key->k[1]);
	const uint64_t b = hash_fold(v[2] ^ key->k[1] ^ c0, key->k[0] ^ c1);

	return hash_fold(a ^ b ^ c0, key->k[0] ^ key->k[1] ^ c1);
}

#endif
