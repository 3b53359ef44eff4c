/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_CKSUM_WIDE_H
#define WIRE_CKSUM_WIDE_H

/* Sums over whole blocks in vector registers, where the machine has them (cksum_avx2.c) and where it has
 * not (cksum_narrow.c). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CKSUM_BLOCK 64

/** cksum_has_wide says whether the two functions below may be called on this machine. */
bool cksum_has_wide(void);

/** cksum_wide returns the partial sum of len bytes, a multiple of CKSUM_BLOCK, at any alignment. */
uint64_t cksum_wide(const uint8_t *p, size_t len);

/** cksum_wide_copy copies them as well; the blocks must not overlap. */
uint64_t cksum_wide_copy(uint8_t *to, const uint8_t *from, size_t len);

#endif
