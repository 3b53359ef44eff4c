/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes to the tables of rules in use, and the state that new rules take over from old ones.
 *
 * Overview: the lists of tables are changed in place, because no lcore reads them, and new members
 * (members.h) are built from them. A stack gets those when it takes the set again; the old ones are
 * kept until no stack uses them (pc_firewall_forget). If there is no memory for the members, the
 * lists stay as they were.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/draft.h"
#include "fw/fw.h"

__attribute__((format(printf, 4, 5))) static int refuse(char *why, size_t len, int error,
                                                        const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, len, format, args);
	va_end(args);
	errno = error;
	return -1;
}

/* Reads the items of a change into a list. Returns 0, -EINVAL, -ENOSPC or -ENOMEM. */
static int read_names(const struct pc_firewall *fw, const struct pc_firewall_change *c,
                      bool of_ports, struct fw_table *list, char *why, size_t len)
{
	const struct pc_firewall_args args = {.read_file = fw->read_file, .read_arg = fw->read_arg};
	struct fw_rules r = {.tables.max = fw->rules.tables.max};
	struct reader d = {.args = &args, .r = &r, .name = c->name, .why = why, .why_len = len};
	int rc = of_ports ? fw_table_of_ports(list) : 0;

	if (rc == 0)
		rc = fw_read_items(&d, list, c->text, c->len);
	free(d.services);
	fw_table_settle(list);
	if (rc == 0 && c->verb == PC_FIREWALL_ADD && c->end_ns != 0)
		rc = fw_table_limit(list, c->end_ns);
	return rc;
}

/* Replaces the contents of a table by those of *next, which gets the old ones, and rebuilds the
 * members. Returns 0, -ENOSPC or -ENOMEM; on failure nothing has changed. */
static int put_table(struct pc_firewall *fw, struct fw_table *t, struct fw_table *next)
{
	struct fw_tables *all = &fw->rules.tables;
	struct fw_members *members;
	struct fw_table before = *t;

	if ((uint64_t)all->total - t->n + next->n > all->max)
		return -ENOSPC;
	*t = *next;
	members = fw_members_create(all, fw->socket_id);
	if (members == NULL) {
		*t = before;
		return -ENOMEM;
	}
	all->total = all->total - before.n + t->n;
	*next = before;
	fw->replaced = fw->members;
	fw->members = members;
	return 0;
}

/* Computes the new contents of a table. Returns 0 or -ENOMEM. */
static int make_next(const struct fw_table *t, enum pc_firewall_verb verb,
                     const struct fw_table *list, struct fw_table *next)
{
	const struct fw_table none = {0};
	int rc;

	if (verb != PC_FIREWALL_REPLACE)
		return fw_table_merge(t, list, verb == PC_FIREWALL_DELETE, next);
	rc = fw_table_merge(&none, list, false, next);
	memcpy(next->name, t->name, sizeof(next->name));
	next->line = t->line;
	next->is_filled = t->is_filled;
	return rc;
}

static unsigned table_number(const struct fw_tables *all, const struct fw_table *t)
{
	return (unsigned)(t - all->table);
}

/* Removes sources that rules have added to a table, as the change asks for; those that it deletes
 * by address are counted. */
static void unlearn(struct pc_firewall *fw, const struct pc_firewall_change *c,
                    const struct fw_table *t, const struct fw_table *list, unsigned *changed)
{
	const unsigned table = table_number(&fw->rules.tables, t);

	if (c->verb == PC_FIREWALL_DELETE)
		*changed += fw_learnt_remove(&fw->learnt, table, list, c->now_ns);
	if (c->verb == PC_FIREWALL_REPLACE)
		(void)fw_learnt_remove(&fw->learnt, table, NULL, c->now_ns);
}

