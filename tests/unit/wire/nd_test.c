/* SPDX-License-Identifier: BSD-2-Clause */

/* Neighbour discovery and multicast listener messages. */

#include "wire/nd.h"

#include "../unit.h"
#include "base/dice.h"
#include "exact.h"

static const struct pc_addr target = {.b = {0xfe, 0x80, [15] = 7}};

static void test_write_and_parse(void)
{
	const struct nd_msg na = {.type = ND_NA,
	                          .flags = ND_NA_SOLICITED | ND_NA_OVERRIDE,
	                          .has = ND_HAS_TLLA,
	                          .tlla = {2, 0, 0, 0, 0, 9},
	                          .target = target};
	const struct nd_msg ns = {.type = ND_NS,
	                          .has = ND_HAS_SLLA | ND_HAS_NONCE,
	                          .slla = {2, 0, 0, 0, 0, 8},
	                          .nonce = {1, 2, 3, 4, 5, 6},
	                          .target = target};
	const struct nd_msg rs = {.type = ND_RS};
	uint8_t p[ND_MSG_MAX];
	struct nd_msg m;

	CU_ASSERT_EQUAL(nd_write(p, &na), 32);
	CU_ASSERT(p[0] == 136 && p[4] == 0x60 && p[24] == 2 && p[25] == 1);
	CU_ASSERT_EQUAL(nd_parse(p, 32, &m), 32);
	CU_ASSERT(m.flags == na.flags && m.has == ND_HAS_TLLA && m.tlla[5] == 9);
	CU_ASSERT(pc_addr_equal(&m.target, &target));
	CU_ASSERT_EQUAL(nd_write(p, &ns), 40);
	CU_ASSERT_EQUAL(nd_parse(p, 40, &m), 40);
	CU_ASSERT(m.has == ns.has && m.slla[5] == 8 && memcmp(m.nonce, ns.nonce, 6) == 0);
	CU_ASSERT_EQUAL(nd_write(p, &rs), 8);
	CU_ASSERT_EQUAL(nd_parse(p, 8, &m), 8);
}

static void test_router_advertisement(void)
{
	static const uint8_t p[] = {134,  0, 0,   0,    64, 0x18, 0x07, 0x08, 0, 0, 0x75, 0x30,
	                            0,    0, 3,   0xe8,                       /* preference low */
	                            1,    1, 2,   0,    0,  0,    0,    1,    /* SLLA */
	                            5,    1, 0,   0,    0,  0,    5,    0xdc, /* MTU 1500 */
	                            3,    4, 64,  0xc0, 0,  1,    0x51, 0x80, 0, 0, 0x38, 0x40,
	                            0,    0, 0,   0, /* prefix */
	                            0x20, 1, 0xd, 0xb8, 0,  0,    0,    0,    0, 0, 0,    0,
	                            0,    0, 0,   0,    25, 1,    0,    0,    0, 0, 0,    0};
	struct nd_msg m;

	CU_ASSERT_EQUAL(nd_parse(p, sizeof(p), &m), (int)sizeof(p));
	CU_ASSERT(m.hops == 64 && m.lifetime_s == 1800 && m.preference == -1);
	CU_ASSERT(m.reachable_ms == 30000 && m.retrans_ms == 1000);
	CU_ASSERT(m.has == (ND_HAS_SLLA | ND_HAS_MTU) && m.mtu == 1500 && m.slla[5] == 1);
	CU_ASSERT_EQUAL_FATAL(m.nb_prefixes, 1);
	CU_ASSERT(m.prefix[0].prefix.len == 64 && m.prefix[0].on_link && m.prefix[0].autonomous);
	CU_ASSERT(m.prefix[0].valid_s == 86400 && m.prefix[0].preferred_s == 14400);
	CU_ASSERT(m.prefix[0].prefix.addr.b[0] == 0x20);
}

