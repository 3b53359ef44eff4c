/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_CTL_H
#define RUN_CTL_H

/*
 * The operator's way in: commands on a UNIX socket (run.control) that change routes, addresses, neighbours and
 * the like of every stack while the program runs; percore-ctl sends them.
 */

#include <percore/control.h>
#include <percore/inspect.h>
#include <percore/stats.h>
#include <stdio.h>

struct run;
struct worker;

enum ctl_verb {
	CTL_CHANGE,
	CTL_SHOW_ROUTES,
	CTL_SHOW_ADDRS,
	CTL_SHOW_USAGE,
	CTL_SHOW_COUNTERS,
	CTL_SHOW_SOCKETS,
	CTL_SHOW_NEIGHS,
	CTL_SHOW_DENIED,
};

/** What a command asks for. */
struct ctl_command {
	enum ctl_verb verb;
	struct pc_change change;      /* of CTL_CHANGE */
	struct pc_socket_match match; /* of CTL_SHOW_SOCKETS */
	bool all;                     /* of CTL_SHOW_COUNTERS: those that are 0, too */
};

/** ctl_parse reads a command of words that blanks separate. Returns 0, or -1 with a line in why. */
int ctl_parse(const char *text, struct ctl_command *c, char *why, size_t len);

/** These write lists, a line each, as commands would name their entries. */
void ctl_print_routes(FILE *f, const struct pc_route_info *list, unsigned n);
void ctl_print_addrs(FILE *f, const struct pc_stack_addr *list, unsigned n);
void ctl_print_denied(FILE *f, const struct pc_prefix *list, unsigned n);
void ctl_print_neighs(FILE *f, const struct pc_neigh_info *list, unsigned n);
void ctl_print_sockets(FILE *f, const struct pc_socket_info *list, unsigned n, unsigned lcore);
void ctl_print_usage(FILE *f, const struct pc_stack_usage *u);

/** ctl_print_counters writes those that are not 0, or all. */
void ctl_print_counters(FILE *f, const struct pc_counters *c, bool all);

/** ctl_wait waits until a stack's thread has made a call that was posted to it, unless *ends (atomic) becomes true. Returns
 * what that returned, -ETIMEDOUT, or -errno for the ticket 0. */
int ctl_wait(const bool *ends, const struct worker *w, uint64_t ticket);

/** A view of all stacks: the memory that lcores write lists to. It is there until they are gone. */
struct ctl_view;

/** ctl_view_create makes one, or returns NULL; ends: see ctl_wait. */
struct ctl_view *ctl_view_create(struct run *r, const bool *ends);
void ctl_view_free(struct ctl_view *v);

/** ctl_view_show answers a command of any verb but CTL_CHANGE. */
void ctl_view_show(struct ctl_view *v, const struct ctl_command *command, FILE *f);

/** ctl_start makes the socket and the thread that serves it, if run.control wants one. Returns 0, or -1 with a
 * line in r->s->why. */
int ctl_start(struct run *r);

/** ctl_stop ends that, before the stacks are destroyed; ctl_free frees what they may have written to, after it. */
void ctl_stop(struct run *r);
void ctl_free(struct run *r);

#endif
