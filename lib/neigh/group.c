/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multicast groups of both families.
 *
 * A switch that snoops forwards a group only to ports from which it has received reports of it,
 * solicited-node groups included, so a host that sends no reports cannot be found by its
 * neighbours.  A listener to any source needs one record per report: "I have joined", "I listen" in
 * answer to a query, "I have left"; changes are reported twice, as a report may be lost.
 *
 * Ownership: a group is kept while anything refers to it (refs), and then its slot until leaving
 * has been reported twice, unless another group needs the slot.  The all-nodes groups need no
 * reports (RFC 3810 section 6, RFC 3376 section 5), nor does a group with interface-local scope.
 */

#include "neigh/group.h"

#include <rte_common.h>

#include "neigh/table.h"
#include "wire/ip6.h"

/* RFC 3810 section 9, RFC 3376 section 8: Robustness Variable and Unsolicited Report Interval */
#define REPORTS     2
#define INTERVAL_MS 1000
/* Answers are spread over this time at least, and none that is due within it is hastened: a query is
 * answered by a report for each group, so that forged ones that want answers at once would flood the
 * link */
#define SPREAD_MS 20

#define MS_NS UINT64_C(1000000)

static struct group *find(struct netifs *ifs, uint8_t netif, const struct pc_addr *addr)
{
	for (uint16_t i = 0; i < ifs->nb_groups; i++)
		if (ifs->group[i].refs != 0 && ifs->group[i].netif == netif &&
		    pc_addr_equal(&ifs->group[i].addr, addr))
			return &ifs->group[i];
	return NULL;
}

/* A slot for a group: the one where reports of its leaving are pending, which are cancelled; else a
 * free one; else one where those of another group are pending. */
static struct group *take_place(struct netifs *ifs, uint8_t netif, const struct pc_addr *addr)
{
	struct group *left = NULL, *free = NULL;

	for (uint16_t i = 0; i < ifs->nb_groups; i++) {
		struct group *g = &ifs->group[i];

		if (g->refs != 0)
			continue;
		if (g->reports != 0 && g->netif == netif && pc_addr_equal(&g->addr, addr))
			return g;
		*(g->reports != 0 ? &left : &free) = g;
	}
	if (free == NULL && ifs->nb_groups < NETIFS_GROUPS)
		free = &ifs->group[ifs->nb_groups++];
	return free != NULL ? free : left;
}

static bool is_reported(const struct pc_addr *group)
{
	const struct pc_addr all = ip6_all_nodes();

	if (pc_addr_is_ip4(group))
		return pc_addr_get_ip4(group) != __builtin_bswap32(IGMP_ALL_HOSTS);
	return !pc_addr_equal(group, &all) && ip6_group_scope(group) > IP6_SCOPE_HOST;
}

static void report(struct neigh_table *nt, uint8_t netif, enum group_change what,
                   const struct pc_addr *group)
{
	if (pc_addr_is_ip4(group))
		igmp_report(nt, netif, what, group);
	else
		mld_report(nt, netif, what, group);
}

static void set_report_due(struct neigh_table *nt, struct group *g, uint32_t below_ms)
{
	const uint64_t due_ns = nt->ctx->now_ns + rng_below(&nt->ctx->rng, below_ms) * MS_NS;

	if (due_ns >= g->due_ns)
		return;
	g->due_ns = due_ns;
	netifs_due(nt->ifs, due_ns);
}

/* Says whether an older version is spoken, which reports leaving only once (RFC 2236 section 3,
 * RFC 2710 section 4). */
static bool is_older(const struct neigh_table *nt, uint8_t netif, bool ip4)
{
	const struct netif *nif = &nt->ifs->netif[netif];

	return nt->ctx->now_ns < (ip4 ? RTE_MAX(nif->igmp_v1_ns, nif->igmp_v2_ns) : nif->mld_v1_ns);
}

bool group_has_room(const struct neigh_table *nt, uint8_t netif, const struct pc_addr *group)
{
	unsigned used = 0;

	for (uint16_t i = 0; i < nt->ifs->nb_groups; i++)
		used += nt->ifs->group[i].refs != 0;
	return used < NETIFS_GROUPS_ASKED || netifs_is_member(nt->ifs, netif, group);
}

