/* SPDX-License-Identifier: BSD-2-Clause */

/* ICMP headers and quotes. */

#include "wire/icmp4.h"

#include "../unit.h"
#include "base/dice.h"
#include "exact.h"

static void test_parse_and_write(void)
{
	const uint8_t echo[8] = {8, 0, 0xf7, 0xff, 0x12, 0x34, 0x56, 0x78};
	const uint8_t frag[8] = {3, 4, 0, 0, 0, 0, 0x05, 0x78};
	struct icmp4_hdr h;
	uint8_t out[9];

	CU_ASSERT_EQUAL(icmp4_parse(echo, 8, &h), ICMP4_HDR_LEN);
	CU_ASSERT(h.type == ICMP4_ECHO && h.code == 0 && h.id == 0x1234 && h.seq == 0x5678);
	CU_ASSERT_EQUAL(wire_get16(&h.cksum_be), 0xf7ff);
	out[8] = 0xa5;
	CU_ASSERT_EQUAL(icmp4_write(out, &h), ICMP4_HDR_LEN);
	CU_ASSERT(out[2] == 0 && out[3] == 0 && out[8] == 0xa5);
	CU_ASSERT_EQUAL(memcmp(out, echo, 2), 0);
	CU_ASSERT_EQUAL(memcmp(out + 4, echo + 4, 4), 0);
	CU_ASSERT_EQUAL(icmp4_parse(frag, 8, &h), ICMP4_HDR_LEN);
	CU_ASSERT_EQUAL(h.mtu, 1400);
}

static void test_short(void)
{
	const uint8_t echo[8] = {8};
	struct icmp4_hdr h;

	for (uint32_t len = 0; len < 8; len++) {
		uint8_t *p = exact_copy(echo, len);

		CU_ASSERT_EQUAL(icmp4_parse(p, len, &h), WIRE_SHORT);
		free(p);
	}
}

static void test_is_error(void)
{
	for (unsigned type = 0; type < 256; type++)
		CU_ASSERT_EQUAL(icmp4_is_error((uint8_t)type),
		                type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

/* A quoted TCP segment of 1500 bytes, behind a header of hdr_len bytes. */
static uint8_t *make_quote(uint8_t hdr_len, size_t len)
{
	uint8_t p[68] = {0x40, 0, 0x05, 0xdc};

	p[0] = (uint8_t)(0x40 | hdr_len / 4);
	p[9] = 6;
	wire_put16(p + hdr_len, 1000);
	wire_put16(p + hdr_len + 2, 80);
	wire_put32(p + hdr_len + 4, 0xdeadbeef);
	return exact_copy(p, len);
}

/* RFC 792: the header and 64 bits; less than that tells nothing. Every header length, every length. */
static void test_quote(void)
{
	for (uint8_t hdr_len = 20; hdr_len <= 60; hdr_len = (uint8_t)(hdr_len + 4)) {
		for (uint32_t len = 0; len <= hdr_len + 8u; len++) {
			uint8_t *p = make_quote(hdr_len, len);
			struct icmp4_quote q;
			const int ret = icmp4_parse_quote(p, len, &q);
			int expected = WIRE_SHORT;

			if (len >= hdr_len + 8u)
				expected = hdr_len;
			else if (len >= 20 && len < hdr_len)
				expected = WIRE_HEADER;
			CU_ASSERT_EQUAL(ret, expected);
			CU_ASSERT(ret < 0 || (q.sport == 1000 && q.dport == 80 &&
			                      q.seq == 0xdeadbeef && q.ip.proto == 6));
			free(p);
		}
	}
}

static void test_bad_quote(void)
{
	uint8_t *p = make_quote(20, 28);
	struct icmp4_quote q;

	p[0] = 0x65;
	CU_ASSERT_EQUAL(icmp4_parse_quote(p, 28, &q), WIRE_VERSION);
	p[0] = 0x44;
	CU_ASSERT_EQUAL(icmp4_parse_quote(p, 28, &q), WIRE_HEADER);
	p[0] = 0x45;
	wire_put16(p + 2, 19);
	CU_ASSERT_EQUAL(icmp4_parse_quote(p, 28, &q), WIRE_LENGTH);
	free(p);
}

static void test_random_quotes(void)
{
	struct dice dice;

	dice_seed(&dice, 1);
	for (unsigned i = 0; i < 100000; i++) {
		const uint32_t len = dice_below(&dice, 69);
		struct icmp4_quote q;
		uint8_t bytes[68], *p;
		int ret;

		for (unsigned j = 0; j < 68; j++)
			bytes[j] = (uint8_t)dice_next(&dice);
		bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0xf));
		p = exact_copy(bytes, len);
		ret = icmp4_parse_quote(p, len, &q);
		CU_ASSERT(ret < 0 || (ret >= 20 && (uint32_t)ret + 8 <= len));
		free(p);
	}
}

static const struct unit_case cases[] = {
    {"parse and write", test_parse_and_write},
    {"every short length", test_short},
    {"which types are errors", test_is_error},
    {"quote of every length", test_quote},
    {"bad quotes", test_bad_quote},
    {"random quotes", test_random_quotes},
};

UNIT_MAIN("wire/icmp4", cases)
