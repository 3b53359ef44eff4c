/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_SLOW_H
#define LOAD_SLOW_H

/*
 * Connections that read slowly, in addition to those that are measured: they request much more than
 * they read, so that the server has to buffer it.  A reader takes load.slow_rate bytes per second
 * out of a receive buffer of load.slow_window bytes, and its window is the room that this leaves.
 * Only these connections need another 16 bytes each.
 */

#include "load.h"

struct reader {
	uint32_t read; /* sequence number of the next byte to read from the buffer */
	uint32_t edge; /* right edge of the window, as last advertised */
	uint64_t at;   /* time up to which reading has been accounted for, ns */
};

/** slow_init makes the readers. Returns 0, or -1 with a line in why. */
int slow_init(struct load *l, char *why, size_t why_len);

/** slow_opened starts reading connection i at its first byte. */
void slow_opened(struct load *l, const struct client *c, uint32_t i);

/** slow_syn_window returns the window of a slow reader's SYN, bytes. */
uint32_t slow_syn_window(const struct load *l);

/** slow_window returns the window of connection i as it goes into a header, host byte order. */
uint16_t slow_window(struct load *l, const struct client *c, uint32_t i);

/**
 * slow_room returns how many of len bytes from rcv on fit into the window of connection i. More
 * than a window probe beyond it counts as a fault.
 */
uint32_t slow_room(struct load *l, const struct client *c, uint32_t i, uint32_t len);

/** slow_timers lets the readers read, and sends window updates. */
void slow_timers(struct load *l, uint64_t elapsed_ns);

/** slow_ask sends the first requests of slow readers. */
void slow_ask(struct load *l);

#endif
