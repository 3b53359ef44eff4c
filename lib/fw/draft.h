/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_DRAFT_H
#define FW_DRAFT_H

/* Internal to lib/fw: a rule after its words have been parsed and before it becomes entries. */

#include "fw/rules.h"

#define WORDS 48
#define LIST  64 /* items of a list */

/** What is being read, and the position in it. */
struct reader {
	const struct pc_firewall_args *args;
	struct fw_rules *r;
	const char *name;
	struct fw_table *open; /* the table whose addresses follow, up to a "}"; NULL: none */
	unsigned line, n, at;
	/* a file that the author of the rules may not be allowed to read, so it is not quoted */
	bool is_foreign;
	uint32_t room; /* of r->rule */
	/* contents of /etc/services; NULL: not read yet. Whoever made the reader frees it */
	char *services;
	char *word[WORDS];
	char *why;
	size_t why_len;
};

/** One end of a rule, its lists not yet multiplied out. */
struct draft_end {
	struct pc_prefix prefix[LIST];
	struct fw_range port[LIST + 1];
	unsigned nb_prefixes, nb_ports;
	uint64_t tables; /* bits: the address is in one of these, or in one of the prefixes */
	uint64_t avoid;  /* bits: the address is in none of these */
	uint64_t port_tables, port_avoid; /* the same for the port */
};

/** fw_has_ports says whether an end has a condition on ports; negated lists have become ranges. */
static inline bool fw_has_ports(const struct draft_end *e)
{
	return e->nb_ports != 0 || e->port_tables != 0;
}

/** A rule whose lists are not yet multiplied out. A member that is 0 matches anything. */
struct draft {
	struct draft_end end[2]; /* from, to */
	struct fw_span proto[LIST + 1], icmp_type[LIST + 1], netif[LIST + 1];
	unsigned nb_protos, nb_types, nb_netifs;
	struct fw_range icmp_code[LIST + 1];
	unsigned nb_codes;
	unsigned families, states;
	uint8_t flags, flags_mask;
	struct fw_rule rule;
};

/** fw_fail reports what is wrong in the current line, and returns -EINVAL. */
int fw_fail(const struct reader *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** fw_is_next takes the next word if it is the given one. */
bool fw_is_next(struct reader *d, const char *word);

/** fw_need takes the next word, or reports that it is missing after what, and returns NULL. */
char *fw_need(struct reader *d, const char *what, const char *example);

/** fw_is_number reads a number of at most max. */
bool fw_is_number(const char *text, unsigned long max, unsigned long *v);

/** fw_read_file reads a file with args->read_file. Returns its contents, which the caller frees, or
 * NULL after fw_fail. */
char *fw_read_file(struct reader *d, const char *path, size_t *len);

/** fw_read_port reads "80", "8000-8080" or the name of a service. Returns 0, -ENOMEM, or the result
 * of fw_fail. */
int fw_read_port(struct reader *d, const char *item, struct fw_range *r);

/** These read a list and the keyword before it; each may occur once. Return 0 or the result of
 * fw_fail; fw_read_end also -ENOMEM. */
int fw_read_end(struct reader *d, struct draft *f, unsigned end);
int fw_read_protos(struct reader *d, struct draft *f);
int fw_read_types(struct reader *d, struct draft *f);
int fw_read_states(struct reader *d, struct draft *f);
int fw_read_netifs(struct reader *d, struct draft *f);

/** fw_find_table finds the table of "<NAME>". Returns its number, or the result of fw_fail. */
int fw_find_table(const struct reader *d, const char *item, bool of_ports);

/** fw_read_flags reads "S/SA". Returns 0 or the result of fw_fail. */
int fw_read_flags(struct reader *d, struct draft *f);

/** fw_read_table reads a line, terminated by a NUL, that begins with "table" or continues the table
 * d->open. Returns 0, -EINVAL, -ENOSPC or -ENOMEM. */
int fw_read_table(struct reader *d, char *line);

/** fw_read_items adds addresses or ports to a table from text in the format of a table file:
 * separated by blanks, commas and line ends, with comments. Returns as fw_read_table. */
int fw_read_items(struct reader *d, struct fw_table *t, const char *text, size_t len);

/** fw_add_rule adds a rule. Returns 0 or -ENOMEM. */
int fw_add_rule(struct reader *d, const struct fw_rule *rule);

/** fw_expand adds the entries of the rule that will be added next. Returns 0, -EINVAL, -ENOSPC or
 * -ENOMEM. */
int fw_expand(struct reader *d, const struct draft *f);

#endif
