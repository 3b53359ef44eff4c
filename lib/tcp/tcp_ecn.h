/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_ECN_H
#define TCP_TCP_ECN_H

/*
 * Explicit congestion notification (RFC 3168): who requests it, what a mark means to a receiver,
 * and what its echo means to a sender.
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

/* with Accurate ECN, SYNs and SYN-ACKs that are sent again so often still ask for it, or agree to it */
#define SYNS_THAT_ASK 1

/* what the SYNs of a handshake have asked for */
#define ASKED_ECN    1u
#define ASKED_ACCECN 2u
#define ASKED_BOTH   3u

/** tcp_ecn_may_be_accurate says whether the settings let Accurate ECN come about. */
bool tcp_ecn_may_be_accurate(const struct pc_stack_config *cfg);

/** tcp_ecn_asked says what a SYN asks of a listener t, or of the other end of a simultaneous open: ASKED_ECN,
 * ASKED_ACCECN or 0. Who does both in one handshake is reset (RFC 9768 section 3.1.5), so it is 0 where Accurate ECN
 * is not known. */
uint8_t tcp_ecn_asked(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn);

/** tcp_ecn_is_mixed says whether a repeated SYN asks for the other kind than what has come about in SYN-RECEIVED. */
bool tcp_ecn_is_mixed(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn);

/** tcp_ecn_asks says what an active open asks for: 0, TCB_OPT_ECN, or that and TCB_OPT_ACCECN. */
uint8_t tcp_ecn_asks(const struct tcp *tcp, const struct tcb *t);

/** tcp_ecn_accepts says, likewise, what comes about by a SYN with this type of service, when t is the
 * listener, or the connection in a simultaneous open. */
uint8_t tcp_ecn_accepts(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn,
                        uint8_t tos);

/** tcp_ecn_agreed says, likewise, what comes about by a SYN-ACK. */
uint8_t tcp_ecn_agreed(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn_ack);

/** tcp_ecn_fill writes the flags of our SYN, or of an answer to the peer's. Returns the ECN bits of its packet. */
uint8_t tcp_ecn_fill(const struct tcp *tcp, struct tcb *t, struct tcp_seg *syn);

/** tcp_ecn_input takes the marks and CWR of an acceptable segment; what it says about data that was
 * acknowledged before may send an acknowledgement. */
void tcp_ecn_input(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** tcp_ecn_is_echo says whether a segment reports marks. */
static inline bool tcp_ecn_is_echo(const struct tcb *t, const struct tcp_seg *seg)
{
	return (t->opt & (TCB_OPT_ECN | TCB_OPT_ACCECN)) == TCB_OPT_ECN && (seg->flags & TCP_ECE) &&
	       !(seg->flags & TCP_SYN);
}

/** tcp_ecn_reduced notes that cwnd was reduced: not again in this window, and the peer is told. */
void tcp_ecn_reduced(struct tcb *t, struct tcp_queues *q);

/** tcp_ecn_has_reduced says whether that window still lasts. */
bool tcp_ecn_has_reduced(const struct tcb *t, struct tcp_queues *q);

/** tcp_ecn_tos returns the ECN bits of a segment; fresh: it carries data never sent before; bare: it does nothing but
 * acknowledge. */
static inline uint8_t tcp_ecn_tos(const struct tcp *tcp, const struct tcb *t, bool fresh, bool bare)
{
	if (!(t->opt & TCB_OPT_ECN))
		return 0;
	/* RFC 3168 sections 6.1.4 to 6.1.6: neither pure acknowledgements nor what is sent again */
	if (fresh || cc_of(t)->needs_ecn)
		return ECN_ECT0;
	/* ECN++, unless nobody would tell of a mark (draft-ietf-tcpm-generalized-ecn section 3.2.3) */
	return tcp->ctx->cfg.tcp_ecn_plus && (!bare || (t->opt & TCB_OPT_ACCECN)) ? ECN_ECT0 : 0;
}

/** tcp_ecn_syn_ack_tos returns those of a SYN-ACK that agrees to ECN in a way (TCB_OPT_*); again: it was sent before, and what was
 * in the way may have been the bits. */
static inline uint8_t tcp_ecn_syn_ack_tos(const struct tcp *tcp, const struct tcb *listener,
                                          uint8_t opt, bool again)
{
	if ((opt & (TCB_OPT_ECN | TCB_OPT_ACCECN)) == TCB_OPT_ECN && cc_of(listener)->needs_ecn)
		return ECN_ECT0; /* RFC 8257 section 3.4: where DCTCP is, what cannot be marked is dropped */
	return (opt & TCB_OPT_ECN) && tcp->ctx->cfg.tcp_ecn_plus && !again ? ECN_ECT0 : 0;
}

/** tcp_ecn_syn_ack_marked takes in that a segment, which completes a handshake, tells that our SYN-ACK came marked, by ECE as
 * RFC 3168 has it: a window of one segment, as if it had been lost. */
void tcp_ecn_syn_ack_marked(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

#endif
