/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_DICE_H
#define BASE_DICE_H

/*
 * Fast random numbers that need not be secret, for example for the fate of frames on a simulated
 * network: xoshiro256**, which gives the same numbers for the same seed.  An observer can compute
 * all of them from a few; for numbers that the network must not guess use rng.h.
 */

#include <stdint.h>

struct dice {
	uint64_t s[4];
};

/** dice_seed restarts the generator; every seed, including 0, gives a good state. */
void dice_seed(struct dice *dice, uint64_t seed);

/** dice_next returns 64 bits. */
uint64_t dice_next(struct dice *dice);

/** dice_below returns a number in [0,n), with negligible bias; n > 0. */
static inline uint32_t dice_below(struct dice *dice, uint32_t n)
{
	return (uint32_t)(((dice_next(dice) >> 32) * n) >> 32);
}

/** dice_chance is true with a probability of ppm in a million. */
static inline int dice_chance(struct dice *dice, uint32_t ppm)
{
	return ppm != 0 && dice_below(dice, 1000000) < ppm;
}

#endif
