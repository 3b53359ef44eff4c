/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_ACCECN_H
#define TCP_ACCECN_H

/*
 * Accurate ECN (RFC 9768): how many packets have arrived marked, reported in each segment.
 *
 * Overview: AE, CWR and ECE form a field of three bits, ACE.  SYN and SYN-ACK use it for
 * negotiation (tcp_ecn.h); the SYN-ACK, and the acknowledgement of it, report the ECN bits of the
 * packet that they acknowledge; all other segments carry r.cep, the number of packets that arrived
 * marked, modulo 8.
 *
 * TCB_OPT_ACCECN: marks are reported in this way.  TCB_OPT_ECN as well: we send ECN-capable
 * packets.  TCB_OPT_ECN is cleared when the path or the handshake shows that marks cannot be
 * trusted; we then still report the marks of the peer's packets, and reduce cwnd when it reports
 * marks of ours (section 3.1.5).  TCB_ECE is set for the connection's life, so that the fast paths
 * leave such connections alone.
 *
 * The option that counts bytes of data (section 3.2.3) is in accecn_bytes.h.
 *
 * If tcp.ecn never allows Accurate ECN, it takes no memory: accecn_configure allocates the
 * per-connection state once tcp.ecn allows it.
 */

#include "tcp/accecn_bytes.h"
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"

#define ACCECN_AT_FIRST 5 /* section 3.2.1: not 0, which a path that clears the flags makes */

/** State of a connection with Accurate ECN in addition to its TCB. */
struct accecn {
	uint16_t rcv : 3;    /* r.cep modulo 8: packets received with a mark */
	uint16_t told : 3;   /* ... as last sent to the peer */
	uint16_t snd : 3;    /* s.cep modulo 8: as last reported by the peer */
	uint16_t syn : 2;    /* the ECN bits of the peer's SYN */
	uint16_t marked : 1; /* the last packet received was marked */
	uint16_t first : 1;  /* only SYNs have been received */
	uint16_t shake : 1;  /* ... and the next segment may report the ECN bits of our SYN-ACK */
	uint16_t echo : 1;   /* our next segment acknowledges a SYN-ACK, and nothing else */
	uint16_t deaf : 1;   /* the field was cleared in transit: it is not trusted */
	struct accecn_bytes bytes;
};

static_assert(sizeof(struct accecn) <= 32, "there is one for each TCB");

/** accecn_configure allocates the per-connection state if the settings allow Accurate ECN. Returns
 * 0 or -ENOMEM. accecn_fini frees it. */
int accecn_configure(struct tcp *tcp);
void accecn_fini(struct tcp *tcp);

/** accecn_footprint returns the bytes that accecn_configure allocates. */
uint64_t accecn_footprint(const struct pc_stack_config *cfg, uint32_t nb_tcbs);

/** accecn_ace returns the ACE field of a segment. */
static inline unsigned accecn_ace(const struct tcp_seg *seg)
{
	return (seg->has & TCP_HAS_AE ? 4u : 0u) | (seg->flags >> 6 & 3u);
}

/** accecn_put sets the ACE field, replacing ECE and CWR. */
static inline void accecn_put(struct tcp_seg *seg, unsigned ace)
{
	seg->flags = (uint8_t)((seg->flags & 0x3fu) | (ace & 3) << 6);
	seg->has = (uint8_t)((seg->has & ~TCP_HAS_AE) | (ace & 4 ? TCP_HAS_AE : 0));
}

/** accecn_of_bits returns the ACE field that reports the ECN bits of a SYN or SYN-ACK (tables 2 and
 * 3). */
static inline unsigned accecn_of_bits(uint8_t bits)
{
	return (bits & 3u) + (bits & 3u) / 3 + 2;
}

/** accecn_begin starts the counters of a connection that has agreed on Accurate ECN; bits: the ECN
 * bits of the peer's SYN. accecn_begin_active does so after a SYN-ACK. */
void accecn_begin(struct tcp *tcp, struct tcb *t, uint8_t bits);
void accecn_begin_active(struct tcp *tcp, struct tcb *t, uint8_t bits, const struct tcp_seg *seg);

/** accecn_mute stops sending the option: our SYN-ACK that carried it was not answered. */
void accecn_mute(struct tcp *tcp, struct tcb *t);

/** accecn_syn_again handles a retransmitted SYN, in SYN-RECEIVED. */
void accecn_syn_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** accecn_syn_ack_again answers a retransmitted SYN-ACK with a challenge ACK. */
void accecn_syn_ack_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** accecn_syn returns the ACE field for our SYN-ACK. */
unsigned accecn_syn(const struct tcp *tcp, const struct tcb *t);

/** accecn_counter returns r.cep modulo 8. */
unsigned accecn_counter(const struct tcp *tcp, const struct tcb *t);

/** accecn_fill sets the ACE field of a segment with len bytes of data. */
void accecn_fill(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg, uint32_t len);

/** accecn_option adds the option, if it is due, to a segment with len bytes of data that is
 * otherwise complete; room: the most bytes of options that the segment may have. Returns false if
 * the option must be sent in a separate acknowledgement, which has room for it. */
bool accecn_option(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg, uint32_t len,
                   unsigned room);

/** accecn_syn_option adds the option to a SYN-ACK that is otherwise complete. */
void accecn_syn_option(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg);

/** accecn_options_room returns how many of room bytes the options of a segment leave free, not
 * counting SACK blocks beyond the second (section 3.2.3.3). */
unsigned accecn_options_room(const struct tcp_seg *seg, unsigned room);

/** accecn_resent notes that a segment with data was retransmitted. */
void accecn_resent(struct tcp *tcp, struct tcb *t);

/** accecn_input counts the mark of an acceptable segment; tos: of its packet. It may send an
 * acknowledgement. */
void accecn_input(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos);

/** accecn_marks returns how many more of our packets arrived marked, according to an
 * acknowledgement of segs segments; newer: it is newer than all before. */
unsigned accecn_marks(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg,
                      const struct loss_ack *ack, uint32_t segs, bool newer);

#endif
