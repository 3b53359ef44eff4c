/* SPDX-License-Identifier: BSD-2-Clause */
/* DCTCP's sender (RFC 8257 section 3.3): alpha, and what it makes of cwnd. */

#include "../unit.h"
#include "tcp/cc.h"

#define SMSS 1000u

static struct tcb t;
static struct tcp_queues q;

static void begin(void)
{
	t = (struct tcb){.mss = SMSS,
	                 .cwnd = 100 * SMSS,
	                 .ssthresh = 100 * SMSS,
	                 .snd_nxt = 20 * SMSS,
	                 .cc = CC_DCTCP};
	q = (struct tcp_queues){0};
}

static void ack(bool ece)
{
	const struct cc_ack a = {.acked = SMSS, .flight = t.cwnd, .ece = ece};

	t.snd_una += SMSS;
	cc_of(&t)->on_any_ack(&t, &q, &a);
}

/* n windows of 20 segments, of which so many are marked */
static void windows(unsigned n, unsigned marked)
{
	for (; n > 0; n--) {
		for (unsigned i = 0; i < 20; i++) {
			t.snd_nxt = t.snd_una + 20 * SMSS;
			ack(i < marked);
		}
	}
}

/* what a mark would leave of cwnd now, in thousandths */
static unsigned reduction(void)
{
	struct tcb t0 = t;
	struct tcp_queues q0 = q;

	cc_of(&t0)->on_ecn(&t0, &q0, t0.cwnd);
	CU_ASSERT_EQUAL(t0.cwnd, t0.ssthresh);
	return (unsigned)((uint64_t)t0.cwnd * 1000 / t.cwnd);
}

/* 4.2: alpha begins at 1: like Reno */
static void test_begin(void)
{
	begin();
	CU_ASSERT_EQUAL(reduction(), 500);
	ack(false);
	CU_ASSERT_EQUAL(reduction(), 500);
	CU_ASSERT(q.keep);
}

/* alpha = alpha (1 - g) + g M, g = 1/16 */
static void test_converges(void)
{
	begin();
	windows(200, 20);
	CU_ASSERT(reduction() <= 501);
	windows(200, 0);
	CU_ASSERT(reduction() >= 999);
	windows(200, 5); /* a quarter: cwnd (1 - 1/8) */
	CU_ASSERT(reduction() >= 870 && reduction() <= 880);
	windows(200, 1);
	CU_ASSERT(reduction() >= 972 && reduction() <= 978);
}

static void test_one_step(void)
{
	begin();
	t.snd_nxt = 10 * SMSS;
	for (unsigned i = 0; i < 10; i++) /* "If the acknowledged sequence number is not beyond
	                                   * WindowEnd, stop processing" */
		ack(false);
	CU_ASSERT_EQUAL(reduction(), 500);
	ack(false);
	CU_ASSERT_EQUAL(reduction(), 531); /* alpha = 15/16 */
}

/* 3.5: loss is loss; the floor is two segments */
static void test_loss(void)
{
	begin();
	windows(200, 0);
	cc_of(&t)->on_loss(&t, &q, 100 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, 50 * SMSS);
	cc_of(&t)->on_timeout(&t, &q, 50 * SMSS);
	CU_ASSERT_EQUAL(t.cwnd, SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 25 * SMSS);
	cc_of(&t)->on_timeout(&t, NULL, SMSS);
	CU_ASSERT_EQUAL(t.ssthresh, 2 * SMSS);
	begin();
	t.cwnd = 3 * SMSS;
	cc_of(&t)->on_ecn(&t, &q, t.cwnd);
	CU_ASSERT_EQUAL(t.cwnd, 2 * SMSS);
}

static void test_growth(void)
{
	const struct cc_ack a = {.acked = 2 * SMSS, .flight = 100 * SMSS};

	begin();
	for (int i = 0; i < 50; i++)
		cc_of(&t)->on_ack(&t, &q, &a);
	CU_ASSERT_EQUAL(t.cwnd, 101 * SMSS);
	t.ssthresh = UINT32_MAX;
	cc_of(&t)->on_ack(&t, &q, &a);
	CU_ASSERT_EQUAL(t.cwnd, 103 * SMSS);
}

static const struct unit_case cases[] = {
    {"RFC 8257 4.2: alpha is 1 at first", test_begin},
    {"RFC 8257 3.3: alpha is the part of marked bytes", test_converges},
    {"RFC 8257 3.3: once per window", test_one_step},
    {"RFC 8257 3.5: loss", test_loss},
    {"RFC 8257 3.3: growth is conventional", test_growth},
};

UNIT_MAIN("cc_dctcp", cases)
