/* SPDX-License-Identifier: BSD-2-Clause */

/* xoshiro256**, seeded by splitmix64 (Blackman and Vigna, 2018). */

#include "base/dice.h"

static uint64_t xoshiro_rotl(uint64_t x, unsigned bits)
{
	return (x << bits) | (x >> (64 - bits));
}

/* Expands a seed to any number of words; never yields four zeros in a row. */
static uint64_t splitmix_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void dice_seed(struct dice *dice, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++)
		dice->s[i] = splitmix_next(&seed);
}

uint64_t dice_next(struct dice *dice)
{
	uint64_t *s = dice->s;
	const uint64_t result = xoshiro_rotl(s[1] * 5, 7) * 9;
	const uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = xoshiro_rotl(s[3], 45);
	return result;
}
