/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_STRANGERS_H
#define BASE_STRANGERS_H

/*
 * Strangers: whoever has no connection here.
 *
 * Overview: as long as frames are worked on as fast as they come, everybody is answered. When one burst after the
 * other comes full, the ring behind the port fills, and what it has no room for is lost, whoever sent it: a flood
 * then takes from connections what it costs to answer it. So from then on, and for a moment longer, only so many
 * strangers of each burst are answered. To look whether a frame has a connection costs a quarter of an answer, and
 * the ring is emptied that much faster.
 *
 * Ownership: one struct for each port of a stack. Invariant: whoever has a connection is no stranger; neither is a
 * client whose SYN finds room in the SYN cache, so that many who come at once are all answered.
 */

#include <stdbool.h>
#include <stdint.h>

/* Frames in a row, all in full bursts, after which a ring counts as filling: half of a usual one, of 1024. */
#define STRANGERS_BEHIND 512
/* Time until everybody is answered again, ns. Without it, a ring under a flood would be half full on average. */
#define STRANGERS_HOLD_NS UINT64_C(40000000)

struct strangers {
	uint32_t behind;   /* frames in full bursts, one after the other */
	uint32_t left;     /* answers that this burst may still have */
	uint64_t until_ns; /* for which answers are limited; 0: they are not */
};

/** strangers_burst notes a burst of n frames, at most most, 0 too, and says how many answers it may have. */
static inline void strangers_burst(struct strangers *s, uint32_t n, uint32_t most, uint32_t answers,
                                   uint64_t now_ns)
{
	s->behind = n < most ? 0 : s->behind + n;
	s->left = answers;
	if (__builtin_expect(s->behind >= STRANGERS_BEHIND, 0)) {
		s->behind = STRANGERS_BEHIND;
		s->until_ns = now_ns + STRANGERS_HOLD_NS;
	} else if (__builtin_expect(s->until_ns != 0, 0) && now_ns >= s->until_ns) {
		s->until_ns = 0;
	}
}

/** strangers_are_done says that no more are answered in this burst, so nothing else need be found out about one. */
static inline bool strangers_are_done(const struct strangers *s)
{
	return s->until_ns != 0 && s->left == 0;
}

/** strangers_ask says whether one more is answered. */
static inline bool strangers_ask(struct strangers *s)
{
	if (__builtin_expect(s->until_ns == 0, 1))
		return true;
	if (s->left == 0)
		return false;
	s->left--;
	return true;
}

#endif
