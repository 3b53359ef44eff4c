/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_ROUTE_H
#define IP_ROUTE_H

/* Routes, inside lib/ip. */

#include "ip/ip.h"

/** route_add_connected adds the route to the network of an address of ours; there must be room. */
void route_add_connected(struct ip *ip, uint16_t laddr);

/** route_network returns a network with the bits beyond its length cleared. */
struct pc_prefix route_network(const struct pc_prefix *p);

/** route_is_set says whether somebody has set a route to this network by this interface. */
bool route_is_set(const struct ip *ip, const struct pc_prefix *dest, uint8_t netif);

/** route_insert adds a route; there must be room. */
void route_insert(struct ip *ip, const struct route *r);

/** route_del takes a route away by its index. */
void route_del(struct ip *ip, uint16_t index);

/** route_first_hop finds to whom packets to dst go by an interface. Returns false when there is no
 * route, or dst is on the link. */
bool route_first_hop(const struct ip *ip, const struct pc_addr *dst, uint8_t netif,
                     struct pc_addr *hop);

#endif
