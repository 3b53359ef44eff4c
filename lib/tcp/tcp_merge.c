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
 *
 * Acknowledgements of a run differ in what they acknowledge, in the window and in the timestamps.
 * One that repeats another is not merged, as duplicates are counted.
 */
#include "tcp/tcp_merge.h"

#include <netinet/in.h>

#include "base/seq.h"
#include "ip/ip4_plain.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_plain.h"
#include "wire/cksum.h"
#include "wire/ip6.h"

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

/* appends len bytes of data, which begin at off */
static inline void append(struct tcp_pending *to, struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	if (to->rx.segs == 1) {
		to->tail = to->m;
		to->rx.text = to->rx.seg.len;
	}
	m->data_off = (uint16_t)(m->data_off + off);
	m->data_len = (uint16_t)len;
	to->tail->next = m;
	to->tail = m;
	to->m->nb_segs++;
	to->m->pkt_len += len;
	to->rx.segs++;
	to->rx.text = RTE_MAX(to->rx.text, len);
	to->rx.seg.len += len;
}

bool tcp_merge(struct tcp_pending *to, struct tcp_pending *from)
{
	if (!is_run(to) || !says_the_same(&to->rx, &from->rx) || from->pkt.ttl != to->pkt.ttl ||
	    from->m->nb_segs != 1 || (to->rx.segs == 1 && to->m->nb_segs != 1))
		return false;
	append(to, from->m, (uint32_t)from->pkt.l4_off + from->rx.seg.hdr_len, from->rx.seg.len);
	return true;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static inline uint64_t differ64(const uint8_t *a, const uint8_t *b)
{
	return wire_get64_be(a) ^ wire_get64_be(b);
}

static inline uint32_t differ32(const uint8_t *a, const uint8_t *b)
{
	return wire_get32_be(a) ^ wire_get32_be(b);
}

/* Are the Ethernet and IP headers the same, but for the length, and with IPv4 ID and checksum? */
static inline bool same_network(const uint8_t *a, const uint8_t *b, bool ip4)
{
	uint64_t differ = differ64(a, b) | differ64(a + 8, b + 8);

	if (ip4) /* fragment, TTL and protocol; addresses */
		return (differ | differ32(a + 20, b + 20) | differ64(a + 26, b + 26)) == 0;
	differ |= differ32(a + 14, b + 14); /* flow label; protocol and hop limit; addresses */
	differ |= (uint64_t)(wire_get16_be(a + 20) ^ wire_get16_be(b + 20));
	for (unsigned i = 22; i < 54; i += 8)
		differ |= differ64(a + i, b + i);
	return differ == 0;
}

/* Are the TCP headers the same, but for the sequence number, PSH and checksum? */
static inline bool same_transport(const uint8_t *a, const uint8_t *b, uint32_t hdr_len)
{
	uint64_t differ = differ32(a, b) | (differ64(a + 8, b + 8) & ~((uint64_t)TCP_PSH << 40));

	for (unsigned i = TCP_HDR_LEN; i < hdr_len; i += 4)
		differ |= differ32(a + i, b + i);
	return differ == 0;
}

/* no_text: the segment is short, but not too short for cksum_add_short */
static __rte_always_inline bool is_intact(const struct ip_pkt *p, const struct rte_mbuf *m,
                                          const uint8_t *l4, uint32_t l4_len, uint32_t offloads,
                                          const bool no_text)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l3_off);
	uint64_t sum;

	if (p->l4_off - p->l3_off == IP4_HDR_LEN &&
	    !ip4_header_is_good(offloads, m->ol_flags, ip, IP4_HDR_LEN))
		return false;
	if (ip_l4_is_good(offloads, m->ol_flags))
		return true;
	sum = cksum_pseudo(&p->src, &p->dst, IPPROTO_TCP, l4_len);
	return cksum_is_good(no_text ? cksum_add_short(sum, l4, l4_len)
	                             : cksum_add(sum, l4, l4_len));
}

