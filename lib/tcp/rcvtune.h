/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RCVTUNE_H
#define TCP_RCVTUNE_H

/*
 * Dynamic right-sizing: a receive window that does not limit the sender.
 *
 * What the application reads in a round trip is what the peer was able to send in one, so twice as
 * much lets a peer double its rate with each round trip, as slow start does.  The window grows from
 * tcp.rcvbuf up to tcp.rcvbuf_max and never shrinks; the advertised part of it does while mbufs are
 * scarce (tcp_share).
 */

#include <stdbool.h>
#include <stdint.h>

struct tcp;
struct tcb;
struct tcp_queues;
struct tcp_seg;

struct rcvtune {
	uint32_t start_us; /* when the current round trip began */
	uint32_t seq;      /* sequence number up to which was read by then */
	uint32_t space;    /* the most that was read in one round trip */
	uint32_t rtt_us;   /* the round trip as seen by the receiver; 0: not known */
	uint16_t tsecr;    /* the echo of the last sample */
};

/** rcvtune_bulk is called when segments, such as seg, arrive faster than they are acknowledged: it
 * starts the measurement, and takes a sample of the round trip from timestamps. */
void rcvtune_bulk(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q,
                  const struct tcp_seg *seg);

/** rcvtune_read is called when the application has read data; at the end of a round trip the window
 * may grow. */
void rcvtune_read(const struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

#endif
