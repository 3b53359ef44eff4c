/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_RELOAD_H
#define RUN_RELOAD_H

/* Reading the config files again while the program runs (SIGHUP). */

#include <rte_branch_prediction.h>

#include "worker.h"

/** reload_is_wanted says whether a SIGHUP is to be waited for: a config file was given, or the program has files of its own
 * (pc_run_app.reload). */
bool reload_is_wanted(const struct run *r);

/** reload_start begins to wait for SIGHUP, if that is wanted. Returns 0, or -1 with a line in
 * r->s->why. */
int reload_start(struct run *r);

/** reload_stop ends that, before the stacks are destroyed. */
void reload_stop(struct run *r);

/**
 * reload_compare tells on f, a line each, how *to differs from *from, two readings of the same command
 * line, and takes what may change while the program runs over into *from. Returns how many keys of the
 * stack that were.
 */
unsigned reload_compare(struct settings *from, const struct settings *to, FILE *f);

/** reload_apply gives the worker's stack the settings that reload.c wants it to have. */
void reload_apply(struct worker *w);

/** reload_take does so between two turns, if there are any. */
static inline void reload_take(struct worker *w)
{
	if (unlikely(__atomic_load_n(&w->wanted, __ATOMIC_ACQUIRE) != NULL))
		reload_apply(w);
}

#endif
