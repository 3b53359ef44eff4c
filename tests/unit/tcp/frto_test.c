/* SPDX-License-Identifier: BSD-2-Clause */

/* F-RTO (RFC 5682), step by step. */

#include "tcp/frto.h"

#include <stdalign.h>

#include "../unit.h"
#include "fixture.h"
#include "tcp/tcp_loss.h"

#define FULL    1000u
#define RECOVER (1 + 4 * FULL)

static struct tcb t;
static struct tcp_queues q;

/* four segments were under way when the time-out came */
static void begin(uint16_t opt)
{
	memset(&t, 0, sizeof(t));
	memset(&q, 0, sizeof(q));
	t.opt = (uint8_t)opt;
	t.snd_una = 1;
	t.snd_nxt = q.recover = RECOVER;
	q.recovery = TCP_R_LOSS;
	frto_begin(&t, &q);
}

/* an acknowledgement up to una, with so many bytes SACKed anew */
static bool ack(uint32_t una, uint32_t sacked)
{
	struct loss_ack a = {.acked = una - t.snd_una};

	a.delivered = a.acked + sacked;
	a.duplicate = a.acked == 0;
	t.snd_una = una;
	q.sacked_segs = (uint16_t)(q.sacked_segs + sacked / FULL);
	return frto_ack(&t, &q, &a);
}

/* what the flush does in step 2 */
static void send_new(uint32_t n)
{
	CU_ASSERT(frto_holds(&q));
	t.snd_nxt += n * FULL;
	CU_ASSERT_EQUAL(frto_sent(&t, &q), n == 0);
}

/* "(3b) ... the ACK acknowledges data that was not acknowledged earlier": by number, or by SACK */
static void needless(void)
{
	for (int sack = 0; sack < 2; sack++) {
		begin(TCB_OPT_SACK);
		CU_ASSERT_FALSE(ack(1 + FULL, 0));
		send_new(2);
		q.rack.fack = 1 + 3 * FULL;
		CU_ASSERT(sack ? ack(1 + FULL, FULL) : ack(1 + 2 * FULL, 0));
		CU_ASSERT_EQUAL(q.frto, FRTO_OFF);
	}
	begin(0);
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	send_new(2);
	CU_ASSERT(ack(RECOVER, 0)); /* all of it at once */
}

/* "(3a) ... acknowledges data above RecoveryPoint": what is new has arrived, and what is old has not */
static void genuine(void)
{
	begin(TCB_OPT_SACK);
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	send_new(2);
	q.rack.fack = RECOVER + FULL;
	CU_ASSERT_FALSE(ack(1 + FULL, FULL));
	CU_ASSERT_FALSE(frto_holds(&q));
	begin(TCB_OPT_SACK); /* ... or all of it has, which says nothing of what was sent again */
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	send_new(2);
	CU_ASSERT_FALSE(ack(RECOVER + FULL, 0));
	CU_ASSERT_EQUAL(q.frto, FRTO_OFF);
	begin(TCB_OPT_SACK); /* one that delivers nothing is no answer yet */
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	send_new(2);
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	CU_ASSERT_EQUAL(q.frto, FRTO_SECOND);
	/* 2.1 (3a): without SACK a duplicate says the same */
	begin(0);
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	send_new(2);
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	CU_ASSERT_EQUAL(q.frto, FRTO_OFF);
}

/* "(2a) ... the ACK covers RecoveryPoint": there is nothing to be found out */
static void all_is_there(void)
{
	begin(TCB_OPT_SACK);
	CU_ASSERT_FALSE(ack(RECOVER, 0));
	CU_ASSERT_EQUAL(q.frto, FRTO_OFF);
}

/* "(2a) ... does not acknowledge all of the data that was retransmitted in step 1" */
static void part_is_there(void)
{
	static alignas(struct rte_mbuf) char room[PKT_OFFSET + sizeof(struct pkt)];
	struct rte_mbuf *m = (struct rte_mbuf *)(void *)room;

	begin(0);
	q.snd.head = m;
	pkt_of(m)->tx.flags = SEG_LOST | SEG_RESENT;
	CU_ASSERT_FALSE(ack(1 + FULL / 2, 0));
	CU_ASSERT_EQUAL(q.frto, FRTO_OFF);
	begin(0);
	q.snd.head = m;
	pkt_of(m)->tx.flags = SEG_LOST; /* the next */
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	CU_ASSERT_EQUAL(q.frto, FRTO_SECOND);
}

/* 3.1 (2): duplicates are no answer yet; 2.1 (2a): without SACK they are */
static void duplicates_first(void)
{
	begin(TCB_OPT_SACK);
	CU_ASSERT_FALSE(ack(1, FULL));
	CU_ASSERT_EQUAL(q.frto, FRTO_FIRST);
	begin(0);
	CU_ASSERT_FALSE(ack(1, 0));
	CU_ASSERT_EQUAL(q.frto, FRTO_OFF);
}

/* "If ... no new data to send ... revert to the conventional" */
static void nothing_new(void)
{
	begin(TCB_OPT_SACK);
	CU_ASSERT_FALSE(ack(1 + FULL, 0));
	send_new(0);
	CU_ASSERT_FALSE(frto_holds(&q));
}

/* timestamps tell sooner (RFC 3522) */
static void not_with_timestamps(void)
{
	begin(TCB_OPT_SACK | TCB_OPT_TS);
	CU_ASSERT_EQUAL(q.frto, FRTO_OFF);
}

static const struct unit_case cases[] = {
    {"RFC 5682 3.1 (3b): needless", needless},
    {"RFC 5682 3.1 (3a), 2.1 (3a): genuine", genuine},
    {"RFC 5682 2.1 (2a): part of what was sent again", part_is_there},
    {"RFC 5682 3.1 (2a): all is acknowledged", all_is_there},
    {"RFC 5682 3.1 (2), 2.1 (2a): duplicates", duplicates_first},
    {"RFC 5682 3.1 (2b): nothing new to send", nothing_new},
    {"RFC 3522: not with timestamps", not_with_timestamps},
};

TCP_UNIT_MAIN("frto")
