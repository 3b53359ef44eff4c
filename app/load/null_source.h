/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_NULL_SOURCE_H
#define LOAD_NULL_SOURCE_H

/*
 * The streams out of the server without state, which show what a perfect source could send to this
 * generator.
 *
 * A stream cannot be sent without knowing how much of it is under way, so this is the one thing that
 * the server remembers: the headers of a stream's segments, made from its SYN, and where it is.  An
 * acknowledgement moves the window, and whatever fits into it is sent: no congestion control, no
 * copy for retransmission, checksums from precomputed sums.
 */

#include "null_reply.h"

#define NULL_STREAMS 64u /* at a time; a newer one takes the place of an older one */

struct null_stream {
	bool used;
	uint8_t scale, dups;
	uint32_t mss;
	uint32_t base, una, next, limit; /* sequence numbers */
	uint64_t silent_ns;
	struct null_head head;
};

struct null_sources {
	uint32_t end; /* those from here on have never been used */
	struct null_stream stream[NULL_STREAMS];
};

/**
 * null_source_input handles a segment for the source: a SYN begins a stream, a FIN or an RST ends
 * it, an acknowledgement sends more of it. Returns whether that was all, and the segment wants no
 * other answer.
 */
bool null_source_input(struct load *l, struct null_sources *all, const struct null_view *v);

/** null_source_resume sends what had no room before the port. */
void null_source_resume(struct load *l, struct null_sources *all);

/** null_source_timers repeats what has not been acknowledged for a while. */
void null_source_timers(struct load *l, struct null_sources *all, uint64_t elapsed_ns);

#endif
