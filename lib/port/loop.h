/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_LOOP_H
#define PORT_LOOP_H

/* The loopback port: it receives what is sent to it. */

#include <percore/port.h>

#define LOOP_FRAMES 512 /* a power of two */

/** A loopback port, embedded in its owner, which does not close it. */
struct loop {
	struct pc_port port;
	struct rte_mempool *pool; /* for copies of frames that their sender keeps */
	uint32_t head, tail;      /* of the queued frames, modulo LOOP_FRAMES */
	struct rte_mbuf *frame[LOOP_FRAMES];
};

/** loop_init makes an empty port; its MTU is what fits into one mbuf of the pool. */
void loop_init(struct loop *l, struct rte_mempool *pool);

/** loop_free drops all queued frames. */
void loop_free(struct loop *l);

/** loop_count returns how many frames are queued. */
static inline uint32_t loop_count(const struct loop *l)
{
	return l->tail - l->head;
}

#endif
