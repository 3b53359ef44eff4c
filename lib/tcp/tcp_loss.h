/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_LOSS_H
#define TCP_TCP_LOSS_H

/*
 * What is lost, and sending it again: duplicate ACKs (RFC 5681, 6582), SACK (RFC 2018, 6675), and the
 * retransmission time-out (RFC 6298).
 */

#include "tcp/tcp.h"

/** What an acknowledgement brought. */
struct loss_ack {
	uint32_t acked;  /* bytes newly acknowledged */
	uint32_t flight; /* bytes under way before */
	bool duplicate;  /* RFC 5681 section 2 */
	bool sacked;     /* marked something new */
};

/** tcp_sack_update marks what the blocks of a segment say. Returns whether anything is new. */
bool tcp_sack_update(struct tcb *t, struct tcp_queues *q, const struct tcp_seg *seg);

/** tcp_loss_ack decides what an acknowledgement means for recovery and the congestion window. */
void tcp_loss_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, const struct loss_ack *a);

/** tcp_loss_forget updates the scoreboard for a segment that leaves the send queue. */
void tcp_loss_forget(struct tcp_queues *q, const struct rte_mbuf *m, uint32_t bytes);

/** tcp_loss_timeout marks everything under way as lost (RFC 6298 section 5). */
void tcp_loss_timeout(struct tcb *t, struct tcp_queues *q);

/** tcp_loss_reopen has the oldest segment sent again: it went into a closed window. */
void tcp_loss_reopen(struct tcb *t, struct tcp_queues *q);

/** tcp_loss_resend sends lost segments while cwnd allows. Returns false when mbufs ran out. */
bool tcp_loss_resend(struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

#endif
