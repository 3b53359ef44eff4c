/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_WALL_H
#define RUN_WALL_H

/* A stack's time of day, stored where pc_run_wall_clock finds it. */

#include <stdint.h>

struct pc_stack;

/** wall_start makes a new stack take its timestamps from the system's clock. */
void wall_start(struct pc_stack *st);

/** wall_set stores the time since 1970, in ns, which pc_run_wall_clock returns in seconds until the
 * next call. */
void wall_set(struct pc_stack *st, uint64_t day_ns);

#endif
