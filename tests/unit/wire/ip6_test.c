/* SPDX-License-Identifier: BSD-2-Clause */

/* IPv6 headers, extension headers, ICMPv6 headers and quotes. */

#include "wire/ip6.h"

#include <netinet/in.h>

#include "../unit.h"
#include "base/dice.h"
#include "exact.h"
#include "wire/icmp6.h"

static const struct ip6_hdr sample = {.tclass = 0xb8,
                                      .next = IPPROTO_TCP,
                                      .hops = 64,
                                      .payload_len = 20,
                                      .label = 0xabcde,
                                      .src.b = {0xfd, [15] = 2},
                                      .dst.b = {0xfd, [15] = 1}};

static void test_fixed_header(void)
{
	static const uint8_t first[8] = {0x6b, 0x8a, 0xbc, 0xde, 0, 20, 6, 64};
	uint8_t p[61];
	struct ip6_hdr h;

	p[40] = 0xa5;
	CU_ASSERT_EQUAL(ip6_write(p, &sample), IP6_HDR_LEN);
	CU_ASSERT(memcmp(p, first, 8) == 0 && p[40] == 0xa5);
	CU_ASSERT_EQUAL(ip6_parse(p, 60, &h), IP6_HDR_LEN);
	CU_ASSERT(h.tclass == 0xb8 && h.label == 0xabcde && h.next == 6 && h.hops == 64);
	CU_ASSERT(h.payload_len == 20 && pc_addr_equal(&h.src, &sample.src) &&
	          pc_addr_equal(&h.dst, &sample.dst));
	CU_ASSERT_EQUAL(ip6_parse(p, 61, &h), IP6_HDR_LEN); /* padding */
	CU_ASSERT_EQUAL(ip6_parse(p, 59, &h), WIRE_LENGTH);
	CU_ASSERT_EQUAL(ip6_parse_quoted(p, 59, &h), IP6_HDR_LEN);
	for (uint32_t len = 0; len < 40; len++) {
		uint8_t *q = exact_copy(p, len);

		CU_ASSERT_EQUAL(ip6_parse(q, len, &h), WIRE_SHORT);
		free(q);
	}
	for (unsigned v = 0; v < 16; v++) {
		p[0] = (uint8_t)(v << 4);
		CU_ASSERT_EQUAL(ip6_parse(p, 60, &h), v == 6 ? IP6_HDR_LEN : WIRE_VERSION);
	}
}

/* Walks n bytes behind a fixed header whose Next Header is next. */
static enum ip6_end walk(uint8_t next, const void *bytes, uint32_t n, struct ip6_ext *e)
{
	uint8_t p[1024], *copy;
	struct ip6_hdr h = sample;
	enum ip6_end end;

	h.next = next;
	h.payload_len = (uint16_t)n;
	ip6_write(p, &h);
	memcpy(p + 40, bytes, n);
	copy = exact_copy(p, 40 + n);
	end = ip6_walk(copy, 40 + n, &h, e);
	free(copy);
	return end;
}

#define WALK(next, e, ...) \
	walk(next, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), e)

