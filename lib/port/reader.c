/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Overview: a list of counters, each of which one lcore makes odd on its way in and even on its way out.  Whoever waits
 * looks at each until it is even or another one: a reader that has left and entered again has seen what was written
 * before the wait.
 *
 * Ownership: readers are inside what their owners allocated, and on the list between reader_add and reader_remove. The
 * list is the one variable below lib/run that everybody shares: a driver that takes memory away calls back with nothing
 * that would lead to a stack, and there is one of it in a process.
 *
 * Invariants: the lock is held while the list is walked, so a reader is not freed under a walk; lcores never take it.
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
	/* fails where readers have fences */
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
