/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_NULL_SOURCE_H
#define LOAD_NULL_SOURCE_H

/*
 * The streams out of the server without state, which show what a perfect source could send to this
 * generator.
 *
 * A stream cannot be sent without knowing how much of it is under way, so this is the one thing that
 * the server remembers: the headers of a stream's segments, made from its SYN, and where it is.  An
 * acknowledgement for port 19 moves the window, and whatever fits into it is sent: no congestion
 * control, no copy for retransmission, checksums from precomputed sums.
 */

#include "load.h"

#define NULL_STREAMS 64u /* at a time; a newer one takes the place of an older one */

/** null_source_init makes the table, as l->engine_state. Returns 0, or -1 with a line in why. */
int null_source_init(struct load *l, char *why, size_t why_len);

/**
 * null_source_input looks at a frame before it is answered: a SYN for port 19 begins a stream, a FIN
 * or an RST ends it, an acknowledgement sends more of it. Returns whether that was all, and the
 * frame wants no other answer.
 */
bool null_source_input(struct load *l, const struct rte_mbuf *m);

/** null_source_resume sends what had no room before the port. */
void null_source_resume(struct load *l);

/** null_source_timers repeats what has not been acknowledged for a while. */
void null_source_timers(struct load *l, uint64_t elapsed_ns);

#endif
