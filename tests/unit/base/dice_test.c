/* SPDX-License-Identifier: BSD-2-Clause */

/* The generator against published vectors, and what its numbers tell. */

#include "base/dice.h"

#include "../unit.h"
#include "xoshiro.h"

static void test_xoshiro_vectors(void)
{
	static const uint64_t expected[] = {
	    UINT64_C(11520),
	    UINT64_C(0),
	    UINT64_C(1509978240),
	    UINT64_C(1215971899390074240),
	    UINT64_C(1216172134540287360),
	    UINT64_C(607988272756665600),
	    UINT64_C(16172922978634559625),
	    UINT64_C(8476171486693032832),
	    UINT64_C(10595114339597558777),
	    UINT64_C(2904607092377533576),
	};
	struct dice dice = {{1, 2, 3, 4}};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		CU_ASSERT_EQUAL(dice_next(&dice), expected[i]);
}

static void test_splitmix_vectors(void)
{
	struct dice dice;

	dice_seed(&dice, 0);
	CU_ASSERT_EQUAL(dice.s[0], UINT64_C(0xe220a8397b1dcdaf));
	CU_ASSERT_EQUAL(dice.s[1], UINT64_C(0x6e789e6aa1b965f4));
	CU_ASSERT_EQUAL(dice.s[2], UINT64_C(0x06c45d188009454f));
	CU_ASSERT_EQUAL(dice.s[3], UINT64_C(0xf88bb8a8724c81ec));
}

static void test_same_seed_same_numbers(void)
{
	struct dice a, b, c;
	unsigned same = 0;

	dice_seed(&a, 42);
	dice_seed(&b, 42);
	dice_seed(&c, 43);
	for (unsigned i = 0; i < 1000; i++) {
		const uint64_t x = dice_next(&a);

		CU_ASSERT_EQUAL(x, dice_next(&b));
		same += x == dice_next(&c);
	}
	CU_ASSERT_EQUAL(same, 0);
}

static void test_below(void)
{
	struct dice dice;
	unsigned count[10] = {0};

	dice_seed(&dice, 7);
	for (unsigned i = 0; i < 100000; i++) {
		const uint32_t x = dice_below(&dice, 10);

		CU_ASSERT_FATAL(x < 10);
		count[x]++;
	}
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT(count[i] > 9500 && count[i] < 10500);
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(dice_below(&dice, 1), 0);
}

static void test_chance(void)
{
	struct dice dice;
	unsigned never = 0, always = 0, some = 0;

	dice_seed(&dice, 8);
	for (unsigned i = 0; i < 100000; i++) {
		never += dice_chance(&dice, 0) != 0;
		always += dice_chance(&dice, 1000000) != 0;
		some += dice_chance(&dice, 20000) != 0;
	}
	CU_ASSERT_EQUAL(never, 0);
	CU_ASSERT_EQUAL(always, 100000);
	CU_ASSERT(some > 1800 && some < 2200);
}

/* Four numbers tell all that come: no secret is to be made of this. */
static void test_can_be_guessed(void)
{
	uint64_t seen[XOSHIRO_SEEN], next = 0;
	struct dice dice;

	dice_seed(&dice, 12345);
	for (unsigned i = 0; i < XOSHIRO_SEEN; i++)
		seen[i] = dice_next(&dice);
	CU_ASSERT(xoshiro_guess(seen, &next));
	CU_ASSERT_EQUAL(next, dice_next(&dice));
}

static const struct unit_case cases[] = {
    {"xoshiro256** vectors", test_xoshiro_vectors},
    {"splitmix64 vectors", test_splitmix_vectors},
    {"same seed, same numbers", test_same_seed_same_numbers},
    {"below", test_below},
    {"chance", test_chance},
    {"can be guessed", test_can_be_guessed},
};

UNIT_MAIN("base/dice", cases)
