/* SPDX-License-Identifier: BSD-2-Clause */

/* tcp_validate sees each invariant that is broken, and nothing where none is. */

#include "../unit.h"
#include "fixture.h"

static struct tcb *t;
static struct tcp_queues *q;

/* bytes under way, unread and early */
static void begin(void)
{
	start();
	t = conn(TCB_OPT_SACK);
	input_data(t, IRS, 100);
	input_data(t, IRS + 200, 100);
	CU_ASSERT_EQUAL(write_bytes(t, 3 * MSS), 3 * MSS);
	turn();
	forget();
	q = tcp_queues(tcp, t);
	CU_ASSERT_PTR_NOT_NULL_FATAL(q);
	CU_ASSERT_EQUAL(tcp_validate(tcp, NULL), 0);
}

/* a number that is one off is seen, and no more than for as long as it is */
#define BROKEN(field)                                        \
	do {                                                 \
		(field)++;                                   \
		CU_ASSERT(tcp_validate(tcp, NULL) > 0);      \
		(field)--;                                   \
		CU_ASSERT_EQUAL(tcp_validate(tcp, NULL), 0); \
	} while (0)

static void counts(void)
{
	begin();
	BROKEN(t->snd_bytes);
	BROKEN(t->rcv_bytes);
	BROKEN(q->sacked_bytes);
	BROKEN(q->sacked_segs);
	BROKEN(q->lost_bytes);
	BROKEN(q->resent_bytes);
	BROKEN(q->ooo_segs);
	BROKEN(tcp->tcbs_used);
	BROKEN(tcp->queues_used);
	BROKEN(tcp->slots.used);
	finish();
}

static void numbers(void)
{
	uint32_t was;

	begin();
	was = t->snd_una;
	t->snd_una = t->snd_nxt + 1;
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	t->snd_una = was;
	was = t->rcv_adv;
	t->rcv_adv = t->rcv_nxt - 1;
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	t->rcv_adv = t->rcv_nxt + 199; /* the early bytes lie beyond it */
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	t->rcv_adv = was;
	was = pkt_of(q->ooo)->rx.seq;
	pkt_of(q->ooo)->rx.seq = t->rcv_nxt; /* early bytes that are not */
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	pkt_of(q->ooo)->rx.seq = was;
	was = pkt_of(q->rcv.head)->rx.len;
	pkt_of(q->rcv.head)->rx.len = 0;
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	pkt_of(q->rcv.head)->rx.len = was;
	finish();
}

static void states(void)
{
	uint8_t timers, state;

	begin();
	timers = t->timers;
	t->timers &= (uint8_t)~TCB_T_LOSS; /* nobody would send again */
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	t->timers = timers;
	t->flags &= ~(uint32_t)TCB_IN_TABLE;
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	t->flags |= TCB_IN_TABLE;
	q->idle = true;
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	q->idle = false;
	state = t->state;
	t->state = TCP_S_CLOSED;
	t->flags &= ~(uint32_t)TCB_OPEN;
	CU_ASSERT(tcp_validate(tcp, NULL) > 0);
	t->flags |= TCB_OPEN;
	t->state = state;
	CU_ASSERT_EQUAL(tcp_validate(tcp, NULL), 0);
	finish();
}

static const struct unit_case cases[] = {
    {"what is counted", counts},
    {"sequence numbers and lengths", numbers},
    {"states, timers, places", states},
};

TCP_UNIT_MAIN("tcp_validate")
