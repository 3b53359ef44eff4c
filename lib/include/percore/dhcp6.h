/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_DHCP6_H
#define PERCORE_DHCP6_H

/*
 * A DHCPv6 client (RFC 8415) for programs that drive their stacks themselves; pc_run has it as
 * ip6.dhcp.  It leases addresses, and learns name servers and search lists, with which it
 * configures the stack; routes come from router advertisements.
 *
 * It uses sockets of the stack, and pc_dhcp6_turn drives it once per turn.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A client. */
struct pc_dhcp6;

#define PC_DHCP6_SERVERS 4
#define PC_DHCP6_ADDRS   8

/** What a client asks for. */
enum pc_dhcp6_mode {
	/** what router advertisements on its port say (RFC 4861 section 4.2): with flag M,
	 * addresses, if the port also forms its own (pc_stack_add_slaac); with flag M or O, name
	 * servers */
	PC_DHCP6_ROUTER = 1,
	PC_DHCP6_INFORM, /**< the same, and name servers in any case */
	PC_DHCP6_LEASE,  /**< addresses and name servers in any case */
};

/**
 * A leased address, and when its lifetimes end, in nanoseconds of the stack's clock (UINT64_MAX:
 * never).
 */
struct pc_dhcp6_addr {
	struct pc_addr addr;
	uint64_t preferred_ns, valid_ns;
};

/** What a server has sent. */
struct pc_dhcp6_info {
	struct pc_addr server;
	uint32_t refresh_s;    /**< seconds until it is asked again; UINT32_MAX: never */
	uint32_t sol_max_rt_s; /**< SOL_MAX_RT (RFC 8415 section 21.24); 0: not sent */
	uint32_t inf_max_rt_s; /**< INF_MAX_RT (section 21.25); 0: not sent */
	uint8_t nb_dns, nb_addrs;
	struct pc_addr dns[PC_DHCP6_SERVERS];      /**< link-local ones are on the port's link */
	struct pc_dhcp6_addr addr[PC_DHCP6_ADDRS]; /**< those that are no duplicates on the link */
	char search[256]; /**< search list (RFC 3646 section 4), separated by spaces */
};

/** pc_dhcp6_has says whether an address is one of the leased addresses. */
static inline bool pc_dhcp6_has(const struct pc_dhcp6_info *info, const struct pc_addr *addr)
{
	for (unsigned i = 0; i < info->nb_addrs; i++)
		if (pc_addr_equal(&info->addr[i].addr, addr))
			return true;
	return false;
}

/**
 * pc_dhcp6_create makes a client for a port of a stack; it begins when the port has an IPv6
 * address. It asks for name servers again after the refresh time, renews its leases, and confirms
 * them after the link has been down. While it waits for an answer, it has a socket open
 * (stack.max_udp_sockets). Returns NULL with errno EINVAL (no such port) or ENOMEM.
 */
struct pc_dhcp6 *pc_dhcp6_create(struct pc_stack *st, int port, enum pc_dhcp6_mode mode);

/** pc_dhcp6_turn does what is due at now_ns, the time of the stack's turn. */
void pc_dhcp6_turn(struct pc_dhcp6 *d, uint64_t now_ns);

/**
 * pc_dhcp6_next_deadline returns the time, as now_ns, by which pc_dhcp6_turn must be called even if
 * no frame arrives; UINT64_MAX: never.
 */
uint64_t pc_dhcp6_next_deadline(const struct pc_dhcp6 *d);

/**
 * pc_dhcp6_get_info writes what is known. Returns a number that changes whenever that does; or 0 if
 * nothing has ever been known, and *info is unchanged.
 */
uint32_t pc_dhcp6_get_info(const struct pc_dhcp6 *d, struct pc_dhcp6_info *info);

/**
 * pc_dhcp6_apply gives a stack the addresses and name servers that another stack's client has on
 * that port, and removes the previous ones (old, or NULL), so that one lcore leases for all; both
 * stacks must have the same clock. info is NULL if nothing is known any more. Returns 0, or -1 if
 * an address could not be added, with errno EEXIST (it is configured), ENOSPC, or EINVAL (no such
 * port, or not one with IPv6).
 */
int pc_dhcp6_apply(struct pc_stack *st, int port, const struct pc_dhcp6_info *old,
                   const struct pc_dhcp6_info *info);

/**
 * pc_dhcp6_destroy ends a client: it releases the leased addresses (RFC 8415 section 18.2.7),
 * removes them and the name servers from the stack, and closes its socket. NULL is allowed.
 */
void pc_dhcp6_destroy(struct pc_dhcp6 *d);

#ifdef __cplusplus
}
#endif
#endif
