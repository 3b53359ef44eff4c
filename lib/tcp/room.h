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
 * room_promote makes a connection of a handshake that is complete. NULL: there is no room; then some is looked for, and the
 * peer tries again.
 */
struct tcb *room_promote(struct tcp *tcp, const struct syn_entry *e);

/** room_make is called in each turn, and once in a tick it looks at some connections for who was refused one. */
void room_make(struct tcp *tcp);

/** room_is_stalled says whether nothing of what was sent has been acknowledged for tcp.stalled_ms, though it was repeated. */
bool room_is_stalled(const struct tcp *tcp, const struct tcb *t, const struct tcp_queues *q);

#endif
