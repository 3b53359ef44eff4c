/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_CC_H
#define TCP_CC_H

/*
 * Congestion control: a const struct of functions that set cwnd and ssthresh, in bytes.  What is
 * lost and what is sent is decided elsewhere.  An algorithm's own state is q->cc_state, zeroed at
 * first; the algorithm sets q->keep if the state is worth keeping while the connection is idle.
 * Kept state may be taken away all the same; then it is zeroed again.
 */

#include <stddef.h>
#include <stdint.h>

#include "tcp/tcb.h"

/** What an acknowledgement means to the congestion control. */
struct cc_ack {
	uint32_t acked;     /* bytes newly acknowledged */
	uint32_t delivered; /* ... or reported by SACK for the first time */
	uint32_t flight;    /* bytes under way before that */
	uint32_t inflight;  /* bytes under way after it, as far as known */
	uint32_t rtt_us;    /* round trip that it measured; 0: none */
	uint32_t now_us;    /* modulo 2^32 */
	bool hystart;       /* tcp.hystart */
	bool ece;           /* it says that packets were marked (RFC 3168) */
};

struct cc_slots;
struct rng;

/** What a turn's sending means to the congestion control. */
struct cc_turn {
	uint32_t now_us;        /* modulo 2^32 */
	struct rng *rng;        /* the stack's randomness */
	struct cc_slots *slots; /* memory to be had */
	/* on_output only: */
	uint32_t sent;     /* bytes sent in this turn, repeated ones included */
	uint32_t inflight; /* bytes under way now */
	bool cwnd_limited; /* there is more, but cwnd is used up */
	bool drained;      /* there is nothing more, but cwnd would allow it */
};

#define CC_NAME_MAX 16 /* TCP_CA_NAME_MAX */

struct cc_ops {
	const char *name; /* as TCP_CONGESTION has it, below CC_NAME_MAX bytes */
	bool needs_ecn;   /* asks for ECN whatever tcp.ecn says; all its packets may be marked */
	/** It does not care for an acknowledgement of all that was under way while cwnd does not limit, nor in
	 * slow start for on_start; and it neither paces nor has on_any_ack, on_model, on_output or release. */
	bool plain;
	/** New data was acknowledged outside fast recovery, without ECE. NULL: see on_model. */
	void (*on_ack)(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a);
	/** New data was acknowledged, whatever else; before on_ack and on_ecn. May be NULL. */
	void (*on_any_ack)(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a);
	/** Loss was detected by acknowledgements: sets ssthresh, and cwnd to it. */
	void (*on_loss)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** Packets were marked, told once per window: sets ssthresh, and cwnd to it. */
	void (*on_ecn)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** The first time-out of a segment: sets ssthresh, and cwnd to one segment; q may be NULL. */
	void (*on_timeout)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** The loss was none; cwnd and ssthresh have been restored. May be NULL. */
	void (*on_undo)(struct tcb *t, struct tcp_queues *q);
	/** Something is about to be sent while nothing is under way. May be NULL. */
	void (*on_start)(struct tcb *t, struct tcp_queues *q, const struct cc_turn *c);

	/* for algorithms that go by a model of the path; all may be NULL */

	/** Something was delivered, or found lost: sets cwnd, in recovery too. An algorithm that has it
	 * stands in for on_ack, PRR, and the restart after idleness; ssthresh is nothing to it. */
	void (*on_model)(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a);
	/** A turn's sending is over, whether anything was sent or not. */
	void (*on_output)(struct tcb *t, struct tcp_queues *q, const struct cc_turn *c);
	/** A recovery has ended. */
	void (*on_recovered)(struct tcb *t, struct tcp_queues *q);
	/** Returns the pacing rate, bytes/s; 0: none. */
	uint64_t (*pacing_rate)(const struct tcb *t, const struct tcp_queues *q);
	/** Gives back what cc_state refers to, and zeroes cc_state[0], which is not 0 while there is such. */
	void (*release)(struct tcp_queues *q);
};

/* indices of tcb.cc and values of tcp.congestion */
enum cc_index { CC_RENO, CC_CUBIC, CC_DCTCP, CC_BBR, CC_COUNT };

extern const struct cc_ops cc_newreno, cc_cubic, cc_dctcp, cc_bbr;

extern const struct cc_ops *const cc_algorithms[CC_COUNT];

/** cc_by_index returns an algorithm. */
static inline const struct cc_ops *cc_by_index(unsigned index)
{
	assert(index < CC_COUNT);
	return cc_algorithms[index];
}

/** cc_find returns the index of the algorithm with this name of len bytes, or -1. */
int cc_find(const char *name, size_t len);

/** cc_of returns a connection's algorithm. */
static inline const struct cc_ops *cc_of(const struct tcb *t)
{
	return cc_by_index(t->cc);
}

/** cc_use gives a connection another algorithm; cwnd and ssthresh stay. q may be NULL. */
void cc_use(struct tcb *t, struct tcp_queues *q, unsigned index);

/** cc_is_limited says whether cwnd, and not the application, is what limits the connection (RFC 7661):
 * in slow start half of it must be in use, later nearly all. */
static inline bool cc_is_limited(const struct tcb *t, uint32_t flight)
{
	if (t->cwnd < t->ssthresh)
		return t->cwnd < 2 * flight;
	return flight + t->mss > t->cwnd || flight >= t->cwnd / 2;
}

struct hystart;

/** cc_slow_start grows cwnd, which is below ssthresh (RFC 5681, RFC 3465); the first time with
 * HyStart++ (RFC 9406), which may set ssthresh to end it. */
void cc_slow_start(struct tcb *t, const struct tcp_queues *q, const struct cc_ack *a,
                   struct hystart *h);

#endif
