/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_NAGLE_H
#define TCP_NAGLE_H

/*
 * When a segment that is not full waits (RFC 9293 section 3.7.4): Nagle's algorithm, and Minshall's
 * variant of it.
 *
 * With Nagle's algorithm a small segment waits while any data is in flight; with Minshall's (RFC
 * 9293 appendix A.3) only while another small one is, so that the remainder of a large write is
 * sent at once and not after the peer's delayed acknowledgement, and there is still only one small
 * segment per round trip.
 *
 * With TCP_NODELAY small segments do not wait, so a window may be in flight in segments of a byte,
 * each with an mbuf of its own. Therefore they do wait while mbufs are short: what is written
 * meanwhile is added to the one that waits.
 *
 * Invariant: the last small segment that was sent for the first time ends at tcp_queues.small_end,
 * if that is in (SND.UNA,SND.NXT]; otherwise it has been acknowledged, or there was none.  While
 * urgent data is queued, which is rare, small_end is not kept, and Nagle's algorithm applies.
 */

#include "base/seq.h"
#include "tcp/tcp.h"

/** nagle_note notes that a segment with len bytes was sent for the first time and ends at
 * SND.NXT. */
static inline void nagle_note(const struct tcb *t, struct tcp_queues *q, uint32_t len)
{
	if (len < t->mss && !q->snd_urgent)
		q->small_end = t->snd_nxt;
}

/** nagle_lets says whether a small segment may be sent now. */
static inline bool nagle_lets(const struct tcp *tcp, const struct tcb *t,
                              const struct tcp_queues *q)
{
	if (t->snd_una == t->snd_nxt ||
	    ((t->flags & TCB_NODELAY) && likely(!ctx_is_short(tcp->ctx))))
		return true;
	return tcp->ctx->cfg.tcp_minshall && !q->snd_urgent &&
	       (seq_leq(q->small_end, t->snd_una) || seq_gt(q->small_end, t->snd_nxt));
}

#endif
