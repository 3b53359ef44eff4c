/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_ACK_H
#define TCP_TCP_ACK_H

/* The acknowledgement field of a segment (RFC 9293 section 3.10.7.4, fifth step). */

#include "base/seq.h"
#include "tcp/tcp.h"

/**
 * tcp_ack removes what a segment acknowledges from the send queue, samples the RTT, runs recovery
 * and updates the send window. merged is how many others the segment stands for (tcp_merged_acks).
 * Returns VERDICT_DONE, or PC_DROP_TCP_ACK_RANGE after challenging.
 */
int tcp_ack(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint32_t merged);

/** tcp_ack_sample_echo takes an RTT sample from the timestamp that a segment echoes. Returns it in
 * us; 0: none. */
uint32_t tcp_ack_sample_echo(const struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** tcp_ack_sample_syn does so for a SYN or SYN-ACK that was sent more than once: the echo says which
 * is answered (RFC 7323 section 4.1). Not if it is as old as the first time-out, as then an earlier
 * answer was lost. */
void tcp_ack_sample_syn(const struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** tcp_ack_space notifies a socket whose send was refused when the send buffer has room again (as
 * on Linux: a third must be free). */
void tcp_ack_space(struct tcp *tcp, struct tcb *t);

/**
 * tcp_take_window sets the send window from a segment that acknowledges SND.UNA or more (so
 * SND.WL2 =< SEG.ACK), unless a newer segment has set it (RFC 9293 3.10.7.4). A segment that
 * acknowledges more than any before it is the newest, even if its data is a retransmission: the
 * window counts from its ACK, and the old one would reach too far. SND.WL1 then stays, as that does
 * not make other retransmissions newer. Returns whether the window was set.
 */
static inline bool tcp_take_window(struct tcb *t, const struct tcp_seg *seg, bool acks_more)
{
	uint32_t wnd = (uint32_t)seg->wnd << t->snd_wscale;

	if (likely(seq_leq(t->snd_wl1, seg->seq)))
		t->snd_wl1 = seg->seq;
	else if (!acks_more)
		return false;
	t->snd_wnd = wnd;
	if (unlikely(wnd > t->snd_max_wnd))
		t->snd_max_wnd = wnd;
	return true;
}

/** tcp_ack_now has an acknowledgement sent at the end of this turn. */
static inline void tcp_ack_now(struct tcp *tcp, struct tcb *t)
{
	t->flags |= TCB_ACK_NOW;
	tcp_work(tcp, t);
}

/** tcp_note_mss updates rcv_mss from segments of which len bytes are taken. */
static inline void tcp_note_mss(struct tcb *t, const struct tcp_rx *rx, uint32_t len)
{
	if (unlikely(rx->segs > 1))
		len = RTE_MIN(len, rx->text);
	if (len > t->rcv_mss)
		t->rcv_mss = (uint16_t)RTE_MIN(len, (uint32_t)UINT16_MAX);
}

/** tcp_owe_ack records that len bytes are to be acknowledged: at least every second full segment at
 * once (RFC 9293 3.8.6.3). */
static inline void tcp_owe_ack(struct tcp *tcp, struct tcb *t, struct tcp_queues *q,
                               const struct tcp_rx *rx, uint32_t len)
{
	tcp_note_mss(t, rx, len);
	t->flags |= TCB_ACK_LATER;
	if (t->rcv_nxt - t->last_ack_sent >= 2u * t->rcv_mss) {
		t->flags |= TCB_ACK_NOW;
		rcvtune_bulk(tcp, t, q, &rx->seg);
	}
	tcp_work(tcp, t);
}

#endif
