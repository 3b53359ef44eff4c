/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_ND_H
#define LOAD_ND_H

/*
 * Neighbour discovery (RFC 4861) for the generator: requests one neighbour, answers for all of its
 * own addresses.
 */

#include "load.h"

/** load_nd_ask asks for the neighbour: the server, or the gateway to it. */
void load_nd_ask(struct load *l);

/** load_nd_input takes a frame. Returns false if it is none of ICMPv6. The mbuf stays the caller's. */
bool load_nd_input(struct load *l, const struct rte_mbuf *m);

/** load_nd_answer turns a solicitation of len bytes for any address into the answer that it is at mac. Returns
 * false if it is none. */
bool load_nd_answer(struct rte_ether_hdr *eth, uint32_t len, const struct rte_ether_addr *mac);

#endif
