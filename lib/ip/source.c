/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which address of ours a packet comes from (RFC 6724 section 5).
 *
 * The route has chosen the interface already, and only its addresses come into question (rule 5).
 * Rules 4 and 7 are about mobile nodes and temporary addresses, which are not there.
 */

#include "ip/ip.h"
#include "wire/ip6.h"

#define SCOPE_LINK   2
#define SCOPE_SITE   5
#define SCOPE_GLOBAL 14

/* section 3.1 */
static unsigned scope_of(const struct pc_addr *a)
{
	if (pc_addr_is_multicast(a))
		return ip6_group_scope(a);
	if (pc_addr_is_link_local(a) || pc_addr_is_loopback(a))
		return SCOPE_LINK;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

/* the policy table of section 2.1, longest prefixes first */
static unsigned label_of(const struct pc_addr *a)
{
	static const struct {
		struct pc_prefix prefix;
		unsigned label;
	} policy[] = {
	    {{.addr = {.b = {[15] = 1}}, .len = 128}, 0},
	    {{.addr = {.b = {[10] = 0xff, [11] = 0xff}}, .len = 96}, 4},
	    {{.len = 96}, 3},
	    {{.addr = {.b = {0x20, 0x01}}, .len = 32}, 5},
	    {{.addr = {.b = {0x20, 0x02}}, .len = 16}, 2},
	    {{.addr = {.b = {0x3f, 0xfe}}, .len = 16}, 12},
	    {{.addr = {.b = {0xfe, 0xc0}}, .len = 10}, 11},
	    {{.addr = {.b = {0xfc}}, .len = 7}, 13},
	};

	for (unsigned i = 0; i < sizeof(policy) / sizeof(policy[0]); i++)
		if (pc_prefix_contains(&policy[i].prefix, a))
			return policy[i].label;
	return 1;
}

/* bits that two addresses have in common, at most those of the source's prefix (section 2.2) */
static unsigned common_bits(const struct laddr *la, const struct pc_addr *dst)
{
	unsigned n = 0;

	while (n < la->prefix_len &&
	       ((la->addr.b[n / 8] ^ dst->b[n / 8]) & (0x80u >> (n % 8))) == 0)
		n++;
	return n;
}

/* Says whether a is a better source than b. */
static bool is_better(const struct laddr *a, const struct laddr *b, const struct pc_addr *dst)
{
	const unsigned sa = scope_of(&a->addr), sb = scope_of(&b->addr), sd = scope_of(dst);
	const unsigned ld = label_of(dst);
	const bool la = label_of(&a->addr) == ld, lb = label_of(&b->addr) == ld;

	if (sa != sb) /* rule 2 */
		return sa < sb ? sa >= sd : sb < sd;
	if (a->state != b->state) /* rule 3 */
		return a->state < b->state;
	if (la != lb) /* rule 6 */
		return la;
	return common_bits(a, dst) > common_bits(b, dst); /* rule 8 */
}

uint16_t ip6_source(const struct ip *ip, uint8_t netif, const struct pc_addr *dst)
{
	uint16_t best = LADDR_NONE;

	for (uint16_t i = 0; i < ip->ifs.nb_addrs; i++) {
		const struct laddr *la = &ip->ifs.addr[i];

		if (la->netif != netif || !netifs_is_usable(&ip->ifs, i) ||
		    pc_addr_is_ip4(&la->addr))
			continue;
		if (best == LADDR_NONE || is_better(la, &ip->ifs.addr[best], dst))
			best = i;
	}
	return best;
}
