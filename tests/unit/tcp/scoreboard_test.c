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
	scoreboard_all_lost(&q);
	CU_ASSERT(q.sacked_segs == 1 && q.lost_bytes == (N - 3) * LEN);
	scoreboard_all_plain(&q);
	CU_ASSERT(q.sacked_segs == 1 && q.lost_bytes == 0);
	sack(1000, 1100);
	scoreboard_all_lost(&q);
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
    {"several blocks at once", test_sack_blocks},
    {"lost and sent again", test_lost_and_resent},
    {"acknowledged", test_forget},
    {"a time-out", test_all_lost},
    {"numbers wrap", test_wrap},
};

TCP_UNIT_MAIN("scoreboard")
