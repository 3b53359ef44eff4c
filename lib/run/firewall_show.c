/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints rules and tables for clients of the control socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall.h"
#include "worker.h"

#define SECOND_NS UINT64_C(1000000000)

void firewall_show(struct run *r, struct rows *o)
{
	const struct pc_firewall *set = firewall_hold(r);
	struct pc_firewall_rule rule;

	rows_open(o);
	if (set == NULL && !o->is_json)
		fputs("no rules: everything passes\n", o->f);
	for (unsigned i = 0; set != NULL && pc_firewall_get_rule(set, i, &rule); i++) {
		row_begin(o);
		row_number_wide(o, "packets", "", 12, rule.packets);
		row_number_wide(o, "bytes", " ", 14, rule.bytes);
		row_text(o, "rule", "  ", rule.text);
		row_end(o);
	}
	rows_close(o);
	firewall_release(r);
}

/* ---- tables ---------------------------------------------------------------------------------- */

void firewall_show_tables(struct run *r, struct rows *o)
{
	const struct pc_firewall *set = firewall_hold(r);
	const uint64_t now_ns = clock_now(&r->clock);
	struct pc_firewall_table t;

	rows_open(o);
	for (unsigned i = 0; set != NULL && pc_firewall_get_table(set, i, &t); i++) {
		unsigned learnt;

		free(pc_firewall_list_learnt(set, i, now_ns, &learnt));
		row_begin(o);
		row_text(o, "name", "", t.name);
		row_number(o, "entries", " ", t.nb_addrs + t.nb_ports + learnt);
		row_end(o);
	}
	rows_close(o);
	firewall_release(r);
}

/** A copy of a table, made because the client may be slow. */
struct shown {
	struct pc_prefix *addrs;
	uint64_t *ends_ns; /* of addrs; NULL: none ends */
	uint64_t *ports;
	struct pc_firewall_learnt *learnt;
	unsigned nb_addrs, nb_learnt;
};

static void *copy_of(const void *from, size_t size)
{
	void *copy = from != NULL ? malloc(size) : NULL;

	if (copy != NULL)
		memcpy(copy, from, size);
	return copy;
}

/* Copies a table. Returns whether it exists. */
static bool copy_table(struct run *r, const char *name, struct shown *s)
{
	const struct pc_firewall *set = firewall_hold(r);
	struct pc_firewall_table t;
	bool is_found = false;

	for (unsigned i = 0; !is_found && set != NULL && pc_firewall_get_table(set, i, &t); i++) {
		is_found = strcmp(t.name, name) == 0;
		if (!is_found)
			continue;
		s->addrs = copy_of(t.addrs, t.nb_addrs * sizeof(t.addrs[0]));
		s->nb_addrs = s->addrs != NULL ? t.nb_addrs : 0;
		s->ends_ns = copy_of(t.ends_ns, s->nb_addrs * sizeof(t.ends_ns[0]));
		s->ports = copy_of(t.ports, (UINT16_MAX + 1) / 8);
		s->learnt = pc_firewall_list_learnt(set, i, clock_now(&r->clock), &s->nb_learnt);
	}
	firewall_release(r);
	return is_found;
}

static bool has_port(const uint64_t *ports, unsigned port)
{
	return port <= UINT16_MAX && (ports[port / 64] >> port % 64 & 1) != 0;
}

/* How long an entry remains is in text a comment, so that the lines are valid input for
 * "replace". */
static void show_entry(struct rows *o, const char *entry, bool ends, uint64_t left_s)
{
	row_begin(o);
	row_text(o, "entry", "", entry);
	row_optional(o, "left_s", " # ", ends, left_s);
	row_text(o, NULL, ends ? " s" : "", "");
	row_end(o);
}

