/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_DHCP6_H
#define PERCORE_DHCP6_H

/*
 * What a network tells its hosts by stateless DHCPv6 (RFC 8415 section 6.1): a client on a stack's own sockets,
 * driven in its turn. Addresses and routes come by router advertisements; this is for the rest.
 *
 * pc_run does all this on ports with IPv6 (ip6.dhcp); programs that drive their stacks themselves call
 * pc_dhcp6_turn once per turn.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_dhcp6;

#define PC_DHCP6_SERVERS 4

/** What a server has told. */
struct pc_dhcp6_info {
	struct pc_addr server; /**< who told it */
	uint32_t refresh_s;    /**< it is asked again after so many seconds; UINT32_MAX: never */
	uint32_t sol_max_rt_s; /**< SOL_MAX_RT (RFC 8415 section 21.24); 0: not told */
	uint32_t inf_max_rt_s; /**< INF_MAX_RT (section 21.25); 0: not told */
	uint8_t nb_dns;
	struct pc_addr dns[PC_DHCP6_SERVERS]; /**< link-local ones are of the port's link */
	char search
	    [256]; /**< domains to search (RFC 3646 section 4), with a space between each two */
};

/**
 * pc_dhcp6_create makes a client for a port of a stack. It asks when a router of that port says that there is
 * something to ask for (the O or the M flag of its advertisement, RFC 4861 section 4.2), or, with always,
 * as soon as the port has an IPv6 address; and again when the time is over that the server has told, and when the
 * link has been down. While it asks it has a socket open there (stack.max_udp_sockets). Returns NULL
 * with errno: EINVAL (no such port), ENOMEM.
 */
struct pc_dhcp6 *pc_dhcp6_create(struct pc_stack *st, int port, bool always);

/** pc_dhcp6_turn does what is due at now_ns, the time of the stack's turn. */
void pc_dhcp6_turn(struct pc_dhcp6 *d, uint64_t now_ns);

/** pc_dhcp6_next_deadline tells when pc_dhcp6_turn will have something to do without a frame; UINT64_MAX:
 * never. */
uint64_t pc_dhcp6_next_deadline(const struct pc_dhcp6 *d);

/** pc_dhcp6_get_info tells what is known. Returns a number that changes with it, or 0: nothing is. */
uint32_t pc_dhcp6_get_info(const struct pc_dhcp6 *d, struct pc_dhcp6_info *info);

/**
 * pc_dhcp6_apply gives a stack the name servers that another stack's client of that port was told of, and takes back
 * those that it was given before (old, or NULL). info NULL: nothing is known.
 */
void pc_dhcp6_apply(struct pc_stack *st, int port, const struct pc_dhcp6_info *old,
                    const struct pc_dhcp6_info *info);

/** pc_dhcp6_destroy ends a client; the name servers that it was told of are forgotten. */
void pc_dhcp6_destroy(struct pc_dhcp6 *d);

#ifdef __cplusplus
}
#endif
#endif
