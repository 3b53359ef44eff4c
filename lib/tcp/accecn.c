/* SPDX-License-Identifier: BSD-2-Clause */
/* Accurate ECN; see accecn.h. */
#include "tcp/accecn.h"

#include <errno.h>

#include <rte_malloc.h>

#include "tcp/account.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_conn.h"
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_segment.h"

#define MARKS_OF_TEXT 2 /* section 3.2.2.5.1: new marks after which an ACK is due */
#define MARKS_OF_ACKS 3 /* ... without data: otherwise two ends would never stop */
#define MARKS_MAX     6 /* ... at once, before the three bits of the counter wrap */
#define BLOCKS_FIRST  2 /* section 3.2.3.3: SACK blocks to which the option gives way */

uint64_t accecn_footprint(const struct pc_stack_config *cfg, uint32_t nb_tcbs)
{
	return tcp_ecn_may_be_accurate(cfg) ? (uint64_t)(nb_tcbs + 1) * sizeof(struct accecn) : 0;
}

int accecn_configure(struct tcp *tcp)
{
	const struct pc_stack_config *cfg = &tcp->ctx->cfg;
	const uint64_t bytes = accecn_footprint(cfg, tcp->nb_tcbs);

	if (bytes == 0 || tcp->accecn != NULL)
		return 0;
	tcp->accecn = rte_zmalloc_socket("pc_accecn", bytes, RTE_CACHE_LINE_SIZE, cfg->socket_id);
	return tcp->accecn != NULL ? 0 : -ENOMEM;
}

void accecn_fini(struct tcp *tcp)
{
	rte_free(tcp->accecn);
	tcp->accecn = NULL;
}

static struct accecn *state_of(const struct tcp *tcp, const struct tcb *t)
{
	return &tcp->accecn[tcp_index(tcp, t)];
}

/* section 3.1.5: from now on we send packets that are not ECN-capable */
static void mistrust(struct tcb *t)
{
	t->opt &= (uint8_t)~TCB_OPT_ECN;
}

/* Sections 3.2.2.2 and 3.2.2.3: our SYN or SYN-ACK arrived marked, which means congestion whatever
 * made it markable; as if it had been lost (RFC 3168 section 6.1, RFC 6928 section 2) the window
 * starts at one segment. */
static void note_marked_syn_ack(struct tcp *tcp, struct tcb *t, struct accecn *a)
{
	a->snd = ACCECN_AT_FIRST + 1;
	account_of(tcp, t)->delivered_ce++;
	t->syn_lost = 1;
	t->cwnd = RTE_MIN(t->cwnd, tcb_initial_window(tcp, t));
}

/* Section 3.2.2.3: none of our SYNs is ECN-capable; if the peer reports other bits, the path
 * changes them. */
static bool is_mangled(unsigned ace)
{
	return ace == accecn_of_bits(1) || ace == accecn_of_bits(ECN_ECT0) ||
	       ace == accecn_of_bits(ECN_CE);
}

/* The same for our SYN-ACK. With ECN++ the first is sent with ECT(0); retransmissions are not. */
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
	accecn_bytes_begin(&state_of(tcp, t)->bytes, false);
	t->flags |= TCB_ECE;
}

void accecn_begin_active(struct tcp *tcp, struct tcb *t, uint8_t bits, const struct tcp_seg *seg)
{
	struct accecn *a = state_of(tcp, t);

	accecn_begin(tcp, t, bits);
	accecn_bytes_begin(&a->bytes, true);
	accecn_bytes_meet(&a->bytes, seg);
	accecn_bytes_count(&a->bytes, bits, seg->len);
	a->shake = 0;
	a->echo = 1;
	if ((bits & ECN_MASK) == ECN_CE) /* the first mark */
		a->rcv++;
	if (is_mangled(accecn_ace(seg)))
		mistrust(t);
	if (accecn_ace(seg) == accecn_of_bits(ECN_CE))
		t->syn_lost = 1;
}

void accecn_mute(struct tcp *tcp, struct tcb *t)
{
	state_of(tcp, t)->bytes.mute = 1;
}

/* section 3.1.5: our SYN-ACK answers the latest SYN; unless every SYN asked for ECN, we send
 * nothing ECN-capable */
void accecn_syn_again(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg, uint8_t tos)
{
	state_of(tcp, t)->syn = tos & 3u;
	accecn_mute(tcp, t); /* section 3.2.3.2.2 */
	if (accecn_ace(seg) == 0)
		mistrust(t);
}

/* does a SYN-ACK agree on Accurate ECN (table 2)? */
static bool confirms(unsigned ace)
{
	return ace > 1 && ace < 7;
}

