/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_RCVTUNE_H
#define TCP_RCVTUNE_H

/*
 * Dynamic right-sizing: a receive window that does not limit the sender.
 *
 * What the application reads in a round trip is what the peer was able to send in one, so twice as
 * much lets a peer double its rate with each round trip, as slow start does.  The window grows from
 * tcp.rcvbuf up to tcp.rcvbuf_max and never shrinks; what is advertised of it does while mbufs are
 * scarce (tcp_share).
 */

#include <stdbool.h>
#include <stdint.h>

struct tcp;
struct tcb;
struct tcp_queues;
struct tcp_seg;

struct rcvtune {
	uint32_t start_us; /* when the round trip that is measured began */
	uint32_t seq;      /* what had been read by then */
	uint32_t space;    /* most that was read in one */
	uint32_t rtt_us;   /* the round trip as a receiver sees it; 0: not known */
	uint16_t tsecr;    /* what the last sample was taken of */
};

/** rcvtune_bulk is told that segments come faster than they are acknowledged, of which seg is one: it begins to
 * measure, and takes a round trip by timestamps. */
void rcvtune_bulk(const struct tcp *tcp, const struct tcb *t, struct tcp_queues *q,
                  const struct tcp_seg *seg);

/** rcvtune_read tells that the application has read; at the end of a round trip the window may grow. */
void rcvtune_read(const struct tcp *tcp, struct tcb *t, struct tcp_queues *q);

#endif
