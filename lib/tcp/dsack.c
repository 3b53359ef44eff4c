/* SPDX-License-Identifier: BSD-2-Clause */
/* DSACK (RFC 2883), the receiver's side. */

#include "tcp/dsack.h"

#include "tcp/tcp.h"
#include "tcp/tcp_segment.h"

void dsack_note(struct tcp *tcp, struct tcb *t, uint32_t start, uint32_t end)
{
	if (start == end || !(t->opt & TCB_OPT_SACK) || !tcp->ctx->cfg.tcp_dsack)
		return;
	/* RFC 2883 section 4: each duplicate is reported in one acknowledgement */
	if (tcp->dsack.tcb != 0)
		(void)tcp_send_ack(tcp, tcp_tcb(tcp, tcp->dsack.tcb));
	tcp->dsack = (struct dsack){.tcb = tcp_index(tcp, t), .start = start, .end = end};
}

void dsack_fill(const struct tcp *tcp, struct tcp_seg *s)
{
	const unsigned max = (s->has & TCP_HAS_TS) ? 3 : TCP_SACK_BLOCKS;

	if (s->nb_sack < max)
		s->nb_sack++;
	for (unsigned i = s->nb_sack - 1u; i > 0; i--)
		s->sack[i] = s->sack[i - 1];
	s->sack[0].start = tcp->dsack.start;
	s->sack[0].end = tcp->dsack.end;
	s->has |= TCP_HAS_SACK;
}

void dsack_forget(struct tcp *tcp, const struct tcb *t)
{
	if (dsack_is_due(tcp, t))
		tcp->dsack.tcb = 0;
}
