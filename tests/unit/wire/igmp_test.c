/* SPDX-License-Identifier: BSD-2-Clause */

/* Messages of IGMP. */

#include "wire/igmp.h"

#include "../unit.h"
#include "exact.h"
#include "wire/cksum.h"

static const uint32_t group_be = 0x030201ef; /* 239.1.2.3 */

static void test_write(void)
{
	uint8_t p[IGMP_V3_LEN];
	struct igmp_msg m;

	CU_ASSERT_EQUAL(igmp_write(p, IGMP_REPORT_V2, group_be), 8);
	CU_ASSERT(p[0] == 0x16 && p[1] == 0 && memcmp(p + 4, &group_be, 4) == 0);
	CU_ASSERT(cksum_is_good(cksum_add(0, p, 8)));
	CU_ASSERT_EQUAL(igmp_parse(p, 8, &m), 8);
	CU_ASSERT(m.type == IGMP_REPORT_V2 && m.group_be == group_be && m.version == 0);
	CU_ASSERT_EQUAL(igmp_write_v3(p, IGMP_TO_EXCLUDE, group_be), 16);
	CU_ASSERT(p[0] == 0x22 && p[7] == 1 && p[8] == 4 && memcmp(p + 12, &group_be, 4) == 0);
	CU_ASSERT(cksum_is_good(cksum_add(0, p, 16)));
}

static void test_queries(void)
{
	const struct {
		uint8_t code;
		uint32_t len;
		uint8_t version;
		uint32_t delay_ms;
	} cases[] = {{0, 8, 1, 10000},      {100, 8, 2, 10000},  {255, 8, 2, 25500},
	             {0, 12, 3, 0},         {127, 12, 3, 12700}, {128, 12, 3, 12800},
	             {255, 16, 3, 3174400}, {0x8f, 12, 3, 24800}};
	uint8_t p[16] = {IGMP_QUERY};
	struct igmp_msg m;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p[1] = cases[i].code;
		CU_ASSERT_EQUAL(igmp_parse(p, cases[i].len, &m), 8);
		CU_ASSERT_EQUAL(m.version, cases[i].version);
		CU_ASSERT_EQUAL(m.delay_ms, cases[i].delay_ms);
	}
	for (uint32_t len = 0; len < 12; len++)
		if (len != 8)
			CU_ASSERT_EQUAL(igmp_parse(p, len, &m), len < 8 ? WIRE_SHORT : WIRE_LENGTH);
}

static const struct unit_case cases[] = {
    {"write reports", test_write},
    {"RFC 3376 4.1.1, 7.1: queries of three versions", test_queries},
};

UNIT_MAIN("wire/igmp", cases)
