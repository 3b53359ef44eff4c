/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IGMP, the host's side (RFC 3376; RFC 2236 and RFC 1112 with older queriers): what is reported
 * about groups.
 *
 * The version used follows from the queries received (RFC 3376 section 7.2.1): after one of an
 * older version, that version for 260 s.  In versions 1 and 2 a host suppresses its report when
 * another host has reported the same group (RFC 2236 section 3).
 */

#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "neigh/group.h"
#include "neigh/table.h"
#include "wire/ip4.h"

/* RFC 3376 section 4: internetwork control */
#define TOS 0xc0

static unsigned version_of(const struct neigh_table *nt, const struct netif *nif)
{
	if (nt->ctx->now_ns < nif->igmp_v1_ns)
		return 1;
	return nt->ctx->now_ns < nif->igmp_v2_ns ? 2 : 3;
}

/* Sends a message to a group on the link, with a router alert (RFC 2113), and from 0.0.0.0 while
 * there is no address (RFC 3376 section 4.2.13). */
static void send_msg(struct neigh_table *nt, uint8_t netif, uint32_t group_be, const uint8_t *msg,
                     uint16_t len)
{
	const struct netif *nif = &nt->ifs->netif[netif];
	const uint16_t laddr = netifs_find_first(nt->ifs, netif);
	struct ip4_hdr ip = {.tos = TOS,
	                     .total_len = (uint16_t)(IP4_ALERT_LEN + len),
	                     .df = true,
	                     .ttl = 1,
	                     .proto = IPPROTO_IGMP,
	                     .dst_be = group_be};
	struct eth_hdr eth = {.type = ETH_TYPE_IP4};
	struct rte_mbuf *m = ctx_mbuf(nt->ctx);
	uint8_t *p;

	if (m == NULL)
		return;
	if (laddr != LADDR_NONE)
		ip.src_be = pc_addr_get_ip4(&nt->ifs->addr[laddr].addr);
	memcpy(eth.src, nif->port->info.mac, ETH_ADDR_LEN);
	eth_set_group(eth.dst, group_be);
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(ETH_HDR_LEN + ip.total_len));
	p += eth_write(p, &eth);
	p += ip4_write_alert(p, &ip);
	memcpy(p, msg, len);
	txq_put(&nt->ifs->netif[netif].txq, nt->ctx, m);
	ctx_count(nt->ctx, PC_IGMP_REPORTS_TX);
}

void igmp_report(struct neigh_table *nt, uint8_t netif, enum group_change what,
                 const struct pc_addr *group)
{
	const unsigned version = version_of(nt, &nt->ifs->netif[netif]);
	const uint32_t group_be = pc_addr_get_ip4(group);
	uint8_t msg[IGMP_V3_LEN];

	if (version == 3)
		send_msg(nt, netif, __builtin_bswap32(IGMP_V3_ROUTERS), msg,
		         igmp_write_v3(msg, (uint8_t)what, group_be));
	else if (what != GROUP_LEFT)
		send_msg(nt, netif, group_be, msg,
		         igmp_write(msg, version == 2 ? IGMP_REPORT_V2 : IGMP_REPORT_V1, group_be));
	else if (version == 2) /* version 1 has no leave message */
		send_msg(nt, netif, __builtin_bswap32(IGMP_ALL_ROUTERS), msg,
		         igmp_write(msg, IGMP_LEAVE_V2, group_be));
}

void igmp_message(struct neigh_table *nt, uint8_t netif, const struct igmp_msg *msg)
{
	struct netif *nif = &nt->ifs->netif[netif];
	const struct pc_addr group = pc_addr_ip4(msg->group_be);

	if (msg->type == IGMP_QUERY) {
		if (msg->version == 1)
			nif->igmp_v1_ns = nt->ctx->now_ns + GROUP_OLDER_NS;
		if (msg->version == 2)
			nif->igmp_v2_ns = nt->ctx->now_ns + GROUP_OLDER_NS;
		group_asked(nt, netif, true, msg->group_be == 0 ? NULL : &group, msg->delay_ms);
	} else if (version_of(nt, nif) < 3) {
		group_unasked(nt, netif, &group);
	}
}
