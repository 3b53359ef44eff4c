/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_STASH_H
#define TCP_STASH_H

/*
 * The stash: data in flight of connections that have sent one small segment and have nothing else.
 *
 * A server's response is often such a segment, and until it is acknowledged its connection would
 * hold an mbuf of 2 KB and the queues, six cache lines, almost none of which is needed then.  So
 * its bytes are copied to a slot of STASH_BYTES, the port gets sole ownership of the mbuf, and the
 * queues return to the pool: the next connection takes both while they are in the cache.  The
 * acknowledgement does not read the slot.  With 100,000 connections that send requests in turn
 * there are 5 % more echoes per second (docs/performance.md); with few connections everything is in
 * a cache anyway, and the copy would cost about 50 cycles, so stashing starts once more than
 * tcp.stash_from connections have queues.
 *
 * A connection is stashed while tcb.queues has TCB_STASHED; the rest of that is the slot's index.
 * Invariants: the slot has SND.NXT - SND.UNA = snd_bytes bytes, sent once, at sent_us; TCB_T_LOSS
 * runs for them; nothing is unread, lost, out of order, urgent or paced; and cwnd is at most the
 * initial window.
 *
 * Who handles such a connection: stashed_input (tcp_plain.c) takes a plain acknowledgement, a reset
 * needs the TCB alone, and stash_drop ends a connection.  Everything else that may concern data in
 * flight calls stash_open first, which gives it an mbuf and queues again, or fails, as sending
 * does, if there are none or mbufs are low.  Code that only reads uses tcp_queues_if.
 */

#include <rte_branch_prediction.h>
#include <rte_memcpy.h>

#include "tcp/cc.h"
#include "tcp/tcp.h"
#include "tcp/tcp_conn.h"

/** stash_footprint returns the bytes that a stash of n slots takes. */
uint64_t stash_footprint(uint32_t n);

/** stash_init allocates one; stash_fini frees it. Returns 0 or -ENOMEM. */
int stash_init(struct stash *s, uint32_t n, int socket_id);
void stash_fini(struct stash *s);

/** stash_takes says whether to stash a connection that sends m, with nothing else in flight or
 * queued to send: enough connections have queues, nothing is unread, and its queues hold nothing
 * worth keeping. */
static inline bool stash_takes(const struct tcp *tcp, const struct tcb *t,
                               const struct tcp_queues *q, const struct rte_mbuf *m)
{
	const uint32_t len = m->pkt_len;

	return tcp->queues_used > tcp->ctx->cfg.tcp_stash_from && len <= STASH_BYTES &&
	       m->data_len == len && tcp->stash.nb_free > 0 && q->rcv.head == NULL && !q->keep &&
	       q->undo_cwnd == 0 && q->cc_bytes == 0 && !(t->flags & TCB_NOSPACE) &&
	       !cc_is_limited(t, len) && t->cwnd <= tcb_restart_window(tcp, t);
}

/** stash_copy copies the payload of m to a slot and returns the slot, for stash_close. */
static inline uint32_t stash_copy(struct stash *s, const struct rte_mbuf *m)
{
	const uint32_t slot = s->free[--s->nb_free];

	rte_memcpy(s->slot[slot], rte_pktmbuf_mtod(m, const void *), m->data_len);
	return slot;
}

/** stash_close frees the queues, whose mbuf now belongs to the port, and marks the connection as
 * stashed. */
static inline void stash_close(struct tcp *tcp, struct tcb *t, struct tcp_queues *q, uint32_t slot)
{
	q->snd.head = q->snd.tail = q->snd_next = NULL;
	tcb_give_queues(tcp, t, q);
	t->queues = TCB_STASHED | slot;
	t->sent_us = tcp->ctx->now_us;
}

/** stash_free frees the slot in a former value of tcb.queues. Nothing has touched it since its bytes
 * were copied to it, and what is freed last is taken first: so the slot is prefetched. */
static inline void stash_free(struct stash *s, uint32_t stashed)
{
	const uint32_t slot = stashed & ~TCB_STASHED;

	__builtin_prefetch(s->slot[slot], 1);
	s->free[s->nb_free++] = slot;
}

/** stash_drop frees the slot of a connection, which is then no longer stashed: its bytes are
 * acknowledged, or not needed. */
static inline void stash_drop(struct tcp *tcp, struct tcb *t)
{
	stash_free(&tcp->stash, t->queues);
	t->queues = 0;
	t->snd_bytes = 0;
}

/** stash_open moves stashed data back to an mbuf and queues. Returns false, with nothing changed,
 * if there are no queues, or no mbuf to spare. */
bool stash_open(struct tcp *tcp, struct tcb *t);

/** stash_open_for_more does so to send more data, which is refused while mbufs are low. */
static inline bool stash_open_for_more(struct tcp *tcp, struct tcb *t)
{
	return !tcp->ctx->mbufs_low && stash_open(tcp, t);
}

#endif
