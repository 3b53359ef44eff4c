/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_tcp.h>
#include <rte_udp.h>

static struct rte_mbuf *drop(struct rte_mbuf *m, enum count c, enum count *why)
{
	*why = c;
	rte_pktmbuf_free(m);
	return NULL;
}

/* Copies a frame unless we may write to it: its first mbuf, where we write, must not be shared. */
static struct rte_mbuf *make_private(struct rte_mbuf *m, struct rte_mempool *pool, enum count *why)
{
	struct rte_mbuf *copy;

	if (likely(rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m)))
		return m;
	copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
	if (copy == NULL)
		return drop(m, COUNT_drop_no_mbuf, why);
	rte_pktmbuf_free(m);
	return copy;
}

static struct rte_mbuf *put_tag(struct rte_mbuf *m, uint16_t tci, enum count *why)
{
	m->vlan_tci = tci;
	if (rte_vlan_insert(&m) != 0)
		return drop(m, COUNT_drop_headroom, why);
	return m;
}

struct rte_mbuf *frame_retag(struct rte_mbuf *m, const struct frame_tag *t,
                             struct rte_mempool *pool, enum count *why)
{
	struct rte_vlan_hdr *tag;

	if (likely(t->has == t->wants && (!t->has || t->old_tci == t->tci)))
		return m;
	m = make_private(m, pool, why);
	if (m == NULL)
		return NULL;
	if (!t->has)
		return put_tag(m, t->tci, why);
	if (t->wants) {
		tag = rte_pktmbuf_mtod_offset(m, struct rte_vlan_hdr *, FRAME_HDR);
		tag->vlan_tci = rte_cpu_to_be_16(t->tci);
		return m;
	}
	(void)rte_vlan_strip(m);
	frame_forget_flags(m);
	return m;
}

/* Where the packet of a frame ends by its IP length; what follows is padding. 0: it is
 * truncated. */
static uint32_t packet_end(const struct rte_mbuf *m, uint32_t ptype,
                           const struct rte_net_hdr_lens *l)
{
	const void *ip = rte_pktmbuf_mtod_offset(m, const void *, l->l2_len);
	uint32_t end = l->l2_len;

	if (RTE_ETH_IS_IPV4_HDR(ptype))
		end += rte_be_to_cpu_16(((const struct rte_ipv4_hdr *)ip)->total_length);
	else
		end += (uint32_t)sizeof(struct rte_ipv6_hdr) +
		       rte_be_to_cpu_16(((const struct rte_ipv6_hdr *)ip)->payload_len);
	return end <= rte_pktmbuf_pkt_len(m) ? end : 0;
}

/* The checksum of len bytes from at on, which must all be there. (rte_raw_cksum_mbuf of DPDK 22.11
 * loses a carry where an mbuf ends at an odd offset.) */
static uint16_t sum_of(const struct rte_mbuf *m, uint32_t at, uint32_t len)
{
	uint32_t total = 0, done = 0, here;
	uint16_t part;

	for (; done < len; m = m->next, at = 0) {
		for (; at >= rte_pktmbuf_data_len(m); m = m->next)
			at -= rte_pktmbuf_data_len(m);
		here = RTE_MIN(rte_pktmbuf_data_len(m) - at, len - done);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, at), here);
		total += done % 2 != 0 ? rte_bswap16(part) : part;
		done += here;
	}
	return __rte_raw_cksum_reduce(total);
}

/* Computes the checksum of the transport header and its payload; the field already has the sum of
 * the pseudo-header. */
static void finish_l4(struct rte_mbuf *m, uint32_t ptype, const struct rte_net_hdr_lens *l)
{
	const bool udp = (ptype & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_UDP;
	const uint32_t at = (uint32_t)l->l2_len + l->l3_len, end = packet_end(m, ptype, l);
	const uint32_t field = at + (udp ? (uint32_t)offsetof(struct rte_udp_hdr, dgram_cksum)
	                                 : (uint32_t)offsetof(struct rte_tcp_hdr, cksum));
	uint16_t sum;

	if (end <= at || field + sizeof(sum) > rte_pktmbuf_data_len(m))
		return;
	sum = (uint16_t)~sum_of(m, at, end - at);
	/* RFC 768: 0 means that there is no checksum */
	if (udp && sum == 0)
		sum = UINT16_MAX;
	*rte_pktmbuf_mtod_offset(m, unaligned_uint16_t *, field) = sum;
}

static void finish_checksums(struct rte_mbuf *m, uint64_t asked)
{
	struct rte_net_hdr_lens l = {0};
	const uint32_t ptype =
	    rte_net_get_ptype(m, &l, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);
	const uint32_t l4 = ptype & RTE_PTYPE_L4_MASK;
	struct rte_ipv4_hdr *ip;

	if ((!RTE_ETH_IS_IPV4_HDR(ptype) && !RTE_ETH_IS_IPV6_HDR(ptype)) ||
	    (uint32_t)l.l2_len + l.l3_len > rte_pktmbuf_data_len(m))
		return;
	if ((asked & ~RTE_MBUF_F_TX_IP_CKSUM) != 0 &&
	    (l4 == RTE_PTYPE_L4_TCP || l4 == RTE_PTYPE_L4_UDP))
		finish_l4(m, ptype, &l);
	if ((asked & RTE_MBUF_F_TX_IP_CKSUM) == 0 || !RTE_ETH_IS_IPV4_HDR(ptype))
		return;
	ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, l.l2_len);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

struct rte_mbuf *frame_mend(struct rte_mbuf *m, struct rte_mempool *pool, enum count *why)
{
	const uint64_t flags = m->ol_flags;
	uint64_t asked = flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK);

	/* we do not segment, and checksums would be needed for each segment */
	if ((flags & RTE_MBUF_F_TX_TCP_SEG) != 0)
		return drop(m, COUNT_drop_oversize, why);
	if ((flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		asked |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
	m = make_private(m, pool, why);
	if (m == NULL)
		return NULL;
	if (asked != 0)
		finish_checksums(m, asked);
	if ((flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0)
		return put_tag(m, m->vlan_tci, why);
	return m;
}
