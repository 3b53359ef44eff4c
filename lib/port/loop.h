/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_LOOP_H
#define PORT_LOOP_H

/* The loopback port: what a host sends to itself comes back. */

#include <percore/port.h>

#define LOOP_FRAMES 512 /* a power of two */

/** Such a port, by value: its owner closes nothing. */
struct loop {
	struct pc_port port;
	struct rte_mempool *pool; /* for copies of frames that their sender keeps */
	uint32_t head, tail;      /* of what is on its way, modulo LOOP_FRAMES */
	struct rte_mbuf *frame[LOOP_FRAMES];
};

/** loop_init makes an empty one; its MTU is what fits into one mbuf of the pool. */
void loop_init(struct loop *l, struct rte_mempool *pool);

/** loop_free drops what is on its way. */
void loop_free(struct loop *l);

/** loop_count returns how many frames are on their way. */
static inline uint32_t loop_count(const struct loop *l)
{
	return l->tail - l->head;
}

#endif
