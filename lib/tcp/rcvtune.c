/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynamic right-sizing of the receive window.
 *
 * The round trip is that of the sender's side, which has at least the sample of the handshake: a smaller one
 * than the path's of now only makes the window fit the path without its queues.  A connection that has no
 * sample at all (it was opened by a cookie or a repeated SYN, without timestamps, and sends nothing) is
 * measured over ROUND_US.
 */
#include "tcp/rcvtune.h"

#include "tcp/tcp.h"

#define ROUND_US 100000

void rcvtune_begin(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q)
{
	if (q->tune.on || (t->flags & TCB_RCVBUF_SET))
		return;
	q->tune = (struct rcvtune){.on = true,
	                           .start_us = tcp->ctx->now_us,
	                           .seq = t->rcv_nxt - t->rcv_bytes,
	                           .space = 10u * t->rcv_mss};
	q->keep = true;
}

/* so much that a sender in slow start, who sends twice as much in the next round trip, is not held up */
static uint32_t wanted(const struct tcp *tcp, const struct tcb *t, uint32_t copied, uint32_t before)
{
	uint64_t want = 2 * (uint64_t)copied + 16u * t->rcv_mss + 2 * (uint64_t)(copied - before);

	return (uint32_t)RTE_MIN(want, tcp->ctx->cfg.tcp_rcvbuf_max);
}

void rcvtune_read(const struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint32_t round = t->srtt_us != 0 ? t->srtt_us : ROUND_US, done, copied;

	if (!q->tune.on || tcp->ctx->now_us - q->tune.start_us < round)
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
