/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_SNDBUF_H
#define TCP_SNDBUF_H

/* The send queue: an mbuf or chain per segment, from SND.UNA to the last byte queued. */

#include "base/ctx.h"
#include "tcp/tcb.h"

struct iovec;

/* headroom that an inline segment needs: TCP with all options, and what lies below */
#define SNDBUF_HEADROOM 122

/** sndbuf_may_take counts one mbuf more for a send queue, which holds others or not, and says whether it may be taken; when they
 * are low, only whoever has nothing queued gets one, so that those who hold much do not keep out those who ask for little. */
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
 * end_seq: into the last segment while it was never sent and is not full, then into new ones of mss
 * bytes. sum: the payload is summed up on the way, for a port that computes no checksums. Returns how
 * many bytes, less when mbufs run out.
 */
uint32_t sndbuf_append(struct ctx *ctx, struct tcp_queues *q, uint32_t end_seq,
                       const struct iovec *iov, int iovcnt, uint32_t max, uint16_t mss, bool sum);

/** sndbuf_append_one queues a payload chain of at most a segment without copying it, and owns it. */
void sndbuf_append_one(struct tcp_queues *q, uint32_t end_seq, struct rte_mbuf *m);

/**
 * sndbuf_append_mbuf queues a payload chain without copying it, cut into segments of mss bytes if it
 * is longer; the references to its parts count as other mbufs of a send queue do. It owns m on success. Returns 0 or -ENOBUFS.
 */
int sndbuf_append_mbuf(struct ctx *ctx, struct tcp_queues *q, uint32_t end_seq, struct rte_mbuf *m,
                       uint16_t mss);

/** sndbuf_split puts the first len bytes of a segment into a new one in front of it, with the same history, and
 * returns that. It may get less, if an mbuf has less room. NULL: no mbuf may be taken (sndbuf_may_take); when they are low
 * only the first segment is split, whose acknowledgement gives the mbuf back and lets the next be split. before is any segment
 * in front of m, from which on the one before m is looked for; or NULL: the first. Who splits one after the other knows one that is
 * near: of each of thousands, the walk from the first took a lcore's whole time. */
struct rte_mbuf *sndbuf_split(struct ctx *ctx, struct pktq *q, struct rte_mbuf *before,
                              struct rte_mbuf *m, uint32_t len);

/** sndbuf_unsplit undoes sndbuf_split for the first segment of the queue: the bytes still stand in
 * front of the unsent segment after it. Returns false when they do not. */
bool sndbuf_unsplit(struct pktq *q);

/** sndbuf_merge copies what follows a small unsent segment into it, up to mss bytes and the end of a record: a
 * stream has no other boundaries to keep. */
void sndbuf_merge(struct pktq *q, struct rte_mbuf *m, uint16_t mss);

/** sndbuf_wrap makes a packet with headroom for all headers out of len bytes of a chain from off
 * on, by reference. Returns NULL when mbufs are lacking. */
struct rte_mbuf *sndbuf_wrap(struct ctx *ctx, struct rte_mbuf *m, uint32_t off, uint32_t len);

/** sndbuf_add puts len bytes of a chain, from off on, at the end of a packet, by reference. Returns false
 * when mbufs are lacking; nothing has changed then. */
bool sndbuf_add(struct ctx *ctx, struct rte_mbuf *to, struct rte_mbuf *m, uint32_t off,
                uint32_t len);

#endif
