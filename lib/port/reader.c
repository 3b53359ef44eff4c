/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a list of counters, each of which an lcore makes odd when it enters and even when it
 * leaves.  The waiter watches each counter until it is even or has changed: a reader that has left
 * and entered again has seen what was written before the wait.
 *
 * Ownership: readers are embedded in their owners' structs, and on the list between reader_add and
 * reader_remove.  The list is the one variable outside lib/run that all stacks share: a driver that
 * unmaps memory calls back with nothing that leads to a stack, and there is one driver per process.
 *
 * Invariants: the lock is held while the list is walked, so that no reader is freed meanwhile;
 * lcores never take it.
 */
#include "reader.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_spinlock.h>

static struct {
	rte_spinlock_t lock;
	struct reader *first;
} readers = {.lock = RTE_SPINLOCK_INITIALIZER};

static bool barrier_for_all(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) == 0;
}

void reader_add(struct reader *r, unsigned group)
{
	r->fence = !barrier_for_all(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	atomic_init(&r->times, 0);
	atomic_init(&r->shut, false);
	r->group = group;
	rte_spinlock_lock(&readers.lock);
	r->next = readers.first;
	readers.first = r;
	rte_spinlock_unlock(&readers.lock);
}

void reader_remove(struct reader *r)
{
	struct reader **at = &readers.first;

	rte_spinlock_lock(&readers.lock);
	while (*at != NULL && *at != r)
		at = &(*at)->next;
	if (*at == r)
		*at = r->next;
	rte_spinlock_unlock(&readers.lock);
}

static void wait_for(const struct reader *r)
{
	const uint32_t times = atomic_load_explicit(&r->times, memory_order_acquire);

	if (times % 2 == 0)
		return;
	while (atomic_load_explicit(&r->times, memory_order_acquire) == times)
		sched_yield(); /* its lcore may be waiting for this CPU */
}

void readers_wait(void)
{
	atomic_thread_fence(memory_order_seq_cst);
	/* fails where readers have fences of their own */
	(void)barrier_for_all(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	rte_spinlock_lock(&readers.lock);
	for (const struct reader *r = readers.first; r != NULL; r = r->next)
		wait_for(r);
	rte_spinlock_unlock(&readers.lock);
}

static void set_shut(unsigned group, bool shut)
{
	rte_spinlock_lock(&readers.lock);
	for (struct reader *r = readers.first; r != NULL; r = r->next)
		if (r->group == group)
			atomic_store_explicit(&r->shut, shut, memory_order_release);
	rte_spinlock_unlock(&readers.lock);
}

void readers_shut(unsigned group)
{
	set_shut(group, true);
	readers_wait();
}

void readers_open(unsigned group)
{
	set_shut(group, false);
}
