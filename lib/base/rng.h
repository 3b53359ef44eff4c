/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_RNG_H
#define BASE_RNG_H

/*
 * Randomness of one stack, all of it derived from one seed: a generator for choices that an outsider
 * may guess at no great loss (xoshiro256**), and keys of SipHash-2-4 for what he must not guess.
 */

#include <stddef.h>
#include <stdint.h>

#include <percore/siphash.h>

struct rng {
	uint64_t s[4];
};

/** rng_seed starts the generator anew; every seed, 0 too, gives a good state. */
void rng_seed(struct rng *rng, uint64_t seed);

/** rng_next returns 64 random bits. */
uint64_t rng_next(struct rng *rng);

/** rng_below returns a number in [0,n), without bias worth speaking of; n > 0. */
static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}

/** rng_chance is true in ppm of a million cases. */
static inline int rng_chance(struct rng *rng, uint32_t ppm)
{
	return ppm != 0 && rng_below(rng, 1000000) < ppm;
}

/** rng_key draws a key. */
struct pc_sip_key rng_key(struct rng *rng);

#endif
