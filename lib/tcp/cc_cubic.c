/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CUBIC (RFC 9438).
 *
 * In congestion avoidance cwnd follows a cubic function of the time since the last reduction, whose
 * plateau is the window at that reduction; where Reno would be faster, it follows Reno.
 *
 * Time: an epoch's clock advances with acknowledgements while cwnd limits the connection, so that
 * it stands still while the application has nothing to send (sections 4.2 and 5.8).
 *
 * Everything is integer arithmetic: windows in bytes, C = 0.4 segments/s^3, beta = 7/10, alpha = 3
 * (1 - beta) / (1 + beta) = 9/17.
 */
#include "tcp/cc_cubic.h"

#include <string.h>

#include <rte_common.h>

#include "tcp/cc.h"
#include "tcp/hystart.h"

#define BETA(w)     ((uint32_t)((uint64_t)(w)*7 / 10))
#define ALPHA_NUM   9
#define ALPHA_DENOM 17
#define T_MAX_MS    500000 /* beyond that the function exceeds any possible window */

/* what a reduction changes, saved in case it was spurious (section 4.9) */
struct epoch {
	uint32_t w_max; /* 0: none known */
	uint32_t prior; /* cwnd_prior */
	uint32_t w_est; /* 0: congestion avoidance has not begun */
	uint32_t k_ms;
	uint32_t clock_ms;
};

struct cubic {
	struct epoch e;
	uint32_t clock_us; /* the fraction of clock_ms, below 1000 */
	uint32_t last_us;  /* when the clock was last advanced, if has_last */
	uint32_t credit;   /* remainders of the growth of cwnd, and of w_est */
	uint32_t est_credit;
	union {
		struct hystart hystart; /* while ssthresh is not known */
		struct epoch undo;      /* afterwards: what the last reduction changed */
	};
	bool has_last;
};

static_assert(sizeof(struct cubic) <= sizeof(((struct tcp_queues *)0)->cc_state), "it fits");

