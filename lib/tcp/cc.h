/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_CC_H
#define TCP_CC_H

/*
 * Congestion control: a const struct of functions that set cwnd and ssthresh, in bytes.  What is
 * lost and what is sent is decided elsewhere.  An algorithm's own state is q->cc_state, initially
 * zero; the algorithm sets q->keep if the state is worth keeping while the connection is idle.
 * Even kept state may be reclaimed; it is then zero again.
 */

#include <stddef.h>
#include <stdint.h>

#include "tcp/tcb.h"

/** What an acknowledgement tells the congestion control. */
struct cc_ack {
	uint32_t acked;     /* bytes newly acknowledged */
	uint32_t delivered; /* ... or reported by SACK for the first time */
	uint32_t flight;    /* bytes in flight before that */
	uint32_t inflight;  /* bytes in flight after it, as far as known */
	uint32_t rtt_us;    /* round trip measured by it; 0: none */
	uint32_t now_us;    /* modulo 2^32 */
	uint32_t merged;    /* acknowledgements processed with it (tcp_merge.h) */
	bool hystart;       /* tcp.hystart */
	bool ece;           /* it says that packets were marked (RFC 3168) */
};

struct cc_slots;
struct rng;

/** What the congestion control is told about the sending in a turn. */
struct cc_turn {
	uint32_t now_us;        /* modulo 2^32 */
	struct rng *rng;        /* the stack's random numbers */
	struct cc_slots *slots; /* memory for larger states */
	/* on_output only: */
	uint32_t sent;     /* bytes sent in this turn, including retransmissions */
	uint32_t inflight; /* bytes in flight now */
	bool cwnd_limited; /* there is more to send, but cwnd is used up */
	bool drained;      /* there is nothing more to send, but cwnd would allow it */
};

#define CC_NAME_MAX 16 /* TCP_CA_NAME_MAX */

struct cc_ops {
	const char *name; /* as TCP_CONGESTION has it, below CC_NAME_MAX bytes */
	bool needs_ecn;   /* uses ECN whatever tcp.ecn says; all its packets are ECN-capable */
	/** It need not be told of an acknowledgement of all data in flight while cwnd is not the
	 * limit, nor, in slow start, of on_start; and it neither paces nor has on_any_ack,
	 * on_model, on_output or release. */
	bool plain;
	/** New data was acknowledged outside fast recovery, without ECE. NULL: see on_model. */
	void (*on_ack)(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a);
	/** New data was acknowledged, in whatever state; called before on_ack and on_ecn. May be
	 * NULL. */
	void (*on_any_ack)(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a);
	/** Loss was detected by acknowledgements: sets ssthresh, and cwnd to it. */
	void (*on_loss)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** Packets were marked; called once per window: sets ssthresh, and cwnd to it. */
	void (*on_ecn)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** The first time-out of a segment: sets ssthresh, and cwnd to one segment; q may be NULL. */
	void (*on_timeout)(struct tcb *t, struct tcp_queues *q, uint32_t flight);
	/** The loss was spurious; cwnd and ssthresh have been restored. May be NULL. */
	void (*on_undo)(struct tcb *t, struct tcp_queues *q);
	/** Data is about to be sent while nothing is in flight. May be NULL. */
	void (*on_start)(struct tcb *t, struct tcp_queues *q, const struct cc_turn *c);

	/* for algorithms with a model of the path; all may be NULL */

	/** Data was delivered, or found lost: sets cwnd, in recovery too. It replaces on_ack, PRR,
	 * and the restart after idleness; the algorithm does not use ssthresh. */
	void (*on_model)(struct tcb *t, struct tcp_queues *q, const struct cc_ack *a);
	/** A turn's sending is done, whether anything was sent or not. */
	void (*on_output)(struct tcb *t, struct tcp_queues *q, const struct cc_turn *c);
	/** A recovery has ended. */
	void (*on_recovered)(struct tcb *t, struct tcp_queues *q);
	/** Returns the pacing rate, bytes/s; 0: none. */
	uint64_t (*pacing_rate)(const struct tcb *t, const struct tcp_queues *q);
	/** Frees what cc_state refers to, and zeroes cc_state[0], which is not 0 until then. */
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

/** cc_use switches a connection to another algorithm; cwnd and ssthresh stay. q may be NULL. */
void cc_use(struct tcb *t, struct tcp_queues *q, unsigned index);

/** cc_is_limited says whether cwnd, and not the application, limits the connection (RFC 7661): in
 * slow start more than half of it must be in use, later at least half, or all but part of a
 * segment. */
static inline bool cc_is_limited(const struct tcb *t, uint32_t flight)
{
	if (t->cwnd < t->ssthresh)
		return t->cwnd < 2 * flight;
	return flight + t->mss > t->cwnd || flight >= t->cwnd / 2;
}

struct hystart;

/** cc_slow_start grows cwnd, which is below ssthresh (RFC 5681, RFC 3465); the first slow start
 * uses HyStart++ (RFC 9406), which may set ssthresh to end it. */
void cc_slow_start(struct tcb *t, const struct tcp_queues *q, const struct cc_ack *a,
                   struct hystart *h);

#endif
