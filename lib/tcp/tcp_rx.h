/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_RX_H
#define TCP_TCP_RX_H

/*
 * The first pass over a received segment: header, checksum, and its flow's place in the table.
 *
 * It is inline because the burst pipeline has two copies: one for the usual frames, which are known
 * to be in one mbuf, and one for all others.
 */

#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "tcp/tcp.h"
#include "wire/cksum.h"

/** What the caller of tcp_rx_parse knows about the packet; a constant. */
enum tcp_rx_kind {
	TCP_RX_ANY,
	TCP_RX_PLAIN4, /* over IPv4, in one mbuf */
	TCP_RX_PLAIN6, /* over IPv6, in one mbuf */
};

/* Adds a segment of less than CKSUM_SHORT bytes: most are a header and nothing else. */
static __rte_always_inline uint64_t tcp_rx_sum(uint64_t sum, const uint8_t *l4, uint32_t len)
{
	sum = cksum_add64(sum, cksum_load64(l4));
	sum = cksum_add64(sum, cksum_load64(l4 + 8));
	sum = cksum_add64(sum, wire_get32_be(l4 + 16));
	return len == TCP_HDR_LEN ? sum : cksum_add_short(sum, l4 + TCP_HDR_LEN, len - TCP_HDR_LEN);
}

/* Is the checksum right? A packet in one mbuf needs no walk, and with IPv4 no long addresses. */
static __rte_always_inline bool tcp_rx_is_intact(const struct rte_mbuf *m, const struct ip_pkt *p,
                                                 const uint8_t *l4, const enum tcp_rx_kind kind)
{
	uint64_t sum;

	if (kind == TCP_RX_PLAIN4 && likely(p->l4_len < CKSUM_SHORT)) {
		sum = (uint64_t)p->src.w[3] + p->dst.w[3] + __builtin_bswap32(p->l4_len) +
		      ((uint32_t)IPPROTO_TCP << 8);
		return cksum_is_good(tcp_rx_sum(sum, l4, p->l4_len));
	}
	sum = cksum_pseudo(&p->src, &p->dst, IPPROTO_TCP, p->l4_len);
	if (kind == TCP_RX_PLAIN6 && likely(p->l4_len < CKSUM_SHORT))
		return cksum_is_good(tcp_rx_sum(sum, l4, p->l4_len));
	return cksum_is_good(cksum_add_mbuf(sum, m, p->l4_off, p->l4_len));
}

/**
 * tcp_rx_parse reads and verifies a segment, names its flow and hashes it. Verdict: VERDICT_DONE to
 * continue, and the mbuf is still the caller's; or a drop.
 */
static __rte_always_inline int tcp_rx_parse(struct tcp *tcp, const struct rte_mbuf *m,
                                            const struct ip_pkt *p, struct tcp_rx *rx,
                                            const enum tcp_rx_kind kind)
{
	const uint8_t *l4 = rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off);
	const int len = tcp_parse(l4, p->l4_len, &rx->seg);

	if (unlikely(len < 0))
		return len == WIRE_SHORT ? PC_DROP_TCP_SHORT : PC_DROP_TCP_OFFSET;
	if (!p->l4_good && unlikely(!tcp_rx_is_intact(m, p, l4, kind)))
		return PC_DROP_TCP_CHECKSUM;
	if (unlikely(p->group)) /* RFC 9293 MUST-57 */
		return PC_DROP_TCP_BROADCAST;
	if (unlikely(rx->seg.sport == 0 || rx->seg.dport == 0))
		return PC_DROP_TCP_PORT_ZERO;
	rx->tos = p->tos;
	rx->segs = 1;
	rx->hash =
	    tcp_table_name(&tcp->table, &rx->flow, &p->src, p->laddr, rx->seg.dport, rx->seg.sport);
	ctx_count(tcp->ctx, PC_TCP_RX);
	return VERDICT_DONE;
}

#endif
