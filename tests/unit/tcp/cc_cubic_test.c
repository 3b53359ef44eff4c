/* SPDX-License-Identifier: BSD-2-Clause */
/* CUBIC against the closed forms of RFC 9438. */

#include <math.h>

#include "../unit.h"
#include "tcp/cc.h"
#include "tcp/cc_cubic.h"

#define SMSS 1000u

static struct tcb t;
static struct tcp_queues q;
static uint32_t now_us;

static void begin(uint32_t cwnd, uint32_t ssthresh)
{
	t = (struct tcb){.mss = SMSS, .cwnd = cwnd, .ssthresh = ssthresh, .cc = CC_CUBIC};
	q = (struct tcp_queues){0};
	now_us = 0xfffff000; /* the clock wraps soon */
}

static void ack(uint32_t acked, uint32_t flight)
{
	const struct cc_ack a = {.acked = acked, .flight = flight, .now_us = now_us};

	cc_of(&t)->on_ack(&t, &q, &a);
}

/* a round trip in which all of cwnd is acknowledged, evenly, two segments at a time */
static void round_trip(uint32_t rtt_us)
{
	uint32_t n = RTE_MAX(t.cwnd / (2 * SMSS), 1u), begun = now_us;

	t.srtt_us = rtt_us;
	for (uint32_t i = 1; i <= n; i++) {
		now_us = begun + (uint32_t)((uint64_t)rtt_us * i / n);
		ack(t.cwnd / n, t.cwnd);
	}
}

/* the first acknowledgement of an epoch starts its clock */
static void begin_epoch(void)
{
	ack(1, t.cwnd);
}

static void lose(uint32_t flight)
{
	cc_of(&t)->on_loss(&t, &q, flight);
}

static double w_cubic(double w_max, double cwnd, double seconds)
{
	return 0.4 * pow(seconds - cbrt((w_max - cwnd) / 0.4), 3) + w_max;
}

static void test_root(void)
{
	CU_ASSERT_EQUAL(cubic_root(0), 0);
	CU_ASSERT_EQUAL(cubic_root(1), 1);
	CU_ASSERT_EQUAL(cubic_root(7), 1);
	for (uint64_t n = 2; n < 2642245; n += 1 + n / 7) {
		CU_ASSERT_EQUAL(cubic_root(n * n * n), n);
		CU_ASSERT_EQUAL(cubic_root(n * n * n - 1), n - 1);
	}
	CU_ASSERT_EQUAL(cubic_root(UINT64_MAX), 2642245);
}

/* 4.2, figure 2: K = cbrt((W_max - cwnd_epoch) / C) */
static void test_k(void)
{
	CU_ASSERT_EQUAL(cubic_k_ms(100 * SMSS, 70 * SMSS, SMSS), 4217);
	CU_ASSERT_EQUAL(cubic_k_ms(1000 * 1448, 700 * 1448, 1448), 9085);
	CU_ASSERT_EQUAL(cubic_k_ms(70 * SMSS, 70 * SMSS, SMSS), 0);
	CU_ASSERT_EQUAL(cubic_k_ms(60 * SMSS, 70 * SMSS, SMSS), 0);
	CU_ASSERT_DOUBLE_EQUAL(cubic_k_ms(UINT32_MAX, 0, 52), cbrt(UINT32_MAX / 52.0 * 2.5e9), 1);
}

/* 4.2, figure 1: W_cubic(t) = C (t - K)^3 + W_max */
static void test_function(void)
{
	const uint32_t k = cubic_k_ms(1000 * SMSS, 700 * SMSS, SMSS);

	for (uint32_t ms = 0; ms < 40000; ms += 37) {
		double want = w_cubic(1000, 700, ms / 1000.0) * SMSS;
		uint32_t got = cubic_window(1000 * SMSS, k, ms, SMSS);

		/* K is known to a millisecond: slope of the function times that */
		double slope = 1.2 * pow(ms / 1000.0 - k / 1000.0, 2);

		CU_ASSERT_DOUBLE_EQUAL(got, want, SMSS * slope / 1000 + 2);
	}
	CU_ASSERT_EQUAL(cubic_window(1000 * SMSS, k, k, SMSS), 1000 * SMSS);
	CU_ASSERT_EQUAL(cubic_window(10 * SMSS, 100000, 0, SMSS), 0);
	CU_ASSERT_EQUAL(cubic_window(1000 * SMSS, 0, UINT32_MAX, SMSS), UINT32_MAX);
	CU_ASSERT(cubic_window(UINT32_MAX, 0, UINT32_MAX, 65535) > 0);
}

/* 4.6: beta is 0.7 of what is under way; the floor is two segments */
static void test_reduction(void)
{
	begin(100 * SMSS, UINT32_MAX);
	lose(100 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 70 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 70 * SMSS);
	CU_ASSERT(q.keep);
	begin(100 * SMSS, UINT32_MAX); /* "ssthresh = flight_size * beta_cubic" */
	lose(50 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 35 * SMSS);
	begin(2 * SMSS, UINT32_MAX);
	lose(2 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 2 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 2 * SMSS);
	begin(100 * SMSS, UINT32_MAX);
	cc_of(&t)->on_ecn(&t, &q, 100 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 70 * SMSS);
}

