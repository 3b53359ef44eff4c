/* SPDX-License-Identifier: BSD-2-Clause */

/* IPv4 headers (RFC 791, RFC 1122 section 3.2.1): each contradiction by its own name, and options. */

#include "wire/ip4.h"

#include "../unit.h"
#include "base/dice.h"
#include "exact.h"

/* The example that half of the web explains the checksum with. */
static const uint8_t example[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                    0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

static void test_parse(void)
{
	struct ip4_hdr h;

	CU_ASSERT_EQUAL(ip4_parse(example, 0x73, &h), 20);
	CU_ASSERT_EQUAL(h.hdr_len, 20);
	CU_ASSERT_EQUAL(h.total_len, 0x73);
	CU_ASSERT(h.df && !h.mf && h.frag_off == 0 && !ip4_is_fragment(&h));
	CU_ASSERT(h.ttl == 64 && h.proto == 17 && h.tos == 0 && h.id == 0);
	CU_ASSERT_EQUAL(wire_get32(&h.src_be), 0xc0a80001);
	CU_ASSERT_EQUAL(wire_get32(&h.dst_be), 0xc0a800c7);
	CU_ASSERT_EQUAL(wire_get16(&h.cksum_be), 0xb861);
	CU_ASSERT(ip4_cksum_ok(example, 20));
}

static void test_write(void)
{
	struct ip4_hdr h;
	uint8_t out[24];

	ip4_parse(example, 0x73, &h);
	for (size_t off = 0; off < 4; off++) {
		memset(out, 0xa5, sizeof(out));
		CU_ASSERT_EQUAL(ip4_write(out + off, &h), IP4_HDR_LEN);
		CU_ASSERT(out[off + 10] == 0 && out[off + 11] == 0);
		ip4_set_cksum(out + off);
		CU_ASSERT_EQUAL(memcmp(out + off, example, 20), 0);
		CU_ASSERT_EQUAL(out[off + 20], 0xa5);
	}
}

/* Random fields come back as they were. */
static void test_round_trip(void)
{
	struct dice dice;

	dice_seed(&dice, 1);
	for (unsigned i = 0; i < 10000; i++) {
		const struct ip4_hdr h = {
		    .tos = (uint8_t)dice_next(&dice),
		    .total_len = (uint16_t)(20 + dice_below(&dice, 65516)),
		    .id = (uint16_t)dice_next(&dice),
		    .frag_off = (uint16_t)(dice_below(&dice, 8192) * 8),
		    .df = dice_below(&dice, 2) != 0,
		    .mf = dice_below(&dice, 2) != 0,
		    .ttl = (uint8_t)dice_next(&dice),
		    .proto = (uint8_t)dice_next(&dice),
		    .src_be = (uint32_t)dice_next(&dice),
		    .dst_be = (uint32_t)dice_next(&dice),
		};
		struct ip4_hdr b = {0};
		uint8_t p[20];

		ip4_write(p, &h);
		ip4_set_cksum(p);
		CU_ASSERT(ip4_cksum_ok(p, 20));
		CU_ASSERT_EQUAL(ip4_parse(p, h.total_len, &b), 20);
		CU_ASSERT(b.tos == h.tos && b.total_len == h.total_len && b.id == h.id);
		CU_ASSERT(b.frag_off == h.frag_off && b.df == h.df && b.mf == h.mf);
		CU_ASSERT(b.ttl == h.ttl && b.proto == h.proto);
		CU_ASSERT(b.src_be == h.src_be && b.dst_be == h.dst_be);
		CU_ASSERT_EQUAL(ip4_is_fragment(&b), h.mf || h.frag_off != 0);
	}
}

/* RFC 1122 3.2.1.1, 3.2.1.2: version, then lengths, then the checksum, each named. */
static void test_names(void)
{
	uint8_t p[60];
	struct ip4_hdr h;

	for (uint32_t len = 0; len < 20; len++) {
		uint8_t *copy = exact_copy(example, len);

		CU_ASSERT_EQUAL(ip4_parse(copy, len, &h), WIRE_SHORT);
		free(copy);
	}
	memset(p, 0, sizeof(p));
	memcpy(p, example, 20);
	for (unsigned version = 0; version < 16; version++) {
		p[0] = (uint8_t)(version << 4 | 5);
		CU_ASSERT_EQUAL(ip4_parse(p, 0x73, &h), version == 4 ? 20 : WIRE_VERSION);
	}
	for (unsigned ihl = 0; ihl < 16; ihl++) {
		p[0] = (uint8_t)(0x40 | ihl);
		CU_ASSERT_EQUAL(ip4_parse(p, 0x73, &h), ihl < 5 ? WIRE_HEADER : (int)ihl * 4);
	}
}

/* Every header length, total length and packet length together. */
static void test_lengths(void)
{
	uint8_t p[60] = {0};
	struct ip4_hdr h;

	for (unsigned ihl = 0; ihl < 16; ihl++) {
		p[0] = (uint8_t)(0x40 | ihl);
		for (uint32_t total = 0; total < 100; total++) {
			wire_put16(p + 2, (uint16_t)total);
			for (uint32_t len = 20; len < 100; len++) {
				int expected = (int)ihl * 4;

				if (ihl < 5 || ihl * 4 > len)
					expected = WIRE_HEADER;
				else if (total < ihl * 4 || total > len)
					expected = WIRE_LENGTH;
				CU_ASSERT_EQUAL(ip4_parse(p, len, &h), expected);
			}
		}
	}
}

static void test_checksum(void)
{
	uint8_t p[20];

	for (unsigned bit = 0; bit < 160; bit++) {
		memcpy(p, example, 20);
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT(!ip4_cksum_ok(p, 20));
	}
	memset(p, 0, 20);
	CU_ASSERT(!ip4_cksum_ok(p, 20));
}

/* ---- options --------------------------------------------------------------------------------- */

/* A header of exactly 20 + len bytes with these options. */
static uint8_t *with_options(const uint8_t *options, size_t len)
{
	uint8_t p[60] = {0};

	memcpy(p, example, 20);
	p[0] = (uint8_t)(0x45 + len / 4);
	memcpy(p + 20, options, len);
	return exact_copy(p, 20 + len);
}

static void test_options(void)
{
	static const struct {
		uint8_t len, options[12];
		int result;
	} lists[] = {
	    {0, {0}, 0},
	    {4, {0}, 0},
	    {4, {1, 1, 1, 1}, 0},
	    {4, {1, 1, 1, 0}, 0},
	    {4, {148, 4, 0, 0}, IP4_HAS_ROUTER_ALERT},
	    {8, {131, 7, 4, 1, 2, 3, 4, 0}, IP4_HAS_SOURCE_ROUTE},
	    {8, {1, 137, 7, 4, 1, 2, 3, 4}, IP4_HAS_SOURCE_ROUTE},
	    {8, {7, 7, 4, 0, 0, 0, 0, 0}, IP4_HAS_UNWANTED},
	    {12, {68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0}, IP4_HAS_UNWANTED},
	    {4, {136, 4, 0, 1}, IP4_HAS_UNWANTED},
	    {12,
	     {68, 4, 5, 0, 131, 3, 4, 1, 148, 4, 0, 0},
	     IP4_HAS_UNWANTED | IP4_HAS_SOURCE_ROUTE | IP4_HAS_ROUTER_ALERT},
	    {4, {200, 2, 201, 2}, IP4_HAS_OTHER},
	    /* after the end of the list nothing counts */
	    {8, {0, 131, 7, 4, 1, 2, 3, 4}, 0},
	    {8, {0, 131, 0, 0, 0, 0, 0, 255}, 0},
	    /* lengths 0 and 1, past the end, and a type without a length byte */
	    {4, {200, 0, 0, 0}, WIRE_FORM},
	    {4, {200, 1, 0, 0}, WIRE_FORM},
	    {4, {200, 5, 0, 0}, WIRE_FORM},
	    {4, {200, 255, 0, 0}, WIRE_FORM},
	    {4, {1, 1, 1, 200}, WIRE_FORM},
	    {8, {131, 9, 4, 1, 2, 3, 4, 0}, WIRE_FORM},
	    {12, {131, 11, 4, 1, 2, 3, 4, 5, 6, 7, 8, 131}, WIRE_FORM},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		uint8_t *p = with_options(lists[i].options, lists[i].len);

		CU_ASSERT_EQUAL(ip4_options(p, (uint8_t)(20 + lists[i].len)), lists[i].result);
		free(p);
	}
}

/* RFC 7126 section 4: which of all types are dropped unless somebody needs them. */
static void test_option_types(void)
{
	static const uint8_t unwanted[] = {7,   68,  11,  12,  15,  82, 136,
	                                   142, 145, 147, 149, 151, 152};

	for (unsigned type = 2; type < 256; type++) {
		const uint8_t option[4] = {(uint8_t)type, 4};
		int want = IP4_HAS_OTHER;
		uint8_t *p = with_options(option, 4);

		if (type == 131 || type == 137)
			want = IP4_HAS_SOURCE_ROUTE;
		else if (type == 148)
			want = IP4_HAS_ROUTER_ALERT;
		else if (memchr(unwanted, (int)type, sizeof(unwanted)) != NULL)
			want = IP4_HAS_UNWANTED;
		CU_ASSERT_EQUAL(ip4_options(p, 24), want);
		free(p);
	}
}

static void test_option_steps(void)
{
	const uint8_t options[12] = {1, 68, 4, 5, 0, 1, 148, 4, 0, 0, 0, 99};
	uint8_t *p = with_options(options, 12), off = IP4_HDR_LEN, opt = 0;

	CU_ASSERT_EQUAL(ip4_opt_next(p, 32, &off, &opt), 4);
	CU_ASSERT(opt == 21 && off == 25);
	CU_ASSERT_EQUAL(ip4_opt_next(p, 32, &off, &opt), 4);
	CU_ASSERT(opt == 26 && off == 30);
	CU_ASSERT_EQUAL(ip4_opt_next(p, 32, &off, &opt), 0);
	CU_ASSERT_EQUAL(ip4_opt_next(p, 32, &off, &opt), 0);
	free(p);
}

/* Any bytes as options: the walk ends, and nothing outside the header is read. */
static void test_random_options(void)
{
	struct dice dice;

	dice_seed(&dice, 2);
	for (unsigned i = 0; i < 100000; i++) {
		const uint8_t len = (uint8_t)(dice_below(&dice, 11) * 4);
		uint8_t options[40], off = IP4_HDR_LEN, opt, *p;
		unsigned steps = 0;

		for (unsigned j = 0; j < 40; j++) {
			const uint64_t r = dice_next(&dice);

			/* mostly small numbers: they are plausible lengths */
			options[j] = (uint8_t)(r & 0x100 ? r & 7 : r);
		}
		p = with_options(options, len);
		while (ip4_opt_next(p, (uint8_t)(20 + len), &off, &opt) > 0)
			steps++;
		CU_ASSERT(steps <= 20 && off <= 20 + len);
		ip4_options(p, (uint8_t)(20 + len));
		free(p);
	}
}

static void test_quoted(void)
{
	struct ip4_hdr h;
	uint8_t *p = exact_copy(example, 20);

	CU_ASSERT_EQUAL(ip4_parse(p, 28, &h), WIRE_LENGTH);
	CU_ASSERT_EQUAL(ip4_parse_quoted(p, 28, &h), 20);
	CU_ASSERT_EQUAL(h.total_len, 0x73);
	p[3] = 19;
	CU_ASSERT_EQUAL(ip4_parse_quoted(p, 28, &h), WIRE_LENGTH);
	free(p);
}

static const struct unit_case cases[] = {
    {"parse", test_parse},
    {"write", test_write},
    {"round trip", test_round_trip},
    {"each contradiction has its name", test_names},
    {"every length", test_lengths},
    {"checksum", test_checksum},
    {"options", test_options},
    {"option types, RFC 7126", test_option_types},
    {"option by option", test_option_steps},
    {"random options", test_random_options},
    {"quoted packets", test_quoted},
};

UNIT_MAIN("wire/ip4", cases)
