/* SPDX-License-Identifier: BSD-2-Clause */
/* Duplicate acknowledgements, for connections without SACK. */

#include "tcp/dupack.h"

#include "base/seq.h"
#include "tcp/scoreboard.h"
#include "tcp/tcp.h"

#define DUP_THRESH       3
#define LIMITED_TRANSMIT 2 /* segments (RFC 3042) */
#define WAIT_MAX_US      2000u
#define STEP_MAX         4u /* segments (RFC 6582 section 4.1) */

void dupack_count(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q)
{
	const unsigned turn = tcp->ctx->turn & 0x3fu;

	if (q->dupacks == 0) {
		q->dup_turns = 0;
		q->dup_us = (uint16_t)tcp->ctx->now_us;
	}
	if (q->dup_turns == 0 || (q->dup_turn != turn && q->dup_turns < DUP_THRESH))
		q->dup_turns = (q->dup_turns + 1) & 3;
	q->dup_turn = turn & 0x3fu;
	if (q->dupacks < UINT8_MAX)
		q->dupacks++;
	/* RFC 3042: at most two segments beyond cwnd until a loss is certain */
	if (q->recovery == TCP_R_OPEN && q->dupacks > LIMITED_TRANSMIT)
		return;
	if (q->recovery != TCP_R_LOSS && q->dup_bytes + t->mss <= t->snd_nxt - t->snd_una)
		q->dup_bytes += t->mss;
}

/* Have the duplicates arrived over some time?  If the round trip is long, several turns are enough;
 * if it is short, they must also span a quarter of it, which is how long RFC 8985 section 6.2 waits
 * for late segments. */
static bool are_apart(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const uint16_t us = (uint16_t)(tcp->ctx->now_us - q->dup_us);

	return q->dup_turns >= DUP_THRESH &&
	       (t->srtt_us == 0 || t->srtt_us >= WAIT_MAX_US || us > t->srtt_us / 4);
}

/*
 * RFC 6582 section 3.2 step 1: are the duplicates about data sent after an earlier recovery began?
 * If the acknowledgement covers no more than that recovery did, they may have been caused by
 * needless retransmissions; but then the peer had kept that data and would have acknowledged it in
 * a large step.  A peer that keeps nothing beyond a hole acknowledges in small steps, and after the
 * recovery still lacks what was sent during it (section 4.1).  And each needless retransmission
 * causes one duplicate: more than that are about a loss, as when a path has failed for a while, and
 * the answer to what had arrived before undoes the time-out.
 */
static bool are_of_new_loss(const struct tcb *t, const struct tcp_queues *q)
{
	return seq_gt(t->snd_una, q->recover) ||
	       (t->cwnd > t->mss && q->ack_step <= STEP_MAX * t->mss) ||
	       q->dupacks >= q->undo_segs + DUP_THRESH;
}

static bool are_enough(const struct tcb *t, const struct tcp_queues *q)
{
	return q->recovery == TCP_R_OPEN && q->dupacks >= DUP_THRESH && are_of_new_loss(t, q);
}

/* each stands for one segment that has arrived */
static void mark_lost(const struct tcb *t, struct tcp_queues *q)
{
	uint32_t most = t->snd_nxt - t->snd_una;

	q->dup_bytes = RTE_MIN((uint32_t)q->dupacks * t->mss, most);
	scoreboard_lost(q, q->snd.head);
}

void dupack_lost(const struct tcb *t, struct tcp_queues *q)
{
	if (are_enough(t, q))
		mark_lost(t, q);
}

/* RFC 5681 section 3.2: the third duplicate means a loss.  Some receivers take a burst of segments
 * and then acknowledge its end as often as it had segments, all at once.  So duplicates that arrive
 * at once count as one; the decision is then put off for a round trip, at most WAIT_MAX_US, and
 * called off if SND.UNA advances meanwhile.  When arrival in three turns was enough, a stream to
 * such a receiver over shared memory entered recovery 400 times a second. */
uint32_t dupack_find(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q)
{
	if (!are_enough(t, q))
		return 0;
	if (!are_apart(tcp, t, q))
		return RTE_MAX(RTE_MIN(t->srtt_us, WAIT_MAX_US), 1u);
	mark_lost(t, q);
	return 0;
}

/*
 * The recovery was ended by a retransmission, and the segment that is now the oldest was sent well
 * before that, yet is not acknowledged with it.  So it was lost, or discarded by a peer that keeps
 * nothing beyond a hole, and nothing may follow it whose duplicates could show that: without this
 * each such loss would cost a time-out.
 */
void dupack_recovered(const struct tcb *t, struct tcp_queues *q)
{
	const struct pkt *oldest = pkt_of(q->snd.head);

	if (q->rack.valid && oldest->tx.sends == 1 &&
	    seq_gt(q->rack.sent_us - t->srtt_us / 4, oldest->tx.sent_us))
		scoreboard_lost(q, q->snd.head);
}

/* one acknowledged segment filled the hole; the rest was counted by duplicates */
uint32_t dupack_part(const struct tcb *t, struct tcp_queues *q, uint32_t acked)
{
	uint32_t eaten = RTE_MIN(acked > t->mss ? acked - t->mss : 0, q->dup_bytes);

	q->dup_bytes -= eaten;
	return acked - eaten;
}
