/* SPDX-License-Identifier: BSD-2-Clause */
#include "siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void run(struct state *s, unsigned rounds)
{
	while (rounds-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

/* At most eight bytes as a number, the first the lowest. */
static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static void take(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	run(s, 2);
	s->v0 ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY], const void *data, size_t len)
{
	const uint64_t k0 = load(key, 8), k1 = load(key + 8, 8);
	struct state s = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
	                  k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
	const uint8_t *p = data;

	for (size_t left = len; left >= 8; left -= 8, p += 8)
		take(&s, load(p, 8));
	take(&s, load(p, len % 8) | (uint64_t)len << 56);
	s.v2 ^= 0xff;
	run(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
