/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_RNG_H
#define BASE_RNG_H

/*
 * The random numbers of a stack, all derived from one key: SipHash-2-4 of a counter.
 *
 * Many of them are seen by others (ports, transaction IDs, nonces), and the rest are keys.  Whoever
 * has seen any of them must not be able to compute another, earlier or later one.  This rules out
 * the usual fast generators (dice.h), of which a few hundred bits give away all.
 */

#include <stddef.h>
#include <stdint.h>

#include <percore/siphash.h>

struct rng {
	struct pc_sip_key key;
	uint64_t n;
};

/** rng_init starts the generator with a key that nobody knows. */
void rng_init(struct rng *rng, const struct pc_sip_key *key);

/** rng_seed starts it with a number: who knows that knows all. */
void rng_seed(struct rng *rng, uint64_t seed);

/** rng_next returns 64 random bits. */
uint64_t rng_next(struct rng *rng);

/** rng_below returns a number in [0,n), without bias worth speaking of; n > 0. */
static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}

/** rng_key draws a key. */
struct pc_sip_key rng_key(struct rng *rng);

#endif
