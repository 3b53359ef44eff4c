/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Urgent data.
 *
 * The mark is kept in the connection's queues, which wait in line while nothing is queued: an announcement
 * whose data never comes may be forgotten when queues become scarce, and then the byte is one like others.
 */
#include "tcp/urgent.h"

#include "tcp/tcp_conn.h"

void urgent_received(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	/* a pointer of 0 names nothing before it: as on Linux, the segment's first byte */
	uint32_t mark = seg->seq + (seg->urg > 0 ? seg->urg - 1u : 0);
	struct tcp_queues *q;

	if (seq_lt(mark, t->rcv_nxt)) /* seen before */
		return;
	q = tcb_attach_queues(tcp, t);
	if (q == NULL)
		return;
	if (!q->rcv_urgent || seq_gt(mark, q->rcv_up)) {
		q->rcv_up = mark;
		q->rcv_urgent = q->keep = true;
		tcb_notify(tcp, t, EPOLLPRI);
	}
	tcb_detach_queues(tcp, t);
}

bool urgent_at_mark(const struct tcp *tcp, const struct tcb *t)
{
	return urgent_is_ahead(tcp, t) && tcp_queues(tcp, t)->rcv_up == t->rcv_nxt - t->rcv_bytes;
}

void urgent_send(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues(tcp, t);

	q->snd_up = t->snd_una + t->snd_bytes;
	q->snd_urgent = true;
	t->flags |= TCB_PUSH; /* what is urgent does not wait for more */
}

void urgent_fill(const struct tcb *t, struct tcp_queues *q, struct tcp_seg *s)
{
	int32_t ahead = seq_diff(q->snd_up, s->seq);

	if (seq_geq(t->snd_una, q->snd_up)) {
		q->snd_urgent = false;
	} else if (ahead > 0 && !(s->flags & TCP_RST)) {
		s->flags |= TCP_URG;
		s->urg = (uint16_t)RTE_MIN(ahead, UINT16_MAX);
	}
}
