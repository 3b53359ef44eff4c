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

static void show_learnt(const struct shown *s, uint64_t now_ns, struct rows *o)
{
	char text[PC_PREFIX_STRLEN];

	for (unsigned i = 0; i < s->nb_learnt && !ferror(o->f); i++) {
		const struct pc_firewall_learnt *l = &s->learnt[i];
		const uint64_t left_ns = l->end_ns > now_ns ? l->end_ns - now_ns : 0;

		show_entry(o, pc_prefix_format(&l->source, text), true,
		           (left_ns + SECOND_NS - 1) / SECOND_NS);
	}
}

void firewall_show_table(struct run *r, const char *name, struct rows *o)
{
	char text[PC_PREFIX_STRLEN];
	struct shown s = {0};

	if (!copy_table(r, name, &s)) {
		fprintf(o->f, "error no table \"%s\" in the rules\n", name);
		return;
	}
	rows_open(o);
	for (unsigned i = 0; i < s.nb_addrs && !ferror(o->f); i++)
		show_entry(o, pc_prefix_format(&s.addrs[i], text), false, 0);
	if (s.ports != NULL)
		show_table_ports(s.ports, o);
	show_learnt(&s, clock_now(&r->clock), o);
	rows_close(o);
	free(s.addrs);
	free(s.ports);
	free(s.learnt);
}