static struct cubic *cubic_of(struct tcp_queues *q)
{
	return (struct cubic *)(void *)q->cc_state;
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

uint32_t cubic_root(uint64_t a)
{
	uint64_t root = 0;

	/* bit by bit; 2642245 is the cube root of 2^64 */
	for (int bit = 21; bit >= 0; bit--) {
		uint64_t next = root | 1ull << bit;

		if (next <= 2642245 && next * next * next <= a)
			root = next;
	}
	return (uint32_t)root;
}

/* K = cbrt((W_max - cwnd_epoch) / C), in ms: cbrt(segments / 0.4 * 10^9) */
uint32_t cubic_k_ms(uint32_t w_max, uint32_t cwnd, uint32_t mss)
{
	if (w_max <= cwnd)
		return 0;
	return cubic_root((uint64_t)(w_max - cwnd) * 2500000000ull / mss);
}

/* C (t - K)^3 + W_max */
uint32_t cubic_window(uint32_t w_max, uint32_t k_ms, uint64_t t_ms, uint32_t mss)
{
	uint64_t d = t_ms > k_ms ? t_ms - k_ms : k_ms - t_ms, bytes;

	d = RTE_MIN(d, (uint64_t)T_MAX_MS);
	bytes = d * d * d / 1000 * mss / 2500000;
	if (t_ms < k_ms)
		return w_max > bytes ? w_max - (uint32_t)bytes : 0;
	return (uint32_t)RTE_MIN(w_max + bytes, (uint64_t)UINT32_MAX);
}

/* ---- congestion avoidance -------------------------------------------------------------------- */

static void advance_clock(struct cubic *c, uint32_t now_us, bool count)
{
	uint32_t us = c->has_last && count ? now_us - c->last_us : 0;

	c->last_us = now_us;
	c->has_last = true;
	us += c->clock_us;
	c->clock_us = us % 1000;
	if (c->e.clock_ms < INT32_MAX / 2)
		c->e.clock_ms += us / 1000;
}

static void begin_epoch(struct cubic *c, const struct tcb *t)
{
	/* after slow start without a loss, or after a time-out, the plateau is here (4.8, 4.10) */
	if (c->e.w_max < t->cwnd)
		c->e.w_max = t->cwnd;
	if (c->e.prior == 0)
		c->e.prior = t->cwnd;
	c->e.k_ms = cubic_k_ms(c->e.w_max, t->cwnd, t->mss);
	c->e.w_est = t->cwnd;
	c->e.clock_ms = 0;
	c->clock_us = c->credit = c->est_credit = 0;
	c->has_last = false;
}

/* section 4.3: W_est += alpha * segments_acked / cwnd; alpha is 1 once it is back at cwnd_prior */
static void advance_estimate(struct cubic *c, const struct tcb *t, uint32_t acked)
{
	uint32_t alpha = c->e.w_est < c->e.prior ? ALPHA_NUM : ALPHA_DENOM;
	uint64_t due = (uint64_t)acked * alpha * t->mss + c->est_credit;
	uint64_t per = (uint64_t)ALPHA_DENOM * t->cwnd;

	c->e.w_est += (uint32_t)(due / per);
	c->est_credit = (uint32_t)RTE_MIN(due % per, (uint64_t)UINT32_MAX);
}

/* sections 4.4 and 4.5: a window's worth of acknowledgements brings cwnd to the target, the value
 * of the function one round trip from now */
static void follow_function(struct cubic *c, struct tcb *t, uint32_t acked)
{
	uint32_t target = cubic_window(c->e.w_max, c->e.k_ms,
	                               (uint64_t)c->e.clock_ms + t->srtt_us / 1000, t->mss);
	uint64_t due;

	target = RTE_MAX(target, t->cwnd);
	target = RTE_MIN(target, t->cwnd + t->cwnd / 2);
	due = (uint64_t)(target - t->cwnd) * acked + c->credit;
	c->credit = (uint32_t)(due % t->cwnd);
	t->cwnd += (uint32_t)RTE_MIN(due / t->cwnd, (uint64_t)(target - t->cwnd));
}

static void cubic_on_ack(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a)
{
	struct cubic *c = cubic_of(q);
	bool limited = cc_is_limited(t, a->flight);

	if (t->cwnd < t->ssthresh) {
		/* section 4.10: a new epoch follows slow start, however that began */
		c->e.w_est = 0;
		cc_slow_start(t, q, a, &c->hystart);
		return;
	}
	if (c->e.w_est == 0) {
		begin_epoch(c, t);
		q->keep = true;
	}
	advance_clock(c, a->now_us, limited);
	if (!limited)
		return;
	advance_estimate(c, t, a->acked);
	if (cubic_window(c->e.w_max, c->e.k_ms, c->e.clock_ms, t->mss) < c->e.w_est)
		t->cwnd = RTE_MAX(t->cwnd, c->e.w_est);
	else
		follow_function(c, t, a->acked);
}

/* ---- reductions ------------------------------------------------------------------------------ */

static void end_epoch(struct cubic *c, const struct tcb *t)
{
	c->e.prior = t->cwnd;
	c->e.w_est = 0;
}

/* section 4.6 */
static void cubic_on_loss(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	struct cubic *c = cubic_of(q);
	uint32_t w_max = c->e.w_max;

	c->undo = c->e;
	end_epoch(c, t);
	/* section 4.7, fast convergence: below the last plateau, yield to new flows */
	c->e.w_max = t->cwnd < w_max ? (uint32_t)((uint64_t)t->cwnd * 17 / 20) : t->cwnd;
	t->ssthresh = RTE_MAX(BETA(flight), 2u * t->mss);
	t->cwnd = t->ssthresh;
	q->keep = true;
}

/* section 4.6: here cwnd may be a single segment */
static void cubic_on_ecn(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	cubic_on_loss(t, q, flight);
	t->cwnd = RTE_MAX(BETA(flight), (uint32_t)t->mss);
}

/* section 4.8: the next plateau is where congestion avoidance begins */
static void cubic_on_timeout(struct tcb *t, struct tcp_queues *q, uint32_t flight)
{
	if (q != NULL) {
		struct cubic *c = cubic_of(q);

		if (q->recovery == TCP_R_OPEN) /* else undo is from before the recovery */
			c->undo = c->e;
		end_epoch(c, t);
		c->e.w_max = 0;
	}
	t->ssthresh = RTE_MAX(BETA(flight), 2u * t->mss);
	t->cwnd = t->mss;
}

static void cubic_on_undo(struct tcb *t, struct tcp_queues *q)
{
	struct cubic *c = cubic_of(q);

	c->e = c->undo;
	c->has_last = false;
	if (t->ssthresh == UINT32_MAX)
		memset(&c->hystart, 0, sizeof(c->hystart));
}

/* idle time does not count */
static void cubic_on_start(struct tcb *t, struct tcp_queues *q, const struct cc_turn *turn)
{
	(void)t;
	(void)turn;
	cubic_of(q)->has_last = false;
}

const struct cc_ops cc_cubic = {.name = "cubic",
                                .plain = true,
                                .on_ack = cubic_on_ack,
                                .on_loss = cubic_on_loss,
                                .on_ecn = cubic_on_ecn,
                                .on_timeout = cubic_on_timeout,
                                .on_undo = cubic_on_undo,
                                .on_start = cubic_on_start};
