/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Origins: which router advertises which prefix.
 *
 * A network with two providers has a router of each, and each forwards only what comes from its own
 * prefix (RFC 2827).  So the source of packets must fit their router: an unbound socket gets an
 * address of the router's prefix (RFC 6724 section 5, rule 5.5), and what has an address goes to a
 * router that advertises its prefix (RFC 8028 section 3).
 *
 * Only routers that routes use are noted; ra.c bounds their number.  What finds no place is not
 * noted, and then neither rule applies to it.
 *
 * Invariant: places from nb_origins on were never used; of one prefix and router there is one.
 */

#include "ip/route.h"

static bool is_same_origin(const struct origin *a, const struct origin *b)
{
	return a->netif == b->netif && a->prefix.len == b->prefix.len &&
	       pc_addr_equal(&a->router, &b->router) &&
	       pc_addr_equal(&a->prefix.addr, &b->prefix.addr);
}

/* The place of an origin, or else one for it: one that has expired, or a new one; NULL: none. */
static struct origin *find_origin(struct ip *ip, const struct origin *like)
{
	struct origin *place = NULL;

	for (uint16_t i = 0; i < ip->nb_origins; i++) {
		struct origin *o = &ip->origin[i];

		if (is_same_origin(o, like))
			return o;
		if (o->until_ns <= ip->ctx->now_ns)
			place = o;
	}
	if (place == NULL && ip->nb_origins < ORIGINS)
		place = &ip->origin[ip->nb_origins++];
	return place;
}

void origin_note(struct ip *ip, const struct origin *told)
{
	const uint64_t now = ip->ctx->now_ns;
	struct origin *o;
	bool changes;

	if (!gateway_is_used(ip, told->netif, &told->router))
		return;
	o = find_origin(ip, told);
	if (o == NULL)
		return;
	changes = (is_same_origin(o, told) && o->until_ns > now) != (told->until_ns > now);
	*o = *told;
	if (changes)
		neigh_outdate(ip->neigh);
	ip_due(ip, o->until_ns);
}

void origin_poll(struct ip *ip)
{
	for (uint16_t i = 0; i < ip->nb_origins; i++) {
		struct origin *o = &ip->origin[i];

		if (o->until_ns > ip->ctx->now_ns) {
			ip_due(ip, o->until_ns);
		} else if (o->until_ns != 0) {
			o->until_ns = 0;
			neigh_outdate(ip->neigh);
		}
	}
}

enum origin_fit origin_fit(const struct ip *ip, uint8_t netif, const struct pc_addr *addr,
                           const struct pc_addr *router)
{
	enum origin_fit fit = ORIGIN_NONE;

	for (uint16_t i = 0; i < ip->nb_origins; i++) {
		const struct origin *o = &ip->origin[i];

		if (o->netif != netif || o->until_ns <= ip->ctx->now_ns ||
		    !pc_prefix_contains(&o->prefix, addr))
			continue;
		if (pc_addr_equal(&o->router, router))
			return ORIGIN_FITS;
		fit = ORIGIN_OTHER;
	}
	return fit;
}
