/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_ACK_H
#define TCP_TCP_ACK_H

/* The acknowledgement field of a segment (RFC 9293 section 3.10.7.4, fifth step). */

#include "tcp/tcp.h"

/**
 * tcp_ack takes what a segment acknowledges out of the send queue, samples the RTT, runs recovery and
 * moves the send window. Returns VERDICT_DONE, or PC_DROP_TCP_ACK_RANGE after it has answered.
 */
int tcp_ack(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

#endif
