/* SPDX-License-Identifier: BSD-2-Clause */
/* The actions when a deadline passes: one on_<event>() function for each. */

#include "tcp/tcp_timer.h"

#include <errno.h>

#include "base/seq.h"
#include "tcp/account.h"
#include "tcp/fastopen.h"
#include "tcp/pmtu.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"
#include "tcp/sndbuf.h"
#include "tcp/stash.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_segment.h"

#define R1                  3 /* SHLD-10 */
#define ACKS_AFTER_DELAY    4u
#define USER_TIMEOUT_MAX_MS 140000000u
#define STASH_AGAIN_MS      200u /* least delay when there was no mbuf to retransmit with */

/* Keep-alives sent per tick: this many and a part of all connections. Millions of connections
 * opened within seconds are also due within seconds; sent at once, their probes and the answers
 * would leave time for nothing else. So it takes half a minute to probe a great number. */
#define KEEPALIVES_A_TICK 2u
#define KEEPALIVES_PART   (1u << 19) /* some 33 s, in ticks */
#define KEEPALIVES_AHEAD  (2 * KEEPALIVES_PART)

static uint32_t *deadline_of(const struct tcp *tcp, struct tcb *t, uint8_t which)
{
	if (which == TCB_T_PACE)
		return &tcp_queues(tcp, t)->pace_tick;
	return which == TCB_T_LOSS ? &t->t_loss : which == TCB_T_ACK ? &t->t_ack : &t->t_life;
}

void tcp_timer_set(struct tcp *tcp, struct tcb *t, uint8_t which, uint32_t ticks)
{
	uint32_t at = tcp->ctx->tick + ticks;

	*deadline_of(tcp, t, which) = at;
	t->timers |= which;
	if (!timer_is_armed(&t->timer) || seq_lt(at, t->timer.expiry))
		wheel_arm(&tcp->wheel, tcp_index(tcp, t), at);
}

uint32_t tcp_rto_ticks(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_queues *q = likely(t->retries == 0) ? NULL : tcp_queues(tcp, t);

	return ticks_from_us(rtt_backed_off(tcp, t, q));
}

/* Only a FIN is in flight, which is in no queue. */
static bool is_fin_alone(const struct tcb *t)
{
	return (t->flags & TCB_FIN_SENT) && t->snd_nxt - t->snd_una == 1;
}

/* The window is closed, and there is something to probe it with. */
static bool is_probing(const struct tcb *t, const struct tcp_queues *q)
{
	return t->snd_wnd == 0 && ((q != NULL && q->snd.head != NULL) || is_fin_alone(t));
}

/* how long n retransmissions after the first take, each with a time-out twice as long */
static uint32_t repeating_ticks(const struct tcp *tcp, const struct tcb *t, uint32_t n)
{
	uint64_t us = 0;

	for (uint32_t i = 1; i <= n; i++)
		us += rtt_after(tcp, t, i);
	return ticks_from_us(us);
}

/* How long n retransmissions after the first have taken (for SYNs including the first); if there
 * are queues, the time itself is known. */
static uint32_t stalled_ticks(const struct tcp *tcp, const struct tcb *t, uint32_t n)
{
	const struct tcp_queues *q = tcp_queues(tcp, t);

	if (t->state == TCP_S_SYN_SENT || t->state == TCP_S_SYN_RECEIVED)
		return repeating_ticks(tcp, t, n) + ticks_from_us(rtt_after(tcp, t, 0));
	return q != NULL ? tcp->ctx->tick - q->stalled_tick : repeating_ticks(tcp, t, n);
}

/* The user time-out, bounded by the range in which ticks can be compared: 39 hours. */
static uint32_t user_ticks(const struct tcp_tuning *tune)
{
	return ticks_from_ms(RTE_MIN(tune->user_timeout_ms, USER_TIMEOUT_MAX_MS));
}

/* The ticks left of the user time-out (RFC 9293 3.10.8, "for any state"; RFC 5482) after n more
 * retransmissions. As on Linux it counts from the first retransmission, or from the SYN. */
