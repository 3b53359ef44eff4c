/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input, in the order of RFC 9293 section 3.10.7.
 *
 *   tcp_rx_parse -> tcp_input: finds the connection, takes the usual segment (tcp_plain.c)
 *                -> tcp_input_any:
 *     no flow        -> listener: LISTEN (3.10.7.2), else CLOSED (3.10.7.1); an ACK that returns a
 *                       SYN cookie continues as ESTABLISHED
 *     SYN cache      -> SYN-RECEIVED; the completing ACK continues as ESTABLISHED
 *     TIME-WAIT      -> timewait_input
 *     TCB            -> SYN-SENT (3.10.7.3), or synchronised (3.10.7.4): timestamps and
 *                       sequence, RST, SYN, ACK, data, FIN
 *
 * Each step returns VERDICT_DONE to continue, or the drop that ends the segment.
 */
#include <errno.h>
#include <netinet/in.h>

#include "base/seq.h"
#include "tcp/accecn.h"
#include "tcp/account.h"
#include "tcp/fastopen.h"
#include "tcp/guard.h"
#include "tcp/pressure.h"
#include "tcp/rcvbuf.h"
#include "tcp/stash.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_plain.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_stamp.h"
#include "tcp/tcp_syn_sent.h"
#include "tcp/tcp_timer.h"
#include "tcp/urgent.h"

/* ---- without a connection -------------------------------------------------------------------- */

/* 3.10.7.1 and 3.10.7.2 */
static int input_no_flow(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx,
                         struct tcb **t)
{
	uint8_t flags = rx->seg.flags;
	uint32_t listener;
	int verdict;

	/* useless here; the firewall is asked only where the kernel may have use for it */
	if ((flags & TCP_RST) && !tcp->ctx->handed_on)
		return PC_DROP_TCP_RST_STRAY;
	verdict = tcp_guard(tcp, p, rx);
	if (unlikely(verdict != VERDICT_DONE))
		return verdict;
	if (flags & TCP_RST)
		return PC_DROP_TCP_RST_STRAY;
	listener = tcp_listener_for(tcp, rx, rx->flow.lport);
	if (listener == 0) {
		if (!tcp->ctx->handed_on)
			tcp_reply_rst(tcp, p, rx);
		return PC_DROP_TCP_CLOSED;
	}
	if (flags & TCP_ACK)
		return syncache_input_cookie(tcp, p, rx, listener, t);
	if ((flags & (TCP_SYN | TCP_FIN)) != TCP_SYN)
		return PC_DROP_TCP_LISTEN;
	*t = fastopen_accept(tcp, listener, rx);
	return *t != NULL ? VERDICT_DONE : syncache_open(tcp, listener, rx, 0);
}

/* ---- synchronised states (3.10.7.4) ---------------------------------------------------------- */

static void opened_active(struct tcp *tcp, struct tcb *t)
{
	tcb_establish(tcp, t);
	ctx_count(tcp->ctx, PC_TCP_OPENED_ACTIVE);
	tcb_notify(tcp, t, EPOLLOUT | EPOLLWRNORM);
	tcp_work(tcp, t);
}

/* second step, RFC 5961 section 3: only the sequence number counts, not any data, and a closed
 * window does not keep an RST out (MUST-66) */
static int input_rst(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	int error = t->state == TCP_S_CLOSE_WAIT ? EPIPE
	            : tcb_is_opening(t)          ? ECONNREFUSED
	                                         : ECONNRESET;

	if (seg->seq != t->rcv_nxt) {
		if (!seq_within(seg->seq, t->rcv_nxt, t->rcv_adv - t->rcv_nxt))
			return PC_DROP_TCP_SEQUENCE;
		tcp_challenge(tcp, t);
		return PC_DROP_TCP_RST_WINDOW;
	}
	ctx_count(tcp->ctx, PC_TCP_RESET_RX);
	if (t->state == TCP_S_SYN_RECEIVED)
		fastopen_was_reset(tcp, t);
	tcb_done(tcp, t, error);
	return PC_DROP_TCP_RST;
}

/* SND.UNA < SEG.ACK =< SND.NXT, where SND.UNA is the ISS */
static bool acknowledges_syn(const struct tcb *t, const struct tcp_seg *seg)
{
	uint32_t iss = t->snd_una - !!(t->opt & TCB_OPT_SYN_DATA);

	return seq_gt(seg->ack, iss) && seq_leq(seg->ack, t->snd_nxt);
}

