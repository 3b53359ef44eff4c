/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PORT_READER_H
#define PORT_READER_H

/*
 * Protects memory that another thread may unmap while an lcore is in the burst functions of a
 * driver.  The other thread first makes sure that no further burst uses the memory, then waits here
 * for those that are in progress.
 *
 * An lcore enters and leaves with each burst; somebody waits only when a peer goes.  So the waiter
 * has the kernel execute a barrier in every thread of the process (membarrier(2)), and entering
 * needs none: the round trip of one connection over net_memif went from 1.54 to 1.48 us.  Where the
 * kernel cannot do this, entering has a barrier.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

struct reader {
	struct reader *next;
	_Atomic uint32_t times; /* entered and left; odd within.  Written by its lcore only */
	_Atomic bool shut;      /* it is not to look, for the time being */
	bool fence;             /* who waits does not bring the barrier */
	unsigned group;         /* whose memory it reads */
};

/** reader_add makes a reader of a group known, which is outside. Any thread. */
void reader_add(struct reader *r, unsigned group);

/** reader_remove makes it unknown; it must be outside. It may be freed then. */
void reader_remove(struct reader *r);

/** reader_enter: what its lcore loads from now on is there until reader_leave, or it sees that no more is to be
 * looked at. Returns whether it may look at all; reader_leave follows in either case. */
static inline bool reader_enter(struct reader *r)
{
	const uint32_t times = atomic_load_explicit(&r->times, memory_order_relaxed);

	atomic_store_explicit(&r->times, times + 1, memory_order_relaxed);
	/* the store is seen before anything is looked at; the other half is in readers_wait */
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

/** readers_wait returns when every reader that was within has left. Not from within. */
void readers_wait(void);

/** readers_shut lets no reader of a group look any more, and returns when none does. Not from within. */
void readers_shut(unsigned group);

/** readers_open lets them look again. */
void readers_open(unsigned group);

#endif
