/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Router advertisements and redirects: default routers, on-link prefixes, MTU and hop limit,
 * prefixes to make addresses from, and better first hops.
 *
 * Overview: everything learnt becomes a route with an expiry time (struct route, until_ns) or an
 * address with lifetimes (struct laddr), alongside the configured ones, which no host on the link
 * can change.
 *
 * Any host on the link can pose as a router, so what it can fill is bounded: ROUTERS default
 * routes, PREFIXES networks, ADDRESSES addresses (removed ones count for an hour), REDIRECTS host
 * routes, ORIGINS prefixes noted with their routers (origin.c), and NAMES_LEARNT name servers and
 * domains (names.h).  ip6.accept_ra switches all of this off.
 */

#include "ip/ra.h"

#include <assert.h>
#include <string.h>

#include "ip/route.h"
#include "neigh/nd.h"
#include "wire/ip6.h"

#define ROUTERS   4
#define PREFIXES  16
#define ADDRESSES 16
#define REDIRECTS 64

static_assert(ROUTERS + PREFIXES + REDIRECTS <= ROUTES_LEARNT, "there is room for all of them");

/* RFC 7559 section 2: IRT, MRT */
#define INTERVAL_MS     4000
#define INTERVAL_MAX_MS 3600000
/* how often to look whether the link-local address is ready */
#define WAIT_NS UINT64_C(250000000)

#define MS_NS     UINT64_C(1000000)
#define SECOND_NS UINT64_C(1000000000)
/* RFC 4862 section 5.5.3 e: no advertisement can shorten an address's lifetime below two hours */
#define TWO_HOURS_NS (7200 * SECOND_NS)
/* a redirect is valid for ten minutes; if it still applies, it will be sent again */
#define REDIRECT_NS (600 * SECOND_NS)
/* Bounds on the times that a router may advertise: reachable time at most an hour (RFC 4861 section
 * 6.2.1), retransmission interval at most a minute, and neither so short that a forged
 * advertisement makes the hosts flood the link. */
#define REACHABLE_MIN_MS UINT32_C(1000)
#define REACHABLE_MAX_MS UINT32_C(3600000)
#define RETRANS_MIN_MS   UINT32_C(100)
#define RETRANS_MAX_MS   UINT32_C(60000)
/* RFC 7217 section 5, IDGEN_RETRIES */
#define STABLE_RETRIES 3

static uint64_t lifetime_end(const struct ip *ip, uint32_t lifetime_s)
{
	return lifetime_s == UINT32_MAX ? UINT64_MAX : ip->ctx->now_ns + lifetime_s * SECOND_NS;
}

/* ---- solicitation (RFC 4861 section 6.3.7, RFC 7559) --------------------------------------------
 *
 * Less and less often, but for ever: a switch may forward nothing for half a minute after a link
 * came up, and routers may advertise themselves as rarely as twice an hour.
 */

void ra_start(struct ip *ip, uint8_t netif)
{
	struct netif *nif = &ip->ifs.netif[netif];

	if (ip->ctx->cfg.ip6_accept_ra == 0)
		return;
	nif->solicits = true;
	nif->solicit_ms = 0;
	nif->solicit_ns = ip->ctx->now_ns;
	ip_due(ip, nif->solicit_ns);
}

static void solicit(struct ip *ip, uint8_t netif)
{
	struct netif *nif = &ip->ifs.netif[netif];
	struct nd_msg m = {.type = ND_RS, .has = ND_HAS_SLLA};
	const struct nd_out o = {.src = *ip_laddr(ip, nif->link_local),
	                         .dst = ip6_all_routers(),
	                         .netif = netif,
	                         .hops = ND_HOPS};
	uint8_t msg[ND_MSG_MAX];

	memcpy(m.slla, nif->port->info.mac, ETH_ADDR_LEN);
	if (nd_send_msg(ip->neigh, &o, msg, nd_write(msg, &m)))
		ctx_count(ip->ctx, PC_ND_SOLICITS_TX);
}

