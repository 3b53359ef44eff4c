/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_MBUF_H
#define BASE_MBUF_H

/* What rte_mbuf.h leaves out, for chains as well as for the usual single segment. */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

/** mbuf_trim shortens a packet to its first len bytes; segments that are left over are freed. */
static inline void mbuf_trim(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *last = m;

	assert(len <= m->pkt_len);
	m->pkt_len = len;
	if (likely(m->nb_segs == 1)) {
		m->data_len = (uint16_t)len;
		return;
	}
	m->nb_segs = 1;
	for (; len > last->data_len && last->next != NULL; last = last->next) {
		len -= last->data_len;
		m->nb_segs++;
	}
	last->data_len = (uint16_t)len;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
}

/**
 * mbuf_pullup makes the first len bytes of a packet contiguous; it must have that many, and its
 * first segment must be writable. Returns false when they do not fit there; nothing has changed then.
 */
static inline bool mbuf_pullup(struct rte_mbuf *m, uint16_t len)
{
	assert(len <= m->pkt_len);
	if (likely(m->data_len >= len))
		return true;
	if (len > m->buf_len)
		return false;
	if (m->data_off + len > m->buf_len) {
		const uint16_t off = (uint16_t)(m->buf_len - len);

		memmove((char *)m->buf_addr + off, rte_pktmbuf_mtod(m, char *), m->data_len);
		m->data_off = off;
	}
	while (m->data_len < len) {
		struct rte_mbuf *next = m->next;
		const uint16_t n = (uint16_t)RTE_MIN(len - m->data_len, (int)next->data_len);

		memcpy(rte_pktmbuf_mtod_offset(m, char *, m->data_len),
		       rte_pktmbuf_mtod(next, char *), n);
		m->data_len = (uint16_t)(m->data_len + n);
		next->data_len = (uint16_t)(next->data_len - n);
		next->data_off = (uint16_t)(next->data_off + n);
		if (next->data_len == 0) {
			m->next = next->next;
			m->nb_segs--;
			rte_pktmbuf_free_seg(next);
		}
	}
	return true;
}

/** mbuf_clear_offload forgets what was said about checksums and lengths, on receipt or by a sender. */
static inline void mbuf_clear_offload(struct rte_mbuf *m)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->tx_offload = 0;
}

#endif
