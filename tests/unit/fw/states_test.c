/* SPDX-License-Identifier: BSD-2-Clause */
#include "fw/states.h"

#include <netinet/in.h>

#include "../../support/eal.h"
#include "../unit.h"
#include "fw/rules.h"

#define SECOND UINT64_C(1000000000)

static struct fw_states t;

static struct fw_state name(uint32_t n)
{
	return (struct fw_state){
	    .remote = pc_addr_ip4(n), .lport = 53, .rport = 7, .proto = IPPROTO_UDP};
}

static uint8_t seen(uint32_t n, uint64_t now)
{
	const struct fw_state s = name(n), *e = fw_states_find(&t, &s, now);

	return e != NULL ? (uint8_t)(e->seen & ~FW_BEGUN) : 0;
}

static bool note(uint32_t n, unsigned dir, uint64_t now)
{
	const struct fw_state s = name(n);

	return fw_states_note(&t, &s, dir, now, now + SECOND);
}

static void test_directions(void)
{
	struct fw_state other;

	/* one bucket, so that it is names that tell them apart */
	CU_ASSERT_EQUAL(fw_states_init(&t, 1, (struct hash_key){{1, 2}}, -1), 0);
	CU_ASSERT_EQUAL(seen(1, 0), 0);
	note(1, FW_OUT, 0);
	CU_ASSERT_EQUAL(seen(1, 1), 1 << FW_OUT);
	note(1, FW_IN, 1);
	CU_ASSERT_EQUAL(seen(1, 2), 1 << FW_OUT | 1 << FW_IN);
	/* each part of the name counts */
	other = name(1);
	other.lport++;
	CU_ASSERT_PTR_NULL(fw_states_find(&t, &other, 2));
	other = name(1);
	other.rport++;
	CU_ASSERT_PTR_NULL(fw_states_find(&t, &other, 2));
	other = name(1);
	other.laddr++;
	CU_ASSERT_PTR_NULL(fw_states_find(&t, &other, 2));
	other = name(1);
	other.proto++;
	CU_ASSERT_PTR_NULL(fw_states_find(&t, &other, 2));
	CU_ASSERT_EQUAL(seen(2, 2), 0);
	fw_states_fini(&t);
}

static void test_time(void)
{
	CU_ASSERT_EQUAL(fw_states_init(&t, 64, (struct hash_key){{1, 2}}, -1), 0);
	note(1, FW_OUT, 0);
	CU_ASSERT_EQUAL(seen(1, SECOND - 1), 1 << FW_OUT);
	CU_ASSERT_EQUAL(seen(1, SECOND), 0);
	note(1, FW_IN, SECOND); /* what was, was before */
	CU_ASSERT_EQUAL(seen(1, SECOND + 1), 1 << FW_IN);
	note(1, FW_IN, SECOND + SECOND / 2);
	CU_ASSERT_EQUAL(seen(1, 2 * SECOND + 1), 1 << FW_IN);
	fw_states_fini(&t);
}

/* one bucket: whom strangers send to does not make those forgotten who were asked */
static void test_who_gives_way(void)
{
	CU_ASSERT_EQUAL(fw_states_init(&t, 1, (struct hash_key){{1, 2}}, -1), 0);
	CU_ASSERT_EQUAL(t.mask, 0);
	for (uint32_t i = 0; i < FW_WAYS; i++)
		CU_ASSERT(!note(1 + i, i < 2 ? FW_OUT : FW_IN, i));
	CU_ASSERT(!note(4, FW_IN, 3));
	CU_ASSERT(note(10, FW_IN, 10)); /* in the place of the oldest stranger */
	CU_ASSERT(seen(1, 11) && seen(2, 11) && !seen(3, 11) && seen(4, 11) && seen(10, 11));
	note(11, FW_OUT, 11);
	CU_ASSERT(seen(1, 12) && seen(2, 12) && !seen(4, 12) && seen(10, 12) && seen(11, 12));
	note(12, FW_OUT, 12);
	CU_ASSERT(seen(1, 13) && !seen(10, 13) && seen(12, 13));
	CU_ASSERT(note(13, FW_IN, 13)); /* all have been asked */
	CU_ASSERT(!seen(13, 14) && seen(1, 14));
	CU_ASSERT(note(14, FW_OUT, 14)); /* then the oldest of them */
	CU_ASSERT(!seen(1, 15) && seen(2, 15) && seen(14, 15));
	CU_ASSERT(!note(15, FW_IN, 2 * SECOND)); /* all are over */
	CU_ASSERT(seen(15, 2 * SECOND + 1));
	fw_states_fini(&t);
}

/* one bucket: those whom we answer are not asked by us, and make nobody forgotten who was */
static void test_answered(void)
{
	CU_ASSERT_EQUAL(fw_states_init(&t, 1, (struct hash_key){{1, 2}}, -1), 0);
	note(1, FW_OUT, 0);
	for (uint32_t i = 2; i < 20; i++) {
		note(i, FW_IN, i);
		note(i, FW_OUT, i);
		CU_ASSERT_EQUAL(seen(i, i), 1 << FW_IN | 1 << FW_OUT);
	}
	CU_ASSERT_EQUAL(seen(1, 20), 1 << FW_OUT);
	fw_states_fini(&t);
}

static const struct unit_case cases[] = {
    {"directions, and what makes a pair", test_directions},
    {"time", test_time},
    {"who gives way", test_who_gives_way},
    {"who is answered gives way", test_answered},
};

int main(void)
{
	eal_start();
	return unit_run("fw/states", cases, sizeof(cases) / sizeof(cases[0]));
}