/* A time, varied by up to a tenth either way (RAND). */
static uint32_t spread(struct ip *ip, uint32_t ms)
{
	return ms - ms / 10 + rng_below(&ip->ctx->rng, ms / 5 + 1);
}

/* The wait that follows one of ms; 0: the first (section 2). */
static uint32_t next_wait(struct ip *ip, uint32_t ms)
{
	const uint32_t next = ms == 0 ? spread(ip, INTERVAL_MS) : ms + spread(ip, ms);

	return next > INTERVAL_MAX_MS ? spread(ip, INTERVAL_MAX_MS) : next;
}

static void poll_solicit(struct ip *ip, uint8_t netif)
{
	struct netif *nif = &ip->ifs.netif[netif];

	if (!nif->solicits || !netifs_speaks_ip6(&ip->ifs, netif))
		return;
	if (nif->solicit_ns <= ip->ctx->now_ns) {
		const bool ready = netifs_is_usable(&ip->ifs, nif->link_local);

		if (ready) {
			solicit(ip, netif);
			nif->solicit_ms = next_wait(ip, nif->solicit_ms);
		}
		nif->solicit_ns = ip->ctx->now_ns + (ready ? nif->solicit_ms * MS_NS : WAIT_NS);
	}
	ip_due(ip, nif->solicit_ns);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static unsigned count_learnt(const struct ip *ip, uint8_t kind)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < ROUTES_LEARNT; i++)
		n += ip->routes.route[i].used && ip->routes.route[i].learnt == kind;
	return n;
}

static struct route *find_learnt(struct ip *ip, uint8_t kind, const struct route *like)
{
	for (uint32_t i = 0; i < ROUTES_LEARNT; i++) {
		struct route *r = &ip->routes.route[i];

		if (r->used && r->learnt == kind && r->netif == like->netif &&
		    r->dest.len == like->dest.len &&
		    pc_addr_equal(&r->dest.addr, &like->dest.addr) &&
		    (kind != ROUTE_ROUTER || pc_addr_equal(&r->gateway, &like->gateway)))
			return r;
	}
	return NULL;
}

/* A host that is no longer a router loses the redirects to it, too (RFC 4861
 * sections 6.3.5, 7.2.5). */
static void forget_redirects(struct ip *ip, uint8_t netif, const struct pc_addr *router)
{
	for (uint32_t i = 0; i < ROUTES_LEARNT; i++) {
		const struct route *r = &ip->routes.route[i];

		if (r->used && r->learnt == ROUTE_REDIRECT && r->netif == netif &&
		    pc_addr_equal(&r->gateway, router))
			route_del(ip, i);
	}
}

/* Removes a route, and whatever depends on it. */
static void end_route(struct ip *ip, uint32_t index)
{
	const struct route was = ip->routes.route[index];

	route_del(ip, index);
	if (was.learnt == ROUTE_ROUTER)
		forget_redirects(ip, was.netif, &was.gateway);
}

/* Adds a route, extends the lifetime of an existing one, or removes it if the new lifetime is 0. */
static bool learn_route(struct ip *ip, const struct route *r, unsigned max)
{
	struct route *old = find_learnt(ip, r->learnt, r);
	const bool over = r->until_ns <= ip->ctx->now_ns;

	if (old != NULL && over) {
		end_route(ip, (uint32_t)(old - ip->routes.route));
		return true;
	}
	if (old != NULL &&
	    (old->preference != r->preference || !pc_addr_equal(&old->gateway, &r->gateway))) {
		route_del(ip, (uint32_t)(old - ip->routes.route));
		old = NULL;
	}
	if (old != NULL)
		old->until_ns = r->until_ns;
	else if (!over && (count_learnt(ip, r->learnt) >= max || route_insert(ip, r) != 0))
		return false;
	ip_due(ip, r->until_ns);
	return true;
}

static void poll_routes(struct ip *ip)
{
	for (uint32_t i = 0; i < ROUTES_LEARNT; i++) {
		const struct route *r = &ip->routes.route[i];

		if (r->used && r->until_ns <= ip->ctx->now_ns)
			end_route(ip, i);
		else if (r->used)
			ip_due(ip, r->until_ns);
	}
}

