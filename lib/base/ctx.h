/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_CTX_H
#define BASE_CTX_H

/*
 * The context that all layers of a stack share: time (set once per turn), random numbers, counters,
 * settings and the mbuf pool.  Each layer keeps a pointer to the one struct ctx that its stack
 * contains; nothing here is reached in any other way.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include <percore/config.h>
#include <percore/stats.h>

#include "rng.h"
#include "strangers.h"

/* One tick of the timers is 2^16 ns = 65.536 us; 32 bits of them wrap in 78 hours. */
#define TICK_SHIFT 16

/* One mbuf in so many is kept for acknowledgements and what is under way: mbufs are low when no more are
 * left, and scarce when twice as many are.  One buffer may grow to one in so many of the others. */
#define MBUFS_KEPT  16
#define MBUFS_SHARE 8

/* A burst of data is taken before it is seen that mbufs are low, and half of what is kept must be left then. */
#define MBUFS_LEAST 128

/** mbufs_kept returns how many mbufs of a pool are kept. */
static inline uint32_t mbufs_kept(uint32_t size)
{
	return RTE_MAX(size / MBUFS_KEPT, RTE_MIN((uint32_t)MBUFS_LEAST, size / 4));
}

/* mbufs that are done with go back to the pool so many at a time */
#define CTX_DONE 64

struct ctx {
	uint64_t now_ns;     /* of this turn */
	uint64_t given_ns;   /* the same by the caller's clock, which is behind by behind_ns */
	uint64_t behind_ns;  /* since it ran backwards; 0: it never did */
	uint64_t far_ns;     /* a turn so long after the one before is looked at (stack/poll.c) */
	uint64_t stall_ns;   /* when the lcore went on after it had stood still */
	uint32_t rtt_end_us; /* longer round trips have a stall in them; 0: there was none lately */
	uint64_t epoch_ns;   /* of the first turn; what follows is counted from there, so that */
	bool has_epoch;      /* what is armed before the first turn is armed for its time */
	uint32_t now_us;     /* modulo 2^32 us; for RTT samples */
	uint32_t now_ms;     /* modulo 2^32 ms; for timestamps */
	uint32_t tick;       /* modulo 2^32 ticks; for timers */
	uint16_t turn;       /* modulo 2^16 turns; what has come in one turn has come at once */
	uint16_t era;        /* modulo 2^16 times 2^22 ms, which are 70 minutes; for idleness */
	int64_t wall_s;      /* seconds since 1970, kept by run/; 0 under any other clock */
	uint64_t (*time_of_day)(void); /* ns since 1970, by the system; NULL: now_ns */
	uint64_t day_ns, day_of_ns;    /* what it said, and when; see ctx_time_of_day */
	bool mbufs_scarce; /* less than an eighth of the pool is left: no new connections */
	bool mbufs_low;    /* pool nearly empty: refuse what can be refused */
	uint32_t
	    mbufs_last; /* while mbufs are low: segments that may be taken from, or for, who has none */
	uint32_t mbufs_reserve; /* beyond those: for data in order of others (tcp/pressure.h) */
	uint16_t low_check;     /* turns until mbufs_low is looked at again */
	uint32_t
	    mbufs_spare; /* how many more may be taken for new data before the pool counts as low */
	uint32_t
	    mbufs_small; /* the last of these are for small buffers: large ones do not make mbufs scarce */
	struct rte_mempool *pool;   /* the mbufs of what is sent */
	struct pc_stack_config cfg; /* changed by pc_stack_reconfigure only, between turns */
	struct rng rng;
	bool handed_on; /* the kernel answers for want of a socket (stack/exception.h) */
	struct strangers *strangers; /* of the port whose burst is worked on; NULL: of none */
	uint32_t nb_done;
	struct rte_mbuf *done[CTX_DONE]; /* to be freed, see ctx_free */
	struct pc_counters counters;
};

/** ctx_set_time makes now_ns the time of this turn; time never goes back. */
void ctx_set_time(struct ctx *ctx, uint64_t now_ns);

/**
 * ctx_time_of_day returns ns since 1970, for what carries a time stamp.  As with Linux it is the system's own clock: the
 * stack's begins with it, but a rate that is off by a few parts in a million would have to be made up for by steps, and
 * stamps would run backwards.  All that comes in one turn has come at once.
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

/** ctx_may_answer says whether a stranger is answered (strangers.h). */
static inline bool ctx_may_answer(struct ctx *ctx)
{
	return ctx->strangers == NULL || strangers_ask(ctx->strangers);
}

/** ctx_answers_are_spent says that the next stranger is not. */
static inline bool ctx_answers_are_spent(const struct ctx *ctx)
{
	return ctx->strangers != NULL && strangers_are_done(ctx->strangers);
}

/** ticks_from_ms rounds up, and adds the tick that has begun: a timer never fires early. */
static inline uint32_t ticks_from_ms(uint64_t ms)
{
	return (uint32_t)((ms * 1000000 + (2u << TICK_SHIFT) - 1) >> TICK_SHIFT);
}

/** ticks_from_us does the same for microseconds. */
static inline uint32_t ticks_from_us(uint64_t us)
{
	return (uint32_t)((us * 1000 + (2u << TICK_SHIFT) - 1) >> TICK_SHIFT);
}

/**
 * ctx_earlier makes *tick, which is a deadline if any is true, that of a time if it is earlier.
 * UINT64_MAX is no time. Returns whether there is a deadline now.
 */
bool ctx_earlier(const struct ctx *ctx, uint64_t ns, bool any, uint32_t *tick);

/** ctx_free_done gives back the mbufs that ctx_free has gathered. */
void ctx_free_done(struct ctx *ctx);

/** ctx_free frees an mbuf, a chain or a reference to one. What nearly all are, whole mbufs of this stack's pool
 * that nobody else holds, are gathered and given back together, at the latest at the end of the turn:
 * 45 instructions less. */
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

/* The part of the next that asks the pool. */
struct rte_mbuf *ctx_mbuf_of_pool(struct ctx *ctx);

/** ctx_mbuf returns an empty mbuf with full headroom, or NULL (counted as tx_no_mbuf). It is the one that was done
 * with last, if any, which is still in the cache. */
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
