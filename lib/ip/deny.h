/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_DENY_H
#define IP_DENY_H

/*
 * The deny list: prefixes of both families whose packets are dropped as soon as IP has read their
 * source.  ARP and neighbour discovery are accepted from everyone, so a router whose address is
 * denied stays reachable.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include <percore/addr.h>

/** A range of addresses, both ends included, as two numbers in host byte order each. */
struct deny_range {
	uint64_t first[2], last[2];
};

struct deny {
	uint32_t n, max, nb_ranges;
	struct pc_prefix *prefix; /* as given, in no order */
	struct deny_range *range; /* the same, sorted, without overlaps */
};

/** deny_footprint returns the bytes of a list of max prefixes. */
uint64_t deny_footprint(uint32_t max);

/** deny_init makes an empty list. Returns 0 or -ENOMEM. */
int deny_init(struct deny *d, uint32_t max, int socket_id);
void deny_fini(struct deny *d);

/** deny_set replaces the list by these n prefixes. Returns 0, -EINVAL (a length beyond 128) or
 * -ENOSPC; on failure nothing has changed. */
int deny_set(struct deny *d, const struct pc_prefix *prefix, uint32_t n);

/** deny_add adds one. Returns 0, -EINVAL, -EEXIST or -ENOSPC. */
int deny_add(struct deny *d, const struct pc_prefix *prefix);

/** deny_del removes one. Returns 0 or -ENOENT. */
int deny_del(struct deny *d, const struct pc_prefix *prefix);

/** deny_find says whether an address lies in one of the prefixes. */
bool deny_find(const struct deny *d, const struct pc_addr *a);

/** deny_has is deny_find, at almost no cost while the list is empty. */
static inline bool deny_has(const struct deny *d, const struct pc_addr *a)
{
	return unlikely(d->nb_ranges != 0) && deny_find(d, a);
}

#endif
