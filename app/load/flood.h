/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_FLOOD_H
#define LOAD_FLOOD_H

/*
 * A flood in addition to the load: frames that an attacker would send, from the same port, at a
 * fixed rate or as fast as the port takes them, while the load's clients are measured as usual.
 *
 * It keeps no state: a source that completes a handshake (zero-window, churn) makes its next
 * segment from the one that arrives.
 */

#include "load.h"

/** Counts of a flood, from its beginning; the report takes differences. */
struct flood_counts {
	uint64_t sent;    /* frames that the port took */
	uint64_t refused; /* frames dropped because the port had no room */
	uint64_t back;    /* frames received in response */
};

/** flood_names lists all kinds, separated by blanks. */
void flood_names(char *buf, size_t len);

/** flood_is_kind says whether there is a flood of that name. */
bool flood_is_kind(const char *name);

/**
 * flood_create makes the flood that config names. Returns NULL if it names none, or without memory.
 */
struct flood *flood_create(const struct load *l);

/**
 * flood_input removes from a burst the frames for the flood, and answers them. Returns how many are
 * left.
 */
unsigned flood_input(struct flood *f, struct load *l, struct rte_mbuf **pkts, unsigned n);

/** flood_turn sends the frames that are due. */
void flood_turn(struct flood *f, struct load *l);

/** flood_count returns what it has done so far. */
struct flood_counts flood_count(const struct flood *f);

#endif
