/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

bool frame_is_shared(const struct rte_mbuf *m)
{
	for (; m != NULL; m = m->next)
		if (rte_mbuf_refcnt_read(m) > 1 || !RTE_MBUF_DIRECT(m))
			return true;
	return false;
}

uint32_t frame_payload(const struct rte_mbuf *m, uint16_t *type)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at = RTE_ETHER_HDR_LEN;

	for (unsigned tags = 0; at <= rte_pktmbuf_data_len(m); tags++) {
		*type = (uint16_t)(p[at - 2] << 8 | p[at - 1]);
		if (tags == 2 || (*type != RTE_ETHER_TYPE_VLAN && *type != RTE_ETHER_TYPE_QINQ))
			return at;
		at += RTE_VLAN_HLEN;
	}
	return 0;
}

struct rte_mbuf *frame_copy(const struct rte_mbuf *m, struct rte_mempool *pool)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);

	/* rte_pktmbuf_copy continues in a second mbuf if the first is too small */
	if (copy != NULL && copy->nb_segs > 1) {
		rte_pktmbuf_free(copy);
		return NULL;
	}
	return copy;
}

bool frame_sum_of(const struct rte_mbuf *m, uint32_t off, uint32_t len, uint16_t *sum)
{
	uint32_t total = 0, done = 0, here;
	uint16_t part;

	if (off + len > rte_pktmbuf_pkt_len(m))
		return false;
	for (; done < len; m = m->next, off = 0) {
		for (; off >= rte_pktmbuf_data_len(m); m = m->next)
			off -= rte_pktmbuf_data_len(m);
		here = RTE_MIN(rte_pktmbuf_data_len(m) - off, len - done);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, off), here);
		total += done % 2 != 0 ? rte_bswap16(part) : part;
		done += here;
	}
	*sum = __rte_raw_cksum_reduce(total);
	return true;
}

/*
 * The transport checksum field already holds the sum of the pseudo-header, as devices require; so
 * the sum over everything from the transport header on is the checksum, in either family.
 */
static void finish_l4(struct rte_mbuf *m, uint32_t off)
{
	bool udp = (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM;
	size_t field = off + (udp ? offsetof(struct rte_udp_hdr, dgram_cksum)
	                          : offsetof(struct rte_tcp_hdr, cksum));
	uint16_t sum;

	if (field + sizeof(sum) > rte_pktmbuf_data_len(m) ||
	    !frame_sum_of(m, off, rte_pktmbuf_pkt_len(m) - off, &sum))
		return;
	sum = (uint16_t)~sum;
	/* RFC 768: 0 means that there is no checksum */
	if (udp && sum == 0)
		sum = UINT16_MAX;
	*rte_pktmbuf_mtod_offset(m, uint16_t *, field) = sum;
}

void frame_finish_cksum(struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, m->l2_len);

	if ((m->ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0)
		finish_l4(m, (uint32_t)(m->l2_len + m->l3_len));
	if ((m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0) {
		ip->hdr_checksum = 0;
		ip->hdr_checksum = rte_ipv4_cksum(ip);
	}
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK |
	                           RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6);
}