static void test_walk(void)
{
	struct ip6_ext e;

	CU_ASSERT_EQUAL(WALK(6, &e, 1, 2, 3), IP6_UPPER);
	CU_ASSERT(e.proto == 6 && e.off == 40 && e.proto_at == 6);
	CU_ASSERT_EQUAL(WALK(59, &e, 0), IP6_NOTHING);
	CU_ASSERT_EQUAL(WALK(0, &e, 6, 0, 1, 4, 0, 0, 0, 0), IP6_UPPER);
	CU_ASSERT(e.proto == 6 && e.off == 48 && e.proto_at == 40);
	CU_ASSERT_EQUAL(WALK(60, &e, 17, 0, 0, 0, 0, 0, 0, 0), IP6_UPPER); /* six Pad1 */
	CU_ASSERT_EQUAL(WALK(60, &e, 17, 0, 1, 4, 0, 0, 0), IP6_SHORT);
	CU_ASSERT_EQUAL(WALK(60, &e, 17, 1, 1, 4, 0, 0, 0, 0), IP6_SHORT);
	CU_ASSERT_EQUAL(WALK(60, &e, 17, 0, 1, 5, 0, 0, 0, 0), IP6_SHORT);  /* beyond its header */
	CU_ASSERT_EQUAL(WALK(60, &e, 17, 0, 0, 0, 0, 0, 0, 1), IP6_SHORT);  /* no length */
	CU_ASSERT_EQUAL(WALK(60, &e, 0, 0, 1, 4, 0, 0, 0, 0), IP6_PROBLEM); /* hop-by-hop late */
	CU_ASSERT(e.code == ICMP6_PARAM_NEXT && e.pointer == 40);
	CU_ASSERT_EQUAL(WALK(43, &e, 6, 0, 0, 0, 0, 0, 0, 0), IP6_UPPER);
	CU_ASSERT_EQUAL(WALK(43, &e, 6, 0, 0, 1, 0, 0, 0, 0), IP6_PROBLEM);
	CU_ASSERT(e.code == ICMP6_PARAM_FIELD && e.pointer == 42);
	CU_ASSERT_EQUAL(WALK(60, &e, 6, 1, 1, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), IP6_LIMIT);
}

static void test_options(void)
{
	static const enum ip6_end by_bits[4] = {IP6_UPPER, IP6_DISCARD, IP6_PROBLEM,
	                                        IP6_PROBLEM_SINGLE};
	uint8_t many[40] = {6, 4};
	struct ip6_ext e;

	for (unsigned type = 2; type < 256; type++) {
		CU_ASSERT_EQUAL(WALK(60, &e, 6, 0, (uint8_t)type, 4, 0, 0, 0, 0),
		                by_bits[type >> 6]);
		if (type >= 0x80)
			CU_ASSERT(e.code == ICMP6_PARAM_OPTION && e.pointer == 42);
	}
	for (unsigned n = 1; n <= 10; n++) { /* n options of no length, then padding */
		memset(many + 2, 0, 38);
		for (unsigned i = 0; i < n; i++)
			many[2 + 2 * i] = 0x1e;
		for (unsigned i = 2 + 2 * n; i < 40; i += 6) { /* PadN, with an option between */
			many[i] = 1;
			many[i + 1] = (uint8_t)(i + 6 > 40 ? 40 - i - 2 : 4);
		}
		if (n >= 8)
			CU_ASSERT_EQUAL(walk(60, many, 40, &e), IP6_LIMIT);
	}
}

static void test_fragments(void)
{
	struct ip6_ext e;

	CU_ASSERT_EQUAL(WALK(44, &e, 17, 0, 0, 0, 1, 2, 3, 4, 9), IP6_UPPER); /* atomic */
	CU_ASSERT(e.has_fragment && e.proto == 17 && e.off == 48 && e.frag_id == 0x01020304);
	CU_ASSERT_EQUAL(WALK(44, &e, 17, 0, 0, 1, 1, 2, 3, 4, 9), IP6_FRAGMENT);
	CU_ASSERT(e.more && e.frag_off == 0 && e.off == 48 && e.proto == 17 && e.frag_at == 40);
	CU_ASSERT_EQUAL(WALK(44, &e, 17, 0, 0x05, 0xa8, 1, 2, 3, 4, 9), IP6_FRAGMENT);
	CU_ASSERT(!e.more && e.frag_off == 1448);
	CU_ASSERT_EQUAL(WALK(44, &e, 17, 0, 0, 0, 1, 2, 3), IP6_SHORT);
}

