/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_MERGE_H
#define TCP_TCP_MERGE_H

/*
 * Receive coalescing: consecutive segments of a burst are processed as one.
 *
 * A sender's window arrives in runs, and TCP does the same with each segment of a run, except for
 * its length.  So a segment whose header says nothing that the previous one has not said, and whose
 * data follows directly, is chained to it, and the connection takes both at once. Nothing waits:
 * only what arrives in the same burst is coalesced.  Each segment has already been verified on its
 * own, and is counted on its own (tcp_rx.segs); there are no fewer acknowledgements, because a
 * connection sends one per turn anyway; and in the receive queue each is a packet again.
 *
 * Small segments are not coalesced: they are counted one by one where they wait (CVE-2018-5390),
 * and only attackers send runs of them.
 *
 * Of bare acknowledgements, each of which covers more than the one before, the last says all that
 * matters: what they permit to send is sent at the end of the turn.  How many they were is kept for
 * slow start, which limits the growth for each (tcp_merged_acks).  Those of a connection with losses
 * or a model of the path, for which each acknowledgement counts, are not coalesced.
 */

#include "tcp/tcp.h"

#define TCP_MERGE_MIN  536 /* bytes of data */
#define TCP_MERGE_MOST 16  /* segments */

/** tcp_merge appends a segment to the one before it in the burst, if the two can be processed as
 * one; its mbuf then belongs to the other. Returns whether it has. */
bool tcp_merge(struct tcp_pending *to, struct tcp_pending *from);

/**
 * tcp_merge_frame does so with a frame that nothing has looked at yet, from a port with these
 * offloads and in an mbuf of its own, if it goes on with to, which was a plain one (ip4_plain.h,
 * ip6_plain.h): its headers are the same but for what differs between segments of a run.  Then only
 * its checksums are left to verify: 220 instructions less per segment.  false: nothing has changed.
 */
bool tcp_merge_frame(struct tcp_pending *to, struct rte_mbuf *m, uint32_t offloads);

/** tcp_merge_may_ack says whether it is worth while to call tcp_merge_ack: the ports, the sequence
 * number, the header's length and the flags are the same. */
static inline bool tcp_merge_may_ack(const struct tcp_pending *to, const struct rte_mbuf *m)
{
	const uint32_t at = to->pkt.l4_off;
	const uint8_t *a = rte_pktmbuf_mtod_offset(to->m, const uint8_t *, at);
	const uint8_t *b = rte_pktmbuf_mtod_offset(m, const uint8_t *, at);

	return m->data_len >= at + TCP_HDR_LEN && wire_get64_be(a) == wire_get64_be(b) &&
	       wire_get16_be(a + 12) == wire_get16_be(b + 12);
}

/**
 * tcp_merge_ack does the same as tcp_merge_frame where tcp_merge_may_ack, to has no data, and both
 * are acknowledgements and nothing else, of which the second covers more. The frame takes the place
 * of the one before, which is the caller's again. Returns that one; NULL: nothing has changed.
 */
struct rte_mbuf *tcp_merge_ack(const struct tcp *tcp, struct tcp_pending *to, struct rte_mbuf *m,
                               uint32_t offloads);

#endif
