/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WIRE_CKSUM_H
#define WIRE_CKSUM_H

/*
 * The Internet checksum (RFC 1071, RFC 1624).
 *
 * A partial sum is a 64-bit ones' complement sum of 64-bit words in memory order; because 2^16 - 1
 * divides 2^64 - 1, it can be folded to the sum of 16-bit words at the end. A sum starts at 0 or
 * with a pseudo-header, blocks are added to it, and cksum_finish_be computes the value of the
 * field. Everything is in memory order, so results are stored with wire_put16_be, without a swap.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include <percore/addr.h>

#include "wire/wire.h"

/** cksum_add64 adds two partial sums. */
static inline uint64_t cksum_add64(uint64_t a, uint64_t b)
{
	uint64_t sum;
	const uint64_t carry = __builtin_add_overflow(a, b, &sum);

	return sum + carry;
}

/** cksum_add adds len bytes at p, at any alignment; they begin at an even offset of the message. */
uint64_t cksum_add(uint64_t sum, const void *p, size_t len);

/* eight bytes at any address, of any type */
typedef uint64_t __attribute__((aligned(1), may_alias)) cksum_word;

static inline uint64_t cksum_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Adds 32 bytes by a chain of additions with carry: two instructions for 16 bytes. With
 * _addcarry_u64, the compiler would store each sum. */
static __rte_always_inline uint64_t cksum_add_block32(uint64_t sum, const uint8_t *p)
{
	__asm__("addq %[a], %[sum]\n\t"
	        "adcq %[b], %[sum]\n\t"
	        "adcq %[c], %[sum]\n\t"
	        "adcq %[d], %[sum]\n\t"
	        "adcq $0, %[sum]"
	        : [sum] "+r"(sum)
	        : [a] "m"(*(const cksum_word *)(const void *)p),
	          [b] "m"(*(const cksum_word *)(const void *)(p + 8)),
	          [c] "m"(*(const cksum_word *)(const void *)(p + 16)),
	          [d] "m"(*(const cksum_word *)(const void *)(p + 24))
	        : "cc");
	return sum;
}

/** CKSUM_SHORT: from this length on, calling cksum_add is worth it. */
#define CKSUM_SHORT 256

/**
 * cksum_add_short is cksum_add for short messages of at least 8 bytes, or with 8 bytes before them
 * that can be read, without a call. The last 1 to 7 bytes are loaded as the upper ones of a word
 * that ends with them: a segment of 84 bytes takes 40 instructions instead of 85.
 */
static __rte_always_inline uint64_t cksum_add_short(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data, *end = p + len;

	for (; len >= 32; len -= 32, p += 32)
		sum = cksum_add_block32(sum, p);
	for (; len >= 8; len -= 8, p += 8)
		sum = cksum_add64(sum, cksum_load64(p));
	return len > 0 ? cksum_add64(sum, cksum_load64(end - 8) >> (64 - 8 * len)) : sum;
}

/** cksum_add_at does the same for bytes that begin at any offset of the message. */
uint64_t cksum_add_at(uint64_t sum, size_t offset, const void *p, size_t len);

/** cksum_copy copies a block, and returns its sum; source and destination must not overlap. */
uint64_t cksum_copy(void *to, const void *from, size_t len);

/** cksum_copy_at also copies the bytes; source and destination must not overlap. */
uint64_t cksum_copy_at(uint64_t sum, size_t offset, void *to, const void *from, size_t len);

/* The part of cksum_add_mbuf for chains. */
uint64_t cksum_add_chain(uint64_t sum, const struct rte_mbuf *m, uint32_t off, uint32_t len);

/**
 * cksum_add_mbuf adds len bytes of a chain, beginning off bytes after the start of its data; they
 * begin at an even offset of the message. Bytes beyond the end of the chain count as 0.
 */
static inline uint64_t cksum_add_mbuf(uint64_t sum, const struct rte_mbuf *m, uint32_t off,
                                      uint32_t len)
{
	if (likely(m != NULL && len <= m->data_len && off <= m->data_len - len))
		return cksum_add(sum, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), len);
	return cksum_add_chain(sum, m, off, len);
}

/**
 * cksum_fold_be folds a partial sum to 16 bits, as a port with checksum offload requires. A number
 * plus itself with the halves exchanged has the ones' complement sum of the halves in its upper
 * half.
 */
static inline uint16_t cksum_fold_be(uint64_t sum)
{
	uint32_t half;

	sum += sum >> 32 | sum << 32;
	half = (uint32_t)(sum >> 32);
	half += half >> 16 | half << 16;
	return (uint16_t)(half >> 16);
}

/** cksum_finish_be turns a sum into a checksum. */
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

/** cksum_is_good says whether a sum over a message, including its checksum field, is correct:
 * whether it folds to 0xffff, that is, is a non-zero multiple of it, which takes one
 * multiplication. */
static inline bool cksum_is_good(uint64_t sum)
{
	return sum % UINT16_MAX == 0 && likely(sum != 0);
}

/**
 * cksum_pseudo starts a sum with the pseudo-header of either family (RFC 9293 section 3.1, RFC 8200
 * section 8.1); len is the length of transport header and payload in bytes. The mapped form of an
 * IPv4 address adds 0xffff to its four bytes, which is 0 in ones' complement, so the families need
 * no branch.
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

#endif
