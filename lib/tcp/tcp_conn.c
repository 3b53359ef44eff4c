/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a TCB.
 *
 * The pool is an array with a free list through `link`, last freed first, so that the next TCB
 * taken is still in the cache.  A TCB that is freed while on the work list returns to the free list
 * when the flush reaches it.  A free TCB has state FREE and a zero flow, so that no stale candidate
 * of a burst can match it.
 */
#include "tcp/tcp_conn.h"

#include <emmintrin.h>
#include <errno.h>
#include <string.h>

#include "ip/ip_fast.h"
#include "tcp/account.h"
#include "tcp/auth.h"
#include "tcp/cc.h"
#include "tcp/fastopen.h"
#include "tcp/pmtu.h"
#include "tcp/rtt.h"
#include "tcp/stash.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_segment.h"
#include "tcp/tcp_timer.h"

#define LONG_AGO 16 /* of ctx.era: 18 hours */

/* Like memset, but with stores of 16 bytes: the next loads can be forwarded from those, whereas
 * "rep stos" makes them wait for all earlier stores, to lines that are far away. */
static __rte_always_inline void zero(void *p, const size_t size)
{
	__m128i *at = p, none = _mm_setzero_si128();

	/* hides from the compiler that it is zero, or it would make this a memset */
	__asm__("" : "+x"(none));
#pragma GCC unroll 24
	for (size_t i = 0; i < size / sizeof(*at); i++)
		_mm_store_si128(at + i, none);
}

static_assert(sizeof(struct tcb) % 16 == 0 && sizeof(struct tcp_queues) % 16 == 0,
              "zero clears all of it");

/* the state of a socket without a connection */
static void clear(const struct tcp *tcp, struct tcb *t)
{
	zero(t, sizeof(*t));
	t->state = TCP_S_CLOSED;
	t->rto_us = (uint32_t)tcp->ctx->cfg.tcp_rto_initial_ms * 1000;
	t->rcv_mss = MSS_DEFAULT;
	t->peer_mss = MSS_DEFAULT;
	t->ssthresh = UINT32_MAX;
}

struct tcb *tcb_take(struct tcp *tcp)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;
	uint32_t index = freelist_next(&tcp->free_tcbs);
	struct tcb *t = tcp_tcb(tcp, index);
	struct pollable poll;

	/* listeners do not count towards max_connections */
	if (index == 0 || tcp->tcbs_used - tcp->bind.listeners >= cfg->stack_max_connections)
		return NULL;
	freelist_take(&tcp->free_tcbs, t->link);
	tcp->tcbs_used++;
	poll = pollable_renewed(&t->poll);
	clear(tcp, t);
	t->poll = poll;
	account_open(tcp, t);
	return t;
}

struct tcb *tcb_alloc(struct tcp *tcp)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;
	struct tcb *t = tcb_take(tcp);

	if (t == NULL)
		return NULL;
	t->flow.laddr = LADDR_NONE;
	t->rcv_max = (uint32_t)cfg->tcp_rcvbuf;
	t->snd_max = (uint32_t)cfg->tcp_sndbuf;
	t->cc = (uint8_t)cfg->tcp_congestion;
	if (!cfg->tcp_nagle)
		t->flags |= TCB_NODELAY;
	if (cfg->tcp_keepalive)
		t->flags |= TCB_KEEPALIVE;
	return t;
}

static void release_queues(struct tcp *tcp, struct tcb *t);

static void free_queue(struct pktq *q)
{
	pktq_free(q);
}

static void drop_ooo(struct tcp_queues *q)
{
	struct pktq all = {.head = q->ooo, .tail = q->ooo};

	pktq_free(&all);
	q->ooo = NULL;
	q->ooo_segs = 0;
	q->fin_early = false;
}

static void drop_snd(struct tcb *t, struct tcp_queues *q)
{
	free_queue(&q->snd);
	q->snd_next = NULL;
	q->sacked_segs = 0;
	q->sack_at = NULL;
	q->sacked_bytes = q->lost_bytes = q->resent_bytes = q->dup_bytes = 0;
	t->snd_bytes = 0;
}

