/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/rate.h"

#include <rte_common.h>

#include "base/seq.h"
#include "tcp/rack.h"

static struct rate_mark *newest(struct rate *r)
{
	return &r->mark[r->newest];
}

static void add_mark(struct rate *r, uint32_t now_us)
{
	if (r->n > 0)
		r->newest = (uint8_t)((r->newest + 1) % RATE_MARKS);
	if (r->n < RATE_MARKS)
		r->n++;
	else
		r->full = true;
	*newest(r) = (struct rate_mark){.at_us = now_us,
	                                .delivered = r->delivered,
	                                .delivered_us = r->delivered_us,
	                                .first_us = r->first_us,
	                                .lost = r->lost,
	                                .limited = r->limited};
}

void rate_sent(struct rate *r, uint32_t now_us, uint32_t inflight, bool idle)
{
	if (idle) { /* the next interval begins here */
		r->first_us = r->delivered_us = now_us;
		r->n = r->newest = 0;
		r->full = false;
	}
	if (r->n == 0 || newest(r)->limited != r->limited)
		add_mark(r, now_us);
	newest(r)->inflight = RTE_MAX(newest(r)->inflight, inflight);
}

const struct rate_mark *rate_find(const struct rate *r, uint32_t sent_us)
{
	uint32_t at = r->newest;

	for (uint32_t i = 0; i < r->n; i++) {
		if (seq_leq(r->mark[at].at_us, sent_us))
			return &r->mark[at];
		if (i + 1 < r->n)
			at = (at + RATE_MARKS - 1) % RATE_MARKS;
	}
	/* in flight for longer than the ring covers: the oldest mark is close */
	return r->full ? &r->mark[at] : NULL;
}

static void fill(struct rate *r, const struct rack *rack, const struct rate_mark *m,
                 struct rate_sample *rs)
{
	int32_t send_us = seq_diff(rack->sent_us, m->first_us);
	uint32_t ack_us = r->delivered_us - m->delivered_us;

	rs->valid = true;
	rs->limited = m->limited;
	rs->prior = m->delivered;
	rs->delivered = r->delivered - m->delivered;
	rs->tx_in_flight = m->inflight;
	rs->lost = r->lost - m->lost;
	rs->rtt_us = rack->rtt_us;
	rs->interval_us = RTE_MAX((uint32_t)RTE_MAX(send_us, 0), ack_us);
	/* shorter than any round trip: not reliable */
	if (rs->interval_us > 0 && rs->interval_us >= rack->min_rtt_us)
		rs->bps = rs->delivered * UINT64_C(1000000) / rs->interval_us;
}

void rate_ack(struct rate *r, const struct rack *rack, uint32_t delivered, uint32_t now_us,
              uint32_t srtt_us, struct rate_sample *rs)
{
	const struct rate_mark *m;

	*rs = (struct rate_sample){.newly_acked = delivered};
	if (delivered == 0 || r->n == 0)
		return;
	r->delivered += delivered;
	r->delivered_us = now_us;
	if (rack->sent_us != r->newest_us || rack->end != r->newest_end) {
		r->newest_us = rack->sent_us;
		r->newest_end = rack->end;
		m = rate_find(r, rack->sent_us);
		if (m != NULL) {
			fill(r, rack, m, rs);
			r->first_us = rack->sent_us;
		}
	}
	if (r->limited && seq_gt(r->delivered, r->limited_end))
		r->limited = false;
	if (now_us - newest(r)->at_us >= srtt_us / 8 || newest(r)->limited != r->limited)
		add_mark(r, now_us);
}

void rate_limit(struct rate *r, uint32_t inflight)
{
	r->limited = true;
	r->limited_end = r->delivered + inflight;
}
