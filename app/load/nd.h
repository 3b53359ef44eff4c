/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_ND_H
#define LOAD_ND_H

/*
 * Neighbour discovery (RFC 4861) for the generator: resolves one neighbour, answers for all of its
 * own addresses.
 */

#include "load.h"

/** load_nd_ask solicits the neighbour: the server, or the gateway to it. */
void load_nd_ask(struct load *l);

/**
 * load_nd_input handles a frame. Returns false if it is not ICMPv6. The mbuf stays the caller's.
 */
bool load_nd_input(struct load *l, const struct rte_mbuf *m);

/**
 * load_nd_answer turns a solicitation of len bytes, for any address, into the advertisement that it
 * is at mac. Returns false if the frame is not a solicitation.
 */
bool load_nd_answer(struct rte_ether_hdr *eth, uint32_t len, const struct rte_ether_addr *mac);

#endif