void tcb_drop_unsent(struct tcp *tcp, struct tcb *t)
{
	drop_snd(t, tcp_queues(tcp, t));
	tcb_detach_queues(tcp, t);
}

static void drop_all(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q;

	if (tcb_is_stashed(t))
		stash_drop(tcp, t);
	q = tcp_queues(tcp, t);
	if (q == NULL)
		return;
	drop_snd(t, q);
	drop_ooo(q);
	free_queue(&q->rcv);
	t->rcv_bytes = 0;
	release_queues(tcp, t);
}

void tcb_renew(struct tcp *tcp, struct tcb *t)
{
	const uint32_t settings = TCB_OPEN | TCB_BOUND | TCB_NODELAY | TCB_CORK | TCB_KEEPALIVE |
	                          TCB_LINGER | TCB_LINGER_0 | TCB_REUSEADDR | TCB_REUSEPORT |
	                          TCB_V6ONLY | TCB_IP6 | TCB_SNDBUF_SET | TCB_RCVBUF_SET;
	struct tcb was;

	assert(t->state == TCP_S_CLOSED && !(t->flags & (TCB_PENDING | TCB_IN_TABLE)));
	drop_all(tcp, t);
	account_renew(tcp, t);
	was = *t;
	clear(tcp, t);
	t->flags = was.flags & (settings | TCB_WORK);
	t->flow.laddr = was.flow.laddr;
	t->flow.lport = was.flow.lport;
	t->poll = was.poll;
	t->link = was.link;
	t->error = was.error;
	t->binding = was.flags & TCB_BOUND ? was.binding : 0;
	t->rare = was.rare;
	t->narrow = false;
	t->account = was.account;
	t->rcv_max = was.rcv_max;
	t->snd_max = was.snd_max;
	t->cc = was.cc;
	t->ttl = was.ttl;
	t->tos = was.tos;
}

static inline void disarm(struct tcp *tcp, struct tcb *t)
{
	if (timer_is_armed(&t->timer))
		wheel_disarm(&tcp->wheel, tcp_index(tcp, t));
}

void tcb_free(struct tcp *tcp, struct tcb *t)
{
	assert(t->state == TCP_S_CLOSED && !(t->flags & (TCB_OPEN | TCB_PENDING | TCB_IN_TABLE)));
	if (t->queues != 0)
		drop_all(tcp, t);
	disarm(tcp, t);
	if (t->tuning != 0)
		tcp->tuning[t->tuning].refs--;
	if (unlikely(t->auth))
		auth_drop(tcp, t);
	if (t->flags & TCB_BOUND)
		bindings_del(&tcp->bind, t->binding);
	account_close(tcp, t);
	memset(&t->flow, 0, sizeof(t->flow));
	t->state = TCP_S_FREE;
	t->poll.set = 0;
	tcp->tcbs_used--;
	if (t->flags & TCB_WORK)
		return; /* tcp_flush returns it */
	t->link = freelist_give(&tcp->free_tcbs, tcp_index(tcp, t));
}

/* ---- idle queues, kept for what they know; the longest idle are reclaimed first -------------- */

static void line_up(struct tcp *tcp, uint32_t index)
{
	struct tcp_queues *q = &tcp->queues[index];

	q->idle = true;
	q->newer = 0;
	q->older = tcp->idle_newest;
	if (q->older != 0)
		tcp->queues[q->older].newer = index;
	else
		tcp->idle_oldest = index;
	tcp->idle_newest = index;
}

static void leave_line(struct tcp *tcp, uint32_t index)
{
	struct tcp_queues *q = &tcp->queues[index];

	if (!q->idle)
		return;
	q->idle = false;
	if (q->older != 0)
		tcp->queues[q->older].newer = q->newer;
	else
		tcp->idle_oldest = q->newer;
	if (q->newer != 0)
		tcp->queues[q->newer].older = q->older;
	else
		tcp->idle_newest = q->older;
	q->most = 0;
}

