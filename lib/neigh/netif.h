/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NEIGH_NETIF_H
#define NEIGH_NETIF_H

/*
 * Interfaces: a port with the frames waiting for it, and the addresses that are ours.
 *
 * Addresses keep their index for the life of the stack, so that sockets and connections can refer
 * to one by 16 bits.
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
	uint8_t prefix_len;  /* in mapped form: 96 + n for an IPv4 /n */
	uint8_t netif;
	bool announced;      /* its gratuitous ARP has been sent */
	uint64_t conflict_ns; /* when a conflict was last defended; 0: never */
};

struct netifs {
	struct ctx *ctx;
	uint16_t n, nb_addrs;
	struct netif netif[PC_MAX_PORTS];
	struct laddr addr[PC_MAX_ADDRS];
};

/** netifs_find returns the index of one of our addresses, or LADDR_NONE. */
uint16_t netifs_find(const struct netifs *ifs, const struct pc_addr *addr);

/** netifs_is_broadcast says whether addr is 255.255.255.255 or the directed broadcast of a network
 * of ours on that interface. */
bool netifs_is_broadcast(const struct netifs *ifs, uint8_t netif, const struct pc_addr *addr);

/** netifs_flush hands every waiting frame to its port. */
void netifs_flush(struct netifs *ifs);

#endif
