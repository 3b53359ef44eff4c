/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_OUT_H
#define LOAD_OUT_H

/*
 * Output: a queue of frames before the port, and a stock of mbufs.
 *
 * The port takes what it has room for; the rest waits here, in order, and a long queue makes all
 * senders hold back.  An mbuf that has just been read is reused for the next frame to send, so that
 * the mempool is rarely needed and writes hit the cache.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <percore/port.h>

#define OUT_QUEUE     32768u              /* frames; a power of two */
#define OUT_HIGH      2048u               /* above this, nothing new is started */
#define OUT_FULL      (OUT_QUEUE / 4 * 3) /* above this, nothing is received either */
#define OUT_STOCK     1024u
#define OUT_REFILL    64u
#define OUT_BURST_MAX 256u

struct out {
	struct pc_port *port;
	struct rte_mempool *pool;
	uint32_t head, tail, nb_stock;
	uint64_t frames, bytes; /* handed over so far */
	uint64_t no_mbuf;       /* frames not made because there was no mbuf */
	uint64_t lost;          /* frames dropped because the port had no room */
	bool overflows;         /* frames that the port has no room for are dropped */
	struct rte_mbuf *queue[OUT_QUEUE];
	struct rte_mbuf *stock[OUT_STOCK];
};

/** out_backlog returns how many frames the port has not taken yet. */
static inline uint32_t out_backlog(const struct out *out)
{
	return out->tail - out->head;
}

/** out_refill takes mbufs from the pool. Returns one, or NULL. */
struct rte_mbuf *out_refill(struct out *out);

/** out_mbuf returns an empty mbuf, or NULL. */
static inline struct rte_mbuf *out_mbuf(struct out *out)
{
	struct rte_mbuf *m;

	if (unlikely(out->nb_stock == 0))
		return out_refill(out);
	m = out->stock[--out->nb_stock];
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->ol_flags = 0;
	return m;
}

/** out_recycle takes back an mbuf that has been read. */
static inline void out_recycle(struct out *out, struct rte_mbuf *m)
{
	if (likely(out->nb_stock < OUT_STOCK && m->pool == out->pool && m->nb_segs == 1 &&
	           RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1))
		out->stock[out->nb_stock++] = m;
	else
		rte_pktmbuf_free(m);
}

/** out_push queues a frame of len bytes that lies in m. */
static inline void out_push(struct out *out, struct rte_mbuf *m, uint32_t len)
{
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	if (unlikely(out_backlog(out) == OUT_QUEUE)) {
		out->no_mbuf++;
		rte_pktmbuf_free(m);
		return;
	}
	out->frames++;
	out->bytes += len;
	out->queue[out->tail++ % OUT_QUEUE] = m;
}

/**
 * out_flush hands the port as many frames as it takes; if overflows is set, the rest is dropped.
 */
void out_flush(struct out *out, uint64_t now_ns);

/** out_fini frees all mbufs that are left. */
void out_fini(struct out *out);

#endif
