/* SPDX-License-Identifier: BSD-2-Clause */
#include "chan/lock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "chan/atomic.h"

#define LOCK_WAITED (UINT32_C(1) << 31)
#define LOCK_SPINS  100

int futex_wait(const uint32_t *word, uint32_t seen, uint64_t deadline_ns)
{
	const struct timespec ts = {.tv_sec = (time_t)(deadline_ns / 1000000000),
	                            .tv_nsec = (long)(deadline_ns % 1000000000)};
	/* the bitset form takes an absolute time */
	long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, seen,
	                  deadline_ns == UINT64_MAX ? NULL : &ts, NULL, FUTEX_BITSET_MATCH_ANY);

	return rc == 0 ? 0 : -errno;
}

void futex_wake(const uint32_t *word, int n)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}

void lock_take(uint32_t *lock, uint32_t proc)
{
	const uint32_t me = proc + 1;
	uint32_t found = 0;

	for (int i = 0; i < LOCK_SPINS; i++) {
		found = 0;
		if (at_cas(lock, &found, me))
			return;
		at_relax();
	}
	/* from here on the holder has to wake a waiter when it unlocks */
	for (;;) {
		found = 0;
		if (at_cas(lock, &found, me | LOCK_WAITED))
			return;
		if (!(found & LOCK_WAITED) && !at_cas(lock, &found, found | LOCK_WAITED))
			continue;
		(void)futex_wait(lock, found | LOCK_WAITED, UINT64_MAX);
	}
}

void lock_give(uint32_t *lock)
{
	if (at_swap(lock, 0) & LOCK_WAITED)
		futex_wake(lock, 1);
}

void lock_break(uint32_t *lock, uint32_t proc)
{
	uint32_t found = at_load(lock);

	while ((found & ~LOCK_WAITED) == proc + 1) {
		if (at_cas(lock, &found, 0)) {
			futex_wake(lock, INT_MAX);
			return;
		}
	}
}
