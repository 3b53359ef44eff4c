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

/** frame_share takes n more references to a frame and to all mbufs of its chain. */
static inline void frame_share(struct rte_mbuf *m, int16_t n)
{
	for (; m != NULL; m = m->next)
		(void)rte_mbuf_refcnt_update(m, n);
}

/*
 * frame_asks says whether a frame still differs from its form on the wire: a checksum is to be
 * computed, or a device has stripped a tag.
 */
static inline bool frame_asks(const struct rte_mbuf *m)
{
	return (m->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_IP_CKSUM |
	                       RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)) != 0 ||
	       (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

/** frame_forget_flags clears flags set by the device or program that the frame came from. */
static inline void frame_forget_flags(struct rte_mbuf *m)
{
	if (m->ol_flags != 0)
		m->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
}

/*
 * frame_mend restores a frame for which frame_asks is true to its form on the wire; copies are from
 * pool. Returns it or a copy. NULL: it has been freed, and *why is the reason.
 */
struct rte_mbuf *frame_mend(struct rte_mbuf *m, struct rte_mempool *pool, enum count *why);

/** The tag that a frame has, and the one that it is to have. */
struct frame_tag {
	bool has, wants;
	uint16_t old_tci, tci; /* of the old tag, if any, and of the new; host byte order */
};

/*
 * frame_retag adds, changes or removes the tag of a frame. A shared frame is copied first, unless
 * nothing changes. Returns it or the copy. NULL: it has been freed, and *why is the reason.
 */
struct rte_mbuf *frame_retag(struct rte_mbuf *m, const struct frame_tag *t,
                             struct rte_mempool *pool, enum count *why);

#endif
