/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DNS_STORE_H
#define DNS_STORE_H

/*
 * The current zones.
 *
 * Zone files are read at start and again by store_reload, on a thread of its own. A table of zones
 * is never changed: a new one replaces it, and lcores switch to that at their next turn, without a
 * lock. The old one is freed once every lcore has been seen with a newer one.
 */

#include <stdio.h>

#include "../shared/published.h"
#include "zonefile.h"
#include "zones.h"

struct store;

/** store_create makes a store without zones. Returns NULL without memory. */
struct store *store_create(void);

/** store_add_file adds a zone in a file: "NAME=FILE". Returns 0, or -1 with a line in why. */
int store_add_file(struct store *s, const char *text, char *why, size_t why_len);

/** store_add_dir adds a directory, whose files NAME.zone are zones. Returns 0, or -1 with a line in
 * why. */
int store_add_dir(struct store *s, const char *path, char *why, size_t why_len);

/** store_use_cookies makes a secret for cookies (path NULL), or reads secrets from a file, which
 * store_reload will read again. Call it before store_load. Returns 0, or -1 with a line in why. */
int store_use_cookies(struct store *s, const char *path, char *why, size_t why_len);

/** store_load reads the files for the first time. Returns 0, or -1 with a line in why if one of
 * them is not a zone. */
int store_load(struct store *s, char *why, size_t why_len);

/** store_reload reads the files again and reports on out and err what has become of each zone: one
 * that cannot be read is kept as it was, and so are secrets. It waits a while for the lcores to
 * switch to the new zones. */
void store_reload(struct store *s, FILE *out, FILE *err);

/** store_attach makes the calling lcore a reader. Returns NULL if there are too many. */
struct published_reader *store_attach(struct store *s);

/*
 * store_enter returns the zones to use until the reader's next store_enter or store_leave.
 */
const struct zones *store_enter(struct store *s, struct published_reader *reader);

/** store_leave detaches the reader. */
void store_leave(struct published_reader *reader);

/** store_zones returns the table, for reports at start. */
const struct zones *store_zones(const struct store *s);

/** store_free frees everything; no reader may be left. NULL is allowed. */
void store_free(struct store *s);

#endif