static void release_queues(struct tcp *tcp, struct tcb *t)
{
	uint32_t index = t->queues;

	if (cc_of(t)->release != NULL)
		cc_of(t)->release(&tcp->queues[index]);
	t->timers &= (uint8_t)~TCB_T_PACE;
	if (tcp->queues[index].rack.min_rtt_us != 0)
		account_of(tcp, t)->min_rtt_us = tcp->queues[index].rack.min_rtt_us;
	leave_line(tcp, index);
	tcp->queues[index].recover = freelist_give(&tcp->free_queues, index);
	tcp->queues_used--;
	t->queues = 0;
}

/* Something is queued again after a pause. Ticks wrap after 78 hours, and half of them seem to lie
 * ahead: a deadline long past is replaced by one that has just passed. */
static void end_pause(const struct tcp *tcp, struct tcb *t)
{
	const uint16_t age = (uint16_t)(tcp->ctx->era - t->ts_recent_at);

	if (!(t->timers & TCB_T_LOSS) &&
	    (seq_gt(tcp->ctx->tick, t->t_loss) || unlikely(age >= LONG_AGO)))
		t->t_loss = tcp->ctx->tick - 1;
}

struct tcp_queues *tcb_take_queues(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues(tcp, t);
	uint32_t index;

	end_pause(tcp, t);

	if (q != NULL) { /* kept */
		leave_line(tcp, t->queues);
		/* RFC 6582 section 3.2: the next duplicate ACKs may still be due to a recovery that
		 * ended here */
		if (q->recover != t->snd_una)
			q->recover = t->snd_una - 1;
		/* after 2 GB in small answers, none of which checks it, that window would seem to
		 * lie ahead again */
		if (unlikely(q->reduced))
			(void)tcp_ecn_has_reduced(t, q);
		return q;
	}
	if (freelist_is_empty(&tcp->free_queues) && tcp->idle_oldest != 0)
		release_queues(tcp, tcp_tcb(tcp, tcp->queues[tcp->idle_oldest].owner));
	index = freelist_next(&tcp->free_queues);
	if (index == 0)
		return NULL;
	q = &tcp->queues[index];
	freelist_take(&tcp->free_queues, q->recover);
	tcp->queues_used++;
	zero(q, sizeof(*q));
	q->recover = t->snd_una - 1;
	q->stalled_tick = tcp->ctx->tick;
	q->small_end = t->snd_una;
	q->owner = tcp_index(tcp, t);
	t->queues = index;
	return q;
}

void tcb_give_queues(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	if (q->ooo != NULL)
		return;
	/* an early FIN, which holds no mbuf, is kept, but can be reclaimed: otherwise peers could
	 * take all queues for ever. It will be retransmitted. */
	if (q->keep || q->fin_early)
		line_up(tcp, t->queues);
	else
		release_queues(tcp, t);
}

void tcb_drop_early(struct tcp *tcp, struct tcb *t)
{
	struct tcp_queues *q = tcp_queues_if(tcp, t);

	if (q == NULL)
		return;
	drop_ooo(q);
	tcb_detach_queues(tcp, t);
}

void tcb_enter(struct tcp *tcp, struct tcb *t)
{
	tcp_table_add(&tcp->table, tcp_table_hash(&tcp->table, &t->flow),
	              flow_ref_make(FLOW_TCB, tcp_index(tcp, t)));
	t->flags |= TCB_IN_TABLE;
	lports_add(&tcp->lports, t->flow.lport, t->flags);
}

static void count_source(struct tcp *tcp, struct tcb *t)
{
	if (!sources_are_counted(&tcp->connections))
		return;
	t->opt |= TCB_OPT_COUNTED;
	sources_add(&tcp->connections, &t->flow.raddr);
}

void tcb_enter_passive(struct tcp *tcp, struct tcb *t)
{
	tcb_enter(tcp, t);
	count_source(tcp, t);
}

