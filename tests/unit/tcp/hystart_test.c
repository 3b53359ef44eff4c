/* SPDX-License-Identifier: BSD-2-Clause */
/* HyStart++ (RFC 9406): rounds, the rise of the round trip, conservative slow start. */

#include "../unit.h"
#include "tcp/hystart.h"

static struct hystart h;
static uint32_t una, nxt;

static void begin(void)
{
	h = (struct hystart){0};
	una = 0xffffff00; /* sequence numbers wrap */
	nxt = una;
}

/* a round of n acknowledgements with this round trip; returns the phase after the last */
static enum hystart_phase round_of(unsigned n, uint32_t rtt_us)
{
	enum hystart_phase phase = HYSTART_SLOW;
	uint32_t from = nxt;

	nxt += 1000 * n;
	una = from;
	for (unsigned i = 0; i < n; i++) {
		una += 1000;
		/* by the last, the next round is under way */
		phase = hystart_ack(&h, una, nxt + (i + 1 == n ? 1000 * n : 0), rtt_us, 1);
	}
	return phase;
}

static void test_steady(void)
{
	begin();
	for (int i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(round_of(10, 50000), HYSTART_SLOW);
}

/* 4.2: clamp(lastRoundMinRTT / 8, 4 ms, 16 ms) */
static void threshold(uint32_t last_us, uint32_t rise_us)
{
	begin();
	round_of(10, last_us);
	CU_ASSERT_EQUAL(round_of(10, last_us + rise_us - 1), HYSTART_SLOW);
	begin();
	round_of(10, last_us);
	CU_ASSERT_EQUAL(round_of(10, last_us + rise_us), HYSTART_CSS);
}

static void test_threshold(void)
{
	threshold(1000, 4000);
	threshold(32000, 4000);
	threshold(80000, 10000);
	threshold(128000, 16000);
	threshold(400000, 16000);
}

/* 4.2: rttSampleCount >= N_RTT_SAMPLE */
static void test_samples(void)
{
	begin();
	round_of(10, 50000);
	CU_ASSERT_EQUAL(round_of(7, 90000), HYSTART_SLOW);
	begin();
	round_of(10, 50000);
	CU_ASSERT_EQUAL(round_of(8, 90000), HYSTART_CSS);
	/* of acknowledgements that arrived together each is one */
	for (uint32_t n = 6; n <= 7; n++) {
		begin();
		round_of(10, 50000);
		nxt += 100000;
		hystart_ack(&h, una + 1, nxt, 90000, 1);
		CU_ASSERT_EQUAL(hystart_ack(&h, una + 2, nxt, 90000, n),
		                n == 6 ? HYSTART_SLOW : HYSTART_CSS);
	}
	/* an acknowledgement that measured nothing is no sample */
	begin();
	round_of(10, 50000);
	nxt += 100000;
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(hystart_ack(&h, una + 1, nxt, 0, 1), HYSTART_SLOW);
	/* a round without a sample is no measure for the next */
	begin();
	round_of(10, 0);
	CU_ASSERT_EQUAL(round_of(10, 90000), HYSTART_SLOW);
}

/* the smallest of a round counts */
static void test_minimum(void)
{
	begin();
	round_of(10, 50000);
	nxt += 100000;
	CU_ASSERT_EQUAL(hystart_ack(&h, una + 1, nxt, 50000, 1), HYSTART_SLOW);
	for (uint32_t i = 0; i < 50; i++)
		CU_ASSERT_EQUAL(hystart_ack(&h, una + 2 + i, nxt, 90000, 1), HYSTART_SLOW);
}

/* 4.2: CSS_ROUNDS = 5, and the rest of the round in which it began is one */
static void test_css_ends(void)
{
	begin();
	round_of(10, 50000);
	CU_ASSERT_EQUAL(round_of(10, 60000), HYSTART_CSS); /* the first */
	for (int i = 2; i <= 4; i++)
		CU_ASSERT_EQUAL(round_of(10, 60000 + 1000u * (unsigned)i), HYSTART_CSS);
	CU_ASSERT_EQUAL(round_of(10, 70000), HYSTART_DONE);
}

/* 4.2: currentRoundMinRTT < cssBaselineMinRtt: back to slow start */
static void test_back(void)
{
	begin();
	round_of(10, 50000);
	CU_ASSERT_EQUAL(round_of(10, 60000), HYSTART_CSS);
	CU_ASSERT_EQUAL(round_of(10, 60000), HYSTART_CSS);
	CU_ASSERT_EQUAL(round_of(10, 59999), HYSTART_SLOW);
	/* and again from there */
	CU_ASSERT_EQUAL(round_of(10, 80000), HYSTART_CSS);
	for (int i = 2; i <= 4; i++)
		CU_ASSERT_EQUAL(round_of(10, 80000), HYSTART_CSS);
	CU_ASSERT_EQUAL(round_of(10, 80000), HYSTART_DONE);
	/* seven samples are not enough to go back */
	begin();
	round_of(10, 50000);
	round_of(10, 60000);
	CU_ASSERT_EQUAL(round_of(7, 50000), HYSTART_CSS);
}

static const struct unit_case cases[] = {
    {"steady round trips", test_steady},
    {"RFC 9406 4.2: the threshold", test_threshold},
    {"RFC 9406 4.2: eight samples", test_samples},
    {"RFC 9406 4.2: the smallest round trip of a round", test_minimum},
    {"RFC 9406 4.2: CSS lasts five rounds", test_css_ends},
    {"RFC 9406 4.2: CSS was a mistake", test_back},
};

UNIT_MAIN("hystart", cases)
