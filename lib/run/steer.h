/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_STEER_H
#define RUN_STEER_H

/* Which lcore gets a received frame, if the device's own choice is not sufficient. */

#include <percore/port.h>

#include "rxwait.h"

struct steer;
struct rte_mempool;

/**
 * steer_create makes the meeting place of the n queues of a device; with by_flow every frame goes to
 * the queue that the hash of its addresses and ports chooses. NULL: no memory.
 */
struct steer *steer_create(unsigned device, unsigned n, bool by_flow);

/** steer_free frees it, and the frames on their way; its ports must be closed. NULL is allowed. */
void steer_free(struct steer *steer);

/**
 * steer_port wraps the port of queue number index and owns it; pool gives the copies for the others.
 * Returns NULL (inner stays the caller's) when there is no memory.
 */
struct pc_port *steer_port(struct steer *steer, unsigned index, struct pc_port *inner,
                           struct rte_mempool *pool);

/** steer_bell has the lcore of a queue woken by bell when it is given frames. steer NULL is allowed: nothing. */
void steer_bell(struct steer *steer, unsigned index, struct rx_wait *bell);

/** steer_by_flow says whether software chooses the lcore of each frame: by mode (enum run_steer), or because the driver may
 * send frames of one connection to several queues. */
bool steer_by_flow(uint64_t mode, const char *driver);

#endif
