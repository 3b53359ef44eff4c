/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_READER_H
#define PORT_READER_H

/*
 * Protects memory that another thread may unmap while an lcore is in the burst functions of a
 * driver.  The other thread first makes sure that no further burst will use the memory, then waits
 * here for those in progress.
 *
 * An lcore enters and leaves with each burst, but a thread waits only when a peer disconnects.  So
 * the waiter has the kernel execute a barrier in every thread of the process (membarrier(2)), and
 * entering needs none: this cut the round trip of one connection over net_memif from 1.54 to
 * 1.48 us.  Where the kernel cannot do this, entering has a barrier.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

struct reader {
	struct reader *next;
	_Atomic uint32_t
	    times;         /* entries plus exits; odd while inside.  Only its lcore writes it */
	_Atomic bool shut; /* it must not access the memory for now */
	bool fence;        /* it needs a barrier of its own: the waiter has none */
	unsigned group;    /* whose memory it reads */
};

/** reader_add registers a reader of a group; it must be outside. For any thread. */
void reader_add(struct reader *r, unsigned group);

/** reader_remove unregisters it; it must be outside, and may be freed then. */
void reader_remove(struct reader *r);

/** reader_enter enters: memory that the lcore finds in use from now on stays mapped until
 * reader_leave. Returns whether it may access the memory at all; call reader_leave in either
 * case. */
static inline bool reader_enter(struct reader *r)
{
	const uint32_t times = atomic_load_explicit(&r->times, memory_order_relaxed);

	atomic_store_explicit(&r->times, times + 1, memory_order_relaxed);
	/* the store must be visible before any access; readers_wait has the other half */
	if (unlikely(r->fence))
		atomic_thread_fence(memory_order_seq_cst);
	else
		atomic_signal_fence(memory_order_seq_cst);
	return !atomic_load_explicit(&r->shut, memory_order_relaxed);
}

static inline void reader_leave(struct reader *r)
{
	const uint32_t times = atomic_load_explicit(&r->times, memory_order_relaxed);

	atomic_store_explicit(&r->times, times + 1, memory_order_release);
}

/** readers_wait returns when every reader that was inside has left. Not from inside. */
void readers_wait(void);

/** readers_shut keeps the readers of a group from accessing the memory, and returns when none does
 * any more. Not from inside. */
void readers_shut(unsigned group);

/** readers_open lets them access it again. */
void readers_open(unsigned group);

#endif
