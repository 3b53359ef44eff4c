/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_FRAME_H
#define PORT_FRAME_H

/* What ports do to frames that they send: private copies, and offloads that a device lacks. */

#include <stdbool.h>

#include <rte_mbuf.h>

/**
 * frame_is_shared says whether anyone but the holder of m may still read or write its bytes,
 * because of a second reference or of data that belong to another mbuf.
 */
bool frame_is_shared(const struct rte_mbuf *m);

/** frame_payload returns the offset of what follows a frame's Ethernet header and its VLAN tags, of
 * which there may be two, and its EtherType; 0: the frame is too short. */
uint32_t frame_payload(const struct rte_mbuf *m, uint16_t *type);

/** frame_copy returns a private copy in one segment, including offload requests; NULL: no mbuf, or
 * it is too small. m stays the caller's. */
struct rte_mbuf *frame_copy(const struct rte_mbuf *m, struct rte_mempool *pool);

/**
 * frame_sum_of computes the sum (RFC 1071), not complemented, of len bytes of a frame, which may be
 * a chain, from off on. Returns false, and no sum, if the frame is shorter. (rte_raw_cksum_mbuf of
 * DPDK 22.11 loses a carry where an mbuf ends at an odd offset.)
 */
bool frame_sum_of(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint16_t *sum);

/** frame_finish_cksum fills in the checksums that m asks a device for, and clears the request. */
void frame_finish_cksum(struct rte_mbuf *m);

/** frame_wants_cut says whether m asks to be cut into several frames (TSO). */
static inline bool frame_wants_cut(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
}

/* The most pieces of a frame: 64 KB in the smallest segments that a stack lets a port cut. */
#define FRAME_PIECES_MAX 128

/**
 * frame_cut cuts m into the frames that it asks for, each in one segment and with its checksums; m
 * stays the caller's. Returns how many; 0: more than max, or there is no mbuf or it is too small.
 */
unsigned frame_cut(const struct rte_mbuf *m, struct rte_mempool *pool, struct rte_mbuf **out,
                   unsigned max);

/** frame_wants_cksum says whether m asks for a checksum. */
static inline bool frame_wants_cksum(const struct rte_mbuf *m)
{
	return (m->ol_flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK)) != 0;
}

#endif