/* Section 3.2.2.1: the acknowledgement of each SYN-ACK reports its ECN bits, if it has no SACK
 * blocks.  Only one marked SYN-ACK is counted, as the server counts such a report once
 * (3.2.2.2). */
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

unsigned accecn_options_room(const struct tcp_seg *seg, unsigned room)
{
	struct tcp_seg s = *seg;
	unsigned used;

	if (s.nb_sack > BLOCKS_FIRST)
		s.nb_sack = BLOCKS_FIRST;
	used = tcp_hdr_len(&s) - (unsigned)TCP_HDR_LEN;
	return room > used ? room - used : 0;
}

bool accecn_option(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg, uint32_t len, unsigned room)
{
	struct accecn_bytes *b = &state_of(tcp, t)->bytes;
	const unsigned alone = accecn_options_room(seg, TCP_OPTIONS_MAX);

	if (!(seg->flags & TCP_RST))
		accecn_bytes_fill(b, seg, len, accecn_options_room(seg, room));
	return len == 0 || !b->urgent || b->mute || !accecn_bytes_fits(b, alone);
}

/* section 3.2.3.2.2: a retransmission has no option */
void accecn_syn_option(struct tcp *tcp, struct tcb *t, struct tcp_seg *seg)
{
	if (t->retries > 0)
		accecn_mute(tcp, t);
	if (!state_of(tcp, t)->bytes.mute)
		accecn_bytes_initial(seg, accecn_options_room(seg, TCP_OPTIONS_MAX));
}

void accecn_resent(struct tcp *tcp, struct tcb *t)
{
	accecn_bytes_resent(&state_of(tcp, t)->bytes);
}

/* Sections 3.2.2.1 and 3.2.2.4: a pure acknowledgement of our SYN-ACK reports the ECN bits of that;
 * a field of 0 was cleared in transit. */
static void input_first(struct tcp *tcp, struct tcb *t, struct accecn *a, const struct tcp_seg *seg)
{
	const unsigned ace = accecn_ace(seg);
	const bool plain = seg->len == 0 && seg->nb_sack == 0 && !(seg->flags & TCP_FIN);

	a->deaf = ace == 0;
	if (a->deaf || (a->shake && plain && syn_ack_is_mangled(tcp, t, ace)))
		mistrust(t);
	if (a->shake && plain && ace == accecn_of_bits(ECN_CE))
		note_marked_syn_ack(tcp, t, a);
	if (a->bytes.heard == ACCECN_UNHEARD)
		accecn_bytes_meet(&a->bytes, seg);
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
	accecn_bytes_count(&a->bytes, tos & ECN_MASK, seg->len);
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

/* does the option show that later acknowledgements have overtaken this one? */
static bool is_overtaken(struct accecn *a, const struct tcp_seg *seg, const struct loss_ack *ack)
{
	if (!accecn_bytes_runs_back(&a->bytes, seg))
		return false;
	if (ack->acked == 0)
		return true;
	a->bytes.heard = ACCECN_IGNORED; /* it was not overtaken, so the counters are wrong */
	return false;
}

/* Sections 3.1.5 and 3.2.2.3: marks count even if we send nothing ECN-capable, as the path may have
 * made it so; but not if the flags were cleared (3.2.2.4). */
unsigned accecn_marks(struct tcp *tcp, struct tcb *t, const struct tcp_seg *seg,
                      const struct loss_ack *ack, uint32_t segs, bool newer)
{
	struct accecn *a = state_of(tcp, t);
	const unsigned ace = accecn_ace(seg), marks = (ace - a->snd) & 7u;
	const struct tcp_queues *q = tcp_queues(tcp, t);
	unsigned n;

	accecn_bytes_delivered(&a->bytes, segs, ack->delivered);
	if (ack->acked > 0)
		a->bytes.trial = 0;
	if (!newer || a->shake || a->deaf || (a->first && ace == 0))
		return 0;
	/* the last segment of the handshake again (3.2.2.2): nothing was delivered that could be
	 * marked */
	if (ack->delivered == 0 && a->snd == ACCECN_AT_FIRST && marks > MARKS_MAX - 2)
		return 0;
	if (is_overtaken(a, seg, ack))
		return 0;
	a->snd = ace & 7u;
	n = accecn_bytes_marks(&a->bytes, seg, marks, segs, t->opt & TCB_OPT_ECN);
	if (a->bytes.odd && q->recovery == TCP_R_OPEN) /* section 3.2.3.2.5 */
		mistrust(t);
	return n;
}
