/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_DRAFT_H
#define FW_DRAFT_H

/* Inside lib/fw: a rule between its words and its entries. */

#include "fw/rules.h"

#define WORDS 48
#define LIST  64 /* items of a list */

/** What is being read, and where. */
struct reader {
	const struct pc_firewall_args *args;
	struct fw_rules *r;
	const char *name;
	struct fw_table *open; /* whose addresses follow, up to a "}"; NULL: none */
	unsigned line, n, at;
	bool
	    is_foreign; /* a file that who gave the rules may not be allowed to read: it is not quoted */
	uint32_t room; /* of r->rule */
	char *
	    services; /* what /etc/services has; NULL: nobody has asked. Who made the reader frees it */
	char *word[WORDS];
	char *why;
	size_t why_len;
};

/** An end of a rule, whose lists are still lists. */
struct draft_end {
	struct pc_prefix prefix[LIST];
	struct fw_range port[LIST + 1];
	unsigned nb_prefixes, nb_ports;
	uint64_t tables; /* a bit each: it is in one of them, or of one of the prefixes */
	uint64_t avoid;  /* a bit each: it is in none of them */
	uint64_t port_tables, port_avoid; /* the same of its port */
};

/** fw_has_ports says whether an end asks for ports; those behind "!" leave ranges. */
static inline bool fw_has_ports(const struct draft_end *e)
{
	return e->nb_ports != 0 || e->port_tables != 0;
}

/** A rule whose lists are still lists. Of what is 0, any will do. */
struct draft {
	struct draft_end end[2]; /* from, to */
	struct fw_span proto[LIST + 1], icmp_type[LIST + 1], netif[LIST + 1];
	unsigned nb_protos, nb_types, nb_netifs;
	unsigned families, states;
	uint8_t flags, flags_mask;
	struct fw_rule rule;
};

/** fw_fail notes what is wrong in the line that is read, and returns -EINVAL. */
int fw_fail(const struct reader *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** fw_is_next takes the next word if it is this one. */
bool fw_is_next(struct reader *d, const char *word);

/** fw_need takes the next word, or tells that it is missing behind what, and returns NULL. */
char *fw_need(struct reader *d, const char *what, const char *example);

/** fw_is_number reads a number of at most max. */
bool fw_is_number(const char *text, unsigned long max, unsigned long *v);

/** fw_read_file reads a file by args->read_file. Returns its bytes, to be freed, or NULL after fw_fail. */
char *fw_read_file(struct reader *d, const char *path, size_t *len);

/** fw_read_port reads "80", "8000-8080", or the name of a service. Returns 0, what fw_fail does, or -ENOMEM. */
int fw_read_port(struct reader *d, const char *item, struct fw_range *r);

/** These read a list, with the word behind which it stands, of which there is one at most. Return 0, or what fw_fail does;
 * fw_read_end also -ENOMEM. */
int fw_read_end(struct reader *d, struct draft *f, unsigned end);
int fw_read_protos(struct reader *d, struct draft *f);
int fw_read_types(struct reader *d, struct draft *f);
int fw_read_states(struct reader *d, struct draft *f);
int fw_read_netifs(struct reader *d, struct draft *f);

/** fw_find_table finds the table of "<NAME>". Returns its number or what fw_fail does. */
int fw_find_table(const struct reader *d, const char *item, bool of_ports);

/** fw_read_flags reads "S/SA". Returns 0 or what fw_fail does. */
int fw_read_flags(struct reader *d, struct draft *f);

/** fw_read_table reads a line, a NUL behind it, that begins with "table", or goes on with what d->open says. Returns 0, -EINVAL,
 * -ENOSPC or -ENOMEM. */
int fw_read_table(struct reader *d, char *line);

/** fw_read_items puts the addresses or ports of a text into a table, as a file has them: with blanks, commas, line ends and comments. As
 * fw_read_table. */
int fw_read_items(struct reader *d, struct fw_table *t, const char *text, size_t len);

/** fw_add_rule adds a rule. Returns 0 or -ENOMEM. */
int fw_add_rule(struct reader *d, const struct fw_rule *rule);

/** fw_expand adds the entries of the rule that is to be added next. Returns 0, -EINVAL, -ENOSPC or -ENOMEM. */
int fw_expand(struct reader *d, const struct draft *f);

#endif
