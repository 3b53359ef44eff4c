/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_ROUTE_H
#define IP_ROUTE_H

/* Inside lib/ip: the routing table, and the gateways that routes use. */

#include "ip/ip.h"

/** routes_footprint returns the bytes that routes_init takes. */
uint64_t routes_footprint(const struct pc_stack_config *cfg);

/** routes_init makes the empty table: ip.routes places, and ROUTES_LEARNT for what the network says; key is
 * secret. Returns 0 or -ENOMEM. */
int routes_init(struct routes *rs, const struct ctx *ctx, const struct hash_key *key);
void routes_fini(struct routes *rs);

/** routes_validate checks the invariants. Returns the number of violations. */
unsigned routes_validate(const struct ip *ip);

/** routes_have_room says whether a route can be set. */
static inline bool routes_have_room(const struct ip *ip)
{
	return ip->routes.free[0] != 0;
}

/** route_add_connected adds the route to the network of an address of ours; there must be room. */
void route_add_connected(struct ip *ip, uint16_t laddr);

/** route_network returns a network with the bits beyond its length cleared. */
struct pc_prefix route_network(const struct pc_prefix *p);

/** route_is_set says whether somebody has set a route to this network by this interface. */
bool route_is_set(const struct ip *ip, const struct pc_prefix *dest, uint8_t netif);

/** route_insert adds a route. Returns 0, or -ENOSPC: no room for it, or for its gateway. */
int route_insert(struct ip *ip, const struct route *r);

/** route_del takes a route away by its index. */
void route_del(struct ip *ip, uint32_t index);

/** route_forget_addr takes away the routes that need an address of ours which has gone, unless another one does
 * for them. */
void route_forget_addr(struct ip *ip, uint16_t laddr);

/** route_unname has routes over IPv6, whose sources are chosen anew each time, not name an address of ours any more. */
void route_unname(struct ip *ip, uint16_t laddr);

/** route_first_to returns the first route to a network in its chain, the best (index + 1); 0: none. route_next_to returns
 * the next one to the same network: they stand together. */
uint32_t route_first_to(const struct routes *rs, const struct pc_prefix *net);
uint32_t route_next_to(const struct routes *rs, uint32_t i);

/** route_family numbers the families. ::/0 holds the mapped form of IPv4 too, and does not mean it: each family has its
 * own networks. */
static inline unsigned route_family(const struct pc_addr *a)
{
	return pc_addr_is_ip4(a) ? 0 : 1;
}

/** route_is_up says whether packets can go by a route, as far as anybody knows. */
static inline bool route_is_up(const struct ip *ip, const struct route *r)
{
	return r->by == GATEWAY_NONE || !ip->gateways.place[r->by].down;
}

/* ---- finding one (route_find.c) ---- */

#define ROUTE_ANY (-1)

/** What packets of one flow have in common besides their destination; what is not known is 0. */
struct ip_flow {
	struct pc_addr src;
	uint32_t ports; /* as ip_path_find_flow has them */
};

/** route_find_flow finds the best route to dst, by an interface or, with ROUTE_ANY, by any one; of equally good ones that
 * of the flow, and then *shared is set. NULL: none. */
const struct route *route_find_flow(const struct ip *ip, const struct pc_addr *dst, int netif,
                                    const struct ip_flow *flow, bool *shared);

/** route_find does so for a flow of which nothing else is known. */
const struct route *route_find(const struct ip *ip, const struct pc_addr *dst, int netif);

/** route_first_hop finds to whom packets to dst go by an interface. Returns false when there is no
 * route, or dst is on the link. */
bool route_first_hop(const struct ip *ip, const struct pc_addr *dst, uint8_t netif,
                     struct pc_addr *hop);

/** route_leads_back says whether a source is reached by an interface (RFC 3704 section 2.2); link-local ones and
 * those without an address are. */
bool route_leads_back(const struct ip *ip, const struct pc_addr *src, uint8_t netif);

/* ---- gateways (gateway.c) ---- */

/** gateway_take returns the place of a gateway, made if need be, with one more route by it; GATEWAY_NONE when
 * there is no room. gateway_put takes that route back. */
uint16_t gateway_take(struct ip *ip, uint8_t netif, const struct pc_addr *addr);
void gateway_put(struct ip *ip, uint16_t gateway);

/** gateway_would_fit says whether the gateway of a route would have a place if the other routes to its network went. */
bool gateway_would_fit(const struct ip *ip, const struct route *r);

/** gateway_poll notes which gateways have not answered, and asks those again. */
void gateway_poll(struct ip *ip);

#endif
