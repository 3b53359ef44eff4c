/* SPDX-License-Identifier: BSD-2-Clause */
#include "out.h"

#define OUT_BURST 256u

struct rte_mbuf *out_refill(struct out *out)
{
	struct rte_mbuf *m;

	if (rte_pktmbuf_alloc_bulk(out->pool, out->stock, OUT_REFILL) == 0) {
		out->nb_stock = OUT_REFILL - 1;
		return out->stock[OUT_REFILL - 1];
	}
	m = rte_pktmbuf_alloc(out->pool);
	if (m == NULL)
		out->no_mbuf++;
	return m;
}

static void lose(struct out *out)
{
	out->lost += out_backlog(out);
	while (out->head != out->tail)
		out_recycle(out, out->queue[out->head++ % OUT_QUEUE]);
}

void out_flush(struct out *out, uint64_t now_ns)
{
	uint32_t at, n, sent;

	while (out->head != out->tail) {
		at = out->head % OUT_QUEUE;
		n = RTE_MIN(RTE_MIN(out_backlog(out), OUT_QUEUE - at), OUT_BURST);
		sent = out->port->ops->tx_burst(out->port, out->queue + at, (uint16_t)n, now_ns);
		out->head += sent;
		if (sent < n)
			break;
	}
	if (unlikely(out->overflows))
		lose(out);
}

void out_fini(struct out *out)
{
	while (out->head != out->tail)
		rte_pktmbuf_free(out->queue[out->head++ % OUT_QUEUE]);
	rte_pktmbuf_free_bulk(out->stock, out->nb_stock);
	out->nb_stock = 0;
}
