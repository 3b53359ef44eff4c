/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_LOSS_H
#define TCP_TCP_LOSS_H

/*
 * Recovery: when data counts as lost, how much is sent meanwhile, and when it was spurious.
 *
 *   with SACK  RACK finds losses (RFC 8985), a tail loss probe asks when acknowledgements stop
 *   without    the third duplicate ACK, and partial ones (RFC 5681, RFC 6582)
 *   both       the retransmission time-out (RFC 6298); PRR (RFC 6937) sets cwnd in fast recovery;
 *              timestamps (RFC 3522, RFC 4015), DSACK (RFC 3708) and F-RTO (frto.h) undo a spurious
 *              one
 */

#include "base/seq.h"
#include "tcp/rtt.h"

/** What an acknowledgement brought. */
struct loss_ack {
	uint32_t acked;     /* bytes newly acknowledged */
	uint32_t delivered; /* bytes newly acknowledged or SACKed */
	uint32_t flight;    /* bytes under way before */
	uint32_t sacked;    /* of these SACKed before */
	uint32_t used;   /* bytes under way when it last could send: what cwnd has been used for */
	uint32_t most;   /* most of it since what is acknowledged was sent (RFC 7661: pipeACK) */
	uint32_t rtt_us; /* round trip measured; 0: none */
	bool duplicate;  /* RFC 5681 section 2 */
	bool repeated;   /* says nothing but what was known, without SACK blocks */
	uint32_t dsack;  /* reports duplicates (RFC 2883): of so many segments */
	bool ece;        /* reports marks (RFC 3168) */
};

/** tcp_loss_most returns how much of cwnd has been used over a round trip: used at least. To be asked before SND.UNA
 * moves. */
static inline uint32_t tcp_loss_most(const struct tcb *t, const struct tcp_queues *q, uint32_t used)
{
	return q->most > used && seq_lt(t->snd_una, q->most_end) ? q->most : used;
}

/** tcp_loss_sacks takes a segment's SACK blocks. Returns how many segments a DSACK reports, if the first is one; else 0. */
uint32_t tcp_loss_sacks(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        const struct tcp_seg *seg);

/** tcp_loss_ack decides what an acknowledgement means for recovery and the congestion window. */
void tcp_loss_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, const struct loss_ack *a,
                  const struct tcp_seg *seg);

/** tcp_loss_timeout marks everything under way as lost (RFC 6298 section 5); q may be NULL. */
void tcp_loss_timeout(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_reopen has the oldest segment sent again: it went into a closed window. */
void tcp_loss_reopen(struct tcb *t, struct tcp_queues *q);

/** tcp_loss_resend sends lost segments while cwnd allows. Returns false when mbufs ran out. */
bool tcp_loss_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_probes_tail says whether a tail loss probe comes before the time-out (RFC 8985 section 7). */
static inline bool tcp_probes_tail(const struct tcp *tcp, const struct tcb *t)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	return cfg->tcp_tlp && cfg->tcp_rack && (t->opt & TCB_OPT_SACK);
}

/** tcp_probe_us returns when a tail loss probe is due: after two round trips, and the peer's delay when it has
 * only one segment to answer (RFC 8985 section 7.2). */
static inline uint32_t tcp_probe_us(const struct tcp *tcp, const struct tcb *t)
{
	uint64_t pto = t->srtt_us != 0 ? 2ull * t->srtt_us : 1000000;

	if (t->snd_nxt - t->snd_una <= t->mss)
		pto += rtt_min_us(tcp, t);
	return (uint32_t)RTE_MIN(RTE_MAX(pto, 2000u), (uint64_t)UINT32_MAX);
}

/** tcp_loss_arm sets the loss timer anew: for a tail loss probe if there may be one, which comes in the time-out's
 * place at the latest; else for the retransmission time-out. */
void tcp_loss_arm(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_stop stops it, for all is acknowledged (RFC 6298 (5.2)). Its deadline says from now on when the connection has
 * been idle for a time-out (tcp_turn.c). */
void tcp_loss_stop(struct tcp *tcp, struct tcb *t);

/** tcp_loss_sent has the loss timer run after something new was sent; q may be NULL. */
void tcp_loss_sent(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_probe sends a tail loss probe (RFC 8985 section 7.3). */
void tcp_loss_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_look lets RACK look for losses that have become so by the passing of time. */
void tcp_loss_look(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

#endif
