/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_CKSUM_H
#define WIRE_CKSUM_H

/*
 * The Internet checksum (RFC 1071, RFC 1624).
 *
 * A partial sum is 64 bits wide and a ones' complement sum of 64-bit words as they lie in memory;
 * as 2^16 - 1 divides 2^64 - 1 it folds to the sum of 16-bit words at the end.  A sum starts as 0 or
 * as a pseudo header's, blocks are added to it, and cksum_finish_be makes the value for the field.
 * Everything is in memory order, so results are stored with wire_put16_be, without a swap.
 */

#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

#include "wire/wire.h"

struct rte_mbuf;

/** cksum_add64 adds two partial sums. */
static inline uint64_t cksum_add64(uint64_t a, uint64_t b)
{
	uint64_t sum;
	const uint64_t carry = __builtin_add_overflow(a, b, &sum);

	return sum + carry;
}

/** cksum_add adds len bytes at p, at any alignment, which begin at an even offset of the message. */
uint64_t cksum_add(uint64_t sum, const void *p, size_t len);

/** cksum_add_at does the same for bytes that begin at any offset of the message. */
uint64_t cksum_add_at(uint64_t sum, size_t offset, const void *p, size_t len);

/** cksum_copy_at does the same while it copies them; the two places must not overlap. */
uint64_t cksum_copy_at(uint64_t sum, size_t offset, void *to, const void *from, size_t len);

/**
 * cksum_add_mbuf adds len bytes of a chain, from off bytes after the start of its data on; they
 * begin at an even offset of the message. Bytes that the chain does not have count as 0.
 */
uint64_t cksum_add_mbuf(uint64_t sum, const struct rte_mbuf *m, uint32_t off, uint32_t len);

/** cksum_fold_be makes 16 bits of a partial sum: what a port with checksum offload wants to find. */
static inline uint16_t cksum_fold_be(uint64_t sum)
{
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	sum = (sum >> 16) + (sum & UINT16_MAX);
	return (uint16_t)((sum >> 16) + sum);
}

/** cksum_finish_be makes the checksum of a sum. */
static inline uint16_t cksum_finish_be(uint64_t sum)
{
	return (uint16_t)~cksum_fold_be(sum);
}

/** cksum_finish_udp_be does so for UDP, where a checksum of 0 is sent as 0xffff (RFC 768). */
static inline uint16_t cksum_finish_udp_be(uint64_t sum)
{
	const uint16_t cksum_be = cksum_finish_be(sum);

	return cksum_be == 0 ? UINT16_MAX : cksum_be;
}

/** cksum_is_good says whether a sum over a message, its checksum field included, is right. */
static inline bool cksum_is_good(uint64_t sum)
{
	return cksum_fold_be(sum) == UINT16_MAX;
}

/**
 * cksum_pseudo starts a sum with the pseudo header of either family (RFC 9293 section 3.1, RFC 8200
 * section 8.1); len is in bytes, transport header and payload. The mapped form of an IPv4 address
 * adds 0xffff to its four bytes, which is 0 in ones' complement, so the families need no branch.
 */
static inline uint64_t cksum_pseudo(const struct pc_addr *src, const struct pc_addr *dst,
                                    uint8_t proto, uint32_t len)
{
	uint64_t sum = cksum_add64(src->q[0], src->q[1]);

	sum = cksum_add64(sum, cksum_add64(dst->q[0], dst->q[1]));
	return cksum_add64(sum, (uint64_t)__builtin_bswap32(len) + ((uint64_t)proto << 8));
}

/** cksum_update16_be returns the checksum after a 16-bit field changed (RFC 1624 equation 3). */
static inline uint16_t cksum_update16_be(uint16_t cksum_be, uint16_t old_be, uint16_t new_be)
{
	return cksum_finish_be((uint64_t)(uint16_t)~cksum_be + (uint16_t)~old_be + new_be);
}

/** cksum_update32_be does the same for a 32-bit field. */
static inline uint16_t cksum_update32_be(uint16_t cksum_be, uint32_t old_be, uint32_t new_be)
{
	return cksum_finish_be((uint64_t)(uint16_t)~cksum_be + (uint32_t)~old_be + new_be);
}

#endif
