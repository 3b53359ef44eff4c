/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_OUTPUT_H
#define IP_OUTPUT_H

/* Inside lib/ip: the headers of packets and of fragments that fit the path. */

#include "ip/ip.h"

/**
 * ip4_push prepends the header to m and sends it; word is its second word: identification, flags
 * and offset.
 */
void ip4_push(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
              struct rte_mbuf *m, uint32_t word);

/** ip6_push does the same for IPv6; next: the header that m begins with. */
void ip6_push(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
              struct rte_mbuf *m, uint8_t next, uint32_t label);

/** ip6_label_of computes the flow label of a packet that begins with its transport header. */
uint32_t ip6_label_of(const struct ip *ip, const struct ip_send *s, const struct rte_mbuf *m);

/** ip_drop frees a packet that cannot be sent, and counts it. */
void ip_drop(struct ip *ip, struct rte_mbuf *m, int counter);

#endif
