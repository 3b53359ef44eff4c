/* SPDX-License-Identifier: BSD-2-Clause */

/* The table hash: spread, avalanche, and that it depends on the key. */

#include "base/hash.h"

#include "../unit.h"
#include "base/dice.h"

#define BUCKETS 4096
#define FILL    16

static struct hash_key draw_key(struct dice *dice)
{
	struct hash_key key;

	key.k[0] = dice_next(dice);
	key.k[1] = dice_next(dice);
	return key;
}

/* The flows that tables hold: one client network, ports that count up, one server. */
static void make_flow(uint64_t v[3], uint32_t i, unsigned kind)
{
	const uint64_t mapped = UINT64_C(0xffff0000);

	v[0] = 0;
	v[1] = mapped | UINT64_C(0x0a000001) << 32;
	v[2] = UINT64_C(80) << 48;
	if (kind == 0)
		v[2] |= i; /* ports of one client */
	else if (kind == 1)
		v[1] += (uint64_t)__builtin_bswap32(i) << 32; /* clients, one port */
	else if (kind == 2)
		v[0] = (uint64_t)i << 40; /* high bits only */
	else
		v[2] ^= (uint64_t)i << 13 ^ (uint64_t)i * i;
}

/* Chi-squared of the buckets for each kind of flow, from low and from high bits. */
static void test_spread(void)
{
	static uint32_t low[BUCKETS], high[BUCKETS];
	struct dice dice;

	dice_seed(&dice, 1);
	for (unsigned round = 0; round < 16; round++) {
		const struct hash_key key = draw_key(&dice);
		double chi_low = 0, chi_high = 0;

		for (unsigned i = 0; i < BUCKETS; i++)
			low[i] = high[i] = 0;
		for (uint32_t i = 0; i < BUCKETS * FILL; i++) {
			uint64_t v[3], h;

			make_flow(v, i, round % 4);
			h = hash24(&key, v);
			low[h % BUCKETS]++;
			high[h >> 52]++;
		}
		for (unsigned i = 0; i < BUCKETS; i++) {
			chi_low += (low[i] - (double)FILL) * (low[i] - (double)FILL) / FILL;
			chi_high += (high[i] - (double)FILL) * (high[i] - (double)FILL) / FILL;
		}
		/* 4095 degrees of freedom: a deviation of 90 is 1 sigma; 7 of them are allowed */
		CU_ASSERT(chi_low < BUCKETS + 7 * 90);
		CU_ASSERT(chi_high < BUCKETS + 7 * 90);
	}
}

/* Each bit of the value changes each bit of the hash in about half of the cases. */
static void test_avalanche(void)
{
	struct dice dice;
	static unsigned flips[192][64];
	const unsigned trials = 2000;

	dice_seed(&dice, 2);
	for (unsigned t = 0; t < trials; t++) {
		const struct hash_key key = draw_key(&dice);
		uint64_t v[3] = {dice_next(&dice), dice_next(&dice), dice_next(&dice)};
		const uint64_t h = hash24(&key, v);

		for (unsigned bit = 0; bit < 192; bit++) {
			uint64_t d;

			v[bit / 64] ^= UINT64_C(1) << (bit % 64);
			d = h ^ hash24(&key, v);
			v[bit / 64] ^= UINT64_C(1) << (bit % 64);
			for (unsigned o = 0; o < 64; o++)
				flips[bit][o] += (unsigned)(d >> o & 1);
		}
	}
	for (unsigned bit = 0; bit < 192; bit++)
		for (unsigned o = 0; o < 64; o++)
			CU_ASSERT(flips[bit][o] > trials * 2 / 5 && flips[bit][o] < trials * 3 / 5);
}

/* Values that collide in a table under one key do not under another. */
static void test_key_decides(void)
{
	struct dice dice;
	struct hash_key a, b;
	unsigned same = 0, found = 0;

	dice_seed(&dice, 3);
	a = draw_key(&dice);
	b = draw_key(&dice);
	for (uint32_t i = 0; i < 1000000; i++) {
		uint64_t v[3];

		make_flow(v, i, i % 4);
		if (hash24(&a, v) % BUCKETS != 0)
			continue;
		found++;
		same += hash24(&b, v) % BUCKETS == 0;
	}
	CU_ASSERT(found > 150);
	CU_ASSERT(same <= 6);
}

static const struct unit_case cases[] = {
    {"spread over buckets", test_spread},
    {"avalanche", test_avalanche},
    {"the key decides", test_key_decides},
};

UNIT_MAIN("base/hash", cases)
