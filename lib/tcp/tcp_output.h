/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_OUTPUT_H
#define TCP_TCP_OUTPUT_H

/* Output: segments of a connection, and replies without one. */

#include "tcp/tcp.h"

/**
 * tcp_output sends what the connection has to send and may send: lost segments, new ones, FIN;
 * data carries the acknowledgement. Returns false when mbufs ran out: try again next turn.
 */
bool tcp_output(struct tcp *tcp, struct tcb *t);

/** tcp_output_fin sends FIN in a segment of its own, which counts as sent only if there was an mbuf for
 * it: otherwise returns false. */
bool tcp_output_fin(struct tcp *tcp, struct tcb *t);

/** tcp_send_probe sends the next new segment, if there is one and the peer's window takes it,
 * regardless of cwnd. Returns whether it did. */
bool tcp_send_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_challenge_allowed says whether the limit on challenge ACKs (RFC 5961 section 7) allows one
 * more, and counts it. */
bool tcp_challenge_allowed(struct tcp *tcp);

/** tcp_pipe returns the bytes in flight, as far as known (RFC 6675's pipe). */
uint32_t tcp_pipe(const struct tcb *t, const struct tcp_queues *q);

struct auth_by;

/** tcp_reply sends a segment without a TCB along flow; s has everything but the ports; ttl 0: the
 * default; by: the key to sign it with, or NULL. Returns false when it was not sent. */
bool tcp_reply(struct tcp *tcp, const struct tcp_flow *flow, const struct pc_addr *local,
               struct tcp_seg *s, uint8_t ttl, uint8_t tos, const struct auth_by *by);

/** tcp_reply_rst answers a segment that fits nothing with an RST (RFC 9293 section 3.10.7.1),
 * signed if that was. */
void tcp_reply_rst(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx);

/** tcp_reply_abort ends a half-open connection: an RST with these numbers, which the peer accepts
 * both in SYN-SENT and after our SYN-ACK. */
void tcp_reply_abort(struct tcp *tcp, const struct tcp_flow *flow, uint32_t seq, uint32_t ack,
                     const struct auth_by *by);

#endif
