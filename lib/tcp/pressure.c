/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do when mbufs run short.
 *
 * Overview: windows and send buffers shrink with the pool (tcp_share), new connections are refused
 * when mbufs are scarce, out-of-order data when they are low (stack/poll.c).  But all mbufs may
 * already be held, and a peer that never fills a gap, or never opens its window, would hold them
 * for ever.  So fragments are dropped, and a clock hand goes round the queues, a few in each turn:
 * in its first round it frees out-of-order data, which will be retransmitted; in later rounds it
 * resets connections on which nothing moves but probes of a closed window and, if a new connection
 * was refused, those whose peers do not answer at all (if none was, our own link may be down).  It
 * stops where it is as soon as mbufs are no longer scarce.  After the first two rounds only the
 * passing of time makes anything due, so from then on the hand moves once per tick and not in every
 * turn, and pauses after each round.  An lcore may sleep, but no longer than until then
 * (pressure_next).
 *
 * Invariant: a connection whose peer takes data, or sends it in order, is never touched.
 *
 * What connections were promised while there were enough mbufs may be more than there are.  So as
 * soon as only those are left that are for small buffers, nothing more is accepted on connections
 * whose applications have left more than that unread: an application that stops reading must not
 * take all mbufs for its peers' data.
 *
 * When mbufs are low, in-order data is refused too, except on connections that keep up.  With no
 * more than that, two stacks that send to each other could deadlock, each waiting for
 * acknowledgements from the other while refusing its data.  So a few connections at a time may take
 * their next segment from a reserve, if their application has read everything; when it has read
 * this too, or has not for a second, others may.  In this way the peers hold less and less for
 * them, until they have mbufs again.  What is never read stays in the reserve, whose size limits
 * it: a connection that has unread data gets nothing more.
 */
#include "tcp/pressure.h"

#include <errno.h>

#include "base/seq.h"
#include "tcp/room.h"
#include "tcp/tcp_conn.h"
#include "tcp/window.h"

#define PRESSURE_LOOK_AT 64   /* queues per turn */
#define REST_MS          250  /* pause after a round in which only time made anything due */
#define PLACE_MS         1000 /* how long unread data from the reserve keeps others out */
/* the part (1/64) of the mbufs kept back that may be taken from the reserve at once */
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

/* whose queues these are; NULL: not in use, or they hold nothing */
static struct tcb *owner_of(const struct tcp *tcp, uint32_t index)
{
	const struct tcp_queues *q = &tcp->queues[index];
	struct tcb *t = tcp_tcb(tcp, q->owner);

	return q->owner == 0 || t->queues != index || q->idle ? NULL : t;
}

static void look_at_index(struct tcp *tcp, uint32_t index)
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

/* a round has ended less than REST_MS ago */
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
	for (unsigned n = 0; n < PRESSURE_LOOK_AT && (n == 0 || !rests(tcp)); n++) {
		next_queue(tcp);
		look_at_index(tcp, tcp->pressure.hand);
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

/* The data for which a place was taken has not been read yet. More may have come since, which has no
 * claim to it, and so may another connection have that TCB now. */
static bool is_unread(const struct tcp *tcp, const struct tcp_favour *f)
{
	const struct tcb *t = tcp_tcb(tcp, f->tcb);

	return f->tcb != 0 && seq_lt(t->rcv_nxt - t->rcv_bytes, f->end) &&
	       seq_leq(f->end, t->rcv_nxt);
}

static bool place_is_taken(const struct tcp *tcp, const struct tcp_favour *f)
{
	return is_unread(tcp, f) && tcp->ctx->tick - f->tick < ticks_from_ms(PLACE_MS);
}

/* a free place among the few; one becomes free when the data is read or the connection ends, and
 * after a time: eight connections that are never read must not exclude all others */
static struct tcp_favour *free_place(struct tcp *tcp)
{
	for (unsigned i = 0; i < TCP_FAVOURED; i++)
		if (!place_is_taken(tcp, &tcp->favoured[i]))
			return &tcp->favoured[i];
	return NULL;
}

static bool takes_reserve(struct tcp *tcp, const struct tcb *t, uint32_t n, uint32_t end)
{
	struct tcp_favour *place;

	if (tcp->ctx->mbufs_reserve < n || n > mbufs_kept(tcp->ctx->pool->size) / RUN_PART)
		return false;
	place = free_place(tcp);
	if (place == NULL)
		return false;
	*place = (struct tcp_favour){.tcb = tcp_index(tcp, t), .end = end, .tick = tcp->ctx->tick};
	tcp->ctx->mbufs_reserve -= n;
	return true;
}

/* what the application could have read in earlier turns: that was acknowledged then */
static uint32_t left_unread(const struct tcb *t)
{
	const uint32_t fresh = t->rcv_nxt - t->last_ack_sent;

	return t->rcv_bytes > fresh ? t->rcv_bytes - fresh : 0;
}

bool pressure_is_full(const struct tcp *tcp, const struct tcb *t)
{
	return ctx_is_short(tcp->ctx) && left_unread(t) > tcp_rcv_room(tcp, t);
}

bool pressure_admits(struct tcp *tcp, const struct tcb *t, uint32_t n, uint32_t end)
{
	const bool keeps_up = tcp_keeps_up(t);

	if (t->rcv_bytes > 0)
		return false;
	if (keeps_up && ctx_may_keep(tcp->ctx, n))
		return true;
	/* an answer to a peer that does not read would be queued, and stay there */
	return (keeps_up || t->snd_bytes > 0) && takes_reserve(tcp, t, n, end);
}
