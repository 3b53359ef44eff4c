/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_SYN_SENT_H
#define TCP_TCP_SYN_SENT_H

#include "tcp/tcp.h"

/**
 * tcp_syn_sent_input handles a segment to a connection in SYN-SENT: an answer to its SYN, a SYN
 * that crossed it (simultaneous open: the state becomes SYN-RECEIVED), or RST. Verdict:
 * VERDICT_DONE when our SYN is acknowledged and the peer's taken, so that the caller can establish
 * the connection and process the segment's data; otherwise a drop.
 */
int tcp_syn_sent_input(struct tcp *tcp, struct tcb *t, const struct ip_pkt *p,
                       const struct tcp_rx *rx);

#endif
