/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_EXCEPTION_CUT_H
#define STACK_EXCEPTION_CUT_H

/*
 * Fragments a datagram again that was reassembled here, because the port to its reader does not
 * take frames of that length.
 */

#include "base/ctx.h"

/** the pieces of 64 KB on the narrowest link that IPv6 may have */
#define EXCEPTION_PIECES 64

/**
 * exception_cut copies a frame with an IPv4 or IPv6 packet into fragments of at most mtu bytes; m stays the caller's.
 * Over IPv4 they have the packet's identification. Returns how many pieces there are; 0: the frame is nothing that can be
 * cut, they would be too many, or an mbuf is lacking.
 */
unsigned exception_cut(struct ctx *ctx, const struct rte_mbuf *m, uint16_t mtu,
                       struct rte_mbuf *pieces[EXCEPTION_PIECES]);

#endif
