/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_DUPACK_H
#define TCP_DUPACK_H

/*
 * Duplicate acknowledgements, the only sign of losses without SACK (RFC 5681 section 3.2, RFC
 * 6582).
 *
 * Each stands for a segment that has left the network.  The third says that the oldest segment is
 * lost; after that, each partial acknowledgement names the next hole.
 */

#include <stdint.h>

struct tcb;
struct tcp;
struct tcp_queues;

/** dupack_count takes note of one. */
void dupack_count(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q);

/** dupack_find marks the oldest as lost if those that have come say so. Returns in how many us to look again
 * (dupack_lost); 0: not. */
uint32_t dupack_find(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q);

/** dupack_lost marks the oldest as lost if there were enough, in whatever time they came. */
void dupack_lost(const struct tcb *t, struct tcp_queues *q);

/** dupack_recovered marks the oldest as lost if the acknowledgement that has ended a recovery says so. */
void dupack_recovered(const struct tcb *t, struct tcp_queues *q);

/** dupack_part takes note that of what was under way acked bytes are acknowledged. Returns how many of them
 * earlier duplicates have not stood for (RFC 9937 section 6: DeliveredData). */
uint32_t dupack_part(const struct tcb *t, struct tcp_queues *q, uint32_t acked);

#endif
