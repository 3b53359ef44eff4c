/* SPDX-License-Identifier: BSD-2-Clause */
/* Every invariant of every TCP structure, for tests and simulations. */

#include <stdio.h>

#include "base/seq.h"
#include "tcp/auth.h"
#include "tcp/cc.h"
#include "tcp/fastopen.h"
#include "tcp/tcp.h"
#include "wire/cksum.h"

struct report {
	const struct tcp *tcp;
	FILE *f;
	unsigned bad;
	uint32_t slots, stashed;
};

static void check_that(struct report *r, const struct tcb *t, bool ok, const char *what)
{
	if (ok)
		return;
	r->bad++;
	if (r->f != NULL)
		fprintf(r->f, "tcb %u, state %u: %s\n", tcp_index(r->tcp, t), t->state, what);
}

static bool sum_is_right(const struct rte_mbuf *m)
{
	const struct pkt *n = pkt_of_const(m);

	return !(n->tx.flags & SEG_SUMMED) ||
	       n->tx.cookie ==
	           cksum_fold_be(cksum_add_mbuf(0, m, m->pkt_len - n->tx.len, n->tx.len));
}

/* m refers to itself or to a later segment in its run */
static bool run_is_right(struct rte_mbuf *m)
{
	const struct rte_mbuf *to = pkt_of(m)->tx.run;

	if (!(pkt_of(m)->tx.flags & SEG_SACKED))
		return true;
	while (m != NULL && m != to && (pkt_of(m)->tx.flags & SEG_SACKED))
		m = pkt_of(m)->next;
	return m == to && m != NULL && (pkt_of(m)->tx.flags & SEG_SACKED);
}

static void check_snd(struct report *r, const struct tcb *t, const struct tcp_queues *q)
{
	uint32_t seq = t->snd_una, bytes = 0, sacked = 0, lost = 0, resent = 0, segs = 0;
	bool sent = true;

	for (struct rte_mbuf *m = q->snd.head; m != NULL; m = pkt_of(m)->next) {
		const struct pkt *n = pkt_of(m);

		if (m == q->snd_next) {
			sent = false;
			check_that(r, t, seq == t->snd_nxt - !!(t->flags & TCB_FIN_SENT),
			           "snd_next begins at SND.NXT");
		}
		check_that(r, t, n->tx.seq == seq, "the send queue has no gap");
		check_that(r, t, n->tx.len > 0 && m->pkt_len >= n->tx.len,
		           "a segment has its payload");
		check_that(r, t, sent || !(n->tx.flags & (SEG_SACKED | SEG_LOST | SEG_RESENT)),
		           "unsent is unmarked");
		check_that(r, t, sum_is_right(m), "a sum is that of the payload");
		check_that(r, t, run_is_right(m), "SACKed segments refer along their run");
		check_that(r, t, pkt_of(m)->next != NULL || q->snd.tail == m, "tail is the last");
		sacked += (n->tx.flags & SEG_SACKED) ? n->tx.len : 0;
		segs += (n->tx.flags & SEG_SACKED) ? 1 : 0;
		lost += (n->tx.flags & SEG_LOST) ? n->tx.len : 0;
		resent += (n->tx.flags & SEG_RESENT) ? n->tx.len : 0;
		seq += n->tx.len;
		bytes += n->tx.len;
	}
	check_that(r, t, bytes == t->snd_bytes, "snd_bytes counts the send queue");
	check_that(r, t, sacked == q->sacked_bytes && segs == q->sacked_segs, "SACKed bytes");
	check_that(r, t, lost == q->lost_bytes && resent == q->resent_bytes,
	           "lost and resent bytes");
	check_that(r, t, resent <= lost, "only what was lost is resent");
}

static void check_rcv(struct report *r, const struct tcb *t, const struct tcp_queues *q)
{
	uint32_t bytes = 0, segs = 0, seq = t->rcv_nxt;

	for (struct rte_mbuf *m = q->rcv.head; m != NULL; m = pkt_of(m)->next) {
		check_that(r, t, pkt_of(m)->rx.len > 0 && pkt_of(m)->rx.len <= m->pkt_len,
		           "a received packet has its bytes");
		bytes += pkt_of(m)->rx.len;
	}
	check_that(r, t, bytes == t->rcv_bytes, "rcv_bytes counts the receive queue");
	for (struct rte_mbuf *m = q->ooo; m != NULL; m = pkt_of(m)->next, segs++) {
		check_that(r, t,
		           seq_gt(pkt_of(m)->rx.seq, seq) || (segs > 0 && pkt_of(m)->rx.seq == seq),
		           "early packets are sorted and do not overlap");
		seq = pkt_of(m)->rx.seq + pkt_of(m)->rx.len;
	}
	check_that(r, t, segs == q->ooo_segs, "ooo_segs counts the early packets");
	check_that(r, t, seq_leq(seq, t->rcv_adv), "early packets lie in the window");
}

