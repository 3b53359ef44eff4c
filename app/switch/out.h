/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_OUT_H
#define SWITCH_OUT_H

/*
 * The transmit queue of one port. Frames that the port does not accept wait here, in order; if the
 * queue is full, new frames are refused, and waiting ones are dropped once the port has accepted
 * nothing for OUT_STUCK_NS: a dead port must not keep the mbufs that the others receive into.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/port.h>

#include "counts.h"

#define OUT_SIZE     512
#define OUT_BURST    32
#define OUT_STUCK_NS UINT64_C(100000000)

struct out {
	struct pc_port *port;
	struct counts *counts;
	uint16_t n;
	/* while not empty: when the port last accepted a frame, or the first was queued */
	uint64_t moved_ns;
	struct rte_mbuf *pkts[OUT_SIZE];
	uint32_t len[OUT_SIZE]; /* bytes; a frame that was sent may no longer be read */
};

/** out_flush sends what is queued; frames that the port does not accept stay. */
void out_flush(struct out *o, uint64_t now_ns);

/*
 * out_is_full says whether there is no room, even after an attempt to send; the caller then drops
 * and counts its frame.
 */
bool out_is_full(struct out *o, uint64_t now_ns);

/** out_put queues a frame, for which out_is_full has returned false. */
void out_put(struct out *o, struct rte_mbuf *m, uint64_t now_ns);

/** out_drop frees what is queued, and counts it as c. */
void out_drop(struct out *o, enum count c);

#endif
