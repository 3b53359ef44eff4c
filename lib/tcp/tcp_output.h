/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_OUTPUT_H
#define TCP_TCP_OUTPUT_H

/* The way out: segments of a connection, and answers that belong to none. */

#include "tcp/tcp.h"

/**
 * tcp_output sends what the connection has to send and may: lost segments, new ones, FIN; data
 * carries the acknowledgement. Returns false when mbufs ran out: try again next turn.
 */
bool tcp_output(struct tcp *tcp, struct tcb *t);

/** tcp_send_ack sends an acknowledgement without data. Returns false when mbufs ran out. */
bool tcp_send_ack(struct tcp *tcp, struct tcb *t);

/** tcp_send_rst sends RST with the sequence number the peer expects. */
void tcp_send_rst(struct tcp *tcp, struct tcb *t);

struct fastopen_cookie;

/** tcp_send_syn sends the SYN of an active open, or the SYN-ACK of a connection in SYN-RECEIVED. cookie:
 * of Fast Open, which lets the SYN carry what is queued; NULL: without the option. */
void tcp_send_syn(struct tcp *tcp, struct tcb *t, const struct fastopen_cookie *cookie);

/** tcp_send_fin sends FIN again. */
bool tcp_send_fin(struct tcp *tcp, struct tcb *t);

/** tcp_send_keepalive sends a probe: no data, a sequence number the peer has seen (9293 3.8.4). */
bool tcp_send_keepalive(struct tcp *tcp, struct tcb *t);

/** tcp_resend sends a queued segment again, or its first part when the path has become narrower.
 * Returns the segment that was sent, or NULL when mbufs ran out. */
struct rte_mbuf *tcp_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                            struct rte_mbuf *m);

/** tcp_send_probe sends the next new segment whatever cwnd says, if there is one and the peer's window
 * takes it. Returns whether it did. */
bool tcp_send_probe(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

/** tcp_mark_sent notes on a queued segment that it goes out now, and returns its flags but for ACK; fresh:
 * the first time, and not as a probe. */
uint8_t tcp_mark_sent(struct tcp *tcp, struct tcb *t, struct pkt *note, bool fin, bool fresh);

/** tcp_emit puts headers in front of a payload of new bytes and sends it; it owns m. */
void tcp_emit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t seq, uint8_t flags);

/** tcp_challenge sends an ACK within the limit of RFC 5961 section 7. */
void tcp_challenge(struct tcp *tcp, struct tcb *t);

/** tcp_challenge_allowed takes a token of that limit. */
bool tcp_challenge_allowed(struct tcp *tcp);

/** tcp_pipe returns the bytes under way, as far as known (RFC 6675's pipe). */
uint32_t tcp_pipe(const struct tcb *t, const struct tcp_queues *q);

/** tcp_reply sends a segment that belongs to no TCB along flow; s has everything but the ports. */
bool tcp_reply(struct tcp *tcp, const struct tcp_flow *flow, const struct pc_addr *local,
               struct tcp_seg *s, uint8_t tos);

/** tcp_reply_rst answers a segment that fits nothing with RST (RFC 9293 section 3.10.7.1). */
void tcp_reply_rst(struct tcp *tcp, const struct ip_pkt *p, const struct tcp_rx *rx);

/** tcp_reply_abort ends a half-open connection: RST with these numbers, which its peer takes in SYN-SENT and when it has
 * seen our SYN-ACK. */
void tcp_reply_abort(struct tcp *tcp, const struct tcp_flow *flow, uint32_t seq, uint32_t ack);

#endif
