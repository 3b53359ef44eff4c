/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ethernet input: is the frame for us, and which protocol gets it?
 *
 * A priority tag (VLAN 0) is removed.  VLANs are ports of their own (port/vlan.c), so frames with
 * any other tag are dropped.
 */

#include <rte_mbuf.h>

#include "ip/ip.h"
#include "wire/eth.h"

/* Removes a priority tag (IEEE 802.1Q: VLAN 0). Returns false if the tag names a VLAN. */
static bool untag(struct rte_mbuf *m)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	if (m->data_len < ETH_HDR_LEN + VLAN_TAG_LEN ||
	    (wire_get16(p + ETH_HDR_LEN) & VLAN_ID_MASK) != 0)
		return false;
	memmove(p + VLAN_TAG_LEN, p, 2 * ETH_ADDR_LEN);
	rte_pktmbuf_adj(m, VLAN_TAG_LEN);
	return wire_get16(p + VLAN_TAG_LEN + 2 * ETH_ADDR_LEN) != ETH_TYPE_VLAN;
}

int eth_input(const struct ip *ip, struct rte_mbuf *m, uint8_t netif)
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
	case ETH_TYPE_VLAN:
		return untag(m) ? eth_input(ip, m, netif) : PC_DROP_ETH_VLAN;
	default:
		return PC_DROP_ETH_TYPE;
	}
}