static void test_limits(void)
{
	uint8_t p[1000];
	struct ip6_ext e;

	for (unsigned n = 1; n <= 10; n++) {
		for (unsigned i = 0; i < n; i++)
			memcpy(p + 8 * i, (uint8_t[8]){i + 1 < n ? 60 : 6, 0, 1, 4}, 8);
		CU_ASSERT_EQUAL(walk(60, p, 8 * n + 4, &e),
		                n <= IP6_EXT_HEADERS_MAX ? IP6_UPPER : IP6_LIMIT);
	}
	memset(p, 0, sizeof(p));
	p[0] = 6;
	p[1] = 63; /* 512 bytes of one option */
	p[2] = 0x1e;
	p[3] = 255;
	p[259] = 0x1e;
	p[260] = 251;
	CU_ASSERT_EQUAL(walk(60, p, 600, &e), IP6_UPPER);
	p[1] = 64;
	CU_ASSERT_EQUAL(walk(60, p, 600, &e), IP6_LIMIT);
}

static void test_quote(void)
{
	uint8_t p[128];
	struct ip6_hdr h = sample;
	struct icmp6_quote q;

	h.next = 60;
	h.payload_len = 1400;
	ip6_write(p, &h);
	memcpy(p + 40, (uint8_t[8]){6, 0, 1, 4}, 8);
	memcpy(p + 48, (uint8_t[8]){0x13, 0x88, 0, 80, 0xde, 0xad, 0xbe, 0xef}, 8);
	for (uint32_t len = 0; len < 60; len++) {
		uint8_t *copy = exact_copy(p, len);

		CU_ASSERT_EQUAL(icmp6_parse_quote(copy, len, &q), len < 56 ? WIRE_SHORT : 48);
		free(copy);
	}
	CU_ASSERT(q.proto == 6 && q.sport == 5000 && q.dport == 80 && q.seq == 0xdeadbeef);
	memcpy(p + 40, (uint8_t[8]){6, 0, 0, 9}, 8);
	p[6] = 44;
	CU_ASSERT_EQUAL(icmp6_parse_quote(p, 60, &q), WIRE_FORM); /* the second fragment */
}

static void test_random(void)
{
	struct dice dice;
	struct ip6_hdr h;
	struct ip6_ext e;
	struct icmp6_quote q;

	dice_seed(&dice, 7);
	for (unsigned n = 0; n < 200000; n++) {
		static const uint8_t kinds[] = {0, 43, 44, 60, 59, 6, 58};
		const uint32_t len = 40 + dice_below(&dice, 100);
		uint8_t bytes[140], *p;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)dice_next(&dice);
		bytes[0] = 0x60;
		for (uint32_t i = 40; i + 8 <= len; i += 8) {
			bytes[i] = kinds[dice_below(&dice, sizeof(kinds))];
			bytes[i + 1] &= 3;
		}
		bytes[6] = kinds[dice_below(&dice, sizeof(kinds))];
		p = exact_copy(bytes, len);
		CU_ASSERT_FATAL(ip6_parse_quoted(p, len, &h) == IP6_HDR_LEN);
		if (ip6_walk(p, len, &h, &e) == IP6_UPPER)
			CU_ASSERT_FATAL(e.off <= len);
		icmp6_parse_quote(p, len, &q);
		free(p);
	}
}

static void test_addresses(void)
{
	const struct pc_addr a = {.b = {0xfd, [13] = 1, [14] = 2, [15] = 3}};
	const struct pc_addr s = ip6_solicited(&a), nodes = ip6_all_nodes();

	CU_ASSERT(memcmp(s.b, (uint8_t[16]){0xff, 2, [11] = 1, 0xff, 1, 2, 3}, 16) == 0);
	CU_ASSERT(ip6_group_scope(&s) == 2 && nodes.b[15] == 1 && pc_addr_is_multicast(&nodes));
	CU_ASSERT(ip6_all_routers().b[15] == 2 && ip6_mld_routers().b[15] == 0x16);
	CU_ASSERT(ip6_is_extension(0) && ip6_is_extension(60) && !ip6_is_extension(58));
}

static const struct unit_case cases[] = {
    {"fixed header", test_fixed_header}, {"walk", test_walk},           {"options", test_options},
    {"fragments", test_fragments},       {"limits", test_limits},       {"quote", test_quote},
    {"random bytes", test_random},       {"addresses", test_addresses},
};

UNIT_MAIN("wire/ip6", cases)
