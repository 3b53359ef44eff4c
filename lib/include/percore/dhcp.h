/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_DHCP_H
#define PERCORE_DHCP_H

/*
 * A DHCP client (RFC 2131) for programs that drive their stacks themselves; pc_run has it as
 * "--addr dhcp".
 *
 * It uses sockets of the stack, and pc_dhcp_turn drives it once per turn.  It configures the stack
 * with what it has leased (address, routes, MTU, name servers, search list), and removes that when
 * the lease ends.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A client. */
struct pc_dhcp;

#define PC_DHCP_ROUTES  16
#define PC_DHCP_SERVERS 4

/** A route from a server. */
struct pc_dhcp_route {
	struct pc_prefix dest;
	struct pc_addr gateway; /**< 0.0.0.0: dest is on the link (RFC 3442) */
};

/** A lease; addresses are in mapped form, times in seconds. */
struct pc_dhcp_lease {
	struct pc_prefix addr;
	struct pc_addr server;
	uint32_t lease_s, t1_s, t2_s; /**< UINT32_MAX: infinity */
	uint16_t mtu;                 /**< bytes; 0: not given */
	uint8_t nb_routes, nb_dns;
	struct pc_dhcp_route route[PC_DHCP_ROUTES]; /**< includes the default route */
	struct pc_addr dns[PC_DHCP_SERVERS];
	char domain[256]; /**< domain name (RFC 2132 section 3.17) */
	char search[256]; /**< search list (RFC 3397), separated by spaces; empty: use domain */
};

/**
 * pc_dhcp_create makes a client for a port of a stack. It opens a UDP socket and, while it probes
 * an address, a packet socket (stack.max_udp_sockets). hostname (may be NULL) is sent to the
 * server; it is copied, at most 63 bytes. Returns NULL with errno EINVAL (no such port), ENOMEM,
 * ENFILE, or another of pc_socket and pc_bind.
 */
struct pc_dhcp *pc_dhcp_create(struct pc_stack *st, int port, const char *hostname);

/**
 * pc_dhcp_remember gives the client the address of a previous run; call it before the first turn.
 * If that lease is still in force, the client requests the address first (INIT-REBOOT, RFC 2131
 * section 3.2), otherwise it suggests it in its DHCPDISCOVER. The call also makes pc_dhcp_destroy
 * keep the lease, which the caller then has to remember; with the address 0.0.0.0 it does only
 * that.
 */
void pc_dhcp_remember(struct pc_dhcp *d, const struct pc_addr *addr, bool in_force);

/** pc_dhcp_turn does what is due at now_ns, the time of the stack's turn. */
void pc_dhcp_turn(struct pc_dhcp *d, uint64_t now_ns);

/**
 * pc_dhcp_next_deadline returns the time, as now_ns, by which pc_dhcp_turn must be called even if
 * no frame arrives; UINT64_MAX: never.
 */
uint64_t pc_dhcp_next_deadline(const struct pc_dhcp *d);

/**
 * pc_dhcp_get_lease writes the current lease. Returns a number that changes with every lease; or 0
 * if there is none, and *lease is unchanged.
 */
uint32_t pc_dhcp_get_lease(const struct pc_dhcp *d, struct pc_dhcp_lease *lease);

/**
 * pc_dhcp_apply configures a stack with the lease of another stack's client, and removes the
 * previous lease (old, or NULL), so that one lcore leases for all. lease is NULL if there is none
 * any more. Returns 0, or -1 with errno as pc_stack_add_addr, except EEXIST.
 */
int pc_dhcp_apply(struct pc_stack *st, int port, const struct pc_dhcp_lease *old,
                  const struct pc_dhcp_lease *lease);

/**
 * pc_dhcp_destroy ends a client: it releases the lease (DHCPRELEASE), unless pc_dhcp_remember was
 * called, removes from the stack what it has configured, and closes its sockets. NULL is allowed.
 */
void pc_dhcp_destroy(struct pc_dhcp *d);

#ifdef __cplusplus
}
#endif
#endif
