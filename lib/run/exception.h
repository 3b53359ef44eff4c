/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_EXCEPTION_H
#define RUN_EXCEPTION_H

/*
 * The kernel's end of the exception path (stack/exception.h): a TAP for each port, or VLAN of a
 * port, named exception.iface and the port's number, with its MAC address, its MTU and the
 * addresses that are configured for it.  The TAP has a queue pair for each lcore.  It disappears
 * when the program ends.
 */

#include <stdint.h>

#include <percore/port.h>
#include <percore/stack.h>

struct run;
struct worker;

/** A program's TAPs. */
struct exception_taps {
	unsigned n;                /* those that have been made, in the order of the ports */
	uint16_t id[PC_MAX_PORTS]; /* of ethdev */
	bool no_ip6;               /* the kernel wants no IPv6 addresses there */
};

/** exception_make makes the TAPs of w's ports, if exception.iface says so. Returns 0, or -1 with a line in r->s->why. */
int exception_make(struct run *r, const struct worker *w);

/** exception_attach gives each port of a worker's stack its queue pair. Returns 0, or -1 with a line in r->s->why. */
int exception_attach(struct run *r, struct worker *w);

/** exception_report prints what there is. */
void exception_report(const struct run *r);

/** exception_close frees a worker's ports; exception_stop ends the devices, when all have been freed. */
void exception_close(struct worker *w);
void exception_stop(struct run *r);

#endif
