/* SPDX-License-Identifier: BSD-2-Clause */
/* Multicast listener discovery (RFC 3810; RFC 2710 with an older querier): what is
 * reported about groups. */

#include "neigh/group.h"
#include "neigh/nd.h"
#include "neigh/table.h"
#include "wire/ip6.h"

/* Until the link-local address is ready, reports come from :: (RFC 3590); if it is a duplicate,
 * none are sent. */
void mld_report(struct neigh_table *nt, uint8_t netif, enum group_change what,
                const struct pc_addr *group)
{
	const struct netif *nif = &nt->ifs->netif[netif];
	struct nd_out o = {.dst = ip6_mld_routers(), .netif = netif, .hops = 1, .alert = true};
	uint8_t msg[8 + MLD_RECORD_LEN];
	uint16_t len;

	if (!netifs_speaks_ip6(nt->ifs, netif))
		return;
	if (netifs_is_usable(nt->ifs, nif->link_local))
		o.src = nt->ifs->addr[nif->link_local].addr;
	if (nt->ctx->now_ns < nif->mld_v1_ns) {
		const bool leaves = what == GROUP_LEFT;

		o.dst = leaves ? ip6_all_routers() : *group;
		len = mld_write_v1(msg, leaves ? MLD_DONE_V1 : MLD_REPORT_V1, group);
	} else {
		len = mld_write_report(msg, (uint8_t)what, group);
	}
	if (nd_send_msg(nt, &o, msg, len))
		ctx_count(nt->ctx, PC_MLD_REPORTS_TX);
}

void mld_query(struct neigh_table *nt, uint8_t netif, const struct mld_query *q)
{
	if (q->v1)
		nt->ifs->netif[netif].mld_v1_ns = nt->ctx->now_ns + GROUP_OLDER_NS;
	group_asked(nt, netif, false, pc_addr_is_any(&q->group) ? NULL : &q->group, q->delay_ms);
}
