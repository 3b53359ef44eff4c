/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_NETIF_H
#define NEIGH_NETIF_H

/*
 * Interfaces: a port with the frames waiting for it, and the addresses that are ours.
 *
 * Addresses keep their index for the life of the stack, so that sockets and connections can refer
 * to one by 16 bits.  They are few: a search walks an array of their last four bytes, of which a
 * cache line holds sixteen.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#include "port/txq.h"

#define LADDR_NONE UINT16_MAX

struct netif {
	struct pc_port *port;
	struct txq txq;
};

/** An address of ours. */
struct laddr {
	struct pc_addr addr;
	uint8_t prefix_len; /* in mapped form: 96 + n for an IPv4 /n */
	uint8_t netif;
	uint64_t conflict_ns; /* when a conflict was last defended; 0: never */
};

struct netifs {
	struct ctx *ctx;
	uint16_t n, nb_addrs;
	uint16_t nb_announced;               /* the first so many addresses have been announced */
	uint32_t last_be[PC_MAX_ADDRS];      /* the last four bytes of each address */
	uint32_t broadcast_be[PC_MAX_ADDRS]; /* directed broadcast of its network; 0: none */
	struct laddr addr[PC_MAX_ADDRS];
	struct netif netif[PC_MAX_PORTS];
};

/** netifs_add_port makes an interface of a port. Returns its index or -ENOSPC. */
int netifs_add_port(struct netifs *ifs, struct pc_port *port);

/** netifs_add_addr gives an interface an address. Returns the address's index, -EEXIST or -ENOSPC. */
int netifs_add_addr(struct netifs *ifs, uint8_t netif, const struct pc_prefix *addr);

/** netifs_find returns the index of one of our addresses, or LADDR_NONE. */
static inline uint16_t netifs_find(const struct netifs *ifs, const struct pc_addr *addr)
{
	for (uint16_t i = 0; i < ifs->nb_addrs; i++)
		if (ifs->last_be[i] == addr->w[3] && pc_addr_equal(addr, &ifs->addr[i].addr))
			return i;
	return LADDR_NONE;
}

/** netifs_find_first returns the first address of an interface, or LADDR_NONE. */
uint16_t netifs_find_first(const struct netifs *ifs, uint8_t netif);

/** netifs_find_link returns the address of an interface whose network holds addr, or LADDR_NONE; of
 * several, the one with the longest prefix. */
uint16_t netifs_find_link(const struct netifs *ifs, uint8_t netif, const struct pc_addr *addr);

/** netifs_is_broadcast says whether addr is 255.255.255.255 or the directed broadcast of a network
 * of ours on that interface. */
static inline bool netifs_is_broadcast(const struct netifs *ifs, uint8_t netif,
                                       const struct pc_addr *addr)
{
	const uint32_t last_be = addr->w[3];

	if (last_be == UINT32_MAX)
		return pc_addr_is_ip4(addr);
	for (uint16_t i = 0; i < ifs->nb_addrs; i++)
		if (ifs->broadcast_be[i] == last_be && ifs->addr[i].netif == netif)
			return last_be != 0 && pc_addr_is_ip4(addr);
	return false;
}

/** netifs_owns_mac says whether a MAC address is that of one of our ports. */
bool netifs_owns_mac(const struct netifs *ifs, const uint8_t mac[6]);

/** netifs_flush hands every waiting frame to its port. */
void netifs_flush(struct netifs *ifs);

/** netifs_free drops every waiting frame. */
void netifs_free(struct netifs *ifs);

#endif
