/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths: how packets reach a destination, from routes, addresses and neighbours.
 *
 * Any change that affects a path invalidates all of them (neigh_outdate increments a generation
 * that every reference carries), so a holder of a path looks it up again with its next packet.
 */

#include "ip/route.h"

#include <errno.h>

bool route_leads_back(const struct ip *ip, const struct pc_addr *src, uint8_t netif)
{
	return netif == NETIF_LO || pc_addr_is_link_local(src) || pc_addr_is_any(src) ||
	       (pc_addr_is_ip4(src) && src->w[3] == 0) || route_find(ip, src, netif) != NULL;
}

/* mtu: the route's; 0: none */
static void make_path(struct ip *ip, const struct pc_addr *dst, uint8_t netif, uint16_t laddr,
                      uint16_t mtu, struct ip_path *path)
{
	*path = (struct ip_path){
	    .netif = netif,
	    .laddr = laddr,
	    .mtu = ip_link_mtu(ip, netif, dst),
	};
	if (mtu != 0 && mtu < path->mtu)
		path->mtu = mtu;
}

/* The first interface that speaks IPv6. */
static int first_netif6(const struct ip *ip)
{
	for (uint8_t i = 0; i < ip->ifs.n; i++)
		if (netifs_speaks_ip6(&ip->ifs, i))
			return i;
	return ROUTE_ANY;
}

/* The path to an IPv6 group, chosen in the same order as in find_group. */
static int find_group6(struct ip *ip, const struct pc_addr *dst, uint16_t laddr,
                       struct ip_path *path)
{
	const struct route *r = route_find(ip, dst, ROUTE_ANY);
	const int netif = laddr != LADDR_NONE ? ip->ifs.addr[laddr].netif
	                  : r != NULL         ? r->netif
	                                      : first_netif6(ip);

	if (netif == ROUTE_ANY)
		return -ENETUNREACH;
	if (laddr == LADDR_NONE)
		laddr = ip6_source(ip, (uint8_t)netif, dst, NULL);
	if (laddr == LADDR_NONE)
		return -EADDRNOTAVAIL;
	make_path(ip, dst, (uint8_t)netif, laddr, 0, path);
	path->multicast = true;
	return 0;
}

/* The source address for packets that use a route: for IPv4 the route's or, while that is not
 * usable, another one on the network of its next hop. */
static uint16_t source_of(const struct ip *ip, const struct route *r, const struct pc_addr *dst)
{
	if (!pc_addr_is_ip4(dst))
		return ip6_source(ip, r->netif, dst,
		                  pc_addr_is_any(&r->gateway) ? NULL : &r->gateway);
	if (netifs_is_usable(&ip->ifs, r->laddr))
		return r->laddr;
	return netifs_find_source(&ip->ifs, r->netif,
	                          pc_addr_is_any(&r->gateway) ? dst : &r->gateway);
}

uint16_t ip_source(const struct ip *ip, uint8_t netif, const struct pc_addr *dst)
{
	const bool one = !pc_addr_is_multicast(dst) && !pc_addr_is_broadcast(dst);
	const struct route *r;
	uint16_t laddr = LADDR_NONE;

	if (one && (r = route_find(ip, dst, netif)) != NULL)
		laddr = source_of(ip, r, dst);
	if (laddr != LADDR_NONE)
		return laddr;
	return pc_addr_is_ip4(dst) ? netifs_find_first(&ip->ifs, netif)
	                           : ip6_source(ip, netif, dst, NULL);
}

/* The path to a group: through the interface of the bound address, of a route, or the first one
 * that has an address. */
static int find_group(struct ip *ip, const struct pc_addr *dst, uint16_t laddr,
                      struct ip_path *path)
{
	const struct route *r = laddr == LADDR_NONE ? route_find(ip, dst, ROUTE_ANY) : NULL;

	if (r != NULL && (laddr = source_of(ip, r, dst)) == LADDR_NONE)
		return -EADDRNOTAVAIL;
	for (uint8_t i = 0; laddr == LADDR_NONE && i < ip->ifs.n; i++)
		laddr = netifs_find_first(&ip->ifs, i);
	if (laddr == LADDR_NONE)
		return -ENETUNREACH;
	make_path(ip, dst, ip->ifs.addr[laddr].netif, laddr, 0, path);
	path->multicast = pc_addr_is_multicast(dst);
	path->broadcast = !path->multicast;
	return 0;
}

/* Says whether an address can never be sent to: 0/8, 127/8 except 127.0.0.1, ::. */
static bool is_unreachable(const struct pc_addr *dst)
{
	if (pc_addr_is_ip4(dst))
		return dst->b[12] == 0 || dst->b[12] == 127;
	return pc_addr_is_any(dst);
}

/* The neighbour, one for each family, through which we reach ourselves. */
static struct neigh_ref loop_neigh(struct ip *ip, const struct pc_addr *dst)
{
	const struct pc_addr *lo = ip_laddr(ip, pc_addr_is_ip4(dst) ? LADDR_LO4 : LADDR_LO6);

	if (!neigh_is_known(ip->neigh, NETIF_LO, lo))
		(void)neigh_set(ip->neigh, NETIF_LO, lo, ip->ifs.loop.port.info.mac);
	return neigh_lookup(ip->neigh, NETIF_LO, lo);
}

