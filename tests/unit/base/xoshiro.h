/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_BASE_XOSHIRO_H
#define TESTS_UNIT_BASE_XOSHIRO_H

/*
 * Guesses what xoshiro256** says next.
 *
 * A number gives away one of the four words of the state, as what is done to it can be undone; and each bit of a state is a sum
 * of bits of the first one.  So four numbers are 256 equations for as many bits.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/dice.h"

#define XOSHIRO_SEEN 4
#define XOSHIRO_BITS 256

/* An equation: the bits of which the sum is taken, and the sum. */
struct xoshiro_row {
	uint64_t bits[4];
	bool sum;
};

static inline bool xoshiro_has(const uint64_t bits[4], unsigned i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* the word of the state that a number was made of: times 5, rotated by 7, times 9 */
static inline uint64_t xoshiro_word(uint64_t seen)
{
	const uint64_t y = seen * UINT64_C(0x8e38e38e38e38e39);

	return (y >> 7 | y << 57) * UINT64_C(0xcccccccccccccccd);
}

static inline void xoshiro_write(const uint64_t seen[XOSHIRO_SEEN],
                                 struct xoshiro_row row[XOSHIRO_BITS])
{
	memset(row, 0, XOSHIRO_BITS * sizeof(*row));
	for (unsigned i = 0; i < XOSHIRO_BITS; i++)
		row[i].sum = xoshiro_word(seen[i / 64]) >> i % 64 & 1;
	for (unsigned b = 0; b < XOSHIRO_BITS; b++) {
		struct dice one = {{0}};

		one.s[b / 64] = UINT64_C(1) << b % 64;
		for (unsigned i = 0; i < XOSHIRO_BITS; i++) {
			if (i > 0 && i % 64 == 0)
				(void)dice_next(&one);
			if (one.s[1] >> i % 64 & 1)
				row[i].bits[b / 64] |= UINT64_C(1) << b % 64;
		}
	}
}

/* Returns false when no state fits. */
static inline bool xoshiro_solve(struct xoshiro_row row[XOSHIRO_BITS], uint64_t state[4])
{
	for (unsigned b = 0; b < XOSHIRO_BITS; b++) {
		unsigned p = b;
		struct xoshiro_row r;

		while (p < XOSHIRO_BITS && !xoshiro_has(row[p].bits, b))
			p++;
		if (p == XOSHIRO_BITS)
			return false;
		r = row[p];
		row[p] = row[b];
		row[b] = r;
		for (unsigned i = 0; i < XOSHIRO_BITS; i++) {
			if (i == b || !xoshiro_has(row[i].bits, b))
				continue;
			for (unsigned w = 0; w < 4; w++)
				row[i].bits[w] ^= r.bits[w];
			row[i].sum ^= r.sum;
		}
	}
	memset(state, 0, 4 * sizeof(*state));
	for (unsigned b = 0; b < XOSHIRO_BITS; b++)
		state[b / 64] |= (uint64_t)row[b].sum << b % 64;
	return true;
}

/* Guesses the number that comes after these. Returns false when they are of another generator. */
static inline bool xoshiro_guess(const uint64_t seen[XOSHIRO_SEEN], uint64_t *next)
{
	static struct xoshiro_row row[XOSHIRO_BITS];
	struct dice dice;

	xoshiro_write(seen, row);
	if (!xoshiro_solve(row, dice.s))
		return false;
	for (unsigned i = 0; i < XOSHIRO_SEEN; i++)
		if (dice_next(&dice) != seen[i])
			return false;
	*next = dice_next(&dice);
	return true;
}

#endif
