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
 * A search for missing segments has to skip the SACKED ones, which in a large flight are nearly
 * all.  So consecutive SACKED segments form a run: each refers to one further on in the run
 * (pkt.tx.run), the last to itself, and following the references shortens them, so that a run is
 * passed in a few steps, however long it is (a disjoint-set forest).  A reference is to a segment
 * that is freed later.
 */

#include "tcp/tcb.h"
#include "wire/tcp.h"

/** scoreboard_open returns the first segment from m on that is in flight and not SACKED, or NULL. m
 * may be NULL. */
struct rte_mbuf *scoreboard_open(const struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_next returns the first such segment after m. */
static inline struct rte_mbuf *scoreboard_next(const struct tcp_queues *q, struct rte_mbuf *m)
{
	return scoreboard_open(q, pkt_of(m)->next);
}

/** scoreboard_waits says whether a segment is lost and not yet retransmitted. */
static inline bool scoreboard_waits(const struct rte_mbuf *m)
{
	return (pkt_of_const(m)->tx.flags & (SEG_LOST | SEG_RESENT)) == SEG_LOST;
}

/** scoreboard_sent_us returns when the oldest segment was sent; for a SACKED one that is not known,
 * so it returns now_us. */
static inline uint32_t scoreboard_sent_us(const struct tcp_queues *q, uint32_t now_us)
{
	const struct pkt *oldest = pkt_of_const(q->snd.head);

	return oldest->tx.flags & SEG_SACKED ? now_us : oldest->tx.sent_us;
}

/** scoreboard_lost marks a segment as lost, unless it is SACKED; a retransmitted one may be lost
 * again. */
void scoreboard_lost(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_resent notes that a lost segment was retransmitted. */
void scoreboard_resent(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_plain clears LOST and RESENT. */
void scoreboard_plain(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_cut clears RESENT of a segment too large for the path: only a part of it was
 * retransmitted, and that is acknowledged. */
void scoreboard_cut(struct tcp_queues *q, struct rte_mbuf *m);

/** scoreboard_forget removes bytes from the counts: all of an acknowledged segment, or its
 * first. */
void scoreboard_forget(struct tcp_queues *q, const struct rte_mbuf *m, uint32_t bytes);

/** scoreboard_all_lost marks all segments in flight as lost; if the oldest is SACKED, all SACKs are
 * discarded, as the peer has then reneged (RFC 2018 section 8). */
void scoreboard_all_lost(struct tcp_queues *q, uint32_t now_us);

/** scoreboard_lost_by_count marks as lost what three SACKed segments follow (RFC 6675 IsLost), for
 * when RACK is switched off. */
void scoreboard_lost_by_count(struct tcp_queues *q);

/** scoreboard_reneged clears SACKED of the oldest segment, if set: if a peer has SACKed a segment
 * and does not acknowledge it although nothing before it is missing, it has discarded it (RFC 2018
 * section 8). */
void scoreboard_reneged(struct tcp_queues *q, uint32_t now_us);

/** scoreboard_all_plain clears LOST and RESENT of all segments: the loss was spurious. */
void scoreboard_all_plain(struct tcp_queues *q);

/**
 * scoreboard_sack marks the segments that lie within one of n blocks, none of them empty, as SACKED
 * and calls rack_deliver for each that was not before. Returns how many segments it has looked at.
 *
 * The work is bounded, whatever the blocks are: what earlier blocks reported is not searched for
 * again; if blocks only extend what was SACKED last, the walk begins there; and each segment is
 * looked at once. Walks that find nothing may look at 4096 segments, plus 16 with each call; beyond
 * that, blocks are ignored, which RFC 2018 allows.
 */
uint32_t scoreboard_sack(struct tcp_queues *q, const struct sack_block *b, unsigned n,
                         uint32_t now_us);

#endif
