/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_SIPHASH_H
#define DNS_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16 /**< bytes of a key */

/** siphash is SipHash-2-4 of len bytes (Aumasson and Bernstein, 2012). */
uint64_t siphash(const uint8_t key[SIPHASH_KEY], const void *data, size_t len);

#endif
