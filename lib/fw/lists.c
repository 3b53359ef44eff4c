/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses the lists of a rule.
 *
 * Overview: a list of numbers becomes ranges, and a negated one the ranges between them. For
 * negated addresses that would be many networks, so they become a table without a name, which the
 * rule avoids.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/draft.h"

struct name {
	const char *name;
	uint16_t value;
	uint16_t of; /* of ICMP types: IPPROTO_ICMP or IPPROTO_ICMPV6; of their codes: OF */
};

/* a type of ICMP or ICMPv6 */
#define OF(proto, type) ((proto) << 8 | (type))

static const struct name protos[] = {{"tcp", IPPROTO_TCP, 0},      {"udp", IPPROTO_UDP, 0},
                                     {"icmp", IPPROTO_ICMP, 0},    {"igmp", IPPROTO_IGMP, 0},
                                     {"icmp6", IPPROTO_ICMPV6, 0}, {"gre", IPPROTO_GRE, 0},
                                     {"esp", IPPROTO_ESP, 0},      {"ipv6-icmp", IPPROTO_ICMPV6, 0},
                                     {"ah", IPPROTO_AH, 0},        {"sctp", IPPROTO_SCTP, 0}};

static const struct name types[] = {
    {"echo-reply", 0, IPPROTO_ICMP},         {"unreachable", 3, IPPROTO_ICMP},
    {"redirect", 5, IPPROTO_ICMP},           {"echo-request", 8, IPPROTO_ICMP},
    {"time-exceeded", 11, IPPROTO_ICMP},     {"parameter-problem", 12, IPPROTO_ICMP},
    {"unreachable", 1, IPPROTO_ICMPV6},      {"packet-too-big", 2, IPPROTO_ICMPV6},
    {"time-exceeded", 3, IPPROTO_ICMPV6},    {"parameter-problem", 4, IPPROTO_ICMPV6},
    {"echo-request", 128, IPPROTO_ICMPV6},   {"echo-reply", 129, IPPROTO_ICMPV6},
    {"listener-query", 130, IPPROTO_ICMPV6}, {"listener-report", 131, IPPROTO_ICMPV6}};

static const struct name codes[] = {
    {"net-unreachable", 0, OF(IPPROTO_ICMP, 3)},    {"host-unreachable", 1, OF(IPPROTO_ICMP, 3)},
    {"prot-unreachable", 2, OF(IPPROTO_ICMP, 3)},   {"port-unreachable", 3, OF(IPPROTO_ICMP, 3)},
    {"frag-needed", 4, OF(IPPROTO_ICMP, 3)},        {"net-prohibited", 9, OF(IPPROTO_ICMP, 3)},
    {"host-prohibited", 10, OF(IPPROTO_ICMP, 3)},   {"admin-prohibited", 13, OF(IPPROTO_ICMP, 3)},
    {"no-route", 0, OF(IPPROTO_ICMPV6, 1)},         {"admin-prohibited", 1, OF(IPPROTO_ICMPV6, 1)},
    {"addr-unreachable", 3, OF(IPPROTO_ICMPV6, 1)}, {"port-unreachable", 4, OF(IPPROTO_ICMPV6, 1)},
    {"policy-fail", 5, OF(IPPROTO_ICMPV6, 1)},      {"reject-route", 6, OF(IPPROTO_ICMPV6, 1)}};

static const struct name states[] = {{"new", FW_NEW, 0},
                                     {"established", FW_ESTABLISHED, 0},
                                     {"related", FW_RELATED, 0},
                                     {"invalid", FW_INVALID, 0}};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

bool fw_is_number(const char *text, unsigned long max, unsigned long *v)
{
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 10)
		return false;
	*v = strtoul(text, &end, 10);
	return *end == '\0' && *v <= max;
}

/* The value of a name in a table, or of a number up to max; -1: neither. */
static int value_of(const struct name *table, size_t n, const char *text, unsigned long max,
                    uint16_t of)
{
	unsigned long v;

	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, text) == 0 && table[i].of == of)
			return table[i].value;
	return fw_is_number(text, max, &v) ? (int)v : -1;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/** A list that is being read. */
struct list {
	struct reader *d;
	const struct draft *f;
	const char *what; /* the word before it */
	unsigned n;
	bool is_not;
	struct fw_range range[LIST]; /* of numbers */
	unsigned nb_ranges;
	struct draft_end *end; /* of addresses and ports */
};

