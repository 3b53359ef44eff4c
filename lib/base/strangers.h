/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_STRANGERS_H
#define BASE_STRANGERS_H

/*
 * Strangers: whoever has no connection here.
 *
 * Overview: as long as frames are processed as fast as they arrive, everybody is answered.  When
 * one burst after the other is full, the ring behind the port fills, and what does not fit is lost,
 * whoever sent it; a flood then costs connections what it costs to answer it.  So from then on, and
 * for a moment longer, only a limited number of strangers is answered in each burst.  Finding out
 * whether a frame has a connection costs a quarter of an answer, so the ring is emptied that much
 * faster.
 *
 * SYNs from sources that have completed a handshake before (tcp/known.h) have a budget of their
 * own, of the same size: a client that comes back does not get lost among spoofed addresses.
 *
 * A client whose SYN finds room in the SYN cache is not a stranger, so that many who arrive at once
 * are all answered.  But if frames have come too fast for a quarter of a second, these are not
 * clients that arrived at once: more connections are begun than can be served, and each costs as
 * much as four answers.  From then on each counts as that many, if there is anybody to protect:
 * guests, which are connections on which requests come one after the other.  Where there are only
 * short connections, as many as possible are accepted.
 *
 * Ownership: one struct for each port of a stack.  Invariant: whoever has a connection is not a
 * stranger.
 */

#include <stdbool.h>
#include <stdint.h>

/* Frames in a row, all in full bursts, after which a ring counts as filling: half of a usual one, of 1024. */
#define STRANGERS_BEHIND 512
/* Time until everybody is answered again, ns. Without it, a ring under a flood would be half full on average. */
#define STRANGERS_HOLD_NS UINT64_C(40000000)

/* Time after which there is no room for everybody's connection any more, ns. */
#define STRANGERS_LONG_NS UINT64_C(250000000)
/* What a connection costs, in answers. */
#define STRANGERS_CONNECTION 4
/* Segments with data of one connection after which it is a guest's. */
#define STRANGERS_GUEST 8
/* There are guests when so many of their segments have come in so many frames. */
#define STRANGERS_GUESTS 2
#define STRANGERS_WINDOW 1024
/* stack.busy_answers with which nothing is limited. */
#define STRANGERS_ALL 64

struct strangers {
	uint32_t behind;   /* frames in full bursts, one after the other */
	uint32_t left;     /* answers that this burst may still have */
	uint32_t known;    /* ... those who are known beside these */
	bool is_long;      /* answers have been limited for long */
	bool has_guests;   /* ... and in the last whole window of frames there were guests */
	uint32_t frames;   /* of this window, counted while is_long */
	uint32_t guests;   /* segments of guests in it */
	uint64_t since_ns; /* when they began to be limited */
	uint64_t until_ns; /* for which answers are limited; 0: they are not */
};

/* Frames come faster than they are worked on. */
static inline void strangers_limit(struct strangers *s, uint64_t now_ns)
{
	if (s->until_ns == 0)
		s->since_ns = now_ns;
	s->until_ns = now_ns + STRANGERS_HOLD_NS;
	s->is_long = now_ns - s->since_ns >= STRANGERS_LONG_NS;
}

/* Counts the frames of a burst; at the end of a window tells whether there were guests. */
static inline void strangers_count(struct strangers *s, uint32_t n)
{
	s->frames += n;
	if (s->frames < STRANGERS_WINDOW)
		return;
	s->has_guests = s->guests >= STRANGERS_GUESTS;
	s->frames = s->guests = 0;
}

/** strangers_guest notes a segment with data of a connection, on which so many have come. */
static inline void strangers_guest(struct strangers *s, uint32_t segs)
{
	if (__builtin_expect(s->is_long, 0) && segs > STRANGERS_GUEST)
		s->guests++;
}

/** strangers_burst notes a burst of n frames, at most most, 0 too, and says how many answers it may have. */
static inline void strangers_burst(struct strangers *s, uint32_t n, uint32_t most, uint32_t answers,
                                   uint64_t now_ns)
{
	s->behind = n < most ? 0 : s->behind + n;
	s->left = s->known = answers;
	if (__builtin_expect(s->is_long, 0))
		strangers_count(s, n);
	if (__builtin_expect(s->behind >= STRANGERS_BEHIND, 0)) {
		s->behind = STRANGERS_BEHIND;
		if (answers < STRANGERS_ALL)
			strangers_limit(s, now_ns);
	} else if (__builtin_expect(s->until_ns != 0, 0) && now_ns >= s->until_ns) {
		s->until_ns = 0;
		s->is_long = s->has_guests = false;
		s->frames = s->guests = 0;
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

/** strangers_cost returns what a SYN costs, in answers; 0: it is none of a stranger. has_room: it has a place in the SYN cache. */
static inline uint32_t strangers_cost(const struct strangers *s, bool has_room)
{
	if (__builtin_expect(s->until_ns == 0, 1))
		return 0;
	if (!has_room)
		return 1;
	return s->has_guests ? STRANGERS_CONNECTION : 0;
}

/** strangers_take takes what something costs off left or known. Returns false when that has no more so many. */
static inline bool strangers_take(uint32_t *answers, uint32_t cost)
{
	if (*answers < cost)
		return false;
	*answers -= cost;
	return true;
}

#endif
