/* SPDX-License-Identifier: BSD-2-Clause */
/* RACK, in the steps of RFC 8985 section 6.2. */

#include "tcp/rack.h"

#include "base/seq.h"
#include "tcp/scoreboard.h"
#include "tcp/tcb.h"

#define DUP_THRESH 3
#define PERSIST    16
#define WND_MIN_US 128 /* two ticks: the clock's resolution is a turn of the loop */

/* RACK_sent_after: of two segments sent in the same microsecond, the one that ends later */
static bool sent_after(uint32_t us, uint32_t end, uint32_t than_us, uint32_t than_end)
{
	return seq_gt(us, than_us) || (us == than_us && seq_gt(end, than_end));
}

bool rack_echo_is_old(const struct rack *r, const struct pkt *note)
{
	return note->tx.sends > 1 && r->has_echo && seq_geq(note->tx.sent_us, r->echo_us);
}

void rack_deliver(struct rack *r, const struct pkt *note, uint32_t now_us)
{
	uint32_t end = note->tx.seq + note->tx.len, rtt = now_us - note->tx.sent_us;

	/* step 2: an acknowledgement of a retransmitted segment that echoes an older timestamp, or
	 * arrives this soon, is for the original */
	if (note->tx.sends > 1 && (rtt < r->min_rtt_us || rack_echo_is_old(r, note)))
		return;
	if (!r->valid || sent_after(note->tx.sent_us, end, r->sent_us, r->end)) {
		r->sent_us = note->tx.sent_us;
		r->end = end;
		r->rtt_us = rtt;
	}
	if (note->tx.sends == 1 && (r->min_rtt_us == 0 || rtt < r->min_rtt_us))
		r->min_rtt_us = rtt > 0 ? rtt : 1;
	/* step 3 */
	if (!r->valid || seq_gt(end, r->fack))
		r->fack = end;
	if (unlikely(seq_lt(end, r->fack_was)) && note->tx.sends == 1) {
		uint32_t late = (r->fack_was - note->tx.seq + note->tx.len - 1) / note->tx.len;

		r->reordering = true;
		r->late = (uint8_t)RTE_MAX(r->late, RTE_MIN(late, (uint32_t)UINT8_MAX));
	}
	r->valid = true;
}

void rack_dsack(struct rack *r, uint32_t snd_una, uint32_t snd_nxt)
{
	if (r->in_round && seq_lt(snd_una, r->round_end))
		return;
	r->in_round = true;
	r->round_end = snd_nxt;
	r->persist = PERSIST;
	if (r->mult < UINT8_MAX)
		r->mult++;
}

void rack_recovered(struct rack *r)
{
	if (r->persist > 0 && --r->persist == 0)
		r->mult = 0;
}

/* step 4 */
static uint32_t reordering_window(const struct tcp_queues *q, const struct tcb *t)
{
	const struct rack *r = &q->rack;
	uint64_t wnd = (uint64_t)r->min_rtt_us * (r->mult + 1u) / 4;

	if (!r->reordering && (q->recovery != TCP_R_OPEN || q->sacked_segs >= DUP_THRESH))
		return 0;
	wnd = wnd < t->srtt_us ? wnd : t->srtt_us;
	return wnd > WND_MIN_US ? (uint32_t)wnd : WND_MIN_US;
}

uint32_t rack_detect(struct tcp_queues *q, const struct tcb *t, uint32_t now_us, uint64_t *looks)
{
	const struct rack *r = &q->rack;
	uint32_t wait = 0, wnd = reordering_window(q, t);

	if (!r->valid)
		return 0;
	for (struct rte_mbuf *m = scoreboard_open(q, q->snd.head); m != NULL;
	     m = scoreboard_next(q, m)) {
		const struct pkt *note = pkt_of(m);
		int32_t left;

		++*looks;
		if ((note->tx.flags & (SEG_LOST | SEG_RESENT)) == SEG_LOST)
			continue;
		if (!sent_after(r->sent_us, r->end, note->tx.sent_us,
		                note->tx.seq + note->tx.len)) {
			/* sent once: all that follow were sent later */
			if (note->tx.sends == 1)
				break;
			continue;
		}
		left = seq_diff(note->tx.sent_us + r->rtt_us + wnd, now_us);
		if (left <= 0)
			scoreboard_lost(q, m);
		else if ((uint32_t)left > wait)
			wait = (uint32_t)left;
	}
	return wait;
}
