/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

/*
 * A connection, seen from the client: 32 bytes, half a cache line, so that ten million fit into the
 * memory beside the server that they connect to.
 *
 * Address and port follow from its number in the table by arithmetic, so it is found without a
 * search.  It has no buffers: what it sends is a function of the sequence number (stream.h), and
 * out-of-order data is not kept.  It has no timers: the table is scanned continuously, and tick
 * says when a connection last made progress.  A tick wraps in four seconds; for a connection that
 * waits longer and has nothing unacknowledged, it is in units that cover all of load.answer_ms
 * (tcp_timers.c).
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define CLIENT_TICK_NS  UINT64_C(64000000)
#define CLIENT_TICKS    64u
#define CLIENT_WND_UNIT 256u
#define CLIENT_WND_MAX  16383u
#define CLIENT_WAIT_MAX 63u
#define CLIENT_TRIES    7u

enum client_state {
	CLIENT_CLOSED,
	CLIENT_SYN_SENT,
	CLIENT_OPEN,
	CLIENT_FIN_WAIT, /* we closed first */
	CLIENT_LAST_ACK, /* the server closed first, and we have answered */
	CLIENT_DEAD,     /* it failed; the fault is counted */
	CLIENT_AGAIN,    /* no answer arrived in time; it is to be reopened */
};

struct client {
	uint32_t una, nxt, rcv;
	uint32_t mark;      /* sequence number of the oldest unanswered request */
	uint32_t base;      /* for use by the talk */
	uint32_t stamp;     /* when the timed request was sent, or was due (64 ns) */
	uint32_t peer_time; /* the peer's last timestamp */
	uint32_t wnd : 14;  /* the peer's window, in CLIENT_WND_UNIT */
	uint32_t tick : 6;  /* when it last made progress */
	/* closed loop: answers until the timed one, 0: none is timed; open loop: overdue requests;
	 * bulk: duplicate acknowledgements */
	uint32_t wait : 6;
	uint32_t state : 3;
	/* consecutive time-outs; if all is acknowledged, whether tick is in units of struct load's
	 * answer_unit_ns */
	uint32_t tries : 3;
};
static_assert(sizeof(struct client) == 32, "10 M clients are to fit beside a server");

/** client_set_wnd records a window in bytes. */
static inline void client_set_wnd(struct client *c, uint32_t bytes)
{
	uint32_t units = bytes / CLIENT_WND_UNIT;

	c->wnd = (units < CLIENT_WND_MAX ? units : CLIENT_WND_MAX) & CLIENT_WND_MAX;
}

/** client_is_gone says whether the connection does not exist any more, or not yet. */
static inline bool client_is_gone(const struct client *c)
{
	return c->state == CLIENT_CLOSED || c->state >= CLIENT_DEAD;
}

/** client_idle returns how many ticks ago it last made progress, modulo CLIENT_TICKS. */
static inline uint32_t client_idle(const struct client *c, uint32_t tick)
{
	return (tick - c->tick) % CLIENT_TICKS;
}

#endif
