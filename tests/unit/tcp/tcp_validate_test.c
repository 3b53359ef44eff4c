/* SPDX-License-Identifier: BSD-2-Clause */

/* tcp_validate sees each invariant that is broken, and nothing where none is. */

#include <stdlib.h>
#include <string.h>

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

/* ---- each by its name ------------------------------------------------------------------------ */

static bool says(const char *what)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	unsigned bad = tcp_validate(tcp, f);
	bool found;

	fclose(f);
	found = bad > 0 && strstr(text, what) != NULL;
	free(text);
	return found;
}

/* with this value it is seen, and told so; and without it no more */
#define SEEN(field, wrong, what)                             \
	do {                                                 \
		typeof(field) was_ = (field);                \
                                                             \
		(field) = (typeof(field))(wrong);            \
		CU_ASSERT(says(what));                       \
		(field) = was_;                              \
		CU_ASSERT_EQUAL(tcp_validate(tcp, NULL), 0); \
	} while (0)

/* two segments under way, two behind them */
static void begin_half_sent(void)
{
	start();
	t = conn(TCB_OPT_SACK);
	t->cwnd = 2 * MSS;
	t->t_loss = net.ctx.tick + 1000; /* not idle */
	CU_ASSERT_EQUAL(write_bytes(t, 4 * MSS), 4 * MSS);
	turn();
	forget();
	q = tcp_queues(tcp, t);
	CU_ASSERT_EQUAL_FATAL(t->snd_nxt, t->snd_una + 2 * MSS);
	CU_ASSERT_EQUAL(tcp_validate(tcp, NULL), 0);
}

static void send_queue(void)
{
	const uint8_t marks[] = {SEG_SACKED, SEG_LOST, SEG_RESENT};
	struct rte_mbuf *second;
	struct pkt *n, *unsent;

	begin_half_sent();
	second = pkt_of(q->snd.head)->next;
	n = pkt_of(second);
	unsent = pkt_of(q->snd_next);
	SEEN(q->snd_next, second, "snd_next begins at SND.NXT");
	SEEN(n->tx.seq, n->tx.seq + 1, "the send queue has no gap");
	SEEN(q->snd.tail, q->snd.head, "tail is the last");
	for (unsigned i = 0; i < 3; i++)
		SEEN(unsent->tx.flags, unsent->tx.flags | marks[i], "unsent is unmarked");
	n->tx.flags |= SEG_SUMMED;
	n->tx.cookie = 0x12345; /* no sum is so large */
	CU_ASSERT(says("a sum is that of the payload"));
	n->tx.flags &= (uint8_t)~SEG_SUMMED;
	SEEN(n->tx.len, 0, "a segment has its payload");
	SEEN(second->pkt_len, 1, "a segment has its payload");
	n->tx.flags |= SEG_RESENT;
	q->resent_bytes = MSS;
	CU_ASSERT(says("only what was lost is resent"));
	q->resent_bytes = 0;
	n->tx.flags &= (uint8_t)~SEG_RESENT;
	CU_ASSERT_EQUAL(tcp_validate(tcp, NULL), 0);
	finish();
}

static void connection(void)
{
	begin();
	SEEN(pkt_of(q->rcv.head)->rx.len, 0, "a received packet has its bytes");
	SEEN(pkt_of(q->rcv.head)->rx.len, 5000, "a received packet has its bytes");
	SEEN(t->snd_una, t->snd_nxt + 1, "SND.UNA <= SND.NXT");
	SEEN(t->rcv_adv, t->rcv_nxt - 1, "RCV.NXT <= right edge");
	SEEN(t->timer.prev, 0, "deadlines are in the wheel");
	SEEN(t->queues, 0, "no bytes without queues");
	finish();
}

static void tables(void)
{
	begin();
	SEEN(tcp->syn.used, 1, "1 violations in tables and timers");
	SEEN(tcp->tw.used, 1, "1 violations in tables and timers");
	SEEN(tcp->wheel.armed, 0, "violations in tables and timers");
	BROKEN(tcp->table.count);
	finish();
}

/* a FIN that came early is a reason to keep queues, as good as any */
static void early_fin(void)
{
	start();
	t = conn(0);
	input(t, SEG(.flags = TCP_FIN | TCP_ACK, .seq = IRS + 10, .ack = ISS, .wnd = 65535));
	turn();
	forget();
	CU_ASSERT(tcp_queues(tcp, t)->fin_early);
	CU_ASSERT_FALSE(t->flags & TCB_WORK);
	CU_ASSERT_EQUAL(tcp_validate(tcp, NULL), 0);
	finish();
}

static const struct unit_case cases[] = {
    {"what is counted", counts},
    {"sequence numbers and lengths", numbers},
    {"states, timers, places", states},
    {"what is told of the send queue", send_queue},
    {"what is told of a connection", connection},
    {"what is told of tables", tables},
    {"an early FIN", early_fin},
};

TCP_UNIT_MAIN("tcp_validate")
