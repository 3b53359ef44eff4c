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

#endif
