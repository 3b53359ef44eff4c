/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_ROOM_H
#define TCP_ROOM_H

/* Which connection gives way when stack.max_connections is reached. */

#include <stdbool.h>

struct syn_entry;
struct tcb;
struct tcp;
struct tcp_queues;

/**
 * room_promote makes a connection from a completed handshake. NULL: there is no room, and a search
 * for some begins, or syncache_promote has failed otherwise; the peer will try again.
 */
struct tcb *room_promote(struct tcp *tcp, const struct syn_entry *e);

/** room_make is called in each turn; once per tick it looks for connections that can give way to
 * peers that were refused. */
void room_make(struct tcp *tcp);

/** room_is_stalled says whether nothing has been acknowledged for tcp.stalled_ms despite
 * retransmissions. */
bool room_is_stalled(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q);

#endif
