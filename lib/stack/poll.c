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

/*
 * What is refused first is what hurts least: new connections when an eighth of the mbufs is left, then
 * out-of-order data and what applications want to send, when it is a sixteenth.  That is kept for
 * acknowledgements and for what is under way, and half of it for acknowledgements alone: devices receive
 * into the same pool, and were all of it held by what waits to be acknowledged, nothing could free it.
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
	/* what is received is not counted: look again before it could take what is kept */
	ctx->low_check = (uint16_t)RTE_MIN(ctx->mbufs_spare / 128, (uint32_t)LOW_CHECK_TURNS);
}

/* A clock that is set back, for a moment or for good, does not stop time: it goes on from where it was.
 * Returns the time of the stack for one of the caller's. */
static uint64_t heed(struct ctx *ctx, uint64_t given_ns)
{
	if (unlikely(given_ns < ctx->given_ns)) {
		ctx->behind_ns += ctx->given_ns - given_ns;
		ctx_count(ctx, PC_CLOCK_BACKWARDS);
	}
	ctx->given_ns = given_ns;
	return given_ns + ctx->behind_ns;
}

/* a clock that leaps over days (a machine that slept) is followed in steps, firing what is due in each */
static void advance(struct pc_stack *st, uint64_t given_ns)
{
	struct ctx *ctx = &st->ctx;
	uint64_t now_ns;

	if (given_ns == ctx->given_ns && ctx->has_epoch) /* the same turn */
		return;
	now_ns = heed(ctx, given_ns);
	while (ctx->has_epoch && now_ns > ctx->now_ns && now_ns - ctx->now_ns > LEAP_MAX_NS) {
		ctx_set_time(ctx, ctx->now_ns + LEAP_MAX_NS);
		tcp_poll(st->tcp);
		ip_poll(&st->ip);
	}
	ctx_set_time(ctx, now_ns);
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

/* the caller's time for one of the stack */
static uint64_t given(const struct ctx *ctx, uint64_t at_ns)
{
	if (at_ns == UINT64_MAX)
		return at_ns;
	return at_ns > ctx->behind_ns ? at_ns - ctx->behind_ns : 0;
}

uint64_t pc_stack_next_deadline(const struct pc_stack *st)
{
	uint64_t at = UINT64_MAX;
	uint32_t tick;

	if (mail_is_there(st->mail) || loop_count(&st->ip.ifs.loop) != 0 ||
	    st->ip.ifs.netif[NETIF_LO].txq.n != 0)
		return given(&st->ctx, st->ctx.now_ns);
	if (tcp_next(st->tcp, &tick))
		at = time_of(st, tick);
	if (ip_next(&st->ip, &tick))
		at = RTE_MIN(at, time_of(st, tick));
	for (uint16_t i = 0; i < st->ip.ifs.n; i++) {
		const struct netif *nif = &st->ip.ifs.netif[i];

		if (nif->txq.n > 0)
			return given(&st->ctx, st->ctx.now_ns);
		if (nif->port->ops->next_deadline != NULL)
			at = RTE_MIN(at, nif->port->ops->next_deadline(nif->port));
	}
	return given(&st->ctx, at);
}
