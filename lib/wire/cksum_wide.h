/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_CKSUM_WIDE_H
#define WIRE_CKSUM_WIDE_H

/*
 * Sums in vector registers, where there is code for the machine (cksum_avx2.c); elsewhere stubs
 * (cksum_narrow.c).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* limits of the length for the functions below */
#define CKSUM_WIDE_MIN 64
#define CKSUM_WIDE_MAX (1u << 20)

/** cksum_has_wide says whether the two functions below may be called on this machine. */
static inline bool cksum_has_wide(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

/** cksum_wide returns the partial sum of len bytes at any alignment. */
uint64_t cksum_wide(const uint8_t *p, size_t len);

/** cksum_wide_copy also copies the bytes; source and destination must not overlap. */
uint64_t cksum_wide_copy(uint8_t *to, const uint8_t *from, size_t len);

#endif
