/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RTT_H
#define TCP_RTT_H

/* The round-trip time and the retransmission time-out (RFC 6298). */

#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "tcp/tcp.h"

/* RFC 6298 section 2: alpha 1/8, beta 1/4, K 4; the clock's granularity is a tick */
#define RTT_GRANULARITY_US ((1u << TICK_SHIFT) / 1000 + 1)

/** rtt_min_us returns the least time-out: TCP_RTO_MIN_US, or as configured. */
static inline uint32_t rtt_min_us(const struct tcp *tcp, const struct tcb *t)
{
	const uint32_t all = (uint32_t)tcp->ctx->cfg.tcp_rto_min_ms * 1000;

	return unlikely(t->tuning != 0) ? tcp_own(tcp_tuning(tcp, t)->rto_min_us, all) : all;
}

/** rtt_max_us returns the largest time-out: TCP_RTO_MAX_MS, or as configured. */
static inline uint32_t rtt_max_us(const struct tcp *tcp, const struct tcb *t)
{
	const uint32_t all = (uint32_t)tcp->ctx->cfg.tcp_rto_max_ms * 1000;

	return unlikely(t->tuning != 0) ? tcp_own(tcp_tuning(tcp, t)->rto_max_us, all) : all;
}

/** rtt_sample takes one measurement and sets the time-out, without back-off. A measurement during
 * which the lcore stalled says nothing about the path and is ignored. */
static inline void rtt_sample(const struct tcp *tcp, struct tcb *t, uint32_t rtt_us)
{
	const uint32_t rtt = RTE_MAX(RTE_MIN(rtt_us, 120000000u), 1u);
	const uint32_t min = rtt_min_us(tcp, t), max = rtt_max_us(tcp, t);
	uint32_t srtt = t->srtt_us, var = t->rttvar_us;

	if (unlikely(rtt_us > tcp->ctx->rtt_end_us - 1)) /* 0: no limit */
		return;
	if (unlikely(srtt == 0)) {
		srtt = rtt;
		var = rtt / 2;
	} else {
		const uint32_t err = rtt > srtt ? rtt - srtt : srtt - rtt;

		var = var - var / 4 + err / 4;
		srtt = srtt - srtt / 8 + rtt / 8;
		srtt = RTE_MAX(srtt, 1u);
	}
	t->srtt_us = srtt;
	t->rttvar_us = var;
	/* as Linux does: the floor is under the variance term, not under the whole */
	t->rto_us = RTE_MIN(srtt + RTE_MAX(RTE_MAX(4 * var, RTT_GRANULARITY_US), min), max);
}

/** RTT_BACKOFFS is how many times the time-out is doubled at most. */
#define RTT_BACKOFFS 30u

/** rtt_after returns the time-out in us after it was doubled this many times (RFC 6298 (5.5)). */
static inline uint64_t rtt_after(const struct tcp *tcp, const struct tcb *t, uint32_t times)
{
	const uint64_t rto = (uint64_t)t->rto_us << RTE_MIN(times, RTT_BACKOFFS);

	return RTE_MIN(rto, (uint64_t)rtt_max_us(tcp, t));
}

/** rtt_backoffs returns how many times it is doubled after t->retries retransmissions; q: the
 * connection's queues, or NULL. */
static inline uint32_t rtt_backoffs(const struct tcb *t, const struct tcp_queues *q)
{
	const uint32_t times = RTE_MIN(t->retries, RTT_BACKOFFS);

	return q != NULL ? times - RTE_MIN(times, (uint32_t)q->reverted) : times;
}

/** rtt_backed_off returns the time-out in us after t->retries retransmissions; q: the connection's
 * queues, or NULL. */
static inline uint64_t rtt_backed_off(const struct tcp *tcp, const struct tcb *t,
                                      const struct tcp_queues *q)
{
	return rtt_after(tcp, t, rtt_backoffs(t, q));
}

#endif