/* 4.4 and 4.5: concave up to W_max at K, convex beyond; whatever the round trip is */
static void follow(uint32_t rtt_us)
{
	const double start = 1000 * 0.7;
	double seconds = 0;

	begin(1000 * SMSS, UINT32_MAX);
	lose(1000 * SMSS);
	begin_epoch();
	while (seconds < 14) {
		round_trip(rtt_us);
		seconds += rtt_us / 1e6;
		/* cwnd is a target of a round trip before, reached at its end */
		CU_ASSERT(t.cwnd >= SMSS * (w_cubic(1000, start, seconds - rtt_us / 1e6) - 2));
		CU_ASSERT(t.cwnd <= SMSS * (w_cubic(1000, start, seconds + rtt_us / 1e6) + 2));
	}
	CU_ASSERT(t.cwnd > 1040 * SMSS);
}

static void test_follows_function(void)
{
	follow(100000);
	follow(200000);
	follow(50000);
}

/* 4.4: target is at most 1.5 cwnd; so is what a round trip adds */
static void test_target_limit(void)
{
	begin(100 * SMSS, UINT32_MAX);
	lose(100 * SMSS);
	begin_epoch();
	for (int i = 0; i < 8; i++) {
		uint32_t before = t.cwnd;

		now_us += 60000000; /* the function is far away */
		for (uint32_t n = 0; n < before; n += SMSS)
			ack(SMSS, t.cwnd);
		CU_ASSERT(t.cwnd > before + before / 3);
		/* growth compounds within a round trip, since cwnd itself is the measure */
		CU_ASSERT(t.cwnd <= before + before / 2 + before / 8);
	}
}

/* 4.3: W_est grows by alpha = 9/17 segments per round trip until cwnd_prior, then by one */
static void test_reno_friendly(void)
{
	uint32_t before;

	begin(20 * SMSS, UINT32_MAX);
	lose(20 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 14 * SMSS);
	begin_epoch();
	/* 10 ms: the function of time is far behind */
	for (int i = 0; i < 10; i++)
		round_trip(10000);
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, (14 + 10 * 9 / 17.0) * SMSS, 400);
	for (int i = 0; i < 10; i++)
		round_trip(10000);
	before = t.cwnd;
	CU_ASSERT(before > 20 * SMSS);
	for (int i = 0; i < 10; i++)
		round_trip(10000);
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd - before, 10 * SMSS, 500);
}

/* 4.7: a loss below the last W_max gives (1 + beta) / 2 of cwnd as the new one */
static void test_fast_convergence(void)
{
	begin(1000 * SMSS, UINT32_MAX);
	lose(1000 * SMSS); /* W_max 1000 */
	t.cwnd = 800 * SMSS;
	lose(800 * SMSS); /* W_max 680, cwnd 560 */
	CU_ASSERT_EQUAL(t.cwnd, 560 * SMSS);
	begin_epoch();
	for (int i = 0; i < 67; i++) /* K = cbrt(120 / 0.4) = 6.694 s */
		round_trip(100000);
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, 680 * SMSS, 2 * SMSS);
	/* a loss above it is the new plateau itself */
	t.cwnd = 900 * SMSS;
	lose(900 * SMSS);
	begin_epoch();
	for (int i = 0; i < 88; i++) /* K = cbrt(270 / 0.4) = 8.772 s */
		round_trip(100000);
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, 900 * SMSS, 2 * SMSS);
}

/* 4.8: cwnd of one segment, ssthresh by beta; the next epoch has K = 0 and begins at its cwnd */
static void test_timeout(void)
{
	begin(100 * SMSS, UINT32_MAX);
	lose(100 * SMSS);
	t.cwnd = 100 * SMSS;
	cc_of(&t)->on_timeout(&t, &q, 100 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 70 * SMSS);
	t.cwnd = 70 * SMSS; /* slow start is over */
	begin_epoch();
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	/* 0.4 * 3^3 = 10.8 segments, and Reno's 30 * 9/17 = 15.9 are more */
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, 85.9 * SMSS, 1 * SMSS);
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	/* 0.4 * 6^3 = 86.4 */
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, 156.4 * SMSS, 4 * SMSS);
	cc_of(&t)->on_timeout(&t, NULL, 3 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 2100);
	cc_of(&t)->on_timeout(&t, NULL, SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 2 * SMSS);
}

/* 4.9: a reduction that was for nothing leaves no trace */
static void test_undo(void)
{
	struct tcp_queues before;

	begin(1000 * SMSS, UINT32_MAX);
	lose(1000 * SMSS);
	begin_epoch();
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	before = q;
	lose(t.cwnd);
	cc_of(&t)->on_undo(&t, &q);
	t.cwnd = (uint32_t)(w_cubic(1000, 700, 3.0) * SMSS);
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, w_cubic(1000, 700, 6.0) * SMSS, 4 * SMSS);
	/* a time-out within recovery keeps what that began with */
	q = before;
	lose(t.cwnd);
	q.recovery = TCP_R_RECOVERY;
	cc_of(&t)->on_timeout(&t, &q, t.cwnd);
	cc_of(&t)->on_undo(&t, &q);
	t.cwnd = (uint32_t)(w_cubic(1000, 700, 3.0) * SMSS);
	t.ssthresh = 700 * SMSS;
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, w_cubic(1000, 700, 6.0) * SMSS, 4 * SMSS);
}

