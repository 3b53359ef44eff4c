/* SPDX-License-Identifier: BSD-2-Clause */

/* The scoreboard: marks on segments, and the counts that follow from them. */

#include "tcp/scoreboard.h"

#include "../unit.h"
#include "base/seq.h"
#include "fixture.h"

#define N   8u
#define LEN 100u

static struct tcp_queues q;
static struct rte_mbuf *seg[N];

/* segments of LEN bytes from first on, all but the last two of them sent */
static void begin_at(uint32_t first)
{
	start();
	q = (struct tcp_queues){.snd_next = NULL};
	for (uint32_t i = 0; i < N; i++) {
		struct pkt *note;

		seg[i] = rte_pktmbuf_alloc(net.pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(seg[i]);
		note = pkt_of(seg[i]);
		*note = (struct pkt){.next = NULL};
		note->tx.seq = first + i * LEN;
		note->tx.len = LEN;
		note->tx.sends = 1;
		pktq_push(&q.snd, seg[i]);
	}
	q.snd_next = seg[N - 2];
}

static void done(void)
{
	pktq_free(&q.snd);
	finish();
}

static void sack(uint32_t from, uint32_t to)
{
	scoreboard_sack(&q, &(struct sack_block){from, to}, 1, 0);
}

/* blocks in any order, beside and within each other */
static void test_sack_blocks(void)
{
	const struct sack_block b[4] = {{1500, 1600}, {1100, 1400}, {1200, 1300}, {1150, 1190}};

	begin_at(1000);
	scoreboard_sack(&q, b, 4, 0);
	CU_ASSERT_EQUAL(q.sacked_segs, 4);
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_EQUAL((pkt_of(seg[i])->tx.flags & SEG_SACKED) != 0,
		                (i >= 1 && i <= 3) || i == 5);
	done();
}

static void test_sack(void)
{
	begin_at(1000);
	sack(1100, 1300);
	CU_ASSERT_EQUAL(q.sacked_segs, 2);
	CU_ASSERT_EQUAL(q.sacked_bytes, 200);
	sack(1100, 1400); /* what is known counts once */
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	sack(1450, 1550); /* parts of segments do not count */
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	sack(1000 + (N - 2) * LEN, 1000 + N * LEN); /* never sent */
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	done();
}

static uint32_t looks(uint32_t from, uint32_t to)
{
	return scoreboard_sack(&q, &(struct sack_block){from, to}, 1, 0);
}

/* what was said before is not looked for, and what follows it is found without a walk to it */
static void test_sack_looks(void)
{
	begin_at(1000);
	CU_ASSERT_EQUAL(looks(1200, 1300), 3);
	CU_ASSERT_EQUAL(looks(1200, 1300), 0);
	CU_ASSERT_EQUAL(looks(1210, 1290), 0);
	CU_ASSERT_EQUAL(looks(1200, 1400), 1);
	CU_ASSERT_EQUAL(q.sacked_segs, 2);
	CU_ASSERT_EQUAL(looks(1200, 1450), 1); /* half of one, which does not count */
	CU_ASSERT_EQUAL(looks(1200, 1500), 1); /* the other half: now it does */
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	CU_ASSERT_EQUAL(looks(1100, 1500), 2); /* before what is known: from the oldest on */
	CU_ASSERT_EQUAL(q.sacked_segs, 4);
	/* the segment where a walk could begin is acknowledged */
	while (seg[1] != q.snd.head || q.sack_at != NULL) {
		struct rte_mbuf *m = q.snd.head;

		scoreboard_forget(&q, m, LEN);
		pktq_pop(&q.snd);
		rte_pktmbuf_free(m);
		if (m == seg[1])
			break;
	}
	CU_ASSERT_PTR_NULL(q.sack_at);
	CU_ASSERT_EQUAL(looks(1500, 1600), 1);
	CU_ASSERT_EQUAL(q.sacked_segs, 4);
	done();
}

/* what is not SACKED, in whatever order the rest came to be */
static void test_open(void)
{
	static const uint32_t order[] = {4, 2, 3, 1};

	begin_at(1000);
	CU_ASSERT_PTR_EQUAL(scoreboard_open(&q, seg[0]), seg[0]);
	for (unsigned i = 0; i < RTE_DIM(order); i++)
		sack(1000 + order[i] * LEN, 1000 + (order[i] + 1) * LEN);
	for (unsigned again = 0; again < 2; again++) {
		CU_ASSERT_PTR_EQUAL(scoreboard_next(&q, seg[0]), seg[5]);
		CU_ASSERT_PTR_EQUAL(scoreboard_open(&q, seg[3]), seg[5]);
	}
	CU_ASSERT_PTR_NULL(scoreboard_next(&q, seg[5])); /* what follows was never sent */
	sack(1500, 1600);
	CU_ASSERT_PTR_NULL(scoreboard_next(&q, seg[0]));
	q.snd_next = NULL; /* now it is */
	CU_ASSERT_PTR_EQUAL(scoreboard_next(&q, seg[0]), seg[6]);
	sack(1600, 1800);
	CU_ASSERT_PTR_NULL(scoreboard_next(&q, seg[0]));
	CU_ASSERT_PTR_EQUAL(scoreboard_open(&q, seg[0]), seg[0]);
	done();
}

/* who is SACKED no longer was sent just now, and has no sum */
static void test_unsack(void)
{
	begin_at(1000);
	pkt_of(seg[0])->tx.flags = SEG_SUMMED;
	pkt_of(seg[0])->tx.sent_us = 5;
	CU_ASSERT_EQUAL(scoreboard_sent_us(&q, 7), 5);
	sack(1000, 1200);
	CU_ASSERT_EQUAL(scoreboard_sent_us(&q, 7), 7);
	scoreboard_reneged(&q, 9);
	CU_ASSERT_EQUAL(pkt_of(seg[0])->tx.flags, 0);
	CU_ASSERT_EQUAL(scoreboard_sent_us(&q, 10), 9);
	CU_ASSERT_PTR_EQUAL(scoreboard_next(&q, seg[0]), seg[2]);
	done();
}

/* numbers that come round again are not known */
static void test_sack_round(void)
{
	begin_at(1000);
	sack(1200, 1300);
	scoreboard_all_lost(&q, 0);
	CU_ASSERT_EQUAL(q.sacked_segs, 1);
	sack(1000, 1100); /* the oldest: with the next time-out all are forgotten */
	scoreboard_all_lost(&q, 0);
	CU_ASSERT_EQUAL(q.sacked_segs, 0);
	CU_ASSERT_PTR_NULL(q.sack_at);
	sack(1000, 1100);
	sack(1200, 1300);
	CU_ASSERT_EQUAL(q.sacked_segs, 2);
	done();
}

/* walks that find nothing: 4096 segments, and then 16 with each call */
static void test_sack_in_vain(void)
{
	uint32_t all = 0;

	begin_at(1000);
	sack(1000, 1100);
	for (unsigned i = 0; i < 5000; i++)
		all += looks(i % 2 ? 1510 : 1310, i % 2 ? 1590 : 1390);
	CU_ASSERT(q.sack_vain <= 16); /* three or five with each: always forgiven */
	CU_ASSERT(all >= 5000 * 4);
	q.sack_vain = 4096 + 16 + 16;
	CU_ASSERT_EQUAL(looks(1500, 1600), 0);
	CU_ASSERT_EQUAL(q.sacked_segs, 1);
	CU_ASSERT_EQUAL(looks(1500, 1600), 0);
	CU_ASSERT_EQUAL(looks(1500, 1600), 5);
	CU_ASSERT_EQUAL(q.sacked_segs, 2);
	CU_ASSERT_EQUAL(q.sack_vain, 0);
	done();
}

static void test_lost_and_resent(void)
{
	begin_at(1000);
	sack(1100, 1200);
	scoreboard_lost(&q, seg[1]); /* SACKed is not lost */
	CU_ASSERT_EQUAL(q.lost_bytes, 0);
	scoreboard_lost(&q, seg[0]);
	scoreboard_lost(&q, seg[0]);
	CU_ASSERT_EQUAL(q.lost_bytes, LEN);
	scoreboard_resent(&q, seg[0]);
	CU_ASSERT_EQUAL(q.resent_bytes, LEN);
	scoreboard_lost(&q, seg[0]); /* the repetition is lost, too */
	CU_ASSERT(q.lost_bytes == LEN && q.resent_bytes == 0);
	scoreboard_resent(&q, seg[0]);
	scoreboard_plain(&q, seg[0]);
	CU_ASSERT(q.lost_bytes == 0 && q.resent_bytes == 0);
	done();
}

/* an acknowledgement of a part, then of the rest */
static void test_forget(void)
{
	begin_at(1000);
	scoreboard_lost(&q, seg[0]);
	scoreboard_resent(&q, seg[0]);
	scoreboard_forget(&q, seg[0], 40);
	pkt_of(seg[0])->tx.len -= 40;
	CU_ASSERT(q.lost_bytes == 60 && q.resent_bytes == 60);
	scoreboard_forget(&q, seg[0], 60);
	CU_ASSERT(q.lost_bytes == 0 && q.resent_bytes == 0);
	sack(1100, 1200);
	scoreboard_forget(&q, seg[1], LEN);
	CU_ASSERT(q.sacked_bytes == 0 && q.sacked_segs == 0);
	pkt_of(seg[1])->tx.flags = pkt_of(seg[0])->tx.flags = 0;
	done();
}

/* a time-out: what was SACKed is believed, unless the oldest is (RFC 2018 section 8) */
static void test_all_lost(void)
{
	begin_at(1000);
	sack(1200, 1300);
	scoreboard_all_lost(&q, 0);
	CU_ASSERT(q.sacked_segs == 1 && q.lost_bytes == (N - 3) * LEN);
	scoreboard_all_plain(&q);
	CU_ASSERT(q.sacked_segs == 1 && q.lost_bytes == 0);
	sack(1000, 1100);
	scoreboard_all_lost(&q, 0);
	CU_ASSERT(q.sacked_segs == 0 && q.sacked_bytes == 0 && q.lost_bytes == (N - 2) * LEN);
	done();
}

static void test_wrap(void)
{
	begin_at(0u - 250);
	sack(0u - 150, 150);
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	done();
}

static const struct unit_case cases[] = {
    {"SACK", test_sack},
    {"SACK blocks are looked for where they can be", test_sack_looks},
    {"runs of SACKed segments are passed", test_open},
    {"a segment that is SACKed no longer", test_unsack},
    {"SACKs that are forgotten are not known", test_sack_round},
    {"SACK blocks in vain", test_sack_in_vain},
    {"several blocks at once", test_sack_blocks},
    {"lost and sent again", test_lost_and_resent},
    {"acknowledged", test_forget},
    {"a time-out", test_all_lost},
    {"numbers wrap", test_wrap},
};

TCP_UNIT_MAIN("scoreboard")