int pc_firewall_change_table(struct pc_firewall *fw, const struct pc_firewall_change *c,
                             unsigned *changed, char *why, size_t len)
{
	struct fw_table *t = fw_tables_find(&fw->rules.tables, c->table, strlen(c->table));
	struct fw_table list = {0}, next = {0};
	int rc;

	if (t == NULL)
		return refuse(why, len, ENOENT, "no table \"%s\" in the rules", c->table);
	if (fw->replaced != NULL)
		return refuse(why, len, EBUSY, "a previous change is still being applied");
	if (t->ports != NULL && c->end_ns != 0)
		return refuse(why, len, EINVAL,
		              "table \"%s\" has ports, which cannot be added for a time", c->table);
	snprintf(why, len, "%s: not enough memory for the table", c->name);
	rc = read_names(fw, c, t->ports != NULL, &list, why, len);
	if (rc == 0)
		rc = make_next(t, c->verb, &list, &next);
	if (rc == 0) {
		const uint32_t before = fw_table_size(t), after = fw_table_size(&next);

		*changed = c->verb == PC_FIREWALL_REPLACE ? after
		           : after > before               ? after - before
		                                          : before - after;
		rc = put_table(fw, t, &next);
		if (rc == -ENOSPC)
			snprintf(why, len,
			         "%s: too many addresses in tables (firewall.max_addrs: %u)",
			         c->name, fw->rules.tables.max);
		if (rc == 0)
			unlearn(fw, c, t, &list, changed);
	}
	fw_table_fini(&list);
	fw_table_fini(&next);
	errno = -rc;
	return rc == 0 ? 0 : -1;
}

bool pc_firewall_expire(struct pc_firewall *fw, uint64_t now_ns, uint64_t *next_ns)
{
	struct fw_tables *all = &fw->rules.tables;
	bool has_changed = false;

	*next_ns = UINT64_MAX;
	for (unsigned i = 0; i < all->n; i++) {
		struct fw_table over, next = {0};
		int rc = fw_table_expired(&all->table[i], now_ns, &over, next_ns);

		if (rc == 0 && over.n > 0) {
			/* one table after the other: the members are replaced only once */
			rc = fw->replaced != NULL
			         ? -EBUSY
			         : fw_table_merge(&all->table[i], &over, true, &next);
			if (rc == 0)
				rc = put_table(fw, &all->table[i], &next);
			has_changed |= rc == 0;
		}
		if (rc != 0)
			*next_ns = now_ns;
		fw_table_fini(&over);
		fw_table_fini(&next);
	}
	return has_changed;
}

void pc_firewall_forget(struct pc_firewall *fw)
{
	if (fw == NULL)
		return;
	fw_members_free(fw->replaced);
	fw->replaced = NULL;
}

/* The old table whose contents t takes over, or NULL. */
static const struct fw_table *find_old(struct fw_tables *old, const struct fw_table *t)
{
	const struct fw_table *o = fw_tables_find(old, t->name, strlen(t->name));

	return o != NULL && !t->is_filled && (o->ports != NULL) == (t->ports != NULL) ? o : NULL;
}

/* Takes over the sources that the old rules have added, for tables that the new rules also add
 * to. */
static void take_learnt(struct pc_firewall *fw, const struct pc_firewall *from)
{
	struct fw_tables old = from->rules.tables;
	const struct fw_tables *all = &fw->rules.tables;
	int8_t table_of[FW_TABLES];

	memset(table_of, -1, sizeof(table_of));
	for (unsigned i = 0; i < all->n; i++) {
		const struct fw_table *o = find_old(&old, &all->table[i]);

		if (o != NULL && (fw->learnt.tables >> i & 1) != 0)
			table_of[table_number(&old, o)] = (int8_t)i;
	}
	if (fw->learnt.place != NULL)
		fw_learnt_take(&fw->learnt, &from->learnt, table_of);
}

/* Takes over the sources whose connections are to be ended: not every stack may have looked for
 * them yet. */
static void take_flushed(struct pc_firewall *fw, const struct pc_firewall *from)
{
	const int8_t table_of[FW_TABLES] = {0};

	if (fw->flushed.place == NULL || from->flushed.place == NULL)
		return;
	fw_learnt_take(&fw->flushed, &from->flushed, table_of);
	fw->flushes = 1;
}

/* ---- limits ---------------------------------------------------------------------------------- */

/** A rule with a limit. */
struct limited {
	const char *text;
	uint32_t rule;
};

static int compare_names(const void *x, const void *y)
{
	const struct limited *a = x, *b = y;
	const int c = strcmp(a->text, b->text);

	return c != 0 ? c : a->rule < b->rule ? -1 : 1;
}

/* The rules with limits, sorted; the caller frees the list. NULL without memory. */
static struct limited *list_limited(const struct fw_rules *r, uint32_t *n)
{
	struct limited *list = malloc(((size_t)r->n + 1) * sizeof(*list));

