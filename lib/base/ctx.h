/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_CTX_H
#define BASE_CTX_H

/*
 * The context that all layers of a stack share: time (set once per turn), random numbers, counters,
 * settings and the mbuf pool.  Each stack contains one struct ctx, and each layer keeps a pointer
 * to it; there is no other way to get at any of this.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include <percore/config.h>
#include <percore/stats.h>

#include "rng.h"
#include "strangers.h"

/* One timer tick is 2^16 ns = 65.536 us; a 32-bit tick count wraps after 78 hours. */
#define TICK_SHIFT 16

/* One mbuf in MBUFS_KEPT is reserved for acknowledgements and for data in flight.  Mbufs are low
 * when only the reserve is left, and scarce when less than twice the reserve is.  A single buffer
 * may grow to one in MBUFS_SHARE of the other mbufs. */
#define MBUFS_KEPT  16
#define MBUFS_SHARE 8

/* The least reserve: a burst of data may be accepted before mbufs are seen to be low, and half of
 * the reserve must be left then. */
#define MBUFS_LEAST 128

/** mbufs_kept returns how many mbufs of a pool are reserved. */
static inline uint32_t mbufs_kept(uint32_t size)
{
	return RTE_MAX(size / MBUFS_KEPT, RTE_MIN((uint32_t)MBUFS_LEAST, size / 4));
}

/* Freed mbufs are returned to the pool in batches of this size. */
#define CTX_DONE 64

struct ctx {
	uint64_t now_ns;     /* of this turn */
	uint64_t given_ns;   /* the same by the caller's clock, which lags by behind_ns */
	uint64_t behind_ns;  /* because it ran backwards; 0: it never did */
	uint64_t far_ns;     /* a longer gap between turns is examined (stack/poll.c) */
	uint64_t stall_ns;   /* when the lcore resumed after a stall; 0: never */
	uint32_t rtt_end_us; /* round trips this long include a stall; 0: none lately */
	uint64_t epoch_ns;   /* time of the first turn; the clocks below count from it, so that */
	bool has_epoch;      /* timers armed before the first turn count from that turn */
	uint32_t now_us;     /* modulo 2^32 us; for RTT samples */
	uint32_t now_ms;     /* modulo 2^32 ms; for timestamps */
	uint32_t tick;       /* modulo 2^32 ticks; for timers */
	uint16_t turn;       /* modulo 2^16 turns; frames received in one turn arrived together */
	uint16_t era;        /* modulo 2^16, in units of 2^22 ms (70 minutes); for idleness */
	int64_t wall_s;      /* seconds since 1970, maintained by run/; 0 with any other clock */
	uint64_t (*time_of_day)(void); /* ns since 1970, by the system's clock; NULL: now_ns */
	uint64_t day_ns, day_of_ns;    /* what it returned, and in which turn (ctx_time_of_day) */
	bool mbufs_scarce;        /* less than an eighth of the pool is left: no new connections */
	bool mbufs_low;           /* only the reserve is left: refuse what can be refused */
	uint32_t mbufs_last;      /* while low: mbufs for connections that hold none, or keep up */
	uint32_t mbufs_reserve;   /* beyond those: for in-order data of others (tcp/pressure.h) */
	uint16_t low_check;       /* turns or bursts until the pool is counted again */
	uint32_t mbufs_spare;     /* how many new data may still take before mbufs are low */
	uint32_t mbufs_small;     /* the part of these that large buffers leave to small ones */
	struct rte_mempool *pool; /* mbufs for frames to send */
	struct pc_stack_config cfg; /* changed only by pc_stack_reconfigure, between turns */
	struct rng rng;
	bool handed_on; /* without a socket, the kernel answers, not us (stack/exception.h) */
	struct strangers *strangers; /* of the port whose burst is being processed; NULL: none */
	uint32_t nb_done;
	struct rte_mbuf *done[CTX_DONE]; /* to be freed, see ctx_free */
	struct pc_counters counters;
};

/** ctx_set_time sets the time of this turn to now_ns; time never goes backwards. */
static inline void ctx_set_time(struct ctx *ctx, uint64_t now_ns)
{
	uint64_t age_ns;

	if (unlikely(!ctx->has_epoch)) {
		ctx->has_epoch = true;
		ctx->epoch_ns = now_ns;
	}
	if (unlikely(now_ns < ctx->now_ns))
		return;
	age_ns = now_ns - ctx->epoch_ns;
	ctx->now_ns = now_ns;
	ctx->now_us = (uint32_t)(age_ns / 1000);
	ctx->now_ms = (uint32_t)(age_ns / 1000000);
	ctx->era = (uint16_t)(age_ns / 1000000 >> 22);
	ctx->tick = (uint32_t)(age_ns >> TICK_SHIFT);
}

