/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums with AVX2, 64 bytes a step.
 *
 * One instruction multiplies 16-bit words by 1 and adds each to its neighbour, but treats them as
 * signed.  So 2^15 is first subtracted from each word (by flipping its highest bit), and added back
 * at the end.  The results accumulate in eight lanes of 32 bits: each step adds less than 2^17 to a
 * lane, so there is room for CKSUM_WIDE_MAX.  The last block ends where the message does, and the
 * bytes that previous steps have already summed are cleared, so that no byte is handled singly.
 * Unrolled loops save a fifth of the instructions, which only count.
 */
#include "wire/cksum_wide.h"

#include <assert.h>

#include <immintrin.h>

/* tuned for CPUs that have AVX2; the tuning for older ones would split unaligned 32-byte loads in
 * two */
#define AVX2  __attribute__((target("avx2,tune=haswell")))
#define BLOCK 64

static_assert(CKSUM_WIDE_MIN >= BLOCK, "the last block is whole");

/* the BLOCK bytes from the n-th on are a mask that clears the first BLOCK - n bytes of a block */
static const uint8_t masks[2 * BLOCK] = {
    [BLOCK... 2 * BLOCK - 1] = UINT8_MAX,
};

AVX2 static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline void store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

/* The words of v, less 2^15 each, added in pairs. */
AVX2 static inline __m256i pairs(__m256i v)
{
	return _mm256_madd_epi16(_mm256_xor_si256(v, _mm256_set1_epi16(INT16_MIN)),
	                         _mm256_set1_epi16(1));
}

AVX2 static inline __m256i pairs_of_block(__m256i v, __m256i w)
{
	return _mm256_add_epi32(pairs(v), pairs(w));
}

/* The sum of all words added to the lanes; bytes is their total length. */
AVX2 static inline uint64_t total(__m256i lanes, size_t bytes)
{
	const __m256i wide =
	    _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(lanes)),
	                     _mm256_cvtepi32_epi64(_mm256_extracti128_si256(lanes, 1)));
	const __m128i half =
	    _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
	const uint64_t sum =
	    (uint64_t)_mm_extract_epi64(half, 0) + (uint64_t)_mm_extract_epi64(half, 1);

	return sum + ((uint64_t)bytes << 14);
}

/* The last 1 to BLOCK bytes of a message, whose last block is v and w. */
AVX2 static inline __m256i pairs_of_rest(__m256i v, __m256i w, size_t rest)
{
	const uint8_t *mask = masks + rest;

	return pairs_of_block(_mm256_and_si256(v, load(mask)),
	                      _mm256_and_si256(w, load(mask + 32)));
}

/* The sum of a message: of the whole blocks before the last, with a total length of bytes, and of
 * the rest. */
AVX2 static inline uint64_t finish(__m256i sum, __m256i last, size_t bytes, size_t rest)
{
	/* the last block's words end where it does: after an odd number of bytes each is shifted by
	 * one byte */
	if (rest % 2 != 0)
		return total(sum, bytes) + (total(last, BLOCK) << 8);
	return total(_mm256_add_epi32(sum, last), bytes + BLOCK);
}

AVX2 uint64_t cksum_wide(const uint8_t *p, size_t len)
{
	const size_t rest = (len - 1) % BLOCK + 1, bytes = len - rest;
	const uint8_t *end = p + bytes, *last = p + len - BLOCK;
	__m256i sum = _mm256_setzero_si256();

#pragma GCC unroll 4
	for (; p < end; p += BLOCK)
		sum = _mm256_add_epi32(sum, pairs_of_block(load(p), load(p + 32)));
	return finish(sum, pairs_of_rest(load(last), load(last + 32), rest), bytes, rest);
}

AVX2 uint64_t cksum_wide_copy(uint8_t *to, const uint8_t *from, size_t len)
{
	const size_t rest = (len - 1) % BLOCK + 1, bytes = len - rest;
	__m256i sum = _mm256_setzero_si256(), v, w;

#pragma GCC unroll 4
	for (size_t i = 0; i < bytes; i += BLOCK) {
		v = load(from + i);
		w = load(from + i + 32);
		store(to + i, v);
		store(to + i + 32, w);
		sum = _mm256_add_epi32(sum, pairs_of_block(v, w));
	}
	v = load(from + len - BLOCK);
	w = load(from + len - 32);
	store(to + len - BLOCK, v);
	store(to + len - 32, w);
	return finish(sum, pairs_of_rest(v, w, rest), bytes, rest);
}
