/* SPDX-License-Identifier: BSD-2-Clause */
#include "wall.h"

#include <percore/run.h>

#include "clock.h"
#include "stack/stack.h"

void wall_start(struct pc_stack *st)
{
	st->ctx.time_of_day = clock_time_of_day;
}

void wall_set(struct pc_stack *st, uint64_t day_ns)
{
	st->ctx.wall_s = (int64_t)(day_ns / 1000000000);
}

int64_t pc_run_wall_clock(const struct pc_stack *st)
{
	return st->ctx.wall_s;
}
