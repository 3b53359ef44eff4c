/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_CONTROL_H
#define PERCORE_CONTROL_H

/*
 * Changes of a running stack: routes, addresses, neighbours, MTUs, denied networks.
 *
 * On the stack's own thread the calls below may be made directly, at any time.  Any other thread posts the change to
 * the stack's mailbox (pc_stack_post_change), without waiting and without a lock that the stack would take; the stack
 * makes it at the beginning of its next pc_stack_poll.  Post to each stack what should be the same on every lcore.
 *
 *   struct pc_change c = {.kind = PC_CHANGE_DENY, .prefix = network};
 *
 *   ticket = pc_stack_post_change(st, &c);             from any thread
 *   while (!pc_stack_posted(st, ticket, &result))      if the result matters
 *       ...
 *
 * Connections continue: each looks up its route again with its next segment.  One whose address or route is gone
 * retries until its time-outs end it.
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
	struct pc_prefix dest;  /**< bits beyond the length do not matter */
	struct pc_addr gateway; /**< all bytes zero: dest is on the link of port itself */
	int port;               /**< used without a gateway only */
	uint32_t metric; /**< of several routes to one network the lowest that works is used */
	uint16_t mtu;    /**< bytes of the largest packet; 0: what the port takes */
	uint16_t weight; /**< share of the flows among equal routes, 1 to 256; 0: 1 */
};

/** A route as pc_route_list returns it. */
struct pc_route_info {
	struct pc_route route; /**< port is always filled in */
	bool learnt;           /**< by router advertisement or redirect */
	bool connected;        /**< the network of an address; removed with it */
	bool down;             /**< its gateway has not answered; others are preferred */
};

/**
 * pc_route_add adds a route. The gateway must be on a connected network; ::/0 by an IPv4 gateway means
 * 0.0.0.0/0, which is 96 bits long in mapped form. Existing connections may use the route at once.
 *
 * Multipath: several gateways to one network are allowed. Among those with the lowest metric, a hash of its addresses
 * and ports (ip.multipath_hash) assigns one to each flow, in proportion to their weights, and the flow keeps it while
 * the route exists (RFC 2991 section 4). A gateway that does not answer is skipped until it does (RFC 1122 section
 * 3.3.1).
 *
 * Returns 0, or -1 with errno EINVAL (a length, a weight, or an MTU below 552, of IPv6 below 1280), ENETUNREACH (the
 * gateway is not on a network of ours, is ours or of the other family, or there is no such port, or it has
 * no address of the family), EEXIST (there is one by this gateway already, or the network is connected) or
 * ENOSPC (ip.routes, or more than 128 gateways).
 */
int pc_route_add(struct pc_stack *st, const struct pc_route *route);

/** pc_route_del removes the routes to a network, or the one by the given gateway; metric and MTU are ignored. Learnt
 * and connected routes stay. Returns 0, or -1 with errno ESRCH if there was none. */
int pc_route_del(struct pc_stack *st, const struct pc_route *route);

/** pc_route_replace makes this the only route to its network, except learnt and connected ones. Errors are those of
 * pc_route_add; then the old ones stay. */
int pc_route_replace(struct pc_stack *st, const struct pc_route *route);

/** pc_route_list writes at most n routes, unsorted. Returns how many there are. */
unsigned pc_route_list(const struct pc_stack *st, struct pc_route_info *list, unsigned n);

/** An address as pc_stack_get_addrs returns it. */
struct pc_stack_addr {
	struct pc_prefix addr;
	int port;
	bool ready;    /**< usable: packets are received at it and sent from it */
	bool autoconf; /**< made of a router's prefix */
};

/** pc_stack_get_addrs writes at most n addresses. Returns how many there are. */
unsigned pc_stack_get_addrs(const struct pc_stack *st, struct pc_stack_addr *list, unsigned n);

/**
 * pc_stack_set_neigh adds a static neighbour entry: the MAC address is not asked for, and nobody on the link can
 * change it. Returns 0, or -1 with errno EINVAL (no such port, no unicast address, or a group's
 * MAC) or ENOSPC (every entry holds frames).
 */
int pc_stack_set_neigh(struct pc_stack *st, int port, const struct pc_addr *addr,
                       const uint8_t mac[6]);

/** pc_stack_del_neigh removes a neighbour entry, static or learnt. Returns 0, or -1 with errno ENOENT. */
int pc_stack_del_neigh(struct pc_stack *st, int port, const struct pc_addr *addr);

/* ---- from other threads ------------------------------------------------------------------------ */

/** Most bytes of data of a posted call. */
#define PC_POST_MAX 64

/** Calls that may be pending on one stack, and results that are kept. */
#define PC_POSTS 255

/**
 * pc_stack_post makes a stack's thread call a function; from any thread, without waiting. len bytes of data, at
 * most PC_POST_MAX, are copied and passed to the call, 8-byte aligned; it must not keep the pointer. Its return
 * value, by convention 0 or a negative errno, is kept for pc_stack_posted. Returns a ticket, never 0; or 0 with errno
 * EAGAIN (PC_POSTS calls are pending) or EINVAL (len). st must not be destroyed meanwhile.
 */
uint64_t pc_stack_post(struct pc_stack *st, int (*call)(struct pc_stack *st, const void *data),
                       const void *data, size_t len);

/**
 * pc_stack_posted returns whether the call of a ticket has been made, and its result; from any thread. After PC_POSTS
 * later calls the result is -ESTALE.
 */
bool pc_stack_posted(const struct pc_stack *st, uint64_t ticket, int *result);

/** The kinds of changes, with the members of struct pc_change that each uses. */
enum pc_change_kind {
	PC_CHANGE_ADD_ADDR = 1, /**< port, prefix: pc_stack_add_addr */
	PC_CHANGE_DEL_ADDR,     /**< port, prefix: pc_stack_del_addr */
	PC_CHANGE_ADD_ROUTE, /**< prefix, addr (the gateway), port, metric, mtu, weight: pc_route_add */
	PC_CHANGE_DEL_ROUTE, /**< prefix, addr: pc_route_del */
	PC_CHANGE_REPLACE_ROUTE,
	PC_CHANGE_DENY,      /**< prefix: pc_stack_deny */
	PC_CHANGE_ALLOW,     /**< prefix: pc_stack_allow */
	PC_CHANGE_SET_MTU,   /**< port, mtu: pc_stack_set_mtu */
	PC_CHANGE_SET_NEIGH, /**< port, addr, mac: pc_stack_set_neigh */
	PC_CHANGE_DEL_NEIGH, /**< port, addr: pc_stack_del_neigh */
};

/** A change as a value, to be posted. */
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

/** pc_stack_change makes a change on the stack's own thread. Returns 0, or -1 with the errno of the corresponding
 * call; EINVAL for an unknown kind. */
int pc_stack_change(struct pc_stack *st, const struct pc_change *change);

/** pc_stack_post_change makes it from any thread: pc_stack_post, with 0 or the negative errno as the result. It is
 * counted as changes or changes_refused. */
uint64_t pc_stack_post_change(struct pc_stack *st, const struct pc_change *change);

#ifdef __cplusplus
}
#endif
#endif
