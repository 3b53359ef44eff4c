/* SPDX-License-Identifier: BSD-2-Clause */
#include "wall.h"

#include <percore/run.h>

#include "stack/stack.h"

void wall_set(struct pc_stack *st, uint64_t day_ns, uint64_t now_ns)
{
	st->ctx.wall_s = (int64_t)(day_ns / 1000000000);
	st->ctx.wall_ns = (int64_t)(day_ns - now_ns);
}

int64_t pc_run_wall_clock(const struct pc_stack *st)
{
	return st->ctx.wall_s;
}
