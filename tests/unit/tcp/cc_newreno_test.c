/* SPDX-License-Identifier: BSD-2-Clause */
/* NewReno: how the congestion window grows and shrinks (RFC 5681, RFC 3465). */

#include "../unit.h"
#include "tcp/cc.h"

#define SMSS 1000u

static struct tcb t;
static struct tcp_queues q;

static void begin(uint32_t cwnd, uint32_t ssthresh)
{
	t = (struct tcb){.mss = SMSS, .cwnd = cwnd, .ssthresh = ssthresh};
	q = (struct tcp_queues){0};
}

static void ack(uint32_t acked, uint32_t flight)
{
	const struct cc_ack a = {.acked = acked, .flight = flight};

	cc_of(&t)->on_ack(&t, &q, &a);
}

/* a round trip in which all of cwnd is sent and acknowledged two segments at a time */
static void round_trip(void)
{
	const uint32_t cwnd = t.cwnd;

	for (uint32_t acked = 0; acked + 2 * SMSS <= cwnd; acked += 2 * SMSS)
		ack(2 * SMSS, t.cwnd);
}

/* 3.1: the window doubles in each round trip */
static void test_slow_start(void)
{
	begin(10 * SMSS, UINT32_MAX);
	round_trip();
	CU_ASSERT_EQUAL(t.cwnd, 20 * SMSS);
	round_trip();
	CU_ASSERT_EQUAL(t.cwnd, 40 * SMSS);
}

/* RFC 3465 2.2: an acknowledgement of much opens the window by two segments, by one after a time-out */
static void test_limit(void)
{
	begin(20 * SMSS, UINT32_MAX);
	ack(15 * SMSS, 20 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 22 * SMSS);
	ack(100, 20 * SMSS); /* and no more than was acknowledged */
	CU_ASSERT_EQUAL(t.cwnd, 22 * SMSS + 100);
	begin(20 * SMSS, UINT32_MAX);
	q.recovery = TCP_R_LOSS;
	ack(15 * SMSS, 20 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 21 * SMSS);
}

/* 3.1: at or above ssthresh a segment for each window that is acknowledged */
static void test_avoidance(void)
{
	begin(20 * SMSS, 20 * SMSS);
	for (uint32_t i = 1; i < 10; i++) {
		ack(2 * SMSS, t.cwnd);
		CU_ASSERT_EQUAL(t.cwnd, 20 * SMSS);
	}
	ack(2 * SMSS, t.cwnd);
	CU_ASSERT_EQUAL(t.cwnd, 21 * SMSS);
	for (int i = 0; i < 100; i++) {
		const uint32_t before = t.cwnd;

		for (uint32_t acked = 0; acked < before; acked += SMSS)
			ack(SMSS, t.cwnd);
		CU_ASSERT(t.cwnd - before <= 2 * SMSS);
	}
	CU_ASSERT(t.cwnd >= 119 * SMSS && t.cwnd <= 123 * SMSS);
}

/* a window of five and a half segments is used up by five: the round trip that acknowledges them adds one */
static void test_fraction(void)
{
	begin(5 * SMSS + SMSS / 2, 2 * SMSS);
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(t.cwnd, 5 * SMSS + SMSS / 2);
		ack(SMSS, 5 * SMSS);
	}
	CU_ASSERT_EQUAL(t.cwnd, 6 * SMSS + SMSS / 2);
}

/* RFC 7661: what the application does not use does not grow */
static void test_application_limited(void)
{
	begin(40 * SMSS, UINT32_MAX);
	for (int i = 0; i < 1000; i++)
		ack(SMSS, 2 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 40 * SMSS);
	begin(40 * SMSS, 20 * SMSS);
	for (int i = 0; i < 1000; i++)
		ack(SMSS, 2 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 40 * SMSS);
}

/* equation (4): half of what is under way, not of cwnd; at least two segments */
static void test_loss(void)
{
	begin(40 * SMSS, UINT32_MAX);
	q.cc_bytes = 777;
	cc_of(&t)->on_loss(&t, &q, 30 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 15 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 15 * SMSS);
	CU_ASSERT_EQUAL(q.cc_bytes, 0);
	cc_of(&t)->on_loss(&t, &q, SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 2 * SMSS);
}

/* 3.1: after a time-out one segment, also when there are no queues (a FIN was lost) */
static void test_timeout(void)
{
	begin(40 * SMSS, UINT32_MAX);
	cc_of(&t)->on_timeout(&t, &q, 30 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 15 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, SMSS);
	begin(40 * SMSS, UINT32_MAX);
	cc_of(&t)->on_timeout(&t, NULL, 1);
	CU_ASSERT_EQUAL(t.ssthresh, 2 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, SMSS);
}

static void test_name(void)
{
	CU_ASSERT_STRING_EQUAL(cc_of(&t)->name, "reno");
}

static const struct unit_case cases[] = {
    {"slow start doubles", test_slow_start},
    {"appropriate byte counting", test_limit},
    {"congestion avoidance adds a segment", test_avoidance},
    {"a part of a segment is no window", test_fraction},
    {"no growth while the application is the limit", test_application_limited},
    {"loss halves", test_loss},
    {"a time-out leaves one segment", test_timeout},
    {"its name is Linux's", test_name},
};

UNIT_MAIN("cc_newreno", cases)
