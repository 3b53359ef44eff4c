/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Route lookup.
 *
 * Overview: the longest network first.  Of the routes to one network, the best whose gateway
 * answers is taken (RFC 1122 section 3.3.1.2, RFC 4861 section 6.3.6); configured routes that are
 * equally good share the flows by weight.
 *
 * Which of the equal routes a flow uses is computed, not stored: each route gets a score from a
 * keyed hash of flow and gateway, and the best score wins ("highest random weight", RFC 2991
 * section 4; with weights as in Schindelhauer and Schomaker, "Weighted distributed hash tables",
 * 2005).  So when a gateway is added or removed, only the flows that it gains or loses move.  The
 * key is the stack's own secret: no outsider can make flows collide on one path.
 */

#include "ip/route.h"

/* Says whether two routes to one network are configured and equally good. */
static bool is_equal(const struct route *a, const struct route *b)
{
	return a->learnt == ROUTE_SET && b->learnt == ROUTE_SET && a->metric == b->metric;
}

/* A hash of a flow. */
static uint64_t hash_flow(const struct routes *rs, const struct pc_addr *dst,
                          const struct ip_flow *f)
{
	const uint64_t to[3] = {dst->q[0], dst->q[1], UINT64_MAX};
	const uint64_t from[3] = {f->src.q[0], f->src.q[1], hash24(&rs->key, to) ^ f->ports};

	return hash24(&rs->key, from);
}

/* -log2(x / 2^32) in 65536ths; x is not 0. */
static uint32_t minus_log2(uint32_t x)
{
	const unsigned zeros = (unsigned)__builtin_clz(x);
	uint64_t m = (uint64_t)x << zeros; /* in units of 2^-31: [1,2) */
	uint32_t fraction = 0;

	for (uint32_t bit = 1u << 15; bit != 0; bit >>= 1) {
		m = m * m >> 31;
		if (m >> 32 != 0) {
			fraction |= bit;
			m >>= 1;
		}
	}
	return ((zeros + 1) << 16) - fraction;
}

/* A route's random draw for a flow, to be divided by its weight: the lowest quotient wins. A route
 * of weight w has the same chance as w routes of weight 1. */
static uint32_t draw(const struct routes *rs, const struct route *r, uint64_t flow)
{
	const uint64_t v[3] = {r->gateway.q[0] ^ r->netif, r->gateway.q[1], flow};

	return minus_log2((uint32_t)hash24(&rs->key, v) | 1);
}

/* Chooses, by flow, among the routes equal to the first, which follow it. */
static const struct route *share_flow(const struct ip *ip, uint32_t i, const struct pc_addr *dst,
                                      int netif, const struct ip_flow *flow, bool *shared)
{
	const struct routes *rs = &ip->routes;
	const struct route *lead = &rs->route[i - 1], *best = NULL;
	const uint64_t hash = hash_flow(rs, dst, flow);
	uint64_t least = 0;
	uint32_t n = 0;

	for (; i != 0 && n < ROUTES_EQUAL && is_equal(lead, &rs->route[i - 1]);
	     i = route_next_to(rs, i)) {
		const struct route *r = &rs->route[i - 1];
		uint64_t lot;

		if ((netif != ROUTE_ANY && r->netif != netif) || !route_is_up(ip, r))
			continue;
		lot = draw(rs, r, hash);
		if (n++ == 0 || lot * best->weight < least * r->weight) {
			least = lot;
			best = r;
		}
	}
	*shared = n > 1;
	return best;
}

/* Says whether a route is followed by one equal to it. */
static bool has_equal(const struct routes *rs, uint32_t i)
{
	const uint32_t next = route_next_to(rs, i);

	return next != 0 && is_equal(&rs->route[i - 1], &rs->route[next - 1]);
}

/* Says whether a route is right for a flow: of default routers one that advertises the prefix of its
 * source (RFC 8028 section 3). If there is none, any other will do. */
static bool suits(const struct ip *ip, const struct route *r, const struct ip_flow *flow)
{
	return r->learnt != ROUTE_ROUTER ||
	       origin_fit(ip, r->netif, &flow->src, &r->gateway) == ORIGIN_FITS;
}

/* The best of the routes to one network; NULL: none, or only a redirect to a host that
 * does not answer. */
static const struct route *choose(const struct ip *ip, uint32_t first, const struct pc_addr *dst,
                                  int netif, const struct ip_flow *flow, bool *shared)
{
	const struct routes *rs = &ip->routes;
	const struct route *best = NULL, *router = NULL;

	for (uint32_t i = first; i != 0; i = route_next_to(rs, i)) {
		const struct route *r = &rs->route[i - 1];

		if (netif != ROUTE_ANY && r->netif != netif)
			continue;
		if (route_is_up(ip, r) && suits(ip, r, flow))
			return has_equal(rs, i) ? share_flow(ip, i, dst, netif, flow, shared) : r;
		if (router == NULL && route_is_up(ip, r))
			router = r;
		/* RFC 4861 section 7.3.3: a redirect to a next hop that does not answer is
		 * ignored */
		if (best == NULL && r->learnt != ROUTE_REDIRECT)
			best = r;
	}
	return router != NULL ? router : best;
}

const struct route *route_find_flow(const struct ip *ip, const struct pc_addr *dst, int netif,
                                    const struct ip_flow *flow, bool *shared)
{
	const struct routes *rs = &ip->routes;
	const struct route_lengths *l = &rs->lengths[route_family(dst)];

	for (unsigned i = 0; i < l->n; i++) {
		const struct pc_prefix whole = {.addr = *dst, .len = l->len[i]};
		const struct pc_prefix net = route_network(&whole);
		const uint32_t first = route_first_to(rs, &net);
		const struct route *r =
		    first != 0 ? choose(ip, first, dst, netif, flow, shared) : NULL;

		if (r != NULL)
			return r;
	}
	return NULL;
}

const struct route *route_find(const struct ip *ip, const struct pc_addr *dst, int netif)
{
	static const struct ip_flow none;
	bool shared = false;

	return route_find_flow(ip, dst, netif, &none, &shared);
}

bool route_first_hop(const struct ip *ip, const struct pc_addr *src, const struct pc_addr *dst,
                     uint8_t netif, struct pc_addr *hop)
{
	const struct ip_flow flow = {.src = *src};
	bool shared = false;
	const struct route *r = route_find_flow(ip, dst, netif, &flow, &shared);

	if (r == NULL || pc_addr_is_any(&r->gateway))
		return false;
	*hop = r->gateway;
	return true;
}