static void test_redirect(void)
{
	uint8_t p[40] = {137};
	struct nd_msg m;

	p[23] = 1;
	p[39] = 2;
	CU_ASSERT_EQUAL(nd_parse(p, 40, &m), 40);
	CU_ASSERT(m.target.b[15] == 1 && m.dest.b[15] == 2);
}

static void test_malformed(void)
{
	static const uint32_t fixed[5] = {8, 16, 24, 24, 40};
	struct nd_msg m;

	for (unsigned type = 0; type < 256; type++) {
		const bool known = type >= ND_RS && type <= ND_REDIRECT;
		uint8_t p[48] = {(uint8_t)type};

		for (uint32_t len = 0; len <= 48; len++) {
			const uint32_t need = known ? fixed[type - ND_RS] : 0;
			uint8_t *copy = exact_copy(p, len);
			const int rc = nd_parse(copy, len, &m);

			free(copy);
			if (len < 8 || (known && len < need)) {
				CU_ASSERT_EQUAL(rc, WIRE_SHORT);
			} else if (known && len == need) {
				CU_ASSERT_EQUAL(rc, (int)len);
			} else { /* options of length 0, or no such type */
				CU_ASSERT_EQUAL(rc, WIRE_FORM);
			}
		}
	}
}

static void test_random(void)
{
	struct dice dice;
	struct nd_msg m;
	struct mld_query q;

	dice_seed(&dice, 9);
	for (unsigned n = 0; n < 200000; n++) {
		const uint32_t len = dice_below(&dice, 120);
		uint8_t bytes[120], *p;

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)dice_next(&dice);
		bytes[0] = (uint8_t)(133 + dice_below(&dice, 5));
		for (uint32_t i = 8; i + 8 <= len; i += 8) {
			bytes[i] = (uint8_t)dice_below(&dice, 16);
			bytes[i + 1] &= 7;
		}
		p = exact_copy(bytes, len);
		if (nd_parse(p, len, &m) > 0)
			CU_ASSERT_FATAL(m.nb_prefixes <= ND_PREFIXES_MAX);
		mld_parse_query(p, len, &q);
		free(p);
	}
}

static void test_mld(void)
{
	uint8_t p[32] = {130, 0, 0, 0, 0x03, 0xe8};
	struct mld_query q;

	CU_ASSERT_EQUAL(mld_parse_query(p, 24, &q), 24);
	CU_ASSERT(q.v1 && q.delay_ms == 1000 && pc_addr_is_any(&q.group));
	CU_ASSERT_EQUAL(mld_parse_query(p, 28, &q), 28);
	CU_ASSERT_FALSE(q.v1);
	for (uint32_t len = 0; len < 28; len++)
		CU_ASSERT_EQUAL(mld_parse_query(p, len, &q), len == 24 ? 24 : WIRE_SHORT);
	p[4] = 0x80 | 0x10; /* RFC 3810 section 5.1.3: exponent 1, mantissa 0 */
	p[5] = 0;
	CU_ASSERT_EQUAL(mld_parse_query(p, 28, &q), 28);
	CU_ASSERT_EQUAL(q.delay_ms, 0x1000u << 4);
	CU_ASSERT_EQUAL(mld_write_report(p, MLD_TO_EXCLUDE, &target), 28);
	CU_ASSERT(p[0] == 143 && p[7] == 1 && p[8] == 4 && memcmp(p + 12, target.b, 16) == 0);
	CU_ASSERT_EQUAL(mld_write_v1(p, MLD_REPORT_V1, &target), 24);
	CU_ASSERT(p[0] == 131 && memcmp(p + 8, target.b, 16) == 0);
}

static const struct unit_case cases[] = {
    {"write and parse", test_write_and_parse},
    {"router advertisement", test_router_advertisement},
    {"redirect", test_redirect},
    {"RFC 4861 4.6: lengths", test_malformed},
    {"random bytes", test_random},
    {"multicast listeners", test_mld},
};

UNIT_MAIN("wire/nd", cases)
