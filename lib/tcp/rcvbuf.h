/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RCVBUF_H
#define TCP_RCVBUF_H

/* The receive side: bytes in order for the application, and out-of-order data. */

#include <rte_branch_prediction.h>

#include "base/ctx.h"
#include "tcp/tcb.h"
#include "wire/tcp.h"

struct tcp;

/* out-of-order packets of one connection at most, full segments next to each other being one (CVE-2018-5390) */
#define RCVBUF_OOO_MAX 1024

/* The part of mbuf_trim_front that takes whole mbufs off. */
struct rte_mbuf *mbuf_trim_front_chain(struct rte_mbuf *m, uint32_t n);

/** mbuf_trim_front takes n bytes from the front of a chain and returns what is now its first mbuf;
 * a chain keeps at least one. The note moves along. */
static inline struct rte_mbuf *mbuf_trim_front(struct rte_mbuf *m, uint32_t n)
{
	if (unlikely(n >= m->data_len))
		return mbuf_trim_front_chain(m, n);
	m->data_off = (uint16_t)(m->data_off + n);
	m->data_len = (uint16_t)(m->data_len - n);
	m->pkt_len -= n;
	return m;
}

/** mbuf_trim_back takes n bytes, fewer than all, from the end of a chain. */
void mbuf_trim_back(struct rte_mbuf *m, uint32_t n);

/** rcvbuf_push queues the payload m, the next bytes in order, and moves RCV.NXT; small ones are copied
 * into the last mbuf, so that a stream of tiny segments does not take an mbuf each, and when much is unread those that
 * are not so small. It owns m. */
void rcvbuf_push(struct tcb *t, struct tcp_queues *q, struct rte_mbuf *m);

/** rcvbuf_push_run does so for each mbuf of a chain, segments that have gone on as one (tcp_merge.h): they are packets of their
 * own again, so that who takes them as they are can send each on as it is. */
void rcvbuf_push_run(struct tcb *t, struct tcp_queues *q, struct rte_mbuf *m);

/** A range of sequence numbers, [start,end). */
struct rcvbuf_range {
	uint32_t start, end;
};

/** rcvbuf_insert queues the payload that begins off bytes into m, and at seq, beyond RCV.NXT. Overlaps
 * are trimmed, what is there stays; *dup is the first range that was there already, or empty. Verdict:
 * done, or a drop, and then m is as it was. */
int rcvbuf_insert(struct tcp_queues *q, struct rte_mbuf *m, uint32_t off, uint32_t seq,
                  struct rcvbuf_range *dup);

/** rcvbuf_again returns the first range below RCV.NXT that had come early, too; or an empty one. */
struct rcvbuf_range rcvbuf_again(const struct tcb *t, const struct tcp_queues *q);

/** rcvbuf_join moves what is now in order from the early bytes to the others. */
void rcvbuf_join(struct tcb *t, struct tcp_queues *q);

/** rcvbuf_sack fills in the SACK blocks of an acknowledgement (RFC 2018 section 4). */
void rcvbuf_sack(const struct tcp_queues *q, struct tcp_seg *s);

#endif
