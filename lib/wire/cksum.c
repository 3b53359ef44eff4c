/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Internet checksums.
 *
 * Headers and small messages are summed by a chain of additions with carry, two instructions for 16
 * bytes. In a long block each step of such a chain waits for the previous carry, so there four sums
 * run in parallel. For an echo of 64 bytes, the chain takes 100 instructions less than four sums
 * would. Payloads are summed in vector registers if the CPU has them (cksum_wide.h): 1460 bytes
 * take 270 instructions.
 */

#include "wire/cksum.h"

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "wire/cksum_wide.h"

/* from this length on, four sums are faster */
#define LONG_BLOCK 1024
/* from this length on, the vector code is worth its call */
#define WIDE_MIN CKSUM_SHORT

static inline bool is_wide(size_t len)
{
	return len >= WIDE_MIN && len <= CKSUM_WIDE_MAX && cksum_has_wide();
}

/* Adds the last 1 to 7 bytes of a message, padded with zeros. */
static uint64_t add_rest(uint64_t sum, const uint8_t *p, size_t len)
{
	uint64_t rest = 0;
	unsigned shift = 0;

	if ((len & 4) != 0) {
		rest = wire_get32_be(p);
		p += 4;
		shift = 32;
	}
	if ((len & 2) != 0) {
		rest |= (uint64_t)wire_get16_be(p) << shift;
		p += 2;
		shift += 16;
	}
	if ((len & 1) != 0)
		rest |= (uint64_t)*p << shift;
	return cksum_add64(sum, rest);
}

/* Adds the 32-byte blocks of a long message. */
static uint64_t add_long(uint64_t sum, const uint8_t *p, size_t len)
{
	uint64_t sum1 = 0, sum2 = 0, sum3 = 0;

	for (; len >= 32; len -= 32, p += 32) {
		sum = cksum_add64(sum, cksum_load64(p));
		sum1 = cksum_add64(sum1, cksum_load64(p + 8));
		sum2 = cksum_add64(sum2, cksum_load64(p + 16));
		sum3 = cksum_add64(sum3, cksum_load64(p + 24));
	}
	return cksum_add64(cksum_add64(sum, sum1), cksum_add64(sum2, sum3));
}

uint64_t cksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (is_wide(len))
		return cksum_add64(sum, cksum_wide(p, len));
	if (len >= LONG_BLOCK) {
		const size_t done = len & ~(size_t)31;

		sum = add_long(sum, p, done);
		p += done;
		len -= done;
	}
	for (; len >= 32; len -= 32, p += 32)
		sum = cksum_add_block32(sum, p);
	for (; len >= 8; len -= 8, p += 8)
		sum = cksum_add64(sum, cksum_load64(p));
	return len > 0 ? add_rest(sum, p, len) : sum;
}

/* The sum of a block that begins at an odd offset: every byte moves up by one place, which is a
 * multiplication by 2^8 modulo 2^64 - 1. */
static inline uint64_t shifted(uint64_t block, size_t offset)
{
	return (offset & 1) == 0 ? block : block << 8 | block >> 56;
}

static __rte_noinline uint64_t copy_narrow(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	return cksum_add(0, from, len);
}

uint64_t cksum_copy(void *to, const void *from, size_t len)
{
	return is_wide(len) ? cksum_wide_copy(to, from, len) : copy_narrow(to, from, len);
}

uint64_t cksum_copy_at(uint64_t sum, size_t offset, void *to, const void *from, size_t len)
{
	return cksum_add64(sum, shifted(cksum_copy(to, from, len), offset));
}

uint64_t cksum_add_at(uint64_t sum, size_t offset, const void *p, size_t len)
{
	if ((offset & 1) == 0)
		return cksum_add(sum, p, len);
	return cksum_add64(sum, shifted(cksum_add(0, p, len), offset));
}

uint64_t cksum_add_chain(uint64_t sum, const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	size_t done = 0;

	while (m != NULL && off >= m->data_len) {
		off -= m->data_len;
		m = m->next;
	}
	for (; m != NULL && len > 0; m = m->next, off = 0) {
		const uint32_t here = m->data_len - off < len ? m->data_len - off : len;

		sum =
		    cksum_add_at(sum, done, rte_pktmbuf_mtod_offset(m, const uint8_t *, off), here);
		done += here;
		len -= here;
	}
	return sum;
}
