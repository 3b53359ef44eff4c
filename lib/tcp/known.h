/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_KNOWN_H
#define TCP_KNOWN_H

/*
 * Sources that have completed a handshake: an IPv4 address, or a /64 of IPv6.  Such a source
 * exists, which is more than can be said of the sources of most SYNs in a flood.
 *
 * Invariant: what is known before frames arrive faster than they are processed is not forgotten
 * because of what arrives then, for KNOWN_UNITS units of time.
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
	uint32_t place[KNOWN_PLACES]; /* 24 bits of a hash, and when; 0: free */
};

/** known_note remembers a source; when busy, only where nobody else would be forgotten for it. */
void known_note(struct known *k, const struct pc_addr *a, uint64_t now_ns, bool busy);

/** known_has says whether a source is remembered; one in 2^23 others is taken for it. */
bool known_has(const struct known *k, const struct pc_addr *a);

#endif
