/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Retransmission of lost segments (tcp_loss.c decides which are lost).
 *
 * A segment that was cut for a wider path is sent in parts: only the first part has to find room,
 * and the rest follows like a lost segment of its own.
 */
#include "tcp/tcp_loss.h"

#include "base/seq.h"
#include "tcp/frto.h"
#include "tcp/scoreboard.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_segment.h"

/* the oldest is sent at once (RFC 5681 3.2, RFC 6675 section 5 (4.3)), others as cwnd allows; 9293
 * SHLD-16: beyond a shrunken window only a probe is sent */
static bool may_go(const struct tcb *t, const struct tcp_queues *q, const struct rte_mbuf *m)
{
	const struct pkt *note = pkt_of_const(m);
	const uint32_t len = RTE_MIN((uint32_t)note->tx.len, (uint32_t)t->mss);
	const uint32_t pipe = tcp_pipe(t, q);

	if (m == q->snd.head)
		return true;
	return (pipe == 0 || pipe + len <= t->cwnd) && q->frto != FRTO_FIRST &&
	       seq_leq(note->tx.seq + len, t->snd_una + t->snd_wnd);
}

/* nothing may be sent, whatever waits: repeated acknowledgements must not make us search */
static bool is_closed(const struct tcb *t, const struct tcp_queues *q)
{
	const uint32_t pipe = tcp_pipe(t, q);

	return q->pace.left == 0 ||
	       (pipe != 0 && pipe >= t->cwnd && !scoreboard_waits(q->snd.head));
}

bool tcp_loss_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	struct rte_mbuf *m = scoreboard_open(q, q->snd.head), *before = NULL, *sent;

	if (m == NULL || is_closed(t, q))
		return true;
	for (; m != NULL; before = m, m = scoreboard_next(q, m)) {
		ctx_count(tcp->ctx, PC_TCP_SACK_LOOKS);
		if (!scoreboard_waits(m))
			continue;
		if (q->pace.left == 0 || !may_go(t, q, m))
			break;
		sent = tcp_resend(tcp, t, q, before, m);
		if (sent == NULL) /* where mbufs are low, segments in front will free some */
			return tcp->ctx->mbufs_low && m != q->snd.head;
		m = sent;
		if (q->recovery == TCP_R_OPEN && q->resent_bytes == 0)
			q->undo_tsval = tcp_tsval(tcp, t->ts_offset);
		scoreboard_resent(q, m);
		pace_take(&q->pace, pkt_of(m)->tx.len);
		q->undo_segs++;
		q->prr.out += pkt_of(m)->tx.len;
	}
	return true;
}
