/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: frames are sent in the order in which they were queued.  If a port accepts only some of
 * them, the rest move to the front, and the next flush tries them again.
 *
 * Ownership: a frame belongs to the queue from txq_put on, and to the port once tx_burst has
 * counted it.
 */
#include "txq.h"

#include <string.h>

#include <rte_mbuf.h>

#define PATIENCE_NS 10000000

/* Frames that the port does not accept wait, but not for long in the last mbufs, which are needed
 * to receive into: two ends that wait for each other to accept something would wait for ever. */
static void keep_rest(struct txq *q, struct ctx *ctx)
{
	if (likely(!ctx->mbufs_low || ctx->mbufs_last > 0 ||
	           ctx->now_ns - q->moved_ns < PATIENCE_NS))
		return;
	ctx_add(ctx, PC_TX_RING_FULL, q->n);
	txq_free(q);
}

void txq_flush(struct txq *q, struct ctx *ctx)
{
	uint64_t bytes = 0;
	uint16_t sent = 0, burst;

	/* the lengths must be read while the frames are still ours */
	for (uint16_t i = 0; i < q->n; i++)
		bytes += rte_pktmbuf_pkt_len(q->pkts[i]);
	while (sent < q->n) {
		burst = q->port->ops->tx_burst(q->port, q->pkts + sent, (uint16_t)(q->n - sent),
		                               ctx->now_ns);
		if (burst == 0)
			break;
		sent = (uint16_t)(sent + burst);
	}
	q->n = (uint16_t)(q->n - sent);
	if (unlikely(q->n > 0)) {
		memmove(q->pkts, q->pkts + sent, q->n * sizeof(q->pkts[0]));
		for (uint16_t i = 0; i < q->n; i++)
			bytes -= rte_pktmbuf_pkt_len(q->pkts[i]);
	}
	if (likely(sent > 0)) {
		q->moved_ns = ctx->now_ns;
		ctx_add(ctx, PC_TX_FRAMES, sent);
		ctx_add(ctx, PC_TX_BYTES, bytes);
	}
	if (unlikely(q->n > 0))
		keep_rest(q, ctx);
}

void txq_put_full(struct txq *q, struct ctx *ctx, struct rte_mbuf *m)
{
	txq_flush(q, ctx);
	if (q->n == TXQ_SIZE) {
		ctx_count(ctx, PC_TX_RING_FULL);
		rte_pktmbuf_free(m);
		return;
	}
	txq_put(q, ctx, m);
}

void txq_free(struct txq *q)
{
	rte_pktmbuf_free_bulk(q->pkts, q->n);
	q->n = 0;
}
