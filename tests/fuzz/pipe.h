/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUZZ_PIPE_H
#define FUZZ_PIPE_H

/*
 * A wire between two stacks with an attacker on it: he sees every frame, and may drop, duplicate or
 * change it, or insert frames of his own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/port.h>

#define PIPE_FRAME_MAX 1514
#define PIPE_QUEUE     128

struct rte_mempool;

/** One end: a port, and the frames in flight to it. */
struct pipe_end {
	struct pc_port port; /* first: the port is the end */
	struct pipe_end *peer;
	struct rte_mempool *pool;
	struct rte_mbuf *q[PIPE_QUEUE];
	unsigned n;
	unsigned drop; /* how many of the next frames sent to this end are dropped */
	uint16_t last_len;
	uint8_t last[PIPE_FRAME_MAX]; /* the latest frame sent to this end */
};

/** pipe_open makes both ends, with one pool for all frames in flight. */
void pipe_open(struct pipe_end ends[2], struct rte_mempool *pool);

/** pipe_close frees the frames in flight. */
void pipe_close(struct pipe_end ends[2]);

/** pipe_inject adds a frame to an end's queue; without room it is dropped. */
void pipe_inject(struct pipe_end *to, const uint8_t *frame, uint16_t len);

/** pipe_fix computes the checksums of a frame of either family, as far as its lengths allow. */
void pipe_fix(uint8_t *frame, uint16_t len);

#endif
