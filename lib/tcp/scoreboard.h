/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_SCOREBOARD_H
#define TCP_SCOREBOARD_H

/*
 * The scoreboard: the state of each segment in flight.
 *
 * A segment is plain, SACKED, LOST, or LOST and RESENT; the queue counts the bytes of each, and
 * pipe = flight - sacked - lost + resent (RFC 6675 section 4).  A peer without SACK is handled in
 * the same way: every duplicate ACK stands for one segment that has left the network (dup_bytes).
 *
 * Whoever looks for missing segments wants to skip the SACKED ones, which in a large flight are
 * nearly all.  So consecutive SACKED segments form a run: each refers to one further on in the run
 * (pkt.tx.run), the last to itself, and whoever follows the references shortens them, so that a run
 * is passed in a few steps, however long it is (a disjoint-set forest).  A reference leads to what
 * is freed later than its owner.
 */

#include "tcp/tcb.h"
#include "wire/tcp.h"

/** scoreboard_open returns the first segment from m on (NULL: none) that is under way and not SACKED; NULL: there is none. */
struct rte_mbuf *scoreboard_open(const struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_next returns the first such segment behind m. */
static inline struct rte_mbuf *scoreboard_next(const struct tcp_queues *q, struct rte_mbuf *m)
{
	return scoreboard_open(q, pkt_of(m)->next);
}

/** scoreboard_waits says whether a segment is lost, and not sent again. */
static inline bool scoreboard_waits(const struct rte_mbuf *m)
{
	return (pkt_of_const(m)->tx.flags & (SEG_LOST | SEG_RESENT)) == SEG_LOST;
}

/** scoreboard_sent_us tells when the oldest segment was sent; of one that is SACKED nobody knows, so it was just now. */
static inline uint32_t scoreboard_sent_us(const struct tcp_queues *q, uint32_t now_us)
{
	const struct pkt *oldest = pkt_of_const(q->snd.head);

	return oldest->tx.flags & SEG_SACKED ? now_us : oldest->tx.sent_us;
}

/** scoreboard_lost marks a segment as lost, unless it is SACKED; one that was resent may be lost again. */
void scoreboard_lost(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_resent notes that a lost segment was sent again. */
void scoreboard_resent(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_plain takes LOST and RESENT back. */
void scoreboard_plain(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_cut takes back that a segment that is larger than the path was sent again: a part of it was, and is acknowledged. */
void scoreboard_cut(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_forget counts out bytes, all or the first, of a segment that is acknowledged. */
void scoreboard_forget(struct tcp_queues *q, const struct rte_mbuf *m, uint32_t bytes);

/** scoreboard_all_lost marks all that is under way as lost; SACKs are forgotten too if the oldest
 * has one, for then the peer has dropped what it had (RFC 2018 section 8). */
void scoreboard_all_lost(struct tcp_queues *q, uint32_t now_us);

/** scoreboard_reneged takes SACKED back from the oldest segment, if it has that: what a peer has SACKed, and does not acknowledge
 * though nothing is missing before it, it has dropped (RFC 2018 section 8). */
void scoreboard_reneged(struct tcp_queues *q, uint32_t now_us);

/** scoreboard_all_plain takes every LOST and RESENT back: the loss was none. */
void scoreboard_all_plain(struct tcp_queues *q);

/**
 * scoreboard_sack marks the segments that lie within one of n blocks, none of them empty, as SACKED and calls
 * rack_deliver for each that was not before. Returns how many segments it has looked at.
 *
 * That is bounded, however the blocks lie: what the blocks before have said is not looked for again; who only
 * adds to what was SACKED last has the walk begin there; and each segment is looked at once. Walks that find nothing may
 * look at 4096 segments, and at 16 more with each call; beyond that blocks are not heeded, which RFC 2018 allows.
 */
uint32_t scoreboard_sack(struct tcp_queues *q, const struct sack_block *b, unsigned n,
                         uint32_t now_us);

#endif