/* What follows a SYN is processed as a segment without it. The urgent pointer counts from the SYN
 * (3.1: "from the sequence number in this segment"); one that covers nothing else marks no data. */
static void pass_syn(struct tcp_seg *seg)
{
	seg->flags &= (uint8_t)~TCP_SYN;
	seg->seq++;
	if (seg->urg <= 1)
		seg->flags &= (uint8_t)~TCP_URG;
	else
		seg->urg--;
}

/* the peer's SYN retransmitted, in SYN-RECEIVED */
static int input_syn_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	if (tcp_ecn_is_mixed(tcp, t, seg)) { /* RFC 9768 section 3.1.5 */
		tcb_abort(tcp, t, ECONNRESET);
		return PC_DROP_TCP_SYN_HANDLED;
	}
	if (!(t->flags & TCB_CONNECTED)) { /* simultaneous open */
		tcp_challenge(tcp, t);
		return PC_DROP_TCP_SYN_WINDOW;
	}
	if (t->opt & TCB_OPT_TS)
		tcp_stamp_take(tcp, t, seg);
	if (t->opt & TCB_OPT_ACCECN)
		accecn_syn_again(tcp, t, seg, tos);
	t->rttvar_us = 0;
	tcp_send_syn(tcp, t, NULL); /* Fast Open: our SYN-ACK was lost */
	return PC_DROP_TCP_SYN_HANDLED;
}

/* a SYN-ACK retransmitted although we have acknowledged it, not that of another connection */
static bool is_late_syn_ack(const struct tcb *t, const struct tcp_seg *seg)
{
	return (seg->flags & TCP_ACK) && seq_lt(seg->seq, t->rcv_nxt) &&
	       seq_leq(seg->ack, t->snd_una);
}

/* fourth step, RFC 5961 section 4: any sequence number */
static int input_syn(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg, uint8_t tos)
{
	/* simultaneous open: the peer's SYN-ACK repeats a SYN that we have taken (3.5, figure 8) */
	if (t->state == TCP_S_SYN_RECEIVED && (seg->flags & TCP_ACK) &&
	    seg->seq + 1 == t->rcv_nxt && acknowledges_syn(t, seg)) {
		pass_syn(seg);
		/* a SYN's window is not scaled (RFC 7323 section 2.2), but is read as if it were */
		seg->wnd = (uint16_t)(seg->wnd >> t->snd_wscale);
		return VERDICT_DONE;
	}
	if (t->state == TCP_S_SYN_RECEIVED && !(seg->flags & TCP_ACK) && seg->seq == t->snd_wl1)
		return input_syn_again(tcp, t, seg, tos);
	if ((t->opt & TCB_OPT_ACCECN) && is_late_syn_ack(t, seg))
		accecn_syn_ack_again(tcp, t, seg, tos);
	else
		tcp_challenge(tcp, t);
	return PC_DROP_TCP_SYN_WINDOW;
}

/* The next in order is a FIN, and the window is closed. 3.10.7.4 does not require that it be cut
 * off ("one could tailor"): it takes no room, and if refused is retransmitted until someone
 * reads. */
static bool is_fin_at_closed_window(const struct tcb *t, const struct tcp_seg *seg)
{
	return t->rcv_adv == t->rcv_nxt && seg->seq + seg->len == t->rcv_nxt &&
	       (seg->flags & (TCP_FIN | TCP_ACK)) == (TCP_FIN | TCP_ACK);
}

/* first step, for segments with neither RST nor SYN */
static int check_sequence(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg)
{
	if (likely(tcp_is_acceptable(seg, t->rcv_nxt, t->rcv_adv - t->rcv_nxt)))
		return VERDICT_DONE;
	if (is_fin_at_closed_window(t, seg))
		return VERDICT_DONE;
	/* MUST-66: ACK and URG are taken even if the window is closed */
	if (t->rcv_adv == t->rcv_nxt && seg->seq == t->rcv_nxt) {
		tcp_ack_now(tcp, t);
		seg->flags &= (uint8_t)~TCP_FIN;
		seg->len = 0;
		return VERDICT_DONE;
	}
	tcp_stamp_take_again(tcp, t, seg);
	if (seg->len > 0 && seq_lt(seg->seq, t->rcv_nxt)) /* RFC 2883 */
		dsack_note(tcp, t, seg->seq, seq_min(seg->seq + seg->len, t->rcv_nxt));
	tcp_ack_dropped(tcp, t, seg);
	return PC_DROP_TCP_SEQUENCE;
}

