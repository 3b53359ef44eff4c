/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_H
#define RUN_CTL_H

/*
 * The operator's way in: commands on a UNIX socket (run.control) that change routes, addresses, neighbours and
 * the like of every stack while the program runs; percore-ctl sends them.
 */

#include <percore/control.h>
#include <stdio.h>

struct run;

enum ctl_verb { CTL_CHANGE, CTL_SHOW_ROUTES, CTL_SHOW_ADDRS, CTL_SHOW_USAGE };

/** What a command asks for. */
struct ctl_command {
	enum ctl_verb verb;
	struct pc_change change; /* of CTL_CHANGE */
};

/** ctl_parse reads a command of words that blanks separate. Returns 0, or -1 with a line in why. */
int ctl_parse(const char *text, struct ctl_command *c, char *why, size_t len);

/** ctl_print_routes and ctl_print_addrs write lists, a line each, as commands would name their entries. */
void ctl_print_routes(FILE *f, const struct pc_route_info *list, unsigned n);
void ctl_print_addrs(FILE *f, const struct pc_stack_addr *list, unsigned n);

/** ctl_start makes the socket and the thread that serves it, if run.control wants one. Returns 0, or -1 with a
 * line in r->s->why. */
int ctl_start(struct run *r);

/** ctl_stop ends that, before the stacks are destroyed; ctl_free frees what they may have written to, after it. */
void ctl_stop(struct run *r);
void ctl_free(struct run *r);

#endif
