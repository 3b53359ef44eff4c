/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large segments; see tcp_bunch.h.
 *
 * Ownership: the payloads stay in the send queue, and the packet holds references to them, so
 * nothing is copied; while the port still holds those, a retransmission is a copy (tcp_segment.c).
 *
 * Invariant: all segments of a bunch but the last are t->mss bytes long.
 */
#include "tcp/tcp_bunch.h"

#include "tcp/account.h"
#include "tcp/sndbuf.h"
#include "tcp/tcp_segment.h"

#define CHAIN_MAX 64 /* mbufs: 64 KB in segments of Ethernet size */
#define BYTES_MAX (UINT16_MAX - 60 - TCP_HDR_MAX)
#define MSS_CUT   256 /* devices do not cut smaller ones */

void bunch_init(const struct tcp *tcp, const struct tcb *t, struct bunch *b)
{
	uint16_t max = ip_port(tcp->ip, t->netif)->info.tx_chain;
	const struct tcp_queues *q = tcp_queues(tcp, t);

	*b = (struct bunch){0};
	if (q != NULL && q->snd_urgent) /* each piece would get the same pointer */
		return;
	if (t->auth || t->narrow) /* and the same signature or identification */
		return;
	/* CWR, with Accurate ECN one bit of a counter, would be on the first piece only */
	if (t->opt & TCB_OPT_ACCECN)
		return;
	if (tcp->ctx->cfg.tcp_tso && tcp_port_has(tcp, t, PC_PORT_TX_TSO | PC_PORT_TX_TCP_CKSUM) &&
	    t->mss >= MSS_CUT)
		b->max = max == 0 || max > CHAIN_MAX ? CHAIN_MAX : max;
}

bool bunch_takes(const struct tcb *t, const struct bunch *b, const struct rte_mbuf *m)
{
	const struct pkt *note = pkt_of_const(m);

	if (b->max == 0 || m->nb_segs + 1 > b->max || note->tx.len > t->mss)
		return false;
	return b->head != NULL || (note->tx.len == t->mss && note->next != NULL);
}

void bunch_send(struct tcp *tcp, struct tcb *t, struct bunch *b)
{
	struct rte_mbuf *m = b->head;

	if (m == NULL)
		return;
	b->head = NULL;
	if (b->segs > 1) {
		m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		m->tso_segsz = t->mss;
		ctx_count(tcp->ctx, PC_TCP_TX_TSO);
		ctx_add(tcp->ctx, PC_TCP_TX, b->segs - 1u);
		account_of(tcp, t)->segs_out += b->segs - 1u;
	}
	tcp_emit(tcp, t, m, b->seq, b->flags);
}

static bool bunch_begin(struct tcp *tcp, struct bunch *b, uint32_t seq)
{
	b->head = ctx_mbuf(tcp->ctx);
	b->seq = seq;
	b->segs = 0;
	b->flags = 0;
	return b->head != NULL;
}

bool bunch_add(struct tcp *tcp, struct tcb *t, struct bunch *b, struct rte_mbuf *m, bool fin)
{
	struct pkt *note = pkt_of(m);

	if (b->head != NULL &&
	    (b->head->nb_segs + m->nb_segs > b->max || b->head->pkt_len + note->tx.len > BYTES_MAX))
		bunch_send(tcp, t, b);
	if (b->head == NULL && !bunch_begin(tcp, b, note->tx.seq))
		return false;
	if (!sndbuf_add(tcp->ctx, b->head, m, m->pkt_len - note->tx.len, note->tx.len)) {
		if (b->segs == 0) {
			rte_pktmbuf_free(b->head);
			b->head = NULL;
		}
		return false;
	}
	/* the port puts PSH and FIN on the last piece, CWR on the first */
	b->flags = (uint8_t)((b->flags & TCP_CWR) | tcp_mark_sent(tcp, t, note, fin, true));
	b->segs++;
	if (note->tx.len != t->mss || fin || (b->flags & TCP_PSH))
		bunch_send(tcp, t, b);
	return true;
}
