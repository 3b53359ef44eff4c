/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks on segments, and the counts that follow from them. */

#include "tcp/scoreboard.h"

#include "base/seq.h"
#include "tcp/rack.h"

void scoreboard_plain(struct tcp_queues *q, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);

	if (note->tx.flags & SEG_LOST)
		q->lost_bytes -= note->tx.len;
	if (note->tx.flags & SEG_RESENT)
		q->resent_bytes -= note->tx.len;
	note->tx.flags &= (uint8_t) ~(SEG_LOST | SEG_RESENT);
}

void scoreboard_lost(struct tcp_queues *q, struct rte_mbuf *m)
{
	struct pkt *note = pkt_of(m);

	if (note->tx.flags & SEG_SACKED)
		return;
	if ((note->tx.flags & (SEG_LOST | SEG_RESENT)) != SEG_LOST) {
		q->lost_total += note->tx.len;
		q->lost_us = note->tx.sent_us;
	}
	scoreboard_plain(q, m);
	note->tx.flags |= SEG_LOST;
	q->lost_bytes += note->tx.len;
}

void scoreboard_resent(struct tcp_queues *q, struct rte_mbuf *m)
{
	pkt_of(m)->tx.flags |= SEG_RESENT;
	q->resent_bytes += pkt_of(m)->tx.len;
}

void scoreboard_forget(struct tcp_queues *q, const struct rte_mbuf *m, uint32_t bytes)
{
	uint8_t flags = pkt_of_const(m)->tx.flags;

	if (flags & SEG_SACKED) {
		q->sacked_bytes -= bytes;
		if (bytes == pkt_of_const(m)->tx.len)
			q->sacked_segs--;
	}
	if (flags & SEG_LOST)
		q->lost_bytes -= bytes;
	if (flags & SEG_RESENT)
		q->resent_bytes -= bytes;
}

static struct rte_mbuf *first_sent(const struct tcp_queues *q)
{
	return q->snd.head == q->snd_next ? NULL : q->snd.head;
}

static struct rte_mbuf *next_sent(const struct tcp_queues *q, struct rte_mbuf *m)
{
	m = pkt_of(m)->next;
	return m == q->snd_next ? NULL : m;
}

void scoreboard_all_lost(struct tcp_queues *q)
{
	struct rte_mbuf *m = first_sent(q);
	bool reneged = m != NULL && (pkt_of(m)->tx.flags & SEG_SACKED);

	if (reneged) {
		q->sacked_bytes = 0;
		q->sacked_segs = 0;
	}
	for (; m != NULL; m = next_sent(q, m)) {
		if (reneged)
			pkt_of(m)->tx.flags &= (uint8_t)~SEG_SACKED;
		scoreboard_lost(q, m);
	}
}

void scoreboard_all_plain(struct tcp_queues *q)
{
	for (struct rte_mbuf *m = first_sent(q); m != NULL; m = next_sent(q, m))
		scoreboard_plain(q, m);
}

static bool is_within(const struct pkt *note, const struct sack_block *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (seq_geq(note->tx.seq, b[i].start) &&
		    seq_leq(note->tx.seq + note->tx.len, b[i].end))
			return true;
	return false;
}

void scoreboard_sack(struct tcp_queues *q, const struct sack_block *b, unsigned n, uint32_t now_us)
{
	struct sack_block all = b[0];

	for (unsigned i = 1; i < n; i++) {
		all.start = seq_min(all.start, b[i].start);
		all.end = seq_max(all.end, b[i].end);
	}
	for (struct rte_mbuf *m = first_sent(q); m != NULL; m = next_sent(q, m)) {
		struct pkt *note = pkt_of(m);

		if (seq_geq(note->tx.seq, all.end))
			break;
		if (seq_lt(note->tx.seq, all.start) || (note->tx.flags & SEG_SACKED) ||
		    !is_within(note, b, n))
			continue;
		rack_deliver(&q->rack, note, now_us);
		scoreboard_plain(q, m);
		note->tx.flags |= SEG_SACKED;
		q->sacked_bytes += note->tx.len;
		q->sacked_segs++;
	}
}
