/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The routing table.
 *
 * Overview: slots in an array, found by a keyed hash of network and prefix length; a lookup
 * (route_find.c) tries the lengths in use, longest first, separately for each family.  So it takes
 * as many probes as there are different lengths, however many routes there are
 * (docs/adr/0015-routes.md explains why none of DPDK's tables is used).  It is done once per
 * connection, not per packet: the result is kept as a path.
 *
 * Routes to one network are adjacent in their chain, best first: configured before learnt, then the
 * lower metric, then the preferred router, then the older one; route_find.c chooses among them.
 * Two routes to one network may use different interfaces; which is taken then depends on the
 * address that a socket is bound to, so a host with two uplinks answers through the one that the
 * request came in by.
 *
 * Learnt routes use the first ROUTES_LEARNT slots, so that no host on the link can make a walk over
 * them long.
 *
 * Invariants: a slot in use is in one chain, and counted under its length; every route with a
 * gateway holds a reference to it.
 */

#include "ip/route.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <rte_malloc.h>

#include "wire/ip6.h"

/* ---- the table ------------------------------------------------------------------------------- */

static uint32_t nb_places(const struct pc_stack_config *cfg)
{
	return (uint32_t)cfg->ip_routes + ROUTES_LEARNT;
}

static uint32_t nb_route_buckets(const struct pc_stack_config *cfg)
{
	return rte_align32pow2(nb_places(cfg));
}

uint64_t routes_footprint(const struct pc_stack_config *cfg)
{
	return nb_places(cfg) * sizeof(struct route) + nb_route_buckets(cfg) * sizeof(uint32_t);
}

/* Makes slots [from,to) the free list of a class, lowest first. */
static void free_places(struct routes *rs, unsigned class, uint32_t from, uint32_t to)
{
	for (uint32_t i = to; i > from; i--) {
		rs->route[i - 1].next = rs->free[class];
		rs->free[class] = i;
	}
}

int routes_init(struct routes *rs, const struct ctx *ctx, const struct hash_key *key)
{
	const struct pc_stack_config *cfg = &ctx->cfg;

	rs->key = *key;
	rs->max = nb_places(cfg);
	rs->mask = nb_route_buckets(cfg) - 1;
	rs->route = rte_zmalloc_socket("routes", rs->max * sizeof(*rs->route), RTE_CACHE_LINE_SIZE,
	                               cfg->socket_id);
	rs->bucket = rte_zmalloc_socket("routes", (rs->mask + 1) * sizeof(*rs->bucket),
	                                RTE_CACHE_LINE_SIZE, cfg->socket_id);
	if (rs->route == NULL || rs->bucket == NULL)
		return -ENOMEM;
	free_places(rs, 1, 0, ROUTES_LEARNT);
	free_places(rs, 0, ROUTES_LEARNT, rs->max);
	rs->end = ROUTES_LEARNT;
	return 0;
}

void routes_fini(struct routes *rs)
{
	rte_free(rs->route);
	rte_free(rs->bucket);
	rs->route = NULL;
	rs->bucket = NULL;
}

static uint32_t *route_bucket_of(const struct routes *rs, const struct pc_prefix *net)
{
	const uint64_t v[3] = {net->addr.q[0], net->addr.q[1], net->len};

	return &rs->bucket[hash24(&rs->key, v) & rs->mask];
}

static bool is_to(const struct route *r, const struct pc_prefix *net)
{
	return r->dest.len == net->len && pc_addr_equal(&r->dest.addr, &net->addr);
}

/* Counts a route of this length as added or removed. */
static void count_length(struct routes *rs, const struct pc_prefix *net, int change)
{
	struct route_lengths *l = &rs->lengths[route_family(&net->addr)];
	unsigned i = 0;

	l->routes[net->len] = (uint32_t)((int)l->routes[net->len] + change);
	while (i < l->n && l->len[i] > net->len)
		i++;
	if (change > 0 && (i == l->n || l->len[i] != net->len)) {
		memmove(&l->len[i + 1], &l->len[i], l->n - i);
		l->len[i] = net->len;
		l->n++;
	} else if (l->routes[net->len] == 0) {
		l->n--;
		memmove(&l->len[i], &l->len[i + 1], l->n - i);
	}
}

struct pc_prefix route_network(const struct pc_prefix *p)
{
	struct pc_prefix net = *p;
	const unsigned whole = p->len / 8;

	if (p->len < 128) {
		net.addr.b[whole] &= (uint8_t) ~(0xffu >> p->len % 8);
		memset(&net.addr.b[whole + 1], 0, 15 - whole);
	}
	return net;
}

/* Says whether a, the older one, comes before b. */
static bool route_precedes(const struct route *a, const struct route *b)
{
	if ((a->learnt == ROUTE_SET) != (b->learnt == ROUTE_SET))
		return a->learnt == ROUTE_SET;
	if (a->metric != b->metric)
		return a->metric < b->metric;
	return a->preference >= b->preference;
}

uint32_t route_first_to(const struct routes *rs, const struct pc_prefix *net)
{
	uint32_t i = *route_bucket_of(rs, net);

	while (i != 0 && !is_to(&rs->route[i - 1], net))
		i = rs->route[i - 1].next;
	return i;
}

uint32_t route_next_to(const struct routes *rs, uint32_t i)
{
	const struct route *r = &rs->route[i - 1];

	return r->next != 0 && is_to(&rs->route[r->next - 1], &r->dest) ? r->next : 0;
}

bool route_is_set(const struct ip *ip, const struct pc_prefix *dest, uint8_t netif)
{
	const struct routes *rs = &ip->routes;

	for (uint32_t i = route_first_to(rs, dest); i != 0; i = route_next_to(rs, i))
		if (rs->route[i - 1].learnt == ROUTE_SET && rs->route[i - 1].netif == netif)
			return true;
	return false;
}

/* Links a slot into its chain: with the others to its network, after those that precede it. */
static void chain(struct routes *rs, uint32_t self)
{
	struct route *r = &rs->route[self - 1];
	uint32_t *link = route_bucket_of(rs, &r->dest);

	while (*link != 0 && !is_to(&rs->route[*link - 1], &r->dest))
		link = &rs->route[*link - 1].next;
	while (*link != 0 && is_to(&rs->route[*link - 1], &r->dest) &&
	       route_precedes(&rs->route[*link - 1], r))
		link = &rs->route[*link - 1].next;
	r->next = *link;
	*link = self;
}

int route_insert(struct ip *ip, const struct route *r)
{
	struct routes *rs = &ip->routes;
	const unsigned class = r->learnt != ROUTE_SET;
	const uint32_t self = rs->free[class];
	uint16_t gateway = GATEWAY_NONE;

	if (self == 0)
		return -ENOSPC;
	if (!pc_addr_is_any(&r->gateway) &&
	    (gateway = gateway_take(ip, r->netif, &r->gateway)) == GATEWAY_NONE)
		return -ENOSPC;
	rs->free[class] = rs->route[self - 1].next;
	rs->route[self - 1] = *r;
	rs->route[self - 1].by = gateway;
	rs->route[self - 1].used = true;
	chain(rs, self);
	count_length(rs, &r->dest, 1);
	rs->end = RTE_MAX(rs->end, self);
	rs->n++;
	neigh_outdate(ip->neigh);
	return 0;
}

void route_del(struct ip *ip, uint32_t index)
{
	struct routes *rs = &ip->routes;
	struct route *r = &rs->route[index];
	const unsigned class = r->learnt != ROUTE_SET;
	uint32_t *link = route_bucket_of(rs, &r->dest);

	assert(r->used);
	while (*link != index + 1)
		link = &rs->route[*link - 1].next;
	*link = r->next;
	count_length(rs, &r->dest, -1);
	if (r->by != GATEWAY_NONE)
		gateway_put(ip, r->by);
	*r = (struct route){.next = rs->free[class]};
	rs->free[class] = index + 1;
	rs->n--;
	while (rs->end > ROUTES_LEARNT && !rs->route[rs->end - 1].used)
		rs->end--;
	neigh_outdate(ip->neigh);
}

/* ---- settings -------------------------------------------------------------------------------- */

void route_add_connected(struct ip *ip, uint16_t laddr)
{
	const struct laddr *la = &ip->ifs.addr[laddr];
	const struct pc_prefix p = {.addr = la->addr, .len = la->prefix_len};
	const struct route r = {.dest = route_network(&p),
	                        .netif = la->netif,
	                        .laddr = laddr,
	                        .weight = 1,
	                        .until_ns = UINT64_MAX};

	/* a host address has no others on its network; and of two addresses on one network the
	 * first is the source of connections */
	if (la->prefix_len < 128 && !route_is_set(ip, &r.dest, r.netif))
		(void)route_insert(ip, &r);
}

/* The address of ours whose network contains a gateway; the smallest such network wins. */
static uint16_t find_link(const struct netifs *ifs, const struct pc_addr *gateway)
{
	uint16_t best = LADDR_NONE;

	for (uint8_t i = 0; i < ifs->n; i++) {
		const uint16_t laddr = netifs_find_link(ifs, i, gateway);

		if (laddr != LADDR_NONE && (best == LADDR_NONE || ifs->addr[laddr].prefix_len >
		                                                      ifs->addr[best].prefix_len))
			best = laddr;
	}
	return best;
}

/* The first address of a family on an interface, whether it is in use yet or not. */
static uint16_t any_laddr(const struct netifs *ifs, uint8_t netif, bool ip4)
{
	for (uint16_t i = 0; i < ifs->nb_addrs; i++)
		if (ifs->addr[i].netif == netif && ifs->addr[i].state < LADDR_DUPLICATE &&
		    pc_addr_is_ip4(&ifs->addr[i].addr) == ip4)
			return i;
	return LADDR_NONE;
}

/* Says whether a port says on which link a gateway is: the same link-local address may be on several
 * (RFC 4007 section 6). */
static bool is_zoned(const struct pc_route *want)
{
	return want->port >= 0 && pc_addr_is_link_local(&want->gateway);
}

/* The address of ours through which a gateway is reached: on its network, or by a route
 * without a gateway. */
static uint16_t find_laddr(const struct ip *ip, const struct pc_route *want)
{
	const struct pc_addr *gateway = &want->gateway;
	const struct route *r;
	uint16_t laddr;

	if (is_zoned(want))
		return want->port < ip->ifs.n
		           ? netifs_find_link(&ip->ifs, (uint8_t)want->port, gateway)
		           : LADDR_NONE;
	laddr = find_link(&ip->ifs, gateway);
	r = laddr == LADDR_NONE ? route_find(ip, gateway, ROUTE_ANY) : NULL;
	if (r == NULL || r->by != GATEWAY_NONE)
		return laddr;
	return any_laddr(&ip->ifs, r->netif, pc_addr_is_ip4(gateway));
}

/* Finds the interface and address that a route uses. Returns 0 or -ENETUNREACH. */
static int find_way(const struct ip *ip, const struct pc_route *want, struct route *r)
{
	const struct netifs *ifs = &ip->ifs;
	const struct pc_addr *gateway = &want->gateway;

	if (!pc_addr_is_any(gateway)) {
		r->laddr = find_laddr(ip, want);
		if (r->laddr == LADDR_NONE || netifs_find(ifs, gateway) != LADDR_NONE ||
		    netifs_is_broadcast(ifs, ifs->addr[r->laddr].netif, gateway))
			return -ENETUNREACH;
	} else {
		if (want->port < 0 || want->port >= ifs->n)
			return -ENETUNREACH;
		r->laddr = any_laddr(ifs, (uint8_t)want->port, pc_addr_is_ip4(&want->dest.addr));
		if (r->laddr == LADDR_NONE)
			return -ENETUNREACH;
	}
	r->netif = ifs->addr[r->laddr].netif;
	return 0;
}

/* The network that a destination means: ::/0 with an IPv4 gateway is the IPv4 default route. */
static struct pc_prefix destination(const struct pc_route *want)
{
	if (want->dest.len == 0 && pc_addr_is_ip4(&want->gateway))
		return (struct pc_prefix){.addr = pc_addr_ip4(0), .len = 96};
	return want->dest;
}

/* Makes a route from a request. Returns 0, -EINVAL or -ENETUNREACH. */
static int make_route(const struct ip *ip, const struct pc_route *want, struct route *r)
{
	const struct pc_prefix p = destination(want);
	const bool ip4 = pc_addr_is_ip4(&p.addr);

	*r = (struct route){.gateway = want->gateway,
	                    .metric = want->metric,
	                    .mtu = want->mtu,
	                    .weight = want->weight != 0 ? want->weight : 1,
	                    .until_ns = UINT64_MAX};
	if (p.len > 128 || (ip4 && p.len < 96) || want->weight > ROUTE_WEIGHT_MAX ||
	    (want->mtu != 0 && want->mtu < (ip4 ? IP_PMTU4_MIN : IP6_MTU_MIN)))
		return -EINVAL;
	if (!pc_addr_is_any(&want->gateway) && pc_addr_is_ip4(&want->gateway) != ip4)
		return -ENETUNREACH;
	r->dest = route_network(&p);
	return find_way(ip, want, r);
}

/* Says whether there already is such a configured route, or its network is our own. */
static bool is_there(const struct ip *ip, const struct route *r)
{
	const struct routes *rs = &ip->routes;

	for (uint32_t i = route_first_to(rs, &r->dest); i != 0; i = route_next_to(rs, i)) {
		const struct route *o = &rs->route[i - 1];

		if (o->learnt == ROUTE_SET && o->netif == r->netif &&
		    (o->by == GATEWAY_NONE || pc_addr_equal(&o->gateway, &r->gateway)))
			return true;
	}
	return false;
}

int ip_route_add(struct ip *ip, const struct pc_route *want)
{
	struct route r;
	const int rc = make_route(ip, want, &r);

	if (rc != 0)
		return rc;
	return is_there(ip, &r) ? -EEXIST : route_insert(ip, &r);
}

/* Says whether a route belongs to one of our addresses, and is removed only with it. */
static bool is_connected(const struct ip *ip, const struct route *r)
{
	for (uint16_t i = 0; r->by == GATEWAY_NONE && i < ip->ifs.nb_addrs; i++) {
		const struct laddr *la = &ip->ifs.addr[i];

		if (la->netif == r->netif && la->prefix_len == r->dest.len &&
		    la->state < LADDR_DUPLICATE && pc_prefix_contains(&r->dest, &la->addr))
			return true;
	}
	return false;
}

/* Removes the configured routes to a network, through one gateway (of one port, unless that is
 * ROUTE_ANY) or all but keep. Returns how many. */
static unsigned del_routes(struct ip *ip, const struct pc_prefix *net,
                           const struct pc_addr *gateway, int port, const struct pc_addr *keep)
{
	struct routes *rs = &ip->routes;
	unsigned n = 0;

	for (uint32_t i = route_first_to(rs, net), next; i != 0; i = next) {
		const struct route *r = &rs->route[i - 1];

		next = route_next_to(rs, i);
		if (r->learnt != ROUTE_SET || is_connected(ip, r) ||
		    (gateway != NULL && !pc_addr_equal(&r->gateway, gateway)) ||
		    (port != ROUTE_ANY && r->netif != port) ||
		    (keep != NULL && pc_addr_equal(&r->gateway, keep)))
			continue;
		route_del(ip, i - 1);
		n++;
	}
	return n;
}

int ip_add_route(struct ip *ip, const struct pc_prefix *dest, const struct pc_addr *gateway)
{
	const struct pc_route want = {
	    .dest = *dest, .gateway = *gateway, .port = pc_addr_is_link_local(gateway) ? -1 : 0};
	struct route r;
	const int rc = make_route(ip, &want, &r);

	if (rc != 0)
		return rc;
	return route_is_set(ip, &r.dest, r.netif) ? -EEXIST : route_insert(ip, &r);
}

int ip_route_del(struct ip *ip, const struct pc_route *want)
{
	const struct pc_prefix p = destination(want);
	struct pc_prefix net;

	if (p.len > 128)
		return -EINVAL;
	net = route_network(&p);
	return del_routes(ip, &net, pc_addr_is_any(&want->gateway) ? NULL : &want->gateway,
	                  is_zoned(want) ? want->port : ROUTE_ANY, NULL) > 0
	           ? 0
	           : -ESRCH;
}

/* Says whether a route's network is that of one of our addresses on its interface. */
static bool is_own_network(const struct ip *ip, const struct route *r)
{
	const struct routes *rs = &ip->routes;

	for (uint32_t i = route_first_to(rs, &r->dest); i != 0; i = route_next_to(rs, i)) {
		const struct route *o = &rs->route[i - 1];

		if (o->learnt == ROUTE_SET && o->netif == r->netif && is_connected(ip, o))
			return true;
	}
	return false;
}

int ip_route_replace(struct ip *ip, const struct pc_route *want)
{
	struct route r;
	int rc = make_route(ip, want, &r);

	if (rc != 0)
		return rc;
	if (is_own_network(ip, &r))
		return -EEXIST;
	/* the same route, perhaps with another metric or MTU, is replaced */
	del_routes(ip, &r.dest, &want->gateway, ROUTE_ANY, NULL);
	rc = route_insert(ip, &r);
	if (rc == -ENOSPC && gateway_would_fit(ip, &r) &&
	    del_routes(ip, &r.dest, NULL, ROUTE_ANY, &want->gateway) > 0)
		return route_insert(ip, &r);
	if (rc == 0)
		del_routes(ip, &r.dest, NULL, ROUTE_ANY, &want->gateway);
	return rc;
}

void route_forget_addr(struct ip *ip, uint16_t laddr)
{
	struct routes *rs = &ip->routes;

	for (uint32_t i = 0; i < rs->end; i++) {
		struct route *r = &rs->route[i];
		uint16_t other;

		if (!r->used || r->learnt != ROUTE_SET || r->laddr != laddr)
			continue;
		other = r->by != GATEWAY_NONE ? netifs_find_link(&ip->ifs, r->netif, &r->gateway)
		        : is_connected(ip, r) ? netifs_find_link(&ip->ifs, r->netif, &r->dest.addr)
		                              : LADDR_NONE;
		if (other == LADDR_NONE)
			route_del(ip, i);
		else
			r->laddr = other;
	}
}

void route_unname(struct ip *ip, uint16_t laddr)
{
	struct routes *rs = &ip->routes;

	for (uint32_t i = 0; i < rs->end; i++) {
		if (!rs->route[i].used || rs->route[i].laddr != laddr)
			continue;
		assert(!pc_addr_is_ip4(&rs->route[i].dest.addr));
		rs->route[i].laddr = LADDR_NONE;
	}
}

unsigned ip_route_list(const struct ip *ip, struct pc_route_info *list, unsigned n)
{
	const struct routes *rs = &ip->routes;
	unsigned found = 0;

	for (uint32_t i = 0; i < rs->end; i++) {
		const struct route *r = &rs->route[i];

		if (!r->used)
			continue;
		if (found < n)
			list[found] = (struct pc_route_info){.route = {.dest = r->dest,
			                                               .gateway = r->gateway,
			                                               .port = r->netif,
			                                               .metric = r->metric,
			                                               .mtu = r->mtu,
			                                               .weight = r->weight},
			                                     .learnt = r->learnt != ROUTE_SET,
			                                     .connected = is_connected(ip, r),
			                                     .down = !route_is_up(ip, r)};
		found++;
	}
	return found;
}

/* ---- invariants ------------------------------------------------------------------------------ */

static unsigned validate_lengths(const struct routes *rs, uint32_t n)
{
	uint32_t counted = 0;
	unsigned bad = 0;

	for (unsigned family = 0; family < 2; family++) {
		const struct route_lengths *l = &rs->lengths[family];

		for (unsigned i = 0; i < l->n; i++) {
			counted += l->routes[l->len[i]];
			bad += l->routes[l->len[i]] == 0 || (i > 0 && l->len[i] >= l->len[i - 1]);
		}
	}
	return bad + (counted != n);
}

unsigned routes_validate(const struct ip *ip)
{
	const struct routes *rs = &ip->routes;
	uint32_t n = 0, refs = 0, chained = 0;
	unsigned bad = 0;

	for (uint32_t i = 0; i < rs->max; i++) {
		const struct route *r = &rs->route[i];

		n += r->used;
		refs += r->used && r->by != GATEWAY_NONE;
		bad += r->used && (i >= rs->end || (i < ROUTES_LEARNT) != (r->learnt != ROUTE_SET));
	}
	for (uint32_t b = 0; b <= rs->mask; b++)
		for (uint32_t i = rs->bucket[b]; i != 0 && chained <= n;
		     i = rs->route[i - 1].next) {
			bad += route_bucket_of(rs, &rs->route[i - 1].dest) != &rs->bucket[b];
			chained++;
		}
	for (uint16_t i = 0; i < ip->gateways.n; i++)
		refs -= ip->gateways.place[i].refs;
	return bad + (n != rs->n) + (chained != n) + (refs != 0) + validate_lengths(rs, n);
}
