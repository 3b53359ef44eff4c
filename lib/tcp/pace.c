/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/pace.h"

#include <rte_common.h>

#include "base/ctx.h"

#define QUANTA_PER_S 1000
#define QUANTUM_MAX  65536u
#define SECOND_NS    1000000000ull
#define LATE_NS      10000000ull /* at most this much lateness is made up for */

/* draft-ietf-ccwg-bbr section 5.6.3, SetSendQuantum(); but at least what is due in two ticks of the
 * timers: a tick and a tick's delay */
void pace_set(struct pace *p, uint64_t rate, uint32_t mss)
{
	uint64_t quantum = RTE_MIN(rate / QUANTA_PER_S, (uint64_t)QUANTUM_MAX);

	if (rate == p->rate)
		return;
	quantum = RTE_MAX(quantum, rate / (SECOND_NS >> (TICK_SHIFT + 1)));
	p->rate = rate;
	p->quantum = (uint32_t)RTE_MIN(RTE_MAX(quantum, 2ull * mss), (uint64_t)INT32_MAX);
}

/* the quanta that should have been sent since the timer was due; what exceeds QUANTUM_MAX is sent
 * in later turns */
static uint32_t overdue(const struct pace *p, uint64_t late_ns)
{
	const uint64_t rate = RTE_MIN(p->rate, UINT64_C(1) << 40); /* no overflow */
	const uint64_t bytes = RTE_MIN(rate * late_ns / SECOND_NS, (uint64_t)QUANTUM_MAX);

	return (uint32_t)(bytes - bytes % p->quantum);
}

void pace_begin(struct pace *p, uint64_t now_ns, bool waited)
{
	uint64_t late_ns, gap_ns;

	p->left = 0;
	if (p->rate == 0)
		p->left = UINT32_MAX;
	if (p->rate == 0 || p->next_ns > now_ns)
		return;
	p->left = p->quantum;
	late_ns = now_ns - p->next_ns;
	gap_ns = p->quantum * SECOND_NS / p->rate;
	if (waited)
		late_ns = RTE_MIN(late_ns, RTE_MAX(gap_ns, LATE_NS));
	else if (late_ns > gap_ns)
		late_ns = 0;
	p->next_ns = now_ns - late_ns;
	if (waited)
		p->left += overdue(p, late_ns);
}

void pace_end(struct pace *p, uint32_t bytes)
{
	if (p->rate != 0)
		p->next_ns += bytes * SECOND_NS / p->rate;
}