static bool fin_is_acked(const struct tcb *t)
{
	return (t->flags & TCB_FIN_SENT) && t->snd_una == t->snd_nxt;
}

static void enter_time_wait(struct tcp *tcp, struct tcb *t)
{
	tcp_output(tcp, t);
	if (t->flags & (TCB_ACK_NOW | TCB_ACK_LATER))
		tcp_send_ack(tcp, t);
	timewait_enter(tcp, t);
	tcb_done(tcp, t, 0);
}

/* our FIN is acknowledged; returns whether the connection is over */
static bool on_fin_acked(struct tcp *tcp, struct tcb *t)
{
	switch (t->state) {
	case TCP_S_FIN_WAIT_1:
		t->state = TCP_S_FIN_WAIT_2;
		t->timers &= (uint8_t)~TCB_T_LOSS;
		if (!(t->flags & TCB_OPEN))
			tcp_timer_set(tcp, t, TCB_T_LIFE,
			              ticks_from_ms(tcp->ctx->cfg.tcp_fin_wait2_ms));
		tcb_notify(tcp, t, EPOLLOUT | EPOLLWRNORM);
		return false;
	case TCP_S_CLOSING:
		enter_time_wait(tcp, t);
		return true;
	case TCP_S_LAST_ACK:
		ctx_count(tcp->ctx, PC_TCP_CLOSED);
		tcb_done(tcp, t, 0);
		return true;
	default:
		return false;
	}
}

/* fifth step in SYN-RECEIVED: is our SYN acknowledged? */
static int input_syn_acked(struct tcp *tcp, struct tcb *t, const struct ip_pkt *p,
                           const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;

	if (!acknowledges_syn(t, seg)) {
		tcp_reply_rst(tcp, p, rx);
		return PC_DROP_TCP_ACK_RANGE;
	}
	if (!(t->opt & TCB_OPT_SYN_DATA))
		t->snd_una = seg->ack;
	t->timers &= (uint8_t)~TCB_T_LOSS;
	t->snd_wnd = (uint32_t)seg->wnd << t->snd_wscale;
	t->snd_max_wnd = RTE_MAX(t->snd_max_wnd, t->snd_wnd);
	t->snd_wl1 = seg->seq;
	t->state = TCP_S_ESTABLISHED;
	if (t->flags & TCB_CONNECTED)
		fastopen_opened(tcp, t);
	else
		opened_active(tcp, t);
	if (t->flags & TCB_WR_SHUT)
		t->state = TCP_S_FIN_WAIT_1;
	return VERDICT_DONE;
}

/* fifth step */
static int input_ack(struct tcp *tcp, struct tcb *t, const struct ip_pkt *p,
                     const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;
	int verdict;

	if (unlikely(t->state == TCP_S_SYN_RECEIVED)) {
		verdict = input_syn_acked(tcp, t, p, rx);
		if (verdict != VERDICT_DONE || !(t->opt & TCB_OPT_SYN_DATA))
			return verdict;
	}
	verdict = tcp_ack(tcp, t, seg, tcp_merged_acks(rx));
	if (unlikely(verdict == VERDICT_DONE && fin_is_acked(t)) && on_fin_acked(tcp, t))
		return PC_DROP_TCP_ACK_DONE;
	return verdict;
}

static bool takes_data(const struct tcb *t)
{
	return t->state == TCP_S_ESTABLISHED || t->state == TCP_S_FIN_WAIT_1 ||
	       t->state == TCP_S_FIN_WAIT_2 || t->state == TCP_S_SYN_RECEIVED;
}

