/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHARED_LISTENER_H
#define SHARED_LISTENER_H

/* The listening socket of a server, and its connections, of which a set of epoll tells, each under its descriptor. */

#include <stdint.h>

#include <percore/stack.h>

/** listener_open listens on a TCP port of every address of both families. Connections have TCP_NODELAY. Returns the socket,
 * or -1 with errno. */
int listener_open(struct pc_stack *st, int epfd, uint16_t port, int backlog);

/** listener_accept takes a connection of a listener; one whose descriptor is max or more, or that the set has no room for, is
 * closed. Returns its descriptor; 0: that was such a one; -1: there is none. */
int listener_accept(struct pc_stack *st, int epfd, int listener, uint32_t max);

#endif
