/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mbufs are short.
 *
 * Overview: windows and send buffers shrink with the pool (tcp_share), new connections are refused when it is
 * scarce, out-of-order data when it is low (stack/poll.c).  But what is held already may be all there is, and
 * a peer that never fills a gap, or never opens its window, would hold it for ever.  So fragments give way, and a hand
 * goes round the queues, a few in each turn: in its first round it frees what came out of order, which will
 * be sent again; in the next ones it resets the connections on which nothing moves but probes of a closed
 * window, and, when somebody new was refused, those whose peers do not answer at all: as long as nobody is heard of it may be
 * our own link that is down.  It stops where it is as soon as mbufs are no longer scarce.  After the
 * first two rounds only the clock makes anything due, so from then on the hand moves once in a tick and not in every turn,
 * and rests after each round.  An lcore may sleep, but for no longer (pressure_next).
 *
 * Invariant: a connection whose peer takes data, or sends it in order, is never touched.
 *
 * Data in order is refused, too, when mbufs are low, but to those who keep up.  Were that all, two stacks that send
 * to each other could each wait for ever for acknowledgements of the other, whose data it refuses.  So a few connections at a
 * time may have their next segment of a reserve, if their application has read all, and when it has read this, others: what their
 * peers hold for them becomes less, until these have mbufs again.
 */
#include "tcp/pressure.h"

#include <errno.h>

#include "tcp/room.h"
#include "tcp/tcp_conn.h"

#define LOOK_AT 64  /* queues in a turn */
#define REST_MS 250 /* after a round in which only the clock has made anything due */
/* one of so many of the mbufs that are kept may be taken at once of the reserve */
#define RUN_PART 64

static void take_early(struct tcp *tcp, struct tcb *t, struct tcp_queues *q)
{
	ctx_add(tcp->ctx, PC_TCP_OOO_PRUNED, q->ooo_segs);
	tcb_drop_early(tcp, t);
}

static void reset(struct tcp *tcp, struct tcb *t)
{
	ctx_count(tcp->ctx, PC_TCP_STALLED_RESET);
	tcb_abort(tcp, t, ENOBUFS);
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
	else if (tcp->pressure.round > 0 && (t->snd_wnd == 0 || tcp->refused) &&
	         room_is_stalled(tcp, t, q))
		reset(tcp, t);
}

static void next_queue(struct tcp *tcp)
{
	if (++tcp->pressure.hand > tcp->nb_queues) {
		tcp->pressure.hand = 1;
		tcp->pressure.round++;
	}
}

/* the last of the queues has been looked at, not long ago */
static bool rests(const struct tcp *tcp)
{
	return tcp->pressure.round > 1 && tcp->pressure.hand == tcp->nb_queues &&
	       tcp->ctx->tick - tcp->pressure.tick < ticks_from_ms(REST_MS);
}

void pressure_relieve(struct tcp *tcp)
{
	const bool moved = tcp->pressure.tick == tcp->ctx->tick;

	if (likely(!tcp->ctx->mbufs_scarce)) {
		tcp->pressure.round = 0;
		tcp->refused = false;
		room_make(tcp);
		return;
	}
	ip_relieve(tcp->ip);
	if (tcp->pressure.round > 1 && (moved || rests(tcp)))
		return;
	tcp->pressure.tick = tcp->ctx->tick;
	for (unsigned n = 0; n < LOOK_AT && (n == 0 || !rests(tcp)); n++) {
		next_queue(tcp);
		look_at(tcp, tcp->pressure.hand);
	}
}

bool pressure_next(const struct tcp *tcp, uint32_t *tick)
{
	if (likely(!tcp->ctx->mbufs_scarce) ||
	    (tcp->pressure.round > 1 && tcp->ctx->cfg.tcp_stalled_ms == 0))
		return false;
	*tick = rests(tcp) ? tcp->pressure.tick + ticks_from_ms(REST_MS) : tcp->ctx->tick + 1;
	return true;
}

/* a place among the few: free again when what was taken is read, or the connection is no more */
static uint32_t *free_place(struct tcp *tcp)
{
	for (unsigned i = 0; i < TCP_FAVOURED; i++)
		if (tcp->favoured[i] == 0 || tcp_tcb(tcp, tcp->favoured[i])->rcv_bytes == 0)
			return &tcp->favoured[i];
	return NULL;
}

static bool takes_reserve(struct tcp *tcp, const struct tcb *t, uint32_t n)
{
	uint32_t *place;

	if (tcp->ctx->mbufs_reserve < n || n > mbufs_kept(tcp->ctx->pool->size) / RUN_PART)
		return false;
	place = free_place(tcp);
	if (place == NULL)
		return false;
	*place = tcp_index(tcp, t);
	tcp->ctx->mbufs_reserve -= n;
	return true;
}

bool pressure_admits(struct tcp *tcp, const struct tcb *t, uint32_t n)
{
	const bool keeps_up = tcp_keeps_up(t);

	if (t->rcv_bytes > 0)
		return false;
	if (keeps_up && tcp->ctx->mbufs_last >= n) {
		tcp->ctx->mbufs_last -= n;
		return true;
	}
	/* an answer to one that does not read would be queued, and stay */
	return (keeps_up || t->snd_bytes > 0) && takes_reserve(tcp, t, n);
}
