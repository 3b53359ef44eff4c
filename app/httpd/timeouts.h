/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_TIMEOUTS_H
#define HTTPD_TIMEOUTS_H

/*
 * One deadline per connection, with a resolution of about 34 ms.
 *
 * Deadlines are usually postponed (by every request), so postponing is a single store: the entry
 * stays where it is queued and is examined again when its turn comes.  Only an earlier deadline
 * moves it.  It is a wheel of slots rather than one FIFO per time-out, because with postponed
 * entries a FIFO would be late by up to its whole time-out.
 */

#include <stddef.h>
#include <stdint.h>

#define TIMEOUTS_TICK_SHIFT 25 /**< a tick is 2^25 ns */
#define TIMEOUTS_SLOTS      1024
#define TIMEOUTS_NONE       UINT32_MAX

/**
 * An entry; it lies in the caller's array, at the beginning of each element. Zero is not queued.
 */
struct timeout {
	uint32_t next, prev;
	uint32_t at;       /**< tick of the slot that it is queued in */
	uint32_t deadline; /**< tick; valid while queued */
};

struct timeouts {
	char *base;
	size_t stride;
	uint32_t now; /**< every slot before this tick is done */
	uint32_t slots[TIMEOUTS_SLOTS];
};

/**
 * timeouts_init prepares for an array at base of elements of stride bytes, number 0 being unused.
 */
void timeouts_init(struct timeouts *t, void *base, size_t stride, uint64_t now_ns);

/** timeouts_set gives entry i a deadline, in ns; it is never called early. */
void timeouts_set(struct timeouts *t, uint32_t i, uint64_t deadline_ns);

/** timeouts_clear removes entry i, if it is queued. */
void timeouts_clear(struct timeouts *t, uint32_t i);

/** timeouts_next removes and returns an entry whose deadline has passed, or TIMEOUTS_NONE. */
uint32_t timeouts_next(struct timeouts *t, uint64_t now_ns);

#endif
