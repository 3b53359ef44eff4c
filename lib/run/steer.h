/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_STEER_H
#define RUN_STEER_H

/* Chooses the lcore that gets a received frame where the device's own choice is not sufficient. */

#include <percore/port.h>

#include "rxwait.h"

struct steer;
struct rte_mempool;

/**
 * steer_create makes what the n queues of a device share; with by_flow, every frame goes to the
 * queue that the hash of its addresses and ports selects. NULL: no memory.
 */
struct steer *steer_create(unsigned device, unsigned n, bool by_flow);

/** steer_free frees it and the frames in its rings; its ports must be closed. NULL is allowed. */
void steer_free(struct steer *steer);

/**
 * steer_port wraps the port of queue number index and owns it; pool supplies copies for the others.
 * Returns NULL (inner stays the caller's) if there is no memory.
 */
struct pc_port *steer_port(struct steer *steer, unsigned index, struct pc_port *inner,
                           struct rte_mempool *pool);

/** steer_bell sets the bell that wakes the lcore of a queue when it is given frames. If steer is
 * NULL, it does nothing. */
void steer_bell(struct steer *steer, unsigned index, struct rx_wait *bell);

/** steer_by_flow says whether software chooses the lcore of each frame: because of mode (enum
 * run_steer), or because the driver may spread one connection's frames over several queues. */
bool steer_by_flow(uint64_t mode, const char *driver);

#endif
