/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network layer as a whole: its making, its settings, its turn.
 *
 * Life-cycle: ip_init, then ports, addresses and routes in that order; they only grow.  Each change
 * outdates the paths that were found before.
 * Ownership: the neighbour table and waiting frames are ours, ports the caller's.
 */

#include "ip/ip.h"

#include <errno.h>
#include <string.h>

#include "ip/route.h"

int ip_init(struct ip *ip, struct ctx *ctx)
{
	memset(ip, 0, sizeof(*ip));
	ip->ctx = ctx;
	ip->ifs.ctx = ctx;
	ip->error_tokens = (uint32_t)ctx->cfg.icmp_error_rate;
	ip->error_ns = ctx->now_ns;
	ip->neigh = neigh_create(ctx, &ip->ifs);
	return ip->neigh != NULL ? 0 : -ENOMEM;
}

void ip_fini(struct ip *ip)
{
	if (ip->neigh != NULL)
		neigh_destroy(ip->neigh);
	ip->neigh = NULL;
	netifs_free(&ip->ifs);
}

int ip_add_port(struct ip *ip, struct pc_port *port)
{
	return netifs_add_port(&ip->ifs, port);
}

/* Says whether a host can have this address: not a group, not 0/8 or 127/8, and not one of the two
 * addresses of its network that mean the network itself (RFC 1122 section 3.2.1.3). */
static bool is_host_address(const struct pc_prefix *p)
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

int ip_add_addr(struct ip *ip, int port, const struct pc_prefix *addr)
{
	int laddr;

	if (port < 0 || port >= ip->ifs.n)
		return -EINVAL;
	if (!pc_addr_is_ip4(&addr->addr))
		return -EAFNOSUPPORT;
	if (!is_host_address(addr))
		return -EINVAL;
	if (netifs_find(&ip->ifs, &addr->addr) != LADDR_NONE)
		return -EEXIST;
	if (ip->nb_routes == PC_MAX_ROUTES)
		return -ENOSPC;
	laddr = netifs_add_addr(&ip->ifs, (uint8_t)port, addr);
	if (laddr < 0)
		return laddr;
	route_add_connected(ip, (uint16_t)laddr);
	neigh_outdate(ip->neigh);
	return 0;
}

void ip_poll(struct ip *ip)
{
	while (ip->ifs.nb_announced < ip->ifs.nb_addrs)
		arp_announce(ip->neigh, ip->ifs.nb_announced++);
	neigh_poll(ip->neigh);
}

bool ip_next(const struct ip *ip, uint32_t *tick)
{
	if (ip->ifs.nb_announced < ip->ifs.nb_addrs) {
		*tick = ip->ctx->tick;
		return true;
	}
	return neigh_next(ip->neigh, tick);
}
