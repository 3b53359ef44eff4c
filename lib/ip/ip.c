/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network layer as a whole: initialisation, settings, polling.
 *
 * Life-cycle: ip_init, then ports, addresses and routes.  Addresses and routes can be added and
 * removed at any time; each change invalidates the paths found before.
 * Ownership: the neighbour table and waiting frames are ours, ports the caller's.
 */

#include "ip/ip.h"

#include <errno.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "ip/frag.h"
#include "ip/ra.h"
#include "ip/route.h"
#include "neigh/group.h"
#include "neigh/nd.h"
#include "wire/ip6.h"

#define LEASED 16 /* how many DHCPv6-leased addresses may occupy slots, expired ones included */

/* how long the slot of a removed address is kept, and the least time between two checks of what is
 * still referred to */
#define KEPT_NS   UINT64_C(3600000000000)
#define VACATE_NS UINT64_C(60000000000)

int ip_init(struct ip *ip, struct ctx *ctx)
{
	const struct pc_sip_key label = rng_key(&ctx->rng), table = rng_key(&ctx->rng);

	memset(ip, 0, sizeof(*ip));
	ip->ctx = ctx;
	ip->label_key = (struct hash_key){.k = {label.k[0], label.k[1]}};
	ip->table_key = (struct hash_key){.k = {table.k[0], table.k[1]}};
	ip->id_key = rng_key(&ctx->rng);
	netifs_init(&ip->ifs, ctx);
	ip->due_ns = UINT64_MAX;
	ip->gateways.due_ns = UINT64_MAX;
	ip->error_tokens = (uint32_t)ctx->cfg.icmp_error_rate;
	ip->error_ns = ctx->now_ns;
	ip->frags = frags_create(ctx);
	ip->neigh = neigh_create(ctx, &ip->ifs);
	if (ip->neigh == NULL || ip->frags == NULL ||
	    routes_init(&ip->routes, ctx, &ip->table_key) != 0)
		return -ENOMEM;
	return deny_init(&ip->deny, (uint32_t)ctx->cfg.ip_deny_entries, ctx->cfg.socket_id);
}

uint64_t ip_footprint(const struct pc_stack_config *cfg)
{
	return neigh_footprint(cfg) + frags_footprint(cfg) + routes_footprint(cfg) +
	       deny_footprint((uint32_t)cfg->ip_deny_entries);
}

void ip_relieve(struct ip *ip)
{
	frags_relieve(ip->frags, mbufs_kept(ip->ctx->pool->size));
}

uint32_t ip_fragments_held(const struct ip *ip)
{
	return frags_mbufs(ip->frags);
}

uint32_t ip_fragments_waiting(const struct ip *ip)
{
	return frags_held(ip->frags);
}

unsigned ip_validate(const struct ip *ip)
{
	return neigh_validate(ip->neigh) + frags_validate(ip->frags) + routes_validate(ip);
}

void ip_fini(struct ip *ip)
{
	if (ip->neigh != NULL)
		neigh_destroy(ip->neigh);
	if (ip->frags != NULL)
		frags_destroy(ip->frags);
	ip->neigh = NULL;
	deny_fini(&ip->deny);
	routes_fini(&ip->routes);
	ip->frags = NULL;
	netifs_free(&ip->ifs);
}

int ip_add_port(struct ip *ip, struct pc_port *port)
{
	return netifs_add_port(&ip->ifs, port);
}

/* Says whether a host can have this address: not a group, not in 0/8 or 127/8, and neither of the
 * two addresses of its network that mean the network itself (RFC 1122 section 3.2.1.3). */
static bool is_host_address4(const struct pc_prefix *p)
{
	const uint32_t addr = __builtin_bswap32(pc_addr_get_ip4(&p->addr));
	uint32_t host_bits;

	if (p->len < 96 || p->len > 128)
		return false;
	if (addr >> 24 == 0 || addr >> 24 == 127 || addr >> 28 == 0xe || addr == UINT32_MAX)
		return false;
	if (p->len == 96 || p->len > 126)
		return true;
	host_bits = UINT32_MAX >> (p->len - 96);
	return (addr & host_bits) != 0 && (addr & host_bits) != host_bits;
}

