/* SPDX-License-Identifier: BSD-2-Clause */
/* One turn of a stack: poll receives and fires timers, flush sends. */

#include <rte_branch_prediction.h>
#include <rte_mempool.h>

#include "base/seq.h"
#include "neigh/table.h"
#include "stack/stack.h"

/* Counting a pool's free mbufs reads every lcore's cache, so it is done once in so many turns, or
 * bursts of several ports. */
#define LOW_CHECKS 64
/* 2^30 ticks, 19.5 hours: timers can tell the past from the future within 2^31 ticks. */
#define LEAP_MAX_NS (1ull << (30 + TICK_SHIFT))
/* A turn that begins this long after its deadline follows a stall. */
#define STALL_NS UINT64_C(1000000000)
/* This long after a stall, data sent before it has been acknowledged or retransmitted. */
#define STALL_OVER_NS UINT64_C(4000000000)

/*
 * What hurts least is refused first: new connections when only an eighth of the mbufs is left,
 * then, at a sixteenth, out-of-order data and what applications want to send.  That sixteenth is
 * reserved for acknowledgements and for data in flight, and half of it for acknowledgements alone:
 * devices receive into the same pool, and if unacknowledged data held all of it, nothing could free
 * it. Half of that half may be taken by in-order data that is read at once, since nothing else
 * produces acknowledgements.
 *
 * Mbufs for new data are counted down as they are taken (mbufs_spare): many connections can take a
 * whole pool within one turn, and then no ACK could be received and nothing retransmitted.
 */
static __rte_noinline void count_mbufs(struct ctx *ctx)
{
	const uint32_t kept = mbufs_kept(ctx->pool->size);
	const uint32_t available = rte_mempool_avail_count(ctx->pool);

	ctx->mbufs_spare = available > kept ? available - kept : 0;
	ctx->mbufs_low = ctx->mbufs_spare == 0;
	ctx->mbufs_scarce = ctx->mbufs_spare < kept;
	ctx->mbufs_last = available > kept / 2 ? RTE_MIN(available, kept) - kept / 2 : 0;
	ctx->mbufs_reserve = available > kept / 4 ? RTE_MIN(available, kept / 2) - kept / 4 : 0;
	/* received frames are not counted down: count again before they could use the reserve */
	ctx->low_check = (uint16_t)RTE_MIN(ctx->mbufs_spare / 128, (uint32_t)LOW_CHECKS);
}

static inline void check_mbufs(struct ctx *ctx)
{
	/* mbufs freed since are not counted either, so count before keeping large buffers small */
	if (unlikely(ctx->low_check-- == 0 || ctx->mbufs_spare <= ctx->mbufs_small))
		count_mbufs(ctx);
}

/* Converts a tick in the near future to a time. */
static uint64_t time_of(const struct pc_stack *st, uint32_t tick)
{
	int32_t ahead = seq_diff(tick, st->ctx.tick);

	if (ahead <= 0)
		return st->ctx.now_ns;
	return st->ctx.epoch_ns +
	       ((((st->ctx.now_ns - st->ctx.epoch_ns) >> TICK_SHIFT) + (uint32_t)ahead)
	        << TICK_SHIFT);
}

/* Returns when there is something to do, by the stack's clock; UINT64_MAX: never. */
static uint64_t next_due(const struct pc_stack *st)
{
	uint64_t at = UINT64_MAX;
	uint32_t tick;

	if (mail_is_there(st->mail) || loop_count(&st->ip.ifs.loop) != 0 ||
	    st->ip.ifs.netif[NETIF_LO].txq.n != 0)
		return st->ctx.now_ns;
	if (tcp_next(st->tcp, &tick))
		at = time_of(st, tick);
	if (ip_next(&st->ip, &tick))
		at = RTE_MIN(at, time_of(st, tick));
	for (uint16_t i = 0; i < st->ip.ifs.n; i++) {
		const struct netif *nif = &st->ip.ifs.netif[i];

		if (nif->txq.n > 0)
			return st->ctx.now_ns;
		if (nif->port->ops->next_deadline != NULL)
			at = RTE_MIN(at, nif->port->ops->next_deadline(nif->port));
	}
	return at;
}

/*
 * A turn that begins more than a second after the stack's deadline means that the lcore has stalled
 * (a SIGSTOP, a migrated virtual machine, a slow handler).  Frames that arrived meanwhile have
 * waited in the ring, which says nothing about the path: with a measured round trip of a minute,
 * each connection would wait that long before it retransmits.  So for a while, data sent before the
 * stall gives no RTT samples.
 */