void tcp_input_fin(struct tcp *tcp, struct tcb *t)
{
	t->rcv_nxt++;
	account_of(tcp, t)->bytes_received++;
	t->rcv_adv = seq_max(t->rcv_adv, t->rcv_nxt);
	t->flags = (t->flags | TCB_FIN_RCVD) & ~(uint32_t)TCB_MORE; /* MSG_MORE no longer waits */
	tcb_drop_early(tcp, t);                                     /* nothing follows a FIN */
	tcp_ack_now(tcp, t);
	switch (t->state) {
	case TCP_S_ESTABLISHED:
		t->state = TCP_S_CLOSE_WAIT;
		break;
	case TCP_S_FIN_WAIT_1:
		t->state = TCP_S_CLOSING;
		break;
	case TCP_S_FIN_WAIT_2:
		enter_time_wait(tcp, t);
		return;
	default:
		break;
	}
	tcb_notify(tcp, t, EPOLLIN | EPOLLRDNORM | EPOLLRDHUP);
}

/* remembers a FIN beyond a gap until the gap is filled */
static void note_early_fin(struct tcp *tcp, struct tcb *t, uint32_t seq)
{
	struct tcp_queues *q = tcb_attach_queues(tcp, t);

	if (q == NULL)
		return;
	q->fin_early = true;
	q->fin_seq = seq;
}

static void count_early(struct tcp *tcp, const struct tcb *t, const struct tcp_rx *rx)
{
	ctx_add(tcp->ctx, PC_TCP_RX_OOO, rx->segs);
	account_of(tcp, t)->ooo += rx->segs;
}

static int queue_early(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t off,
                       uint32_t seq, const struct tcp_rx *rx)
{
	const bool refused = unlikely(tcp->ctx->mbufs_low) || pressure_is_full(tcp, t);
	struct tcp_queues *q = refused ? NULL : tcb_attach_queues(tcp, t);
	struct rcvbuf_range dup;
	int verdict;

	tcp_ack_now(tcp, t); /* RFC 5681 section 4.2 */
	if (q == NULL)
		return PC_DROP_TCP_MEMORY;
	tcp_note_mss(t, rx, m->pkt_len - off);
	verdict = rcvbuf_insert(q, m, off, seq, &dup);
	dsack_note(tcp, t, dup.start, dup.end);
	if (verdict == VERDICT_DONE)
		count_early(tcp, t, rx);
	else
		tcb_detach_queues(tcp, t);
	/* The turn's only acknowledgement would not name all that this burst has brought, and the
	 * sender would take what is not named for lost. */
	if (verdict == VERDICT_DONE && q->ooo_runs >= SACK_KNOWN && (t->opt & TCB_OPT_SACK))
		(void)tcp_send_ack(tcp, t);
	return verdict;
}

/* Takes what has come early and is now in order. What lies beyond a FIN was not the peer's. */
static void join_early(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, bool fin)
{
	struct rcvbuf_range dup;

	tcp_ack_now(tcp, t); /* a gap was filled */
	if (fin) {
		tcb_drop_early(tcp, t);
		return;
	}
	dup = rcvbuf_again(t, q);
	dsack_note(tcp, t, dup.start, dup.end);
	rcvbuf_join(t, q);
}

/* The payload begins off bytes into m, which is trimmed only once it is sure to be taken: a dropped
 * mbuf must be as it arrived. */
static int queue_data(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t off,
                      const struct tcp_rx *rx, bool *fin)
{
	uint32_t len = m->pkt_len - off, before = t->rcv_nxt;
	struct tcp_queues *q = tcb_attach_queues(tcp, t);

	if (q == NULL || pressure_is_full(tcp, t) ||
	    (unlikely(tcp->ctx->mbufs_low) &&
	     !pressure_admits(tcp, t, m->nb_segs, t->rcv_nxt + len))) {
		tcp_ack_now(tcp, t);
		tcp_notify_readable(tcp, t); /* SO_RCVLOWAT may wait in vain for more */
		*fin = false;
		return PC_DROP_TCP_MEMORY;
	}
	m = mbuf_trim_front(m, off);
	if (likely(rx->segs == 1))
		rcvbuf_push(t, q, m);
	else
		rcvbuf_push_run(t, q, m);
	if (unlikely(q->ooo != NULL))
		join_early(tcp, t, q, *fin);
	/* an early FIN with data beyond it was not the peer's; in 4 GB its number would be reached
	 * again */
	if (unlikely(q->fin_early && seq_geq(t->rcv_nxt, q->fin_seq))) {
		q->fin_early = false;
		*fin = *fin || q->fin_seq == t->rcv_nxt;
	}
	tcp_owe_ack(tcp, t, q, rx, len);
	ctx_add(tcp->ctx, PC_TCP_RX_BYTES, t->rcv_nxt - before);
	account_of(tcp, t)->bytes_received += t->rcv_nxt - before;
	tcb_notify(tcp, t, EPOLLIN | EPOLLRDNORM);
	return VERDICT_DONE;
}