static void show_table_ports(const uint64_t *ports, struct rows *o)
{
	char text[2 * sizeof("65535")];

	for (unsigned last, first = 0; first <= UINT16_MAX; first = last + 1) {
		last = first;
		if (!has_port(ports, first))
			continue;
		while (has_port(ports, last + 1))
			last++;
		if (first == last)
			snprintf(text, sizeof(text), "%u", first);
		else
			snprintf(text, sizeof(text), "%u-%u", first, last);
		show_entry(o, text, false, 0);
	}
}

/* end_ns: as in pc_firewall_table */
static void show_prefix(struct rows *o, const struct pc_prefix *p, uint64_t end_ns, uint64_t now_ns)
{
	const uint64_t left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
	char text[PC_PREFIX_STRLEN];

	show_entry(o, pc_prefix_format(p, text), end_ns != 0,
	           (left_ns + SECOND_NS - 1) / SECOND_NS);
}

static void show_copy(const struct shown *s, uint64_t now_ns, struct rows *o)
{
	rows_open(o);
	for (unsigned i = 0; i < s->nb_addrs && !ferror(o->f); i++)
		show_prefix(o, &s->addrs[i], s->ends_ns != NULL ? s->ends_ns[i] : 0, now_ns);
	if (s->ports != NULL)
		show_table_ports(s->ports, o);
	for (unsigned i = 0; i < s->nb_learnt && !ferror(o->f); i++)
		show_prefix(o, &s->learnt[i].source, s->learnt[i].end_ns, now_ns);
	rows_close(o);
}

static bool has_network(const struct pc_prefix *p, const struct pc_prefix *network)
{
	return p->len <= network->len && pc_prefix_contains(p, &network->addr);
}

/* Leaves of a table only what contains a network. Returns how many entries. */
static unsigned keep_network(struct shown *s, const struct pc_prefix *network)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->nb_addrs; i++)
		if (has_network(&s->addrs[i], network)) {
			s->addrs[n] = s->addrs[i];
			if (s->ends_ns != NULL)
				s->ends_ns[n] = s->ends_ns[i];
			n++;
		}
	s->nb_addrs = n;
	n = 0;
	for (unsigned i = 0; i < s->nb_learnt; i++)
		if (has_network(&s->learnt[i].source, network))
			s->learnt[n++] = s->learnt[i];
	s->nb_learnt = n;
	return s->nb_addrs + s->nb_learnt;
}

static unsigned keep_port(struct shown *s, unsigned port)
{
	const bool is_in = has_port(s->ports, port);

	memset(s->ports, 0, (UINT16_MAX + 1) / 8);
	if (is_in)
		s->ports[port / 64] = UINT64_C(1) << port % 64;
	return is_in;
}

/* Leaves of a table only what contains an address, network or port. Returns whether anything does;
 * otherwise, after writing an error. */
static bool keep_just(struct shown *s, const char *name, const char *of, struct rows *o)
{
	struct pc_prefix network;
	unsigned long port = 0;
	char *end = NULL;
	unsigned n;

	if (s->ports != NULL) {
		if (of[0] >= '0' && of[0] <= '9')
			port = strtoul(of, &end, 10);
		if (end == NULL || *end != '\0' || port > UINT16_MAX) {
			fprintf(o->f, "error \"%s\" is not a port from 0 to 65535\n", of);
			return false;
		}
		n = keep_port(s, (unsigned)port);
	} else {
		if (pc_prefix_parse(of, &network) != 0) {
			fprintf(o->f,
			        "error \"%s\" is not an address or network (example: 192.0.2.1)\n",
			        of);
			return false;
		}
		n = keep_network(s, &network);
	}
	if (n == 0)
		fprintf(o->f, "error %s is not in table \"%s\"\n", of, name);
	return n > 0;
}

void firewall_show_table(struct run *r, const char *name, const char *of, struct rows *o)
{
	struct shown s = {0};

	if (!copy_table(r, name, &s))
		fprintf(o->f, "error no table \"%s\" in the rules\n", name);
	else if (of == NULL || keep_just(&s, name, of, o))
		show_copy(&s, clock_now(&r->clock), o);
	free(s.addrs);
	free(s.ends_ns);
	free(s.ports);
	free(s.learnt);
}
