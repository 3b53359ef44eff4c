/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TCP_TCP_INSPECT_H
#define TCP_TCP_INSPECT_H

/* The current state of TCP, one table entry after another (percore/inspect.h). */

#include <percore/inspect.h>

#include "tcp/tcp.h"

/** tcp_inspect_places returns the highest place, from 1, that a connection of a kind has ever had.
 * *used is how many places are taken. */
uint32_t tcp_inspect_places(const struct tcp *tcp, enum flow_kind kind, uint32_t *used);

/** tcp_inspect describes what is in a place. Returns false when it is empty. */
bool tcp_inspect(const struct tcp *tcp, enum flow_kind kind, uint32_t place,
                 struct pc_socket_info *info);

/** tcp_mark_laddrs marks those of our addresses that connections and bound sockets refer to. */
void tcp_mark_laddrs(const struct tcp *tcp, bool used[PC_MAX_ADDRS]);

#endif
