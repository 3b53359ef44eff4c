/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may be sent now (RFC 9293 sections 3.7 to 3.9): from the send queue to segments.
 *
 * Overview: tcp_output sends lost segments, then new ones, then FIN, as far as the peer's window,
 * cwnd, pacing and the rules for small segments allow, and makes sure that a timer runs for what is
 * in flight or held back.
 */
#include "tcp/tcp_output.h"

#include "base/seq.h"
#include "tcp/account.h"
#include "tcp/frto.h"
#include "tcp/nagle.h"
#include "tcp/pmtu.h"
#include "tcp/sndbuf.h"
#include "tcp/stash.h"
#include "tcp/tcp_bunch.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_turn.h"

uint32_t tcp_pipe(const struct tcb *t, const struct tcp_queues *q)
{
	uint32_t flight = t->snd_nxt - t->snd_una, gone;

	if (q == NULL)
		return flight;
	gone = q->sacked_bytes + q->dup_bytes + q->lost_bytes - q->resent_bytes;
	return flight > gone ? flight - gone : 0;
}

/* RFC 9293 3.7.4 (Nagle) and TCP_CORK: may a segment that is not full be sent now? full_fit: a full
 * one fits into the window. Nothing is added to a record. */
static bool may_send_small(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q,
                           bool full_fit)
{
	const struct rte_mbuf *m = q->snd_next;
	const bool full = full_fit && tcp_unsent(t) >= t->mss;

	if ((t->flags & (TCB_PUSH | TCB_WR_SHUT)) ||
	    ((pkt_of_const(m)->tx.flags & SEG_EOR) && pkt_of_const(m)->next != NULL))
		return true;
	if (t->flags & (TCB_CORK | TCB_MORE))
		return full && pkt_of_const(m)->next != NULL;
	return full || nagle_lets(tcp, t, q);
}

/* 3.8.6.2.1: not a sliver, unless it is half of the largest window and, with Nagle's algorithm,
 * nothing is in flight ("[SND.NXT = SND.UNA and] min(D,U) >= Fs * Max(SND.WND)"), or with
 * Minshall's nothing small */
static bool may_send_part(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q,
                          uint32_t room)
{
	return room >= t->mss || (t->flags & TCB_PUSH) ||
	       (room >= t->snd_max_wnd / 2 && nagle_lets(tcp, t, q));
}

enum may { MAY_NOT, MAY_SEND, MAY_SPLIT };

static enum may may_send(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q,
                         uint32_t *room)
{
	uint32_t len = pkt_of(q->snd_next)->tx.len, pipe = tcp_pipe(t, q);
	int32_t usable = seq_diff(t->snd_una + t->snd_wnd, t->snd_nxt);

	if (pipe != 0 && pipe + len > t->cwnd)
		return MAY_NOT;
	if (len < t->mss && !may_send_small(tcp, t, q, usable >= (int32_t)t->mss))
		return MAY_NOT;
	if (usable >= (int32_t)len)
		return len > t->mss ? (*room = t->mss, MAY_SPLIT) : MAY_SEND;
	*room = RTE_MIN((uint32_t)RTE_MAX(usable, 0), (uint32_t)t->mss);
	return usable > 0 && may_send_part(tcp, t, q, *room) ? MAY_SPLIT : MAY_NOT;
}

static bool send_next(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, struct bunch *b)
{
	struct rte_mbuf *m = q->snd_next;
	bool fin = tcp_is_last(t, m);

	if (bunch_takes(t, b, m)) {
		if (!bunch_add(tcp, t, b, m, fin))
			return false;
	} else {
		bunch_send(tcp, t, b);
		if (!tcp_transmit(tcp, t, m, fin, true))
			return false;
	}
	ctx_add(tcp->ctx, PC_TCP_TX_BYTES, pkt_of(m)->tx.len);
	q->prr.out += pkt_of(m)->tx.len;
	pace_take(&q->pace, pkt_of(m)->tx.len);
	t->snd_nxt += pkt_of(m)->tx.len;
	nagle_note(t, q, pkt_of(m)->tx.len);
	q->snd_next = pkt_of(m)->next;
	if (fin) {
		t->flags |= TCB_FIN_SENT;
		t->snd_nxt++;
	}
	return true;
}

/* Without an mbuf a path MTU probe is given up: its data may be sent in smaller segments, whose
 * arrival says nothing about the MTU. */
static bool send_mtu_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, struct bunch *b)
{
	if (!send_next(tcp, t, q, b)) {
		pmtu_no_probe(q);
		return false;
	}
	ctx_count(tcp->ctx, PC_TCP_MTU_PROBES);
	return true;
}

/* the window is closed, or a small segment is held back: a timer must wake us */
static void arm_persist(struct tcp *tcp, struct tcb *t)
{
	if (t->timers & TCB_T_LOSS)
		return;
	if (t->snd_wnd != 0 && (t->flags & (TCB_CORK | TCB_MORE)))
		tcp_timer_set(tcp, t, TCB_T_LOSS, ticks_from_ms(200));
	else
		tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
}

