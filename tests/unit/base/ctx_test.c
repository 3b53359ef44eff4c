/* SPDX-License-Identifier: BSD-2-Clause */

/* Time that never goes back, ticks that round up, and mbufs whose lack is counted. */

#include "base/ctx.h"

#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "../unit.h"

static void test_time(void)
{
	const uint64_t epoch = UINT64_C(987654321012345);
	struct ctx ctx = {0};

	ctx_set_time(&ctx, epoch);
	CU_ASSERT(ctx.now_ns == epoch && ctx.now_us == 0 && ctx.now_ms == 0 && ctx.tick == 0);
	ctx_set_time(&ctx, epoch + UINT64_C(5000000000));
	CU_ASSERT_EQUAL(ctx.now_ns, epoch + UINT64_C(5000000000));
	CU_ASSERT_EQUAL(ctx.now_us, 5000000);
	CU_ASSERT_EQUAL(ctx.now_ms, 5000);
	CU_ASSERT_EQUAL(ctx.tick, UINT64_C(5000000000) / 65536);
	/* time never goes back, not even before the first turn */
	ctx_set_time(&ctx, epoch + UINT64_C(4999999999));
	ctx_set_time(&ctx, epoch - 1);
	ctx_set_time(&ctx, 0);
	CU_ASSERT_EQUAL(ctx.now_ns, epoch + UINT64_C(5000000000));
	CU_ASSERT_EQUAL(ctx.now_ms, 5000);
}

/* A virtual clock may begin at 0, and stand still. */
static void test_time_from_zero(void)
{
	struct ctx ctx = {0};

	ctx_set_time(&ctx, 0);
	ctx_set_time(&ctx, 0);
	CU_ASSERT(ctx.now_ns == 0 && ctx.tick == 0);
	ctx_set_time(&ctx, 65535);
	CU_ASSERT_EQUAL(ctx.tick, 0);
	ctx_set_time(&ctx, 65536);
	CU_ASSERT_EQUAL(ctx.tick, 1);
}

/* Each unit wraps on its own, at its own time. */
static void test_time_wraps(void)
{
	struct ctx ctx = {0};
	const uint64_t hour_ns = UINT64_C(3600) * 1000000000;

	ctx_set_time(&ctx, 0);
	ctx_set_time(&ctx, 2000 * hour_ns + 123456789);
	CU_ASSERT_EQUAL(ctx.now_us, (uint32_t)(UINT64_C(2000) * 3600 * 1000000 + 123456));
	CU_ASSERT_EQUAL(ctx.now_ms, (uint32_t)(UINT64_C(2000) * 3600 * 1000 + 123));
	CU_ASSERT_EQUAL(ctx.tick, (uint32_t)((2000 * hour_ns + 123456789) >> 16));
}

/* Whatever part of the present tick has passed, a timer does not fire early; nor two ticks late. */
static void test_ticks_round_up(void)
{
	const uint64_t tick_ns = UINT64_C(1) << TICK_SHIFT;

	for (uint64_t now = 0; now < tick_ns; now += 257) {
		for (uint64_t us = 0; us < 1000; us += 7) {
			const uint64_t due = now + us * 1000;
			const uint64_t fires = (now / tick_ns + ticks_from_us(us)) * tick_ns;

			CU_ASSERT(fires >= due && fires - due < 2 * tick_ns);
		}
		for (uint64_t ms = 0; ms <= 600000; ms += 7777) {
			const uint64_t due = now + ms * 1000000;
			const uint64_t fires = (now / tick_ns + ticks_from_ms(ms)) * tick_ns;

			CU_ASSERT(fires >= due && fires - due < 2 * tick_ns);
		}
	}
	/* the longest setting there is fits far below 2^31 */
	CU_ASSERT(ticks_from_ms(86400000) < 1u << 31);
}