static uint32_t user_ticks_left(const struct tcp *tcp, const struct tcb *t, uint32_t n)
{
	const struct tcp_tuning *tune = tcp_tuning(tcp, t);
	const uint32_t all = user_ticks(tune), gone = stalled_ticks(tcp, t, n);

	if (tune->user_timeout_ms == 0)
		return UINT32_MAX;
	return all > gone ? all - gone : 0;
}

/* the next time-out, or the user time-out if that is sooner */
static uint32_t next_ticks(const struct tcp *tcp, const struct tcb *t)
{
	const uint32_t rto = tcp_rto_ticks(tcp, t);

	return RTE_MIN(rto, RTE_MAX(user_ticks_left(tcp, t, t->retries - 1u), 1u));
}

/* Have there been n retransmissions? If back-offs were reverted, the time that n take otherwise
 * counts instead (RFC 6069), as on Linux. */
static bool has_repeated(const struct tcp *tcp, const struct tcb *t, uint32_t n)
{
	const struct tcp_queues *q = tcp_queues(tcp, t);

	if (q == NULL || q->reverted == 0)
		return t->retries >= n;
	return t->retries > 0 && tcp->ctx->tick - q->stalled_tick >= repeating_ticks(tcp, t, n);
}

/* R2 (RFC 9293 3.8.3), or the user time-out if there is one */
static bool has_given_up(const struct tcp *tcp, const struct tcb *t)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;
	uint32_t syncnt = tcp_tuning(tcp, t)->syncnt;
	const bool orphan = !(t->flags & (TCB_OPEN | TCB_PENDING));
	const uint32_t r2 = (uint32_t)(orphan ? cfg->tcp_orphan_retries : cfg->tcp_retries);

	if (t->retries > 0 && user_ticks_left(tcp, t, t->retries) == 0)
		return true;
	if (t->state == TCP_S_SYN_SENT)
		return t->retries >= (syncnt != 0 ? syncnt : cfg->tcp_syn_retries);
	if (t->state == TCP_S_SYN_RECEIVED)
		return t->retries >= cfg->tcp_synack_retries;
	if (t->retries > 0 && tcp_tuning(tcp, t)->user_timeout_ms != 0)
		return false;
	if (is_probing(t, tcp_queues(tcp, t))) /* MUST-37: answers count, not time */
		return t->probes >= r2;
	return has_repeated(tcp, t, r2);
}

/* RFC 1122 4.2.3.9, SHLD-25: an ICMP error received meanwhile is reported instead of the time-out,
 * as on Linux */
static int why_silent(const struct tcp *tcp, const struct tcb *t)
{
	const struct tcp_queues *q = tcp_queues(tcp, t);
	int error = 0;

	if (t->state == TCP_S_SYN_SENT)
		error = (int)t->snd_wl1;
	else if (q != NULL && t->retries > 0)
		error = q->soft_error;
	return error != 0 ? error : ETIMEDOUT;
}

static void give_up(struct tcp *tcp, struct tcb *t)
{
	int error = why_silent(tcp, t);

	ctx_count(tcp->ctx, PC_TCP_ABORTED);
	if (t->state == TCP_S_SYN_SENT)
		tcb_done(tcp, t, error);
	else
		tcb_abort(tcp, t, error);
}

void tcp_resend_syn(struct tcp *tcp, struct tcb *t)
{
	t->retries++;
	tcp_send_syn(tcp, t, NULL);
	ctx_count(tcp->ctx, PC_TCP_RETRANSMITS);
	tcp_timer_set(tcp, t, TCB_T_LOSS, next_ticks(tcp, t));
}

static void on_syn_timeout(struct tcp *tcp, struct tcb *t)
{
	if (t->state != TCP_S_SYN_SENT || t->rttvar_us != 0) /* otherwise none was sent */
		t->syn_lost = 1;
	tcp_resend_syn(tcp, t);
	fastopen_lost(tcp, t);
}

