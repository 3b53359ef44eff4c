/* SPDX-License-Identifier: BSD-2-Clause */
/* Marks on segments, and the counts derived from them. */

#include "tcp/scoreboard.h"

#include <string.h>

#include "base/seq.h"
#include "tcp/rack.h"

#define DUP_THRESH 3

#define VAIN_MAX  4096 /* segments looked at in vain */
#define VAIN_EACH 16   /* of them forgiven per acknowledgement */

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
	if (!scoreboard_waits(m)) {
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

void scoreboard_cut(struct tcp_queues *q, struct rte_mbuf *m)
{
	if (!(pkt_of(m)->tx.flags & SEG_RESENT))
		return;
	pkt_of(m)->tx.flags &= (uint8_t)~SEG_RESENT;
	q->resent_bytes -= pkt_of(m)->tx.len;
}

void scoreboard_forget(struct tcp_queues *q, const struct rte_mbuf *m, uint32_t bytes)
{
	uint8_t flags = pkt_of_const(m)->tx.flags;

	if (flags & SEG_SACKED) {
		q->sacked_bytes -= bytes;
		if (bytes == pkt_of_const(m)->tx.len) {
			q->sacked_segs--;
			if (m == q->sack_at)
				q->sack_at = NULL;
		}
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

/* The last segment of the run of m, which is SACKED. Path halving: each segment on the way is made
 * to refer to what its successor refers to. */
static struct rte_mbuf *run_end(struct rte_mbuf *m)
{
	for (;;) {
		struct pkt *note = pkt_of(m);
		struct rte_mbuf *to = note->tx.run != m ? note->tx.run : note->next;

		if (to == NULL || !(pkt_of(to)->tx.flags & SEG_SACKED))
			return m;
		note->tx.run = pkt_of(to)->tx.run;
		m = to;
	}
}

struct rte_mbuf *scoreboard_open(const struct tcp_queues *q, struct rte_mbuf *m)
{
	while (m != NULL && (pkt_of(m)->tx.flags & SEG_SACKED))
		m = pkt_of(run_end(m))->next;
	return m == q->snd_next ? NULL : m;
}

/* no longer SACKED; when it was sent, and its payload's checksum, are lost */
static void unsack(struct rte_mbuf *m, uint32_t now_us)
{
	struct pkt *note = pkt_of(m);

	note->tx.flags &= (uint8_t)~SEG_SACKED;
	note->tx.sent_us = now_us;
}

static struct rte_mbuf *next_sent(const struct tcp_queues *q, struct rte_mbuf *m)
{
	m = pkt_of(m)->next;
	return m == q->snd_next ? NULL : m;
}

void scoreboard_all_lost(struct tcp_queues *q, uint32_t now_us)
{
	struct rte_mbuf *m = first_sent(q);
	bool reneged = m != NULL && (pkt_of(m)->tx.flags & SEG_SACKED);

	if (reneged) {
		q->sacked_bytes = 0;
		q->sacked_segs = 0;
		q->sack_at = NULL;
	}
	for (; m != NULL; m = next_sent(q, m)) {
		if (reneged && (pkt_of(m)->tx.flags & SEG_SACKED))
			unsack(m, now_us);
		scoreboard_lost(q, m);
	}
}

void scoreboard_lost_by_count(struct tcp_queues *q)
{
	uint32_t beyond = q->sacked_segs;

	for (struct rte_mbuf *m = first_sent(q); m != NULL; m = next_sent(q, m)) {
		uint8_t flags = pkt_of(m)->tx.flags;

		if (beyond < DUP_THRESH)
			break;
		if (flags & SEG_SACKED)
			beyond--;
		else if (!(flags & SEG_LOST))
			scoreboard_lost(q, m);
	}
}

void scoreboard_reneged(struct tcp_queues *q, uint32_t now_us)
{
	struct rte_mbuf *m = q->snd.head;
	struct pkt *note = pkt_of(m);

	if (!(note->tx.flags & SEG_SACKED))
		return;
	scoreboard_forget(q, m, note->tx.len);
	unsack(m, now_us);
	memset(q->sack_known, 0, sizeof(q->sack_known)); /* it may be SACKed again */
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

/* Removes from a block what is already known. Returns whether anything is left. */
static bool is_news(const struct tcp_queues *q, struct sack_block *b)
{
	for (unsigned i = 0; i < SACK_KNOWN; i++) {
		const struct sack_block *k = &q->sack_known[i];

		if (seq_geq(b->start, k->start) && seq_lt(b->start, k->end))
			b->start = k->end;
		else if (seq_gt(b->end, k->start) && seq_leq(b->end, k->end))
			b->end = k->start;
		if (seq_geq(b->start, b->end))
			return false;
	}
	return true;
}

/* Finds the range of what is new: *span covers all of it. Returns false if nothing is new. */
static bool find_news(struct tcp_queues *q, const struct sack_block *b, unsigned n,
                      struct sack_block *span)
{
	bool any = false;

	if (q->sacked_segs == 0) /* or they may be from before the sequence numbers wrapped */
		memset(q->sack_known, 0, sizeof(q->sack_known));
	for (unsigned i = 0; i < n; i++) {
		struct sack_block news = b[i];

		if (!is_news(q, &news))
			continue;
		span->start = any ? seq_min(span->start, news.start) : news.start;
		span->end = any ? seq_max(span->end, news.end) : news.end;
		any = true;
	}
	return any;
}

/* the segment from which to look for start */
static struct rte_mbuf *walk_from(const struct tcp_queues *q, uint32_t start)
{
	struct rte_mbuf *m = q->sack_at;

	return scoreboard_open(q, m != NULL && seq_leq(pkt_of(m)->tx.seq, start) ? m : q->snd.head);
}

static void mark_sacked(struct tcp_queues *q, struct rte_mbuf *m, uint32_t now_us)
{
	struct pkt *note = pkt_of(m);

	rack_deliver(&q->rack, note, now_us);
	scoreboard_plain(q, m);
	note->tx.flags = (uint8_t)((note->tx.flags & ~SEG_SUMMED) | SEG_SACKED);
	note->tx.run = m;
	q->sacked_bytes += note->tx.len;
	q->sacked_segs++;
	q->sack_at = m;
}

static uint32_t mark_within(struct tcp_queues *q, const struct sack_block *b, unsigned n,
                            const struct sack_block *span, uint32_t now_us)
{
	uint32_t looks = 0;

	for (struct rte_mbuf *m = walk_from(q, span->start); m != NULL; m = scoreboard_next(q, m)) {
		const struct pkt *note = pkt_of(m);

		if (seq_geq(note->tx.seq, span->end))
			break;
		looks++;
		if (seq_gt(note->tx.seq + note->tx.len, span->start) && is_within(note, b, n))
			mark_sacked(q, m, now_us);
	}
	return looks;
}

uint32_t scoreboard_sack(struct tcp_queues *q, const struct sack_block *b, unsigned n,
                         uint32_t now_us)
{
	const uint32_t before = q->sacked_segs;
	struct sack_block span = {0};
	uint32_t looks;

	q->sack_vain -= q->sack_vain < VAIN_EACH ? q->sack_vain : VAIN_EACH;
	if (q->sack_vain >= VAIN_MAX || !find_news(q, b, n, &span))
		return 0;
	looks = mark_within(q, b, n, &span, now_us);
	q->sack_vain = q->sacked_segs != before ? 0 : q->sack_vain + looks;
	memset(q->sack_known, 0, sizeof(q->sack_known));
	memcpy(q->sack_known, b, (n < SACK_KNOWN ? n : SACK_KNOWN) * sizeof(*b));
	return looks;
}
