/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_ROUTE_H
#define IP_ROUTE_H

/* Inside lib/ip: the routing table, and the gateways that routes use. */

#include "ip/ip.h"

/** routes_footprint returns the bytes that routes_init takes. */
uint64_t routes_footprint(const struct pc_stack_config *cfg);

/** routes_init makes an empty table: ip.routes slots, and ROUTES_LEARNT for routes learnt from the
 * network; key must be secret. Returns 0 or -ENOMEM. */
int routes_init(struct routes *rs, const struct ctx *ctx, const struct hash_key *key);
void routes_fini(struct routes *rs);

/** routes_validate checks the invariants. Returns the number of violations. */
unsigned routes_validate(const struct ip *ip);

/** routes_have_room says whether another route can be configured. */
static inline bool routes_have_room(const struct ip *ip)
{
	return ip->routes.free[0] != 0;
}

/** route_add_connected adds the route to the network of an address of ours; there must be room. */
void route_add_connected(struct ip *ip, uint16_t laddr);

/** route_network returns a network with the bits beyond its length cleared. */
struct pc_prefix route_network(const struct pc_prefix *p);

/** route_is_set says whether a route to this network through this interface has been configured. */
bool route_is_set(const struct ip *ip, const struct pc_prefix *dest, uint8_t netif);

/** route_insert adds a route. Returns 0, or -ENOSPC: no room for it, or for its gateway. */
int route_insert(struct ip *ip, const struct route *r);

/** route_del removes a route by its index. */
void route_del(struct ip *ip, uint32_t index);

/** route_forget_addr removes the routes that need an address of ours which has been removed, unless
 * another one can take its place. */
void route_forget_addr(struct ip *ip, uint16_t laddr);

/** route_unname makes IPv6 routes, whose source is chosen anew each time, stop referring to an
 * address of ours. */
void route_unname(struct ip *ip, uint16_t laddr);

/** route_first_to returns the first, and best, route to a network in its chain (index + 1); 0:
 * none. route_next_to returns the next one to the same network: they are adjacent. */
uint32_t route_first_to(const struct routes *rs, const struct pc_prefix *net);
uint32_t route_next_to(const struct routes *rs, uint32_t i);

/** route_family returns the number of an address's family. ::/0 contains IPv4's mapped form, but
 * does not mean it: each family has its own networks. */
static inline unsigned route_family(const struct pc_addr *a)
{
	return pc_addr_is_ip4(a) ? 0 : 1;
}

/** route_is_up says whether a route can be used, as far as is known. */
static inline bool route_is_up(const struct ip *ip, const struct route *r)
{
	return r->by == GATEWAY_NONE || !ip->gateways.place[r->by].down;
}

/* ---- lookup (route_find.c) ---- */

#define ROUTE_ANY (-1)

/** What the packets of one flow have in common besides their destination; unknown values are 0. */
struct ip_flow {
	struct pc_addr src;
	uint32_t ports; /* as for ip_path_find_flow */
};

/** route_find_flow finds the best route to dst, through one interface or, with ROUTE_ANY, any. Of
 * equally good ones it returns the flow's, and sets *shared. NULL: none. */
const struct route *route_find_flow(const struct ip *ip, const struct pc_addr *dst, int netif,
                                    const struct ip_flow *flow, bool *shared);

/** route_find does the same for an unknown flow. */
const struct route *route_find(const struct ip *ip, const struct pc_addr *dst, int netif);

/** route_first_hop finds the first hop of packets from src to dst through an interface. Returns
 * false when there is no route, or dst is on the link. */
bool route_first_hop(const struct ip *ip, const struct pc_addr *src, const struct pc_addr *dst,
                     uint8_t netif, struct pc_addr *hop);

/** route_leads_back says whether a source is reached through an interface (RFC 3704 section 2.2);
 * link-local and unspecified sources always are. */
bool route_leads_back(const struct ip *ip, const struct pc_addr *src, uint8_t netif);

/* ---- gateways (gateway.c) ---- */

/** gateway_take returns the index of a gateway, adding it if necessary, and counts one more route
 * through it; GATEWAY_NONE when there is no room. gateway_put takes that back. */
uint16_t gateway_take(struct ip *ip, uint8_t netif, const struct pc_addr *addr);
void gateway_put(struct ip *ip, uint16_t gateway);

/** gateway_is_used says whether any route uses a gateway. */
bool gateway_is_used(const struct ip *ip, uint8_t netif, const struct pc_addr *addr);

/** gateway_would_fit says whether there would be room for a route's gateway if the other routes to
 * its network were removed. */
bool gateway_would_fit(const struct ip *ip, const struct route *r);

/** gateway_poll notes which gateways have not answered, and probes those again. */
void gateway_poll(struct ip *ip);

/* ---- prefixes and their routers (origin.c) ---- */

/** origin_note notes until when a router advertises a prefix; in the past: no longer. */
void origin_note(struct ip *ip, const struct origin *told);

/** origin_poll looks for prefixes whose time is over: what goes by their routers is looked up
 * again. */
void origin_poll(struct ip *ip);

/** What is known of an address and a router. */
enum origin_fit {
	ORIGIN_NONE,  /* no router is known to advertise the address's prefix */
	ORIGIN_OTHER, /* others do */
	ORIGIN_FITS,  /* this one does */
};

enum origin_fit origin_fit(const struct ip *ip, uint8_t netif, const struct pc_addr *addr,
                           const struct pc_addr *router);

#endif
