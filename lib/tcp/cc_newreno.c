/* SPDX-License-Identifier: BSD-2-Clause */
/* NewReno (RFC 5681, RFC 6582) with appropriate byte counting (RFC 3465). */

#include <rte_common.h>

#include "tcp/cc.h"
#include "tcp/hystart.h"

static_assert(sizeof(struct hystart) <= sizeof(((struct tcp_queues *)0)->cc_state), "it fits");

static void newreno_on_ack(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a)
{
	uint32_t window;

	if (t->cwnd < t->ssthresh) {
		cc_slow_start(t, q, a, (struct hystart *)(void *)q->cc_state);
		return;
	}
	if (!cc_is_limited(t, a->flight))
		return;
	/* less than a segment is never in flight, so a round trip does not acknowledge it */
	window = t->cwnd - t->cwnd % t->mss;
	q->cc_bytes += a->acked;
	if (q->cc_bytes >= window) {
		q->cc_bytes -= window;
		t->cwnd += t->mss;
	}
}

/* RFC 5681 equation (4) */
static uint32_t half(const struct tcb *t, uint32_t flight)
{
	return RTE_MAX(flight / 2, 2u * t->mss);
}

static void newreno_on_loss(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	t->ssthresh = half(t, flight);
	t->cwnd = t->ssthresh;
	q->cc_bytes = 0;
}

static void newreno_on_timeout(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	t->ssthresh = half(t, flight);
	t->cwnd = t->mss;
	if (q != NULL)
		q->cc_bytes = 0;
}

const struct cc_ops cc_newreno = {.name = "reno",
                                  .plain = true,
                                  .on_ack = newreno_on_ack,
                                  .on_loss = newreno_on_loss,
                                  .on_ecn = newreno_on_loss,
                                  .on_timeout = newreno_on_timeout};
