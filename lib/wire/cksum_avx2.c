/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums with AVX2, 64 bytes a step.
 *
 * A 64-bit word is taken apart into its two halves, which are added up in lanes of 64 bits: 2^32 of them
 * find room there without a carry.  Both halves weigh the same, as 2^32 is 1 modulo 2^16 - 1.
 */
#include "wire/cksum_wide.h"

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

bool cksum_has_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

AVX2 static inline __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline __m256i low(__m256i v)
{
	return _mm256_and_si256(v, _mm256_set1_epi64x(UINT32_MAX));
}

AVX2 static inline __m256i high(__m256i v)
{
	return _mm256_srli_epi64(v, 32);
}

/* The sum of four lanes, each below 2^62: no carry is lost. */
AVX2 static inline uint64_t sum_of(__m256i v)
{
	const __m128i half =
	    _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	return (uint64_t)_mm_extract_epi64(half, 0) + (uint64_t)_mm_extract_epi64(half, 1);
}

AVX2 uint64_t cksum_wide(const uint8_t *p, size_t len)
{
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;

	for (; len > 0; len -= CKSUM_BLOCK, p += CKSUM_BLOCK) {
		const __m256i v = load(p), w = load(p + 32);

		a = _mm256_add_epi64(a, low(v));
		b = _mm256_add_epi64(b, high(v));
		c = _mm256_add_epi64(c, low(w));
		d = _mm256_add_epi64(d, high(w));
	}
	return sum_of(_mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d)));
}

AVX2 uint64_t cksum_wide_copy(uint8_t *to, const uint8_t *from, size_t len)
{
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;

	for (; len > 0; len -= CKSUM_BLOCK, from += CKSUM_BLOCK, to += CKSUM_BLOCK) {
		const __m256i v = load(from), w = load(from + 32);

		_mm256_storeu_si256((__m256i *)(void *)to, v);
		_mm256_storeu_si256((__m256i *)(void *)(to + 32), w);
		a = _mm256_add_epi64(a, low(v));
		b = _mm256_add_epi64(b, high(v));
		c = _mm256_add_epi64(c, low(w));
		d = _mm256_add_epi64(d, high(w));
	}
	return sum_of(_mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d)));
}
