/* SPDX-License-Identifier: BSD-2-Clause */

/* Checksums against the definition of RFC 1071, word by word. */

#include "wire/cksum.h"

#include <rte_mbuf.h>

#include "../unit.h"
#include "base/dice.h"
#include "exact.h"

#define MAX 2048

static uint8_t bytes[MAX + 8];

static void fill(uint64_t seed)
{
	struct dice dice;

	dice_seed(&dice, seed);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)dice_next(&dice);
}

/* The ones' complement sum as the RFC defines it, in host byte order. */
static uint16_t naive(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += (i & 1) == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

static uint16_t host(uint16_t v_be)
{
	return __builtin_bswap16(v_be);
}

/* RFC 1071 section 3. */
static void test_rfc1071_example(void)
{
	const uint8_t p[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add(0, p, 8))), 0xddf2);
	CU_ASSERT_EQUAL(host(cksum_finish_be(cksum_add(0, p, 8))), 0x220d);
}

/* Every length 0..2048, in memory of exactly that length. */
static void test_every_length(void)
{
	fill(1);
	for (size_t len = 0; len <= MAX; len++) {
		uint8_t *p = exact_copy(bytes, len);

		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add(0, p, len))), naive(p, len, 0));
		free(p);
	}
}

static void test_every_alignment(void)
{
	fill(2);
	for (size_t off = 0; off < 8; off++)
		for (size_t len = 0; len <= MAX; len += 1 + len / 64)
			CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add(0, bytes + off, len))),
			                naive(bytes + off, len, 0));
}

/* The words that make carries run: all ones, all zeros, and both at each end. */
static void test_carries(void)
{
	uint8_t p[256];

	for (size_t len = 0; len <= sizeof(p); len++) {
		memset(p, 0xff, sizeof(p));
		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add(0, p, len))), naive(p, len, 0));
		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add(UINT64_MAX, p, len))),
		                naive(p, len, 0xffff));
		memset(p, 0, sizeof(p));
		CU_ASSERT_EQUAL(cksum_fold_be(cksum_add(0, p, len)), 0);
		p[0] = 0xff;
		p[sizeof(p) - 1] = 0xff;
		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add(0, p, len))), naive(p, len, 0));
	}
	CU_ASSERT_EQUAL(cksum_fold_be(UINT64_MAX), 0xffff);
	CU_ASSERT_EQUAL(cksum_fold_be(UINT64_C(0xffff0000ffff0001)), 1);
	CU_ASSERT_EQUAL(cksum_fold_be(0), 0);
}

/* As much as is summed up in one go, and more: lanes at their largest and their smallest. */
static void test_long(void)
{
	const size_t most = 1 << 20;
	uint8_t *p = malloc(most + 2), *copy = malloc(most + 2);

	for (size_t len = most - 2; len <= most + 2; len++) {
		for (int byte = 0; byte <= 0xff; byte += 0xff) {
			memset(p, byte, len);
			/* all ones are nothing, but for a single byte that is left */
			CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add(0, p, len))), byte == 0 ? 0
			                                                           : len % 2 == 0
			                                                               ? 0xffff
			                                                               : 0xff00);
			CU_ASSERT_EQUAL(cksum_fold_be(cksum_copy_at(0, 0, copy, p, len)),
			                cksum_fold_be(cksum_add(0, p, len)));
			CU_ASSERT_EQUAL(memcmp(p, copy, len), 0);
		}
	}
	free(copy);
	free(p);
}

/* A message cut in two at every place, odd ones too. */
static void test_every_split(void)
{
	static const size_t lengths[] = {1, 2, 3, 7, 8, 9, 63, 64, 65, 100, 511, 1460, 2047, 2048};

	fill(3);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const size_t len = lengths[i];
		const uint16_t whole = cksum_fold_be(cksum_add(0, bytes, len));

		for (size_t cut = 0; cut <= len; cut++) {
			uint64_t sum = cksum_add_at(0, 0, bytes, cut);

			sum = cksum_add_at(sum, cut, bytes + cut, len - cut);
			CU_ASSERT_EQUAL(cksum_fold_be(sum), whole);
			/* in the other order */
			sum = cksum_add_at(0, cut, bytes + cut, len - cut);
			sum = cksum_add_at(sum, 0, bytes, cut);
			CU_ASSERT_EQUAL(cksum_fold_be(sum), whole);
		}
	}
}

