/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gateways: which of them answer.
 *
 * Overview: each gateway used by a route has an entry here.  When the neighbour table gives one up,
 * it is down, and routes through it are passed over if there are others to the same network
 * (RFC 1122 section 3.3.1.4).  It is probed every ten seconds; when it answers, or is heard from,
 * its routes count again and every path is looked up anew.
 *
 * Invariants: refs is the number of routes through it; entries from n on are free.
 */

#include "ip/route.h"

#define PROBE_NS UINT64_C(10000000000)

static void due(struct ip *ip, uint64_t ns)
{
	if (ns < ip->gateways.due_ns)
		ip->gateways.due_ns = ns;
}

bool gateway_is_used(const struct ip *ip, uint8_t netif, const struct pc_addr *addr)
{
	for (uint16_t i = 0; i < ip->gateways.n; i++) {
		const struct gateway *g = &ip->gateways.place[i];

		if (g->refs != 0 && g->netif == netif && pc_addr_equal(&g->addr, addr))
			return true;
	}
	return false;
}

static bool has_gateway_room(const struct ip *ip, uint8_t netif, const struct pc_addr *addr)
{
	const struct gateways *gs = &ip->gateways;

	if (pc_addr_is_any(addr) || gs->n < GATEWAYS)
		return true;
	for (uint16_t i = 0; i < gs->n; i++)
		if (gs->place[i].refs == 0)
			return true;
	return gateway_is_used(ip, netif, addr);
}

bool gateway_would_fit(const struct ip *ip, const struct route *r)
{
	const struct routes *rs = &ip->routes;

	if (has_gateway_room(ip, r->netif, &r->gateway))
		return true;
	for (uint32_t i = 0; i < rs->end; i++) {
		const struct route *o = &rs->route[i];

		if (o->used && o->learnt == ROUTE_SET && o->by != GATEWAY_NONE &&
		    o->dest.len == r->dest.len && pc_addr_equal(&o->dest.addr, &r->dest.addr) &&
		    ip->gateways.place[o->by].refs == 1)
			return true;
	}
	return false;
}

uint16_t gateway_take(struct ip *ip, uint8_t netif, const struct pc_addr *addr)
{
	struct gateways *gs = &ip->gateways;
	uint16_t place = GATEWAY_NONE;

	for (uint16_t i = 0; i < gs->n; i++) {
		struct gateway *g = &gs->place[i];

		if (g->refs != 0 && g->netif == netif && pc_addr_equal(&g->addr, addr)) {
			g->refs++;
			return i;
		}
		if (g->refs == 0 && place == GATEWAY_NONE)
			place = i;
	}
	if (place == GATEWAY_NONE) {
		if (gs->n == GATEWAYS)
			return GATEWAY_NONE;
		place = gs->n++;
	}
	gs->place[place] = (struct gateway){.addr = *addr, .netif = netif, .refs = 1};
	return place;
}

void gateway_put(struct ip *ip, uint16_t gateway)
{
	struct gateways *gs = &ip->gateways;

	gs->place[gateway].refs--;
	while (gs->n > 0 && gs->place[gs->n - 1].refs == 0)
		gs->n--;
}

/* Marks gateways that did not answer as down; the neighbour table remembers
 * failures for arp.retry_ms. */
static void note_failures(struct ip *ip)
{
	struct gateways *gs = &ip->gateways;

	for (uint16_t i = 0; i < gs->n; i++) {
		struct gateway *g = &gs->place[i];

		if (g->refs == 0 || g->down || !neigh_has_failed(ip->neigh, g->netif, &g->addr))
			continue;
		g->down = true;
		g->probe_ns = ip->ctx->now_ns + PROBE_NS;
		due(ip, g->probe_ns);
		ctx_count(ip->ctx, PC_GATEWAYS_DOWN);
		neigh_outdate(ip->neigh);
	}
}

/* Probes gateways that are down, and checks whether any has answered since. */
static void probe(struct ip *ip)
{
	struct gateways *gs = &ip->gateways;

	gs->due_ns = UINT64_MAX;
	for (uint16_t i = 0; i < gs->n; i++) {
		struct gateway *g = &gs->place[i];

		if (g->refs == 0 || !g->down)
			continue;
		if (neigh_is_known(ip->neigh, g->netif, &g->addr)) {
			g->down = false;
			neigh_outdate(ip->neigh);
			continue;
		}
		if (g->probe_ns <= ip->ctx->now_ns) {
			neigh_ask(ip->neigh, g->netif, &g->addr);
			g->probe_ns = ip->ctx->now_ns + PROBE_NS;
		}
		due(ip, RTE_MIN(g->probe_ns, ip->ctx->now_ns + PROBE_NS / 10));
	}
}

void gateway_poll(struct ip *ip)
{
	const uint32_t failures = neigh_failures(ip->neigh);

	if (unlikely(failures != ip->gateways.failures)) {
		ip->gateways.failures = failures;
		note_failures(ip);
	}
	if (unlikely(ip->gateways.due_ns <= ip->ctx->now_ns))
		probe(ip);
}