static bool send_some(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, struct bunch *b)
{
	struct rte_mbuf *before = NULL; /* the segment sent last */

	if (unlikely(pmtu_may_probe(q)) && q->pace.left > 0 && pmtu_make_probe(tcp, t, q) &&
	    !send_mtu_probe(tcp, t, q, b))
		return false;
	while (q->snd_next != NULL && q->pace.left > 0) {
		uint32_t room = 0;
		enum may may;

		if (unlikely(tcp_port_is_busy(tcp, t)))
			return false;
		if (pkt_of(q->snd_next)->tx.len < t->mss && pkt_of(q->snd_next)->next != NULL)
			sndbuf_merge(&q->snd, q->snd_next, t->mss);
		may = may_send(tcp, t, q, &room);
		if (may == MAY_NOT)
			break;
		if (may == MAY_SPLIT) {
			struct rte_mbuf *m =
			    sndbuf_split(tcp->ctx, &q->snd, before, q->snd_next, room);

			if (m == NULL) /* data in flight will free mbufs */
				return q->snd_next != q->snd.head;
			q->snd_next = m;
		}
		before = q->snd_next;
		if (!send_next(tcp, t, q, b))
			return false;
	}
	return true;
}

static bool send_new(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	struct bunch b;
	bool done;

	if (q->snd_next == NULL)
		return true;
	bunch_init(tcp, t, &b);
	done = send_some(tcp, t, q, &b);
	bunch_send(tcp, t, &b);
	return done;
}

bool tcp_send_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	int32_t usable = seq_diff(t->snd_una + t->snd_wnd, t->snd_nxt);
	struct bunch none = {0};

	if (q->snd_next == NULL || usable < (int32_t)pkt_of(q->snd_next)->tx.len ||
	    pkt_of(q->snd_next)->tx.len > t->mss)
		return false;
	return send_next(tcp, t, q, &none);
}

static bool can_send(const struct tcb *t)
{
	switch (t->state) {
	case TCP_S_ESTABLISHED:
	case TCP_S_CLOSE_WAIT:
	case TCP_S_FIN_WAIT_1:
	case TCP_S_CLOSING:
	case TCP_S_LAST_ACK:
		return true;
	case TCP_S_SYN_RECEIVED: /* RFC 7413 4.2.2: an answer need not wait for the handshake */
		return (t->flags & TCB_CONNECTED) != 0;
	default:
		return false;
	}
}

/* what limits sending, for TCP_INFO */
static void note_limit(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const struct rte_mbuf *m = q->snd_next;
	const uint32_t len = m != NULL ? pkt_of_const(m)->tx.len : 0;
	enum account_chrono what = ACCOUNT_BUSY;

	if (q->snd.head == NULL)
		return;
	if (m == NULL && (t->flags & TCB_NOSPACE))
		what = ACCOUNT_SNDBUF;
	else if (seq_gt(t->snd_nxt + len, t->snd_una + t->snd_wnd))
		what = ACCOUNT_RWND;
	account_turn(tcp, t, what);
}

/* lost segments, then new ones */
static bool send_queued(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	uint32_t out = q->prr.out;
	bool done = true;

	tcp_turn_begin(tcp, t, q);
	if (tcp_has_lost(q) && !frto_holds(q))
		done = tcp_loss_resend(tcp, t, q);
	/* RFC 6675 section 5 (C): new data follows when nothing is left to retransmit */
	if (done && (!tcp_has_lost(q) || frto_holds(q)))
		done = send_new(tcp, t, q);
	if (done && frto_sent(t, q))
		done = tcp_loss_resend(tcp, t, q);
	q->flight_out = t->snd_nxt - t->snd_una;
	note_limit(tcp, t, q);
	tcp_turn_end(tcp, t, q, q->prr.out - out);
	return done;
}

bool tcp_output_fin(struct tcp *tcp, struct tcb *t)
{
	t->flags |= TCB_FIN_SENT;
	t->snd_nxt++;
	if (tcp_send_fin(tcp, t))
		return true;
	t->flags &= ~(uint32_t)TCB_FIN_SENT;
	t->snd_nxt--;
	return false;
}

bool tcp_output(struct tcp *tcp, struct tcb *t)
{
	uint32_t before = t->snd_nxt;
	struct tcp_queues *q;
	bool done = true;

	if (!can_send(t))
		return true;
	if (unlikely(tcb_is_stashed(t))) { /* all but a FIN has been sent */
		if (!(t->flags & TCB_WR_SHUT))
			return true;
		if (!stash_open(tcp, t))
			return false;
	}
	q = tcp_queues(tcp, t);
	if (q != NULL)
		done = send_queued(tcp, t, q);
	if (done && (t->flags & (TCB_WR_SHUT | TCB_FIN_SENT)) == TCB_WR_SHUT &&
	    (q == NULL || q->snd_next == NULL))
		done = tcp_output_fin(tcp, t);
	t->flags &= ~(uint32_t)TCB_PUSH;
	/* RFC 6298 (5.1): a timer that ran until now was for data held back, not for data sent;
	 * but with Fast Open for the SYN-ACK, which data does not put off */
	if (before == t->snd_una && t->snd_nxt != before && t->state != TCP_S_SYN_RECEIVED)
		t->timers &= (uint8_t)~TCB_T_LOSS;
	if (t->snd_nxt != t->snd_una) {
		if (!(t->timers & TCB_T_LOSS) || t->snd_nxt != before)
			tcp_loss_sent(tcp, t, q);
	} else if (q != NULL && q->snd_next != NULL && !(t->timers & TCB_T_PACE)) {
		arm_persist(tcp, t);
	}
	return done;
}