/* Reads the next list and calls add for each of its items, which are separated by commas. A "!"
 * before it may be a word of its own. */
static int read_list(struct list *l, const char *example,
                     int (*add)(struct list *l, const char *item))
{
	struct reader *d = l->d;
	char *list = fw_need(d, l->what, example), *item;

	if (list == NULL)
		return -EINVAL;
	l->is_not = *list == '!';
	if (l->is_not && *++list == '\0')
		list = fw_need(d, "!", example);
	while (list != NULL && (item = strsep(&list, ",")) != NULL) {
		int rc;

		if (l->n++ == LIST)
			return fw_fail(d, "more than %d items after \"%s\"", LIST, l->what);
		if (*item == '\0')
			return fw_fail(d, "empty item in the list after \"%s\"", l->what);
		if (*item == '!')
			return fw_fail(d, "\"!\" must precede the whole list, not \"%s\"",
			               item + 1);
		rc = add(l, item);
		if (rc != 0)
			return rc;
	}
	return l->n > 0 ? 0 : -EINVAL;
}

static int add_range(struct list *l, unsigned first, unsigned last)
{
	if (l->nb_ranges == LIST)
		return fw_fail(l->d, "more than %d items after \"%s\"", LIST, l->what);
	l->range[l->nb_ranges++] = (struct fw_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

static int compare_items(const void *a, const void *b)
{
	return ((const struct fw_range *)a)->first - ((const struct fw_range *)b)->first;
}

/* Writes the ranges of a list, or the gaps between them (up to max) if it is negated: at most one
 * more. Returns how many. */
static unsigned ranges_of(struct list *l, unsigned max, struct fw_range *to)
{
	unsigned next = 0, n = 0;

	if (!l->is_not) {
		memcpy(to, l->range, l->nb_ranges * sizeof(*to));
		return l->nb_ranges;
	}
	qsort(l->range, l->nb_ranges, sizeof(l->range[0]), compare_items);
	for (unsigned i = 0; i < l->nb_ranges; i++) {
		if (l->range[i].first > next)
			to[n++] =
			    (struct fw_range){(uint16_t)next, (uint16_t)(l->range[i].first - 1)};
		if (l->range[i].last + 1u > next)
			next = l->range[i].last + 1u;
	}
	if (next <= max)
		to[n++] = (struct fw_range){(uint16_t)next, (uint16_t)max};
	return n;
}

static int nothing_left(const struct list *l)
{
	return fw_fail(l->d, "\"!\" after \"%s\" excludes everything", l->what);
}

/* Reads a list of bytes, which may occur once. */
static int read_spans(struct list *l, const char *example,
                      int (*add)(struct list *l, const char *item), struct fw_span *to, unsigned *n)
{
	struct fw_range range[LIST + 1];
	int rc;

	if (*n != 0)
		return fw_fail(l->d, "duplicate \"%s\"", l->what);
	rc = read_list(l, example, add);
	if (rc != 0)
		return rc;
	*n = ranges_of(l, UINT8_MAX, range);
	for (unsigned i = 0; i < *n; i++)
		to[i] = (struct fw_span){(uint8_t)range[i].first, (uint8_t)range[i].last};
	return *n > 0 ? 0 : nothing_left(l);
}

/* ---- addresses and ports --------------------------------------------------------------------- */

int fw_find_table(const struct reader *d, const char *item, bool of_ports)
{
	struct fw_tables *all = &d->r->tables;
	const size_t len = strlen(item);
	const struct fw_table *t = NULL;

	if (len > 2 && item[0] == '<' && item[len - 1] == '>')
		t = fw_tables_find(all, item + 1, len - 2);
	if (t == NULL)
		return fw_fail(d, "table \"%s\" is not defined on a preceding line", item);
	if ((t->ports != NULL) != of_ports)
		return fw_fail(d, "table \"%s\" contains %s", item,
		               of_ports ? "addresses, not ports" : "ports, not addresses");
	return (int)(t - all->table);
}

/* Adds a table to the others of its kind. */
static int add_table(struct list *l, const char *item, bool of_ports, uint64_t *tables)
{
	const int n = fw_find_table(l->d, item, of_ports);

	if (n < 0)
		return n;
	*tables |= UINT64_C(1) << n;
	return 0;
}

static int add_addr(struct list *l, const char *item)
{
	struct pc_prefix *p = &l->end->prefix[l->end->nb_prefixes];

	if (*item == '<')
		return add_table(l, item, false, &l->end->tables);
	if (strcmp(item, "any") == 0)
		return fw_fail(l->d, "\"any\" cannot be negated or part of a list");
	l->end->nb_prefixes++;
	if (pc_prefix_parse(item, p) != 0)
		return fw_fail(l->d, "\"%s\" is not an address or network (example: 192.0.2.0/24)",
		               item);
	return 0;
}

/* Negates a list: an address must be in none of its tables and none of its networks. */
static int negate(struct list *l)
{
	struct fw_tables *all = &l->d->r->tables;
	struct draft_end *e = l->end;
	const struct fw_table *t;
	int rc;

	e->avoid = e->tables;
	e->tables = 0;
	if (e->nb_prefixes == 0)
		return 0;
	t = fw_tables_negate(all, e->prefix, e->nb_prefixes, &rc);
	if (rc == -ENOSPC)
		return fw_fail(
		    l->d,
		    "too many tables and negated lists (at most %d) or addresses (at most %u)",
		    FW_TABLES, all->max);
	if (t == NULL)
		return rc;
	e->avoid |= UINT64_C(1) << (t - all->table);
	e->nb_prefixes = 0;
	return 0;
}

static int add_port(struct list *l, const char *item)
{
	struct fw_range r;
	int rc;

	if (*item == '<')
		return add_table(l, item, true, &l->end->port_tables);
	rc = fw_read_port(l->d, item, &r);
	return rc == 0 ? add_range(l, r.first, r.last) : rc;
}

static int read_ports(struct reader *d, struct draft_end *e)
{
	struct list l = {.d = d, .what = "port", .end = e};
	const int rc = read_list(&l, "80, 8000-8080, https or <table>", add_port);

	if (rc != 0)
		return rc;
	if (l.is_not) {
		e->port_avoid = e->port_tables;
		e->port_tables = 0;
	}
	e->nb_ports = ranges_of(&l, UINT16_MAX, e->port);
	return e->nb_ports > 0 || e->port_tables != 0 ? 0 : nothing_left(&l);
}

/* "ADDR,... port A-B,...", or one of the two */
int fw_read_end(struct reader *d, struct draft *f, unsigned end)
{
	struct draft_end *e = &f->end[end];
	struct list l = {.d = d, .what = end == 0 ? "from" : "to", .end = e};
	const bool only_ports = d->at < d->n && strcmp(d->word[d->at], "port") == 0;
	int rc = 0;

	if (e->nb_prefixes != 0 || e->tables != 0 || e->avoid != 0 || fw_has_ports(e))
		return fw_fail(d, "duplicate \"%s\"", l.what);
	if (!only_ports && !fw_is_next(d, "any")) {
		rc = read_list(&l, "192.0.2.0/24, <table>, any, or port 80", add_addr);
		if (rc == 0 && l.is_not)
			rc = negate(&l);
	}
	return rc == 0 && fw_is_next(d, "port") ? read_ports(d, e) : rc;
}

/* ---- numbers with names ---------------------------------------------------------------------- */

static int add_value(struct list *l, int v, const char *item, const char *what)
{
	return v >= 0 ? add_range(l, (unsigned)v, (unsigned)v)
	              : fw_fail(l->d, "\"%s\" is not %s", item, what);
}

static int add_proto(struct list *l, const char *item)
{
	return add_value(l, value_of(protos, COUNT(protos), item, 255, 0), item,
	                 "a protocol (example: tcp, udp, icmp or icmp6)");
}

int fw_read_protos(struct reader *d, struct draft *f)
{
	struct list l = {.d = d, .what = "proto"};

	return read_spans(&l, "tcp", add_proto, f->proto, &f->nb_protos);
}

static int add_type(struct list *l, const char *item)
{
	return add_value(l, value_of(types, COUNT(types), item, 255, l->f->proto[0].first), item,
	                 "an ICMP type (example: echo-request)");
}

static bool is_just(const struct draft *f, uint8_t proto)
{
	return f->nb_protos == 1 && f->proto[0].first == proto && f->proto[0].last == proto;
}

/* names of codes need to follow a single type, as others have different ones */
static int add_code(struct list *l, const char *item)
{
	const struct fw_span proto = l->f->proto[0], type = l->f->icmp_type[0];
	const bool is_one = l->f->nb_types == 1 && type.first == type.last;
	const uint16_t of = (uint16_t)(is_one ? OF(proto.first, type.first) : UINT16_MAX);

	return add_value(l, value_of(codes, COUNT(codes), item, UINT8_MAX, of), item,
	                 "a code of this ICMP type (example: 3)");
}

static int read_codes(struct reader *d, struct draft *f)
{
	struct list l = {.d = d, .f = f, .what = "code"};
	const int rc = read_list(&l, "port-unreachable", add_code);

	if (rc != 0)
		return rc;
	f->nb_codes = ranges_of(&l, UINT8_MAX, f->icmp_code);
	return f->nb_codes > 0 ? 0 : nothing_left(&l);
}

/* "icmp-type TYPE,...", optionally with "code CODE,..." */
int fw_read_types(struct reader *d, struct draft *f)
{
	struct list l = {.d = d, .f = f, .what = "icmp-type"};
	int rc;

	if (f->nb_types == 0 && !is_just(f, IPPROTO_ICMP) && !is_just(f, IPPROTO_ICMPV6))
		return fw_fail(
		    d, "\"icmp-type\" requires a preceding \"proto icmp\" or \"proto icmp6\"");
	rc = read_spans(&l, "echo-request", add_type, f->icmp_type, &f->nb_types);
	return rc == 0 && fw_is_next(d, "code") ? read_codes(d, f) : rc;
}

static int add_state(struct list *l, const char *item)
{
	const int v = value_of(states, COUNT(states), item, 0, 0);

	if (v <= 0)
		return fw_fail(l->d, "\"%s\" is not a state (new, established, related or invalid)",
		               item);
	return add_range(l, (unsigned)v, (unsigned)v);
}

int fw_read_states(struct reader *d, struct draft *f)
{
	struct list l = {.d = d, .what = "state"};
	unsigned all = 0;
	int rc;

	if (f->states != 0)
		return fw_fail(d, "duplicate \"state\"");
	rc = read_list(&l, "new or established,related", add_state);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < l.nb_ranges; i++)
		all |= l.range[i].first;
	f->states = l.is_not ? FW_STATES & ~all : all;
	return f->states != 0 ? 0 : nothing_left(&l);
}

/* Adds a port by its number, or all ports with a name. */
static int add_netif(struct list *l, const char *item)
{
	const struct pc_firewall_args *a = l->d->args;
	const unsigned before = l->nb_ranges;
	unsigned long v;
	int rc = 0;

	if (fw_is_number(item, 254, &v))
		return add_range(l, (unsigned)v, (unsigned)v);
	for (unsigned i = 0; rc == 0 && i < a->nb_ports; i++)
		if (strcmp(a->port_names[i], item) == 0)
			rc = add_range(l, i, i);
	if (rc == 0 && l->nb_ranges == before)
		return fw_fail(l->d, "\"%s\" is not a port number or name", item);
	return rc;
}

int fw_read_netifs(struct reader *d, struct draft *f)
{
	struct list l = {.d = d, .what = "on"};

	return read_spans(&l, "0, a port number", add_netif, f->netif, &f->nb_netifs);
}

/* ---- flags ----------------------------------------------------------------------------------- */

/* Reads letters up to end. Returns whether they are flags. */
static bool read_letters(const char *text, const char *end, uint8_t *flags)
{
	static const char letters[] = "FSRPAUEW"; /* by bit; RFC 9293 3.1 */

	*flags = 0;
	for (; text < end; text++) {
		const char *at = strchr(letters, *text);

		if (at == NULL)
			return false;
		*flags |= (uint8_t)(1 << (at - letters));
	}
	return true;
}

int fw_read_flags(struct reader *d, struct draft *f)
{
	const char *word = fw_need(d, "flags", "S/SA"), *slash;

	if (word == NULL)
		return -EINVAL;
	if (f->flags_mask != 0)
		return fw_fail(d, "duplicate \"flags\"");
	slash = strchr(word, '/');
	if (slash == NULL || !read_letters(word, slash, &f->flags) ||
	    !read_letters(slash + 1, slash + strlen(slash), &f->flags_mask) || f->flags_mask == 0)
		return fw_fail(
		    d, "\"%s\" is not FLAGS/MASK of F, S, R, P, A, U, E and W (example: S/SA)",
		    word);
	if ((f->flags & ~f->flags_mask) != 0)
		return fw_fail(
		    d, "\"%s\": flags before the \"/\" must also be in the mask after it", word);
	if (!is_just(f, IPPROTO_TCP))
		return fw_fail(d, "\"flags\" requires a preceding \"proto tcp\"");
	return 0;
}
