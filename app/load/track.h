/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_TRACK_H
#define LOAD_TRACK_H

/*
 * Tracks numbered frames and finds missing ones.
 *
 * The frames of a gap count as lost at once.  If one arrives later, it was out of order and not
 * lost; one that arrives again is a duplicate.  This is known for the last TRACK_SPAN numbers.
 */

#include <stdbool.h>
#include <stdint.h>

#define TRACK_SPAN 65536u

enum track_verdict { TRACK_NEW, TRACK_LATE, TRACK_DUPLICATE };

struct track {
	uint64_t next; /* the number after the highest received */
	uint64_t lost;
	bool begun;
	uint64_t seen[TRACK_SPAN / 64];
};

/** track_begin expects number next. */
void track_begin(struct track *t, uint64_t next);

/** track_add records a number. Without track_begin, tracking begins with the first one. */
enum track_verdict track_add(struct track *t, uint64_t seq);

/** track_skip counts the numbers before next that have not arrived as lost. */
void track_skip(struct track *t, uint64_t next);

#endif
