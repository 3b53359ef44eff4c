/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_DICE_H
#define BASE_DICE_H

/*
 * Numbers for what is thrown again and again and need not be kept from anybody, as the fate of frames on a simulated network:
 * xoshiro256**, fast, and the same for the same seed.  Who sees a few of them can compute the rest; what the network must not
 * guess is of rng.h.
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
