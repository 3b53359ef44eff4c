/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_RATES_H
#define FW_RATES_H

/*
 * How much of their limits sources have used, for rules with a limit per source: a bounded table by
 * rule and source (fw/source.h).
 *
 * An entry is a time that each packet moves ahead of the clock by its share. Once the clock has
 * caught up with it, the source has its whole limit again, and the entry is equivalent to none, so
 * no timer is needed. If a bucket is full, the entry that has used the smallest fraction of its
 * limit is evicted: in a flood from many addresses each has used little of its limit, so none of
 * them displaces a source that has used up its own, however long the limits' periods are, and no
 * source is refused for lack of room.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "fw/source.h"

#define FW_RATE_WAYS 4

struct fw_rate {
	uint64_t source;
	uint64_t next_ns; /* when the whole limit is available again */
	uint32_t whose;   /* the rule; the last bit: the source is a link-local address */
	float per_limit;  /* 1 / (the whole limit in ns) */
};

struct fw_rates {
	struct hash_key key;
	uint32_t mask; /* of buckets of FW_RATE_WAYS places */
	struct fw_rate *place;
};

/** fw_rates_init makes a table of at least n places. Returns 0 or -ENOMEM. */
int fw_rates_init(struct fw_rates *t, uint32_t n, struct hash_key key, int socket_id);
void fw_rates_fini(struct fw_rates *t);

/** fw_rates_get returns the time of a source, which is 0 for a new one; *is_forgotten: another one
 * was evicted for it before its time. limit_ns is how far ahead of the clock that time is when the
 * rule's limit is used up; it is not 0. */
uint64_t *fw_rates_get(struct fw_rates *t, uint32_t rule, uint64_t limit_ns,
                       const struct pc_addr *source, uint64_t now_ns, bool *is_forgotten);

#endif
