/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_PORT_COMMON_H
#define UNIT_PORT_COMMON_H

/* What the tests of ports share: frames that can be told apart. */

#include <CUnit/Basic.h>
#include <string.h>

#include <percore/port.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "../../support/eal.h"
#include "../unit.h"

/** make_frame makes an IPv4-looking frame of len bytes, numbered n. */
static inline struct rte_mbuf *make_frame(struct rte_mempool *pool, uint32_t n, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *p = (uint8_t *)rte_pktmbuf_append(m, len);

	memset(p, 0, len);
	p[12] = 0x08;
	memcpy(p + 14, &n, sizeof(n));
	for (uint16_t i = 18; i < len; i++)
		p[i] = (uint8_t)(n + i);
	return m;
}

/** layer_follows says whether what a port becomes shows in the layer around it when that receives. */
static inline bool layer_follows(struct pc_port *layer, struct pc_port *below)
{
	const uint32_t before = layer->info.offloads;
	struct rte_mbuf *m;

	below->info.link_up = !below->info.link_up;
	below->info.link_moves++;
	below->info.rx_lost = 3;
	below->info.rx_untrue = 4;
	below->info.tx_refused = 5;
	below->info.offloads &= ~(uint32_t)PC_PORT_RX_L4_CKSUM;
	if (layer->ops->rx_burst(layer, &m, 1, 0) != 0)
		rte_pktmbuf_free(m);
	return (before & PC_PORT_RX_L4_CKSUM) != 0 &&
	       layer->info.offloads == (before & ~(uint32_t)PC_PORT_RX_L4_CKSUM) &&
	       layer->info.link_up == below->info.link_up &&
	       layer->info.link_moves == below->info.link_moves && layer->info.rx_lost == 3 &&
	       layer->info.rx_untrue == 4 && layer->info.tx_refused == 5;
}

/** frame_number reads it back. */
static inline uint32_t frame_number(const struct rte_mbuf *m)
{
	uint32_t n;

	memcpy(&n, rte_pktmbuf_mtod_offset(m, const uint8_t *, 14), sizeof(n));
	return n;
}

/** frame_is_intact says whether a frame is as make_frame made it. */
static inline bool frame_is_intact(const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t n = frame_number(m);

	for (uint16_t i = 18; i < rte_pktmbuf_data_len(m); i++)
		if (p[i] != (uint8_t)(n + i))
			return false;
	return true;
}

/** l4_sum_is_good says whether the checksum of a packet in one piece, pseudo header included, is. */
static inline bool l4_sum_is_good(const struct rte_ipv4_hdr *ip)
{
	uint32_t len = rte_be_to_cpu_16(ip->total_length) - 20u;
	uint32_t sum = rte_raw_cksum(ip + 1, len) + (uint32_t)rte_ipv4_phdr_cksum(ip, 0);

	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static inline uint16_t port_rx(struct pc_port *p, struct rte_mbuf **m, uint16_t n, uint64_t now)
{
	return p->ops->rx_burst(p, m, n, now);
}

static inline uint16_t port_tx(struct pc_port *p, struct rte_mbuf **m, uint16_t n, uint64_t now)
{
	return p->ops->tx_burst(p, m, n, now);
}

#endif
