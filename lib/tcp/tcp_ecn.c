/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/tcp_ecn.h"

#include "base/seq.h"
#include "tcp/accecn.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_segment.h"

/* tcp.ecn */
enum { ECN_NEVER, ECN_ALWAYS, ECN_IF_ASKED, ACCECN_ALWAYS, ACCECN_OR_ECN, ACCECN_IF_ASKED };

#define OPT_ACCECN (TCB_OPT_ECN | TCB_OPT_ACCECN)

/* values of ACE in SYNs, beside those of accecn_of_bits */
enum { ACE_NONE = 0, ACE_ECN_ANSWER = 1, ACE_ECN = 3, ACE_ACCECN = 7 };

bool tcp_ecn_may_be_accurate(const struct pc_stack_config *cfg)
{
	return cfg->tcp_ecn >= ACCECN_ALWAYS;
}

uint8_t tcp_ecn_asks(const struct tcp *tcp, const struct tcb *t)
{
	const uint64_t mode = tcp->ctx->cfg.tcp_ecn;

	if (cc_of(t)->needs_ecn || mode == ECN_ALWAYS || mode == ACCECN_OR_ECN)
		return TCB_OPT_ECN;
	return mode == ACCECN_ALWAYS ? OPT_ACCECN : 0;
}

static bool knows_accecn(const struct tcp *tcp, const struct tcb *t)
{
	return tcp_ecn_may_be_accurate(&tcp->ctx->cfg) && !cc_of(t)->needs_ecn;
}

uint8_t tcp_ecn_asked(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn)
{
	const unsigned ace = accecn_ace(syn);

	if (ace == ACE_NONE || !knows_accecn(tcp, t))
		return 0;
	/* RFC 9768 section 3.1.3: values without a meaning yet count as a request, too */
	return ace == ACE_ECN ? ASKED_ECN : ASKED_ACCECN;
}

bool tcp_ecn_is_mixed(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn)
{
	uint8_t asked = tcp_ecn_asked(tcp, t, syn);

	if (t->opt & TCB_OPT_ACCECN)
		asked |= ASKED_ACCECN;
	else if (t->opt & TCB_OPT_ECN)
		asked |= ASKED_ECN;
	return asked == ASKED_BOTH;
}

uint8_t tcp_ecn_accepts(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn,
                        uint8_t tos)
{
	const uint64_t mode = tcp->ctx->cfg.tcp_ecn;
	const uint8_t both = TCP_ECE | TCP_CWR;

	if (tcp_ecn_asked(tcp, t, syn) == ASKED_ACCECN)
		return OPT_ACCECN;
	if ((syn->flags & both) != both)
		return 0;
	/* RFC 3168 section 6.1.1: a SYN must not be ECN-capable, so this is not a request */
	if (!cc_of(t)->needs_ecn && (mode == ECN_NEVER || (tos & ECN_MASK) != 0))
		return 0;
	return TCB_OPT_ECN;
}

uint8_t tcp_ecn_agreed(const struct tcp *tcp, const struct tcb *t, const struct tcp_seg *syn_ack)
{
	const uint8_t asked = tcp_ecn_asks(tcp, t);

	/* RFC 3168 section 6.1.1: ECE without CWR */
	if (!(asked & TCB_OPT_ACCECN))
		return (syn_ack->flags & (TCP_ECE | TCP_CWR)) == TCP_ECE ? asked : 0;
	switch (accecn_ace(syn_ack)) { /* RFC 9768 table 2 */
	case ACE_NONE:
	case ACE_ACCECN: /* the peer reflects bits that it does not know */
		return 0;
	case ACE_ECN_ANSWER:
		return TCB_OPT_ECN;
	default: /* even if the last SYN did not ask: the first one has (3.1.5) */
		return OPT_ACCECN;
	}
}

uint8_t tcp_ecn_fill(const struct tcp *tcp, struct tcb *t, struct tcp_seg *syn)
{
	const bool answer = (syn->flags & TCP_ACK) != 0, again = t->retries > SYNS_THAT_ASK;
	uint8_t what = answer ? t->opt & OPT_ACCECN : tcp_ecn_asks(tcp, t);

	if (what & TCB_OPT_ACCECN) {
		/* RFC 9768 section 3.1.4: if two were lost, the flags may be the cause */
		if (!again)
			accecn_put(syn, answer ? accecn_syn(tcp, t) : ACE_ACCECN);
		else if (answer)
			t->opt &= (uint8_t)~TCB_OPT_ECN;
		return answer ? tcp_ecn_syn_ack_tos(tcp, t, t->opt, t->retries > 0) : 0;
	}
	/* RFC 3168 section 6.1.1.1: if the first was lost, the flags may be the cause */
	if (what == 0 || (!answer && t->retries > 0))
		return 0;
	syn->flags |= answer ? TCP_ECE : TCP_ECE | TCP_CWR;
	if (answer)
		return tcp_ecn_syn_ack_tos(tcp, t, what, t->retries > 0);
	/* RFC 8257 section 3.4: DCTCP's switches drop what they cannot mark */
	return cc_of(t)->needs_ecn ? ECN_ECT0 : 0;
}

void tcp_ecn_syn_ack_marked(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg)
{
	if (!tcp->ctx->cfg.tcp_ecn_plus || !tcp_ecn_is_echo(t, seg) || cc_of(t)->needs_ecn)
		return;
	t->syn_lost = 1;
	t->cwnd = tcb_initial_window(tcp, t);
	t->flags |= TCB_CWR;
}

/* RFC 8257 section 3.2: each acknowledgement reports whether what it covers was marked */
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

	if (t->opt & TCB_OPT_ACCECN) {
		accecn_input(tcp, t, seg, tos);
		return;
	}
	/* only marks on data count, and on a FIN, which some send with ECT (ECN++): an
	 * acknowledgement is not acknowledged */
	if (!(t->opt & TCB_OPT_ECN) || (seg->len == 0 && !(seg->flags & TCP_FIN)))
		return;
	if (ce)
		ctx_count(tcp->ctx, PC_TCP_ECN_MARKED);
	if (cc_of(t)->needs_ecn) {
		follow_marks(tcp, t, ce);
		return;
	}
	/* RFC 3168 section 6.1.3: ECE from the first mark until CWR, whose own packet may be
	 * marked */
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
	if (!(t->opt & OPT_ACCECN))
		return;
	t->flags |= TCB_CWR;
	q->reduced = true;
	q->reduced_end = t->snd_nxt;
}

/* CWR is sent with the byte at reduced_end: until that is acknowledged, ECE may be an old one */
bool tcp_ecn_has_reduced(const struct tcb *t, struct tcp_queues *q)
{
	if (q->reduced && seq_gt(t->snd_una, q->reduced_end))
		q->reduced = false;
	return q->reduced;
}
