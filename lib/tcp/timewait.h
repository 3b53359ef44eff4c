/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TIMEWAIT_H
#define TCP_TIMEWAIT_H

/*
 * TIME-WAIT: what a connection that we closed first leaves behind for 2 MSL, in 48 bytes.
 *
 * The lifetime is the same for all, so they are in one queue in order of expiry; an entry whose
 * lifetime was extended (RFC 9293: a FIN restarts 2 MSL) moves to the end when it first reaches the
 * head.  A full table evicts its oldest entry.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/freelist.h"
#include "tcp/tcb.h"
#include "tcp/tcp_table.h"

struct tcp;
struct tcp_rx;
struct ip_pkt;

struct tw_entry {
	struct tcp_flow flow; /* all zero: ended early, still in the queue */
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_recent;
	uint32_t expiry; /* tick */
	uint32_t next;   /* in the queue, or in the free list; index, 0: none */
	uint16_t wnd;    /* as last advertised, scaled as on the wire */
	uint8_t used : 1, rcv_wscale : 4;
	uint8_t ace : 3; /* with accecn: the ACE counter */
	uint8_t ts : 1, accecn : 1;
	uint8_t reuseaddr : 1, reuseport : 1;
	uint8_t auth : 1; /* it has a key (auth.h) */
};

static_assert(sizeof(struct tw_entry) == 48, "TIME-WAIT takes 48 bytes");

struct timewait {
	struct tw_entry *entry; /* 1 .. n */
	uint32_t n, used, head, tail;
	struct freelist free; /* by tw_entry.next */
};

/** timewait_footprint returns the bytes of a table of n entries. */
uint64_t timewait_footprint(uint64_t n);

int timewait_init(struct timewait *tw, uint32_t n, int socket_id);
void timewait_fini(struct timewait *tw);

/** timewait_enter moves a connection's flow from its TCB into the table. */
void timewait_enter(struct tcp *tcp, struct tcb *t);

/** timewait_input handles a segment; one that reopens the connection is passed to the SYN cache.
 * Verdict: a drop. */
int timewait_input(struct tcp *tcp, const struct ip_pkt *p, struct tcp_rx *rx, uint32_t index);

/** timewait_remove ends an entry early. */
void timewait_remove(struct tcp *tcp, uint32_t index);

/** timewait_may_give_up says whether an entry may be ended for a new connection to the same peer:
 * all that the peer may still have of the old one is older by its timestamp (RFC 6191 section 2,
 * from the other side; RFC 9293 MUST-13 otherwise). */
bool timewait_may_give_up(const struct tcp *tcp, uint32_t index);

/** timewait_replace ends an entry for a new connection. Returns its initial sequence number: isn,
 * or a larger one if the old connection has used that (RFC 9293 MAY-2). */
uint32_t timewait_replace(struct tcp *tcp, uint32_t index, uint32_t isn);

/** timewait_flags returns TCB_REUSEADDR and TCB_REUSEPORT as the socket had set them. */
static inline uint32_t timewait_flags(const struct tw_entry *e)
{
	return (e->reuseaddr ? (uint32_t)TCB_REUSEADDR : 0) |
	       (e->reuseport ? (uint32_t)TCB_REUSEPORT : 0);
}

/** timewait_poll removes expired entries; timewait_next stores the tick of the next one, if any. */
void timewait_poll(struct tcp *tcp);
bool timewait_next(const struct timewait *tw, uint32_t *tick);

unsigned timewait_validate(const struct tcp *tcp);

#endif