void ra_poll(struct ip *ip)
{
	for (uint8_t i = 0; i < ip->ifs.n; i++)
		poll_solicit(ip, i);
	poll_routes(ip);
	origin_poll(ip);
}

void ra_no_router(struct ip *ip, uint8_t netif, const struct pc_addr *addr)
{
	const struct route gone = {.netif = netif, .gateway = *addr, .learnt = ROUTE_ROUTER};
	struct route *r = find_learnt(ip, ROUTE_ROUTER, &gone);

	if (r != NULL)
		route_del(ip, (uint32_t)(r - ip->routes.route));
	forget_redirects(ip, netif, addr);
}

/* ---- addresses (RFC 4862 section 5.5.3) ------------------------------------------------------ */

/* The interface identifier of an address: made from the MAC address or, with a secret, one that
 * reveals nothing and differs from prefix to prefix (RFC 7217). */
static void make_identifier(const struct ip *ip, uint8_t netif, struct pc_addr *a, uint8_t counter)
{
	const uint8_t *mac = ip->ifs.netif[netif].port->info.mac;
	const uint64_t secret = ip->ctx->cfg.ip6_secret;
	const struct pc_sip_key key = {{secret, ~secret}};
	uint8_t text[16] = {0};

	if (secret == 0) {
		memcpy(a->b + 8,
		       (uint8_t[8]){mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]},
		       8);
		return;
	}
	memcpy(text, a->b, 8);
	memcpy(text + 8, mac, ETH_ADDR_LEN);
	text[14] = counter;
	a->q[1] = pc_siphash24(&key, text, sizeof(text));
}

static void prolong_prefix(struct ip *ip, struct laddr *la, const struct nd_prefix *x)
{
	const uint64_t now = ip->ctx->now_ns, valid = lifetime_end(ip, x->valid_s);
	const bool ended = la->state == LADDR_EXPIRED;
	const uint16_t laddr = (uint16_t)(la - ip->ifs.addr);

	/* e 1 to 3: a longer lifetime is believed, a shorter one only down to two hours */
	if (valid > la->valid_ns || x->valid_s > TWO_HOURS_NS / SECOND_NS || ended)
		la->valid_ns = valid;
	else if (la->valid_ns > now + TWO_HOURS_NS)
		la->valid_ns = now + TWO_HOURS_NS;
	la->preferred_ns = lifetime_end(ip, x->preferred_s);
	if (!ended)
		dad_judge(ip->neigh, laddr);
	else if (la->valid_ns > now)
		dad_start(ip->neigh, laddr, true);
}

/* Gives the addresses made from a prefix new lifetimes: usually one, but two if the first was another
 * host's until the link came up again. Returns how many; *failed: how many are another host's. */
static unsigned prolong_all(struct ip *ip, uint8_t netif, const struct nd_prefix *x,
                            uint8_t *failed)
{
	unsigned n = 0;

	*failed = 0;
	for (uint16_t i = 0; i < ip->ifs.nb_addrs; i++) {
		struct laddr *la = &ip->ifs.addr[i];

		if (!la->autoconf || la->netif != netif ||
		    !pc_prefix_contains(&x->prefix, &la->addr))
			continue;
		if (la->state == LADDR_DUPLICATE) {
			++*failed;
			continue;
		}
		prolong_prefix(ip, la, x);
		n++;
	}
	return n;
}

static unsigned count_autoconf(const struct ip *ip)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < ip->ifs.nb_addrs; i++)
		n += ip->ifs.addr[i].autoconf;
	return n;
}

/* Prefixes may keep changing, but only so many at once. */
static bool has_prefix_room(struct ip *ip)
{
	if (count_autoconf(ip) < ADDRESSES)
		return true;
	ip_vacate(ip);
	return count_autoconf(ip) < ADDRESSES;
}

