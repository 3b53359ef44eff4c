/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 output: the header and the checksums. */

#include <assert.h>
#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "ip/frag.h"
#include "ip/output.h"
#include "wire/cksum.h"
#include "wire/eth.h"
#include "wire/ip4.h"

#define VERSION_AND_LENGTH 0x45

static uint64_t offload_flag(uint32_t offloads, uint8_t proto)
{
	if (proto == IPPROTO_TCP && (offloads & PC_PORT_TX_TCP_CKSUM) != 0)
		return RTE_MBUF_F_TX_TCP_CKSUM;
	if (proto == IPPROTO_UDP && (offloads & PC_PORT_TX_UDP_CKSUM) != 0)
		return RTE_MBUF_F_TX_UDP_CKSUM;
	return 0;
}

void ip_l4_checksum(const struct ip *ip, const struct ip_path *path, const struct ip_send *s,
                    struct rte_mbuf *m, uint16_t l4_hdr_len, uint16_t cksum_off)
{
	const uint64_t flag = offload_flag(ip_port(ip, path->netif)->info.offloads, s->proto);
	uint8_t *field = rte_pktmbuf_mtod_offset(m, uint8_t *, cksum_off);
	uint64_t sum;

	m->ol_flags &= ~(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 |
	                 RTE_MBUF_F_TX_IP_CKSUM);
	m->l4_len = (uint8_t)l4_hdr_len;
	if (flag != 0) {
		/* a port that segments the packet adds each segment's length itself */
		const bool cut = (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;

		m->ol_flags |= flag | (likely(pc_addr_is_ip4(&s->dst)) ? RTE_MBUF_F_TX_IPV4
		                                                       : RTE_MBUF_F_TX_IPV6);
		sum = cksum_pseudo(&s->src, &s->dst, s->proto, cut ? 0 : m->pkt_len);
		wire_put16_be(field, cksum_fold_be(sum));
		return;
	}
	sum = cksum_pseudo(&s->src, &s->dst, s->proto, m->pkt_len);
	if (s->summed)
		sum = cksum_add64(cksum_add(sum, rte_pktmbuf_mtod(m, const uint8_t *), l4_hdr_len),
		                  s->payload_sum);
	else
		sum = cksum_add_mbuf(sum, m, 0, m->pkt_len);
	wire_put16_be(field,
	              s->proto == IPPROTO_UDP ? cksum_finish_udp_be(sum) : cksum_finish_be(sum));
}

static uint8_t ttl_of(const struct ip *ip, const struct ip_path *path, const struct ip_send *s)
{
	if (s->ttl != 0)
		return s->ttl;
	/* RFC 1112 section 6.1: multicast stays on the link unless told otherwise */
	return path->multicast ? 1 : (uint8_t)ip->ctx->cfg.ip_ttl;
}

/* Writes the header as five words, summing them as it goes. */
static void write_header(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
                         uint8_t *p, uint32_t total_len, uint32_t w1)
{
	const uint32_t w0 = (uint32_t)VERSION_AND_LENGTH << 24 | (uint32_t)s->tos << 16 | total_len;
	const uint32_t w2 = (uint32_t)ttl_of(ip, path, s) << 24 | (uint32_t)s->proto << 16;
	const uint64_t sum = (uint64_t)s->src.w[3] + s->dst.w[3] + __builtin_bswap32(w0) +
	                     __builtin_bswap32(w1) + __builtin_bswap32(w2);

	wire_put32(p, w0);
	wire_put32(p + 4, w1);
	wire_put32(p + 8, w2);
	wire_put32_be(p + 12, s->src.w[3]);
	wire_put32_be(p + 16, s->dst.w[3]);
	if ((ip_port(ip, path->netif)->info.offloads & PC_PORT_TX_IP4_CKSUM) == 0)
		wire_put16_be(p + 10, cksum_finish_be(sum));
}

void ip_drop(struct ip *ip, struct rte_mbuf *m, int counter)
{
	rte_pktmbuf_free(m);
	ctx_count(ip->ctx, counter);
}

void ip4_output_header(struct ip *ip, const struct ip_path *path, struct rte_mbuf *m,
                       const struct pc_addr *dst)
{
	if (unlikely(path->broadcast))
		neigh_output_broadcast(ip->neigh, path->netif, m);
	else if (unlikely(path->multicast))
		neigh_output_multicast(ip->neigh, path->netif, m, dst);
	else
		neigh_output(ip->neigh, path->neigh, m);
}

void ip4_push(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
              struct rte_mbuf *m, uint32_t word)
{
	const uint32_t total_len = m->pkt_len + IP4_HDR_LEN;
	char *p = rte_pktmbuf_prepend(m, IP4_HDR_LEN);

	assert(p != NULL);
	write_header(ip, path, s, (uint8_t *)p, total_len, word);
	m->l2_len = ETH_HDR_LEN;
	m->l3_len = IP4_HDR_LEN;
	if ((ip_port(ip, path->netif)->info.offloads & PC_PORT_TX_IP4_CKSUM) != 0)
		m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	ip4_output_header(ip, path, m, &s->dst);
}

/* Says whether a packet is too large for its path and the port does not segment it. */
static bool is_too_big(const struct ip_path *path, const struct rte_mbuf *m, uint32_t hdr_len)
{
	return m->pkt_len + hdr_len > path->mtu && (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0;
}

/* The one place where IPv4 and IPv6 output diverge. */
static void send_packet(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
                        struct rte_mbuf *m)
{
	if (unlikely(is_too_big(path, m, ip_hdr_len(&s->dst))))
		ip_fragment(ip, path, s, m);
	else if (likely(pc_addr_is_ip4(&s->dst)))
		ip4_push(ip, path, s, m, s->df ? (uint32_t)IP4_FRAG_DF : ip_make_id(ip, s) << 16);
	else
		ip6_push(ip, path, s, m, s->proto, ip6_label_of(ip, s, m));
}

/* The ports of a packet that begins with its transport header. */
static uint32_t ports_of(const struct ip_send *s, const struct rte_mbuf *m)
{
	const bool ports = s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP;

	return ports ? wire_get32(rte_pktmbuf_mtod(m, const uint8_t *)) : 0;
}

void ip_output(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
               struct rte_mbuf *m)
{
	struct ip_path fresh;

	if (likely(ip_path_is_good(ip, path))) {
		send_packet(ip, path, s, m);
	} else if (ip_path_find_flow(ip, &s->dst, path->laddr, ports_of(s, m), &fresh) == 0 &&
	           fresh.netif == path->netif) {
		/* the same source address, hence the same port, so the checksum is still right,
		 * unless the destination has become, or ceased to be, an address of ours */
		send_packet(ip, &fresh, s, m);
	} else {
		ip_drop(ip, m, PC_TX_NO_ROUTE);
	}
}
