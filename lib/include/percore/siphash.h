/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_SIPHASH_H
#define PERCORE_SIPHASH_H

/*
 * SipHash-2-4: a keyed hash, which nobody without the key can compute, predict or make collide.
 *
 *   struct pc_sip_key key;
 *
 *   getrandom(&key, sizeof(key), 0);
 *   bucket = pc_siphash24(&key, name, len) % buckets;
 *
 * It is for hash tables whose keys come from the network, for cookies, and for anything else that a
 * peer must not guess.  It takes about fifty cycles, and more for long data.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PC_SIP_KEY_BYTES 16

/** A key of 128 bits. */
struct pc_sip_key {
	uint64_t k[2];
};

/**
 * pc_sip_key_read returns the key that 16 bytes contain, as two 64-bit integers in little-endian
 * order.
 */
struct pc_sip_key pc_sip_key_read(const uint8_t bytes[PC_SIP_KEY_BYTES]);

/**
 * pc_siphash24 returns the SipHash-2-4 of len bytes (Aumasson and Bernstein, 2012); from any
 * thread.
 */
uint64_t pc_siphash24(const struct pc_sip_key *key, const void *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
