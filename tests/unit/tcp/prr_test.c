/* SPDX-License-Identifier: BSD-2-Clause */

/* PRR (RFC 6937): what cwnd is while a loss is being repaired. */

#include "tcp/prr.h"

#include "../unit.h"
#include "fixture.h"

#define FULL 1000u

/* RFC 6937 section 5, first example in spirit: pipe above ssthresh shrinks in proportion to what is
 * delivered, so that pipe is at ssthresh when all of RecoverFS has been */
static void test_proportional(void)
{
	struct prr p;
	uint32_t pipe = 20 * FULL, cwnd = 0, sent = 0;

	prr_begin(&p, 20 * FULL);
	for (unsigned i = 0; i < 10; i++) { /* each ACK delivers two segments */
		pipe -= 2 * FULL;
		cwnd = prr_cwnd(&p, 2 * FULL, pipe, 10 * FULL, FULL, true);
		CU_ASSERT(cwnd >= pipe);
		p.out += cwnd - pipe;
		sent += cwnd - pipe;
		pipe = cwnd;
		if (pipe <= 10 * FULL)
			break;
	}
	CU_ASSERT_EQUAL(pipe, 10 * FULL);
	CU_ASSERT(sent >= 8 * FULL && sent <= 10 * FULL);
}

/* "sndcnt = CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out", "if (pipe > ssthresh)" */
static void test_proportional_exactly(void)
{
	struct prr p;

	prr_begin(&p, 20 * FULL + 1);
	p.out = FULL;
	CU_ASSERT_EQUAL(prr_cwnd(&p, 4 * FULL, 11 * FULL, 10 * FULL, FULL, true), 12 * FULL);
	prr_begin(&p, 20 * FULL);
	p.out = FULL;
	CU_ASSERT_EQUAL(prr_cwnd(&p, 4 * FULL, 10 * FULL, 10 * FULL, FULL, true), 10 * FULL);
}

/* below ssthresh: "PRR-SSRB": no more than was delivered plus a segment, and no more than ssthresh */
static void test_slow_start_bound(void)
{
	struct prr p;
	uint32_t cwnd;

	prr_begin(&p, 20 * FULL);
	cwnd = prr_cwnd(&p, FULL, 4 * FULL, 10 * FULL, FULL, true);
	CU_ASSERT_EQUAL(cwnd, 6 * FULL);
	p.out = 2 * FULL;
	cwnd = prr_cwnd(&p, FULL, 4 * FULL, 10 * FULL, FULL, true);
	CU_ASSERT_EQUAL(cwnd, 6 * FULL);
	p.out = 4 * FULL; /* more than was delivered: what this one delivers, and one */
	cwnd = prr_cwnd(&p, FULL, 4 * FULL, 10 * FULL, FULL, true);
	CU_ASSERT_EQUAL(cwnd, 6 * FULL);
	cwnd = prr_cwnd(&p, 15 * FULL, 4 * FULL, 10 * FULL, FULL, true);
	CU_ASSERT_EQUAL(cwnd, 10 * FULL);
}

/* "Force a fast retransmit upon entering recovery": also when the sums allow nothing, or less than a segment */
static void test_first(void)
{
	struct prr p;

	prr_begin(&p, 20 * FULL);
	CU_ASSERT_EQUAL(prr_cwnd(&p, 0, 15 * FULL, 10 * FULL, FULL, false), 16 * FULL);
	prr_begin(&p, 20 * FULL);
	CU_ASSERT_EQUAL(prr_cwnd(&p, 100, 15 * FULL, 10 * FULL, FULL, false), 16 * FULL);
	p.out = FULL;
	CU_ASSERT_EQUAL(prr_cwnd(&p, 0, 15 * FULL, 10 * FULL, FULL, false), 15 * FULL);
}

/* "... otherwise PRR-CRB": while more is being lost, as much leaves as has arrived */
static void test_conservation(void)
{
	struct prr p;
	uint32_t cwnd;

	prr_begin(&p, 20 * FULL);
	p.out = FULL; /* the fast retransmission */
	cwnd = prr_cwnd(&p, 3 * FULL, 4 * FULL, 10 * FULL, FULL, false);
	CU_ASSERT_EQUAL(cwnd, 4 * FULL + 3 * FULL);
	p.out = 3 * FULL;
	cwnd = prr_cwnd(&p, FULL, 4 * FULL, 10 * FULL, FULL, false);
	CU_ASSERT_EQUAL(cwnd, 4 * FULL + FULL);
}

static const struct unit_case cases[] = {
    {"RFC 6937 3: in proportion", test_proportional},
    {"RFC 6937 3: in proportion, to the byte", test_proportional_exactly},
    {"RFC 6937 3: slow start up to ssthresh", test_slow_start_bound},
    {"RFC 9937 6.2: the first is sent whatever the sums are", test_first},
    {"RFC 6937 3: no more than arrives while more is lost", test_conservation},
};

TCP_UNIT_MAIN("prr")
