/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_TRACK_H
#define LOAD_TRACK_H

/*
 * Follows numbered frames and finds missing ones.
 *
 * A gap counts as lost at once.  If a frame of a gap arrives later, it is out of order and not
 * lost; one that arrives again is a duplicate.  This is known for the last TRACK_SPAN numbers.
 */

#include <stdbool.h>
#include <stdint.h>

#define TRACK_SPAN 65536u

enum track_verdict { TRACK_NEW, TRACK_LATE, TRACK_DUPLICATE };

struct track {
	uint64_t next; /* the number after the highest that has come */
	uint64_t lost;
	bool begun;
	uint64_t seen[TRACK_SPAN / 64];
};

/** track_begin expects number next. */
void track_begin(struct track *t, uint64_t next);

/** track_add takes a number in. Without track_begin the first one is where it begins. */
enum track_verdict track_add(struct track *t, uint64_t seq);

/** track_skip gives up what has not come below next. */
void track_skip(struct track *t, uint64_t next);

#endif
