/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_NAGLE_H
#define TCP_NAGLE_H

/*
 * When what is less than a full segment waits (RFC 9293 section 3.7.4): Nagle's algorithm, and Minshall's variant of it.
 *
 * Nagle's lets a small segment wait while anything is under way; Minshall's (RFC 9293 appendix A.3) while another small
 * one is, so that what a large write leaves over goes at once and not with the peer's delayed acknowledgement, and there
 * is still but one small segment in a round trip.
 *
 * Invariant: the last small segment that was sent for the first time ends at tcp_queues.small_end, if that is in
 * (SND.UNA,SND.NXT]; elsewhere it has been acknowledged, or was none.  While urgent data is queued, which is as good as
 * never, nothing is known of it, and Nagle's algorithm holds.
 */

#include "base/seq.h"
#include "tcp/tcp.h"

/** nagle_note takes note that a segment with len bytes has been sent for the first time and ends at SND.NXT. */
static inline void nagle_note(const struct tcb *t, struct tcp_queues *q, uint32_t len)
{
	if (len < t->mss && !q->snd_urgent)
		q->small_end = t->snd_nxt;
}

/** nagle_lets says whether a small segment may go now. */
static inline bool nagle_lets(const struct tcp *tcp, const struct tcb *t,
                              const struct tcp_queues *q)
{
	if (t->snd_una == t->snd_nxt || (t->flags & TCB_NODELAY))
		return true;
	return tcp->ctx->cfg.tcp_minshall && !q->snd_urgent &&
	       (seq_leq(q->small_end, t->snd_una) || seq_gt(q->small_end, t->snd_nxt));
}

#endif