bool group_join(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group)
{
	struct group *g = find(nt->ifs, netif, group);

	if (g != NULL && g->refs == UINT16_MAX)
		return false;
	if (g != NULL) {
		g->refs++;
		return true;
	}
	g = take_place(nt->ifs, netif, group);
	if (g == NULL)
		return false;
	*g = (struct group){.addr = *group, .netif = netif, .refs = 1, .due_ns = UINT64_MAX};
	if (!is_reported(group))
		return true;
	report(nt, netif, GROUP_JOINED, group);
	g->reports = REPORTS - 1;
	set_report_due(nt, g, INTERVAL_MS);
	return true;
}

void group_leave(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group)
{
	struct group *g = find(nt->ifs, netif, group);

	if (g == NULL || --g->refs != 0)
		return;
	g->reports = 0;
	g->due_ns = UINT64_MAX;
	if (!is_reported(group))
		return;
	report(nt, netif, GROUP_LEFT, group);
	if (is_older(nt, netif, pc_addr_is_ip4(group)))
		return;
	g->reports = REPORTS - 1;
	set_report_due(nt, g, INTERVAL_MS);
}

/* Has a group reported after a random fraction of delay_ms, or before if that is due already. */
static void answer(struct neigh_table *nt, struct group *g, uint32_t delay_ms)
{
	if (g->due_ns > nt->ctx->now_ns + SPREAD_MS * MS_NS)
		set_report_due(nt, g, delay_ms + 1);
}

void group_asked(struct neigh_table *nt, uint8_t netif, bool ip4, const struct pc_addr *group,
                 uint32_t delay_ms)
{
	for (uint16_t i = 0; i < nt->ifs->nb_groups; i++) {
		struct group *g = &nt->ifs->group[i];

		if (g->refs != 0 && g->netif == netif && pc_addr_is_ip4(&g->addr) == ip4 &&
		    is_reported(&g->addr) && (group == NULL || pc_addr_equal(group, &g->addr)))
			answer(nt, g, RTE_MAX(delay_ms, (uint32_t)SPREAD_MS));
	}
}

void group_unasked(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group)
{
	struct group *g = find(nt->ifs, netif, group);

	if (g == NULL)
		return;
	g->reports = 0;
	g->due_ns = UINT64_MAX;
}

static void report_again(struct neigh_table *nt, uint8_t netif, bool ip4)
{
	for (uint16_t i = 0; i < nt->ifs->nb_groups; i++) {
		struct group *g = &nt->ifs->group[i];

		if (g->refs == 0 || g->netif != netif || pc_addr_is_ip4(&g->addr) != ip4 ||
		    !is_reported(&g->addr))
			continue;
		g->reports = REPORTS;
		set_report_due(nt, g, INTERVAL_MS);
	}
}

void group_again6(struct neigh_table *nt, uint8_t netif)
{
	report_again(nt, netif, false);
}

void group_again(struct neigh_table *nt, uint8_t netif)
{
	report_again(nt, netif, true);
	report_again(nt, netif, false);
}

/* Sends the report that is due for a group. */
static void send_due(struct neigh_table *nt, struct group *g)
{
	const enum group_change what = g->refs == 0     ? GROUP_LEFT
	                               : g->reports > 0 ? GROUP_JOINED
	                                                : GROUP_LISTENS;

	g->due_ns = UINT64_MAX;
	/* RFC 3376 section 7.2.1: an older querier has appeared meanwhile */
	if (what == GROUP_LEFT && is_older(nt, g->netif, pc_addr_is_ip4(&g->addr))) {
		g->reports = 0;
		return;
	}
	report(nt, g->netif, what, &g->addr);
	g->reports = (uint8_t)(g->reports > 0 ? g->reports - 1 : 0);
	if (g->reports > 0)
		set_report_due(nt, g, INTERVAL_MS);
}

uint64_t groups_poll(struct neigh_table *nt)
{
	uint64_t next = UINT64_MAX;

	for (uint16_t i = 0; i < nt->ifs->nb_groups; i++) {
		struct group *g = &nt->ifs->group[i];

		if (g->refs == 0 && g->reports == 0)
			continue;
		if (g->due_ns <= nt->ctx->now_ns)
			send_due(nt, g);
		next = g->due_ns < next ? g->due_ns : next;
	}
	return next;
}
