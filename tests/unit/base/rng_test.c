/* SPDX-License-Identifier: BSD-2-Clause */

/* The generator, and SipHash against published vectors. */

#include "base/rng.h"

#include <string.h>

#include "../unit.h"
#include "xoshiro.h"

static void test_same_seed_same_numbers(void)
{
	struct rng a, b, c;
	unsigned same = 0;

	rng_seed(&a, 42);
	rng_seed(&b, 42);
	rng_seed(&c, 43);
	for (unsigned i = 0; i < 1000; i++) {
		const uint64_t x = rng_next(&a);

		CU_ASSERT_EQUAL(x, rng_next(&b));
		same += x == rng_next(&c);
	}
	CU_ASSERT_EQUAL(same, 0);
}

static void test_below(void)
{
	struct rng rng;
	unsigned count[10] = {0};

	rng_seed(&rng, 7);
	for (unsigned i = 0; i < 100000; i++) {
		const uint32_t x = rng_below(&rng, 10);

		CU_ASSERT_FATAL(x < 10);
		count[x]++;
	}
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT(count[i] > 9500 && count[i] < 10500);
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(rng_below(&rng, 1), 0);
}

/* Key and message of the reference: bytes 0, 1, 2, ... */
static const struct pc_sip_key reference_key = {
    {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};

static void test_siphash_vectors(void)
{
	static const uint8_t expected[][8] = {
	    {0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72},
	    {0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74},
	    {0x5a, 0x4f, 0xa9, 0xd9, 0x09, 0x80, 0x6c, 0x0d},
	    {0x2d, 0x7e, 0xfb, 0xd7, 0x96, 0x66, 0x67, 0x85},
	    {0xb7, 0x87, 0x71, 0x27, 0xe0, 0x94, 0x27, 0xcf},
	    {0x8d, 0xa6, 0x99, 0xcd, 0x64, 0x55, 0x76, 0x18},
	    {0xce, 0xe3, 0xfe, 0x58, 0x6e, 0x46, 0xc9, 0xcb},
	    {0x37, 0xd1, 0x01, 0x8b, 0xf5, 0x00, 0x02, 0xab},
	    {0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93},
	    {0xb0, 0xe4, 0xa9, 0x0b, 0xdf, 0x82, 0x00, 0x9e},
	    {0xf3, 0xb9, 0xdd, 0x94, 0xc5, 0xbb, 0x5d, 0x7a},
	    {0xa7, 0xad, 0x6b, 0x22, 0x46, 0x2f, 0xb3, 0xf4},
	    {0xfb, 0xe5, 0x0e, 0x86, 0xbc, 0x8f, 0x1e, 0x75},
	    {0x90, 0x3d, 0x84, 0xc0, 0x27, 0x56, 0xea, 0x14},
	    {0xee, 0xf2, 0x7a, 0x8e, 0x90, 0xca, 0x23, 0xf7},
	    {0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1},
	};
	uint8_t message[16];

	for (unsigned i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (size_t len = 0; len < sizeof(message); len++) {
		const uint64_t h = pc_siphash24(&reference_key, message, len);

		CU_ASSERT_EQUAL(memcmp(&h, expected[len], 8), 0);
	}
}

/* Any alignment gives the same, and nothing past the end is read (seen under ASan). */
static void test_siphash_alignment(void)
{
	uint8_t *exact, aligned[64 + 8];

	for (size_t len = 0; len <= 64; len++) {
		uint64_t h;

		exact = malloc(len + (len == 0));
		for (size_t i = 0; i < len; i++)
			exact[i] = (uint8_t)(i * 31);
		h = pc_siphash24(&reference_key, exact, len);
		for (size_t off = 0; off < 8; off++) {
			memcpy(aligned + off, exact, len);
			CU_ASSERT_EQUAL(pc_siphash24(&reference_key, aligned + off, len), h);
		}
		free(exact);
	}
}

/* Who knows many numbers, and how others are made of a state, finds no state that makes these. */
static void test_what_is_seen_tells_nothing(void)
{
	const struct pc_sip_key key = {{UINT64_C(0x0123456789abcdef), 77}};
	uint64_t seen[XOSHIRO_SEEN], next;
	struct rng rng;

	rng_init(&rng, &key);
	for (unsigned i = 0; i < XOSHIRO_SEEN; i++)
		seen[i] = rng_next(&rng);
	CU_ASSERT(!xoshiro_guess(seen, &next) || next != rng_next(&rng));
}

/* A stack's secrets are not those of another with the same time and numbers: the whole key counts. */
static void test_whole_key(void)
{
	struct pc_sip_key key = {{1, 2}};
	struct rng a, b;

	rng_init(&a, &key);
	key.k[1] ^= UINT64_C(1) << 63;
	rng_init(&b, &key);
	CU_ASSERT_NOT_EQUAL(rng_next(&a), rng_next(&b));
}

static void test_keys_differ(void)
{
	struct rng rng;
	struct pc_sip_key a, b;

	rng_seed(&rng, 0);
	a = rng_key(&rng);
	b = rng_key(&rng);
	CU_ASSERT(a.k[0] != b.k[0] && a.k[1] != b.k[1]);
	CU_ASSERT_NOT_EQUAL(pc_siphash24(&a, "percore", 7), pc_siphash24(&b, "percore", 7));
}

static const struct unit_case cases[] = {
    {"same seed, same numbers", test_same_seed_same_numbers},
    {"below", test_below},
    {"SipHash-2-4 vectors", test_siphash_vectors},
    {"SipHash at any alignment", test_siphash_alignment},
    {"keys differ", test_keys_differ},
    {"what is seen tells nothing", test_what_is_seen_tells_nothing},
    {"the whole key counts", test_whole_key},
};

UNIT_MAIN("base/rng", cases)
