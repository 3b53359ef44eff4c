/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast groups: joining, leaving, and routers' IGMP queries about them. */

#include <errno.h>
#include <netinet/in.h>

#include <rte_mbuf.h>

#include "ip/ip.h"
#include "neigh/group.h"
#include "wire/cksum.h"

int ip_group_join(struct ip *ip, int netif, const struct pc_addr *group)
{
	if (netif < 0 || netif >= ip->ifs.n || !pc_addr_is_multicast(group))
		return -EINVAL;
	if (!pc_addr_is_ip4(group) && ip->ifs.netif[netif].link_local == LADDR_NONE)
		return -ENODEV;
	if (!group_has_room(ip->neigh, (uint8_t)netif, group))
		return -ENOBUFS;
	return group_join(ip->neigh, (uint8_t)netif, group) ? 0 : -ENOBUFS;
}

int ip_group_leave(struct ip *ip, int netif, const struct pc_addr *group)
{
	if (netif < 0 || netif >= ip->ifs.n || !netifs_is_member(&ip->ifs, (uint8_t)netif, group))
		return -EADDRNOTAVAIL;
	group_leave(ip->neigh, (uint8_t)netif, group);
	return 0;
}

int ip_group_netif(struct ip *ip, const struct pc_addr *group)
{
	struct ip_path path;

	if (!pc_addr_is_multicast(group) || ip_path_find(ip, group, LADDR_NONE, &path) != 0)
		return -ENODEV;
	return path.netif;
}

/* RFC 3376 section 9.1: a general query is sent to all hosts, and IGMP messages never
 * cross a router. */
static bool is_of_the_link(const struct ip_pkt *p, const struct igmp_msg *msg)
{
	if (p->ttl != 1)
		return false;
	return msg->type != IGMP_QUERY || msg->group_be != 0 ||
	       pc_addr_get_ip4(&p->dst) == __builtin_bswap32(IGMP_ALL_HOSTS);
}

int igmp_input(struct ip *ip, struct rte_mbuf *m, const struct ip_pkt *p)
{
	struct igmp_msg msg;

	if (igmp_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, p->l4_off), p->l4_len, &msg) < 0)
		return PC_DROP_IGMP_MALFORMED;
	if (!cksum_is_good(cksum_add_mbuf(0, m, p->l4_off, p->l4_len)) || !is_of_the_link(p, &msg))
		return PC_DROP_IGMP_MALFORMED;
	switch (msg.type) {
	case IGMP_QUERY:
	case IGMP_REPORT_V1:
	case IGMP_REPORT_V2:
		igmp_message(ip->neigh, p->netif, &msg);
		return PC_DROP_IGMP_DONE;
	default: /* for routers */
		return PC_DROP_IGMP_IGNORED;
	}
}