static void test_counters(void)
{
	struct ctx ctx = {0};

	ctx_count(&ctx, PC_RX_FRAMES);
	ctx_add(&ctx, PC_RX_BYTES, 60);
	ctx_add(&ctx, PC_RX_BYTES, 4);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_RX_FRAMES], 1);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_RX_BYTES], 64);
}

static void test_mbuf(void)
{
	struct rte_mbuf *m[128];
	struct ctx ctx = {.pool = eal_pool("ctx", 127)};
	unsigned n = 0;

	while (n < 128 && (m[n] = ctx_mbuf(&ctx)) != NULL) {
		CU_ASSERT_EQUAL(m[n]->data_off, RTE_PKTMBUF_HEADROOM);
		CU_ASSERT_EQUAL(m[n]->pkt_len, 0);
		n++;
	}
	CU_ASSERT_EQUAL(n, 127);
	CU_ASSERT_EQUAL(ctx.counters.value[PC_TX_NO_MBUF], 1);
	while (n > 0)
		rte_pktmbuf_free(m[--n]);
	CU_ASSERT_EQUAL(eal_in_use(ctx.pool), 0);
}

/* those that are expected are taken together, and are as others are; more than there are, or than are kept, are not */
static void test_mbufs_expected(void)
{
	struct rte_mbuf *m[127];
	struct ctx ctx = {.pool = eal_pool("expected", 127)};

	ctx_mbufs_expect(&ctx, 5);
	CU_ASSERT(ctx.nb_done == 5 && eal_in_use(ctx.pool) == 5);
	ctx_mbufs_expect(&ctx, 3);
	CU_ASSERT_EQUAL(ctx.nb_done, 5);
	ctx_mbufs_expect(&ctx, 1000);
	CU_ASSERT(ctx.nb_done == CTX_DONE && eal_in_use(ctx.pool) == CTX_DONE);
	for (unsigned i = 0; i < 127; i++) {
		m[i] = ctx_mbuf(&ctx);
		CU_ASSERT_FATAL(m[i] != NULL);
		CU_ASSERT(m[i]->data_off == RTE_PKTMBUF_HEADROOM && m[i]->pkt_len == 0 &&
		          m[i]->nb_segs == 1 && rte_mbuf_refcnt_read(m[i]) == 1);
	}
	ctx_free(&ctx, m[0]);
	ctx_mbufs_expect(&ctx, 2); /* there is one */
	CU_ASSERT_EQUAL(ctx.nb_done, 1);
	CU_ASSERT(ctx_mbuf(&ctx) == m[0] && ctx_mbuf(&ctx) == NULL);
	for (unsigned i = 0; i < 127; i++)
		ctx_free(&ctx, m[i]);
	ctx_free_done(&ctx);
	CU_ASSERT_EQUAL(eal_in_use(ctx.pool), 0);
}

static uint64_t day; /* what the system says */

static uint64_t time_of_day(void)
{
	return day;
}

/* what is stamped has the system's time, once per turn, however the stack's clock runs */
static void test_time_of_day(void)
{
	struct ctx ctx = {0};

	ctx_set_time(&ctx, 1000);
	CU_ASSERT_EQUAL(ctx_time_of_day(&ctx), 1000);
	ctx.time_of_day = time_of_day;
	day = 77;
	CU_ASSERT_EQUAL(ctx_time_of_day(&ctx), 77);
	day = 78;
	CU_ASSERT_EQUAL(ctx_time_of_day(&ctx), 77);
	ctx_set_time(&ctx, 5000);
	CU_ASSERT_EQUAL(ctx_time_of_day(&ctx), 78);
}

static const struct unit_case cases[] = {
    {"time", test_time},
    {"time from zero", test_time_from_zero},
    {"time wraps", test_time_wraps},
    {"time of day", test_time_of_day},
    {"ticks round up", test_ticks_round_up},
    {"counters", test_counters},
    {"mbufs", test_mbuf},
    {"mbufs that are expected", test_mbufs_expected},
};

int main(void)
{
	eal_start();
	return unit_run("base/ctx", cases, sizeof(cases) / sizeof(cases[0]));
}
