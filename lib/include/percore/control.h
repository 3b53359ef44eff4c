/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PERCORE_CONTROL_H
#define PERCORE_CONTROL_H

/*
 * Changes of a running stack: routes, addresses, neighbours, MTUs, whom nobody listens to.
 *
 * A stack belongs to its thread, so whoever else wants a change posts it to the stack's mailbox, from any thread,
 * without waiting and without a lock that the stack would ever take; the stack makes it at the beginning of its next
 * pc_stack_poll, between two bursts.  What is to be the same on every lcore is posted to each stack.  On the
 * stack's own thread the calls below may be made directly, at any time.
 *
 * Connections go on: each looks for its way anew with its next segment.  One whose address or route has gone
 * keeps trying until its time-outs end it.
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
	uint32_t metric; /**< of several routes to one network the lowest that works is taken */
	uint16_t mtu;    /**< bytes of the largest packet; 0: what the port takes */
	uint16_t weight; /**< share of the flows among equal routes, 1 to 256; 0: 1 */
};

/** A route as pc_route_list tells it. */
struct pc_route_info {
	struct pc_route route; /**< port is always filled in */
	bool learnt;           /**< by router advertisement or redirect */
	bool connected;        /**< the network of an address: it goes with that */
	bool down;             /**< its gateway has not answered; others are preferred */
};

/**
 * pc_route_add adds a route. The gateway must be on a connected network; ::/0 by an IPv4 gateway means
 * 0.0.0.0/0, which is 96 bits long in mapped form. Several gateways to one network are allowed: of those with
 * the lowest metric each flow is given one by a hash of its addresses and ports (ip.multipath_hash), in proportion to
 * their weights, and keeps it while that is there (RFC 2991 section 4); a gateway that does not answer is passed over
 * until it does (RFC 1122 section 3.3.1). The route may be used by connections that run already.
 *
 * Returns 0, or -1 with errno EINVAL (a length, a weight, or an MTU below 552, of IPv6 below 1280), ENETUNREACH (the
 * gateway is not on a network of ours, is ours or of the other family, or there is no such port, or it has
 * no address of the family), EEXIST (there is one by this gateway already, or the network is connected) or
 * ENOSPC (ip.routes, or more than 128 gateways).
 */
int pc_route_add(struct pc_stack *st, const struct pc_route *route);

/** pc_route_del takes away the routes to a network, or the one by the gateway given; metric and MTU are not
 * looked at. Those that are learnt or connected stay. -1 with errno ESRCH when there was none. */
int pc_route_del(struct pc_stack *st, const struct pc_route *route);

/** pc_route_replace makes the route the only one that is set to its network. Errors are those of pc_route_add;
 * then the old ones are still there. */
int pc_route_replace(struct pc_stack *st, const struct pc_route *route);

/** pc_route_list writes at most n routes, in no order. Returns how many there are. */
unsigned pc_route_list(const struct pc_stack *st, struct pc_route_info *list, unsigned n);

/** An address as pc_stack_get_addrs tells it. */
struct pc_stack_addr {
	struct pc_prefix addr;
	int port;
	bool ready;    /**< packets may come to it and go from it */
	bool autoconf; /**< made of a router's prefix */
};

/** pc_stack_get_addrs writes at most n addresses. Returns how many there are. */
unsigned pc_stack_get_addrs(const struct pc_stack *st, struct pc_stack_addr *list, unsigned n);

/**
 * pc_stack_set_neigh says which MAC address a neighbour on a port's link has; nobody on the link can change that,
 * and it is not asked for. Returns 0, or -1 with errno EINVAL (no such port, no unicast address, or a group's
 * MAC) or ENOSPC (every entry holds frames).
 */
int pc_stack_set_neigh(struct pc_stack *st, int port, const struct pc_addr *addr,
                       const uint8_t mac[6]);

/** pc_stack_del_neigh forgets what is known of a neighbour, set or learnt; -1 with errno ENOENT. */
int pc_stack_del_neigh(struct pc_stack *st, int port, const struct pc_addr *addr);

/* ---- from other threads ------------------------------------------------------------------------ */

/** Bytes that a call which is posted may take along. */
#define PC_POST_MAX 64

/** Calls that may wait for one stack, and results that are kept. */
#define PC_POSTS 255

/**
 * pc_stack_post asks a stack's thread to make a call; from any thread, without waiting. len bytes of data, at
 * most PC_POST_MAX, are copied; the call gets them, 8-byte aligned, and must not keep them. What it returns, 0
 * or a negative errno by custom, is kept. Returns a ticket, never 0; or 0 with errno EAGAIN (PC_POSTS calls wait
 * already) or EINVAL (len). st must not be destroyed meanwhile.
 */
uint64_t pc_stack_post(struct pc_stack *st, int (*call)(struct pc_stack *st, const void *data),
                       const void *data, size_t len);

/**
 * pc_stack_posted says whether the call of a ticket has been made, and with what result; from any thread.
 * Whoever asks after PC_POSTS more of them gets -ESTALE as the result.
 */
bool pc_stack_posted(const struct pc_stack *st, uint64_t ticket, int *result);

/** What a struct pc_change is. */
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

/** pc_stack_change makes a change on the stack's own thread. Returns 0, or -1 with the errno of the call that it
 * stands for; EINVAL for an unknown kind. */
int pc_stack_change(struct pc_stack *st, const struct pc_change *change);

/** pc_stack_post_change posts it: pc_stack_post, whose result is 0 or that errno, negative. Changes are counted as
 * changes, or changes_refused. */
uint64_t pc_stack_post_change(struct pc_stack *st, const struct pc_change *change);

#ifdef __cplusplus
}
#endif
#endif
