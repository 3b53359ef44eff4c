/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_SEGMENT_H
#define TCP_TCP_SEGMENT_H

/* Segments of a connection, one at a time: with queued data, and without text. */

#include "tcp/tcp.h"

/** tcp_is_last says whether a queued segment is the last that there will be: FIN goes with it. */
static inline bool tcp_is_last(const struct tcb *t, const struct rte_mbuf *m)
{
	return pkt_of_const(m)->next == NULL && (t->flags & TCB_WR_SHUT) != 0;
}

/** tcp_transmit sends a queued segment; fresh: the first time, and not as a probe. Returns false when mbufs ran out. */
bool tcp_transmit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, bool fin, bool fresh);

/** tcp_mark_sent notes on a queued segment that it goes out now, and returns its flags but for ACK; fresh:
 * the first time, and not as a probe. */
uint8_t tcp_mark_sent(struct tcp *tcp, struct tcb *t, struct pkt *note, bool fin, bool fresh);

/** tcp_resend sends a queued segment again, or its first part when the path has become narrower.
 * before is what sndbuf_split wants. Returns the segment that was sent, or NULL when mbufs ran out. */
struct rte_mbuf *tcp_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                            struct rte_mbuf *before, struct rte_mbuf *m);

/** tcp_emit puts headers in front of a payload of new bytes and sends it; it owns m. */
void tcp_emit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t seq, uint8_t flags);

/** tcp_send_ack sends an acknowledgement without data. Returns false when mbufs ran out. */
bool tcp_send_ack(struct tcp *tcp, struct tcb *t);

/** tcp_send_fin sends FIN again. */
bool tcp_send_fin(struct tcp *tcp, struct tcb *t);

/** tcp_send_keepalive sends a probe: no data, a sequence number the peer has seen (9293 3.8.4). */
bool tcp_send_keepalive(struct tcp *tcp, struct tcb *t);

/** tcp_send_rst sends RST with the sequence number the peer expects. */
void tcp_send_rst(struct tcp *tcp, struct tcb *t);

/** tcp_challenge sends an ACK within the limit of RFC 5961 section 7. */
void tcp_challenge(struct tcp *tcp, struct tcb *t);

/** tcp_ack_dropped answers a segment that is dropped, as it is not acceptable or old (PAWS): one that takes no sequence numbers within
 * the limit of challenges, as two confused ends could answer each other for ever; but keep-alives always. */
void tcp_ack_dropped(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

struct fastopen_cookie;

/** tcp_send_syn sends the SYN of an active open, or the SYN-ACK of a connection in SYN-RECEIVED. cookie:
 * of Fast Open, which lets the SYN carry what is queued; NULL: without the option. Returns false when mbufs ran out. */
bool tcp_send_syn(struct tcp *tcp, struct tcb *t, const struct fastopen_cookie *cookie);

#endif
