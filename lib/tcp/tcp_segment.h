/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_SEGMENT_H
#define TCP_TCP_SEGMENT_H

/* Segments of a connection, one at a time: with queued data, and without. */

#include "tcp/tcp.h"

/** tcp_is_last says whether a queued segment is the last of the connection: it carries FIN. */
static inline bool tcp_is_last(const struct tcb *t, const struct rte_mbuf *m)
{
	return pkt_of_const(m)->next == NULL && (t->flags & TCB_WR_SHUT) != 0;
}

/** tcp_transmit sends a queued segment; fresh: for the first time, and not as a probe. Returns
 * false when mbufs ran out. */
bool tcp_transmit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, bool fin, bool fresh);

/** tcp_mark_sent records that a queued segment is sent now, and returns its flags without ACK;
 * fresh as above. */
uint8_t tcp_mark_sent(struct tcp *tcp, struct tcb *t, struct pkt *note, bool fin, bool fresh);

/** tcp_resend retransmits a queued segment, or its first part if the path has become narrower.
 * before is as for sndbuf_split. Returns the segment sent, or NULL when mbufs ran out. */
struct rte_mbuf *tcp_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                            struct rte_mbuf *before, struct rte_mbuf *m);

/** tcp_emit puts headers in front of new payload and sends it; it takes ownership of m. */
void tcp_emit(struct tcp *tcp, struct tcb *t, struct rte_mbuf *m, uint32_t seq, uint8_t flags);

/** tcp_send_ack sends an acknowledgement without data. Returns false when mbufs ran out. */
bool tcp_send_ack(struct tcp *tcp, struct tcb *t);

/** tcp_send_fin sends the FIN at SND.NXT - 1, without data. Returns false when mbufs ran out. */
bool tcp_send_fin(struct tcp *tcp, struct tcb *t);

/** tcp_send_keepalive sends a probe: no data, an old sequence number (RFC 9293 3.8.4). */
bool tcp_send_keepalive(struct tcp *tcp, struct tcb *t);

/** tcp_send_rst sends RST with the sequence number the peer expects. */
void tcp_send_rst(struct tcp *tcp, struct tcb *t);

/** tcp_challenge sends an ACK within the limit of RFC 5961 section 7. */
void tcp_challenge(struct tcp *tcp, struct tcb *t);

/** tcp_ack_dropped answers a segment dropped as unacceptable or old (PAWS). If it occupies no
 * sequence numbers the limit on challenge ACKs applies, as two confused ends could answer each
 * other for ever; but keep-alives are always answered. */
void tcp_ack_dropped(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

struct fastopen_cookie;

/** tcp_send_syn sends the SYN of an active open, or the SYN-ACK of a connection in SYN-RECEIVED.
 * cookie: of Fast Open, which lets the SYN carry queued data; NULL: without the option. Returns
 * false when mbufs ran out. */
bool tcp_send_syn(struct tcp *tcp, struct tcb *t, const struct fastopen_cookie *cookie);

#endif
