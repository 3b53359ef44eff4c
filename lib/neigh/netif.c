/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces.
 *
 * Overview: an array of ports with their send queues, and one array of addresses for all of them.
 * Life-cycle: both only grow; an index stays valid until its slot is vacated, which never happens
 * to ports.
 * Ownership: ports are the caller's, waiting frames are ours.
 * Invariants: last_be[i] and broadcast_be[i] follow from addr[i].
 */

#include "neigh/netif.h"

#include <errno.h>

#include <rte_branch_prediction.h>

#include "wire/eth.h"

static void set_netif(struct netif *nif, struct pc_port *port)
{
	nif->port = port;
	nif->txq.port = port;
	nif->txq.n = 0;
	nif->link_local = LADDR_NONE;
	nif->up = port->info.link_up;
	nif->moves = port->info.link_moves;
	nif->mtu6 = port->info.mtu;
	nif->mtu_max = port->info.mtu;
}

static void set_loopback(struct netifs *ifs, uint16_t laddr, const struct pc_addr *addr)
{
	ifs->addr[laddr] = (struct laddr){.addr = *addr,
	                                  .prefix_len = 128,
	                                  .netif = NETIF_LO,
	                                  .due_ns = UINT64_MAX,
	                                  .preferred_ns = UINT64_MAX,
	                                  .valid_ns = UINT64_MAX};
}

void netifs_init(struct netifs *ifs, struct ctx *ctx)
{
	const struct pc_addr lo4 = pc_addr_ip4(__builtin_bswap32(0x7f000001));
	const struct pc_addr lo6 = {.b = {[15] = 1}};

	ifs->ctx = ctx;
	ifs->due_ns = UINT64_MAX;
	loop_init(&ifs->loop, ctx->pool);
	set_netif(&ifs->netif[NETIF_LO], &ifs->loop.port);
	set_loopback(ifs, LADDR_LO4, &lo4);
	set_loopback(ifs, LADDR_LO6, &lo6);
}

int netifs_add_port(struct netifs *ifs, struct pc_port *port)
{
	if (ifs->n == PC_MAX_PORTS)
		return -ENOSPC;
	set_netif(&ifs->netif[ifs->n], port);
	return ifs->n++;
}

/* The directed broadcast address of an IPv4 network; a /31 and a /32 have none (RFC 3021). */
static uint32_t directed_broadcast(const struct pc_prefix *p)
{
	if (!pc_addr_is_ip4(&p->addr) || p->len < 96 || p->len > 126)
		return 0;
	return pc_addr_get_ip4(&p->addr) |
	       __builtin_bswap32((uint32_t)(UINT64_C(0xffffffff) >> (p->len - 96)));
}

/* The slot that an address had before, or a vacant one, or the next one. */
static uint16_t find_place(const struct netifs *ifs, uint8_t netif, const struct pc_prefix *addr)
{
	uint16_t other = ifs->nb_addrs;

	for (uint16_t i = 0; i < ifs->nb_addrs; i++) {
		const struct laddr *la = &ifs->addr[i];

		if (pc_addr_equal(&la->was, &addr->addr) && la->netif == netif)
			return i;
		if (la->vacant && other == ifs->nb_addrs)
			other = i;
	}
	return other;
}

int netifs_add_addr(struct netifs *ifs, uint8_t netif, const struct pc_prefix *addr)
{
	const uint16_t i = find_place(ifs, netif, addr);

	if (netifs_find(ifs, &addr->addr) != LADDR_NONE)
		return -EEXIST;
	if (i == PC_MAX_ADDRS)
		return -ENOSPC;
	ifs->addr[i] = (struct laddr){.addr = addr->addr,
	                              .prefix_len = addr->len,
	                              .netif = netif,
	                              .due_ns = UINT64_MAX,
	                              .preferred_ns = UINT64_MAX,
	                              .valid_ns = UINT64_MAX};
	ifs->last_be[i] = addr->addr.w[3];
	ifs->broadcast_be[i] = directed_broadcast(addr);
	if (i == ifs->nb_addrs)
		ifs->nb_addrs++;
	return i;
}

/* Clears a slot's address. */
static void empty(struct netifs *ifs, uint16_t laddr)
{
	ifs->addr[laddr] = (struct laddr){.netif = ifs->addr[laddr].netif,
	                                  .state = LADDR_EXPIRED,
	                                  .due_ns = UINT64_MAX,
	                                  .preferred_ns = UINT64_MAX,
	                                  .valid_ns = ifs->ctx->now_ns};
	ifs->last_be[laddr] = UINT32_MAX; /* never matches the unspecified address */
	ifs->broadcast_be[laddr] = 0;
}

void netifs_del_addr(struct netifs *ifs, uint16_t laddr)
{
	const struct laddr was = ifs->addr[laddr];

	empty(ifs, laddr);
	ifs->addr[laddr].was = was.addr;
	ifs->addr[laddr].leased = was.leased;
}

void netifs_vacate(struct netifs *ifs, uint16_t laddr)
{
	empty(ifs, laddr);
	ifs->addr[laddr].vacant = true;
}

uint16_t netifs_find_first(const struct netifs *ifs, uint8_t netif)
{
	for (uint16_t i = 0; i < ifs->nb_addrs; i++)
		if (ifs->addr[i].netif == netif && pc_addr_is_ip4(&ifs->addr[i].addr) &&
		    netifs_is_usable(ifs, i))
			return i;
	return LADDR_NONE;
}

bool netifs_is_member(const struct netifs *ifs, uint8_t netif, const struct pc_addr *group)
{
	for (uint16_t i = 0; i < ifs->nb_groups; i++)
		if (ifs->group[i].refs != 0 && ifs->group[i].netif == netif &&
		    pc_addr_equal(&ifs->group[i].addr, group))
			return true;
	return false;
}

/* among addresses whose state is before end */
static uint16_t find_link(const struct netifs *ifs, uint8_t netif, const struct pc_addr *addr,
                          enum laddr_state end)
{
	uint16_t best = LADDR_NONE;

	for (uint16_t i = 0; i < ifs->nb_addrs; i++) {
		const struct laddr *la = &ifs->addr[i];
		const struct pc_prefix net = {.addr = la->addr, .len = la->prefix_len};

		if (la->netif == netif && la->state < end && pc_prefix_contains(&net, addr) &&
		    (best == LADDR_NONE || la->prefix_len > ifs->addr[best].prefix_len))
			best = i;
	}
	return best;
}

uint16_t netifs_find_link(const struct netifs *ifs, uint8_t netif, const struct pc_addr *addr)
{
	return find_link(ifs, netif, addr, LADDR_DUPLICATE);
}

uint16_t netifs_find_source(const struct netifs *ifs, uint8_t netif, const struct pc_addr *addr)
{
	return find_link(ifs, netif, addr, LADDR_TENTATIVE);
}

bool netifs_owns_mac(const struct netifs *ifs, const uint8_t mac[6])
{
	for (uint16_t i = 0; i < ifs->n; i++)
		if (eth_equal(ifs->netif[i].port->info.mac, mac))
			return true;
	return false;
}

void netifs_free(struct netifs *ifs)
{
	for (uint16_t i = 0; i < ifs->n; i++)
		txq_free(&ifs->netif[i].txq);
	txq_free(&ifs->netif[NETIF_LO].txq);
	loop_free(&ifs->loop);
}