/* Copies of every length, at every place of a message. */
static void test_copy(void)
{
	static uint8_t copy[MAX + 8];

	fill(8);
	for (size_t len = 0; len <= MAX; len++) {
		const size_t off = len % 5;
		uint64_t sum = cksum_add(0, bytes, off);

		memset(copy, 0, sizeof(copy));
		sum = cksum_copy_at(sum, off, copy + len % 7, bytes + off, len);
		CU_ASSERT_EQUAL(host(cksum_fold_be(sum)), naive(bytes, off + len, 0));
		CU_ASSERT_EQUAL(memcmp(copy + len % 7, bytes + off, len), 0);
		CU_ASSERT_EQUAL(copy[len % 7 + len], 0); /* and not a byte more */
	}
}

/* Chains of mbufs of random lengths, empty ones too, from every offset on. */
static void test_chains(void)
{
	struct dice dice;
	struct rte_mbuf m[8];

	fill(4);
	dice_seed(&dice, 5);
	for (unsigned round = 0; round < 2000; round++) {
		uint32_t total = 0, off, len;

		memset(m, 0, sizeof(m));
		for (unsigned i = 0; i < 8; i++) {
			m[i].buf_addr = bytes + total;
			m[i].data_len = (uint16_t)dice_below(&dice, round % 2 == 0 ? 10 : 250);
			m[i].next = i < 7 ? &m[i + 1] : NULL;
			total += m[i].data_len;
		}
		off = dice_below(&dice, total + 1);
		len = dice_below(&dice, total - off + 1);
		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add_mbuf(0, m, off, len))),
		                naive(bytes + off, len, 0));
		/* more than there is counts as zeros */
		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add_mbuf(0, m, off, UINT32_MAX))),
		                naive(bytes + off, total - off, 0));
		CU_ASSERT_EQUAL(cksum_add_mbuf(7, m, total, 100), 7);
		CU_ASSERT_EQUAL(cksum_add_mbuf(7, m, total + 1, 100), 7);
	}
}

/* RFC 9293 section 3.1 and RFC 8200 section 8.1, written out. */
static uint16_t naive_pseudo(const struct pc_addr *src, const struct pc_addr *dst, uint8_t proto,
                             uint32_t len)
{
	uint8_t p[40] = {0};

	if (pc_addr_is_ip4(src)) {
		memcpy(p, src->b + 12, 4);
		memcpy(p + 4, dst->b + 12, 4);
		p[9] = proto;
		wire_put16(p + 10, (uint16_t)len);
		return naive(p, 12, 0);
	}
	memcpy(p, src->b, 16);
	memcpy(p + 16, dst->b, 16);
	wire_put32(p + 32, len);
	p[39] = proto;
	return naive(p, 40, 0);
}

static void test_pseudo(void)
{
	struct dice dice;

	dice_seed(&dice, 6);
	for (unsigned i = 0; i < 20000; i++) {
		struct pc_addr src, dst;
		const uint8_t proto = (uint8_t)(1 + dice_below(&dice, 255));
		uint32_t len = dice_below(&dice, 65536);

		if (i % 2 == 0) {
			src = pc_addr_ip4((uint32_t)dice_next(&dice));
			dst = pc_addr_ip4((uint32_t)dice_next(&dice));
		} else {
			for (unsigned j = 0; j < 2; j++) {
				src.q[j] = dice_next(&dice);
				dst.q[j] = dice_next(&dice);
			}
			len = (uint32_t)dice_next(&dice); /* jumbograms */
		}
		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_pseudo(&src, &dst, proto, len))),
		                naive_pseudo(&src, &dst, proto, len));
	}
}

