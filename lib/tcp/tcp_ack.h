/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_ACK_H
#define TCP_TCP_ACK_H

/* The acknowledgement field of a segment (RFC 9293 section 3.10.7.4, fifth step). */

#include "base/seq.h"
#include "tcp/tcp.h"

/**
 * tcp_ack takes what a segment acknowledges out of the send queue, samples the RTT, runs recovery and
 * moves the send window. Returns VERDICT_DONE, or PC_DROP_TCP_ACK_RANGE after it has answered.
 */
int tcp_ack(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** tcp_ack_sample_echo takes a round trip by the timestamp that a segment echoes. Returns it in us; 0: there is none. */
uint32_t tcp_ack_sample_echo(const struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg);

/** tcp_ack_space tells a socket that was refused to send when the send buffer has room again (as Linux: a third
 * must be free). */
void tcp_ack_space(struct tcp *tcp, struct tcb *t);

/**
 * tcp_take_window sets the send window by a segment that acknowledges SND.UNA or more (so SND.WL2 =< SEG.ACK),
 * unless a newer segment has set it (RFC 9293 3.10.7.4). One that acknowledges more than all before it is the
 * newest, though it may carry text that was sent before: the window counts from where it acknowledges, and the old
 * one would reach too far. SND.WL1 stays then: what else was sent before is not newer for that. Returns whether it has.
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

/** tcp_ack_now lets an acknowledgement go at the end of this turn. */
static inline void tcp_ack_now(struct tcp *tcp, struct tcb *t)
{
	t->flags |= TCB_ACK_NOW;
	tcp_work(tcp, t);
}

/** tcp_note_mss takes note that the peer has sent segments with len bytes of text that are taken. */
static inline void tcp_note_mss(struct tcb *t, const struct tcp_rx *rx, uint32_t len)
{
	if (unlikely(rx->segs > 1))
		len = RTE_MIN(len, rx->text);
	if (len > t->rcv_mss)
		t->rcv_mss = (uint16_t)RTE_MIN(len, (uint32_t)UINT16_MAX);
}

/** tcp_owe_ack takes note that len bytes of text are to be acknowledged: at least every second full
 * segment at once (RFC 9293 3.8.6.3). */
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