static void make_address(struct ip *ip, uint8_t netif, const struct nd_prefix *x, uint8_t counter)
{
	struct pc_prefix p = {.addr = x->prefix.addr, .len = x->prefix.len};
	struct laddr *la;
	int i;

	/* an identifier made from the MAC address would only fail again */
	if (counter > STABLE_RETRIES || (counter > 0 && ip->ctx->cfg.ip6_secret == 0))
		return;
	make_identifier(ip, netif, &p.addr, counter);
	if (netifs_find(&ip->ifs, &p.addr) != LADDR_NONE || !has_prefix_room(ip))
		return;
	i = ip_take_place(ip, netif, &p);
	if (i < 0)
		return;
	la = &ip->ifs.addr[i];
	la->autoconf = true;
	la->state = LADDR_TENTATIVE;
	la->valid_ns = lifetime_end(ip, x->valid_s);
	la->preferred_ns = lifetime_end(ip, x->preferred_s);
	if (i > ip->ifs.nb_announced)
		return; /* ip_poll starts it in its turn */
	if (i == ip->ifs.nb_announced)
		ip->ifs.nb_announced++;
	dad_start(ip->neigh, (uint16_t)i, true);
}

static void autoconf(struct ip *ip, uint8_t netif, const struct nd_prefix *x)
{
	uint8_t failed;

	if (!ip->ifs.netif[netif].slaac || x->preferred_s > x->valid_s || x->prefix.len != 64)
		return;
	if (prolong_all(ip, netif, x, &failed) == 0 && x->valid_s > 0)
		make_address(ip, netif, x, failed);
}

/* ---- advertisements (RFC 4861 section 6.3.4) ------------------------------------------------- */

static void take_prefix(struct ip *ip, const struct nd_in *in, const struct nd_prefix *x)
{
	const uint8_t netif = in->netif;
	struct route r = {.dest = route_network(&x->prefix),
	                  .netif = netif,
	                  .laddr = LADDR_NONE,
	                  .learnt = ROUTE_PREFIX,
	                  .until_ns = lifetime_end(ip, x->valid_s)};

	/* the mapped form would be a network of IPv4, of which routers of IPv6 have nothing to say */
	if (pc_addr_is_link_local(&x->prefix.addr) || pc_addr_is_multicast(&x->prefix.addr) ||
	    pc_addr_is_ip4(&x->prefix.addr) || x->prefix.len < 3)
		return;
	origin_note(
	    ip, &(struct origin){
	            .prefix = r.dest, .router = in->src, .until_ns = r.until_ns, .netif = netif});
	if (x->on_link && !route_is_set(ip, &r.dest, netif))
		learn_route(ip, &r, PREFIXES);
	if (x->autonomous)
		autoconf(ip, netif, x);
}

static void take_router(struct ip *ip, const struct nd_in *in)
{
	const struct nd_msg *m = in->msg;
	const struct route r = {.gateway = in->src,
	                        .netif = in->netif,
	                        .laddr = LADDR_NONE,
	                        .learnt = ROUTE_ROUTER,
	                        .preference = m->preference,
	                        .until_ns = ip->ctx->now_ns + m->lifetime_s * SECOND_NS};

	if (m->lifetime_s > 0)
		ip->ifs.netif[in->netif].solicits = false;
	learn_route(ip, &r, ROUTERS);
}

static void take_link(struct ip *ip, const struct nd_in *in)
{
	struct netif *nif = &ip->ifs.netif[in->netif];
	const struct nd_msg *m = in->msg;

	if (m->hops != 0)
		nif->hops = m->hops;
	/* section 4.2: M includes all that O says */
	nif->ra_other = m->ra_flags != 0;
	nif->ra_managed = (m->ra_flags & ND_RA_MANAGED) != 0;
	if (m->reachable_ms != 0 && m->reachable_ms <= REACHABLE_MAX_MS)
		nif->reachable_ms = RTE_MAX(m->reachable_ms, REACHABLE_MIN_MS);
	if (m->retrans_ms != 0 && m->retrans_ms <= RETRANS_MAX_MS)
		nif->retrans_ms = RTE_MAX(m->retrans_ms, RETRANS_MIN_MS);
	if ((m->has & ND_HAS_MTU) && m->mtu >= IP6_MTU_MIN && m->mtu <= nif->mtu_max &&
	    m->mtu != nif->mtu6) {
		nif->mtu6 = (uint16_t)m->mtu;
		neigh_outdate(ip->neigh);
	}
}

