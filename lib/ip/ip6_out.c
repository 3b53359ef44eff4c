/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6 output: the fixed header. */

#include <assert.h>
#include <netinet/in.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "ip/output.h"
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

uint32_t ip6_label_of(const struct ip *ip, const struct ip_send *s, const struct rte_mbuf *m)
{
	const bool ports = s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP;

	return ip6_label(ip, &s->src, &s->dst, s->proto,
	                 ports ? wire_get32_be(rte_pktmbuf_mtod(m, const uint8_t *)) : 0);
}

void ip6_push(struct ip *ip, const struct ip_path *path, const struct ip_send *s,
              struct rte_mbuf *m, uint8_t next, uint32_t label)
{
	const struct ip6_hdr h = {.tclass = s->tos,
	                          .next = next,
	                          .hops = hops_of(ip, path, s),
	                          .payload_len = (uint16_t)m->pkt_len,
	                          .label = label,
	                          .src = s->src,
	                          .dst = s->dst};
	char *p = rte_pktmbuf_prepend(m, IP6_HDR_LEN);

	assert(p != NULL);
	ip6_write((uint8_t *)p, &h);
	m->l2_len = ETH_HDR_LEN;
	m->l3_len = IP6_HDR_LEN;
	if (unlikely(path->multicast && ip6_group_scope(&s->dst) <= IP6_SCOPE_HOST))
		rte_pktmbuf_free(m); /* for this host only (RFC 4291 section 2.7) */
	else if (unlikely(path->multicast))
		neigh_output_multicast(ip->neigh, path->netif, m, &s->dst);
	else
		neigh_output(ip->neigh, path->neigh, m);
}
