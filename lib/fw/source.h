/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_SOURCE_H
#define FW_SOURCE_H

/*
 * What counts as one source: an IPv4 address, or the /64 of an IPv6 address, since a host with one
 * address of a /64 usually has them all. Link-local addresses count one by one, as all neighbours
 * share their network (RFC 4291 2.5.6), and so do those that a translator gives to IPv4 hosts, which
 * are all in 64:ff9b::/96 (RFC 6052 2.1).
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

/** The name of a source. */
struct fw_source {
	/* the first half of an IPv6 address; the second half of a link-local one; or an IPv4
	 * address, translated or not, in the form of a multicast address of scope 0, which is never
	 * used (RFC 4291 2.7) */
	uint64_t name;
	bool is_link_local;
};

/* the first half of all link-local addresses */
static inline uint64_t fw_source_link(void)
{
	const struct pc_addr link = {.b = {0xfe, 0x80}};

	return link.q[0];
}

/* the network of IPv4 hosts behind a translator */
static inline struct pc_addr fw_source_translated(void)
{
	return (struct pc_addr){.b = {0, 0x64, 0xff, 0x9b}};
}

/** fw_source_of returns the source of an address. */
static inline struct fw_source fw_source_of(const struct pc_addr *a)
{
	const struct pc_addr translated = fw_source_translated();
	struct pc_addr group = {.b = {0xff}};

	if (a->q[0] == fw_source_link())
		return (struct fw_source){a->q[1], true};
	if (a->q[0] == translated.q[0] && a->w[2] == 0)
		group.b[2] = 1;
	else if (!pc_addr_is_ip4(a))
		return (struct fw_source){a->q[0], false};
	group.w[1] = a->w[3];
	return (struct fw_source){group.q[0], false};
}

/** fw_source_prefix returns the network of a source. */
static inline struct pc_prefix fw_source_prefix(struct fw_source s)
{
	const struct pc_addr a = {.q = {s.name}};
	struct pc_addr host = fw_source_translated();

	if (s.is_link_local)
		return (struct pc_prefix){.addr = {.q = {fw_source_link(), s.name}}, .len = 128};
	host.w[3] = a.w[1];
	if (a.b[0] == 0xff && a.b[1] == 0)
		return (struct pc_prefix){.addr = a.b[2] != 0 ? host : pc_addr_ip4(a.w[1]),
		                          .len = 128};
	return (struct pc_prefix){.addr = a, .len = 64};
}

#endif
