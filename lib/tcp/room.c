/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which connection gives way when stack.max_connections is reached.
 *
 * Overview: when a peer completes its handshake and there is no room, a clock hand goes round all
 * connections, a few in each tick, and for each peer that was refused one connection gives way:
 *
 *   1. one that the application has closed, when all data is acknowledged and only the peer's FIN
 *      or the acknowledgement of ours is missing: Linux has tcp_max_orphans for these;
 *   2. one on which nothing was acknowledged for tcp.stalled_ms despite retransmissions: peers that
 *      disappeared would keep others out for a quarter of an hour;
 *   3. one with no data pending whose peer was silent for tcp.give_way_ms: of those that the hand
 *      passes in a tick, one of the source with most connections, and of these the longest idle.
 *
 * A freed place would go to the first to arrive, which is likely the source that has filled the
 * table and tries hardest.  So when a large source has given up a place for a smaller one, the
 * table is contested for a while: the last sixteenth is kept free for sources that have fewer
 * connections, as long as there are idle ones to evict.  None of this has any effect until a peer
 * is refused.
 *
 * Time in which the lcore stood still does not count, as nobody could be heard.
 *
 * Invariant: a connection that the application has open, and on which data moves, is never touched.
 */
#include "tcp/room.h"

#include <errno.h>

#include "tcp/syncache.h"
#include "tcp/tcp_conn.h"

#define ROOM_LOOK_AT 64    /* connections per tick */
#define SPENT_MS     1000  /* how long a peer has for its FIN */
#define CONTEST_MS   30000 /* how long places are kept after one was taken */
#define KEPT         16    /* one in 16 connections */

/* Is it so long ago? While the lcore stood still, nobody could be heard: only the time since counts. */
static bool is_over(const struct ctx *ctx, uint32_t tick, uint64_t ms)
{
	return ctx->tick - tick >= ticks_from_ms(ms) &&
	       (ctx->stall_ns == 0 || ctx->now_ns - ctx->stall_ns >= ms * 1000000);
}

bool room_is_stalled(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	return cfg->tcp_stalled_ms != 0 && q->snd.head != NULL && t->retries > 0 &&
	       t->state != TCP_S_SYN_SENT && t->state != TCP_S_SYN_RECEIVED &&
	       is_over(tcp->ctx, q->stalled_tick, cfg->tcp_stalled_ms);
}

static bool is_silent_for(const struct tcp *tcp, const struct tcb *t, uint64_t ms)
{
	return is_over(tcp->ctx, t->rcv_tick, ms);
}

/* closed by the application, with nothing left to send but an unanswered FIN */
static bool is_spent(const struct tcp *tcp, const struct tcb *t)
{
	if ((t->flags & (TCB_OPEN | TCB_PENDING)) || t->snd_bytes > 0 ||
	    !is_silent_for(tcp, t, SPENT_MS))
		return false;
	if (t->state == TCP_S_FIN_WAIT_2)
		return true;
	return t->retries > 0 && (t->state == TCP_S_FIN_WAIT_1 || t->state == TCP_S_CLOSING ||
	                          t->state == TCP_S_LAST_ACK);
}

/* accepted, and has been waiting for its peer for long */
static bool is_idle(const struct tcp *tcp, const struct tcb *t)
{
	const uint64_t ms = tcp->ctx->cfg.tcp_give_way_ms;

	return ms != 0 && t->state == TCP_S_ESTABLISHED && (t->opt & TCB_OPT_COUNTED) &&
	       (t->flags & TCB_OPEN) && t->snd_bytes == 0 && t->rcv_bytes == 0 &&
	       is_silent_for(tcp, t, ms);
}

/* ---- asking for room --------------------------------------------------------------------------------- */

static uint32_t count_of(const struct tcp *tcp, const struct pc_addr *source)
{
	return sources_are_counted(&tcp->connections) ? sources_count(&tcp->connections, source)
	                                              : 0;
}

static uint32_t free_places(const struct tcp *tcp)
{
	const uint32_t used = tcp->tcbs_used - tcp->bind.listeners;
	const uint32_t all = (uint32_t)tcp->ctx->cfg.stack_max_connections;

	return all > used ? all - used : 0;
}

static uint32_t kept_places(const struct tcp *tcp)
{
	return RTE_MAX((uint32_t)tcp->ctx->cfg.stack_max_connections / KEPT, 1u);
}

static void ask(struct tcp *tcp, uint32_t places)
{
	if (tcp->room.left == 0) {
		tcp->room.left = tcp->nb_tcbs;
		tcp->room.wanted = 0;
		tcp->room.least = UINT32_MAX;
	}
	tcp->room.wanted += places;
}

