/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_MBUF_H
#define BASE_MBUF_H

/* What rte_mbuf.h lacks, for chains as well as for the usual single segment. */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

/* The parts of the two functions below that handle chains. */
void mbuf_trim_chain(struct rte_mbuf *m, uint32_t len);
bool mbuf_pullup_chain(struct rte_mbuf *m, uint16_t len);

/** mbuf_trim shortens a packet to its first len bytes; segments beyond them are freed. */
static inline void mbuf_trim(struct rte_mbuf *m, uint32_t len)
{
	assert(len <= m->pkt_len);
	if (unlikely(m->nb_segs != 1)) {
		mbuf_trim_chain(m, len);
		return;
	}
	m->pkt_len = len;
	m->data_len = (uint16_t)len;
}

/**
 * mbuf_pullup makes the first len bytes of a packet contiguous; it must have that many, and its
 * first segment must be writable. Returns false, and changes nothing, if they do not fit there.
 */
static inline bool mbuf_pullup(struct rte_mbuf *m, uint16_t len)
{
	assert(len <= m->pkt_len);
	return likely(m->data_len >= len) || mbuf_pullup_chain(m, len);
}

/** mbuf_clear_offload clears offload flags and header lengths, set on receipt or by a sender. */
static inline void mbuf_clear_offload(struct rte_mbuf *m)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->tx_offload = 0;
}

#endif
