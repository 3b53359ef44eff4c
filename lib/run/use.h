/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_USE_H
#define RUN_USE_H

/*
 * How an lcore spends its time.
 *
 * A turn of the loop that had something to do counts as busy until the next one begins, so no extra
 * reading of the clock is needed.  In one of USE_EACH busy turns, the shares of the stack and of
 * the program are measured.
 *
 * Only the lcore writes.  Other threads read whole numbers, which are only roughly consistent with
 * each other.
 */

#include <stdbool.h>
#include <stdint.h>

#define USE_EACH 64 /* a power of two */

struct lcore_use {
	uint64_t turns, busy_turns, busy_ns;
	uint64_t busy_since_ns;                      /* 0: the last turn had nothing to do */
	uint64_t timed_frames, stack_ns, program_ns; /* of the turns that were measured */
};

/** use_begin begins a turn. */
static inline void use_begin(struct lcore_use *u, uint64_t now_ns)
{
	u->turns++;
	if (u->busy_since_ns != 0)
		u->busy_ns += now_ns - u->busy_since_ns;
	u->busy_since_ns = 0;
}

/** use_end ends it; work is how much there was to do. */
static inline void use_end(struct lcore_use *u, unsigned work, uint64_t now_ns)
{
	if (work == 0)
		return;
	u->busy_turns++;
	u->busy_since_ns = now_ns;
}

/** use_is_timed says whether to measure a turn with this many frames. */
static inline bool use_is_timed(const struct lcore_use *u, unsigned frames)
{
	return frames > 0 && (u->busy_turns & (USE_EACH - 1)) == 0;
}

/** use_time adds a measurement: when the turn began, when the stack had received its frames, when
 * the program was done, and when all was sent. */
static inline void use_time(struct lcore_use *u, unsigned frames, const uint64_t at_ns[4])
{
	u->timed_frames += frames;
	u->stack_ns += (at_ns[1] - at_ns[0]) + (at_ns[3] - at_ns[2]);
	u->program_ns += at_ns[2] - at_ns[1];
}

#endif
