/* SPDX-License-Identifier: BSD-2-Clause */
#include "out.h"

#include <assert.h>
#include <string.h>

#include <rte_mbuf.h>

void out_flush(struct out *o, uint64_t now_ns)
{
	uint16_t sent = 0, burst;

	while (sent < o->n) {
		burst = o->port->ops->tx_burst(o->port, o->pkts + sent, (uint16_t)(o->n - sent),
		                               now_ns);
		if (burst == 0)
			break;
		for (uint16_t i = sent; i < sent + burst; i++)
			o->counts->value[COUNT_tx_bytes] += o->len[i];
		sent = (uint16_t)(sent + burst);
	}
	o->counts->value[COUNT_tx_frames] += sent;
	if (sent > 0) {
		o->moved_ns = now_ns;
		o->n = (uint16_t)(o->n - sent);
		memmove(o->pkts, o->pkts + sent, o->n * sizeof(o->pkts[0]));
		memmove(o->len, o->len + sent, o->n * sizeof(o->len[0]));
	}
	if (unlikely(o->n > 0) && now_ns - o->moved_ns >= OUT_STUCK_NS)
		out_drop(o, COUNT_tx_stuck);
}

bool out_is_full(struct out *o, uint64_t now_ns)
{
	if (likely(o->n < OUT_SIZE))
		return false;
	out_flush(o, now_ns);
	return o->n == OUT_SIZE;
}

void out_put(struct out *o, struct rte_mbuf *m, uint64_t now_ns)
{
	assert(o->n < OUT_SIZE);
	if (o->n == 0)
		o->moved_ns = now_ns;
	o->len[o->n] = rte_pktmbuf_pkt_len(m);
	o->pkts[o->n++] = m;
	/* on multiples only, not above a threshold, so that a port that refuses is not tried for
	 * each frame */
	if (o->n % OUT_BURST == 0)
		out_flush(o, now_ns);
}

void out_drop(struct out *o, enum count c)
{
	o->counts->value[c] += o->n;
	rte_pktmbuf_free_bulk(o->pkts, o->n);
	o->n = 0;
}
