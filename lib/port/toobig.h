/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_TOOBIG_H
#define PORT_TOOBIG_H

/* The ICMP error that a router sends if a packet is too large for the next hop. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/** toobig_packet says whether the IPv4 or IPv6 packet in a frame is larger than mtu bytes. */
bool toobig_packet(const struct rte_mbuf *m, uint16_t mtu);

/**
 * toobig_answer makes the error frame for the sender of m: for IPv4 with DF, ICMP "fragmentation
 * needed" with the MTU (RFC 792, RFC 1191 section 4), for IPv6 "packet too big" (RFC 4443 3.2).
 * Its source is the address that m was sent to.  m stays the caller's.  NULL: m must not be
 * answered (no DF, a fragment other than the first, an ICMP error, not an IP packet), or there is
 * no mbuf.
 */
struct rte_mbuf *toobig_answer(const struct rte_mbuf *m, uint16_t mtu, struct rte_mempool *pool);

#endif