/* The same for IPv6: not ::, ::1, a group or the IPv4-mapped form, and not the subnet-router
 * anycast address of its network (RFC 4291 section 2.6.1; a /127 has none, RFC 6164). */
static bool is_host_address6(const struct pc_prefix *p)
{
	const struct pc_addr *a = &p->addr;
	struct pc_prefix any = {.addr = *a, .len = p->len};

	if (p->len == 0 || p->len > 128 || pc_addr_is_any(a) || pc_addr_is_loopback(a) ||
	    pc_addr_is_multicast(a))
		return false;
	for (unsigned bit = p->len; bit < 128; bit++)
		any.addr.b[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
	return p->len > 126 || !pc_addr_equal(&any.addr, a);
}

/* ---- address slots --------------------------------------------------------------------------- */

void ip_vacate(struct ip *ip)
{
	const uint64_t now = ip->ctx->now_ns;
	bool used[PC_MAX_ADDRS] = {false};

	if (now < ip->vacate_ns)
		return;
	ip->vacate_ns = now + VACATE_NS;
	if (ip->mark != NULL)
		ip->mark(ip->mark_arg, used);
	for (uint16_t i = 0; i < ip->ifs.nb_announced; i++) {
		const struct laddr *la = &ip->ifs.addr[i];

		if (la->state != LADDR_EXPIRED || la->vacant || used[i] || la->valid_ns > now ||
		    now - la->valid_ns < KEPT_NS)
			continue;
		netifs_vacate(&ip->ifs, i);
		route_unname(ip, i);
	}
}

int ip_take_place(struct ip *ip, uint8_t netif, const struct pc_prefix *addr)
{
	const int laddr = netifs_add_addr(&ip->ifs, netif, addr);

	if (laddr != -ENOSPC)
		return laddr;
	ip_vacate(ip);
	return netifs_add_addr(&ip->ifs, netif, addr);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static void announce(struct ip *ip, uint16_t laddr)
{
	if (ip->ifs.addr[laddr].state != LADDR_EXPIRED)
		dad_start(ip->neigh, laddr, false);
}

/* Starts an address that is new or has been added again. */
static void begin_addr(struct ip *ip, uint16_t laddr, bool tried)
{
	struct laddr *la = &ip->ifs.addr[laddr];
	const uint64_t questions =
	    pc_addr_is_ip4(&la->addr) ? ip->ctx->cfg.arp_probes : ip->ctx->cfg.ip6_dad;

	la->tried = tried;
	la->state = questions != 0 && !tried ? LADDR_TENTATIVE : LADDR_READY;
	if (laddr < ip->ifs.nb_announced) /* it was here before */
		announce(ip, laddr);
	neigh_outdate(ip->neigh);
}

static int add_addr(struct ip *ip, uint8_t netif, const struct pc_prefix *addr, bool tried)
{
	int laddr;

	if (!routes_have_room(ip))
		return -ENOSPC;
	laddr = ip_take_place(ip, netif, addr);
	if (laddr < 0)
		return laddr;
	route_add_connected(ip, (uint16_t)laddr);
	begin_addr(ip, (uint16_t)laddr, tried);
	return laddr;
}

/* Gives an interface its link-local address, made from its MAC address (RFC 4291 appendix A,
 * RFC 2464). Interfaces that share a MAC address, as VLANs do, differ by their number, because an
 * address of ours identifies one interface. */
static int start_ip6(struct ip *ip, uint8_t port)
{
	struct netif *nif = &ip->ifs.netif[port];
	const uint8_t *mac = nif->port->info.mac;
	struct pc_prefix p = {.len = 64,
	                      .addr = {.b = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1],
	                                     mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}}};
	int laddr;

	if (nif->link_local != LADDR_NONE)
		return 0;
	if (nif->mtu_max < IP6_MTU_MIN)
		return -EINVAL;
	if (netifs_find(&ip->ifs, &p.addr) != LADDR_NONE)
		p.addr.b[11] = port;
	laddr = add_addr(ip, port, &p, false);
	if (laddr < 0)
		return laddr;
	nif->link_local = (uint16_t)laddr;
	ra_start(ip, port);
	return 0;
}

int ip_add_slaac(struct ip *ip, int port)
{
	int rc;

	if (port < 0 || port >= ip->ifs.n)
		return -EINVAL;
	rc = start_ip6(ip, (uint8_t)port);
	if (rc == 0)
		ip->ifs.netif[port].slaac = true;
	return rc;
}

