/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_PLAIN_H
#define TCP_TCP_PLAIN_H

/*
 * The fast path for the usual segment and the answer to it.
 *
 * tcp_input (tcp.h) begins with the former.  Both decide first, and change nothing until they are
 * sure; they do what the slow path does with such a segment, and leave everything that is not plain
 * to it.
 */

#include "base/seq.h"
#include "tcp/account.h"
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"

/** tcp_input_count counts a segment for its connection, on either path, and one with data for the
 * burst's guests (strangers_guest). Returns the account. */
static inline struct tcp_account *tcp_input_count(struct tcp *tcp, const struct tcb *t,
                                                  const struct tcp_rx *rx)
{
	struct tcp_account *a = account_of(tcp, t);

	account_in(a, rx->seg.len, rx->segs);
	if (rx->seg.len > 0 && likely(tcp->ctx->strangers != NULL))
		strangers_guest(tcp->ctx->strangers, t->account != 0 ? a->data_segs_in : 0);
	return a;
}

/** tcp_arm_in starts the loss timer. */
static inline void tcp_arm_in(struct tcp *tcp, struct tcb *t, uint32_t us)
{
	const uint32_t at = tcp->ctx->tick + ticks_from_us(us);

	t->t_loss = at;
	t->timers |= TCB_T_LOSS;
	if (unlikely(!timer_is_armed(&t->timer) || seq_lt(at, t->timer.expiry)))
		wheel_arm(&tcp->wheel, tcp_index(tcp, t), at);
}

/** tcp_arm_plain is tcp_loss_arm while nothing in flight is SACKed, lost or probed for, and there
 * are no retries. Returns what the timer means, for tcp_queues.loss_timer. */
static inline uint8_t tcp_arm_plain(struct tcp *tcp, struct tcb *t)
{
	const bool probes = tcp_probes_tail(tcp, t);

	tcp_arm_in(tcp, t, probes ? RTE_MIN(t->rto_us, tcp_probe_us(tcp, t)) : t->rto_us);
	return probes ? TCP_LT_PROBE : TCP_LT_RTO;
}

/** A verdict of tcp_plain_input: nothing has changed, take the slow path. */
#define TCP_NOT_PLAIN (-1)

/** tcp_plain_input takes a segment of a connection (header prediction). Verdict: done, a drop, or
 * TCP_NOT_PLAIN. */
int tcp_plain_input(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, const struct ip_pkt *p,
                    const struct tcp_rx *rx);

/** tcp_plain_is_acked says whether a bare acknowledgement belongs to a connection on which it, and
 * those that follow it in the burst, are plain, as far as is known yet; if so it stores SND.NXT. */
bool tcp_plain_is_acked(const struct tcp *tcp, const struct tcp_rx *rx, uint32_t *snd_nxt);

/** tcp_input_any is the slow path. The segment belongs to what ref refers to: nothing, a half-open
 * connection, one in TIME-WAIT, or one whose segment tcp_plain_input has not taken (tcp_input.c).
 * Verdict: done, or a drop. */
int tcp_input_any(struct tcp *tcp, flow_ref ref, struct rte_mbuf *m, const struct ip_pkt *p,
                  struct tcp_rx *rx);

/** tcp_input_fin processes a FIN that is next in order (tcp_input.c; RFC 9293 3.10.7.4, eighth
 * step). */
void tcp_input_fin(struct tcp *tcp, struct tcb *t);

/** tcp_plain_output sends new segments as long as they are plain. Returns whether nothing is left
 * to do for the connection in this turn; otherwise call tcp_output. */
bool tcp_plain_output(struct tcp *tcp, struct tcb *t);

#endif
