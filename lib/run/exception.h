/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_EXCEPTION_H
#define RUN_EXCEPTION_H

/*
 * The kernel's end of the exception path (stack/exception.h): a TAP for each port, or VLAN of a
 * port, whose name is exception.iface followed by the port's number, and which has the port's MAC
 * address, MTU and configured addresses.  It has a queue pair for each lcore, and disappears when
 * the program ends.
 */

#include <stdint.h>

#include <percore/port.h>
#include <percore/stack.h>

struct run;
struct worker;

/** A program's TAPs. */
struct exception_taps {
	unsigned n;                /* TAPs made so far, in the order of the ports */
	uint16_t id[PC_MAX_PORTS]; /* of ethdev */
	bool no_ip6;               /* the kernel accepts no IPv6 addresses there */
};

/** exception_make makes the TAPs of w's ports, if exception.iface is set. Returns 0, or -1 with a
 * line in r->s->why. */
int exception_make(struct run *r, const struct worker *w);

/** exception_attach gives each port of a worker's stack its queue pair. Returns 0, or -1 with a
 * line in r->s->why. */
int exception_attach(struct run *r, struct worker *w);

/** exception_report prints the TAPs. */
void exception_report(const struct run *r);

/** exception_close frees a worker's ports; exception_stop closes the devices, once the ports of all
 * workers are freed. */
void exception_close(struct worker *w);
void exception_stop(struct run *r);

#endif
