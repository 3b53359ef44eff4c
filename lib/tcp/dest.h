/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DEST_H
#define TCP_DEST_H

/*
 * What is remembered about a destination beyond the connections to it: the cookie of TCP Fast Open
 * (RFC 7413 section 4.1.3), and the path MTU (RFC 8201 section 5.2).
 *
 * The table has a fixed size.  It is a four-way set-associative cache: of the four places for an
 * address the least recently used is replaced.  A path MTU is forgotten after ten minutes (RFC 1191
 * section 6.3), so that a path whose MTU has increased is used in full again.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "base/rng.h"

#define DEST_COOKIE_MAX 16
#define DEST_MTU_S      600 /* lifetime of a learnt path MTU */

struct dest {
	struct pc_addr addr; /* all zero: free */
	uint8_t cookie[DEST_COOKIE_MAX];
	uint32_t used_s;   /* when it was last looked up */
	uint32_t mtu_s;    /* when path_mtu was learnt */
	uint32_t failed_s; /* when a SYN with a cookie last went unanswered */
	uint16_t mss;      /* announced by the peer with its cookie */
	uint16_t path_mtu; /* 0: not known */
	uint8_t cookie_len;
	uint8_t failures; /* in a row */
};

static_assert(sizeof(struct dest) <= 64, "a destination takes one cache line");

struct dests {
	struct dest *entry;
	uint32_t sets; /* number of sets of four, a power of two */
	bool any;      /* an entry was ever made; if not, as is usual, no lookup is needed */
	struct pc_sip_key key;
};

/** dests_footprint returns the bytes of a table for n destinations. */
uint64_t dests_footprint(uint32_t n);

/** dests_init makes an empty table for about n destinations. Returns 0 or -ENOMEM. */
int dests_init(struct dests *d, uint32_t n, struct pc_sip_key key, int socket_id);
void dests_fini(struct dests *d);

/** dest_find returns what is known about an address, or NULL; now_s: the clock, in seconds. */
struct dest *dest_find(struct dests *d, const struct pc_addr *addr, uint32_t now_s);

/** dest_make returns the entry of an address, creating an empty one if there was none. */
struct dest *dest_make(struct dests *d, const struct pc_addr *addr, uint32_t now_s);

/** dest_path_mtu returns the path MTU to an address as far as it is known and fresh, or 0. */
uint16_t dest_path_mtu(struct dests *d, const struct pc_addr *addr, uint32_t now_s);

#endif
