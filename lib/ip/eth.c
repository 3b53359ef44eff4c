/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ethernet, on the way in: is the frame for us, and for whom here?
 *
 * Tagged frames are of no interest yet; a port that strips the tag hands the frame over without.
 */

#include <rte_mbuf.h>

#include "ip/ip.h"
#include "wire/eth.h"

int eth_input(const struct ip *ip, const struct rte_mbuf *m, uint8_t netif)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *dst = p, *src = p + ETH_ADDR_LEN;

	if (m->data_len < ETH_HDR_LEN)
		return PC_DROP_ETH_SHORT;
	if (eth_is_group(src))
		return PC_DROP_ETH_SOURCE;
	if (!eth_equal(dst, ip_port(ip, netif)->info.mac) && !eth_is_group(dst))
		return PC_DROP_ETH_NOT_OURS;
	switch (wire_get16(p + 2 * ETH_ADDR_LEN)) {
	case ETH_TYPE_IP4:
		return NEXT_IP4;
	case ETH_TYPE_ARP:
		return NEXT_ARP;
	case ETH_TYPE_IP6:
		return NEXT_IP6;
	default:
		return PC_DROP_ETH_TYPE;
	}
}
