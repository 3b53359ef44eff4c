/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_LOCK_H
#define CHAN_LOCK_H

/*
 * Sleeping on words of shared memory, and a lock that records which process holds it.
 *
 * A thread that waits for a word to change calls the kernel's futex directly, so a signal handler
 * interrupts or restarts it exactly as it does a blocking system call (restarted with SA_RESTART if
 * there is no time-out, EINTR otherwise).
 *
 * The lock serialises the threads, and after a fork the processes, that use one direction of a
 * socket.  The service never takes it.  It contains the number of a process slot, so that a lock
 * left behind by a dead process can be broken.
 */

#include <stdint.h>
#include <time.h>

/** futex_wait sleeps while *word equals seen, until futex_wake or a deadline (ns of
 * CLOCK_MONOTONIC; UINT64_MAX: none). Returns 0, -EINTR, -ETIMEDOUT, or -EAGAIN if the word has
 * already changed. */
int futex_wait(const uint32_t *word, uint32_t seen, uint64_t deadline_ns);

/** futex_wake wakes up to n threads that sleep on word. */
void futex_wake(const uint32_t *word, int n);

/** lock_take takes a lock for process slot proc. */
void lock_take(uint32_t *lock, uint32_t proc);

/** lock_give releases it. */
void lock_give(uint32_t *lock);

/** lock_break releases the lock if the dead process slot proc holds it. */
void lock_break(uint32_t *lock, uint32_t proc);

#endif
