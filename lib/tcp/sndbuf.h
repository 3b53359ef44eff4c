/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_SNDBUF_H
#define TCP_SNDBUF_H

/* The send queue: an mbuf or chain per segment, from SND.UNA to the last byte queued. */

#include "base/ctx.h"
#include "tcp/tcb.h"

struct iovec;

/* headroom that an inline segment needs: TCP with all options, and what lies below */
#define SNDBUF_HEADROOM 122

/** sndbuf_may_take says whether a send queue may take one more mbuf, and if so counts it; when
 * mbufs are low, only a connection with nothing queued gets one, so that those that hold much do
 * not keep out those that need little. */
static inline bool sndbuf_may_take(struct ctx *ctx, bool holds_others)
{
	if (likely(ctx->mbufs_spare > 0)) {
		ctx->mbufs_spare--;
		return true;
	}
	ctx->mbufs_low = true;
	if (holds_others || ctx->mbufs_last == 0)
		return false;
	ctx->mbufs_last--;
	return true;
}

/**
 * sndbuf_append copies up to max bytes from iov to the end of the queue, whose sequence number is
 * end_seq: into the last segment if it is unsent and not full, then into new ones of mss bytes.
 * sum: also checksum the payload, for a port that computes no checksums. Returns the number of
 * bytes, less than max if mbufs run out.
 */
uint32_t sndbuf_append(struct ctx *ctx, struct tcp_queues *q, uint32_t end_seq,
                       const struct iovec *iov, int iovcnt, uint32_t max, uint16_t mss, bool sum);

/**
 * sndbuf_append_answer does the same for bytes that are one segment, while nothing is queued and
 * the mbufs of new data are not used up. Returns false, with nothing queued, if no mbuf takes them
 * all.
 */
bool sndbuf_append_answer(struct ctx *ctx, struct tcp_queues *q, uint32_t seq, const void *p,
                          uint16_t len, bool sum);

/** sndbuf_append_one queues a payload chain of at most one segment without copying it, and owns
 * it. */
void sndbuf_append_one(struct tcp_queues *q, uint32_t end_seq, struct rte_mbuf *m);

/**
 * sndbuf_append_mbuf queues a payload chain without copying it, cut into segments of mss bytes if it
 * is longer; the references to its parts count as other mbufs of a send queue do. It owns m on success. Returns 0 or -ENOBUFS.
 */
int sndbuf_append_mbuf(struct ctx *ctx, struct tcp_queues *q, uint32_t end_seq, struct rte_mbuf *m,
                       uint16_t mss);

/** sndbuf_split moves the first len bytes of a segment, or as many as fit in an mbuf, into a new
 * one before it, with the same history, and returns that. NULL: no mbuf may be taken
 * (sndbuf_may_take); when mbufs are low only the first segment is split, whose acknowledgement
 * frees the mbuf so that the next can be split. before is any segment before m, from which to
 * search for m's predecessor; NULL: the first. Pass a near one when splitting in sequence: with
 * thousands of segments, walks from the first took all of an lcore's time. */
struct rte_mbuf *sndbuf_split(struct ctx *ctx, struct pktq *q, struct rte_mbuf *before,
                              struct rte_mbuf *m, uint32_t len);

/** sndbuf_unsplit undoes sndbuf_split for the first segment of the queue, whose bytes are still
 * before the payload of the unsent segment after it. Returns false if they are not. */
bool sndbuf_unsplit(struct pktq *q);

/** sndbuf_merge copies the data after a small unsent segment into it, up to mss bytes or the end of
 * a record: a stream has no other boundaries to preserve. */
void sndbuf_merge(struct pktq *q, struct rte_mbuf *m, uint16_t mss);

/** sndbuf_wrap makes a packet with headroom for all headers from len bytes of a chain at offset
 * off, by reference. Returns NULL if there are no mbufs. */
struct rte_mbuf *sndbuf_wrap(struct ctx *ctx, struct rte_mbuf *m, uint32_t off, uint32_t len);

/** sndbuf_add appends len bytes of a chain, from offset off, to a packet, by reference. Returns
 * false, with nothing changed, if there are no mbufs. */
bool sndbuf_add(struct ctx *ctx, struct rte_mbuf *to, struct rte_mbuf *m, uint32_t off,
                uint32_t len);

#endif
