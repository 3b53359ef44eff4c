/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SWITCH_OUT_H
#define SWITCH_OUT_H

/*
 * The transmit queue of one port.  What the port does not take waits here, in order; if the queue
 * is full, new frames are refused, and what waits is dropped once the port has taken nothing for
 * OUT_STUCK_NS: a dead port does not keep the mbufs that the others receive into.
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
	uint64_t
	    moved_ns; /* while it is not empty: when the port last took something, or the first came */
	struct rte_mbuf *pkts[OUT_SIZE];
	uint32_t
	    len[OUT_SIZE]; /* bytes, which are not ours to read any more when a frame is sent */
};

/** out_flush hands what there is to the port; what it does not take stays. */
void out_flush(struct out *o, uint64_t now_ns);

/** out_is_full says, after a try to send, that there is no room; whoever has a frame drops and counts it. */
bool out_is_full(struct out *o, uint64_t now_ns);

/** out_put takes a frame, which out_is_full has been asked for before. */
void out_put(struct out *o, struct rte_mbuf *m, uint64_t now_ns);

/** out_drop frees what waits, and counts it as c. */
void out_drop(struct out *o, enum count c);

#endif
