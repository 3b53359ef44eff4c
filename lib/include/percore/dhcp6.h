/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_DHCP6_H
#define PERCORE_DHCP6_H

/*
 * A client of stateless DHCPv6 (RFC 8415 section 6.1) for programs that drive their stacks themselves; pc_run has it
 * as ip6.dhcp. It learns name servers and search lists; addresses and routes come from router advertisements.
 *
 * It uses sockets of the stack, and pc_dhcp6_turn drives it once per turn.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pc_dhcp6;

#define PC_DHCP6_SERVERS 4

/** What a server has sent. */
struct pc_dhcp6_info {
	struct pc_addr server;
	uint32_t refresh_s;    /**< seconds until it is asked again; UINT32_MAX: never */
	uint32_t sol_max_rt_s; /**< SOL_MAX_RT (RFC 8415 section 21.24); 0: not sent */
	uint32_t inf_max_rt_s; /**< INF_MAX_RT (section 21.25); 0: not sent */
	uint8_t nb_dns;
	struct pc_addr dns[PC_DHCP6_SERVERS]; /**< link-local ones are of the port's link */
	char search[256]; /**< search list (RFC 3646 section 4), separated by spaces */
};

/**
 * pc_dhcp6_create makes a client for a port of a stack. It sends a request when a router advertisement on that port has
 * the O or M flag (RFC 4861 section 4.2), or, with always, as soon as the port has an IPv6 address; again after the
 * refresh time, and when the link has been down. During a request it has a socket open (stack.max_udp_sockets).
 * Returns NULL with errno: EINVAL (no such port), ENOMEM.
 */
struct pc_dhcp6 *pc_dhcp6_create(struct pc_stack *st, int port, bool always);

/** pc_dhcp6_turn does what is due at now_ns, the time of the stack's turn. */
void pc_dhcp6_turn(struct pc_dhcp6 *d, uint64_t now_ns);

/** pc_dhcp6_next_deadline returns the time by which pc_dhcp6_turn must be called even if no frame arrives; UINT64_MAX:
 * never. */
uint64_t pc_dhcp6_next_deadline(const struct pc_dhcp6 *d);

/** pc_dhcp6_get_info writes what is known. Returns a number that changes with it; 0: nothing is known. */
uint32_t pc_dhcp6_get_info(const struct pc_dhcp6 *d, struct pc_dhcp6_info *info);

/**
 * pc_dhcp6_apply gives a stack the name servers that another stack's client has learnt on that port, and removes the
 * previous ones (old, or NULL). info NULL: nothing is known any more.
 */
void pc_dhcp6_apply(struct pc_stack *st, int port, const struct pc_dhcp6_info *old,
                    const struct pc_dhcp6_info *info);

/** pc_dhcp6_destroy ends a client and removes the name servers that it has learnt from the stack. */
void pc_dhcp6_destroy(struct pc_dhcp6 *d);

#ifdef __cplusplus
}
#endif
#endif
