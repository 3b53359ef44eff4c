/* SPDX-License-Identifier: BSD-2-Clause */

/* RACK (RFC 8985 section 6.2), step by step. */

#include "tcp/rack.h"

#include "../unit.h"
#include "fixture.h"
#include "tcp/scoreboard.h"

#define N   6u
#define LEN 100u
#define RTT 40000u

static struct tcb t;
static struct tcp_queues q;
static struct rte_mbuf *seg[N];
static uint32_t now;
static uint64_t looks;

/* N segments, sent a millisecond apart from time first on */
static void begin(uint32_t first)
{
	start();
	memset(&t, 0, sizeof(t));
	memset(&q, 0, sizeof(q));
	t.srtt_us = RTT;
	for (uint32_t i = 0; i < N; i++) {
		struct pkt *note;

		seg[i] = rte_pktmbuf_alloc(net.pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(seg[i]);
		note = pkt_of(seg[i]);
		*note = (struct pkt){.next = NULL};
		note->tx.seq = 1 + i * LEN;
		note->tx.len = LEN;
		note->tx.sends = 1;
		note->tx.sent_us = first + i * 1000;
		pktq_push(&q.snd, seg[i]);
	}
	now = first + RTT;
}

static uint32_t detect(uint32_t at)
{
	return rack_detect(&q, &t, at, &looks);
}

static void done(void)
{
	pktq_free(&q.snd);
	finish();
}

/* an acknowledgement reports the i-th segment, a round trip after it was sent */
static void sack(uint32_t i)
{
	rack_begin(&q.rack, 1);
	now = pkt_of(seg[i])->tx.sent_us + RTT;
	scoreboard_sack(&q, &(struct sack_block){1 + i * LEN, 1 + (i + 1) * LEN}, 1, now);
}

/* step 5: "lost if ... RACK.rtt + RACK.reo_wnd" have passed since it was sent, else it says when to look again */
static void by_time(void)
{
	for (unsigned wrap = 0; wrap < 2; wrap++) {
		begin(wrap ? UINT32_MAX - RTT - 500 : 7000000);
		sack(1);
		CU_ASSERT_EQUAL(q.rack.rtt_us, RTT);
		CU_ASSERT_EQUAL(detect(now), RTT / 4 - 1000);
		CU_ASSERT_EQUAL(q.lost_bytes, 0);
		CU_ASSERT_EQUAL(detect(now + RTT / 4 - 1001), 1);
		CU_ASSERT_EQUAL(detect(now + RTT / 4 - 1000), 0);
		CU_ASSERT_EQUAL(q.lost_bytes, LEN); /* what was sent later is not */
		done();
	}
}

/* step 4: without reordering DupThresh segments, or a recovery that has begun, make the window 0 */
static void no_window(void)
{
	begin(7000000);
	sack(1);
	sack(2);
	CU_ASSERT(detect(now) > 0);
	sack(3);
	CU_ASSERT_EQUAL(detect(now), 0);
	CU_ASSERT_EQUAL(q.lost_bytes, LEN);
	done();
	begin(7000000);
	q.recovery = TCP_R_RECOVERY;
	sack(1);
	CU_ASSERT_EQUAL(detect(now), 0);
	CU_ASSERT_EQUAL(q.lost_bytes, LEN);
	done();
}

/* step 3: an original delivered below RACK.fack has been overtaken; from then on there is always a window */
static void reordering(void)
{
	begin(7000000);
	sack(2);
	CU_ASSERT_FALSE(q.rack.reordering);
	sack(1);
	CU_ASSERT(q.rack.reordering);
	sack(3);
	sack(4);
	CU_ASSERT(detect(now) > 0);
	CU_ASSERT_EQUAL(q.lost_bytes, 0);
	done();
	begin(7000000);
	sack(2);
	pkt_of(seg[1])->tx.sends = 2; /* sent again: its lateness says nothing */
	sack(1);
	CU_ASSERT_FALSE(q.rack.reordering);
	done();
}

/* by how many segments it was late, of the acknowledgement at hand: the most, rounded up, and no more than 255 */
static void how_late(void)
{
	begin(7000000);
	sack(3);
	CU_ASSERT_EQUAL(q.rack.late, 0);
	sack(1); /* the fourth had been there: three behind it, itself included */
	CU_ASSERT_EQUAL(q.rack.late, 3);
	sack(4);
	CU_ASSERT_EQUAL(q.rack.late, 0); /* each acknowledgement anew */
	rack_begin(&q.rack, 1);
	pkt_of(seg[2])->tx.len = 60; /* shorter: 1.x of them are rounded up */
	rack_deliver(&q.rack, pkt_of(seg[2]), now);
	CU_ASSERT_EQUAL(q.rack.late, 5);
	rack_deliver(&q.rack, pkt_of(seg[0]), now); /* in the same one: the later counts */
	CU_ASSERT_EQUAL(q.rack.late, 5);
	q.rack.fack_was = 1 + 400 * LEN;
	rack_deliver(&q.rack, pkt_of(seg[0]), now);
	CU_ASSERT_EQUAL(q.rack.late, 255);
	done();
}

/* "If ACK.ts_option.echo_reply < Segment.xmit_ts": it answers something older */
static void old_echo(void)
{
	begin(7000000);
	sack(0);
	now = 7000000 + 3 * RTT;
	pkt_of(seg[1])->tx.sends = 2;
	pkt_of(seg[1])->tx.sent_us = 7000000 + RTT + 2000;
	rack_begin(&q.rack, 1);
	rack_echo(&q.rack, 7000 + RTT / 1000 + 1); /* a millisecond before */
	rack_deliver(&q.rack, pkt_of(seg[1]), now);
	CU_ASSERT_EQUAL(q.rack.end, 1 + LEN);
	rack_begin(&q.rack, 1);
	rack_echo(&q.rack, 7000 + RTT / 1000 + 2);
	rack_deliver(&q.rack, pkt_of(seg[1]), now);
	CU_ASSERT_EQUAL(q.rack.end, 1 + 2 * LEN);
	rack_begin(&q.rack, 1); /* nothing is echoed */
	pkt_of(seg[2])->tx.sends = 2;
	pkt_of(seg[2])->tx.sent_us = now - RTT;
	rack_deliver(&q.rack, pkt_of(seg[2]), now);
	CU_ASSERT_EQUAL(q.rack.end, 1 + 3 * LEN);
	rack_begin(&q.rack, 1);
	rack_echo(&q.rack, 6000); /* it was sent once: there is no doubt */
	rack_deliver(&q.rack, pkt_of(seg[3]), now);
	CU_ASSERT_EQUAL(q.rack.fack, 1 + 4 * LEN);
	done();
}

/* step 2: an answer sooner than any round trip is the answer to the original */
static void quick_answer(void)
{
	begin(7000000);
	sack(0);
	pkt_of(seg[1])->tx.sends = 2;
	pkt_of(seg[1])->tx.sent_us = now - 1000;
	rack_begin(&q.rack, 1);
	scoreboard_sack(&q, &(struct sack_block){1 + LEN, 1 + 2 * LEN}, 1, now);
	CU_ASSERT_EQUAL(q.rack.sent_us, 7000000);
	CU_ASSERT_EQUAL(q.rack.min_rtt_us, RTT);
	done();
}

/* step 4: DSACKs widen it, one quarter of the round trip for each round trip; 16 recoveries narrow it again */
static void dsacks(void)
{
	begin(7000000);
	rack_dsack(&q.rack, 1, 601);
	rack_dsack(&q.rack, 1, 601); /* the same round trip */
	CU_ASSERT_EQUAL(q.rack.mult, 1);
	rack_dsack(&q.rack, 601, 1201);
	CU_ASSERT_EQUAL(q.rack.mult, 2);
	sack(1);
	CU_ASSERT_EQUAL(detect(now), 3 * RTT / 4 - 1000);
	for (unsigned i = 0; i < 15; i++)
		rack_recovered(&q.rack);
	CU_ASSERT_EQUAL(q.rack.mult, 2);
	rack_recovered(&q.rack);
	CU_ASSERT_EQUAL(q.rack.mult, 0);
	/* "bounded by SRTT" */
	q.rack.mult = 200;
	CU_ASSERT_EQUAL(detect(now), RTT - 1000);
	done();
}

/* of two sent in the same microsecond the one with more behind it is the later */
static void same_time(void)
{
	begin(7000000);
	pkt_of(seg[0])->tx.sent_us = pkt_of(seg[2])->tx.sent_us = pkt_of(seg[1])->tx.sent_us;
	q.recovery = TCP_R_RECOVERY;
	sack(1);
	CU_ASSERT_EQUAL(detect(now), 0);
	CU_ASSERT(pkt_of(seg[0])->tx.flags & SEG_LOST);
	CU_ASSERT_FALSE(pkt_of(seg[2])->tx.flags & SEG_LOST);
	done();
}

/* what was sent again a moment ago stands in front of what was sent long ago: that may be lost all the same */
static void sent_again(void)
{
	begin(7000000);
	q.recovery = TCP_R_RECOVERY;
	pkt_of(seg[0])->tx.sends = 2;
	pkt_of(seg[0])->tx.sent_us = 7000000 + 3 * RTT;
	sack(3);
	CU_ASSERT_EQUAL(detect(now), 0);
	CU_ASSERT_FALSE(pkt_of(seg[0])->tx.flags & SEG_LOST);
	CU_ASSERT(pkt_of(seg[1])->tx.flags & SEG_LOST);
	CU_ASSERT(pkt_of(seg[2])->tx.flags & SEG_LOST);
	CU_ASSERT_FALSE(pkt_of(seg[4])->tx.flags & SEG_LOST);
	done();
}

/* a running minimum of five minutes */
static void min_rtt(void)
{
	struct rack r = {0};

	rack_min_rtt(&r, 500, 1000);
	rack_min_rtt(&r, 400, 2000);
	rack_min_rtt(&r, 900, 302000);
	CU_ASSERT_EQUAL(r.min_rtt_us, 400);
	rack_min_rtt(&r, 900, 302001);
	CU_ASSERT_EQUAL(r.min_rtt_us, 900);
	rack_min_rtt(&r, 0, 302002);
	CU_ASSERT_EQUAL(r.min_rtt_us, 1);
}

static const struct unit_case cases[] = {
    {"RFC 8985 6.2 step 5: lost by time", by_time},
    {"RFC 8985 6.2 step 4: no window", no_window},
    {"RFC 8985 6.2 step 3: reordering", reordering},
    {"RFC 8985 6.2 step 3: how late", how_late},
    {"RFC 8985 6.2 step 2: answers to originals", quick_answer},
    {"RFC 8985 6.2 step 2: echoes of originals", old_echo},
    {"RFC 8985 6.2 step 4: DSACKs", dsacks},
    {"RFC 8985 6.2 step 2: sent at the same time", same_time},
    {"RFC 8985 6.2 step 5: what was sent again", sent_again},
    {"RFC 8985 6.2 step 1: the smallest round trip", min_rtt},
};

TCP_UNIT_MAIN("rack")
