/* SPDX-License-Identifier: BSD-2-Clause */

/* Names, sentences and severities of all counters. */

#include <percore/stats.h>

#include <ctype.h>
#include <string.h>

#include "../unit.h"

static void test_names(void)
{
	CU_ASSERT_STRING_EQUAL(pc_counter_name(PC_DROP_IP4_CHECKSUM), "drop_ip4_checksum");
	CU_ASSERT_STRING_EQUAL(pc_counter_name(PC_DROP_NONE), "drop_none");
	CU_ASSERT_STRING_EQUAL(pc_counter_name(PC_TX_NO_MBUF), "tx_no_mbuf");
	CU_ASSERT_EQUAL(PC_DROP_NONE, 0);
	for (unsigned c = 0; c < PC_COUNTER_MAX; c++) {
		const char *name = pc_counter_name(c);

		CU_ASSERT_PTR_NOT_NULL_FATAL(name);
		for (const char *p = name; *p != '\0'; p++)
			CU_ASSERT(islower(*p) || isdigit(*p) || *p == '_');
		/* pc_stack_validate adds them up by their place */
		CU_ASSERT_EQUAL(strncmp(name, "drop_", 5) == 0, c < PC_TX_NO_MBUF);
		for (unsigned d = 0; d < c; d++)
			CU_ASSERT_STRING_NOT_EQUAL(name, pc_counter_name(d));
	}
}

static void test_sentences(void)
{
	for (unsigned c = 0; c < PC_COUNTER_MAX; c++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(pc_counter_sentence(c));
		CU_ASSERT(strlen(pc_counter_sentence(c)) > 5);
		CU_ASSERT(pc_counter_severity(c) <= PC_SEV_ERROR);
	}
	CU_ASSERT_EQUAL(pc_counter_severity(PC_TX_NO_MBUF), PC_SEV_ERROR);
	CU_ASSERT_EQUAL(pc_counter_severity(PC_RX_FRAMES), PC_SEV_INFO);
}

static void test_past_the_end(void)
{
	CU_ASSERT_PTR_NULL(pc_counter_name(PC_COUNTER_MAX));
	CU_ASSERT_PTR_NULL(pc_counter_sentence(PC_COUNTER_MAX));
	CU_ASSERT_PTR_NULL(pc_counter_name((enum pc_counter) - 1));
}

static const struct unit_case cases[] = {
    {"names", test_names},
    {"sentences and severities", test_sentences},
    {"past the end", test_past_the_end},
};

UNIT_MAIN("base/counters", cases)
