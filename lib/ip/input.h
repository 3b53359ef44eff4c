/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_INPUT_H
#define IP_INPUT_H

/* Inside lib/ip: where the input of whole and of reassembled packets continues together. */

#include "ip/ip.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/** ip4_upper makes the transport header contiguous. Verdict: NEXT_TCP and the like, or a drop. */
int ip4_upper(struct rte_mbuf *m, const struct ip_pkt *p);

/**
 * ip6_upper walks from the fixed header, whose Next Header is p->proto, to the upper layer, and
 * fills in *p. Verdict: NEXT_TCP and the like, NEXT_FRAGMENT, or a drop.
 */
int ip6_upper(struct ip *ip, struct rte_mbuf *m, struct ip_pkt *p);

/** ip_find_looped finds the address of ours that a packet of our own, received by NETIF_LO, is for,
 * and sets laddr. Verdict: done, or a drop. */
int ip_find_looped(const struct ip *ip, struct ip_pkt *p);

#endif
