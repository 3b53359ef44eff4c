/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CHAN_ATOMIC_H
#define CHAN_ATOMIC_H

/*
 * Short names for atomic operations on shared memory.
 *
 * One side publishes something and then checks whether the other is asleep; the other announces
 * that it is going to sleep and then checks whether something was published.  Both use the seq_cst
 * forms (_sc) for this.  There are no fences anywhere, so ThreadSanitizer understands all of it.
 */

#include <stdint.h>

#define at_load(p)        __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define at_load_sc(p)     __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define at_peek(p)        __atomic_load_n(p, __ATOMIC_RELAXED)
#define at_store(p, v)    __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define at_store_sc(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define at_put(p, v)      __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define at_swap(p, v)     __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define at_add(p, v)      __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define at_or(p, v)       __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define at_and(p, v)      __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
/* on failure *expected becomes the value found */
#define at_cas(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

static inline void at_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

#endif
