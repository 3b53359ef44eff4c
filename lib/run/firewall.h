/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_FIREWALL_H
#define RUN_FIREWALL_H

/*
 * The firewall rules of a program's stacks: from a file at startup and on SIGHUP, from the control
 * socket in between; and what they log, to stdout.
 */

#include <percore/firewall.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct run;

/** firewall_start reads the file of firewall.rules, if there is one, and lets all stacks use its rules, before their lcores run.
 * Returns 0, or -1 with a line in r->s->why. */
int firewall_start(struct run *r);

/** firewall_load lets all stacks use the rules of a text, and waits until they do, or *ends (atomic) is true. Returns 0, or -1
 * with a line in why; then nothing has changed, unless that says so. Any thread that carries no data may call it. */
int firewall_load(struct run *r, const char *name, const char *text, size_t text_len,
                  const bool *ends, char *why, size_t len);

/** firewall_load_fd does so with what is in a file that is open. */
int firewall_load_fd(struct run *r, const char *name, int fd, const bool *ends, char *why,
                     size_t len);

/** firewall_check_fd says whether those rules could be loaded, as firewall_load_fd does, and changes nothing. */
int firewall_check_fd(struct run *r, const char *name, int fd, char *why, size_t len);

/** firewall_reload does so with the file that firewall.rules names now (empty: none), and prints a line about it. */
void firewall_reload(struct run *r, const char *path, const bool *ends);

/** firewall_flush lets the stacks be without rules. As firewall_load. */
int firewall_flush(struct run *r, const bool *ends, char *why, size_t len);

/** firewall_change_table changes a table of the rules for all stacks, and waits until they use it. *changed: see
 * pc_firewall_change_table. As firewall_load. */
int firewall_change_table(struct run *r, const struct pc_firewall_change *c, const bool *ends,
                          unsigned *changed, char *why, size_t len);

/** firewall_change_table_fd does so with the addresses or ports in a file that is open. */
int firewall_change_table_fd(struct run *r, const char *table, enum pc_firewall_verb verb,
                             const char *name, int fd, const bool *ends, unsigned *changed,
                             char *why, size_t len);

/** firewall_hold returns the rules in use, or NULL, which nobody changes until firewall_release. */
struct pc_firewall *firewall_hold(struct run *r);
void firewall_release(struct run *r);

/** These answer with the names of all tables and how many addresses or ports they have, and with what is in one, and what of it
 * rules have put there. */
void firewall_show_tables(struct run *r, FILE *f);
void firewall_show_table(struct run *r, const char *name, FILE *f);

/** firewall_show writes the rules, a line each behind how many packets and bytes they have decided about. */
void firewall_show(struct run *r, FILE *f);

/** firewall_stop ends the thread that prints; firewall_free frees the rules, when the stacks are gone. */
void firewall_stop(struct run *r);
void firewall_free(struct run *r);

#endif