static void look_for_stall(struct pc_stack *st, uint64_t now_ns)
{
	struct ctx *ctx = &st->ctx;
	const uint64_t due_ns = ctx->has_epoch ? next_due(st) : UINT64_MAX;

	if (due_ns < now_ns && now_ns - due_ns > STALL_NS) {
		ctx->stall_ns = now_ns;
		ctx_count(ctx, PC_STALLS);
	}
	if (ctx->stall_ns != 0 && now_ns - ctx->stall_ns < STALL_OVER_NS) {
		ctx->far_ns = 0; /* examine every turn */
		ctx->rtt_end_us = (uint32_t)((now_ns - ctx->stall_ns) / 1000) + 1;
	} else {
		ctx->far_ns = STALL_NS;
		ctx->rtt_end_us = 0;
	}
}

/* If the caller's clock is set back, for a moment or for good, the stack's time continues from
 * where it was. If it leaps over days (a machine that slept), time follows in steps, firing the
 * timers that are due in each. */
static __rte_noinline void advance_far(struct pc_stack *st, uint64_t given_ns)
{
	struct ctx *ctx = &st->ctx;
	uint64_t now_ns;

	if (given_ns < ctx->given_ns) {
		ctx->behind_ns += ctx->given_ns - given_ns;
		ctx_count(ctx, PC_CLOCK_BACKWARDS);
	}
	now_ns = given_ns + ctx->behind_ns;
	look_for_stall(st, now_ns);
	while (ctx->has_epoch && now_ns > ctx->now_ns && now_ns - ctx->now_ns > LEAP_MAX_NS) {
		ctx_set_time(ctx, ctx->now_ns + LEAP_MAX_NS);
		tcp_poll(st->tcp);
		ip_poll(&st->ip);
	}
}

static void advance(struct pc_stack *st, uint64_t given_ns)
{
	struct ctx *ctx = &st->ctx;

	if (given_ns == ctx->given_ns && ctx->has_epoch) /* the same turn */
		return;
	if (unlikely(given_ns - ctx->given_ns > ctx->far_ns)) /* or it runs backwards */
		advance_far(st, given_ns);
	ctx->given_ns = given_ns;
	ctx_set_time(ctx, given_ns + ctx->behind_ns);
}

/* Most turns of an idle lcore have nothing to send. */
static void send_all(struct pc_stack *st)
{
	if (st->tcp->work_head != 0 || st->tcp->told)
		tcp_flush(st->tcp);
	netifs_flush(&st->ip.ifs);
	if (st->ctx.nb_done != 0)
		ctx_free_done(&st->ctx);
}

/* Sends on what the kernel has sent. */
static unsigned poll_exceptions(struct pc_stack *st)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < st->ip.ifs.n; i++)
		if (st->exceptions[i].kernel != NULL)
			n += exception_poll(&st->exceptions[i], &st->ctx);
	return n;
}

/* A neighbour has not answered: the transports learn which packets have not been sent. */
static __rte_noinline void tell_unreached(struct pc_stack *st)
{
	struct icmp_error e;

	while (ip_take_unreached(&st->ip, &e))
		stack_tell_error(st, &e, NULL);
}

static void fire_timers(struct pc_stack *st)
{
	tcp_poll(st->tcp);
	ip_poll(&st->ip);
	if (unlikely(neigh_has_lost(st->ip.neigh)))
		tell_unreached(st);
}

unsigned pc_stack_poll(struct pc_stack *st, uint64_t now_ns)
{
	unsigned n = 0;

	advance(st, now_ns);
	st->ctx.turn++;
	check_mbufs(&st->ctx);
	if (unlikely(mail_is_there(st->mail)))
		mail_take(st->mail, st);
	/* what the last turn has left, if the caller did not flush */
	send_all(st);
	for (uint8_t i = 0; i < st->ip.ifs.n; i++) {
		const unsigned got = stack_rx(st, i);

		n += got;
		if (got != 0 && i + 1 < st->ip.ifs.n)
			check_mbufs(&st->ctx);
	}
	if (unlikely(st->nb_exceptions != 0))
		n += poll_exceptions(st);
	if (unlikely(loop_count(&st->ip.ifs.loop) != 0))
		n += stack_rx(st, NETIF_LO);
	/* answers do not wait for timers, and timers for one turn at most */
	st->timers_wait = n != 0 && !st->timers_wait;
	if (!st->timers_wait)
		fire_timers(st);
	return n;
}

void pc_stack_flush(struct pc_stack *st, uint64_t now_ns)
{
	advance(st, now_ns);
	send_all(st);
}

/* Converts a time of the stack's clock to the caller's clock. */
static uint64_t given(const struct ctx *ctx, uint64_t at_ns)
{
	if (at_ns == UINT64_MAX)
		return at_ns;
	return at_ns > ctx->behind_ns ? at_ns - ctx->behind_ns : 0;
}

uint64_t pc_stack_next_deadline(const struct pc_stack *st)
{
	return given(&st->ctx, next_due(st));
}
