/* SPDX-License-Identifier: BSD-2-Clause */

/* Trimming and joining chains; see mbuf.h. */

#include "base/mbuf.h"

#include <string.h>

void mbuf_trim_chain(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *last = m;

	m->pkt_len = len;
	m->nb_segs = 1;
	for (; len > last->data_len && last->next != NULL; last = last->next) {
		len -= last->data_len;
		m->nb_segs++;
	}
	last->data_len = (uint16_t)len;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
}

/* Moves the data of a segment so that len bytes fit from its start. */
static bool make_room(struct rte_mbuf *m, uint16_t len)
{
	const uint16_t off = (uint16_t)(m->buf_len - len);

	if (len > m->buf_len)
		return false;
	if (m->data_off > off) {
		memmove((char *)m->buf_addr + off, rte_pktmbuf_mtod(m, char *), m->data_len);
		m->data_off = off;
	}
	return true;
}

bool mbuf_pullup_chain(struct rte_mbuf *m, uint16_t len)
{
	if (!make_room(m, len))
		return false;
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
