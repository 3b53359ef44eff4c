/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_RNG_H
#define BASE_RNG_H

/*
 * The random numbers of a stack, all derived from one key: SipHash-2-4 of a counter.
 *
 * Many of them are visible to others (ports, transaction IDs, nonces), and the rest are keys.  An
 * observer must not be able to compute any other number, earlier or later, from those it has seen.
 * This rules out the usual fast generators (dice.h), whose state a few hundred bits give away.
 */

#include <stddef.h>
#include <stdint.h>

#include <percore/siphash.h>

struct rng {
	struct pc_sip_key key;
	uint64_t n;
};

/** rng_init starts the generator with a secret key. */
void rng_init(struct rng *rng, const struct pc_sip_key *key);

/** rng_seed starts it from a number, which determines all that follows. */
void rng_seed(struct rng *rng, uint64_t seed);

/** rng_next returns 64 random bits. */
uint64_t rng_next(struct rng *rng);

/** rng_below returns a number in [0,n), with negligible bias; n > 0. */
static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}

/** rng_key draws a key. */
struct pc_sip_key rng_key(struct rng *rng);

#endif
