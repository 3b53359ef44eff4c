/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Internet checksums.
 *
 * Long blocks are summed as vectors of 64-bit lanes.  The halves of each word are added to lanes of
 * their own, so that no carry can be lost: a lane holds the sum of 2^32 halves, far more than a call
 * adds.  The compiler makes of it what the machine has.
 */

#include "wire/cksum.h"

#include <rte_mbuf.h>

typedef uint64_t lanes __attribute__((vector_size(32)));

#define BLOCK (2 * sizeof(lanes))

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Adds the 1 to 7 last bytes of a message, filled up with zeros. */
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

/* Adds the whole blocks of a message. */
static uint64_t add_blocks(uint64_t sum, const uint8_t *p, size_t blocks)
{
	const lanes half = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
	lanes low = {0}, high = {0};

	for (; blocks > 0; blocks--, p += BLOCK) {
		lanes a, b;

		memcpy(&a, p, sizeof(a));
		memcpy(&b, p + sizeof(a), sizeof(b));
		low += (a & half) + (b & half);
		high += (a >> 32) + (b >> 32);
	}
	for (unsigned i = 0; i < sizeof(lanes) / sizeof(uint64_t); i++) {
		sum = cksum_add64(sum, low[i]);
		/* a rotation is a multiplication by 2^32 modulo 2^64 - 1 */
		sum = cksum_add64(sum, high[i] << 32 | high[i] >> 32);
	}
	return sum;
}

uint64_t cksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	if (len >= 2 * BLOCK) {
		const size_t blocks = len / BLOCK;

		sum = add_blocks(sum, p, blocks);
		p += blocks * BLOCK;
		len -= blocks * BLOCK;
	}
	for (; len >= 8; len -= 8, p += 8)
		sum = cksum_add64(sum, load64(p));
	return len > 0 ? add_rest(sum, p, len) : sum;
}

uint64_t cksum_add_at(uint64_t sum, size_t offset, const void *p, size_t len)
{
	uint64_t block;

	if ((offset & 1) == 0)
		return cksum_add(sum, p, len);
	/* every byte is one place further: multiply by 2^8 modulo 2^64 - 1 */
	block = cksum_add(0, p, len);
	return cksum_add64(sum, block << 8 | block >> 56);
}

uint64_t cksum_add_mbuf(uint64_t sum, const struct rte_mbuf *m, uint32_t off, uint32_t len)
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
