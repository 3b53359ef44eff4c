/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LINK_LINK_H
#define LINK_LINK_H

/* An emulated link: two ports, each behind a layer of faults for what it receives. */

#include "options.h"

struct link {
	struct pc_port *end[2]; /* the fault layers, which own the ports */
	uint64_t refused[2];    /* frames that end[i] did not take */
};

/**
 * link_make joins two ports and owns them from then on; index tells links of one program apart, so
 * that each has chances of its own, or each o->alike in a row have the same. Returns 0, or -1 with errno; then the ports are closed.
 */
int link_make(struct link *l, const struct options *o, unsigned index, struct pc_port *ports[2],
              struct rte_mempool *pool);

/** link_turn carries what has come, and what is due. Returns how many frames it has handed on. */
unsigned link_turn(struct link *l, uint64_t now_ns);

/** link_next returns when the next frame that is held is due; UINT64_MAX: none is. */
uint64_t link_next(const struct link *l);

/** link_report prints what the link did, a line for each direction. */
void link_report(const struct link *l, unsigned index, FILE *out);

/** link_close frees both ports and the frames on their way. */
void link_close(struct link *l);

#endif
