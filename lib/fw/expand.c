/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiplies out the lists of a rule. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fw/draft.h"

int fw_add_rule(struct reader *d, const struct fw_rule *rule)
{
	struct fw_rules *r = d->r;

	if (r->n + 2 >= d->room) {
		const uint32_t room = d->room * 2 + 64;
		struct fw_rule *more = realloc(r->rule, room * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		r->rule = more;
		d->room = room;
	}
	r->rule[r->n++] = *rule;
	r->counts[rule->dir] = true;
	return 0;
}

static int add_entry(struct reader *d, const struct fw_entry *e)
{
	struct fw_rules *r = d->r;

	if (r->nb_entries == r->max) {
		(void)fw_fail(d, "too many rules after expanding lists (firewall.max_rules: %u)",
		              r->max);
		return -ENOSPC;
	}
	if ((r->nb_entries & (r->nb_entries - 1)) == 0) {
		const uint32_t room = r->nb_entries == 0 ? 1 : 2 * r->nb_entries;
		struct fw_entry *more = realloc(r->entry, room * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		r->entry = more;
	}
	r->entry[r->nb_entries++] = *e;
	return 0;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static bool is_same_cond(const struct fw_cond *a, const struct fw_cond *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool is_any(const struct fw_cond *c)
{
	const struct fw_cond any = {0};

	return is_same_cond(c, &any);
}

/* Finds the index of a condition, adding it if it is new. Returns 0, -ENOMEM, or the result of
 * fw_fail. */
static int find_cond(struct reader *d, const struct fw_cond *c, uint16_t *index)
{
	struct fw_rules *r = d->r;

	if (r->cond == NULL)
		r->cond = calloc(FW_CONDS, sizeof(*r->cond));
	if (r->cond == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < r->nb_conds; i++)
		if (is_same_cond(&r->cond[i], c)) {
			*index = (uint16_t)i;
			return 0;
		}
	if (r->nb_conds == FW_CONDS)
		return fw_fail(d, "too many combinations of tables (at most %d)", FW_CONDS - 1);
	r->cond[r->nb_conds] = *c;
	*index = (uint16_t)r->nb_conds++;
	return 0;
}

/** An item of an end: a network, a table, or any address. */
struct item {
	const struct pc_prefix *prefix;
	uint64_t table; /* its bit */
};

static unsigned items_of(const struct draft_end *e)
{
	const unsigned n = e->nb_prefixes + (unsigned)__builtin_popcountll(e->tables);

	return n > 0 ? n : 1;
}

/* The bit of the n-th table in a set; 0: there are fewer. */
static uint64_t nth_of(uint64_t tables, unsigned n)
{
	for (; n > 0; n--)
		tables &= tables - 1;
	return tables & -tables;
}

static struct item item_of(const struct draft_end *e, unsigned i)
{
	if (i < e->nb_prefixes)
		return (struct item){.prefix = &e->prefix[i]};
	return (struct item){.table = nth_of(e->tables, i - e->nb_prefixes)};
}

/** An item of the ports of an end: a range or a table. */
struct port_item {
	struct fw_range range;
	uint64_t table; /* its bit */
};

static unsigned ports_of(const struct draft_end *e)
{
	const unsigned n = e->nb_ports + (unsigned)__builtin_popcountll(e->port_tables);

	return n > 0 ? n : 1;
}

static struct port_item port_of(const struct draft_end *e, unsigned i)
{
	if (i < e->nb_ports)
		return (struct port_item){.range = e->port[i]};
	return (struct port_item){.range = {0, UINT16_MAX},
	                          .table = nth_of(e->port_tables, i - e->nb_ports)};
}

/* ---- combinations ---------------------------------------------------------------------------- */

static unsigned family_of(const struct pc_prefix *p)
{
	return pc_addr_is_ip4(&p->addr) ? FW_IP4 : FW_IP6;
}

/* the families of an entry with these two ends and this protocol; 0: no packet can match it */
static unsigned families_of(const struct draft *f, const struct pc_prefix *src,
                            const struct pc_prefix *dst, struct fw_span proto)
{
	unsigned families = f->families;

	if (src != NULL)
		families &= family_of(src);
	if (dst != NULL)
		families &= family_of(dst);
	if (proto.first != proto.last)
		return families;
	if (proto.first == IPPROTO_ICMP || proto.first == IPPROTO_IGMP)
		families &= FW_IP4;
	if (proto.first == IPPROTO_ICMPV6)
		families &= FW_IP6;
	return families;
}

static struct fw_span nth_span(const struct fw_span *list, unsigned n, unsigned i)
{
	return n > 0 ? list[i] : FW_ANY_SPAN;
}

static unsigned or_one(unsigned n)
{
	return n > 0 ? n : 1;
}

/* how many source ports there are, or codes of ICMP, whose rules have no ports */
static unsigned sports_of(const struct draft *f)
{
	return f->nb_codes > 0 ? f->nb_codes : ports_of(&f->end[0]);
}

static struct port_item sport_of(const struct draft *f, unsigned i)
{
	return f->nb_codes > 0 ? (struct port_item){.range = f->icmp_code[i]}
	                       : port_of(&f->end[0], i);
}

/* In this table, if one is given, and in none of those to be avoided. */
static struct fw_ask ask_of(uint64_t table, uint64_t avoid)
{
	return (struct fw_ask){.mask = table | avoid, .value = table};
}

/* Adds an entry with ports, which may also be tables. */
static int add_ports(struct reader *d, const struct draft *f, struct fw_entry *e,
                     struct fw_cond *cond, struct port_item sport, struct port_item dport)
{
	int rc = 0;

	e->cond = 0;
	e->sport = sport.range;
	e->dport = dport.range;
	cond->ask[FW_SPORT] = ask_of(sport.table, f->end[0].port_avoid);
	cond->ask[FW_DPORT] = ask_of(dport.table, f->end[1].port_avoid);
	if (!is_any(cond))
		rc = find_cond(d, cond, &e->cond);
	return rc == 0 ? add_entry(d, e) : rc;
}

/* adds the entries for two ends and a protocol, by their ports, types and interfaces */
static int expand_ports(struct reader *d, const struct draft *f, struct fw_entry e,
                        struct fw_cond cond)
{
	const unsigned nb_sport = sports_of(f), nb_dport = ports_of(&f->end[1]);
	const unsigned nb_types = or_one(f->nb_types), nb_netifs = or_one(f->nb_netifs);
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < nb_sport * nb_dport * nb_types * nb_netifs; i++) {
		const unsigned k = i / nb_sport / nb_dport;

		e.icmp_type = nth_span(f->icmp_type, f->nb_types, k % nb_types);
		e.netif = nth_span(f->netif, f->nb_netifs, k / nb_types);
		rc = add_ports(d, f, &e, &cond, sport_of(f, i % nb_sport),
		               port_of(&f->end[1], i / nb_sport % nb_dport));
	}
	return rc;
}

static int expand_ends(struct reader *d, const struct draft *f, struct item src, struct item dst,
                       struct fw_span proto)
{
	const struct fw_cond cond = {.ask = {[FW_SRC] = ask_of(src.table, f->end[0].avoid),
	                                     [FW_DST] = ask_of(dst.table, f->end[1].avoid)}};
	struct fw_entry e = {.rule = d->r->n,
	                     .families = (uint8_t)families_of(f, src.prefix, dst.prefix, proto),
	                     .states = (uint8_t)f->states,
	                     .flags = f->flags,
	                     .flags_mask = f->flags_mask,
	                     .proto = proto};

	if (src.prefix != NULL)
		e.src = *src.prefix;
	if (dst.prefix != NULL)
		e.dst = *dst.prefix;
	return e.families != 0 ? expand_ports(d, f, e, cond) : 0;
}

int fw_expand(struct reader *d, const struct draft *f)
{
	const unsigned nb_src = items_of(&f->end[0]), nb_dst = items_of(&f->end[1]);
	const unsigned nb_protos = or_one(f->nb_protos);
	const uint32_t before = d->r->nb_entries;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < nb_src * nb_dst * nb_protos; i++)
		rc = expand_ends(d, f, item_of(&f->end[0], i % nb_src),
		                 item_of(&f->end[1], i / nb_src % nb_dst),
		                 nth_span(f->proto, f->nb_protos, i / nb_src / nb_dst));
	if (rc == 0 && d->r->nb_entries == before)
		rc = fw_fail(d, "rule can never match: it mixes IPv4 and IPv6");
	return rc;
}
