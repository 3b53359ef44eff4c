/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_ECN_H
#define TCP_TCP_ECN_H

/*
 * Explicit congestion notification (RFC 3168): requesting it, a receiver's response to marks,
 * and a sender's response to their echo.
 *
 *   TCB_ECE  our acknowledgements carry ECE; for DCTCP this is DCTCP.CE (RFC 8257 section 3.2)
 *   TCB_CWR  cwnd was reduced, and the next new data will say so
 */

#include "tcp/cc.h"
#include "tcp/tcp.h"

/* the two bits of the IP header */
#define ECN_MASK 3
#define ECN_ECT0 2
#define ECN_CE   3

/* the first so many retransmissions of a SYN or SYN-ACK still request, or accept, Accurate ECN */
#define SYNS_THAT_ASK 1

/* what the SYNs of a handshake have asked for */
#define ASKED_ECN    1u
#define ASKED_ACCECN 2u
#define ASKED_BOTH   3u

/** tcp_ecn_may_be_accurate says whether the settings allow Accurate ECN. */
bool tcp_ecn_may_be_accurate(const struct pc_stack_config *cfg);

/** tcp_ecn_asked says what a SYN requests of a listener t, or of our end of a simultaneous open:
 * ASKED_ECN, ASKED_ACCECN or 0. A peer that requests both in one handshake is reset (RFC 9768
 * section 3.1.5), so it is 0 where we do not support Accurate ECN. */
uint8_t tcp_ecn_asked(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn);

/** tcp_ecn_is_mixed says whether a retransmitted SYN requests another kind of ECN than was agreed
 * in SYN-RECEIVED. */
bool tcp_ecn_is_mixed(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn);

/** tcp_ecn_asks says what an active open requests: 0, TCB_OPT_ECN, or that and TCB_OPT_ACCECN. */
uint8_t tcp_ecn_asks(const struct tcp *tcp, const struct tcb *t);

/** tcp_ecn_accepts says, likewise, what a SYN with this type of service leads to; t is the
 * listener, or the connection in a simultaneous open. */
uint8_t tcp_ecn_accepts(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn,
                        uint8_t tos);

/** tcp_ecn_agreed says, likewise, what a SYN-ACK leads to. */
uint8_t tcp_ecn_agreed(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn_ack);

/** tcp_ecn_fill writes the flags of our SYN or SYN-ACK. Returns the ECN bits of its packet. */
uint8_t tcp_ecn_fill(const struct tcp *tcp, struct tcb *t, struct tcp_seg *syn);

/** tcp_ecn_input processes the mark and CWR of an acceptable segment. It may send an
 * acknowledgement at once, for earlier data that came with the other mark (DCTCP). */
void tcp_ecn_input(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** tcp_ecn_is_echo says whether a segment reports marks. */
static inline bool tcp_ecn_is_echo(const struct tcb *t, const struct tcp_seg *seg)
{
	return (t->opt & (TCB_OPT_ECN | TCB_OPT_ACCECN)) == TCB_OPT_ECN && (seg->flags & TCP_ECE) &&
	       !(seg->flags & TCP_SYN);
}

/** tcp_ecn_reduced records that cwnd was reduced: CWR tells the peer, and this window has no second
 * reduction. */
void tcp_ecn_reduced(struct tcb *t, struct tcp_queues *q);

/** tcp_ecn_has_reduced says whether that window is still in flight. */
bool tcp_ecn_has_reduced(const struct tcb *t, struct tcp_queues *q);

/** tcp_ecn_tos returns the ECN bits of a segment; fresh: it carries data never sent before; bare:
 * it only acknowledges. */
static inline uint8_t tcp_ecn_tos(const struct tcp *tcp, const struct tcb *t, bool fresh, bool bare)
{
	if (!(t->opt & TCB_OPT_ECN))
		return 0;
	/* RFC 3168 sections 6.1.4 to 6.1.6: neither pure acknowledgements nor retransmissions */
	if (fresh || cc_of(t)->needs_ecn)
		return ECN_ECT0;
	/* ECN++, unless a mark would not be reported (draft-ietf-tcpm-generalized-ecn, 3.2.3) */
	return tcp->ctx->cfg.tcp_ecn_plus && (!bare || (t->opt & TCB_OPT_ACCECN)) ? ECN_ECT0 : 0;
}

/** tcp_ecn_syn_ack_tos returns the ECN bits of a SYN-ACK that agrees to ECN (opt: TCB_OPT_*);
 * again: it is a retransmission, and the bits may be why the first was lost. */
static inline uint8_t tcp_ecn_syn_ack_tos(const struct tcp *tcp, const struct tcb *listener,
                                          uint8_t opt, bool again)
{
	if ((opt & (TCB_OPT_ECN | TCB_OPT_ACCECN)) == TCB_OPT_ECN && cc_of(listener)->needs_ecn)
		return ECN_ECT0; /* RFC 8257 section 3.4, as in tcp_ecn_fill */
	return (opt & TCB_OPT_ECN) && tcp->ctx->cfg.tcp_ecn_plus && !again ? ECN_ECT0 : 0;
}

/** tcp_ecn_syn_ack_marked handles the segment that completes a handshake if its ECE, as in
 * RFC 3168, says that our SYN-ACK was marked: cwnd is one segment then, as if it had been lost. */
void tcp_ecn_syn_ack_marked(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

#endif