static int add_host(struct ip *ip, int port, const struct pc_prefix *addr, bool tried)
{
	const bool ip4 = pc_addr_is_ip4(&addr->addr);
	int rc;

	if (port < 0 || port >= ip->ifs.n)
		return -EINVAL;
	if (ip4 ? !is_host_address4(addr) : !is_host_address6(addr))
		return -EINVAL;
	if (netifs_find(&ip->ifs, &addr->addr) != LADDR_NONE)
		return -EEXIST;
	rc = ip4 ? 0 : start_ip6(ip, (uint8_t)port);
	if (rc == 0)
		rc = add_addr(ip, (uint8_t)port, addr, tried);
	return rc < 0 ? rc : 0;
}

int ip_add_addr(struct ip *ip, int port, const struct pc_prefix *addr)
{
	return add_host(ip, port, addr, false);
}

int ip_add_tried(struct ip *ip, int port, const struct pc_prefix *addr)
{
	return add_host(ip, port, addr, true);
}

static void del_addr(struct ip *ip, uint16_t laddr)
{
	if (laddr < ip->ifs.nb_announced && ip->ifs.addr[laddr].state < LADDR_DUPLICATE)
		dad_end(ip->neigh, laddr);
	netifs_del_addr(&ip->ifs, laddr);
	route_forget_addr(ip, laddr);
	neigh_outdate(ip->neigh);
}

int ip_del_addr(struct ip *ip, int port, const struct pc_prefix *addr)
{
	const uint16_t laddr = netifs_find(&ip->ifs, &addr->addr);

	if (laddr == LADDR_NONE || ip->ifs.addr[laddr].netif != port ||
	    ip->ifs.addr[laddr].state == LADDR_EXPIRED)
		return -EADDRNOTAVAIL;
	if (ip->ifs.netif[port].link_local == laddr)
		return -EBUSY;
	del_addr(ip, laddr);
	return 0;
}

/* ---- leased addresses ------------------------------------------------------------------------ */

static bool is_leased(const struct ip *ip, uint16_t laddr, int port)
{
	return laddr != LADDR_NONE && ip->ifs.addr[laddr].leased &&
	       ip->ifs.addr[laddr].netif == port;
}

/* A DHCPv6 server must not be able to use up all address slots. */
static bool has_addr_room(const struct ip *ip, int port, const struct pc_addr *addr)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < ip->ifs.nb_addrs; i++) {
		const struct laddr *la = &ip->ifs.addr[i];

		if (la->leased && la->netif == port && pc_addr_equal(&la->was, addr))
			return true;
		n += la->leased;
	}
	return n < LEASED;
}

static bool may_lease(struct ip *ip, int port, const struct pc_addr *addr)
{
	if (has_addr_room(ip, port, addr))
		return true;
	ip_vacate(ip);
	return has_addr_room(ip, port, addr);
}

static void prolong_lease(struct ip *ip, uint16_t laddr, const struct ip_lease *l)
{
	struct laddr *la = &ip->ifs.addr[laddr];

	la->preferred_ns = l->preferred_ns;
	la->valid_ns = l->valid_ns;
	if (la->state == LADDR_EXPIRED)
		begin_addr(ip, laddr, l->tried);
	else
		dad_judge(ip->neigh, laddr);
}

int ip_lease_addr(struct ip *ip, int port, const struct ip_lease *l)
{
	const struct pc_prefix p = {.addr = l->addr, .len = 128};
	const uint16_t own = netifs_find(&ip->ifs, &l->addr);
	int laddr;

	if (port < 0 || port >= ip->ifs.n || ip->ifs.netif[port].link_local == LADDR_NONE ||
	    pc_addr_is_ip4(&l->addr) || !is_host_address6(&p))
		return -EINVAL;
	if (is_leased(ip, own, port)) {
		prolong_lease(ip, own, l);
		return own;
	}
	if (!may_lease(ip, port, &l->addr))
		return -ENOSPC;
	laddr = ip_take_place(ip, (uint8_t)port, &p);
	if (laddr < 0)
		return laddr;
	ip->ifs.addr[laddr].leased = true;
	ip->ifs.addr[laddr].preferred_ns = l->preferred_ns;
	ip->ifs.addr[laddr].valid_ns = l->valid_ns;
	begin_addr(ip, (uint16_t)laddr, l->tried);
	return laddr;
}

