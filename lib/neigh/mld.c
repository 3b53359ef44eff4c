/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multicast listeners (RFC 3810; RFC 2710 towards an older querier).
 *
 * A switch that snoops sends a group only to ports from which it has heard of it, solicited-node
 * groups included, so a host that says nothing cannot be found by its neighbours.  A listener to any
 * source needs one record: "I have joined" (sent twice), "I listen" to a query, "I have left".
 *
 * Ownership: a group is kept while anybody wants it (refs); the all-nodes group needs no report
 * (RFC 3810 section 6), nor does one whose scope is the host itself.
 */

#include "neigh/nd.h"
#include "neigh/table.h"
#include "wire/ip6.h"

/* RFC 3810 section 9: the Robustness Variable, and the Unsolicited Report Interval */
#define REPORTS     2
#define INTERVAL_MS 1000
/* section 9.12: how long an older querier counts as present: 2 * 125 s + 10 s */
#define V1_NS UINT64_C(260000000000)

#define MS_NS UINT64_C(1000000)

static struct group *find(struct netifs *ifs, uint8_t netif, const struct pc_addr *addr)
{
	for (uint16_t i = 0; i < ifs->nb_groups; i++)
		if (ifs->group[i].refs != 0 && ifs->group[i].netif == netif &&
		    pc_addr_equal(&ifs->group[i].addr, addr))
			return &ifs->group[i];
	return NULL;
}

static struct group *take_free(struct netifs *ifs)
{
	for (uint16_t i = 0; i < ifs->nb_groups; i++)
		if (ifs->group[i].refs == 0)
			return &ifs->group[i];
	return ifs->nb_groups < NETIFS_GROUPS ? &ifs->group[ifs->nb_groups++] : NULL;
}

static bool is_reported(const struct pc_addr *group)
{
	const struct pc_addr all = ip6_all_nodes();

	return !pc_addr_equal(group, &all) && ip6_group_scope(group) > 1;
}

/* Sends one report; without a link-local address that is ready, from none (RFC 3590). */
static void report(struct neigh_table *nt, uint8_t netif, uint8_t kind, const struct pc_addr *group)
{
	const struct netif *nif = &nt->ifs->netif[netif];
	struct nd_out o = {.dst = ip6_mld_routers(), .netif = netif, .hops = 1, .alert = true};
	uint8_t msg[8 + MLD_RECORD_LEN];
	uint16_t len;

	if (nif->link_local != LADDR_NONE && netifs_is_usable(nt->ifs, nif->link_local))
		o.src = nt->ifs->addr[nif->link_local].addr;
	if (nt->ctx->now_ns < nif->mld_v1_ns) {
		const bool leaves = kind == MLD_TO_INCLUDE;

		o.dst = leaves ? ip6_all_routers() : *group;
		len = mld_write_v1(msg, leaves ? MLD_DONE_V1 : MLD_REPORT_V1, group);
	} else {
		len = mld_write_report(msg, kind, group);
	}
	if (nd_send_msg(nt, &o, msg, len))
		ctx_count(nt->ctx, PC_MLD_REPORTS_TX);
}

bool mld_join(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group)
{
	struct group *g = find(nt->ifs, netif, group);

	if (g != NULL) {
		g->refs++;
		return true;
	}
	g = take_free(nt->ifs);
	if (g == NULL)
		return false;
	*g = (struct group){.addr = *group, .netif = netif, .refs = 1, .due_ns = UINT64_MAX};
	if (!is_reported(group))
		return true;
	report(nt, netif, MLD_TO_EXCLUDE, group);
	g->reports = REPORTS - 1;
	g->due_ns = nt->ctx->now_ns + (1 + rng_below(&nt->ctx->rng, INTERVAL_MS)) * MS_NS;
	netifs_due(nt->ifs, g->due_ns);
	return true;
}

void mld_leave(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group)
{
	struct group *g = find(nt->ifs, netif, group);

	if (g == NULL || --g->refs != 0)
		return;
	if (is_reported(group))
		report(nt, netif, MLD_TO_INCLUDE, group);
}

void mld_query(struct neigh_table *nt, uint8_t netif, const struct mld_query *q)
{
	struct netifs *ifs = nt->ifs;

	if (q->v1)
		ifs->netif[netif].mld_v1_ns = nt->ctx->now_ns + V1_NS;
	for (uint16_t i = 0; i < ifs->nb_groups; i++) {
		struct group *g = &ifs->group[i];
		uint64_t due_ns;

		if (g->refs == 0 || g->netif != netif || !is_reported(&g->addr) ||
		    (!pc_addr_is_any(&q->group) && !pc_addr_equal(&q->group, &g->addr)))
			continue;
		due_ns = nt->ctx->now_ns + rng_below(&nt->ctx->rng, q->delay_ms + 1) * MS_NS;
		if (due_ns >= g->due_ns)
			continue;
		g->due_ns = due_ns;
		netifs_due(ifs, due_ns);
	}
}

uint64_t mld_poll(struct neigh_table *nt)
{
	struct netifs *ifs = nt->ifs;
	uint64_t next = UINT64_MAX;

	for (uint16_t i = 0; i < ifs->nb_groups; i++) {
		struct group *g = &ifs->group[i];

		if (g->refs == 0)
			continue;
		if (g->due_ns <= nt->ctx->now_ns) {
			report(nt, g->netif, g->reports > 0 ? MLD_TO_EXCLUDE : MLD_IS_EXCLUDE,
			       &g->addr);
			g->reports = (uint8_t)(g->reports > 0 ? g->reports - 1 : 0);
			g->due_ns = UINT64_MAX;
		}
		next = g->due_ns < next ? g->due_ns : next;
	}
	return next;
}