/* a timer has fired: no progress since the data it was set for was sent */
static void note_stall(const struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	if (t->retries == 0 && q != NULL) {
		q->stalled_tick = tcp->ctx->tick;
		q->soft_error = 0;
		q->reverted = 0;
	} else if (q != NULL) {
		/* RACK's clock wraps: before long, what was delivered last would be the newest */
		q->rack.valid = false;
	}
	if (t->retries >= RTT_BACKOFFS && q != NULL && q->reverted > 0)
		q->reverted--;
	else if (t->retries < UINT8_MAX)
		t->retries++;
}

/* returns false when there was no mbuf */
static bool resend_fin(struct tcp *tcp, struct tcb *t)
{
	ctx_count(tcp->ctx, PC_TCP_RETRANSMITS);
	account_again(account_of(tcp, t), 0);
	return tcp_send_fin(tcp, t);
}

/* sends the oldest byte, which may be new; returns false when there was no mbuf */
static bool send_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	struct rte_mbuf *m = q->snd.head;
	bool fresh = m == q->snd_next;

	scoreboard_reneged(q, tcp->ctx->now_us);
	/* splitting off a byte takes another mbuf for each window that stays closed */
	if (tcp->ctx->mbufs_low && pkt_of(m)->tx.len > 1)
		return tcp_send_keepalive(tcp, t);
	if (pkt_of(m)->tx.len > 1) {
		m = sndbuf_split(tcp->ctx, &q->snd, NULL, m, 1);
		if (m != NULL && fresh)
			q->snd_next = m;
	}
	if (m == NULL || (m = tcp_resend(tcp, t, q, NULL, m)) == NULL)
		return false;
	if (fresh) {
		t->snd_nxt += pkt_of(m)->tx.len;
		q->snd_next = pkt_of(m)->next;
		ctx_add(tcp->ctx, PC_TCP_TX_BYTES, pkt_of(m)->tx.len);
	}
	return true;
}

/* The window is closed: one byte, or the FIN, probes it (RFC 9293 3.8.6.1). A probe that could not
 * be sent does not count as unanswered. */
static void on_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	bool sent;

	ctx_count(tcp->ctx, PC_TCP_PROBES);
	note_stall(tcp, t, q);
	sent = q != NULL && q->snd.head != NULL ? send_probe(tcp, t, q) : resend_fin(tcp, t);
	t->probes = (uint8_t)(t->probes + sent);
	tcp_timer_set(tcp, t, TCB_T_LOSS, next_ticks(tcp, t));
}

static void on_retransmit(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	ctx_count(tcp->ctx, PC_TCP_TIMEOUTS);
	tcp_loss_timeout(tcp, t, q);
	note_stall(tcp, t, q);
	if (q != NULL) {
		q->loss_timer = TCP_LT_RTO;
		pmtu_timeout(tcp, t, q);
	}
	if (t->retries == R1) /* MUST-20 (b): "pass negative advice ... to the IP layer" */
		neigh_distrust(tcp->ip->neigh, t->neigh);
	if (q != NULL && q->snd.head != NULL && q->snd.head != q->snd_next)
		tcp_work(tcp, t);
	else if (t->flags & TCB_FIN_SENT)
		(void)resend_fin(tcp, t);
	tcp_timer_set(tcp, t, TCB_T_LOSS, next_ticks(tcp, t));
}

void tcp_timer_revert(struct tcp *tcp, struct tcb *t)
{
	const uint32_t left = t->t_loss - tcp->ctx->tick;
	struct tcp_queues *q = tcp_queues(tcp, t);
	uint32_t waited, rto;

	if (q == NULL || q->loss_timer != TCP_LT_RTO || !(t->timers & TCB_T_LOSS) ||
	    t->state == TCP_S_SYN_RECEIVED || is_probing(t, q) || rtt_backoffs(t, q) == 0)
		return;
	rto = tcp_rto_ticks(tcp, t);
	waited = rto - RTE_MIN(rto, left);
	q->reverted++;
	rto = tcp_rto_ticks(tcp, t);
	tcp_timer_set(tcp, t, TCB_T_LOSS, rto > waited ? RTE_MIN(rto - waited, left) : 1);
}

