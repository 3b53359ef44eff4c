/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receive coalescing; see tcp_merge.h.
 *
 * Overview: the segments of a run differ in the sequence number and in PSH, which tells nothing to
 * a receiver that always delivers what it has.  Everything else that a connection looks at must be
 * the same: the acknowledgement, the window, the timestamps, the flags (with Accurate ECN some are
 * a counter), and the ECN bits and TTL of the IP header.  A segment marked CE is not merged, as
 * such packets are counted and answered one by one.  Of the counters in Accurate ECN's option those
 * of the first segment count: the others acknowledge nothing new, so theirs would be ignored.
 */
#include "tcp/tcp_merge.h"

#include "tcp/tcp_ecn.h"

/* options that a data segment may have */
#define HAS_PLAIN (TCP_HAS_TS | TCP_HAS_AE)

/* a data segment with nothing special about it */
static inline bool is_run(const struct tcp_pending *s)
{
	const struct tcp_seg *seg = &s->rx.seg;

	return seg->len >= TCP_MERGE_MIN && s->rx.segs < TCP_MERGE_MOST &&
	       (seg->flags & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST | TCP_URG)) == TCP_ACK &&
	       (seg->has & ~HAS_PLAIN) == 0 && (s->rx.tos & ECN_MASK) != ECN_CE;
}

static inline bool says_the_same(const struct tcp_rx *x, const struct tcp_rx *y)
{
	const struct tcp_seg *a = &x->seg, *b = &y->seg;

	return b->seq == a->seq + a->len && b->ack == a->ack && b->wnd == a->wnd &&
	       ((a->flags ^ b->flags) & ~TCP_PSH) == 0 && b->has == a->has &&
	       (!(a->has & TCP_HAS_TS) || (b->tsval == a->tsval && b->tsecr == a->tsecr)) &&
	       y->tos == x->tos && tcp_flow_equal(&x->flow, &y->flow);
}

bool tcp_merge(struct tcp_pending *to, struct tcp_pending *from)
{
	struct rte_mbuf *m = from->m;
	const uint32_t off = (uint32_t)from->pkt.l4_off + from->rx.seg.hdr_len;

	if (!is_run(to) || !says_the_same(&to->rx, &from->rx) || from->pkt.ttl != to->pkt.ttl ||
	    m->nb_segs != 1)
		return false;
	if (to->rx.segs == 1) {
		if (to->m->nb_segs != 1)
			return false;
		to->tail = to->m;
		to->rx.text = to->rx.seg.len;
	}
	rte_pktmbuf_adj(m, (uint16_t)off);
	to->tail->next = m;
	to->tail = m;
	to->m->nb_segs++;
	to->m->pkt_len += m->data_len;
	to->rx.segs++;
	to->rx.text = RTE_MAX(to->rx.text, from->rx.seg.len);
	to->rx.seg.len += from->rx.seg.len;
	return true;
}
