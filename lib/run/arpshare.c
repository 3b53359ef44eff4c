/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a device spreads flows over its queues, but ARP has no flow: the answer to a question that
 * one lcore has asked arrives on any queue.  So a layer over each queue gives copies of ARP replies
 * and of gratuitous requests (RFC 5227, which tell of a changed MAC address) to the other lcores,
 * through an rte_ring each; they receive them as if they had come from the wire.  Other requests
 * are answered once, by the lcore that gets them.
 *
 * Ownership: a ring has many producers and its lcore as its only consumer; frames in a ring belong to
 * the share.  A full ring loses frames, as a wire may.
 */
#include "arpshare.h"

#include <stdio.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#define ARPSHARE_RING 256

struct arpshare {
	unsigned n;
	struct rte_ring *ring[];
};

struct arpshare_port {
	struct pc_port port;
	struct pc_port *inner;
	struct arpshare *share;
	unsigned index;
	struct rte_mempool *pool;
};

static bool is_news(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(eth + 1);

	if (likely(eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)))
		return false;
	if (rte_pktmbuf_data_len(m) < sizeof(*eth) + sizeof(*arp))
		return false;
	return arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) ||
	       arp->arp_data.arp_sip == arp->arp_data.arp_tip;
}

static void tell_others(struct arpshare_port *p, const struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	for (unsigned i = 0; i < p->share->n; i++) {
		if (i == p->index)
			continue;
		copy = rte_pktmbuf_copy(m, p->pool, 0, UINT32_MAX);
		if (copy != NULL && rte_ring_enqueue(p->share->ring[i], copy) != 0)
			rte_pktmbuf_free(copy);
	}
}

static uint16_t arpshare_rx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                  uint64_t now_ns)
{
	struct arpshare_port *p = (struct arpshare_port *)port;
	struct rte_ring *own = p->share->ring[p->index];
	uint16_t told = 0, got;

	if (unlikely(!rte_ring_empty(own)))
		told = (uint16_t)rte_ring_sc_dequeue_burst(own, (void **)pkts, n, NULL);
	got = p->inner->ops->rx_burst(p->inner, pkts + told, (uint16_t)(n - told), now_ns);
	for (uint16_t i = told; i < told + got; i++)
		if (unlikely(is_news(pkts[i])))
			tell_others(p, pkts[i]);
	return (uint16_t)(told + got);
}

static uint16_t arpshare_tx_burst(struct pc_port *port, struct rte_mbuf **pkts, uint16_t n,
                                  uint64_t now_ns)
{
	struct pc_port *inner = ((struct arpshare_port *)port)->inner;

	return inner->ops->tx_burst(inner, pkts, n, now_ns);
}

static uint64_t arpshare_next_deadline(const struct pc_port *port)
{
	const struct pc_port *inner = ((const struct arpshare_port *)port)->inner;

	return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : UINT64_MAX;
}

static void arpshare_close(struct pc_port *port)
{
	struct arpshare_port *p = (struct arpshare_port *)port;

	pc_port_close(p->inner);
	rte_free(p);
}

static const struct pc_port_ops arpshare_ops = {
    .rx_burst = arpshare_rx_burst,
    .tx_burst = arpshare_tx_burst,
    .next_deadline = arpshare_next_deadline,
    .close = arpshare_close,
};

struct arpshare *arpshare_create(unsigned device, unsigned n)
{
	struct arpshare *s = rte_zmalloc("arpshare", sizeof(*s) + n * sizeof(s->ring[0]), 0);
	char name[RTE_RING_NAMESIZE];

	if (s == NULL)
		return NULL;
	s->n = n;
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "arp_%u_%u", device, i);
		s->ring[i] = rte_ring_create(name, ARPSHARE_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		if (s->ring[i] == NULL) {
			arpshare_free(s);
			return NULL;
		}
	}
	return s;
}

void arpshare_free(struct arpshare *s)
{
	void *m;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->n && s->ring[i] != NULL; i++) {
		while (rte_ring_dequeue(s->ring[i], &m) == 0)
			rte_pktmbuf_free(m);
		rte_ring_free(s->ring[i]);
	}
	rte_free(s);
}

struct pc_port *arpshare_port(struct arpshare *share, unsigned index, struct pc_port *inner,
                              struct rte_mempool *pool)
{
	struct arpshare_port *p = rte_zmalloc("arpshare_port", sizeof(*p), RTE_CACHE_LINE_SIZE);

	if (p == NULL)
		return NULL;
	p->port.ops = &arpshare_ops;
	p->port.info = inner->info;
	p->inner = inner;
	p->share = share;
	p->index = index;
	p->pool = pool;
	return &p->port;
}
