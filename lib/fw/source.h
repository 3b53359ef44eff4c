/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_SOURCE_H
#define FW_SOURCE_H

/* What counts as one source: an IPv4 address, or the /64 of an IPv6 address, as who has one address of it has all. */

#include <stdint.h>

#include <percore/addr.h>

/** fw_source_of returns the name of an address's source: the first half of an IPv6 address, or an IPv4 address in the place of a group's
 * of scope 0, which is nobody's (RFC 4291 2.7). */
static inline uint64_t fw_source_of(const struct pc_addr *a)
{
	struct pc_addr group = {.b = {0xff}};

	if (!pc_addr_is_ip4(a))
		return a->q[0];
	group.w[1] = a->w[3];
	return group.q[0];
}

/** fw_source_prefix returns the network of a source. */
static inline struct pc_prefix fw_source_prefix(uint64_t source)
{
	const struct pc_addr a = {.q = {source}};

	if (a.b[0] == 0xff && a.b[1] == 0)
		return (struct pc_prefix){.addr = pc_addr_ip4(a.w[1]), .len = 128};
	return (struct pc_prefix){.addr = a, .len = 64};
}

#endif
