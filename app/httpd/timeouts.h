/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HTTPD_TIMEOUTS_H
#define HTTPD_TIMEOUTS_H

/*
 * One deadline per connection, with a resolution of about 34 ms.
 *
 * Deadlines are usually postponed (by every request), so postponing is a single store: the entry
 * stays in its slot and is checked again when that is due.  Only an earlier deadline moves it.
 * This is a timer wheel rather than one FIFO per time-out, because with postponed entries a FIFO
 * could be late by up to its whole time-out.
 */

#include <stddef.h>
#include <stdint.h>

#define TIMEOUTS_TICK_SHIFT 25 /**< a tick is 2^25 ns */
#define TIMEOUTS_SLOTS      1024
#define TIMEOUTS_NONE       UINT32_MAX

/**
 * An entry, at the beginning of each element of the caller's array. Zeroed: not queued.
 */
struct timeout {
	uint32_t next, prev;
	uint32_t at;       /**< tick of its slot */
	uint32_t deadline; /**< tick; valid while queued */
};

struct timeouts {
	char *base;
	size_t stride;
	uint32_t now; /**< every slot before this tick is done */
	uint32_t slots[TIMEOUTS_SLOTS];
};

/**
 * timeouts_init takes an array at base with elements of stride bytes; element 0 is unused.
 */
void timeouts_init(struct timeouts *t, void *base, size_t stride, uint64_t now_ns);

/** timeouts_set gives entry i a deadline, in ns; it never expires early. */
void timeouts_set(struct timeouts *t, uint32_t i, uint64_t deadline_ns);

/** timeouts_clear removes entry i, if it is queued. */
void timeouts_clear(struct timeouts *t, uint32_t i);

/** timeouts_next removes and returns an entry whose deadline has passed, or TIMEOUTS_NONE. */
uint32_t timeouts_next(struct timeouts *t, uint64_t now_ns);

#endif
