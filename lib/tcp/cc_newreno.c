/* SPDX-License-Identifier: BSD-2-Clause */
/* NewReno (RFC 5681, RFC 6582) with appropriate byte counting (RFC 3465). */

#include <rte_common.h>

#include "tcp/cc.h"

static void on_ack(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a)
{
	uint32_t mss = t->mss;

	if (!cc_is_limited(t, a->flight))
		return;
	if (t->cwnd < t->ssthresh) {
		/* RFC 3465: L is 2 segments, 1 after a time-out */
		t->cwnd += RTE_MIN(a->acked, q->recovery == TCP_R_LOSS ? mss : 2 * mss);
		return;
	}
	q->cc_bytes += a->acked;
	if (q->cc_bytes >= t->cwnd) {
		q->cc_bytes -= t->cwnd;
		t->cwnd += mss;
	}
}

/* RFC 5681 equation (4) */
static uint32_t half(const struct tcb *t, uint32_t flight)
{
	return RTE_MAX(flight / 2, 2u * t->mss);
}

static void on_loss(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	t->ssthresh = half(t, flight);
	t->cwnd = t->ssthresh;
	q->cc_bytes = 0;
}

static void on_timeout(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	t->ssthresh = half(t, flight);
	t->cwnd = t->mss;
	if (q != NULL)
		q->cc_bytes = 0;
}

const struct cc_ops cc_newreno = {
    .name = "reno", .on_ack = on_ack, .on_loss = on_loss, .on_timeout = on_timeout};
