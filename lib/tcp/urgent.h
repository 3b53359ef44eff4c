/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_URGENT_H
#define TCP_URGENT_H

/*
 * Urgent data (RFC 9293 section 3.8.5, RFC 6093): a mark in the stream, not a separate channel.
 *
 * A read stops before the byte that the peer marks as urgent, SIOCATMARK says that it is next, and
 * EPOLLPRI that there is one.  The pointer refers to the byte after the urgent ones (MUST-62); as
 * on Linux, only the last of them is marked, and a later mark replaces one that has not been
 * reached.
 *
 * In line, which is the default, the byte stays where it is.  With SO_OOBINLINE 0 it is out of band
 * as on Linux: reads skip it; MSG_OOB returns it as soon as it has arrived, even if the window has
 * no room for it in the stream; and EPOLLPRI is set only from then until it is taken.  Packets that
 * are handed over whole (pc_recv_mbuf) still contain it.
 */

#include "base/seq.h"
#include "tcp/tcp.h"

/** What is known of the mark ahead: tcp_queues.rcv_urgent. */
enum urgent_state {
	URGENT_NONE,
	URGENT_ANNOUNCED, /* its byte may have been queued since */
	URGENT_HERE,      /* its byte is in tcp_queues.urgent_byte */
	URGENT_TAKEN,     /* by MSG_OOB; reads skip it */
};

/** urgent_received processes the pointer of a segment with URG (RFC 9293 3.10.7.4, sixth step) and,
 * if the segment has it, the byte; the payload begins off bytes into m. */
void urgent_received(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, struct rte_mbuf *m,
                     uint32_t off);

/** urgent_readable returns how many bytes a read may take before it stops at the mark. */
static inline uint32_t urgent_readable(const struct tcb *t, const struct tcp_queues *q)
{
	int32_t ahead = seq_diff(q->rcv_up, t->rcv_nxt - t->rcv_bytes);

	return q->rcv_urgent && ahead > 0 ? (uint32_t)ahead : UINT32_MAX;
}

/** urgent_read forgets a mark that has been read. */
static inline void urgent_read(const struct tcb *t, struct tcp_queues *q)
{
	if (unlikely(q->rcv_urgent) && seq_lt(q->rcv_up, t->rcv_nxt - t->rcv_bytes))
		q->rcv_urgent = q->urgent_byte = 0;
}

/** urgent_is_ahead says whether a mark has been announced and not yet read. */
static inline bool urgent_is_ahead(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_queues *q = tcp_queues_if(tcp, t);

	return q != NULL && q->rcv_urgent;
}

/** urgent_is_told says whether EPOLLPRI is set: in line for a mark ahead, otherwise for a byte that
 * can be taken. */
bool urgent_is_told(const struct tcp *tcp, const struct tcb *t);

/** urgent_at_mark says whether the urgent byte is the next to be read. */
bool urgent_at_mark(const struct tcp *tcp, const struct tcb *t);

/** urgent_hole returns 1 if the next queued byte is one that reads skip, else 0. */
uint32_t urgent_hole(const struct tcp *tcp, const struct tcb *t);

/** urgent_before returns how many bytes are to be read before a mark ahead, or UINT32_MAX if there
 * is none or it is next. */
static inline uint32_t urgent_before(const struct tcp *tcp, const struct tcb *t)
{
	return urgent_is_ahead(tcp, t) ? urgent_readable(t, tcp_queues(tcp, t)) : UINT32_MAX;
}

/** urgent_inq returns the byte count for SIOCINQ: those before an out-of-band byte, or all. */
uint32_t urgent_inq(const struct tcp *tcp, const struct tcb *t);

/**
 * urgent_take returns the urgent byte (MSG_OOB); peek leaves it. Errors: -EINVAL if urgent data is
 * in line, or there is none, or it was taken; -EAGAIN if it has not arrived; -ESHUTDOWN if nothing
 * more will arrive; -ENOTCONN.
 */
int urgent_take(struct tcp *tcp, struct tcb *t, bool peek);

/** urgent_send marks the last queued byte as urgent (MSG_OOB). */
void urgent_send(struct tcp *tcp, struct tcb *t);

/** urgent_fill sets URG and the pointer of a segment until the urgent data is acknowledged. */
void urgent_fill(const struct tcb *t, struct tcp_queues *q, struct tcp_seg *s);

#endif
