/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_ARP_H
#define LOAD_ARP_H

/* ARP for the generator: resolves one neighbour, answers for all of its own addresses. */

#include <rte_arp.h>

#include "load.h"

/** load_arp_ask requests the neighbour's address: the server's, or that of the gateway to it. */
void load_arp_ask(struct load *l);

/**
 * load_arp_fill writes a request or a reply (op) for IPv4 over Ethernet, but leaves the target's
 * MAC as it is. Addresses are in host byte order.
 */
void load_arp_fill(struct rte_arp_hdr *arp, uint16_t op, const struct rte_ether_addr *mac,
                   uint32_t own, uint32_t target);

/** load_arp_input handles a frame. Returns false if it is not ARP. The mbuf stays the caller's. */
bool load_arp_input(struct load *l, const struct rte_mbuf *m);

#endif
