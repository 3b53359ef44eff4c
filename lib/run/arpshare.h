/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_ARPSHARE_H
#define RUN_ARPSHARE_H

/* What ARP learns on one lcore, told to the others. */

#include <percore/port.h>

struct arpshare;
struct rte_mempool;

/** arpshare_create makes the meeting place of n queues of one device. NULL: no memory. */
struct arpshare *arpshare_create(unsigned device, unsigned n);

/** arpshare_free frees it; its ports must be closed, all but the frames on their way are gone. */
void arpshare_free(struct arpshare *share);

/**
 * arpshare_port wraps the port of queue number index and owns it; pool gives the copies for the
 * others. Returns NULL (inner stays the caller's) when there is no memory.
 */
struct pc_port *arpshare_port(struct arpshare *share, unsigned index, struct pc_port *inner,
                              struct rte_mempool *pool);

#endif
