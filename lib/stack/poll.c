/* SPDX-License-Identifier: BSD-2-Clause */
/* One turn of a stack: poll receives and fires timers, flush sends. */

#include <rte_branch_prediction.h>
#include <rte_mempool.h>

#include "base/seq.h"
#include "stack/stack.h"

/* counting a pool looks at every lcore's cache, so it is done once in so many turns */
#define LOW_CHECK_TURNS 64
/* 2^30 ticks, 19.5 hours: timers tell the past from the future within 2^31 */
#define LEAP_MAX_NS (1ull << (30 + TICK_SHIFT))
/* later than this after its deadline a turn is late */
#define STALL_NS UINT64_C(1000000000)
/* ... and after this what was sent before is acknowledged, or sent again */
#define STALL_OVER_NS UINT64_C(4000000000)

/*
 * What is refused first is what hurts least: new connections when an eighth of the mbufs is left, then
 * out-of-order data and what applications want to send, when it is a sixteenth.  That is kept for
 * acknowledgements and for what is under way, and half of it for acknowledgements alone: devices receive
 * into the same pool, and were all of it held by what waits to be acknowledged, nothing could free it.  Half of that half
 * may be taken by data in order that is read at once: acknowledgements come of nothing else.
 * What may be taken for new data is counted down where it is taken (mbufs_spare): many connections can take a
 * whole pool within one turn, and then neither an ACK could come in nor a retransmission go out.
 */
static void check_mbufs(struct ctx *ctx)
{
	const uint32_t kept = mbufs_kept(ctx->pool->size);
	uint32_t available;

	/* what has come back since is not counted either: before large buffers are kept small, look */
	if (ctx->low_check-- > 0 && ctx->mbufs_spare > ctx->mbufs_small)
		return;
	available = rte_mempool_avail_count(ctx->pool);
	ctx->mbufs_spare = available > kept ? available - kept : 0;
	ctx->mbufs_low = ctx->mbufs_spare == 0;
	ctx->mbufs_scarce = ctx->mbufs_spare < kept;
	ctx->mbufs_last = available > kept / 2 ? RTE_MIN(available, kept) - kept / 2 : 0;
	ctx->mbufs_reserve = available > kept / 4 ? RTE_MIN(available, kept / 2) - kept / 4 : 0;
	/* what is received is not counted: look again before it could take what is kept */
	ctx->low_check = (uint16_t)RTE_MIN(ctx->mbufs_spare / 128, (uint32_t)LOW_CHECK_TURNS);
}

/* a tick of this stack's near future as a time */
static uint64_t time_of(const struct pc_stack *st, uint32_t tick)
{
	int32_t ahead = seq_diff(tick, st->ctx.tick);

	if (ahead <= 0)
		return st->ctx.now_ns;
	return st->ctx.epoch_ns +
	       ((((st->ctx.now_ns - st->ctx.epoch_ns) >> TICK_SHIFT) + (uint32_t)ahead)
	        << TICK_SHIFT);
}

/* when there is something to do, by the stack's time; UINT64_MAX: never */
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
 * A turn that comes a second after the deadline that was told: the lcore has stood still (a SIGSTOP, a virtual
 * machine that was moved, a handler that took long). What came meanwhile has lain in the ring, and how long it did says
 * nothing of the path: a round trip of a minute would have each connection wait as long for its next repetition. So for
 * a while what was sent before is not measured.
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
		ctx->far_ns = 0; /* each turn is looked at */
		ctx->rtt_end_us = (uint32_t)((now_ns - ctx->stall_ns) / 1000) + 1;
	} else {
		ctx->far_ns = STALL_NS;
		ctx->rtt_end_us = 0;
	}
}

/* A clock that is set back, for a moment or for good, does not stop time: it goes on from where it was. One that leaps
 * over days (a machine that slept) is followed in steps, firing what is due in each. */
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
	if (unlikely(given_ns - ctx->given_ns > ctx->far_ns)) /* or before it */
		advance_far(st, given_ns);
	ctx->given_ns = given_ns;
	ctx_set_time(ctx, given_ns + ctx->behind_ns);
}

/* most turns of an idle lcore have nothing to send */
static void send_all(struct pc_stack *st)
{
	if (st->tcp->work_head != 0 || st->tcp->told)
		tcp_flush(st->tcp);
	netifs_flush(&st->ip.ifs);
	if (st->ctx.nb_done != 0)
		ctx_free_done(&st->ctx);
}

/* what the kernel has sent */
static unsigned poll_exceptions(struct pc_stack *st)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < st->ip.ifs.n; i++)
		if (st->exceptions[i].kernel != NULL)
			n += exception_poll(&st->exceptions[i], &st->ctx);
	return n;
}

unsigned pc_stack_poll(struct pc_stack *st, uint64_t now_ns)
{
	unsigned n = 0;

	advance(st, now_ns);
	st->ctx.turn++;
	check_mbufs(&st->ctx);
	if (unlikely(mail_is_there(st->mail)))
		mail_take(st->mail, st);
	/* what the last turn has left unsent, if its caller did not flush */
	send_all(st);
	for (uint8_t i = 0; i < st->ip.ifs.n; i++)
		n += stack_rx(st, i);
	if (unlikely(st->nb_exceptions != 0))
		n += poll_exceptions(st);
	if (unlikely(loop_count(&st->ip.ifs.loop) != 0))
		n += stack_rx(st, NETIF_LO);
	tcp_poll(st->tcp);
	ip_poll(&st->ip);
	return n;
}

void pc_stack_flush(struct pc_stack *st, uint64_t now_ns)
{
	advance(st, now_ns);
	send_all(st);
}

/* the caller's time for one of the stack */
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
