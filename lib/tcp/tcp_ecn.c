/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/tcp_ecn.h"

#include "base/seq.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_output.h"

/* tcp.ecn */
enum { ECN_NEVER, ECN_ALWAYS, ECN_IF_ASKED };

bool tcp_ecn_asks(const struct tcp *tcp, const struct tcb *t)
{
	return tcp->ctx->cfg.tcp_ecn == ECN_ALWAYS || cc_of(t)->needs_ecn;
}

bool tcp_ecn_accepts(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn,
                     uint8_t tos)
{
	const uint8_t both = TCP_ECE | TCP_CWR;

	if ((syn->flags & both) != both)
		return false;
	if (cc_of(t)->needs_ecn)
		return true;
	/* RFC 3168 section 6.1.1: no SYN is ECN-capable; this one was sent by something else */
	return tcp->ctx->cfg.tcp_ecn != ECN_NEVER && (tos & ECN_MASK) == 0;
}

/* RFC 8257 section 3.2: each acknowledgement tells the state of what it acknowledges */
static void follow_marks(struct tcp *tcp, struct tcb *t, bool ce)
{
	if (ce == !!(t->flags & TCB_ECE))
		return;
	if (t->flags & (TCB_ACK_NOW | TCB_ACK_LATER))
		tcp_send_ack(tcp, t);
	t->flags ^= TCB_ECE;
	tcp_ack_now(tcp, t);
}

void tcp_ecn_input(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	bool ce = (tos & ECN_MASK) == ECN_CE;

	/* marks count on data only: nothing else is sent with ECT (RFC 3168 section 6.1.4) */
	if (!(t->opt & TCB_OPT_ECN) || seg->len == 0)
		return;
	if (ce)
		ctx_count(tcp->ctx, PC_TCP_ECN_MARKED);
	if (cc_of(t)->needs_ecn) {
		follow_marks(tcp, t, ce);
		return;
	}
	/* RFC 3168 section 6.1.3: ECE from the first mark until CWR; CWR may be marked itself */
	if (seg->flags & TCP_CWR) {
		t->flags &= ~(uint32_t)TCB_ECE;
		tcp_ack_now(tcp, t);
	}
	if (ce && !(t->flags & TCB_ECE)) {
		t->flags |= TCB_ECE;
		tcp_ack_now(tcp, t);
	}
}

void tcp_ecn_reduced(struct tcb *t, struct tcp_queues *q)
{
	if (!(t->opt & TCB_OPT_ECN))
		return;
	t->flags |= TCB_CWR;
	q->reduced = true;
	q->reduced_end = t->snd_nxt;
}

/* CWR goes with the byte at reduced_end: until that is acknowledged, ECE may be the old one */
bool tcp_ecn_has_reduced(const struct tcb *t, struct tcp_queues *q)
{
	if (q->reduced && seq_gt(t->snd_una, q->reduced_end))
		q->reduced = false;
	return q->reduced;
}
