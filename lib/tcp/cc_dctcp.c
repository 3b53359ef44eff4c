/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DCTCP (RFC 8257): cwnd shrinks in proportion to how much of a window was marked.
 *
 * The receiver's half is in tcp_ecn.c.  Without ECN, and on loss (section 3.5), it is NewReno.
 */

#include <rte_common.h>

#include "base/seq.h"
#include "tcp/cc.h"
#include "tcp/hystart.h"

#define ALPHA_ONE 65536u /* DCTCP.Alpha = 1 */
#define G_SHIFT   4      /* g = 1/16 (section 4.2) */

struct dctcp {
	struct hystart hystart;
	uint32_t alpha;         /* DCTCP.Alpha in 1/65536; valid if begun */
	uint32_t window_end;    /* DCTCP.WindowEnd */
	uint32_t acked, marked; /* DCTCP.BytesAcked, DCTCP.BytesMarked */
	bool begun;
};

static_assert(sizeof(struct dctcp) <= sizeof(((struct tcp_queues *)0)->cc_state), "it fits");

static struct dctcp *dctcp_of(struct tcp_queues *q)
{
	return (struct dctcp *)(void *)q->cc_state;
}

static void begin_window(struct dctcp *d, const struct tcb *t)
{
	d->window_end = t->snd_nxt;
	d->acked = d->marked = 0;
}

static void dctcp_begin(struct dctcp *d, const struct tcb *t, struct tcp_queues *q)
{
	if (d->begun)
		return;
	d->begun = true;
	d->alpha = ALPHA_ONE; /* section 4.2: cautious at first */
	q->keep = true;
	begin_window(d, t);
}

/* section 3.3 */
static void on_any_ack(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a)
{
	struct dctcp *d = dctcp_of(q);
	uint32_t part;

	dctcp_begin(d, t, q);
	d->acked += a->acked;
	if (a->ece)
		d->marked += a->acked;
	if (seq_leq(t->snd_una, d->window_end))
		return;
	part = d->acked > 0 ? (uint32_t)((uint64_t)d->marked * ALPHA_ONE / d->acked) : 0;
	/* decays to 0 even when the shift yields 0 */
	d->alpha -= RTE_MAX(d->alpha >> G_SHIFT, RTE_MIN(d->alpha, 1u));
	d->alpha = RTE_MIN(d->alpha + (part >> G_SHIFT), ALPHA_ONE);
	begin_window(d, t);
}

static void dctcp_on_ack(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a)
{
	if (t->cwnd < t->ssthresh)
		cc_slow_start(t, q, a, &dctcp_of(q)->hystart);
	else
		cc_newreno.on_ack(t, q, a);
}

static void dctcp_on_ecn(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	struct dctcp *d = dctcp_of(q);
	uint32_t cut;

	(void)flight;
	dctcp_begin(d, t, q);
	cut = (uint32_t)((uint64_t)t->cwnd * d->alpha / ALPHA_ONE / 2);
	t->cwnd = RTE_MAX(t->cwnd - cut, 2u * t->mss);
	t->ssthresh = t->cwnd;
	q->cc_bytes = 0;
}

static void dctcp_on_loss(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	cc_newreno.on_loss(t, q, flight);
}

static void dctcp_on_timeout(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	cc_newreno.on_timeout(t, q, flight);
}

const struct cc_ops cc_dctcp = {.name = "dctcp",
                                .needs_ecn = true,
                                .on_ack = dctcp_on_ack,
                                .on_any_ack = on_any_ack,
                                .on_loss = dctcp_on_loss,
                                .on_ecn = dctcp_on_ecn,
                                .on_timeout = dctcp_on_timeout};
