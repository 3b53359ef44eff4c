/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Urgent data.
 *
 * The mark is kept in the connection's queues, which may be reclaimed while they are empty: if the
 * data of an announced mark never arrives and queues become scarce, the mark may be lost, and then
 * the byte is an ordinary one.
 */
#include "tcp/urgent.h"

#include <errno.h>

#include <rte_mbuf.h>

#include "tcp/tcp_conn.h"

/* SO_OOBINLINE 0 */
static bool is_out_of_band(const struct tcp *tcp, const struct tcb *t)
{
	return t->tuning != 0 && (tcp_tuning(tcp, t)->kept.truths & KEPT_OUT_OF_BAND) != 0;
}

static uint32_t next_to_read(const struct tcb *t)
{
	return t->rcv_nxt - t->rcv_bytes;
}

static bool is_here(const struct tcb *t, const struct tcp_queues *q)
{
	return q->rcv_urgent == URGENT_HERE ||
	       (q->rcv_urgent == URGENT_ANNOUNCED && seq_lt(q->rcv_up, t->rcv_nxt));
}

/* Discards an out-of-band byte that is next to read, before another byte is marked. */
static void pass_over(struct tcp *tcp, struct tcb *t)
{
	if (urgent_hole(tcp, t) != 0)
		(void)tcp_discard(tcp, t, 1);
}

/* Saves the urgent byte if the segment has it, even if the window has no room (seg->len is 0). */
static void keep_byte(struct tcp_queues *q, const struct tcp_seg *seg, struct rte_mbuf *m,
                      uint32_t off)
{
	const uint32_t at = q->rcv_up - seg->seq;
	uint8_t byte;
	const uint8_t *p;

	if (q->rcv_urgent != URGENT_ANNOUNCED || at >= m->pkt_len - off)
		return;
	p = rte_pktmbuf_read(m, off + at, 1, &byte);
	if (p == NULL)
		return;
	q->urgent_byte = *p;
	q->rcv_urgent = URGENT_HERE;
}

void urgent_received(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, struct rte_mbuf *m,
                     uint32_t off)
{
	/* a pointer of 0 refers to the segment's first byte, as on Linux */
	uint32_t mark = seg->seq + (seg->urg > 0 ? seg->urg - 1u : 0);
	struct tcp_queues *q;
	unsigned before;

	if (seq_lt(mark, t->rcv_nxt)) /* seen before */
		return;
	pass_over(tcp, t);
	q = tcb_attach_queues(tcp, t);
	if (q == NULL)
		return;
	before = q->rcv_urgent;
	if (before == URGENT_NONE || seq_gt(mark, q->rcv_up)) {
		q->rcv_up = mark;
		q->rcv_urgent = URGENT_ANNOUNCED;
		q->urgent_byte = 0;
		before = URGENT_NONE;
		q->keep = true;
	}
	keep_byte(q, seg, m, off);
	if (q->rcv_urgent != before)
		tcb_notify(tcp, t, EPOLLPRI);
	tcb_detach_queues(tcp, t);
}

bool urgent_is_told(const struct tcp *tcp, const struct tcb *t)
{
	return urgent_is_ahead(tcp, t) &&
	       (!is_out_of_band(tcp, t) || is_here(t, tcp_queues(tcp, t)));
}

bool urgent_at_mark(const struct tcp *tcp, const struct tcb *t)
{
	return urgent_is_ahead(tcp, t) && tcp_queues(tcp, t)->rcv_up == next_to_read(t);
}

uint32_t urgent_hole(const struct tcp *tcp, const struct tcb *t)
{
	return t->rcv_bytes > 0 && urgent_at_mark(tcp, t) && is_out_of_band(tcp, t);
}

uint32_t urgent_inq(const struct tcp *tcp, const struct tcb *t)
{
	if (!urgent_is_ahead(tcp, t) || !is_out_of_band(tcp, t))
		return t->rcv_bytes;
	return RTE_MIN(t->rcv_bytes, tcp_queues(tcp, t)->rcv_up - next_to_read(t));
}

/* The urgent byte, which is queued. */
static uint8_t queued_byte(const struct tcb *t, const struct tcp_queues *q)
{
	uint32_t at = q->rcv_up - next_to_read(t);
	struct rte_mbuf *m = q->rcv.head;
	uint8_t byte;

	for (; at >= pkt_of(m)->rx.len; m = pkt_of(m)->next)
		at -= pkt_of(m)->rx.len;
	at += m->pkt_len - pkt_of(m)->rx.len;
	return *(const uint8_t *)rte_pktmbuf_read(m, at, 1, &byte);
}

int urgent_take(struct tcp *tcp, struct tcb *t, bool peek)
{
	struct tcp_queues *q = tcp_queues_if(tcp, t);
	int byte;

	if (t->state == TCP_S_LISTEN)
		return -ENOTCONN;
	if (!urgent_is_ahead(tcp, t) || !is_out_of_band(tcp, t) || q->rcv_urgent == URGENT_TAKEN)
		return -EINVAL;
	if (!is_here(t, q))
		return t->flags & (TCB_FIN_RCVD | TCB_RD_SHUT) ? -ESHUTDOWN : -EAGAIN;
	byte = q->rcv_urgent == URGENT_HERE ? q->urgent_byte : queued_byte(t, q);
	if (!peek) {
		q->rcv_urgent = URGENT_TAKEN;
		q->urgent_byte = 0;
	}
	return byte;
}

void urgent_send(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues(tcp, t);

	q->snd_up = t->snd_una + t->snd_bytes;
	q->snd_urgent = true;
	t->flags |= TCB_PUSH; /* urgent data does not wait for more */
}

void urgent_fill(const struct tcb *t, struct tcp_queues *q, struct tcp_seg *s)
{
	int32_t ahead = seq_diff(q->snd_up, s->seq);

	if (seq_geq(t->snd_una, q->snd_up)) {
		q->snd_urgent = false;
		q->small_end = t->snd_nxt;
	} else if (ahead > 0 && !(s->flags & TCP_RST)) {
		s->flags |= TCP_URG;
		s->urg = (uint16_t)RTE_MIN(ahead, UINT16_MAX);
	}
}