	*n = 0;
	for (uint32_t i = 0; list != NULL && i < r->n; i++)
		if (fw_rule_is_limited(&r->rule[i]))
			list[(*n)++] = (struct limited){r->rule[i].text, i};
	if (*n > 1)
		qsort(list, *n, sizeof(*list), compare_names);
	return list;
}

static void set_number(struct pc_firewall *fw, uint32_t rule, uint32_t number)
{
	for (unsigned i = 0; i < fw->nb_slots; i++)
		fw->slot[i].count[rule].limit = number;
}

/* Gives limits that both sets have the same numbers as before, and all others numbers never used
 * before. Both lists are sorted. */
static void match_limited(struct pc_firewall *fw, const struct pc_firewall *from,
                          const struct limited *now, uint32_t n, const struct limited *before,
                          uint32_t m)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++) {
		while (k < m && strcmp(before[k].text, now[i].text) < 0)
			k++;
		if (k == m || strcmp(before[k].text, now[i].text) != 0) {
			set_number(fw, now[i].rule, fw->nb_limits++);
			continue;
		}
		set_number(fw, now[i].rule, from->slot[0].count[before[k].rule].limit);
		fw->kept[fw->nb_kept++] = (struct fw_kept){before[k].rule, now[i].rule};
		k++;
	}
}

/* Notes for which rules the stacks take over how much of their limits is used. Returns 0 or
 * -ENOMEM. */
static int keep_limits(struct pc_firewall *fw, const struct pc_firewall *from)
{
	uint32_t n, m;
	struct limited *now = list_limited(&fw->rules, &n);
	struct limited *before = list_limited(&from->rules, &m);
	int rc = -ENOMEM;

	free(fw->kept);
	fw->nb_kept = 0;
	fw->kept = calloc((size_t)n + 1, sizeof(*fw->kept));
	if (now != NULL && before != NULL && fw->kept != NULL) {
		fw->nb_limits = from->nb_limits;
		fw->kept_of = from;
		match_limited(fw, from, now, n, before, m);
		rc = 0;
	}
	free(now);
	free(before);
	return rc;
}

int pc_firewall_take_tables(struct pc_firewall *fw, const struct pc_firewall *from, char *why,
                            size_t len)
{
	struct fw_tables *all = &fw->rules.tables;
	struct fw_tables old = from != NULL ? from->rules.tables : (struct fw_tables){0};
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < all->n; i++) {
		struct fw_table *t = &all->table[i], next = {0};
		const struct fw_table *o = find_old(&old, t);

		if (o == NULL || fw_table_size(o) == 0)
			continue;
		rc = make_next(t, PC_FIREWALL_REPLACE, o, &next);
		if (rc == 0)
			rc = put_table(fw, t, &next);
		fw_table_fini(&next);
		pc_firewall_forget(fw);
		if (rc != 0)
			(void)refuse(why, len, -rc,
			             "no room for the current contents of table \"%s\"", t->name);
	}
	if (rc == 0 && from != NULL) {
		take_learnt(fw, from);
		take_flushed(fw, from);
		rc = keep_limits(fw, from);
		if (rc != 0)
			(void)refuse(why, len, -rc, "not enough memory for limits");
	}
	errno = -rc;
	return rc == 0 ? 0 : -1;
}

/* The i-th table that has a name, or NULL. */
static const struct fw_table *named(const struct fw_tables *all, unsigned i)
{
	for (unsigned k = 0; k < all->n; k++)
		if (all->table[k].name[0] != '\0' && i-- == 0)
			return &all->table[k];
	return NULL;
}

bool pc_firewall_get_table(const struct pc_firewall *fw, unsigned i, struct pc_firewall_table *t)
{
	const struct fw_table *found = named(&fw->rules.tables, i);

	if (found == NULL)
		return false;
	*t = (struct pc_firewall_table){.name = found->name,
	                                .nb_addrs = found->n,
	                                .addrs = found->prefix,
	                                .ends_ns = found->end_ns,
	                                .nb_ports = found->ports != NULL ? fw_table_size(found) : 0,
	                                .ports = found->ports};
	return true;
}

struct pc_firewall_learnt *pc_firewall_list_learnt(const struct pc_firewall *fw, unsigned i,
                                                   uint64_t now_ns, unsigned *n)
{
	const struct fw_table *t = named(&fw->rules.tables, i);

	*n = 0;
	if (t == NULL) {
		errno = ENOENT;
		return NULL;
	}
	return fw_learnt_list(&fw->learnt, table_number(&fw->rules.tables, t), now_ns, n);
}
