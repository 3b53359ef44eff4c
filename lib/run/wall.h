/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_WALL_H
#define RUN_WALL_H

/* The time of day of a stack, kept where pc_run_wall_clock finds it. */

#include <stdint.h>

struct pc_stack;

/** wall_set notes the time since 1970 that now_ns of the stack's clock is. */
void wall_set(struct pc_stack *st, uint64_t day_ns, uint64_t now_ns);

#endif
