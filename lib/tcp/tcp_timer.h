/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_TIMER_H
#define TCP_TCP_TIMER_H

/*
 * The timers of a connection: four deadlines, one place in the timer wheel.
 *
 * Setting a deadline that is later than the wheel's, or cancelling one, does not touch the wheel:
 * the timer fires at the time it was armed for, handles what is due, and is armed again for the
 * rest.  So a busy connection touches the wheel once per time-out, not once per segment.
 */

#include "tcp/tcp.h"

/** tcp_timer_set sets one of the deadlines TCB_T_*, in so many ticks. */
void tcp_timer_set(struct tcp *tcp, struct tcb *t, uint8_t which, uint32_t ticks);

/** tcp_timer_fire handles what is due; index was popped from the wheel. */
void tcp_timer_fire(struct tcp *tcp, uint32_t index);

/** tcp_rto_ticks returns the retransmission time-out, backed off. */
uint32_t tcp_rto_ticks(const struct tcp *tcp, const struct tcb *t);

/** tcp_resend_syn retransmits the SYN or SYN-ACK, without Fast Open's option and data, and restarts
 * its time-out. */
void tcp_resend_syn(struct tcp *tcp, struct tcb *t);

/**
 * tcp_timer_revert reverts one back-off of the time-out (RFC 6069 section 4.2), because a router
 * has reported no route for the oldest byte, which a time-out has had retransmitted. If that makes
 * the next retransmission due, it is sent in the next tick.
 */
void tcp_timer_revert(struct tcp *tcp, struct tcb *t);

/** tcp_timer_reopen retransmits a FIN that was sent into a closed window, which has opened. */
void tcp_timer_reopen(struct tcp *tcp, struct tcb *t);

#endif
