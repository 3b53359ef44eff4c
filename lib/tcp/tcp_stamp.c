/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/tcp_stamp.h"

#include "base/seq.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_segment.h"

/* RFC 7323 section 5.5: older than half the cycle of the fastest clock */
static bool ts_recent_is_invalid(const struct tcp *tcp, const struct tcb *t)
{
	return (uint16_t)(tcp->ctx->era - t->ts_recent_at) > 24u * 86400 * 1000 >> 22;
}

int tcp_stamp_check(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	/* a SYN passes: a restarted peer is challenged (RFC 5961) */
	if (!(seg->has & TCP_HAS_TS))
		return seg->flags & (TCP_RST | TCP_SYN) ? VERDICT_DONE : PC_DROP_TCP_NO_TIMESTAMP;
	if (seq_lt(seg->tsval, t->ts_recent) && !(seg->flags & TCP_RST) &&
	    !ts_recent_is_invalid(tcp, t)) {
		tcp_ack_dropped(tcp, t, seg);
		return PC_DROP_TCP_PAWS;
	}
	return VERDICT_DONE;
}

void tcp_stamp_take(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	/* 4.3 (2): it covers Last.ACK.sent; an older value never replaces a newer valid one */
	if (seq_leq(seg->seq, t->last_ack_sent) &&
	    (seq_geq(seg->tsval, t->ts_recent) || ts_recent_is_invalid(tcp, t))) {
		t->ts_recent = seg->tsval;
		t->ts_recent_at = tcp->ctx->era;
	}
}

/*
 * The segment that was acknowledged last has come again, so that acknowledgement was lost.  The one
 * that answers it now must echo it: with the timestamp of the original the sender would measure its
 * own time-out, and each such loss would make the next time-out longer.  Section 5.3 would reject
 * the segment before its timestamp is looked at (R2), but 4.3 (2) fits, and Linux and FreeBSD take
 * it.  A forged one must not shut out the peer: RFC 5961 5.2 judges its acknowledgement.
 */
void tcp_stamp_take_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	const uint32_t end = seg->seq + seg->len + !!(seg->flags & TCP_FIN);

	if ((t->opt & TCB_OPT_TS) && end == t->last_ack_sent && (seg->flags & TCP_ACK) &&
	    seq_leq(seg->ack, t->snd_nxt) && seq_geq(seg->ack, t->snd_una - t->snd_max_wnd))
		tcp_stamp_take(tcp, t, seg);
}
