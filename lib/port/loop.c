/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a ring between sending and receiving.  Frames sent in one turn are received in the
 * next, so that no layer is re-entered.
 *
 * Ownership: a frame that its sender keeps (TCP does, until it is acknowledged), or that is a
 * chain, is copied, since the receiver will own it.
 */
#include "loop.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "frame.h"

#define MTU_MAX 65535

static uint16_t loop_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct loop *l = (struct loop *)port;
	uint16_t got = 0;

	(void)now_ns;
	while (got < n && l->head != l->tail)
		pkts[got++] = l->frame[l->head++ % LOOP_FRAMES];
	return got;
}

static struct rte_mbuf *take(struct loop *l, struct rte_mbuf *m)
{
	struct rte_mbuf *own = m;

	if (m->nb_segs > 1 || frame_is_shared(m)) {
		own = frame_copy(m, l->pool);
		if (own == NULL)
			return NULL;
		rte_pktmbuf_free(m);
	}
	own->ol_flags = 0;
	return own;
}

static uint16_t loop_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct loop *l = (struct loop *)port;
	uint16_t sent = 0;

	(void)now_ns;
	for (; sent < n && loop_count(l) < LOOP_FRAMES; sent++) {
		struct rte_mbuf *own = take(l, pkts[sent]);

		if (own == NULL) /* no mbuf: retry later */
			break;
		l->frame[l->tail++ % LOOP_FRAMES] = own;
	}
	return sent;
}

static void loop_close(struct pc_port *port)
{
	loop_free((struct loop *)port);
}

static const struct pc_port_ops loop_ops = {
    .rx_burst = loop_rx_burst, .tx_burst = loop_tx_burst, .close = loop_close};

void loop_init(struct loop *l, struct rte_mempool *pool)
{
	const uint32_t room =
	    rte_pktmbuf_data_room_size(pool) - (uint32_t)RTE_PKTMBUF_HEADROOM - RTE_ETHER_HDR_LEN;

	memset(l, 0, sizeof(*l));
	l->pool = pool;
	l->port.ops = &loop_ops;
	l->port.info = (struct pc_port_info){.name = "lo",
	                                     .driver = "loop",
	                                     .mac = {2},
	                                     .mtu = (uint16_t)RTE_MIN(room, (uint32_t)MTU_MAX),
	                                     .socket_id = -1,
	                                     .link_up = true,
	                                     .rss.nb_queues = 1};
}

void loop_free(struct loop *l)
{
	while (l->head != l->tail)
		rte_pktmbuf_free(l->frame[l->head++ % LOOP_FRAMES]);
}
