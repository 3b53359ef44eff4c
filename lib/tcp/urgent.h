/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_URGENT_H
#define TCP_URGENT_H

/*
 * Urgent data (RFC 9293 section 3.8.5, RFC 6093): a mark in the stream, not a channel beside it.
 *
 * The byte that the peer calls urgent stays where it is, as with SO_OOBINLINE on Linux.  A read ends in
 * front of it, SIOCATMARK tells that it is next, and EPOLLPRI that there is one ahead.  The pointer names
 * the byte after the urgent ones (MUST-62); as on Linux only the last of them is marked, and a later mark
 * replaces one that has not been reached.
 */

#include "base/seq.h"
#include "tcp/tcp.h"

/** urgent_received takes the pointer of a segment with URG (the sixth step of RFC 9293 3.10.7.4). */
void urgent_received(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** urgent_readable returns how many bytes a read may take before it ends in front of the mark. */
static inline uint32_t urgent_readable(const struct tcb *t, const struct tcp_queues *q)
{
	int32_t ahead = seq_diff(q->rcv_up, t->rcv_nxt - t->rcv_bytes);

	return q->rcv_urgent && ahead > 0 ? (uint32_t)ahead : UINT32_MAX;
}

/** urgent_read forgets a mark that has been read. */
static inline void urgent_read(const struct tcb *t, struct tcp_queues *q)
{
	if (unlikely(q->rcv_urgent) && seq_lt(q->rcv_up, t->rcv_nxt - t->rcv_bytes))
		q->rcv_urgent = false;
}

/** urgent_is_ahead says whether a mark has been announced and not been read. */
static inline bool urgent_is_ahead(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_queues *q = tcp_queues(tcp, t);

	return q != NULL && q->rcv_urgent;
}

/** urgent_at_mark says whether the urgent byte is the next to be read. */
bool urgent_at_mark(const struct tcp *tcp, const struct tcb *t);

/** urgent_send calls the last byte that is queued urgent (MSG_OOB). */
void urgent_send(struct tcp *tcp, struct tcb *t);

/** urgent_fill sets URG and the pointer of a segment as long as the peer is behind the urgent data. */
void urgent_fill(const struct tcb *t, struct tcp_queues *q, struct tcp_seg *s);

#endif