void ip_end_lease(struct ip *ip, int port, const struct pc_addr *addr)
{
	const uint16_t laddr = netifs_find(&ip->ifs, addr);

	if (is_leased(ip, laddr, port))
		del_addr(ip, laddr);
}

/* ---- links ----------------------------------------------------------------------------------- */

/* The switches, and perhaps the neighbours, have not seen us on the path that frames take now. */
static void announce_again(struct ip *ip, uint8_t netif, bool ask)
{
	neigh_suspect_all(ip->neigh, netif);
	for (uint16_t i = 0; i < ip->ifs.nb_announced; i++) {
		if (ip->ifs.addr[i].netif != netif)
			continue;
		if (ask && ip->ifs.addr[i].state != LADDR_EXPIRED)
			dad_again(ip->neigh, i);
		else if (netifs_is_usable(&ip->ifs, i))
			dad_announce(ip->neigh, i);
	}
	group_again(ip->neigh, netif);
}

/* A link has come up: there may be other hosts on it now, which may have our addresses (RFC 5227
 * sections 2.1 and 2.3, RFC 4862 section 5.4) and have not heard of us (RFC 4861 section 7.2.6). */
static __rte_noinline void on_link_up(struct ip *ip, uint8_t netif)
{
	ctx_count(ip->ctx, PC_LINKS_UP);
	ip->ifs.netif[netif].ups++;
	announce_again(ip, netif, true);
	if (ip->ifs.netif[netif].link_local != LADDR_NONE)
		ra_start(ip, netif);
}

/* Another member of a bond now carries the frames, to the same neighbours. */
static __rte_noinline void on_link_moved(struct ip *ip, uint8_t netif)
{
	ctx_count(ip->ctx, PC_LINKS_MOVED);
	announce_again(ip, netif, false);
}

static void follow_links(struct ip *ip)
{
	for (uint8_t i = 0; i < ip->ifs.n; i++) {
		struct netif *nif = &ip->ifs.netif[i];
		const struct pc_port_info *now = &nif->port->info;
		const bool came = now->link_up && !nif->up;
		const bool moved = now->link_moves != nif->moves && nif->up;

		if (likely(now->link_up == nif->up && now->link_moves == nif->moves))
			continue;
		nif->up = now->link_up;
		nif->moves = now->link_moves;
		if (came)
			on_link_up(ip, i);
		else if (moved && nif->up)
			on_link_moved(ip, i);
	}
}

/* Says whether nothing can have become due since the last poll: timers of neighbours and fragments
 * fire only at the next tick. */
static bool is_still(const struct ip *ip)
{
	const uint64_t now_ns = ip->ctx->now_ns;

	return ip->has_polled && ip->polled == ip->ctx->tick && ip->due_ns > now_ns &&
	       ip->ifs.due_ns > now_ns && ip->gateways.due_ns > now_ns;
}

void ip_poll(struct ip *ip)
{
	while (ip->ifs.nb_announced < ip->ifs.nb_addrs)
		announce(ip, ip->ifs.nb_announced++);
	follow_links(ip);
	if (likely(is_still(ip)))
		return;
	ip->has_polled = true;
	ip->polled = ip->ctx->tick;
	neigh_poll(ip->neigh);
	gateway_poll(ip);
	if (ip->due_ns <= ip->ctx->now_ns) {
		ip->due_ns = UINT64_MAX;
		ra_poll(ip);
		ip_pmtu_poll(ip);
	}
	if (frags_due(ip->frags) <= ip->ctx->now_ns)
		ip_frag_poll(ip);
}

bool ip_next(const struct ip *ip, uint32_t *tick)
{
	if (ip->ifs.nb_announced < ip->ifs.nb_addrs) {
		*tick = ip->ctx->tick;
		return true;
	}
	return ctx_earlier(ip->ctx,
	                   RTE_MIN(RTE_MIN(ip->due_ns, ip->gateways.due_ns), frags_due(ip->frags)),
	                   neigh_next(ip->neigh, tick), tick);
}