void tcb_replace(struct tcp *tcp, struct tcb *t, uint64_t hash, flow_ref from)
{
	tcp_table_move(&tcp->table, hash, from, flow_ref_make(FLOW_TCB, tcp_index(tcp, t)));
	t->flags |= TCB_IN_TABLE;
	lports_add(&tcp->lports, t->flow.lport, t->flags);
	count_source(tcp, t);
}

int tcb_set_path(struct tcp *tcp, struct tcb *t, const struct pc_addr *remote, uint16_t laddr,
                 uint32_t ports)
{
	const struct neigh *n;
	const struct ip_path *path =
	    pc_addr_is_ip4(remote) ? ip_path_ready(tcp->ip, remote, laddr, &n) : NULL;
	struct ip_path found;
	int err;

	if (unlikely(path == NULL)) {
		err = ip_path_find_flow(tcp->ip, remote, laddr, ports, &found);
		if (err != 0)
			return err;
		path = &found;
	}
	t->neigh = path->neigh;
	t->netif = path->netif;
	t->flow.laddr = path->laddr;
	if (t->path_mtu == 0 || path->mtu < t->path_mtu)
		t->path_mtu = path->mtu;
	if (unlikely(tcp->dests.any)) {
		const uint16_t known = dest_path_mtu(&tcp->dests, remote, ctx_seconds(tcp->ctx));

		if (known != 0 && known < t->path_mtu)
			t->path_mtu = known;
	}
	return path->shared ? 1 : 0;
}

void tcb_update_mss(struct tcp *tcp, struct tcb *t)
{
	const uint32_t maxseg = tcp_tuning(tcp, t)->maxseg;
	const bool ip4 = pc_addr_is_ip4(&t->flow.raddr);
	uint32_t mss = t->path_mtu - (ip4 ? 20u : 40u) - TCP_HDR_LEN;

	mss = RTE_MIN(mss, t->peer_mss);
	if (maxseg != 0)
		mss = RTE_MIN(mss, maxseg);
	mss = RTE_MAX(mss, (uint32_t)MSS_MIN);
	if (t->opt & TCB_OPT_TS)
		mss -= 12;
	mss -= auth_space(tcp, t);
	t->mss = (uint16_t)mss;
	t->narrow = ip4 && t->path_mtu <= PMTU_MIN4;
}

/* what the receive window may grow to */
static uint32_t rcv_ceiling(const struct tcp *tcp, const struct tcb *t)
{
	uint32_t clamp = tcp_tuning(tcp, t)->window_clamp, most = t->rcv_max;

	if (!(t->flags & TCB_RCVBUF_SET))
		most = (uint32_t)RTE_MAX((uint64_t)most, tcp->ctx->cfg.tcp_rcvbuf_max);
	return clamp == 0 ? most : RTE_MIN(most, clamp);
}

uint8_t tcb_rcv_scale(const struct tcp *tcp, const struct tcb *t)
{
	const uint32_t beyond = rcv_ceiling(tcp, t) >> 16; /* the field has 16 bits */

	return beyond == 0 ? 0 : (uint8_t)RTE_MIN(32 - __builtin_clz(beyond), 14);
}

void tcb_establish(struct tcp *tcp, struct tcb *t)
{
	t->state = TCP_S_ESTABLISHED;
	t->flags |= TCB_CONNECTED;
	t->retries = 0;
	tcb_update_mss(tcp, t);
	/* as on Linux: where ours are small, so are the peer's until one is larger */
	t->rcv_mss = (uint16_t)RTE_MIN(t->rcv_mss, t->mss);
	if (unlikely(tcp->ctx->cfg.tcp_mtu_probing == PMTU_PROBING_ALWAYS))
		pmtu_begin(tcp, t);
	t->cwnd = tcb_initial_window(tcp, t);
	tcp_snd_grow(tcp, t);
	t->rcv_tick = tcp->ctx->tick;
	t->quick = tcp->ctx->cfg.tcp_quick_acks & 0x7f;
	/* RFC 6298 (5.7): after a lost SYN, without a sample, the first time-out is longer */
	if (t->syn_lost && t->srtt_us == 0)
		t->rto_us = RTE_MAX(t->rto_us, 3000000u);
	t->rto_us = RTE_MIN(t->rto_us, rtt_max_us(tcp, t));    /* TCP_RTO_MAX_MS from here on */
	t->t_loss = tcp->ctx->tick + ticks_from_us(t->rto_us); /* as after tcp_loss_stop */
	tcp_keepalive_start(tcp, t);
}