int ip_path_loop(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, struct ip_path *path)
{
	if (!netifs_is_usable(&ip->ifs, laddr))
		return -EADDRNOTAVAIL;
	*path = (struct ip_path){.netif = NETIF_LO,
	                         .laddr = laddr,
	                         .mtu = ip->ifs.loop.port.info.mtu,
	                         .neigh = loop_neigh(ip, dst)};
	return 0;
}

/* Says whether an address is one of ours; a duplicate of another host's is not. */
static bool is_ours(const struct ip *ip, uint16_t laddr)
{
	return laddr != LADDR_NONE && ip->ifs.addr[laddr].state < LADDR_DUPLICATE;
}

/* What the choice among equal routes depends on. */
static struct ip_flow flow_of(const struct ip *ip, uint16_t laddr, uint32_t ports)
{
	struct ip_flow f = {0};

	if (laddr != LADDR_NONE)
		f.src = *ip_laddr(ip, laddr);
	if (ip->ctx->cfg.ip_multipath_hash != 0)
		f.ports = ports;
	return f;
}

/* The route for a source that was chosen with r in mind: of default routers, the source may need
 * another one after all, as when the addresses of r's prefix are deprecated (RFC 8028 section 3). */
static const struct route *router_of(const struct ip *ip, const struct route *r,
                                     const struct pc_addr *dst, uint16_t laddr)
{
	const struct ip_flow flow = {.src = *ip_laddr(ip, laddr)};
	bool shared = false;

	return r->learnt == ROUTE_ROUTER ? route_find_flow(ip, dst, r->netif, &flow, &shared) : r;
}

static int find_path(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, uint32_t ports,
                     struct ip_path *path)
{
	const struct ip_flow flow = flow_of(ip, laddr, ports);
	const int netif = laddr != LADDR_NONE ? ip->ifs.addr[laddr].netif : ROUTE_ANY;
	const uint16_t own = netifs_find(&ip->ifs, dst);
	const struct route *r;
	bool shared = false;

	if (laddr != LADDR_NONE && !netifs_is_usable(&ip->ifs, laddr))
		return -EADDRNOTAVAIL; /* not ours yet (RFC 4862 section 5.4), or no longer */
	if (laddr != LADDR_NONE && pc_addr_is_ip4(ip_laddr(ip, laddr)) != pc_addr_is_ip4(dst))
		return -ENETUNREACH;
	if (is_ours(ip, own))
		return netifs_is_usable(&ip->ifs, own)
		           ? ip_path_loop(ip, dst, laddr != LADDR_NONE ? laddr : own, path)
		           : -ENETUNREACH;
	if (is_unreachable(dst))
		return -ENETUNREACH;
	if (pc_addr_is_multicast(dst) || pc_addr_is_broadcast(dst))
		return pc_addr_is_ip4(dst) ? find_group(ip, dst, laddr, path)
		                           : find_group6(ip, dst, laddr, path);
	r = route_find_flow(ip, dst, netif, &flow, &shared);
	if (r == NULL)
		return route_find(ip, dst, ROUTE_ANY) != NULL ? -EADDRNOTAVAIL : -ENETUNREACH;
	if (laddr == LADDR_NONE) {
		laddr = source_of(ip, r, dst);
		if (laddr == LADDR_NONE)
			return -EADDRNOTAVAIL;
		r = router_of(ip, r, dst, laddr);
	}
	make_path(ip, dst, r->netif, laddr, r->mtu, path);
	path->shared = shared;
	if (netifs_is_broadcast(&ip->ifs, r->netif, dst))
		path->broadcast = true;
	else
		path->neigh = neigh_lookup(ip->neigh, r->netif,
		                           pc_addr_is_any(&r->gateway) ? dst : &r->gateway);
	return 0;
}

/*
 * Any change to a path invalidates every neighbour reference (neigh_outdate), and so the memo.  The
 * memo saves 520 instructions for a connection that is opened, served and closed.
 */
static int remember_path(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, uint32_t ports,
                         struct ip_path *path)
{
	struct path_memo *memo = &ip->memo[dst->b[15] % PATH_MEMOS];
	int rc;

	if (memo->path.laddr == laddr && pc_addr_equal(&memo->dst, dst) &&
	    neigh_is_valid(ip->neigh, memo->path.neigh)) {
		*path = memo->path;
		return 0;
	}
	rc = find_path(ip, dst, laddr, ports, path);
	if (rc == 0 && laddr != LADDR_NONE && path->neigh.generation != 0 && !path->shared)
		*memo = (struct path_memo){.dst = *dst, .path = *path};
	return rc;
}

int ip_path_find_flow(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, uint32_t ports,
                      struct ip_path *path)
{
	const int rc = remember_path(ip, dst, laddr, ports, path);

	/* the MTU of an IPv6 path may change at any time (RFC 8201) */
	if (rc == 0 && !pc_addr_is_ip4(dst))
		path->mtu = ip_pmtu(ip, dst, path->mtu);
	return rc;
}

uint16_t ip_way_mtu(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, uint32_t ports)
{
	struct ip_path path;

	return remember_path(ip, dst, laddr, ports, &path) == 0 ? path.mtu : 0;
}

int ip_path_find(struct ip *ip, const struct pc_addr *dst, uint16_t laddr, struct ip_path *path)
{
	return ip_path_find_flow(ip, dst, laddr, 0, path);
}
