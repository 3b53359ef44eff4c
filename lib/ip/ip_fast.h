/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_IP_FAST_H
#define IP_IP_FAST_H

/*
 * The fast output path: ip_l4_checksum, ip_output and neigh_output in one, for a connection whose
 * next hop is known.
 *
 * The transport writes its header at the address that ip_fast_prepend returns, summing the words as
 * it goes; ip_fast_output writes the headers in front.  Nothing is passed in structs and no
 * function is called, so that addresses and sums stay in registers.  Anything out of the ordinary
 * takes the slow path.
 */

#include <netinet/in.h>

#include <rte_mbuf.h>

#include "ip/ip.h"
#include "neigh/table.h"
#include "wire/cksum.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

/* bytes before the transport header, by family */
#define IP_FAST_HDR_LEN  (ETH_HDR_LEN + IP4_HDR_LEN)
#define IP_FAST_HDR_LEN6 (ETH_HDR_LEN + IP6_HDR_LEN)

/** ip_fast_prepend makes room in front of a payload for a transport header and, before it, for
 * hdr_len bytes (IP_FAST_HDR_LEN or IP_FAST_HDR_LEN6); it returns where the transport header goes.
 * The headroom must be there. */
static __rte_always_inline uint8_t *ip_fast_prepend(struct rte_mbuf *m, uint16_t hdr_len,
                                                    uint16_t l4_hdr_len)
{
	const uint16_t n = (uint16_t)(hdr_len + l4_hdr_len);

	assert(m->data_off >= n);
	m->data_off = (uint16_t)(m->data_off - n);
	m->data_len = (uint16_t)(m->data_len + n);
	m->pkt_len += n;
	return rte_pktmbuf_mtod_offset(m, uint8_t *, hdr_len);
}

/** ip_fast_begin and ip_fast_end do the same for a packet without payload, m being empty, where the
 * length of the transport header is known only when it has been written: the former returns where
 * to write it. The headers take the place of the data. */
static __rte_always_inline uint8_t *ip_fast_begin(struct rte_mbuf *m, uint16_t hdr_len)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *, hdr_len);
}

static __rte_always_inline void ip_fast_end(struct rte_mbuf *m, const uint8_t *l4,
                                            uint16_t l4_hdr_len)
{
	m->data_len = (uint16_t)(l4 + l4_hdr_len - rte_pktmbuf_mtod(m, uint8_t *));
	m->pkt_len = m->data_len;
}

/* The transport checksum: computed by the port if it can, otherwise here; sum is that of the header
 * and, if summed, also of the payload. */
