/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_TABLES_H
#define FW_TABLES_H

/*
 * Tables that rules refer to: sets of networks of both families, or of ports, as lists for the
 * thread that changes them. Lcores read what is built from them (fw/members.h).
 *
 * A negated list of a rule is a table without a name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

#define FW_TABLES     64 /* so that a set of them fits into 64 bits */
#define FW_TABLE_NAME 32 /* bytes of a name, with its NUL */

#define FW_PORT_WORDS ((UINT16_MAX + 1) / 64)

struct fw_table {
	char name[FW_TABLE_NAME]; /* empty: a negated list */
	unsigned line;            /* where it was declared */
	bool is_filled;           /* its contents were declared with it */
	uint32_t n, room;
	struct pc_prefix *prefix; /* once settled: sorted, without duplicates or host bits */
	uint64_t *end_ns; /* when each of them leaves the table; 0: never; NULL: none does */
	uint64_t *ports;  /* FW_PORT_WORDS words, a bit per port; NULL: a table of networks */
};

struct fw_tables {
	unsigned n;
	uint32_t total, max; /* networks in all of them */
	struct fw_table table[FW_TABLES];
};

/** fw_tables_find returns the table with a name of len bytes, or NULL. */
struct fw_table *fw_tables_find(struct fw_tables *t, const char *name, size_t len);

/** fw_tables_add adds an empty table; NULL: there are FW_TABLES already. The name is shorter than
 * FW_TABLE_NAME. */
struct fw_table *fw_tables_add(struct fw_tables *t, const char *name, size_t len, unsigned line);

/** fw_tables_negate returns the table of a negated list, an existing one or a new one, or NULL with
 * -ENOSPC or -ENOMEM in *rc. */
struct fw_table *fw_tables_negate(struct fw_tables *t, struct pc_prefix *list, unsigned n, int *rc);
void fw_tables_free(struct fw_tables *t);

/** fw_table_of_ports makes an empty table one of ports. Returns 0 or -ENOMEM. */
int fw_table_of_ports(struct fw_table *t);

/** fw_table_put_ports adds ports, last included, to a table of ports. */
void fw_table_put_ports(struct fw_table *t, uint16_t first, uint16_t last);

/** fw_table_size returns how many networks or ports a settled table has. */
uint32_t fw_table_size(const struct fw_table *t);

/** fw_table_fini frees the contents of a table. */
void fw_table_fini(struct fw_table *t);

/** fw_table_append appends a network, without its host bits, to a list of at most max. Returns 0,
 * -ENOSPC or -ENOMEM. */
int fw_table_append(struct fw_table *t, const struct pc_prefix *p, uint32_t max);

/** fw_table_meets says whether a network overlaps one of a settled table. */
bool fw_table_meets(const struct fw_table *t, const struct pc_prefix *p);

/** fw_table_settle sorts a table and removes duplicates. */
void fw_table_settle(struct fw_table *t);

/** fw_table_limit sets when the networks of a settled list leave a table. Returns 0 or -ENOMEM. */
int fw_table_limit(struct fw_table *t, uint64_t end_ns);

/** fw_table_merge sets *next to t and more combined, or to t without more (is_less). Both are
 * settled and of the same kind, that of more, unless t is empty. What is in both leaves when more
 * says, unless it never leaves t. Returns 0 or -ENOMEM. */
int fw_table_merge(const struct fw_table *t, const struct fw_table *more, bool is_less,
                   struct fw_table *next);

/** fw_table_expired sets *over to the networks whose time is over, and lowers *next_ns to when the
 * next one's is. Returns 0 or -ENOMEM. */
int fw_table_expired(const struct fw_table *t, uint64_t now_ns, struct fw_table *over,
                     uint64_t *next_ns);

#endif
