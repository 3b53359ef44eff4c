/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual clock of wire/faults: turns, and what ends a fault that lasts. */

#include "faults.h"

#include <stdio.h>

#include <percore/host.h>

#include "failpool.h"

#define BUSY_NS 2000000

const char *kind_name(enum kind kind)
{
	static const char *const names[] = {"mbuf",
	                                    "TCB",
	                                    "queues",
	                                    "full port",
	                                    "dead link",
	                                    "flapping link",
	                                    "full receive ring",
	                                    "stall",
	                                    "clock set back",
	                                    "clock set forth",
	                                    "slow turn"};

	return names[kind];
}

/* ---- time ------------------------------------------------------------------------------------- */

static uint64_t frames_sent(const struct world *w)
{
	return pc_stack_counters(w->st[0])->value[PC_TX_FRAMES] +
	       pc_stack_counters(w->st[1])->value[PC_TX_FRAMES];
}

/* a drought is over after some seconds, whoever has asked how often */
static void heal(struct world *w)
{
	if (inside.fault.n != FOREVER || inside.fault.kind == BACK || !is_failing())
		return; /* a clock that is set back stays so */
	if (w->heal_ns == 0)
		w->heal_ns = w->now + (inside.fault.kind == STALL ? STALL_NS : DROUGHT_NS);
	if (w->now < w->heal_ns)
		return;
	failpool_heal(subject_pool);
	inside.fault.n = 0;
}

/* the clock that a side sees */
static uint64_t clock_of(const struct world *w, int side)
{
	if (side != w->plan->subject || !is_failing())
		return w->now;
	return inside.fault.kind == BACK    ? w->now - 3000 * SECOND
	       : inside.fault.kind == FORTH ? w->now + 30 * 3600 * SECOND
	                                    : w->now;
}

bool step(struct world *w)
{
	uint64_t sent = frames_sent(w);
	unsigned frames = 0;

	w->progress = false;
	if (w->service !=
	    NULL) /* which asks again, turn after turn, when it was refused an mbuf that is there */
		w->now += BUSY_NS;
	for (enum kind kind = TX_FULL; kind < KINDS; kind++)
		inside.taken[kind]++;
	heal(w);
	for (int side = 0; side < 2; side++) {
		bool subject = side == w->plan->subject;

		if (subject && suffers(STALL))
			continue;
		frames += pc_stack_poll(w->st[side], clock_of(w, side));
		if (subject && w->service != NULL)
			frames += pc_service_turn(w->service, clock_of(w, side));
		else
			app_turn(w, side);
		if (subject && suffers(SLOW))
			w->now += SECOND / 3;
		pc_stack_flush(w->st[side], clock_of(w, side));
		if (w->steps++ % 17 == 0 && pc_stack_validate(w->st[side], stderr) != 0)
			wrong(w, "pc_stack_validate finds a broken invariant");
	}
	return frames != 0 || w->progress || frames_sent(w) != sent;
}

/* when a side wants its turn, by the clock of all */
static uint64_t next_of(const struct world *w, int side)
{
	uint64_t next = pc_stack_next_deadline(w->st[side]);

	if (side == w->plan->subject && suffers(STALL))
		return UINT64_MAX;
	return next == UINT64_MAX ? next : next - clock_of(w, side) + w->now;
}

void pass(struct world *w, uint64_t most)
{
	uint64_t next = RTE_MIN(next_of(w, 0), next_of(w, 1));
	uint64_t pause_end = BEGIN + w->plan->pause_ms * (SECOND / 1000);

	if (w->now < w->heal_ns)
		next = RTE_MIN(next, w->heal_ns);
	if (w->now < pause_end)
		next = RTE_MIN(next, pause_end);
	if (w->plan->ip6 && w->now < BEGIN + 10 * SECOND)
		next = RTE_MIN(next, BEGIN + 10 * SECOND);
	/* a stack that waits for an mbuf is always due */
	w->now = RTE_MIN(next > w->now ? next : w->now + TURN_NS, most);
}

void settle(struct world *w)
{
	const uint64_t limit = w->now + 200 * SECOND;
	struct pc_stack_usage u;

	while (w->wrong[0] == '\0' && w->now < limit)
		if (!step(w))
			pass(w, limit);
	for (int side = 0; side < 2; side++) {
		pc_stack_get_usage(w->st[side], &u);
		if (u.connections + u.half_open + u.time_wait != 0)
			wrong(w, "left on side %d: %u connections, %u half-open, %u in TIME-WAIT",
			      side, u.connections, u.half_open, u.time_wait);
	}
}
