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

static void test_sack(void)
{
	begin_at(1000);
	scoreboard_sack(&q, 1100, 1300, 0);
	CU_ASSERT_EQUAL(q.sacked_segs, 2);
	CU_ASSERT_EQUAL(q.sacked_bytes, 200);
	scoreboard_sack(&q, 1100, 1400, 0); /* what is known counts once */
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	scoreboard_sack(&q, 1450, 1550, 0); /* parts of segments do not count */
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	scoreboard_sack(&q, 1000 + (N - 2) * LEN, 1000 + N * LEN, 0); /* never sent */
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	done();
}

static void test_lost_and_resent(void)
{
	begin_at(1000);
	scoreboard_sack(&q, 1100, 1200, 0);
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
	scoreboard_sack(&q, 1100, 1200, 0);
	scoreboard_forget(&q, seg[1], LEN);
	CU_ASSERT(q.sacked_bytes == 0 && q.sacked_segs == 0);
	pkt_of(seg[1])->tx.flags = pkt_of(seg[0])->tx.flags = 0;
	done();
}

/* a time-out: what was SACKed is believed, unless the oldest is (RFC 2018 section 8) */
static void test_all_lost(void)
{
	begin_at(1000);
	scoreboard_sack(&q, 1200, 1300, 0);
	scoreboard_all_lost(&q);
	CU_ASSERT(q.sacked_segs == 1 && q.lost_bytes == (N - 3) * LEN);
	scoreboard_all_plain(&q);
	CU_ASSERT(q.sacked_segs == 1 && q.lost_bytes == 0);
	scoreboard_sack(&q, 1000, 1100, 0);
	scoreboard_all_lost(&q);
	CU_ASSERT(q.sacked_segs == 0 && q.sacked_bytes == 0 && q.lost_bytes == (N - 2) * LEN);
	done();
}

static void test_wrap(void)
{
	begin_at(0u - 250);
	scoreboard_sack(&q, 0u - 150, 150, 0);
	CU_ASSERT_EQUAL(q.sacked_segs, 3);
	done();
}

static const struct unit_case cases[] = {
    {"SACK", test_sack},           {"lost and sent again", test_lost_and_resent},
    {"acknowledged", test_forget}, {"a time-out", test_all_lost},
    {"numbers wrap", test_wrap},
};

TCP_UNIT_MAIN("scoreboard")
