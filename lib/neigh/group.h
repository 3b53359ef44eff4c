/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_GROUP_H
#define NEIGH_GROUP_H

/*
 * The multicast groups that interfaces listen to, of both families, and the reports about them: by
 * IGMP (RFC 3376, RFC 2236) for IPv4, by MLD (RFC 3810, RFC 2710) for IPv6.
 */

#include <stdbool.h>
#include <stdint.h>

#include "neigh/neigh.h"
#include "wire/igmp.h"
#include "wire/nd.h"

/** What a report says about a group; the numbers are those of both protocols' records. */
enum group_change {
	GROUP_LISTENS = MLD_IS_EXCLUDE, /* in answer to a query */
	GROUP_LEFT = MLD_TO_INCLUDE,
	GROUP_JOINED = MLD_TO_EXCLUDE,
};

static_assert((int)MLD_IS_EXCLUDE == IGMP_IS_EXCLUDE && (int)MLD_TO_INCLUDE == IGMP_TO_INCLUDE &&
                  (int)MLD_TO_EXCLUDE == IGMP_TO_EXCLUDE,
              "both protocols have the same kinds of records");

/** RFC 3376 section 8.12, RFC 3810 section 9.12: how long an older querier counts as present. */
#define GROUP_OLDER_NS UINT64_C(260000000000)

/** group_join starts listening to a group, and tells the routers. Returns false when there
 * are too many. */
bool group_join(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group);

/** group_has_room says whether a socket may have an interface listen to a group: it does already, or
 * there is more room than our own addresses may need, without whose groups no neighbour finds us. */
bool group_has_room(const struct neigh_table *nt, uint8_t netif, const struct pc_addr *group);

/** group_leave undoes one group_join; without one it does nothing. */
void group_leave(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group);

/**
 * group_asked answers a query about the groups that an interface listens to, after a random
 * fraction of delay_ms; ip4: about those of IPv4. group: only this one; NULL: all.
 */
void group_asked(struct neigh_table *nt, uint8_t netif, bool ip4, const struct pc_addr *group,
                 uint32_t delay_ms);

/** group_unasked cancels a pending answer because another host has already sent it. */
void group_unasked(struct neigh_table *nt, uint8_t netif, const struct pc_addr *group);

/** group_again reports all groups of an interface again, as when its link has come up; group_again6
 * those of IPv6 alone. */
void group_again(struct neigh_table *nt, uint8_t netif);
void group_again6(struct neigh_table *nt, uint8_t netif);

/** groups_poll sends the reports that are due, and returns when the next one is. */
uint64_t groups_poll(struct neigh_table *nt);

/* ---- per family ---- */

/** mld_report and igmp_report send one report, in the version that the link's querier speaks. */
void mld_report(struct neigh_table *nt, uint8_t netif, enum group_change what,
                const struct pc_addr *group);
void igmp_report(struct neigh_table *nt, uint8_t netif, enum group_change what,
                 const struct pc_addr *group);

/** mld_query handles a query. */
void mld_query(struct neigh_table *nt, uint8_t netif, const struct mld_query *q);

/** igmp_message handles a query, or another host's report of an older version. */
void igmp_message(struct neigh_table *nt, uint8_t netif, const struct igmp_msg *msg);

#endif
