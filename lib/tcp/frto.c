/* SPDX-License-Identifier: BSD-2-Clause */
/* F-RTO, in the steps of RFC 5682: section 3.1 with SACK, section 2.1 without. */

#include "tcp/frto.h"

#include "base/seq.h"
#include "tcp/tcp_loss.h"

void frto_begin(const struct tcb *t, struct tcp_queues *q)
{
	q->frto = t->opt & TCB_OPT_TS ? FRTO_OFF : FRTO_FIRST;
}

/* step 2 */
static void on_first(const struct tcb *t, struct tcp_queues *q, const struct loss_ack *a)
{
	/* "duplicate ACKs ... stay in step 2" (3.1); without SACK they say that something is missing (2.1) */
	if (a->acked == 0) {
		if (a->duplicate && !(t->opt & TCB_OPT_SACK))
			q->frto = FRTO_OFF;
		return;
	}
	/* 2a: "does not acknowledge all of the data that was retransmitted in step 1" */
	if (q->snd.head != NULL && (pkt_of(q->snd.head)->tx.flags & SEG_RESENT))
		q->frto = FRTO_OFF;
	else
		q->frto = seq_lt(t->snd_una, q->recover) ? FRTO_SECOND : FRTO_OFF;
}

/* step 3: a) new data has arrived, and not the old; b) data that was sent only once has arrived */
static bool on_second(const struct tcb *t, struct tcp_queues *q, const struct loss_ack *a)
{
	bool newer = seq_gt(t->snd_una, q->recover) ||
	             (q->sacked_segs > 0 && seq_gt(q->rack.fack, q->recover));

	if (a->delivered == 0 && (t->opt & TCB_OPT_SACK))
		return false;
	q->frto = FRTO_OFF;
	return a->delivered > 0 && !newer;
}

bool frto_ack(const struct tcb *t, struct tcp_queues *q, const struct loss_ack *a)
{
	if (q->recovery != TCP_R_LOSS)
		q->frto = FRTO_OFF;
	if (q->frto == FRTO_SECOND)
		return on_second(t, q, a);
	if (q->frto == FRTO_FIRST)
		on_first(t, q, a);
	return false;
}

bool frto_sent(const struct tcb *t, struct tcp_queues *q)
{
	if (!frto_holds(q) || t->snd_nxt != q->recover)
		return false;
	q->frto = FRTO_OFF;
	return true;
}
