/* SPDX-License-Identifier: BSD-2-Clause */
#include "wall.h"

#include <percore/run.h>

#include "stack/stack.h"

void wall_set(struct pc_stack *st, int64_t seconds)
{
	st->ctx.wall_s = seconds;
}

int64_t pc_run_wall_clock(const struct pc_stack *st)
{
	return st->ctx.wall_s;
}
