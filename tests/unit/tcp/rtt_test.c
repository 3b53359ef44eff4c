/* SPDX-License-Identifier: BSD-2-Clause */
/* Round-trip times: vectors of RFC 6298 section 2, computed by hand. */

#include "tcp/rtt.h"

#include "../unit.h"
#include "base/ctx.h"

static struct ctx ctx;
static struct tcp tcp = {.ctx = &ctx};
static struct tcb t;

static void begin(uint64_t min_ms)
{
	pc_stack_config_init(&ctx.cfg);
	ctx.cfg.tcp_rto_min_ms = min_ms;
	t = (struct tcb){.rto_us = 1000000};
}

static void is(uint32_t srtt, uint32_t rttvar, uint32_t rto)
{
	CU_ASSERT_EQUAL(t.srtt_us, srtt);
	CU_ASSERT_EQUAL(t.rttvar_us, rttvar);
	CU_ASSERT_EQUAL(t.rto_us, rto);
}

/* (2.2): SRTT <- R, RTTVAR <- R/2, RTO <- SRTT + 4 RTTVAR */
static void test_first(void)
{
	begin(1);
	rtt_sample(&tcp, &t, 100000);
	is(100000, 50000, 300000);
}

/* (2.3): RTTVAR <- 3/4 RTTVAR + 1/4 |SRTT - R'|, then SRTT <- 7/8 SRTT + 1/8 R' */
static void test_next(void)
{
	begin(1);
	rtt_sample(&tcp, &t, 100000);
	rtt_sample(&tcp, &t, 200000); /* 37500 + 25000; 87500 + 25000 */
	is(112500, 62500, 362500);
	rtt_sample(&tcp, &t, 112500); /* 46875 + 0; the mean stays, but for rounding */
	is(112500, 46875, 300000);
	rtt_sample(&tcp, &t, 12500); /* 46875 - 11718 + 25000; 112500 - 14062 + 1562 */
	is(100000, 60157, 340628);
}

/* a path that does not vary: the variance fades, the floor stands under it */
static void test_floor(void)
{
	begin(200);
	for (int i = 0; i < 100; i++)
		rtt_sample(&tcp, &t, 80000);
	CU_ASSERT_EQUAL(t.srtt_us, 80000);
	CU_ASSERT_EQUAL(t.rto_us, 280000);
	begin(1);
	for (int i = 0; i < 100; i++)
		rtt_sample(&tcp, &t, 80000);
	CU_ASSERT(t.rto_us >= 80000 + 1000);
}

/* defect 6 of the list: on a fast path the time-out does not fall to milliseconds */
static void test_fast_path(void)
{
	begin(200);
	for (int i = 0; i < 1000; i++)
		rtt_sample(&tcp, &t, 20);
	CU_ASSERT(t.rto_us >= 200000);
	begin(200);
	rtt_sample(&tcp, &t, 0); /* faster than the clock: there is a sample all the same */
	CU_ASSERT_EQUAL(t.srtt_us, 1);
	for (int i = 0; i < 100; i++)
		rtt_sample(&tcp, &t, 0);
	CU_ASSERT(t.srtt_us >= 1);
}

static void test_granularity(void)
{
	begin(1);
	ctx.cfg.tcp_rto_min_ms = 0;
	for (int i = 0; i < 200; i++)
		rtt_sample(&tcp, &t, 1000);
	CU_ASSERT(t.rto_us >= 1000 + (1u << TICK_SHIFT) / 1000); /* (2.3): max(G, K RTTVAR) */
}

static void test_ceiling(void)
{
	begin(200);
	rtt_sample(&tcp, &t, UINT32_MAX);
	CU_ASSERT_EQUAL(t.srtt_us, 120000000);
	CU_ASSERT_EQUAL(t.rto_us, 120000000);
	begin(200);
	ctx.cfg.tcp_rto_max_ms = 5000;
	rtt_sample(&tcp, &t, 4000000);
	CU_ASSERT_EQUAL(t.rto_us, 5000000);
}

/* any samples: the time-out is within its limits and above the mean */
static void test_range(void)
{
	uint32_t x = 1;

	begin(200);
	for (int i = 0; i < 100000; i++) {
		x = x * 1664525u + 1013904223u;
		rtt_sample(&tcp, &t, i % 1000 < 500 ? x >> 16 : x);
		CU_ASSERT_FATAL(t.rto_us >= 200000 && t.rto_us <= 120000000);
		CU_ASSERT_FATAL(t.rto_us == 120000000 || t.rto_us > t.srtt_us);
	}
}

/* (5.5): doubled each time, up to the maximum */
static void test_back_off(void)
{
	begin(200);
	t.rto_us = 1000000;
	for (uint8_t i = 0; i < 7; i++) {
		t.retries = i;
		CU_ASSERT_EQUAL(rtt_backed_off(&tcp, &t, NULL), UINT64_C(1000000) << i);
	}
	for (unsigned i = 7; i <= UINT8_MAX; i++) {
		t.retries = (uint8_t)i;
		CU_ASSERT_EQUAL(rtt_backed_off(&tcp, &t, NULL), 120000000);
	}
}

/* what was sent before a stall is not measured, what was sent after it is */
static void test_stall(void)
{
	begin(1);
	rtt_sample(&tcp, &t, 100000);
	ctx.rtt_end_us = 3001;
	rtt_sample(&tcp, &t, 60000000);
	rtt_sample(&tcp, &t, 3001);
	is(100000, 50000, 300000);
	rtt_sample(&tcp, &t, 3000);
	CU_ASSERT(t.srtt_us < 100000);
	ctx.rtt_end_us = 0;
}

static const struct unit_case cases[] = {
    {"RFC 6298 (2.2): the first sample", test_first},
    {"(2.3): those that follow", test_next},
    {"a path that does not vary", test_floor},
    {"the time-out does not fall to milliseconds", test_fast_path},
    {"(2.3): the clock's granularity", test_granularity},
    {"(2.5): the maximum", test_ceiling},
    {"any samples", test_range},
    {"(5.5): back-off", test_back_off},
    {"a stall of the lcore", test_stall},
};

UNIT_MAIN("rtt", cases)
