/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_SEQ_H
#define BASE_SEQ_H

/* Arithmetic modulo 2^32, for sequence numbers, timestamps and ticks (RFC 9293 section 3.4). */

#include <stdbool.h>
#include <stdint.h>

static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline bool seq_lt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_leq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

static inline bool seq_gt(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static inline bool seq_geq(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_gt(a, b) ? a : b;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_lt(a, b) ? a : b;
}

/** seq_within says whether x is in [first, first + len). */
static inline bool seq_within(uint32_t x, uint32_t first, uint32_t len)
{
	return x - first < len;
}

#endif
