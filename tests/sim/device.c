/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <stdlib.h>

#include <rte_mbuf.h>

#include <percore/port.h>

struct device {
	struct pc_port port;
	struct pc_port *inner;
	struct rte_mempool *pool;
};

static uint16_t device_rx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct device *d = (struct device *)port;
	uint16_t got = d->inner->ops->rx_burst(d->inner, pkts, n, now_ns), kept = 0;

	for (uint16_t i = 0; i < got; i++) {
		struct rte_mbuf *own = rte_pktmbuf_copy(pkts[i], d->pool, 0, UINT32_MAX);

		rte_pktmbuf_free(pkts[i]);
		if (own != NULL)
			pkts[kept++] = own;
	}
	return kept;
}

static uint16_t device_tx(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n, uint64_t now_ns)
{
	struct pc_port *inner = ((struct device *)port)->inner;

	return inner->ops->tx_burst(inner, pkts, n, now_ns);
}

static uint64_t device_next(const struct pc_port *port)
{
	const struct pc_port *inner = ((const struct device *)port)->inner;

	return inner->ops->next_deadline(inner);
}

static void device_close(struct pc_port *port)
{
	pc_port_close(((struct device *)port)->inner);
	free(port);
}

struct pc_port *device_on(struct pc_port *inner, struct rte_mempool *pool)
{
	static const struct pc_port_ops ops = {device_rx, device_tx, device_next, device_close};
	struct device *d = calloc(1, sizeof(*d));

	if (d == NULL)
		abort();
	d->port.ops = &ops;
	d->port.info = inner->info;
	d->inner = inner;
	d->pool = pool;
	return &d->port;
}
