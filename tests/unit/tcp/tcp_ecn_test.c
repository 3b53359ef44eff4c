/* SPDX-License-Identifier: BSD-2-Clause */
/* ECN: who agrees to it, and how often cwnd may shrink. What goes over the wire is in wire/ecn. */

#include "../unit.h"
#include "tcp/tcp_ecn.h"

#include "fixture.h"
#include "tcp/accecn.h"

#define ACCECN (TCB_OPT_ECN | TCB_OPT_ACCECN)

static struct tcb t;
static struct tcp_queues q;

static uint8_t accepts(uint8_t flags, uint8_t tos)
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
			CU_ASSERT_EQUAL(tcp_ecn_asks(tcp, &t) != 0, always || mode == 1);
			CU_ASSERT_EQUAL(accepts(both, 0) != 0, always || mode != 0);
			CU_ASSERT_EQUAL(accepts(both, ECN_ECT0) != 0, always);
			CU_ASSERT_EQUAL(accepts(both, 0xb8) != 0, always || mode != 0);
			CU_ASSERT_FALSE((tcp_ecn_asks(tcp, &t) | accepts(both, 0)) &
			                TCB_OPT_ACCECN);
			CU_ASSERT_FALSE(accepts(TCP_SYN, 0));
			CU_ASSERT_FALSE(accepts(TCP_SYN | TCP_ECE, 0));
			CU_ASSERT_FALSE(accepts(TCP_SYN | TCP_CWR, 0));
		}
	}
	finish();
}

/* RFC 9768: the field of three bits, and who asks for what */
static void test_accurate(void)
{
	const uint8_t asks[] = {ACCECN, TCB_OPT_ECN, 0},
	              agreed[] = {0, TCB_OPT_ECN, ACCECN, ACCECN, ACCECN, ACCECN, ACCECN, 0};

	start();
	for (unsigned ace = 0; ace < 8; ace++) {
		struct tcp_seg s = {.flags = TCP_SYN | TCP_ACK | TCP_ECE | TCP_CWR,
		                    .has = TCP_HAS_AE | TCP_HAS_MSS};

		accecn_put(&s, ace);
		CU_ASSERT_EQUAL(accecn_ace(&s), ace);
		CU_ASSERT_EQUAL(s.flags & 0x3f, TCP_SYN | TCP_ACK);
		CU_ASSERT_EQUAL(s.has & ~TCP_HAS_AE, TCP_HAS_MSS);
		for (uint8_t cc = 0; cc < CC_COUNT; cc++) {
			tcp->ctx->cfg.tcp_ecn = 3;
			t = (struct tcb){.cc = cc};
			CU_ASSERT_EQUAL(tcp_ecn_agreed(tcp, &t, &s), cc != CC_DCTCP ? agreed[ace]
			                                             : (ace == 1 || ace == 5)
			                                                 ? TCB_OPT_ECN
			                                                 : 0);
			for (unsigned mode = 3; mode <= 5; mode++) {
				tcp->ctx->cfg.tcp_ecn = mode;
				CU_ASSERT_EQUAL(tcp_ecn_asks(tcp, &t),
				                cc == CC_DCTCP ? TCB_OPT_ECN : asks[mode - 3]);
				CU_ASSERT_EQUAL(tcp_ecn_accepts(tcp, &t, &s, 0),
				                ace == 0 || (cc == CC_DCTCP && (ace & 3) != 3) ? 0
				                : ace == 3 || cc == CC_DCTCP ? TCB_OPT_ECN
				                                             : ACCECN);
			}
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
	static struct ctx ctx;
	const struct tcp with = {.ctx = &ctx};

	t = (struct tcb){.cc = CC_CUBIC};
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, true, false), 0);
	t.opt = TCB_OPT_ECN;
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, true, false), ECN_ECT0);
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, false, false), 0);
	ctx.cfg.tcp_ecn_plus = 1;
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, false, false), ECN_ECT0);
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, false, true), 0);
	t.opt |= TCB_OPT_ACCECN;
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, false, true), ECN_ECT0);
	t.opt = 0;
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, false, false), 0);
	ctx.cfg.tcp_ecn_plus = 0;
	t.opt = TCB_OPT_ECN;
	t.cc = CC_DCTCP;
	CU_ASSERT_EQUAL(tcp_ecn_tos(&with, &t, false, true), ECN_ECT0);
}

static const struct unit_case cases[] = {
    {"RFC 3168 6.1.1: agreement", test_agreement},
    {"RFC 9768 3.1: who asks for what", test_accurate},
    {"RFC 3168 6.1.2: reductions", test_reductions},
    {"RFC 3168 6.1.4, 6.1.5: what may be marked", test_bits},
};

TCP_UNIT_MAIN("tcp_ecn")