bool tcp_merge_frame(struct tcp_pending *to, struct rte_mbuf *m, uint32_t offloads)
{
	const uint8_t *a = rte_pktmbuf_mtod(to->m, const uint8_t *);
	const uint8_t *b = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint32_t l4_off = to->pkt.l4_off, hdr_len = to->rx.seg.hdr_len;
	const bool ip4 = l4_off == ETH_HDR_LEN + IP4_HDR_LEN;
	uint32_t l4_len;

	if (m->data_len < l4_off + hdr_len + TCP_MERGE_MIN || m->nb_segs != 1 ||
	    !same_network(a, b, ip4) || !same_transport(a + l4_off, b + l4_off, hdr_len) ||
	    wire_get32(b + l4_off + 4) != to->rx.seg.seq + to->rx.seg.len || !is_run(to))
		return false;
	l4_len = ip4 ? wire_get16(b + 16) - (uint32_t)IP4_HDR_LEN : wire_get16(b + 18);
	if (l4_len > m->data_len - l4_off || l4_len < hdr_len + TCP_MERGE_MIN ||
	    !is_intact(&to->pkt, m, b + l4_off, l4_len, offloads, false))
		return false;
	append(to, m, l4_off + hdr_len, l4_len - hdr_len);
	return true;
}

/* ---- acknowledgements ------------------------------------------------------------------------ */

/* one that the next may replace; most: the SND.NXT of its connection */
static inline bool is_ack_run(const struct tcp *tcp, const struct tcp_rx *rx, uint32_t *most)
{
	const struct tcp_seg *seg = &rx->seg;

	if (rx->segs > 1)
		return rx->segs < TCP_MERGE_MOST;
	return (seg->has & ~TCP_HAS_TS) == 0 && (rx->tos & ECN_MASK) != ECN_CE &&
	       tcp_plain_is_acked(tcp, rx, most);
}

/* no options, or timestamps in their usual place */
static inline bool same_form(const uint8_t *a, const uint8_t *b, uint32_t hdr_len)
{
	return hdr_len == TCP_HDR_LEN || (hdr_len == TCP_HDR_LEN + TCP_NOP_NOP_TS_LEN &&
	                                  wire_get32(a + TCP_HDR_LEN) == TCP_NOP_NOP_TS &&
	                                  wire_get32(b + TCP_HDR_LEN) == TCP_NOP_NOP_TS);
}

/* is what the header at l4 says newer? */
static inline bool is_next_ack(const struct tcp_seg *seg, const uint8_t *l4)
{
	return seq_gt(wire_get32(l4 + 8), seg->ack) &&
	       (seg->hdr_len == TCP_HDR_LEN ||
	        seq_geq(wire_get32(l4 + TCP_HDR_LEN + 4), seg->tsval));
}

static inline void take_ack(struct tcp_rx *rx, const uint8_t *l4)
{
	rx->seg.ack = wire_get32(l4 + 8);
	rx->seg.wnd = wire_get16(l4 + 14);
	if (rx->seg.hdr_len > TCP_HDR_LEN)
		tcp_parse_ts(l4 + TCP_HDR_LEN + 4, &rx->seg);
	rx->segs++;
}

struct rte_mbuf *tcp_merge_ack(const struct tcp *tcp, struct tcp_pending *to, struct rte_mbuf *m,
                               uint32_t offloads)
{
	struct rte_mbuf *before = to->m;
	const uint8_t *a = rte_pktmbuf_mtod(before, const uint8_t *);
	const uint8_t *b = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint32_t l4_off = to->pkt.l4_off, hdr_len = to->rx.seg.hdr_len;
	const bool ip4 = l4_off == ETH_HDR_LEN + IP4_HDR_LEN;
	const unsigned at = ip4 ? 16 : 18; /* the length of the packet */

	assert(to->rx.seg.len == 0 && to->rx.seg.flags == TCP_ACK);
	if (m->data_len < l4_off + hdr_len || m->nb_segs != 1 ||
	    !same_form(a + l4_off, b + l4_off, hdr_len) || !is_next_ack(&to->rx.seg, b + l4_off) ||
	    !same_network(a, b, ip4) || wire_get16_be(a + at) != wire_get16_be(b + at) ||
	    !is_ack_run(tcp, &to->rx, &to->rx.most) ||
	    seq_gt(wire_get32(b + l4_off + 8), to->rx.most) ||
	    !is_intact(&to->pkt, m, b + l4_off, hdr_len, offloads, true))
		return NULL;
	take_ack(&to->rx, b + l4_off);
	to->m = m;
	return before;
}
