/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IP_NAMES_H
#define IP_NAMES_H

/*
 * Name service settings: name servers, and the domains of the search list.
 *
 * Both are lists in which a new entry may replace an expired one.  An entry that never expires
 * (UINT64_MAX) was configured, or came from DHCP, which removes it itself; the others were learnt
 * from routers and have a lifetime.  Two servers, of DHCP and DHCPv6 or on two links, may tell the
 * same: such an entry is there until it has been removed as often as it was added.
 */

#include <stdbool.h>
#include <stdint.h>

#include <percore/addr.h>

#include "base/name.h"

#define NAMES_MAX     8 /* of each */
#define NAMES_LEARNT  4 /* of each, from routers (RFC 8106 section 5.3.1 wants three) */
#define NAMES_ANYPORT UINT8_MAX

/** Until when each entry of a list is valid. */
struct name_times {
	unsigned n; /* slots in use, expired ones included */
	uint64_t until_ns[NAMES_MAX];
	uint16_t holders[NAMES_MAX]; /* of an entry that never expires: how often it was added */
};

struct names {
	struct name_times servers, domains;
	struct name_server {
		struct pc_addr addr;
		uint8_t netif; /* the interface that told of it; NAMES_ANYPORT: configured */
	} server[NAMES_MAX];
	char domain[NAMES_MAX][NAME_MAX_LEN + 1];
};

/** names_add_server adds or updates a server; until_ns in the past removes it, or undoes one of
 * several additions without end. Returns 0 or -ENOSPC. */
int names_add_server(struct names *n, const struct pc_addr *addr, uint8_t netif, uint64_t until_ns,
                     uint64_t now_ns);

/** names_add_domain does the same for a domain. Returns 0, -ENOSPC, or -EINVAL (empty,
 * or too long). */
int names_add_domain(struct names *n, const char *name, uint64_t until_ns, uint64_t now_ns);

/** names_may_learn_server and names_may_learn_domain say whether an entry may be learnt from a
 * router: it was not configured, and there are not too many learnt already. */
bool names_may_learn_server(const struct names *n, const struct pc_addr *addr, uint64_t now_ns);
bool names_may_learn_domain(const struct names *n, const char *name, uint64_t now_ns);

#endif
