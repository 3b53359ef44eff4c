/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_RELOAD_H
#define RUN_RELOAD_H

/* Rereads the config files while the program runs (SIGHUP). */

#include <rte_branch_prediction.h>

#include "worker.h"

/** reload_is_wanted says whether to wait for SIGHUP: a config file was given, or the program has
 * files of its own (pc_run_app.reload). */
bool reload_is_wanted(const struct run *r);

/** reload_start begins to wait for SIGHUP, if that is wanted. Returns 0, or -1 with a line in
 * r->s->why. */
int reload_start(struct run *r);

/** reload_stop ends that, before the stacks are destroyed. */
void reload_stop(struct run *r);

/**
 * reload_compare reports on f, one per line, how *to differs from *from, two readings of the same
 * command line, and copies to *from what may change while the program runs. Returns how many of
 * those keys are the stack's.
 */
unsigned reload_compare(struct settings *from, const struct settings *to, FILE *f);

/** reload_apply applies the new settings from reload.c to the worker's stack. */
void reload_apply(struct worker *w);

/** reload_take does so between two turns, if there are any. */
static inline void reload_take(struct worker *w)
{
	if (unlikely(__atomic_load_n(&w->wanted, __ATOMIC_ACQUIRE) != NULL))
		reload_apply(w);
}

#endif