void tcp_timer_reopen(struct tcp *tcp, struct tcb *t)
{
	if (!is_fin_alone(t) || t->retries == 0)
		return;
	t->retries = 0;
	(void)resend_fin(tcp, t);
	tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
}

/* the deadline may have been for something other than a time-out; returns whether it was handled */
static bool on_early_timer(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	enum tcp_loss_timer what = q != NULL ? q->loss_timer : TCP_LT_RTO;

	if (what == TCP_LT_RTO || t->snd_nxt == t->snd_una)
		return false;
	if (t->snd_wnd == 0) {
		/* SHLD-29: probe a window when it has been closed for a time-out */
		q->loss_timer = TCP_LT_RTO;
		tcp_timer_set(tcp, t, TCB_T_LOSS, tcp_rto_ticks(tcp, t));
	} else if (what == TCP_LT_PROBE) {
		tcp_loss_probe(tcp, t, q);
	} else {
		tcp_loss_look(tcp, t, q);
	}
	return true;
}

static void on_loss_timer(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q;

	if (unlikely(tcb_is_stashed(t)) && !stash_open(tcp, t)) {
		tcp_timer_set(tcp, t, TCB_T_LOSS,
		              RTE_MAX(tcp_rto_ticks(tcp, t), ticks_from_ms(STASH_AGAIN_MS)));
		return;
	}
	q = tcp_queues(tcp, t);
	if (on_early_timer(tcp, t, q))
		return;
	if (has_given_up(tcp, t)) {
		give_up(tcp, t);
	} else if (t->state == TCP_S_SYN_SENT || t->state == TCP_S_SYN_RECEIVED) {
		on_syn_timeout(tcp, t);
	} else if (is_probing(t, q)) {
		on_probe(tcp, t, q);
	} else if (t->snd_nxt != t->snd_una) {
		on_retransmit(tcp, t, q);
	} else if (q != NULL && q->snd_next != NULL) {
		t->flags |= TCB_PUSH; /* held back long enough (the override, 3.8.6.2.1) */
		tcp_work(tcp, t);
	}
}

static void on_ack_timer(struct tcp *tcp, struct tcb *t)
{
	if (!(t->flags & TCB_ACK_LATER))
		return;
	ctx_count(tcp->ctx, PC_TCP_DELACKS);
	t->flags |= TCB_ACK_NOW;
	/* no data was sent to carry it: the peer may be waiting for it, so do not delay the next
	 * few */
	t->quick = RTE_MIN(tcp->ctx->cfg.tcp_quick_acks, ACKS_AFTER_DELAY) & 0x7f;
	tcp_work(tcp, t);
}

/* idle: how long the connection has been idle, as far as it counts. */
static void start_keepalive(struct tcp *tcp, struct tcb *t, uint32_t idle)
{
	const uint32_t wait = ticks_from_ms(tcp_tuning(tcp, t)->keepidle_ms);

	t->probes = 0;
	t->timers &= (uint8_t)~TCB_T_TURN;
	if (t->state == TCP_S_FIN_WAIT_2 && !(t->flags & TCB_OPEN))
		return; /* the deadline is the orphan's */
	if ((t->flags & TCB_KEEPALIVE) && (t->flags & TCB_CONNECTED) && t->state != TCP_S_CLOSED)
		tcp_timer_set(tcp, t, TCB_T_LIFE, wait - RTE_MIN(idle, wait - 1));
	else
		t->timers &= (uint8_t)~TCB_T_LIFE;
}

void tcp_keepalive_start(struct tcp *tcp, struct tcb *t)
{
	start_keepalive(tcp, t, 0);
}

void tcp_keepalive_adjust(struct tcp *tcp, struct tcb *t)
{
	start_keepalive(tcp, t, tcp->ctx->tick - t->rcv_tick);
}

/* Assigns a place to a keep-alive. Returns the tick in which it may be sent, this one or a later
 * one. Places are assigned for at most a minute ahead: a tick that seems to be further ahead is
 * long past. */
