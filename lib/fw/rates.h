/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_RATES_H
#define FW_RATES_H

/*
 * What sources have used of limits that each of them has: a bounded table by rule and source (fw/source.h).
 *
 * An entry is a time that runs ahead of the clock by a share with each packet.  When the clock has overtaken it, the source
 * has all of its limit again, and the entry tells nothing that no entry would not: so none needs a timer.  Where a bucket is
 * full, the entry that has used least of its limit is forgotten: of a flood from many addresses, each of which has used little of its
 * own limit, none takes the place of a source that has used up its own, whatever times their limits have, and nobody is refused
 * for want of a place.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "fw/source.h"

#define FW_RATE_WAYS 4

struct fw_rate {
	uint64_t source;
	uint64_t next_ns; /* when all of the limit is there again */
	uint32_t rule;
	float per_limit; /* 1 / all of its limit, in ns */
};

struct fw_rates {
	struct hash_key key;
	uint32_t mask; /* of buckets of FW_RATE_WAYS places */
	struct fw_rate *place;
};

/** fw_rates_init makes a table of at least n places. Returns 0 or -ENOMEM. */
int fw_rates_init(struct fw_rates *t, uint32_t n, struct hash_key key, int socket_id);
void fw_rates_fini(struct fw_rates *t);

/** fw_rates_get returns the time of a source, which is 0 for a new one; *is_forgotten: another was forgotten before its time for
 * it. limit_ns: how far ahead of the clock the time of one that has used up the rule's limit is, not 0. */
uint64_t *fw_rates_get(struct fw_rates *t, uint32_t rule, uint64_t limit_ns,
                       const struct pc_addr *source, uint64_t now_ns, bool *is_forgotten);

#endif