static void check_tcb(struct report *r, const struct tcb *t)
{
	const struct tcp *tcp = r->tcp;
	const struct tcp_queues *q = tcp_queues_if(tcp, t);
	bool found = tcp_table_find(&tcp->table, tcp_table_hash(&tcp->table, &t->flow), &t->flow) ==
	             flow_ref_make(FLOW_TCB, tcp_index(tcp, t));

	check_that(r, t, found == !!(t->flags & TCB_IN_TABLE), "TCB_IN_TABLE tells the truth");
	check_that(r, t, seq_leq(t->snd_una, t->snd_nxt), "SND.UNA <= SND.NXT");
	check_that(r, t, seq_leq(t->rcv_nxt, t->rcv_adv), "RCV.NXT <= right edge");
	check_that(r, t, t->timers == 0 || timer_is_armed(&t->timer), "deadlines are in the wheel");
	check_that(r, t, t->state != TCP_S_CLOSED || (t->flags & (TCB_OPEN | TCB_PENDING)),
	           "a closed connection has an owner");
	check_that(r, t,
	           t->snd_una == t->snd_nxt || (t->timers & TCB_T_LOSS) || (t->flags & TCB_WORK) ||
	               fastopen_is_deferred(t),
	           "what is under way has a timer");
	if (tcb_is_stashed(t)) {
		r->stashed++;
		check_that(r, t,
		           t->snd_bytes == t->snd_nxt - t->snd_una &&
		               t->snd_bytes - 1 < STASH_BYTES && t->rcv_bytes == 0 &&
		               t->retries == 0 && (t->timers & TCB_T_LOSS) &&
		               !(t->timers & TCB_T_ACK),
		           "what is stashed is under way, and nothing else");
		return;
	}
	if (q == NULL) {
		check_that(r, t, t->snd_bytes == 0 && t->rcv_bytes == 0, "no bytes without queues");
		return;
	}
	r->slots += cc_of(t)->release != NULL && q->cc_state[0] != 0;
	/* the flush releases empty ones */
	check_that(r, t,
	           q->idle == !(q->snd.head || q->rcv.head || q->ooo) ||
	               (!q->idle && (t->flags & TCB_WORK)),
	           "queues are not kept empty");
	check_snd(r, t, q);
	check_rcv(r, t, q);
}

unsigned tcp_validate(const struct tcp *tcp, FILE *f)
{
	struct report r = {.tcp = tcp, .f = f};
	uint32_t used = 0, queues = 0;
	unsigned tables = tcp_table_validate(&tcp->table) + syncache_validate(tcp) +
	                  timewait_validate(tcp) + lports_validate(tcp) + auth_validate(tcp) +
	                  wheel_validate(&tcp->wheel, tcp->free_tcbs.touched + 1);

	for (uint32_t i = 1; i <= tcp->free_tcbs.touched; i++) {
		const struct tcb *t = tcp_tcb(tcp, i);

		queues += t->queues != 0 && !tcb_is_stashed(t);
		if (t->state == TCP_S_FREE)
			continue;
		used++;
		check_tcb(&r, t);
	}
	if (f != NULL && tables != 0)
		fprintf(f, "tcp: %u violations in tables and timers\n", tables);
	if (f != NULL && (used != tcp->tcbs_used || queues != tcp->queues_used))
		fprintf(f, "tcp: %u TCBs and %u queues are in use, counted %u and %u\n", used,
		        queues, tcp->tcbs_used, tcp->queues_used);
	if (f != NULL && r.slots != tcp->slots.used)
		fprintf(f, "tcp: %u slots are in use, counted %u\n", r.slots, tcp->slots.used);
	if (f != NULL && r.stashed + tcp->stash.nb_free != tcp->nb_queues)
		fprintf(f, "tcp: %u connections are stashed, and %u slots of %u free\n", r.stashed,
		        tcp->stash.nb_free, tcp->nb_queues);
	return r.bad + (r.stashed + tcp->stash.nb_free != tcp->nb_queues) +
	       (r.slots != tcp->slots.used) + tables + (used != tcp->tcbs_used) +
	       (queues != tcp->queues_used);
}
