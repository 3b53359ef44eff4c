/* SPDX-License-Identifier: BSD-2-Clause */

/* The rarely used functions of the stash; see stash.h. */

#include "tcp/stash.h"

#include <errno.h>

#include <rte_malloc.h>

#include "tcp/nagle.h"
#include "tcp/sndbuf.h"
#include "tcp/tcp_loss.h"

uint64_t stash_footprint(uint32_t n)
{
	return (uint64_t)n * (STASH_BYTES + sizeof(uint32_t));
}

int stash_init(struct stash *s, uint32_t n, int socket_id)
{
	s->slot =
	    rte_zmalloc_socket("pc_stash", (size_t)n * STASH_BYTES, RTE_CACHE_LINE_SIZE, socket_id);
	s->free = rte_zmalloc_socket("pc_stash_free", (size_t)n * sizeof(uint32_t),
	                             RTE_CACHE_LINE_SIZE, socket_id);
	if (s->slot == NULL || s->free == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		s->free[i] = n - 1 - i;
	s->nb_free = n;
	return 0;
}

void stash_fini(struct stash *s)
{
	rte_free(s->slot);
	rte_free(s->free);
}

/* When a path fails, all stashed connections are opened within a second.  Each then holds an mbuf
 * until its peer answers, so these mbufs are counted like those of new data: enough must be left to
 * receive the answers (stack/poll.c). */
static struct rte_mbuf *take_mbuf(struct ctx *ctx)
{
	return sndbuf_may_take(ctx, false) ? ctx_mbuf(ctx) : NULL;
}

bool stash_open(struct tcp *tcp, struct tcb *t)
{
	const uint32_t stashed = t->queues, len = t->snd_nxt - t->snd_una;
	struct rte_mbuf *m = take_mbuf(tcp->ctx);
	struct tcp_queues *q;

	assert(tcb_is_stashed(t) && t->snd_bytes == len);
	if (m == NULL)
		return false;
	t->queues = 0;
	q = tcb_take_queues(tcp, t);
	if (q == NULL) {
		t->queues = stashed;
		rte_pktmbuf_free(m);
		return false;
	}
	rte_memcpy(rte_pktmbuf_append(m, (uint16_t)len), tcp->stash.slot[stashed & ~TCB_STASHED],
	           len);
	stash_free(&tcp->stash, stashed);
	sndbuf_append_one(q, t->snd_una, m);
	pkt_of(m)->tx.sends = 1;
	pkt_of(m)->tx.sent_us = t->sent_us;
	q->snd_next = NULL;
	q->flight_out = len;
	nagle_note(t, q, len);
	q->loss_timer = tcp_probes_tail(tcp, t) ? TCP_LT_PROBE : TCP_LT_RTO;
	return true;
}
