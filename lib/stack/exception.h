/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_EXCEPTION_H
#define STACK_EXCEPTION_H

/*
 * The exception path: frames of a port for which the stack has no use go to the kernel, through
 * another port.
 *
 * When a device is taken from the kernel, the other services on it (ssh, a routing daemon, NTP) are
 * lost with it.  A port that leads to the kernel, a TAP, brings them back: it has the device's MAC
 * address and, on the kernel's side, our addresses.  A frame goes through our layers first, and the
 * verdict decides whose it is: a frame that would be dropped for lack of a socket, protocol or
 * address goes to the kernel, and we send no RST or ICMP error.  Frames from the kernel are sent
 * unchanged.
 *
 * ARP replies, neighbour discovery, IGMP and ICMP errors are useful to both, and go to both.  Only
 * we answer an ARP request or neighbour solicitation for one of our addresses.
 *
 * Ownership: the ports belong to the caller.  Invariant: a frame that is handed over counts as
 * taken; one that cannot be handed over counts under the drop counter that says why.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/port.h>

#include "base/ctx.h"
#include "neigh/netif.h"

#define EXCEPTION_BURST 64

/** Where the frames of one port go. */
struct exception {
	struct pc_port *kernel; /* NULL: nowhere */
	const struct netifs *ifs;
	struct netif *netif; /* the interface of the frames */
	bool link;           /* of all lcores, this one hands over frames that each of them gets */
	uint32_t left;       /* frames that may be handed over now (exception.rate) */
	uint64_t filled_ns;  /* when left was last refilled */
	uint16_t n;
	struct rte_mbuf *pkts[EXCEPTION_BURST]; /* of the current burst */
};

/** exception_put takes a frame if its verdict makes it one for the kernel. Returns whether it has;
 * exception_flush then sends and counts the frame. */
bool exception_put(struct exception *e, struct ctx *ctx, struct rte_mbuf *m, int verdict);

/** exception_put_arp gives the kernel a copy of an ARP packet with news of a neighbour, a reply or
 * an announcement; m stays the caller's. */
void exception_put_arp(struct exception *e, struct ctx *ctx, const struct rte_mbuf *m);

/** exception_flush hands the frames of a burst to the kernel. */
void exception_flush(struct exception *e, struct ctx *ctx);

/** exception_poll sends the kernel's frames on. Returns how many there were. */
unsigned exception_poll(struct exception *e, struct ctx *ctx);

#endif
