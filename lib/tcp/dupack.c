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
	/* RFC 3042: two segments beyond cwnd, until it is sure that one is lost */
	if (q->recovery == TCP_R_OPEN && q->dupacks > LIMITED_TRANSMIT)
		return;
	if (q->recovery != TCP_R_LOSS && q->dup_bytes + t->mss <= t->snd_nxt - t->snd_una)
		q->dup_bytes += t->mss;
}

/* Have they come over some time?  Where a round trip is long a turn is short beside it; where it is not, only a
 * quarter of it is as good as several turns (RFC 8985 section 6.2 waits that long for what is late). */
static bool are_apart(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const uint16_t us = (uint16_t)(tcp->ctx->now_us - q->dup_us);

	return q->dup_turns >= DUP_THRESH &&
	       (t->srtt_us == 0 || t->srtt_us >= WAIT_MAX_US || us > t->srtt_us / 4);
}

/*
 * RFC 6582 section 3.2 step 1: are they about what was sent after an earlier recovery began?  If the acknowledgement
 * covers no more than that recovery did, they may be the echo of what was repeated needlessly; a peer that had kept
 * that would have acknowledged it in a large step, though.  One that keeps nothing beyond a hole goes on in small steps,
 * and after the recovery lacks what was sent during it (section 4.1).
 */
static bool are_of_new_loss(const struct tcb *t, const struct tcp_queues *q)
{
	return seq_gt(t->snd_una, q->recover) ||
	       (t->cwnd > t->mss && q->ack_step <= STEP_MAX * t->mss);
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

/* RFC 5681 section 3.2: the third duplicate means a loss.  Some receivers take a burst of segments and
 * then acknowledge its end as often as it had segments, all at once.  So what comes at once says no
 * more than one duplicate does; then a round trip decides, within which an acknowledgement that moves
 * calls it off.  A stream to such a receiver over shared memory was in recovery 400 times a second while they only had
 * to come in three turns. */
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
 * What ended the recovery was sent again at last, and what is the oldest now well before that; still it is not acknowledged
 * with it.  So it was lost, or thrown away by a peer that keeps nothing beyond a hole, and there may be nothing behind
 * it whose duplicates could tell: without this each such loss would cost a time-out.
 */
void dupack_recovered(const struct tcb *t, struct tcp_queues *q)
{
	const struct pkt *oldest = pkt_of(q->snd.head);

	if (q->rack.valid && oldest->tx.sends == 1 &&
	    seq_gt(q->rack.sent_us - t->srtt_us / 4, oldest->tx.sent_us))
		scoreboard_lost(q, q->snd.head);
}

/* one of what was acknowledged filled the hole, the rest ate duplicates */
uint32_t dupack_part(const struct tcb *t, struct tcp_queues *q, uint32_t acked)
{
	uint32_t eaten = RTE_MIN(acked > t->mss ? acked - t->mss : 0, q->dup_bytes);

	q->dup_bytes -= eaten;
	return acked - eaten;
}