/**
 * ctx_time_of_day returns ns since 1970, for timestamps of packets.  As in Linux it is the system's
 * clock.  The stack's own clock starts from it, but drifts by a few parts in a million; correcting
 * that in steps would make timestamps run backwards.  The clock is read once per turn at most.
 */
uint64_t ctx_time_of_day(struct ctx *ctx);

/** ctx_count adds one to a counter. */
static inline void ctx_count(struct ctx *ctx, int counter)
{
	ctx->counters.value[counter]++;
}

/** ctx_add adds n to a counter. */
static inline void ctx_add(struct ctx *ctx, int counter, uint64_t n)
{
	ctx->counters.value[counter] += n;
}

/** ctx_may_answer says whether a stranger may be answered, and counts the answer (strangers.h). */
static inline bool ctx_may_answer(struct ctx *ctx)
{
	return ctx->strangers == NULL || strangers_ask(ctx->strangers);
}

/** ctx_answers_are_spent says whether the next stranger will get no answer. */
static inline bool ctx_answers_are_spent(const struct ctx *ctx)
{
	return ctx->strangers != NULL && strangers_are_done(ctx->strangers);
}

/** ctx_seconds returns the turn's time in seconds; it wraps after 136 years. */
static inline uint32_t ctx_seconds(const struct ctx *ctx)
{
	return (uint32_t)(ctx->now_ns / 1000000000);
}

/** ticks_from_ms rounds up, and adds the current, partial tick: a timer never fires early. */
static inline uint32_t ticks_from_ms(uint64_t ms)
{
	return (uint32_t)((ms * 1000000 + (2u << TICK_SHIFT) - 1) >> TICK_SHIFT);
}

/** ticks_from_us does the same for microseconds. */
static inline uint32_t ticks_from_us(uint64_t us)
{
	return (uint32_t)((us * 1000 + (2u << TICK_SHIFT) - 1) >> TICK_SHIFT);
}

/** ctx_is_short says whether only those mbufs are left that large buffers leave to small ones, or
 * fewer. */
static inline bool ctx_is_short(const struct ctx *ctx)
{
	return ctx->mbufs_spare <= ctx->mbufs_small;
}

/**
 * ctx_may_keep says whether n mbufs of received data that nobody has read yet may be kept while
 * mbufs are low, and if so counts them. They take only half of mbufs_last: a program that reads no
 * more than it can pass on needs the other half to send with, or it would never read again.
 */
static inline bool ctx_may_keep(struct ctx *ctx, uint32_t n)
{
	if (ctx->mbufs_last < n + mbufs_kept(ctx->pool->size) / 4)
		return false;
	ctx->mbufs_last -= n;
	return true;
}

/**
 * ctx_earlier sets *tick to the tick of ns if that is earlier, or if there is no deadline yet
 * (any false).  An ns of UINT64_MAX means never.  Returns whether *tick is a deadline now.
 */
bool ctx_earlier(const struct ctx *ctx, uint64_t ns, bool any, uint32_t *tick);

/** ctx_free_done returns the mbufs that ctx_free has gathered to the pool. */
void ctx_free_done(struct ctx *ctx);

/** ctx_free frees an mbuf, a chain or a reference to one.  The usual case, a single unshared mbuf
 * of this stack's pool, is gathered and returned in a batch, at the end of the turn at the latest;
 * this saves 45 instructions. */
static inline void ctx_free(struct ctx *ctx, struct rte_mbuf *m)
{
	if (unlikely(m->nb_segs != 1 || m->next != NULL || m->pool != ctx->pool ||
	             rte_mbuf_refcnt_read(m) != 1 || !RTE_MBUF_DIRECT(m))) {
		rte_pktmbuf_free(m);
		return;
	}
	ctx->done[ctx->nb_done++] = m;
	if (unlikely(ctx->nb_done == CTX_DONE))
		ctx_free_done(ctx);
}

/* The part of ctx_mbuf that allocates from the pool. */
struct rte_mbuf *ctx_mbuf_of_pool(struct ctx *ctx);

/** ctx_mbufs_expect has the next n calls of ctx_mbuf find their mbufs ready, if there are so many,
 * and no more than CTX_DONE: taken from the pool together, each costs 30 instructions less. */
void ctx_mbufs_expect(struct ctx *ctx, uint32_t n);

/** ctx_mbuf returns an empty mbuf with full headroom, or NULL (counted as tx_no_mbuf).  It reuses
 * the mbuf that was freed last, if any, since that is still in the CPU's cache. */
static inline struct rte_mbuf *ctx_mbuf(struct ctx *ctx)
{
	struct rte_mbuf *m;

	if (unlikely(ctx->nb_done == 0))
		return ctx_mbuf_of_pool(ctx);
	m = ctx->done[--ctx->nb_done];
	rte_pktmbuf_reset(m);
	return m;
}

#endif
