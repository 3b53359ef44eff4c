/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FW_TABLES_H
#define FW_TABLES_H

/*
 * Tables that rules refer to, sets of networks of both families or of ports, as lists for the
 * thread that changes them.  Lcores read what is built from them (fw/members.h).
 *
 * A list that a rule negates is a table without a name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <percore/addr.h>

#define FW_TABLES     64 /* a bit each */
#define FW_TABLE_NAME 32 /* bytes of a name, and a NUL */

#define FW_PORT_WORDS ((UINT16_MAX + 1) / 64)

struct fw_table {
	char name[FW_TABLE_NAME]; /* empty: it is of a negated list */
	unsigned line;            /* where it was declared */
	bool is_filled;           /* what is in it was declared, too */
	uint32_t n, room;
	struct pc_prefix *prefix; /* when it is settled: sorted, no two alike, without host bits */
	uint64_t *ports; /* of FW_PORT_WORDS: a bit for each port; NULL: it is of networks */
};

struct fw_tables {
	unsigned n;
	uint32_t total, max; /* networks in all of them */
	struct fw_table table[FW_TABLES];
};

/** fw_tables_find returns the table of a name of len bytes, or NULL. */
struct fw_table *fw_tables_find(struct fw_tables *t, const char *name, size_t len);

/** fw_tables_add makes a table without networks; NULL: there are FW_TABLES. The name is shorter than FW_TABLE_NAME. */
struct fw_table *fw_tables_add(struct fw_tables *t, const char *name, size_t len, unsigned line);

/** fw_tables_negate returns the table of a negated list, which is sorted, one that there is or a new one, or NULL with why not in
 * *rc: -ENOSPC or -ENOMEM. */
struct fw_table *fw_tables_negate(struct fw_tables *t, struct pc_prefix *list, unsigned n, int *rc);
void fw_tables_free(struct fw_tables *t);

/** fw_table_of_ports makes a table without networks one of ports. Returns 0 or -ENOMEM. */
int fw_table_of_ports(struct fw_table *t);

/** fw_table_put_ports puts ports into a table of ports, the last one included. */
void fw_table_put_ports(struct fw_table *t, uint16_t first, uint16_t last);

/** fw_table_size returns how many networks, or ports, are in a table that is settled. */
uint32_t fw_table_size(const struct fw_table *t);

/** fw_table_fini frees what is in a table. */
void fw_table_fini(struct fw_table *t);

/** fw_table_append appends a network, without its host bits, to a list of at most max. Returns 0, -ENOSPC or -ENOMEM. */
int fw_table_append(struct fw_table *t, const struct pc_prefix *p, uint32_t max);

/** fw_table_meets says whether a network has an address in common with one of a table that is settled. */
bool fw_table_meets(const struct fw_table *t, const struct pc_prefix *p);

/** fw_table_settle sorts a table and takes out what is there twice. */
void fw_table_settle(struct fw_table *t);

/** fw_table_merge makes *next of what is in t, and in more or not (is_less). Both are settled, and of the same kind, that of more, unless
 * t is empty. Returns 0 or -ENOMEM. */
int fw_table_merge(const struct fw_table *t, const struct fw_table *more, bool is_less,
                   struct fw_table *next);

#endif
