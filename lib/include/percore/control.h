/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_CONTROL_H
#define PERCORE_CONTROL_H

/*
 * Changes of a running stack: routes, addresses, neighbours, MTUs, denied networks.
 *
 * The stack's own thread may make the calls below directly, at any time.  Any other thread posts
 * the change to the stack's mailbox (pc_stack_post_change), without waiting and without a lock that
 * the stack would take; the stack applies it at the beginning of its next pc_stack_poll.  What is
 * to be the same on every lcore has to be posted to each stack.
 *
 *   struct pc_change c = {.kind = PC_CHANGE_DENY, .prefix = network};
 *
 *   ticket = pc_stack_post_change(st, &c);             from any thread
 *   while (!pc_stack_posted(st, ticket, &result))      if the result matters
 *       ...
 *
 * Connections continue: each looks up its route again with its next segment.  One whose address or
 * route is gone retransmits until it times out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>
#include <percore/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A route. */
struct pc_route {
	struct pc_prefix dest;  /**< address bits beyond the length are ignored */
	struct pc_addr gateway; /**< 0.0.0.0 or ::, none: dest is on the link of port itself */
	/** index; used without a gateway, and with a link-local one, whose link it is (-1: the first port
	 * that has IPv6) */
	int port;
	uint32_t metric; /**< of several routes to a network, the lowest that is up is used */
	uint16_t mtu;    /**< bytes of the largest IP packet; 0: that of the port */
	uint16_t weight; /**< share of the flows among equal routes, 1 to 256; 0 means 1 */
};

/** A route as pc_route_list returns it. */
struct pc_route_info {
	struct pc_route route; /**< port is always filled in */
	bool learnt;           /**< from a router advertisement or redirect */
	bool connected;        /**< the network of an address of ours; removed with it */
	bool down;             /**< its gateway does not answer; others are preferred */
};

/**
 * pc_route_add adds a route. The gateway must be on the link: on a connected network, or on one
 * with a route without gateway. ::/0 via an IPv4 gateway means 0.0.0.0/0, which has 96 bits in
 * mapped form. Existing connections may use the route at once.
 *
 * Multipath: several gateways to one network are allowed. Among those with the lowest metric, a
 * hash of its addresses and ports (ip.multipath_hash) assigns one to each flow, in proportion to
 * the weights, and the flow keeps it while the route exists (RFC 2991 section 4). A gateway that
 * does not answer is skipped until it does (RFC 1122 section 3.3.1).
 *
 * Returns 0, or -1 with errno EINVAL (the prefix length, the weight, or an MTU below 552, for IPv6
 * below 1280), ENETUNREACH (the gateway is not on the link, is an address of ours, a broadcast
 * address or of the other family; or, without a gateway, there is no such port, or it has no
 * address of the family), EEXIST (there is a route via this gateway already, or the network is
 * connected) or ENOSPC (ip.routes, or more than 128 gateways).
 */
int pc_route_add(struct pc_stack *st, const struct pc_route *route);

/**
 * pc_route_del removes the route to a network via the given gateway or, without a gateway, all
 * routes to it; the other members are ignored. Learnt and connected routes stay. Returns 0, or -1
 * with errno ESRCH (there was none) or EINVAL (the prefix length).
 */
int pc_route_del(struct pc_stack *st, const struct pc_route *route);

/**
 * pc_route_replace makes this the only route to its network, except for learnt and connected ones.
 * Returns 0, or -1 with the errnos of pc_route_add; then the others stay.
 */
int pc_route_replace(struct pc_stack *st, const struct pc_route *route);

/**
 * pc_route_list writes at most n routes, unsorted. Returns how many there are, which may be more.
 */
unsigned pc_route_list(const struct pc_stack *st, struct pc_route_info *list, unsigned n);

/** An address as pc_stack_get_addrs returns it. */
struct pc_stack_addr {
	struct pc_prefix addr;
	int port;
	bool ready;      /**< usable: packets are received at it and sent from it */
	bool autoconf;   /**< formed from a prefix that a router advertises (RFC 4862) */
	bool deprecated; /**< not for new connections (RFC 4862 section 5.5.4) */
	bool tentative;  /**< not yet known to be unique (RFC 4862 section 5.4, RFC 5227) */
	bool duplicate;  /**< another host has it */
};

