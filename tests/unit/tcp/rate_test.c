/* SPDX-License-Identifier: BSD-2-Clause */
/* The delivery rate (draft-ietf-ccwg-bbr-06 section 4.1). */

#include "../unit.h"
#include "tcp/rack.h"
#include "tcp/rate.h"

#define SMSS 1000u

static struct rate r;
static struct rack k;
static struct rate_sample rs;

static void begin(void)
{
	r = (struct rate){0};
	k = (struct rack){.valid = true, .min_rtt_us = 10000};
}

/* a segment that was sent at sent_us and ends at end is acknowledged, with all before it */
static void ack(uint32_t now_us, uint32_t sent_us, uint32_t end, uint32_t delivered)
{
	k.sent_us = sent_us;
	k.end = end;
	k.rtt_us = now_us - sent_us;
	rate_ack(&r, &k, delivered, now_us, 10000, &rs);
}

static void test_first(void)
{
	begin();
	rate_sent(&r, 5000, 10 * SMSS, true);
	ack(15000, 5000, 10 * SMSS, 10 * SMSS);
	CU_ASSERT(rs.valid && !rs.limited);
	CU_ASSERT_EQUAL(rs.interval_us, 10000);
	CU_ASSERT_EQUAL(rs.delivered, 10 * SMSS);
	CU_ASSERT_EQUAL(rs.bps, 1000000);
	CU_ASSERT_EQUAL(rs.tx_in_flight, 10 * SMSS);
	CU_ASSERT_EQUAL(rs.rtt_us, 10000);
	CU_ASSERT_EQUAL(r.first_us, 5000);
}

/* 4.1.1.2.4: not faster than it was sent: ten segments in 20 ms, acknowledged all at once */
static void test_send_rate(void)
{
	begin();
	for (unsigned i = 0; i <= 10; i++)
		rate_sent(&r, 5000 + 2000 * i, (i + 1) * SMSS, i == 0);
	ack(15000, 5000, SMSS, SMSS);
	rate_sent(&r, 27000, 11 * SMSS, false);
	ack(35000, 25000, 11 * SMSS, 10 * SMSS);
	CU_ASSERT_EQUAL(rs.delivered, 10 * SMSS);
	CU_ASSERT_EQUAL(rs.interval_us, 20000);
	CU_ASSERT_EQUAL(rs.bps, 500000);
}

/* 4.1.2.3: an interval below the smallest round trip says nothing */
static void test_too_short(void)
{
	begin();
	rate_sent(&r, 5000, SMSS, true);
	ack(14999, 5000, SMSS, SMSS);
	CU_ASSERT(rs.valid);
	CU_ASSERT_EQUAL(rs.bps, 0);
}

/* 4.1.2.4: samples of what was sent in an application-limited phase are marked, until it has left */
static void test_limited(void)
{
	begin();
	rate_sent(&r, 5000, SMSS, true);
	rate_limit(&r, SMSS);
	rate_sent(&r, 6000, 2 * SMSS, false);
	ack(15000, 5000, SMSS, SMSS);
	CU_ASSERT(!rs.limited);
	ack(16000, 6000, 2 * SMSS, SMSS);
	CU_ASSERT(rs.limited);
	CU_ASSERT(!r.limited); /* the bubble is gone */
	rate_sent(&r, 16000, SMSS, true);
	ack(26000, 16000, 3 * SMSS, SMSS);
	CU_ASSERT(!rs.limited);
}

static void test_lost(void)
{
	begin();
	rate_sent(&r, 5000, 10 * SMSS, true);
	r.lost += 2 * SMSS;
	ack(15000, 5000, 10 * SMSS, 8 * SMSS);
	CU_ASSERT_EQUAL(rs.lost, 2 * SMSS);
	rate_sent(&r, 15000, 4 * SMSS, false);
	ack(25000, 15000, 14 * SMSS, 4 * SMSS);
	CU_ASSERT_EQUAL(rs.lost, 0);
}

/* RACK saw nothing newer: no sample */
static void test_old_news(void)
{
	begin();
	rate_sent(&r, 5000, 2 * SMSS, true);
	ack(15000, 5000, 2 * SMSS, SMSS);
	CU_ASSERT(rs.valid);
	ack(15500, 5000, 2 * SMSS, SMSS);
	CU_ASSERT(!rs.valid);
	CU_ASSERT_EQUAL(rs.newly_acked, SMSS);
	CU_ASSERT_EQUAL(r.delivered, 2 * SMSS);
}

/* marks are an eighth of a round trip apart; a steady flow has the right rate all the time */
static void test_steady(void)
{
	uint32_t now = 0;

	begin();
	for (unsigned i = 0; i < 1000;
	     i++, now += 100) { /* a segment each 100 us, 10 ms of delay */
		if (i >= 100) {
			ack(now, now - 10000, (i - 99) * SMSS, SMSS);
			CU_ASSERT(rs.valid);
			CU_ASSERT(i < 250 || (rs.bps > 9800000 && rs.bps < 10200000));
			CU_ASSERT(i < 250 || rs.interval_us <= 11350);
		}
		rate_sent(&r, now, (i < 100 ? i + 1 : 100) * SMSS, i == 0);
	}
	CU_ASSERT(r.full);
}

/* what was sent before the sampler began has no mark */
static void test_no_mark(void)
{
	begin();
	rate_sent(&r, 5000, 10 * SMSS, false);
	CU_ASSERT_PTR_NULL(rate_find(&r, 4999));
	CU_ASSERT_PTR_NOT_NULL(rate_find(&r, 5000));
	ack(14000, 4000, SMSS, SMSS);
	CU_ASSERT(!rs.valid);
}

static const struct unit_case cases[] = {
    {"draft-ietf-ccwg-bbr 4.1.2: the first flight", test_first},
    {"draft-ietf-ccwg-bbr 4.1.1.2.4: not faster than it was sent", test_send_rate},
    {"draft-ietf-ccwg-bbr 4.1.2.3: intervals below the round trip", test_too_short},
    {"draft-ietf-ccwg-bbr 4.1.2.4: application-limited", test_limited},
    {"RS.lost", test_lost},
    {"nothing newer", test_old_news},
    {"a steady flow", test_steady},
    {"before the beginning", test_no_mark},
};

UNIT_MAIN("rate", cases)
