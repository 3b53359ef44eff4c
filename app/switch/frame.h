/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_FRAME_H
#define SWITCH_FRAME_H

/*
 * Changes to a frame: tags (IEEE 802.1Q section 9) are added and removed in place, in the room in
 * front of it.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "counts.h"

#define FRAME_HDR 14
#define FRAME_TAG 4

struct rte_mempool;

/** frame_share takes n more references to a frame, chain or not. */
static inline void frame_share(struct rte_mbuf *m, int16_t n)
{
	for (; m != NULL; m = m->next)
		(void)rte_mbuf_refcnt_update(m, n);
}

/**
 * frame_asks says whether a frame still differs from what it is on the wire: by a checksum, or a
 * tag that a device has stripped.
 */
static inline bool frame_asks(const struct rte_mbuf *m)
{
	return (m->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_IP_CKSUM |
	                       RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)) != 0 ||
	       (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

/** frame_forget_flags clears the flags of whoever has received or made a frame. */
static inline void frame_forget_flags(struct rte_mbuf *m)
{
	if (m->ol_flags != 0)
		m->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
}

/**
 * frame_mend makes a frame for which frame_asks is true what it is on the wire; copies are from
 * pool. Returns it or a copy. NULL: it has been freed, and *why says why.
 */
struct rte_mbuf *frame_mend(struct rte_mbuf *m, struct rte_mempool *pool, enum count *why);

/** The tag that a frame has, and the one that it is to have. */
struct frame_tag {
	bool has, wants;
	uint16_t old_tci, tci; /* what it has (if any) and is to have; in host byte order */
};

/**
 * frame_retag adds, changes or removes the tag of a frame. A frame that others hold, too, is copied
 * first, unless nothing changes. Returns it or the copy. NULL: it has been freed, and *why is the
 * reason.
 */
struct rte_mbuf *frame_retag(struct rte_mbuf *m, const struct frame_tag *t,
                             struct rte_mempool *pool, enum count *why);

#endif
