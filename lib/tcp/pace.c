/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/pace.h"

#include <rte_common.h>

#include "base/ctx.h"

#define QUANTA_PER_S 1000
#define QUANTUM_MAX  65536u
#define SECOND_NS    1000000000ull

/* draft-ietf-ccwg-bbr section 5.6.3, SetSendQuantum(); but at least what has to leave between two ticks
 * of the timers, and a tick's delay */
void pace_set(struct pace *p, uint64_t rate, uint32_t mss)
{
	uint64_t quantum = RTE_MIN(rate / QUANTA_PER_S, (uint64_t)QUANTUM_MAX);

	if (rate == p->rate)
		return;
	quantum = RTE_MAX(quantum, rate / (SECOND_NS >> (TICK_SHIFT + 1)));
	p->rate = rate;
	p->quantum = (uint32_t)RTE_MIN(RTE_MAX(quantum, 2ull * mss), (uint64_t)INT32_MAX);
}

void pace_begin(struct pace *p, uint64_t now_ns)
{
	p->left = p->rate == 0 ? UINT32_MAX : p->next_ns > now_ns ? 0 : p->quantum;
}

void pace_end(struct pace *p, uint32_t bytes, uint64_t now_ns)
{
	uint64_t gap;

	if (p->rate == 0 || bytes == 0)
		return;
	gap = bytes * SECOND_NS / p->rate;
	/* the time by which the waker was late counts, idleness does not */
	if (p->next_ns + gap < now_ns)
		p->next_ns = now_ns;
	p->next_ns += gap;
}
