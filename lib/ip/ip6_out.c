/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv6, on the way out: the fixed header; extension headers are never sent.
 */

#include <assert.h>
#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "ip/ip.h"
#include "wire/eth.h"
#include "wire/ip6.h"

static uint8_t hops_of(const struct ip *ip, const struct ip_path *path, const struct ip_send *s)
{
	const uint8_t told = ip->ifs.netif[path->netif].hops;

	if (s->ttl != 0)
		return s->ttl;
	if (path->multicast) /* RFC 3493 section 5.2 */
		return 1;
	return told != 0 ? told : (uint8_t)ip->ctx->cfg.ip_ttl;
}

static uint32_t label_of(const struct ip *ip, const struct ip_send *s, const struct rte_mbuf *m)
{
	const bool ports = s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP;

	return ip6_label(ip, &s->src, &s->dst, s->proto,
	                 ports ? wire_get32_be(rte_pktmbuf_mtod(m, const uint8_t *)) : 0);
}

static void drop(struct ip *ip, struct rte_mbuf *m, int counter)
{
	rte_pktmbuf_free(m);
	ctx_count(ip->ctx, counter);
}

void ip6_send(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
              struct rte_mbuf *m)
{
	const struct ip6_hdr h = {.tclass = s->tos,
	                          .next = s->proto,
	                          .hops = hops_of(ip, path, s),
	                          .payload_len = (uint16_t)m->pkt_len,
	                          .label = label_of(ip, s, m),
	                          .src = s->src,
	                          .dst = s->dst};
	char *p;

	if (unlikely(m->pkt_len + IP6_HDR_LEN > path->mtu &&
	             (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) == 0)) {
		drop(ip, m, PC_TX_TOO_BIG);
		return;
	}
	p = rte_pktmbuf_prepend(m, IP6_HDR_LEN);
	assert(p != NULL);
	ip6_write((uint8_t *)p, &h);
	m->l2_len = ETH_HDR_LEN;
	m->l3_len = IP6_HDR_LEN;
	if (unlikely(path->multicast))
		neigh_output_multicast(ip->neigh, path->netif, m, &s->dst);
	else
		neigh_output(ip->neigh, path->neigh, m);
}
