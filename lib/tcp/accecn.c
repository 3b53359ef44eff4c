/* SPDX-License-Identifier: BSD-2-Clause */
/* Accurate ECN; see accecn.h. */
#include "tcp/accecn.h"

#include "tcp/account.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_segment.h"

#define MARKS_OF_TEXT 2 /* section 3.2.2.5.1: after so many new marks an acknowledgement is due */
#define MARKS_OF_ACKS 3 /* ... if there is no text: or two ends would never stop */
#define MARKS_MAX     6 /* ... and not at the end of the turn, as the counter has three bits */

static struct accecn *state_of(const struct tcp *tcp, const struct tcb *t)
{
	return &tcp->accecn[tcp_index(tcp, t)];
}

/* section 3.1.5: what is sent from now on is not to be marked */
static void mistrust(struct tcb *t)
{
	t->opt &= (uint8_t)~TCB_OPT_ECN;
}

/* Sections 3.2.2.2 and 3.2.2.3: our SYN or SYN-ACK came marked, which is congestion whatever has made it markable; as if
 * it had been lost (RFC 3168 section 6.1, RFC 6928 section 2) the window starts at one segment. */
static void note_marked_syn_ack(struct tcp *tcp, struct tcb *t, struct accecn *a)
{
	a->snd = ACCECN_AT_FIRST + 1;
	account_of(tcp, t)->delivered_ce++;
	t->syn_lost = 1;
	t->cwnd = RTE_MIN(t->cwnd, tcb_initial_window(tcp, t));
}

/* Section 3.2.2.3: none of our SYNs is ECN-capable; who says that one came with other bits has heard of it by a
 * path that changes them. */
static bool is_mangled(unsigned ace)
{
	return ace == accecn_of_bits(1) || ace == accecn_of_bits(ECN_ECT0) ||
	       ace == accecn_of_bits(ECN_CE);
}

/* The same of our SYN-ACK. With ECN++ the first is sent with ECT(0), and those that follow, if it was lost, are not. */
static bool syn_ack_is_mangled(const struct tcp *tcp, const struct tcb *t, unsigned ace)
{
	if (!tcp->ctx->cfg.tcp_ecn_plus)
		return is_mangled(ace);
	return ace == accecn_of_bits(1) || (ace == accecn_of_bits(0) && !t->syn_lost);
}

void accecn_begin(struct tcp *tcp, struct tcb *t, uint8_t bits)
{
	*state_of(tcp, t) = (struct accecn){.rcv = ACCECN_AT_FIRST,
	                                    .told = ACCECN_AT_FIRST,
	                                    .snd = ACCECN_AT_FIRST,
	                                    .syn = bits & 3u,
	                                    .first = 1,
	                                    .shake = 1};
	t->flags |= TCB_ECE;
}

void accecn_begin_active(struct tcp *tcp, struct tcb *t, uint8_t bits, const struct tcp_seg *seg)
{
	struct accecn *a = state_of(tcp, t);

	accecn_begin(tcp, t, bits);
	a->shake = 0;
	a->echo = 1;
	if ((bits & ECN_MASK) == ECN_CE) /* the first that came marked */
		a->rcv++;
	if (is_mangled(accecn_ace(seg)))
		mistrust(t);
	if (accecn_ace(seg) == accecn_of_bits(ECN_CE))
		t->syn_lost = 1;
}

/* section 3.1.5: the latest SYN is what our SYN-ACK answers; who did not ask in each is sent nothing that may be marked */
void accecn_syn_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	state_of(tcp, t)->syn = tos & 3u;
	if (accecn_ace(seg) == 0)
		mistrust(t);
}

/* does a SYN-ACK agree on Accurate ECN (table 2)? */
static bool confirms(unsigned ace)
{
	return ace > 1 && ace < 7;
}

