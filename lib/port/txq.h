/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_TXQ_H
#define PORT_TXQ_H

/*
 * The transmit queue: frames of a turn on their way into a port are gathered, then sent in one
 * burst.  Those that the port does not take wait for the next turn; if the queue is full, new ones
 * are dropped and counted (tx_ring_full), and the transport sends them again.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include <percore/port.h>

#include "base/ctx.h"

#define TXQ_SIZE  512
#define TXQ_BURST 64
#define TXQ_BUSY  256 /* so many only wait when the port takes none */

struct txq {
	struct pc_port *port;
	uint16_t n;
	uint64_t moved_ns; /* while it is not empty: when the port last took something */
	struct rte_mbuf *pkts[TXQ_SIZE];
};

/** txq_is_busy says that who can wait should: what would be put in now may be dropped. */
static inline bool txq_is_busy(const struct txq *q)
{
	return q->n >= TXQ_BUSY;
}

/** txq_flush hands what there is to the port; what it does not take stays. */
void txq_flush(struct txq *q, struct ctx *ctx);

/* What txq_put does when the queue is full. */
void txq_put_full(struct txq *q, struct ctx *ctx, struct rte_mbuf *m);

/** txq_put takes a whole frame; every TXQ_BURST frames it hands them to the port. */
static inline void txq_put(struct txq *q, struct ctx *ctx, struct rte_mbuf *m)
{
	if (unlikely(q->n == TXQ_SIZE)) {
		txq_put_full(q, ctx, m);
		return;
	}
	q->pkts[q->n++] = m;
	/* a multiple, not a threshold: a port that refuses is not asked again for every frame */
	if (unlikely(q->n % TXQ_BURST == 0))
		txq_flush(q, ctx);
}

/** txq_free drops everything. */
void txq_free(struct txq *q);

#endif
