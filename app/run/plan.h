/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

/* The command line of percore-run, and what it asks for. */

#include <stdbool.h>
#include <stddef.h>

#include <percore/rules.h>

#define PLAN_WORDS 512
#define PLAN_RULES 4096

enum plan_action { PLAN_RUN, PLAN_PRINT, PLAN_HELP, PLAN_VERSION };

/* --proc-type, as in the launchers of other stacks */
enum plan_type { PLAN_ANY, PLAN_PRIMARY, PLAN_SECONDARY, PLAN_AUTO };

struct plan {
	enum plan_action action;
	enum plan_type type; /* PLAN_ANY: a stack of its own, or attach */
	bool verbose;
	bool one_core;               /* no stack process: the program drives its own stack */
	const char *attach;          /* the socket of a running stack; NULL: a new one is started */
	const char *socket;          /* where a new stack is to listen; NULL: anywhere */
	char *eal[PLAN_WORDS + 1];   /* for the stack process: EAL's arguments, */
	char *stack[PLAN_WORDS + 1]; /* and those after "--" */
	size_t nb_eal, nb_stack;
	char **program;         /* with its arguments; NULL ends them */
	char rules[PLAN_RULES]; /* all --rule and --rules, concatenated; they are valid */
	struct pc_rules checked;
};

/**
 * plan_make reads a command line:
 *
 *   [EAL options and options] -- PROGRAM [ARGUMENTS]
 *   [EAL options and options] -- OPTIONS -- PROGRAM [ARGUMENTS]
 *
 * Before the first "--", options that are neither ours nor the stack's are for EAL.
 * Returns 0, or -1 with a one-line error message in why. argv, which ends with NULL, must live as
 * long as the plan.
 */
int plan_make(struct plan *plan, char **argv, char *why, size_t why_len);

#endif
