/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mbufs are short.
 *
 * Overview: windows and send buffers shrink with the pool (tcp_share), new connections are refused when it is
 * scarce, out-of-order data when it is low (stack/poll.c).  But what is held already may be all there is, and
 * a peer that never fills a gap, or never opens its window, would hold it for ever.  So a hand
 * goes round the queues, a few in each turn: in its first round it frees what came out of order, which will
 * be sent again; in the next ones it resets the connections on which nothing moves but probes of a closed
 * window.  It stops where it is as soon as mbufs are no longer scarce.  After the
 * first two rounds only the clock makes anything due, so from then on the hand moves once in a tick and not in every turn.
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

/* has the window been closed for long? */
static bool is_stalled(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	return cfg->tcp_stalled_ms != 0 && t->snd_wnd == 0 && q->snd.head != NULL &&
	       t->retries > 0 &&
	       tcp->ctx->tick - q->stalled_tick >= ticks_from_ms((uint32_t)cfg->tcp_stalled_ms);
}

static void look_at(struct tcp *tcp, uint32_t index)
{
	struct tcp_queues *q = &tcp->queues[index];
	struct tcb *t = tcp_tcb(tcp, q->owner);

	if (q->owner == 0 || t->queues != index || q->idle)
		return;
	if (q->ooo != NULL) {
		take_early(tcp, t, q);
	} else if (tcp->pressure.round > 0 && is_stalled(tcp, t, q)) {
		ctx_count(tcp->ctx, PC_TCP_STALLED_RESET);
		tcb_abort(tcp, t, ENOBUFS);
	}
}

void pressure_relieve(struct tcp *tcp)
{
	if (likely(!tcp->ctx->mbufs_scarce)) {
		tcp->pressure.round = 0;
		return;
	}
	if (tcp->pressure.round > 1 && tcp->pressure.tick == tcp->ctx->tick)
		return;
	tcp->pressure.tick = tcp->ctx->tick;
	for (unsigned n = 0; n < LOOK_AT; n++) {
		if (++tcp->pressure.hand > tcp->nb_queues) {
			tcp->pressure.hand = 1;
			tcp->pressure.round++;
		}
		look_at(tcp, tcp->pressure.hand);
	}
}