static uint32_t keepalive_turn(struct tcp *tcp)
{
	if (tcp->keepalive.tick - tcp->ctx->tick > KEEPALIVES_AHEAD) {
		tcp->keepalive.tick = tcp->ctx->tick;
		tcp->keepalive.taken = 0;
	} else if (tcp->keepalive.taken >= KEEPALIVES_A_TICK + tcp->tcbs_used / KEEPALIVES_PART) {
		tcp->keepalive.tick++;
		tcp->keepalive.taken = 0;
	}
	tcp->keepalive.taken++;
	return tcp->keepalive.tick;
}

/* RFC 9293 3.8.4 */
static void on_keepalive(struct tcp *tcp, struct tcb *t)
{
	const struct tcp_tuning *tune = tcp_tuning(tcp, t);
	uint32_t idle = tcp->ctx->tick - t->rcv_tick, wait = ticks_from_ms(tune->keepidle_ms);

	if (!(t->timers & TCB_T_LOSS) && seq_gt(tcp->ctx->tick, t->t_loss))
		/* answers renew ts_recent_at, so end_pause (tcp_conn.c) would not see its age */
		t->t_loss = tcp->ctx->tick - 1;
	if (idle < wait) { /* a segment arrived meanwhile: count the idle time from then */
		t->probes = 0;
		t->timers &= (uint8_t)~TCB_T_TURN;
		tcp_timer_set(tcp, t, TCB_T_LIFE, wait - idle);
		return;
	}
	if (t->snd_nxt != t->snd_una || t->snd_bytes > 0) { /* retransmission is probing enough */
		tcp_timer_set(tcp, t, TCB_T_LIFE, wait);
		return;
	}
	if (tune->user_timeout_ms != 0 /* tcp(7): it replaces TCP_KEEPCNT */
	        ? t->probes > 0 && idle >= user_ticks(tune)
	        : t->probes >= tune->keepcnt) {
		give_up(tcp, t);
		return;
	}
	if (!(t->timers & TCB_T_TURN)) {
		wait = keepalive_turn(tcp) - tcp->ctx->tick;
		if (wait > 0) {
			tcp_timer_set(tcp, t, TCB_T_LIFE, wait);
			t->timers |= TCB_T_TURN;
			return;
		}
	}
	t->timers &= (uint8_t)~TCB_T_TURN;
	if (tcp_send_keepalive(tcp, t)) { /* otherwise it cannot be answered */
		t->probes++;
		ctx_count(tcp->ctx, PC_TCP_KEEPALIVES);
	}
	tcp_timer_set(tcp, t, TCB_T_LIFE, ticks_from_ms(tune->keepintvl_ms));
}

static void on_life_timer(struct tcp *tcp, struct tcb *t)
{
	if (t->state == TCP_S_FIN_WAIT_2 && !(t->flags & TCB_OPEN))
		tcb_done(tcp, t, 0);
	else
		on_keepalive(tcp, t);
}

static bool take_due(struct tcp *tcp, struct tcb *t, uint8_t which)
{
	if (!(t->timers & which) || seq_gt(*deadline_of(tcp, t, which), tcp->ctx->tick))
		return false;
	t->timers &= (uint8_t)~which;
	return true;
}

void tcp_timer_fire(struct tcp *tcp, uint32_t index)
{
	struct tcb *t = tcp_tcb(tcp, index);

	if (take_due(tcp, t, TCB_T_PACE))
		tcp_work(tcp, t);
	if (take_due(tcp, t, TCB_T_ACK))
		on_ack_timer(tcp, t);
	if (take_due(tcp, t, TCB_T_LOSS))
		on_loss_timer(tcp, t);
	if (take_due(tcp, t, TCB_T_LIFE))
		on_life_timer(tcp, t);
	for (uint8_t which = TCB_T_LOSS; which <= TCB_T_PACE; which = (uint8_t)(which << 1)) {
		uint32_t at;

		if (!(t->timers & which))
			continue;
		at = *deadline_of(tcp, t, which);
		if (!timer_is_armed(&t->timer) || seq_lt(at, t->timer.expiry))
			wheel_arm(&tcp->wheel, index, at);
	}
}