/* RFC 8106 section 5.1; servers that were configured, or came by DHCP, never expire and stay so */
static void take_servers(struct ip *ip, const struct nd_in *in)
{
	const struct nd_msg *m = in->msg;
	const uint64_t now = ip->ctx->now_ns;

	for (uint8_t i = 0; i < m->nb_dns; i++)
		if (name_server_is_good(&m->dns[i]) &&
		    names_may_learn_server(&ip->names, &m->dns[i], now))
			(void)names_add_server(
			    &ip->names, &m->dns[i], (uint8_t)in->netif,
			    RTE_MIN(lifetime_end(ip, m->dns_s[i]), UINT64_MAX - 1), now);
}

/* RFC 8106 section 5.2: one name after another, and zeros up to the option's end */
static void take_domains(struct ip *ip, const struct nd_search *s)
{
	const uint64_t now = ip->ctx->now_ns;
	uint64_t until = RTE_MIN(lifetime_end(ip, s->lifetime_s), UINT64_MAX - 1);
	char name[NAME_MAX_LEN + 1];

	for (size_t at = 0, n; at < s->len; at += n) {
		n = name_read(s->names + at, s->len - at, name);
		if (n == 0)
			return;
		if (name[0] != '\0' && names_may_learn_domain(&ip->names, name, now))
			(void)names_add_domain(&ip->names, name, until, now);
	}
}

int ra_input(struct ip *ip, const struct nd_in *in)
{
	if (!pc_addr_is_link_local(&in->src)) /* section 6.1.2 */
		return PC_DROP_ND_MALFORMED;
	if (ip->ctx->cfg.ip6_accept_ra == 0)
		return PC_DROP_ND_ROUTER;
	if (in->msg->has & ND_HAS_SLLA)
		nd_heard(ip->neigh, in->netif, &in->src, in->msg->slla);
	take_link(ip, in);
	take_router(ip, in);
	for (uint8_t i = 0; i < in->msg->nb_prefixes; i++)
		take_prefix(ip, in, &in->msg->prefix[i]);
	take_servers(ip, in);
	for (uint8_t i = 0; i < in->msg->nb_searches; i++)
		take_domains(ip, &in->msg->search[i]);
	return PC_DROP_ND_DONE;
}

/* ---- redirects (RFC 4861 sections 8.1 and 8.3) ----------------------------------------------- */

int ra_redirect(struct ip *ip, const struct nd_in *in)
{
	const struct nd_msg *m = in->msg;
	const bool on_link = pc_addr_equal(&m->target, &m->dest);
	struct route r = {.dest = {.addr = m->dest, .len = 128},
	                  .netif = in->netif,
	                  .laddr = LADDR_NONE,
	                  .learnt = ROUTE_REDIRECT,
	                  .until_ns = ip->ctx->now_ns + REDIRECT_NS};
	struct pc_addr hop;

	if (!pc_addr_is_link_local(&in->src) || pc_addr_is_multicast(&m->dest) ||
	    pc_addr_is_ip4(&m->dest) || (!on_link && !pc_addr_is_link_local(&m->target)))
		return PC_DROP_ND_MALFORMED;
	/* only the router that we use for a destination may redirect us to another */
	if (ip->ctx->cfg.ip6_accept_ra == 0 ||
	    !route_first_hop(ip, &in->dst, &m->dest, in->netif, &hop) ||
	    !pc_addr_equal(&hop, &in->src))
		return PC_DROP_ND_ROUTER;
	if (!on_link)
		r.gateway = m->target;
	if (!learn_route(ip, &r, REDIRECTS))
		return PC_DROP_ND_ROUTER;
	if (m->has & ND_HAS_TLLA)
		nd_heard(ip->neigh, in->netif, &m->target, m->tlla);
	return PC_DROP_ND_DONE;
}
