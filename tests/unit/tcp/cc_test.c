/* SPDX-License-Identifier: BSD-2-Clause */
/* The choice of an algorithm, and slow start with HyStart++. */

#include <string.h>

#include "../unit.h"
#include "tcp/cc.h"
#include "tcp/hystart.h"

#define SMSS 1000u

static struct tcb t;
static struct tcp_queues q;
static struct hystart h;

static void test_names(void)
{
	CU_ASSERT_EQUAL(cc_find("reno", 4), CC_RENO);
	CU_ASSERT_EQUAL(cc_find("cubic", 5), CC_CUBIC);
	CU_ASSERT_EQUAL(cc_find("dctcp", 5), CC_DCTCP);
	CU_ASSERT_EQUAL(cc_find("cubi", 4), -1);
	CU_ASSERT_EQUAL(cc_find("cubicle", 7), -1);
	CU_ASSERT_EQUAL(cc_find("", 0), -1);
	for (unsigned i = 0; i < CC_COUNT; i++) {
		const char *name = cc_by_index(i)->name;

		CU_ASSERT(strlen(name) < CC_NAME_MAX);
		CU_ASSERT_EQUAL((unsigned)cc_find(name, strlen(name)), i);
	}
}

static void test_change(void)
{
	t = (struct tcb){.cc = CC_CUBIC, .cwnd = 7, .ssthresh = 5};
	q = (struct tcp_queues){.cc_bytes = 3, .cc_state = {1, 2, 3, 4, 5, 6, 7, 8}};
	cc_use(&t, &q, CC_CUBIC); /* as it was */
	CU_ASSERT_EQUAL(q.cc_state[7], 8);
	cc_use(&t, &q, CC_RENO);
	CU_ASSERT_PTR_EQUAL(cc_of(&t), &cc_newreno);
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(q.cc_state[i], 0);
	CU_ASSERT_EQUAL(q.cc_bytes, 0);
	CU_ASSERT(t.cwnd == 7 && t.ssthresh == 5);
	cc_use(&t, NULL, CC_DCTCP);
	CU_ASSERT_PTR_EQUAL(cc_of(&t), &cc_dctcp);
}

static void begin(void)
{
	t = (struct tcb){.mss = SMSS, .cwnd = 10 * SMSS, .ssthresh = UINT32_MAX};
	q = (struct tcp_queues){0};
	h = (struct hystart){0};
}

static void ack(uint32_t acked, uint32_t rtt_us, bool hystart)
{
	const struct cc_ack a = {
	    .acked = acked, .flight = t.cwnd, .rtt_us = rtt_us, .hystart = hystart};

	t.snd_una += acked;
	cc_slow_start(&t, &q, &a, &h);
}

static void round_of(uint32_t rtt_us)
{
	for (unsigned i = 0; i < 10; i++) {
		ack(SMSS, rtt_us, true);
		if (i == 8)
			t.snd_nxt += 10 * SMSS;
	}
}

static void test_limits(void)
{
	begin();
	t.snd_nxt = 100 * SMSS;
	ack(20 * SMSS, 0, true); /* RFC 9406 4.3: L = 8 */
	CU_ASSERT_EQUAL(t.cwnd, 18 * SMSS);
	ack(20 * SMSS, 0, false); /* RFC 3465: L = 2 */
	CU_ASSERT_EQUAL(t.cwnd, 20 * SMSS);
	q.pace.rate = 1; /* RFC 9406 4.3: no L with pacing */
	ack(15 * SMSS, 0, true);
	CU_ASSERT_EQUAL(t.cwnd, 35 * SMSS);
	q.pace.rate = 0;
	t.cwnd = 20 * SMSS;
	q.recovery = TCP_R_LOSS;
	ack(20 * SMSS, 0, false);
	CU_ASSERT_EQUAL(t.cwnd, 21 * SMSS);
	q.recovery = TCP_R_OPEN;
	t.ssthresh = 100 * SMSS; /* RFC 9406 4.3: only the initial slow start */
	ack(20 * SMSS, 0, true);
	CU_ASSERT_EQUAL(t.cwnd, 23 * SMSS);
}

static void test_css(void)
{
	uint32_t before;

	begin();
	t.snd_nxt = 10 * SMSS;
	round_of(50000);
	CU_ASSERT_EQUAL(t.cwnd, 20 * SMSS);
	round_of(60000); /* CSS by the eighth sample */
	CU_ASSERT_EQUAL(t.cwnd, 27 * SMSS + 3 * SMSS / 4);
	for (unsigned i = 2; i <= 4; i++) {
		before = t.cwnd;
		round_of(60000);
		CU_ASSERT_EQUAL(t.cwnd, before + 10 * SMSS / 4);
		CU_ASSERT_EQUAL(t.ssthresh, UINT32_MAX);
	}
	round_of(60000);
	CU_ASSERT_EQUAL(t.ssthresh, t.cwnd); /* congestion avoidance */
}

/* After a pause cwnd is the restart window. Rounds that small have too few samples to show that the delay is gone, so those
 * of conservative slow start before the pause must not go on: they would end slow start at once. */
static void test_pause(void)
{
	begin();
	t.snd_nxt = 10 * SMSS;
	round_of(50000);
	round_of(60000);
	CU_ASSERT(h.css_round > 0);
	t.cwnd = 4 * SMSS;
	for (unsigned i = 0; i < 8; i++) {
		t.snd_nxt = t.snd_una + t.cwnd;
		ack(2 * SMSS, 50000, true);
		ack(2 * SMSS, 50000, true);
		t.snd_una = t.snd_nxt;
	}
	CU_ASSERT_EQUAL(t.ssthresh, UINT32_MAX);
	CU_ASSERT_EQUAL(h.css_round, 0);
}

/* the limit is one for each acknowledgement, however many are processed at once */
static void test_merged(void)
{
	struct cc_ack a = {.acked = 20 * SMSS, .merged = 2};

	begin();
	a.flight = t.cwnd;
	cc_slow_start(&t, &q, &a, &h);
	CU_ASSERT_EQUAL(t.cwnd, 16 * SMSS);
	begin();
	q.recovery = TCP_R_LOSS;
	cc_slow_start(&t, &q, &a, &h);
	CU_ASSERT_EQUAL(t.cwnd, 13 * SMSS);
	begin();
	a.hystart = true;
	a.acked = 30 * SMSS;
	cc_slow_start(&t, &q, &a, &h);
	CU_ASSERT_EQUAL(t.cwnd, 34 * SMSS);
}

static void test_application_limited(void)
{
	const struct cc_ack a = {.acked = SMSS, .flight = 3 * SMSS, .hystart = true};

	begin();
	t.snd_nxt = 10 * SMSS;
	for (int i = 0; i < 100; i++)
		cc_slow_start(&t, &q, &a, &h);
	CU_ASSERT_EQUAL(t.cwnd, 10 * SMSS);
}

static const struct unit_case cases[] = {
    {"names", test_names},
    {"another algorithm", test_change},
    {"RFC 9406 4.3, RFC 3465 2.2: what an acknowledgement adds", test_limits},
    {"RFC 9406 4.2: conservative slow start, and its end", test_css},
    {"RFC 9406 4.2: ... not after a pause", test_pause},
    {"acknowledgements that are processed together", test_merged},
    {"RFC 7661: an application that does not use cwnd", test_application_limited},
};

UNIT_MAIN("cc", cases)
