/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LINK_LINK_H
#define LINK_LINK_H

/* An emulated link: two ports, each behind a fault layer for what it receives. */

#include "options.h"

struct link {
	struct pc_port *end[2]; /* the fault layers, which own the ports */
	uint64_t refused[2];    /* frames not accepted by end[i] */
};

/*
 * link_make joins two ports and owns them from then on; index numbers the links of a program, so
 * that each has its own random faults, or each o->alike in a row have the same. Returns 0, or -1
 * with errno; then the ports are closed.
 */
int link_make(struct link *l, const struct options *o, unsigned index, struct pc_port *ports[2],
              struct rte_mempool *pool);

/** link_turn passes on what has been received and what is due. Returns how many frames. */
unsigned link_turn(struct link *l, uint64_t now_ns);

/** link_next returns when the next held frame is due; UINT64_MAX: none is held. */
uint64_t link_next(const struct link *l);

/** link_report prints the counters of the link, a line for each direction. */
void link_report(const struct link *l, unsigned index, FILE *out);

/** link_close frees both ports and the frames in flight. */
void link_close(struct link *l);

#endif
