/* SPDX-License-Identifier: BSD-2-Clause */
/* The algorithms by number and by name, and slow start, which they share. */

#include "tcp/cc.h"

#include <assert.h>
#include <string.h>

#include <rte_common.h>

#include "tcp/hystart.h"

const struct cc_ops *const cc_algorithms[CC_COUNT] = {
    [CC_RENO] = &cc_newreno, [CC_CUBIC] = &cc_cubic, [CC_DCTCP] = &cc_dctcp, [CC_BBR] = &cc_bbr};

int cc_find(const char *name, size_t len)
{
	for (int i = 0; i < CC_COUNT; i++)
		if (strlen(cc_algorithms[i]->name) == len &&
		    memcmp(cc_algorithms[i]->name, name, len) == 0)
			return i;
	return -1;
}

void cc_use(struct tcb *t, struct tcp_queues *q, unsigned index)
{
	assert(index < CC_COUNT);
	if (t->cc == index)
		return;
	if (q != NULL && cc_of(t)->release != NULL)
		cc_of(t)->release(q);
	t->cc = (uint8_t)index;
	if (q != NULL) {
		memset(q->cc_state, 0, sizeof(q->cc_state));
		q->cc_bytes = 0;
	}
}

void cc_slow_start(struct tcb *t, const struct tcp_queues *q, const struct cc_ack *a,
                   struct hystart *h)
{
	const uint32_t acks = 1 + a->merged, mss = t->mss; /* L is a limit for each */
	enum hystart_phase phase;

	/* RFC 9406 section 4.3: once ssthresh is known, plain slow start is enough */
	if (!a->hystart || t->ssthresh != UINT32_MAX) {
		/* RFC 3465: L is 2 segments, 1 after a time-out */
		if (cc_is_limited(t, a->flight))
			t->cwnd +=
			    RTE_MIN(a->acked, acks * (q->recovery == TCP_R_LOSS ? mss : 2 * mss));
		return;
	}
	/* its rounds are those of one slow start: after a pause, cwnd is small again */
	if (t->cwnd < h->cwnd)
		*h = (struct hystart){0};
	phase = hystart_ack(h, t->snd_una, t->snd_nxt, a->rtt_us, acks);
	if (cc_is_limited(t, a->flight)) {
		/* RFC 9406 section 4.3: L bounds bursts, which pacing does better */
		uint32_t more =
		    q->pace.rate != 0 ? a->acked : RTE_MIN(a->acked, acks * HYSTART_L * mss);

		t->cwnd += phase == HYSTART_SLOW ? more : more / HYSTART_CSS_DIVISOR;
	}
	h->cwnd = t->cwnd;
	if (phase == HYSTART_DONE)
		t->ssthresh = t->cwnd;
}
