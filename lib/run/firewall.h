/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_FIREWALL_H
#define RUN_FIREWALL_H

/*
 * The firewall rules of a program's stacks: loaded from a file at startup and on SIGHUP, changed
 * through the control socket in between.  What rules log goes to stdout.
 */

#include <percore/firewall.h>

#include <stdbool.h>
#include <stddef.h>

#include "rows.h"

struct run;

/** firewall_start reads the file of firewall.rules, if set, and gives its rules to all stacks,
 * before their lcores run. Returns 0, or -1 with a line in r->s->why. */
int firewall_start(struct run *r);

/** firewall_load gives the rules of a text to all stacks, and waits until they use them, or *ends
 * (atomic) is true. Returns 0, or -1 with a line in why; then nothing has changed, unless that line
 * says so. For any thread that carries no data. */
int firewall_load(struct run *r, const char *name, const char *text, size_t text_len,
                  const bool *ends, char *why, size_t len);

/** firewall_load_fd does so with the contents of an open file. */
int firewall_load_fd(struct run *r, const char *name, int fd, const bool *ends, char *why,
                     size_t len);

/** firewall_check_fd checks whether firewall_load_fd would accept the rules, and changes
 * nothing. */
int firewall_check_fd(struct run *r, const char *name, int fd, char *why, size_t len);

/** firewall_reload loads the file that firewall.rules names now (empty: no rules), and writes a line
 * about it to out or err. */
void firewall_reload(struct run *r, const char *path, const bool *ends, FILE *out, FILE *err);

/** firewall_flush removes the rules from all stacks; otherwise like firewall_load. */
int firewall_flush(struct run *r, const bool *ends, char *why, size_t len);

/** firewall_change_table changes a table of the rules for all stacks, and waits until they use it;
 * otherwise like firewall_load. *changed: see pc_firewall_change_table. */
int firewall_change_table(struct run *r, const struct pc_firewall_change *c, const bool *ends,
                          unsigned *changed, char *why, size_t len);

/** firewall_change_table_fd does so with the addresses or ports in an open file, for for_s seconds (0:
 * for ever): it sets text, len and the times of *c. */
int firewall_change_table_fd(struct run *r, struct pc_firewall_change *c, uint32_t for_s, int fd,
                             const bool *ends, unsigned *changed, char *why, size_t len);

/** firewall_hold returns the rules in use, or NULL, and keeps them unchanged until
 * firewall_release. */
struct pc_firewall *firewall_hold(struct run *r);
void firewall_release(struct run *r);

/** These write the names and sizes of all tables; and the contents of one, including what rules
 * have added. of: only what contains this address, network or port, and an error if nothing does; NULL:
 * all. */
void firewall_show_tables(struct run *r, struct rows *o);
void firewall_show_table(struct run *r, const char *name, const char *of, struct rows *o);

/** firewall_show writes the rules, each after the packets and bytes that it has decided about. */
void firewall_show(struct run *r, struct rows *o);

/** firewall_stop ends the thread that prints logs; firewall_free frees the rules, when the stacks
 * are gone. */
void firewall_stop(struct run *r);
void firewall_free(struct run *r);

#endif
