/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_DHCP_H
#define PERCORE_DHCP_H

/*
 * An address by DHCP (RFC 2131): a client on a stack's own sockets, driven in its turn.
 *
 * pc_run does all this for "--addr dhcp"; programs that drive their stacks themselves call pc_dhcp_turn
 * once per turn. The client gives the stack what it has leased: address, routes, MTU, name servers; and
 * takes it back when the lease ends.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_dhcp;

#define PC_DHCP_ROUTES  16
#define PC_DHCP_SERVERS 4

/** A route that a server has given. */
struct pc_dhcp_route {
	struct pc_prefix dest;
	struct pc_addr gateway;
};

/** What was leased; addresses are in mapped form, times in seconds. */
struct pc_dhcp_lease {
	struct pc_prefix addr;
	struct pc_addr server;
	uint32_t lease_s, t1_s, t2_s; /**< UINT32_MAX: for ever */
	uint16_t mtu;                 /**< bytes; 0: not told */
	uint8_t nb_routes, nb_dns;
	struct pc_dhcp_route route[PC_DHCP_ROUTES]; /**< the default route is one of them */
	struct pc_addr dns[PC_DHCP_SERVERS];
	char domain[256]; /**< that of the host (option 15) */
	char search
	    [256]; /**< domains to search (RFC 3397), with a space between each two; empty: the host's own */
};

/**
 * pc_dhcp_create makes a client for a port of a stack; it opens two sockets there (stack.max_udp_sockets).
 * hostname (may be NULL) is told to the server. Returns NULL with errno: EINVAL (no such port), ENFILE,
 * ENOMEM.
 */
struct pc_dhcp *pc_dhcp_create(struct pc_stack *st, int port, const char *hostname);

/**
 * pc_dhcp_remember tells a client before its first turn what it has leased in a former life. If the lease is in force, the
 * address is asked for first (RFC 2131 section 3.2), else it is named as welcome. And pc_dhcp_destroy will not give
 * back what the client has leased: the caller remembers it. With an address of 0.0.0.0 it only does the latter.
 */
void pc_dhcp_remember(struct pc_dhcp *d, const struct pc_addr *addr, bool in_force);

/** pc_dhcp_turn does what is due at now_ns, the time of the stack's turn. */
void pc_dhcp_turn(struct pc_dhcp *d, uint64_t now_ns);

/** pc_dhcp_next_deadline tells when pc_dhcp_turn will have something to do without a frame. */
uint64_t pc_dhcp_next_deadline(const struct pc_dhcp *d);

/** pc_dhcp_get_lease tells what is leased. Returns a number that changes with it, or 0: nothing is. */
uint32_t pc_dhcp_get_lease(const struct pc_dhcp *d, struct pc_dhcp_lease *lease);

/**
 * pc_dhcp_apply gives a stack what another stack's client has leased, and takes back what it was given
 * before (old, or NULL). So each lcore has what one has asked for. lease NULL: nothing is leased. Returns 0,
 * or -1 with errno as pc_stack_add_addr.
 */
int pc_dhcp_apply(struct pc_stack *st, int port, const struct pc_dhcp_lease *old,
                  const struct pc_dhcp_lease *lease);

/** pc_dhcp_destroy ends a client; it tells the server so (DHCPRELEASE), but for pc_dhcp_remember, and takes the address
 * back. */
void pc_dhcp_destroy(struct pc_dhcp *d);

#ifdef __cplusplus
}
#endif
#endif
