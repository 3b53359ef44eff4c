/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DHCP_TIMES_H
#define DHCP_TIMES_H

/* The times of a lease (RFC 2131 section 4.4.5). */

#include <stdint.h>

#include <percore/dhcp.h>

#include "base/rng.h"

/* the share of the lease that the random part of T1 and T2 is, at most */
#define TIMES_EARLY_SHARE 128

/** times_after returns when so many seconds from from_ns are over; UINT64_MAX: never. */
static inline uint64_t times_after(uint64_t from_ns, uint32_t seconds)
{
	return seconds == UINT32_MAX ? UINT64_MAX : from_ns + seconds * UINT64_C(1000000000);
}

/**
 * times_early returns the random part of T1 and T2, by which they are earlier: clients that have
 * started at the same time do not all ask at the same time, again and again. Servers that tell other
 * times have their reasons.
 */
static inline uint64_t times_early(const struct pc_dhcp_lease *l, struct rng *rng)
{
	if (l->lease_s == UINT32_MAX || l->t1_s != l->lease_s / 2)
		return 0;
	return (uint64_t)l->lease_s * (UINT64_C(1000000) / TIMES_EARLY_SHARE) *
	       rng_below(rng, 1000);
}

#endif
