/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_EXCEPTION_CUT_H
#define STACK_EXCEPTION_CUT_H

/*
 * Fragments a reassembled datagram again when the port that it goes to does not accept frames of
 * that length.
 */

#include "base/ctx.h"

/** The fragments of 64 KB at IPv6's minimum MTU. */
#define EXCEPTION_PIECES 64

/**
 * exception_cut copies a frame with an IPv4 or IPv6 packet into fragments of at most mtu bytes; m
 * stays the caller's. IPv4 fragments keep the packet's identification. Returns how many fragments
 * there are; 0: the frame cannot be fragmented, there would be too many, or there is no mbuf.
 */
unsigned exception_cut(struct ctx *ctx, const struct rte_mbuf *m, uint16_t mtu,
                       struct rte_mbuf *pieces[EXCEPTION_PIECES]);

#endif