/* seventh step: the part of the segment that is new and in the window */
static int input_data(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, const struct ip_pkt *p,
                      const struct tcp_rx *rx, bool *fin)
{
	const struct tcp_seg *seg = &rx->seg;
	uint32_t off = (uint32_t)p->l4_off + seg->hdr_len, seq = seg->seq, len = seg->len;
	uint32_t late = t->rcv_nxt - seq, wnd;

	if (seq_lt(seq, t->rcv_nxt)) {
		dsack_note(tcp, t, seq, seq + RTE_MIN(late, len));
		if (late >= len) {
			tcp_ack_now(tcp, t);
			return PC_DROP_TCP_DUPLICATE;
		}
		off += late;
		seq += late;
		len -= late;
	}
	wnd = t->rcv_adv - seq;
	if (len > wnd) {
		*fin = false;
		if (wnd == 0)
			return PC_DROP_TCP_WINDOW;
		mbuf_trim_back(m, len - wnd);
	}
	if (likely(seq == t->rcv_nxt))
		return queue_data(tcp, t, m, off, rx, fin);
	if (*fin)
		note_early_fin(tcp, t, seq + len);
	*fin = false;
	return queue_early(tcp, t, m, off, seq, rx);
}

/* RFC 9293 3.10.7.4, 3.6.1: data for an application that has closed or, as on Linux, has shut down
 * both directions */
static bool nobody_reads(const struct tcb *t)
{
	return !(t->flags & (TCB_OPEN | TCB_PENDING)) ||
	       ((t->flags & TCB_RD_SHUT) &&
	        (t->state == TCP_S_FIN_WAIT_1 || t->state == TCP_S_FIN_WAIT_2));
}

/* sixth to eighth step: what a segment carries besides its acknowledgement */
static int input_text(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, const struct ip_pkt *p,
                      const struct tcp_rx *rx)
{
	const struct tcp_seg *seg = &rx->seg;
	bool fin = (seg->flags & TCP_FIN) && takes_data(t);
	int verdict = PC_DROP_TCP_ACK_DONE;

	if (unlikely(seg->flags & TCP_URG) && takes_data(t))
		urgent_received(tcp, t, seg, m,
		                (uint32_t)p->l4_off + seg->hdr_len); /* sixth step */
	if (seg->len > 0 && takes_data(t)) {
		if (unlikely(nobody_reads(t)) && seq_gt(seg->seq + seg->len, t->rcv_nxt)) {
			tcb_abort(tcp, t, t->flags & TCB_OPEN ? ECONNRESET : 0);
			return PC_DROP_TCP_CLOSED_DATA;
		}
		verdict = input_data(tcp, t, m, p, rx, &fin);
		if (fin && verdict == PC_DROP_TCP_DUPLICATE)
			fin = seg->seq + seg->len == t->rcv_nxt;
	} else if (fin && seg->seq + seg->len != t->rcv_nxt) {
		if (seq_gt(seg->seq, t->rcv_nxt))
			note_early_fin(tcp, t, seg->seq);
		tcp_ack_now(tcp, t);
		fin = false;
	} else if (seg->len > 0 || (seg->flags & TCP_FIN)) {
		tcp_ack_now(tcp, t);
	}
	if (verdict != VERDICT_DONE)
		tcb_detach_queues(tcp, t); /* nothing was queued, and all may be acknowledged */
	if (unlikely(fin))
		tcp_input_fin(tcp, t);
	return verdict;
}

