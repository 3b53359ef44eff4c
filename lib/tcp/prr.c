/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/prr.h"

static uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t prr_cwnd(struct prr *p, uint32_t delivered, uint32_t pipe, uint32_t ssthresh, uint32_t mss,
                  bool safe)
{
	uint32_t send;

	p->delivered += delivered;
	if (pipe > ssthresh) {
		uint64_t due =
		    ((uint64_t)p->delivered * ssthresh + p->recover_fs - 1) / p->recover_fs;

		send = due > p->out ? (uint32_t)(due - p->out) : 0;
	} else {
		uint32_t limit = p->delivered > p->out ? p->delivered - p->out : 0;

		limit = limit > delivered ? limit : delivered;
		send = min32(ssthresh - pipe, safe ? limit + mss : limit);
	}
	/* the first retransmission is always sent */
	if (p->out == 0 && send < mss)
		send = mss;
	return pipe + send;
}
