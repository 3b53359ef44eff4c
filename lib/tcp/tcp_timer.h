/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_TIMER_H
#define TCP_TCP_TIMER_H

/*
 * The timers of a connection: three deadlines, one place in the timer wheel.
 *
 * Setting a deadline that is later than the wheel's, or cancelling one, does not touch the wheel:
 * it fires when it was armed for, finds what is due, and is armed again for the rest.  So a busy
 * connection touches the wheel once per time-out, not once per segment.
 */

#include "tcp/tcp.h"

/** tcp_timer_set makes one of TCB_T_* due in that many ticks. */
void tcp_timer_set(struct tcp *tcp, struct tcb *t, uint8_t which, uint32_t ticks);

/** tcp_timer_fire does what is due; index was popped from the wheel. */
void tcp_timer_fire(struct tcp *tcp, uint32_t index);

/** tcp_rto_ticks returns the retransmission time-out, backed off. */
uint32_t tcp_rto_ticks(const struct tcp *tcp, const struct tcb *t);

/** tcp_resend_syn sends the SYN or SYN-ACK again, without Fast Open's option and data, and has its time-out run. */
void tcp_resend_syn(struct tcp *tcp, struct tcb *t);

/**
 * tcp_timer_revert takes a back-off of the time-out back (RFC 6069 section 4.2): of the oldest byte, which a time-out
 * has had sent again, a router says that there is no way. What is due by that is sent in the next tick.
 */
void tcp_timer_revert(struct tcp *tcp, struct tcb *t);

/** tcp_timer_reopen sends a FIN again that was sent into a closed window: it has opened. */
void tcp_timer_reopen(struct tcp *tcp, struct tcb *t);

#endif
