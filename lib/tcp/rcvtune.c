/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynamic right-sizing of the receive window.
 *
 * The round trip is the receiver's own estimate, which follows the path as it is now:
 * - with timestamps (RFC 7323 section 4.1), the time since we sent what the peer echoes.  While a
 *   peer sends in bulk an echo is fresh; an old one, because the peer had nothing to send, must not
 *   count much, so the estimate falls at once and rises by eighths.  Our clock counts milliseconds,
 *   so that it cannot measure a shorter round trip.
 * - without them, the time in which more than a whole window arrived: its end was sent after its
 *   beginning had been acknowledged, so a round trip is no longer than that.
 * Otherwise it is the sender's estimate, which has at least the sample of the handshake; a
 * connection without one (opened by a SYN cookie or a retransmitted SYN, without timestamps, and
 * sending nothing) is measured over ROUND_US.
 */
#include "tcp/rcvtune.h"

#include "tcp/tcp.h"
#include "tcp/tcp_conn.h"

#define ROUND_US   100000
#define RTT_MAX_MS 120000

static void rcvtune_begin(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q)
{
	q->tuned = true;
	q->tune = (struct rcvtune){.start_us = tcp->ctx->now_us,
	                           .seq = t->rcv_nxt - t->rcv_bytes,
	                           .space = 10u * t->rcv_mss};
	q->keep = true;
}

void rcvtune_bulk(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q,
                  const struct tcp_seg *seg)
{
	struct rcvtune *r = &q->tune;
	uint32_t ms, us;

	if (!q->tuned) {
		if (!(t->flags & TCB_RCVBUF_SET))
			rcvtune_begin(tcp, t, q);
		return;
	}
	if (!(t->opt & TCB_OPT_TS) || (uint16_t)seg->tsecr == r->tsecr)
		return;
	r->tsecr = (uint16_t)seg->tsecr;
	ms = tcp_tsval(tcp, t->ts_offset) - seg->tsecr;
	if (ms > RTT_MAX_MS)
		return;
	us = ms * 1000;
	r->rtt_us = us <= r->rtt_us || r->rtt_us == 0 ? us : r->rtt_us + (us - r->rtt_us) / 8;
}

/* enough not to hold up a sender in slow start, which sends twice as much in the next round trip */
static uint32_t wanted(const struct tcp *tcp, const struct tcb *t, uint32_t copied, uint32_t before)
{
	uint64_t want = 2 * (uint64_t)copied + 16u * t->rcv_mss + 2 * (uint64_t)(copied - before);

	return (uint32_t)RTE_MIN(want, tcp->ctx->cfg.tcp_rcvbuf_max);
}

static void look_at_window(const struct tcb *t, struct rcvtune *r, uint32_t elapsed)
{
	if (t->rcv_nxt - r->seq > t->rcv_max && (r->rtt_us == 0 || elapsed < r->rtt_us))
		r->rtt_us = RTE_MAX(elapsed, 1u);
}

static uint32_t round_of(const struct tcb *t, const struct rcvtune *r)
{
	if (r->rtt_us != 0)
		return r->rtt_us;
	return t->srtt_us != 0 ? t->srtt_us : ROUND_US;
}

void rcvtune_read(const struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint32_t elapsed = tcp->ctx->now_us - q->tune.start_us, done, copied;

	if (!q->tuned)
		return;
	if (!(t->opt & TCB_OPT_TS))
		look_at_window(t, &q->tune, elapsed);
	if (elapsed < round_of(t, &q->tune))
		return;
	done = t->rcv_nxt - t->rcv_bytes;
	copied = done - q->tune.seq;
	if (copied > q->tune.space && !(t->flags & TCB_RCVBUF_SET)) {
		if (!tcp->ctx->mbufs_low)
			t->rcv_max = RTE_MAX(t->rcv_max, wanted(tcp, t, copied, q->tune.space));
		q->tune.space = copied;
	}
	q->tune.seq = done;
	q->tune.start_us = tcp->ctx->now_us;
}
