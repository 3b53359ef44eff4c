/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_MERGE_H
#define TCP_TCP_MERGE_H

/*
 * Receive coalescing: segments of a burst that follow upon each other go on as one.
 *
 * A sender's window comes in runs, and what TCP does with a segment is the same for each of a run but for its
 * length.  So a segment whose header says nothing but what the one before it has said, and whose text begins where
 * that one's ends, is hung behind it, and the connection takes both at once.  Nothing is waited for: only what
 * has come in the same burst is put together.  Each segment has been verified on its own by then, and is counted
 * on its own (tcp_rx.segs); the acknowledgements are no fewer, since a connection sends one in a turn anyway; and in the
 * receive queue each is a packet again.
 *
 * Small segments stay alone: they are counted one by one where they wait (CVE-2018-5390), and come in runs only by
 * those who mean harm.
 */

#include "tcp/tcp.h"

#define TCP_MERGE_MIN  536 /* bytes of text */
#define TCP_MERGE_MOST 16  /* segments */

/** tcp_merge hangs a segment behind the one before it in the burst, if the two may go on as one; its mbuf is then
 * the other's. Returns whether it has. */
bool tcp_merge(struct tcp_pending *to, struct tcp_pending *from);

#endif
