/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gives way when stack.max_connections is reached.
 *
 * Overview: a peer that completes its handshake and finds no connection has a hand go round all of them, a few in each
 * tick, and for each one that was refused somebody gives way:
 *
 *   1. a connection that the application has closed, when all that was sent is acknowledged and only the peer's FIN is
 *      missing, or the acknowledgement of ours: Linux has tcp_max_orphans for it;
 *   2. one on which nothing was acknowledged for tcp.stalled_ms, though it was repeated: peers that went away without a word
 *      would keep others out for a quarter of an hour;
 *   3. one that owes nothing and of whose peer nothing was heard for tcp.give_way_ms: of those that the hand has come across in
 *      a tick it is of the source that has most, and of these the one that has been idle longest.
 *
 * What is freed would go to who comes first, and that is who has filled the table and tries hardest.  So when a large source
 * has given up a place for a smaller one, the table is contested for a while: the last sixteenth is kept free, as far as there is
 * anybody idle, for sources that have less.  Nobody notices anything of it before somebody was refused.
 *
 * Invariant: a connection that the application has open, and on which data moves, is never touched.
 */
#include "tcp/room.h"

#include <errno.h>

#include "tcp/syncache.h"
#include "tcp/tcp_conn.h"

#define LOOK_AT    64    /* connections in a tick */
#define SPENT_MS   1000  /* a peer has this long for its FIN */
#define CONTEST_MS 30000 /* that places are kept after one of them was taken */
#define KEPT       16    /* one of so many connections */

bool room_is_stalled(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	return cfg->tcp_stalled_ms != 0 && q->snd.head != NULL && t->retries > 0 &&
	       t->state != TCP_S_SYN_SENT && t->state != TCP_S_SYN_RECEIVED &&
	       tcp->ctx->tick - q->stalled_tick >= ticks_from_ms((uint32_t)cfg->tcp_stalled_ms);
}

static bool is_silent_for(const struct tcp *tcp, const struct tcb *t, uint64_t ms)
{
	return tcp->ctx->tick - t->rcv_tick >= ticks_from_ms((uint32_t)ms);
}

/* nobody has it any more, and nothing is left to be sent but a FIN that was not answered */
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

/* has been accepted, waits for its peer, and that is nothing new */
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

/* may this source have a place, as far as there is one? */
static bool admits(struct tcp *tcp, const struct pc_addr *source)
{
	if (likely(!tcp->room.contested))
		return true;
	tcp->room.contested = tcp->ctx->tick - tcp->room.contest_tick < ticks_from_ms(CONTEST_MS);
	return !tcp->room.contested || free_places(tcp) > kept_places(tcp) || has_less(tcp, source);
}

/* a source that has less has taken a place: there is to be another one for the next */
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
	struct tcb *t = admits(tcp, &source) ? syncache_promote(tcp, e) : NULL;

	if (unlikely(t == NULL))
		refuse(tcp, &source);
	else if (unlikely(tcp->room.contested))
		replace_kept(tcp, &source);
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
		return; /* nobody was refused: it is the giver's turn to keep the places free */
	if (best->t == NULL || has > best->has || (has == best->has && idle > best->idle))
		*best = (struct choice){.t = t, .has = has, .idle = idle};
}

static void end(struct tcp *tcp, struct tcb *t, enum pc_counter why, int error)
{
	ctx_count(tcp->ctx, (int)why);
	tcb_abort(tcp, t, error);
	tcp->room.wanted--;
}

static void look_at(struct tcp *tcp, struct tcb *t, struct choice *best)
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

/* One a tick: who else is idle may yet be the better choice. */
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
	for (unsigned n = 0; n < LOOK_AT && tcp->room.left > 0 && tcp->room.wanted > 0; n++) {
		tcp->room.hand = tcp->room.hand % tcp->nb_tcbs + 1;
		tcp->room.left--;
		look_at(tcp, tcp_tcb(tcp, tcp->room.hand), &best);
	}
	if (tcp->room.wanted > 0 && best.t != NULL)
		end_idle(tcp, &best);
	if (tcp->room.wanted == 0)
		tcp->room.left = 0;
}