static __rte_always_inline uint16_t ip_fast_cksum(struct rte_mbuf *m, bool ip4, uint8_t proto,
                                                  uint32_t offloads, uint64_t pseudo, uint64_t sum,
                                                  bool summed, uint16_t l4_hdr_len)
{
	const uint32_t off = (ip4 ? IP_FAST_HDR_LEN : IP_FAST_HDR_LEN6) + (uint32_t)l4_hdr_len;

	if (offloads & (proto == IPPROTO_TCP ? PC_PORT_TX_TCP_CKSUM : PC_PORT_TX_UDP_CKSUM)) {
		m->ol_flags |=
		    (ip4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6) |
		    (proto == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
		m->tx_offload = rte_mbuf_tx_offload(ETH_HDR_LEN, ip4 ? IP4_HDR_LEN : IP6_HDR_LEN,
		                                    l4_hdr_len, 0, 0, 0, 0);
		return cksum_fold_be(pseudo);
	}
	sum = cksum_add64(sum, pseudo);
	if (!summed && m->pkt_len > off) {
		const uint32_t len = m->pkt_len - off;

		if (likely(m->nb_segs == 1 && len >= 8 && len < CKSUM_SHORT))
			sum = cksum_add_short(sum, rte_pktmbuf_mtod_offset(m, uint8_t *, off), len);
		else
			sum = cksum_add_mbuf(sum, m, off, len);
	}
	return proto == IPPROTO_UDP ? cksum_finish_udp_be(sum) : cksum_finish_be(sum);
}

/** ip_path_ready returns the path from an address of ours to dst if it is among those found recently, and
 * a frame can simply be sent to its neighbour, *n; NULL: ip_path_find_flow is needed. The MTU is that
 * of the link and the route (ip_pmtu). */
static inline const struct ip_path *ip_path_ready(const struct ip *ip, const struct pc_addr *dst,
                                                  uint16_t laddr, const struct neigh **n)
{
	const struct path_memo *memo = &ip->memo[dst->b[15] % PATH_MEMOS];

	return likely(memo->path.laddr == laddr && pc_addr_equal(&memo->dst, dst) &&
	              (*n = neigh_ready(ip->neigh, memo->path.neigh)) != NULL)
	           ? &memo->path
	           : NULL;
}

/** ip_confirm notes that packets sent through a next hop have arrived. */
static inline void ip_confirm(struct ip *ip, struct neigh_ref ref)
{
	neigh_confirm(ip->neigh, ref);
}

/** A packet's IP header fields other than lengths and checksum; proto is a compile-time constant
 * in every caller. */
struct ip_fast_hdr {
	uint32_t src_be, dst_be;
	uint32_t id_and_flags;   /* the header's second word, host byte order */
	uint8_t proto, ttl, tos; /* ttl 0: the default */
};

/**
 * ip_fast_output completes and sends a TCP segment or UDP datagram of at most the path's MTU whose
 * header, l4_hdr_len bytes at l4, is complete except for the checksum; sum is that of its words in
 * memory order and, if summed, also of the payload. It owns m.
 */
static __rte_always_inline void ip_fast_output(struct ip *ip, const struct neigh *n,
                                               struct rte_mbuf *m, uint8_t *l4, uint16_t l4_hdr_len,
                                               uint64_t sum, bool summed,
                                               const struct ip_fast_hdr h)
{
	struct txq *q = &ip->ifs.netif[n->netif].txq;
	const uint32_t offloads = q->port->info.offloads;
	const uint32_t total_len = m->pkt_len - ETH_HDR_LEN, l4_len = total_len - IP4_HDR_LEN;
	const uint64_t addrs = (uint64_t)h.src_be + h.dst_be;
	const uint32_t w0 =
	    __builtin_bswap32((uint32_t)0x45 << 24 | (uint32_t)h.tos << 16 | total_len);
	const uint32_t w1 = __builtin_bswap32(h.id_and_flags);
	const uint32_t w2 = (uint32_t)(h.ttl != 0 ? h.ttl : ip->ctx->cfg.ip_ttl) | (uint32_t)h.proto
	                                                                               << 8;
	const uint64_t pseudo = addrs + __builtin_bswap32(l4_len) + ((uint32_t)h.proto << 8);
	uint8_t *p = l4 - IP4_HDR_LEN;

	wire_put16_be(l4 + (h.proto == IPPROTO_TCP ? 16 : 6),
	              ip_fast_cksum(m, true, h.proto, offloads, pseudo, sum, summed, l4_hdr_len));
	memcpy(p - ETH_HDR_LEN, n->eth, ETH_HDR_LEN);
	wire_put32_be(p, w0);
	wire_put32_be(p + 4, w1);
	wire_put32_be(p + 12, h.src_be);
	wire_put32_be(p + 16, h.dst_be);
	if (offloads & PC_PORT_TX_IP4_CKSUM) {
		m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
		m->l2_len = ETH_HDR_LEN;
		m->l3_len = IP4_HDR_LEN;
		wire_put32_be(p + 8, w2);
	} else {
		wire_put32_be(p + 8, w2 | (uint32_t)cksum_finish_be(addrs + w0 + w1 + w2) << 16);
	}
	txq_put(q, ip->ctx, m);
}

/** ip_fast_output6 does the same over IPv6, with the flow label of RFC 6437 section 3. hops 0: the
 * value advertised by a router, or the default. */
static __rte_always_inline void ip_fast_output6(struct ip *ip, const struct neigh *n,
                                                struct rte_mbuf *m, uint8_t *l4,
                                                uint16_t l4_hdr_len, uint64_t sum, bool summed,
                                                const struct pc_addr *src,
                                                const struct pc_addr *dst, uint8_t hops,
                                                uint8_t tos)
{
	struct netif *nif = &ip->ifs.netif[n->netif];
	const uint32_t l4_len = m->pkt_len - IP_FAST_HDR_LEN6;
	const uint32_t label = ip6_label(ip, src, dst, IPPROTO_TCP, wire_get32_be(l4));
	uint8_t *p = l4 - IP6_HDR_LEN;

	if (hops == 0)
		hops = nif->hops != 0 ? nif->hops : (uint8_t)ip->ctx->cfg.ip_ttl;
	wire_put16_be(l4 + 16, ip_fast_cksum(m, false, IPPROTO_TCP, nif->txq.port->info.offloads,
	                                     cksum_pseudo(src, dst, IPPROTO_TCP, l4_len), sum,
	                                     summed, l4_hdr_len));
	memcpy(p - ETH_HDR_LEN, n->eth, ETH_HDR_LEN);
	wire_put32(p, 6u << 28 | (uint32_t)tos << 20 | label);
	wire_put32(p + 4, l4_len << 16 | IPPROTO_TCP << 8 | hops);
	memcpy(p + 8, src, sizeof(*src));
	memcpy(p + 24, dst, sizeof(*dst));
	txq_put(&nif->txq, ip->ctx, m);
}

#endif
