/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_OUTPUT_H
#define TCP_TCP_OUTPUT_H

/* Output: segments of a connection, and replies that belong to none. */

#include "tcp/tcp.h"

/**
 * tcp_output sends what the connection has to send and may: lost segments, new ones, FIN; data
 * carries the acknowledgement. Returns false when mbufs ran out: try again next turn.
 */
bool tcp_output(struct tcp *tcp, struct tcb *t);

/** tcp_send_probe sends the next new segment whatever cwnd says, if there is one and the peer's window
 * takes it. Returns whether it did. */
bool tcp_send_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_challenge_allowed takes a token of that limit. */
bool tcp_challenge_allowed(struct tcp *tcp);

/** tcp_pipe returns the bytes under way, as far as known (RFC 6675's pipe). */
uint32_t tcp_pipe(const struct tcb *t, const struct tcp_queues *q);

struct auth_by;

/** tcp_reply sends a segment that belongs to no TCB along flow; s has everything but the ports; ttl 0: the default; by: the key
 * that it is signed with, or NULL. */
bool tcp_reply(struct tcp *tcp, const struct tcp_flow *flow, const struct pc_addr *local,
               struct tcp_seg *s, uint8_t ttl, uint8_t tos, const struct auth_by *by);

/** tcp_reply_rst answers a segment that fits nothing with RST (RFC 9293 section 3.10.7.1), signed as that is. */
void tcp_reply_rst(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx);

/** tcp_reply_abort ends a half-open connection: RST with these numbers, which its peer takes in SYN-SENT and when it has
 * seen our SYN-ACK. */
void tcp_reply_abort(struct tcp *tcp, const struct tcp_flow *flow, uint32_t seq, uint32_t ack,
                     const struct auth_by *by);

#endif
