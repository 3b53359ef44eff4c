/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_DICE_H
#define BASE_DICE_H

/*
 * Fast random numbers that need not be secret, for example for the fate of frames on a simulated
 * network: xoshiro256**, which gives the same numbers for the same seed.  Whoever sees a few of
 * them can compute the rest; for what the network must not guess there is rng.h.
 */

#include <stdint.h>

struct dice {
	uint64_t s[4];
};

/** dice_seed starts the generator anew; every seed, 0 too, gives a good state. */
void dice_seed(struct dice *dice, uint64_t seed);

/** dice_next returns 64 bits. */
uint64_t dice_next(struct dice *dice);

/** dice_below returns a number in [0,n), without bias worth speaking of; n > 0. */
static inline uint32_t dice_below(struct dice *dice, uint32_t n)
{
	return (uint32_t)(((dice_next(dice) >> 32) * n) >> 32);
}

/** dice_chance is true in ppm of a million cases. */
static inline int dice_chance(struct dice *dice, uint32_t ppm)
{
	return ppm != 0 && dice_below(dice, 1000000) < ppm;
}

#endif
