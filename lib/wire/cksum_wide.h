/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_CKSUM_WIDE_H
#define WIRE_CKSUM_WIDE_H

/*
 * Sums in vector registers where the machine has them (cksum_avx2.c), and without them elsewhere
 * (cksum_narrow.c).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* how many bytes the functions below take */
#define CKSUM_WIDE_MIN 64
#define CKSUM_WIDE_MAX (1u << 20)

/** cksum_has_wide says whether the two functions below may be called on this machine. */
bool cksum_has_wide(void);

/** cksum_wide returns the partial sum of len bytes at any alignment. */
uint64_t cksum_wide(const uint8_t *p, size_t len);

/** cksum_wide_copy copies them as well; the two places must not overlap. */
uint64_t cksum_wide_copy(uint8_t *to, const uint8_t *from, size_t len);

#endif
