/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_KNOWN_H
#define TCP_KNOWN_H

/*
 * Sources (fw/source.h) that have completed a handshake.  Such a source exists, which is more than
 * can be said of the sources of most SYNs in a flood.
 *
 * Invariant: a source that was known before frames began to arrive faster than they are processed
 * is not evicted by what arrives then, for KNOWN_UNITS units of time.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "base/hash.h"

#define KNOWN_PLACES (1u << 14)
#define KNOWN_SHIFT  36 /* a unit is 2^36 ns, 69 seconds */
#define KNOWN_UNITS  60

struct known {
	struct hash_key key;
	uint32_t place[KNOWN_PLACES]; /* 24 bits of a hash, and the time; 0: free */
};

/** known_note remembers a source; if busy, only if that evicts no other that was seen recently. */
void known_note(struct known *k, const struct pc_addr *a, uint64_t now_ns, bool busy);

/** known_has says whether a source is remembered; for one in 2^23 unknown sources it wrongly says
 * yes. */
bool known_has(const struct known *k, const struct pc_addr *a);

#endif
