/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_INPUT_H
#define IP_INPUT_H

/* Inside lib/ip: where whole packets and reassembled ones continue together. */

#include "ip/ip.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/** ip4_upper makes the transport header contiguous. Verdict: NEXT_TCP and the like, or a drop. */
int ip4_upper(struct rte_mbuf *m, const struct ip_pkt *p);

/**
 * ip6_upper walks from the fixed header, the Next Header of which is p->proto, to the upper layer, and
 * fills in *p. Verdict: NEXT_TCP and the like, NEXT_FRAGMENT, or a drop.
 */
int ip6_upper(struct ip *ip, struct rte_mbuf *m, struct ip_pkt *p);

/** ip_find_looped finds out for whom of us a packet of our own is that has come by NETIF_LO; its laddr is set. Verdict:
 * done, or a drop. */
int ip_find_looped(const struct ip *ip, struct ip_pkt *p);

#endif
