/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a wire is two queues in memory, one for each direction.  An end receives from its own
 * queue and sends into the other's.
 *
 * Life cycle: the ends are closed one by one, in either order; the wire is freed with the second.
 * Frames sent to a closed end are lost, as on an unplugged cable.
 *
 * Ownership: a sender may keep references to what it sends (TCP does, until it is acknowledged).
 * The receiver writes to what it receives, so it gets such a frame as a private copy.
 *
 * Offloads that the ends are configured with are done here, in software: requested checksums are
 * filled in, large segments are cut, and received frames are marked as verified.
 */
#include <errno.h>
#include <percore/port.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "frame.h"

#define WIRE_CAPACITY 4096

struct wire_end {
	struct pc_port port;
	struct wire *wire;
	bool open;
	uint32_t head, n; /* the queue of frames to this end */
	struct rte_mbuf **fifo;
};

struct wire {
	struct wire_end end[2];
	struct rte_mempool *pool;
	uint32_t capacity;
};

static struct wire_end *wire_peer(struct wire_end *e)
{
	return e == &e->wire->end[0] ? &e->wire->end[1] : &e->wire->end[0];
}

static uint16_t wire_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct wire_end *e = (struct wire_end *)port;
	uint16_t i;

	(void)now_ns;
	for (i = 0; i < n && e->n > 0; i++) {
		pkts[i] = e->fifo[e->head];
		e->head = e->head + 1 == e->wire->capacity ? 0 : e->head + 1;
		e->n--;
	}
	return i;
}

/* Marks a frame as a device with these offloads would on receipt. */
static void wire_mark(struct rte_mbuf *m, uint32_t offloads)
{
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	if ((offloads & PC_PORT_RX_IP4_CKSUM) != 0)
		m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	if ((offloads & PC_PORT_RX_L4_CKSUM) != 0)
		m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

/* Takes over a frame for the far end. Returns NULL, and takes nothing, if there is no mbuf. */
static struct rte_mbuf *wire_take(struct wire *w, struct rte_mbuf *m, uint32_t offloads)
{
	struct rte_mbuf *own = m;

	if (frame_is_shared(m) || (m->nb_segs > 1 && (offloads & PC_PORT_TX_MULTI_SEGS) == 0)) {
		own = frame_copy(m, w->pool);
		if (own == NULL)
			return NULL;
		rte_pktmbuf_free(m);
	}
	if (frame_wants_cksum(own)) {
		frame_finish_cksum(own);
		wire_mark(own, offloads);
	} else {
		wire_mark(own, 0);
	}
	return own;
}

static void wire_put(struct wire_end *peer, struct rte_mbuf *m)
{
	uint32_t slot = peer->head + peer->n++;

	peer->fifo[slot < peer->wire->capacity ? slot : slot - peer->wire->capacity] = m;
}

/* Cuts a frame and sends the pieces. Returns false, and takes nothing, if there is no room or no
 * mbuf. */
static bool wire_cut(struct wire_end *peer, struct rte_mbuf *m, uint32_t offloads)
{
	struct rte_mbuf *pieces[FRAME_PIECES_MAX];
	uint32_t room = peer->wire->capacity - peer->n;
	unsigned n = frame_cut(m, peer->wire->pool, pieces,
	                       (unsigned)RTE_MIN(room, (uint32_t)FRAME_PIECES_MAX));

	if (n == 0)
		return false;
	for (unsigned i = 0; i < n; i++) {
		wire_mark(pieces[i], offloads);
		wire_put(peer, pieces[i]);
	}
	rte_pktmbuf_free(m);
	return true;
}

static uint16_t wire_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                              uint64_t now_ns)
{
	struct wire_end *e = (struct wire_end *)port, *peer = wire_peer(e);
	struct rte_mbuf *m;
	uint16_t i;

	(void)now_ns;
	if (!peer->open) {
		rte_pktmbuf_free_bulk(pkts, n);
		return n;
	}
	for (i = 0; i < n && peer->n < e->wire->capacity; i++) {
		if (frame_wants_cut(pkts[i])) {
			if (!wire_cut(peer, pkts[i], port->info.offloads))
				break;
			continue;
		}
		m = wire_take(e->wire, pkts[i], port->info.offloads);
		if (m == NULL)
			break;
		wire_put(peer, m);
	}
	return i;
}

static void wire_free(struct wire *w)
{
	rte_free(w->end[0].fifo);
	rte_free(w->end[1].fifo);
	rte_free(w);
}

static void wire_close(struct pc_port *port)
{
	struct wire_end *e = (struct wire_end *)port, *peer = wire_peer(e);
	struct rte_mbuf *m;

	while (wire_rx_burst(port, &m, 1, 0) == 1)
		rte_pktmbuf_free(m);
	e->open = false;
	peer->port.info.link_up = false;
	if (!peer->open)
		wire_free(e->wire);
}

static const struct pc_port_ops wire_ops = {
    .rx_burst = wire_rx_burst,
    .tx_burst = wire_tx_burst,
    .close = wire_close,
};

static int wire_init_end(struct wire *w, int i, const struct pc_wire_config *config)
{
	static const uint8_t no_mac[6], macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	struct wire_end *e = &w->end[i];
	struct pc_port_info *info = &e->port.info;

	e->port.ops = &wire_ops;
	e->wire = w;
	e->open = true;
	snprintf(info->name, sizeof(info->name), "wire%d", i);
	snprintf(info->driver, sizeof(info->driver), "wire");
	memcpy(info->mac, memcmp(config->mac[i], no_mac, 6) != 0 ? config->mac[i] : macs[i], 6);
	info->mtu = config->mtu != 0 ? config->mtu : 1500;
	info->offloads = config->offloads;
	info->socket_id = -1;
	info->link_up = true;
	info->rss.nb_queues = 1;
	e->fifo = rte_calloc("pc_wire", w->capacity, sizeof(e->fifo[0]), 0);
	return e->fifo != NULL ? 0 : -ENOMEM;
}

int pc_port_wire(const struct pc_wire_config *config, struct pc_port *ends[2])
{
	const uint32_t can = PC_PORT_TX_IP4_CKSUM | PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_UDP_CKSUM |
	                     PC_PORT_TX_MULTI_SEGS | PC_PORT_TX_TSO | PC_PORT_RX_IP4_CKSUM |
	                     PC_PORT_RX_L4_CKSUM;
	const uint32_t tso = PC_PORT_TX_TCP_CKSUM | PC_PORT_TX_MULTI_SEGS; /* TSO needs both */
	struct wire *w;

	if (config->pool == NULL || (config->offloads & ~can) != 0 ||
	    ((config->offloads & PC_PORT_TX_TSO) != 0 && (~config->offloads & tso) != 0))
		return -EINVAL;
	w = rte_zmalloc("pc_wire", sizeof(*w), 0);
	if (w == NULL)
		return -ENOMEM;
	w->pool = config->pool;
	w->capacity = config->capacity != 0 ? config->capacity : WIRE_CAPACITY;
	if (wire_init_end(w, 0, config) != 0 || wire_init_end(w, 1, config) != 0) {
		wire_free(w);
		return -ENOMEM;
	}
	ends[0] = &w->end[0].port;
	ends[1] = &w->end[1].port;
	return 0;
}
