/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

/* Random numbers that are the same for the same seed, whatever the library. */

#include <stdint.h>

/** draw_from returns a number from low to high, and advances the state (xorshift), which is never 0. */
static inline uint64_t draw_from(uint64_t *state, uint64_t low, uint64_t high)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return low + *state % (high - low + 1);
}

#endif
