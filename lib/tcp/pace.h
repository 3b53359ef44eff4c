/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_PACE_H
#define TCP_PACE_H

/*
 * Pacing: what cwnd allows is sent at a rate instead of at once (draft-ietf-ccwg-bbr section
 * 5.6.2).
 *
 * Bytes are sent in quanta of about a millisecond's worth, so that a fast connection wakes up no
 * more than a thousand times per second.  After a quantum, the next has to wait until the first
 * would have been sent at that rate.  If the timer is late because its lcore sleeps or its host is
 * busy, what should have been sent meanwhile is sent with the next quantum; otherwise a connection
 * would never reach its rate.  This applies to data that was waiting; idle time earns nothing, and
 * only the end of a longer stall counts.
 */

#include <stdbool.h>
#include <stdint.h>

/** The pacing of one connection; all zero: none. */
struct pace {
	uint64_t rate;    /* bytes/s; 0: as fast as cwnd allows */
	uint64_t next_ns; /* when the next quantum is due */
	uint32_t quantum; /* bytes sent at once, rounded up to a segment */
	uint32_t left;    /* bytes that may still be sent in this turn; UINT32_MAX: any number */
};

/** pace_set changes the rate, in bytes/s; 0: none. */
void pace_set(struct pace *p, uint64_t rate, uint32_t mss);

/** pace_begin begins a turn: it sets left. waited: data has been waiting for this turn since the
 * last. */
void pace_begin(struct pace *p, uint64_t now_ns, bool waited);

/** pace_take accounts for a segment of this many bytes being sent. */
static inline void pace_take(struct pace *p, uint32_t bytes)
{
	if (p->left != UINT32_MAX)
		p->left = p->left > bytes ? p->left - bytes : 0;
}

/** pace_end accounts for the bytes that were sent in this turn. */
void pace_end(struct pace *p, uint32_t bytes);

#endif