static void refuse(struct tcp *tcp, const struct pc_addr *source)
{
	ask(tcp, 1);
	tcp->room.least = RTE_MIN(tcp->room.least, count_of(tcp, source));
}

/* ---- giving places away ------------------------------------------------------------------------------ */

static bool has_less(const struct tcp *tcp, const struct pc_addr *source)
{
	return count_of(tcp, source) < count_of(tcp, &tcp->room.giver);
}

/* may this source have a place, if there is one? */
static bool room_admits(struct tcp *tcp, const struct pc_addr *source)
{
	if (likely(!tcp->room.contested))
		return true;
	tcp->room.contested = tcp->ctx->tick - tcp->room.contest_tick < ticks_from_ms(CONTEST_MS);
	return !tcp->room.contested || free_places(tcp) > kept_places(tcp) || has_less(tcp, source);
}

/* a source with fewer connections has taken a place: make room for the next */
static void replace_kept(struct tcp *tcp, const struct pc_addr *source)
{
	const uint32_t kept = kept_places(tcp), left = free_places(tcp);

	if (!has_less(tcp, source))
		return;
	tcp->room.contest_tick = tcp->ctx->tick;
	if (left < kept && tcp->room.left == 0)
		ask(tcp, kept - left);
}

struct tcb *room_promote(struct tcp *tcp, const struct syn_entry *e)
{
	const struct pc_addr source = e->flow.raddr;
	const bool admitted = room_admits(tcp, &source);
	struct tcb *t = admitted ? syncache_promote(tcp, e) : NULL;

	if (unlikely(t == NULL)) {
		/* where a route or a place for keys is missing, room would not help */
		if (!admitted || free_places(tcp) == 0)
			refuse(tcp, &source);
	} else if (unlikely(tcp->room.contested)) {
		replace_kept(tcp, &source);
	}
	return t;
}

/* ---- making it --------------------------------------------------------------------------------------- */

struct choice {
	struct tcb *t;
	uint32_t has, idle; /* connections of its source; ticks */
};

static void weigh(const struct tcp *tcp, struct tcb *t, struct choice *best)
{
	const uint32_t idle = tcp->ctx->tick - t->rcv_tick;
	uint32_t has;

	if (!is_idle(tcp, t))
		return;
	has = count_of(tcp, &t->flow.raddr);
	if (tcp->room.least == UINT32_MAX && has < count_of(tcp, &tcp->room.giver))
		return; /* none was refused: the giver has to provide the places */
	if (best->t == NULL || has > best->has || (has == best->has && idle > best->idle))
		*best = (struct choice){.t = t, .has = has, .idle = idle};
}

static void end(struct tcp *tcp, struct tcb *t, enum pc_counter why, int error)
{
	ctx_count(tcp->ctx, (int)why);
	tcb_abort(tcp, t, error);
	tcp->room.wanted--;
}

static void look_at_tcb(struct tcp *tcp, struct tcb *t, struct choice *best)
{
	const struct tcp_queues *q = tcp_queues_if(tcp, t);

	if (is_spent(tcp, t))
		end(tcp, t, PC_TCP_GAVE_WAY, 0);
	else if (q != NULL && !q->idle && room_is_stalled(tcp, t, q))
		end(tcp, t, PC_TCP_STALLED_RESET, ETIMEDOUT);
	else
		weigh(tcp, t, best);
}

static void contest(struct tcp *tcp, const struct pc_addr *giver)
{
	if (!tcp->room.contested)
		tcp->room.wanted += kept_places(tcp) - 1;
	tcp->room.contested = true;
	tcp->room.contest_tick = tcp->ctx->tick;
	tcp->room.giver = *giver;
}

/* One per tick: a better choice may be found in the next. */
static void end_idle(struct tcp *tcp, const struct choice *c)
{
	if (tcp->room.least + 1 < c->has)
		contest(tcp, &c->t->flow.raddr);
	end(tcp, c->t, PC_TCP_GAVE_WAY, ECONNABORTED);
	tcp->room.left = tcp->nb_tcbs;
}

void room_make(struct tcp *tcp)
{
	struct choice best = {0};

	if (likely(tcp->room.left == 0) || tcp->room.tick == tcp->ctx->tick)
		return;
	tcp->room.tick = tcp->ctx->tick;
	for (unsigned n = 0; n < ROOM_LOOK_AT && tcp->room.left > 0 && tcp->room.wanted > 0; n++) {
		tcp->room.hand = tcp->room.hand % tcp->nb_tcbs + 1;
		tcp->room.left--;
		look_at_tcb(tcp, tcp_tcb(tcp, tcp->room.hand), &best);
	}
	if (tcp->room.wanted > 0 && best.t != NULL)
		end_idle(tcp, &best);
	if (tcp->room.wanted == 0)
		tcp->room.left = 0;
}
