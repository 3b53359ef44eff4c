/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_FRAME_H
#define PORT_FRAME_H

/* What ports do with a frame that they send: private copies, and what a device cannot do itself. */

#include <stdbool.h>

#include <rte_mbuf.h>

/**
 * frame_is_shared says whether somebody besides the holder of m may still read or write its bytes:
 * a second reference, or data that belong to another mbuf.
 */
bool frame_is_shared(const struct rte_mbuf *m);

/** frame_copy returns a private copy in one piece, offload requests included; NULL: no mbuf, or one
 * that is too small. m stays the caller's. */
struct rte_mbuf *frame_copy(const struct rte_mbuf *m, struct rte_mempool *pool);

/**
 * frame_sum_of computes the sum (RFC 1071) of len bytes of a frame, a chain or not, from off on; not complemented. Returns false,
 * and no sum, when they are not all there. (rte_raw_cksum_mbuf of DPDK 22.11 loses a carry where an mbuf ends at an
 * odd offset.)
 */
bool frame_sum_of(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint16_t *sum);

/** frame_finish_cksum fills in the checksums that m asks a device for, and takes the request back. */
void frame_finish_cksum(struct rte_mbuf *m);

/** frame_wants_cut says whether m asks to be cut into several frames. */
static inline bool frame_wants_cut(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
}

/* no frame is cut into more: 64 KB of the smallest segments that a stack lets a port cut */
#define FRAME_PIECES_MAX 128

/**
 * frame_cut makes the frames that m asks to be cut into, in one piece each and with their checksums; m
 * stays the caller's. Returns how many; 0 when they are more than max, or an mbuf is lacking or too small.
 */
unsigned frame_cut(const struct rte_mbuf *m, struct rte_mempool *pool, struct rte_mbuf **out,
                   unsigned max);

/** frame_wants_cksum says whether m asks for a checksum. */
static inline bool frame_wants_cksum(const struct rte_mbuf *m)
{
	return (m->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)) != 0;
}

#endif
