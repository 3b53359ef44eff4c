/* SPDX-License-Identifier: BSD-2-Clause */
/* ECN: who agrees to it, and how often cwnd may shrink. What goes over the wire is in wire/ecn. */

#include "../unit.h"
#include "fixture.h"
#include "tcp/tcp_ecn.h"

static struct tcb t;
static struct tcp_queues q;

static bool accepts(uint8_t flags, uint8_t tos)
{
	const struct tcp_seg syn = {.flags = flags};

	return tcp_ecn_accepts(tcp, &t, &syn, tos);
}

/* RFC 3168 section 6.1.1: only both flags together ask */
static void test_agreement(void)
{
	const uint8_t both = TCP_SYN | TCP_ECE | TCP_CWR;

	start();
	for (uint64_t mode = 0; mode <= 2; mode++) {
		tcp->ctx->cfg.tcp_ecn = mode;
		for (uint8_t cc = 0; cc < CC_COUNT; cc++) {
			bool always = cc == CC_DCTCP;

			t = (struct tcb){.cc = cc};
			CU_ASSERT_EQUAL(tcp_ecn_asks(tcp, &t), always || mode == 1);
			CU_ASSERT_EQUAL(accepts(both, 0), always || mode != 0);
			CU_ASSERT_EQUAL(accepts(both, ECN_ECT0), always);
			CU_ASSERT_EQUAL(accepts(both, 0xb8), always || mode != 0);
			CU_ASSERT_FALSE(accepts(TCP_SYN, 0));
			CU_ASSERT_FALSE(accepts(TCP_SYN | TCP_ECE, 0));
			CU_ASSERT_FALSE(accepts(TCP_SYN | TCP_CWR, 0));
		}
	}
	finish();
}

/* section 6.1.2: once per window, told to the peer once */
static void test_reductions(void)
{
	t = (struct tcb){.opt = TCB_OPT_ECN, .snd_una = 0xfffffff0, .snd_nxt = 100};
	q = (struct tcp_queues){0};
	CU_ASSERT_FALSE(tcp_ecn_has_reduced(&t, &q));
	tcp_ecn_reduced(&t, &q);
	CU_ASSERT(t.flags & TCB_CWR);
	CU_ASSERT_TRUE(tcp_ecn_has_reduced(&t, &q));
	t.snd_una = 100;
	t.snd_nxt = 200;
	CU_ASSERT_TRUE(tcp_ecn_has_reduced(&t, &q));
	t.snd_una = 101;
	CU_ASSERT_FALSE(tcp_ecn_has_reduced(&t, &q));
	CU_ASSERT_FALSE(q.reduced);
	/* nothing of this without ECN */
	t = (struct tcb){.snd_nxt = 100};
	tcp_ecn_reduced(&t, &q);
	CU_ASSERT_FALSE(t.flags & TCB_CWR);
	CU_ASSERT_FALSE(tcp_ecn_has_reduced(&t, &q));
}

static void test_bits(void)
{
	t = (struct tcb){.cc = CC_CUBIC};
	CU_ASSERT_EQUAL(tcp_ecn_tos(&t, true), 0);
	t.opt = TCB_OPT_ECN;
	CU_ASSERT_EQUAL(tcp_ecn_tos(&t, true), ECN_ECT0);
	CU_ASSERT_EQUAL(tcp_ecn_tos(&t, false), 0);
	t.cc = CC_DCTCP;
	CU_ASSERT_EQUAL(tcp_ecn_tos(&t, false), ECN_ECT0);
}

static const struct unit_case cases[] = {
    {"RFC 3168 6.1.1: agreement", test_agreement},
    {"RFC 3168 6.1.2: reductions", test_reductions},
    {"RFC 3168 6.1.4, 6.1.5: what may be marked", test_bits},
};

TCP_UNIT_MAIN("tcp_ecn")
