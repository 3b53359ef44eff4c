/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_LOSS_H
#define TCP_TCP_LOSS_H

/*
 * Recovery: when data counts as lost, how much is sent meanwhile, and when a loss was spurious.
 *
 *   with SACK  RACK finds losses, and a tail loss probe is sent when ACKs stop (RFC 8985)
 *   without    the third duplicate ACK, and partial ones (RFC 5681, RFC 6582)
 *   both       the retransmission time-out (RFC 6298); PRR (RFC 6937) sets cwnd in fast recovery;
 *              timestamps (RFC 3522, RFC 4015), DSACK (RFC 3708) and F-RTO (frto.h) undo a spurious
 *              one
 */

#include "base/seq.h"
#include "tcp/rtt.h"

/** The effect of an acknowledgement. */
struct loss_ack {
	uint32_t acked;     /* bytes newly acknowledged */
	uint32_t delivered; /* bytes newly acknowledged or SACKed */
	uint32_t waited;    /* of acked, lost by a time-out and not retransmitted since */
	uint32_t flight;    /* bytes in flight before */
	uint32_t sacked;    /* of these, SACKed before */
	uint32_t used;      /* bytes in flight when it last could send: the use of cwnd */
	uint32_t most;   /* its maximum since the acknowledged data was sent (RFC 7661: pipeACK) */
	uint32_t rtt_us; /* round trip measured; 0: none */
	bool duplicate;  /* RFC 5681 section 2 */
	bool repeated;   /* says nothing new, and has no SACK blocks */
	uint32_t dsack;  /* segments reported as duplicates (RFC 2883) */
	uint32_t merged; /* acknowledgements processed with it (tcp_merge.h) */
	bool ece;        /* reports marks (RFC 3168) */
};

/** tcp_loss_most returns how much of cwnd has been used over a round trip: at least used. Call it
 * before SND.UNA moves. */
static inline uint32_t tcp_loss_most(const struct tcb *t, const struct tcp_queues *q, uint32_t used)
{
	return q->most > used && seq_lt(t->snd_una, q->most_end) ? q->most : used;
}

/** tcp_loss_sacks processes a segment's SACK blocks. Returns how many segments it reports as
 * duplicates: 0 unless the first block is a DSACK. */
uint32_t tcp_loss_sacks(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        const struct tcp_seg *seg);

/** tcp_loss_ack decides what an acknowledgement means for recovery and the congestion window. */
void tcp_loss_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, const struct loss_ack *a,
                  const struct tcp_seg *seg);

/** tcp_loss_plain_ack is tcp_loss_ack for an acknowledgement of a part of the data in flight, of
 * segments that were sent once, outside recovery, with nothing to undo and no probe out; congestion
 * control is plain (cc_ops.plain). */
void tcp_loss_plain_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        const struct loss_ack *a);

/** tcp_loss_timeout marks everything in flight as lost (RFC 6298 section 5); q may be NULL. */
void tcp_loss_timeout(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_reopen has the oldest segment retransmitted, which was sent into a closed window. */
void tcp_loss_reopen(struct tcb *t, struct tcp_queues *q);

/** tcp_loss_resend retransmits lost segments as far as cwnd allows. Returns false when mbufs ran
 * out. */
bool tcp_loss_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_probes_tail says whether a tail loss probe precedes the time-out (RFC 8985 section 7). */
static inline bool tcp_probes_tail(const struct tcp *tcp, const struct tcb *t)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;

	return cfg->tcp_tlp && cfg->tcp_rack && (t->opt & TCB_OPT_SACK);
}

/** tcp_probe_us returns the delay of a tail loss probe: two round trips, plus the peer's delayed
 * acknowledgement if there is only one segment in flight (RFC 8985 section 7.2). */
static inline uint32_t tcp_probe_us(const struct tcp *tcp, const struct tcb *t)
{
	uint64_t pto = t->srtt_us != 0 ? 2ull * t->srtt_us : 1000000;

	if (t->snd_nxt - t->snd_una <= t->mss)
		pto += rtt_min_us(tcp, t);
	return (uint32_t)RTE_MIN(RTE_MAX(pto, 2000u), (uint64_t)UINT32_MAX);
}

/** tcp_has_sent says whether data is in flight. */
static inline bool tcp_has_sent(const struct tcp_queues *q)
{
	return q->snd.head != NULL && q->snd.head != q->snd_next;
}

/** tcp_loss_set_timer sets the loss timer; q may be NULL. */
void tcp_loss_set_timer(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                        enum tcp_loss_timer what, uint32_t ticks);

/** tcp_loss_is_impatient says whether the time-out of a recovery runs on: without SACK it repairs one
 * loss per round trip, so a time-out, which repairs as many as cwnd allows, is the faster way when
 * there are many. Only the first partial acknowledgement restarts it (RFC 6582 section 3.2 step
 * 3). */
static inline bool tcp_loss_is_impatient(const struct tcb *t, const struct tcp_queues *q)
{
	return q != NULL && q->recovery == TCP_R_RECOVERY && !(t->opt & TCB_OPT_SACK) &&
	       q->ack_step != 0;
}

/** tcp_loss_arm restarts the loss timer: for a tail loss probe if one is allowed, which is due when
 * the time-out would be at the latest; otherwise for the retransmission time-out. */
void tcp_loss_arm(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_stop stops it, as all is acknowledged (RFC 6298 (5.2)). Its deadline then tells when
 * the connection has been idle for a time-out (tcp_turn.c). */
void tcp_loss_stop(struct tcp *tcp, struct tcb *t);

/** tcp_loss_sent makes sure that the loss timer runs after new data was sent; q may be NULL. */
void tcp_loss_sent(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_probe sends a tail loss probe (RFC 8985 section 7.3). */
void tcp_loss_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_loss_look looks for what counts as lost merely because time has passed. */
void tcp_loss_look(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

#endif
