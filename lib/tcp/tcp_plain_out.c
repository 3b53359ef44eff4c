/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way out: the answer, in one segment, of a connection with nothing else under way.
 *
 * Overview: may_send and segment_fits say whether it is that; then what tcp_output does for such a segment is
 * done here in one piece.  Nothing is changed before that is sure.
 */
#include "tcp/tcp_plain.h"

#include "base/seq.h"
#include "tcp/account.h"
#include "tcp/cc.h"
#include "tcp/pmtu.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_emit.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_turn.h"
#include "tcp/window.h"

/* the connection says nothing against sending at once */
static inline bool may_send(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const uint32_t special = TCB_CORK | TCB_MORE | TCB_WR_SHUT | TCB_FIN_SENT | TCB_CWR |
	                         TCB_ECE | TCB_PUSH | TCB_STARVED | TCB_NOSPACE;

	return t->state == TCP_S_ESTABLISHED && t->snd_nxt == t->snd_una && !(t->flags & special) &&
	       t->tuning == 0 && !(t->opt & TCB_OPT_ECN) && cc_of(t)->plain &&
	       !tcp->ctx->cfg.tcp_pacing && tcp->dsack.tcb == 0 && q->ooo == NULL &&
	       q->trouble == 0 && q->pmtu.high == 0 && t->retries == 0;
}

/* it is the only one, all of it may be sent, and its own mbuf can carry it */
static inline bool segment_fits(const struct tcb *t, const struct rte_mbuf *m)
{
	const struct pkt *note = pkt_of_const(m);

	return note->next == NULL && note->tx.len <= t->mss && note->tx.len <= t->snd_wnd &&
	       (note->tx.flags & SEG_INLINE) && m->pkt_len == note->tx.len &&
	       rte_mbuf_refcnt_read(m) == 1;
}

/* the deadline of what is sent now: tcp_loss_arm where nothing else is under way, lost or probed for */
static inline void arm(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;
	uint32_t us = t->rto_us, at;

	q->loss_timer = TCP_LT_RTO;
	if (cfg->tcp_tlp && cfg->tcp_rack && (t->opt & TCB_OPT_SACK)) {
		const uint32_t pto = tcp_probe_us(tcp, t);

		if (pto < us) {
			us = pto;
			q->loss_timer = TCP_LT_PROBE;
		}
	}
	at = tcp->ctx->tick + ticks_from_us(us);
	t->t_loss = at;
	t->timers |= TCB_T_LOSS;
	if (unlikely(!timer_is_armed(&t->timer) || seq_lt(at, t->timer.expiry)))
		wheel_arm(&tcp->wheel, tcp_index(tcp, t), at);
}

bool tcp_plain_output(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues(tcp, t);
	struct rte_mbuf *m = q != NULL ? q->snd_next : NULL;
	struct tcp_account *a;
	const struct neigh *n;
	struct pkt *note;

	if (m == NULL || !may_send(tcp, t, q) || !segment_fits(t, m))
		return false;
	n = neigh_ready(tcp->ip->neigh, t->neigh);
	if (unlikely(n == NULL))
		return false;
	if (unlikely(t->cwnd >= t->ssthresh || seq_gt(tcp->ctx->tick, t->t_loss)))
		tcp_turn_start(tcp, t, q);
	a = account_of(tcp, t);
	account_text(a, pkt_of(m)->tx.len);
	a->segs_out++;
	note = pkt_of(m);
	note->tx.sent_us = tcp->ctx->now_us;
	note->tx.sends = 1;
	m->ol_flags = 0;
	rte_mbuf_refcnt_set(m, 2);
	ctx_add(tcp->ctx, PC_TCP_TX_BYTES, note->tx.len);
	tcp_emit_note(t, note->tx.len);
	tcp_emit_plain(tcp, t, n, m, t->snd_nxt, TCP_ACK | TCP_PSH, tcp_window(tcp, t), 0, note);
	t->snd_nxt += note->tx.len;
	q->snd_next = NULL;
	q->flight_out = note->tx.len;
	arm(tcp, t, q);
	return true;
}