void tcb_leave(struct tcp *tcp, struct tcb *t, uint64_t hash)
{
	tcp_table_del(&tcp->table, hash, flow_ref_make(FLOW_TCB, tcp_index(tcp, t)));
	t->flags &= ~(uint32_t)TCB_IN_TABLE;
	lports_del(&tcp->lports, t->flow.lport, t->flags);
}

bool tcb_done(struct tcp *tcp, struct tcb *t, int error)
{
	struct tcp_queues *q;

	if (t->flags & TCB_IN_TABLE)
		tcb_leave(tcp, t, tcp_table_hash(&tcp->table, &t->flow));
	if (t->opt & TCB_OPT_COUNTED)
		sources_del(&tcp->connections, &t->flow.raddr);
	t->opt &= (uint8_t)~TCB_OPT_COUNTED;
	if (t->state == TCP_S_SYN_RECEIVED && (t->opt & TCB_OPT_SYN_DATA))
		fastopen_leave(tcp, t);
	t->timers = 0;
	disarm(tcp, t);
	if (tcb_is_stashed(t))
		stash_drop(tcp, t);
	q = tcp_queues(tcp, t);
	if (q != NULL) {
		drop_snd(t, q);
		drop_ooo(q);
		tcb_detach_queues(tcp, t);
	}
	t->state = TCP_S_CLOSED;
	if (t->flags & TCB_BOUND)
		bindings_lapse(&tcp->bind, t->binding);
	dsack_forget(tcp, t);
	t->snd_una = t->snd_nxt; /* nothing is in flight any more; the socket may still listen */
	t->flags &= ~(uint32_t)(TCB_ACK_NOW | TCB_ACK_LATER | TCB_NOSPACE | TCB_STARVED |
	                        TCB_WINDOW_UPDATE);
	t->flags |= TCB_RD_SHUT | TCB_WR_SHUT;
	if (error != 0)
		t->error = (uint8_t)error;
	if (!(t->flags & (TCB_OPEN | TCB_PENDING))) {
		tcb_free(tcp, t);
		return true;
	}
	tcb_notify(tcp, t,
	           EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM | EPOLLRDHUP | EPOLLHUP |
	               (error ? (uint32_t)EPOLLERR : 0));
	return false;
}

bool tcb_abort(struct tcp *tcp, struct tcb *t, int error)
{
	if (t->state != TCP_S_CLOSED && t->state != TCP_S_LISTEN && t->state != TCP_S_SYN_SENT)
		tcp_send_rst(tcp, t);
	return tcb_done(tcp, t, error);
}

/* The members that differ between flows over IPv4, and nothing else, are adjacent. They fit into two
 * words of the hash, instead of four for all of the flow. */
#define IP4_FLOW_OFF (offsetof(struct tcp_flow, raddr) + offsetof(struct pc_addr, w[3]))
#define IP4_FLOW_LEN (offsetof(struct tcp_flow, zero) - IP4_FLOW_OFF)

static_assert(IP4_FLOW_LEN == 10, "pc_siphash24 unrolls this length");

uint64_t tcp_secret(const struct tcp *tcp, const struct tcp_flow *flow)
{
	if (pc_addr_is_ip4(&flow->raddr))
		return pc_siphash24(&tcp->isn_key, (const char *)flow + IP4_FLOW_OFF, IP4_FLOW_LEN);
	return pc_siphash24(&tcp->isn_key, flow, sizeof(*flow));
}
