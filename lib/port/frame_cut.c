/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP segmentation (RTE_MBUF_F_TX_TCP_SEG) in software, for ports without a device.
 *
 * Each piece is a copy: the frame's headers, tso_segsz bytes of its payload (fewer in the last
 * one), and the fields that differ.  As with devices, only the last piece has FIN and PSH, and only
 * the first CWR (RFC 3168 section 6.1.2).
 */
#include "frame.h"

#include <rte_ip.h>
#include <rte_tcp.h>

/* What differs in each piece. */
struct piece {
	uint32_t off, len;
	bool first, last;
};

static bool copy_bytes(struct rte_mbuf *to, const struct rte_mbuf *m, uint32_t off, uint32_t len)
{
	char *p = rte_pktmbuf_append(to, (uint16_t)len);
	const void *from;

	if (p == NULL)
		return false;
	from = rte_pktmbuf_read(m, off, len, p);
	if (from != NULL && from != p)
		memcpy(p, from, len);
	return from != NULL;
}

/* Adjusts the headers; the field holds the sum of the pseudo-header without the length, which
 * differs in each piece. */
static void fix_headers(struct rte_mbuf *m, const struct piece *piece)
{
	uint16_t l4_len = (uint16_t)(m->l4_len + piece->len);
	char *l3 = rte_pktmbuf_mtod_offset(m, char *, m->l2_len);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(void *)(l3 + m->l3_len);
	uint32_t sum = (uint32_t)tcp->cksum + rte_cpu_to_be_16(l4_len);

	if ((m->ol_flags & RTE_MBUF_F_TX_IPV4) != 0) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(void *)l3;

		ip->total_length = rte_cpu_to_be_16((uint16_t)(m->l3_len + l4_len));
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	} else {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(void *)l3;

		ip->payload_len = rte_cpu_to_be_16((uint16_t)(m->l3_len - sizeof(*ip) + l4_len));
	}
	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + piece->off);
	if (!piece->first)
		tcp->tcp_flags &= (uint8_t)~RTE_TCP_CWR_FLAG;
	if (!piece->last)
		tcp->tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	tcp->cksum = (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static struct rte_mbuf *make_piece(const struct rte_mbuf *m, struct rte_mempool *pool, uint32_t hdr,
                                   const struct piece *piece)
{
	struct rte_mbuf *f = rte_pktmbuf_alloc(pool);

	if (f == NULL)
		return NULL;
	if (!copy_bytes(f, m, 0, hdr) || !copy_bytes(f, m, hdr + piece->off, piece->len)) {
		rte_pktmbuf_free(f);
		return NULL;
	}
	f->l2_len = m->l2_len;
	f->l3_len = m->l3_len;
	f->l4_len = m->l4_len;
	f->ol_flags = m->ol_flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6);
	f->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
	fix_headers(f, piece);
	frame_finish_cksum(f);
	return f;
}

unsigned frame_cut(const struct rte_mbuf *m, struct rte_mempool *pool, struct rte_mbuf **out,
                   unsigned max)
{
	const uint32_t hdr = (uint32_t)m->l2_len + m->l3_len + m->l4_len;
	unsigned n = 0;

	for (uint32_t off = 0; hdr + off < m->pkt_len; off += m->tso_segsz) {
		const uint32_t left = m->pkt_len - hdr - off;
		const struct piece piece = {.off = off,
		                            .len = RTE_MIN(left, (uint32_t)m->tso_segsz),
		                            .first = off == 0,
		                            .last = left <= m->tso_segsz};

		if (n == max || (out[n] = make_piece(m, pool, hdr, &piece)) == NULL) {
			rte_pktmbuf_free_bulk(out, n);
			return 0;
		}
		n++;
	}
	return n;
}
