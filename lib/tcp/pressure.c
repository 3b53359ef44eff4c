/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mbufs are short, or connections.
 *
 * Overview: windows and send buffers shrink with the pool (tcp_share), new connections are refused when it is
 * scarce, out-of-order data when it is low (stack/poll.c).  But what is held already may be all there is, and
 * a peer that never fills a gap, or never opens its window, would hold it for ever.  So a hand
 * goes round the queues, a few in each turn: in its first round it frees what came out of order, which will
 * be sent again; in the next ones it resets the connections on which nothing moves but probes of a closed
 * window.  It stops where it is as soon as mbufs are no longer scarce.  After the
 * first two rounds only the clock makes anything due, so from then on the hand moves once in a tick and not in every turn.
 *
 * When connections are what is short (stack.max_connections), a peer that has completed its handshake and finds none makes the
 * hand go round once, and reset one connection on which nothing has been acknowledged for tcp.stalled_ms, though
 * it was repeated: peers that went away without a word would keep others out for a quarter of an hour.
 *
 * Invariant: a connection whose peer takes data, or sends it in order, is never touched.
 */
#include "tcp/pressure.h"

#include <errno.h>

#include "tcp/tcp_conn.h"

#define LOOK_AT 64 /* queues in a turn */

static void take_early(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	ctx_add(tcp->ctx, PC_TCP_OOO_PRUNED, q->ooo_segs);
	tcb_drop_early(tcp, t);
}

/* has nothing of what was sent been acknowledged for long? */
static bool is_stalled(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	return cfg->tcp_stalled_ms != 0 && q->snd.head != NULL && t->retries > 0 &&
	       t->state != TCP_S_SYN_SENT && t->state != TCP_S_SYN_RECEIVED &&
	       tcp->ctx->tick - q->stalled_tick >= ticks_from_ms((uint32_t)cfg->tcp_stalled_ms);
}

static void reset(struct tcp *tcp, struct tcb *t, int error)
{
	ctx_count(tcp->ctx, PC_TCP_STALLED_RESET);
	tcb_abort(tcp, t, error);
}

/* whose queues these are; NULL: nobody's, or they hold nothing */
static struct tcb *owner_of(const struct tcp *tcp, uint32_t index)
{
	const struct tcp_queues *q = &tcp->queues[index];
	struct tcb *t = tcp_tcb(tcp, q->owner);

	return q->owner == 0 || t->queues != index || q->idle ? NULL : t;
}

static void look_at(struct tcp *tcp, uint32_t index)
{
	struct tcp_queues *q = &tcp->queues[index];
	struct tcb *t = owner_of(tcp, index);

	if (t == NULL)
		return;
	if (q->ooo != NULL)
		take_early(tcp, t, q);
	else if (tcp->pressure.round > 0 && t->snd_wnd == 0 && is_stalled(tcp, t, q))
		reset(tcp, t, ENOBUFS);
}

static void next_queue(struct tcp *tcp)
{
	if (++tcp->pressure.hand > tcp->nb_queues) {
		tcp->pressure.hand = 1;
		tcp->pressure.round++;
	}
}

void pressure_refused(struct tcp *tcp)
{
	if (tcp->pressure.left == 0) {
		tcp->pressure.left = tcp->nb_queues;
		tcp->pressure.wanted = 0;
	}
	tcp->pressure.wanted++;
}

/* Goes on with the round for those who were refused a connection. */
static void make_room(struct tcp *tcp)
{
	for (unsigned n = 0; n < LOOK_AT && tcp->pressure.left > 0; n++) {
		struct tcb *t;

		next_queue(tcp);
		tcp->pressure.left--;
		t = owner_of(tcp, tcp->pressure.hand);
		if (t == NULL || !is_stalled(tcp, t, &tcp->queues[tcp->pressure.hand]))
			continue;
		reset(tcp, t, ETIMEDOUT);
		if (--tcp->pressure.wanted == 0)
			tcp->pressure.left = 0;
	}
}

void pressure_relieve(struct tcp *tcp)
{
	const bool moved = tcp->pressure.tick == tcp->ctx->tick;

	if (likely(!tcp->ctx->mbufs_scarce)) {
		tcp->pressure.round = 0;
		if (likely(tcp->pressure.left == 0) || moved)
			return;
		tcp->pressure.tick = tcp->ctx->tick;
		make_room(tcp);
		return;
	}
	if (tcp->pressure.round > 1 && moved)
		return;
	tcp->pressure.tick = tcp->ctx->tick;
	for (unsigned n = 0; n < LOOK_AT; n++) {
		next_queue(tcp);
		look_at(tcp, tcp->pressure.hand);
	}
}