static void test_good(void)
{
	fill(7);
	for (size_t len = 2; len <= MAX; len += 2) {
		uint8_t *p = exact_copy(bytes, len);

		wire_put16_be(p, 0);
		wire_put16_be(p, cksum_finish_be(cksum_add(0, p, len)));
		CU_ASSERT(cksum_is_good(cksum_add(0, p, len)));
		p[len - 1] ^= 0x20;
		CU_ASSERT(!cksum_is_good(cksum_add(0, p, len)));
		free(p);
	}
	CU_ASSERT(!cksum_is_good(0));
}

/* RFC 768: a computed 0 is sent as all ones. */
static void test_udp_zero(void)
{
	CU_ASSERT_EQUAL(cksum_finish_be(0xffff), 0);
	CU_ASSERT_EQUAL(cksum_finish_udp_be(0xffff), 0xffff);
	CU_ASSERT_EQUAL(cksum_finish_udp_be(0x1234), cksum_finish_be(0x1234));
}

/* RFC 1624 section 4: equation 3, with the example where equation 2 of RFC 1141 fails. */
static void test_update(void)
{
	struct dice dice;

	CU_ASSERT_EQUAL(host(cksum_update16_be(host(0xdd2f), host(0x5555), host(0x3285))), 0x0000);
	dice_seed(&dice, 8);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t p[40];
		const size_t at = 2 + 2 * dice_below(&dice, 19);
		uint16_t cksum, before;

		for (unsigned j = 0; j < sizeof(p); j++)
			p[j] = (uint8_t)dice_next(&dice);
		wire_put16_be(p, 0);
		cksum = cksum_finish_be(cksum_add(0, p, sizeof(p)));
		before = wire_get16_be(p + at);
		wire_put16_be(p + at, (uint16_t)dice_next(&dice));
		cksum = cksum_update16_be(cksum, before, wire_get16_be(p + at));
		CU_ASSERT_EQUAL(cksum, cksum_finish_be(cksum_add(0, p, sizeof(p))));
	}
}

/* Every length that it is for, in memory of exactly that length: no byte before or behind is read. */
static void test_short(void)
{
	fill(7);
	for (size_t len = 8; len < CKSUM_SHORT; len++) {
		uint8_t *p = exact_copy(bytes, len);

		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add_short(0, p, len))), naive(p, len, 0));
		CU_ASSERT_EQUAL(host(cksum_fold_be(cksum_add_short(UINT64_MAX, p, len))),
		                naive(p, len, 0xffff));
		free(p);
	}
}

/* A sum is right when it folds to 0xffff; that of nothing but zeros is not. */
static void test_is_good(void)
{
	struct dice dice;

	dice_seed(&dice, 3);
	CU_ASSERT_FALSE(cksum_is_good(0));
	CU_ASSERT(cksum_is_good(UINT64_MAX) && cksum_is_good(0xffff));
	for (int i = 0; i < 200000; i++) {
		uint64_t sum = dice_next(&dice);

		if (i % 2 != 0) /* made right */
			sum = cksum_add64(sum, cksum_finish_be(sum));
		CU_ASSERT_EQUAL(cksum_is_good(sum), cksum_fold_be(sum) == UINT16_MAX);
	}
}

static const struct unit_case cases[] = {
    {"example of RFC 1071", test_rfc1071_example},
    {"every length", test_every_length},
    {"every alignment", test_every_alignment},
    {"carries", test_carries},
    {"long", test_long},
    {"every split", test_every_split},
    {"copy and sum", test_copy},
    {"mbuf chains", test_chains},
    {"pseudo headers", test_pseudo},
    {"good and bad", test_good},
    {"UDP's zero", test_udp_zero},
    {"incremental update, RFC 1624", test_update},
    {"short ones", test_short},
    {"which sums are right", test_is_good},
};

UNIT_MAIN("wire/cksum", cases)