/* the answer to our SYN, or a SYN that crossed it; data on a SYN-ACK continues at the sixth step */
static int input_syn_sent(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m,
                          const struct ip_pkt *p, struct tcp_rx *rx)
{
	struct tcp_seg *seg = &rx->seg;
	int verdict = tcp_syn_sent_input(tcp, t, p, rx);

	if (verdict != VERDICT_DONE)
		return verdict;
	opened_active(tcp, t);
	t->flags |= TCB_ACK_NOW;
	fastopen_settle(tcp, t, seg);
	/* RFC 9768 section 3.2.2.1: data sent in this turn could not report the SYN-ACK's mark */
	if (t->opt & TCB_OPT_ACCECN)
		tcp_send_ack(tcp, t);
	if (seg->len == 0 && !(seg->flags & (TCP_FIN | TCP_URG)))
		return PC_DROP_TCP_SYN_HANDLED;
	pass_syn(seg);
	return input_text(tcp, t, m, p, rx);
}

/* RFC 7413 section 4.2.2: a SYN with a valid cookie; its data is taken before the SYN-ACK is
 * sent */
static int input_fast_open(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m,
                           const struct ip_pkt *p, struct tcp_rx *rx)
{
	struct tcp_seg *seg = &rx->seg;
	int verdict = PC_DROP_TCP_SYN_HANDLED;

	pass_syn(seg);
	if (seg->len > 0)
		verdict = input_text(tcp, t, m, p, rx);
	fastopen_answer(tcp, t, rx);
	return verdict;
}

static int input_synchronised(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m,
                              const struct ip_pkt *p, struct tcp_rx *rx)
{
	struct tcp_seg *seg = &rx->seg;
	int verdict = VERDICT_DONE;

	if (t->opt & TCB_OPT_TS)
		verdict = tcp_stamp_check(tcp, t, seg);
	if (unlikely(seg->flags & (TCP_RST | TCP_SYN)) && verdict == VERDICT_DONE)
		verdict =
		    seg->flags & TCP_RST ? input_rst(tcp, t, seg) : input_syn(tcp, t, seg, p->tos);
	if (likely(verdict == VERDICT_DONE))
		verdict = check_sequence(tcp, t, seg);
	if (unlikely(verdict != VERDICT_DONE))
		return verdict;
	if (unlikely(!(seg->flags & TCP_ACK)))
		return PC_DROP_TCP_NO_ACK;
	t->rcv_tick = tcp->ctx->tick;
	verdict = input_ack(tcp, t, p, rx);
	if (verdict != VERDICT_DONE)
		return verdict;
	/* only after RFC 5961 5.2 has judged the ACK: with a forged TSval PAWS would shut out the
	 * peer */
	if (t->opt & TCB_OPT_TS)
		tcp_stamp_take(tcp, t, seg);
	tcp_ecn_input(tcp, t, seg, p->tos);
	return input_text(tcp, t, m, p, rx);
}

int tcp_input_any(struct tcp *tcp, flow_ref ref, struct rte_mbuf *m, const struct ip_pkt *p,
                  struct tcp_rx *rx)
{
	uint32_t index = flow_ref_index(ref);
	struct tcb *t = NULL;
	int verdict;

	switch (flow_ref_kind(ref)) {
	case FLOW_TCB:
		t = tcp_tcb(tcp, index);
		(void)tcp_input_count(tcp, t, rx);
		/* a reset needs no queues, and must not fail for lack of the mbufs that it frees */
		if (tcb_is_stashed(t) && !(rx->seg.flags & TCP_RST) && !stash_open(tcp, t))
			return PC_DROP_TCP_MEMORY;
		if (unlikely(t->state == TCP_S_SYN_SENT))
			return input_syn_sent(tcp, t, m, p, rx);
		return input_synchronised(tcp, t, m, p, rx);
	case FLOW_SYN:
		verdict = syncache_input(tcp, p, rx, index, &t);
		if (verdict != VERDICT_DONE)
			return verdict;
		break;
	case FLOW_TW:
		return timewait_input(tcp, p, rx, index);
	default:
		verdict = input_no_flow(tcp, p, rx, &t);
		if (verdict != VERDICT_DONE)
			return verdict;
		if (t->state == TCP_S_SYN_RECEIVED)
			return input_fast_open(tcp, t, m, p, rx);
		break;
	}
	/* the segment that established the connection is processed like any other */
	verdict = tcp_plain_input(tcp, t, m, p, rx);
	if (likely(verdict != TCP_NOT_PLAIN))
		return verdict;
	(void)tcp_input_count(tcp, t, rx);
	return input_synchronised(tcp, t, m, p, rx);
}
