/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_TURN_H
#define TCP_TCP_TURN_H

/*
 * What surrounds the sending of a connection's queue in a turn: the restart after idle periods,
 * pacing, and what congestion control has to be told.
 */

#include "base/seq.h"
#include "tcp/cc.h"
#include "tcp/tcp.h"

/** tcp_turn_start begins a new flight: data is to be sent while nothing is in flight, and not
 * because of pacing. */
void tcp_turn_start(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_turn_pace computes how much pacing allows now: q->pace.left. */
void tcp_turn_pace(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_turn_note records how many bytes were sent, including retransmissions; if pacing held back
 * the rest, a timer will wake the connection. */
void tcp_turn_note(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t sent);

/** tcp_has_lost says whether lost data waits to be retransmitted. */
static inline bool tcp_has_lost(const struct tcp_queues *q)
{
	return q->lost_bytes > q->resent_bytes;
}

static inline void tcp_turn_begin(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	if (q->snd_next != NULL && t->snd_una == t->snd_nxt && !q->pace_waits)
		tcp_turn_start(tcp, t, q);
	if (cc_of(t)->pacing_rate != NULL || t->tuning != 0 || tcp->ctx->cfg.tcp_pacing) {
		tcp_turn_pace(tcp, t, q);
	} else {
		q->pace.left = UINT32_MAX;
		q->pace.rate = 0;
		q->pace_waits = false;
	}
}

/** tcp_turn_use records how much of cwnd the application has used over a round trip (RFC 7661
 * section 4.1). */
static inline void tcp_turn_use(const struct tcb *t, struct tcp_queues *q)
{
	const uint32_t flight = t->snd_nxt - t->snd_una;

	if (flight > q->most || seq_geq(t->snd_una, q->most_end)) {
		q->most = flight;
		q->most_end = t->snd_nxt;
	}
}

static inline void tcp_turn_end(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t sent)
{
	if (sent > 0)
		tcp_turn_use(t, q);
	if (q->pace.left != UINT32_MAX || cc_of(t)->on_output != NULL)
		tcp_turn_note(tcp, t, q, sent);
}

#endif
