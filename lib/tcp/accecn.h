/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_ACCECN_H
#define TCP_ACCECN_H

/*
 * Accurate ECN (RFC 9768): how many packets have arrived marked, reported in each segment.
 *
 * Overview: AE, CWR and ECE are one field of three bits, ACE.  SYN and SYN-ACK use it for
 * negotiation (tcp_ecn.h); the SYN-ACK, and the acknowledgement of it, report the ECN bits of the
 * packet that they answer; all other segments carry r.cep, the number of packets that arrived
 * marked, modulo 8.
 *
 * TCB_OPT_ACCECN: marks are reported in this way.  TCB_OPT_ECN with it: what is sent is
 * ECN-capable; this ends when the path or the handshake shows that marks cannot be trusted, and
 * then we still report the peer's marks, and reduce cwnd by what it reports of ours (section
 * 3.1.5).  TCB_ECE is set for the connection's life, so that the fast paths leave such connections
 * alone.
 *
 * The option that counts bytes of text (section 3.2.3) is in accecn_bytes.h.
 *
 * If tcp.ecn never allows Accurate ECN, nothing of it takes memory: accecn_configure allocates what
 * connections need in addition to their TCBs once tcp.ecn allows it.
 */

#include "tcp/accecn_bytes.h"
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"

#define ACCECN_AT_FIRST 5 /* section 3.2.1: not 0, which a path makes that clears the flags */

/** What a connection with Accurate ECN has beside its TCB. */
struct accecn {
	uint16_t rcv : 3;    /* r.cep modulo 8: packets that came marked */
	uint16_t told : 3;   /* ... when we sent something last */
	uint16_t snd : 3;    /* s.cep modulo 8: what the peer has told */
	uint16_t syn : 2;    /* the ECN bits with which the peer's SYN came */
	uint16_t marked : 1; /* the last packet that came was */
	uint16_t first : 1;  /* nothing but SYNs has come */
	uint16_t shake : 1;  /* ... and what comes may say how our SYN-ACK came */
	uint16_t echo : 1;   /* we answer a SYN-ACK, and nothing else */
	uint16_t deaf : 1;   /* the field was cleared on its way: what it tells is not believed */
	struct accecn_bytes bytes;
};

static_assert(sizeof(struct accecn) <= 32, "there is one for each TCB");

/** accecn_configure makes what connections with Accurate ECN need, if the settings let them come about. Returns 0 or
 * -ENOMEM. accecn_fini frees it. */
int accecn_configure(struct tcp *tcp);
void accecn_fini(struct tcp *tcp);

/** accecn_footprint returns how many bytes that takes. */
uint64_t accecn_footprint(const struct pc_stack_config *cfg, uint32_t nb_tcbs);

/** accecn_ace returns the field of a segment. */
static inline unsigned accecn_ace(const struct tcp_seg *seg)
{
	return (seg->has & TCP_HAS_AE ? 4u : 0u) | (seg->flags >> 6 & 3u);
}

/** accecn_put writes it, in the place of ECE and CWR. */
static inline void accecn_put(struct tcp_seg *seg, unsigned ace)
{
	seg->flags = (uint8_t)((seg->flags & 0x3fu) | (ace & 3) << 6);
	seg->has = (uint8_t)((seg->has & ~TCP_HAS_AE) | (ace & 4 ? TCP_HAS_AE : 0));
}

/** accecn_of_bits is the field that says with what ECN bits a SYN or SYN-ACK came (tables 2 and 3). */
static inline unsigned accecn_of_bits(uint8_t bits)
{
	return (bits & 3u) + (bits & 3u) / 3 + 2;
}

/** accecn_begin starts the counters of a connection that has agreed on Accurate ECN; bits: of the packet with the
 * peer's SYN. accecn_begin_active does so for a SYN-ACK. */
void accecn_begin(struct tcp *tcp, struct tcb *t, uint8_t bits);
void accecn_begin_active(struct tcp *tcp, struct tcb *t, uint8_t bits, const struct tcp_seg *seg);

/** accecn_mute has no option sent by a connection: one was on a SYN-ACK that nobody has answered. */
void accecn_mute(struct tcp *tcp, struct tcb *t);

/** accecn_syn_again takes the peer's SYN once more, in SYN-RECEIVED. */
void accecn_syn_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** accecn_syn_ack_again challenges a SYN-ACK that comes once more. */
void accecn_syn_ack_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** accecn_syn returns the field for our SYN-ACK. */
unsigned accecn_syn(const struct tcp *tcp, const struct tcb *t);

/** accecn_counter returns the field that counts. */
unsigned accecn_counter(const struct tcp *tcp, const struct tcb *t);

/** accecn_fill writes the field of a segment with len bytes of text. */
void accecn_fill(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg, uint32_t len);

/** accecn_option puts the option on a segment with len bytes of text that is complete but for it, if it is due; room: how
 * many bytes of options may be on it. Returns false if it has to go with an acknowledgement of its own, where there is room. */
bool accecn_option(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg, uint32_t len,
                   unsigned room);

/** accecn_syn_option puts it on a SYN-ACK that is complete but for it. */
void accecn_syn_option(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg);

/** accecn_options_room returns how many of room bytes of options are left by those that a segment has, SACK blocks beyond two
 * not counted (section 3.2.3.3). */
unsigned accecn_options_room(const struct tcp_seg *seg, unsigned room);

/** accecn_resent takes note that a segment with text was sent again. */
void accecn_resent(struct tcp *tcp, struct tcb *t);

/** accecn_input takes the marks of an acceptable segment, whose packet had this type of service; it may send an
 * acknowledgement. */
void accecn_input(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** accecn_marks returns how many more packets came marked by what an acknowledgement tells, which is for so many segments of
 * ours; newer: than others. */
unsigned accecn_marks(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg,
                      const struct loss_ack *ack, uint32_t segs, bool newer);

#endif
