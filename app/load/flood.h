/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_FLOOD_H
#define LOAD_FLOOD_H

/*
 * A flood in addition to the load: frames that an attacker would send, from the same port, at a
 * rate or as fast as the port takes them, while the clients of the load are measured as usual.
 *
 * It keeps no state: a source that completes a handshake (zero-window, churn) makes its next
 * segment from the one that arrives.
 */

#include "load.h"

/** What a flood has done; the report takes differences. */
struct flood_counts {
	uint64_t sent;    /* frames that the port took */
	uint64_t refused; /* that it had no room for: lost */
	uint64_t back;    /* frames that came in answer */
};

/** flood_names lists all kinds, with blanks between them. */
void flood_names(char *buf, size_t len);

/** flood_is_kind says whether there is a flood of that name. */
bool flood_is_kind(const char *name);

/** flood_create makes the flood that config names. Returns NULL when there is none, or no memory. */
struct flood *flood_create(const struct load *l);

/** flood_input takes out of a burst what is for the flood, and answers it. Returns how many are left. */
unsigned flood_input(struct flood *f, struct load *l, struct rte_mbuf **pkts, unsigned n);

/** flood_turn sends what is due. */
void flood_turn(struct flood *f, struct load *l);

/** flood_count returns what it has done so far. */
struct flood_counts flood_count(const struct flood *f);

#endif
