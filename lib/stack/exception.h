/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STACK_EXCEPTION_H
#define STACK_EXCEPTION_H

/*
 * The exception path: frames of a port for which the stack has no use go to the kernel, by another
 * port.
 *
 * When a device is taken from the kernel, the other services on it (ssh, a routing daemon, NTP) are
 * lost with it.  A port that leads to the kernel, a TAP, brings them back: it has the device's MAC
 * address and, on the kernel's side, our addresses.  A frame goes through our layers first, and the
 * verdict says whose it is: one that would be dropped because there is no socket, protocol or
 * address for it goes to the kernel, and nothing is answered here, no RST and no ICMP error.  What
 * the kernel sends is sent unchanged.
 *
 * ARP replies, neighbour discovery, IGMP and ICMP errors are useful to both, and go to both.  An
 * ARP request or neighbour solicitation for an address of ours is answered by us alone.
 *
 * Ownership: the ports belong to the caller.  Invariant: a frame that is handed over counts as
 * taken; one that cannot be handed over, under the drop counter that says why.
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
	struct netif *netif; /* whose frames they are */
	bool link;           /* what is for every lcore goes to the kernel from here */
	uint32_t left;       /* frames that may go before more time has passed (exception.rate) */
	uint64_t filled_ns;  /* when left was last looked at */
	uint16_t n;
	struct rte_mbuf *pkts[EXCEPTION_BURST]; /* of the burst that is worked on */
};

/** exception_put takes a frame that has got a verdict, if it is one for the kernel. Returns whether it has: then it is
 * sent by exception_flush, and counted. */
bool exception_put(struct exception *e, struct ctx *ctx, struct rte_mbuf *m, int verdict);

/** exception_put_arp gives the kernel a copy of an ARP packet that tells of a neighbour, a reply or an announcement; m
 * stays the caller's. */
void exception_put_arp(struct exception *e, struct ctx *ctx, const struct rte_mbuf *m);

/** exception_flush hands the frames of a burst over. */
void exception_flush(struct exception *e, struct ctx *ctx);

/** exception_poll sends what the kernel has sent. Returns how many frames that were. */
unsigned exception_poll(struct exception *e, struct ctx *ctx);

#endif