/** pc_stack_get_addrs writes at most n addresses. Returns how many there are, which may be more. */
unsigned pc_stack_get_addrs(const struct pc_stack *st, struct pc_stack_addr *list, unsigned n);

/**
 * pc_stack_set_neigh adds a static neighbour entry, or makes an existing one static: the MAC
 * address is not resolved, and nobody on the link can change it. Returns 0, or -1 with errno EINVAL
 * (no such port, not a unicast address, an address of ours, or a group MAC address) or ENOSPC (all
 * arp.entries are static).
 */
int pc_stack_set_neigh(struct pc_stack *st, int port, const struct pc_addr *addr,
                       const uint8_t mac[6]);

/**
 * pc_stack_del_neigh removes a neighbour entry, static or learnt. Returns 0, or -1 with errno
 * ENOENT (there is none) or EINVAL (no such port).
 */
int pc_stack_del_neigh(struct pc_stack *st, int port, const struct pc_addr *addr);

/* ---- from other threads --------------------------------------------------------------------- */

/** Maximum bytes of data of a posted call. */
#define PC_POST_MAX 64

/** How many calls may be pending on a stack, and of how many the results are kept. */
#define PC_POSTS 255

/**
 * pc_stack_post makes a stack's thread call a function at its next pc_stack_poll; from any thread,
 * without waiting. len bytes of data, at most PC_POST_MAX, are copied and passed to the call,
 * 8-byte aligned; it must not keep the pointer. Its return value, by convention 0 or a negative
 * errno, is kept for pc_stack_posted. Returns a ticket, never 0; or 0 with errno EAGAIN (PC_POSTS
 * calls are pending) or EINVAL (len). The caller makes sure that st is not destroyed meanwhile.
 */
uint64_t pc_stack_post(struct pc_stack *st, int (*call)(struct pc_stack *st, const void *data),
                       const void *data, size_t len);

/**
 * pc_stack_posted says whether the call of a ticket has been made; from any thread. If so, *result
 * is its return value, or -ESTALE after more than PC_POSTS later calls.
 */
bool pc_stack_posted(const struct pc_stack *st, uint64_t ticket, int *result);

/** Kinds of changes, with the members of struct pc_change that each uses, and the call it makes. */
enum pc_change_kind {
	PC_CHANGE_ADD_ADDR = 1, /**< port, prefix: pc_stack_add_addr */
	PC_CHANGE_DEL_ADDR,     /**< port, prefix: pc_stack_del_addr */
	/** prefix, addr (the gateway), port, metric, mtu, weight: pc_route_add */
	PC_CHANGE_ADD_ROUTE,
	PC_CHANGE_DEL_ROUTE,     /**< prefix, addr: pc_route_del */
	PC_CHANGE_REPLACE_ROUTE, /**< as PC_CHANGE_ADD_ROUTE: pc_route_replace */
	PC_CHANGE_DENY,          /**< prefix: pc_stack_deny */
	PC_CHANGE_ALLOW,         /**< prefix: pc_stack_allow */
	PC_CHANGE_SET_MTU,       /**< port, mtu: pc_stack_set_mtu */
	PC_CHANGE_SET_NEIGH,     /**< port, addr, mac: pc_stack_set_neigh */
	PC_CHANGE_DEL_NEIGH,     /**< port, addr: pc_stack_del_neigh */
};

/** A change as a value, which can be posted. Members mean what they mean in the call. */
struct pc_change {
	struct pc_prefix prefix;
	struct pc_addr addr;
	uint32_t metric;
	int32_t port;
	uint16_t mtu;
	uint8_t mac[6];
	uint16_t weight;
	uint16_t kind; /**< enum pc_change_kind */
};

/**
 * pc_stack_change makes a change, on the stack's own thread. Returns 0, or -1 with the errno of the
 * corresponding call, or EINVAL (unknown kind).
 */
int pc_stack_change(struct pc_stack *st, const struct pc_change *change);

/**
 * pc_stack_post_change posts a change, from any thread, and returns what pc_stack_post returns. The
 * result of the call is 0 or a negative errno; it is counted as changes or changes_refused.
 */
uint64_t pc_stack_post_change(struct pc_stack *st, const struct pc_change *change);

#ifdef __cplusplus
}
#endif
#endif
