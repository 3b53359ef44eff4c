/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_STRANGERS_H
#define BASE_STRANGERS_H

/*
 * Strangers: senders that have no connection here.
 *
 * Overview: as long as frames are processed as fast as they arrive, every sender is answered.  When
 * one burst after another is full, the device's receive ring fills, and frames that do not fit are
 * lost, whatever their sender; answering a flood then costs existing connections their frames.  So
 * while this lasts, and for a moment longer, only a limited number of strangers is answered in each
 * burst.  Looking up a frame's connection costs a quarter of an answer, so the ring is emptied that
 * much faster.
 *
 * SYNs from sources that have completed a handshake before (tcp/known.h) have a budget of their
 * own, of the same size, so that a returning client is not lost among spoofed addresses.
 *
 * A client whose SYN finds room in the SYN cache is not a stranger, so that all clients of a sudden
 * crowd are answered.  But when frames have arrived too fast for a quarter of a second, this is no
 * sudden crowd: more connections are being opened than can be served, and each costs as much as
 * four answers.  From then on each counts as that many, if there are connections to protect:
 * guests, which are connections that carry one request after another.  If there are only short
 * connections, as many as possible are accepted.
 *
 * stack_rx empties a ring that fills in larger bursts, too.
 *
 * Ownership: one struct for each port of a stack.  Invariant: a sender that has a connection is
 * never a stranger.
 */

#include <stdbool.h>
#include <stdint.h>

/* Frames in consecutive full bursts after which a ring counts as filling: half the usual 1024. */
#define STRANGERS_BEHIND 512
/* Time until all are answered again, ns. Without it, a ring in a flood would on average be half
 * full. */
#define STRANGERS_HOLD_NS UINT64_C(40000000)

/* Time after which SYNs that find room in the SYN cache are limited too, ns. */
#define STRANGERS_LONG_NS UINT64_C(250000000)
/* What a connection costs, in answers. */
#define STRANGERS_CONNECTION 4
/* A connection that has received more data segments than this is a guest's. */
#define STRANGERS_GUEST 8
/* There are guests if STRANGERS_GUESTS of their segments are among STRANGERS_WINDOW frames. */
#define STRANGERS_GUESTS 2
#define STRANGERS_WINDOW 1024
/* The value of stack.busy_answers with which nothing is limited. */
#define STRANGERS_ALL 64

struct strangers {
	uint32_t behind;   /* frames in consecutive full bursts */
	uint32_t left;     /* answers that this burst may still get */
	uint32_t known;    /* ... and those for known sources, in addition */
	bool is_long;      /* answers have been limited for STRANGERS_LONG_NS */
	bool has_guests;   /* ... and in the last whole window of frames there were guests */
	uint32_t frames;   /* of this window, counted while is_long */
	uint32_t guests;   /* segments of guests in it */
	uint64_t since_ns; /* when limiting began */
	uint64_t until_ns; /* when limiting ends; 0: answers are not limited */
};

/* Begins or prolongs limiting: frames arrive faster than they are processed. */
static inline void strangers_limit(struct strangers *s, uint64_t now_ns)
{
	if (s->until_ns == 0)
		s->since_ns = now_ns;
	s->until_ns = now_ns + STRANGERS_HOLD_NS;
	s->is_long = now_ns - s->since_ns >= STRANGERS_LONG_NS;
}

/* Counts the frames of a burst; at the end of a window, notes whether there were guests. */
static inline void strangers_count(struct strangers *s, uint32_t n)
{
	s->frames += n;
	if (s->frames < STRANGERS_WINDOW)
		return;
	s->has_guests = s->guests >= STRANGERS_GUESTS;
	s->frames = s->guests = 0;
}

/** strangers_guest notes a data segment of a connection that has received segs of them. */
static inline void strangers_guest(struct strangers *s, uint32_t segs)
{
	if (__builtin_expect(s->is_long, 0) && segs > STRANGERS_GUEST)
		s->guests++;
}

/** strangers_is_behind says whether a ring fills: so many bursts in a row were full. */
static inline bool strangers_is_behind(const struct strangers *s)
{
	return s->behind >= STRANGERS_BEHIND;
}

/* Ends limiting when its time is over. */
static inline void strangers_relax(struct strangers *s, uint64_t now_ns)
{
	if (__builtin_expect(s->until_ns == 0, 1) || now_ns < s->until_ns)
		return;
	s->until_ns = 0;
	s->is_long = s->has_guests = false;
	s->frames = s->guests = 0;
}

/** strangers_none notes that nothing was received. */
static inline void strangers_none(struct strangers *s, uint64_t now_ns)
{
	s->behind = 0;
	strangers_relax(s, now_ns);
}

/** strangers_burst notes n frames that were received when up to `bursts` bursts of `size` frames
 * were asked for; each of these bursts may get so many answers. */
static inline void strangers_burst(struct strangers *s, uint32_t n, uint32_t size, uint32_t bursts,
                                   uint32_t answers, uint64_t now_ns)
{
	s->behind = n < size * bursts ? 0 : s->behind + n;
	s->left = s->known = answers * bursts;
	if (__builtin_expect(s->is_long, 0))
		strangers_count(s, n);
	if (__builtin_expect(!strangers_is_behind(s), 1)) {
		strangers_relax(s, now_ns);
		return;
	}
	s->behind = STRANGERS_BEHIND;
	if (answers < STRANGERS_ALL)
		strangers_limit(s, now_ns);
}

/** strangers_are_done says whether no more strangers are answered in this burst, so that there is
 * no need to look any further at their frames. */
static inline bool strangers_are_done(const struct strangers *s)
{
	return s->until_ns != 0 && s->left == 0;
}

/** strangers_ask says whether one more may be answered, and counts it. */
static inline bool strangers_ask(struct strangers *s)
{
	if (__builtin_expect(s->until_ns == 0, 1))
		return true;
	if (s->left == 0)
		return false;
	s->left--;
	return true;
}

/** strangers_cost returns what a SYN costs, in answers; 0: it is not from a stranger. has_room: the
 * SYN cache has a place for it. */
static inline uint32_t strangers_cost(const struct strangers *s, bool has_room)
{
	if (__builtin_expect(s->until_ns == 0, 1))
		return 0;
	if (!has_room)
		return 1;
	return s->has_guests ? STRANGERS_CONNECTION : 0;
}

/** strangers_take deducts a cost from left or known. Returns false if not enough are left. */
static inline bool strangers_take(uint32_t *answers, uint32_t cost)
{
	if (*answers < cost)
		return false;
	*answers -= cost;
	return true;
}

#endif
