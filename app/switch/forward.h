/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_FORWARD_H
#define SWITCH_FORWARD_H

/*
 * The switch: a frame received by one of its ports is sent by the port of its destination, or by
 * all others.
 *
 * The mbuf that one port has received is what another sends. Only one lcore may call it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/port.h>

#include "config.h"
#include "counts.h"
#include "fdb.h"

struct vswitch;
struct rte_mempool;

/*
 * vswitch_create makes a switch of n ports; pool is for copies. The caller keeps ownership of the
 * ports and the pool. Returns NULL with a one-line error message in why.
 */
struct vswitch *vswitch_create(const struct switch_config *config, struct pc_port *const *ports,
                               unsigned n, struct rte_mempool *pool, char *why, size_t why_len);

/** vswitch_destroy frees it and the frames that wait to be sent; NULL is allowed. */
void vswitch_destroy(struct vswitch *s);

/**
 * vswitch_turn receives a burst from each port and sends. Returns how many frames were received, or
 * wait to be sent.
 */
unsigned vswitch_turn(struct vswitch *s, uint64_t now_ns);

/** vswitch_counts returns the counters of a port. */
const struct counts *vswitch_counts(const struct vswitch *s, unsigned port);

/** vswitch_fdb returns the table. */
const struct fdb *vswitch_fdb(const struct vswitch *s);

/** vswitch_port returns a port, or NULL if there is none with this index. */
const struct pc_port *vswitch_port(const struct vswitch *s, unsigned port);

#endif
