/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_LEASE_H
#define RUN_LEASE_H

/*
 * Addresses by DHCP: one lcore requests them, and all lcores use them.
 *
 * The first worker has a client for each port with DHCP and publishes what it has leased; the
 * others check once a turn.
 */

#include <stdint.h>

struct run;
struct worker;

/** lease_prepare creates the shared board; lease_free frees it. Returns 0 or -1. */
int lease_prepare(struct run *r);
void lease_free(struct run *r);

/** lease_start begins a worker's part, if any port uses DHCP. Returns 0, or -1 with errno. */
int lease_start(struct worker *w);

/** lease_turn does what is due. Call it before receiving frames, since they may be for an address
 * that another lcore has leased. */
void lease_turn(struct worker *w, uint64_t now_ns);

/** lease_stop releases the leases. */
void lease_stop(struct worker *w);

#endif
