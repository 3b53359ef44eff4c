/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/rtt.h"

#include <rte_common.h>

#include "base/ctx.h"

/* RFC 6298 section 2: alpha 1/8, beta 1/4, K 4; the clock's granularity is a tick */
#define GRANULARITY_US ((1u << TICK_SHIFT) / 1000 + 1)

void rtt_sample(const struct pc_stack_config *cfg, struct tcb *t, uint32_t rtt_us)
{
	uint32_t rtt = RTE_MAX(RTE_MIN(rtt_us, 120000000u), 1u), min, max;

	if (t->srtt_us == 0) {
		t->srtt_us = rtt;
		t->rttvar_us = rtt / 2;
	} else {
		uint32_t err = rtt > t->srtt_us ? rtt - t->srtt_us : t->srtt_us - rtt;

		t->rttvar_us = t->rttvar_us - t->rttvar_us / 4 + err / 4;
		t->srtt_us = t->srtt_us - t->srtt_us / 8 + rtt / 8;
		t->srtt_us = RTE_MAX(t->srtt_us, 1u);
	}
	min = (uint32_t)cfg->tcp_rto_min_ms * 1000;
	max = (uint32_t)cfg->tcp_rto_max_ms * 1000;
	/* as Linux does: the floor is under the variance term, not under the whole */
	t->rto_us = t->srtt_us + RTE_MAX(RTE_MAX(4 * t->rttvar_us, GRANULARITY_US), min);
	t->rto_us = RTE_MIN(t->rto_us, max);
}

uint64_t rtt_backed_off(const struct pc_stack_config *cfg, const struct tcb *t)
{
	uint64_t rto = (uint64_t)t->rto_us << RTE_MIN(t->retries, 30);

	return RTE_MIN(rto, cfg->tcp_rto_max_ms * 1000);
}
