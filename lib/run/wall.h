/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_WALL_H
#define RUN_WALL_H

/* The time of day of a stack, kept where pc_run_wall_clock finds it. */

#include <stdint.h>

struct pc_stack;

/** wall_set notes the seconds since 1970. */
void wall_set(struct pc_stack *st, int64_t seconds);

#endif