/* 4.6: ssthresh is never below two segments, but cwnd may be one when packets were marked */
static void test_marks(void)
{
	begin(100 * SMSS, UINT32_MAX);
	cc_of(&t)->on_ecn(&t, &q, 100 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 70 * SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 70 * SMSS);
	begin(2 * SMSS, UINT32_MAX);
	cc_of(&t)->on_ecn(&t, &q, SMSS);
	CU_ASSERT_EQUAL(t.cwnd, SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 2 * SMSS);
	begin(2 * SMSS, UINT32_MAX);
	lose(SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 2 * SMSS);
}

/* 4.10: slow start after an idle time ends in a new epoch; the estimate of the old one is no window */
static void test_new_epoch(void)
{
	uint32_t before;

	begin(1000 * SMSS, UINT32_MAX);
	lose(1000 * SMSS);
	begin_epoch();
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	CU_ASSERT(t.cwnd > 850 * SMSS);
	t.cwnd = 10 * SMSS; /* RFC 5681 4.1 */
	t.ssthresh = 100 * SMSS;
	while (t.cwnd < t.ssthresh)
		ack(SMSS, t.cwnd);
	before = t.cwnd;
	now_us += 1000;
	ack(SMSS, t.cwnd);
	ack(SMSS, t.cwnd);
	CU_ASSERT(t.cwnd <= before + 2 * SMSS);
}

/* 4.2, 5.8: what the application does not use is not growth, and its time does not count */
static void test_application_limited(void)
{
	begin(1000 * SMSS, UINT32_MAX);
	lose(1000 * SMSS);
	begin_epoch();
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	for (int i = 0; i < 300; i++) { /* half a minute with little to send */
		uint32_t before = t.cwnd;

		now_us += 100000;
		ack(10 * SMSS, 10 * SMSS);
		CU_ASSERT_EQUAL(t.cwnd, before);
	}
	cc_of(&t)->on_start(&t, &q, &(struct cc_turn){0}); /* and a minute with nothing */
	now_us += 60000000;
	for (int i = 0; i < 30; i++)
		round_trip(100000);
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, w_cubic(1000, 700, 6.0) * SMSS, 5 * SMSS);
}

/* 4.10: after slow start that no loss has ended, and when the memory was taken away */
static void test_without_w_max(void)
{
	begin(100 * SMSS, 100 * SMSS);
	begin_epoch();
	for (int i = 0; i < 50; i++)
		round_trip(100000);
	/* K = 0: 0.4 * 5^3 = 50; Reno's rate is 1 a round trip, since cwnd_prior is cwnd: 50, too */
	CU_ASSERT_DOUBLE_EQUAL(t.cwnd, 150 * SMSS, 6 * SMSS);
}

static void test_odd_numbers(void)
{
	begin(64, 64);
	t.mss = 64;
	for (int i = 0; i < 1000; i++) {
		now_us += 100000000;
		ack(64, t.cwnd);
	}
	CU_ASSERT(t.cwnd > 64);
	begin(0x40000000, 0x20000000);
	t.mss = 65535;
	t.srtt_us = 120000000;
	for (int i = 0; i < 100; i++) {
		uint32_t before = t.cwnd;

		now_us += 3000000;
		ack(0x10000000, t.cwnd);
		CU_ASSERT(t.cwnd >= before);
		t.cwnd = RTE_MIN(t.cwnd, 0x40000000u);
	}
}

static const struct unit_case cases[] = {
    {"cube root", test_root},
    {"RFC 9438 4.2: K", test_k},
    {"RFC 9438 4.2: W_cubic(t)", test_function},
    {"RFC 9438 4.6: multiplicative decrease", test_reduction},
    {"RFC 9438 4.4, 4.5: cwnd follows the function of time", test_follows_function},
    {"RFC 9438 4.4: the target is at most 1.5 cwnd", test_target_limit},
    {"RFC 9438 4.3: the Reno-friendly region", test_reno_friendly},
    {"RFC 9438 4.6: a single segment when packets were marked", test_marks},
    {"RFC 9438 4.7: fast convergence", test_fast_convergence},
    {"RFC 9438 4.8: time-out", test_timeout},
    {"RFC 9438 4.9: a needless reduction is taken back", test_undo},
    {"RFC 9438 5.8: application-limited periods", test_application_limited},
    {"RFC 9438 4.10: no W_max is known", test_without_w_max},
    {"RFC 9438 4.10: slow start begins a new epoch", test_new_epoch},
    {"nothing overflows", test_odd_numbers},
};

UNIT_MAIN("cc_cubic", cases)
