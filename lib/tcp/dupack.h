/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DUPACK_H
#define TCP_DUPACK_H

/*
 * Duplicate acknowledgements, the only sign of losses without SACK (RFC 5681 section 3.2, RFC
 * 6582).
 *
 * Each stands for a segment that has left the network.  The third says that the oldest segment is
 * lost; after that, each partial acknowledgement shows the next hole.
 */

#include <stdint.h>

struct tcb;
struct tcp;
struct tcp_queues;

/** dupack_count counts a duplicate. */
void dupack_count(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q);

/** dupack_find marks the oldest segment as lost if the duplicates so far say so. Returns the us
 * after which to decide (dupack_lost); 0: no need. */
uint32_t dupack_find(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q);

/** dupack_lost marks the oldest segment as lost if there were enough duplicates, no matter how fast
 * they arrived. */
void dupack_lost(const struct tcb *t, struct tcp_queues *q);

/** dupack_recovered marks the oldest segment as lost if the acknowledgement that ended a recovery
 * shows that. */
void dupack_recovered(const struct tcb *t, struct tcp_queues *q);

/** dupack_part notes that acked bytes in flight were acknowledged. Returns how many of them
 * duplicates have not already accounted for (RFC 9937 section 6: DeliveredData). */
uint32_t dupack_part(const struct tcb *t, struct tcp_queues *q, uint32_t acked);

#endif
