/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_LEASE_H
#define RUN_LEASE_H

/*
 * Addresses by DHCP: one lcore asks, and all of them use the answer.
 *
 * The first worker has a client for each such port and publishes what it has leased; the others
 * look once a turn.
 */

#include <stdint.h>

struct run;
struct worker;

/** lease_prepare makes the board; lease_free frees it. Returns 0 or -1. */
int lease_prepare(struct run *r);
void lease_free(struct run *r);

/** lease_start begins a worker's part, if any port wants it. Returns 0, or -1 with errno. */
int lease_start(struct worker *w);

/** lease_turn does what is due; before frames are taken, which may be for an address that another lcore has leased. */
void lease_turn(struct worker *w, uint64_t now_ns);

/** lease_stop gives the leases back. */
void lease_stop(struct worker *w);

#endif
