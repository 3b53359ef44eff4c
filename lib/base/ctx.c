/* SPDX-License-Identifier: BSD-2-Clause */

/* Time of the turn and mbufs to send; see ctx.h. */

#include "base/ctx.h"

#include <rte_mbuf.h>

#include "base/seq.h"

uint64_t ctx_time_of_day(struct ctx *ctx)
{
	if (ctx->time_of_day == NULL)
		return ctx->now_ns;
	if (ctx->day_ns == 0 || ctx->day_of_ns != ctx->now_ns) {
		ctx->day_ns = ctx->time_of_day();
		ctx->day_of_ns = ctx->now_ns;
	}
	return ctx->day_ns;
}

/* Returns the tick by which a time has come; past times are due now. */
static uint32_t tick_of(const struct ctx *ctx, uint64_t ns)
{
	if (ns <= ctx->now_ns)
		return ctx->tick;
	return ctx->tick +
	       (uint32_t)RTE_MIN(((ns - ctx->now_ns) >> TICK_SHIFT) + 1, (uint64_t)INT32_MAX);
}

bool ctx_earlier(const struct ctx *ctx, uint64_t ns, bool any, uint32_t *tick)
{
	uint32_t due;

	if (ns == UINT64_MAX)
		return any;
	due = tick_of(ctx, ns);
	*tick = any ? seq_min(*tick, due) : due;
	return true;
}

struct rte_mbuf *ctx_mbuf_of_pool(struct ctx *ctx)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(ctx->pool);

	if (unlikely(m == NULL))
		ctx_count(ctx, PC_TX_NO_MBUF);
	return m;
}

void ctx_mbufs_expect(struct ctx *ctx, uint32_t n)
{
	n = RTE_MIN(n, (uint32_t)CTX_DONE);
	if (n <= ctx->nb_done)
		return;
	n -= ctx->nb_done;
	if (likely(rte_mempool_get_bulk(ctx->pool, (void **)&ctx->done[ctx->nb_done], n) == 0))
		ctx->nb_done += n;
}

void ctx_free_done(struct ctx *ctx)
{
	if (ctx->nb_done > 0)
		rte_mempool_put_bulk(ctx->pool, (void **)ctx->done, ctx->nb_done);
	ctx->nb_done = 0;
}
