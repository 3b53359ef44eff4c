/* SPDX-License-Identifier: BSD-2-Clause */
/* Pacing (draft-ietf-ccwg-bbr-06 sections 5.6.2, 5.6.3): quanta, gaps, lateness. */

#include <rte_common.h>

#include "../unit.h"
#include "tcp/pace.h"

#define SMSS 1000u
#define MS   1000000ull

static struct pace p;

/* sends as much as may be sent at a moment, and has more; returns how much */
static uint32_t turn_of(bool waited, uint64_t now_ns)
{
	uint32_t sent = 0;

	pace_begin(&p, now_ns, waited);
	while (p.left > 0 && sent < 1000 * SMSS) {
		pace_take(&p, SMSS);
		sent += SMSS;
	}
	pace_end(&p, sent);
	return sent;
}

static uint32_t turn(uint64_t now_ns)
{
	return turn_of(true, now_ns);
}

static void test_none(void)
{
	p = (struct pace){0};
	pace_set(&p, 0, SMSS);
	CU_ASSERT_EQUAL(turn(MS), 1000 * SMSS);
	CU_ASSERT_EQUAL(turn(MS), 1000 * SMSS);
}

/* 5.6.3: a millisecond's worth, at most 64 KiB, at least two segments */
static void test_quantum(void)
{
	p = (struct pace){0};
	pace_set(&p, 10000000, SMSS);
	CU_ASSERT_EQUAL(p.quantum, 10000);
	pace_set(&p, 100000000, SMSS);
	CU_ASSERT_EQUAL(p.quantum, 65536);
	pace_set(&p, 100000, SMSS);
	CU_ASSERT_EQUAL(p.quantum, 2 * SMSS);
	/* what has to leave in two ticks of 65.536 us, or the rate is not reached: 10 Gbit/s */
	pace_set(&p, 1250000000, SMSS);
	CU_ASSERT(p.quantum > 163000 && p.quantum < 165000);
}

static void test_gap(void)
{
	p = (struct pace){0};
	pace_set(&p, 10000000, SMSS);
	CU_ASSERT_EQUAL(turn_of(false, 100 * MS), 10000);
	CU_ASSERT_EQUAL(p.next_ns, 101 * MS);
	CU_ASSERT_EQUAL(turn(101 * MS - 1), 0);
	CU_ASSERT_EQUAL(turn(101 * MS), 10000);
	CU_ASSERT_EQUAL(p.next_ns, 102 * MS);
}

/* a waker that is late each time, by a tenth of the gap or by several, does not slow it down */
static void test_late(void)
{
	static const uint64_t lateness[] = {MS / 10, MS, 4 * MS, 10 * MS};

	for (unsigned k = 0; k < RTE_DIM(lateness); k++) {
		uint64_t now = 100 * MS, sent = 0;

		p = (struct pace){0};
		pace_set(&p, 10000000, SMSS);
		sent = turn_of(false, now);
		while (sent < 10000000) {
			now = p.next_ns + lateness[k];
			sent += turn(now);
		}
		CU_ASSERT_EQUAL(p.next_ns, 100 * MS + sent * 100);
	}
}

/* more than a large quantum is spread over the next turns, and the end of a long standstill counts */
static void test_standstill(void)
{
	p = (struct pace){0};
	pace_set(&p, 10000000, SMSS);
	(void)turn_of(false, 100 * MS);
	CU_ASSERT_EQUAL(turn(1000 * MS), 70 * SMSS); /* seven quanta: one, and 64 KiB */
	CU_ASSERT_EQUAL(turn(1000 * MS), 40 * SMSS); /* the rest of 10 ms, and one */
	CU_ASSERT_EQUAL(p.next_ns, 1001 * MS);
	CU_ASSERT_EQUAL(turn(1000 * MS), 0);
	p = (struct pace){0};
	pace_set(&p, UINT64_MAX, SMSS);
	(void)turn_of(false, 100 * MS);
	CU_ASSERT(turn(1000 * MS) > 0);
}

/* idleness is no credit */
static void test_idle(void)
{
	uint32_t sent;

	p = (struct pace){0};
	pace_set(&p, 10000000, SMSS);
	turn_of(false, 100 * MS);
	sent = turn_of(false, 1000 * MS) + turn(1000 * MS) + turn(1000 * MS);
	CU_ASSERT_EQUAL(sent, 10000);
	CU_ASSERT_EQUAL(turn(1000 * MS + MS / 2), 0);
}

static void test_remainder(void)
{
	p = (struct pace){0};
	pace_set(&p, 2500000,
	         SMSS); /* a quantum of 2.5 segments: the third goes, and is paid for */
	CU_ASSERT_EQUAL(turn_of(false, 100 * MS), 3 * SMSS);
	CU_ASSERT_EQUAL(p.next_ns, 101200000);
}

static const struct unit_case cases[] = {
    {"without a rate", test_none},
    {"draft-ietf-ccwg-bbr 5.6.3: the send quantum", test_quantum},
    {"draft-ietf-ccwg-bbr 5.6.2: next_send_time", test_gap},
    {"lateness is made good", test_late},
    {"... by large quanta, and not a standstill", test_standstill},
    {"idleness is not", test_idle},
    {"the rest of a segment", test_remainder},
};

UNIT_MAIN("pace", cases)
