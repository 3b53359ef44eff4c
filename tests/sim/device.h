/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

/* A port that receives into a given pool, as devices do. */

struct pc_port;
struct rte_mempool;

/** device_on wraps a port: what it receives is copied into pool, and lost when that is empty. It
 * owns inner. Exits on failure. */
struct pc_port *device_on(struct pc_port *inner, struct rte_mempool *pool);

#endif
