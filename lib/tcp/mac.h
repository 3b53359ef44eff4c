/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_MAC_H
#define TCP_MAC_H

/*
 * The algorithms that sign segments: MD5 (RFC 2385), those of RFC 5926 for TCP-AO, and HMAC-SHA-256
 * for TCP-AO as in Linux.
 *
 * Nothing is allocated: the state of a calculation is in a struct mac of the caller, which mac_end
 * erases.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mac_alg {
	MAC_MD5, /* without a key */
	MAC_HMAC_SHA1,
	MAC_HMAC_SHA256,
	MAC_CMAC_AES128, /* with a key of 16 bytes */
};

#define MAC_SIZE_MAX 32 /* bytes of a result */
#define MAC_CMAC_KEY 16

/** A calculation. */
struct mac {
	enum mac_alg alg;
	_Alignas(16) uint8_t room[512];
};

/** mac_is_there says whether percore was built with these algorithms; if not, the other functions
 * must not be called. */
bool mac_is_there(void);

/** mac_size returns the bytes of a result. */
unsigned mac_size(enum mac_alg alg);

/** Call mac_begin, then mac_update for each piece, then mac_end, which writes the first len bytes
 * of the result. */
void mac_begin(struct mac *c, enum mac_alg alg, const uint8_t *key, unsigned len);
void mac_update(struct mac *c, const void *p, size_t len);
void mac_end(struct mac *c, uint8_t *out, unsigned len);

/** mac_equal compares two results in constant time. */
bool mac_equal(const uint8_t *a, const uint8_t *b, unsigned len);

#endif
