/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_TXQ_H
#define PORT_TXQ_H

/*
 * The transmit queue: the frames of a turn are gathered, then sent to the port in one burst.
 * Frames that the port does not accept wait for the next turn; if the queue is full, new ones are
 * dropped and counted (tx_ring_full), and the transport retransmits them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include <percore/port.h>

#include "base/ctx.h"

#define TXQ_SIZE  512
#define TXQ_BURST 64
#define TXQ_BUSY  256 /* this many wait only if the port accepts none */

struct txq {
	struct pc_port *port;
	uint16_t n;
	uint64_t moved_ns; /* while not empty: when the port last accepted a frame */
	struct rte_mbuf *pkts[TXQ_SIZE];
};

/** txq_is_busy says whether senders that can wait should: frames queued now may be dropped. */
static inline bool txq_is_busy(const struct txq *q)
{
	return q->n >= TXQ_BUSY;
}

/** txq_flush sends the queued frames to the port; those that it does not accept stay. */
void txq_flush(struct txq *q, struct ctx *ctx);

/* The part of txq_put for a full queue. */
void txq_put_full(struct txq *q, struct ctx *ctx, struct rte_mbuf *m);

/** txq_put queues a complete frame; at every TXQ_BURST frames it flushes. */
static inline void txq_put(struct txq *q, struct ctx *ctx, struct rte_mbuf *m)
{
	if (unlikely(q->n == TXQ_SIZE)) {
		txq_put_full(q, ctx, m);
		return;
	}
	q->pkts[q->n++] = m;
	/* a multiple, not a threshold: do not retry a busy port for every frame */
	if (unlikely(q->n % TXQ_BURST == 0))
		txq_flush(q, ctx);
}

/** txq_free drops all frames. */
void txq_free(struct txq *q);

#endif
