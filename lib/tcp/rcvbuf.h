/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RCVBUF_H
#define TCP_RCVBUF_H

/* The receive side: bytes in order for the application, and out-of-order data. */

#include <rte_branch_prediction.h>

#include "base/ctx.h"
#include "tcp/tcb.h"
#include "wire/tcp.h"

struct tcp;

/* most out-of-order packets of one connection; adjacent large segments count as one
 * (CVE-2018-5390) */
#define RCVBUF_OOO_MAX 1024

/* The part of mbuf_trim_front that removes whole mbufs. */
struct rte_mbuf *mbuf_trim_front_chain(struct rte_mbuf *m, uint32_t n);

/** mbuf_trim_front removes n bytes from the front of a chain and returns its new first mbuf; at
 * least one is kept. The struct pkt moves along. */
static inline struct rte_mbuf *mbuf_trim_front(struct rte_mbuf *m, uint32_t n)
{
	if (unlikely(n >= m->data_len))
		return mbuf_trim_front_chain(m, n);
	m->data_off = (uint16_t)(m->data_off + n);
	m->data_len = (uint16_t)(m->data_len - n);
	m->pkt_len -= n;
	return m;
}

/** mbuf_trim_back removes n bytes, fewer than all, from the end of a chain. */
void mbuf_trim_back(struct rte_mbuf *m, uint32_t n);

/** rcvbuf_push queues the payload m, the next bytes in order, and moves RCV.NXT; a small one is
 * copied into the last mbuf, so that a stream of tiny segments does not take an mbuf each; so is a
 * larger one when much is unread. It owns m. */
void rcvbuf_push(struct tcb *t, struct tcp_queues *q, struct rte_mbuf *m);

/** rcvbuf_push_run does so for each mbuf of a chain of segments that were merged into one
 * (tcp_merge.h): they become separate packets again, so that a zero-copy reader can send each of
 * them on. */
void rcvbuf_push_run(struct tcb *t, struct tcp_queues *q, struct rte_mbuf *m);

/** A range of sequence numbers, [start,end). */
struct rcvbuf_range {
	uint32_t start, end;
};

/** rcvbuf_insert queues the payload that begins off bytes into m and has sequence number seq,
 * beyond RCV.NXT. Overlaps are trimmed from m; *dup is the first range that was received before, or
 * empty. Verdict: VERDICT_DONE, or a drop, which leaves m unchanged. */
int rcvbuf_insert(struct tcp_queues *q, struct rte_mbuf *m, uint32_t off, uint32_t seq,
                  struct rcvbuf_range *dup);

/** rcvbuf_again returns the first range below RCV.NXT that was also received out of order, or an
 * empty one. */
struct rcvbuf_range rcvbuf_again(const struct tcb *t, const struct tcp_queues *q);

/** rcvbuf_join moves out-of-order data that is now in order to the receive queue. */
void rcvbuf_join(struct tcb *t, struct tcp_queues *q);

/** rcvbuf_sack fills in the SACK blocks of an acknowledgement (RFC 2018 section 4). */
void rcvbuf_sack(struct tcp_queues *q, struct tcp_seg *s);

#endif
