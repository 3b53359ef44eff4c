/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source address selection (RFC 6724 section 5), and the order in which to try another host's
 * addresses (section 6).
 *
 * The route has already chosen the interface, and only its addresses are candidates (rule 5); it
 * knows the next hop, too (rule 5.5; origin.c). Rules 4 and 7 concern mobile nodes, temporary
 * addresses and tunnels, which are not supported.
 */

#include <rte_common.h>

#include "ip/route.h"
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
	if (pc_addr_is_ip4(a) && a->b[12] == 169 && a->b[13] == 254) /* section 3.2 */
		return SCOPE_LINK;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

struct policy {
	struct pc_prefix prefix;
	unsigned precedence, label;
};

/* the table of section 2.1, longest prefixes first */
static const struct policy *policy_of(const struct pc_addr *a)
{
	static const struct policy policy[] = {
	    {{.addr = {.b = {[15] = 1}}, .len = 128}, 50, 0},
	    {{.addr = {.b = {[10] = 0xff, [11] = 0xff}}, .len = 96}, 35, 4},
	    {{.len = 96}, 1, 3},
	    {{.addr = {.b = {0x20, 0x01}}, .len = 32}, 5, 5},
	    {{.addr = {.b = {0x20, 0x02}}, .len = 16}, 30, 2},
	    {{.addr = {.b = {0x3f, 0xfe}}, .len = 16}, 1, 12},
	    {{.addr = {.b = {0xfe, 0xc0}}, .len = 10}, 1, 11},
	    {{.addr = {.b = {0xfc}}, .len = 7}, 3, 13},
	    {{.len = 0}, 40, 1},
	};
	const struct policy *p = policy;

	while (!pc_prefix_contains(&p->prefix, a))
		p++;
	return p;
}

static unsigned label_of(const struct pc_addr *a)
{
	return policy_of(a)->label;
}

/* length of the common prefix of two addresses, at most that of the source's prefix (section
 * 2.2) */
static unsigned common_bits(const struct laddr *la, const struct pc_addr *dst)
{
	unsigned n = 0;

	while (n < la->prefix_len &&
	       ((la->addr.b[n / 8] ^ dst->b[n / 8]) & (0x80u >> (n % 8))) == 0)
		n++;
	return n;
}

/* rule 5.5: 1: the next hop advertises the prefix of a, and only others that of b; -1: vice versa;
 * 0: the rule does not apply */
static int by_hop(const struct ip *ip, const struct laddr *a, const struct laddr *b,
                  const struct pc_addr *hop)
{
	enum origin_fit fa, fb;

	if (hop == NULL)
		return 0;
	fa = origin_fit(ip, a->netif, &a->addr, hop);
	fb = origin_fit(ip, b->netif, &b->addr, hop);
	return fa == ORIGIN_NONE || fb == ORIGIN_NONE ? 0 : (int)fa - (int)fb;
}

/* Says whether a is a better source than b. */
static bool is_better(const struct ip *ip, const struct laddr *a, const struct laddr *b,
                      const struct pc_addr *dst, const struct pc_addr *hop)
{
	const int hops = by_hop(ip, a, b, hop);
	const unsigned sa = scope_of(&a->addr), sb = scope_of(&b->addr), sd = scope_of(dst);
	const unsigned ld = label_of(dst);
	const bool la = label_of(&a->addr) == ld, lb = label_of(&b->addr) == ld;

	if (sa != sb) /* rule 2 */
		return sa < sb ? sa >= sd : sb < sd;
	if (a->state != b->state) /* rule 3 */
		return a->state < b->state;
	if (hops != 0) /* rule 5.5 */
		return hops > 0;
	if (la != lb) /* rule 6 */
		return la;
	return common_bits(a, dst) > common_bits(b, dst); /* rule 8 */
}

uint16_t ip6_source(const struct ip *ip, uint8_t netif, const struct pc_addr *dst,
                    const struct pc_addr *hop)
{
	uint16_t best = LADDR_NONE;

	for (uint16_t i = 0; i < ip->ifs.nb_addrs; i++) {
		const struct laddr *la = &ip->ifs.addr[i];

		if (la->netif != netif || !netifs_is_usable(&ip->ifs, i) ||
		    pc_addr_is_ip4(&la->addr))
			continue;
		if (best == LADDR_NONE || is_better(ip, la, &ip->ifs.addr[best], dst, hop))
			best = i;
	}
	return best;
}

/* ---- destinations (section 6) ---------------------------------------------------------------- */

/* The merits of a destination, given the source that packets to it would have. */
struct candidate {
	bool reached, fits, fresh, labelled, ip6;
	unsigned precedence, scope, bits;
};

static struct candidate judge_source(struct ip *ip, const struct pc_addr *dst)
{
	const struct policy *policy = policy_of(dst);
	struct candidate c = {
	    .precedence = policy->precedence, .scope = scope_of(dst), .ip6 = !pc_addr_is_ip4(dst)};
	const struct laddr *la;
	struct ip_path path;

	if (ip_path_find(ip, dst, LADDR_NONE, &path) != 0)
		return c;
	la = &ip->ifs.addr[path.laddr];
	c.reached = true;
	c.fits = scope_of(&la->addr) == c.scope;
	c.fresh = la->state == LADDR_READY;
	c.labelled = label_of(&la->addr) == policy->label;
	c.bits = common_bits(la, dst);
	return c;
}

/* Says whether a is to be tried before b, regardless of their original order. */
static bool candidate_precedes(const struct candidate *a, const struct candidate *b)
{
	if (a->reached != b->reached) /* rule 1 */
		return a->reached;
	if (a->fits != b->fits) /* rule 2 */
		return a->fits;
	if (a->fresh != b->fresh) /* rule 3 */
		return a->fresh;
	if (a->labelled != b->labelled) /* rule 5 */
		return a->labelled;
	if (a->precedence != b->precedence) /* rule 6 */
		return a->precedence > b->precedence;
	if (a->scope != b->scope) /* rule 8 */
		return a->scope < b->scope;
	/* rule 9; IPv4 addresses stay in the order of the name server, which may use it
	 * to balance load */
	return a->ip6 && b->ip6 && a->bits > b->bits;
}

void ip_sort(struct ip *ip, struct pc_endpoint *to, unsigned n)
{
	struct candidate c[IP_SORTED_MAX];

	n = RTE_MIN(n, (unsigned)IP_SORTED_MAX);
	for (unsigned i = 0; i < n; i++) {
		const struct pc_endpoint e = to[i];
		const struct candidate mine = judge_source(ip, &e.addr);
		unsigned at = i;

		for (; at > 0 && candidate_precedes(&mine, &c[at - 1]);
		     at--) { /* rule 10: keep the order */
			to[at] = to[at - 1];
			c[at] = c[at - 1];
		}
		to[at] = e;
		c[at] = mine;
	}
}