/* Section 3.2.2.1: the acknowledgement of each SYN-ACK says how that came, if it has no SACK blocks.  One SYN-ACK that
 * came marked is counted, as the server counts what it is told once (3.2.2.2). */
void accecn_syn_ack_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	const struct tcp_queues *q = tcp_queues_if(tcp, t);
	struct accecn *a = state_of(tcp, t);
	const bool echo = a->echo;

	if (confirms(accecn_ace(seg)) && (q == NULL || q->ooo == NULL)) {
		a->syn = tos & 3u;
		a->echo = 1;
		if ((tos & ECN_MASK) == ECN_CE && a->first && a->rcv == ACCECN_AT_FIRST)
			a->rcv++;
	}
	tcp_challenge(tcp, t);
	a->echo = echo;
}

unsigned accecn_syn(const struct tcp *tcp, const struct tcb *t)
{
	return accecn_of_bits(state_of(tcp, t)->syn);
}

unsigned accecn_counter(const struct tcp *tcp, const struct tcb *t)
{
	return state_of(tcp, t)->rcv;
}

void accecn_fill(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg, uint32_t len)
{
	struct accecn *a = state_of(tcp, t);

	if (len > 0 || (seg->flags & (TCP_FIN | TCP_RST)))
		a->echo = 0;
	a->told = a->rcv;
	accecn_put(seg, a->echo ? accecn_of_bits(a->syn) : a->rcv);
}

/* Sections 3.2.2.1 and 3.2.2.4: an acknowledgement of our SYN-ACK that has nothing else tells how that came; a field
 * of 0 has been cleared on its way. */
static void input_first(struct tcp *tcp, struct tcb *t, struct accecn *a, const struct tcp_seg *seg)
{
	const unsigned ace = accecn_ace(seg);
	const bool plain = seg->len == 0 && seg->nb_sack == 0 && !(seg->flags & TCP_FIN);

	a->deaf = ace == 0;
	if (a->deaf || (a->shake && plain && syn_ack_is_mangled(tcp, t, ace)))
		mistrust(t);
	if (a->shake && plain && ace == accecn_of_bits(ECN_CE))
		note_marked_syn_ack(tcp, t, a);
	a->first = a->shake = 0;
}

void accecn_input(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	struct accecn *a = state_of(tcp, t);
	const bool ce = (tos & ECN_MASK) == ECN_CE, change = ce && !a->marked;
	unsigned news;

	if (a->first)
		input_first(tcp, t, a, seg);
	a->echo = 0;
	a->marked = ce;
	if (ce) {
		ctx_count(tcp->ctx, PC_TCP_ECN_MARKED);
		a->rcv++;
	}
	news = (a->rcv - a->told) & 7u;
	if (seg->len > 0 ? change || news >= MARKS_OF_TEXT : news >= MARKS_OF_ACKS)
		tcp_ack_now(tcp, t);
	if (news >= MARKS_MAX)
		tcp_send_ack(tcp, t);
}

/* Sections 3.1.5 and 3.2.2.3: marks count where nothing is sent ECN-capable, too, as the path may have made it so; but
 * not when the flags were cleared (3.2.2.4).  Section 3.2.2.5.2 has senders take into account that the counter may have
 * gone round, by 8, when acknowledgements were lost.  More marks than none are one reduction, so that this changes
 * nothing here. */
unsigned accecn_marks(struct tcp *tcp, const struct tcb *t, const struct tcp_seg *seg,
                      bool delivers)
{
	struct accecn *a = state_of(tcp, t);
	const unsigned ace = accecn_ace(seg), marks = (ace - a->snd) & 7u;

	if (a->shake || a->deaf || (a->first && ace == 0))
		return 0;
	/* the handshake's last segment once more (3.2.2.2), as five marks of nothing cannot be */
	if (!delivers && a->snd == ACCECN_AT_FIRST && marks > MARKS_MAX - 2)
		return 0;
	a->snd = ace & 7u;
	return marks;
}
